"""What a plan agreed on for one criterion, as far as readers need it beside the number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipmetrics import registry
from pipmetrics.digest import words
from pipmetrics.model import Criterion, Json
from pipmetrics.score.words import noun

CLOCKS = {
    "elapsed": "Hours are wall time.",
    "workdays": "Hours run on working days; weekends, public holidays and time off are left out.",
    "working": "Hours are the working hours of the person's own calendar.",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """`limit` in hours or in the metric's unit (None: there is none), `minimum` the least sample, `window` in words.

    `nouns` are what one and many data points are called; `per` names the exposure, `weekly` the unit of the weeks of
    a streak or a trend (else ""); `clock` is a sentence, empty where nothing is timed.
    """

    limit: float | None = None
    minimum: int = 5
    window: str = "over the plan"
    nouns: tuple[str, str] = ("data point", "data points")
    per: str = ""
    weekly: str = ""
    clock: str = ""
    peers: tuple[int, int] | None = None


def terms_of(criterion: Criterion, peers: tuple[int, int] | None = None) -> Terms:
    """The terms of a criterion; `peers` are how many would have met its target, of how many."""
    inner = _inner(criterion)
    per = criterion.parameters.get("per") or ""
    one, many = noun(criterion.metric, 1), noun(criterion.metric, 2)
    return Terms(
        limit=_limit(inner),
        minimum=criterion.minimum,
        window=_window(criterion.window),
        nouns=("data point", "data points") if one == "item" else (one, many),
        per=str(per).replace("_", " "),
        weekly=_weekly(criterion, inner),
        clock=_clock(inner),
        peers=peers,
    )


def limits(criteria: Sequence[Criterion]) -> Json:
    """The limit of each criterion that has one, by its id."""
    return {each.id: limit for each in criteria if (limit := _limit(_inner(each))) is not None}


def _inner(criterion: Criterion) -> Criterion:
    of = criterion.parameters.get("of")
    return of if isinstance(of, Criterion) else criterion


def _limit(criterion: Criterion) -> float | None:
    limit = criterion.parameters.get("limit")
    if isinstance(limit, timedelta):
        return limit / timedelta(hours=1)
    return None if limit is None else float(limit)


def _window(window: str | timedelta) -> str:
    if isinstance(window, timedelta):
        return f"over the last {words.count(window.days, 'day')}"
    return "in the last full week" if window == "week" else "over the plan"


def _weekly(criterion: Criterion, inner: Criterion) -> str:
    if criterion.criterion not in ("streak", "trend"):
        return ""
    share = inner.criterion == "share_within" or inner.parameters.get("statistic") == "share"
    return "share" if share else _unit(inner.metric)


def _unit(metric: str) -> str:
    return registry.metric(metric).unit if metric in registry.names("metrics") else ""


def _clock(criterion: Criterion) -> str:
    if criterion.metric not in registry.names("metrics"):
        return ""
    metric = registry.metric(criterion.metric)
    return CLOCKS[criterion.clock or metric.clock or "elapsed"] if metric.unit == "hours" else ""
