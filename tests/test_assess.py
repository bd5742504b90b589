"""The state before a plan: what it was, how sure, and how a team compares without names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipmetrics.api import Organisation
from pipmetrics.assess import as_begun, assess, peers, stand_in
from tests.organisation import AS_OF, BEGAN, opened


def test_the_state_is_the_baseline_with_its_interval_spread_and_team(company: Organisation) -> None:
    found = assess(company, "ada-q4")
    states = {state.id: state for state in found.states}
    assert (found.person, found.as_of) == ("ada", BEGAN)
    reviews = states["reviews-24h"]
    assert (reviews.value, reviews.n, reviews.target) == (0.56, 25, 0.9)
    assert reviews.interval == pytest.approx([0.349, 0.756], abs=1e-3)
    assert reviews.window.end == BEGAN
    assert (reviews.peers, reviews.team) == (5, (1.0, 1.0, 1.0))
    assert reviews.spread == (4.0, 4.0, 6.0, 28.0, 30.0)
    merged = states["merged-fast"]
    assert (merged.value, merged.unit) == (8.0, "hours")
    assert states["led-release"].value is None


def test_fewer_than_five_peers_are_not_shown(folder: Path) -> None:
    path = folder / "people.yaml"
    path.write_text(
        path.read_text().replace(
            "finn: {name: Finn Example, manager: dana, team: core",
            "finn: {name: Finn Example, manager: dana, team: web",
        )
    )
    with opened(folder) as company:
        found = assess(company, "ada-q4")
    assert {(state.peers, state.team) for state in found.states} == {(0, None)}
    assert "not shown: fewer than 5 peers have data" in found.to_text()


def test_json_holds_all_of_it(company: Organisation) -> None:
    told = assess(company, "ada-q4").to_json()
    assert told["criteria"][0]["window"] == {"start": "2025-07-08T00:00:00Z", "end": "2025-10-06T00:00:00Z"}


def test_a_plan_to_come_is_assessed_as_if_it_began_today(company: Organisation) -> None:
    (plan,) = company.plans("cleo-next")
    begun = as_begun(plan, AS_OF)
    assert (begun.start, begun.draft) == (AS_OF.date(), False)
    assert begun.end - begun.start == plan.end - plan.start
    (running,) = company.plans("ada-q4")
    assert as_begun(running, AS_OF) == running
    assert assess(company, "cleo-next").as_of == AS_OF


def test_peers_are_the_team_or_everybody_who_has_a_manager(company: Organisation) -> None:
    (plan,) = company.plans("ada-q4")
    assert [person.id for person in peers(company, plan)] == ["ben", "cleo", "dora", "eli", "finn"]
    people = {**company.config.people, "ada": replace(company.config.people["ada"], team=None)}
    company.config = replace(company.config, people=people)
    assert [person.id for person in peers(company, plan)] == ["ben", "cleo", "dora", "eli", "finn"]
    other = stand_in(plan, company.config.people["eli"])
    assert (other.id, other.person, other.supports, other.criteria) == ("ada-q4#eli", "eli", (), plan.criteria)
