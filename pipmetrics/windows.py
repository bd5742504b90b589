"""A plan's time line: its days and weeks in its own time zone, as half-open spans of UTC instants."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from pipmetrics.errors import UsageError
from pipmetrics.model import Plan, Window

WEEK = timedelta(days=7)


@lru_cache(maxsize=16_384)  # the same few hundred days, asked for by every plan
def first_instant(day: date, timezone: str) -> datetime:
    """The instant at which a local day begins; where a change of the clocks skips midnight, the instant it does so."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def whole(plan: Plan) -> Window:
    """The whole plan: both dates are inclusive."""
    return Window(first_instant(plan.start, plan.timezone), first_instant(plan.end + timedelta(days=1), plan.timezone))


def days(plan: Plan) -> int:
    """Local days from start to end, both included."""
    return (plan.end - plan.start).days + 1


def closed(plan: Plan, as_of: datetime) -> bool:
    """Whether the plan has ended."""
    return as_of >= whole(plan).end


def to_date(plan: Plan, as_of: datetime) -> Window:
    """The plan as far as it has gone; empty at its start."""
    span = whole(plan)
    return Window(span.start, max(span.start, min(span.end, as_of)))


def day_of(plan: Plan, as_of: datetime) -> int:
    """Which day of the plan it is: the local day of the last instant before `as_of`, 0 when none has begun."""
    end = to_date(plan, as_of).end
    last = (end - timedelta(microseconds=1)).astimezone(ZoneInfo(plan.timezone)).date()
    return (last - plan.start).days + 1


def weeks(plan: Plan) -> tuple[Window, ...]:
    """The plan's complete weeks: the k-th span of seven local days from the start."""
    edges = [first_instant(plan.start + k * WEEK, plan.timezone) for k in range(days(plan) // WEEK.days + 1)]
    return tuple(Window(edges[k], edges[k + 1]) for k in range(len(edges) - 1))


def complete_weeks(plan: Plan, as_of: datetime) -> tuple[Window, ...]:
    """The complete weeks that lie before `as_of`."""
    return tuple(week for week in weeks(plan) if week.end <= as_of)


def started_weeks(plan: Plan, as_of: datetime) -> tuple[Window, ...]:
    """All weeks that have begun, the last one as far as it has gone (or the plan's last days, fewer than seven)."""
    gone = to_date(plan, as_of)
    full = [week for week in weeks(plan) if week.end <= gone.end]
    since = full[-1].end if full else gone.start
    return (*full, *([Window(since, gone.end)] if since < gone.end else []))


def last(end: datetime, length: timedelta, timezone: str, not_before: datetime) -> Window:
    """The `length` before `end`, whole days of it by the local calendar, cut at `not_before`."""
    return Window(min(end, max(not_before, _back(end, length, timezone))), end)


def baseline(plan: Plan, length: timedelta) -> Window:
    """The `length` before the plan's start, whole days of it by the local calendar."""
    start = whole(plan).start
    return Window(_back(start, length, plan.timezone), start)


def window_of(plan: Plan, window: Literal["plan", "week"] | timedelta, as_of: datetime) -> Window:
    """What a criterion's `window` means: the plan to date, its last complete week, or the last days of it.

    Without a complete week it is empty, at the plan's start.
    """
    gone = to_date(plan, as_of)
    if window == "plan":
        return gone
    if window == "week":
        full = complete_weeks(plan, as_of)
        return full[-1] if full else Window(gone.start, gone.start)
    return last(gone.end, window, plan.timezone, gone.start)


def iso_week(week: str, timezone: str) -> Window:
    """An ISO week such as 2026-W47, Monday to Sunday; UsageError when there is no such week."""
    found = re.fullmatch(r"(\d{4})-W(\d{1,2})", week)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        monday = None
    if monday is None:
        raise UsageError(f"{week!r} is no ISO week", mend="Write it as 2026-W47.")
    return Window(first_instant(monday, timezone), first_instant(monday + WEEK, timezone))


def _back(end: datetime, length: timedelta, timezone: str) -> datetime:
    """`length` before `end`: days by the local calendar, the rest by the clock."""
    local = (end.astimezone(ZoneInfo(timezone)).replace(tzinfo=None) - timedelta(days=length.days)).replace(
        tzinfo=ZoneInfo(timezone)
    )
    return local.astimezone(UTC) - timedelta(seconds=length.seconds, microseconds=length.microseconds)
