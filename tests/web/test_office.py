"""What is kept between requests, and when it is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from pipmetrics.errors import ConfigError
from pipmetrics.web import saying
from pipmetrics.web.office import REMEMBERED, Office
from tests.web.company import OVER, Company


@pytest.fixture
def office(company: Company) -> Iterator[Office]:
    made = Office(company.open, str(company.folder))
    made.standing()
    return made


def test_readings_leave_what_is_known_as_it_is(office: Office) -> None:
    before = office.standing()
    actor = before.actor("dana")
    assert actor is not None
    for _ in range(3):
        office.read(actor, list(before.plans.values()), "plan")
    assert office.standing() is before


def test_acts_of_this_process_and_of_others_are_known_at_once(office: Office, company: Company) -> None:
    before = office.standing()
    plan = before.plans["ada-q4"]
    saying.comment(before.company.store, plan, by="dana", why="x", now=company.now)
    after = office.standing()
    assert after is not before
    other = company.open()
    saying.comment(other.store, plan, by="dana", why="y", now=company.now)
    assert office.standing() is not after


def test_an_act_of_somebody_else_between_readings_is_not_passed_over(office: Office, company: Company) -> None:
    before = office.standing()
    actor = before.actor("dana")
    assert actor is not None
    saying.comment(company.organisation.store, before.plans["ada-q4"], by="ada", why="x", now=company.now)
    office.read(actor, [before.plans["ada-q4"]], "plan")
    assert office.standing() is not before


def test_the_files_are_read_again_when_they_change(office: Office, company: Company) -> None:
    before = office.company()
    assert office.company() is before
    company.edit("plans/chen.yaml", "kind: pip", "kind: coaching")
    assert office.standing().plans["chen-q4"].kind == "coaching"
    (company.folder / "plans" / "ben.yaml").unlink()
    assert "ben-q4" not in office.standing().plans


def test_files_that_are_wrong_at_the_start_end_it(company: Company) -> None:
    company.edit("people.yaml", "people:", "persons:")
    with pytest.raises(ConfigError):
        Office(company.open, str(company.folder)).company()


def test_an_evaluation_on_record_is_shown_as_it_was_recorded(office: Office) -> None:
    standing = office.standing()
    found = office.scored(standing, standing.plans["ada-q4"])
    assert found is not None
    assert found.seq is not None
    assert found.entry["criteria"][0]["value"] == 0.8


def test_a_plan_that_ended_since_is_evaluated_now(office: Office, company: Company) -> None:
    company.now = OVER
    standing = office.standing()
    found = office.scored(standing, standing.plans["ada-q4"])
    assert found is not None
    assert (found.seq, found.as_of) == (None, OVER)
    assert found.entry["recommendation"] is not None


def test_a_plan_that_has_not_begun_has_no_numbers(office: Office, company: Company) -> None:
    company.edit("plans/chen.yaml", "start: 2026-10-20", "start: 2026-12-01")
    company.now += timedelta(seconds=1)
    plan = office.standing().plans["chen-q4"]
    store = office.company().store
    assert store.latest_evaluation("chen-q4") is not None  # under its old start
    later = Company(company.folder)
    later.edit("plans/chen.yaml", "plan: chen-q4", "plan: chen-new")
    assert office.scored(office.standing(), office.standing().plans["chen-new"]) is None
    assert plan.id == "chen-q4"
    later.close()


def test_what_was_made_once_is_made_once_and_again_after_an_act(office: Office, company: Company) -> None:
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return len(made)

    with ThreadPoolExecutor(8) as pool:
        standing = office.standing()
        assert set(pool.map(lambda _: office.remembered("x", standing, make), range(16))) == {1}
    saying.comment(standing.company.store, standing.plans["ada-q4"], by="dana", why="x", now=company.now)
    assert office.remembered("x", office.standing(), make) == 2


def test_only_so_much_is_kept(office: Office) -> None:
    standing = office.standing()
    for number in range(REMEMBERED * 2):
        office.remembered(number, standing, lambda number=number: number)  # type: ignore[misc]  # mypy cannot type it
    assert len(office._kept) == REMEMBERED
