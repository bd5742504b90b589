"""Bugs that came back after a person had resolved them."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics.model import Signal
from tests.metrics.builders import measured, rows
from tests.metrics.tickets import bug, done, issue, reopened

DAY = "2026-03-"
BUG = bug("hub:acme/api#9", DAY + "01 09:00", key="b")


def found(signals: list[Signal], *columns: str, **more: Any) -> list[Any]:
    return rows(measured("bug_reopened", signals, **more), *(columns or ("person", "value", "state", "reason")))


def test_a_resolution_is_a_row_for_whoever_closed_the_bug() -> None:
    (row,) = measured("bug_reopened", [BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00", key="d")]).to_dict(
        "records"
    )
    assert (row["person"], row["key"], row["value"], row["state"]) == ("ada", "d", 0, "counted")
    assert str(row["start"]) == "2026-03-02 10:00:00+00:00"
    assert str(row["end"]) == "2026-04-01 10:00:00+00:00"
    assert row["evidence"] == ("d", "b")


@pytest.mark.parametrize(("at", "value"), [("2026-04-01 10:00", 1), ("2026-04-01 10:01", 0), (DAY + "02 10:00", 1)])
def test_it_is_one_when_reopened_within_thirty_days(at: str, value: int) -> None:
    signals = [BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00", key="a"), reopened("hub:acme/api#9", at, key="z")]
    assert found(signals) == [("ada", value, "counted", "")]


@pytest.mark.parametrize("again", [False, True])
def test_it_is_pending_until_the_follow_up_has_ended_also_when_it_came_back(again: bool) -> None:
    signals = [BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00")]
    signals += [reopened("hub:acme/api#9", DAY + "03 10:00")] if again else []
    assert found(signals, as_of="2026-04-01 10:00") == [("ada", int(again), "pending", "follow_up")]
    assert found(signals, as_of="2026-04-01 10:01") == [("ada", int(again), "counted", "")]


def test_each_resolution_is_a_row_of_its_own() -> None:
    signals = [
        BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00"), reopened("hub:acme/api#9", DAY + "03 10:00"),
        done("hub:acme/api#9", "bob", DAY + "04 10:00"), reopened("hub:acme/api#9", "2026-06-01 10:00"),
        done("hub:acme/api#9", "ada", "2026-06-02 10:00"),
    ]  # fmt: skip
    assert found(signals, "person", "value") == [("ada", 1), ("ada", 0), ("bob", 0)]


def test_a_second_move_among_done_statuses_is_no_second_resolution() -> None:
    signals = [BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00"), done("hub:acme/api#9", "bob", DAY + "03 10:00")]
    assert found([*signals, reopened("hub:acme/api#9", DAY + "04 10:00")], "person", "value") == [("ada", 1)]


@pytest.mark.parametrize("code", ["duplicate", "invalid", "cannot_reproduce", "wont_do"])
def test_a_bug_that_was_none_is_excluded_while_that_resolution_is_in_force(code: str) -> None:
    signals = [BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00", code)]
    assert found(signals) == [("ada", 0, "excluded", code)]
    assert found(signals, as_of=DAY + "03 10:00") == [("ada", 0, "excluded", code)]
    assert found([*signals, reopened("hub:acme/api#9", DAY + "05 10:00")]) == [("ada", 1, "counted", "")]


def test_an_issue_that_is_no_bug_has_no_row() -> None:
    assert found([issue("hub:acme/api#9", DAY + "01 09:00"), done("hub:acme/api#9", "ada", DAY + "02 10:00")]) == []


def test_closed_and_reopened_in_one_instant_is_closed_first_when_it_was_open() -> None:
    """Whatever their keys sort to: a reopening needs something closed."""
    for first, second in (("a", "z"), ("z", "a")):
        signals = [
            BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00", key=first),
            reopened("hub:acme/api#9", DAY + "02 10:00", key=second),
        ]  # fmt: skip
        assert found(signals, "person", "value") == [("ada", 1)]


def test_reopened_and_closed_in_one_instant_is_reopened_first_when_it_was_closed() -> None:
    for first, second in (("x", "z"), ("z", "x")):
        signals = [
            BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00", key="a"),
            reopened("hub:acme/api#9", DAY + "03 10:00", key=first),
            done("hub:acme/api#9", "bob", DAY + "03 10:00", "duplicate", key=second),
        ]  # fmt: skip
        assert found(signals) == [("ada", 1, "excluded", "duplicate"), ("bob", 0, "excluded", "duplicate")]


def test_the_follow_up_may_be_shorter() -> None:
    signals = [BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00"), reopened("hub:acme/api#9", DAY + "12 10:00")]
    assert found(signals, "value", follow_up=timedelta(days=9)) == [0]


def test_a_bot_that_closes_is_left_out() -> None:
    signals = [BUG, done("hub:acme/api#9", "ada", DAY + "02 10:00", mark="bot")]
    assert found(signals) == [("ada", 0, "excluded", "bot")]


@settings(max_examples=6, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_signals_does_not_matter(draw: random.Random) -> None:
    signals = [
        BUG,
        done("hub:acme/api#9", "ada", DAY + "02 10:00", key="d2"),
        done("hub:acme/api#9", "bob", DAY + "04 10:00", key="d4"),
        *(reopened("hub:acme/api#9", f"2026-03-{day:02} 10:00", key=f"r{day}") for day in (3, 4, 5)),
    ]  # fmt: skip
    expected = measured("bug_reopened", signals).to_dict("records")
    assert measured("bug_reopened", draw.sample(signals, len(signals))).to_dict("records") == expected
