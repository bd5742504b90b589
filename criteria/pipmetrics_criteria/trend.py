"""A weekly statistic that moves the right way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from pipmetrics.model import Criterion
from pipmetrics.plugin import Cells, CriterionRule, Goal, Own, Parameter, Scores
from pipmetrics_criteria.threshold import STATISTICS, form

DIRECTIONS = {"down": -1.0, "up": 1.0, "falling": -1.0, "rising": 1.0, "decreasing": -1.0, "increasing": 1.0}
LEAST_WEEKS = 5


def slope_asked(criterion: Criterion) -> float:
    """The smallest slope per plan week that counts, with the sign of the direction."""
    least = criterion.parameters.get("minimum_slope") or 0.0
    size = least / timedelta(hours=1) if isinstance(least, timedelta) else float(least)
    return DIRECTIONS[criterion.parameters["direction"]] * abs(size)


def score(cells: Cells) -> Scores:
    """Theil-Sen slope with its interval; Kendall's tau must not contradict it at p < 0.05."""
    from pipmetrics.statistics import kendall, theil_sen  # scipy, which reading a plan does not need

    assert cells.weeks is not None
    weeks, size = cells.weeks, len(cells)
    value, low, high, n = (np.full(size, np.nan) for _ in range(4))
    meets = np.zeros(size, dtype=bool)
    for i, criterion in enumerate(cells.criteria):
        span = slice(weeks.offsets[i], weeks.offsets[i + 1])
        values = weeks.value[span]
        held = np.flatnonzero(np.isfinite(values))
        n[i] = len(held)
        if len(held) < 2:
            continue
        value[i], low[i], high[i] = theil_sen(held.astype(float), values[held])
        tau, p = kendall(held.astype(float), values[held])
        sign, asked = DIRECTIONS[criterion.parameters["direction"]], slope_asked(criterion)
        right = value[i] * sign > 0 and value[i] * sign >= asked * sign
        meets[i] = right and not (tau * sign < 0 and p < 0.05)
    return Scores(
        value=value,
        low=low,
        high=high,
        n=n,
        enough=n >= np.array([max(LEAST_WEEKS, criterion.minimum) for criterion in cells.criteria]),
        reachable=cells.weeks_left > 0,
        meets=meets,
    )


def goal(criterion: Criterion, unit: str) -> Goal:
    """The slope over plan weeks has the sign of `direction` and at least the size of `minimum_slope`."""
    statistic, per = criterion.parameters.get("statistic") or "median", criterion.parameters.get("per")
    weekly = {"statistic": statistic, "at_least": 0.0} | ({} if per is None else {"per": per})
    inner = replace(criterion, criterion="threshold", parameters=weekly, minimum=1, guardrail=None)
    rising = DIRECTIONS[criterion.parameters["direction"]] > 0
    of = form(statistic, unit, per)[1]
    return Goal(
        Own(score, weekly=inner), slope_asked(criterion), rising, f"{of} per week", max(LEAST_WEEKS, criterion.minimum)
    )


TREND = CriterionRule(
    name="trend",
    title="Trend over plan weeks",
    parameters=(
        Parameter("direction", "choice", "Where the statistic must go.", required=True, choices=tuple(DIRECTIONS)),
        Parameter("minimum_slope", "amount", "The least change per plan week, in the metric's unit, without a sign."),
        Parameter(
            "statistic",
            "choice",
            "The weekly statistic.",
            default="median",
            choices=STATISTICS,
        ),
        Parameter("per", "metric", "The exposure, when the weekly statistic is a rate."),
    ),
    goal=goal,
)
