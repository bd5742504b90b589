"""The kernel: every cell's value, sample and interval, form by form, without a loop over plans, people or rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics import statistics
from pipmetrics.plugin import COUNTED, OPEN, PENDING, WITHDRAWN, Form, Mean, Quantile, Ratio, Share, Total

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray, ByteArray, FloatArray, IntArray
    from pipmetrics.score.cells import Table
    from pipmetrics.score.rows import Rows

SHARE, QUANTILE, MEAN, TOTAL, RATIO, OWN = range(6)
_CODES = {Share: SHARE, Quantile: QUANTILE, Mean: MEAN, Total: TOTAL, Ratio: RATIO}


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """The lines' forms as columns: code, limit (NaN: none) or quantile, rows instead of values, growth, things."""

    code: IntArray
    number: FloatArray
    rows: BoolArray
    increase: BoolArray
    things: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """One entry a cell: the rows' span, successes or sum `k`, sample `n`, `exposure`, value and interval.

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


def forms_of(forms: Sequence[Form]) -> Forms:
    """Columns of the lines' forms."""
    number = [f.limit if isinstance(f, Share) else f.q if isinstance(f, Quantile) else None for f in forms]
    return Forms(
        code=np.array([_CODES.get(type(form), OWN) for form in forms], dtype=np.int64),
        number=np.array([np.nan if each is None else each for each in number], dtype=np.float64),
        rows=np.array([isinstance(form, Total) and form.rows for form in forms], dtype=bool),
        increase=np.array([isinstance(form, Ratio) and form.increase for form in forms], dtype=bool),
        things=np.array([isinstance(form, Total | Ratio) and form.things for form in forms], dtype=bool),
    )


def score(rows: Rows, table: Table, forms: Forms, baseline: IntArray) -> Results:
    """Scores all cells. `baseline` is each line's baseline cell, -1 for none: ratios are taken against it."""
    first, last = rows.spans(table.owner, table.start, table.end)
    size = len(table.line)
    k, n, value, low, high = (np.full(size, np.nan) for _ in range(5))
    results = Results(first, last, k, n, _exposure(rows, table), value, low, high)
    code = forms.code[table.line]
    for each, fill in ((SHARE, _share), (QUANTILE, _quantile), (MEAN, _mean), (TOTAL, _total), (RATIO, _ratio)):
        cells = np.flatnonzero(code == each)
        if len(cells):
            fill(rows, table, forms, cells, results)
    ratios = np.flatnonzero(code == RATIO)
    if len(ratios):
        _against(results, ratios, baseline[table.line[ratios]], forms, table)
    return results


def intervals(results: Results, table: Table, forms: Forms, cells: IntArray) -> None:
    """Fills in the exact intervals of shares and totals of the cells; those of the other forms come with the value."""
    code = forms.code[table.line[cells]]
    shares = cells[code == SHARE]
    results.low[shares], results.high[shares] = statistics.clopper_pearson(results.k[shares], results.n[shares])
    totals = cells[(code == TOTAL) & forms.things[table.line[cells]]]
    over = np.where(np.isnan(results.exposure[totals]), 1.0, results.exposure[totals])
    results.low[totals], results.high[totals] = statistics.garwood(results.k[totals], over)


def tally(
    rows: Rows, table: Table, forms: Forms, results: Results, cells: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Counted, excluded and pending rows of the cells, as the line's limit reads them."""
    values, kinds, offsets = rows.gather(results.first[cells], results.last[cells])
    limit = np.repeat(_limits(forms, table.line[cells]), np.diff(offsets))
    counted = _judged(values, kinds, limit)
    pending = ((kinds == PENDING) | (kinds == OPEN)) & ~counted
    sums = [statistics.cell_sums(each, offsets).astype(np.int64) for each in (counted, ~counted & ~pending, pending)]
    return sums[0], sums[1], sums[2]


def _limits(forms: Forms, lines: IntArray) -> FloatArray:
    return np.where(forms.code[lines] == SHARE, forms.number[lines], np.nan)


def _judged(values: FloatArray, kinds: ByteArray, limit: FloatArray) -> BoolArray:
    """Rows that count: those counted, and open or withdrawn ones that have outlived the limit."""
    judged: BoolArray = (kinds == COUNTED) | (((kinds == OPEN) | (kinds == WITHDRAWN)) & (values > limit))
    return judged


def _exposure(rows: Rows, table: Table) -> FloatArray:
    """What is given, else the sum of the counted rows of the exposure's owner."""
    exposure = table.given.copy()
    cells = np.flatnonzero(table.exposure >= 0)
    if len(cells):
        first, last = rows.spans(table.exposure[cells], table.start[cells], table.end[cells])
        values, kinds, offsets = rows.gather(first, last)
        exposure[cells] = statistics.cell_sums(np.where(kinds == COUNTED, values, 0.0), offsets)
    return exposure


def _share(rows: Rows, table: Table, forms: Forms, cells: IntArray, results: Results) -> None:
    values, kinds, offsets = rows.gather(results.first[cells], results.last[cells])
    limits = forms.number[table.line[cells]]
    limit = np.repeat(limits, np.diff(offsets))
    counted = kinds == COUNTED
    fits = np.where(np.isnan(limit), values, values <= limit)
    k = statistics.cell_sums(np.where(counted, fits, 0.0), offsets)
    n = statistics.cell_sums(_judged(values, kinds, limit), offsets)
    results.k[cells], results.n[cells] = k, n
    results.value[cells] = _divided(k, n)


def _quantile(rows: Rows, table: Table, forms: Forms, cells: IntArray, results: Results) -> None:
    values, open_, offsets = samples(rows, results, cells)
    q = forms.number[table.line[cells]]
    found = statistics.quantiles(values, open_, offsets, q)
    results.value[cells], results.low[cells], results.high[cells] = found
    results.n[cells] = results.k[cells] = np.diff(offsets)


def samples(rows: Rows, results: Results, cells: IntArray) -> tuple[FloatArray, BoolArray, IntArray]:
    """Durations of the cells: the values of counted and open rows, which of them are open, and where cells begin."""
    values, kinds, offsets = rows.gather(results.first[cells], results.last[cells])
    kept = (kinds == COUNTED) | (kinds == OPEN)
    if kept.all():
        return values, kinds == OPEN, offsets
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])[offsets]
    return values[kept], kinds[kept] == OPEN, bounds


