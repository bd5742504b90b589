"""What there is to score: the lines of every plan, the windows they are scored in, and the measurements they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pipmetrics import registry, windows
from pipmetrics.errors import PluginError
from pipmetrics.model import Acts, Baseline, Criterion, MeasureRequest, Plan, Window
from pipmetrics.plugin import Goal, Metric, Own, Ratio, Total

Part: TypeAlias = Literal["criterion", "guardrail", "inner", "without", "inner without"]
"""`without` is a criterion less its contested points; `inner` is what a streak or a trend scores week by week."""

RECENT = timedelta(days=28)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Moments:
    """The windows of one plan and one kind of window at `as_of`.

    `kept` is the part of the criterion's last window that has gone already, `ahead` the part that still comes.
    `before` is a week ago by the plan's calendar, `earlier` the window of then, None when the plan was not under way.
    """

    as_of: datetime
    before: datetime
    main: Window
    kept: Window
    ahead: Window
    recent: Window
    earlier: Window | None
    weeks: tuple[Window, ...]
    started: tuple[Window, ...]
    weeks_left: int
    weeks_left_earlier: int
    closed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One criterion of one plan, or something that is scored beside it. `inner` is the place of its inner line."""

    plan: Plan
    outer: Criterion
    criterion: Criterion
    goal: Goal
    metric: Metric
    part: Part
    moments: Moments
    inner: int = -1
    contested: frozenset[str] = frozenset()

    @property
    def per(self) -> str | None:
        """The metric of the exposure."""
        form = self.goal.form
        return form.per if isinstance(form, Total | Ratio) else None

    @property
    def compared(self) -> bool:
        """Whether it is compared with a baseline; an inner criterion is when it is a ratio."""
        if self.part in ("inner", "inner without"):
            return isinstance(self.goal.form, Ratio)
        return not isinstance(self.goal.form, Own)

    @property
    def frozen_as(self) -> str:
        """Under which name its baseline is recorded: a guardrail has one of its own."""
        return f"{self.outer.id}#guardrail" if self.part == "guardrail" else self.outer.id

    def request(self, as_of: datetime) -> MeasureRequest:
        """The run of its metric that it reads."""
        return MeasureRequest(
            self.criterion.metric,
            as_of,
            self.criterion.clock,
            self.plan.attribution,
            self.plan.follow_up,
            self.criterion.include,
        )

    def exposure_request(self, as_of: datetime) -> MeasureRequest | None:
        """The run of the metric that its counts are divided by."""
        if self.per is None:
            return None
        return MeasureRequest(self.per, as_of, attribution=self.plan.attribution, follow_up=self.plan.follow_up)


def evaluated(plans: Iterable[Plan], as_of: datetime) -> tuple[Plan, ...]:
    """The plans to score: those under way or ended; drafts and plans still to start are left out."""
    return tuple(plan for plan in plans if not plan.draft and windows.whole(plan).start <= as_of)


def lines_of(plans: Sequence[Plan], as_of: datetime, acts: Acts, metrics: Mapping[str, Metric]) -> list[Line]:
    """All lines of all plans, each after the inner line that it refers to."""
    contested: dict[tuple[str, str], set[str]] = {}
    for dispute in acts.disputes:
        if dispute.state == "open":
            contested.setdefault((dispute.plan, dispute.criterion), set()).add(dispute.key)
    lines: list[Line] = []
    for plan in plans:
        known: dict[object, Moments] = {}
        for criterion in plan.criteria:
            if criterion.window not in known:
                known[criterion.window] = moments(plan, criterion.window, as_of)
            context = _Context(plan, criterion, known[criterion.window], metrics, lines)
            context.add("criterion", "inner")
            if criterion.guardrail is not None:
                context.guard(criterion.guardrail)
            keys = contested.get((plan.id, criterion.id))
            if keys:
                context.add("without", "inner without", frozenset(keys))
    return lines


