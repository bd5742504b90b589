"""What the numbers mean: enough or not, met or not, within noise or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics.model import Verdict
from pipmetrics.plugin import Cells, Own, Ratio, Scores, Total, Weeks
from pipmetrics.score.cells import Role
from pipmetrics.statistics import TIE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipmetrics.plugin import BoolArray, FloatArray, IntArray
    from pipmetrics.score.cells import Table
    from pipmetrics.score.forms import Results
    from pipmetrics.score.lines import Line
    from pipmetrics.score.rows import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Aims:
    """The lines' goals as columns."""

    target: FloatArray
    at_least: BoolArray
    minimum: FloatArray
    counts: BoolArray
    """Totals without an exposure: nothing happened is a number."""
    ratio: BoolArray


def aims_of(lines: Sequence[Line]) -> Aims:
    """Columns of the lines' goals."""
    goals = [line.goal for line in lines]
    return Aims(
        target=np.array([goal.target for goal in goals], dtype=np.float64),
        at_least=np.array([goal.at_least for goal in goals], dtype=bool),
        minimum=np.array([goal.minimum for goal in goals], dtype=np.float64),
        counts=np.array([isinstance(goal.form, Total) and goal.form.per is None for goal in goals], dtype=bool),
        ratio=np.array([isinstance(goal.form, Ratio) for goal in goals], dtype=bool),
    )


def meets(value: FloatArray, target: FloatArray, at_least: BoolArray) -> BoolArray:
    """Whether values are on the right side of their targets; no number is not."""
    slack = TIE * np.maximum(1.0, np.abs(target))
    right: BoolArray = np.where(at_least, value >= target - slack, value <= target + slack)
    return right


def inside(low: FloatArray, high: FloatArray, target: FloatArray) -> BoolArray:
    """Whether intervals contain their targets, ends included."""
    slack = TIE * np.maximum(1.0, np.abs(target))
    held: BoolArray = (low <= target + slack) & (high >= target - slack)
    return held


def enough(results: Results, table: Table, aims: Aims, baseline: IntArray, cells: IntArray) -> BoolArray:
    """Whether the cells have the samples (exposure) that a verdict needs; a ratio needs them before the plan too."""
    line = table.line[cells]
    n = results.n[cells]
    held = np.where(aims.counts[line], ~table.empty(cells), n >= np.maximum(aims.minimum[line], TIE))
    held &= ~np.isnan(results.value[cells])
    before = np.maximum(baseline[line], 0)
    based = (baseline[line] >= 0) & (results.k[before] > 0) & (results.exposure[before] >= aims.minimum[line])
    decided: BoolArray = held & (based | ~aims.ratio[line])
    return decided


def verdict(*, enough: bool, meets: bool, inside: bool | None, reachable: bool, closed: bool) -> Verdict:
    """The table of SPEC section 7. `inside` None: there is no interval, so the value alone decides."""
    if not enough:
        return "not_enough_data"
    if meets:
        return "met" if closed else "on_track"
    if closed:
        return "inconclusive" if inside else "not_met"
    return "at_risk" if inside is not False and reachable else "off_track"


# --- forms that plugins score themselves --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class OwnScores:
    """What own forms say of cells, one entry a cell of the table; meaningless for cells of other forms."""

    enough: BoolArray
    meets: BoolArray
    reachable: BoolArray
    target: FloatArray
    needed: dict[int, str | None]


def score_own(rows: Rows, table: Table, lines: Sequence[Line], aims: Aims, results: Results) -> OwnScores:
    """Scores all cells of own forms, one call a function and role; inner weeks must be scored already."""
    size = len(table.line)
    said = OwnScores(
        np.zeros(size, dtype=bool), np.zeros(size, dtype=bool), np.zeros(size, dtype=bool), np.full(size, np.nan), {}
    )
    groups: dict[Callable[[Cells], Scores], list[int]] = {}
    for number, line in enumerate(lines):
        if isinstance(line.goal.form, Own):
            groups.setdefault(line.goal.form.score, []).append(number)
    for function, numbers in groups.items():
        for role in (Role.MAIN, Role.EARLIER):
            chosen = [number for number in numbers if table.at[role][number] >= 0]
            if chosen:
                _apply(function, chosen, role, rows, table, lines, aims, results, said)
    return said


def _apply(
    function: Callable[[Cells], Scores],
    numbers: Sequence[int],
    role: Role,
    rows: Rows,
    table: Table,
    lines: Sequence[Line],
    aims: Aims,
    results: Results,
    said: OwnScores,
) -> None:
    cells = table.at[role][numbers]
    earlier = role == Role.EARLIER
    values, kinds, offsets = results.rows_of(rows, cells)
    moments = [lines[number].moments for number in numbers]
    scores = function(Cells(
        criteria=[lines[number].criterion for number in numbers],
        plans=[lines[number].plan for number in numbers],
        offsets=offsets,
        values=values,
        kinds=kinds,
        closed=np.array([each.closed and not earlier for each in moments], dtype=bool),
        weeks_left=np.array([each.weeks_left_earlier if earlier else each.weeks_left for each in moments]),
        weeks=_weeks(numbers, table, lines, aims, results, earlier=earlier),
    ))  # fmt: skip
    results.value[cells], results.low[cells], results.high[cells] = scores.value, scores.low, scores.high
    results.n[cells] = results.k[cells] = scores.n
    said.enough[cells], said.reachable[cells] = scores.enough, scores.reachable
    target = aims.target[numbers] if scores.target is None else scores.target
    said.target[cells] = target
    said.meets[cells] = meets(scores.value, target, aims.at_least[numbers]) if scores.meets is None else scores.meets
    said.needed.update(zip(cells.tolist(), scores.needed, strict=False))


def _weeks(
    numbers: Sequence[int], table: Table, lines: Sequence[Line], aims: Aims, results: Results, *, earlier: bool
) -> Weeks | None:
    """The scores of the inner lines' weeks, in order; None for forms without an inner criterion."""
    inner = np.array([lines[number].inner for number in numbers])
    if (inner < 0).all():
        return None
    spans = (table.weeks_earlier if earlier else table.weeks)[inner]
    cells = np.concatenate([np.arange(low, high) for low, high in spans])
    line = table.line[cells]
    value = results.value[cells]
    return Weeks(
        offsets=np.concatenate([[0], np.cumsum(spans[:, 1] - spans[:, 0])]),
        value=value,
        met=meets(value, aims.target[line], aims.at_least[line]),
        enough=enough(results, table, aims, table.at[Role.BASELINE], cells),
    )
