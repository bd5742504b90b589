"""Reading while things move, stopping anywhere and going on, and never losing or doubling anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from pipmetrics.demo.github import Pull, World
from pipmetrics.demo.service import Request, Response
from pipmetrics_github import GithubConnector
from pipmetrics_github.walk import LOOK, expected

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SINCE = START - timedelta(days=30)
HOUR = timedelta(hours=1)
LATER = START + timedelta(days=20)
Reading = Callable[..., Any]
Act = Callable[[], object]


def fill(world: World, count: int, repository: str = "acme/api") -> list[Pull]:
    """So many pull requests, issues and deployments, one of each an hour."""
    api, ada, lee = world.repository(repository), world.account("ada"), world.account("lee")
    pulls = []
    for n in range(count):
        at = START + n * HOUR
        pull = api.pull(ada, at, f"Change {n}")
        pull.review(lee, at + HOUR)
        api.issue(lee, at, f"Issue {n}")
        api.deploy(f"{n:040}", "production", at, lee)
        pulls.append(pull)
    return pulls


def before_each(acts: list[Act], first: int = 2) -> Callable[[int, Request], Response | None]:
    """Does one act before each request, from the `first` one on."""

    def move(number: int, request: Request) -> Response | None:
        if number >= first and acts:
            acts.pop(0)()
        return None

    return move


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of ten, so that a few dozen things make many pages."""
    monkeypatch.setattr(GithubConnector, "first_size", 10)


def test_several_pages_hold_everything(world: World, reader: Reading, small: None) -> None:
    fill(world, 35)
    got = reader().pull()
    assert len(got.groups) == 3 * 35
    assert (got.pages, got.gaps) == (5, []), "four pages, and a look at what moved meanwhile"


def test_a_second_pull_of_what_has_not_moved_gives_nothing(world: World, reader: Reading, small: None) -> None:
    fill(world, 35)
    got = reader().pull()
    before, bookmarks = got.facts(), json.dumps(got.bookmarks)
    got.pull()
    assert (got.requests, got.pages) == (1, 0)
    assert (got.facts(), json.dumps(got.bookmarks)) == (before, bookmarks)


def test_twenty_updates_while_the_list_is_read_lose_nothing(world: World, reader: Reading, small: None) -> None:
    pulls, lee = fill(world, 60), world.account("lee")
    moving = iter(enumerate(pulls[:40:2]))

    def four() -> None:
        for n, each in islice(moving, 4):
            each.comment(lee, LATER + n * HOUR)

    acts: list[Act] = [four] * 5
    got = reader()
    got.service.fault = before_each(acts)
    got.pull()
    assert acts == [], "all were updated during the walk"
    assert got.facts() == got.fresh().pull().facts()
    assert sum(bool(got.of(f"hub:acme/api#{pull.number}", "commented")) for pull in pulls) == 20


def test_insertions_updates_and_deletions_while_reading_end_as_a_fresh_look_would(
    world: World, reader: Reading, small: None
) -> None:
    pulls, lee, api = fill(world, 40), world.account("lee"), world.repository("acme/api")
    issues = list(api.issues)
    acts: list[Act] = [
        lambda: api.issues.remove(issues[-1]),
        lambda: api.pull(lee, LATER, "New"),
        lambda: [api.issues.remove(issues[-5]), api.issues.remove(issues[3]), pulls[2].close(LATER, lee)],
        lambda: api.issue(lee, LATER, "New"),
        lambda: [issues[4].close(LATER, lee), api.deploy("f" * 40, "production", LATER, lee)],
    ]
    got = reader()
    got.service.fault = before_each(acts)
    got.pull()
    assert acts == []
    assert got.facts() == got.fresh().pull().facts()


