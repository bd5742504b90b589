"""Work calendars and the three clocks, measured exactly and for many spans at once.

Local time decides what is a working day or hour; hours are real ones: a day on which the clocks change has 23 or 25.
A zone is taken as spans of constant offset from UTC, a calendar as intervals on the local axis; shifting those into
each span and clipping them to it gives the working time as intervals of UTC, whatever the change falls into.
A night shift (`closes` not after `opens`) belongs to the day on which it opens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from pipmetrics.errors import PipmetricsError

if TYPE_CHECKING:
    from pipmetrics.model import Calendar, Clock, Window

Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Instants: TypeAlias = "np.ndarray[Any, np.dtype[np.datetime64]]"

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_NAT = np.iinfo(np.int64).min
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = 16_384  # timelines in memory: one a calendar, clock and span of years
_PROBE = 6 * _HOUR // 1_000_000  # seconds; no zone has changed its offset twice within six hours


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Disjoint half-open intervals in ascending order, in microseconds, each with the local day it belongs to."""

    starts: Ints
    ends: Ints
    days: Ints

    def within(self, low: int, high: int) -> _Pieces:
        """What of them lies in [low, high)."""
        first, last = np.searchsorted(self.ends, low, "right"), np.searchsorted(self.starts, high, "left")
        chosen = slice(first, max(first, last))
        return _Pieces(self.starts[chosen].clip(low, high), self.ends[chosen].clip(low, high), self.days[chosen])

    def before(self, instants: Ints) -> Ints:
        """Microseconds of them before each instant."""
        if not len(self.starts):
            return np.zeros(len(instants), dtype=np.int64)
        lengths = self.ends - self.starts
        at = np.searchsorted(self.starts, instants, "right") - 1
        inside = np.minimum(instants - self.starts[at], lengths[at])
        return np.where(at < 0, 0, (np.cumsum(lengths) - lengths)[at] + inside)


def hours(clock: Clock, calendars: Sequence[Calendar], codes: Ints, start: Instants, end: Instants) -> Floats:
    """Hours of each [start, end) by the clock; row i uses `calendars[codes[i]]`.

    `start` and `end` are datetime64[us] in UTC. A missing end or start gives NaN, an end before its start 0.
    """
    since, until = start.astype("datetime64[us]").view(np.int64), end.astype("datetime64[us]").view(np.int64)
    known = np.flatnonzero((since != _NAT) & (until != _NAT))
    spent = np.full(len(since), np.nan)
    if not len(known):
        return spent
    since, until = since[known], np.maximum(since[known], until[known])
    if clock == "elapsed":
        spent[known] = (until - since) / _HOUR
    else:
        spent[known] = _by_calendar(clock, calendars, np.asarray(codes)[known], since, until) / _HOUR
    return spent


def _by_calendar(clock: Clock, calendars: Sequence[Calendar], codes: Ints, since: Ints, until: Ints) -> Ints:
    """Microseconds of each span; one pass for each calendar in use."""
    years = _year(int(since.min())), _year(int(until.max()))
    spent = np.zeros(len(since), dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    used, first = np.unique(codes[order], return_index=True)
    for code, rows in zip(used, np.split(order, first[1:]), strict=True):
        pieces = _working_time(calendars[code], clock, *years)
        spent[rows] = pieces.before(until[rows]) - pieces.before(since[rows])
    return spent


def working_days(calendar: Calendar, window: Window) -> float:
    """Working days of the calendar in [start, end): public holidays and time off left out.

    A day that the window or the time off cuts counts by the part of its working hours that is left, so that two halves
    of a window always add up.
    """
    low, high = _microseconds(window.start), _microseconds(window.end)
    if high <= low:
        return 0.0
    years = _year(low), _year(high)
    whole = _working_time(replace(calendar, time_off=()), "working", *years)
    left = _working_time(calendar, "working", *years).within(low, high)
    if not len(left.days):
        return 0.0
    first = whole.days.min()
    length = np.bincount(whole.days - first, whole.ends - whole.starts)
    worked = np.bincount(left.days - first, left.ends - left.starts, len(length))
    return float(np.sum(worked[length > 0] / length[length > 0]))


def share_away(calendar: Calendar, window: Window) -> float:
    """The share of the window's working days that was the person's time off; 0 when it has no working day."""
    due = working_days(replace(calendar, time_off=()), window)
    return 1.0 - working_days(calendar, window) / due if due else 0.0


@lru_cache(maxsize=_KEPT)
def _working_time(calendar: Calendar, clock: Clock, first_year: int, last_year: int) -> _Pieces:
    """What counts by the clock from a few days before the first year to a few days after the last."""
    if calendar.time_off:
        return _without(_working_time(replace(calendar, time_off=()), clock, first_year, last_year), calendar.time_off)
    days = _days(calendar.days, calendar.country, calendar.subdivision, first_year, last_year)
    opens, closes = _opening(calendar) if clock == "working" else (0, _DAY)
    local = _Pieces(days * _DAY + opens, days * _DAY + closes, days)
    spans = [
        _Pieces(local.starts - offset, local.ends - offset, days).within(low, high)
        for low, high, offset in _offsets(calendar.timezone, first_year, last_year)
    ]
    return _joined(spans)


def _opening(calendar: Calendar) -> tuple[int, int]:
    """Opening and closing in microseconds after the midnight that the working day starts with."""
    opens, closes = _since_midnight(calendar.opens), _since_midnight(calendar.closes)
    return opens, closes if closes > opens else closes + _DAY


def _without(pieces: _Pieces, away: tuple[Window, ...]) -> _Pieces:
    """The pieces less the spans of `away`, which may overlap and stand in any order."""
    left, low = [], _NAT
    for start, end in sorted((_microseconds(span.start), _microseconds(span.end)) for span in away):
        if start > low:
            left.append(pieces.within(low, start))
        low = max(low, end)
    left.append(pieces.within(low, np.iinfo(np.int64).max))
    return _joined(left)


def _joined(parts: Sequence[_Pieces]) -> _Pieces:
    return _Pieces(
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.days for part in parts]),
    )


