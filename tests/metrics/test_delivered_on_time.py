"""Issues done by the date that had been agreed five days before."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics.model import Signal
from tests.metrics.builders import instant, measured, person, rows
from tests.metrics.tickets import assigned, done, due, issue, reopened

DAY = "2026-03-"
P = "jira:PAY-1"
OPENED = issue(P, DAY + "01 09:00")
ADAS = assigned(P, "ada", DAY + "01 09:00", key="a")
DUE = due(P, DAY + "02 09:00", None, "2026-03-20", key="due")


def found(signals: list[Signal], *columns: str, **more: Any) -> list[Any]:
    return rows(measured("delivered_on_time", signals, **more), *(columns or ("person", "value", "state", "reason")))


class TestDue:
    def test_it_falls_due_at_the_end_of_the_day_and_the_row_stands_there(self) -> None:
        (row,) = measured("delivered_on_time", [OPENED, ADAS, DUE, done(P, "bob", DAY + "20 23:59", key="d")]).to_dict(
            "records"
        )
        assert (row["person"], row["value"], row["state"], row["key"]) == ("ada", 1, "counted", "due")
        assert str(row["start"]) == str(row["end"]) == "2026-03-21 00:00:00+00:00"
        assert row["evidence"] == ("due", "a", "d")

    @pytest.mark.parametrize(
        ("at", "value"), [(DAY + "02 10:00", 1), (DAY + "20 23:59", 1), (DAY + "21 00:00", 0), (DAY + "22 10:00", 0)]
    )
    def test_done_by_then_is_one_and_later_or_never_is_zero(self, at: str, value: int) -> None:
        assert found([OPENED, ADAS, DUE, done(P, "ada", at)]) == [("ada", value, "counted", "")]
        assert found([OPENED, ADAS, DUE]) == [("ada", 0, "counted", "")]

    def test_it_is_pending_until_due_unless_done(self) -> None:
        assert found([OPENED, ADAS, DUE], as_of=DAY + "20 23:59") == [("ada", 0, "pending", "not_due")]
        assert found([OPENED, ADAS, DUE], as_of=DAY + "21 00:00") == [("ada", 0, "counted", "")]
        early = [OPENED, ADAS, DUE, done(P, "ada", DAY + "17 10:00")]
        assert found(early, as_of=DAY + "18 00:00") == [("ada", 1, "counted", "")]

    def test_reopened_before_it_was_due_it_was_not_done(self) -> None:
        signals = [OPENED, ADAS, DUE, done(P, "ada", DAY + "17 10:00"), reopened(P, DAY + "18 10:00")]
        assert found(signals, as_of=DAY + "19 00:00") == [("ada", 0, "pending", "not_due")]
        assert found(signals) == [("ada", 0, "counted", "")]
        assert found([*signals, done(P, "ada", DAY + "20 10:00")]) == [("ada", 1, "counted", "")]
        assert found([*signals, done(P, "ada", DAY + "22 10:00")]) == [("ada", 0, "counted", "")]

    def test_reopened_afterwards_it_had_been_done_by_then_and_the_evidence_tells(self) -> None:
        signals = [OPENED, ADAS, DUE, done(P, "ada", DAY + "20 10:00"), reopened(P, DAY + "21 10:00", key="again")]
        ((value, keys),) = found(signals, "value", "evidence")
        assert value == 1
        assert "again" in keys


class TestZones:
    @pytest.mark.parametrize(
        ("zone", "falls_due"),
        [
            ("America/Los_Angeles", "2026-03-21 07:00"),
            ("Pacific/Auckland", "2026-03-20 11:00"),
            ("Asia/Kolkata", "2026-03-20 18:30"),
        ],
    )
    def test_the_day_ends_in_the_persons_zone(self, zone: str, falls_due: str) -> None:
        people = [person("ada", timezone=zone)]
        assert found([OPENED, ADAS, DUE], "start", people=people) == [instant(falls_due)]

    def test_five_days_before_are_calendar_days_also_over_a_change_of_the_clocks(self) -> None:
        """The clocks of Berlin change on March 29: its day ends at 22:00 UTC then, and 23:00 UTC before."""
        people = [person("ada", timezone="Europe/Berlin")]
        for at, expected in ((DAY + "26 22:59", 1), (DAY + "26 23:00", 0)):
            signals = [OPENED, ADAS, due(P, at, None, "2026-03-31")]
            assert len(found(signals, people=people)) == expected

    @pytest.mark.parametrize(
        ("zone", "day", "falls_due"),
        [
            ("America/Havana", "2026-10-31", "2026-11-01 04:00"),
            ("Africa/Cairo", "2026-04-23", "2026-04-23 22:00"),
        ],
    )
    def test_a_midnight_that_comes_twice_or_never(self, zone: str, day: str, falls_due: str) -> None:
        signals = [OPENED, ADAS, due(P, DAY + "02 09:00", None, day)]
        assert found(signals, "start", people=[person("ada", timezone=zone)]) == [instant(falls_due)]

    def test_two_assignees_in_two_zones_each_have_their_own_day(self) -> None:
        people = [person("ada", timezone="Pacific/Auckland"), person("bob", timezone="America/Los_Angeles")]
        both = [OPENED, ADAS, assigned(P, "bob", DAY + "01 09:00"), DUE, done(P, "cyd", DAY + "20 20:00")]
        assert found(both, "person", "value", people=people) == [("ada", 0), ("bob", 1)]


class TestDateThatCounts:
    @pytest.mark.parametrize(("at", "expected"), [(DAY + "15 23:59", 1), (DAY + "16 00:00", 0), (DAY + "19 09:00", 0)])
    def test_a_date_set_less_than_five_days_before_is_no_commitment(self, at: str, expected: int) -> None:
        assert len(found([OPENED, ADAS, due(P, at, None, "2026-03-20")])) == expected

    def test_moving_the_date_in_the_last_five_days_neither_helps_nor_hurts(self) -> None:
        for to in ("2026-04-20", "2026-03-17", None):
            signals = [OPENED, ADAS, DUE, due(P, DAY + "16 00:00", "2026-03-20", to, key="moved")]
            assert found([*signals, done(P, "ada", DAY + "19 10:00")], "value") == [1]
            assert found([*signals, done(P, "ada", DAY + "22 10:00")], "value") == [0]
            assert "moved" in found(signals, "evidence")[0]

    def test_moved_earlier_than_that_the_new_date_counts(self) -> None:
        signals = [OPENED, ADAS, DUE, due(P, DAY + "15 23:59", "2026-03-20", "2026-04-20")]
        assert found(signals, "start") == [instant("2026-04-21 00:00")]

    def test_the_first_date_that_became_a_commitment_stays_the_one(self) -> None:
        signals = [OPENED, ADAS, DUE, due(P, DAY + "18 09:00", "2026-03-20", "2026-05-20")]
        assert found(signals, "start") == [instant("2026-03-21 00:00")]

    def test_taken_off_in_time_there_is_no_date(self) -> None:
        assert found([OPENED, ADAS, DUE, due(P, DAY + "10 09:00", "2026-03-20", None)]) == []

    def test_moved_away_and_back_in_time_it_counts(self) -> None:
        signals = [
            OPENED, ADAS, DUE, due(P, DAY + "10 09:00", "2026-03-20", "2026-04-20"),
            due(P, DAY + "12 09:00", "2026-04-20", "2026-03-20"),
        ]  # fmt: skip
        assert found(signals, "start") == [instant("2026-03-21 00:00")]

    def test_a_date_in_the_past_is_no_commitment_and_the_next_one_is(self) -> None:
        signals = [
            OPENED,
            ADAS,
            due(P, DAY + "02 09:00", None, "2026-02-01"),
            due(P, DAY + "03 09:00", "2026-02-01", "2026-03-20"),
        ]
        assert found(signals, "start") == [instant("2026-03-21 00:00")]

    def test_more_than_five_days_before_there_is_no_row_yet(self) -> None:
        assert found([OPENED, ADAS, DUE], as_of=DAY + "15 23:59") == []
        assert found([OPENED, ADAS, DUE], as_of=DAY + "16 00:00") == [("ada", 0, "pending", "not_due")]

    def test_an_issue_without_a_date_has_no_row(self) -> None:
        assert found([OPENED, ADAS, done(P, "ada", DAY + "19 10:00")]) == []


class TestPerson:
    def test_it_is_the_assignee_of_five_days_before(self) -> None:
        before = assigned(P, "bob", DAY + "15 23:59", "ada")
        after = assigned(P, "bob", DAY + "16 00:00", "ada")
        assert found([OPENED, ADAS, DUE, before], "person") == ["bob"]
        assert found([OPENED, ADAS, DUE, after], "person") == ["ada"]

    def test_assigned_to_nobody_then_it_is_nobodys(self) -> None:
        assert found([OPENED, ADAS, DUE, assigned(P, None, DAY + "10 00:00", "ada")]) == []
        assert found([OPENED, DUE, assigned(P, "ada", DAY + "18 09:00")]) == []

    def test_the_mark_is_the_assignees_and_not_that_of_who_set_the_date(self) -> None:
        assert found([OPENED, ADAS, due(P, DAY + "02 09:00", None, "2026-03-20", mark="bot")], "reason") == [""]
        assert found([OPENED, assigned(P, "ada", DAY + "01 09:00", mark="bot"), DUE], "reason") == ["bot"]


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 24 * 30), st.randoms(use_true_random=False))
def test_neither_the_order_of_signals_nor_what_came_later_matters(hours: int, draw: random.Random) -> None:
    signals = [
        OPENED, ADAS, DUE, due(P, DAY + "10 09:00", "2026-03-20", "2026-03-25", key="d2"),
        due(P, DAY + "22 09:00", "2026-03-25", "2026-04-25", key="d3"),
        assigned(P, "bob", DAY + "19 09:00", "ada", key="b"),
        done(P, "bob", DAY + "23 09:00", key="x"), reopened(P, DAY + "26 09:00", key="y"),
    ]  # fmt: skip
    as_of = f"2026-03-{1 + hours // 24:02} {hours % 24:02}:00"
    known = [signal for signal in signals if signal.at < instant(as_of)]
    expected = measured("delivered_on_time", known, as_of=as_of).to_dict("records")
    assert measured("delivered_on_time", draw.sample(signals, 8), as_of=as_of).to_dict("records") == expected
