from __future__ import annotations

import pytest

from pipmetrics.demo.jira import Jira
from pipmetrics.demo.service import Response
from pipmetrics.errors import SourceError
from pipmetrics_jira.client import Api
from tests.jira.desk import BOTH, Open, a_world, changed, filled


@pytest.mark.parametrize(
    ("url", "user", "cloud"),
    [
        ("https://jira.example.com", "ada@example.com", True),
        ("https://jira.example.com", None, False),
        ("https://acme.atlassian.net", None, True),
    ],
)
def test_the_way_of_signing_in_says_which_kind_it_is(read: Open, url: str, user: str | None, cloud: bool) -> None:
    from dataclasses import replace

    reader = read(a_world())
    api = Api(replace(reader.source, url=url, user=user), reader.wire())
    api.suppose()
    assert (api.cloud, reader.service.count) == (cloud, 0)


@BOTH
def test_the_server_says_which_kind_it_is_and_what_time(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    api = Api(*(lambda reader: (reader.source, reader.wire()))(read(world)))
    api.open()
    assert (api.cloud, api.told) == (cloud, world.now)
    assert api.api == ("/rest/api/3" if cloud else "/rest/api/2")


def test_a_server_that_says_nothing_of_its_kind_is_no_cloud(read: Open) -> None:
    world = a_world(cloud=False)
    reader = read(world, app=changed(Jira(world), lambda _, body: body.pop("deploymentType", None)))
    api = Api(reader.source, reader.wire())
    api.open()
    assert api.cloud is False


def test_server_info_is_looked_for_under_the_newer_path_too(read: Open) -> None:
    world = a_world()
    jira = Jira(world)
    reader = read(world, app=lambda r: Response.of({}, 404) if "/2/" in r.path else jira(r))
    api = Api(reader.source, reader.wire())
    api.open()
    assert api.cloud is True


@BOTH
@pytest.mark.parametrize(
    "body", [[], {"issues": None}, {"issues": {}}, {"total": 3}, {"issues": [], "errorMessages": ["no"]}]
)
def test_an_answer_that_is_no_page_is_an_error(read: Open, cloud: bool, body: object) -> None:
    reader = read(a_world(cloud=cloud), app=lambda request: Response.of(body))
    api = Api(reader.source, reader.wire())
    api.suppose()
    with pytest.raises(SourceError):
        api.search("project = PAY", ["status"])


def test_a_list_with_holes_is_an_error(read: Open) -> None:
    reader = read(a_world(), app=lambda request: Response.of([{"id": "1"}, None]))
    with pytest.raises(SourceError, match="no list of objects"):
        Api(reader.source, reader.wire()).many("/rest/api/3/status")


def test_a_warning_beside_the_issues_is_a_gap(read: Open) -> None:
    world = filled(a_world(), 3)

    reader = read(world, app=changed(Jira(world), lambda _, body: body.update(warnings=[{"type": "CLAUSE_LIMIT"}])))
    reader.pull()
    assert {gap.part for gap in reader.gaps} == {"jira"}
    assert len(reader.groups) == 3
