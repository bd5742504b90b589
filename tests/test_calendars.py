"""The three clocks and the count of working days, against values worked out by hand and a slow walk of the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics.calendars import hours, share_away, working_days
from pipmetrics.errors import PipmetricsError
from pipmetrics.model import CLOCKS, Calendar, Clock, Window

BERLIN = Calendar("Europe/Berlin", country="DE", subdivision="BE")
LONDON = Calendar("Europe/London")
QUARTER = timedelta(minutes=15)
EVERY_DAY = frozenset(range(7))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def instants(*moments: datetime | None) -> np.ndarray:
    return np.array([None if m is None else m.astimezone(UTC).replace(tzinfo=None) for m in moments], "datetime64[us]")


def spent(clock: Clock, calendar: Calendar, start: datetime, end: datetime | None) -> float:
    return float(hours(clock, [calendar], np.array([0]), instants(start), instants(end))[0])


def local(clock: Clock, calendar: Calendar, start: str, end: str) -> float:
    return spent(clock, calendar, at(start, calendar.timezone), at(end, calendar.timezone))


@pytest.mark.parametrize(("clock", "expected"), [("elapsed", 65.0), ("workdays", 17.0), ("working", 1.0)])
def test_friday_evening_to_monday_morning(clock: Clock, expected: float) -> None:
    assert local(clock, BERLIN, "2026-11-20 17:00", "2026-11-23 10:00") == expected


def test_a_public_holiday_of_the_subdivision_does_not_count() -> None:
    span = ("2027-03-08 00:00", "2027-03-09 00:00")  # International Women's Day: a Monday, free in Berlin alone
    assert local("workdays", BERLIN, *span) == 0.0
    assert local("workdays", replace(BERLIN, subdivision="BY"), *span) == 24.0
    assert local("working", replace(BERLIN, country=None, subdivision=None), *span) == 8.0


def test_time_off_counts_for_neither_work_clock_and_may_be_part_of_a_day() -> None:
    afternoon = Window(at("2026-11-24 13:00", "Europe/Berlin"), at("2026-11-24 17:00", "Europe/Berlin"))
    away = replace(BERLIN, time_off=(afternoon,))
    span = ("2026-11-24 00:00", "2026-11-25 00:00")
    assert [local(clock, away, *span) for clock in CLOCKS] == [24.0, 20.0, 4.0]


def test_overlapping_time_off_is_taken_away_once() -> None:
    first, second = Window(at("2026-11-24"), at("2026-11-26")), Window(at("2026-11-25"), at("2026-11-27"))
    inside = Window(at("2026-11-24 12:00"), at("2026-11-24 13:00"))
    for order in [(first, second, inside), (second, inside, first)]:
        assert spent("workdays", Calendar("UTC", time_off=order), at("2026-11-23"), at("2026-11-28")) == 48.0


def test_a_day_on_which_the_clocks_change_has_its_real_hours() -> None:
    sundays = replace(LONDON, days=EVERY_DAY)
    assert local("workdays", sundays, "2026-03-29 00:00", "2026-03-30 00:00") == 23.0
    assert local("workdays", sundays, "2026-10-25 00:00", "2026-10-26 00:00") == 25.0
    assert local("working", sundays, "2026-03-28 09:00", "2026-03-29 17:00") == 16.0


def test_a_night_shift_belongs_to_the_day_on_which_it_opens() -> None:
    nights = replace(LONDON, opens=time(22), closes=time(6))
    assert (
        local("working", nights, "2026-11-20 20:00", "2026-11-23 23:00") == 9.0
    )  # Friday's night and an hour of Monday's
    assert local("working", replace(nights, days=frozenset({5})), "2026-03-28 12:00", "2026-03-29 12:00") == 7.0
    assert local("working", replace(nights, days=frozenset({5})), "2026-10-24 12:00", "2026-10-25 12:00") == 9.0


def test_opening_hours_inside_the_repeated_hour_follow_the_clock_on_the_wall() -> None:
    early = replace(LONDON, days=EVERY_DAY, opens=time(1, 30), closes=time(3))
    assert local("working", early, "2026-10-25 00:00", "2026-10-25 12:00") == 2.0
    assert local("working", early, "2026-03-29 00:00", "2026-03-29 12:00") == 1.0


def test_closing_at_midnight_is_the_end_of_the_day() -> None:
    assert (
        local("working", replace(LONDON, opens=time(16), closes=time(0)), "2026-11-23 00:00", "2026-11-24 12:00") == 8.0
    )
    assert (
        local("working", replace(LONDON, opens=time(0), closes=time(0)), "2026-11-23 00:00", "2026-11-24 00:00") == 24.0
    )


def test_a_missing_end_has_no_hours_and_an_end_before_the_start_has_none_to_count() -> None:
    for clock in CLOCKS:
        assert np.isnan(spent(clock, LONDON, at("2026-11-23"), None))
        assert spent(clock, LONDON, at("2026-11-23 12:00"), at("2026-11-23 11:00")) == 0.0


def test_each_row_uses_its_own_calendar_and_no_rows_give_none() -> None:
    calendars = [Calendar("Asia/Kolkata"), Calendar("America/New_York")]
    start, end = instants(*[at("2026-11-23 00:00")] * 3), instants(*[at("2026-11-23 06:00")] * 3)
    assert hours("working", calendars, np.array([1, 0, 1]), start, end).tolist() == [0.0, 2.5, 0.0]
    assert hours("working", calendars, np.array([], dtype=int), instants(), instants()).tolist() == []


def test_a_place_without_known_holidays_and_an_unknown_zone_are_named() -> None:
    with pytest.raises(PipmetricsError, match="DE-XX"):
        local("workdays", replace(BERLIN, subdivision="XX"), "2026-11-23 00:00", "2026-11-24 00:00")
    with pytest.raises(PipmetricsError, match="Mars/Olympus"):
        spent("workdays", Calendar("Mars/Olympus"), at("2026-11-23"), at("2026-11-24"))


def test_working_days_leave_out_weekends_holidays_and_time_off() -> None:
    away = Window(at("2026-12-21", "Europe/Berlin"), at("2026-12-23", "Europe/Berlin"))
    fortnight = Window(at("2026-12-21", "Europe/Berlin"), at("2027-01-04", "Europe/Berlin"))
    assert working_days(BERLIN, fortnight) == 8.0
    assert working_days(replace(BERLIN, time_off=(away,)), fortnight) == 6.0
    assert share_away(replace(BERLIN, time_off=(away,)), fortnight) == 0.25


def test_a_cut_day_counts_by_its_working_hours() -> None:
    morning = Window(at("2026-11-23 09:00"), at("2026-11-23 13:00"))
    assert working_days(Calendar("UTC"), Window(at("2026-11-23 00:00"), at("2026-11-24 13:00"))) == 1.5
    assert working_days(Calendar("UTC", time_off=(morning,)), Window(at("2026-11-23"), at("2026-11-25"))) == 1.5


def test_no_working_day_is_none_away() -> None:
    weekend = Window(at("2026-11-21"), at("2026-11-23"))
    assert working_days(Calendar("UTC"), weekend) == 0.0
    assert working_days(Calendar("UTC"), Window(at("2026-11-24"), at("2026-11-23"))) == 0.0
    assert share_away(Calendar("UTC"), weekend) == 0.0


ZONES = ("UTC", "Europe/London", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo",
         "America/Havana", "Pacific/Apia")  # fmt: skip
AROUND = [
    datetime(*day, tzinfo=UTC) for day in [(2026, 3, 29), (2026, 10, 25), (2024, 12, 30), (2011, 12, 30), (2026, 4, 5)]
]
quarters = st.integers(-500, 500)
moments = st.builds(lambda day, n: day + n * QUARTER, st.sampled_from(AROUND), quarters)


@st.composite
def spans(draw: st.DrawFn, most: int = 700) -> Window:
    start = draw(moments)
    return Window(start, start + draw(st.integers(0, most)) * QUARTER)


clock_times = st.builds(lambda n: time(n // 4, n % 4 * 15), st.integers(0, 95))
calendars = st.builds(
    Calendar,
    timezone=st.sampled_from(ZONES),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    opens=clock_times,
    closes=clock_times,
    country=st.sampled_from([None, "DE", "US"]),
    time_off=st.lists(spans(200), max_size=3).map(tuple),
)


public_holidays = cache(holidays.country_holidays)


def works(calendar: Calendar, day: date) -> bool:
    free = calendar.country is not None and day in public_holidays(calendar.country)
    return day.weekday() in calendar.days and not free


def runs(clock: Clock, calendar: Calendar, moment: datetime) -> bool:
    """Whether the clock counts this instant: one look at the wall, no arithmetic shared with the code under test."""
    if clock == "elapsed":
        return True
    if any(off.start <= moment < off.end for off in calendar.time_off):
        return False
    wall = moment.astimezone(ZoneInfo(calendar.timezone))
    today, yesterday = works(calendar, wall.date()), works(calendar, wall.date() - timedelta(days=1))
    if clock == "workdays":
        return today
    if calendar.opens < calendar.closes:
        return today and calendar.opens <= wall.time() < calendar.closes
    return (today and wall.time() >= calendar.opens) or (yesterday and wall.time() < calendar.closes)


def walked(clock: Clock, calendar: Calendar, window: Window) -> float:
    ticks = (window.end - window.start) // QUARTER
    return sum(runs(clock, calendar, window.start + n * QUARTER) for n in range(ticks)) / 4


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(CLOCKS), calendars, spans())
def test_hours_are_those_that_a_walk_of_the_clock_counts(clock: Clock, calendar: Calendar, window: Window) -> None:
    assert spent(clock, calendar, window.start, window.end) == walked(clock, calendar, window)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CLOCKS), calendars, st.tuples(moments, moments, moments).map(sorted))
def test_a_split_span_adds_up(clock: Clock, calendar: Calendar, cuts: list[datetime]) -> None:
    first, middle, last = cuts
    whole = spent(clock, calendar, first, last)
    assert spent(clock, calendar, first, middle) + spent(clock, calendar, middle, last) == pytest.approx(
        whole, abs=1e-9
    )
    days = [working_days(calendar, Window(*pair)) for pair in [(first, middle), (middle, last), (first, last)]]
    assert days[0] + days[1] == pytest.approx(days[2], abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(calendars, spans(300))
def test_working_days_are_the_shares_of_each_days_working_hours(calendar: Calendar, window: Window) -> None:
    always = replace(calendar, time_off=())
    zone = ZoneInfo(calendar.timezone)
    first = window.start.astimezone(zone).date() - timedelta(days=2)
    expected = 0.0
    for n in range((window.end - window.start).days + 6):
        only = [first + timedelta(days=n)]
        near = Window(*(datetime.combine(only[0], time(12), UTC) + timedelta(days=step) for step in (-3, 4)))
        ticks = [near.start + k * QUARTER for k in range((near.end - near.start) // QUARTER)]
        due = [tick for tick in ticks if shift(always, tick) == only[0]]
        kept = [tick for tick in due if window.start <= tick < window.end and runs("working", calendar, tick)]
        expected += len(kept) / len(due) if due else 0.0
    assert working_days(calendar, window) == pytest.approx(expected, abs=1e-9)


def shift(calendar: Calendar, moment: datetime) -> date | None:
    """The local day to whose working hours the instant belongs."""
    if not runs("working", calendar, moment):
        return None
    wall = moment.astimezone(ZoneInfo(calendar.timezone))
    opened_today = wall.time() >= calendar.opens and works(calendar, wall.date())
    return wall.date() if opened_today else wall.date() - timedelta(days=1)


@pytest.mark.parametrize(
    ("country", "subdivision", "said"),
    [("QQ", None, "no public holidays are known for QQ: "), ("DE", "QQ", "no public holidays are known for DE-QQ: ")],
)
def test_a_country_without_known_holidays_is_told_with_its_place(
    country: str, subdivision: str | None, said: str
) -> None:
    with pytest.raises(PipmetricsError) as caught:
        local("workdays", replace(BERLIN, country=country, subdivision=subdivision), "2026-11-20", "2026-11-23")
    assert caught.value.what.startswith(said)
    assert (caught.value.where, "ISO 3166" in caught.value.mend) == ("calendar", True)
