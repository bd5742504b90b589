"""Issues that are gone leave; issues that only seem to be gone stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from pipmetrics.demo.jira import Jira, World
from pipmetrics.demo.service import Request, Response
from pipmetrics_jira.bookmarks import CENSUS
from tests.jira.desk import BOTH, Open, Reader, a_world, changed, filled

NIGHT = timedelta(days=1)


def night(reader: Reader, world: World) -> list[str]:
    """Another pull a day later; what it asked."""
    before = reader.service.count
    world.now += NIGHT
    reader.pull()
    return reader.asked(before)


@BOTH
def test_a_deleted_issue_is_gone_the_next_night(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 12)
    reader = read(world)
    reader.pull()
    gone = world.issues[3]
    world.delete(gone)
    night(reader, world)
    assert f"issue/{gone.id}" not in reader.groups
    assert len(reader.groups) == 11
    assert not reader.gaps


@BOTH
def test_an_issue_hidden_from_the_account_is_gone_like_a_deleted_one(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 12)
    reader = read(world)
    reader.pull()
    world.issues[3].visible = False
    night(reader, world)
    assert len(reader.groups) == 11


@BOTH
def test_an_issue_that_is_shown_again_comes_back(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 12)
    reader = read(world)
    reader.pull()
    before = reader.signals
    world.issues[3].visible = False
    night(reader, world)
    assert len(reader.groups) == 11
    world.issues[3].visible = True
    night(reader, world)
    assert reader.signals == before


@BOTH
def test_old_issues_that_are_shown_later_are_all_read(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 60)
    for issue in world.issues[5:40]:
        issue.visible = False
    reader = read(world)
    reader.pull()
    assert len(reader.groups) == 25
    for issue in world.issues:
        issue.visible = True
    night(reader, world)
    assert len(reader.groups) == 60
    assert len(night(reader, world)) <= 3


@BOTH
def test_an_index_that_lags_for_longer_than_the_overlap_is_caught_up_with(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 12)
    reader = read(world)
    reader.pull()
    late = world.create("PAY", world.now, reporter="acc-ada")
    late.visible = False
    for _ in range(4):
        world.touch(world.issues[0], world.now, "acc-ada")
        night(reader, world)
    late.visible = True
    night(reader, world)
    assert f"issue/{late.id}" in reader.groups


@BOTH
def test_an_issue_that_the_index_lost_stays(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 12)
    lost = [""]

    def change(request: Request, body: Any) -> None:
        if "issues" in body:
            left = [issue for issue in body["issues"] if issue["id"] != lost[0]]
            if "total" in body:
                body["total"] -= len(body["issues"]) - len(left)
            body["issues"] = left

    reader = read(world, app=changed(Jira(world), change))
    reader.pull()
    before = reader.signals
    lost[0] = world.issues[3].id
    night(reader, world)
    assert f"GET /rest/api/{3 if cloud else 2}/issue/{lost[0]}" in reader.asked()
    assert reader.signals == before


@BOTH
def test_when_much_is_missing_at_once_nothing_goes(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 40)
    reader = read(world)
    reader.pull()
    before = reader.signals
    for issue in world.issues[:30]:
        issue.visible = False
    night(reader, world)
    assert reader.signals == before
    assert [gap.reason for gap in reader.gaps] == [
        "30 issues that were read before are no longer visible to this account"
    ]


@BOTH
def test_issues_of_a_project_that_is_read_no_longer_are_left_alone(read: Open, cloud: bool) -> None:
    world = filled(filled(a_world(cloud=cloud), 30), 5, project="LAB")
    reader = read(world, projects=("PAY", "LAB"))
    reader.pull()
    reader.source = replace(reader.source, projects=("LAB",))
    night(reader, world)
    assert not reader.gaps
    assert len(reader.groups) == 35


def test_an_issue_that_can_not_be_read_makes_no_census_of_every_night(read: Open) -> None:
    world = filled(a_world(cloud=False, cap=10), 59)
    broken = world.issues[30].id

    def change(request: Request, body: Any) -> None:
        for issue in [*body.get("issues", []), body]:
            if issue.get("id") == broken and "fields" in issue:
                issue["fields"].pop("status", None)

    reader = read(world, app=changed(Jira(world), change))
    reader.pull()
    for _ in range(3):
        night(reader, world)
        assert [gap.part for gap in reader.gaps] == ["jira:PAY-31"]
    assert len([each for each in reader.service.requests if each.ask("fields") == "id"]) == 6 + 2


@BOTH
def test_the_census_of_a_quiet_night_is_one_request(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 59)
    world.create("PAY", world.now - timedelta(days=9), reporter="acc-ada")
    reader = read(world)
    reader.pull()
    assert len(night(reader, world)) == 2


def test_a_site_that_gives_small_pages_of_ids_is_counted_once_a_week(read: Open) -> None:
    world = filled(a_world(), 60)
    jira, asked = Jira(world), []

    def app(request: Request) -> Response:
        if b'"fields": ["id"]' not in request.body:
            return jira(request)
        asked.append(request)
        return jira(replace(request, body=request.body.replace(b"5000", b"10")))

    reader = read(world, jira=jira, app=app)
    reader.pull()
    night(reader, world)
    night(reader, world)
    assert len(asked) == 1
    world.delete(world.issues[3])
    reader.bookmarks[CENSUS]["at"] -= 8 * 24 * 3_600_000
    night(reader, world)
    assert len(reader.groups) == 59
