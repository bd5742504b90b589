"""SPEC section 7's statistics, each straight from its scipy distribution. None is no number, infinity no bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scipy import stats

Interval = tuple[float, float]
TAIL = 0.025


@dataclass(frozen=True)
class Sample:
    """Rows of a criterion: `values` those that are over, `ages` those that are still open."""

    values: tuple[float, ...] = ()
    ages: tuple[float, ...] = ()

    @property
    def n(self) -> int:
        return len(self.values) + len(self.ages)


def clopper_pearson(hits: float, n: float) -> Interval:
    low = stats.beta.ppf(TAIL, hits, n - hits + 1) if hits > 0 else 0.0
    high = stats.beta.ppf(1 - TAIL, hits + 1, n - hits) if hits < n else 1.0
    return float(low), float(high)


def garwood(events: float) -> Interval:
    low = stats.chi2.ppf(TAIL, 2 * events) / 2 if events > 0 else 0.0
    return float(low), float(stats.chi2.ppf(1 - TAIL, 2 * events + 2) / 2)


def rate_ratio(events: float, exposure: float, before: float, exposure_before: float) -> Interval:
    """Exact conditional binomial: given all events, how many fell into the window."""
    low, high = clopper_pearson(events, events + before)
    scale = exposure_before / exposure
    return low / (1 - low) * scale, (high / (1 - high) * scale if high < 1 else math.inf)


def kaplan_meier(sample: Sample, q: float) -> float:
    """The smallest t with F(t) >= q; infinity when F never gets there. Counted in whole fractions."""
    alive, survival, level = sample.n, Fraction(1), Fraction(q).limit_denominator(1000)
    for t in sorted({*sample.values, *sample.ages}):
        died = sample.values.count(t)
        if died:
            survival *= Fraction(alive - died, alive)
            if 1 - survival >= level:
                return t
        alive -= died + sample.ages.count(t)
    return math.inf


def order_statistics(sample: Sample, q: float, tail: float = TAIL) -> Interval:
    """The order statistics whose binomial ranks leave at most that much on each side."""
    n = sample.n
    lower = sorted([*sample.values, *sample.ages])
    upper = sorted([*sample.values, *(math.inf for _ in sample.ages)])
    below = [rank for rank in range(1, n + 1) if stats.binom.cdf(rank - 1, n, q) <= tail]
    above = [rank for rank in range(1, n + 1) if stats.binom.sf(rank - 1, n, q) <= tail]
    return (lower[below[-1] - 1] if below else 0.0), (upper[above[0] - 1] if above else math.inf)


def mean_interval(values: Sequence[float]) -> Interval | None:
    n = len(values)
    if n < 10:
        return None
    mean = sum(values) / n
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n)
    width = float(stats.t.ppf(1 - TAIL, n - 1)) * spread
    return mean - width, mean + width


def fisher(hits: float, misses: float, hits_before: float, misses_before: float, *, more: bool) -> float:
    """Chance of at least (or at most) so many hits, had nothing changed."""
    side = "greater" if more else "less"
    return float(stats.fisher_exact([[hits, misses], [hits_before, misses_before]], side).pvalue)


def conditional_binomial(events: float, exposure: float, before: float, exposure_before: float, *, more: bool) -> float:
    """Chance of at least (or at most) so many events in the window, had the rate not changed."""
    p = exposure / (exposure + exposure_before)
    total = events + before
    if more:
        return float(stats.beta.cdf(p, events, before + 1)) if events > 0 else 1.0
    return float(stats.beta.sf(p, events + 1, total - events)) if before > 0 else 1.0


def mann_whitney(values: Sequence[float], before: Sequence[float], *, more: bool) -> float:
    return float(stats.mannwhitneyu(values, before, alternative="greater" if more else "less").pvalue)


def theil_sen(weekly: Sequence[tuple[int, float]]) -> tuple[float, float, float]:
    """Slope a week, and its interval."""
    found = stats.theilslopes([value for _, value in weekly], [week for week, _ in weekly], 0.95)
    return float(found[0]), float(found[2]), float(found[3])


def kendall(weekly: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Tau of the weekly values, and its p."""
    found = stats.kendalltau([week for week, _ in weekly], [value for _, value in weekly])
    return float(found.statistic), float(found.pvalue)


def beta_binomial(hits: float, n: float, further: int) -> Interval:
    """Hits among further samples, 80 % of the time, from a Jeffreys prior."""
    if not further:
        return 0.0, 0.0
    found = stats.betabinom(further, hits + 0.5, n - hits + 0.5)
    return float(found.ppf(0.1)), float(found.ppf(0.9))


def gamma_poisson(events: float, exposure: float, ahead: float) -> Interval:
    """Events over a further exposure, 80 % of the time, from a Jeffreys prior."""
    if not ahead:
        return 0.0, 0.0
    found = stats.nbinom(events + 0.5, exposure / (exposure + ahead))
    return float(found.ppf(0.1)), float(found.ppf(0.9))
