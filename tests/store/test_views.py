"""What BI tools read, the same on both databases: numbers by week, without a name, and nothing of erased people."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipmetrics.model import Calendar, Gap, Person
from pipmetrics.store import Evaluated, Run, Store
from pipmetrics.store.engine import reading
from tests.conftest import NOW

OPERATING = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
CRITERION = {
    "id": "reviews-24h", "metric": "review_turnaround", "verdict": "at_risk", "value": 0.5, "target": 0.9, "n": 18,
    "interval": [0.25, None],
}  # fmt: skip


def evaluated(plan: str, as_of: datetime, verdict: str) -> Evaluated:
    whole = {
        "plan": plan, "person": "ada", "kind": "pip", "verdict": verdict, "score": 0.5, "coverage": 1.0, "day": 34,
        "days": 60, "criteria": [CRITERION],
    }  # fmt: skip
    return Evaluated(plan, "ada", as_of, "1", "p", "i", {"plans": [whole]}, 0, 0)


def rows(store: Store, view: str, order: str) -> list[dict[str, Any]]:
    with reading(store.engine) as connection:
        found = connection.exec_driver_sql(f"SELECT * FROM {view} ORDER BY {order}").mappings()
        return [{name: told(value) for name, value in row.items()} for row in found]


def told(value: Any) -> Any:
    """Dates as text: SQLite has no others."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value if value is None or isinstance(value, int | float) else str(value)


def test_the_last_result_of_each_week_is_told_by_a_number_that_stands_for_the_plan(store: Store) -> None:
    store.record_evaluations(
        [
            evaluated("ada-q4", MONDAY - timedelta(days=2), "off_track"),
            evaluated("ada-q4", MONDAY, "at_risk"),  # the end of the week that began on the 16th
            evaluated("ada-q4", MONDAY + timedelta(hours=2), "on_track"),
        ],
        "scheduler", NOW,
    )  # fmt: skip
    results = rows(store, "bi_results", "week")
    assert results == [
        {"plan": 1, "week": "2026-11-16", "as_of": "2026-11-23T00:00:00Z", "kind": "pip", "verdict": "at_risk",
         "score": 0.5, "coverage": 1.0, "day": 34, "days": 60},
        {"plan": 1, "week": "2026-11-23", "as_of": "2026-11-23T02:00:00Z", "kind": "pip", "verdict": "on_track",
         "score": 0.5, "coverage": 1.0, "day": 34, "days": 60},
    ]  # fmt: skip
    assert rows(store, "bi_criteria", "week")[0] == {
        "plan": 1, "week": "2026-11-16", "criterion": "reviews-24h", "metric": "review_turnaround",
        "verdict": "at_risk", "value": 0.5, "target": 0.9, "n": 18, "low": 0.25, "high": None,
    }  # fmt: skip


def test_nothing_of_erased_people_is_left_in_any_view(store: Store) -> None:
    store.record_evaluations([evaluated("ada-q4", MONDAY, "at_risk")], "scheduler", NOW)
    store.erase_person(Person("ada", "Ada", Calendar("UTC")), "root", "Asked for it.", NOW)
    assert rows(store, "bi_results", "week") == rows(store, "bi_criteria", "week") == []


def test_no_view_has_a_column_that_names_somebody(store: Store) -> None:
    store.record_evaluations([evaluated("ada-q4", MONDAY, "at_risk")], "scheduler", NOW)
    for view, order in (("bi_runs", "run"), ("bi_sources", "source"), ("bi_results", "plan"), ("bi_criteria", "plan")):
        assert "ada" not in repr(rows(store, view, order))


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", OPERATING, flags=re.S))
def test_the_documented_queries_run(store: Store, query: str) -> None:
    store.record_evaluations([evaluated("ada-q4", MONDAY, "at_risk")], "scheduler", NOW)
    store.fail("hub", "403")
    run = store.begin_run("nightly", NOW)
    store.end_run(Run(run, "nightly", NOW, NOW, "done"))
    with reading(store.engine) as connection:
        assert connection.exec_driver_sql(query.replace("$__timeFilter(started)", "1 = 1")).all()


def test_runs_and_sources_are_told_with_what_they_cost_and_lack(store: Store) -> None:
    number = store.begin_run("nightly", NOW)
    ended = NOW + timedelta(seconds=90)
    store.end_run(Run(number, "nightly", NOW, ended, "incomplete", counts={"added": 7, "recorded": 2}, requests=12))
    begun = store.begin_run("nightly", ended)
    store.complete("hub", NOW)
    store.fail("jira", "401")
    store.fail("hub", "403", "acme/api")
    whole, open_ = [row for row in rows(store, "bi_runs", "run") if row["run"] in (number, begun)]
    assert (whole["started"], whole["seconds"], whole["outcome"]) == ("2026-11-24T02:30:00Z", 90.0, "incomplete")
    assert (whole["added"], whole["recorded"], whole["delivered"], whole["requests"]) == (7, 2, 0, 12)
    assert (open_["ended"], open_["outcome"]) == (None, "not ended")
    assert rows(store, "bi_sources", "source") == [
        {"source": "hub", "last_complete": "2026-11-24T02:30:00Z", "gaps": 1, "failed": 0},
        {"source": "jira", "last_complete": None, "gaps": 1, "failed": 1},
    ]
    assert Gap("jira", "", "401") in store.gaps()
