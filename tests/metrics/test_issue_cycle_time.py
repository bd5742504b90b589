"""Hours that issues were in progress."""

from __future__ import annotations

from typing import Any

import pytest

from pipmetrics.model import Signal
from tests.metrics.builders import measured, rows
from tests.metrics.tickets import assigned, done, issue, moved, reopened

DAY = "2026-03-"
P = "jira:PAY-1"
OPENED = issue(P, DAY + "02 09:00", key="o")
ADAS = assigned(P, "ada", DAY + "02 09:00", key="a")


def found(signals: list[Signal], *columns: str, **more: Any) -> list[Any]:
    return rows(measured("issue_cycle_time", signals, **more), *(columns or ("person", "value", "state", "reason")))


def start(at: str = DAY + "03 10:00", **more: Any) -> Signal:
    return moved(P, at, "new", "in_progress", **more)


def finish(at: str = DAY + "05 10:00", before: str = "in_progress", code: str = "fixed") -> list[Signal]:
    return [moved(P, at, before, "done"), done(P, "cyd", at, code, key=f"d{at}")]


def test_from_the_first_entry_into_progress_to_the_resolution_for_the_assignee() -> None:
    (row,) = measured("issue_cycle_time", [OPENED, ADAS, start(key="s"), *finish()]).to_dict("records")
    assert (row["person"], row["value"], row["unit"], row["state"]) == ("ada", 48, "hours", "counted")
    assert (str(row["start"]), str(row["end"])) == ("2026-03-03 10:00:00+00:00", "2026-03-05 10:00:00+00:00")
    assert (row["subject"], row["key"]) == (P, "d2026-03-05 10:00")
    assert row["evidence"] == ("s", "d2026-03-05 10:00", "a")


def test_put_back_and_taken_up_again_the_first_entry_counts() -> None:
    back = [moved(P, DAY + "03 12:00", "in_progress", "new"), start(DAY + "04 10:00")]
    assert found([OPENED, ADAS, start(), *back, *finish()], "value") == [48]


def test_reopened_it_runs_to_the_resolution_in_force() -> None:
    signals = [
        OPENED, ADAS, start(), *finish(), moved(P, DAY + "06 10:00", "done", "new"), reopened(P, DAY + "06 10:00"),
    ]  # fmt: skip
    assert found(signals) == []
    assert found([*signals, *finish(DAY + "07 10:00", "new")], "value") == [96]
    assert found(signals, "value", as_of=DAY + "06 10:00") == [48]


def test_the_assignee_is_whoever_had_it_when_it_was_resolved() -> None:
    handed = assigned(P, "bob", DAY + "04 10:00", "ada")
    after = assigned(P, "cyd", DAY + "05 10:01", "bob")
    assert found([OPENED, ADAS, start(), handed, *finish(), after], "person", "value") == [("bob", 48)]


def test_whom_the_closing_took_it_from_finished_it() -> None:
    signals = [OPENED, ADAS, start(), *finish(), assigned(P, None, DAY + "05 10:00", "ada")]
    assert found(signals, "person") == ["ada"]


def test_given_to_somebody_by_the_closing_it_is_theirs() -> None:
    assert found([OPENED, ADAS, start(), *finish(), assigned(P, "bob", DAY + "05 10:00", "ada")], "person") == ["bob"]


def test_assigned_to_nobody_or_a_stranger_it_is_nobodys() -> None:
    assert found([OPENED, start(), *finish()]) == []
    assert found([OPENED, ADAS, start(), assigned(P, "zed", DAY + "04 10:00", "ada"), *finish()]) == []
    assert found([OPENED, ADAS, start(), assigned(P, None, DAY + "04 10:00", "ada"), *finish()]) == []


def test_never_in_progress_it_is_listed_without_a_value() -> None:
    assert found([OPENED, ADAS, *finish(before="new")], "person", "value", "reason", "start") == [
        ("ada", None, "never_in_progress", *found([OPENED, ADAS, *finish(before="new")], "end"))
    ]


def test_created_in_a_status_in_progress_it_began_at_its_creation() -> None:
    assert found([OPENED, ADAS, *finish()], "value", "evidence") == [(73, ("o", "d2026-03-05 10:00", "a"))]


def test_the_category_counts_not_the_name_of_the_status() -> None:
    begun = start(to="In Arbeit")
    assert found([OPENED, ADAS, begun, *finish()], "value") == [48]


def test_not_done_it_has_no_row() -> None:
    assert found([OPENED, ADAS, start()]) == []


@pytest.mark.parametrize("subject", ["hub:acme/api#1", "lab:core/pay#1"])
def test_sources_without_statuses_have_no_rows(subject: str) -> None:
    other = [
        issue(subject, DAY + "02 09:00"),
        assigned(subject, "ada", DAY + "02 09:00"),
        done(subject, "ada", DAY + "05 10:00"),
    ]
    assert found([*other, OPENED, ADAS, start(), *finish()], "subject") == [P]


def test_it_goes_by_the_clock_asked_for() -> None:
    signals = [OPENED, ADAS, start(DAY + "06 16:00"), *finish(DAY + "09 10:00")]
    assert found(signals, "value") == [66]
    assert found(signals, "value", clock="working") == [2]
