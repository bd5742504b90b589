"""The kernel: sums, shares and quantiles of many spans of rows, without a loop over plans, people or rows.

A job is one form of statistic over one span of one owner's rows; cells that ask for the same share a job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics import statistics
from pipmetrics.plugin import COUNTED, OPEN, WITHDRAWN

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray, ByteArray, FloatArray, IntArray
    from pipmetrics.score.rows import Rows

SHARE, QUANTILE, MEAN, TOTAL, RATIO, OWN = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Half-open spans of an owner's time, as pairs of points; neighbours share a point, which is looked up once.

    `owner` and `at` (microseconds since 1970) have one entry a point, `start` and `end` are the points of each span.
    """

    owner: IntArray
    at: IntArray
    start: IntArray
    end: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Jobs:
    """What to compute. `number` is a share's limit (NaN: none) or the quantile; `rows`: count rows, do not add up
    their values, `things`: what is added up has an interval, `exposure` the span to divide by (-1: none), `given` an
    exposure that is known without counting (NaN: none)."""

    code: IntArray
    number: FloatArray
    rows: BoolArray
    things: BoolArray
    span: IntArray
    exposure: IntArray
    given: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One entry a job: successes or sum `k`, sample or exposure `n`, `exposure`, `value`; `first`, `last` one a span.

    NaN is no number, and a quantile that is never reached is infinite. A ratio has its rate as its value.
    """

    first: IntArray
    last: IntArray
    k: FloatArray
    n: FloatArray
    exposure: FloatArray
    value: FloatArray


def score(rows: Rows, spans: Spans, jobs: Jobs) -> Scored:
    """Computes all jobs."""
    point = rows.places(spans.owner, spans.at)
    first, last = point[spans.start], point[spans.end]
    k, n, value = (np.full(len(jobs.code), np.nan) for _ in range(3))
    scored = Scored(first, last, k, n, jobs.given.copy(), value)
    _exposures(rows, jobs, scored)
    for codes, fill in (((SHARE,), _shares), ((QUANTILE,), _quantiles), ((MEAN,), _means), ((TOTAL, RATIO), _totals)):
        chosen = _coded(jobs, *codes)
        if len(chosen):
            fill(rows, jobs, chosen, scored)
    return scored


def intervals(rows: Rows, jobs: Jobs, scored: Scored) -> tuple[FloatArray, FloatArray]:
    """The exact intervals of all jobs (of a ratio: of its rate); NaN where there is none."""
    low, high = np.full(len(jobs.code), np.nan), np.full(len(jobs.code), np.nan)
    of = _coded(jobs, SHARE)
    low[of], high[of] = statistics.clopper_pearson(scored.k[of], scored.n[of])
    of = _coded(jobs, TOTAL, RATIO)
    of = of[jobs.things[of]]
    over = np.where((jobs.code[of] == TOTAL) & np.isnan(scored.exposure[of]), 1.0, scored.exposure[of])
    low[of], high[of] = statistics.garwood(scored.k[of], over)
    of = _coded(jobs, QUANTILE)
    used, place = _distinct(jobs.span[of], len(scored.first))
    order = statistics.ordered(*samples(rows, scored.first[used], scored.last[used]))
    low[of], high[of] = statistics.quantile_interval(order, place, jobs.number[of])
    of = _coded(jobs, MEAN)
    low[of], high[of] = statistics.t_interval(scored.value[of], _deviations(rows, jobs, of, scored), scored.n[of])
    return low, high


def samples(rows: Rows, first: IntArray, last: IntArray) -> tuple[FloatArray, BoolArray, IntArray]:
    """Durations of spans: the values of counted and open rows, which of them are open, and where each span begins."""
    values, kinds, offsets = rows.gather(first, last)
    if not kinds.any():
        return values, kinds.astype(bool), offsets
    kept = (kinds == COUNTED) | (kinds == OPEN)
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])[offsets]
    return values[kept], kinds[kept] == OPEN, bounds


def judged(values: FloatArray, kinds: ByteArray, limit: FloatArray) -> BoolArray:
    """Rows that count: those counted, and open or withdrawn ones that have outlived the limit (NaN: there is none)."""
    counts: BoolArray = (kinds == COUNTED) | (((kinds == OPEN) | (kinds == WITHDRAWN)) & (values > limit))
    return counts


def divided(a: FloatArray, b: FloatArray) -> FloatArray:
    """a / b, NaN where b is not above 0."""
    result: FloatArray = np.divide(a, b, out=np.full(len(a), np.nan), where=b > 0)
    return result


def _coded(jobs: Jobs, *codes: int) -> IntArray:
    """The jobs of some forms."""
    return np.flatnonzero(np.logical_or.reduce([jobs.code == code for code in codes]))


def _distinct(spans: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """The different spans among many, ascending, and the place of each among them."""
    there = np.zeros(count, dtype=bool)
    there[spans] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[spans]


def _exposures(rows: Rows, jobs: Jobs, scored: Scored) -> None:
    """The sum of the counted rows of the exposure's span, where none is given."""
    of = np.flatnonzero(jobs.exposure >= 0)
    if not len(of):
        return
    used, place = _distinct(jobs.exposure[of], len(scored.first))
    values, kinds, offsets = rows.gather(scored.first[used], scored.last[used])
    scored.exposure[of] = statistics.cell_sums(_counted(values, kinds), offsets)[place]


