"""The matrix of roles, told a second time in the words of the contract, and compared cell by cell."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path

import pytest

from pipmetrics import access
from pipmetrics.access import Actor, Thing, actor_of, can, person_thing, plan_thing, team_thing
from pipmetrics.model import Calendar, Criterion, Person, Plan

CALENDAR = Calendar("UTC")


def person(id: str, manager: str | None = None, unit: str = "engineering", *roles: str, team: str = "") -> Person:
    return Person(id, id.title(), CALENDAR, None, manager, team, unit, frozenset(roles))


PEOPLE = {
    each.id: each
    for each in (
        person("ada", "dana", "engineering", team="payments"),
        person("ben", "dana", "engineering", team="payments"),
        person("lee", "dana", "engineering", "tech-lead", team="payments"),
        person("chen", "omar", "sales"),
        person("dana", "theo", "engineering", "manager"),
        person("omar", None, "sales", "manager"),
        person("theo", None, "engineering", "manager"),
        person("hana", None, "engineering", "hr"),
        person("hugo", None, "sales", "hr"),
        person("alex", None, "engineering", "admin"),
        person("audrey", None, "engineering", "auditor"),
    )
}


def plan(of: str, manager: str) -> Plan:
    attested = Criterion("handover", "attested", "attest", parameters={"by": "tech-lead", "at_least": 1})
    days = {"start": date(2026, 10, 1), "end": date(2026, 11, 30)}
    return Plan(f"{of}-plan", "pip", of, manager, timezone="UTC", criteria=(attested,), **days)


ON_PLAN = frozenset({"ada", "ben", "chen"})
ACTORS: dict[str, Actor | None] = {id: actor_of(who, PEOPLE, ON_PLAN) for id, who in PEOPLE.items()}
ACTORS["scheduler"] = access.SCHEDULER
ACTORS["ex-manager"] = Actor("lou", frozenset({"manager"}), "engineering")
ACTORS["nobody"] = None

PLANS = {"own": plan("ada", "dana"), "same unit": plan("ben", "dana"), "foreign": plan("chen", "omar")}

# What each actor is to the plan of ada, of ben and of chen.
STANDING = {
    "ada": ("person", "", ""),
    "ben": ("", "person", ""),
    "lee": ("attester", "attester", "attester"),
    "chen": ("", "", "person"),
    "dana": ("manager", "manager", ""),
    "omar": ("", "", "manager"),
    "theo": ("", "", ""),
    "hana": ("hr", "hr", ""),
    "hugo": ("", "", "hr"),
    "alex": ("admin",) * 3,
    "audrey": ("auditor",) * 3,
    "scheduler": ("scheduler",) * 3,
    "ex-manager": ("", "", ""),
    "nobody": ("", "", ""),
}

MATRIX = """
action              person  manager hr      admin   auditor  scheduler attester
plan.see            yes     yes     yes     no      redacted no        no
plan.draft          no      yes     yes     no      no       no        no
plan.comment        yes     yes     yes     no      no       no        no
target.propose      no      yes     no      no      no       no        no
target.approve      no      no      yes     no      no       no        no
amendment.sign      yes     no      no      no      no       no        no
point.contest       yes     no      no      no      no       no        no
point.answer        no      yes     no      no      no       no        no
point.decide        no      no      yes     no      no       no        no
contest.see         yes     yes     yes     no      yes      no        no
point.attest        no      no      no      no      no       no        yes
support.record      no      yes     yes     no      no       no        no
support.confirm     yes     no      no      no      no       no        no
support.see         yes     yes     yes     no      yes      no        no
check_in.record     no      yes     yes     no      no       no        no
check_in.confirm    yes     no      no      no      no       no        no
plan.acknowledge    yes     no      no      no      no       no        no
plan.sign           no      yes     no      no      no       no        no
plan.countersign    no      no      yes     no      no       no        no
digest.sign         yes     yes     no      no      no       no        no
digest.countersign  no      no      yes     no      no       no        no
outcome.propose     no      yes     no      no      no       no        no
outcome.decide      no      no      yes     no      no       no        no
ledger.read         yes     yes     yes     no      yes      no        no
"""

PERSONAL = """
action              person  manager hr      admin   auditor  scheduler attester
person.export       yes     no      yes     no      no       no        no
erasure.ask         yes     no      no      no      no       no        no
erasure.approve     no      no      yes     no      no       no        no
erasure.carry_out   no      no      no      yes     no       no        no
erasure.see         no      no      no      no      yes      no        no
erasure.expire      no      no      no      no      no       yes       no
ledger.read_own     yes     no      yes     no      yes      no        no
plan.draft          no      yes     yes     no      no       no        no
"""

COMPANY = {
    "portfolio.see": (access.PORTFOLIO, {"hana": True, "hugo": True, "audrey": "redacted"}),
    "configuration.see": (access.CONFIGURATION, {"alex": True}),
    "configuration.set": (access.CONFIGURATION, {"alex": True}),
    "secret.set": (access.SECRET, {"alex": True}),
    "secret.use": (access.SECRET, {"scheduler": True}),
    "ledger.audit": (access.LEDGER, {"audrey": True, "alex": "redacted"}),
    "ledger.append": (access.LEDGER, {"scheduler": True}),
    "team.see": (
        Thing("team", size=5),
        dict.fromkeys(("ada", "ben", "chen", "dana", "omar", "theo", "hana", "hugo", "audrey"), True),
    ),
    "team.write": (Thing("team", size=5), {"scheduler": True}),
}


def cells(text: str) -> dict[tuple[str, str], object]:
    head, *rows = [line.split() for line in text.strip().splitlines()]
    words = {"yes": True, "no": False, "redacted": "redacted"}
    return {(action, column): words[cell] for action, *row in rows for column, cell in zip(head[1:], row, strict=True)}


def expected(text: str, action: str, standing: str) -> object:
    return cells(text).get((action, standing), False)


ACTIONS = sorted({action for action, _ in cells(MATRIX)})
PERSONAL_ACTIONS = sorted({action for action, _ in cells(PERSONAL)})


@pytest.mark.parametrize(("who", "action"), list(product(ACTORS, ACTIONS)))
def test_each_cell_of_the_matrix_for_each_actor_and_plan(who: str, action: str) -> None:
    for place, (name, each) in enumerate(PLANS.items()):
        answer = can(ACTORS[who], action, plan_thing(each, PEOPLE))
        assert answer == expected(MATRIX, action, STANDING[who][place]), name


@pytest.mark.parametrize(("who", "action"), list(product(ACTORS, PERSONAL_ACTIONS)))
def test_each_cell_of_the_matrix_for_each_actor_and_person(who: str, action: str) -> None:
    for place, owner in enumerate(("ada", "ben", "chen")):
        answer = can(ACTORS[who], action, person_thing(PEOPLE[owner]))
        assert answer == expected(PERSONAL, action, STANDING[who][place]), owner


@pytest.mark.parametrize(("who", "action"), list(product(ACTORS, COMPANY)))
def test_each_cell_for_what_is_nobodys_in_particular(who: str, action: str) -> None:
    thing, granted = COMPANY[action]
    assert can(ACTORS[who], action, thing) == granted.get(who, False)


def test_the_cases_are_at_least_ten_actors_sixteen_actions_three_objects() -> None:
    assert len(ACTORS) >= 10
    assert len(ACTIONS) >= 16
    assert len(PLANS) == 3


def test_every_action_of_the_table_is_told_here_too() -> None:
    assert set(access.TABLE) == {*ACTIONS, *PERSONAL_ACTIONS, *COMPANY, "page.open"}


def test_everybody_signed_in_opens_the_start_page_and_nobody_else() -> None:
    for who, actor in ACTORS.items():
        assert can(actor, "page.open", access.PAGE) is (who != "nobody")


@pytest.mark.parametrize("action", ["plan.delete", "secret.read", "", "plan.see ", "PLAN.SEE", "*"])
def test_what_the_table_does_not_name_is_denied_to_everybody(action: str) -> None:
    things = [plan_thing(PLANS["own"], PEOPLE), access.SECRET, access.PAGE]
    assert not any(can(actor, action, thing) for actor in ACTORS.values() for thing in things)


@pytest.mark.parametrize("action", sorted(access.TABLE))
def test_an_action_on_another_kind_of_thing_is_denied_to_everybody(action: str) -> None:
    kinds = {"plan", "person", "team", "portfolio", "configuration", "secret", "ledger", "page"}
    for kind in kinds - set(access.TABLE[action].on):
        thing = Thing(kind, "ada", "dana", "engineering", frozenset({"tech-lead"}), 9)  # type: ignore[arg-type]
        assert not any(can(actor, action, thing) for actor in ACTORS.values())


def test_a_manager_loses_the_plan_the_moment_somebody_else_manages_the_person() -> None:
    moved = PEOPLE | {"ada": replace(PEOPLE["ada"], manager="omar")}
    thing = plan_thing(PLANS["own"], moved)
    assert can(ACTORS["dana"], "plan.see", thing) is False
    assert can(ACTORS["omar"], "plan.see", thing) is True


def test_the_plan_says_who_manages_it_where_people_yaml_does_not() -> None:
    alone = PEOPLE | {"ada": replace(PEOPLE["ada"], manager=None)}
    assert can(ACTORS["dana"], "plan.see", plan_thing(PLANS["own"], alone)) is True


def test_hr_has_no_office_in_a_plan_of_their_own_or_of_somebody_they_manage() -> None:
    hana = replace(PEOPLE["hana"], manager="theo")
    people = PEOPLE | {"hana": hana, "ada": replace(PEOPLE["ada"], manager="hana")}
    actor = actor_of(hana, people)
    own, managed = plan_thing(plan("hana", "theo"), people), plan_thing(plan("ada", "hana"), people)
    assert can(actor, "outcome.decide", own) is False
    assert can(actor, "outcome.decide", managed) is False
    assert can(actor, "outcome.propose", managed) is True


def test_nobody_attests_for_their_own_plan() -> None:
    thing = plan_thing(plan("lee", "dana"), PEOPLE)
    assert can(ACTORS["lee"], "point.attest", thing) is False


@pytest.mark.parametrize(("role", "who"), [("manager", "dana"), ("hr", "hana")])
def test_the_role_manager_or_hr_attests_only_for_those_it_stands_for(role: str, who: str) -> None:
    thing = replace(plan_thing(PLANS["own"], PEOPLE), attesters=frozenset({role}))
    attesting = {name for name, actor in ACTORS.items() if can(actor, "point.attest", thing)}
    assert attesting == {who}


def test_without_units_hr_stands_for_everybody_without_one() -> None:
    people = {id: replace(who, unit=None) for id, who in PEOPLE.items()}
    assert can(actor_of(people["hana"], people), "plan.see", plan_thing(PLANS["foreign"], people)) is True


def test_the_schedulers_role_cannot_be_had_by_a_person() -> None:
    sly = replace(PEOPLE["ben"], roles=frozenset({"scheduler"}))
    assert can(actor_of(sly, PEOPLE), "ledger.append", access.LEDGER) is False


def test_figures_of_a_team_of_four_are_shown_to_nobody() -> None:
    assert not any(can(actor, "team.see", Thing("team", size=4)) for actor in ACTORS.values())
    assert team_thing("payments", PEOPLE).size == 3


def test_every_relation_of_the_table_is_one_that_actors_can_have() -> None:
    named = {relation for row in access.TABLE.values() for relation in (*row.yes, *row.redacted)}
    held = {
        relation
        for actor in ACTORS.values()
        if actor is not None
        for thing in (*(plan_thing(each, PEOPLE) for each in PLANS.values()), access.PAGE)
        for relation in access.relations(actor, thing)
    }
    assert named == held


def test_the_documented_matrix_is_the_table() -> None:
    lines = (Path(__file__).parents[1] / "docs" / "security.md").read_text("utf-8").splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if re.match(r"\| .* \| `\w+\.\w+` \|", line)
    ]
    columns = ("own", "manager", "hr", "attester", "admin", "auditor", "scheduler")
    told = {row[1].strip("`"): dict(zip(columns, row[2:], strict=True)) for row in rows}
    assert told.keys() == access.TABLE.keys()
    for action, row in access.TABLE.items():
        for column in columns:
            said = "yes" if column in row.yes else "redacted" if column in row.redacted else ""
            assert told[action][column] == said or "anybody" in row.yes, (action, column)


def test_somebody_who_asks_is_known_by_what_people_and_plans_say() -> None:
    plans = frozenset({"ada"})
    assert actor_of(PEOPLE["ada"], PEOPLE, plans) == Actor("ada", frozenset(), "engineering", on_plan=True, leads=False)
    assert actor_of(PEOPLE["omar"], PEOPLE, plans) == Actor("omar", frozenset({"manager"}), "sales", False, leads=True)


def test_a_team_is_a_thing_of_its_own_kind() -> None:
    assert team_thing("payments", PEOPLE) == Thing("team", size=3)
