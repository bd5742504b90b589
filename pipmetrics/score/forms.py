"""Scores of cells: what the kernel computed for their jobs, and ratios against each line's baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics import statistics
from pipmetrics.plugin import OPEN, PENDING, Form, Mean, Quantile, Ratio, Share, Total
from pipmetrics.score import kernel
from pipmetrics.score.kernel import MEAN, OWN, QUANTILE, RATIO, SHARE, TOTAL, divided

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray, ByteArray, FloatArray, IntArray
    from pipmetrics.score.cells import Table
    from pipmetrics.score.rows import Rows

_CODES = {Share: SHARE, Quantile: QUANTILE, Mean: MEAN, Total: TOTAL, Ratio: RATIO}


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """Forms as columns: code, limit (NaN: none) or quantile, rows instead of values, growth, things."""

    code: IntArray
    number: FloatArray
    rows: BoolArray
    increase: BoolArray
    things: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """One entry a cell: the span of its rows, successes or sum `k`, sample `n`, `exposure`, value and interval.

    NaN is no number. A quantile that is never reached, and a limit that there is none of, are infinite.
    """

    first: IntArray
    last: IntArray
    k: FloatArray
    n: FloatArray
    exposure: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray

    def rows_of(self, rows: Rows, cells: IntArray) -> tuple[FloatArray, ByteArray, IntArray]:
        """Values and kinds of the cells' rows, and where each cell begins."""
        return rows.gather(self.first[cells], self.last[cells])


def forms_of(forms: Sequence[Form]) -> Forms:
    """Columns of some forms."""
    number = [f.limit if isinstance(f, Share) else f.q if isinstance(f, Quantile) else None for f in forms]
    return Forms(
        code=np.array([_CODES.get(type(form), OWN) for form in forms], dtype=np.int64),
        number=np.array([np.nan if each is None else each for each in number], dtype=np.float64),
        rows=np.array([isinstance(form, Total) and form.rows for form in forms], dtype=bool),
        increase=np.array([isinstance(form, Ratio) and form.increase for form in forms], dtype=bool),
        things=np.array([isinstance(form, Total | Ratio) and form.things for form in forms], dtype=bool),
    )


def results_of(rows: Rows, table: Table, forms: Forms, baseline: IntArray) -> Results:
    """Scores all cells. `baseline` is each line's baseline cell, -1 for none: ratios are taken against it."""
    scored = kernel.score(rows, table.spans, table.jobs)
    low, high = kernel.intervals(rows, table.jobs, scored)
    job = table.job
    span = table.jobs.span[job]
    results = Results(
        first=scored.first[span],
        last=scored.last[span],
        k=scored.k[job],
        n=scored.n[job],
        exposure=scored.exposure[job],
        value=scored.value[job],
        low=low[job],
        high=high[job],
    )
    _against(results, table, forms, baseline)
    return results


def limits_of(forms: Forms, lines: IntArray) -> FloatArray:
    """The limit by which each line reads open and withdrawn rows again; NaN: it has none."""
    limits: FloatArray = np.where(forms.code[lines] == SHARE, forms.number[lines], np.nan)
    return limits


def tally(rows: Rows, results: Results, cells: IntArray, limits: FloatArray) -> tuple[IntArray, IntArray, IntArray]:
    """Counted, excluded and pending rows of the cells, as a limit each reads them."""
    values, kinds, offsets = results.rows_of(rows, cells)
    counted = kernel.judged(values, kinds, np.repeat(limits, np.diff(offsets)))
    pending = ((kinds == PENDING) | (kinds == OPEN)) & ~counted
    sums = [statistics.cell_sums(each, offsets).astype(np.int64) for each in (counted, ~counted & ~pending, pending)]
    return sums[0], sums[1], sums[2]


def reductions(
    k: FloatArray, exposure: FloatArray, before: FloatArray, exposure_before: FloatArray, increase: BoolArray
) -> FloatArray:
    """1 - r, or with `increase` r - 1, of the rates' ratio r; NaN without exposure or without an event before."""
    ratio = divided(divided(k, exposure), divided(before, exposure_before))
    change: FloatArray = np.where(increase, ratio - 1, 1 - ratio)
    return change


def _against(results: Results, table: Table, forms: Forms, baseline: IntArray) -> None:
    """Turns rates into reductions or increases against the baseline, with the interval of the ratio.

    A baseline's own cell keeps its rate; a ratio without a baseline has no value.
    """
    cells = np.flatnonzero(forms.code[table.line] == RATIO)
    base = baseline[table.line[cells]]
    alone = cells[base < 0]
    results.value[alone] = results.low[alone] = results.high[alone] = np.nan
    cells, base = cells[(base >= 0) & (base != cells)], base[(base >= 0) & (base != cells)]
    line = table.line[cells]
    pairs = results.k[cells], results.exposure[cells], results.k[base], results.exposure[base]
    low, high = (np.where(forms.things[line], side, np.nan) for side in statistics.rate_ratio(*pairs))
    grows = forms.increase[line]
    results.value[cells] = reductions(*pairs, grows)
    results.low[cells], results.high[cells] = np.where(grows, low - 1, 1 - high), np.where(grows, high - 1, 1 - low)
