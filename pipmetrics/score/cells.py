"""The table of cells: every line in every window that its numbers need, one row a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pipmetrics import windows
from pipmetrics.model import Baseline, Person, Window
from pipmetrics.plugin import Metric, Own, Ratio
from pipmetrics.score.lines import WEEK, Line
from pipmetrics.score.shelf import Shelf, microsecond

if TYPE_CHECKING:
    from pipmetrics.plugin import FloatArray, IntArray

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

    `weeks` and `weeks_earlier` are the first cell of each line's weeks, now and a week ago, and one past the last.
    `given` is an exposure that is known without counting (working days, a recorded baseline), else NaN.
    """

    line: IntArray
    owner: IntArray
    exposure: IntArray
    start: IntArray
    end: IntArray
    given: FloatArray
    at: Mapping[Role, IntArray]
    weeks: IntArray
    weeks_earlier: IntArray


@dataclass(slots=True, eq=False)
class _Columns:
    line: list[int] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    exposure: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    given: list[float] = field(default_factory=list)


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
    columns = filler.columns
    whole = {
        name: np.array(getattr(columns, name), dtype=np.int64) for name in ("line", "owner", "exposure", "start", "end")
    }
    return Table(**whole, given=np.array(columns.given, dtype=np.float64), at=at, weeks=weeks, weeks_earlier=earlier)


@dataclass(frozen=True, slots=True, eq=False)
class _Filler:
    shelf: Shelf
    people: Mapping[str, Person]
    metrics: Mapping[str, Metric]
    working_days: WorkingDays
    columns: _Columns = field(default_factory=_Columns)

    def roles(self, number: int, line: Line) -> list[tuple[Role, int]]:
        moments = line.moments
        now = self.owners(line, timedelta())
        main = self.add(number, line, now, moments.main)
        cells = [(Role.MAIN, main)]
        if line.part != "criterion":
            return cells
        if moments.earlier is not None:
            cells.append((Role.EARLIER, self.add(number, line, self.owners(line, WEEK), moments.earlier)))
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
            chosen = _inside(moments.weeks, moments.main)
        else:
            chosen = () if isinstance(line.goal.form, Own) else moments.started
        return self._weeks(number, line, chosen, timedelta())

    def weeks_earlier(self, number: int, line: Line) -> tuple[int, int]:
        earlier = line.moments.earlier
        chosen = () if earlier is None else _inside(line.moments.weeks, earlier)
        return self._weeks(number, line, chosen, WEEK)

    def _weeks(self, number: int, line: Line, chosen: Sequence[Window], ago: timedelta) -> tuple[int, int]:
        first = len(self.columns.line)
        if chosen:
            owners = self.owners(line, ago)
            for week in chosen:
                self.add(number, line, owners, week)
        return first, len(self.columns.line)

    def owners(self, line: Line, ago: timedelta) -> tuple[int, int]:
        """Who owns the line's rows and those of its exposure, as known some time before `as_of`."""
        as_of = line.moments.as_of - ago
        window_by = self.metrics[line.per].window_by if line.per is not None else "start"
        return self.shelf.owner(line, as_of), self.shelf.exposure(line, as_of, window_by)

    def add(self, number: int, line: Line, owners: tuple[int, int], window: Window) -> int:
        form = line.goal.form
        by_days = isinstance(form, Ratio) and form.per is None
        given = self.working_days(self.people[line.plan.person], window) if by_days else np.nan
        return self._append(number, *owners, window, given)

    def frozen(self, number: int, line: Line, baseline: Baseline) -> int:
        exposure = baseline.measured["exposure"]
        if isinstance(line.goal.form, Ratio) and line.per is None:
            exposure = self.working_days(self.people[line.plan.person], baseline.window)
        given = np.nan if exposure is None else float(exposure)
        return self._append(number, self.shelf.frozen(line, baseline), -1, baseline.window, given)

    def _append(self, number: int, owner: int, exposure: int, window: Window, given: float) -> int:
        columns = self.columns
        columns.line.append(number)
        columns.owner.append(owner)
        columns.exposure.append(exposure)
        columns.start.append(microsecond(window.start))
        columns.end.append(microsecond(window.end))
        columns.given.append(given)
        return len(columns.line) - 1


def _inside(weeks: Sequence[Window], window: Window) -> tuple[Window, ...]:
    """The complete weeks within a window: those that begin in it and end by its end."""
    return tuple(week for week in weeks if week.start >= window.start and week.end <= window.end)


def microseconds_of(window: Window) -> float:
    """The length of a window in microseconds."""
    return float(microsecond(window.end) - microsecond(window.start))


def plan_length(line: Line) -> float:
    """The length of the line's whole plan in microseconds."""
    return microseconds_of(windows.whole(line.plan))
