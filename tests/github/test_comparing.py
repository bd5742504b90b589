"""What one commit has that another has not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics.demo.github import Repository, World
from pipmetrics.demo.service import Request, Response
from pipmetrics.errors import SourceError

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
Reading = Callable[..., Any]


@pytest.fixture
def api(world: World) -> Repository:
    return world.repository("acme/api")


def grow(api: Repository, count: int) -> list[str]:
    return [api.land(api.commit(None, START + timedelta(minutes=n))).sha for n in range(count)]


def test_a_later_commit_contains_an_earlier_one(api: Repository, reader: Reading) -> None:
    shas = grow(api, 5)
    found = reader().connector().compare("acme/api", shas[1], shas[3])
    assert (found.shas, found.contained) == (frozenset(shas[2:4]), True)
    assert reader().connector().compare("hub:acme/api", shas[3], shas[3]).shas == frozenset()


def test_a_branch_that_left_earlier_does_not_contain_the_other(api: Repository, reader: Reading) -> None:
    shas = grow(api, 3)
    side = api.commit(None, START + timedelta(hours=1))
    side.parents = [shas[0]]
    found = reader().connector().compare("acme/api", shas[2], side.sha)
    assert (found.shas, found.contained) == (frozenset({side.sha}), False)


def test_all_pages_of_a_long_comparison(api: Repository, reader: Reading) -> None:
    shas = grow(api, 620)
    got = reader()
    assert got.connector().compare("acme/api", shas[0], shas[-1]).shas == frozenset(shas[1:])
    assert got.service.count == 3


@pytest.mark.parametrize("missing", ["base", "head"])
def test_a_commit_that_is_gone_is_an_error_with_its_status(api: Repository, reader: Reading, missing: str) -> None:
    [sha] = grow(api, 1)
    base, head = ("f" * 40, sha) if missing == "base" else (sha, "f" * 40)
    with pytest.raises(SourceError) as caught:
        reader().connector().compare("acme/api", base, head)
    assert caught.value.status == 404


def test_a_renamed_repository_is_followed(api: Repository, reader: Reading) -> None:
    shas = grow(api, 2)
    api.rename("core")
    assert reader().connector().compare("acme/api", *shas).shas == frozenset(shas[1:])


@pytest.mark.parametrize(
    "answer",
    [
        {"commits": [{"sha": "a"}], "total_commits": 5, "behind_by": 0},
        {"commits": None, "total_commits": 5},
        {"commits": []},
        [],
    ],
)
def test_half_a_comparison_is_none(api: Repository, reader: Reading, answer: Any) -> None:
    shas = grow(api, 2)
    got = reader()

    def half(number: int, request: Request) -> Response | None:
        return Response.of(answer)

    got.service.fault = half
    with pytest.raises(SourceError):
        got.connector().compare("acme/api", *shas)
