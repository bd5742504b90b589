"""SPEC section 7's verdicts and what stands beside them, for one criterion and for the plan."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pipmetrics.model import Criterion, Plan
from tests.oracle import formulas
from tests.oracle.clocks import working_days
from tests.oracle.formulas import Interval
from tests.oracle.scores import QUANTILES, UNITS, Company, Line, Number

Told = dict[str, Any]


def evaluate(company: Company, plan: Plan, as_of: datetime) -> Told:
    """The plan's part of the JSON, as far as SPEC fixes it."""
    criteria = [criterion_told(company, plan, criterion, as_of) for criterion in plan.criteria]
    closed = Line(company, plan, plan.criteria[0], as_of).closed
    points = {"met": 1.0, "on_track": 1.0, "at_risk": 0.5, "inconclusive": 0.5, "off_track": 0.0, "not_met": 0.0}
    if any("|" in c["verdict"] for c in criteria):
        return {"plan": plan.id, "criteria": criteria}
    judged = [
        (points[c["verdict"]], w.weight) for c, w in zip(criteria, plan.criteria, strict=True) if c["verdict"] in points
    ]
    weight, judged_weight = sum(c.weight for c in plan.criteria), sum(w for _, w in judged)
    score = sum(p * w for p, w in judged) / judged_weight if judged_weight else None
    coverage = judged_weight / weight
    required = {c["verdict"] for c, w in zip(criteria, plan.criteria, strict=True) if w.required and closed}
    told = _plan_verdict(score, coverage, closed, required)
    return {"plan": plan.id, "verdict": told, "score": score, "coverage": coverage, "criteria": criteria}


def _plan_verdict(score: float | None, coverage: float, closed: bool, required: set[str]) -> str:
    if score is None or coverage < 0.6:
        return "not_enough_data"
    if "not_met" in required:
        return "not_met"
    if "not_enough_data" in required:
        return "not_enough_data"
    if score >= 0.8:
        return "met" if closed else "on_track"
    if score >= 0.5:
        return "inconclusive" if closed else "at_risk"
    return "not_met" if closed else "off_track"


def criterion_told(company: Company, plan: Plan, criterion: Criterion, as_of: datetime) -> Told:
    line = Line(company, plan, criterion, as_of)
    if criterion.criterion == "streak":
        return _streak(line)
    if criterion.criterion == "trend":
        return _trend(line)
    if criterion.criterion in ("reduction", "increase"):
        return _ratio(line)
    span = line.window()
    now, before = line.number(span, as_of), line.number(line.baseline_window(), line.begin)
    told = verdict(line, now, line.meets(now.value)) if span[0] < span[1] else "not_enough_data"
    found = {
        **_common(line, span, now),
        "value": now.value,
        "n": now.n,
        "interval": now.interval,
        "baseline": (before.value, before.n) if before.value is not None or before.n else None,
        "verdict": told,
        "change": _change(line, now.value),
    }
    if line.statistic() not in ("count", "total"):  # spans of two lengths: SPEC does not say how they compare
        found["progress"] = _progress(line, now.value, before.value)
        if not now.sample.ages and not before.sample.ages:  # nor what Mann-Whitney makes of open items
            found["chance"] = _chance(line, now, before)
    if line.criterion.window == "plan" and told in ("on_track", "at_risk", "off_track"):
        ahead = projection(line, now)
        found |= {} if ahead is None else {"projection": ahead}
    return found


def _common(line: Line, span: tuple[datetime, datetime], now: Number) -> Told:
    states = {"counted": now.counted, "excluded": now.excluded, "pending": now.pending}
    return {"id": line.criterion.id, "window": span, "target": line.target()[0], **states}


def verdict(line: Line, now: Number, meets: bool) -> str:
    """By the interval that the reader sees."""
    if not now.enough:
        return "not_enough_data"
    if meets:
        return "met" if line.closed else "on_track"
    target = line.target()[0]
    contains = now.interval is not None and now.interval[0] <= target <= now.interval[1]
    if line.closed:
        return "inconclusive" if contains else "not_met"
    contains |= now.interval is None  # nothing excludes the target: whether it can still be reached decides
    if contains and line.criterion.window != "plan":
        return "at_risk|off_track"  # how far "samples so far" reach in a window that moves, SPEC leaves open
    return "at_risk" if contains and line.reachable(now) else "off_track"


def _progress(line: Line, value: float | None, before: float | None) -> float | None:
    """Of the way from the baseline; where that was good enough there is none to go."""
    target, at_least = line.target()
    if value is None or before is None:
        return None
    if (before >= target) if at_least else (before <= target):
        return 1.0 if line.meets(value) else None
    return (value - before) / (target - before)


def _change(line: Line, value: float | None) -> float | None:
    """Against the same criterion one week earlier, as it was known then."""
    earlier = Line(line.company, line.plan, line.criterion, line.back(line.as_of, 7))
    if earlier.as_of <= line.begin or value is None:
        return None
    before = earlier.number(earlier.window(), earlier.as_of).value
    return None if before is None else value - before


def _chance(line: Line, now: Number, before: Number) -> float | None:
    kind, more = line.statistic(), line.target()[1]
    if not now.n or not before.n:
        return None
    if kind == "share":
        return formulas.fisher(now.hits, now.n - now.hits, before.hits, before.n - before.hits, more=more)
    if kind == "rate":
        return formulas.conditional_binomial(now.hits, now.n, before.hits, before.n, more=more)
    if UNITS.get(line.criterion.metric) is not None and kind not in ("count", "total"):
        return formulas.mann_whitney(now.sample.values, before.sample.values, more=more)
    return None


