"""Every number against published or scipy reference values, edge cases included."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipmetrics import statistics

UNHURRIED = settings(deadline=None)  # a busy machine is no fault of what is tested


def pair(found: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    return float(found[0][0]), float(found[1][0])


# --- shares -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 10), (10, 10), (1, 10), (15, 18), (50, 200), (199, 200)])
def test_interval_of_a_share_is_that_of_scipys_exact_binomial_test(k: int, n: int) -> None:
    expected = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    assert pair(statistics.clopper_pearson(k, n)) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_interval_of_a_share_agrees_with_the_rule_of_three_limits() -> None:
    assert pair(statistics.clopper_pearson(0, 10)) == pytest.approx((0.0, 0.3084971), abs=1e-6)
    assert pair(statistics.clopper_pearson(5, 10)) == pytest.approx((0.1870860, 0.8129140), abs=1e-6)


def test_nothing_of_nothing_has_no_interval() -> None:
    assert all(map(math.isnan, pair(statistics.clopper_pearson(0, 0))))


def test_fractional_successes_lie_between_their_whole_neighbours() -> None:
    below, at, above = (pair(statistics.clopper_pearson(k, 10)) for k in (4, 4.5, 5))
    assert below[0] < at[0] < above[0]
    assert below[1] < at[1] < above[1]


@UNHURRIED
@given(n=st.integers(1, 60), p=st.floats(0.01, 0.99))
def test_coverage_of_a_share_is_never_under_95_percent(n: int, p: float) -> None:
    k = np.arange(n + 1)
    low, high = statistics.clopper_pearson(k, n)
    covered = (low <= p) & (p <= high)
    assert stats.binom.pmf(k, n, p)[covered].sum() >= 0.95 - 1e-9


# --- counts and rates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.688879), (1, 0.025318, 5.571643), (4, 1.089865, 10.241589), (10, 4.795389, 18.390356)],
)
def test_interval_of_a_count_has_garwoods_published_limits(count: int, low: float, high: float) -> None:
    assert pair(statistics.garwood(count)) == pytest.approx((low, high), abs=1e-6)


def test_interval_of_a_count_is_that_of_the_chi_squared_form() -> None:
    expected = stats.chi2.ppf(0.025, 14) / 2, stats.chi2.ppf(0.975, 16) / 2
    assert pair(statistics.garwood(7)) == pytest.approx(expected, abs=1e-9)


def test_rates_divide_the_limits_by_the_exposure() -> None:
    assert pair(statistics.garwood(4, 40)) == pytest.approx((0.1089865 / 4, 1.0241589 / 4), abs=1e-6)


def test_no_exposure_has_no_rate() -> None:
    assert all(map(math.isnan, pair(statistics.garwood(0, 0))))


def test_a_count_of_halves_lies_between_its_whole_neighbours() -> None:
    below, at, above = (pair(statistics.garwood(k)) for k in (2, 2.5, 3))
    assert below[0] < at[0] < above[0]
    assert below[1] < at[1] < above[1]


@UNHURRIED
@given(mean=st.floats(0.05, 60))
def test_coverage_of_a_count_is_never_under_95_percent(mean: float) -> None:
    k = np.arange(400)
    low, high = statistics.garwood(k)
    covered = (low <= mean) & (mean <= high)
    assert stats.poisson.pmf(k, mean)[covered].sum() >= 0.95 - 1e-9


# --- ratios of rates ----------------------------------------------------------------------------------------------


def test_ratio_of_twelve_and_four_events_has_the_exact_conditional_limits() -> None:
    low, high = pair(statistics.rate_ratio(4, 60, 12, 60))
    assert (round(low, 3), round(high, 2)) == (0.078, 1.10)
    p = stats.binomtest(4, 16).proportion_ci(0.95, "exact")
    assert (low, high) == pytest.approx((p.low / (1 - p.low), p.high / (1 - p.high)), abs=1e-9)


def test_unequal_exposures_scale_the_ratio() -> None:
    equal, unequal = pair(statistics.rate_ratio(4, 60, 12, 60)), pair(statistics.rate_ratio(4, 30, 12, 90))
    assert unequal == pytest.approx((equal[0] * 3, equal[1] * 3))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((0, 5), (0.0, 0.025**-0.2 - 1)), ((5, 0), (1 / (0.025**-0.2 - 1), math.inf)), ((0, 0), (0.0, math.inf))],
)
def test_ratio_without_events_on_one_side_is_bounded_on_the_other_alone(
    counts: tuple[int, int], expected: tuple[float, float]
) -> None:
    assert pair(statistics.rate_ratio(counts[0], 10, counts[1], 10)) == pytest.approx(expected, abs=1e-6)


def test_ratio_without_exposure_is_no_number() -> None:
    assert all(map(math.isnan, pair(statistics.rate_ratio(1, 0, 3, 10))))


@pytest.mark.parametrize("at_least", [True, False])
def test_chance_of_a_ratio_is_that_of_the_exact_binomial_test(at_least: bool) -> None:
    expected = stats.binomtest(4, 16, 40 / 100, alternative="greater" if at_least else "less").pvalue
    assert statistics.rate_ratio_chance(4, 40, 12, 60, at_least=at_least)[0] == pytest.approx(expected, abs=1e-9)


def test_no_event_at_all_is_certain_and_no_exposure_unknown() -> None:
    assert statistics.rate_ratio_chance(0, 10, 0, 10, at_least=False)[0] == 1.0
    assert statistics.rate_ratio_chance(0, 10, 0, 10, at_least=True)[0] == 1.0
    assert math.isnan(statistics.rate_ratio_chance(1, 0, 1, 10, at_least=True)[0])


# --- means --------------------------------------------------------------------------------------------------------


def test_interval_of_a_mean_is_students() -> None:
    values = np.array([3.1, 4.7, 5.2, 1.0, 8.8, 2.2, 3.9, 4.0, 6.1, 7.3, 5.5])
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    found = statistics.t_interval(values.mean(), values.std(ddof=1), len(values))
    assert pair(found) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nine_samples_are_too_few_for_a_mean() -> None:
    assert all(map(math.isnan, pair(statistics.t_interval(5.0, 1.0, 9))))


# --- quantiles ----------------------------------------------------------------------------------------------------


def one(values: list[float], open_: list[bool], q: float) -> tuple[float, float, float]:
    order = statistics.ordered(np.array(values, float), np.array(open_, bool), np.array([0, len(values)]))
    cell = np.zeros(1, dtype=np.int64)
    low, high = statistics.quantile_interval(order, cell, q)
    return float(statistics.quantile(order, cell, q)[0]), float(low[0]), float(high[0])


def test_an_interval_of_another_level_takes_its_own_ranks() -> None:
    order = statistics.ordered(np.arange(1.0, 41.0), np.zeros(40, dtype=bool), np.array([0, 40]))
    low, high = statistics.quantile_interval(order, np.zeros(1, dtype=np.int64), 0.5, 0.8)
    ranks = statistics.order_ranks(40, 0.5, 0.8)
    assert (float(low[0]), float(high[0])) == (float(ranks[0][0]), float(ranks[1][0]))
    assert (float(low[0]), float(high[0])) != (14.0, 27.0)


@pytest.mark.parametrize(
    ("n", "q", "ranks"),
    [(5, 0.5, (0, 6)), (6, 0.5, (1, 6)), (10, 0.5, (2, 9)), (40, 0.5, (14, 27)), (29, 0.9, (23, 30))],
)
def test_ranks_around_a_quantile_are_those_of_the_published_tables(n: int, q: float, ranks: tuple[int, int]) -> None:
    low, high = statistics.order_ranks(n, q)
    assert (int(low[0]), int(high[0])) == ranks


@UNHURRIED
@given(n=st.integers(1, 250), q=st.sampled_from([0.5, 0.75, 0.9]))
def test_ranks_leave_at_most_half_of_5_percent_on_each_side_and_no_more_than_needed(n: int, q: float) -> None:
    low, high = (int(rank[0]) for rank in statistics.order_ranks(n, q))
    assert stats.binom.cdf(low - 1, n, q) <= 0.025 < stats.binom.cdf(low, n, q)
    assert stats.binom.sf(high - 1, n, q) <= 0.025 or high == n + 1
    assert high == 1 or stats.binom.sf(high - 2, n, q) > 0.025


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([1, 2, 3, 4], 0.5, 2),
        ([1, 2, 3, 4, 5], 0.5, 3),
        ([7], 0.9, 7),
        (list(range(1, 11)), 0.9, 9),
        ([3, 3, 3], 0.75, 3),
    ],
)
def test_quantile_is_the_smallest_value_that_reaches_its_share(values: list[float], q: float, expected: float) -> None:
    assert one(values, [False] * len(values), q)[0] == expected


def test_quantile_of_the_remission_trial_is_the_published_one() -> None:
    """6-MP arm of Freireich et al., Blood 21 (1963) 699: median remission 23 weeks, S(10) = 0.753, S(23) = 0.448."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    censored = (
        [False] * 3 + [True, False, True, False, True, True, False, False] + [True] * 3 + [False] * 2 + [True] * 5
    )
    assert one(weeks, censored, 0.5)[0] == 23
    order = statistics.ordered(np.array(weeks, float), np.array(censored), np.array([0, 21]))
    assert 1 - statistics.share_below(order, 10.0, inclusive=True)[0] == pytest.approx(0.7529412, abs=1e-6)
    assert 1 - statistics.share_below(order, 23.0, inclusive=True)[0] == pytest.approx(0.4481793, abs=1e-6)


