"""Every key that a program gets is explained on the page, and no other."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from pipmetrics.measure import FIELDS
from pipmetrics.model import Json
from tests.docs.markdown import DOCS, Table, sections
from tests.docs.worked import FIRST, evaluated, items_of, plan_of

PAGE = sections(DOCS / "reference" / "json.md")
PLAN = """\
  - {id: some, metric: review_turnaround, criterion: share_within, limit: 24h, target: 90%,
     guardrail: {metric: review_depth, at_most: 20%}}
"""


def keys(table: Table) -> set[str]:
    return {name for row in table for name in re.findall(r"\w+", row["key"])}


@pytest.fixture
def evaluation(tmp_path: Path) -> Json:
    rows = [
        {"metric": "review_turnaround", "when": when, "value": "5", "how many": "24"} for when in ("before", "plan")
    ]
    return evaluated(plan_of(PLAN, tmp_path / "config"), items_of(rows), FIRST + timedelta(days=28))


def test_the_keys_of_an_evaluation_are_those_of_the_page(evaluation: Json) -> None:
    (plan,) = evaluation["plans"]
    (criterion,) = plan["criteria"]
    assert keys(PAGE["evaluate"].tables[0]) == set(evaluation)
    assert keys(PAGE["evaluate: a plan"].tables[0]) == set(plan)
    assert keys(PAGE["evaluate: a criterion"].tables[0]) == set(criterion)


def test_the_keys_inside_are_those_of_the_page(evaluation: Json) -> None:
    (criterion,) = evaluation["plans"][0]["criteria"]
    told = {row["key"]: row["meaning"] for row in PAGE["evaluate: a criterion"].tables[0]}
    for name, inside in {"baseline": criterion["baseline"], "guardrail": criterion["guardrail"],
                         "projection": criterion["projection"], "weeks": criterion["weeks"][0]}.items():  # fmt: skip
        listed = re.search(r"{([^}]*)}", told[name])
        assert listed is not None
        assert set(re.findall(r"\w+", listed[1])) == set(inside)


def test_the_keys_of_a_measurement_are_those_of_the_page() -> None:
    assert keys(PAGE["measurements"].tables[0]) == set(FIELDS)
