"""Numbers -> results: verdicts, words and the plan as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipmetrics import __version__, calendars, windows
from pipmetrics.model import Plan, Verdict, Window
from pipmetrics.plugin import Own, Ratio, Share, Total
from pipmetrics.score import company, words
from pipmetrics.score.cells import Role, microseconds_of, plan_length, weeks_inside
from pipmetrics.score.lines import Line, evaluated, lines_of
from pipmetrics.score.numbers import Measured, Numbers, numbers_of
from pipmetrics.score.record import (
    Contested,
    CriterionResult,
    Estimate,
    Evaluations,
    Guardrail,
    PlanResult,
    Week,
    instant,
)
from pipmetrics.score.verdicts import verdict
from pipmetrics.statistics import TIE

WORSE_AT = 0.025
"""How unlikely a guardrail must be by luck to count as worse: one side of a 95 % interval."""
COVERED_AT_LEAST = 0.6
POINTS: Mapping[Verdict, float] = {
    "met": 1.0, "on_track": 1.0, "at_risk": 0.5, "inconclusive": 0.5, "off_track": 0.0, "not_met": 0.0,
}  # fmt: skip


def evaluate(plans: Iterable[Plan], measured: Measured, as_of: datetime) -> Evaluations:
    """Scores every plan that has begun, drafts left out, in the order given.

    Pure: the same plans, measurements, acts and instant give the same result, to the byte of its JSON. `baselines` of
    the result are those that the ledger does not hold yet and that are to be frozen.
    """
    chosen = evaluated(plans, as_of)
    lines = lines_of(chosen, as_of, measured.acts, measured.metrics)
    numbers = numbers_of(lines, measured, as_of)
    places: dict[str, dict[str, dict[str, int]]] = {}
    for number, line in enumerate(lines):
        places.setdefault(line.plan.id, {}).setdefault(line.outer.id, {})[line.part] = number
    return Evaluations(
        as_of=as_of,
        version=__version__,
        plans=tuple(_plan(plan, places.get(plan.id, {}), numbers, measured, as_of) for plan in chosen),
        baselines=numbers.fresh,
    )


# --- plans --------------------------------------------------------------------------------------------------------


def _plan(
    plan: Plan, places: Mapping[str, Mapping[str, int]], numbers: Numbers, measured: Measured, as_of: datetime
) -> PlanResult:
    results = tuple(_criterion(parts, numbers) for parts in places.values())
    closed = windows.closed(plan, as_of)
    score, coverage = weighted(results)
    contested = any(dispute.plan == plan.id and dispute.state == "open" for dispute in measured.acts.disputes)
    decided = plan_verdict(results, score, coverage, measured.met_at, measured.at_risk_at, closed=closed)
    if closed and contested and decided in ("met", "not_met"):
        decided = "inconclusive"
    supports, check_ins = company.supports(plan, measured.acts, as_of), company.check_ins(plan, measured.acts, as_of)
    away = calendars.share_away(measured.people[plan.person].calendar, windows.to_date(plan, as_of))
    because = company.shortfalls(supports, check_ins, away)
    open_sources = {gap.source for parts in places.values() for n in parts.values() for gap in numbers.gaps.get(n, ())}
    return PlanResult(
        plan=plan.id,
        person=plan.person,
        kind=plan.kind,
        window=windows.whole(plan),
        day=windows.day_of(plan, as_of),
        days=windows.days(plan),
        verdict=decided,
        score=score,
        coverage=coverage,
        recommendation=company.recommendation(decided, because, contested=contested) if closed else None,
        because=(*because, *(["a contested point is not decided yet"] if contested else [])),
        criteria=results,
        incomplete_sources=tuple(sorted(open_sources)),
        supports_due=supports[0],
        supports_delivered=supports[1],
        check_ins_due=check_ins[0],
        check_ins_held=check_ins[1],
        away=away,
    )


def weighted(results: Sequence[CriterionResult]) -> tuple[float, float]:
    """The weighted mean over the criteria that were judged (NaN: none was), and the share of weight that they have."""
    judged = [result for result in results if result.verdict != "not_enough_data"]
    all_weight, weight = sum(result.weight for result in results), sum(result.weight for result in judged)
    if weight <= 0:
        return float("nan"), 0.0
    return sum(POINTS[result.verdict] * result.weight for result in judged) / weight, weight / all_weight


def plan_verdict(
    results: Sequence[CriterionResult],
    score: float,
    coverage: float,
    met_at: float,
    at_risk_at: float,
    *,
    closed: bool,
) -> Verdict:
    """SPEC section 7: coverage first, then (at the end) what is required, then the score."""
    if coverage < COVERED_AT_LEAST - TIE:
        return "not_enough_data"
    required = {result.verdict for result in results if result.required} if closed else set()
    if "not_met" in required:
        return "not_met"
    if "not_enough_data" in required:
        return "not_enough_data"
    if score >= met_at - TIE:
        return "met" if closed else "on_track"
    if score >= at_risk_at - TIE:
        return "inconclusive" if closed else "at_risk"
    return "not_met" if closed else "off_track"


# --- criteria -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Judgement:
    verdict: Verdict
    reason: str | None
    note: str | None


def _criterion(parts: Mapping[str, int], numbers: Numbers) -> CriterionResult:
    number = parts["criterion"]
    line = numbers.lines[number]
    guardrail = _guardrail(parts.get("guardrail"), numbers)
    contested = _contested(parts.get("without"), number, numbers)
    judged = _judge(number, numbers, guardrail, contested)
    unknown, thin = number in numbers.strangers, judged.verdict == "not_enough_data"
    main = int(numbers.table.at[Role.MAIN][number])
    baseline = int(numbers.table.at[Role.BASELINE][number])
    return CriterionResult(
        id=line.outer.id,
        expectation=line.outer.expectation,
        metric=line.criterion.metric,
        criterion=line.criterion.criterion,
        window=line.moments.main,
        estimate=NOBODY if unknown else _estimate(main, numbers),
        unit=line.goal.unit,
        target=float(numbers.targets[number]),
        at_least=line.goal.at_least,
        baseline=_baseline(number, baseline, numbers),
        verdict=judged.verdict,
        reason=judged.reason,
        note=judged.note,
        progress=float("nan") if unknown else progress(number, numbers),
        needed=_needed(number, main, numbers),
        projection=None if thin else _projection(number, numbers),
        change=float("nan") if unknown else _change(number, main, numbers),
        chance=float("nan") if unknown else float(numbers.prospects.chances[number]),
        counted=0 if unknown else int(numbers.counted[number]),
        excluded=0 if unknown else int(numbers.excluded[number]),
        pending=0 if unknown else int(numbers.pending[number]),
        weight=line.outer.weight,
        required=line.outer.required,
        contested=contested,
        guardrail=guardrail,
        weeks=() if unknown else _weeks(number, numbers),
    )


NOBODY = Estimate(float("nan"), 0.0, (float("nan"), float("nan")))


def _judge(number: int, numbers: Numbers, guardrail: Guardrail | None, contested: Contested | None) -> _Judgement:
    line = numbers.lines[number]
    found = _verdict(number, numbers)
    if found == "not_enough_data":
        return _Judgement(found, _why_not(number, numbers), None)
    note = _note(line, guardrail)
    if guardrail is not None and guardrail.worse and found in ("met", "on_track"):
        found = "inconclusive" if line.moments.closed else "at_risk"
    if line.moments.closed and contested is not None and found in ("met", "not_met"):
        points = len(contested.keys)
        said = "a contested point is" if points == 1 else f"{points} contested points are"
        return _Judgement("inconclusive", f"{said} not decided yet: {contested.text}", note)
    return _Judgement(found, None, note)


def _verdict(number: int, numbers: Numbers, like: int | None = None) -> Verdict:
    """`like`: the line whose reach stands for this one's."""
    line = numbers.lines[number]
    main = int(numbers.table.at[Role.MAIN][number])
    bare = np.isnan(numbers.results.low[main]) or np.isnan(numbers.results.high[main])
    within = None if bare and not isinstance(line.goal.form, Ratio) else bool(bare or numbers.contained[number])
    return verdict(
        enough=bool(numbers.enoughs[number]),
        meets=bool(numbers.met[number]),
        inside=within,
        reachable=bool(numbers.prospects.reachable[number if like is None else like]),
        closed=line.moments.closed,
    )


