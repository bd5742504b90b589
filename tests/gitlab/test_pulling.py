"""Whole pulls against a GitLab on loopback: what comes out, by which requests, and what a second pull does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipmetrics.demo.gitlab import World
from pipmetrics.demo.service import Response
from pipmetrics.errors import SourceError
from pipmetrics_gitlab import rest_reader

from .lab import DAY, SINCE, Kept, at, busy_world, lab

Patch = pytest.MonkeyPatch
SMALL = 150
"""A limit of complexity that leaves room for a few merge requests a page."""


def busy_month(world: World, count: int) -> None:
    """Merge requests with 2 reviews, 3 review-request events, 5 commits and 3 comments each, an hour apart."""
    people = [world.user(f"dev{number}") for number in range(10)]
    core = world.project("platform/core")
    for number in range(count):
        ada, lee, bob = (people[(number + step) % 10] for step in range(3))
        start = at(number)
        commits = [core.commit(ada, start, f"Work {number}.{part}") for part in range(5)]
        change = core.merge_request(ada, start, f"Change {number}", commits=commits)
        change.request(lee, bob, at=start, by=ada)
        change.withdraw(bob, at=start, by=ada)
        change.request(bob, at=start, by=ada)
        change.discuss(lee, start)
        change.approve(bob, start)
        for _ in range(3):
            change.comment(ada, start)
        change.merge(start + DAY / 2, by=bob)


def test_graphql_and_rest_tell_the_same_story(monkeypatch: Patch) -> None:
    world = busy_world()
    told = []
    for graphql in (True, False):
        with lab(world, monkeypatch, graphql=graphql, projects=("platform",)) as running:
            kept = running.pull()
            told.append({key: replace(signal, url="") for key, signal in kept.signals.items()})
            assert not kept.gaps
    assert told[0] == told[1]
    assert len(told[0]) > 50


def test_a_first_pull_of_1000_merge_requests_takes_at_most_25_requests(monkeypatch: Patch) -> None:
    world = World()
    busy_month(world, 1000)
    with lab(world, monkeypatch) as running:
        kept = Kept()
        spent = running.requests(lambda: running.pull(kept))
        assert len(spent) <= 16
        assert len(kept.groups) == 1000
        assert len(kept.signals) == 1000 * (1 + 1 + 4 + 2 + 3 + 5 + 1)


def test_a_night_with_20_changed_takes_2_requests_and_one_more_each_for_issues_and_deployments(
    monkeypatch: Patch,
) -> None:
    world = World()
    busy_month(world, 300)
    with lab(world, monkeypatch) as running:
        kept = running.pull()
        changes = world.projects[0].merge_requests
        for number, change in enumerate(changes[::15]):
            change.comment(world.users[0], at(1000 + number))
        spent = running.requests(lambda: running.pull(kept))
        assert len(changes[::15]) == 20
        assert len(spent) == 2
        assert sum(signal.kind == "commented" and signal.at >= at(1000) for signal in kept.signals.values()) == 20
        world.projects[0].deploy("a" * 40, "production", at(1100), by=world.users[0])
        assert len(running.requests(lambda: running.pull(kept))) == 3
        world.projects[0].issue(world.users[0], at(1101))
        assert len(running.requests(lambda: running.pull(kept))) == 3


def test_a_night_over_many_quiet_projects_asks_a_handful(monkeypatch: Patch) -> None:
    world = World()
    ada = world.user("ada")
    for number in range(60):
        project = world.project(f"platform/part{number}")
        change = project.merge_request(ada, at(number), commits=[project.commit(ada, at(number))])
        change.merge(at(number + 1), by=ada)
        project.deploy(change.landed, "production", at(number + 2), by=ada)
    with lab(world, monkeypatch, projects=("platform",)) as running:
        kept = running.pull()
        assert running.requests(lambda: running.pull(kept)) == ["POST /api/graphql"]
        world.projects[7].merge_requests[0].comment(ada, at(100))
        world.projects[9].deploy("f" * 40, "production", at(101), by=ada)
        spent = running.requests(lambda: running.pull(kept))
        assert len(spent) == 4
        assert kept.of("platform/part7!1", "commented")
        assert kept.of("platform/part9@2", "deployed")


def test_a_night_over_listed_quiet_projects_asks_ten_at_a_time(monkeypatch: Patch) -> None:
    world = World()
    ada = world.user("ada")
    for number in range(20):
        world.project(f"platform/part{number}").merge_request(ada, at(number))
    listed = tuple(project.path for project in world.projects)
    with lab(world, monkeypatch, projects=listed) as running:
        kept = running.pull()
        assert running.requests(lambda: running.pull(kept)) == ["POST /api/graphql"] * 2


@pytest.mark.parametrize("graphql", [True, False])
def test_20_items_updated_while_the_list_is_read_lose_nothing(monkeypatch: Patch, graphql: bool) -> None:
    monkeypatch.setattr(rest_reader, "ROWS", 8)
    world = World()
    busy_month(world, 100 if graphql else 40)
    changes = world.projects[0].merge_requests
    with lab(world, monkeypatch, graphql=graphql, limit=SMALL) as running:
        kept = Kept()
        for number, _ in enumerate(running.pages(kept)):
            if number == 2:
                for place, change in enumerate(changes[::3][:20]):
                    change.comment(world.users[0], at(2000 + place), "Meanwhile")
        fresh = running.pull()
        assert kept.signals == fresh.signals
        assert len(kept.groups) == len(changes)


@pytest.mark.parametrize("graphql", [True, False])
def test_a_pull_that_is_broken_off_anywhere_goes_on_where_it_stopped(monkeypatch: Patch, graphql: bool) -> None:
    monkeypatch.setattr(rest_reader, "ROWS", 5)
    world = World()
    busy_month(world, 70 if graphql else 14)
    for number in range(3):
        world.projects[0].issue(world.users[0], at(number)).close(at(number + 1), world.users[1])
    with lab(world, monkeypatch, graphql=graphql, limit=SMALL) as running:
        whole = running.pull()
        assert whole.pages > 5
        for stop in range(1, whole.pages):
            kept = Kept()
            for number, _ in enumerate(running.pages(kept), start=1):
                if number == stop:
                    break
            running.pull(kept)
            assert kept.signals == whole.signals
            assert kept.bookmarks.keys() == whole.bookmarks.keys()
            assert not any("walk" in (mark or {}) for mark in kept.bookmarks.values() if isinstance(mark, dict))


def test_a_broken_off_pull_does_not_read_again_what_it_has(monkeypatch: Patch) -> None:
    world = World()
    busy_month(world, 120)
    with lab(world, monkeypatch, limit=SMALL) as running:
        whole = len(running.requests(running.pull))
        kept = Kept()
        for number, _ in enumerate(running.pages(kept), start=1):
            if number == 5:
                break
        assert len(running.requests(lambda: running.pull(kept))) <= whole - 4


def test_the_second_pull_changes_nothing(monkeypatch: Patch) -> None:
    world = busy_world()
    with lab(world, monkeypatch, projects=("platform/*",)) as running:
        kept = running.pull()
        before = dict(kept.signals)
        running.pull(kept)
        assert kept.signals == before


def test_what_was_taken_away_disappears(monkeypatch: Patch) -> None:
    world = busy_world()
    core = world.projects[0]
    with lab(world, monkeypatch) as running:
        kept = running.pull()
        change, bug = core.merge_requests[0], core.issues[0]
        gone = next(note for note in change.notes if note.body == "Coverage is up.")
        change.delete(gone, at(60))
        bug.unlink(core.issues[1], at(61), world.users[0])
        running.pull(kept)
        assert f"commented:{gone.id}" not in kept.signals
        assert [signal.detail["to"] for signal in kept.of("platform/core#1", "issue_linked")] == [
            "lab:platform/tools#1"
        ]


def test_the_bookmark_is_the_newest_update_seen_and_never_ahead_of_the_servers_clock(monkeypatch: Patch) -> None:
    world = busy_world()
    core = world.projects[0]
    core.merge_requests[0].touch(at(24 * 365 * 5))  # a clock that is far ahead has written this
    with lab(world, monkeypatch) as running:
        kept = running.pull()
        now = running.service.requests and kept.bookmarks["platform/core/changes"]
        assert now["until"] == now["start"]
        assert kept.bookmarks["platform/core/deployments"]["until"] == "2026-10-06T00:00:00.000Z"


def test_one_project_of_three_without_access_is_a_gap_and_the_others_go_on(monkeypatch: Patch) -> None:
    world = busy_world()
    world.project("platform/secret").merge_request(world.users[0], at(1))
    with lab(world, monkeypatch, projects=("platform/core", "platform/secret", "platform/tools")) as running:
        kept = running.pull()
        assert not kept.gaps
        world.tokens[next(iter(world.tokens))].hidden.add("platform/secret")
        world.projects[0].merge_requests[0].comment(world.users[0], at(70), "Later")
        running.pull(kept)
        assert list(kept.gaps) == ["platform/secret"]
        assert kept.gaps["platform/secret"].since is not None
        assert kept.of("platform/core!1", "commented")[-1].at == at(70)
        world.tokens[next(iter(world.tokens))].hidden.clear()
        running.pull(kept)
        assert not kept.gaps


def test_a_project_that_its_group_does_not_list_any_more_is_a_gap(monkeypatch: Patch) -> None:
    world = busy_world()
    with lab(world, monkeypatch, projects=("platform",)) as running:
        kept = running.pull()
        world.tokens[next(iter(world.tokens))].hidden.add("platform/tools")
        running.pull(kept)
        assert list(kept.gaps) == ["platform/tools"]
        running.pull(kept)
        assert list(kept.gaps) == ["platform/tools"]
        world.tokens[next(iter(world.tokens))].hidden.clear()
        running.pull(kept)
        assert not kept.gaps


def test_a_project_that_does_without_issues_is_no_gap(monkeypatch: Patch) -> None:
    world = busy_world()
    world.projects[0].hidden = {"issues", "deployments"}
    for graphql in (True, False):
        with lab(world, monkeypatch, graphql=graphql) as running:
            kept = running.pull()
            assert not kept.gaps
            assert len(kept.groups) == 5


def test_a_project_that_moved_is_read_under_its_new_path(monkeypatch: Patch) -> None:
    world = busy_world()
    with lab(world, monkeypatch) as running:
        kept = running.pull()
        world.projects[0].rename("payments/core")
        fresh = running.pull(Kept(bookmarks=kept.bookmarks))
        assert not fresh.gaps
        assert fresh.of("payments/core!1", "change_merged")
        assert fresh.signals.keys() == kept.signals.keys()


def test_a_wrong_token_fails_the_whole_source(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        running.world.tokens.clear()
        with pytest.raises(SourceError) as told:
            running.pull()
        assert told.value.status == 401


def test_a_server_that_is_down_fails_the_whole_source(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        kept = running.pull()
        before = dict(kept.bookmarks)
        running.service.fault = lambda _number, _request: Response(502)
        with pytest.raises(SourceError) as told:
            running.pull(kept)
        assert told.value.status == 502
        assert {name: mark for name, mark in kept.bookmarks.items() if "/gap" not in name} == before


def test_a_query_that_is_too_complex_is_asked_in_smaller_pages(monkeypatch: Patch) -> None:
    world = World()
    busy_month(world, 120)
    with lab(world, monkeypatch, limit=180) as running:
        kept = Kept()
        spent = running.requests(lambda: running.pull(kept))
        assert len(kept.groups) == 120
        assert not any("merge_requests" in request for request in spent)
        assert len(spent) <= 10


def test_a_limit_below_any_page_leads_to_rest(monkeypatch: Patch) -> None:
    world = busy_world()
    with lab(world, monkeypatch) as running:
        whole = running.pull()
    with lab(world, monkeypatch, limit=50) as running:
        kept = running.pull()
        assert kept.signals.keys() == whole.signals.keys()


def test_long_lists_inside_a_merge_request_are_followed_to_their_end(monkeypatch: Patch) -> None:
    world = World()
    ada, core = world.user("ada"), world.project("platform/core")
    changes = [
        core.merge_request(ada, at(n), commits=[core.commit(ada, at(m), f"{n}.{m}") for m in range(130)])
        for n in range(7)
    ]
    for change in changes:
        for number in range(230):
            change.comment(ada, at(200 + number))
        for number in range(45):
            change.pipeline("success", at(number), at(number + 1), sha=f"{number:040x}")
    bug = core.issue(ada, at(1))
    for number in range(150):
        bug.comment(ada, at(number), f"regression from !{number + 1}")
    with lab(world, monkeypatch) as running:
        kept = running.pull()
    for change in changes:
        subject = f"platform/core!{change.iid}"
        assert len(kept.of(subject, "commented")) == 230
        assert len(kept.of(subject, "commits_pushed")) == 130
        assert len(kept.of(subject, "checks_completed")) == 45
    assert len(kept.of("platform/core#1", "issue_opened")[0].detail["causes"]) == 150


def test_many_items_of_one_instant_are_all_read(monkeypatch: Patch) -> None:
    for graphql, count in ((True, 250), (False, 103)):
        world = World()
        ada, core = world.user("ada"), world.project("platform/core")
        for _ in range(count):
            core.merge_request(ada, at(5))
        with lab(world, monkeypatch, graphql=graphql) as running:
            assert len(running.pull().groups) == count


def test_an_empty_project_has_bookmarks_too(monkeypatch: Patch) -> None:
    world = World()
    world.project("platform/core")
    with lab(world, monkeypatch) as running:
        kept = running.pull()
        assert {"platform/core/changes", "platform/core/issues", "platform/core/deployments"} <= kept.bookmarks.keys()
        assert not kept.gaps


def test_an_earlier_beginning_than_ever_reads_the_rest_and_a_later_one_nothing_again(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        whole = running.pull()
        kept = running.pull(since=at(30))
        assert set(kept.signals) < set(whole.signals)
        running.pull(kept)
        assert set(kept.signals) == set(whole.signals)
        asked = [running.service.count]
        for since in (SINCE, at(30)):
            running.pull(kept, since=since)
            asked.append(running.service.count)
        assert asked[2] - asked[1] == asked[1] - asked[0]
