"""The contract of a criterion: a goal for what fits, ValueError for what does not, and sane scores of its own form."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np

from pipmetrics import registry
from pipmetrics.model import Criterion, Plan
from pipmetrics.plugin import (
    COUNTED,
    EXCLUDED,
    MEASUREMENT_COLUMNS,
    OPEN,
    PENDING,
    REASONS,
    WITHDRAWN,
    Cells,
    CriterionRule,
    Form,
    Goal,
    Mean,
    Own,
    Parameter,
    ParameterKind,
    Quantile,
    Ratio,
    Scores,
    Share,
    Total,
    Weeks,
)
from pipmetrics.testing.faults import Findings, told

if TYPE_CHECKING:
    import pandas as pd

    from pipmetrics.plugin import FloatArray

COMMON = frozenset({
    "id", "expectation", "deficiency", "metric", "criterion", "window", "minimum", "weight", "required", "clock",
    "baseline", "exclude", "include", "guardrail",
})  # fmt: skip
"""Keys that every criterion takes."""
UNITS = ("hours", "share", "lines", "comments", "bugs", "changes", "reviews", "issues", "attested")
SIZES = (0, 1, 2, 5, 12, 40)
SLACK = 1e-9


def check_criterion(rule: CriterionRule, *criteria: Criterion, unit: str, rows: pd.DataFrame | None = None) -> None:
    """Raises ContractBroken unless `rule` scores the `criteria` as `pipmetrics.plugin.CriterionRule` promises.

    The `criteria` are good examples on a metric of `unit`, their parameters as the engine hands them over (shares 0-1,
    durations as timedelta). `rows` are measurements for a form that chooses among them (Own.choose).
    """
    check = _Check(rule, unit, Findings(rule.name))
    check.declared()
    check.findings.unless(bool(criteria), "examples", "give at least one good example")
    for criterion in criteria:
        goal = check.goal(criterion)
        if goal is not None and isinstance(goal.form, Own):
            check.own(criterion, goal, goal.form)
            if goal.form.choose is not None and rows is not None:
                check.choice(criterion, goal.form, rows)
    check.findings.close()


@dataclass(slots=True)
class _Check:
    rule: CriterionRule
    unit: str
    findings: Findings

    def declared(self) -> None:
        unless, rule = self.findings.unless, self.rule
        unless(rule.name.isidentifier() and rule.name.islower(), "name", f"{rule.name!r} is no snake_case name")
        unless(bool(rule.title.strip()), "title", "it is empty")
        names = [parameter.name for parameter in rule.parameters]
        unless(len(set(names)) == len(names), "parameters", "two parameters have one name")
        for parameter in rule.parameters:
            self.parameter(parameter)

    def parameter(self, parameter: Parameter) -> None:
        unless, name = self.findings.unless, parameter.name
        unless(name not in COMMON, "parameters", f"{name!r} is a key of every criterion")
        unless(parameter.kind in get_args(ParameterKind), "parameters", f"{name}: there is no kind {parameter.kind!r}")
        unless(bool(parameter.help.strip()), "parameters", f"{name} has no help")
        unless(parameter.kind != "choice" or bool(parameter.choices), "parameters", f"{name} has no choices")
        unless(not (parameter.required and parameter.default is not None), "parameters",
               f"{name} is required and has a default")  # fmt: skip

    # --- the goal ---------------------------------------------------------------------------------------------------

    def goal(self, criterion: Criterion) -> Goal | None:
        """The goal of a good example, looked at from all sides."""
        before = copy.deepcopy(criterion)
        try:
            goal, again = (self.rule.goal(criterion, self.unit) for _ in range(2))
        except Exception as error:  # noqa: BLE001 - whatever a plugin does wrong is a finding
            self.findings.add("goal", f"{criterion.id}: a good example is refused: {told(error)}")
            return None
        if not isinstance(goal, Goal):
            self.findings.add("goal", f"{type(goal).__name__} is no Goal")
            return None
        alike = replace(goal, form=Mean()) == replace(again, form=Mean()) and type(goal.form) is type(again.form)
        own = isinstance(goal.form, Own)
        self.findings.unless(alike and (own or goal.form == again.form), "pure", "asked twice, it gives two goals")
        self.findings.unless(criterion == before, "pure", "it changes the criterion that it was given")
        self.scale(criterion, goal)
        self.misfits(criterion)
        return goal

    def scale(self, criterion: Criterion, goal: Goal) -> None:
        unless, form = self.findings.unless, goal.form
        unless(isinstance(form, get_args(Form)), "form", f"{type(form).__name__} is no form")
        unless(bool(np.isfinite(goal.target)), "target", f"{goal.target} is no target")
        unless(isinstance(goal.at_least, bool), "target", "at_least is not true or false")
        unless(bool(goal.unit), "unit", "the goal has no unit")
        unless(goal.minimum >= 0, "minimum", f"{goal.minimum} samples can not be asked for")
        if isinstance(form, Share):
            unless(0 <= goal.target <= 1, "target", f"a share of {goal.target} can not be reached")
        if isinstance(form, Quantile):
            unless(0 < form.q < 1, "form", f"there is no quantile {form.q}")
        per = form.per if isinstance(form, Total | Ratio) else None
        unless(per is None or per in registry.names("metrics"), "form", f"there is no metric {per!r} to divide by")
        counts = isinstance(form, Own) or (isinstance(form, Total) and per is None)
        thin = not counts and goal.minimum < criterion.minimum
        unless(not thin, "minimum", f"{goal.minimum} samples would decide, the criterion asks for {criterion.minimum}")

    def misfits(self, criterion: Criterion) -> None:
        """What does not fit is told by ValueError, never by another error: its text stands in the user's file."""
        cases = [(f"on {unit}", criterion, unit) for unit in UNITS]
        for parameter in self.rule.parameters:
            if not parameter.required and parameter.name in criterion.parameters:
                left = {key: value for key, value in criterion.parameters.items() if key != parameter.name}
                left |= {} if parameter.default is None else {parameter.name: parameter.default}
                cases.append((f"without {parameter.name}", replace(criterion, parameters=left), self.unit))
        for how, case, unit in cases:
            try:
                self.rule.goal(case, unit)
            except ValueError as error:
                self.findings.unless(bool(str(error)), "misfit", f"{how}, its ValueError says nothing")
            except Exception as error:  # noqa: BLE001
                self.findings.add("misfit", f"{how}, it ends in {told(error)}; raise ValueError")

    # --- a form of its own ------------------------------------------------------------------------------------------

    def own(self, criterion: Criterion, goal: Goal, form: Own) -> None:
        cells = _cells(criterion, form, self.unit)
        scores = self.scored("many cells at once", form, cells)
        if scores is None:
            return
        self.sane(scores, goal, len(cells))
        for place in range(len(cells)):
            one = self.scored("one cell", form, _one(cells, place))
            if one is not None and not _agree(scores, place, one):
                self.findings.add(
                    "alone", f"a cell of {_size(cells, place)} rows scores otherwise alone than among others"
                )
                break
        with_more = self.scored("cells with excluded rows", form, _with_excluded(cells))
        if with_more is not None and not np.allclose(with_more.value, scores.value, equal_nan=True):
            self.findings.add("excluded", "excluded rows change the value")

    def scored(self, where: str, form: Own, cells: Cells) -> Scores | None:
        before = _arrays(cells)
        try:
            scores = form.score(cells)
        except Exception as error:  # noqa: BLE001
            self.findings.add("score", f"{where}: {told(error)}")
            return None
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, _arrays(cells), strict=True))
        self.findings.unless(same, "pure", "it changes the cells that it was given")
        if not isinstance(scores, Scores):
            self.findings.add("score", f"{type(scores).__name__} is no Scores")
            return None
        columns = {
            name: np.asarray(getattr(scores, name)) for name in ("value", "low", "high", "n", "enough", "reachable")
        }
        wrong = [name for name, column in columns.items() if column.shape != (len(cells),)]
        self.findings.unless(not wrong, "score", f"{where}: not one entry a cell in {', '.join(wrong)}")
        return None if wrong else scores

    def sane(self, scores: Scores, goal: Goal, size: int) -> None:
        unless = self.findings.unless
        for name in ("enough", "reachable"):
            unless(getattr(scores, name).dtype == bool, "score", f"{name} is not true or false")
        enough = scores.enough.astype(bool)
        unless(not np.isnan(scores.value[enough]).any(), "enough", "it has enough data and no number")
        unless(bool((scores.n >= 0).all()), "n", "samples are negative or no number")
        known = ~(np.isnan(scores.low) | np.isnan(scores.high) | np.isnan(scores.value))
        low, value, high = scores.low[known], scores.value[known], scores.high[known]
        unless(bool(((low <= value + SLACK) & (value <= high + SLACK)).all()), "interval", "a value lies outside of it")
        for name in ("meets", "target"):
            column = getattr(scores, name)
            unless(column is None or np.asarray(column).shape == (size,), "score", f"not one entry a cell in {name}")
        told_all = len(scores.needed) in (0, size) and all(
            each is None or isinstance(each, str) for each in scores.needed
        )
        unless(told_all, "needed", "it is not one text, or None, a cell")
        target = scores.target if scores.target is not None else np.full(size, goal.target)
        unless(bool(np.isfinite(np.asarray(target, dtype=float)[enough]).all()), "target", "a target is no number")

    def choice(self, criterion: Criterion, form: Own, rows: pd.DataFrame) -> None:
        """`choose` picks among the rows and may rewrite them, but invents none."""
        choose = form.choose
        assert choose is not None
        before = rows.copy()
        try:
            chosen = choose(_plan(criterion), criterion, rows, datetime(2026, 11, 1, tzinfo=UTC))
        except Exception as error:  # noqa: BLE001
            self.findings.add("choose", told(error))
            return
        self.findings.unless(rows.equals(before), "pure", "choose changes the rows that it was given")
        absent = [column for column in MEASUREMENT_COLUMNS if column not in chosen]
        self.findings.unless(not absent, "choose", f"the chosen rows have no column {', '.join(absent)}")
        if absent:
            return
        invented = set(chosen["key"]) - set(rows["key"])
        self.findings.unless(not invented, "choose", f"rows are invented: {sorted(invented)[:3]}")
        honest = chosen["state"].eq(chosen["reason"].map(REASONS)).all()
        self.findings.unless(bool(honest), "choose", "a state is not the one that its reason makes")


