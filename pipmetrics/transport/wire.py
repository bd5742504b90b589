"""The adapter under every client: it sees each attempt and each redirect with its final URL and headers."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from pipmetrics.errors import Deferred, SourceError
from pipmetrics.model import Secret
from pipmetrics.transport.reading import is_read
from pipmetrics.transport.rulings import MENDS, Answer, Budget, Policy, Ruling, budget, instant, judge
from pipmetrics.transport.secrecy import mask, reveal

log = logging.getLogger("pipmetrics.transport")

HOPS = 5
"""Redirects followed in a row, all inside the origin."""
CHUNK = 1 << 16
EVERYTHING = "*"
_patience: ContextVar[int | None] = ContextVar("patience", default=None)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One request on its way: how errors name it, which budget it draws on, how the session wants it sent."""

    request: requests.PreparedRequest
    where: str
    kind: str
    how: Mapping[str, Any]


class Wire(HTTPAdapter):
    """One per source, bound to the origin of `base_url`; threads may share it, processes build their own.

    `send` gives only good answers: JSON of the expected shape with status 2xx (or 304), read to the end. Everything
    else is waited for, tried again, or raised as SourceError or Deferred, which derive from no exception of requests,
    so that no client library tries again on top. `sent` counts attempts, `retried` those that followed a fault;
    `budget` is what the service says is left, by kind (core, graphql, search). `skew` is the server's clock minus
    ours in seconds, `server_date` the newest instant that the server's clock has shown.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
        policy: Policy = Policy(),  # noqa: B008 - frozen, so sharing the default is safe
        secrets: Iterable[str] = (),
        folder: str = ".",
    ) -> None:
        super().__init__(max_retries=0, pool_maxsize=16)
        self.policy, self.folder = policy, folder
        self.sent, self.retried = 0, 0
        self.budget: dict[str, Budget] = {}
        self.skew = 0.0
        self.server_date: datetime | None = None
        self._origin = origin(base_url)
        if self._origin is None:
            raise SourceError("the url of the source is not one", mend="Write it like https://git.example.com")
        self._clock, self._sleep, self._uniform = clock, sleep, uniform
        self._secrets = tuple(secrets)
        self._opens: dict[str, float] = {}
        self._failed, self._closed_until = 0, 0.0
        self._lock = threading.Lock()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a wire is not pickled: build the client in the worker, from its settings")

    def reveal(self, secret: Secret | str) -> str:
        """The value of a secret reference of this source; from now on masked wherever the wire or a log writes."""
        return reveal(secret, self.folder)

    @contextmanager
    def at_most(self, tries: int) -> Iterator[None]:
        """Inside, this thread gives a question up after `tries` answers that a smaller question may avoid.

        Those are 5xx, time-outs and cut bodies; limits are waited for as ever.
        """
        token = _patience.set(tries)
        try:
            yield
        finally:
            _patience.reset(token)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """A good answer, read to the end by the times and sizes of the policy, whatever the client asks for."""
        path = urlsplit(request.url or "").path
        where = mask(f"{request.method} {path}", self._secrets)
        if not is_read(request.method, path, request.body):
            raise SourceError("not sent: it would write", where=where)
        self._refuse_while_open(where)
        how = {"verify": verify, "cert": cert, "proxies": proxies}
        return self._insist(_Asking(request, where, _kind(path), how))

    def _insist(self, asking: _Asking) -> requests.Response:
        """Tries until an answer is good or final, or the tries are used up."""
        faults = 0
        for tried in range(1, self.policy.tries + 1):
            response, ruling = self._attempt(asking)
            if response is not None and ruling.outcome == "good":
                self._failed = 0
                return response
            faults += ruling.outcome == "again"
            last = ruling.outcome == "final" or tried == self.policy.tries or faults == _patience.get()
            if last:
                break
            self._wait(asking, ruling, tried)
        raise self._failure(asking, ruling, tried, 0 if response is None else response.status_code)

    def _attempt(self, asking: _Asking) -> tuple[requests.Response | None, Ruling]:
        try:
            response = self._follow(asking)
        except requests.exceptions.SSLError:
            return None, Ruling("final", "the certificate of the service is not trusted")
        except (requests.RequestException, urllib3.exceptions.HTTPError) as fault:
            return None, Ruling("again", _told(fault))
        answer = Answer(response.status_code, response.headers, response.content, asking.kind, self._clock())
        self._note(answer)
        return response, judge(answer)

    def _follow(self, asking: _Asking) -> requests.Response:
        """The answer at the end of the redirects, none of which may leave the origin."""
        request = asking.request.copy()
        for _ in range(HOPS + 1):
            response = self._exchange(asking, request)
            if not response.is_redirect:
                return response
            if request.method not in ("GET", "HEAD"):
                raise SourceError("redirected: only reads by GET are followed", where=asking.where)
            request.url = urljoin(request.url or "", response.headers["Location"])
        raise SourceError(f"redirected more than {HOPS} times", where=asking.where)

    def _exchange(self, asking: _Asking, request: requests.PreparedRequest) -> requests.Response:
        if origin(request.url) != self._origin:
            raise SourceError(
                "leads to another origin, not followed: the token stays here",
                where=asking.where,
                mend="If the service has moved, change the url of the source.",
            )
        self._pass_gate(asking)
        times = (self.policy.connect, self.policy.read)
        response = super().send(request, stream=True, timeout=times, **asking.how)
        with response:
            body = self._body(response, asking)
        response._content, response._content_consumed = body, True  # type: ignore[attr-defined] # read by requests
        response.encoding = "utf-8"  # JSON is, whatever the header says
        return response

    def _body(self, response: requests.Response, asking: _Asking) -> bytes:
        """The whole body; `read1` gives what is there, where `read` would sit through a drip."""
        body, start = bytearray(), time.monotonic()
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            body += chunk
            if len(body) > self.policy.largest:
                raise SourceError(f"the answer is larger than {self.policy.largest} bytes", where=asking.where)
            if time.monotonic() - start > 5 * self.policy.read:
                raise requests.ReadTimeout
        return bytes(body)

    def _pass_gate(self, asking: _Asking) -> None:
        """Waits while a limit met by any thread holds, or only the reserve is left. A few looks: clocks may be odd."""
        for look in range(4):
            with self._lock:
                wait = self._held(asking.kind)
                if wait <= 0 or look == 3:
                    self.sent += 1
                    return
            self._defer_if_long(asking, wait)
            log.info("%s: waiting %.0f s for the rate limit", asking.where, wait)
            self._sleep(wait + self._uniform(0, 1))

    def _held(self, kind: str) -> float:
        left = self.budget.get(kind)
        low = left is not None and left.remaining <= left.limit * self.policy.reserve
        until = max(self._opens.get(EVERYTHING, 0.0), self._opens.get(kind, 0.0), left.reset if left and low else 0.0)
        return until - self._clock()

    def _defer_if_long(self, asking: _Asking, wait: float) -> None:
        if wait > self.policy.longest:
            minutes = wait / 60
            raise Deferred(
                f"the rate limit is reached, again in {minutes:.0f} minutes", where=asking.where, seconds=wait
            )

    def _wait(self, asking: _Asking, ruling: Ruling, tried: int) -> None:
        """Limits close the gate for every thread; after a fault this one pauses for a random while (full jitter)."""
        log.info("%s: %s, trying again", asking.where, ruling.reason)
        with self._lock:
            self.retried += 1
            if ruling.outcome == "limited":
                unnamed = min(self.policy.longest, self.policy.unnamed * 2 ** (tried - 1))
                wait = unnamed if ruling.wait is None else ruling.wait
                held = asking.kind if ruling.one_kind else EVERYTHING
                self._opens[held] = max(self._opens.get(held, 0.0), self._clock() + wait)
                return
        self.pause(tried)

    def pause(self, tried: int) -> None:
        """A random pause after try number `tried`, as after a fault: for faults that only the caller can see."""
        self._sleep(self._uniform(0, min(self.policy.slowest, 2.0**tried)))

    def _note(self, answer: Answer) -> None:
        left, date = budget(answer), instant(answer.headers.get("Date", ""))
        with self._lock:
            if left is not None:
                self.budget[answer.kind] = left
            if date is not None:
                seen = datetime.fromtimestamp(date, UTC)
                self.skew = date - answer.now
                self.server_date = max(self.server_date or seen, seen)

    def _refuse_while_open(self, where: str) -> None:
        with self._lock:
            wait = self._closed_until - self._clock()
        if wait > 0:
            raise SourceError(
                f"not asked: {self.policy.failures} requests in a row failed, again in {wait:.0f} s", where=where
            )

    def _failure(self, asking: _Asking, ruling: Ruling, tried: int, status: int) -> SourceError:
        self._count_failure(answered=ruling.outcome == "final" and status > 0, patient=tried == self.policy.tries)
        times = f", tried {tried} times" if tried > 1 else ""
        return SourceError(ruling.reason + times, where=asking.where, mend=MENDS.get(status, ""), status=status)

    def _count_failure(self, *, answered: bool, patient: bool) -> None:
        """Requests given up in a row open the circuit; a refusal shows that the service lives."""
        with self._lock:
            self._failed = 0 if answered else self._failed + patient
            if self._failed >= self.policy.failures:
                self._failed, self._closed_until = 0, self._clock() + self.policy.rest


def _kind(path: str) -> str:
    """Which budget a path draws on: GitHub keeps those of GraphQL and of searches apart from the rest."""
    if path.endswith("/graphql"):
        return "graphql"
    return "search" if "/search/" in path else "core"


def _told(fault: Exception) -> str:
    if isinstance(fault, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "the service did not answer in time"
    if isinstance(fault, requests.exceptions.ChunkedEncodingError | urllib3.exceptions.ProtocolError):
        return "the answer was cut off"
    return "the service cannot be reached"


def origin(url: str | None) -> tuple[str, str, int] | None:
    """Scheme, host and port, the parts that must not change; None when `url` has none of them."""
    try:
        at = urlsplit(url or "")
        port = at.port or {"http": 80, "https": 443}.get(at.scheme)
    except ValueError:
        return None
    return (at.scheme, at.hostname, port) if at.hostname and port else None


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An authentication that adds nothing: any but None keeps requests from sending what ~/.netrc holds."""
    return request


def mount(session: requests.Session, wire: Wire) -> requests.Session:
    """Let all that `session` sends go through `wire`; gives the session back."""
    session.mount("https://", wire)
    session.mount("http://", wire)
    session.auth = session.auth or _no_netrc
    return session
