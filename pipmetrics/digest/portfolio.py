"""How a company practises improvement plans: is it fair, does it keep its own side, how ripe is the practice.

Computed from what is on record, never from a survey, and without names: aggregates of fewer than five people are not
shown. Coaching is private; it counts only as what came before a formal plan. `named` (for HR, who may see the plans)
adds the plans behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipmetrics.digest import portfolio_view, words
from pipmetrics.digest import practice as facts
from pipmetrics.digest.html import Surroundings, page
from pipmetrics.digest.practice import Case, Decision, Fact
from pipmetrics.digest.words import clean
from pipmetrics.model import Acts, Json, Person, Plan

__all__ = ["Decision", "Portfolio", "portfolio"]

Level = Literal["ad hoc", "standardized", "optimized", "too few to say"]
NO_DATA_AT_MOST = 0.2
OVERRIDES_AT_MOST = 0.2


@dataclass(frozen=True, slots=True)
class Look:
    """A reason for a second look, how many plans it holds for, and (for those who may see them) which."""

    reason: str
    why: str
    count: int
    plans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One active formal plan, for those who may see it."""

    plan: str
    name: str
    manager: str
    verdict: str
    day: int
    days: int
    criteria: tuple[str, ...]
    check_ins: str
    supports: str
    coached: str
    disputes: int


@dataclass(frozen=True, slots=True)
class Portfolio:
    """`active` and `ended` count plans and are None where fewer than five people are behind them."""

    as_of: datetime
    people: int
    active: int | None
    ended: int | None
    verdicts: Mapping[str, int]
    outcomes: tuple[tuple[str, int], ...]
    tiles: tuple[Fact, ...]
    more: tuple[Fact, ...]
    first_check_in: float | None
    level: Level
    standardized: tuple[Fact, ...]
    optimized: tuple[Fact, ...]
    looks: tuple[Look, ...]
    lines: tuple[Line, ...]

    def to_json(self) -> Json:
        """Plain JSON; null stands for what too few people are behind."""
        return {
            "as_of": self.as_of.isoformat().replace("+00:00", "Z"),
            "active": self.active,
            "ended": self.ended,
            "verdicts": dict(self.verdicts),
            "outcomes": dict(self.outcomes),
            "facts": [fact.to_json() for fact in (*self.tiles, *self.more)],
            "days_to_first_check_in": self.first_check_in,
            "maturity": {
                "level": self.level,
                "standardized": [fact.to_json() for fact in self.standardized],
                "optimized": [fact.to_json() for fact in self.optimized],
            },
            "second_look": [
                {"reason": look.reason, "why": look.why, "count": look.count, **_if("plans", list(look.plans))}
                for look in self.looks
            ],
            **_if("plans", [_line_json(line) for line in self.lines]),
        }

    def to_text(self) -> str:
        return "\n".join(portfolio_view.text(self)) + "\n"

    def to_html(self, *, reader: str = "", whole: bool = True, around: Surroundings | None = None) -> str:
        """The page; `whole`: with its style inside."""
        given = around or Surroundings(here="Portfolio")
        return page(
            "portfolio.html.j2", whole=whole, around=given, reader=clean(reader), **portfolio_view.view(self, given)
        )


def _if(key: str, value: Sequence[Json]) -> Json:
    return {key: value} if value else {}


def _line_json(line: Line) -> Json:
    return {"plan": line.plan, "verdict": line.verdict, "day": line.day, "days": line.days, "disputes": line.disputes}


def portfolio(
    evaluations: Json,
    plans: Sequence[Plan],
    people: Mapping[str, Person],
    acts: Acts,
    decisions: Sequence[Decision] = (),
    backtests: Sequence[Json] = (),
    *,
    named: bool = False,
) -> Portfolio:
    """The practice as of the evaluations (the document of SPEC section 10). `backtests` are their JSON, by plan."""
    as_of = words.instant(evaluations["as_of"])
    chosen = facts.cases(evaluations["plans"], plans, acts, decisions, backtests)
    done = [case for case in chosen if facts.ended(case, as_of)]
    active = [case for case in chosen if not facts.ended(case, as_of)]
    closed = [case for case in done if facts.recently(case, as_of.date())]
    standardized, optimized = _standardized(chosen, acts), _optimized(chosen)
    return Portfolio(
        as_of=as_of,
        people=len(people),
        active=_enough(active),
        ended=_enough(closed),
        verdicts=facts.verdict_counts(active),
        outcomes=_outcomes(closed),
        tiles=_tiles(chosen, closed),
        more=_more(chosen),
        first_check_in=facts.until_first_check_in(chosen),
        level=_level(standardized, optimized),
        standardized=standardized,
        optimized=optimized,
        looks=_looks(active, named=named) if named or facts.people_of(active) >= facts.PEOPLE_AT_LEAST else (),
        lines=tuple(_lines(active, people, acts)) if named else (),
    )


def _enough(chosen: Sequence[Case]) -> int | None:
    return len(chosen) if facts.people_of(chosen) >= facts.PEOPLE_AT_LEAST else None


def _tiles(chosen: Sequence[Case], closed: Sequence[Case]) -> tuple[Fact, ...]:
    return (
        facts.count("coached", "Preceded by coaching", chosen, lambda case: case.coaching is not None, 0.9),
        facts.total("supports", "Support delivered when due", chosen, facts.supports, 0.9),
        facts.total("check_ins", "Check-ins held", chosen, facts.check_ins, 0.85),
        facts.count("met", "Closed with criteria met", closed, lambda case: case.entry["verdict"] == "met"),
    )


