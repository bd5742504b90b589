"""Issues as deliverables."""

from __future__ import annotations

from typing import Any

import pytest

from pipmetrics import registry
from pipmetrics.metrics.deliverables import METRIC
from pipmetrics.model import Signal
from tests.metrics.builders import instant, measured, rows
from tests.metrics.tickets import assigned, done, issue, reopened

DAY = "2026-03-"
P = "jira:PAY-1"
STORY = issue(P, DAY + "01 09:00", key="o", project="PAY", labels=["q4"])
ADAS = assigned(P, "ada", DAY + "02 09:00", key="a")


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metric as `measure` finds it, whatever entry points this environment has."""
    monkeypatch.setattr(registry, "metric", {"deliverables": METRIC}.__getitem__)


def found(signals: list[Signal], *columns: str, **more: Any) -> list[Any]:
    return rows(measured("deliverables", signals, **more), *(columns or ("person", "state", "reason", "end")))


def test_an_issue_is_a_row_with_what_filters_ask_for() -> None:
    (row,) = measured("deliverables", [STORY, ADAS, done(P, "bob", DAY + "05 10:00", key="d")]).to_dict("records")
    assert (row["person"], row["subject"], row["value"], row["state"]) == ("ada", P, 1, "counted")
    assert (row["project"], row["type"], row["labels"]) == ("PAY", "Story", ["q4"])
    assert (str(row["start"]), str(row["end"])) == ("2026-03-01 09:00:00+00:00", "2026-03-05 10:00:00+00:00")
    assert row["evidence"] == ("o", "a", "d")


def test_open_it_is_pending_without_an_end() -> None:
    assert found([STORY, ADAS]) == [("ada", "pending", "unresolved", None)]
    signals = [STORY, ADAS, done(P, "ada", DAY + "05 10:00"), reopened(P, DAY + "06 10:00")]
    assert found(signals) == [("ada", "pending", "unresolved", None)]


def test_it_is_whose_it_was_when_it_was_resolved_else_whose_it_is_now() -> None:
    handed = assigned(P, "bob", DAY + "06 09:00", "ada")
    assert found([STORY, ADAS, handed], "person") == ["bob"]
    assert found([STORY, ADAS, done(P, "zed", DAY + "05 10:00"), handed], "person") == ["ada"]


def test_left_by_everybody_it_stays_with_the_last_one_open_as_withdrawn_and_done_as_theirs() -> None:
    left = assigned(P, None, DAY + "06 09:00", "ada")
    assert found([STORY, ADAS, left]) == [("ada", "excluded", "withdrawn", None)]
    assert found([STORY, ADAS, left, done(P, "zed", DAY + "07 10:00")]) == [
        ("ada", "counted", "", instant(DAY + "07 10:00"))
    ]


@pytest.mark.parametrize("code", ["duplicate", "invalid", "cannot_reproduce", "wont_do"])
def test_one_that_was_cancelled_is_excluded_with_its_resolution(code: str) -> None:
    assert found([STORY, ADAS, done(P, "ada", DAY + "05 10:00", code)], "state", "reason") == [("excluded", code)]


def test_several_assignees_have_a_row_each_and_a_bot_is_left_out() -> None:
    signals = [STORY, ADAS, assigned(P, "bob", DAY + "02 09:00", mark="bot")]
    assert found(signals, "person", "reason") == [("ada", "unresolved"), ("bob", "bot")]


def test_an_issue_of_nobody_in_people_yaml_has_no_row() -> None:
    assert found([STORY]) == []
    assert found([STORY, assigned(P, "zed", DAY + "02 09:00")]) == []
