"""Asking one GitHub, through the wire: GraphQL answers with what they lack, REST answers, and who asks."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from github import Auth, GithubException
from github.Requester import Requester, RequestsResponse
from jwt import PyJWTError

from pipmetrics.errors import SourceError
from pipmetrics.model import Json, Secret, Source
from pipmetrics.transport import Wire, hide, mount

TOO_MUCH = frozenset({"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT", "LOADING"})
_TIRED = re.compile(r"something went wrong|timed? ?out|timeout|resource limits?|couldn't respond", re.IGNORECASE)
DENIED = frozenset({"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES", "SAML_FAILURE"})

log = logging.getLogger("pipmetrics.github")
_quiet = logging.getLogger("pipmetrics.github.requests")
_quiet.setLevel(logging.INFO)  # PyGithub prints whole bodies at DEBUG, and bodies are about people


class TooMuch(SourceError):
    """The service could not answer a question of this size; a smaller one may do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of an answer: its type, and the path to what it left out."""

    kind: str
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A GraphQL answer; `data` may have holes where `faults` say so."""

    data: Mapping[str, Json]
    faults: tuple[Fault, ...] = ()

    def without(self, *path: str | int) -> tuple[Fault, ...]:
        """The faults at or below a path."""
        return tuple(fault for fault in self.faults if fault.path[: len(path)] == path)


class Connection:
    """What PyGithub wants of a connection; the session and its wire outlive it."""

    def __init__(self, session: requests.Session, scheme: str, host: str, port: int | None = None, **_: object) -> None:
        self.session, self.host = session, host
        self.root = f"{scheme}://{host}" + (f":{port}" if port else "")
        self.asked: dict[str, Any] = {}

    def request(self, verb: str, url: str, input: Any, headers: Mapping[str, str], stream: bool = False) -> None:
        self.asked = {"method": verb, "url": self.root + url, "data": input, "headers": headers, "stream": stream}

    def getresponse(self) -> RequestsResponse:
        return RequestsResponse(self.session.request(allow_redirects=False, **self.asked))

    def close(self) -> None:
        """The session stays open for the next one."""


def github_requester(wire: Wire, auth: Auth.Auth, base_url: str) -> Requester:
    """PyGithub's requester over a wire: no retries and no pauses of its own, and never a stock one made from it."""

    class Bound(Requester):
        def withAuth(self, auth: Auth.Auth | None) -> Requester:  # noqa: N802 - PyGithub's name
            return Bound(**{**self.kwargs, "auth": auth})

        def withLazy(self, lazy: Any) -> Requester:  # noqa: N802 - PyGithub's name
            return Bound(**{**self.kwargs, "lazy": lazy is True})

        def withApiVersion(self, api_version: str | None) -> Requester:  # noqa: N802 - PyGithub's name
            return Bound(**{**self.kwargs, "api_version": api_version})

        def __reduce__(self) -> tuple[object, ...]:
            raise TypeError("a client is not pickled: build it in the worker, from its settings")

    session = mount(requests.Session(), wire)
    kinds: Any = [partial(Connection, session, scheme) for scheme in ("http", "https")]
    Bound.injectConnectionClasses(*kinds)
    Bound.injectLogger(_quiet)
    return Bound(auth, base_url, 60, "pipmetrics", 100, True, None, None, None, None)


class InstallationToken(Auth.Token):
    """The token of a GitHub App's installation, asked for through the wire and renewed before it expires."""

    EARLY = 300.0
    """Seconds before its end at which a token counts as expired."""

    def __init__(self, wire: Wire, app: Auth.AppAuth, installation: int, base_url: str) -> None:
        super().__init__("not asked for yet")
        self._wire, self._installation = wire, installation
        self._requester = github_requester(wire, app, base_url)
        self._value, self._until = "", 0.0

    @property
    def token(self) -> str:
        if time.time() > self._until - self.EARLY:
            path = f"/app/installations/{self._installation}/access_tokens"
            _, answer = self._requester.requestJsonAndCheck("POST", path, input={})
            if not isinstance(answer, dict) or not answer.get("token"):
                raise SourceError("the service gave no token for the installation", where=f"POST {path}")
            self._value, self._until = answer["token"], time.time() + self._lasts(answer.get("expires_at"))
            hide(self._value)
        return self._value

    def _lasts(self, expires: object) -> float:
        """Seconds that the token is good for, by the service's clock; an hour where it does not say."""
        now = self._wire.server_date
        if now is None or not isinstance(expires, str):
            return 3600.0
        return (datetime.fromisoformat(expires) - now).total_seconds()