def test_an_issue_deleted_between_two_pulls_disappears(world: World, reader: Reading) -> None:
    fill(world, 20)
    api = world.repository("acme/api")
    got = reader().pull()
    gone = api.issues.pop(7)
    api.issue(world.account("lee"), LATER, "New")
    got.pull()
    assert got.of(f"hub:acme/api#{gone.number}") == []
    assert got.facts() == got.fresh().pull().facts()


def test_a_comment_and_a_request_that_were_withdrawn_disappear_when_the_change_is_read_again(
    world: World, reader: Reading
) -> None:
    [pull] = fill(world, 1)
    lee = world.account("lee")
    comment = pull.comment(lee, START + HOUR)
    got = reader().pull()
    assert got.of("hub:acme/api#1", "commented")
    pull.comments.remove(comment)
    pull.touch(LATER)
    assert got.pull().of("hub:acme/api#1", "commented") == []


@pytest.mark.parametrize("pages", [1, 2, 3, 4, 5, 6, 7])
def test_killed_after_any_page_the_next_run_ends_the_same(
    world: World, reader: Reading, small: None, pages: int
) -> None:
    fill(world, 35)
    fill(world, 5, "acme/web")
    whole = reader("acme/api", "acme/web").pull()
    got = whole.fresh()
    got.pull(pages=pages)
    got.pull()
    assert got.facts() == whole.facts()
    assert all(not stream["walk"] for kept in got.bookmarks.values() for stream in kept["streams"].values())
    assert got.pull().pages == 0


def test_killed_after_every_single_page_while_things_move(world: World, reader: Reading, small: None) -> None:
    pulls, lee = fill(world, 35), world.account("lee")
    got = reader()
    for n in range(25):
        got.pull(pages=1)
        if n < 10:
            pulls[n].comment(lee, LATER + n * HOUR)
    got.pull()
    assert got.facts() == got.fresh().pull().facts()


def test_a_cursor_that_the_service_no_longer_takes_starts_the_walk_over(
    world: World, reader: Reading, small: None
) -> None:
    fill(world, 35)
    got = reader()
    got.pull(pages=2)
    text = json.dumps(got.bookmarks)
    for stream in next(iter(got.bookmarks.values()))["streams"].values():
        text = text.replace(str(stream["walk"]["cursor"]), "bm9uc2Vuc2U=") if stream["walk"] else text
    got.bookmarks = json.loads(text)
    got.pull()
    assert got.gaps == []
    assert got.facts() == got.fresh().pull().facts()


def test_more_of_the_past_is_read_when_it_is_asked_for(world: World, reader: Reading, small: None) -> None:
    fill(world, 35)
    got = reader().pull(START + 20 * HOUR)
    assert len(got.of("hub:acme/api#1")) == 0
    recent = len(got.groups)
    got.pull(SINCE)
    assert len(got.groups) > recent
    assert got.facts() == got.fresh().pull().facts()
    assert got.pull(START + 20 * HOUR).requests == 1, "a later start asks for nothing"


def test_what_was_last_touched_before_the_start_is_left_out(world: World, reader: Reading) -> None:
    fill(world, 10)
    got = reader().pull(START + 5 * HOUR)
    assert sorted(got.groups) == sorted(got.fresh().pull(START + 5 * HOUR).groups)
    assert not got.of("hub:acme/api#1")


def test_a_renamed_repository_is_followed_by_its_id(world: World, reader: Reading) -> None:
    fill(world, 5)
    got = reader().pull()
    world.repository("acme/api").rename("core")
    got.pull()
    assert {name.partition("#")[0].partition("@")[0] for name in got.groups} == {"hub:acme/core"}
    assert len(got.groups) == 15
    assert got.pull().pages == 0


def test_a_repository_renamed_while_it_is_read_is_read_anew_the_next_time(
    world: World, reader: Reading, small: None
) -> None:
    fill(world, 35)
    got = reader()
    got.service.fault = before_each([lambda: world.repository("acme/api").rename("core")], first=4)
    got.pull()
    assert [gap.part for gap in got.gaps] == ["acme/api"]
    got.service.fault = None
    got.pull()
    assert got.facts() == got.fresh().pull().facts()


