"""Signing in and out: OpenID Connect, a trusted proxy's word, or a one-time link made on this machine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pipmetrics.access import PAGE
from pipmetrics.model import Settings
from pipmetrics.web import look
from pipmetrics.web.guard import COOKIE, Visit, of, public, who
from pipmetrics.web.sessions import ABSOLUTE, Session, Sessions, links

log = logging.getLogger(__name__)
Public = Annotated[None, Depends(public())]
LEEWAY = timedelta(minutes=2)
"""How far the provider's clock may be from ours."""


def local(address: str) -> str:
    """An address on this server, or the start: a sign-in leads nowhere else."""
    fine = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if fine and address.isprintable() and not address.startswith("/sign-in") else "/"


def enter(response: Response, request: Request, session: Session) -> Response:
    """Gives the browser the session; on https it comes back over https alone."""
    response.set_cookie(
        COOKIE, session.token, max_age=int(ABSOLUTE.total_seconds()), path="/", httponly=True, samesite="lax",
        secure=request.app.state.https,
    )  # fmt: skip
    return response


def _begin(request: Request, person: str, proved: datetime | None, onward: str) -> Response:
    """A new session under a new token; the one before ends."""
    standing, sessions = request.app.state.office.standing(), request.app.state.sessions
    before = who(request, standing)
    if before is not None:
        sessions.end(before)
    session = sessions.begin(person, standing.company.now(), proved)
    log.info("%s signed in", person)
    return enter(RedirectResponse(local(onward), 303), request, session)


def add(app: FastAPI, settings: Settings) -> None:
    """The routes of the mode that is configured; the others are not there."""
    found: list[tuple[str, str, Callable[..., Any]]] = [("GET", "/sign-in", _ask), ("POST", "/sign-out", _sign_out)]
    mode = settings.access.get("mode", "links")
    if mode == "links":
        found.append(("GET", "/sign-in/link/{token}", _by_link))
    if mode == "oidc":
        found += [("GET", "/sign-in/oidc", _to_provider), ("GET", "/sign-in/oidc/callback", _from_provider)]
    for method, path, call in found:
        app.add_api_route(path, call, methods=[method], include_in_schema=False, response_class=HTMLResponse)


def _ask(request: Request, _: Public, onward: str = "/", again: bool = False) -> Response:
    """How to sign in here. `again`: for an act that needs somebody who has just shown who they are."""
    mode = request.app.state.access.get("mode", "links")
    return look.plain("sign-in.html.j2", title="Sign in", mode=mode, onward=quote(local(onward)), again=again,
                      problem="")  # fmt: skip


def refused(why: str, mode: str, status: int = 403) -> Response:
    return look.plain("sign-in.html.j2", title="Sign in", status=status, mode=mode, onward="/", again=False,
                      problem=why)  # fmt: skip


def _sign_out(request: Request, visit: Annotated[Visit, Depends(of(PAGE, "page.open"))]) -> Response:
    sessions: Sessions = request.app.state.sessions
    sessions.end(visit.session)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=request.app.state.https)
    return response


# --- one-time links -----------------------------------------------------------------------------------------------


def _by_link(request: Request, _: Public, token: Annotated[str, Path(max_length=100)]) -> Response:
    standing = request.app.state.office.standing()
    now = standing.company.now()
    ticket = links(standing.company.config.settings).take(token, now)
    if ticket is None or ticket.said["person"] not in standing.company.config.people:
        log.warning("a sign-in by link was refused")
        return refused("This link was used before, or its time is over.", "links")
    return _begin(request, ticket.said["person"], now, "/")


# --- OpenID Connect -----------------------------------------------------------------------------------------------


@cache
def _client(issuer: str, client_id: str, client_secret: str | None) -> Any:
    from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]  # ships no types

    return OAuth().register(
        "provider",
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_id=client_id,
        client_secret=client_secret,
        client_kwargs={
            "scope": "openid",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if client_secret else "none",
        },
    )


def _provider(request: Request) -> Any:
    from pipmetrics.transport import reveal

    access, folder = request.app.state.access, request.app.state.folder
    secret = access.get("client_secret")
    client_id = reveal(access["client_id"], folder)
    return _client(access["issuer"], client_id, reveal(secret, folder) if secret else None)


async def _to_provider(request: Request, _: Public, onward: str = "/", again: bool = False) -> Response:
    """To the provider, with a state, a nonce and a code challenge; `again` makes it ask for the password anew."""
    address = request.app.state.url or str(request.base_url)
    request.session["onward"] = local(onward)
    request.session["again"] = again
    more = {"prompt": "login", "max_age": "0"} if again else {}
    sent: Response = await _provider(request).authorize_redirect(
        request, f"{address.rstrip('/')}/sign-in/oidc/callback", **more
    )
    return sent


async def _from_provider(request: Request, _: Public) -> Response:
    """Back from the provider: the token must be for us, from it, fresh, and answer our nonce; its subject must be
    somebody whom the configuration names."""
    from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # ships no types
    from joserfc.errors import JoseError
    from starlette.concurrency import run_in_threadpool

    access, client = request.app.state.access, _provider(request)
    issuer = (await client.load_server_metadata())["issuer"]
    wanted = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client.client_id},
              "sub": {"essential": True}}  # fmt: skip
    try:
        token = await client.authorize_access_token(request, claims_options=wanted)
        claims = token["userinfo"]
    except (AuthlibBaseError, JoseError, KeyError) as error:
        log.warning("a sign-in at the provider was refused: %s", type(error).__name__)
        return refused("The sign-in did not come to its end. Try again.", "oidc")
    person = (access.get("subjects") or {}).get(claims["sub"])
    now = request.app.state.office.now()
    onward, again = request.session.pop("onward", "/"), request.session.pop("again", False)
    proved = _proved(claims.get("auth_time"), now)
    if person is None:
        return refused("Your account is not known here. Ask whoever configures pipmetrics.", "oidc")
    if again and (proved is None or now - proved > LEEWAY):
        return refused("The provider did not ask you anew. Try again.", "oidc")
    return await run_in_threadpool(_begin, request, person, proved, onward)


def _proved(auth_time: Any, now: datetime) -> datetime | None:
    """When the provider saw the password; None when it does not say, or says the future."""
    if not isinstance(auth_time, int):
        return None
    at = datetime.fromtimestamp(auth_time, UTC)
    return at if at <= now + LEEWAY else None
