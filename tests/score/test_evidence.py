"""What stands beside a number: contests both ways, guardrails, identities, gaps, exclusions and frozen baselines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest
from scipy import stats

from pipmetrics import registry
from pipmetrics.errors import PipmetricsError, PluginError
from pipmetrics.model import Acts, Calendar, Criterion, Gap, MeasureRequest, Window
from pipmetrics.score import Measured, Reach, evaluate, requests
from tests.score.build import (
    ADA,
    FIRST,
    OVER,
    RULE,
    contest,
    evaluations,
    frame,
    item,
    line,
    measured,
    on,
    plan,
    reviews,
    scored,
    share_within,
    threshold,
)

HALF = FIRST + timedelta(days=28)
METRICS = {name: registry.metric(name) for name in registry.names("metrics")}


# --- contests -----------------------------------------------------------------------------------------------------


def test_a_contested_point_stays_counted_and_both_values_are_shown() -> None:
    found = line(share_within(), reviews(17, 3), acts=contest("review_turnaround-0"))
    assert (found["value"], found["n"]) == (17 / 20, 20)
    assert found["contested"] == {
        "keys": ["review_turnaround-0"],
        "value": 17 / 19,
        "n": 19,
        "interval": pytest.approx(stats.beta.ppf([0.025, 0.975], [17, 18], [3, 2]).tolist()),
        "verdict": "inconclusive",
        "text": "17 of 20; 17 of 19 without the contested one",
    }


def test_an_upheld_contest_leaves_the_point_out_of_this_criterion_alone() -> None:
    other = share_within(id="other")
    rows = {"review_turnaround": reviews(17, 3)}
    found = scored(plan(share_within(), other), rows, acts=contest("review_turnaround-0", "upheld"))["criteria"]
    assert [(each["n"], each["excluded"]) for each in found] == [(19, 1), (20, 0)]
    assert found[0]["contested"] is None


def test_a_rejected_contest_changes_nothing() -> None:
    rows = reviews(17, 3)
    assert line(share_within(), rows, acts=contest("review_turnaround-0", "rejected")) == line(share_within(), rows)


def test_a_contested_week_of_a_streak_is_shown_both_ways() -> None:
    inner = share_within(id="reviews", minimum=1)
    criterion = Criterion("reviews", "review_turnaround", "streak", parameters={"of": inner, "weeks": 3})
    rows = [item(on(7 * week + 2), 50.0 if week == 2 else 5.0) for week in range(8)]
    rows += [item(on(17), 5.0)]
    found = line(criterion, rows, HALF, acts=contest("review_turnaround-2"))
    assert (found["value"], found["contested"]["value"]) == (2, 4)


# --- guardrails ---------------------------------------------------------------------------------------------------


def depth(count: int, superficial: int, *, first: float, last: float) -> list[dict]:
    days = [first + (last - first) * place / max(count - 1, 1) for place in range(count)]
    return [item(on(day), 0.0, considered=True, superficial=place < superficial) for place, day in enumerate(days)]


GUARDED = share_within(guardrail=threshold("review_depth", id="reviews", at_most=0.2))


@pytest.mark.parametrize(
    ("now", "verdict", "worse"), [((40, 3), "met", False), ((40, 20), "inconclusive", True), ((40, 7), "met", False)]
)
def test_a_guardrail_that_got_significantly_worse_takes_the_target_away(
    now: tuple[int, int], verdict: str, worse: bool
) -> None:
    rows = [*depth(40, 3, first=-60, last=-1), *depth(*now, first=1, last=50)]
    found = line(GUARDED, reviews(20, 0), others={"review_depth": rows})
    assert (found["verdict"], found["guardrail"]["worse"]) == (verdict, worse)
    assert found["guardrail"]["value"] == now[1] / now[0]
    assert found["guardrail"]["baseline"]["value"] == 3 / 40
    assert (found["note"] is not None) == worse


def test_a_guardrail_says_what_it_saw() -> None:
    rows = [*depth(40, 2, first=-60, last=-1), *depth(20, 10, first=1, last=25)]
    found = line(GUARDED, reviews(20, 0, last=27), HALF, others={"review_depth": rows})
    assert found["verdict"] == "at_risk"
    assert found["note"] == "review_depth got worse than before the plan: 50 % against 5 %"


def test_only_considered_reviews_count_for_the_guardrail() -> None:
    small = [item(on(day), 0.0, considered=False, superficial=False) for day in range(1, 30)]
    rows = [*depth(40, 3, first=-60, last=-1), *small, *depth(10, 1, first=31, last=50)]
    guardrail = line(GUARDED, reviews(20, 0), others={"review_depth": rows})["guardrail"]
    assert (guardrail["n"], guardrail["value"]) == (10, 0.1)


def test_a_guardrail_without_a_baseline_takes_nothing_away() -> None:
    found = line(GUARDED, reviews(20, 0), others={"review_depth": depth(40, 30, first=1, last=50)})
    assert (found["verdict"], found["guardrail"]["worse"], found["guardrail"]["verdict"]) == ("met", False, "not_met")


def test_a_guardrail_never_makes_a_miss_worse() -> None:
    rows = [*depth(40, 2, first=-60, last=-1), *depth(40, 30, first=1, last=50)]
    assert line(GUARDED, reviews(5, 15), others={"review_depth": rows})["verdict"] == "not_met"


@pytest.mark.parametrize(("now", "worse"), [(5.0, False), (30.0, True)])
def test_a_guardrail_on_durations_goes_by_mann_whitney(now: float, worse: bool) -> None:
    guard = threshold("time_to_merge", id="reviews", statistic="median", at_most=timedelta(hours=20))
    merges = [item(on(day), 5.0 + day % 3) for day in range(-20, 0)] + [item(on(d), now + d % 3) for d in range(1, 20)]
    found = line(share_within(guardrail=guard), reviews(20, 0), others={"time_to_merge": merges})
    assert found["guardrail"]["worse"] is worse


# --- identities and gaps ------------------------------------------------------------------------------------------


def test_a_person_unknown_on_a_source_is_not_scored() -> None:
    stranger = replace(ADA, accounts={"lab": ("ada",)})
    found = scored(plan(share_within()), {"review_turnaround": reviews(20, 0)}, people=(stranger,))
    (criterion,) = found["criteria"]
    assert (criterion["verdict"], criterion["reason"]) == ("not_enough_data", "identity: no account on hub")
    assert (criterion["value"], criterion["n"], criterion["counted"], found["verdict"]) == (
        None,
        0,
        0,
        "not_enough_data",
    )


def test_a_person_without_an_account_counts_no_bugs_as_a_success() -> None:
    """Counts need no minimum: nothing was found of somebody whom nobody looked for."""
    stranger = replace(ADA, accounts={})
    found = line(threshold("post_deploy_bugs", at_most=2.0), [], people=(stranger,))
    assert found["verdict"] == "not_enough_data"


@pytest.mark.parametrize(
    ("accounts", "verdict"),
    [
        ({"hub": ("ada",), "lab": None}, "met"),
        ({"hub": None, "lab": None}, "not_enough_data"),
        ({"hub": ("ada",)}, "not_enough_data"),
    ],
)
def test_having_no_account_can_be_declared_but_not_everywhere(accounts: dict, verdict: str) -> None:
    both = frozenset({"hub", "lab"})
    person = replace(ADA, accounts=accounts)
    found = line(share_within(), reviews(20, 0), people=(person,), reach={"review_turnaround": Reach(both, both)})
    assert found["verdict"] == verdict


def test_a_source_that_was_incomplete_in_the_window_leaves_no_verdict() -> None:
    gap = Gap("hub", "acme/api", "HTTP 502", on(40))
    found = scored(plan(share_within()), {"review_turnaround": reviews(20, 0)}, gaps=[gap])
    assert found["incomplete_sources"] == ["hub"]
    assert found["criteria"][0]["verdict"] == "not_enough_data"
    assert found["criteria"][0]["reason"] == "source incomplete: hub since 2026-11-13T12:00:00Z (acme/api: HTTP 502)"


def test_a_gap_elsewhere_or_after_the_window_says_nothing_about_the_plan() -> None:
    later = Gap("hub", "acme/api", "HTTP 502", OVER + timedelta(days=2))
    other = Gap("jira", "PAY", "HTTP 502", on(3))
    found = line(share_within(), reviews(20, 0), OVER + timedelta(days=9), gaps=[later, other])
    assert found["verdict"] == "met"


def test_a_gap_after_the_end_matters_while_an_answer_is_still_waited_for() -> None:
    later = Gap("hub", "acme/api", "HTTP 502", OVER + timedelta(hours=2))
    rows = [*reviews(20, 0), item(OVER - timedelta(hours=3), 15.0, "unanswered")]
    assert line(share_within(), rows, OVER + timedelta(hours=12), gaps=[later])["verdict"] == "not_enough_data"


def test_nothing_is_frozen_from_an_incomplete_source() -> None:
    gap = Gap("hub", "acme/api", "never read", None)
    rows = {"review_turnaround": [*reviews(9, 9, first=-60, last=-1), *reviews(20, 0)]}
    assert evaluations([plan(share_within())], rows, gaps=[gap]).baselines == ()


# --- exclusions ---------------------------------------------------------------------------------------------------


def test_an_exclude_rule_leaves_out_what_it_hits_in_this_criterion_alone() -> None:
    legacy = [{**each, "subject": f"hub:acme/legacy#{n}"} for n, each in enumerate(reviews(0, 5))]
    rows = {"review_turnaround": [*legacy, *reviews(15, 0)]}
    attributes = pd.DataFrame({"subject": [], "labels": [], "author_login": [], "paths": []}, dtype=object)
    of = plan(share_within(exclude=(RULE,)), share_within(id="all"))
    found = scored(of, rows, attributes=attributes)["criteria"]
    assert [(each["value"], each["n"], each["excluded"]) for each in found] == [(1.0, 15, 5), (0.75, 20, 0)]


def test_an_exclude_rule_of_a_streak_reaches_its_inner_criterion() -> None:
    inner = share_within(id="weeks", minimum=1)
    criterion = Criterion("weeks", "review_turnaround", "streak", parameters={"of": inner, "weeks": 8}, exclude=(RULE,))
    rows = [item(on(7 * week + 2), 5.0) for week in range(8)]
    rows += [item(on(20), 90.0, subject="hub:acme/legacy#1")]
    attributes = pd.DataFrame({"subject": [], "labels": [], "author_login": [], "paths": []}, dtype=object)
    assert line(criterion, rows, attributes=attributes)["verdict"] == "met"


# --- baselines ----------------------------------------------------------------------------------------------------

BEFORE, NOW = reviews(5, 15, first=-60, last=-1), reviews(18, 2)


def test_a_baseline_is_computed_once_and_given_back_to_be_frozen() -> None:
    found = evaluations([plan(share_within())], {"review_turnaround": [*BEFORE, *NOW]})
    (baseline,) = found.baselines
    assert (baseline.plan, baseline.criterion) == ("ada-plan", "reviews")
    assert len(baseline.measured["keys"]) == 20
    again = evaluations([plan(share_within())], {"review_turnaround": NOW}, acts=Acts(baselines=found.baselines))
    assert again.baselines == ()
    assert again.to_json() == found.to_json()


def test_a_frozen_baseline_never_slides() -> None:
    frozen = evaluations([plan(share_within())], {"review_turnaround": [*BEFORE, *NOW]}).baselines
    rewritten = {"review_turnaround": [*reviews(20, 0, first=-60, last=-1), *NOW]}
    found = scored(plan(share_within()), rewritten, acts=Acts(baselines=frozen))
    assert found["criteria"][0]["baseline"]["value"] == 0.25


def test_an_amended_metric_gets_a_baseline_of_its_own() -> None:
    frozen = evaluations([plan(share_within())], {"review_turnaround": [*BEFORE, *NOW]}).baselines
    amended = share_within(metric="feedback_response")
    rows = {"feedback_response": [*reviews(10, 0, first=-60, last=-1), *NOW]}
    found = evaluations([plan(amended)], rows, acts=Acts(baselines=frozen))
    assert found.to_json()["plans"][0]["criteria"][0]["baseline"]["value"] == 1.0
    assert [each.measured["metric"] for each in found.baselines] == ["feedback_response"]


def test_an_amended_limit_reads_the_frozen_rows_again() -> None:
    frozen = evaluations([plan(share_within())], {"review_turnaround": [*BEFORE, *NOW]}).baselines
    relaxed = share_within(parameters={"limit": timedelta(hours=72), "target": 0.9})
    found = scored(plan(relaxed), {"review_turnaround": NOW}, acts=Acts(baselines=frozen))
    assert found["criteria"][0]["baseline"]["value"] == 1.0


def test_an_upheld_contest_of_a_baseline_point_leaves_it_out_of_the_frozen_baseline() -> None:
    frozen = evaluations([plan(share_within())], {"review_turnaround": [*BEFORE, *NOW]}).baselines
    acts = replace(contest("review_turnaround-0", "upheld"), baselines=frozen)
    assert scored(plan(share_within()), {"review_turnaround": []}, acts=acts)["criteria"][0]["baseline"]["n"] == 19


def test_the_exposure_is_frozen_with_the_baseline() -> None:
    criterion = Criterion(
        "bugs", "post_deploy_bugs", "reduction", parameters={"target": 0.5, "per": "changes_deployed"}
    )
    rows = {
        "post_deploy_bugs": [item(on(day)) for day in (-30, -20, -10, 5)],
        "changes_deployed": [item(on(day)) for day in range(-30, 20)],
    }
    found = evaluations([plan(criterion)], rows)
    assert found.baselines[0].measured["exposure"] == 31
    again = scored(plan(criterion), rows, acts=Acts(baselines=found.baselines))
    assert again["criteria"][0]["baseline"]["n"] == 31


def test_working_days_before_the_plan_are_frozen_too() -> None:
    criterion = Criterion("bugs", "post_deploy_bugs", "reduction", parameters={"target": 0.5})
    rows = {"post_deploy_bugs": [item(on(day)) for day in (-30, -20, -10, 5)]}
    frozen = evaluations([plan(criterion)], rows).baselines
    since = replace(ADA, calendar=Calendar("UTC", time_off=(Window(on(-40), on(-20)),)))
    found = scored(plan(criterion), rows, acts=Acts(baselines=frozen), people=(since,))
    assert found["criteria"][0]["baseline"]["n"] == 64


def test_a_guardrail_has_a_baseline_under_a_name_of_its_own() -> None:
    rows = {"review_turnaround": [*BEFORE, *NOW], "review_depth": depth(40, 3, first=-60, last=-1)}
    assert {each.criterion for each in evaluations([plan(GUARDED)], rows).baselines} == {"reviews", "reviews#guardrail"}


def test_the_baseline_window_is_as_long_as_the_plan_says() -> None:
    found = line(share_within(baseline=timedelta(days=30)), [*BEFORE, *NOW])
    assert found["baseline"]["window"]["start"] == "2026-09-05T00:00:00Z"
    assert found["baseline"]["n"] == 9


# --- what is asked for --------------------------------------------------------------------------------------------


def test_requests_ask_for_now_a_week_ago_and_the_start() -> None:
    asked = requests([plan(share_within())], HALF, Acts(), METRICS)
    week_ago = HALF - timedelta(days=7)
    assert asked == {MeasureRequest("review_turnaround", at) for at in (HALF, week_ago, FIRST)}


def test_requests_leave_out_the_start_once_the_baseline_is_frozen() -> None:
    frozen = evaluations([plan(share_within())], {"review_turnaround": [*BEFORE, *NOW]}).baselines
    asked = requests([plan(share_within())], HALF, Acts(baselines=frozen), METRICS)
    assert FIRST not in {request.as_of for request in asked}


def test_requests_cover_exposures_guardrails_and_inner_criteria() -> None:
    rate = threshold("post_deploy_bugs", id="rate", per="changes_deployed", at_most=0.1)
    inner = share_within(id="weeks", metric="feedback_response")
    streak = Criterion("weeks", "feedback_response", "streak", parameters={"of": inner, "weeks": 3})
    asked = requests([plan(GUARDED, rate, streak)], HALF, Acts(), METRICS)
    names = {"review_turnaround", "review_depth", "post_deploy_bugs", "changes_deployed", "feedback_response"}
    assert {request.metric for request in asked} == names


def test_requests_carry_clock_attribution_and_what_is_included() -> None:
    criterion = share_within(clock="working", include=frozenset({"own"}))
    asked = requests([plan(criterion, attribution=("link", "revert"))], HALF, Acts(), METRICS)
    assert {(each.clock, each.attribution, each.include) for each in asked} == {
        ("working", ("link", "revert"), frozenset({"own"}))
    }


def test_drafts_ask_for_nothing() -> None:
    assert requests([plan(share_within(), draft=True)], HALF, Acts(), METRICS) == frozenset()


def test_what_was_not_measured_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(PipmetricsError, match="review_turnaround was not measured as of"):
        evaluate([plan(share_within())], Measured({"ada": ADA}, METRICS, {}), HALF)


def test_a_criterion_that_does_not_fit_its_metric_names_plan_and_criterion() -> None:
    criterion = share_within(parameters={"limit": 24.0, "target": 0.9})
    with pytest.raises(
        PluginError, match="plan ada-plan, criterion reviews: a limit on review_turnaround is a duration"
    ):
        requests([plan(criterion)], HALF, Acts(), METRICS)


# --- many at once -------------------------------------------------------------------------------------------------


def test_plans_do_not_touch_each_other() -> None:
    bob = replace(ADA, id="bob", name="Bob")
    mine, theirs = reviews(17, 3), [{**each, "person": "bob"} for each in reviews(5, 15)]
    late = plan(share_within(), id="bobs", person="bob", start=date(2026, 10, 12), end=date(2026, 11, 22))
    both = [plan(share_within(), threshold("review_turnaround", id="m", at_most=timedelta(hours=9))), late]
    together = evaluations(both, {"review_turnaround": [*mine, *theirs]}, people=(ADA, bob)).to_json()["plans"]
    alone = [
        evaluations([each], {"review_turnaround": rows}, people=(ADA, bob)).to_json()["plans"][0]
        for each, rows in zip(both, (mine, theirs), strict=True)
    ]
    assert together == alone


def test_an_empty_organisation_is_scored_in_no_time() -> None:
    assert evaluations([], {}).to_json()["plans"] == []


def test_frames_of_a_metric_may_come_in_any_order() -> None:
    rows = [*BEFORE, *NOW]
    inputs = measured([plan(share_within())], {"review_turnaround": rows}, OVER)
    shuffled = {
        request: found.sample(frac=1, random_state=7).reset_index(drop=True) for request, found in inputs.frames.items()
    }
    first, second = (
        evaluate([plan(share_within())], each, OVER).to_json() for each in (inputs, replace(inputs, frames=shuffled))
    )
    assert first == second


def test_frames_of_no_row_are_fine() -> None:
    assert frame("review_turnaround", []).empty
    assert line(share_within(), [])["counted"] == 0
