"""The list of a server is read from moment to moment of creation, each issue as good as once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipmetrics.demo.jira import Jira, World
from pipmetrics.demo.service import Request, Response
from pipmetrics_jira import jql, listing
from pipmetrics_jira.client import Api
from pipmetrics_jira.site import Site
from tests.jira.desk import BOTH, START, Open, Reader, a_world


def opened(reader: Reader) -> tuple[Api, Site]:
    api = Api(reader.source, reader.wire())
    api.suppose()
    return api, Site(reader.source, api, {})


def pages(reader: Reader, created: int | None = None) -> list[list[str]]:
    api, site = opened(reader)
    words = lambda moment: jql.updated_since(["PAY"], 0, moment)  # noqa: E731 - a question of the module
    return [[raw["key"] for raw in page.issues] for page in listing.pages(api, site, words, created)]


def a_list(cloud: bool, many: int, cap: int, every: timedelta = timedelta(hours=1)) -> World:
    world = a_world(cloud=cloud, cap=cap)
    for number in range(many):
        world.create("PAY", START + every * number, reporter="acc-ada")
    return world


@BOTH
@pytest.mark.parametrize("many", [0, 1, 9, 10, 11, 20, 100])
def test_every_issue_comes_once_in_as_few_pages_as_there_can_be(read: Open, cloud: bool, many: int) -> None:
    reader = read(a_list(cloud, many, 10))
    found = pages(reader)
    assert [key for page in found for key in page] == [f"PAY-{n + 1}" for n in range(many)]
    assert reader.service.count == max(1, -(-many // 10))


def test_no_page_of_a_server_is_counted_far_from_its_start(read: Open) -> None:
    reader = read(a_list(False, 200, 10))
    pages(reader)
    assert max(int(request.ask("startAt")) for request in reader.service.requests) == 1


@pytest.mark.parametrize("apart", [0, 1, 10, 300])
def test_issues_created_close_together_are_all_there(read: Open, apart: int) -> None:
    reader = read(a_list(False, 64, 10, timedelta(milliseconds=apart)))
    found = {key for page in pages(reader) for key in page}
    assert len(found) == 64


@BOTH
def test_a_list_is_read_on_from_a_moment(read: Open, cloud: bool) -> None:
    reader = read(a_list(cloud, 30, 10))
    found = pages(reader, round((START + timedelta(hours=20)).timestamp() * 1000))
    assert [key for page in found for key in page] == [f"PAY-{n + 1}" for n in range(20, 30)]


def test_a_server_that_begins_at_no_moment_is_counted_through(read: Open) -> None:
    world = a_list(False, 35, 10)
    jira = Jira(world)

    def app(request: Request) -> Response:
        if "created >=" in request.ask("jql"):
            return Response.of({"errorMessages": ["no such field"]}, 400)
        return jira(request)

    reader = read(world, jira=jira, app=app)
    assert {key for page in pages(reader) for key in page} == {f"PAY-{n + 1}" for n in range(35)}
    assert max(int(request.ask("startAt")) for request in reader.service.requests) == 30


def row(seconds: float) -> dict[str, Any]:
    return {"id": "1", "fields": {"created": (START + timedelta(seconds=seconds)).isoformat()}}


def test_the_place_is_the_last_whole_second_while_the_order_is_kept() -> None:
    base = round(START.timestamp() * 1000)
    assert listing.position([row(0), row(1.9)], None) == base + 1000
    assert listing.position([row(1.2), row(1.1)], base) == base + 1000
    assert listing.position([row(5), row(3)], None) is None
    assert listing.position([row(1), row(2)], base + 60_000) is None
    assert listing.position([], base) == base
    assert listing.position([None, {"fields": {}}], base) == base
