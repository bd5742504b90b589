"""The plan's time line: which instants belong to which window, in the plan's own zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics import windows
from pipmetrics.errors import UsageError
from pipmetrics.model import Plan, Window

UNHURRIED = settings(deadline=None)  # a busy machine is no fault of what is tested

DAY = timedelta(days=1)
PLAN = Plan("ada-2026-q4", "pip", "ada", "dana", date(2026, 10, 20), date(2026, 12, 18), "Europe/London", ())
"""60 days, a Tuesday to a Friday; the clocks go back on 25 October."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_both_dates_of_a_plan_are_inclusive_in_its_zone() -> None:
    assert windows.whole(PLAN) == Window(at("2026-10-19T23:00"), at("2026-12-19T00:00"))
    assert windows.days(PLAN) == 60


def test_a_day_whose_midnight_the_clocks_skip_begins_when_they_jump() -> None:
    assert windows.first_instant(date(2024, 4, 26), "Africa/Cairo") == at("2024-04-25T22:00")


@pytest.mark.parametrize(
    ("as_of", "day"),
    [
        ("2026-10-19T23:00", 0),
        ("2026-10-19T23:00:01", 1),
        ("2026-11-23T00:00", 34),
        ("2026-11-23T00:00:01", 35),
        ("2026-12-18T12:00", 60),
        ("2027-03-01T00:00", 60),
    ],
)
def test_day_of_the_plan_is_that_of_the_last_instant_before_as_of(as_of: str, day: int) -> None:
    assert windows.day_of(PLAN, at(as_of)) == day


def test_windows_end_at_the_earlier_of_the_plans_end_and_as_of() -> None:
    assert windows.to_date(PLAN, at("2026-11-23T02:10")).end == at("2026-11-23T02:10")
    assert windows.to_date(PLAN, at("2027-01-01T00:00")).end == at("2026-12-19T00:00")
    assert not windows.closed(PLAN, at("2026-12-18T23:59"))
    assert windows.closed(PLAN, at("2026-12-19T00:00"))


def test_weeks_are_seven_local_days_from_the_start_over_a_change_of_the_clocks() -> None:
    weeks = windows.weeks(PLAN)
    assert len(weeks) == 8
    assert weeks[0] == Window(at("2026-10-19T23:00"), at("2026-10-27T00:00"))
    assert weeks[0].end - weeks[0].start == 7 * DAY + timedelta(hours=1)
    assert weeks[7].end == at("2026-12-15T00:00")


def test_only_weeks_that_are_over_are_complete() -> None:
    assert len(windows.complete_weeks(PLAN, at("2026-10-26T23:59"))) == 0
    assert len(windows.complete_weeks(PLAN, at("2026-10-27T00:00"))) == 1
    assert len(windows.complete_weeks(PLAN, at("2027-06-01T00:00"))) == 8


def test_started_weeks_add_the_one_under_way_and_the_plans_last_days() -> None:
    assert windows.started_weeks(PLAN, at("2026-10-28T12:00"))[-1] == Window(
        at("2026-10-27T00:00"), at("2026-10-28T12:00")
    )
    assert windows.started_weeks(PLAN, at("2027-01-01T00:00"))[-1] == Window(
        at("2026-12-15T00:00"), at("2026-12-19T00:00")
    )
    assert windows.started_weeks(PLAN, at("2026-10-19T23:00")) == ()


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("plan", "2026-10-19T23:00", "2026-11-05T08:30"),
        ("week", "2026-10-27T00:00", "2026-11-03T00:00"),
        (14 * DAY, "2026-10-22T07:30", "2026-11-05T08:30"),
        (30 * DAY, "2026-10-19T23:00", "2026-11-05T08:30"),
    ],
)
def test_a_criterions_window_is_the_plan_a_complete_week_or_its_last_days(window: object, start: str, end: str) -> None:
    assert windows.window_of(PLAN, window, at("2026-11-05T08:30")) == Window(at(start), at(end))  # type: ignore[arg-type]


def test_without_a_complete_week_the_weekly_window_is_empty() -> None:
    window = windows.window_of(PLAN, "week", at("2026-10-22T00:00"))
    assert window.start == window.end


def test_a_plan_of_one_day_has_no_week_and_one_day() -> None:
    short = replace(PLAN, end=PLAN.start)
    assert (windows.days(short), windows.weeks(short)) == (1, ())
    assert windows.whole(short).end - windows.whole(short).start == DAY


def test_baseline_is_the_local_days_before_the_start() -> None:
    assert windows.baseline(PLAN, 90 * DAY) == Window(at("2026-07-21T23:00"), at("2026-10-19T23:00"))
    assert windows.baseline(replace(PLAN, start=date(2026, 11, 1)), 10 * DAY).start == at("2026-10-21T23:00")
    assert windows.baseline(PLAN, timedelta(hours=12)).start == at("2026-10-19T11:00")


def test_an_iso_week_runs_from_monday_to_monday_in_the_zone() -> None:
    assert windows.iso_week("2026-W47", "Europe/Berlin") == Window(at("2026-11-15T23:00"), at("2026-11-22T23:00"))
    assert windows.iso_week("2026-W53", "UTC").end == at("2027-01-04T00:00")


@pytest.mark.parametrize("week", ["2026-W54", "2025-W53", "2026-47", "W47", "2026-W00", ""])
def test_no_such_week_is_an_error_with_a_mend(week: str) -> None:
    with pytest.raises(UsageError, match="is no ISO week") as caught:
        windows.iso_week(week, "UTC")
    assert "2026-W47" in str(caught.value)


@UNHURRIED
@given(
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"]
    ),
    start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    length=st.integers(1, 120),
    gone=st.floats(0, 130),
)
def test_started_weeks_cover_the_plan_to_date_without_gap_or_overlap(
    zone: str, start: date, length: int, gone: float
) -> None:
    plan = replace(PLAN, start=start, end=start + timedelta(days=length - 1), timezone=zone)
    span = windows.to_date(plan, windows.whole(plan).start + timedelta(days=gone))
    weeks = windows.started_weeks(plan, windows.whole(plan).start + timedelta(days=gone))
    edges = [span.start, *(week.end for week in weeks)]
    assert [week.start for week in weeks] == edges[:-1]
    assert edges[-1] == span.end