@dataclass(frozen=True, slots=True, eq=False)
class _Context:
    plan: Plan
    outer: Criterion
    moments: Moments
    metrics: Mapping[str, Metric]
    lines: list[Line]

    def add(self, part: Part, inner_part: Part, contested: frozenset[str] = frozenset()) -> None:
        line = self.line(self.outer, part, contested)
        weekly = line.goal.form.weekly if isinstance(line.goal.form, Own) else None
        if weekly is not None:
            rules = (*weekly.exclude, *(rule for rule in self.outer.exclude if rule not in weekly.exclude))
            inner = self.line(
                replace(weekly, exclude=rules, clock=weekly.clock or self.outer.clock), inner_part, contested
            )
            if isinstance(inner.goal.form, Own):
                raise PluginError(f"{self.place}: {weekly.criterion} can not be the inner criterion of another one")
            self.lines.append(inner)
            line = replace(line, inner=len(self.lines) - 1)
        self.lines.append(line)

    def guard(self, guardrail: Criterion) -> None:
        line = self.line(guardrail, "guardrail", frozenset())
        if isinstance(line.goal.form, Own):
            raise PluginError(f"{self.place}: {guardrail.criterion} can not be a guardrail")
        self.lines.append(line)

    def line(self, criterion: Criterion, part: Part, contested: frozenset[str]) -> Line:
        metric = self.metrics[criterion.metric]
        try:
            goal = registry.criterion(criterion.criterion).goal(criterion, metric.unit)
        except ValueError as error:
            raise PluginError(f"{self.place}: {error}", where=self.plan.file) from error
        return Line(self.plan, self.outer, criterion, goal, metric, part, self.moments, contested=contested)

    @property
    def place(self) -> str:
        return f"plan {self.plan.id}, criterion {self.outer.id}"


def recorded(acts: Acts) -> Mapping[tuple[str, str], Baseline]:
    """The baselines of the ledger by plan and frozen name; of several the first: a baseline never slides."""
    held: dict[tuple[str, str], Baseline] = {}
    for baseline in acts.baselines:
        held.setdefault((baseline.plan, baseline.criterion), baseline)
    return held


def fits(baseline: Baseline, line: Line) -> bool:
    """Whether it measured what the line compares: an amendment may have changed the metric or its exposure."""
    measured = baseline.measured
    return (measured["metric"], measured["per"]) == (line.criterion.metric, line.per) and "days" in measured


def moments(plan: Plan, window: Literal["plan", "week"] | timedelta, as_of: datetime) -> Moments:
    """Every window in which a criterion with this `window` is scored at `as_of`."""
    whole = windows.whole(plan)
    main = windows.window_of(plan, window, as_of)
    final = windows.window_of(plan, window, whole.end)
    now = max(final.start, min(as_of, final.end))
    before = windows.last(as_of, WEEK, plan.timezone, whole.start).start
    gone = windows.to_date(plan, as_of)
    weeks = windows.weeks(plan)
    return Moments(
        as_of=as_of,
        before=before,
        main=main,
        kept=Window(final.start, now),
        ahead=Window(now, final.end),
        recent=windows.last(gone.end, RECENT, plan.timezone, gone.start),
        earlier=windows.window_of(plan, window, before) if before > whole.start else None,
        weeks=weeks,
        started=windows.started_weeks(plan, as_of),
        weeks_left=sum(week.end > as_of for week in weeks),
        weeks_left_earlier=sum(week.end > before for week in weeks),
        closed=as_of >= whole.end,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Which runs of metrics are read, and for whom. `whole`: those of which somebody chooses among everybody's rows;
    `ruled`: those whose rows are met by exclude rules."""

    people: Mapping[MeasureRequest, frozenset[str]]
    whole: frozenset[MeasureRequest] = frozenset()
    ruled: frozenset[MeasureRequest] = frozenset()


def readings(plans: Iterable[Plan], as_of: datetime, acts: Acts, metrics: Mapping[str, Metric]) -> Readings:
    """The runs of metrics that `evaluate` needs: now, a week ago, and at the start of plans without a baseline yet."""
    held = recorded(acts)
    people: dict[MeasureRequest, set[str]] = {}
    whole: set[MeasureRequest] = set()
    ruled: set[MeasureRequest] = set()
    for line in lines_of(evaluated(plans, as_of), as_of, acts, metrics):
        baseline = held.get((line.plan.id, line.frozen_as))
        frozen = not line.compared or (baseline is not None and fits(baseline, line))
        asked = set(_requests(line, as_of, baseline=not frozen))
        for request in asked:
            people.setdefault(request, set()).add(line.plan.person)
        if isinstance(line.goal.form, Own) and line.goal.form.choose is not None:
            whole |= asked
        if line.criterion.exclude:
            ruled |= asked
    return Readings({request: frozenset(who) for request, who in people.items()}, frozenset(whole), frozenset(ruled))


def requests(
    plans: Iterable[Plan], as_of: datetime, acts: Acts, metrics: Mapping[str, Metric]
) -> frozenset[MeasureRequest]:
    """The runs of metrics that `evaluate` needs."""
    return frozenset(readings(plans, as_of, acts, metrics).people)


def _requests(line: Line, as_of: datetime, *, baseline: bool) -> Iterator[MeasureRequest]:
    instants = [as_of]
    if line.moments.earlier is not None:
        instants.append(line.moments.before)
    if baseline:
        instants.append(windows.whole(line.plan).start)
    for instant in instants:
        yield line.request(instant)
        exposure = line.exposure_request(instant)
        if exposure is not None:
            yield exposure
