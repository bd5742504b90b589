"""Puts the server together: routes, sign-in, headers, errors, numbers for operations. Nothing is routed unguarded."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware

from pipmetrics import __version__
from pipmetrics.errors import PipmetricsError, Refused, UsageError
from pipmetrics.model import Settings
from pipmetrics.web import acting, look, operations, pages, rest, signing_in
from pipmetrics.web.guard import SAFE, NotFromHere, NotProved, NotSignedIn, actions_of, public
from pipmetrics.web.middleware import ALWAYS, Headers, Limit
from pipmetrics.web.office import Office
from pipmetrics.web.sessions import session_key, sessions_of

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

log = logging.getLogger(__name__)
FLOW_LASTS = 600
"""Seconds that a sign-in at the provider may take."""
STATIC = {
    "style.css": "text/css; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "htmx.LICENSE.txt": "text/plain; charset=utf-8",
}


def create_app(company_factory: Callable[[], Organisation], settings: Settings) -> FastAPI:
    """The server of an organisation. `company_factory` opens it, and opens it anew when its files change.

    Raises RuntimeError when a route names no action, and UsageError when the way to sign in is not complete.
    """
    app = FastAPI(
        title="pipmetrics", version=__version__, docs_url=None, redoc_url=None, openapi_url=None,
        description="Everything that the pages show and do.", dependencies=[Depends(read_form)], lifespan=_lifespan,
    )  # fmt: skip
    office = Office(company_factory, settings.folder)
    app.state.office, app.state.sessions = office, sessions_of(settings)
    app.state.access, app.state.folder = dict(settings.access), settings.folder
    app.state.url = str(settings.access.get("url") or "")
    app.state.https = urlsplit(app.state.url).scheme == "https"
    signing_in.add(app, settings)
    for room in (pages, acting, rest, operations):
        room.add(app)
    app.add_api_route("/static/{name}", _static, methods=["GET"], include_in_schema=False)
    app.add_api_route("/favicon.ico", _icon, methods=["GET"], include_in_schema=False)
    for path in ("/api/openapi.json", "/openapi.json"):
        app.add_api_route(path, _openapi, methods=["GET"], include_in_schema=False)
    _add_errors(app)
    _add_middleware(app, settings)
    app.state.actions = actions_of(app)
    _check_access(settings)
    return app


def _check_access(settings: Settings) -> None:
    if settings.access.get("mode") == "proxy" and not settings.access.get("trusted"):
        raise UsageError("a proxy is trusted, and none is listed", where="access", mend="List it under `trusted`.")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    from starlette.concurrency import run_in_threadpool

    await run_in_threadpool(app.state.office.standing)  # a start that cannot read fails here, not at the first reader
    yield


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    if settings.access.get("mode") == "oidc":  # holds the state, nonce and verifier of a sign-in under way, no more
        secret = hashlib.sha256(b"flow" + session_key(settings.access, settings.folder)).hexdigest()
        app.add_middleware(
            SessionMiddleware, secret_key=secret, session_cookie="pipmetrics-flow", max_age=FLOW_LASTS,
            same_site="lax", https_only=app.state.https,
        )  # fmt: skip
    app.add_middleware(operations.Counting, numbers=app.state.numbers)
    app.add_middleware(Limit)
    app.add_middleware(Headers, https=app.state.https)
    app.middleware("http")(_give_session)


async def _give_session(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    """Hands out the session that a request behind a proxy began."""
    response = await call(request)
    fresh = getattr(request.state, "new_session", None)
    return signing_in.enter(response, request, fresh) if fresh is not None else response


# --- what comes from elsewhere ------------------------------------------------------------------------------------


async def read_form(request: Request) -> None:
    """Refuses what another site sends, and reads the word that shows where a form came from."""
    request.state.form, request.state.csrf = {}, ""
    if request.method in SAFE:
        return
    if not _from_here(request, request.headers.get("sec-fetch-site"), request.headers.get("origin")):
        raise NotFromHere
    if request.url.path.startswith("/api/"):
        request.state.csrf = request.headers.get("x-csrf-token", "")
        return
    async with request.form(max_files=0, max_fields=60) as form:
        request.state.form = {name: value for name, value in form.items() if isinstance(value, str)}
    request.state.csrf = request.state.form.get("csrf") or request.headers.get("x-csrf-token", "")


def _from_here(request: Request, site: str | None, origin: str | None) -> bool:
    """By what the browser says of where a request began. Since pages give no referrer, their forms have the origin
    "null" (https://fetch.spec.whatwg.org/#append-a-request-origin-header); then the browser must say the site."""
    if site not in (None, "same-origin", "none"):
        return False
    if origin is None or (origin == "null" and site == "same-origin"):
        return True
    own = {urlsplit(str(request.base_url)).netloc, urlsplit(request.app.state.url).netloc}
    return urlsplit(origin).netloc in own - {""}


# --- routes of the server itself ----------------------------------------------------------------------------------


def _static(name: str, _: Annotated[None, Depends(public())]) -> Response:
    if name not in STATIC:
        raise HTTPException(404, "There is no such page.")
    text = look.style() if name == "style.css" else (files("pipmetrics.web") / "static" / name).read_text("utf-8")
    return Response(text, media_type=STATIC[name], headers={"Cache-Control": "public, max-age=3600"})


def _icon(_: Annotated[None, Depends(public())]) -> Response:
    """Browsers ask for it at each start; without it, their consoles complain."""
    text = (files("pipmetrics.web") / "static" / "icon.svg").read_text("utf-8")
    return Response(text, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


def _openapi(request: Request, _: Annotated[None, Depends(public())]) -> JSONResponse:
    return JSONResponse(request.app.openapi())


# --- errors -------------------------------------------------------------------------------------------------------


def _add_errors(app: FastAPI) -> None:
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(NotProved, _not_proved)
    app.add_exception_handler(NotFromHere, _told(403, "This did not come from a page of pipmetrics. Load it again."))
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(PipmetricsError, _failed)
    app.add_exception_handler(Exception, _broken)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


def answer(request: Request, status: int, what: str, mend: str = "", headers: Any = None) -> Response:
    """An error as JSON for the API and as a page for people; never more than what we wrote ourselves."""
    if _is_api(request):
        return JSONResponse({"error": what, "mend": mend}, status, headers=headers)
    page = look.plain("problem.html.j2", title=what, status=status, what=what, mend=mend)
    page.headers.update(headers or {})
    return page


def _told(status: int, what: str) -> Any:
    def handler(request: Request, _: Exception) -> Response:
        return answer(request, status, what)

    return handler


def _not_signed_in(request: Request, _: Exception) -> Response:
    if _is_api(request):
        return answer(request, 401, "Nobody is signed in.", "Sign in with a browser, and send its cookie.")
    if request.app.state.access.get("mode") == "proxy":
        return answer(request, 401, "Nobody is signed in.", "Come through the proxy that signs people in.")
    onward = request.url.path if request.method in SAFE else "/"
    return RedirectResponse(f"/sign-in?onward={quote(onward)}", 303)


def _not_proved(request: Request, _: Exception) -> Response:
    if _is_api(request):
        return answer(request, 403, "This act needs somebody who has just signed in.", "Sign in again, then repeat it.")
    return RedirectResponse(f"/sign-in?again=true&onward={quote(request.url.path)}", 303)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer(request, error.status_code, str(error.detail), headers=error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:10])
    if not _is_api(request) and any(each["loc"][0] == "path" for each in error.errors()):
        return answer(request, 404, "There is no such page.")
    return answer(request, 422, told)


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, PipmetricsError)
    if isinstance(error, UsageError):
        return answer(request, 422, error.what, error.mend)
    if isinstance(error, Refused):
        return answer(request, 409, error.what, error.mend)
    log.error("%s: %s", request.scope.get("path"), error)
    return answer(request, 503, "This cannot be read at the moment.", "Try again; the server's log says why.")


def _broken(request: Request, error: Exception) -> Response:
    """The one answer that no middleware adorns."""
    log.error("%s failed", request.scope.get("path"), exc_info=error)
    headers = {**ALWAYS, "Cache-Control": "no-store"}
    return answer(request, 500, "Something went wrong here.", "The server's log says what.", headers)


# --- serving ------------------------------------------------------------------------------------------------------


def server(company: Organisation, host: str = "127.0.0.1", port: int = 8000) -> Any:
    """A uvicorn server, not yet running, for whoever runs something else beside it.

    The peer's address stays that of the connection: no header of a proxy replaces it. Requests are not logged, since
    their paths name plans.
    """
    import uvicorn

    from pipmetrics.api import Organisation
    from pipmetrics.config import load

    settings = company.config.settings
    app = create_app(lambda: Organisation(load(settings.folder), now=company.now), settings)
    return uvicorn.Server(
        uvicorn.Config(
            app, host=host, port=port, proxy_headers=False, server_header=False, access_log=False, log_level="warning"
        )
    )


def serve(company: Organisation, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serves the pages until it is told to stop. Only this machine reaches them unless `host` says otherwise."""
    server(company, host, port).run()
