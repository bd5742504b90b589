"""The table of cells: every line in every window that its numbers need, one row a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pipmetrics import windows
from pipmetrics.model import Baseline, Person, Window
from pipmetrics.plugin import Form, Metric, Own, Ratio
from pipmetrics.score.forms import forms_of
from pipmetrics.score.kernel import Jobs, Spans
from pipmetrics.score.lines import Line
from pipmetrics.score.shelf import Shelf, microsecond

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray, IntArray

WorkingDays: TypeAlias = Callable[[Person, Window], float]


class Role(IntEnum):
    """What a cell is to its line."""

    MAIN = 0
    EARLIER = 1
    KEPT = 2
    RECENT = 3
    BASELINE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Cells as columns; `at[role]` is the cell of each line in that role, -1 for none.

    Cells that ask for the same number of the same rows share a job. `weeks` and `weeks_earlier` are the first cell of
    each line's weeks, now and a week ago, and one past the last.
    """

    line: IntArray
    job: IntArray
    spans: Spans
    jobs: Jobs
    at: Mapping[Role, IntArray]
    weeks: IntArray
    weeks_earlier: IntArray

    def empty(self, cells: IntArray) -> BoolArray:
        """Whether the cells' windows are empty."""
        span = self.jobs.span[self.job[cells]]
        none: BoolArray = self.spans.at[self.spans.start[span]] >= self.spans.at[self.spans.end[span]]
        return none


def table_of(
    lines: Sequence[Line],
    shelf: Shelf,
    baselines: Mapping[int, Baseline],
    people: Mapping[str, Person],
    metrics: Mapping[str, Metric],
    working_days: WorkingDays,
) -> Table:
    """The cells of all lines. `baselines` has those that are compared with one, by the line's place."""
    filler = _Filler(shelf, people, metrics, working_days)
    at = {role: np.full(len(lines), -1, dtype=np.int64) for role in Role}
    weeks, earlier = np.zeros((len(lines), 2), dtype=np.int64), np.zeros((len(lines), 2), dtype=np.int64)
    for number, line in enumerate(lines):
        inner = line.part in ("inner", "inner without")
        if not inner:
            for role, cell in filler.roles(number, line):
                at[role][number] = cell
        if number in baselines:
            at[Role.BASELINE][number] = filler.frozen(number, line, baselines[number])
        if inner or line.part == "criterion":
            weeks[number] = filler.weeks(number, line, inner=inner)
        if inner and line.moments.earlier is not None:
            earlier[number] = filler.weeks_earlier(number, line)
    spans, jobs = filler.spans_and_jobs()
    whole = {"line": np.array(filler.line, dtype=np.int64), "job": np.array(filler.job, dtype=np.int64)}
    return Table(**whole, spans=spans, jobs=jobs, at=at, weeks=weeks, weeks_earlier=earlier)