@lru_cache(maxsize=_KEPT)
def _days(days: frozenset[int], country: str | None, subdivision: str | None, first_year: int, last_year: int) -> Ints:
    """Local working days as days since 1970, public holidays left out, three days more at both ends."""
    first = (datetime(first_year, 1, 1, tzinfo=UTC) - _EPOCH).days - 3
    last = (datetime(last_year + 1, 1, 1, tzinfo=UTC) - _EPOCH).days + 3
    found = np.arange(first, last, dtype=np.int64)
    found = found[np.isin((found + 3) % 7, sorted(days))]  # 1 January 1970 was a Thursday
    if country is None:
        return found
    return found[~np.isin(found, _public_holidays(country, subdivision, first_year - 1, last_year + 1))]


def _public_holidays(country: str, subdivision: str | None, first_year: int, last_year: int) -> list[int]:
    import holidays

    try:
        known = holidays.country_holidays(country, subdiv=subdivision, years=range(first_year, last_year + 1))
    except NotImplementedError as error:
        place = country if subdivision is None else f"{country}-{subdivision}"
        raise PipmetricsError(
            f"no public holidays are known for {place}: {error}",
            where="calendar",
            mend="Give an ISO 3166 country and subdivision that the holidays package lists, or leave them out.",
        ) from error
    return [(day - _EPOCH.date()).days for day in known]


@lru_cache(maxsize=_KEPT)
def _offsets(timezone: str, first_year: int, last_year: int) -> tuple[tuple[int, int, int], ...]:
    """The zone as spans of constant offset: (start, end, offset from UTC), all in microseconds."""
    try:
        zone = ZoneInfo(timezone)
    except (ValueError, OSError, KeyError) as error:
        raise PipmetricsError(
            f"{timezone!r} is no time zone", where="calendar", mend="Name one as Europe/Berlin."
        ) from error
    low = int(datetime(first_year, 1, 1, tzinfo=UTC).timestamp()) - 5 * 86_400
    high = int(datetime(last_year + 1, 1, 1, tzinfo=UTC).timestamp()) + 5 * 86_400
    probes = [*range(low, high, _PROBE), high]
    seen = [_offset(zone, at) for at in probes]
    turns = [_turn(zone, probes[n], probes[n + 1]) for n in range(len(probes) - 1) if seen[n] != seen[n + 1]]
    bounds = [low, *turns, high]
    return tuple((start * 1_000_000, end * 1_000_000, _offset(zone, start)) for start, end in pairwise(bounds))


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)


def _turn(zone: ZoneInfo, low: int, high: int) -> int:
    """The second in (low, high] at which the zone's offset changes."""
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _since_midnight(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _year(microseconds: int) -> int:
    return (_EPOCH + timedelta(microseconds=microseconds)).year
