"""How likely a verdict would be luck: simulated before a plan starts, from what was measured before it.

Two people are imagined, both with the baseline's numbers of samples. One did not change at all: how often would the
value meet the target by chance? One truly reaches the target, not more: how often would the verdict be "not met" in
spite of it, and how often does the value fall short? The state before is as uncertain as it was measured: for rate
ratios its count is drawn anew too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipmetrics import statistics
from pipmetrics.plugin import COUNTED, OPEN, WITHDRAWN, Form, Goal, Mean, Own, Quantile, Ratio, Share, Total

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray, FloatArray

RUNS = 10_000
SLOW_RUNS = 2_000
"""As many for tests that go by ranks."""
SEED = 7
BY_CHANCE = 0.025
"""One side of what a 95 % interval leaves out."""


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """What was measured before the plan; `scale` = time ahead / time gone says how much of it the plan will have.

    `values` and `kinds` are rows of the baseline (score.baselines), `exposure` what counts are divided by.
    """

    values: FloatArray
    kinds: FloatArray
    exposure: float
    scale: float

    @property
    def samples(self) -> FloatArray:
        return self.values[np.isin(self.kinds, (COUNTED, OPEN))]

    @property
    def events(self) -> float:
        return float(self.values[self.kinds == COUNTED].sum())


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """One entry a simulated plan: enough data, target met by the value, target inside the interval; `better` is the
    chance of a result at least this good if nothing had changed (fewer entries where one is slow to compute)."""

    enough: BoolArray
    met: BoolArray
    inside: BoolArray
    better: FloatArray

    @property
    def not_met(self) -> BoolArray:
        return self.enough & ~self.met & ~self.inside


@dataclass(frozen=True, slots=True)
class Luck:
    """Chances, 0 to 1, of one criterion. None: it cannot be simulated, or there is nothing to start from.

    `met_unchanged`: the value meets the target although nothing changed. `short_though_reached`: the value misses
    although the person truly reached the target; `not_met_though_reached`: and the verdict at the end is "not met".
    `told_apart`: somebody who truly reached it can be told from somebody who did not change (one side of a 95 % test);
    None where the state before meets the target already.
    `expected`: samples, or exposure, that the plan will have.
    """

    expected: float | None
    met_unchanged: float | None
    short_though_reached: float | None
    not_met_though_reached: float | None
    told_apart: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Imagined:
    """The draws of both people, so that criteria can be put together to a plan's verdict."""

    luck: Luck
    unchanged: Draws | None
    reached: Draws | None


def imagine(goal: Goal, before: Before, seed: int = SEED, runs: int = RUNS) -> Imagined:
    """Simulate one criterion; the same seed gives the same figures."""
    expected = _expected(goal, before)
    if isinstance(goal.form, Own) or expected is None or expected <= 0 or not _known(goal.form, before):
        return Imagined(Luck(expected, None, None, None), None, None)
    rng = np.random.default_rng(seed)
    unchanged = _draw(goal, before, expected, reached=False, rng=rng, runs=runs)
    reached = _draw(goal, before, expected, reached=True, rng=rng, runs=runs)
    luck = Luck(
        expected,
        float(np.mean(unchanged.enough & unchanged.met)),
        float(np.mean(reached.enough & ~reached.met)),
        float(np.mean(reached.not_met)),
        None if _meets_already(goal, before) else float(np.mean(reached.better <= BY_CHANCE)),
    )
    return Imagined(luck, unchanged, reached)


def _expected(goal: Goal, before: Before) -> float | None:
    form = goal.form
    if isinstance(form, Ratio) or (isinstance(form, Total) and form.per is not None):
        return before.exposure * before.scale
    if isinstance(form, Own):
        return None
    return float(round(len(before.samples) * before.scale))


def _known(form: Form, before: Before) -> bool:
    if isinstance(form, Ratio):
        return before.events > 0 and before.exposure > 0
    if isinstance(form, Share):
        return _share_before(form, before)[1] > 0
    return len(before.samples) > 0 or isinstance(form, Total)


