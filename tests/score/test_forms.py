"""Thresholds, reductions, streaks and trends, scored from measurements."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from pipmetrics.model import Calendar, Criterion, Window
from tests.score.build import ADA, DAY, FIRST, OVER, item, line, on, plan, scored, share_within, threshold

HALF = FIRST + timedelta(days=28)


def hours(*values: float, first: float = 1) -> list[dict]:
    """One review a day, answered after so many hours."""
    return [item(on(first + place), value) for place, value in enumerate(values)]


def times(count: int, *, first: float = 1, last: float = 56, value: float = 1.0) -> list[dict]:
    return [item(on(first + (last - first) * place / max(count - 1, 1)), value) for place in range(count)]


def median(at_most: float = 10.0, **more: object) -> Criterion:
    parameters = {"statistic": "median", "at_most": timedelta(hours=at_most)} | more
    return threshold("review_turnaround", **parameters)


# --- quantiles ----------------------------------------------------------------------------------------------------


def test_median_is_the_lower_middle_with_order_statistics_around_it() -> None:
    found = line(median(), hours(1, 2, 3, 4, 5, 6, 7, 8))
    assert (found["value"], found["interval"], found["n"], found["unit"]) == (4, [1, 8], 8, "hours")
    assert found["verdict"] == "met"


def test_too_few_for_a_limit_are_unbounded_above_and_0_below() -> None:
    assert line(median(), hours(1, 2, 3, 4, 5))["interval"] == [0, None]


def test_unanswered_items_push_the_median_up_and_unbound_it() -> None:
    rows = [*hours(1, 2, 3), *(item(on(20 + n), 30.0, "unanswered") for n in range(4))]
    found = line(median(), rows)
    assert (found["value"], found["n"], found["counted"], found["pending"]) == (None, 7, 3, 4)
    assert found["interval"] == [1, None]
    assert found["verdict"] == "inconclusive"


def test_a_median_never_reached_misses_for_sure_once_the_ages_say_so() -> None:
    found = line(median(), [item(on(n), 30.0 + n, "unanswered") for n in range(1, 8)])
    assert (found["value"], found["interval"], found["verdict"]) == (None, [31, None], "not_met")


def test_withdrawn_items_stay_out_of_quantiles() -> None:
    assert line(median(), [*hours(1, 2, 3, 4, 5), item(on(9), 90.0, "withdrawn")])["n"] == 5


@pytest.mark.parametrize(("statistic", "value"), [("p75", 15), ("p90", 18)])
def test_other_quantiles(statistic: str, value: float) -> None:
    assert line(median(statistic=statistic), hours(*range(1, 21)))["value"] == value


def test_needed_of_a_median_counts_the_fast_ones_that_must_follow() -> None:
    found = line(median(), hours(5, 5, 5, *[20] * 11), HALF)
    assert found["needed"] == "at least 11 of the next 14 reviews within 10 h"
    assert found["verdict"] == "at_risk"
    assert line(median(), hours(*[5] * 14), HALF)["needed"] == "10 h stays reached whatever the next 14 reviews bring"


def test_projection_of_a_median_is_that_of_the_last_four_weeks() -> None:
    rows = [*times(10, last=12, value=90.0), *times(20, first=30, last=41, value=4.0)]
    found = line(median(), rows, FIRST + timedelta(days=42))
    assert found["projection"] == {"value": 4.0, "interval": [4.0, 4.0]}


def test_chance_of_durations_is_mann_whitneys_against_the_baseline() -> None:
    before, now = [40.0, 35, 28, 50, 31, 44, 29, 38, 33], [8.0, 12, 31.5, 9, 14, 7, 22, 11, 10]
    found = line(median(), [*hours(*before, first=-40), *hours(*now)])
    assert found["chance"] == pytest.approx(stats.mannwhitneyu(now, before, alternative="less").pvalue)
    assert found["baseline"]["value"] == 35


def test_at_least_wants_more() -> None:
    criterion = threshold("review_depth", statistic="median", at_least=2.0)
    found = line(criterion, [item(on(day), value) for day, value in enumerate([0, 1, 2, 3, 3, 4, 5.0], 1)])
    assert (found["value"], found["verdict"], found["direction"]) == (3, "met", "at_least")


def test_what_still_comes_is_at_risk_beside_the_open_items_when_more_is_better() -> None:
    # 4 of 9 are known; with 4 more beyond the target Kaplan-Meier puts 58 % there: 1/13, 1/8 and 2/7 fall before.
    criterion = threshold("review_turnaround", statistic="median", at_least=timedelta(hours=24))
    known = [item(on(day), value) for day, value in ((1, 8.0), (2, 8.0), (3, 2.0), (4, 0.0))]
    waiting = [item(on(5), 8.0, "unanswered"), *(item(on(6 + n), 0.0, "unanswered") for n in range(4))]
    assert line(criterion, [*known, *waiting], FIRST + timedelta(days=40))["verdict"] == "at_risk"
    assert line(criterion, [*known, *waiting], FIRST + timedelta(days=50))["verdict"] == "off_track"


# --- means --------------------------------------------------------------------------------------------------------


def test_means_need_ten_samples_whatever_the_minimum() -> None:
    criterion = threshold("change_size", minimum=3, statistic="mean", at_most=100.0)
    nine, ten = ([item(on(day), 10.0 * day) for day in range(1, n)] for n in (10, 11))
    assert line(criterion, nine)["verdict"] == "not_enough_data"
    found = line(criterion, ten)
    expected = stats.ttest_1samp(np.arange(1, 11) * 10.0, 0).confidence_interval(0.95)
    assert (found["value"], found["verdict"]) == (55, "met")
    assert found["interval"] == pytest.approx([expected.low, expected.high])
    assert line(criterion, ten, HALF)["needed"] == "on average at most 145 from here on"


# --- counts, totals, rates ----------------------------------------------------------------------------------------


def test_nothing_happened_is_a_number() -> None:
    found = line(threshold("post_deploy_bugs", at_most=2.0), [])
    assert (found["value"], found["n"], found["verdict"]) == (0, 0, "met")
    assert found["interval"] == pytest.approx([0, 3.688879], abs=1e-6)


@pytest.mark.parametrize(("bugs", "verdict"), [(2, "met"), (3, "inconclusive"), (12, "not_met")])
def test_a_count_at_the_end(bugs: int, verdict: str) -> None:
    assert line(threshold("post_deploy_bugs", at_most=2.0), times(bugs))["verdict"] == verdict


def test_a_count_over_its_limit_is_out_of_reach_at_once() -> None:
    found = line(threshold("post_deploy_bugs", at_most=2.0), times(3, last=7), HALF)
    assert (found["verdict"], found["needed"]) == ("off_track", "nothing can reach 2 any more")
    assert line(threshold("post_deploy_bugs", at_most=3.0), times(2, last=7), HALF)["needed"] == "at most 1 more"


def test_a_count_that_must_grow_is_at_risk_while_its_pace_allows() -> None:
    found = line(threshold("changes_merged", at_least=20.0), times(12, last=27), HALF)
    assert (found["verdict"], found["needed"], found["n"]) == ("at_risk", "8 more", 12)


def test_projection_of_a_count_is_gamma_poisson_by_working_days() -> None:
    found = line(threshold("post_deploy_bugs", at_most=9.0), times(3, last=27), HALF)["projection"]
    low, high = stats.nbinom.ppf([0.1, 0.9], 3.5, 20 / 40)
    assert found == {"value": 6.0, "interval": [3 + low, 3 + high]}


def test_counts_are_compared_with_their_baseline_by_length_of_time() -> None:
    rows = [*times(9, first=-88, last=-1), *times(2, last=27)]
    found = line(threshold("post_deploy_bugs", at_most=3.0), rows, HALF)
    before, now, aim = 9 / 90, 2 / 28, 3 / 56
    assert found["progress"] == pytest.approx((now - before) / (aim - before))
    p = stats.binomtest(2, 11, 20 / (20 + 64), alternative="less").pvalue
    assert found["chance"] == pytest.approx(p)


def test_totals_of_what_is_measured_have_no_interval_and_decide_by_their_value() -> None:
    criterion = threshold("change_size", statistic="total", at_most=500.0)
    found = line(criterion, times(6, value=100.0))
    assert (found["value"], found["interval"], found["verdict"]) == (600, None, "not_met")


def test_totals_of_shared_bugs_go_through_the_gamma_form() -> None:
    found = line(threshold("post_deploy_bugs", statistic="total", at_most=2.0), times(5, value=0.5))
    assert found["value"] == 2.5
    assert found["interval"] == pytest.approx([stats.gamma.ppf(0.025, 2.5), stats.gamma.ppf(0.975, 3.5)])


def test_a_rate_has_its_exposure_as_sample_and_minimum() -> None:
    criterion = threshold("post_deploy_bugs", per="changes_deployed", at_most=0.1)
    found = line(criterion, times(3), others={"changes_deployed": times(40)})
    assert (found["value"], found["n"], found["counted"], found["verdict"]) == (0.075, 40, 3, "met")
    assert found["interval"] == pytest.approx([0.6186721 / 40, 8.7672731 / 40], abs=1e-6)
    few = line(criterion, [], others={"changes_deployed": times(4)})
    assert (few["verdict"], few["reason"]) == ("not_enough_data", "4 of the 5 changes deployed that a verdict needs")


def test_without_exposure_there_is_no_rate() -> None:
    found = line(threshold("post_deploy_bugs", per="changes_deployed", at_most=0.1), times(3))
    assert (found["value"], found["interval"], found["verdict"]) == (None, None, "not_enough_data")


def test_needed_and_projection_of_a_rate() -> None:
    criterion = threshold("post_deploy_bugs", per="changes_deployed", at_most=0.1)
    found = line(criterion, times(1, last=27), HALF, others={"changes_deployed": times(20, last=27)})
    assert found["needed"] == "at most 3 bugs in the next 20 changes deployed"
    low, high = stats.nbinom.ppf([0.1, 0.9], 1.5, 0.5)
    assert found["projection"] == {"value": 2 / 40, "interval": [(1 + low) / 40, (1 + high) / 40]}


def test_a_share_of_yes_and_no() -> None:
    rows = [item(on(day), float(day % 5 > 0)) for day in range(1, 21)]
    found = line(threshold("ci_first_pass", at_least=0.75), rows)
    assert (found["value"], found["n"], found["unit"], found["verdict"]) == (0.8, 20, "share", "met")
    most = line(threshold("unreviewed_merges", at_most=0.05), [item(on(d), 0.0) for d in range(1, 15)], HALF)
    assert most["needed"] == "at most 1 in the next 14 merges"


# --- reductions ---------------------------------------------------------------------------------------------------

REDUCTION = Criterion("bugs", "post_deploy_bugs", "reduction", parameters={"target": 0.5, "per": "changes_deployed"})


def bugs(before: int, now: int, changes: tuple[int, int] = (60, 40)) -> dict:
    rows = [*times(before, first=-88, last=-1), *times(now)]
    deployed = [*times(changes[0], first=-88, last=-1), *times(changes[1])]
    return {"items": rows, "others": {"changes_deployed": deployed}}


def test_reduction_is_one_less_the_ratio_of_rates_with_its_exact_interval() -> None:
    found = line(REDUCTION, **bugs(12, 4))
    assert found["value"] == pytest.approx(1 - (4 / 40) / (12 / 60))
    p = stats.binomtest(4, 16).proportion_ci(0.95, "exact")
    ratio = [side / (1 - side) * 60 / 40 for side in (p.low, p.high)]
    assert found["interval"] == pytest.approx([1 - ratio[1], 1 - ratio[0]])
    assert (found["n"], found["counted"], found["progress"]) == (40, 4, pytest.approx(1.0))
    assert found["baseline"]["value"] == pytest.approx(0.2)
    assert found["baseline"]["n"] == 60
    assert found["chance"] == pytest.approx(stats.binomtest(4, 16, 0.4, alternative="less").pvalue)


@pytest.mark.parametrize(("now", "verdict"), [(4, "met"), (6, "inconclusive"), (20, "not_met")])
def test_reduction_at_the_end(now: int, verdict: str) -> None:
    assert line(REDUCTION, **bugs(12, now))["verdict"] == verdict


def test_growing_is_a_negative_reduction() -> None:
    found = line(REDUCTION, **bugs(12, 12))
    assert found["value"] == pytest.approx(-0.5)
    assert found["progress"] == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("before", "changes", "reason"),
    [
        (0, (60, 40), "nothing to reduce: no event in the baseline"),
        (12, (60, 4), "4 of the 5 changes deployed that a verdict needs"),
        (3, (4, 40), "4 of the 5 changes deployed that a verdict needs before the plan"),
    ],
)
def test_a_ratio_needs_exposure_on_both_sides_and_an_event_before(
    before: int, changes: tuple[int, int], reason: str
) -> None:
    found = line(REDUCTION, **bugs(before, 2, changes))
    assert (found["verdict"], found["reason"]) == ("not_enough_data", reason)


def test_increase_is_the_ratio_less_one() -> None:
    criterion = replace(REDUCTION, metric="changes_merged", criterion="increase")
    found = line(criterion, **bugs(12, 16))
    assert found["value"] == pytest.approx((16 / 40) / (12 / 60) - 1)
    assert found["verdict"] == "met"


def test_without_an_exposure_working_days_divide_holidays_and_time_off_left_out() -> None:
    off = Window(FIRST + 7 * DAY, FIRST + 14 * DAY)
    person = replace(ADA, calendar=Calendar("UTC", time_off=(off,)))
    criterion = replace(REDUCTION, parameters={"target": 0.5})
    found = line(criterion, [*times(12, first=-88, last=-1), *times(3)], people=(person,))
    assert found["n"] == 40 - 5
    assert found["baseline"]["n"] == 64
    assert found["value"] == pytest.approx(1 - (3 / 35) / (12 / 64))


def test_needed_of_a_reduction_counts_the_events_left() -> None:
    rows = bugs(12, 1, (60, 20))
    rows["items"] = [*times(12, first=-88, last=-1), *times(1, last=27)]
    rows["others"] = {"changes_deployed": [*times(60, first=-88, last=-1), *times(20, last=27)]}
    found = line(REDUCTION, as_of=HALF, **rows)
    assert found["needed"] == "at most 3 bugs in the next 20 changes deployed"
    assert found["projection"]["value"] == pytest.approx(1 - (2 / 40) / 0.2)


# --- streaks ------------------------------------------------------------------------------------------------------


def streak(weeks: int, target: float = 0.5) -> Criterion:
    inner = share_within(id="weeks", target=target, minimum=1)
    return Criterion("weeks", "review_turnaround", "streak", parameters={"of": inner, "weeks": weeks})


def by_week(pattern: str) -> list[dict]:
    """One review a week: + in time, - late, . none."""
    value = {"+": 5.0, "-": 50.0}
    return [item(on(7 * week + 3), value[sign]) for week, sign in enumerate(pattern) if sign != "."]


@pytest.mark.parametrize(
    ("pattern", "longest", "judged", "verdict"),
    [
        ("++-+++-+", 3, 8, "met"),
        ("++-++-++", 2, 8, "not_met"),
        ("++.+----", 3, 7, "met"),
        ("++......", 2, 2, "not_enough_data"),
        ("........", 0, 0, "not_enough_data"),
        ("-.-..-..", 0, 3, "not_met"),
    ],
)
def test_streak_is_the_longest_run_and_passes_over_weeks_without_data(
    pattern: str, longest: int, judged: int, verdict: str
) -> None:
    found = line(streak(3), by_week(pattern))
    assert (found["value"], found["n"], found["verdict"]) == (longest, judged, verdict)
    assert found["interval"] is None


@pytest.mark.parametrize(
    ("pattern", "verdict", "needed"),
    [
        ("+++-", "on_track", None),
        ("-++-", "at_risk", "3 more weeks in a row"),
        ("--++", "at_risk", "1 more week in a row"),
        ("....", "not_enough_data", None),
    ],
)
def test_streak_while_the_plan_runs(pattern: str, verdict: str, needed: str | None) -> None:
    found = line(streak(3), by_week(pattern), HALF)
    assert (found["verdict"], found["needed"]) == (verdict, needed)


def test_a_run_that_can_not_grow_long_enough_any_more_is_off_track() -> None:
    found = line(streak(4), by_week("+++-+--"), FIRST + timedelta(days=49))
    assert (found["verdict"], found["needed"]) == ("off_track", "nothing can reach 4 any more")


def test_change_of_a_streak_is_how_much_longer_it_got_in_a_week() -> None:
    assert line(streak(4), by_week("-+++"), HALF)["change"] == 1.0


def test_only_complete_weeks_count_for_a_streak() -> None:
    assert line(streak(3), by_week("+++"), FIRST + timedelta(days=20))["value"] == 2


def test_weeks_of_a_streak_are_those_of_its_inner_criterion() -> None:
    weeks = line(streak(3), by_week("+-.+"), HALF)["weeks"]
    assert [(week["week"], week["value"], week["met"]) for week in weeks] == [
        (1, 1.0, True), (2, 0.0, False), (3, None, None), (4, 1.0, True),
    ]  # fmt: skip


def test_a_streak_counts_rows_as_the_limit_of_its_inner_criterion_reads_them() -> None:
    rows = [*by_week("+++"), item(on(20), 30.0, "unanswered"), item(on(28), 3.0, "unanswered")]
    found = line(streak(3), rows, HALF)
    assert (found["counted"], found["pending"]) == (4, 1)


# --- trends -------------------------------------------------------------------------------------------------------


def trend(direction: str = "down", **more: object) -> Criterion:
    return Criterion("trend", "review_turnaround", "trend", parameters={"direction": direction} | more)


def weekly(*medians: float) -> list[dict]:
    return [item(on(7 * week + day), value) for week, value in enumerate(medians) for day in (1, 3, 5)]


def test_trend_is_theil_sen_over_complete_weeks() -> None:
    values = [40.0, 36, 37, 30, 28, 25, 20, 18]
    found = line(trend(minimum_slope=timedelta(hours=2)), weekly(*values))
    slope = stats.theilslopes(values, np.arange(8.0))
    assert (found["value"], found["interval"]) == (slope.slope, [slope.low_slope, slope.high_slope])
    assert (found["n"], found["target"], found["verdict"], found["unit"]) == (8, -2.0, "met", "hours per week")
    assert found["note"] == "the interval of the slope is approximate"


@pytest.mark.parametrize(
    ("values", "direction", "verdict"),
    [
        ([10, 12, 15, 19, 22, 25, 30, 33], "down", "not_met"),
        ([10, 12, 15, 19, 22, 25, 30, 33], "up", "met"),
        ([20, 21, 20, 22, 20, 21, 20, 21], "down", "inconclusive"),
        ([20, 18, 17, 15], "down", "not_enough_data"),
    ],
)
def test_trend_at_the_end(values: list[float], direction: str, verdict: str) -> None:
    assert line(trend(direction), weekly(*values))["verdict"] == verdict


def test_a_slope_smaller_than_the_least_misses() -> None:
    values = [20, 19, 18, 17, 16, 15, 14, 13]
    assert line(trend(minimum_slope=timedelta(hours=3)), weekly(*values))["verdict"] == "not_met"


def test_weeks_without_data_leave_a_hole_and_not_a_zero() -> None:
    rows = [each for each in weekly(*[40.0, 35, 30, 25, 20, 15, 10, 5]) if not on(14) < each["start"] < on(21.6)]
    found = line(trend(), rows)
    assert (found["n"], found["value"]) == (7, -5.0)


def test_a_trend_of_a_weekly_share_is_in_shares() -> None:
    criterion = Criterion("t", "ci_first_pass", "trend", parameters={"direction": "up", "statistic": "share"})
    found = line(criterion, [item(on(7 * week + day), float(day <= week)) for week in range(8) for day in range(1, 6)])
    assert (found["unit"], found["verdict"]) == ("share per week", "met")


def test_as_of_long_after_the_end_changes_nothing() -> None:
    rows = weekly(*[40.0, 36, 37, 30, 28, 25, 20, 18])
    later = line(trend(), rows, OVER + timedelta(days=90))
    assert {**later, "change": None} == {**line(trend(), rows), "change": None}


def test_a_week_earlier_is_a_week_by_the_calendar_also_when_the_clocks_change_in_it() -> None:
    criterion = replace(share_within(), window="week", minimum=1)
    spring = plan(criterion, start=date(2027, 3, 8), end=date(2027, 4, 11), timezone="Europe/Berlin")
    fast = {8: (50.0, 50.0), 15: (5.0, 50.0), 22: (5.0, 5.0)}
    rows = [
        item(datetime(2027, 3, day, 9 + n, tzinfo=UTC), value)
        for day, values in fast.items()
        for n, value in enumerate(values)
    ]
    monday = datetime(2027, 3, 28, 22, tzinfo=UTC)  # midnight there, 167 hours after the last Monday's
    found = scored(spring, {"review_turnaround": rows}, monday)["criteria"][0]
    assert (found["value"], found["change"]) == (1.0, 0.5)


def test_what_is_too_thin_for_a_verdict_is_still_compared_with_its_baseline() -> None:
    before = [item(on(-40 + n), 5.0 if n % 2 else 50.0) for n in range(10)]
    found = line(share_within(), [*before, item(on(2), 5.0), item(on(3), 5.0)])
    assert (found["verdict"], found["value"], found["progress"]) == ("not_enough_data", 1.0, pytest.approx(1.25))
    assert found["chance"] == pytest.approx(stats.fisher_exact([[2, 0], [5, 5]], "greater").pvalue)
