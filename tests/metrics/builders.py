"""A compact way to write signals, and to measure them: in tests the actor "ada" is the account of the person "ada".

    measured("time_to_merge", [
        opened("hub:acme/api#1", "ada", "2026-03-02 09:00"),
        merged("hub:acme/api#1", "ada", "2026-03-02 11:30"),
    ])

Keys count up in the order written (`s1`, `s2`, ...) unless `key=` says otherwise. A subject's source is what stands
before its colon. Instants are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from pipmetrics.measure import measure
from pipmetrics.model import Attestation, BugRule, Calendar, Clock, MeasureRequest, Person, Signal, Source
from pipmetrics.plugin import SIGNAL_COLUMNS

SOURCES = {
    "hub": Source("hub", "github", "https://api.github.com", bugs=BugRule(labels=frozenset({"bug"}))),
    "lab": Source("lab", "gitlab", "https://gitlab.example.com", bugs=BugRule(labels=frozenset({"bug"}))),
    "jira": Source("jira", "jira", "https://acme.atlassian.net", bugs=BugRule(types=frozenset({"Bug"}))),
}
AS_OF = "2026-12-01 00:00"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def person(name: str, **calendar: Any) -> Person:
    """Someone with the same name on all three sources, working Mon-Fri 9-17 UTC unless told otherwise."""
    accounts = dict.fromkeys(SOURCES, (name,))
    return Person(name, name.title(), Calendar(**{"timezone": "UTC", **calendar}), accounts=accounts)


PEOPLE = tuple(person(name) for name in ("ada", "bob", "cyd"))


def signal(
    kind: str, subject: str, actor: str | None, at: str, *, key: str = "", value: float | None = None, mark: Any = "",
    url: str = "", **detail: Any,
) -> Signal:  # fmt: skip
    """One signal; whatever is not a field of Signal goes to its detail."""
    source = subject.partition(":")[0]
    where = url or f"https://{source}.example.com/{key or kind}"
    return Signal(source, kind, subject, key, instant(at), where, actor, mark, value, detail)


def opened(subject: str, actor: str | None, at: str, *, draft: bool = False, **more: Any) -> Signal:
    return signal("change_opened", subject, actor, at, **{"draft": draft, "labels": [], "author_login": actor, **more})


def merged(subject: str, actor: str | None, at: str, *, value: float = 10, **more: Any) -> Signal:
    """A merge into the default branch, all files known, unless told otherwise."""
    usual = {"default_branch": True, "files": [["src/a.py", value, 0]], "files_complete": True, "labels": []}
    return signal("change_merged", subject, actor, at, value=value, **{**usual, **more})


def requested(subject: str, actor: str | None, at: str, **more: Any) -> Signal:
    return signal("review_requested", subject, actor, at, **{"requester": None, "team": None, **more})


def reviewed(
    subject: str, actor: str | None, at: str, state: str = "commented", comments: int = 0, **more: Any
) -> Signal:
    detail = {"state": state, "comments": comments, "previous": None}
    return signal("reviewed", subject, actor, at, value=comments, **{**detail, **more})


def removed(subject: str, actor: str | None, at: str, **more: Any) -> Signal:
    return signal("review_request_removed", subject, actor, at, **{"requester": None, "team": None, **more})


def commented(subject: str, actor: str | None, at: str, **more: Any) -> Signal:
    return signal("commented", subject, actor, at, **{"inline": False, **more})


def turned(what: str, subject: str, actor: str | None, at: str, **more: Any) -> Signal:
    """`what`: ready, drafted, closed or reopened."""
    return signal(f"change_{what}", subject, actor, at, **more)


def pushed(subject: str, actor: str | None, at: str, authored: str = "", **more: Any) -> Signal:
    """A commit by its committer date, authored at the same instant unless told otherwise."""
    when = instant(authored or at).isoformat()
    return signal("commits_pushed", subject, actor, at, **{"sha": "c0ffee", "authored": when, "linked": True, **more})


def frame(signals: Iterable[Signal]) -> pd.DataFrame:
    """The signals as a store gives them, keys filled in."""
    rows = [
        [s.source, s.kind, s.subject, s.key or f"s{n}", s.at, s.actor, s.mark, s.value, s.url, dict(s.detail)]
        for n, s in enumerate(signals, 1)
    ]
    texts = dict.fromkeys(("source", "kind", "subject", "key", "actor", "mark", "url"), "str")
    return pd.DataFrame(rows, columns=list(SIGNAL_COLUMNS)).astype(
        texts | {"at": "datetime64[us, UTC]", "value": "float64", "detail": "object"}
    )


def accounts(people: Sequence[Person] = PEOPLE, others: Mapping[str, str] = {}) -> pd.DataFrame:
    """One account a person and source, its id the login; `others` adds login -> mark on every source."""
    seen = pd.Timestamp("2020-01-01", tz="UTC")
    known = [(source, p.accounts[source][0], "") for p in people for source in p.accounts if p.accounts[source]]
    known += [(source, login, mark) for login, mark in others.items() for source in SOURCES]
    rows = [(source, login, login, None, mark, seen, seen) for source, login, mark in known]
    return pd.DataFrame(rows, columns=["source", "id", "login", "email", "mark", "first_seen", "last_seen"])


def measured(
    metric: str, signals: Iterable[Signal] | pd.DataFrame, *, as_of: str = AS_OF, clock: Clock | None = None,
    people: Sequence[Person] = PEOPLE, sources: Mapping[str, Source] = SOURCES, include: Iterable[str] = (),
    attribution: tuple[str, ...] = ("link",), follow_up: timedelta = timedelta(days=30),
    attestations: Sequence[Attestation] = (),
) -> pd.DataFrame:  # fmt: skip
    """The metric's rows over these signals, through `measure`, as any caller gets them."""
    request = MeasureRequest(metric, instant(as_of), clock, attribution, follow_up, frozenset(include))
    table = signals if isinstance(signals, pd.DataFrame) else frame(signals)
    return measure(request, table, accounts(people), people, sources, attestations)


def rows(measurements: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """The named columns as plain tuples, for comparing; one column alone gives its bare values."""
    plain = measurements[list(columns)].astype(object).where(measurements[list(columns)].notna(), None)
    found = list(plain.itertuples(index=False, name=None))
    return [row[0] for row in found] if len(columns) == 1 else found
