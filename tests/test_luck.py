"""Luck figures against what can be worked out otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pipmetrics import luck, registry
from pipmetrics.config.lint.measured import reduction_power
from pipmetrics.luck import Before
from pipmetrics.model import Criterion
from pipmetrics.plugin import COUNTED, EXCLUDED, OPEN, WITHDRAWN, Goal

CLOSE = 0.015
"""Three standard deviations of a share of 10,000 draws."""


def goal(metric: str, rule: str, *, minimum: int = 5, **parameters: Any) -> Goal:
    criterion = Criterion("line", metric, rule, parameters=parameters, minimum=minimum)
    return registry.criterion(rule).goal(criterion, registry.metric(metric).unit)


def before(values: Any, *, kinds: Any = COUNTED, exposure: float = 0.0, scale: float = 1.0) -> Before:
    rows = np.asarray(values, dtype=np.float64)
    return Before(rows, np.broadcast_to(np.asarray(kinds, dtype=np.float64), rows.shape), exposure, scale)


HALVED = goal("post_deploy_bugs", "reduction", target=0.5, per="changes_deployed")
SHARE = goal("review_turnaround", "share_within", limit=timedelta(hours=24), target=0.9)


def test_eight_bugs_at_the_same_rate_look_halved_one_time_in_nine() -> None:
    """P(K <= B / 2) for two Poisson counts of mean 8, summed over both, with a baseline that has events at all."""
    counts = np.arange(60)
    exact = sum(
        stats.poisson.pmf(base, 8) * stats.poisson.cdf(base // 2, 8) for base in counts[1:].tolist()
    )  # fmt: skip
    found = luck.imagine(HALVED, before(np.ones(8), exposure=40))
    assert exact == pytest.approx(0.11, abs=0.01)
    assert found.luck.met_unchanged == pytest.approx(exact, abs=CLOSE)
    assert found.luck.expected == 40


def test_four_bugs_to_two_can_not_be_told_from_chance() -> None:
    found = luck.imagine(HALVED, before(np.ones(4), exposure=40)).luck
    assert found.told_apart == pytest.approx(reduction_power(4, 40, 40, 0.5), abs=CLOSE)
    assert found.told_apart is not None
    assert found.told_apart < 0.05


@pytest.mark.parametrize(("events", "ahead"), [(20, 1.0), (60, 0.7), (200, 1.0)])
def test_the_power_of_a_reduction_is_that_of_the_exact_test(events: int, ahead: float) -> None:
    found = luck.imagine(HALVED, before(np.ones(events), exposure=100, scale=ahead)).luck
    assert found.told_apart == pytest.approx(reduction_power(events, 100, 100 * ahead, 0.5), abs=CLOSE)


def test_a_share_that_did_not_change_meets_its_target_as_the_binomial_says() -> None:
    rows = np.repeat([5.0, 30.0], [18, 2])
    found = luck.imagine(SHARE, before(rows)).luck
    assert found.met_unchanged == pytest.approx(stats.binom.sf(17, 20, 0.9), abs=CLOSE)
    poor = luck.imagine(SHARE, before(np.repeat([5.0, 30.0], [8, 12]))).luck
    assert poor.met_unchanged == pytest.approx(stats.binom.sf(17, 20, 0.4), abs=CLOSE)
    assert poor.short_though_reached == pytest.approx(stats.binom.cdf(17, 20, 0.9), abs=CLOSE)


def test_a_share_truly_reached_is_hardly_ever_judged_not_met() -> None:
    for size in (5, 12, 40, 150):
        found = luck.imagine(SHARE, before(np.repeat([5.0, 30.0], [size - size // 3, size // 3]))).luck
        assert found.not_met_though_reached is not None
        assert found.not_met_though_reached <= 0.025 + CLOSE


def test_open_and_withdrawn_rows_over_the_limit_are_misses_and_the_others_no_samples() -> None:
    kinds = [COUNTED, COUNTED, OPEN, OPEN, WITHDRAWN, WITHDRAWN, EXCLUDED]
    rows = before([5, 6, 40, 3, 30, 2, 50], kinds=kinds, scale=10)
    found = luck.imagine(SHARE, rows).luck
    assert found.expected == 40
    assert found.met_unchanged == pytest.approx(stats.binom.sf(35, 40, 0.5), abs=CLOSE)


def test_a_share_without_a_limit_goes_by_the_values() -> None:
    passes = goal("ci_first_pass", "threshold", statistic="share", at_least=0.8)
    found = luck.imagine(passes, before([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])).luck
    assert found.met_unchanged == pytest.approx(stats.binom.sf(7, 10, 0.3), abs=CLOSE)
    assert found.told_apart is not None
    assert luck.imagine(passes, before(np.ones(10))).luck.told_apart is None


def test_a_count_is_drawn_over_the_plans_time() -> None:
    most = goal("post_deploy_bugs", "threshold", statistic="count", at_most=2)
    found = luck.imagine(most, before(np.ones(6), scale=0.5)).luck
    assert found.met_unchanged == pytest.approx(stats.poisson.cdf(2, 3), abs=CLOSE)
    assert found.short_though_reached == pytest.approx(stats.poisson.sf(2, 2), abs=CLOSE)


def test_a_rate_is_drawn_over_its_exposure() -> None:
    rate = goal("post_deploy_bugs", "threshold", statistic="rate", at_most=0.1, per="changes_deployed")
    found = luck.imagine(rate, before(np.ones(8), exposure=40)).luck
    assert found.expected == 40
    assert found.met_unchanged == pytest.approx(stats.poisson.cdf(4, 8), abs=CLOSE)


def test_medians_and_means_are_drawn_from_the_rows_and_scaled_to_the_target() -> None:
    hours = np.linspace(10, 200, 41)
    for statistic in ("median", "mean", "p75"):
        fast = goal("time_to_merge", "threshold", statistic=statistic, at_most=timedelta(hours=48))
        found = luck.imagine(fast, before(hours)).luck
        assert found.met_unchanged is not None
        assert found.met_unchanged < 0.01
        assert 0.3 < (found.short_though_reached or 0) < 0.7
        assert (found.not_met_though_reached or 0) <= 0.03
        assert (found.told_apart or 0) > 0.5


def test_one_sample_and_the_same_value_everywhere_are_no_fault() -> None:
    fast = goal("time_to_merge", "threshold", statistic="mean", at_most=timedelta(hours=48), minimum=1)
    found = luck.imagine(fast, before([100.0]))
    assert found.luck.met_unchanged == 0.0
    same = luck.imagine(
        goal("time_to_merge", "threshold", statistic="median", at_most=timedelta(hours=48)), before(np.full(9, 90.0))
    )
    assert same.luck.met_unchanged == 0.0


@pytest.mark.parametrize(
    ("of", "rows"),
    [
        (HALVED, before(np.ones(0), exposure=40)),
        (HALVED, before(np.ones(8), exposure=0)),
        (SHARE, before(np.ones(0))),
        (SHARE, before([3.0], kinds=[OPEN])),
        (SHARE, before([3.0, 4.0], scale=0.0)),
        (goal("attested", "attest", by="mentor", at_least=1), before([1.0])),
    ],
)  # fmt: skip
def test_nothing_to_start_from_gives_no_figures(of: Goal, rows: Before) -> None:
    found = luck.imagine(of, rows)
    assert (found.luck.met_unchanged, found.luck.not_met_though_reached, found.unchanged) == (None, None, None)
    assert luck.plan_chances([(1.0, found)], 0.8, 0.5) is None


def test_the_same_seed_gives_the_same_figures_and_another_one_others() -> None:
    rows = before(np.ones(8), exposure=40)
    assert luck.imagine(HALVED, rows, 3).luck == luck.imagine(HALVED, rows, 3).luck
    assert luck.imagine(HALVED, rows, 3).luck != luck.imagine(HALVED, rows, 4).luck


def test_the_chances_of_a_plan_follow_from_those_of_its_criteria() -> None:
    first = luck.imagine(HALVED, before(np.ones(8), exposure=40), 1)
    second = luck.imagine(SHARE, before(np.repeat([5.0, 30.0], [14, 6])), 2)
    found = luck.plan_chances([(1.0, first), (1.0, second)], 1.0, 0.5)
    assert found is not None
    assert found[0] == pytest.approx((first.luck.met_unchanged or 0) * (second.luck.met_unchanged or 0), abs=CLOSE)
    alone = luck.plan_chances([(2.0, first)], 0.8, 0.5)
    assert alone is not None
    assert alone[0] == pytest.approx(first.luck.met_unchanged, abs=CLOSE)
    assert alone[1] == pytest.approx(first.luck.not_met_though_reached, abs=CLOSE)
