"""Before a plan starts: what the metrics are today, how sure that is, and how a team compares, without names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from pipmetrics import windows
from pipmetrics.digest import words
from pipmetrics.model import Baseline, Json, Person, Plan, Window

if TYPE_CHECKING:
    from pipmetrics.api import Organisation
    from pipmetrics.score import Evaluations

PEERS_AT_LEAST = 5
"""Fewer people are not a group: their figures could be traced to one of them."""


@dataclass(frozen=True, slots=True)
class State:
    """One criterion before the plan. `spread` are the 10th, 25th, 50th, 75th and 90th percentile of single rows.

    `team` is the median of the peers' values with its quartiles, None while fewer than five have enough data.
    """

    id: str
    expectation: str
    unit: str
    target: float
    direction: str
    value: float | None
    n: float | None
    interval: tuple[float | None, float | None] | None
    window: Window
    spread: tuple[float, ...] | None
    peers: int
    team: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Assessment:
    plan: str
    person: str
    as_of: datetime
    states: tuple[State, ...]

    def to_json(self) -> Json:
        from pipmetrics.score.record import instant, window

        states = [asdict(state) | {"window": window(state.window)} for state in self.states]
        return {"plan": self.plan, "person": self.person, "as_of": instant(self.as_of), "criteria": states}

    def to_text(self) -> str:
        return "\n".join(_text(self))


def assess(company: Organisation, plan: str) -> Assessment:
    """The state before a plan: its baseline windows, as known when they end (or now, for a plan still to come)."""
    (found,) = company.plans(plan)
    begun = as_begun(found, company.now())
    group = peers(company, begun)
    start = windows.whole(begun).start
    of_person = before(company, [begun], start)
    of_peers = before(company, [stand_in(begun, peer) for peer in group], start)
    rows = {baseline.criterion: baseline for baseline in of_person.baselines}
    states = tuple(_states(begun, of_person, of_peers, rows))
    return Assessment(plan, found.person, start, states)


def as_begun(plan: Plan, now: datetime) -> Plan:
    """The plan, or, while it is still to come or a draft, the same plan beginning today."""
    today = now.astimezone(ZoneInfo(plan.timezone)).date()
    if plan.start <= today:
        return replace(plan, draft=False)
    length = plan.end - plan.start
    return replace(plan, draft=False, start=today, end=today + length)


def peers(company: Organisation, plan: Plan) -> list[Person]:
    """The people of the same team; those of the same manager where the person has no team."""
    person = company.config.people[plan.person]
    others = [each for each in company.config.people.values() if each.id != person.id and each.manager]
    if person.team:
        return [each for each in others if each.team == person.team]
    return [each for each in others if each.manager == (person.manager or plan.manager)]


def stand_in(plan: Plan, person: Person) -> Plan:
    """The same plan, imagined for a peer."""
    return replace(plan, id=f"{plan.id}#{person.id}", person=person.id, supports=())


def before(company: Organisation, plans: Sequence[Plan], start: datetime) -> Evaluations:
    """The evaluation at the instant at which the plans begin: it holds nothing but their baselines."""
    from pipmetrics.model import Acts
    from pipmetrics.score import evaluate

    measured = replace(company.measured(plans, start), acts=Acts())
    return evaluate(plans, measured, start)


def _states(plan: Plan, of_person: Evaluations, of_peers: Evaluations, rows: Mapping[str, Baseline]) -> Iterator[State]:
    scored = of_person.to_json()["plans"][0]["criteria"]
    team = [each.to_json() for each in of_peers.plans]
    for place, entry in enumerate(scored):
        criterion = plan.criteria[place]
        values = [peer["criteria"][place]["baseline"] for peer in team]
        known = [value["value"] for value in values if value and value["n"] and value["value"] is not None]
        known = known if len(known) >= PEERS_AT_LEAST else []
        baseline = entry["baseline"] or {"value": None, "n": None, "interval": None}
        yield State(
            id=entry["id"],
            expectation=entry["expectation"],
            unit=entry["unit"],
            target=entry["target"],
            direction=entry["direction"],
            value=baseline["value"],
            n=baseline["n"],
            interval=baseline["interval"],
            window=windows.baseline(plan, criterion.baseline),
            spread=_spread(rows.get(entry["id"])),
            peers=len(known),
            team=_quartiles(known),
        )


def _spread(baseline: Baseline | None) -> tuple[float, ...] | None:
    values = [value for value in (baseline.measured["values"] if baseline else ()) if value is not None]
    if len(set(values)) < 3:
        return None
    return tuple(float(value) for value in np.quantile(values, (0.1, 0.25, 0.5, 0.75, 0.9), method="inverted_cdf"))


def _quartiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    if not values:
        return None
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), method="inverted_cdf")
    return float(middle), float(low), float(high)


def _text(found: Assessment) -> Iterator[str]:
    yield f"{found.plan}: the state before the plan, as known {found.as_of:%Y-%m-%d %H:%M} UTC"
    for state in found.states:
        unit = state.unit
        last = state.window.end - timedelta(seconds=1)
        yield f"\n{state.id}: {state.expectation}"
        said = words.number(state.value, unit)
        said += f", 95% range {words.between(state.interval[0], state.interval[1], unit)}" if state.interval else ""
        yield f"  before   {said}, n {state.n or 0:g}, {state.window.start:%Y-%m-%d} to {last:%Y-%m-%d}"
        yield f"  target   {words.bound(state.target, unit, state.direction)}"
        if state.spread:
            yield "  spread   " + ", ".join(
                f"{name} {value:.3g}"
                for name, value in zip(("p10", "p25", "p50", "p75", "p90"), state.spread, strict=True)
            )
        if state.team:
            middle, low, high = (words.number(value, unit) for value in state.team)
            yield f"  team     half of {state.peers} peers lie between {low} and {high}, median {middle}"
        else:
            yield f"  team     not shown: fewer than {PEERS_AT_LEAST} peers have data"