def _why_not(number: int, numbers: Numbers) -> str:
    line, main = numbers.lines[number], int(numbers.table.at[Role.MAIN][number])
    if number in numbers.strangers:
        return f"identity: no account on {', '.join(numbers.strangers[number])}"
    if number in numbers.gaps:
        said = [
            f"{gap.source}{'' if gap.since is None else ' since ' + instant(gap.since)} ({gap.part}: {gap.reason})"
            for gap in numbers.gaps[number]
        ]
        return f"source incomplete: {'; '.join(said)}"
    if line.moments.main.start >= line.moments.main.end:
        return "no complete week yet" if line.criterion.window == "week" else "the plan has only begun"
    return _thin(number, main, numbers)


def _thin(number: int, main: int, numbers: Numbers) -> str:
    line, results = numbers.lines[number], numbers.results
    form, n, least = line.goal.form, results.n[main], line.goal.minimum
    exposed = isinstance(form, Ratio) or (isinstance(form, Total) and form.per is not None)
    of = f"{(line.per or 'working days').replace('_', ' ')}" if exposed else "samples"
    if isinstance(form, Own):
        return "too little was recorded to judge it"
    if np.isnan(n) or n < least:
        return f"{words.amount(float(np.nan_to_num(n)), '')} of the {words.amount(least, '')} {of} that a verdict needs"
    if isinstance(form, Ratio):
        base = int(numbers.table.at[Role.BASELINE][number])
        if base < 0:
            return "there is no baseline to compare with"
        before = results.exposure[base]
        if np.isnan(before) or before < least:
            said = words.amount(float(np.nan_to_num(before)), "")
            return f"{said} of the {words.amount(least, '')} {of} that a verdict needs before the plan"
        return "nothing to reduce: no event in the baseline"
    return "nothing was counted"