def test_checks_that_end_after_the_last_update_are_found(world: World, reader: Reading) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    api, ada = world.repository("acme/api"), world.account("ada")
    work = api.commit(ada, now - 2 * HOUR)
    running = work.check(None, None)
    api.pull(ada, now - 2 * HOUR, commits=[work])
    for n in range(20):
        api.pull(ada, now - HOUR + n * HOUR / 60)
    got = reader().pull()
    assert got.of("hub:acme/api#1", "checks_completed") == []
    running.completed, running.conclusion = now, "SUCCESS"
    got.pull()
    assert len(got.of("hub:acme/api#1", "checks_completed")) == 1
    assert got.pull().requests == 1


def test_a_review_that_moves_no_update_time_is_found_among_the_newest(world: World, reader: Reading) -> None:
    pulls = fill(world, 8)
    got = reader().pull()
    pulls[0].review(world.account("lee"), START + HOUR, comments=1)
    got.pull()
    assert len(got.of("hub:acme/api#1", "reviewed")) == 2


def test_nothing_where_there_was_something_is_a_failure_and_not_a_fact(world: World, reader: Reading) -> None:
    fill(world, 5)
    api = world.repository("acme/api")
    got = reader().pull()
    before, kept = got.facts(), (list(api.pulls), list(api.issues))
    api.pulls.clear()
    api.issues.clear()
    got.pull()
    assert got.facts() == before
    assert [gap.reason for gap in got.gaps] == [
        "it shows no pulls any more, where there were 5", "it shows no issues any more, where there were 5",
    ]  # fmt: skip
    api.pulls, api.issues = kept
    assert got.pull().gaps == []
    assert got.facts() == before


@pytest.mark.parametrize("ahead", [-600, 600])
def test_bookmarks_come_from_the_clock_of_the_service(world: World, reader: Reading, ahead: int) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    world.repository("acme/api").pull(world.account("ada"), now + timedelta(minutes=5))
    got = reader()
    got.clock.now += ahead
    got.pull()
    [kept] = got.bookmarks.values()
    assert abs(datetime.fromisoformat(kept["streams"]["pulls"]["until"]) - now) < timedelta(seconds=30)


def test_an_empty_repository_is_fine_and_quiet(world: World, reader: Reading) -> None:
    world.repository("acme/api")
    got = reader().pull()
    assert (got.groups, got.gaps) == ({}, [])
    assert got.pull().requests == 1


def test_another_wish_for_environments_reads_deployments_anew(world: World, reader: Reading) -> None:
    lee, api = world.account("lee"), world.repository("acme/api")
    api.deploy("a" * 40, "eu", START, lee)
    got = reader().pull()
    assert got.groups == {}
    other = reader(production=("eu",))
    other.bookmarks = got.bookmarks
    assert len(other.pull().groups) == 1


def test_the_first_page_is_as_large_as_the_newest_things_make_expect() -> None:
    def times(*minutes: int) -> list[str]:
        return [(START + timedelta(minutes=each)).isoformat() for each in minutes]

    floor = (START - timedelta(hours=48)).isoformat()
    assert expected(times(*range(5)), floor) == LOOK, "there are no more"
    assert expected(times(-3000, *range(9)), floor) == LOOK, "the others are older"
    assert expected(times(*range(10)), floor) > 100, "one a minute"
    assert expected([START.isoformat()] * 10, floor) > 100, "all at once"
    assert 70 < expected(times(*range(0, -600, -60)), floor) < 90, "one an hour"


def test_many_things_of_one_instant_end(world: World, reader: Reading, small: None) -> None:
    api, ada = world.repository("acme/api"), world.account("ada")
    for _ in range(45):
        api.pull(ada, START)
    got = reader().pull()
    assert (len(got.groups), got.gaps) == (45, [])
    assert got.requests < 15
