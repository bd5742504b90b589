"""A criterion that somebody else wrote comes in through the same door and is judged by the same rules."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from pipmetrics import registry
from pipmetrics.model import Criterion
from pipmetrics.plugin import COUNTED, Cells, CriterionRule, Goal, Own, Scores, Share
from tests.score.build import FIRST, item, line, on, reviews


def longest(cells: Cells) -> Scores:
    """The slowest answer of a window."""
    value = np.array([
        cells.values[low:high][cells.kinds[low:high] == COUNTED].max(initial=0.0)
        for low, high in zip(cells.offsets[:-1], cells.offsets[1:], strict=True)
    ])  # fmt: skip
    counted = cells.sum(cells.kinds == COUNTED)
    nothing = np.full(len(cells), np.nan)
    return Scores(value, nothing, nothing, counted, counted > 0, ~cells.closed)


SLOWEST = CriterionRule("slowest", "Slowest", (), lambda criterion, unit: Goal(Own(longest), 48.0, False, unit, 1))
FAST = CriterionRule("fast", "Fast", (), lambda criterion, unit: Goal(Share(2.0), 0.5, True, "share", 3))


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.criterion
    rules = {"slowest": SLOWEST, "fast": FAST}
    monkeypatch.setattr(registry, "criterion", lambda name: rules[name] if name in rules else known(name))


@pytest.mark.parametrize(("slow", "verdict"), [(0, "met"), (1, "not_met")])
def test_a_form_of_ones_own_is_scored(slow: int, verdict: str) -> None:
    found = line(Criterion("s", "review_turnaround", "slowest"), reviews(9, slow))
    assert (found["value"], found["verdict"], found["interval"]) == (50.0 if slow else 5.0, verdict, None)
    assert (found["baseline"], found["projection"], found["chance"]) == (None, None, None)


def test_a_form_of_ones_own_without_data_decides_nothing_and_runs_at_risk() -> None:
    rows = [item(on(3), 90.0)]
    assert line(Criterion("s", "review_turnaround", "slowest"), [])["verdict"] == "not_enough_data"
    half = FIRST + timedelta(days=28)
    assert line(Criterion("s", "review_turnaround", "slowest"), rows, half)["verdict"] == "at_risk"


def test_a_known_form_in_a_foreign_rule_gets_everything_that_goes_with_it() -> None:
    found = line(Criterion("f", "review_turnaround", "fast"), [item(on(day), 1.0 + day % 3) for day in range(1, 31)])
    assert found["verdict"] == "met"
    assert found["interval"] is not None
    assert len(found["weeks"]) == 8


def test_what_can_not_be_the_inner_criterion_or_a_guardrail_is_an_error() -> None:
    inner = Criterion("x", "review_turnaround", "slowest")
    streak = Criterion("x", "review_turnaround", "streak", parameters={"of": inner, "weeks": 2})
    with pytest.raises(Exception, match="plan ada-plan, criterion x: slowest can not be the inner criterion"):
        line(streak, [])
    with pytest.raises(Exception, match="slowest can not be a guardrail"):
        line(Criterion("x", "review_turnaround", "fast", guardrail=inner), [])
