"""Time off, from the list in people.yaml or from an iCalendar file, as spans of instants.

Dates cover whole local days of the person's zone, both ends included (in iCalendar the end is the day after the last);
date-times are the half-open span between them. Recurring events are unfolded for ten years from their first day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from pipmetrics.config.values import Unfit
from pipmetrics.model import Window

MAX_BYTES = 1024 * 1024
HORIZON = timedelta(days=3653)
MAX_TIMES = 4000

Moment: TypeAlias = date | datetime
Event: TypeAlias = Any
"""A VEVENT as icalendar parsed it, whose properties are of some thirty types; a file that has others is refused."""


def span(first: Moment, last: Moment | None, zone: str) -> Window:
    """From the first day or moment to the last one; Unfit when it ends before it begins."""
    if last is None:
        if isinstance(first, datetime):
            raise Unfit("a time off that begins at a time of day needs its end", "Add `to`.")
        last = first
    until = last if isinstance(last, datetime) else last + timedelta(days=1)
    window = Window(_instant(first, zone), _instant(until, zone))
    if window.start >= window.end:
        raise Unfit("this time off ends before it begins")
    return window


def _instant(moment: Moment, zone: str) -> datetime:
    """Midnight of a day in the zone; a time without a zone is the person's own."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC)


def from_calendar(path: Path, zone: str) -> tuple[Window, ...]:
    """All events of an iCalendar file except cancelled ones; Unfit when it cannot be read."""
    from icalendar import Calendar

    try:
        if not path.is_file():
            raise Unfit("there is no such file", "Paths start at the configuration folder.")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, Unfit):
            raise
        raise Unfit("this file cannot be read", getattr(error, "strerror", None) or "") from None
    if len(content) > MAX_BYTES:
        raise Unfit(f"this file is larger than {MAX_BYTES // 1024} KB")
    try:
        calendars = Calendar.from_ical(content, multiple=True)
        if not calendars:
            raise ValueError("no complete calendar")
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
        windows = {window for event in events for window in _windows(event, zone, _moved(events, event))}
    except Unfit:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        # icalendar answers malformed files with whatever its parsers raise.
        raise Unfit("this is no iCalendar file that can be read", type(error).__name__) from None
    return tuple(sorted(windows, key=lambda window: (window.start, window.end)))


def _moved(events: list[Event], event: Event) -> set[datetime]:
    """Occurrences of a recurring event that other events of the file replace."""
    if "RRULE" not in event or "UID" not in event:
        return set()
    first: Moment = event.decoded("DTSTART")
    return {
        _wall(other["RECURRENCE-ID"].dt, first)
        for other in events
        if other is not event and other.get("UID") == event["UID"] and "RECURRENCE-ID" in other
    }


def _windows(event: Event, zone: str, moved: set[datetime]) -> list[Window]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return []
    first: Moment = event.decoded("DTSTART")
    length = _length(event, first)
    if length <= timedelta():
        raise Unfit("an event in this file ends before it begins")
    skipped = moved | {_wall(each.dt, first) for listed in _listed(event, "EXDATE") for each in listed.dts}
    more = [_like(first, _wall(each.dt, first)) for listed in _listed(event, "RDATE") for each in listed.dts]
    starts = [start for start in (*_starts(event, first), *more) if _wall(start, first) not in skipped]
    return [Window(_instant(start, zone), _instant(start + length, zone)) for start in starts]


def _length(event: Event, first: Moment) -> timedelta:
    """How long it lasts, in wall time; a day when it has neither end nor duration, as RFC 5545 says of whole days."""
    if "DTEND" in event:
        return _wall(event.decoded("DTEND"), first) - _wall(first, first)
    if "DURATION" in event:
        return timedelta(seconds=event.decoded("DURATION").total_seconds())
    return timedelta() if isinstance(first, datetime) else timedelta(days=1)


def _starts(event: Event, first: Moment) -> list[Moment]:
    """The first day or moment and, when the event recurs, those after it."""
    starts: list[Moment] = [] if "RRULE" in event else [first]
    for rule in _listed(event, "RRULE"):
        starts += [_like(first, start) for start in _unfolded(rule, first)]
        if len(starts) > MAX_TIMES:
            raise Unfit(f"an event in this file recurs more than {MAX_TIMES} times")
    return starts


def _unfolded(rule: Any, first: Moment) -> list[datetime]:
    """A rule's occurrences in wall time, so that 09:00 stays 09:00 when the clocks change."""
    from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # comes with icalendar, without types

    if str(rule.get("FREQ", [""])[0]).upper() not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        raise Unfit("an event in this file recurs by something other than days, weeks, months or years")
    begin = _wall(first, first)
    limit = begin + HORIZON
    if rule.get("UNTIL"):
        last: Moment = rule["UNTIL"][0]
        limit = min(limit, _wall(last, first) if isinstance(last, datetime) else datetime.combine(last, time.max))
    parts = [part for part in rule.to_ical().decode().split(";") if not part.startswith("UNTIL=")]
    if not rule.get("COUNT"):
        parts.append(f"UNTIL={limit:%Y%m%dT%H%M%S}")
    starts = rrulestr(";".join(parts), dtstart=begin)
    return [start for start in islice(starts, MAX_TIMES + 1) if start <= limit]


def _listed(event: Event, name: str) -> list[Any]:
    found = event.get(name, [])
    return found if isinstance(found, list) else [found]


def _wall(moment: Moment, first: Moment) -> datetime:
    """What the clock on the wall shows where the event's first moment is kept."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time())
    if moment.tzinfo is not None and isinstance(first, datetime) and first.tzinfo is not None:
        moment = moment.astimezone(first.tzinfo)
    return moment.replace(tzinfo=None)


def _like(first: Moment, start: datetime) -> Moment:
    return start.replace(tzinfo=first.tzinfo) if isinstance(first, datetime) else start.date()
