"""What no tool measures, attested by people in a role."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics.model import Criterion, Plan
from pipmetrics.plugin import COUNTED, Cells, CriterionRule, Goal, Own, Parameter, Scores

if TYPE_CHECKING:
    import pandas as pd


def choose(plan: Plan, criterion: Criterion, rows: pd.DataFrame, as_of: datetime) -> pd.DataFrame:  # noqa: ARG001
    """The attestations for this criterion of this plan by the role that may give them.

    `rows` has the columns plan, criterion and role beside those of every measurement.
    """
    role = criterion.parameters["by"]
    found: pd.DataFrame = rows[(rows["plan"] == plan.id) & (rows["criterion"] == criterion.id) & (rows["role"] == role)]
    return found


def score(cells: Cells) -> Scores:
    """The sum of the attested values. Silence says nothing: that something was not done is attested with a 0."""
    counted = cells.kinds == COUNTED
    value = cells.sum(np.where(counted, cells.values, 0.0))
    asked = np.array([float(criterion.parameters["at_least"]) for criterion in cells.criteria])
    missing = np.full(len(cells), np.nan)
    return Scores(
        value=value,
        low=missing,
        high=missing,
        n=cells.sum(counted),
        enough=cells.sum(counted) > 0,
        reachable=~cells.closed,
        needed=[
            f"attestations by {criterion.parameters['by']} worth {more:g} more"
            for criterion, more in zip(cells.criteria, (asked - value).clip(0), strict=True)
        ],
    )


def goal(criterion: Criterion, unit: str) -> Goal:  # noqa: ARG001 - attested values have no unit
    """The attested values add up to `at_least`."""
    return Goal(Own(score, choose=choose), float(criterion.parameters["at_least"]), True, "attested", 0)


ATTEST = CriterionRule(
    name="attest",
    title="Attested by a person",
    parameters=(
        Parameter("by", "text", "The role that attests.", required=True),
        Parameter("at_least", "number", "What the attested values must add up to; an attestation is worth 1 unless it "
                  "says otherwise.", required=True),
    ),
    goal=goal,
    metric="attested",
)  # fmt: skip
