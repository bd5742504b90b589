"""The practice report: facts, marks, maturity, second looks; no names, and nothing about fewer than five people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pipmetrics.digest.portfolio import Portfolio, portfolio
from pipmetrics.digest.practice import Fact
from pipmetrics.model import Acts, Plan
from tests.digest import practice


def made(count: int = 12, plans: list[Plan] | None = None, *, named: bool = False, **changed: Any) -> Portfolio:
    given = {"acts": practice.acts(count), "decisions": practice.decisions(), "backtests": practice.backtests(count)}
    given |= changed
    return portfolio(
        practice.evaluations(count),
        plans or practice.plans(count),
        practice.people(count),
        given["acts"],
        given["decisions"],
        given["backtests"],
        named=named,
    )


def fact(found: Portfolio, name: str) -> Fact:
    rules = (*found.tiles, *found.more, *found.standardized, *found.optimized)
    return next(each for each in rules if each.id == name)


def test_each_fact_is_counted_from_the_plans() -> None:
    found = made()
    told = {
        name: (fact(found, name).good, fact(found, name).of) for name in ("coached", "supports", "check_ins", "met")
    }
    assert told == {"coached": (8, 12), "supports": (21, 22), "check_ins": (57, 60), "met": (3, 5)}
    assert (fact(found, "no_data").good, fact(found, "no_data").of) == (3, 24)
    assert (fact(found, "overrides").good, fact(found, "overrides").of) == (1, 5)
    assert found.first_check_in == 7


def test_running_and_ended_plans_are_told_apart() -> None:
    found = made()
    assert (found.active, found.ended) == (7, 5)
    assert found.verdicts == {"met": 1, "on_track": 3, "at_risk": 1, "off_track": 1, "not_enough_data": 1}
    assert dict(found.outcomes) == {"Completed": 3, "Moved to another role by agreement": 2}


def test_an_ended_plan_without_a_decision_says_what_was_recommended() -> None:
    assert dict(made(decisions=[]).outcomes) == {
        "Not decided yet; recommended: complete": 3,
        "Not decided yet; recommended: not complete": 2,
    }


def test_coaching_counts_only_as_what_came_before() -> None:
    found = made(named=True)
    assert len(found.lines) == 7
    assert not any("coaching" in line.plan for line in found.lines)
    assert fact(found, "coached_8").good == 7


def test_eight_weeks_are_counted_from_the_start_of_coaching() -> None:
    plans = [
        replace(plan, start=plan.start - timedelta(days=60)) if plan.id == "coaching-5" else plan
        for plan in practice.plans()
    ]
    assert fact(made(plans=plans), "coached_8").good == 8


def test_the_practice_is_ad_hoc_while_one_fact_of_the_first_step_misses() -> None:
    found = made()
    assert found.level == "ad hoc"
    assert [each.id for each in found.standardized if each.holds is False] == ["promised"]


def mended() -> list[Plan]:
    supports = practice.plans()[0].supports
    return [replace(plan, supports=supports) for plan in practice.plans()]


def test_it_is_standardized_when_all_of_the_first_step_hold() -> None:
    found = made(plans=mended())
    assert found.level == "standardized"
    assert "2 facts stand between here and Optimized" in found.to_text()


def test_it_is_optimized_when_the_second_step_holds_too() -> None:
    formal = [plan for plan in mended() if plan.kind == "pip"]
    coaching = [
        replace(plan, id=f"before-{plan.id}", kind="coaching", start=plan.start - timedelta(days=70)) for plan in formal
    ]
    plans = [*[replace(plan, preceded_by=f"before-{plan.id}") for plan in formal], *coaching]
    tried = [{"plan": plan.id, "criteria": []} for plan in formal]
    assert made(plans=plans, backtests=tried).level == "optimized"


def test_a_late_baseline_is_not_frozen_in_time() -> None:
    late = practice.acts()
    late = Acts(
        check_ins=late.check_ins,
        baselines=tuple(replace(each, at=each.at + timedelta(days=8)) for each in late.baselines),
    )
    assert fact(made(acts=late), "frozen").good == 0
    assert fact(made(acts=Acts()), "frozen").good == 0


def test_second_looks_are_counted_and_name_nobody() -> None:
    found = made()
    assert {look.reason: look.count for look in found.looks} == {
        "no support is promised": 1,
        "no coaching came before": 3,
        "few peers would meet a target": 1,
        "support is late": 1,
        "check-ins were missed": 1,
    }
    whole = json.dumps(found.to_json()) + found.to_text() + found.to_html()
    for name in ("Aguilar", "Danquah", "Whitfield", "plan-2", "p2"):
        assert name not in whole


def test_those_who_may_see_the_plans_are_told_which() -> None:
    found = made(named=True)
    assert next(look for look in found.looks if look.reason == "no support is promised").plans == ("plan-2",)
    assert "Person Danquah" in found.to_html()
    assert [line.name.split()[-1] for line in found.lines] == list(practice.FAMILY[:7])


@pytest.mark.parametrize("count", [0, 1, 4])
def test_nothing_is_told_of_fewer_than_five_people(count: int) -> None:
    found = made(count, decisions=[])
    document = found.to_json()
    assert {each["good"] for each in document["facts"]} == {None}
    assert document["verdicts"] == {}
    assert document["outcomes"] == {}
    assert document["second_look"] == []
    assert document["active"] is None
    assert document["maturity"]["level"] == "too few to say"
    assert "fewer than 5 people" in found.to_text()
    assert "fewer than 5 people" in found.to_html()


def test_five_plans_of_one_person_are_one_person() -> None:
    evaluations = practice.evaluations(5)
    plans = [replace(plan, person="p0") for plan in practice.plans(5)]
    found = portfolio(evaluations, plans, practice.people(5), practice.acts(5))
    assert found.active is None
    assert not any(each.shown for each in found.tiles)


def test_a_fact_without_people_holds_neither_way() -> None:
    assert Fact("x", "X", 0, 0, 0, 0.9).holds is None
    assert Fact("x", "X", 1, 5, 5, 0.2, at_most=True).holds is True
    assert Fact("x", "X", 2, 5, 5, 0.2, at_most=True).holds is False


def test_the_page_says_what_the_text_says() -> None:
    found = made()
    page = found.to_html().replace("\u00a0", " ")
    for said in ("8 of 12", "67 %", "Mark: 90 %.", "95 % range: 15–95 %", "Maturity of the practice: Ad hoc", "7 days"):
        assert said in page