def _meets_already(goal: Goal, before: Before) -> bool:
    form = goal.form
    if isinstance(form, Ratio):
        return False
    if isinstance(form, Share):
        hits, judged = _share_before(form, before)
        value = hits / judged
    elif isinstance(form, Total):
        count = float((before.kinds == COUNTED).sum()) if form.rows else before.events
        value = count / before.exposure if form.per is not None else count * before.scale
    else:
        value = float(_statistic(form, before.samples[None, :])[0])
    return value >= goal.target if goal.at_least else value <= goal.target


def _draw(goal: Goal, before: Before, expected: float, *, reached: bool, rng: np.random.Generator, runs: int) -> Draws:
    form = goal.form
    if isinstance(form, Share):
        return _share(goal, form, before, expected, reached, rng, runs)
    if isinstance(form, Ratio):
        return _ratio(goal, form, before, expected, reached, rng, runs)
    if isinstance(form, Total):
        return _total(goal, form, before, expected, reached, rng, runs)
    return _resampled(goal, before, expected, reached, rng, runs)


def _share(
    goal: Goal, form: Share, before: Before, expected: float, reached: bool, rng: np.random.Generator, runs: int
) -> Draws:
    hits, judged = _share_before(form, before)
    p = goal.target if reached else hits / judged
    n = int(expected)
    k = rng.binomial(n, p, runs).astype(np.float64)
    low, high = statistics.clopper_pearson(np.arange(n + 1.0), n)
    place = k.astype(np.int64)
    better = statistics.fisher(k, n, hits, judged, at_least=goal.at_least)
    return _judge(goal, k / n, low[place], high[place], np.full(runs, n >= goal.minimum), better)


def _share_before(form: Share, before: Before) -> tuple[float, int]:
    """How many of the baseline's rows were as wanted, and of how many."""
    limit = form.limit
    if limit is None:
        counted = before.values[before.kinds == COUNTED]
        return float(counted.sum()), len(counted)
    late = np.isin(before.kinds, (OPEN, WITHDRAWN)) & (before.values > limit)
    judged = (before.kinds == COUNTED) | late
    return float((before.values <= limit)[judged].sum()), int(judged.sum())


def _ratio(
    goal: Goal, form: Ratio, before: Before, expected: float, reached: bool, rng: np.random.Generator, runs: int
) -> Draws:
    rate = before.events / before.exposure
    factor = (1 + goal.target if form.increase else 1 - goal.target) if reached else 1.0
    base = rng.poisson(before.events, runs).astype(np.float64)
    count = rng.poisson(rate * factor * expected, runs).astype(np.float64)
    low, high = statistics.rate_ratio(count, expected, base, before.exposure)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (count / expected) / (base / before.exposure)
    value, low, high = (ratio - 1, low - 1, high - 1) if form.increase else (1 - ratio, 1 - high, 1 - low)
    enough = (base > 0) & (min(expected, before.exposure) >= goal.minimum)
    better = statistics.rate_ratio_chance(count, expected, before.events, before.exposure, at_least=form.increase)
    return _judge(goal, value, low, high, enough, better)


def _total(
    goal: Goal, form: Total, before: Before, expected: float, reached: bool, rng: np.random.Generator, runs: int
) -> Draws:
    over = expected if form.per is not None else 1.0
    count_before = float((before.kinds == COUNTED).sum()) if form.rows else before.events
    mean = goal.target * over if reached else count_before * before.scale
    count = rng.poisson(mean, runs).astype(np.float64)
    low, high = statistics.garwood(count, over)
    enough = np.full(runs, form.per is None or expected >= goal.minimum)
    time, time_before = (over, before.exposure) if form.per is not None else (before.scale, 1.0)
    better = statistics.rate_ratio_chance(count, time, count_before, time_before, at_least=goal.at_least)
    return _judge(goal, count / over, low, high, enough, better)


