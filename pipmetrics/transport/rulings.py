"""What an answer means: good, worth another try, to be waited for, or final. Pure functions of the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

from pipmetrics.model import Json


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient the wire is. Times in seconds, sizes in bytes."""

    connect: float = 10.0
    read: float = 60.0
    tries: int = 6
    longest: float = 900.0
    """A service that asks for a longer wait than this ends the reading (Deferred)."""
    slowest: float = 60.0
    """The longest pause after a fault that names no time; the real one is drawn from [0, pause]."""
    unnamed: float = 60.0
    """The first wait for a limit that names no time; doubled with each try."""
    largest: int = 50 << 20
    reserve: float = 0.1
    """Share of the service's budget that is left to others."""
    failures: int = 5
    """So many requests in a row given up, and the service is left alone for `rest` seconds."""
    rest: float = 300.0


class Budget(NamedTuple):
    """What a service says is left of a budget; `reset` in seconds of our own clock."""

    remaining: float
    limit: float
    reset: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as the wire sees it; header names compare without case. `date` is the server's clock, `now` ours."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    kind: str
    now: float

    @property
    def server_now(self) -> float:
        """The server's clock if it tells it, else ours: waits are differences of the same clock."""
        date = instant(self.headers.get("Date", ""))
        return self.now if date is None else date

    def header(self, *names: str) -> str | None:
        return next((text for name in names if (text := self.headers.get(name))), None)


@dataclass(frozen=True, slots=True)
class Ruling:
    """`good`; `again`: after a random pause; `limited`: after `wait` seconds (None: none named); `final`: never.

    `one_kind`: a spent budget holds its own kind of request only, any other limit holds all.
    """

    outcome: Literal["good", "again", "limited", "final"]
    reason: str = ""
    wait: float | None = None
    one_kind: bool = False


GOOD = Ruling("good")

_REASONS = {
    400: "the service calls the request malformed (400)",
    401: "the service does not accept the token (401)",
    403: "the token may not read this (403)",
    404: "not found, or not visible to this token (404)",
    410: "this is no longer offered (410)",
}

MENDS = {
    401: "Check that the token is the right one and has not expired.",
    403: "Give the token permission to read it.",
    404: "Check the name, and that the token may see it.",
    410: "Check that the url of the source belongs to a version that is supported.",
}


def instant(stamp: str) -> float | None:
    """Epoch seconds of an HTTP date or an ISO 8601 instant (without zone: UTC); None when it is neither."""
    try:
        read = parsedate_to_datetime(stamp) if "," in stamp else datetime.fromisoformat(stamp)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def seconds_until(stamp: str | None, now: float) -> float | None:
    """Seconds from `now` to what a header names: seconds, epoch seconds, HTTP date, ISO 8601. None: not understood."""
    if not stamp:
        return None
    if re.fullmatch(r"\d{1,15}(\.\d+)?", stamp := stamp.strip()):
        return float(stamp) - (now if float(stamp) > 1e9 else 0.0)
    at = instant(stamp)
    return None if at is None else at - now


def budget(answer: Answer) -> Budget | None:
    """What the rate-limit headers of GitHub, GitLab and Jira say; None where they are absent or make no sense."""
    remaining, limit, reset = (
        answer.header(f"X-RateLimit-{part}", f"RateLimit-{part}") for part in ("Remaining", "Limit", "Reset")
    )
    ends = seconds_until(reset, answer.server_now)
    try:
        return None if ends is None else Budget(float(remaining or ""), float(limit or ""), answer.now + ends)
    except ValueError:
        return None


def judge(answer: Answer) -> Ruling:
    """The meaning of an answer. Only JSON of the expected shape is good."""
    if limited := _limited(answer):
        return limited
    status = answer.status
    if status in (202, 408, 425) or status >= 500:
        return Ruling("again", f"the service answered {status}")
    if status in (204, 304):
        return GOOD
    if status >= 300:
        return Ruling("final", _REASONS.get(status, f"the service answered {status}"))
    return _shape(answer)


def _limited(answer: Answer) -> Ruling | None:
    status, retry_after = answer.status, answer.header("Retry-After")
    spent = answer.header("X-RateLimit-Remaining", "RateLimit-Remaining") == "0"
    if status == 403:
        hit = spent or retry_after is not None or _names_a_limit(answer.body)
    else:
        hit = status == 429 or (status >= 500 and retry_after is not None) or (status == 200 and _limited_query(answer))
    if not hit:
        return None
    reset = answer.header("X-RateLimit-Reset", "RateLimit-Reset") if spent and not retry_after else None
    wait = seconds_until(retry_after or reset, answer.server_now)
    return Ruling("limited", f"a rate limit was met ({status})", None if wait is None else max(1.0, wait), bool(reset))


def _names_a_limit(body: bytes) -> bool:
    text = body[: 1 << 16].lower()
    return b"rate limit" in text or b"abuse detection" in text


def _limited_query(answer: Answer) -> bool:
    """A GraphQL limit is told with status 200, in the errors."""
    if answer.kind != "graphql" or b'"errors"' not in answer.body:
        return False
    return any(map(_is_limit, _errors(_parsed(answer.body))))


def _errors(found: Json) -> list[Mapping[str, Json]]:
    errors = found.get("errors") if isinstance(found, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _is_passing(error: Mapping[str, Json]) -> bool:
    """A query that ran out of time, told with status 200 and without data."""
    return bool(re.search(r"something went wrong|timed? ?out", str(error.get("message")), re.IGNORECASE))


def _is_limit(error: Mapping[str, Json]) -> bool:
    return (
        error.get("type") in ("RATE_LIMITED", "RATE_LIMIT")
        or "secondary rate limit" in str(error.get("message")).lower()
    )


def _shape(answer: Answer) -> Ruling:
    found = _parsed(answer.body)
    if found is None:
        return Ruling("again", "the answer is not JSON" if answer.body else "the answer is empty")
    if not isinstance(found, dict | list):
        return Ruling("final", "the answer is neither an object nor a list")
    if answer.kind == "graphql":
        if not (isinstance(found, dict) and {"data", "errors"} & set(found)):
            return Ruling("final", "the answer has neither data nor errors")
        if found.get("data") is None and any(map(_is_passing, _errors(found))):
            return Ruling("again", "the service did not finish the query")
    return GOOD


def _parsed(body: bytes) -> Json:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
