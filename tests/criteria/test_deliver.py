"""Deliverables: done in time, late, still to come, cancelled, unknown."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from pipmetrics.model import Criterion
from tests.score.build import FIRST, OVER, line, on, plan, scored

BY = date(2026, 11, 6)
HALF = FIRST + timedelta(days=28)


def issue(subject: str, done: datetime | None = None, reason: str = "", **more: Any) -> dict[str, Any]:
    """An issue made long before the plan."""
    reason = reason or ("unresolved" if done is None else "")
    made = {"start": on(-90), "end": done or pd.NaT, "value": 1.0, "reason": reason, "key": subject}
    told = {"person": "ada", "project": "PAY", "type": "Story", "labels": ["q4"]}
    return {**made, **told, "subject": subject, **more}


def deliver(**parameters: Any) -> Criterion:
    parameters = {"issues": ("PAY-1", "PAY-2"), "by": BY} | parameters
    return Criterion("docs", "deliverables", "deliver", parameters=parameters)


def found(rows: list[dict[str, Any]], as_of: datetime = OVER, **parameters: Any) -> tuple[Any, ...]:
    entry = line(deliver(**parameters), rows, as_of)
    return entry["value"], entry["target"], entry["verdict"]


DONE, LATE = on(20), datetime(2026, 11, 7, 0, 0, tzinfo=FIRST.tzinfo)


def test_all_done_by_the_end_of_the_day_is_met() -> None:
    last = LATE - timedelta(seconds=1)
    assert found([issue("jira:PAY-1", DONE), issue("jira:PAY-2", last)]) == (2, 2, "met")


def test_one_done_too_late_is_not_met() -> None:
    assert found([issue("jira:PAY-1", DONE), issue("jira:PAY-2", LATE)]) == (1, 2, "not_met")


def test_open_ones_wait_until_their_date_and_miss_after_it() -> None:
    issues = [issue("jira:PAY-1", DONE), issue("jira:PAY-2")]
    assert found(issues, HALF) == (1, 2, "at_risk")
    assert found(issues, LATE + timedelta(days=1)) == (1, 2, "off_track")
    assert found(issues) == (1, 2, "not_met")


def test_needed_counts_what_is_left() -> None:
    entry = line(deliver(), [issue("jira:PAY-1", DONE), issue("jira:PAY-2")], HALF)
    assert entry["needed"] == "1 more to be done in time"
    assert (entry["counted"], entry["pending"]) == (1, 1)


def test_a_named_issue_that_no_source_knows_decides_nothing() -> None:
    assert found([issue("jira:PAY-1", DONE)])[2] == "not_enough_data"
    assert found([])[2] == "not_enough_data"


def test_a_cancelled_one_is_not_asked_for_any_more() -> None:
    assert found([issue("jira:PAY-1", DONE), issue("jira:PAY-2", on(12), "wont_do")]) == (1, 1, "met")


def test_a_named_one_counts_whoever_has_it() -> None:
    assert found([issue("jira:PAY-1", DONE, person="bob"), issue("jira:PAY-2", DONE)]) == (2, 2, "met")
    assert found([issue("jira:PAY-1", DONE), issue("jira:PAY-2", None, "withdrawn")]) == (1, 2, "not_met")


def test_names_may_carry_their_source_or_be_of_a_repository() -> None:
    rows = [issue("hub:acme/api#7", DONE), issue("jira:PAY-12", DONE)]
    assert found(rows, issues=("hub:acme/api#7", "PAY-12")) == (2, 2, "met")
    assert found(rows, issues=("acme/api#7", "PAY-12")) == (2, 2, "met")


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ({"project": "PAY"}, 3),
        ({"project": ["PAY", "OPS"]}, 4),
        ({"labels": ["q4", "x"]}, 3),
        ({"project": "PAY", "types": ["Task"]}, 1),
        ({"types": "Task"}, 1),
        ({"types": "story", "labels": "Q4", "project": "pay"}, 1),
        ({"labels": ["nowhere"]}, 0),
    ],
)
def test_a_filter_takes_the_persons_issues_that_match_every_key(chosen: dict[str, Any], count: int) -> None:
    issues = [
        issue("jira:PAY-1", DONE),
        issue("jira:PAY-2", DONE, type="Task"),
        issue("jira:PAY-3", DONE, labels=[]),
        issue("jira:OPS-1", DONE, project="OPS"),
        issue("jira:PAY-9", DONE, person="bob"),
    ]
    entry = line(deliver(issues=None, filter=chosen), issues)
    assert entry["n"] == count
    assert entry["verdict"] == ("met" if count else "not_enough_data")


def test_without_a_date_the_plans_end_is_the_date() -> None:
    assert found([issue("jira:PAY-1", DONE), issue("jira:PAY-2", on(55))], by=None) == (2, 2, "met")


def test_the_day_ends_in_the_plans_zone() -> None:
    of = plan(deliver(), timezone="America/New_York")
    issues = {"deliverables": [issue("jira:PAY-1", DONE), issue("jira:PAY-2", LATE + timedelta(hours=4))]}
    assert scored(of, issues, OVER + timedelta(days=1))["criteria"][0]["verdict"] == "met"
