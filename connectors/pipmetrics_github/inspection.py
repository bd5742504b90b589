"""What an administrator wants to know before the first pull: the token, its reach, the clock, the accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipmetrics.errors import SourceError
from pipmetrics.model import Source
from pipmetrics.plugin import Finding
from pipmetrics_github import queries
from pipmetrics_github.api import Hub
from pipmetrics_github.completing import ask
from pipmetrics_github.streams import Wish
from pipmetrics_github.survey import Surveyor

SKEW = 300
"""Seconds that the clocks may be apart."""
TOGETHER = 50
"""Logins asked for in one request."""
NARROW = frozenset(
    {"read:org", "read:user", "user:email", "repo:status", "repo_deployment", "read:project", "read:enterprise"}
)
"""Scopes of a classic token that write nothing that matters here."""


def inspect(hub: Hub, source: Source, logins: Sequence[str]) -> Iterator[Finding]:
    """Findings, the first an error when the token is not accepted: then nothing else is asked."""
    try:
        login = ask(hub, queries.query("viewer { login }"), {}, patient=True).data["viewer"]["login"]
    except SourceError as error:
        yield Finding("error", f"{source.name}: {error.what}", error.mend)
        return
    yield Finding("ok", f"{source.name}: the token is accepted, it belongs to {login}")
    yield from _scopes(hub, source)
    yield from _clock(hub, source)
    yield from _repositories(hub, source)
    yield from _logins(hub, source, logins)


def _scopes(hub: Hub, source: Source) -> Iterator[Finding]:
    """Classic tokens say what they may; fine-grained ones and apps do not."""
    told = hub.headers.get("x-oauth-scopes")
    if told is None:
        return
    wide = sorted({scope.strip() for scope in told.split(",") if scope.strip()} - NARROW)
    if wide:
        mend = "A fine-grained token or a GitHub App with read access to metadata, contents, pull requests, issues, "
        mend += "deployments, checks and commit statuses is enough."
        yield Finding("warning", f"{source.name}: the token may do more than read: {', '.join(wide)}", mend)


def _clock(hub: Hub, source: Source) -> Iterator[Finding]:
    skew = hub.wire.skew
    if abs(skew) > SKEW:
        way = "ahead of" if skew > 0 else "behind"
        mend = "Set this machine's clock by a time server."
        yield Finding("error", f"{source.name}: the service's clock is {abs(skew):.0f} s {way} this machine's", mend)


def _repositories(hub: Hub, source: Source) -> Iterator[Finding]:
    surveyor = Surveyor(hub, source, Wish.of(source))
    try:
        names = [found.place.repository for found in surveyor.look(surveyor.names())]
    except SourceError as error:
        yield Finding("error", f"{source.name}: {error}")
        return
    for gap in surveyor.gaps:
        yield Finding("error", f"{source.name}: {gap.part}: {gap.reason}")
    noun = "repository" if len(names) == 1 else "repositories"
    yield Finding("ok" if names else "error", f"{source.name}: {len(names)} {noun} can be read")


def _logins(hub: Hub, source: Source, logins: Sequence[str]) -> Iterator[Finding]:
    for first in range(0, len(logins), TOGETHER):
        portion = logins[first : first + TOGETHER]
        parts = (f"u{n}: user(login: {queries.quoted(login)}) {{ login }}" for n, login in enumerate(portion))
        try:
            reply = ask(hub, queries.query(" ".join(parts)), {}, patient=True)
        except SourceError as error:
            yield Finding("error", f"{source.name}: the accounts could not be looked up: {error}")
            return
        for n, login in enumerate(portion):
            user, told = reply.data.get(f"u{n}"), {fault.kind for fault in reply.without(f"u{n}")}
            if user is None and told <= {"NOT_FOUND"}:
                mend = "Correct the account in people.yaml; a renamed account is followed by itself once it was seen."
                yield Finding("error", f"{source.name}: there is no account {login}", mend)
            elif user is None:
                yield Finding("warning", f"{source.name}: the account {login} could not be looked up")
            elif user["login"].lower() != login.lower():
                yield Finding("note", f"{source.name}: the account {login} is called {user['login']} now")
