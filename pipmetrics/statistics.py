"""Exact intervals and tests, vectorised, thin over scipy.

Intervals are two-sided and exact or conservative: coverage is at least `level` at any sample size. Arrays broadcast as
numpy's do. NaN is "no number", infinity is "unbounded".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special, stats

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray, FloatArray, IntArray

Numbers: TypeAlias = npt.ArrayLike
LEVEL = 0.95
PREDICTIVE = 0.8
TIE = 1e-9
"""Shares and distribution functions closer than this are the same number."""


def cell_sums(rows: FloatArray | BoolArray, offsets: IntArray) -> FloatArray:
    """Adds up, cell by cell, one number a row; cell i holds the rows offsets[i]:offsets[i + 1], none give 0."""
    totals = np.zeros(len(offsets) - 1)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        totals[filled] = np.add.reduceat(rows, offsets[filled], dtype=np.float64)
    return totals


# --- intervals ----------------------------------------------------------------------------------------------------


def clopper_pearson(k: Numbers, n: Numbers, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Interval of a share with `k` of `n`; fractional `k` through the same beta form; NaN where n is 0.

    Clopper and Pearson, Biometrika 26 (1934) 404.
    """
    hits, trials = _broadcast(k, n)
    tail = (1 - level) / 2
    misses = np.maximum(trials - hits, 0.0)
    low = np.where(hits > 0, special.betaincinv(np.maximum(hits, TIE), misses + 1, tail), 0.0)
    high = np.where(misses > 0, special.betaincinv(hits + 1, np.maximum(misses, TIE), 1 - tail), 1.0)
    known = trials > 0
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def garwood(count: Numbers, exposure: Numbers = 1.0, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Interval of a rate with `count` events in `exposure`; fractional counts through the same gamma form.

    NaN where the exposure is 0. Garwood, Biometrika 28 (1936) 437.
    """
    events, over = _broadcast(count, exposure)
    tail = (1 - level) / 2
    low: Any = np.where(events > 0, special.gammaincinv(np.maximum(events, TIE), tail), 0.0)
    high: Any = special.gammaincinv(events + 1, 1 - tail)
    return _per(low, over), _per(high, over)


def rate_ratio(
    count: Numbers, exposure: Numbers, base: Numbers, base_exposure: Numbers, level: float = LEVEL
) -> tuple[FloatArray, FloatArray]:
    """Interval of the ratio of the rates count / exposure and base / base_exposure.

    Conditional on all events, those of the first are binomial with p = r E / (r E + E0); Clopper-Pearson for p turned
    into r. Przyborowski and Wilenski, Biometrika 31 (1940) 313. No event at all gives (0, infinity).
    """
    events, over, before, over_before = _broadcast(count, exposure, base, base_exposure)
    low, high = clopper_pearson(events, events + before, level)
    low, high = np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), 1.0, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where((over > 0) & (over_before > 0), over_before / over, np.nan)
        top = np.where(high < 1, high / (1 - high) * scale, np.where(np.isnan(scale), np.nan, np.inf))
        return low / (1 - low) * scale, top


def t_interval(mean: Numbers, deviation: Numbers, n: Numbers, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Student's interval of a mean by the sample's standard deviation; NaN under 10 samples."""
    centre, spread, size = _broadcast(mean, deviation, n)
    enough = size >= 10
    sized = np.where(enough, size, 10.0)
    half = special.stdtrit(sized - 1, 1 - (1 - level) / 2) * spread / np.sqrt(sized)
    return np.where(enough, centre - half, np.nan), np.where(enough, centre + half, np.nan)


def order_ranks(n: Numbers, q: Numbers, level: float = LEVEL) -> tuple[IntArray, IntArray]:
    """Ranks (from 1) of the order statistics around the `q` quantile that leave at most half of 1 - level outside each.

    By the binomial distribution of how many of `n` lie below the quantile. 0 stands for no lower rank, n + 1 for no
    upper one. David and Nagaraja, Order Statistics, 7.1.
    """
    size, at = _broadcast(n, q)
    tail = (1 - level) / 2
    low = np.asarray(stats.binom.ppf(tail, size, at)).astype(np.int64)
    low += stats.binom.cdf(low, size, at) <= tail
    high = np.asarray(stats.binom.ppf(1 - tail, size, at)).astype(np.int64) + 1
    return low, np.minimum(high, size.astype(np.int64) + 1)


# --- quantiles of right-censored samples --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Samples in ascending order, cell by cell; cell i holds the places offsets[i]:offsets[i + 1].

    At one value events come before censorings. `below` is the Kaplan-Meier F at each place, `known` the order when
    censored ones stand at infinity: both meaningful only in cells that are `censored` at all.
    """

    values: FloatArray
    offsets: IntArray
    censored: BoolArray
    below: FloatArray
    known: FloatArray

    @property
    def sizes(self) -> IntArray:
        sizes: IntArray = np.diff(self.offsets)
        return sizes


def ordered(values: FloatArray, open_: BoolArray, offsets: IntArray) -> Ordered:
    """Orders the samples of every cell; an `open_` one is censored at its value."""
    sizes = np.diff(offsets)
    found = np.empty(len(values))
    for cells, width in _by_width(sizes):
        place, inside = _rectangle(offsets, sizes, cells, width)
        aged = values[place]
        aged[~inside] = np.inf
        found[place[inside]] = np.sort(aged, axis=1)[inside]
    if not open_.any():
        return Ordered(found, offsets, np.zeros(len(sizes), dtype=bool), found, found)
    censored = cell_sums(open_, offsets) > 0
    return Ordered(found, offsets, censored, *_kaplan_meier(values, open_, offsets, censored))


def quantile(of: Ordered, cell: IntArray, q: Numbers) -> FloatArray:
    """The smallest t with F(t) >= q (Kaplan-Meier, no interpolation) of each cell asked for.

    Infinite where it is never reached, NaN for a cell without samples.
    """
    size, asked = of.sizes[cell], np.broadcast_to(np.asarray(q, dtype=np.float64), cell.shape)
    value = _at_rank(of.values, of.offsets[cell], size, np.ceil(asked * size - TIE).astype(np.int64))
    late = np.flatnonzero(of.censored[cell])
    if len(late):
        first, counts = of.offsets[cell[late]], size[late]
        starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
        place = np.arange(starts[-1]) + np.repeat(first - starts[:-1], counts)
        short = cell_sums(of.below[place] < np.repeat(asked[late], counts) - TIE, starts).astype(np.int64)
        value[late] = _at_rank(of.values, first, counts, short + 1)
    value[size == 0] = np.nan
    return value


def quantile_interval(of: Ordered, cell: IntArray, q: Numbers, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """The order statistics around the quantile; a censored sample stands at its value below and at infinity above.

    No such rank gives 0 and infinity; a cell without samples NaN.
    """
    size, asked = of.sizes[cell], np.broadcast_to(np.asarray(q, dtype=np.float64), cell.shape)
    pairs, back = np.unique(size + 1j * asked, return_inverse=True)
    below, above = (rank[back] for rank in order_ranks(pairs.real, pairs.imag, level))
    first = of.offsets[cell]
    low = _at_rank(of.values, first, size, below)
    high = _at_rank(of.values, first, size, above)
    high = np.where(of.censored[cell], _at_rank(of.known, first, size, above), high)
    none = size == 0
    return np.where(none, np.nan, low), np.where(none, np.nan, high)


def share_below(of: Ordered, at: Numbers, *, inclusive: bool) -> FloatArray:
    """For each cell the Kaplan-Meier F(t) at `at`, of t <= at when `inclusive`, else of t < at; NaN without samples."""
    sizes = of.sizes
    bound = np.repeat(np.broadcast_to(np.asarray(at, dtype=np.float64), sizes.shape), sizes)
    reached = cell_sums((of.values <= bound) if inclusive else (of.values < bound), of.offsets).astype(np.int64)
    plain = np.divide(reached, sizes, out=np.full(len(sizes), np.nan), where=sizes > 0)
    last = np.where(reached > 0, of.below[np.maximum(of.offsets[:-1] + reached - 1, 0)] if len(of.below) else 0.0, 0.0)
    return np.where(of.censored, last, plain)


def _by_width(sizes: IntArray) -> list[tuple[IntArray, int]]:
    """The cells with rows, those of similar size together, so that a rectangle of them is at most half empty."""
    width = np.ceil(np.log2(np.maximum(sizes, 1))).astype(np.int64)
    width[sizes == 0] = -1
    groups = [np.flatnonzero(width == each) for each in np.unique(width[sizes > 0])]
    return [(cells, int(sizes[cells].max())) for cells in groups]


def _rectangle(offsets: IntArray, sizes: IntArray, cells: IntArray, width: int) -> tuple[IntArray, BoolArray]:
    """The rows' places as one line a cell, and which of them are the cell's; the others repeat its last row."""
    column, size = np.arange(width), sizes[cells, None]
    return offsets[cells, None] + np.minimum(column, size - 1), column < size


def _at_rank(values: FloatArray, first: IntArray, size: IntArray, rank: IntArray) -> FloatArray:
    """The entry of each cell at a rank from 1; 0 below the first, infinity beyond the last."""
    if not len(values):
        return np.full(len(size), np.inf)
    found = values[np.minimum(first + np.minimum(np.maximum(rank, 1), size) - (size > 0), len(values) - 1)]
    found[rank > size] = np.inf
    found[rank < 1] = 0.0
    return found


def _kaplan_meier(
    values: FloatArray, open_: BoolArray, offsets: IntArray, censored: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """F at each place of the order, and the order with censored samples at infinity, for the cells that have some."""
    sizes = np.where(censored, np.diff(offsets), 0)
    cell = np.repeat(np.arange(len(sizes)), np.diff(offsets))
    rows = np.flatnonzero(censored[cell])
    rows = rows[np.argsort(open_[rows], kind="stable")]
    rows = rows[np.argsort(values[rows], kind="stable")]
    packed = np.sort((cell[rows] << 32) | np.arange(len(rows)))  # faster than a stable argsort of the cells
    rows = rows[packed & 0xFFFF_FFFF]
    places = np.flatnonzero(censored[cell])
    below, known, late = np.full(len(values), np.nan), np.full(len(values), np.nan), np.zeros(len(values), dtype=bool)
    known[places], late[places] = np.where(open_[rows], np.inf, values[rows]), open_[rows]
    for cells, width in _by_width(sizes):
        place, inside = _rectangle(offsets, sizes, cells, width)
        at_risk = np.maximum(sizes[cells, None] - np.arange(width), 1)
        survives = np.where(late[place], 1.0, 1.0 - 1.0 / at_risk)
        below[place[inside]] = (1 - np.cumprod(survives, axis=1))[inside]
        known[place[inside]] = np.sort(np.where(inside, known[place], np.inf), axis=1)[inside]
    return below, known


# --- one-sided tests: the chance of a result at least this good if nothing had changed ----------------------------


def fisher(k: Numbers, n: Numbers, base: Numbers, base_n: Numbers, *, at_least: bool) -> FloatArray:
    """Fisher's exact test of `k` of `n` against `base` of `base_n`: P(K >= k) or, when less is better, P(K <= k).

    Fractional successes are rounded to the side that makes the chance larger. NaN where either sample is empty.
    """
    hits, trials, before, trials_before = _broadcast(k, n, base, base_n)
    hits, before = (np.floor(hits + TIE), np.ceil(before - TIE)) if at_least else (
        np.ceil(hits - TIE), np.floor(before + TIE))  # fmt: skip
    known = (trials > 0) & (trials_before > 0)
    population = np.where(known, trials + trials_before, 2)
    marked, drawn = np.where(known, hits + before, 1), np.where(known, trials, 1)
    of = stats.hypergeom
    chance = of.sf(hits - 1, population, marked, drawn) if at_least else of.cdf(hits, population, marked, drawn)
    return np.where(known, np.clip(chance, 0, 1), np.nan)


def rate_ratio_chance(
    count: Numbers, exposure: Numbers, base: Numbers, base_exposure: Numbers, *, at_least: bool
) -> FloatArray:
    """Conditional binomial test of equal rates: P(K >= count) or P(K <= count) given all events.

    Fractional counts through the beta form. NaN where an exposure is 0.
    """
    events, over, before, over_before = _broadcast(count, exposure, base, base_exposure)
    known = (over > 0) & (over_before > 0)
    share = np.where(known, over, 1) / np.where(known, over + over_before, 2)
    if at_least:
        chance = np.where(events > 0, special.betainc(np.maximum(events, TIE), before + 1, share), 1.0)
    else:
        chance = np.where(before > 0, special.betainc(np.maximum(before, TIE), events + 1, 1 - share), 1.0)
    return np.where(known, chance, np.nan)


def mann_whitney(x: FloatArray, x_open: BoolArray, base: FloatArray, base_open: BoolArray, *, at_least: bool) -> float:
    """Mann-Whitney test that `x` is larger (`at_least`) or smaller than `base`; NaN where either is empty.

    An open row stands where it speaks least for the improvement that is tested: when less is better, those of `x` at
    infinity and those of `base` at their age; when more is better, the other way round.
    """
    if not len(x) or not len(base):
        return float("nan")
    far = np.finfo(np.float64).max
    ours = x if at_least else np.where(x_open, far, x)
    theirs = np.where(base_open, far, base) if at_least else base
    if len(np.unique(np.concatenate([ours, theirs]))) == 1:
        return 1.0
    found: Any = stats.mannwhitneyu(ours, theirs, alternative="greater" if at_least else "less")
    return float(found.pvalue)


# --- trends -------------------------------------------------------------------------------------------------------


def theil_sen(x: FloatArray, y: FloatArray, level: float = LEVEL) -> tuple[float, float, float]:
    """Slope and its interval by scipy.stats.theilslopes; the interval is Sen's normal approximation, not exact."""
    found: Any = stats.theilslopes(y, x, alpha=level)
    return float(found.slope), float(found.low_slope), float(found.high_slope)


def kendall(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Kendall's tau and its two-sided p; (0, 1) where one of them does not vary."""
    if len(np.unique(x)) < 2 or len(np.unique(y)) < 2:
        return 0.0, 1.0
    found: Any = stats.kendalltau(x, y)
    return float(found.statistic), float(found.pvalue)


# --- predictions --------------------------------------------------------------------------------------------------


def beta_binomial(k: Numbers, n: Numbers, ahead: Numbers, level: float = PREDICTIVE) -> tuple[FloatArray, FloatArray]:
    """How many of the next `ahead` succeed, after `k` of `n`: beta-binomial with Jeffreys' prior Beta(1/2, 1/2)."""
    hits, trials, future = _broadcast(k, n, ahead)
    coming = np.round(future).astype(np.int64)
    tail = (1 - level) / 2
    offsets = np.concatenate([[0], np.cumsum(coming + 1)])
    cell = np.repeat(np.arange(len(coming)), coming + 1)
    number = np.arange(offsets[-1]) - offsets[cell]
    mass = np.asarray(stats.betabinom.pmf(number, coming[cell], hits[cell] + 0.5, trials[cell] - hits[cell] + 0.5))
    low, high = np.zeros(len(coming)), np.zeros(len(coming))
    for cells, widest in _by_width(coming + 1):
        width = np.arange(widest)
        place = np.minimum(offsets[cells, None] + width, offsets[cells + 1, None] - 1)
        grown = np.cumsum(np.where(width <= coming[cells, None], mass[place], 0.0), axis=1)
        low[cells] = np.minimum((grown < tail - TIE).sum(axis=1), coming[cells])
        high[cells] = np.minimum((grown < 1 - tail - TIE).sum(axis=1), coming[cells])
    return low, high


def gamma_poisson(
    count: Numbers, exposure: Numbers, ahead: Numbers, level: float = PREDICTIVE
) -> tuple[FloatArray, FloatArray]:
    """How many events the next `ahead` of exposure bring, after `count` in `exposure`: Jeffreys' prior, so a negative
    binomial with size count + 1/2. NaN where the exposure is 0."""
    events, over, coming = _broadcast(count, exposure, ahead)
    tail = (1 - level) / 2
    known = over > 0
    past = np.where(known, over, 1)
    p = past / (past + np.maximum(coming, 0))
    low, high = stats.nbinom.ppf(tail, events + 0.5, p), stats.nbinom.ppf(1 - tail, events + 0.5, p)
    still = p >= 1
    return np.where(known, np.where(still, 0.0, low), np.nan), np.where(known, np.where(still, 0.0, high), np.nan)


def _per(limit: FloatArray, exposure: FloatArray) -> FloatArray:
    rate: FloatArray = np.where(exposure > 0, limit / np.where(exposure > 0, exposure, 1.0), np.nan)
    return rate


def _broadcast(*numbers: Numbers) -> tuple[FloatArray, ...]:
    """The numbers as float arrays of one common shape, at least of one dimension."""
    return tuple(
        np.array(each)
        for each in np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in numbers))
    )