def _ratio(line: Line) -> Told:
    """How far the rate fell or rose against the baseline's."""
    span, criterion = line.window(), line.criterion
    now, before = line.number(span, line.as_of), line.number(line.baseline_window(), line.begin)
    sign = -1 if criterion.criterion == "increase" else 1
    value: float | None = None
    interval = None
    if now.n and before.n and before.hits:
        value = sign * (1 - (now.hits / now.n) / (before.hits / before.n))
        low, high = formulas.rate_ratio(now.hits, now.n, before.hits, before.n)
        interval = (1 - high, 1 - low) if sign > 0 else (low - 1, high - 1)
    enough = value is not None and min(now.n, before.n) >= criterion.minimum
    both = replace(now, value=value, interval=interval, enough=enough)
    return {
        **_common(line, span, both),
        "value": value,
        "n": now.n,
        **({"interval": interval} if value is not None else {}),
        "baseline": (before.value, before.n) if before.n else None,
        "verdict": _ratio_verdict(line, both, before, sign),
        "chance": None
        if value is None
        else formulas.conditional_binomial(now.hits, now.n, before.hits, before.n, more=sign < 0),
    }


def _ratio_verdict(line: Line, now: Number, before: Number, sign: int) -> str:
    told = verdict(line, now, line.meets(now.value))
    if told in ("at_risk", "off_track") and line.criterion.window != "plan":
        return told
    if told == "at_risk" or (told == "off_track" and now.interval is not None):
        target, further = line.target()[0], math.ceil(now.n * line.left_over_gone() - 1e-9)
        best = 1 - (now.hits / (now.n + further)) / (before.hits / before.n)
        contains = now.interval is not None and now.interval[0] <= target <= now.interval[1]
        return "at_risk" if contains and (sign < 0 or best >= target) else "off_track"
    return told


def _weekly(line: Line, inner: Criterion) -> list[tuple[int, Line, Number]]:
    """The inner criterion in every complete plan week."""
    each = Line(line.company, line.plan, inner, line.as_of)
    return [(week, each, each.number(span, line.as_of)) for week, span in enumerate(line.weeks(), 1)]


def _streak(line: Line) -> Told:
    inner: Criterion = line.criterion.parameters["of"]
    wanted, run, best, judged = int(line.criterion.parameters["weeks"]), 0, 0, 0
    for _, each, number in _weekly(line, inner):
        if number.enough and number.n >= inner.minimum:
            judged += 1
            run = run + 1 if each.meets(number.value) else 0
            best = max(best, run)
    left = line.weeks_in_all() - len(line.weeks())
    if line.closed:
        told = "met" if best >= wanted else "not_met"
    else:
        told = "on_track" if best >= wanted else "at_risk" if run + left >= wanted else "off_track"
    if judged < (wanted if line.closed else 1):  # weeks without a number are no weeks that failed
        told = "not_enough_data"
    return {"id": line.criterion.id, "value": best, "interval": None, "target": wanted, "verdict": told}


def _trend(line: Line) -> Told:
    parameters = line.criterion.parameters
    weekly_statistic = {"statistic": parameters.get("statistic") or "median", "at_most": 0.0}
    inner = replace(line.criterion, criterion="threshold", parameters=weekly_statistic, minimum=1)
    weekly = [(week, n.value) for week, _, n in _weekly(line, inner) if n.value is not None]
    if len(weekly) < 2:
        return {"id": line.criterion.id, "value": None, "interval": None, "verdict": "not_enough_data"}
    slope, low, high = formulas.theil_sen(weekly)
    tau, p = formulas.kendall(weekly)
    sign = 1 if parameters["direction"] == "up" else -1
    least = parameters.get("minimum_slope") or timedelta(0)
    asked = (least / timedelta(hours=1) if isinstance(least, timedelta) else least) * sign
    met = slope * sign > 0 and slope * sign >= asked * sign and not (tau * sign < 0 and p < 0.05)
    left = line.weeks_in_all() - len(line.weeks())
    if len(weekly) < max(5, line.criterion.minimum):
        told = "not_enough_data"
    elif met:
        told = "met" if line.closed else "on_track"
    elif line.closed:
        told = "inconclusive" if low <= asked <= high else "not_met"
    else:
        told = "at_risk" if low <= asked <= high and left else "off_track"
    return {"id": line.criterion.id, "value": slope, "interval": (low, high), "n": len(weekly), "verdict": told}


def projection(line: Line, now: Number) -> tuple[float | None, Interval | None] | None:
    """The value at the end when the rest is like the last four weeks, and its 80 % predictive interval."""
    recent_span = max(line.begin, line.back(line.as_of, 28)), line.as_of
    recent = line.number(recent_span, line.as_of)
    calendar, kind = line.person.calendar, line.statistic()
    gone, left = working_days(calendar, line.begin, line.as_of), working_days(calendar, line.as_of, line.finish)
    ahead = now.n / gone * left if gone else 0.0
    if kind in QUANTILES:
        low, high = formulas.order_statistics(recent.sample, QUANTILES[kind], 0.1)
        return recent.value, (low, high)
    if kind == "share":
        m = round(ahead)
        low, high = formulas.beta_binomial(recent.hits, recent.n, m)
        point = recent.hits / recent.n * m
        ends = [(now.hits + part) / (now.n + m) for part in (point, min(low, point), max(high, point))]
        return ends[0], (ends[1], ends[2])
    over, coming = (recent.n, ahead) if kind == "rate" else (working_days(calendar, *recent_span), left)
    if kind == "mean" or not over or (now.interval is None and kind == "total"):
        return None
    low, high = formulas.gamma_poisson(recent.hits, over, coming)
    point = recent.hits / over * coming
    whole = now.n + coming if kind == "rate" else 1.0
    ends = [(now.hits + part) / whole for part in (point, min(low, point), max(high, point))]
    return ends[0], (ends[1], ends[2])
