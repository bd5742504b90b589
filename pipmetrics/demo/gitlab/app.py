"""The HTTP side of the stand-in: who may ask, and which of the two APIs answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationDefinitionNode, execute, parse, validate

from pipmetrics.demo.gitlab.complexity import LIMIT, score
from pipmetrics.demo.gitlab.graph import Session, resolve, schema
from pipmetrics.demo.gitlab.rest import answer
from pipmetrics.demo.gitlab.world import Token, World
from pipmetrics.demo.service import App, Request, Response

LONGEST = 10_000
"""Characters of a GraphQL document."""


def app(world: World, *, graphql: bool = True, limit: int = LIMIT) -> App:
    """The stand-in as an app for `pipmetrics.demo.service.serve`.

    `graphql` False: an old or locked-down instance. `limit`: the most complex query that it answers.
    """

    def respond(request: Request) -> Response:
        token = world.tokens.get(_given(request))
        if request.path == "/api/graphql":
            if not graphql:
                return Response.of({"error": "404 Not Found"}, 404)
            if token is None:
                return Response.of({"errors": [{"message": "Invalid token"}]}, 401)
            return _graphql(world, token, request, limit)
        if not request.path.startswith("/api/v4/"):
            return Response(404, b"<html></html>", {"Content-Type": "text/html"})
        if token is None:
            return Response.of({"message": "401 Unauthorized"}, 401)
        if not {"api", "read_api"} & set(token.scopes) and request.path != "/api/v4/personal_access_tokens/self":
            return Response.of({"error": "insufficient_scope", "scope": "api read_api"}, 403)
        return answer(world, token, request)

    return respond


def limited(seconds: int, *, named: bool = True) -> Response:
    """A 429 as GitLab gives it, for `Service.fault`; `named` False: without a word of when to come back."""
    headers = {
        "RateLimit-Limit": "2000",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(int(time.time()) + seconds),
        "Retry-After": str(seconds),
    }
    return Response(429, b'{"message": "Retry later"}', headers if named else {})


def _given(request: Request) -> str:
    bearer = request.headers.get("authorization", "")
    return request.headers.get("private-token") or bearer.removeprefix("Bearer ").strip()


def _graphql(world: World, token: Token, request: Request, limit: int) -> Response:
    if request.method != "POST":
        return Response.of({"error": "404 Not Found"}, 404)
    try:
        asked = request.json()
        document, variables = str(asked["query"]), dict(asked.get("variables") or {})
    except (ValueError, KeyError, TypeError):
        return Response.of({"errors": [{"message": "Unexpected end of document"}]}, 422)
    return Response.of(_result(world, token, request.origin, document, variables, limit))


def _result(
    world: World, token: Token, origin: str, text: str, variables: Mapping[str, Any], limit: int
) -> dict[str, Any]:
    if len(text) > LONGEST:
        return {"errors": [{"message": f"Query too large: over {LONGEST} characters"}]}
    document, errors = _checked(text)
    if errors:
        return {"errors": [{"message": message} for message in errors]}
    assert document is not None
    cost = score(schema(), document, variables)
    if cost > limit:
        return {"errors": [{"message": f"Query has complexity of {cost}, which exceeds max complexity of {limit}"}]}
    found = execute(
        schema(),
        document,
        context_value=Session(world, token, origin, cost, limit),
        variable_values=dict(variables),
        field_resolver=resolve,
    )
    assert isinstance(found, ExecutionResult)
    told = {"errors": [error.formatted for error in found.errors]} if found.errors else {}
    return {"data": found.data, **told}


@cache
def _checked(text: str) -> tuple[DocumentNode | None, tuple[str, ...]]:
    """A valid document, or what is wrong with it in the words of GitLab's library."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, (error.message,)
    errors = validate(schema(), document)
    queries = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(queries) != 1 or queries[0].operation.value != "query":
        return None, ("one query is answered at a time",)
    return document, tuple(_worded(error.message) for error in errors)


def _worded(message: str) -> str:
    """ "Field 'x' doesn't exist on type 'Y'", where graphql-core says "Cannot query field"."""
    if message.startswith("Cannot query field"):
        parts = message.split("'")
        return f"Field '{parts[1]}' doesn't exist on type '{parts[3]}'"
    return message
