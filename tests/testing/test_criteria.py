"""The criterion's contract: every built-in rule keeps it, and each way to break it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipmetrics import registry
from pipmetrics.model import Criterion
from pipmetrics.plugin import (
    COUNTED,
    MEASURED_UNITS,
    Cells,
    CriterionRule,
    Goal,
    Mean,
    Own,
    Parameter,
    Quantile,
    Ratio,
    Scores,
    Share,
    Total,
)
from pipmetrics.testing import ContractBroken, check_criterion, check_metric
from tests.testing.test_metrics import facts

HOURS = timedelta(hours=1)
WITHIN = {"limit": 24 * HOURS, "target": 0.9}
INNER = Criterion("weekly", "review_turnaround", "share_within", parameters=WITHIN, minimum=1)


def given(name: str, metric: str, **parameters: Any) -> tuple[str, str, dict[str, Any]]:
    return name, metric, parameters


@pytest.mark.parametrize(
    ("name", "metric", "parameters"),
    [
        given("share_within", "review_turnaround", **WITHIN),
        given("share_within", "change_size", limit=200.0, target=0.8),
        given("threshold", "time_to_merge", statistic="median", at_most=72 * HOURS),
        given("threshold", "review_turnaround", statistic="p90", at_most=48 * HOURS),
        given("threshold", "change_size", statistic="mean", at_most=200.0),
        given("threshold", "changes_merged", statistic="count", at_least=20.0),
        given("threshold", "ci_first_pass", statistic="share", at_least=0.8),
        given("threshold", "post_deploy_bugs", statistic="rate", at_most=0.1, per="changes_deployed"),
        given("reduction", "post_deploy_bugs", target=0.5, per="changes_deployed"),
        given("increase", "reviews_given", target=0.5),
        given("streak", "review_turnaround", of=INNER, weeks=4),
        given("trend", "review_turnaround", direction="down", minimum_slope=HOURS / 2, statistic="median"),
        given("deliver", "deliverables", issues=("PAY-30", "PAY-31"), by=date(2026, 11, 20)),
        given("deliver", "deliverables", filter={"project": "PAY"}, by=date(2026, 11, 20)),
        given("attest", "attested", by="mentor", at_least=2.0),
    ],
)
def test_the_built_in_criteria_keep_the_contract(name: str, metric: str, parameters: dict[str, Any]) -> None:
    criterion = Criterion("line", metric, name, parameters=parameters)
    rows = check_metric(registry.metric(metric), facts(), cuts=1) if name in ("deliver", "attest") else None
    check_criterion(registry.criterion(name), criterion, unit=registry.metric(metric).unit, rows=rows)


# --- criteria that break it ---------------------------------------------------------------------------------------

LINE = Criterion("line", "review_turnaround", "mine", parameters={"target": 0.9})
TARGET = Parameter("target", "share", "How many.", required=True)


def rule(goal: Callable[[Criterion, str], Any], *parameters: Parameter, **more: Any) -> CriterionRule:
    return CriterionRule(
        **{"name": "mine", "title": "Mine", "parameters": parameters or (TARGET,), "goal": goal} | more
    )


def aims(form: Any, target: float = 0.9, minimum: float = 5, unit: str = "share") -> CriterionRule:
    return rule(lambda criterion, _: Goal(form, target, True, unit, minimum))


def good(cells: Cells) -> Scores:
    """The mean of the counted rows, between their least and their greatest."""
    counted = cells.kinds == COUNTED
    n = cells.sum(counted)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = cells.sum(np.where(counted, cells.values, 0.0)) / n
    return Scores(value, value - 1, value + 1, n, n >= 5, ~cells.closed)


def scored(change: Callable[[Scores, Cells], Any]) -> CriterionRule:
    return aims(Own(lambda cells: change(good(cells), cells)))


def twice(criterion: Criterion, unit: str) -> Goal:
    """Another goal each time it is asked."""
    return Goal(Share(float(np.random.default_rng().uniform())), 0.9, True, "share", 5)


def spoiling_goal(criterion: Criterion, unit: str) -> Goal:
    criterion.parameters["target"] = 0.5  # type: ignore[index]  # that is the point
    return Goal(Share(1.0), 0.9, True, "share", 5)


def picky(criterion: Criterion, unit: str) -> Goal:
    """Stumbles over the units it does not know."""
    return Goal(Share({"hours": 24.0}[unit]), 0.9, True, "share", criterion.minimum)


def forgetful(criterion: Criterion, unit: str) -> Goal:
    return Goal(Share(criterion.parameters["limit"]), 0.9, True, "share", criterion.minimum)


def spoiling(cells: Cells) -> Scores:
    scores = good(cells)
    cells.values[:] = 0.0
    return scores


def with_excluded(cells: Cells) -> Scores:
    n = np.diff(cells.offsets).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = cells.sum(cells.values) / n
    return Scores(value, value - 1, value + 1, n, n >= 5, ~cells.closed)


@pytest.mark.parametrize(
    ("broken", "names"),
    [
        (aims(Share(24.0), target=90), {"target"}),
        (aims(Share(24.0), target=float("nan")), {"target"}),
        (aims(Share(24.0), minimum=0), {"minimum"}),
        (aims(Share(24.0), minimum=-1), {"minimum"}),
        (aims(Share(24.0), unit=""), {"unit"}),
        (aims(Quantile(50)), {"form"}),
        (aims("median"), {"form"}),
        (aims(Ratio(per="coffee")), {"form"}),
        (aims(Total(per="coffee")), {"form"}),
        (rule(lambda criterion, unit: 0.9), {"goal"}),
        (rule(lambda criterion, unit: criterion.parameters["goal"]), {"goal"}),
        (rule(twice), {"pure"}),
        (rule(spoiling_goal), {"pure"}),
        (rule(picky), {"misfit"}),
        (rule(forgetful, TARGET, Parameter("limit", "number", "Up to where.")), {"misfit"}),
        (aims(Share(24.0)), set()),
        (rule(aims(Mean()).goal, Parameter("weight", "number", "Another one.")), {"parameters"}),
        (rule(aims(Mean()).goal, Parameter("target", "percent", "How many.")), {"parameters"}),  # type: ignore[arg-type]
        (rule(aims(Mean()).goal, Parameter("target", "share", "")), {"parameters"}),
        (rule(aims(Mean()).goal, Parameter("target", "choice", "Which.")), {"parameters"}),
        (rule(aims(Mean()).goal, TARGET, TARGET), {"parameters"}),
        (rule(aims(Mean()).goal, replace(TARGET, default=0.9)), {"parameters"}),
        (rule(aims(Mean()).goal, name="Mine!"), {"name"}),
        (rule(aims(Mean()).goal, title=" "), {"title"}),
        (scored(lambda scores, cells: scores), set()),
        (scored(lambda scores, cells: scores.value), {"score"}),
        (scored(lambda scores, cells: replace(scores, low=scores.low[:1])), {"score"}),
        (scored(lambda scores, cells: replace(scores, low=scores.value + 0.5)), {"interval"}),
        (scored(lambda scores, cells: replace(scores, n=-scores.n)), {"n"}),
        (scored(lambda scores, cells: replace(scores, enough=np.ones(len(cells), dtype=bool))), {"enough"}),
        (scored(lambda scores, cells: replace(scores, enough=scores.enough.astype(float))), {"score"}),
        (scored(lambda scores, cells: replace(scores, meets=np.ones(1, dtype=bool))), {"score"}),
        (scored(lambda scores, cells: replace(scores, target=np.full(len(cells), np.nan))), {"target"}),
        (scored(lambda scores, cells: replace(scores, needed=["more"])), {"needed"}),
        (scored(lambda scores, cells: replace(scores, value=scores.value + 0.01 * len(cells))), {"alone"}),
        (scored(lambda scores, cells: 1 / 0), {"score"}),
        (aims(Own(spoiling)), {"pure", "alone", "excluded"}),
        (aims(Own(with_excluded)), {"excluded"}),
    ],
)  # fmt: skip
def test_each_way_to_break_it_is_found_and_nothing_else(broken: CriterionRule, names: set[str]) -> None:
    line = replace(LINE, parameters={"target": 0.9} | ({"limit": 24.0} if len(broken.parameters) > 1 else {}))
    assert rules_broken(broken, line) == names


def rules_broken(rule: CriterionRule, line: Criterion) -> frozenset[str]:
    try:
        check_criterion(rule, line, unit="hours")
    except ContractBroken as found:
        return found.rules
    return frozenset()


def test_without_an_example_nothing_is_proven() -> None:
    with pytest.raises(ContractBroken, match="give at least one good example"):
        check_criterion(aims(Share(24.0)), unit="hours")


@pytest.mark.parametrize(
    "choose",
    [
        lambda plan, criterion, rows, as_of: rows.assign(key=rows["key"] + "x"),
        lambda plan, criterion, rows, as_of: rows.drop(columns="value"),
        lambda plan, criterion, rows, as_of: rows.assign(state="pending"),
        lambda plan, criterion, rows, as_of: rows["nothing"],
    ],
    ids=["invents rows", "loses a column", "states what the reason does not", "fails"],
)
def test_a_choice_that_invents_or_breaks_rows_is_found(choose: Callable[..., pd.DataFrame]) -> None:
    rows = check_metric(registry.metric("changes_merged"), facts(), cuts=1)
    with pytest.raises(ContractBroken) as broken:
        check_criterion(aims(Own(good, choose=choose)), LINE, unit="changes", rows=rows)
    assert broken.value.rules == {"choose"}


def test_units_that_are_measured_are_known_to_the_checks() -> None:
    from pipmetrics.testing.criteria import UNITS

    assert set(UNITS) >= MEASURED_UNITS
    assert {registry.metric(name).unit for name in registry.names("metrics")} <= set(UNITS)