def _note(line: Line, guardrail: Guardrail | None) -> str | None:
    if guardrail is not None and guardrail.worse:
        now = words.amount(guardrail.estimate.value, guardrail.unit)
        before = words.amount(guardrail.baseline.value, guardrail.unit) if guardrail.baseline else "–"
        return f"{guardrail.metric} got worse than before the plan: {now} against {before}"
    return "the interval of the slope is approximate" if line.criterion.criterion == "trend" else None


def _estimate(cell: int, numbers: Numbers) -> Estimate:
    results = numbers.results
    span = float(results.low[cell]), float(results.high[cell])
    return Estimate(float(results.value[cell]), float(results.n[cell]), span)


def _baseline(number: int, cell: int, numbers: Numbers) -> tuple[Estimate, Window] | None:
    if cell < 0 or not np.isfinite(numbers.results.n[cell]):
        return None
    line = numbers.lines[number]
    counts = isinstance(line.goal.form, Total) and line.goal.form.per is None
    if numbers.results.n[cell] <= 0 and not counts:
        return None
    return _estimate(cell, numbers), numbers.baselines[number].window


def progress(number: int, numbers: Numbers) -> float:
    """The part of the way from baseline to target: 1 at the target, negative when it is worse than before.

    Counts are compared by length of time, reductions start at 0. Where the baseline was good enough already there is no
    way to go: 1 while the target is met, else NaN.
    """
    line, results = numbers.lines[number], numbers.results
    main, base = (int(numbers.table.at[role][number]) for role in (Role.MAIN, Role.BASELINE))
    if base < 0:
        return float("nan")
    value, target, before = float(results.value[main]), float(numbers.targets[number]), float(results.value[base])
    if isinstance(line.goal.form, Ratio):
        before = 0.0
    elif isinstance(line.goal.form, Total) and line.goal.form.per is None:
        value /= max(microseconds_of(line.moments.main), 1.0)
        target /= plan_length(line)
        before /= max(microseconds_of(numbers.baselines[number].window), 1.0)
    if not np.isfinite([value, target, before]).all():
        return float("nan")
    way = target - before if line.goal.at_least else before - target
    if way <= 0:
        return 1.0 if numbers.met[number] else float("nan")
    return (value - before) / (target - before)


