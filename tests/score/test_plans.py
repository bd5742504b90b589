"""The plan as a whole: which are scored, verdict, coverage, what is required, and the company's side."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pipmetrics.model import Acts, Calendar, CheckIn, Criterion, Support, SupportGiven, Window
from pipmetrics.score.company import check_in_days
from tests.score.build import (
    ADA,
    DAY,
    FIRST,
    OVER,
    contest,
    evaluations,
    item,
    on,
    plan,
    reviews,
    scored,
    share_within,
    threshold,
)

HALF = FIRST + timedelta(days=28)
MET, NOISE, MISSED, THIN = reviews(20, 0), reviews(17, 3), reviews(5, 15), reviews(2, 0)


def counts(*at_most: float, **more: object) -> tuple[Criterion, ...]:
    """Criteria on the same three bugs: 9 is met, 2 inconclusive, 0 not met."""
    return tuple(
        replace(threshold("post_deploy_bugs", id=f"c{n}", at_most=limit), **more) for n, limit in enumerate(at_most)
    )


BUGS = {"post_deploy_bugs": [item(on(day)) for day in (5, 15, 25)]}


# --- which plans --------------------------------------------------------------------------------------------------


def test_drafts_and_plans_still_to_start_are_left_out() -> None:
    plans = [
        plan(share_within(), id="now"),
        plan(share_within(), id="draft", draft=True),
        plan(share_within(), id="later", start=date(2026, 12, 1), end=date(2027, 1, 20)),
    ]
    found = evaluations(plans, {"review_turnaround": MET}).to_json()
    assert [each["plan"] for each in found["plans"]] == ["now"]


def test_a_plan_is_listed_from_its_first_instant_and_decides_nothing_yet() -> None:
    found = scored(plan(share_within(), *counts(2.0)), {"review_turnaround": []}, FIRST)
    assert (found["day"], found["days"], found["verdict"], found["score"]) == (0, 56, "not_enough_data", None)
    assert [each["verdict"] for each in found["criteria"]] == ["not_enough_data", "not_enough_data"]


def test_a_plan_of_one_day_is_scored() -> None:
    found = scored(plan(share_within(), end=date(2026, 10, 5)), {"review_turnaround": reviews(9, 0, first=1, last=1)})
    assert (found["days"], found["verdict"]) == (1, "met")


def test_json_has_the_shape_of_the_contract() -> None:
    found = evaluations([plan(share_within(guardrail=threshold("review_depth", at_most=0.2)))], {}, HALF).to_json()
    assert list(found) == ["as_of", "version", "plans"]
    assert found["as_of"] == "2026-11-02T00:00:00Z"
    plan_keys = {"plan", "person", "kind", "window", "day", "days", "verdict", "score", "coverage", "recommendation",
                 "criteria", "incomplete_sources", "supports", "check_ins"}  # fmt: skip
    criterion_keys = {"id", "metric", "criterion", "window", "value", "unit", "n", "interval", "target", "baseline",
                      "verdict", "progress", "needed", "projection", "change", "chance", "counted", "excluded",
                      "pending"}  # fmt: skip
    assert plan_keys <= set(found["plans"][0])
    assert criterion_keys <= set(found["plans"][0]["criteria"][0])
    assert found["plans"][0]["window"] == {"start": "2026-10-05T00:00:00Z", "end": "2026-11-30T00:00:00Z"}
    json.dumps(found, allow_nan=False)


def test_the_same_input_gives_the_same_bytes() -> None:
    rows = {"review_turnaround": [*reviews(9, 9, first=-60, last=-1), *reviews(14, 5)], **BUGS}
    first, second = (
        json.dumps(evaluations([plan(share_within(), *counts(2.0, 9.0))], rows, HALF).to_json()) for _ in range(2)
    )
    assert first == second


# --- verdict and coverage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "score", "verdict", "recommendation"),
    [
        ((9.0, 9.0), 1.0, "met", "complete"),
        ((9.0, 9.0, 9.0, 9.0, 0.0), 0.8, "met", "complete"),
        ((9.0, 2.0), 0.75, "inconclusive", "extend"),
        ((9.0, 0.0), 0.5, "inconclusive", "extend"),
        ((2.0, 0.0), 0.25, "not_met", "not_complete"),
    ],
)
def test_the_plan_goes_by_the_weighted_mean_of_its_criteria(
    limits: tuple[float, ...], score: float, verdict: str, recommendation: str
) -> None:
    found = scored(plan(*counts(*limits)), BUGS)
    assert (found["score"], found["verdict"], found["recommendation"]) == (score, verdict, recommendation)


def test_weights_weigh() -> None:
    heavy = (*counts(9.0, weight=3.0), replace(counts(0.0)[0], id="light"))
    assert scored(plan(*heavy), BUGS)["score"] == 0.75


@pytest.mark.parametrize(
    ("limits", "verdict"), [((9.0, 9.0), "on_track"), ((9.0, 0.0), "at_risk"), ((0.0, 0.0), "off_track")]
)
def test_a_running_plan_has_no_final_word_and_no_recommendation(limits: tuple[float, ...], verdict: str) -> None:
    found = scored(plan(*counts(*limits)), BUGS, HALF)
    assert (found["verdict"], found["recommendation"]) == (verdict, None)


def test_under_60_percent_of_the_weight_judged_there_is_no_verdict() -> None:
    criteria = (share_within(weight=1.0), *counts(9.0, weight=1.0))
    found = scored(plan(*criteria), {"review_turnaround": THIN, **BUGS})
    assert (found["coverage"], found["score"]) == (0.5, 1.0)
    assert (found["verdict"], found["recommendation"]) == ("not_enough_data", "undetermined")
    enough = scored(plan(share_within(weight=2.0), *counts(9.0, weight=3.0)), {"review_turnaround": THIN, **BUGS})
    assert (enough["coverage"], enough["verdict"]) == (0.6, "met")


def test_limits_of_the_score_are_configurable() -> None:
    from pipmetrics.score import evaluate
    from tests.score.build import measured

    plans = [plan(*counts(9.0, 2.0))]
    inputs = replace(measured(plans, BUGS, OVER), met_at=0.7)
    assert evaluate(plans, inputs, OVER).to_json()["plans"][0]["verdict"] == "met"


def test_a_required_criterion_that_is_not_met_makes_the_plan_not_met() -> None:
    criteria = (*counts(9.0, 9.0, 9.0, 9.0), replace(counts(0.0)[0], id="must", required=True))
    found = scored(plan(*criteria), BUGS)
    assert (found["score"], found["verdict"]) == (0.8, "not_met")
    assert scored(plan(*criteria), BUGS, HALF)["verdict"] == "on_track"


def test_a_required_criterion_without_data_makes_the_plan_not_enough_data() -> None:
    criteria = (*counts(9.0, 9.0, 9.0, 9.0), share_within(required=True))
    assert scored(plan(*criteria), {"review_turnaround": THIN, **BUGS})["verdict"] == "not_enough_data"
    assert scored(plan(*criteria), {"review_turnaround": THIN, **BUGS}, HALF)["verdict"] == "on_track"


def test_a_plan_without_criteria_decides_nothing() -> None:
    assert scored(plan(), {})["verdict"] == "not_enough_data"


# --- the company's side -------------------------------------------------------------------------------------------

SUPPORTS = tuple(Support(f"support {n}", "lee", FIRST.date() + n * 7 * DAY) for n in range(1, 6))


def given(*places: int, confirmed: bool | None = None) -> tuple[SupportGiven, ...]:
    return tuple(SupportGiven("ada-plan", place, "lee", date(2026, 10, 20), on(20), confirmed) for place in places)


def held(*days: date, held: bool = True) -> tuple[CheckIn, ...]:
    return tuple(CheckIn("ada-plan", day, held, "dana", "", on(3)) for day in days)


def missed(**more: object) -> dict:
    acts = more.pop("acts", Acts())
    return scored(plan(*counts(0.0), **more), BUGS, acts=acts)


def test_support_is_due_once_its_day_has_passed_and_delivered_unless_denied() -> None:
    of = plan(*counts(9.0), supports=SUPPORTS)
    acts = Acts(supports=(*given(1), *given(2, confirmed=False), *given(5, confirmed=True)))
    assert scored(of, BUGS, FIRST + 14 * DAY, acts=acts)["supports"] == {"due": 1, "delivered": 1}
    assert scored(of, BUGS, FIRST + 15 * DAY, acts=acts)["supports"] == {"due": 2, "delivered": 1}
    assert scored(of, BUGS, acts=acts)["supports"] == {"due": 5, "delivered": 2}


@pytest.mark.parametrize(("delivered", "recommendation"), [(4, "not_complete"), (3, "extend")])
def test_never_not_complete_with_under_80_percent_of_the_support(delivered: int, recommendation: str) -> None:
    acts = Acts(supports=given(*range(1, delivered + 1)))
    found = missed(supports=SUPPORTS, acts=acts)
    assert (found["verdict"], found["recommendation"]) == ("not_met", recommendation)


def test_check_in_days_are_every_nth_weekday_of_the_plan() -> None:
    weekly = plan(check_in_weekday=0)
    assert check_in_days(weekly) == tuple(date(2026, 10, 5) + n * 7 * DAY for n in range(8))
    assert len(check_in_days(replace(weekly, check_in_weekday=2, check_in_weeks=2))) == 4
    assert check_in_days(plan()) == ()


def test_a_check_in_is_due_when_its_day_has_passed_and_may_move_within_its_week() -> None:
    of = plan(*counts(9.0), check_in_weekday=0)
    acts = Acts(check_ins=(*held(date(2026, 10, 5), date(2026, 10, 14)), *held(date(2026, 10, 19), held=False)))
    assert scored(of, BUGS, FIRST + DAY, acts=acts)["check_ins"] == {"due": 1, "held": 1}
    assert scored(of, BUGS, FIRST + 15 * DAY, acts=acts)["check_ins"] == {"due": 3, "held": 2}


@pytest.mark.parametrize(("weeks", "recommendation"), [(6, "not_complete"), (5, "extend")])
def test_never_not_complete_with_under_75_percent_of_the_check_ins(weeks: int, recommendation: str) -> None:
    acts = Acts(check_ins=held(*(date(2026, 10, 5) + n * 7 * DAY for n in range(weeks))))
    assert missed(check_in_weekday=0, acts=acts)["recommendation"] == recommendation


@pytest.mark.parametrize(("days", "recommendation"), [(18, "not_complete"), (19, "extend")])
def test_never_not_complete_when_away_for_more_than_a_third(days: int, recommendation: str) -> None:
    """18 calendar days from a Monday hold 14 working days, 19 hold 15; 13 of 40 is under a third, 14 over."""
    away = Window(FIRST, FIRST + (days - 1) * DAY)
    person = replace(ADA, calendar=Calendar("UTC", time_off=(away,)))
    found = scored(plan(*counts(0.0)), BUGS, people=(person,))
    assert found["recommendation"] == recommendation


def test_what_the_company_owed_is_said() -> None:
    found = missed(supports=SUPPORTS, check_in_weekday=0)
    assert found["because"] == ["0 of 5 supports due were delivered", "0 of 8 check-ins were held"]


def test_a_met_plan_is_complete_whatever_the_company_owed() -> None:
    assert scored(plan(*counts(9.0), supports=SUPPORTS), BUGS)["recommendation"] == "complete"


# --- open contests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [MET, MISSED])
def test_an_open_contest_blocks_a_final_verdict(rows: list) -> None:
    found = scored(plan(share_within()), {"review_turnaround": rows}, acts=contest("review_turnaround-3"))
    assert found["criteria"][0]["verdict"] == "inconclusive"
    assert found["criteria"][0]["reason"].startswith("a contested point is not decided yet")
    assert (found["verdict"], found["recommendation"]) == ("inconclusive", "undetermined")


@pytest.mark.parametrize("state", ["upheld", "rejected"])
def test_a_decided_contest_blocks_nothing(state: str) -> None:
    found = scored(plan(share_within()), {"review_turnaround": MET}, acts=contest("review_turnaround-3", state))
    assert (found["verdict"], found["recommendation"]) == ("met", "complete")


def test_a_contest_in_another_plan_blocks_nothing() -> None:
    acts = contest("review_turnaround-3")
    acts = replace(acts, disputes=(replace(acts.disputes[0], plan="other"),))
    assert scored(plan(share_within()), {"review_turnaround": MET}, acts=acts)["verdict"] == "met"
