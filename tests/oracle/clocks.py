"""SPEC section 4's three clocks by looking at every quarter of an hour: is this one worked?

Every zone's offset, every working hour and every time off in these tests stands on a quarter of an hour, so that one
quarter is worked entirely or not at all; the odd seconds at both ends of a span are taken from their quarters.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import holidays

from pipmetrics.model import Calendar, Clock

FIRST, LAST = datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 8, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def hours(calendar: Calendar, clock: Clock, start: datetime, end: datetime) -> float:
    """Hours of [start, end) that this clock counts for this calendar; 0 for spans turned round."""
    if end <= start:
        return 0.0
    if clock == "elapsed":
        return (end - start) / timedelta(hours=1)
    return (_until(calendar, clock, end) - _until(calendar, clock, start)) / timedelta(hours=1)


def is_workday(calendar: Calendar, day: date) -> bool:
    """A day of the person's week that is no public holiday."""
    return day.weekday() in calendar.days and day not in _free(calendar.country, calendar.subdivision)


def working_days(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Working days of [start, end): what is left of each day's working hours by the span and by time off."""
    zone, total = ZoneInfo(calendar.timezone), 0.0
    always = replace(calendar, time_off=())
    day = start.astimezone(zone).date()
    while midnight(day, calendar.timezone) < end:
        low, high = midnight(day, calendar.timezone), midnight(day + timedelta(days=1), calendar.timezone)
        if is_workday(calendar, day):
            left = hours(calendar, "working", max(low, start), min(high, end))
            total += left / hours(always, "working", low, high)
        day += timedelta(days=1)
    return total


@cache
def midnight(day: date, timezone: str) -> datetime:
    """The first instant of a day there, in UTC: found by looking, since midnight may be missing or come twice."""
    zone = ZoneInfo(timezone)
    at = datetime.combine(day, time(), UTC) - timedelta(hours=16)
    while at.astimezone(zone).date() < day:
        at += QUARTER
    return at


def _until(calendar: Calendar, clock: Clock, at: datetime) -> timedelta:
    """What was worked from FIRST until an instant, to the microsecond: equal times are ties in a ranking."""
    if not FIRST <= at < LAST:
        raise ValueError(f"{at} is outside what the oracle looks at")
    sums, worked = _quarters(calendar, clock)
    place, rest = divmod(at - FIRST, QUARTER)
    return sums[place] * QUARTER + (rest if worked[place] else timedelta())


@cache
def _quarters(calendar: Calendar, clock: Clock) -> tuple[list[int], list[bool]]:
    zone, worked, at = ZoneInfo(calendar.timezone), [], FIRST
    while at < LAST:
        worked.append(_is_worked(calendar, clock, at, at.astimezone(zone)))
        at += QUARTER
    return [0, *accumulate(int(each) for each in worked)], worked


def _is_worked(calendar: Calendar, clock: Clock, at: datetime, local: datetime) -> bool:
    if any(off.start <= at < off.end for off in calendar.time_off) or not is_workday(calendar, local.date()):
        return False
    return clock == "workdays" or calendar.opens <= local.time() < calendar.closes


@cache
def _free(country: str | None, subdivision: str | None) -> frozenset[date]:
    if country is None:
        return frozenset()
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=range(2026, 2028)))