@dataclass(frozen=True, slots=True, eq=False)
class _Filler:
    shelf: Shelf
    people: Mapping[str, Person]
    metrics: Mapping[str, Metric]
    working_days: WorkingDays
    line: list[int] = field(default_factory=list)
    job: list[int] = field(default_factory=list)
    points: dict[tuple[int, int], int] = field(default_factory=dict)
    spans: dict[tuple[int, int], int] = field(default_factory=dict)
    jobs: dict[tuple[Form, int, int, float | None], int] = field(default_factory=dict)

    def roles(self, number: int, line: Line) -> list[tuple[Role, int]]:
        moments = line.moments
        now = self.owners(line, moments.as_of)
        main = self.add(number, line, now, moments.main)
        cells = [(Role.MAIN, main)]
        if line.part != "criterion":
            return cells
        if moments.earlier is not None:
            cells.append((Role.EARLIER, self.add(number, line, self.owners(line, moments.before), moments.earlier)))
        if isinstance(line.goal.form, Own):
            return cells
        same = moments.kept == moments.main
        cells.append((Role.KEPT, main if same else self.add(number, line, now, moments.kept)))
        cells.append((Role.RECENT, self.add(number, line, now, moments.recent)))
        return cells

    def weeks(self, number: int, line: Line, *, inner: bool) -> tuple[int, int]:
        """The complete weeks in the window of an inner line; all that have begun otherwise, for the picture."""
        moments = line.moments
        if inner:
            chosen = weeks_inside(moments.weeks, moments.main)
        else:
            chosen = () if isinstance(line.goal.form, Own) else moments.started
        return self._weeks(number, line, chosen, moments.as_of)

    def weeks_earlier(self, number: int, line: Line) -> tuple[int, int]:
        earlier = line.moments.earlier
        chosen = () if earlier is None else weeks_inside(line.moments.weeks, earlier)
        return self._weeks(number, line, chosen, line.moments.before)

    def _weeks(self, number: int, line: Line, chosen: Sequence[Window], as_of: datetime) -> tuple[int, int]:
        first = len(self.line)
        if chosen:
            owners = self.owners(line, as_of)
            for week in chosen:
                self.add(number, line, owners, week)
        return first, len(self.line)

    def owners(self, line: Line, as_of: datetime) -> tuple[int, int]:
        """Who owns the line's rows and those of its exposure, as known at an instant."""
        window_by = self.metrics[line.per].window_by if line.per is not None else "start"
        return self.shelf.owner(line, as_of), self.shelf.exposure(line, as_of, window_by)

    def add(self, number: int, line: Line, owners: tuple[int, int], window: Window) -> int:
        form = line.goal.form
        by_days = isinstance(form, Ratio) and form.per is None
        given = self.working_days(self.people[line.plan.person], window) if by_days else None
        return self._append(number, form, *owners, window, given)

    def frozen(self, number: int, line: Line, baseline: Baseline) -> int:
        by_days = isinstance(line.goal.form, Ratio) and line.per is None
        exposure = baseline.measured["days" if by_days else "exposure"]
        return self._append(number, line.goal.form, self.shelf.frozen(line, baseline), -1, baseline.window, exposure)

    def _append(self, number: int, form: Form, owner: int, exposure: int, window: Window, given: float | None) -> int:
        span, over = self._span(owner, window), -1 if exposure < 0 else self._span(exposure, window)
        job = self.jobs.setdefault((form, span, over, given), len(self.jobs))
        self.line.append(number)
        self.job.append(job)
        return len(self.line) - 1

    def _span(self, owner: int, window: Window) -> int:
        start = self.points.setdefault((owner, microsecond(window.start)), len(self.points))
        end = self.points.setdefault((owner, microsecond(window.end)), len(self.points))
        return self.spans.setdefault((start, end), len(self.spans))

    def spans_and_jobs(self) -> tuple[Spans, Jobs]:
        """The different spans and jobs, as columns."""
        owner, at = np.array(list(self.points), dtype=np.int64).reshape(-1, 2).T
        start, end = np.array(list(self.spans), dtype=np.int64).reshape(-1, 2).T
        forms = forms_of([form for form, _, _, _ in self.jobs])
        whole = np.array([(span, over) for _, span, over, _ in self.jobs], dtype=np.int64).reshape(-1, 2)
        given = np.array([np.nan if days is None else days for _, _, _, days in self.jobs], dtype=np.float64)
        jobs = Jobs(forms.code, forms.number, forms.rows, forms.things, whole[:, 0], whole[:, 1], given)
        return Spans(owner, at, start, end), jobs


def weeks_inside(weeks: Sequence[Window], window: Window) -> tuple[Window, ...]:
    """The complete weeks within a window: those that begin in it and end by its end."""
    return tuple(week for week in weeks if week.start >= window.start and week.end <= window.end)


def microseconds_of(window: Window) -> float:
    """The length of a window in microseconds."""
    return float(microsecond(window.end) - microsecond(window.start))


def plan_length(line: Line) -> float:
    """The length of the line's whole plan in microseconds."""
    return microseconds_of(windows.whole(line.plan))