def test_all_censored_never_reach_a_quantile_and_are_bounded_from_below_by_their_ages() -> None:
    assert one([10, 20, 30, 40, 50, 60], [True] * 6, 0.5) == (math.inf, 10, math.inf)


def test_one_sample_has_a_median_and_no_limits() -> None:
    assert one([4], [False], 0.5) == (4, 0.0, math.inf)


def test_no_sample_has_no_quantile() -> None:
    assert all(map(math.isnan, one([], [], 0.5)))


def test_an_open_item_stands_at_its_age_below_and_at_infinity_above() -> None:
    assert one([1, 2, 3, 4, 5, 6], [True, False, False, False, False, False], 0.5)[1:] == (1, math.inf)
    assert one([1, 2, 3, 4, 5, 6, 7, 8, 9], [True] + [False] * 8, 0.5)[1:] == (2, 9)


samples = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=14)


@UNHURRIED
@given(sample=samples, q=st.sampled_from([0.5, 0.75, 0.9]))
def test_quantile_is_that_of_scipys_kaplan_meier_ties_included(sample: list[tuple[int, bool]], q: float) -> None:
    values, open_ = [float(v) for v, _ in sample], [o for _, o in sample]
    known = stats.ecdf(stats.CensoredData.right_censored(values, open_)).cdf
    reached = known.quantiles[known.probabilities >= q - 1e-9]
    assert one(values, open_, q)[0] == (reached[0] if len(reached) else math.inf)