# --- cells to score -----------------------------------------------------------------------------------------------


def _plan(criterion: Criterion) -> Plan:
    return Plan("plan", "pip", "ada", "dana", date(2026, 10, 5), date(2026, 11, 29), "UTC", (criterion,))


def _cells(criterion: Criterion, form: Own, unit: str) -> Cells:
    """Cells of many sizes, running and closed, with every kind of row; the same ones every time."""
    random = np.random.default_rng(4711)
    sizes = np.array([size for size in SIZES for _ in range(4)])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    count, cells = int(offsets[-1]), len(sizes)
    values = random.uniform(0, 60, count) if unit in ("hours", "lines") else random.integers(0, 2, count).astype(float)
    kinds = random.choice(
        np.array([COUNTED, OPEN, WITHDRAWN, EXCLUDED, PENDING], dtype=np.uint8), count, p=[0.7, 0.1, 0.05, 0.05, 0.1]
    )
    return Cells(
        criteria=[criterion] * cells,
        plans=[_plan(criterion)] * cells,
        offsets=offsets,
        values=values,
        kinds=kinds,
        closed=np.arange(cells) % 2 == 1,
        weeks_left=np.where(np.arange(cells) % 2 == 1, 0, np.arange(cells) % 7),
        weeks=_weeks(cells, random) if form.weekly is not None else None,
    )


