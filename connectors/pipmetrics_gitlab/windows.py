"""Reading a list that changes while it is read, so that nothing is lost.

The list is asked by the instant of the last update, oldest first. Instead of turning pages, each question begins where
the last answer ended: what is updated meanwhile moves to the end and is met there, and no page shifts. Pages are
turned only inside one instant that holds more rows than an answer, and where the server does not sort as asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Generic, NamedTuple, Protocol, TypeVar

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_gitlab.reading import instant, stamp

TICK = timedelta(milliseconds=1)
"""Both APIs cut instants off to milliseconds or seconds; a window that begins this much earlier misses no fraction."""
OVERLAP = timedelta(hours=48)
REPEATS = 5
"""A page met more often, or more empty ones in a row, and the list does not end."""


class Updated(Protocol):
    @property
    def updated(self) -> datetime: ...


Row = TypeVar("Row", bound=Updated)


@dataclass(frozen=True, slots=True)
class Batch(Generic[Row]):
    """Rows of one answer and the cursor of the next page, None at the end."""

    rows: Sequence[Row]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Walk:
    """How far the reading of a list has come. `seen` is the newest update met, `start` the server's clock when the
    walk began; `paging`: the server does not sort, so its pages are turned; `first`: all is known from there on."""

    after: datetime
    cursor: str | None = None
    seen: datetime | None = None
    start: datetime | None = None
    paging: bool = False
    first: datetime | None = None

    def saved(self) -> dict[str, Json]:
        return {
            "after": stamp(self.after),
            "cursor": self.cursor,
            "seen": stamp(self.seen) if self.seen else None,
            "start": stamp(self.start) if self.start else None,
            "paging": self.paging,
            "first": stamp(self.first) if self.first else None,
        }


def begin(bookmark: Mapping[str, Json] | None, since: datetime) -> Walk:
    """Where to go on: in an interrupted walk, else 48 hours before what the last complete one reached."""
    held = bookmark or {}
    if walk := held.get("walk"):
        seen, start, first = (instant(walk[name]) if walk.get(name) else None for name in ("seen", "start", "first"))
        return Walk(instant(walk["after"]), walk.get("cursor"), seen, start, bool(walk.get("paging")), first)
    if held.get("until"):
        first = instant(held["first"]) if held.get("first") else None
        return Walk(instant(held["until"]) - OVERLAP, seen=instant(held["until"]), first=first)
    return Walk(since, first=since)


def reaches(bookmark: Json, since: datetime) -> bool:
    """Whether a list was read from `since` on, as far as its bookmark tells; else it is to be read anew from there."""
    held = bookmark if isinstance(bookmark, Mapping) else {}
    first = (held.get("walk") or held).get("first")
    return first is None or instant(first) - OVERLAP <= since


def completed(walk: Walk, since: datetime) -> dict[str, Json]:
    """The bookmark of a complete walk: the newest update seen, but never beyond the server's clock at the start."""
    seen = walk.seen or since
    until = min(seen, walk.start) if walk.start else seen
    return {
        "until": stamp(until),
        "start": stamp(walk.start) if walk.start else None,
        "first": stamp(walk.first) if walk.first else None,
    }


class Step(NamedTuple, Generic[Row]):
    """Rows to keep, how far the walk has come with them, and whether that is the end."""

    rows: Sequence[Row]
    walk: Walk
    last: bool


def steps(
    walk: Walk, ask: Callable[[datetime, str | None], Batch[Row]], now: Callable[[], datetime | None]
) -> Iterator[Step[Row]]:
    """The list from `walk` on to its end. `now` is the server's clock, asked after an answer."""
    empty, turned = 0, Counter[str]()
    while True:
        batch = ask(walk.after, walk.cursor)
        stamps = [row.updated for row in batch.rows]
        seen = max([*stamps, *([walk.seen] if walk.seen else [])], default=None)
        walk = replace(walk, seen=seen, start=walk.start or now())
        if batch.cursor is None:
            yield Step(batch.rows, replace(walk, cursor=None), last=True)
            return
        walk = _next(walk, stamps, batch.cursor)
        empty = 0 if batch.rows else empty + 1
        turned[walk.cursor or ""] += walk.cursor is not None
        if max(empty, *turned.values()) > REPEATS:
            raise SourceError("the list does not end: its pages repeat or stay empty")
        yield Step(batch.rows, walk, last=False)


def _next(walk: Walk, stamps: Sequence[datetime], cursor: str) -> Walk:
    """From the last instant on, or the next page where that would not lead on."""
    paging = walk.paging or any(later < earlier for earlier, later in pairwise(stamps))
    if not paging and stamps and stamps[-1] - TICK > walk.after:
        return replace(walk, after=stamps[-1] - TICK, cursor=None)
    return replace(walk, cursor=cursor, paging=paging)
