"""Plans and measurements for the tests of scoring: a plan of eight weeks from Monday 5 October 2026, in UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from pipmetrics import registry
from pipmetrics.model import Acts, Calendar, Criterion, Dispute, ExcludeRule, Gap, Json, MeasureRequest, Person, Plan
from pipmetrics.plugin import MEASUREMENT_COLUMNS, REASONS, Metric
from pipmetrics.score import Evaluations, Measured, Reach, evaluate, requests

START, END = date(2026, 10, 5), date(2026, 11, 29)
FIRST = datetime(2026, 10, 5, tzinfo=UTC)
OVER = datetime(2026, 11, 30, tzinfo=UTC)
ADA = Person("ada", "Ada", Calendar("UTC"), accounts={"hub": ("ada",)})
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def metric(name: str) -> Metric:
    return registry.metric(name)


def on(day: float) -> datetime:
    """Noon of a day of the plan, counted from 1; 0 and less lie before it."""
    return FIRST + timedelta(days=day - 1, hours=12)


def item(
    at: datetime, value: float = 1.0, reason: str = "", *, key: str = "", person: str = "ada", **more: Any
) -> dict[str, Any]:
    """One measurement, counted unless a reason says otherwise."""
    end = pd.NaT if reason in ("unanswered", "unresolved") else at + value * HOUR
    return {"start": at, "end": end, "value": value, "reason": reason, "key": key, "person": person, **more}


def frame(name: str, items: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Measurements of a metric as `measure` gives them."""
    unit = metric(name).unit
    rows = [
        {
            "metric": name,
            "source": "hub",
            "subject": f"hub:acme/api#{number}",
            "unit": unit,
            "state": REASONS[each["reason"]],
            "url": "",
            "evidence": (),
            **each,
            "key": each["key"] or f"{name}-{number}",
        }
        for number, each in enumerate(items)
    ]
    extra = [column for column in (items[0] if items else {}) if column not in MEASUREMENT_COLUMNS]
    found = pd.DataFrame(rows, columns=[*MEASUREMENT_COLUMNS, *extra])
    texts = ("metric", "person", "source", "subject", "key", "unit", "state", "reason", "url")
    for column in ("start", "end"):
        found[column] = pd.to_datetime(found[column], utc=True).astype("datetime64[us, UTC]")
    return found.astype(dict.fromkeys(texts, "str") | {"value": "float64"})


def share_within(**more: Any) -> Criterion:
    """Nine of ten reviews within a day."""
    parameters = {"limit": timedelta(hours=24), "target": more.pop("target", 0.9)}
    return replace(Criterion("reviews", "review_turnaround", "share_within", parameters=parameters), **more)


def threshold(name: str, *, id: str = "line", minimum: int = 5, **parameters: Any) -> Criterion:
    return Criterion(id, name, "threshold", parameters=parameters, minimum=minimum)


def plan(*criteria: Criterion, **more: Any) -> Plan:
    return replace(Plan("ada-plan", "pip", "ada", "dana", START, END, "UTC", criteria), **more)


def known(items: Sequence[Mapping[str, Any]], as_of: datetime) -> list[Mapping[str, Any]]:
    """Those that had begun before an instant."""
    return [each for each in items if each["start"] < as_of]


def measured(
    plans: Sequence[Plan],
    items: Mapping[str, Sequence[Mapping[str, Any]]],
    as_of: datetime,
    *,
    acts: Acts = Acts(),  # noqa: B008 - immutable
    people: Sequence[Person] = (ADA,),
    gaps: Sequence[Gap] = (),
    attributes: pd.DataFrame | None = None,
    reach: Mapping[str, Reach] | None = None,
) -> Measured:
    """Everything that `requests` asks for, from items that are known from the moment they begin."""
    metrics = {name: metric(name) for name in registry.names("metrics")}
    asked = requests(plans, as_of, acts, metrics)
    frames: dict[MeasureRequest, pd.DataFrame] = {
        request: frame(request.metric, known(items.get(request.metric, ()), request.as_of)) for request in asked
    }
    hub = Reach(frozenset({"hub"}), frozenset({"hub"}))
    more = {} if attributes is None else {"attributes": attributes}
    return Measured(
        people={person.id: person for person in people},
        metrics=metrics,
        frames=frames,
        acts=acts,
        gaps=gaps,
        reach=dict.fromkeys(metrics, hub) if reach is None else reach,
        **more,
    )


def scored(of: Plan, items: Mapping[str, Sequence[Mapping[str, Any]]], as_of: datetime = OVER, **more: Any) -> Json:
    """The plan's part of the evaluation's JSON."""
    return evaluations([of], items, as_of, **more).to_json()["plans"][0]


def evaluations(
    plans: Sequence[Plan], items: Mapping[str, Sequence[Mapping[str, Any]]], as_of: datetime = OVER, **more: Any
) -> Evaluations:
    return evaluate(plans, measured(plans, items, as_of, **more), as_of)


def line(of: Criterion, items: Sequence[Mapping[str, Any]], as_of: datetime = OVER, **more: Any) -> Json:
    """The only criterion of a plan, measured by its own metric (or by `others`)."""
    others = more.pop("others", {})
    return scored(plan(of), {of.metric: items, **others}, as_of, **more)["criteria"][0]


def reviews(fast: int, slow: int, *, first: float = 1.0, last: float = 56.0) -> list[dict[str, Any]]:
    """Reviews answered after 5 and after 50 hours, spread over days of the plan, slow ones first."""
    count = fast + slow
    at = [first + (last - first) * place / max(count, 1) for place in range(count)]
    return [item(on(day), 50.0 if place < slow else 5.0) for place, day in enumerate(at)]


def contest(key: str, state: Any = "open", criterion: str = "reviews") -> Acts:
    return Acts(disputes=(Dispute("ada-plan", criterion, key, "ada", "not mine", on(2), state),))


RULE = ExcludeRule("repository", "acme/legacy", "being retired")