def _mean(rows: Rows, table: Table, forms: Forms, cells: IntArray, results: Results) -> None:  # noqa: ARG001 - as the others
    values, kinds, offsets = rows.gather(results.first[cells], results.last[cells])
    counted = kinds == COUNTED
    n = statistics.cell_sums(counted, offsets)
    k = statistics.cell_sums(np.where(counted, values, 0.0), offsets)
    mean = _divided(k, n)
    off = np.where(counted, (values - np.repeat(mean, np.diff(offsets))) ** 2, 0.0)
    deviation = np.sqrt(_divided(statistics.cell_sums(off, offsets), n - 1))
    results.k[cells], results.n[cells], results.value[cells] = k, n, mean
    results.low[cells], results.high[cells] = statistics.t_interval(mean, deviation, n)


def _total(rows: Rows, table: Table, forms: Forms, cells: IntArray, results: Results) -> None:
    k, n = _sums(rows, table, forms, cells, results)
    exposed = ~np.isnan(results.exposure[cells])
    results.k[cells] = k
    results.n[cells] = np.where(exposed, results.exposure[cells], n)
    results.value[cells] = np.where(exposed, _divided(k, results.exposure[cells]), k)


def _ratio(rows: Rows, table: Table, forms: Forms, cells: IntArray, results: Results) -> None:
    results.k[cells], _ = _sums(rows, table, forms, cells, results)
    results.n[cells] = results.exposure[cells]


def _sums(rows: Rows, table: Table, forms: Forms, cells: IntArray, results: Results) -> tuple[FloatArray, FloatArray]:
    """Per cell the sum of the counted values (or their number), and the number."""
    values, kinds, offsets = rows.gather(results.first[cells], results.last[cells])
    counted = kinds == COUNTED
    n = statistics.cell_sums(counted, offsets)
    k = statistics.cell_sums(np.where(counted, values, 0.0), offsets)
    return np.where(forms.rows[table.line[cells]], n, k), n


def _against(results: Results, cells: IntArray, baseline: IntArray, forms: Forms, table: Table) -> None:
    """Turns rates into reductions (1 - r) or increases (r - 1) against the baseline, with the interval of r.

    A baseline's own cell has its rate as its value.
    """
    own = cells[cells == baseline]
    results.value[own] = _divided(results.k[own], results.exposure[own])
    results.low[own], results.high[own] = statistics.garwood(results.k[own], results.exposure[own])
    compared = (cells != baseline) & (baseline >= 0)
    cells, baseline = cells[compared], baseline[compared]
    k, over = results.k[cells], results.exposure[cells]
    before, over_before = results.k[baseline], results.exposure[baseline]
    ratio = _divided(_divided(k, over), _divided(before, over_before))
    low, high = statistics.rate_ratio(k, over, before, over_before)
    things = forms.things[table.line[cells]]
    low, high = np.where(things, low, np.nan), np.where(things, high, np.nan)
    grows = forms.increase[table.line[cells]]
    results.value[cells] = np.where(grows, ratio - 1, 1 - ratio)
    results.low[cells] = np.where(grows, low - 1, 1 - high)
    results.high[cells] = np.where(grows, high - 1, 1 - low)


def _divided(a: FloatArray, b: FloatArray) -> FloatArray:
    """a / b, NaN where b is not above 0."""
    known = b > 0
    result: FloatArray = np.where(known, a / np.where(known, b, 1.0), np.nan)
    return result
