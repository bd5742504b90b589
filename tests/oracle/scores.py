"""SPEC sections 6, 7 and 7.1 for one criterion of one plan at a time, from the oracle's own measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from pipmetrics.model import Criterion, ExcludeRule, Person, Plan
from tests.oracle import formulas
from tests.oracle.clocks import midnight, working_days
from tests.oracle.compare import METRICS
from tests.oracle.formulas import Interval, Sample
from tests.oracle.world import Asked, Facts, Row, World

Span = tuple[datetime, datetime]
BY_END = ("lead_time",)
UNITS = {
    **dict.fromkeys(("review_turnaround", "feedback_response", "time_to_merge", "lead_time"), "hours"),
    **dict.fromkeys(("bug_fix_time", "issue_cycle_time"), "hours"),
    "change_size": "lines",
    "review_depth": "comments",
}
QUANTILES = {"median": 0.5, "p75": 0.75, "p90": 0.9}
TEN = 10


@dataclass
class Company:
    """A world, measured as often as it is asked."""

    world: World
    kept: dict[tuple[Any, ...], list[Row]] = field(default_factory=dict)

    def rows(self, plan: Plan, metric: str, criterion: Criterion | None, as_of: datetime) -> list[Row]:
        clock, include = (criterion.clock, criterion.include) if criterion else (None, frozenset())
        asked = Asked(as_of, clock, plan.attribution, plan.follow_up, include)
        key = (metric, asked)
        if key not in self.kept:
            self.kept[key] = list(METRICS[metric](Facts(self.world, asked)))
        return [row for row in self.kept[key] if row.person == plan.person]

    def hits(self, rule: ExcludeRule, subject: str) -> bool:
        """A shell pattern over the whole text, with case but for logins; a leading `**/` may stand for no folder."""
        source, _, name = subject.partition(":")
        repository = name.rpartition("#")[0] or name.rpartition("!")[0] or name.rpartition("-")[0]
        details = [signal.detail for signal in self.world.signals if signal.subject == subject]
        texts: dict[str, list[str]] = {
            "subject": [name, subject],
            "repository": [repository, f"{source}:{repository}"],
            "label": [label for detail in details for label in detail.get("labels", ())],
            "author": [detail["author_login"].lower() for detail in details if "author_login" in detail],
            "path": [file[0] for detail in details for file in detail.get("files", ())],
        }
        pattern = rule.pattern.lower() if rule.part == "author" else rule.pattern
        return any(fnmatchcase(text, p) for text in texts[rule.part] for p in (pattern, pattern.removeprefix("**/")))


@dataclass(frozen=True)
class Number:
    """A statistic of one window: what it is, of how many, its interval, and what it was made from."""

    value: float | None
    n: float
    interval: Interval | None
    enough: bool
    hits: float = 0.0
    sample: Sample = field(default_factory=Sample)
    counted: int = 0
    excluded: int = 0
    pending: int = 0


class Line:
    """One criterion of one plan, as known at an instant."""

    def __init__(self, company: Company, plan: Plan, criterion: Criterion, as_of: datetime) -> None:
        self.company, self.plan, self.criterion, self.as_of = company, plan, criterion, as_of
        self.person: Person = next(p for p in company.world.people if p.id == plan.person)
        self.begin = midnight(plan.start, plan.timezone)
        self.finish = midnight(plan.end + timedelta(days=1), plan.timezone)
        self.closed = as_of >= self.finish

    # --- windows --------------------------------------------------------------------------------------------------

    def back(self, at: datetime, days: int) -> datetime:
        """That many local days before, at the same time of day."""
        return (at.astimezone(ZoneInfo(self.plan.timezone)) - timedelta(days=days)).astimezone(ZoneInfo("UTC"))

    def weeks(self) -> list[Span]:
        """Complete plan weeks before `as_of`."""
        spans, day = [], self.plan.start
        while day + timedelta(days=6) <= self.plan.end:
            span = tuple(midnight(day + timedelta(days=d), self.plan.timezone) for d in (0, 7))
            if span[1] <= self.as_of:
                spans.append((span[0], span[1]))
            day += timedelta(days=7)
        return spans

    def weeks_in_all(self) -> int:
        return ((self.plan.end - self.plan.start).days + 1) // 7

    def window(self) -> Span:
        end = min(self.as_of, self.finish)
        if self.criterion.window == "plan":
            return self.begin, end
        if self.criterion.window == "week":
            return self.weeks()[-1] if self.weeks() else (self.begin, self.begin)
        return max(self.begin, self.back(end, self.criterion.window.days)), end

    def baseline_window(self) -> Span:
        day: date = self.plan.start - self.criterion.baseline
        return midnight(day, self.plan.timezone), self.begin

    # --- rows -----------------------------------------------------------------------------------------------------

    def inside(self, metric: str, span: Span, as_of: datetime, own: bool = True) -> list[Row]:
        rows = self.company.rows(self.plan, metric, self.criterion if own else None, as_of)
        when: Callable[[Row], datetime | None] = (lambda r: r.end) if metric in BY_END else (lambda r: r.start)
        return [row for row in rows if (at := when(row)) is not None and span[0] <= at < span[1]]

    def ruled(self, row: Row) -> Row:
        """Excluded when one of the criterion's rules hits its subject; what is left out already keeps its reason."""
        open_to_rules = row.state != "excluded" or row.reason == "withdrawn"
        hit = any(self.company.hits(rule, row.subject) for rule in self.criterion.exclude)
        return replace(row, reason="rule") if hit and open_to_rules else row

    def exposure(self, span: Span, as_of: datetime) -> float:
        per = self.criterion.parameters.get("per")
        if per is None:
            return working_days(self.person.calendar, *span)
        return sum(row.value for row in self.inside(per, span, as_of, own=False) if row.state == "counted")

    def number(self, span: Span, as_of: datetime, before: Span | None = None) -> Number:
        """The criterion's statistic in a window, by what was known at an instant."""
        rows = [self.ruled(row) for row in self.inside(self.criterion.metric, span, as_of)]
        limit = self.criterion.parameters.get("limit")
        rows = [_reread(row, limit / timedelta(hours=1)) for row in rows] if limit is not None else rows
        counted = [row for row in rows if row.state == "counted"]
        states = {f"{state}": sum(row.state == state for row in rows) for state in ("counted", "excluded", "pending")}
        opened = [row.value for row in rows if row.reason in ("unanswered", "unresolved")]
        number = self._statistic([row.value for row in counted], opened, span, as_of)
        return replace(number, **states)

    def _statistic(self, values: Sequence[float], opened: Sequence[float], span: Span, as_of: datetime) -> Number:
        criterion, minimum = self.criterion, float(self.criterion.minimum)
        kind = self.statistic()
        n, total = float(len(values)), math.fsum(values)
        if kind == "share":
            limit = criterion.parameters.get("limit")
            hits = float(sum(v <= limit / timedelta(hours=1) for v in values)) if limit is not None else total
            value = hits / n if n else None
            return Number(value, n, formulas.clopper_pearson(hits, n) if n else None, n >= minimum, hits)
        if kind in QUANTILES:
            sample = Sample(tuple(values), tuple(opened))
            value = formulas.kaplan_meier(sample, QUANTILES[kind])
            interval = formulas.order_statistics(sample, QUANTILES[kind]) if sample.n else None
            return Number(
                None if math.isinf(value) else value, sample.n, interval, 0 < sample.n >= minimum, sample=sample
            )
        if kind == "mean":
            sample = Sample(tuple(values))
            return Number(
                total / n if n else None, n, formulas.mean_interval(values), n >= max(TEN, minimum), total, sample
            )
        events = n if kind == "count" else total
        things = kind == "count" or UNITS.get(criterion.metric) not in ("hours", "lines", "comments")
        interval = formulas.garwood(events) if things else None
        if kind in ("count", "total"):
            return Number(events, n, interval, True, events)
        exposure = self.exposure(span, as_of)
        if not exposure:
            return Number(None, 0.0, None, False, events)
        scaled = (interval[0] / exposure, interval[1] / exposure) if interval else None
        return Number(events / exposure, exposure, scaled, exposure >= minimum, events)

    def statistic(self) -> str:
        rule = self.criterion.criterion
        if rule == "share_within":
            return "share"
        return "rate" if rule in ("reduction", "increase") else str(self.criterion.parameters["statistic"])

    # --- targets --------------------------------------------------------------------------------------------------

    def target(self) -> tuple[float, bool]:
        """The number to reach, and whether reaching is from below."""
        parameters = self.criterion.parameters
        if self.criterion.criterion in ("share_within", "reduction", "increase"):
            return float(parameters["target"]), True
        name = "at_least" if parameters.get("at_least") is not None else "at_most"
        wanted = parameters[name]
        return (wanted / timedelta(hours=1) if isinstance(wanted, timedelta) else float(wanted)), name == "at_least"

    def meets(self, value: float | None) -> bool:
        target, at_least = self.target()
        if value is None:
            return at_least and self.statistic() in QUANTILES
        return value >= target if at_least else value <= target

    def left_over_gone(self) -> float:
        return (self.finish - self.as_of) / (self.as_of - self.begin)

    def reachable(self, now: Number) -> bool:
        """Would further perfect samples, as many as there were in proportion to the time left, reach the target?"""
        target, at_least = self.target()
        kind = self.statistic()
        further = math.ceil(now.n * self.left_over_gone() - 1e-9)
        if kind == "share":
            hits = now.hits + (further if at_least else 0)
            return not now.n + further or (
                hits / (now.n + further) >= target if at_least else hits / (now.n + further) <= target
            )
        if kind in QUANTILES:
            better = Sample((*now.sample.values, *[math.inf if at_least else 0.0] * further), now.sample.ages)
            value = formulas.kaplan_meier(better, QUANTILES[kind])
            return value >= target if at_least else value <= target
        if kind == "mean":
            return at_least or now.hits / (now.n + further) <= target
        if kind in ("count", "total"):
            return now.hits + further >= target if at_least else now.hits <= target
        return at_least or now.hits / (now.n + further) <= target


def _reread(row: Row, limit: float) -> Row:
    """What a limit makes of an open or withdrawn row: late when it is older than that."""
    if row.reason in ("unanswered", "unresolved", "withdrawn") and row.value > limit:
        return replace(row, reason="")
    return row
