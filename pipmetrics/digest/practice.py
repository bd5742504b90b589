"""The facts of a company's practice with improvement plans: each a count of a count, with the mark it is held to.

Facts about fewer than five people are not shown: `Fact.shown` is false and nothing is concluded from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from pipmetrics import windows
from pipmetrics.model import Acts, Json, Plan
from pipmetrics.score import company

PEOPLE_AT_LEAST = 5
COACHED_BEFORE = timedelta(weeks=8)
FROZEN_WITHIN = timedelta(days=7)
FEW_PEERS = 0.5
"""A target that fewer than this share of the peers would meet deserves a second look."""


@dataclass(frozen=True, slots=True)
class Decision:
    """How a plan was decided: `outcome` is met by the decider's own words, `followed` whether it is what the engine
    recommended (None: it recommended nothing)."""

    plan: str
    outcome: str
    at: datetime
    followed: bool | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One formal plan with all that is known of it."""

    plan: Plan
    entry: Json
    coaching: Plan | None
    first_check_in: int | None
    checked: bool
    hard: bool
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Fact:
    """`good` of `of` (things of `people` different people), held to `mark` (a share; None: no mark is set).

    `at_most`: the share must not exceed the mark.
    """

    id: str
    title: str
    good: int
    of: int
    people: int
    mark: float | None = None
    at_most: bool = False

    @property
    def shown(self) -> bool:
        return self.people >= PEOPLE_AT_LEAST and self.of > 0

    @property
    def share(self) -> float | None:
        return self.good / self.of if self.shown else None

    @property
    def holds(self) -> bool | None:
        """Whether the mark is reached; None when too few people are behind the fact to say."""
        if self.share is None or self.mark is None:
            return None
        return self.share <= self.mark if self.at_most else self.share >= self.mark

    def to_json(self) -> Json:
        told = {"id": self.id, "title": self.title, "mark": self.mark, "holds": self.holds}
        return {**told, "good": self.good if self.shown else None, "of": self.of if self.shown else None}


def cases(
    entries: Sequence[Json],
    plans: Sequence[Plan],
    acts: Acts,
    decisions: Sequence[Decision],
    backtests: Sequence[Json],
) -> list[Case]:
    """The formal plans that were evaluated. Of several decisions of a plan the last one counts."""
    known = {plan.id: plan for plan in plans}
    decided = {each.plan: each for each in sorted(decisions, key=lambda each: each.at)}
    tried = {each["plan"]: each for each in backtests}
    found = []
    for entry in entries:
        plan = known.get(entry["plan"])
        if plan is None or plan.kind != "pip":
            continue
        before = known.get(plan.preceded_by or "")
        found.append(
            Case(
                plan,
                entry,
                before if before is not None and before.kind == "coaching" else None,
                _first_check_in(plan, acts),
                plan.id in tried,
                _hard(tried.get(plan.id)),
                decided.get(plan.id),
            )
        )
    return found


def _first_check_in(plan: Plan, acts: Acts) -> int | None:
    """Days from the start to the first check-in that was held."""
    held = [act.day for act in acts.check_ins if act.plan == plan.id and act.held and act.day >= plan.start]
    return (min(held) - plan.start).days if held else None


def _hard(tried: Json | None) -> bool:
    """Whether few of the peers would meet one of the targets."""
    peers = [each["peers"] for each in (tried or {}).get("criteria", ()) if each.get("peers")]
    return any(each["of"] >= PEOPLE_AT_LEAST and each["met"] / each["of"] < FEW_PEERS for each in peers)


def coached(case: Case) -> bool:
    """Whether coaching of another plan began eight weeks or more before day 1."""
    return case.coaching is not None and case.plan.start - case.coaching.start >= COACHED_BEFORE


def people_of(chosen: Sequence[Case]) -> int:
    return len({case.plan.person for case in chosen})


def count(
    name: str,
    title: str,
    chosen: Sequence[Case],
    good: Callable[[Case], bool],
    mark: float | None = None,
    *,
    at_most: bool = False,
) -> Fact:
    """A fact that each plan has or has not."""
    return Fact(name, title, sum(map(good, chosen)), len(chosen), people_of(chosen), mark, at_most)


def total(
    name: str, title: str, chosen: Sequence[Case], pair: Callable[[Case], tuple[int, int]], mark: float | None = None
) -> Fact:
    """A fact that each plan has a count of: good ones and all. Plans without any are no part of it."""
    counted = [(case, pair(case)) for case in chosen]
    some = [(case, numbers) for case, numbers in counted if numbers[1]]
    good, of = sum(numbers[0] for _, numbers in some), sum(numbers[1] for _, numbers in some)
    return Fact(name, title, good, of, people_of([case for case, _ in some]), mark)


def check_ins(case: Case) -> tuple[int, int]:
    return case.entry["check_ins"]["held"], case.entry["check_ins"]["due"]


def supports(case: Case) -> tuple[int, int]:
    return case.entry["supports"]["delivered"], case.entry["supports"]["due"]


def thin(case: Case) -> tuple[int, int]:
    """Criteria without enough data, and all."""
    criteria = case.entry["criteria"]
    return sum(each["verdict"] == "not_enough_data" for each in criteria), len(criteria)


def measurable(case: Case) -> tuple[int, int]:
    """Criteria that name a metric of the tools, a target and a least sample."""
    numbers = {each["id"]: each["target"] is not None for each in case.entry["criteria"]}
    criteria = case.plan.criteria
    good = [
        each for each in criteria if each.metric != "attested" and each.minimum >= 1 and numbers.get(each.id, False)
    ]
    return len(good), len(criteria)


def frozen(acts: Acts) -> Callable[[Case], bool]:
    """Whether the baseline of every criterion that is compared with one was recorded in the plan's first week."""
    recorded = {(each.plan, each.criterion): each.at for each in acts.baselines}

    def all_frozen(case: Case) -> bool:
        latest = windows.first_instant(case.plan.start, case.plan.timezone) + FROZEN_WITHIN
        compared = [each["id"] for each in case.entry["criteria"] if each["baseline"]]
        return all(recorded.get((case.plan.id, each), latest + FROZEN_WITHIN) <= latest for each in compared)

    return all_frozen


def promised(case: Case) -> bool:
    return bool(case.plan.supports)


def weekly(case: Case) -> bool:
    """Whether a check-in is promised for each week."""
    return bool(company.check_in_days(case.plan)) and case.plan.check_in_weeks == 1


def until_first_check_in(chosen: Sequence[Case]) -> float | None:
    """Median days to the first check-in; None when too few people had one."""
    days = {case.plan.id: case.first_check_in for case in chosen if case.first_check_in is not None}
    known = [case for case in chosen if case.plan.id in days]
    return float(median(days.values())) if people_of(known) >= PEOPLE_AT_LEAST else None


def verdict_counts(chosen: Sequence[Case]) -> Mapping[str, int]:
    """How many plans have each verdict; empty when too few people are behind them."""
    if people_of(chosen) < PEOPLE_AT_LEAST:
        return {}
    counts: dict[str, int] = {}
    for case in chosen:
        counts[case.entry["verdict"]] = counts.get(case.entry["verdict"], 0) + 1
    return counts


def ended(case: Case, as_of: datetime) -> bool:
    return windows.closed(case.plan, as_of)


def recently(case: Case, today: date) -> bool:
    """Whether it ended within the last twelve months."""
    return case.plan.end > today - timedelta(days=365)