@UNHURRIED
@given(cells=st.lists(samples, min_size=1, max_size=6), at=st.integers(-1, 7))
def test_shares_below_are_those_of_scipys_kaplan_meier_in_every_cell(
    cells: list[list[tuple[int, bool]]], at: int
) -> None:
    flat = [each for cell in cells for each in cell]
    offsets = np.concatenate([[0], np.cumsum([len(cell) for cell in cells])])
    order = statistics.ordered(np.array([float(v) for v, _ in flat]), np.array([o for _, o in flat]), offsets)
    for cell, found, under in zip(
        cells,
        statistics.share_below(order, at, inclusive=True),
        statistics.share_below(order, at, inclusive=False),
        strict=True,
    ):
        known = stats.ecdf(stats.CensoredData.right_censored([float(v) for v, _ in cell], [o for _, o in cell])).cdf
        assert found == pytest.approx(known.evaluate(at))
        assert under == pytest.approx(known.evaluate(at - 0.5))


# --- tests of no change -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_least", [True, False])
def test_chance_of_a_share_is_fishers(at_least: bool) -> None:
    table = [[15, 3], [15, 22]]
    expected = stats.fisher_exact(table, alternative="greater" if at_least else "less").pvalue
    assert statistics.fisher(15, 18, 15, 37, at_least=at_least)[0] == pytest.approx(expected, abs=1e-9)


