"""A statistic on the right side of a number."""

from __future__ import annotations

from datetime import timedelta

from pipmetrics.model import Criterion
from pipmetrics.plugin import MEASURED_UNITS, CriterionRule, Form, Goal, Mean, Parameter, Quantile, Share, Total

QUANTILES = {"median": 0.5, "p75": 0.75, "p90": 0.9}
STATISTICS = (*QUANTILES, "mean", "total", "count", "share", "rate")


def statistic_of(criterion: Criterion, unit: str) -> str:
    """The statistic asked for; else a rate where there is an exposure, a share, a median of measures, or a count."""
    named = criterion.parameters.get("statistic")
    if named is not None:
        return str(named)
    if criterion.parameters.get("per") is not None:
        return "rate"
    if unit == "share" or criterion.metric == "review_depth":
        return "share"
    return "median" if unit in MEASURED_UNITS else "count"


def form(statistic: str, unit: str, per: str | None) -> tuple[Form, str]:
    """The form of a statistic, and the unit of its value."""
    if statistic in QUANTILES:
        return Quantile(QUANTILES[statistic]), unit
    if statistic == "mean":
        return Mean(), unit
    if statistic == "share":
        return Share(), "share"
    if statistic == "rate":
        return Total(per=per, things=unit not in MEASURED_UNITS), f"per {per}"
    return Total(rows=statistic == "count", things=statistic == "count" or unit not in MEASURED_UNITS), (
        "count" if statistic == "count" else unit
    )


def goal(criterion: Criterion, unit: str) -> Goal:
    """The statistic is at most `at_most`, or at least `at_least`; one of the two is given."""
    asked = criterion.parameters
    statistic, per = statistic_of(criterion, unit), asked.get("per")
    if (asked.get("at_most") is None) is (asked.get("at_least") is None):
        raise ValueError("a threshold takes one of at_most and at_least")
    if (statistic == "rate") is not (per is not None):
        raise ValueError("the statistic rate needs an exposure in per, and no other statistic takes one")
    if statistic == "share" and unit != "share" and criterion.metric != "review_depth":
        raise ValueError(f"{criterion.metric} has no share: it is not a matter of yes or no; share_within has a limit")
    found, of = form(statistic, unit, per)
    at_least = asked.get("at_least") is not None
    bound = asked["at_least"] if at_least else asked["at_most"]
    target = bound / timedelta(hours=1) if isinstance(bound, timedelta) else float(bound)
    least = (
        0 if isinstance(found, Total) and found.per is None else max(criterion.minimum, 10 * isinstance(found, Mean))
    )
    return Goal(found, target, at_least, of, least)


THRESHOLD = CriterionRule(
    name="threshold",
    title="Statistic against a number",
    parameters=(
        Parameter(
            "statistic",
            "choice",
            "What is compared. Left out: rate with per, median of hours and lines, share of shares, count otherwise.",
            choices=STATISTICS,
        ),
        Parameter("at_most", "amount", "The highest value that meets the target; a percentage for share, a number for "
                  "count and rate, else in the metric's unit."),
        Parameter("at_least", "amount", "The lowest value that meets the target; written like at_most."),
        Parameter("per", "metric", "The exposure that a rate is divided by, e.g. changes_deployed."),
    ),
    goal=goal,
)  # fmt: skip
