"""What a sprint began with, done when it ended."""

from __future__ import annotations

from typing import Any

import pytest

from pipmetrics.model import Signal
from tests.metrics.builders import instant, measured, rows
from tests.metrics.tickets import assigned, done, issue, reopened

DAY = "2026-03-"
P = "jira:PAY-1"
ADAS = assigned(P, "ada", DAY + "01 09:00", key="a")


def stamp(day: str | None) -> str | None:
    return None if day is None else f"{DAY}{day.replace(' ', 'T')}:00Z"


def story(
    *spans: tuple[str, str | None], started: str | None = "02 10:00", completed: str | None = "16 10:00", id: Any = 7
) -> Signal:
    """A story that was in the sprint over these spans."""
    held = [[stamp(begin), stamp(end)] for begin, end in spans or (("01 09:00", None),)]
    sprint = {
        "id": id,
        "name": "Sprint 7",
        "started": stamp(started),
        "ended": stamp("15 10:00"),
        "completed": stamp(completed),
    }
    return issue(P, DAY + "01 09:00", key="o", sprints=[{**sprint, "in": held}])


def found(signals: list[Signal], *columns: str, **more: Any) -> list[Any]:
    return rows(measured("sprint_commitment", signals, **more), *(columns or ("person", "value", "state", "reason")))


def test_done_when_the_sprint_ended_is_one_from_its_start_to_its_completion() -> None:
    (row,) = measured("sprint_commitment", [story(), ADAS, done(P, "bob", DAY + "10 10:00", key="d")]).to_dict(
        "records"
    )
    assert (row["person"], row["value"], row["state"], row["subject"]) == ("ada", 1, "counted", P)
    assert (str(row["start"]), str(row["end"])) == ("2026-03-02 10:00:00+00:00", "2026-03-16 10:00:00+00:00")
    assert (row["key"], row["evidence"]) == ("o/sprint/7", ("o", "a", "d"))


@pytest.mark.parametrize(("at", "value"), [("16 10:00", 1), ("16 10:01", 0)])
def test_done_means_in_a_done_status_at_the_actual_completion(at: str, value: int) -> None:
    assert found([story(), ADAS, done(P, "ada", DAY + at)]) == [("ada", value, "counted", "")]


def test_done_and_reopened_before_the_end_is_not_done() -> None:
    signals = [story(), ADAS, done(P, "ada", DAY + "10 10:00"), reopened(P, DAY + "12 10:00")]
    assert found(signals, "value") == [0]
    assert found([*signals, done(P, "ada", DAY + "15 10:00")], "value") == [1]


def test_reopened_after_the_end_it_was_done() -> None:
    assert found([story(), ADAS, done(P, "ada", DAY + "10 10:00"), reopened(P, DAY + "17 10:00")], "value") == [1]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([("02 10:00", None)], 1),
        ([("02 10:01", None)], 0),
        ([("01 09:00", "02 10:01")], 1),
        ([("01 09:00", "02 10:00")], 0),
        ([("01 09:00", "02 09:00"), ("02 09:30", "05 10:00"), ("06 10:00", None)], 1),
        ([("01 09:00", "02 09:00"), ("03 10:00", None)], 0),
    ],
)
def test_in_the_sprint_at_its_actual_start_by_the_fields_history(spans: list[Any], expected: int) -> None:
    assert len(found([story(*spans), ADAS])) == expected


def test_taken_out_later_it_still_counts() -> None:
    signals = [story(("01 09:00", "10 10:00")), ADAS]
    assert found(signals, "value") == [0]
    assert found([*signals, done(P, "ada", DAY + "12 10:00")], "value") == [1]


def test_already_done_at_the_start_it_is_no_commitment() -> None:
    assert found([story(), ADAS, done(P, "ada", DAY + "02 10:00")]) == []
    assert found([story(), ADAS, done(P, "ada", DAY + "01 10:00"), reopened(P, DAY + "02 09:00")], "value") == [0]


def test_it_is_whose_it_was_at_the_start() -> None:
    assert found([story(), ADAS, assigned(P, "bob", DAY + "02 10:00", "ada")], "person") == ["bob"]
    assert found([story(), ADAS, assigned(P, "bob", DAY + "02 10:01", "ada")], "person") == ["ada"]
    assert found([story(), assigned(P, "ada", DAY + "03 10:00")]) == []


@pytest.mark.parametrize("completed", [None, "16 10:00"])
def test_while_the_sprint_runs_it_is_pending_with_the_value_so_far(completed: str | None) -> None:
    signals = [story(completed=completed), ADAS, done(P, "ada", DAY + "10 10:00")]
    assert found(signals, "value", "state", "reason", "end", as_of=DAY + "16 10:00") == [
        (1, "pending", "running", None)
    ]
    assert found(signals, "value", "reason", as_of=DAY + "10 10:00") == [(0, "running")]


def test_a_sprint_that_has_not_started_has_no_rows() -> None:
    assert found([story(started=None, completed=None), ADAS]) == []
    assert found([story(), ADAS], as_of=DAY + "02 10:00") == []


def test_past_its_planned_end_and_not_completed_it_still_runs() -> None:
    assert found([story(completed=None), ADAS], "reason", as_of=DAY + "30 10:00") == ["running"]


def test_each_sprint_of_an_issue_is_a_row() -> None:
    first, second = story(id=7), story(("16 10:00", None), started="17 10:00", completed="30 10:00", id=8)
    both = issue(P, DAY + "01 09:00", key="o", sprints=[*first.detail["sprints"], *second.detail["sprints"]])
    signals = [both, ADAS, done(P, "ada", DAY + "20 10:00")]
    assert found(signals, "key", "value", "start") == [
        ("o/sprint/7", 0, instant(DAY + "02 10:00")), ("o/sprint/8", 1, instant(DAY + "17 10:00")),
    ]  # fmt: skip


def test_issues_without_sprints_and_bots_are_left_out() -> None:
    assert found([issue("hub:acme/api#1", DAY + "01 09:00"), assigned("hub:acme/api#1", "ada", DAY + "01 09:00")]) == []
    assert found([story(), assigned(P, "ada", DAY + "01 09:00", mark="bot")], "reason") == ["bot"]