def _counted(values: FloatArray, kinds: ByteArray) -> FloatArray:
    """Values of counted rows, 0 for others."""
    return np.where(kinds == COUNTED, values, 0.0) if kinds.any() else values


def _shares(rows: Rows, jobs: Jobs, of: IntArray, scored: Scored) -> None:
    span = jobs.span[of]
    values, kinds, offsets = rows.gather(scored.first[span], scored.last[span])
    limits = jobs.number[of]
    limit = np.repeat(limits, np.diff(offsets))
    fits = (
        np.where(np.isnan(limit), values, values <= limit)
        if np.isnan(limits).any()
        else (values <= limit).astype(float)
    )
    if kinds.any():
        k, n = (
            statistics.cell_sums(_counted(fits, kinds), offsets),
            statistics.cell_sums(judged(values, kinds, limit), offsets),
        )
    else:
        k, n = statistics.cell_sums(fits, offsets), np.diff(offsets).astype(np.float64)
    scored.k[of], scored.n[of], scored.value[of] = k, n, divided(k, n)


def _quantiles(rows: Rows, jobs: Jobs, of: IntArray, scored: Scored) -> None:
    used, place = _distinct(jobs.span[of], len(scored.first))
    order = statistics.ordered(*samples(rows, scored.first[used], scored.last[used]))
    scored.value[of] = statistics.quantile(order, place, jobs.number[of])
    scored.n[of] = scored.k[of] = order.sizes[place]


def _means(rows: Rows, jobs: Jobs, of: IntArray, scored: Scored) -> None:
    k, n = _sums(rows, jobs, of, scored)
    scored.k[of], scored.n[of], scored.value[of] = k, n, divided(k, n)


def _deviations(rows: Rows, jobs: Jobs, of: IntArray, scored: Scored) -> FloatArray:
    """The samples' standard deviations."""
    span = jobs.span[of]
    values, kinds, offsets = rows.gather(scored.first[span], scored.last[span])
    off = _counted((values - np.repeat(scored.value[of], np.diff(offsets))) ** 2, kinds)
    return np.sqrt(divided(statistics.cell_sums(off, offsets), scored.n[of] - 1))


def _totals(rows: Rows, jobs: Jobs, of: IntArray, scored: Scored) -> None:
    k, n = _sums(rows, jobs, of, scored)
    exposure = scored.exposure[of]
    bare = (jobs.code[of] == TOTAL) & np.isnan(exposure)
    scored.k[of], scored.n[of] = k, np.where(bare, n, exposure)
    scored.value[of] = np.where(bare, k, divided(k, exposure))


def _sums(rows: Rows, jobs: Jobs, of: IntArray, scored: Scored) -> tuple[FloatArray, FloatArray]:
    """The sum of the counted values of each job (or their number), and the number."""
    used, place = _distinct(jobs.span[of], len(scored.first))
    values, kinds, offsets = rows.gather(scored.first[used], scored.last[used])
    n = statistics.cell_sums(kinds == COUNTED, offsets) if kinds.any() else np.diff(offsets).astype(np.float64)
    k = statistics.cell_sums(_counted(values, kinds), offsets)
    return np.where(jobs.rows[of], n[place], k[place]), n[place]
