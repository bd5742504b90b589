"""A plan's targets tried on peers and on the past, and how likely its verdict would be luck: before anybody signs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from pipmetrics import calendars, luck, registry, statistics, windows
from pipmetrics.assess import PEERS_AT_LEAST, as_begun, before, peers, stand_in
from pipmetrics.config import Outlook
from pipmetrics.config.lint.measured import LEAST_POWER
from pipmetrics.digest import words
from pipmetrics.model import Acts, Baseline, Criterion, Json, Plan
from pipmetrics.plugin import Goal

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

PAST_WINDOWS = 3
"""Windows of the plan's length that are tried on the person's own past, newest first."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How many of those with enough data would have met a target, with the exact 95 % interval of the share."""

    met: int
    of: int

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.of:
            return None
        low, high = statistics.clopper_pearson(self.met, self.of)
        return float(low[0]), float(high[0])

    def to_json(self) -> Json:
        return {"met": self.met, "of": self.of, "interval": self.interval}


@dataclass(frozen=True, slots=True)
class CriterionTrial:
    id: str
    expectation: str
    peers: Tried | None
    """None: fewer than five peers have enough data, so that nothing is shown."""
    past: Tried
    luck: luck.Luck
    needed: float
    """Samples, or exposure, without which there is no verdict."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """`plan_met_unchanged` and `plan_not_met_though_reached`: the same chances for all criteria together."""

    plan: str
    criteria: tuple[CriterionTrial, ...]
    plan_met_unchanged: float | None
    plan_not_met_though_reached: float | None

    def to_json(self) -> Json:
        return {
            "plan": self.plan,
            "criteria": [
                {
                    "id": each.id,
                    "expectation": each.expectation,
                    "peers": each.peers.to_json() if each.peers else None,
                    "past": each.past.to_json(),
                    "luck": asdict(each.luck),
                }
                for each in self.criteria
            ],
            "plan_met_unchanged": self.plan_met_unchanged,
            "plan_not_met_though_reached": self.plan_not_met_though_reached,
        }

    def to_text(self) -> str:
        return "\n".join(_text(self))

    def outlooks(self) -> tuple[Outlook, ...]:
        """What the lint rules make of it: samples to expect, power, and how many peers would meet each target."""
        return tuple(
            Outlook(
                self.plan,
                each.id,
                expected=each.luck.expected,
                needed=each.needed,
                power=each.luck.told_apart,
                peers=each.peers.of if each.peers else 0,
                met=each.peers.met if each.peers else 0,
            )
            for each in self.criteria
        )


def backtest(company: Organisation, plan: str) -> Backtest:
    """Try the targets on the peers' and the person's own last windows of the plan's length, and simulate luck."""
    (found,) = company.plans(plan)
    begun = as_begun(found, company.now())
    of_peers = _tried(company, [stand_in(shifted(begun, 1), peer) for peer in peers(company, begun)], begun)
    own = [replace(shifted(begun, k), id=f"{begun.id}#{k}", supports=()) for k in range(1, PAST_WINDOWS + 1)]
    of_past = _tried(company, own, begun)
    imagined = _imagined(company, begun)
    trials = tuple(
        CriterionTrial(
            criterion.id,
            criterion.expectation,
            of_peers[criterion.id] if of_peers[criterion.id].of >= PEERS_AT_LEAST else None,
            of_past[criterion.id],
            imagined[criterion.id].luck,
            goal_of(criterion).minimum,
        )
        for criterion in begun.criteria
    )
    settings = company.config.settings
    parts = [(criterion.weight, imagined[criterion.id]) for criterion in begun.criteria]
    joint = luck.plan_chances(parts, settings.met_at, settings.at_risk_at) or (None, None)
    return Backtest(plan, trials, *joint)


def peers_met(company: Organisation, plan: Plan) -> Mapping[str, tuple[int, int]]:
    """By criterion, how many peers would have met its target in the plan's length before its start, of how many with
    enough data; criteria with fewer than five such peers are left out."""
    tried = _tried(company, [stand_in(shifted(plan, 1), peer) for peer in peers(company, plan)], plan)
    return {name: (each.met, each.of) for name, each in tried.items() if each.of >= PEERS_AT_LEAST}


def shifted(plan: Plan, lengths: int) -> Plan:
    """The plan, moved back by so many times its own length."""
    back = timedelta(days=((plan.end - plan.start).days + 1) * lengths)
    return replace(plan, start=plan.start - back, end=plan.end - back)


def _tried(company: Organisation, plans: Sequence[Plan], plan: Plan) -> Mapping[str, Tried]:
    """For each criterion of `plan`, how many of the plans imagined after it (maybe none) met it when they ended."""
    met: dict[str, list[bool]] = {criterion.id: [] for criterion in plan.criteria}
    by_end: dict[datetime, list[Plan]] = {}
    for plan in plans:
        by_end.setdefault(windows.whole(plan).end, []).append(plan)
    for end, ended in by_end.items():
        for entry in _ended(company, ended, end):
            for criterion in entry["criteria"]:
                if criterion["verdict"] != "not_enough_data":
                    met[criterion["id"]].append(criterion["verdict"] == "met")
    return {id: Tried(sum(found), len(found)) for id, found in met.items()}