def credentials(source: Source, wire: Wire, base_url: str) -> Auth.Auth:
    """The token, or the GitHub App of the options; SourceError when there is neither."""
    options = source.options
    if options.get("app_id"):
        missing = [name for name in ("installation_id", "private_key") if not options.get(name)]
        if missing:
            raise SourceError(f"app_id needs {' and '.join(missing)} too", where=source.name)
        app = _app(str(options["app_id"]), wire.reveal(_secret(options["private_key"])), source.name)
        return InstallationToken(wire, app, int(options["installation_id"]), base_url)
    if source.token is None:
        mend = 'Write token: "${GITHUB_TOKEN}", or app_id, installation_id and private_key.'
        raise SourceError("there is no token to ask with", where=source.name, mend=mend)
    return Auth.Token(wire.reveal(source.token))


def _app(number: str, key: str, source: str) -> Auth.AppAuth:
    """The App's own credentials, tried at once: a key that does not sign is told before anything is asked."""
    app = Auth.AppAuth(int(number) if number.isdigit() else number, key.replace("\\n", "\n"))
    try:
        signed = bool(app.token)
    except (PyJWTError, ValueError, TypeError):
        signed = False
    if not signed:
        mend = "Put the App's private key into private_key as GitHub gave it, a PEM file."
        raise SourceError("the private key of the GitHub App cannot be used", where=source, mend=mend)
    return app


def _secret(value: Json) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value))


@dataclass(slots=True)
class Hub:
    """One GitHub. Nothing is asked, and no secret read, before the first question."""

    source: Source
    wire: Wire
    headers: dict[str, str] = field(default_factory=dict)
    """Those of the last answer, names in lower case."""
    _requester: Requester | None = None

    @property
    def requester(self) -> Requester:
        if self._requester is None:
            url = rest_root(self.source.url)
            self._requester = github_requester(self.wire, credentials(self.source, self.wire, url), url)
        return self._requester

    def ask(self, query: str, variables: Mapping[str, Json] | None = None) -> Reply:
        """One GraphQL question. TooMuch when the service gave up over it as a whole."""
        asked = {"query": query, "variables": dict(variables or {})}
        answer = self._request("POST", self.requester.graphql_url, input=asked)
        where = f"POST {urlsplit(self.requester.graphql_url).path}"
        if not isinstance(answer, dict):
            raise SourceError("the answer is no object", where=where)
        errors = [error for error in answer.get("errors") or () if isinstance(error, dict)]
        if any(error.get("type") in TOO_MUCH or _TIRED.search(str(error.get("message"))) for error in errors):
            raise TooMuch("the question was too much for the service", where=where)
        data = answer.get("data")
        if not isinstance(data, dict) or any("path" not in error for error in errors):
            raise _refused(errors, where)
        return Reply(data, tuple(map(_fault, errors)))

    def get(self, path: str, **parameters: str | int) -> Json:
        """One REST answer."""
        return self._request("GET", path, parameters=parameters)

    def _request(self, verb: str, url: str, **how: Any) -> Json:
        try:
            headers, answer = self.requester.requestJsonAndCheck(verb, url, **how)
        except (GithubException, AssertionError, ValueError, RuntimeError) as error:
            failed = f"the client library does not understand the answer ({type(error).__name__})"
        else:
            self.headers = {name.lower(): str(text) for name, text in headers.items()}
            return answer
        raise SourceError(failed, where=f"{verb} {urlsplit(url).path}")


def rest_root(url: str) -> str:
    """The REST root of a source; SourceError for the web address of the public service, which is another origin."""
    plain = url.rstrip("/")
    if urlsplit(plain).hostname in ("github.com", "www.github.com"):
        raise SourceError("this is the web address of GitHub", where=url, mend="Write url: https://api.github.com")
    return plain


def _fault(error: Mapping[str, Json]) -> Fault:
    path = error.get("path")
    return Fault(str(error.get("type") or ""), tuple(path) if isinstance(path, list) else ())


def _refused(errors: list[dict[str, Json]], where: str) -> SourceError:
    """The service answered, with errors instead of data."""
    kinds = {str(error.get("type") or (error.get("extensions") or {}).get("code") or "") for error in errors}
    if "INSUFFICIENT_SCOPES" in kinds:
        mend = "Give the token read access to the repositories and to the organisation (repo and read:org)."
        return SourceError("the token lacks a scope that the question needs", where=where, mend=mend, status=403)
    if "undefinedField" in kinds or "argumentNotAccepted" in kinds:
        mend = "GitHub Enterprise Server must be of a version that is still supported."
        return SourceError("this version of the service does not know the question", where=where, mend=mend)
    told = ", ".join(sorted(kinds - {""})) or "without saying why"
    return SourceError(f"the service refused the question ({told})", where=where)
