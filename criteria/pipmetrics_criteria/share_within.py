"""The share of measurements that stay within a limit."""

from __future__ import annotations

from datetime import timedelta

from pipmetrics.model import Criterion
from pipmetrics.plugin import CriterionRule, Goal, Parameter, Share


def goal(criterion: Criterion, unit: str) -> Goal:
    """At least `target` of the counted measurements have a value <= `limit`."""
    limit = criterion.parameters["limit"]
    if isinstance(limit, timedelta) is not (unit == "hours"):
        raise ValueError(
            f"a limit on {criterion.metric} is {'a duration' if unit == 'hours' else f'a number of {unit}'}"
        )
    reached = limit / timedelta(hours=1) if isinstance(limit, timedelta) else float(limit)
    return Goal(Share(reached), float(criterion.parameters["target"]), True, "share", criterion.minimum)


SHARE_WITHIN = CriterionRule(
    name="share_within",
    title="Share within a limit",
    parameters=(
        Parameter("limit", "amount", "What counts as in time: a value of at most this, e.g. 24h.", required=True),
        Parameter(
            "target", "share", "The share of measurements that must be within the limit, e.g. 90%.", required=True
        ),
    ),
    goal=goal,
)
