"""Scores by the product, as api.Organisation composes them, and how they differ from the oracle's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pipmetrics import registry
from pipmetrics.measure import attributes, measure_all
from pipmetrics.model import Acts, Person
from pipmetrics.score import Measured, evaluate, reach_of, requests
from tests.oracle.companies import Hired
from tests.oracle.compare import accounts, frame
from tests.oracle.world import World

SAME = ("value", "n", "target", "progress", "change", "chance", "counted", "excluded", "pending", "verdict")


def product(everybody: Sequence[Hired], as_of: datetime) -> dict[str, Any]:
    """The evaluation's JSON by plan, of all plans at once."""
    together = World(
        [signal for each in everybody for signal in each.world.signals],
        [account for each in everybody for account in each.world.accounts],
        [person for each in everybody for person in each.world.people],
        everybody[0].world.sources,
    )
    plans = [each.plan for each in everybody]
    metrics = {name: registry.metric(name) for name in registry.names("metrics")}
    kinds = {name: registry.connector(source.connector).kinds for name, source in together.sources.items()}
    signals, acts = frame(together.signals), Acts()
    asked = requests(plans, as_of, acts, metrics)
    people: dict[str, Person] = {person.id: person for person in together.people}
    measured = Measured(
        people=people,
        metrics=metrics,
        frames=measure_all(asked, signals, accounts(together), together.people, together.sources),
        attributes=attributes(signals, accounts(together)),
        acts=acts,
        reach={name: reach_of(metric, together.sources, kinds) for name, metric in metrics.items()},
    )
    return {plan["plan"]: plan for plan in evaluate(plans, measured, as_of).to_json()["plans"]}


def differences(oracle: dict[str, Any], told: dict[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """(criterion or "", field, oracle's, product's) wherever they do not agree."""
    for field in ("verdict", "score", "coverage"):
        if field in oracle and not close(oracle[field], told[field]):
            yield "", field, oracle[field], told[field]
    for mine, theirs in zip(oracle["criteria"], told["criteria"], strict=True):
        for field, value in mine.items():
            shown = _shown(field, theirs)
            if not (close(value, shown) or (field == "verdict" and shown in value.split("|"))):
                yield mine["id"], field, value, shown


def _shown(field: str, theirs: dict[str, Any]) -> Any:
    if field == "window":
        return tuple(datetime.fromisoformat(theirs["window"][end]) for end in ("start", "end"))
    if field == "baseline":
        before = theirs["baseline"]
        return None if before is None else (before["value"], before["n"])
    if field == "interval" and theirs["interval"] is not None:
        low, high = theirs["interval"]
        return (-math.inf if low is None else low, math.inf if high is None else high)
    if field == "projection" and theirs[field] is not None:
        low, high = theirs[field]["interval"] or (None, None)
        return theirs[field]["value"], (low, math.inf if high is None else high)
    return theirs.get(field)


def close(one: Any, other: Any) -> bool:
    """Equal, numbers to 1e-9 of themselves; an exposure of nothing is no number."""
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(close(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)
