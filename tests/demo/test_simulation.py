"""The demo's story: the same facts each time, nothing after now, and every promise of its people kept."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from pipmetrics.demo import fill_github, fill_gitlab, fill_jira, github, gitlab, jira
from pipmetrics.demo.people import ENGINEERS, REPOSITORIES
from pipmetrics.demo.simulation import PLAN_AGE, History, Simulation, away, sha

NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def history() -> History:
    return Simulation(NOW).run()


def test_the_same_day_and_seed_give_the_same_facts(history: History) -> None:
    assert asdict(Simulation(NOW).run()) == asdict(history)
    assert asdict(Simulation(NOW, seed=1).run()) != asdict(history)


def test_nothing_happens_after_now_or_before_its_cause(history: History) -> None:
    for change in history.changes:
        assert change.opened < NOW
        assert change.merged is None or change.opened < change.merged < NOW
        for review in change.reviews:
            assert change.opened <= review.requested
            assert review.at is None or review.requested < review.at < NOW
    for ticket in history.tickets:
        assert ticket.opened < NOW
    assert all(deployment.at < NOW for deployment in history.deployments)


def test_it_is_as_large_as_it_is_said_to_be(history: History) -> None:
    assert len(ENGINEERS) == 12
    assert len(REPOSITORIES) == 4
    assert {repository.service for repository in REPOSITORIES} == {"github", "gitlab"}
    assert 400 < len(history.changes) < 900
    assert history.plans_began == NOW.date() - timedelta(days=PLAN_AGE)
    assert len({ticket.key for ticket in history.tickets}) == len(history.tickets)


def test_both_ways_to_bugs_are_in_it(history: History) -> None:
    bugs = [ticket for ticket in history.tickets if ticket.type == "Bug"]
    stories = {change.ticket for change in history.changes}
    assert bugs
    assert all(bug.caused_by in stories for bug in bugs)
    assert any(change.reverts for change in history.changes)


def test_ada_got_quicker_when_her_plan_began(history: History) -> None:
    def hours(late: bool) -> list[float]:
        return [
            (review.at - review.requested) / timedelta(hours=1)
            for change in history.changes
            for review in change.reviews
            if review.reviewer == "ada" and review.at and (review.requested.date() >= history.plans_began) == late
        ]

    before, after = (sorted(hours(late)) for late in (False, True))
    assert after[len(after) // 2] < before[len(before) // 2]


def test_nobody_works_while_away(history: History) -> None:
    ada = next(engineer for engineer in ENGINEERS if engineer.id == "ada")
    days = {change.opened.date() for change in history.changes if change.author == "ada"}
    assert any(away(ada, NOW.date() - timedelta(days=n)) for n in range(150))
    assert not any(away(ada, day) for day in days)


def test_a_sha_depends_on_nothing_but_what_it_names() -> None:
    assert sha("acme/api", 1) == sha("acme/api", 1)
    assert len({sha("acme/api", n) for n in range(9)}) == 9


# --- told to the three services -----------------------------------------------------------------------------------


def test_github_is_told_its_changes(history: History) -> None:
    world = github.World()
    fill_github.fill(world, history, "token")
    own = [change for change in history.changes if change.repository.service == "github"]
    pulls = {
        (repository.full_name, pull.number): pull for repository in world.repositories for pull in repository.pulls
    }
    assert set(pulls) == {(change.repository.name, change.number) for change in own}
    for change in own:
        pull = pulls[change.repository.name, change.number]
        assert pull.merged == change.merged
        assert len(pull.reviews) == sum(review.at is not None for review in change.reviews)
        assert len(pull.commits) == len(change.commits)
        assert {commit.sha for commit in pull.commits} == {commit.sha for commit in change.commits}
    deployed = sum(len(repository.deployments) for repository in world.repositories)
    assert deployed == sum(each.repository.service == "github" for each in history.deployments)


def test_gitlab_is_told_its_changes(history: History) -> None:
    world = gitlab.World()
    fill_gitlab.fill(world, history, "token")
    own = {change.number: change for change in history.changes if change.repository.service == "gitlab"}
    (project,) = world.projects
    assert {request.iid for request in project.merge_requests} == set(own)
    for request in project.merge_requests:
        assert request.merged == own[request.iid].merged
        assert len(request.commits) == len(own[request.iid].commits)
    assert project.deployments


def test_jira_is_told_its_tickets(history: History) -> None:
    world = jira.World()
    fill_jira.fill(world, history)
    issues = {issue.key: issue for issue in world.issues}
    assert set(issues) == {ticket.key for ticket in history.tickets}
    for ticket in history.tickets:
        done = ticket.done is not None and ticket.done < NOW
        assert (issues[ticket.key].status.category == "done") == done
    assert len(world.links) == sum(ticket.caused_by is not None for ticket in history.tickets)
