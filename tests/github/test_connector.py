"""What the connector promises as a plugin, and what a pull costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics import registry
from pipmetrics.demo.github import File, Pull, World
from pipmetrics.errors import SourceError
from pipmetrics.model import SIGNAL_KINDS
from pipmetrics_github import GithubConnector

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
Reading = Callable[..., Any]


def typical(world: World, count: int, repository: str = "acme/api", every: timedelta = 4 * HOUR) -> list[Pull]:
    """Merged changes with 2 reviews, 3 review-request events, 5 commits and 3 comments each."""
    api, people = world.repository(repository), [world.account(f"person{n}") for n in range(12)]
    made = []
    for n in range(count):
        author, first, second = (people[(n + k) % 12] for k in range(3))
        at = START + n * every
        work = [api.commit(author, at - k * HOUR, f"Work {k}") for k in range(5)]
        work[0].check("SUCCESS", at + HOUR)
        pull = api.pull(author, at, f"Change {n}", files=[File("a.py", 5, 2), File("b.py", 1, 0)], commits=work)
        pull.request(first, at, by=author)
        pull.request(second, at, by=author)
        pull.unrequest(second, at + HOUR, by=author)
        pull.review(first, at + HOUR, "CHANGES_REQUESTED", comments=2)
        pull.review(first, at + 2 * HOUR)
        for _ in range(3):
            pull.comment(second, at + HOUR)
        pull.merge(at + 3 * HOUR, by=first)
        made.append(pull)
    return made


def test_a_first_pull_of_three_hundred_changes_and_the_night_after(world: World, reader: Reading) -> None:
    pulls = typical(world, 300)
    got = reader().pull(START - 40 * HOUR)
    assert len(got.groups) == 300
    assert got.requests == 1 + 3 + 1, "the survey, three pages, and a look at what moved meanwhile"
    for pull in pulls[10:30]:
        pull.comment(pull.author, START + 2000 * HOUR)
    got.pull(START - 40 * HOUR)
    assert got.requests == 2, "the survey and one page"
    assert sum(len(got.of(f"hub:acme/api#{pull.number}", "commented")) == 4 for pull in pulls) == 20
    assert got.pull(START - 40 * HOUR).requests == 1


def test_all_kinds_are_known_ones_and_those_that_issues_cannot_give_are_left_out() -> None:
    assert GithubConnector.kinds <= SIGNAL_KINDS
    assert "deployed" in GithubConnector.kinds
    assert not {"issue_status_changed", "issue_due_changed"} & GithubConnector.kinds


def test_it_comes_through_the_door_for_plugins() -> None:
    assert registry.connector("github") is GithubConnector


def test_reading_the_configuration_loads_no_client_library() -> None:
    check = (
        "import sys, pipmetrics_github; print(sorted({'github', 'requests', 'pandas', 'graphql'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_token_that_is_not_accepted_fails_the_source_as_a_whole(
    world: World, reader: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_TOKEN", "expired")
    with pytest.raises(SourceError) as caught:
        reader().pull()
    assert (caught.value.status, caught.value.where) == (401, "POST /graphql")


def test_one_repository_that_fails_does_not_stop_the_others(world: World, reader: Reading) -> None:
    from pipmetrics.demo.service import Request, Response

    for name in ("acme/a", "acme/b", "acme/c"):
        world.repository(name).pull(world.account("ada"), START)

    def tired(number: int, request: Request) -> Response | None:
        return Response(502) if b'"name": "b"' in request.body else None

    got = reader("acme/a", "acme/b", "acme/c")
    got.service.fault = tired
    got.pull()
    assert sorted(got.groups) == ["hub:acme/a#1", "hub:acme/c#1"]
    assert [gap.part for gap in got.gaps] == ["acme/b"]
    assert got.gaps[0].since == START - timedelta(days=30)
    got.service.fault = None
    got.pull()
    assert (len(got.groups), got.gaps) == (3, [])


def test_small_pages_are_remembered_for_each_repository_and_grow_again(world: World, reader: Reading) -> None:
    from pipmetrics.demo.service import Request, Response

    typical(world, 60)
    world.repository("acme/web").pull(world.account("ada"), START)

    def tired(number: int, request: Request) -> Response | None:
        asked = request.json()["variables"]
        return Response(504) if (asked.get("pulls_size") or 0) > 30 and asked.get("name") == "api" else None

    got = reader("acme/api", "acme/web")
    got.service.fault = tired
    got.pull(START - 40 * HOUR)
    sizes = {kept["name"]: kept["size"] for kept in got.bookmarks.values()}
    assert sizes == {"acme/api": 25, "acme/web": 100}
    for night in range(1, 4):
        world.repositories[0].pulls[0].comment(world.account("ada"), START + (2000 + night) * HOUR)
        got.pull(START - 40 * HOUR)
    sizes = {kept["name"]: kept["size"] for kept in got.bookmarks.values()}
    assert 25 < sizes["acme/api"] < 60
