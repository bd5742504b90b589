"""What the runs leave behind: bookmarks, gaps, run records, deliveries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from pipmetrics.model import Gap, Json
from pipmetrics.store import rows
from pipmetrics.store.signals import Written
from pipmetrics.store.tables import BOOKMARK, DELIVERY, GAP, PULLED, RUN, STALE
from pipmetrics.store.values import canonical, clean, instant, micros

DERIVED = ":derived"
"""Bookmarks of the derivation stand under the source's name with this after it; no source is called so."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: a night, a pull, a digest. `ended` None: it still goes on, or it was killed.

    `outcome` is "" until it ended, then "done", "incomplete" or "failed". `sources` holds per source what it wrote,
    asked and could not read. `slot` is the scheduled instant that it answers to, "" when a person started it.
    """

    id: int
    kind: str
    started: datetime
    ended: datetime | None = None
    outcome: str = ""
    slot: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    retried: int = 0
    sources: Mapping[str, Json] = field(default_factory=dict)


def bookmarks(connection: Connection, source: str) -> dict[str, Json]:
    found = connection.execute(select(BOOKMARK.c.name, BOOKMARK.c.value).where(BOOKMARK.c.source == source))
    return {name: json.loads(value) for name, value in found}


def put_bookmarks(connection: Connection, source: str, values: Mapping[str, Json]) -> None:
    for name, value in values.items():
        rows.put(connection, BOOKMARK, {"source": source, "name": clean(name), "value": clean(canonical(value))})


# --- gaps ---------------------------------------------------------------------------------------------------------


def gaps(connection: Connection, source: str | None = None) -> list[Gap]:
    statement = select(GAP).order_by(GAP.c.source, GAP.c.part)
    if source is not None:
        statement = statement.where(GAP.c.source == source)
    found = connection.execute(statement)
    return [Gap(row.source, row.part, row.reason, None if row.since is None else instant(row.since)) for row in found]


def put_gaps(connection: Connection, source: str, reported: Iterable[Gap]) -> None:
    """Keeps what a page could not read. A gap that is open already stays open since then; one without a reason says
    that the part is good again."""
    held = {gap.part: gap for gap in gaps(connection, source)}
    since = _last_complete(connection, source)
    for gap in reported:
        part = clean(gap.part)
        if not gap.reason:
            connection.execute(delete(GAP).where(GAP.c.source == source, GAP.c.part == part))
            continue
        opened = micros(gap.since) if gap.since else since
        if part in held:
            before = held[part].since
            opened = None if before is None or opened is None else min(opened, micros(before))
        rows.put(connection, GAP, {"source": source, "part": part, "reason": clean(gap.reason), "since": opened})


def close_gaps(connection: Connection, source: str, still_open: Iterable[str]) -> None:
    """After a complete pull: what it did not report again is good."""
    parts = [clean(part) for part in still_open]
    connection.execute(delete(GAP).where(GAP.c.source == source, GAP.c.part.not_in(parts)))


def _last_complete(connection: Connection, source: str) -> int | None:
    return connection.execute(select(PULLED.c.at).where(PULLED.c.source == source)).scalar()


def last_complete(connection: Connection, source: str) -> datetime | None:
    at = _last_complete(connection, source)
    return None if at is None else instant(at)


def put_complete(connection: Connection, source: str, started: datetime) -> None:
    rows.put(connection, PULLED, {"source": source, "at": micros(started)})


# --- repositories to derive again ---------------------------------------------------------------------------------


def stale(connection: Connection, source: str) -> list[str]:
    return sorted(connection.execute(select(STALE.c.repository).where(STALE.c.source == source)).scalars())


def put_stale(connection: Connection, source: str, repositories: Iterable[str]) -> None:
    for repository in sorted(repositories):
        rows.put(connection, STALE, {"source": source, "repository": repository})


def drop_stale(connection: Connection, source: str, repository: str) -> None:
    connection.execute(delete(STALE).where(STALE.c.source == source, STALE.c.repository == repository))


# --- runs ---------------------------------------------------------------------------------------------------------


def begin_run(connection: Connection, kind: str, slot: str, now: datetime) -> int:
    number = (connection.execute(select(func.max(RUN.c.id))).scalar() or 0) + 1
    connection.execute(
        RUN.insert().values(
            id=number, kind=kind, slot=slot, started=micros(now), ended=None, outcome="", counts="{}", requests=0,
            retried=0, sources="{}",
        )
    )  # fmt: skip
    return number


def add_to_run(connection: Connection, run: int, source: str, written: Written) -> None:
    """Adds what a page wrote to the run's record, in the page's transaction."""
    held: dict[str, Any] = json.loads(connection.execute(select(RUN.c.sources).where(RUN.c.id == run)).scalar_one())
    counts = held.setdefault(source, {"added": 0, "changed": 0, "removed": 0, "pages": 0})
    for name in ("added", "changed", "removed"):
        counts[name] += getattr(written, name)
    counts["pages"] += 1
    connection.execute(update(RUN).where(RUN.c.id == run).values(sources=canonical(held)))


def end_run(connection: Connection, run: Run) -> None:
    """Writes all but what the pages have added; `sources` values are merged into theirs."""
    held: dict[str, Any] = json.loads(connection.execute(select(RUN.c.sources).where(RUN.c.id == run.id)).scalar_one())
    for source, more in run.sources.items():
        held[source] = {**held.get(source, {}), **more}
    connection.execute(
        update(RUN)
        .where(RUN.c.id == run.id)
        .values(
            ended=None if run.ended is None else micros(run.ended),
            outcome=run.outcome,
            counts=canonical(dict(run.counts)),
            requests=run.requests,
            retried=run.retried,
            sources=canonical(held),
        )
    )


def runs(connection: Connection, kinds: Sequence[str] | None = None, limit: int | None = None) -> list[Run]:
    """Newest first."""
    statement = select(RUN).order_by(RUN.c.id.desc()).limit(limit)
    if kinds is not None:
        statement = statement.where(RUN.c.kind.in_(kinds))
    return [
        Run(
            id=row.id,
            kind=row.kind,
            started=instant(row.started),
            ended=None if row.ended is None else instant(row.ended),
            outcome=row.outcome,
            slot=row.slot,
            counts=json.loads(row.counts),
            requests=row.requests,
            retried=row.retried,
            sources=json.loads(row.sources),
        )
        for row in connection.execute(statement)
    ]


# --- deliveries ---------------------------------------------------------------------------------------------------


def delivered(connection: Connection, key: str) -> datetime | None:
    at = connection.execute(select(DELIVERY.c.at).where(DELIVERY.c.key == key)).scalar()
    return None if at is None else instant(at)


def put_delivered(connection: Connection, key: str, now: datetime) -> bool:
    if delivered(connection, key) is not None:
        return False
    connection.execute(DELIVERY.insert().values(key=key, at=micros(now)))
    return True
