"""Attestations: who counts, what they add up to, and that silence says nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from pipmetrics.model import Criterion
from tests.score.build import FIRST, OVER, item, line, on

ATTEST = Criterion("mentored", "attested", "attest", parameters={"by": "mentor", "at_least": 3.0})
HALF = FIRST + timedelta(days=28)


def said(day: float, value: float = 1.0, **more: Any) -> dict[str, Any]:
    return item(on(day), value, **({"plan": "ada-plan", "criterion": "mentored", "role": "mentor"} | more))


@pytest.mark.parametrize(
    ("values", "as_of", "verdict"),
    [
        ([1, 1, 1], OVER, "met"),
        ([3], OVER, "met"),
        ([1, 1], OVER, "not_met"),
        ([0], OVER, "not_met"),
        ([], OVER, "not_enough_data"),
        ([1, 1], HALF, "at_risk"),
        ([1, 1, 1], HALF, "on_track"),
    ],
)
def test_values_add_up_to_the_target(values: list[float], as_of: datetime, verdict: str) -> None:
    rows = [said(day, value) for day, value in enumerate(values, 1)] or [said(-3)]
    found = line(ATTEST, rows, as_of)
    assert (found["value"], found["n"], found["verdict"]) == (sum(values), len(values), verdict)


@pytest.mark.parametrize("other", [{"role": "manager"}, {"criterion": "else"}, {"plan": "other"}])
def test_only_the_named_role_for_this_criterion_of_this_plan_counts(other: dict[str, str]) -> None:
    assert line(ATTEST, [said(1), said(2), said(3, **other)])["value"] == 2


def test_attestations_from_before_the_plan_do_not_count() -> None:
    assert line(ATTEST, [said(-1), said(1)])["value"] == 1


def test_needed_says_what_is_missing() -> None:
    assert line(ATTEST, [said(1)], HALF)["needed"] == "attestations by mentor worth 2 more"
