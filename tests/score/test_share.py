"""Shares within a limit: what counts, what is late, and every verdict of SPEC section 7."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.score.build import ADA, FIRST, HOUR, OVER, item, line, on, reviews, share_within


def test_value_sample_and_exact_interval() -> None:
    found = line(share_within(), reviews(15, 3))
    assert (found["value"], found["n"], found["counted"]) == (15 / 18, 18, 18)
    assert found["interval"] == pytest.approx([0.5858225, 0.9642149], abs=1e-6)
    assert (found["unit"], found["target"], found["direction"]) == ("share", 0.9, "at_least")


@pytest.mark.parametrize(
    ("fast", "slow", "verdict"),
    [(18, 2, "met"), (17, 3, "inconclusive"), (10, 10, "not_met"), (4, 0, "not_enough_data"), (5, 0, "met")],
)
def test_verdict_when_the_plan_has_ended(fast: int, slow: int, verdict: str) -> None:
    assert line(share_within(), reviews(fast, slow))["verdict"] == verdict


@pytest.mark.parametrize(
    ("fast", "slow", "verdict"),
    [(18, 2, "on_track"), (17, 3, "at_risk"), (10, 10, "off_track"), (4, 0, "not_enough_data")],
)
def test_verdict_while_the_plan_runs(fast: int, slow: int, verdict: str) -> None:
    as_of = FIRST + timedelta(days=28)
    assert line(share_within(), reviews(fast, slow, last=28), as_of)["verdict"] == verdict


def test_out_of_reach_is_off_track_although_the_interval_contains_the_target() -> None:
    found = line(share_within(), reviews(17, 4, last=55), FIRST + timedelta(days=55))
    assert found["interval"][1] > 0.9
    assert found["verdict"] == "off_track"
    assert found["needed"] == "nothing can reach 90 % any more: the next 1 review, all good, would give 81.8 %"


def test_a_value_equal_to_the_limit_is_in_time() -> None:
    found = line(share_within(), [item(on(day), 24.0) for day in range(1, 7)])
    assert found["value"] == 1.0


def test_an_open_request_is_pending_until_it_outlives_the_limit_and_then_late() -> None:
    young, old = item(on(10), 11.0, "unanswered"), item(on(9), 24.5, "unanswered")
    found = line(share_within(), [*reviews(9, 0), young, old])
    assert (found["n"], found["counted"], found["pending"], found["excluded"]) == (10, 10, 1, 0)
    assert found["value"] == 0.9


def test_a_request_withdrawn_after_the_limit_is_late_and_before_it_left_out() -> None:
    found = line(share_within(), [*reviews(9, 0), item(on(9), 5.0, "withdrawn"), item(on(9), 30.0, "withdrawn")])
    assert (found["value"], found["n"], found["excluded"], found["pending"]) == (0.9, 10, 1, 0)


@pytest.mark.parametrize("reason", ["own", "bot", "ghost", "rule", "disputed"])
def test_what_is_left_out_stays_out_however_long_it_took(reason: str) -> None:
    found = line(share_within(), [*reviews(9, 0), item(on(9), 400.0, reason)])
    assert (found["value"], found["n"], found["excluded"]) == (1.0, 9, 1)


def test_rows_belong_to_the_window_by_their_start_and_its_end_is_outside() -> None:
    inside = [item(FIRST, key="first"), item(OVER - timedelta(microseconds=1), key="last")]
    outside = [item(FIRST - timedelta(microseconds=1), key="before"), item(OVER, key="after")]
    assert line(share_within(minimum=1), [*inside, *outside], OVER + timedelta(days=1))["n"] == 2


def test_an_answer_after_the_end_to_a_request_inside_still_counts() -> None:
    late = item(OVER - HOUR, 3.0)
    assert line(share_within(minimum=1), [late], OVER + timedelta(days=1))["value"] == 1.0


def test_needed_says_how_many_late_ones_the_rest_can_bear() -> None:
    half = FIRST + timedelta(days=28)
    assert line(share_within(), reviews(11, 1, last=28), half)["needed"] == "at most 1 late review in the next 12"
    assert line(share_within(), reviews(10, 2, last=28), half)["needed"] == "no late review in the next 12"
    assert line(share_within(target=0.3), reviews(12, 0, last=28), half)["needed"] == (
        "30 % stays reached whatever the next 12 reviews bring"
    )


def test_nothing_is_needed_once_the_plan_is_over() -> None:
    assert line(share_within(), reviews(9, 2))["needed"] is None


def test_progress_is_the_part_of_the_way_from_baseline_to_target() -> None:
    before = reviews(10, 10, first=-40, last=-2)
    found = line(share_within(), [*before, *reviews(14, 6)])
    assert found["baseline"]["value"] == 0.5
    assert found["baseline"]["n"] == 20
    assert found["progress"] == pytest.approx((0.7 - 0.5) / (0.9 - 0.5))
    assert line(share_within(), [*before, *reviews(8, 12)])["progress"] == pytest.approx(-0.25)
    assert line(share_within(), reviews(14, 6))["progress"] is None


def test_there_is_no_way_to_go_from_a_baseline_that_was_good_enough() -> None:
    before = reviews(19, 1, first=-40, last=-2)
    assert line(share_within(), [*before, *reviews(19, 1)])["progress"] == 1.0
    assert line(share_within(), [*before, *reviews(10, 10)])["progress"] is None


def test_chance_is_fishers_against_the_baseline() -> None:
    before = reviews(15, 22, first=-80, last=-2)
    assert line(share_within(), [*before, *reviews(15, 3)])["chance"] == pytest.approx(0.002800378, abs=1e-8)
    assert line(share_within(), reviews(15, 3))["chance"] is None


def test_change_is_the_difference_to_what_was_known_a_week_earlier() -> None:
    rows = [*reviews(8, 2, last=20), *reviews(8, 0, first=22, last=27)]
    found = line(share_within(), rows, FIRST + timedelta(days=28))
    assert found["change"] == pytest.approx(16 / 18 - 8 / 10)
    assert line(share_within(), reviews(6, 0, last=6), FIRST + timedelta(days=6))["change"] is None


def test_projection_adds_the_coming_weeks_at_the_pace_and_share_of_the_last_four() -> None:
    rows = [*reviews(0, 10, last=26), *reviews(10, 0, first=29, last=54)]
    found = line(share_within(target=0.5), rows, FIRST + timedelta(days=55))
    assert found["projection"] == {"value": 10 / 20, "interval": [10 / 20, 10 / 20]}
    half = line(share_within(), reviews(18, 2, last=28), FIRST + timedelta(days=28))["projection"]
    assert half["value"] == pytest.approx((18 + 20 * 0.9) / 40)
    assert half["interval"] == [(18 + 15) / 40, (18 + 20) / 40]


def test_no_projection_when_it_is_over_or_thin() -> None:
    assert line(share_within(), reviews(9, 1))["projection"] is None
    assert line(share_within(), reviews(2, 0, last=5), FIRST + timedelta(days=7))["projection"] is None


def test_thin_data_says_how_much_is_missing_and_foretells_nothing() -> None:
    before = reviews(10, 10, first=-40, last=-2)
    found = line(share_within(minimum=8), [*before, *reviews(5, 0)])
    assert found["verdict"] == "not_enough_data"
    assert found["reason"] == "5 of the 8 samples that a verdict needs"
    assert [found[key] for key in ("needed", "projection")] == [None] * 2
    assert found["progress"] == pytest.approx(1.25)


def test_no_data_has_no_value_and_no_interval() -> None:
    found = line(share_within(), [])
    assert (found["value"], found["n"], found["interval"], found["verdict"]) == (None, 0, None, "not_enough_data")


def test_all_reviews_at_one_instant_count_each() -> None:
    assert line(share_within(), [item(on(3), 2.0) for _ in range(20)])["n"] == 20


def test_weeks_show_every_week_that_has_begun() -> None:
    rows = [item(on(1), 5.0), item(on(2), 50.0), item(on(15), 5.0)]
    weeks = line(share_within(), rows, FIRST + timedelta(days=16))["weeks"]
    assert [(week["week"], week["value"], week["n"], week["complete"], week["met"]) for week in weeks] == [
        (1, 0.5, 2, True, False),
        (2, None, 0, True, None),
        (3, 1.0, 1, False, True),
    ]


def test_the_week_window_is_the_last_complete_one() -> None:
    rows = [item(on(day), 5.0 if day < 8 else 50.0) for day in range(1, 13)]
    found = line(share_within(window="week", minimum=5), rows, FIRST + timedelta(days=12))
    assert (found["value"], found["n"]) == (1.0, 7)
    assert found["window"] == {"start": "2026-10-05T00:00:00Z", "end": "2026-10-12T00:00:00Z"}


def test_before_the_first_complete_week_a_weekly_criterion_waits() -> None:
    found = line(share_within(window="week"), reviews(6, 0, last=5), FIRST + timedelta(days=5))
    assert (found["verdict"], found["reason"]) == ("not_enough_data", "no complete week yet")


def test_the_last_days_window_forgets_what_is_older_and_never_reaches_before_the_plan() -> None:
    rows = [*reviews(0, 9, first=-20, last=9), *reviews(9, 0, first=20, last=27)]
    found = line(share_within(window=timedelta(days=14)), rows, FIRST + timedelta(days=28))
    assert (found["value"], found["n"]) == (1.0, 9)
    early = line(share_within(window=timedelta(days=14)), rows, FIRST + timedelta(days=7))
    assert early["window"]["start"] == "2026-10-05T00:00:00Z"


def test_a_moving_window_can_be_reached_while_all_of_it_still_comes() -> None:
    rows = reviews(6, 6, first=15, last=27)
    found = line(share_within(window=timedelta(days=14), target=0.75), rows, FIRST + timedelta(days=28))
    assert found["verdict"] == "at_risk"


def test_a_person_without_measurements_of_others_is_not_mixed_up() -> None:
    mine, theirs = reviews(9, 0), [{**each, "person": "bob", "value": 90.0} for each in reviews(9, 0)]
    assert line(share_within(), [*theirs, *mine], people=(ADA,))["value"] == 1.0
