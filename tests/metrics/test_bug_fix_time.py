"""Hours from a bug's assignment to its resolution."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics.model import Signal
from tests.metrics.builders import instant, measured, person, rows
from tests.metrics.tickets import assigned, bug, done, issue, reopened

DAY = "2026-03-"
B = "jira:PAY-9"
BUG = bug(B, DAY + "02 09:00", key="b")
ADAS = assigned(B, "ada", DAY + "02 10:00", key="a")


def found(signals: list[Signal], *columns: str, **more: Any) -> list[Any]:
    return rows(measured("bug_fix_time", signals, **more), *(columns or ("person", "value", "state", "reason")))


def test_the_value_is_hours_from_the_assignment_to_the_resolution() -> None:
    (row,) = measured("bug_fix_time", [BUG, ADAS, done(B, "bob", DAY + "03 13:30", key="d")]).to_dict("records")
    assert (row["person"], row["value"], row["unit"], row["state"]) == ("ada", 27.5, "hours", "counted")
    assert (str(row["start"]), str(row["end"])) == ("2026-03-02 10:00:00+00:00", "2026-03-03 13:30:00+00:00")
    assert (row["key"], row["evidence"]) == ("a", ("a", "d", "b"))


def test_assigned_at_its_creation_the_clock_starts_there() -> None:
    assert found([BUG, assigned(B, "ada", DAY + "02 09:00"), done(B, "ada", DAY + "02 12:00")], "value") == [3]


def test_unresolved_it_is_pending_with_the_hours_so_far_and_no_end() -> None:
    assert found([BUG, ADAS], "value", "state", "reason", "end", as_of=DAY + "03 10:00") == [
        (24, "pending", "unresolved", None)
    ]


def test_the_clock_of_a_reopened_bug_goes_on() -> None:
    signals = [BUG, ADAS, done(B, "ada", DAY + "03 10:00"), reopened(B, DAY + "04 10:00")]
    assert found(signals, as_of=DAY + "05 10:00") == [("ada", 72, "pending", "unresolved")]
    assert found(signals, as_of=DAY + "04 10:00") == [("ada", 24, "counted", "")]
    assert found([*signals, done(B, "ada", DAY + "06 10:00")]) == [("ada", 96, "counted", "")]


def test_taken_away_before_the_resolution_it_is_withdrawn_with_the_hours_until_then() -> None:
    signals = [BUG, ADAS, assigned(B, "bob", DAY + "02 16:00", "ada", key="x")]
    assert found([*signals, done(B, "bob", DAY + "03 16:00")], "person", "value", "reason", "end") == [
        ("ada", 6, "withdrawn", instant(DAY + "02 16:00")),
        ("bob", 24, "", instant(DAY + "03 16:00")),
    ]
    assert found(signals, as_of=DAY + "02 18:00") == [
        ("ada", 6, "excluded", "withdrawn"), ("bob", 2, "pending", "unresolved"),
    ]  # fmt: skip
    assert "x" in measured("bug_fix_time", signals)["evidence"].iloc[0]


def test_taken_away_from_everybody_it_is_withdrawn() -> None:
    signals = [BUG, ADAS, assigned(B, None, DAY + "02 16:00", "ada"), done(B, "cyd", DAY + "03 16:00")]
    assert found(signals) == [("ada", 6, "excluded", "withdrawn")]


def test_taken_away_after_the_resolution_changes_nothing() -> None:
    signals = [BUG, ADAS, done(B, "ada", DAY + "02 12:00"), assigned(B, "bob", DAY + "02 12:01", "ada")]
    assert found(signals) == [("ada", 2, "counted", "")]


def test_taken_away_by_the_closing_itself_it_was_resolved_first() -> None:
    signals = [
        BUG,
        ADAS,
        assigned(B, None, DAY + "02 12:00", "ada", key="0"),
        done(B, "ada", DAY + "02 12:00", key="9"),
    ]
    assert found(signals) == [("ada", 2, "counted", "")]


def test_taken_away_between_two_resolutions_is_before_the_one_in_force() -> None:
    signals = [
        BUG, ADAS, done(B, "ada", DAY + "03 10:00"), reopened(B, DAY + "04 10:00"),
        assigned(B, "bob", DAY + "04 11:00", "ada"), done(B, "bob", DAY + "04 12:00"),
    ]  # fmt: skip
    assert found(signals) == [("ada", 49, "excluded", "withdrawn"), ("bob", 1, "counted", "")]


def test_each_assignment_is_a_row_and_given_again_without_being_taken_it_is_the_same_one() -> None:
    signals = [
        BUG, ADAS, assigned(B, "ada", DAY + "02 11:00"), assigned(B, None, DAY + "02 12:00", "ada"),
        assigned(B, "ada", DAY + "02 14:00"), done(B, "ada", DAY + "02 15:00"),
    ]  # fmt: skip
    assert found(signals) == [("ada", 2, "excluded", "withdrawn"), ("ada", 1, "counted", "")]


def test_an_assignment_that_names_the_same_person_as_before_changes_nothing() -> None:
    signals = [BUG, ADAS, assigned(B, "ada", DAY + "02 11:00", "ada"), done(B, "ada", DAY + "02 15:00")]
    assert found(signals) == [("ada", 5, "counted", "")]


def test_several_assignees_at_once_have_a_row_each() -> None:
    issue = bug("hub:acme/api#9", DAY + "02 09:00")
    both = [assigned("hub:acme/api#9", who, DAY + "02 10:00") for who in ("ada", "bob")]
    assert found([issue, *both, done("hub:acme/api#9", "ada", DAY + "02 12:00")]) == [
        ("ada", 2, "counted", ""), ("bob", 2, "counted", ""),
    ]  # fmt: skip


def test_whoever_the_closing_itself_gives_it_to_has_nothing_to_mend() -> None:
    signals = [BUG, ADAS, done(B, "ada", DAY + "03 10:00"), assigned(B, "bob", DAY + "03 10:00", "ada")]
    assert found(signals, "person", "state") == [("ada", "counted")]


def test_assigned_after_the_resolution_there_is_nothing_to_measure_until_it_is_reopened() -> None:
    signals = [BUG, done(B, "cyd", DAY + "02 09:30"), ADAS]
    assert found(signals) == []
    assert found([*signals, reopened(B, DAY + "03 10:00")], as_of=DAY + "03 11:00") == [
        ("ada", 25, "pending", "unresolved")
    ]


@pytest.mark.parametrize("code", ["duplicate", "invalid", "cannot_reproduce", "wont_do"])
def test_a_bug_that_was_none_is_excluded_also_where_it_had_been_taken_away(code: str) -> None:
    signals = [BUG, ADAS, assigned(B, "bob", DAY + "02 16:00", "ada"), done(B, "bob", DAY + "03 16:00", code)]
    assert found(signals, "person", "state", "reason") == [("ada", "excluded", code), ("bob", "excluded", code)]


def test_the_clock_is_wall_time_unless_another_is_asked_for() -> None:
    signals = [BUG, assigned(B, "ada", DAY + "06 16:00"), done(B, "ada", DAY + "09 10:00")]
    assert found(signals, "value") == [66]
    assert found(signals, "value", clock="workdays") == [18]
    assert found(signals, "value", clock="working", people=[person("ada")]) == [2]


def test_an_issue_that_is_no_bug_and_a_stranger_have_no_rows() -> None:
    assert found([issue(B, DAY + "02 09:00"), ADAS]) == []
    assert found([BUG, assigned(B, "zed", DAY + "02 10:00")]) == []


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 24 * 5), st.randoms(use_true_random=False))
def test_neither_the_order_of_signals_nor_what_came_later_matters(hours: int, draw: Any) -> None:
    signals = [
        BUG, ADAS, assigned(B, "bob", DAY + "02 16:00", "ada", key="x"), done(B, "bob", DAY + "03 10:00", key="d"),
        reopened(B, DAY + "03 12:00", key="r"), assigned(B, "ada", DAY + "03 16:00", "bob", key="y"),
        done(B, "ada", DAY + "05 10:00", key="e"),
    ]  # fmt: skip
    as_of = f"2026-03-{2 + hours // 24:02} {hours % 24:02}:00"
    known = [signal for signal in signals if signal.at < instant(as_of)]
    expected = measured("bug_fix_time", known, as_of=as_of).to_dict("records")
    assert str(measured("bug_fix_time", draw.sample(signals, 7), as_of=as_of).to_dict("records")) == str(expected)