def _needed(number: int, main: int, numbers: Numbers) -> str | None:
    line = numbers.lines[number]
    if not isinstance(line.goal.form, Own):
        return numbers.prospects.needed.get(number)
    if line.moments.closed or not numbers.enoughs[number] or numbers.met[number]:
        return None
    return numbers.own.needed.get(main) if numbers.prospects.reachable[number] else words.nothing(line, 0, 0, 0)


def _projection(number: int, numbers: Numbers) -> tuple[float, tuple[float, float]] | None:
    made = numbers.prospects.projections
    value, span = float(made.value[number]), (float(made.low[number]), float(made.high[number]))
    return None if np.isnan(value) else (value, span)


def _change(number: int, main: int, numbers: Numbers) -> float:
    earlier = int(numbers.table.at[Role.EARLIER][number])
    values = numbers.results.value
    if earlier < 0 or not (np.isfinite(values[main]) and np.isfinite(values[earlier])):
        return float("nan")
    return float(values[main] - values[earlier])


def _weeks(number: int, numbers: Numbers) -> tuple[Week, ...]:
    """The criterion week by week; of a streak or a trend the weeks of its inner criterion."""
    line = numbers.lines[number]
    moments, inner = line.moments, line.inner >= 0
    first, after = numbers.table.weeks[line.inner if inner else number].tolist()
    spans = weeks_inside(moments.weeks, moments.main) if inner else moments.started
    before = moments.weeks.index(spans[0]) if inner and spans else 0
    return tuple(
        Week(before + k + 1, week, before + k < len(moments.weeks) and week.end == moments.weeks[before + k].end,
             _estimate(cell, numbers), None if np.isnan(numbers.results.value[cell]) else bool(numbers.reached[cell]))
        for k, (week, cell) in enumerate(zip(spans, range(first, after), strict=False))
    )  # fmt: skip


# --- beside a criterion -------------------------------------------------------------------------------------------


def _guardrail(number: int | None, numbers: Numbers) -> Guardrail | None:
    if number is None:
        return None
    line = numbers.lines[number]
    main, base = (int(numbers.table.at[role][number]) for role in (Role.MAIN, Role.BASELINE))
    chance = float(numbers.prospects.worse[number])
    held = _baseline(number, base, numbers)
    clear = number not in numbers.strangers and number not in numbers.gaps
    found = verdict(
        enough=bool(numbers.enoughs[number]),
        meets=bool(numbers.met[number]),
        inside=bool(numbers.contained[number]),
        reachable=True,
        closed=line.moments.closed,
    )
    return Guardrail(
        metric=line.criterion.metric,
        criterion=line.criterion.criterion,
        unit=line.goal.unit,
        estimate=NOBODY if number in numbers.strangers else _estimate(main, numbers),
        target=line.goal.target,
        at_least=line.goal.at_least,
        baseline=None if held is None else held[0],
        verdict=found,
        worse=clear and held is not None and chance < WORSE_AT,
        chance=chance,
    )


def _contested(number: int | None, original: int, numbers: Numbers) -> Contested | None:
    if number is None:
        return None
    line = numbers.lines[number]
    main, without = (int(numbers.table.at[Role.MAIN][each]) for each in (original, number))
    points = len(line.contested)
    fewer = "the contested one" if points == 1 else f"the {points} contested ones"
    return Contested(
        keys=tuple(sorted(line.contested)),
        without=_estimate(without, numbers),
        verdict=_verdict(number, numbers, like=original),
        text=f"{_said(line, main, numbers)}; {_said(line, without, numbers)} without {fewer}",
    )


def _said(line: Line, cell: int, numbers: Numbers) -> str:
    """A value in few words: 17 of 20, or the number in its unit."""
    results = numbers.results
    if isinstance(line.goal.form, Share):
        return f"{words.amount(float(results.k[cell]), '')} of {words.amount(float(results.n[cell]), '')}"
    value = float(results.value[cell])
    return "nothing" if np.isnan(value) else words.amount(value, line.goal.unit)