def test_fisher_without_a_sample_is_unknown_and_fractions_count_against_the_improvement() -> None:
    assert math.isnan(statistics.fisher(0, 0, 3, 5, at_least=True)[0])
    exact, cautious = (statistics.fisher(k, 10, 2, 10, at_least=True)[0] for k in (7, 7.5))
    assert cautious == exact


@pytest.mark.parametrize("at_least", [True, False])
def test_chance_of_durations_is_mann_whitneys(at_least: bool) -> None:
    x, base = np.array([1.0, 2.5, 3.0, 4.5, 9.0]), np.array([2.0, 6.0, 7.5, 8.0, 11.0, 12.0])
    expected = stats.mannwhitneyu(x, base, alternative="greater" if at_least else "less").pvalue
    found = statistics.mann_whitney(x, np.zeros(5, bool), base, np.zeros(6, bool), at_least=at_least)
    assert found == pytest.approx(expected, abs=1e-9)


def test_an_unanswered_item_never_makes_an_improvement_more_certain() -> None:
    x, base = np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 6.0, 7.0, 8.0])
    answered = statistics.mann_whitney(x, np.zeros(4, bool), base, np.zeros(4, bool), at_least=False)
    opened = statistics.mann_whitney(x, np.array([True, False, False, False]), base, np.zeros(4, bool), at_least=False)
    assert opened > answered


def test_mann_whitney_of_nothing_or_of_equal_values_decides_nothing() -> None:
    none = np.zeros(0, bool)
    assert math.isnan(statistics.mann_whitney(np.zeros(0), none, np.ones(3), np.zeros(3, bool), at_least=True))
    assert statistics.mann_whitney(np.ones(2), np.zeros(2, bool), np.ones(3), np.zeros(3, bool), at_least=True) == 1.0


# --- trends -------------------------------------------------------------------------------------------------------


def test_trend_is_scipys_theil_sen_and_kendall() -> None:
    x, y = np.arange(8.0), np.array([30.0, 28, 29, 25, 24, 26, 20, 19])
    slope = stats.theilslopes(y, x, 0.95)
    assert statistics.theil_sen(x, y) == (slope.slope, slope.low_slope, slope.high_slope)
    tau = stats.kendalltau(x, y)
    assert statistics.kendall(x, y) == (tau.statistic, tau.pvalue)
    two = stats.kendalltau([0.0, 0, 1, 1], y[:4])
    assert statistics.kendall(np.array([0.0, 0, 1, 1]), y[:4]) == (two.statistic, two.pvalue)


def test_a_flat_line_has_no_trend() -> None:
    assert statistics.kendall(np.arange(5.0), np.ones(5)) == (0.0, 1.0)


# --- predictions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "n", "m"), [(3, 5, 4), (0, 5, 10), (5, 5, 10), (17, 20, 12), (2, 9, 1)])
def test_prediction_of_a_share_is_the_beta_binomial_of_jeffreys_prior(k: int, n: int, m: int) -> None:
    expected = stats.betabinom.ppf([0.1, 0.9], m, k + 0.5, n - k + 0.5)
    assert pair(statistics.beta_binomial(k, n, m)) == pytest.approx(tuple(expected))


def test_predictions_of_many_cells_do_not_mix() -> None:
    low, high = statistics.beta_binomial([3, 0, 17], [5, 5, 20], [4, 0, 12])
    assert low.tolist() == [1, 0, stats.betabinom.ppf(0.1, 12, 17.5, 3.5)]
    assert high.tolist() == [4, 0, stats.betabinom.ppf(0.9, 12, 17.5, 3.5)]


def test_prediction_of_a_count_is_the_negative_binomial_of_jeffreys_prior() -> None:
    expected = stats.nbinom.ppf([0.1, 0.9], 3.5, 28 / 38)
    assert pair(statistics.gamma_poisson(3, 28, 10)) == pytest.approx(tuple(expected))


def test_no_time_left_brings_nothing_and_no_past_says_nothing() -> None:
    assert pair(statistics.gamma_poisson(3, 28, 0)) == (0.0, 0.0)
    assert all(map(math.isnan, pair(statistics.gamma_poisson(0, 0, 10))))
