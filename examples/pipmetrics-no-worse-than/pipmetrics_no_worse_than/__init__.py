"""A rate that must not get worse than the frozen baseline by more than a margin."""

from __future__ import annotations

from pipmetrics.model import Criterion
from pipmetrics.plugin import MEASURED_UNITS, CriterionRule, Goal, Parameter, Ratio


def goal(criterion: Criterion, unit: str) -> Goal:
    """The change for the better is at least minus the margin: -0.1 allows a tenth more bugs, a tenth fewer reviews."""
    given = criterion.parameters
    form = Ratio(given.get("per"), increase=given["better"] == "higher", things=unit not in MEASURED_UNITS)
    return Goal(form, -float(given["margin"]), at_least=True, unit="share", minimum=criterion.minimum)


NO_WORSE_THAN = CriterionRule(
    name="no_worse_than",
    title="No worse than the baseline",
    parameters=(
        Parameter("better", "choice", "Which rate is the better one.", required=True, choices=("lower", "higher")),
        Parameter("margin", "share", "By how much it may get worse, e.g. 10%.", default=0.1),
        Parameter("per", "metric", "The exposure, e.g. changes_deployed; left out: the person's working days."),
    ),
    goal=goal,
)
