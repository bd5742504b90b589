"""A rate that falls, or rises, against the frozen baseline."""

from __future__ import annotations

from pipmetrics.model import Criterion
from pipmetrics.plugin import MEASURED_UNITS, CriterionRule, Goal, Parameter, Ratio

PER = Parameter("per", "metric", "The exposure, e.g. changes_deployed; left out: the person's working days.")


def reduction_goal(criterion: Criterion, unit: str) -> Goal:
    """The rate in the window is at least `target` below the baseline's; 0.5 is half of it."""
    form = Ratio(criterion.parameters.get("per"), increase=False, things=unit not in MEASURED_UNITS)
    return Goal(form, float(criterion.parameters["target"]), True, "share", criterion.minimum)


def increase_goal(criterion: Criterion, unit: str) -> Goal:
    """The rate in the window is at least `target` above the baseline's; 0.5 is half as much again."""
    form = Ratio(criterion.parameters.get("per"), increase=True, things=unit not in MEASURED_UNITS)
    return Goal(form, float(criterion.parameters["target"]), True, "share", criterion.minimum)


REDUCTION = CriterionRule(
    name="reduction",
    title="Reduction of a rate against the baseline",
    parameters=(Parameter("target", "share", "By how much the rate must fall, e.g. 50%.", required=True), PER),
    goal=reduction_goal,
)

INCREASE = CriterionRule(
    name="increase",
    title="Increase of a rate against the baseline",
    parameters=(Parameter("target", "share", "By how much the rate must rise, e.g. 50%.", required=True), PER),
    goal=increase_goal,
)
