"""The result as frozen values, and as the JSON of SPEC section 10."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from pipmetrics.model import Baseline, Json, Recommendation, Verdict, Window

Interval = tuple[float, float]
"""Infinity stands for no bound on that side; both NaN: there is no interval."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its sample and interval; NaN is no number."""

    value: float
    n: float
    interval: Interval

    def to_json(self) -> Json:
        return {"value": number(self.value), "n": count(self.n), "interval": interval(self.interval)}


@dataclass(frozen=True, slots=True)
class Week:
    """One week of the picture; `complete` is false for the one under way, `met` None for one without a number."""

    week: int
    window: Window
    complete: bool
    estimate: Estimate
    met: bool | None

    def to_json(self) -> Json:
        told = {"week": self.week, "window": window(self.window), "complete": self.complete}
        return {**told, **self.estimate.to_json(), "met": self.met}


@dataclass(frozen=True, slots=True)
class Contested:
    """The criterion without its contested points, which stay counted until they are decided."""

    keys: tuple[str, ...]
    without: Estimate
    verdict: Verdict
    text: str

    def to_json(self) -> Json:
        return {"keys": list(self.keys), **self.without.to_json(), "verdict": self.verdict, "text": self.text}


@dataclass(frozen=True, slots=True)
class Guardrail:
    """What must not get worse. `worse`: it did, significantly; `chance`: that of being so bad by luck."""

    metric: str
    criterion: str
    unit: str
    estimate: Estimate
    target: float
    at_least: bool
    baseline: Estimate | None
    verdict: Verdict
    worse: bool
    chance: float

    def to_json(self) -> Json:
        return {
            "metric": self.metric,
            "criterion": self.criterion,
            "unit": self.unit,
            **self.estimate.to_json(),
            "target": number(self.target),
            "direction": direction(at_least=self.at_least),
            "baseline": None if self.baseline is None else self.baseline.to_json(),
            "verdict": self.verdict,
            "worse": self.worse,
            "chance": number(self.chance),
        }


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """One criterion, scored."""

    id: str
    expectation: str
    metric: str
    criterion: str
    window: Window
    estimate: Estimate
    unit: str
    target: float
    at_least: bool
    baseline: tuple[Estimate, Window] | None
    verdict: Verdict
    reason: str | None
    note: str | None
    progress: float
    needed: str | None
    projection: tuple[float, Interval] | None
    change: float
    chance: float
    counted: int
    excluded: int
    pending: int
    weight: float
    required: bool
    contested: Contested | None
    guardrail: Guardrail | None
    weeks: tuple[Week, ...]

    def to_json(self) -> Json:
        return {
            "id": self.id,
            "expectation": self.expectation,
            "metric": self.metric,
            "criterion": self.criterion,
            "window": window(self.window),
            "value": number(self.estimate.value),
            "unit": self.unit,
            "n": count(self.estimate.n),
            "interval": interval(self.estimate.interval),
            "target": number(self.target),
            "direction": direction(at_least=self.at_least),
            "baseline": self._baseline(),
            "verdict": self.verdict,
            "reason": self.reason,
            "note": self.note,
            "progress": number(self.progress),
            "needed": self.needed,
            "projection": self._projection(),
            "change": number(self.change),
            "chance": number(self.chance),
            "counted": self.counted,
            "excluded": self.excluded,
            "pending": self.pending,
            "weight": self.weight,
            "required": self.required,
            "contested": None if self.contested is None else self.contested.to_json(),
            "guardrail": None if self.guardrail is None else self.guardrail.to_json(),
            "weeks": [week.to_json() for week in self.weeks],
        }

    def _baseline(self) -> Json:
        if self.baseline is None:
            return None
        estimate, span = self.baseline
        return {**estimate.to_json(), "window": window(span)}

    def _projection(self) -> Json:
        if self.projection is None:
            return None
        value, span = self.projection
        return {"value": number(value), "interval": interval(span)}


@dataclass(frozen=True, slots=True)
class PlanResult:
    """One plan, scored. `recommendation` is None while it runs; nothing here says what happens to anybody."""

    plan: str
    person: str
    kind: str
    window: Window
    day: int
    days: int
    verdict: Verdict
    score: float
    coverage: float
    recommendation: Recommendation | None
    because: tuple[str, ...]
    criteria: tuple[CriterionResult, ...]
    incomplete_sources: tuple[str, ...]
    supports_due: int
    supports_delivered: int
    check_ins_due: int
    check_ins_held: int
    away: float

    def to_json(self) -> Json:
        return {
            "plan": self.plan,
            "person": self.person,
            "kind": self.kind,
            "window": window(self.window),
            "day": self.day,
            "days": self.days,
            "verdict": self.verdict,
            "score": number(self.score),
            "coverage": number(self.coverage),
            "recommendation": self.recommendation,
            "because": list(self.because),
            "criteria": [each.to_json() for each in self.criteria],
            "incomplete_sources": list(self.incomplete_sources),
            "supports": {"due": self.supports_due, "delivered": self.supports_delivered},
            "check_ins": {"due": self.check_ins_due, "held": self.check_ins_held},
            "away": number(self.away),
        }


@dataclass(frozen=True, slots=True)
class Evaluations:
    """All plans at one instant, and the baselines that were computed on the way and are still to be frozen."""

    as_of: datetime
    version: str
    plans: tuple[PlanResult, ...]
    baselines: tuple[Baseline, ...]

    def to_json(self) -> Json:
        return {
            "as_of": instant(self.as_of),
            "version": self.version,
            "plans": [each.to_json() for each in self.plans],
        }


def number(value: float) -> float | None:
    """A JSON number; None for what is no number or unbounded. Minus zero is zero."""
    return float(value) + 0.0 if math.isfinite(value) else None


def count(value: float) -> int | float | None:
    """A whole number where it is one: samples are, exposures need not be."""
    if not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)


def interval(span: Interval) -> list[float | None] | None:
    """Both limits, None for an unbounded one; None when there is no interval."""
    low, high = span
    if math.isnan(low) or math.isnan(high):
        return None
    return [number(low), number(high)]


def instant(at: datetime) -> str:
    """ISO 8601 in UTC."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def window(span: Window) -> Json:
    return {"start": instant(span.start), "end": instant(span.end)}


def direction(*, at_least: bool) -> str:
    return "at_least" if at_least else "at_most"