def _weeks(cells: int, random: np.random.Generator) -> Weeks:
    held = np.arange(cells) % 9
    offsets = np.concatenate([[0], np.cumsum(held)])
    count = int(offsets[-1])
    enough = random.uniform(size=count) < 0.8
    value = np.where(enough, random.uniform(0, 60, count), np.nan)
    return Weeks(offsets, value, (random.uniform(size=count) < 0.6) & enough, enough)


def _arrays(cells: Cells) -> list[FloatArray]:
    """The arrays of cells, copied, for comparing."""
    return [np.array(each, dtype=np.float64) for each in (cells.offsets, cells.values, cells.kinds, cells.closed)]


def _size(cells: Cells, place: int) -> int:
    return int(cells.offsets[place + 1] - cells.offsets[place])


def _one(cells: Cells, place: int) -> Cells:
    rows = slice(cells.offsets[place], cells.offsets[place + 1])
    weeks = cells.weeks
    if weeks is not None:
        span = slice(weeks.offsets[place], weeks.offsets[place + 1])
        ends = np.array([0, span.stop - span.start])
        weeks = Weeks(ends, weeks.value[span], weeks.met[span], weeks.enough[span])
    return Cells(
        criteria=[cells.criteria[place]],
        plans=[cells.plans[place]],
        offsets=np.array([0, rows.stop - rows.start]),
        values=cells.values[rows],
        kinds=cells.kinds[rows],
        closed=cells.closed[place : place + 1],
        weeks_left=cells.weeks_left[place : place + 1],
        weeks=weeks,
    )


def _with_excluded(cells: Cells) -> Cells:
    """The same cells, each with three excluded rows of wild values at its end."""
    parts = [cells.values[low:high] for low, high in _spans(cells)]
    kinds = [cells.kinds[low:high] for low, high in _spans(cells)]
    wild, out = np.array([1e6, 0.0, -1e6]), np.full(3, EXCLUDED, dtype=np.uint8)
    return replace(
        cells,
        offsets=cells.offsets + 3 * np.arange(len(cells.offsets)),
        values=np.concatenate([piece for part in parts for piece in (part, wild)]),
        kinds=np.concatenate([piece for part in kinds for piece in (part, out)]),
    )


def _spans(cells: Cells) -> Iterator[tuple[int, int]]:
    return zip(cells.offsets[:-1].tolist(), cells.offsets[1:].tolist(), strict=True)


def _agree(scores: Scores, place: int, one: Scores) -> bool:
    """Whether a cell scored alone has what it has among others."""
    names: Sequence[str] = ("value", "low", "high", "n", "enough", "reachable", "meets", "target")
    return all(_same(getattr(scores, name), place, getattr(one, name)) for name in names)


def _same(many: Any, place: int, one: Any) -> bool:
    if many is None or one is None:
        return many is one
    found, alone = (np.asarray(each, dtype=float) for each in (many[place : place + 1], one))
    return bool(np.allclose(cast("FloatArray", found), alone, equal_nan=True))
