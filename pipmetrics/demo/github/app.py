"""The HTTP side: who may ask, what a GraphQL question is answered, and what a budget is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jwt
from graphql import DocumentNode, ExecutionResult, GraphQLError, execute, parse, validate

from pipmetrics.demo.github.graph import schema
from pipmetrics.demo.github.limits import Refusal, weigh
from pipmetrics.demo.github.nodes import Session, type_name
from pipmetrics.demo.github.rest import answer
from pipmetrics.demo.github.world import Token, World
from pipmetrics.demo.service import App, Request, Response

HOUR = 3600


def app(world: World, *, clock: Callable[[], float] = time.time) -> App:
    """The stand-in as an app for `pipmetrics.demo.service.serve`."""

    def respond(request: Request) -> Response:
        path = request.path.removeprefix("/api/v3").removeprefix("/api") or "/"
        if path.startswith("/app/"):
            return _installation_token(world, request, path, clock())
        token = _token(world, request, clock())
        if token is None:
            return Response.of({"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}, 401)
        if path == "/graphql":
            return _graphql(world, token, request, clock())
        rate = _rate(token, "core", 0 if path == "/rate_limit" else 1, clock())
        session = Session(world, token, request.origin, rate)
        response = answer(session, request, path) if rate["remaining"] >= 0 else _exceeded()
        return _with_headers(response, token, "core", rate)

    return respond


def _token(world: World, request: Request, now: float) -> Token | None:
    _, _, value = request.headers.get("authorization", "").partition(" ")
    found = world.tokens.get(value.strip())
    return None if found is None or (found.expires and found.expires.timestamp() < now) else found


def _installation_token(world: World, request: Request, path: str, now: float) -> Response:
    _, _, signed = request.headers.get("authorization", "").partition(" ")
    number = path.removeprefix("/app/installations/").removesuffix("/access_tokens")
    for each in world.apps:
        try:
            claims = jwt.decode(
                signed, each.public_key, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
            )
        except jwt.PyJWTError:
            continue
        if str(claims.get("iss")) == str(each.id) and number.isdigit() and int(number) in each.installations:
            value = f"ghs_{each.id}_{number}_{int(now)}"
            world.token(value, each.installations[int(number)], scopes=None)
            ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + HOUR))
            return Response.of({"token": value, "expires_at": ends, "permissions": {"pull_requests": "read"}}, 201)
    return Response.of({"message": "A JSON web token could not be decoded"}, 401)


def _rate(token: Token, kind: str, cost: int, now: float) -> dict[str, Any]:
    if now >= token.reset:
        token.reset, token.used = now + HOUR, {}
    token.used[kind] = token.used.get(kind, 0) + cost
    used = token.used[kind]
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(token.reset))
    return {"limit": token.points, "used": used, "remaining": token.points - used, "resetAt": ends, "cost": cost}


def _with_headers(response: Response, token: Token, kind: str, rate: Mapping[str, Any]) -> Response:
    headers = {
        **response.headers,
        "X-RateLimit-Limit": str(rate["limit"]),
        "X-RateLimit-Remaining": str(max(0, rate["remaining"])),
        "X-RateLimit-Used": str(rate["used"]),
        "X-RateLimit-Reset": str(int(token.reset)),
        "X-RateLimit-Resource": kind,
    }
    if token.scopes is not None:
        headers["X-OAuth-Scopes"] = token.scopes
    return Response(response.status, response.body, headers)


def _exceeded() -> Response:
    return Response.of({"message": "API rate limit exceeded for user."}, 403)


@cache
def _parsed(query: str, issue_types: bool) -> tuple[DocumentNode, list[GraphQLError]]:
    document = parse(query)
    return document, validate(schema(issue_types), document)


def _graphql(world: World, token: Token, request: Request, now: float) -> Response:
    if request.method != "POST":
        return Response.of({"message": "Not Found"}, 404)
    try:
        asked = request.json()
        query, variables = asked["query"], asked.get("variables") or {}
    except (ValueError, KeyError, TypeError):
        return Response.of({"message": "Problems parsing JSON"}, 400)
    try:
        document, wrong = _parsed(query, world.issue_types)
    except GraphQLError as error:
        return _refused(token, now, {"message": error.message, "locations": _places(error)})
    if wrong:
        return _refused(token, now, *(_invalid(error) for error in wrong))
    try:
        weight = weigh(schema(world.issue_types), document, variables)
    except Refusal as refusal:
        return _refused(token, now, {"type": refusal.kind, "path": list(refusal.path), "message": refusal.message})
    rate = _rate(token, "graphql", weight.cost, now)
    if rate["remaining"] < 0:
        limited = {"type": "RATE_LIMITED", "message": "API rate limit exceeded for user."}
        return _with_headers(Response.of({"errors": [limited]}), token, "graphql", rate)
    session = Session(world, token, request.origin, {**rate, "nodeCount": weight.nodes})
    result = execute(schema(world.issue_types), document, None, session, variables, type_resolver=type_name)
    assert isinstance(result, ExecutionResult)
    return _with_headers(Response.of(_told(result)), token, "graphql", rate)


def _refused(token: Token, now: float, *errors: Mapping[str, Any]) -> Response:
    return _with_headers(Response.of({"errors": list(errors)}), token, "graphql", _rate(token, "graphql", 1, now))


def _invalid(error: GraphQLError) -> dict[str, Any]:
    code = "undefinedField" if error.message.startswith("Cannot query field") else "argumentNotAccepted"
    return {"message": error.message, "locations": _places(error), "extensions": {"code": code}}


def _places(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]


def _told(result: ExecutionResult) -> dict[str, Any]:
    told: dict[str, Any] = {"data": result.data}
    if result.errors:
        told["errors"] = [_error(error) for error in result.errors]
    return told


def _error(error: GraphQLError) -> dict[str, Any]:
    kind = error.original_error.kind if isinstance(error.original_error, Refusal) else None
    told = {"message": error.message, "path": list(error.path or ()), "locations": _places(error)}
    return {"type": kind, **told} if kind else told