def _ended(company: Organisation, plans: Sequence[Plan], end: datetime) -> Json:
    from pipmetrics.score import evaluate

    measured = replace(company.measured(plans, end), acts=Acts(), gaps=())
    return evaluate(plans, measured, end).to_json()["plans"]


def _imagined(company: Organisation, plan: Plan) -> Mapping[str, luck.Imagined]:
    frozen = {each.criterion: each for each in before(company, [plan], windows.whole(plan).start).baselines}
    person = company.config.people[plan.person]
    imagined = {}
    for place, criterion in enumerate(plan.criteria):
        goal = goal_of(criterion)
        gone = calendars.working_days(person.calendar, windows.baseline(plan, criterion.baseline))
        ahead = calendars.working_days(person.calendar, windows.whole(plan))
        scale = ahead / gone if gone else 0.0
        imagined[criterion.id] = luck.imagine(goal, _rows(frozen.get(criterion.id), gone, scale), luck.SEED + place)
    return imagined


def goal_of(criterion: Criterion) -> Goal:
    unit = registry.metric(criterion.metric).unit if criterion.metric else ""
    return registry.criterion(criterion.criterion).goal(criterion, unit)


def _rows(baseline: Baseline | None, working_days: float, scale: float) -> luck.Before:
    measured: Mapping[str, Any] = baseline.measured if baseline else {"values": [], "kinds": [], "exposure": None}
    values = np.array([np.nan if value is None else value for value in measured["values"]], dtype=np.float64)
    exposure = measured["exposure"]
    kinds = np.array(measured["kinds"], dtype=np.float64)
    return luck.Before(values, kinds, working_days if exposure is None else float(exposure), scale)


def _text(found: Backtest) -> Iterator[str]:
    yield f"{found.plan}: its targets, tried before anybody is held to them"
    for each in found.criteria:
        yield f"\n{each.id}: {each.expectation}"
        if each.peers:
            yield f"  peers    {_share(each.peers)} would have met it in the same time before the plan"
        else:
            yield f"  peers    not shown: fewer than {PEERS_AT_LEAST} have enough data"
        yield f"  past     {_share(each.past)} of the person's own earlier windows would have met it"
        yield from _luck(each.luck)
    if found.plan_met_unchanged is not None and found.plan_not_met_though_reached is not None:
        yield "\nThe plan as a whole, its criteria taken as independent of each other"
        yield f"  met though nothing changed: {found.plan_met_unchanged:.1%}"
        yield f"  not met though every target was truly reached: {found.plan_not_met_though_reached:.1%}"
        met, missed = of_100(found.plan_met_unchanged), of_100(found.plan_not_met_though_reached)
        yield f"  in words of 100 people who change nothing, {met} would be found to have met it"
        yield f"           of 100 who reach every target, {missed} would be found not to"


def _share(tried: Tried) -> str:
    if tried.interval is None:
        return "none with enough data"
    low, high = tried.interval
    return f"{tried.met} of {tried.of} (95% range {words.between(low, high, 'share')})"


def _luck(chances: luck.Luck) -> Iterator[str]:
    if chances.met_unchanged is None or chances.short_though_reached is None or chances.not_met_though_reached is None:
        yield "  luck     cannot be simulated: nothing to start from, or a criterion without a statistic"
        return
    yield f"  expected {chances.expected:.0f} samples (or exposure) in the plan's time"
    yield f"  luck     met though nothing changed: {chances.met_unchanged:.1%}"
    yield f"           misses the number though truly reached: {chances.short_though_reached:.1%}"
    yield f"           judged not met though truly reached: {chances.not_met_though_reached:.1%}"
    if chances.told_apart is None:
        yield "  power    the state before meets the target already"
    else:
        yield f"  power    told from no change if truly reached: {chances.told_apart:.1%}"
    yield from _plainly(chances)


def _plainly(chances: luck.Luck) -> Iterator[str]:
    """The same for whoever it is about."""
    if chances.told_apart is None:
        yield "  in words it was good enough before; to meet it again shows no change"
    else:
        met = of_100(chances.met_unchanged)
        yield f"  in words of 100 people who change nothing, {met} would be found to have met it"
    missed, judged = of_100(chances.short_though_reached), of_100(chances.not_met_though_reached)
    yield f"           of 100 who do just what it asks, {missed} would miss the number, and {judged} be judged not met"
    if chances.told_apart is not None and chances.told_apart < LEAST_POWER:
        yield "           too little happens in this time: whether it is met or missed will mostly be luck"


def of_100(share: float | None) -> str:
    """How many of 100; what was simulated never promises none or all."""
    whole = round(100 * (share or 0.0))
    return "fewer than 1" if whole == 0 else "more than 99" if whole == 100 else str(whole)
