"""Which repositories are read, how few requests quiet ones cost, and what cannot be seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics.demo.github import World
from pipmetrics.demo.service import Request, Response

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
Reading = Callable[..., Any]


def open_one(world: World, *names: str) -> None:
    for name in names:
        world.repository(name).pull(world.account("ada"), START)


def read(got: Any) -> list[str]:
    return sorted(name.removeprefix("hub:").partition("#")[0] for name in got.groups)


def test_patterns_are_resolved_by_what_the_owner_has(world: World, reader: Reading) -> None:
    open_one(world, "acme/web-a", "acme/web-b", "acme/api", "other/web-c", "acme/Web-D")
    got = reader("acme/web-*", "acme/web-a", "ACME/API").pull()
    assert read(got) == ["acme/Web-D", "acme/api", "acme/web-a", "acme/web-b"]
    assert got.gaps == []


def test_more_than_a_hundred_repositories_of_an_owner(world: World, reader: Reading) -> None:
    for n in range(120):
        world.repository(f"acme/r{n}")
    open_one(world, "acme/r119")
    assert read(reader("acme/*").pull()) == ["acme/r119"]


def test_no_access_to_one_of_three_is_a_gap_and_the_others_go_on(world: World, reader: Reading) -> None:
    open_one(world, "acme/api", "acme/secret", "acme/web")
    world.tokens["secret-of-the-hub"].hidden.add("acme/secret")
    got = reader("acme/api", "acme/secret", "acme/web").pull()
    assert read(got) == ["acme/api", "acme/web"]
    [gap] = got.gaps
    assert (gap.source, gap.part) == ("hub", "acme/secret")
    assert "not visible to this token" in gap.reason


def test_a_repository_that_is_gone_keeps_its_facts_and_says_so(world: World, reader: Reading) -> None:
    open_one(world, "acme/api", "acme/web")
    got = reader("acme/api", "acme/web").pull()
    before = got.facts()
    world.repositories.pop(0)
    got.pull()
    assert [gap.part for gap in got.gaps] == ["acme/api"]
    assert got.facts() == before


@pytest.mark.parametrize("pattern", ["api", "acme/", "*/api", "ac*/api"])
def test_a_name_without_an_owner_is_a_gap_that_says_how_to_write_it(
    world: World, reader: Reading, pattern: str
) -> None:
    open_one(world, "acme/api")
    got = reader(pattern, "acme/api").pull()
    assert [gap.part for gap in got.gaps] == [pattern]
    assert "owner/name" in got.gaps[0].reason
    assert read(got) == ["acme/api"]


@pytest.mark.parametrize("pattern", ["acme/x-*", "nobody/x-*"])
def test_a_pattern_that_matches_nothing_is_a_gap(world: World, reader: Reading, pattern: str) -> None:
    open_one(world, "acme/api")
    assert [gap.part for gap in reader(pattern).pull().gaps] == [pattern]


def test_two_names_of_one_repository_read_it_once(world: World, reader: Reading) -> None:
    open_one(world, "acme/old")
    world.repository("acme/old").rename("new")
    got = reader("acme/old", "acme/new").pull()
    assert (read(got), got.requests) == (["acme/new"], 2)


def test_three_hundred_quiet_repositories_cost_few_requests(world: World, reader: Reading) -> None:
    for n in range(300):
        open_one(world, f"acme/r{n}")
    got = reader("acme/r*").pull()
    assert len(got.groups) == 300
    got.pull()
    assert got.requests <= 9
    assert got.pages == 0


def test_a_survey_that_is_too_much_is_made_in_halves(world: World, reader: Reading) -> None:
    names = [f"acme/r{n}" for n in range(30)]
    open_one(world, *names)
    got = reader(*names)

    def tired(number: int, request: Request) -> Response | None:
        return Response(504) if request.body.count(b": repository(") > 8 else None

    got.service.fault = tired
    assert len(got.pull().groups) == 30
    assert got.gaps == []


def test_streams_that_are_hidden_from_the_token_are_gaps_and_the_others_are_read(world: World, reader: Reading) -> None:
    open_one(world, "acme/api")
    world.repository("acme/api").issue(world.account("ada"), START)

    def hide(number: int, request: Request) -> Response | None:
        text = request.body.decode()
        if "issues(first: 10" not in text:
            return None
        alias = "r0"
        error = {"type": "FORBIDDEN", "path": [alias, "issues"], "message": "Resource not accessible"}
        return Response.of({"data": {alias: None}, "errors": [error]})

    got = reader()
    got.service.fault = hide
    got.pull()
    assert read(got) == ["acme/api"]
    assert [gap.reason for gap in got.gaps] == ["its issues are hidden from this token"]
    got.pull()
    assert [gap.reason for gap in got.gaps] == ["its issues are hidden from this token"]
    assert got.pages == 1, "only to say so"
    got.service.fault = None
    assert len(got.pull().groups) == 2


def test_quiet_repositories_older_than_the_start_are_not_read_again(world: World, reader: Reading) -> None:
    open_one(world, "acme/api")
    got = reader().pull(START + timedelta(days=5))
    assert got.groups == {}
    assert got.pull(START + timedelta(days=5)).requests == 1