def _thin(chosen: Sequence[Case], mark: float | None = None) -> Fact:
    found = facts.total("no_data", "Verdicts without enough data", chosen, facts.thin)
    return Fact(found.id, found.title, found.good, found.of, found.people, mark, at_most=True)


def _overridden(chosen: Sequence[Case], mark: float | None = None) -> Fact:
    decided = [case for case in chosen if case.decision is not None and case.decision.followed is not None]
    title = "Decisions against the recommendation"
    return facts.count(
        "overrides", title, decided, lambda case: not (case.decision and case.decision.followed), mark, at_most=True
    )


def _more(chosen: Sequence[Case]) -> tuple[Fact, ...]:
    return _thin(chosen), _overridden(chosen)


def _standardized(chosen: Sequence[Case], acts: Acts) -> tuple[Fact, ...]:
    return (
        facts.count("frozen", "Baseline frozen in the first week", chosen, facts.frozen(acts), 1.0),
        facts.total(
            "measurable", "Criteria with a number, a source and a least sample", chosen, facts.measurable, 0.95
        ),
        facts.count("weekly", "Weekly check-ins written into the plan", chosen, facts.weekly, 1.0),
        facts.total("check_ins", "Check-ins held", chosen, facts.check_ins, 0.85),
        facts.count("promised", "Support written into the plan", chosen, facts.promised, 1.0),
    )


def _optimized(chosen: Sequence[Case]) -> tuple[Fact, ...]:
    return (
        facts.count("coached_8", "Preceded by 8 weeks of coaching or more", chosen, facts.coached, 0.9),
        facts.total("supports", "Support delivered when due", chosen, facts.supports, 0.9),
        facts.count("checked", "Targets tried on peers", chosen, lambda case: case.checked, 0.95),
        _thin(chosen, NO_DATA_AT_MOST),
        _overridden(chosen, OVERRIDES_AT_MOST),
    )


def _level(standardized: Sequence[Fact], optimized: Sequence[Fact]) -> Level:
    """A level is reached when each of its facts that can be told holds, and most of them can be told."""
    if not _tellable(standardized):
        return "too few to say"
    if any(fact.holds is False for fact in standardized):
        return "ad hoc"
    return (
        "optimized" if _tellable(optimized) and all(fact.holds is not False for fact in optimized) else "standardized"
    )


def _tellable(chosen: Sequence[Fact]) -> bool:
    return sum(fact.holds is not None for fact in chosen) > len(chosen) / 2


def _outcomes(closed: Sequence[Case]) -> tuple[tuple[str, int], ...]:
    """How plans ended: as decided, else as recommended; the most frequent first."""
    if facts.people_of(closed) < facts.PEOPLE_AT_LEAST:
        return ()
    counts: dict[str, int] = {}
    for case in closed:
        waiting = f"Not decided yet; recommended: {str(case.entry['recommendation'] or 'nothing').replace('_', ' ')}"
        said = clean(case.decision.outcome).replace("_", " ") if case.decision else waiting
        said = said[:1].upper() + said[1:]
        counts[said] = counts.get(said, 0) + 1
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


REASONS: tuple[tuple[str, str, Callable[[Case], bool]], ...] = (
    (
        "no support is promised",
        "The company promises nothing and can only watch.",
        lambda case: not facts.promised(case),
    ),
    ("no coaching came before", "The first word about it was a formal one.", lambda case: case.coaching is None),
    (
        "few peers would meet a target",
        "What most of the team would miss says little about one person.",
        lambda case: case.hard,
    ),
    (
        "support is late",
        "The verdict says little until the promises are kept.",
        lambda case: _behind(facts.supports(case)),
    ),
    (
        "check-ins were missed",
        "Nobody may have said in time how things stand.",
        lambda case: _behind(facts.check_ins(case)),
    ),
)


def _behind(pair: tuple[int, int]) -> bool:
    """Whether less than three quarters of what was due was done."""
    return pair[1] > 0 and pair[0] < 0.75 * pair[1]


def _looks(active: Sequence[Case], *, named: bool) -> tuple[Look, ...]:
    found = []
    for reason, why, holds in REASONS:
        hit = [case.plan.id for case in active if holds(case)]
        if hit:
            found.append(Look(reason, why, len(hit), tuple(sorted(hit)) if named else ()))
    return tuple(found)


def _of(pair: tuple[int, int]) -> str:
    return f"{pair[0]} of {pair[1]} due" if pair[1] else "none due"


def _lines(active: Sequence[Case], people: Mapping[str, Person], acts: Acts) -> Iterator[Line]:
    def family(case: Case) -> tuple[list[str], str]:
        name = people[case.plan.person].name
        return name.split()[-1:], name

    for case in sorted(active, key=family):
        plan, entry = case.plan, case.entry
        manager = people[plan.manager].name if plan.manager in people else plan.manager
        weeks = (plan.start - case.coaching.start).days // 7 if case.coaching else 0
        yield Line(
            plan=plan.id,
            name=clean(people[plan.person].name),
            manager=clean(manager),
            verdict=entry["verdict"],
            day=entry["day"],
            days=entry["days"],
            criteria=tuple(each["verdict"] for each in entry["criteria"]),
            check_ins="{} of {}".format(*facts.check_ins(case)),
            supports=_of(facts.supports(case)),
            coached=words.count(weeks, "week") if case.coaching else "no",
            disputes=sum(act.plan == plan.id and act.state == "open" for act in acts.disputes),
        )