def _resampled(
    goal: Goal, before: Before, expected: float, reached: bool, rng: np.random.Generator, runs: int
) -> Draws:
    """Medians, quantiles and means: the plan's samples are drawn from those of the baseline, scaled to the target."""
    samples, n = before.samples, int(expected)
    drawn = rng.choice(samples, (runs, n))
    if reached:
        now = _statistic(goal.form, samples[None, :])[0]
        if now <= 0:
            never = np.zeros(runs, dtype=bool)
            return Draws(never, never, never, np.ones(1))
        drawn = drawn * (goal.target / now)
    value = _statistic(goal.form, drawn)
    if isinstance(goal.form, Mean):
        deviation = drawn.std(axis=1, ddof=1) if n > 1 else np.full(runs, np.nan)
        low, high = statistics.t_interval(value, deviation, n)
    else:
        q = goal.form.q if isinstance(goal.form, Quantile) else 0.5
        ranks = statistics.order_ranks(np.array([float(n)]), np.array([q]))
        ordered = np.sort(drawn, axis=1)
        low = ordered[:, ranks[0][0] - 1] if ranks[0][0] >= 1 else np.zeros(runs)
        high = ordered[:, ranks[1][0] - 1] if ranks[1][0] <= n else np.full(runs, np.inf)
    better = _ranked_better(drawn[:SLOW_RUNS], samples, at_least=goal.at_least)
    return _judge(goal, value, low, high, np.full(runs, n >= goal.minimum), better)


def _ranked_better(drawn: FloatArray, samples: FloatArray, *, at_least: bool) -> FloatArray:
    """Mann-Whitney's chance for each row, by its normal approximation; 1 where everything is equal."""
    from scipy import stats

    side = "greater" if at_least else "less"
    rank_test: Any = stats.mannwhitneyu  # its stubs know no two-dimensional sample beside a single row
    with np.errstate(invalid="ignore", divide="ignore"):
        found = rank_test(drawn, samples[None, :], alternative=side, axis=1, method="asymptotic")
    return np.nan_to_num(np.asarray(found.pvalue, dtype=np.float64), nan=1.0)


def _statistic(form: Form, rows: FloatArray) -> FloatArray:
    if isinstance(form, Mean):
        return np.asarray(rows.mean(axis=1))
    q = form.q if isinstance(form, Quantile) else 0.5
    place = max(0, int(np.ceil(q * rows.shape[1] - statistics.TIE)) - 1)
    return np.asarray(np.sort(rows, axis=1)[:, place])


def _judge(
    goal: Goal, value: FloatArray, low: FloatArray, high: FloatArray, enough: BoolArray, better: FloatArray
) -> Draws:
    tie = statistics.TIE
    with np.errstate(invalid="ignore"):
        met = value >= goal.target - tie if goal.at_least else value <= goal.target + tie
        inside = (low <= goal.target + tie) & (goal.target - tie <= high)
    return Draws(enough, enough & met, inside, better)


def plan_chances(
    parts: Sequence[tuple[float, Imagined]], met_at: float, at_risk_at: float
) -> tuple[float, float] | None:
    """(plan met though nothing changed, plan not met though every target was truly reached), by the weighted score.

    `parts` are (weight, criterion), taken as independent of each other; None when one of them could not be simulated.
    """
    if not parts or any(part.unchanged is None or part.reached is None for _, part in parts):
        return None
    weights = np.array([weight for weight, _ in parts])
    unchanged = _score([part.unchanged for _, part in parts if part.unchanged], weights)
    reached = _score([part.reached for _, part in parts if part.reached], weights)
    tie = statistics.TIE
    return float(np.mean(unchanged >= met_at - tie)), float(np.mean(reached < at_risk_at - tie))


def _score(draws: Sequence[Draws], weights: FloatArray) -> FloatArray:
    points = np.array([np.where(each.met, 1.0, np.where(each.inside, 0.5, 0.0)) for each in draws])
    judged = np.array([each.enough for each in draws]) * weights[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray((points * judged).sum(axis=0) / judged.sum(axis=0))
