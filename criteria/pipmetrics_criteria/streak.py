"""An inner criterion met in plan weeks that follow each other."""

from __future__ import annotations

import numpy as np

from pipmetrics.model import Criterion
from pipmetrics.plugin import Cells, CriterionRule, Goal, Own, Parameter, Scores, Weeks


def runs(weeks: Weeks, cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each cell the longest run of weeks that met, the run it ends with, and the weeks judged.

    A week without enough samples is passed over: it neither counts nor breaks a run.
    """
    cell = np.repeat(np.arange(cells), np.diff(weeks.offsets))[weeks.enough]
    met, place = weeks.met[weeks.enough], np.arange(len(cell))
    first = np.diff(cell, prepend=-1) > 0
    run = place + 1 - np.maximum.accumulate(np.where(met, np.where(first, place, 0), place + 1))
    longest, last, judged = np.zeros(cells), np.zeros(cells), np.bincount(cell, minlength=cells).astype(float)
    np.maximum.at(longest, cell, run)
    ends = np.diff(cell, append=cells) > 0
    last[cell[ends]] = run[ends]
    return longest, last, judged


def score(cells: Cells) -> Scores:
    """The longest run; a closed plan with fewer weeks judged than asked for has not enough data."""
    assert cells.weeks is not None
    longest, last, judged = runs(cells.weeks, len(cells))
    asked = np.array([float(criterion.parameters["weeks"]) for criterion in cells.criteria])
    missing = np.full(len(cells), np.nan)
    more = (asked - last).clip(0).astype(int)
    return Scores(
        value=longest,
        low=missing,
        high=missing,
        n=judged,
        enough=np.where(cells.closed, judged >= asked, judged > 0),
        reachable=last + cells.weeks_left >= asked,
        needed=[f"{weeks} more {'week' if weeks == 1 else 'weeks'} in a row" for weeks in more],
    )


def goal(criterion: Criterion, unit: str) -> Goal:  # noqa: ARG001 - weeks, whatever the inner unit
    """`weeks` consecutive complete plan weeks in which the criterion `of` was met."""
    return Goal(Own(score, weekly=criterion.parameters["of"]), float(criterion.parameters["weeks"]), True, "weeks", 0)


STREAK = CriterionRule(
    name="streak",
    title="Weeks in a row",
    parameters=(
        Parameter(
            "of", "criterion", "The criterion that each week must meet; its minimum defaults to 1.", required=True
        ),
        Parameter("weeks", "count", "How many complete plan weeks in a row must meet it.", required=True),
    ),
    goal=goal,
)
