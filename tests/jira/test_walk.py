"""What a pull gives, night after night, whatever happens between and during the pulls."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics.demo.jira import Issue, Jira, Sprint, World
from pipmetrics.demo.service import Request, Response
from pipmetrics.errors import SourceError
from tests.jira.desk import BOTH, SINCE, START, Open, Reader, a_world, filled

NIGHT = timedelta(days=1)


def fresh(read: Open, world: World, **more: Any) -> Reader:
    """What a reader without a past makes of the world."""
    reader = read(world, **more)
    reader.pull()
    return reader


@BOTH
def test_a_first_pull_gives_every_issue_once_with_all_of_its_history(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud, cap=10), 35)
    reader = fresh(read, world)
    assert len(reader.groups) == 35
    assert len(reader.of("issue_opened")) == 35
    moves = sum(
        1 for issue in world.issues for change in issue.changes for item in change.items if item.field == "status"
    )
    assert len(reader.of("issue_status_changed")) == moves
    assert not reader.gaps


@BOTH
def test_a_night_with_nothing_new_changes_nothing(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 20)
    reader = fresh(read, world)
    before = reader.signals
    world.now += NIGHT
    reader.pull()
    assert reader.signals == before
    assert not reader.gaps


@BOTH
def test_a_night_gives_what_changed_since(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 20)
    reader = fresh(read, world)
    world.move(world.issues[0], "Done", world.now + timedelta(hours=2), "acc-lee", resolution="Duplicate")
    world.create("PAY", world.now + timedelta(hours=3), reporter="acc-ada")
    world.now += NIGHT
    reader.pull()
    assert reader.signals == fresh(read, world).signals
    done = reader.of("issue_done", world.issues[0])
    assert [each.detail["resolutions"][0][1] for each in done] == ["duplicate"]


@BOTH
def test_an_index_that_lags_for_hours_loses_nothing(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud, lag=timedelta(hours=30)), 10)
    reader = fresh(read, world)
    for night in range(6):
        at = world.now + timedelta(hours=1)
        if night < 3:
            world.create("PAY", at, reporter="acc-ada")
            world.move(world.issues[night], "Closed", at, "acc-lee", resolution="Done")
        world.now += NIGHT
        reader.pull()
    assert reader.signals == fresh(read, world).signals


@BOTH
@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Etc/GMT+8", "UTC", "Asia/Kolkata", "Pacific/Kiritimati"])
def test_the_zone_of_the_account_neither_loses_nor_doubles_anything(read: Open, cloud: bool, zone: str) -> None:
    world = filled(a_world(cloud=cloud, zone=zone, server_zone=zone), 12)
    reader = fresh(read, world)
    plain = fresh(read, filled(a_world(cloud=cloud), 12))
    assert [each.at for each in reader.signals] == [each.at for each in plain.signals]
    for night in range(3):
        for hour in range(0, 24, 3):
            issue = world.issues[(night * 8 + hour) % 12]
            world.assign(issue, "acc-ada" if hour % 2 else "acc-lee", world.now + timedelta(hours=hour), "acc-ada")
        world.now += NIGHT
        reader.pull()
    assert reader.signals == fresh(read, world).signals


@BOTH
@pytest.mark.parametrize("night", [datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)])
def test_nights_on_which_clocks_are_changed_lose_nothing(read: Open, cloud: bool, night: datetime) -> None:
    world = a_world(cloud=cloud, zone="Europe/Berlin", server_zone="Europe/Berlin", now=night)
    issues = [world.create("PAY", night - timedelta(hours=30 - n), reporter="acc-ada") for n in range(24)]
    reader, whole = read(world), read(world)
    reader.since = whole.since = night - timedelta(days=90)
    reader.pull()
    for n, issue in enumerate(issues):
        world.move(issue, "In Progress", night + timedelta(minutes=60 * n + 30), "acc-lee")
    for _ in range(2):
        world.now += NIGHT
        reader.pull()
    whole.pull()
    assert len(reader.of("issue_status_changed")) == 24
    assert reader.signals == whole.signals


@BOTH
def test_twenty_issues_updated_while_the_list_is_read_are_all_there_the_next_night(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud, cap=10), 60)
    jira = Jira(world)
    moved = iter(world.issues[5:25])

    def app(request: Request) -> Response:
        answer = jira(request)
        if "search" in request.path:
            for issue in (each for _, each in zip(range(4), moved, strict=False)):
                world.assign(issue, "acc-ada", world.now + timedelta(seconds=1), "acc-lee")
        return answer

    reader = read(world, jira=jira, app=app)
    reader.pull()
    assert len(reader.groups) == 60
    world.now += NIGHT
    reader.pull()
    assert reader.signals == fresh(read, world).signals


@BOTH
@pytest.mark.parametrize("victim", [3, 9, 10, 11, 19, 30])
def test_an_issue_deleted_while_the_list_is_read_takes_no_other_with_it(read: Open, cloud: bool, victim: int) -> None:
    world = filled(a_world(cloud=cloud, cap=10), 40)
    jira, gone = Jira(world), world.issues[victim]
    kept = [issue.id for issue in world.issues if issue is not gone]

    def app(request: Request) -> Response:
        answer = jira(request)
        if "search" in request.path and gone in world.issues and len(reader.service.requests) >= 2:
            world.delete(gone)
        return answer

    reader = read(world, jira=jira, app=app)
    reader.pull()
    assert {f"issue/{id}" for id in kept} <= set(reader.groups)


@BOTH
def test_issues_created_in_the_same_second_by_hundreds_are_all_read(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud, cap=10)
    for number in range(45):
        world.create("PAY", START + timedelta(milliseconds=number), reporter="acc-ada")
    assert len(fresh(read, world).groups) == 45


@BOTH
def test_a_pull_cut_off_after_any_page_goes_on_to_the_same_end(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud, cap=5), 60)
    whole = fresh(read, world)
    count = len(read(world).pull())
    assert count > 12
    for stop in range(count):
        reader = read(world)
        for number, _ in enumerate(reader.pages()):
            if number == stop:
                break
        reader.pull()
        assert reader.signals == whole.signals, f"cut off after page {stop}"
        assert reader.bookmarks["project/PAY"] == whole.bookmarks["project/PAY"]


@BOTH
def test_a_pull_that_goes_on_does_not_begin_anew(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud, cap=5), 200)
    reader = read(world)
    for number, _ in enumerate(reader.pages()):
        if number == 30:
            break
    so_far = reader.service.count
    reader.pull()
    assert reader.service.count - so_far < 0.8 * fresh(read, world).service.count


@BOTH
def test_what_changed_behind_a_pull_that_was_cut_off_comes_with_the_next_one(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud, cap=5), 60)
    reader = read(world)
    for number, _ in enumerate(reader.pages()):
        if number == 8:
            break
    world.move(world.issues[0], "Closed", world.now, "acc-ada", resolution="Duplicate")
    world.now += timedelta(days=5)
    reader.pull()
    assert reader.signals == fresh(read, world).signals


@BOTH
def test_a_moved_issue_keeps_its_signals_under_its_new_key(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 5)
    reader = read(world, projects=("PAY", "LAB"))
    reader.pull()
    moved = world.issues[2]
    before = {each.key for each in reader.of("issue_status_changed", moved)}
    world.transfer(moved, "LAB", world.now, "acc-ada")
    world.now += NIGHT
    reader.pull()
    assert not [each for each in reader.signals if each.subject == "jira:PAY-3"]
    assert {each.key for each in reader.of("issue_status_changed", moved)} == before
    opened = reader.of("issue_opened", moved)[0]
    assert opened.subject == "jira:LAB-1"
    assert opened.detail["former_keys"] == ["PAY-3"]
    assert opened.detail["project"] == "LAB"
    assert opened.url.endswith("/browse/LAB-1")


@BOTH
def test_an_issue_moved_out_of_the_projects_is_removed(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 5)
    reader = fresh(read, world)
    moved = world.issues[2]
    world.transfer(moved, "LAB", world.now, "acc-ada")
    world.now += NIGHT
    reader.pull()
    assert f"issue/{moved.id}" not in reader.groups
    assert len(reader.groups) == 4


@BOTH
def test_a_removed_link_is_gone_when_its_issue_is_pulled_again(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 4)
    bug, story = world.issues[0], world.issues[1]
    link = world.link(bug, "is caused by", story, world.now, "acc-ada")
    reader = fresh(read, world)
    assert [each.detail["type"] for each in reader.of("issue_linked", bug)] == ["is caused by"]
    assert [each.detail["type"] for each in reader.of("issue_linked", story)] == ["causes"]
    world.unlink(link, world.now + timedelta(hours=1), "acc-ada")
    world.now += NIGHT
    reader.pull()
    assert reader.of("issue_linked") == []


def hide_project(world: World) -> None:
    world.projects["PAY"].visible = False


def hide_issues(world: World) -> None:
    for issue in world.issues:
        if issue.project.key == "PAY":
            issue.visible = False


@BOTH
@pytest.mark.parametrize("hide", [hide_project, hide_issues])
def test_a_project_that_gave_issues_and_gives_none_is_a_gap_and_keeps_its_signals(
    read: Open, cloud: bool, hide: Callable[[World], None]
) -> None:
    world = filled(filled(a_world(cloud=cloud), 10), 10, project="LAB")
    reader = read(world, projects=("PAY", "LAB"))
    reader.pull()
    before, mark = reader.signals, reader.bookmarks["project/PAY"]
    hide(world)
    world.now += NIGHT
    reader.pull()
    assert [(gap.part, "gives none" in gap.reason) for gap in reader.gaps] == [("PAY", True)]
    assert reader.gaps[0].since is not None
    assert reader.signals == before
    assert reader.bookmarks["project/PAY"] == mark
    for each in (*world.projects.values(), *world.issues):
        each.visible = True
    world.now += NIGHT
    reader.pull()
    assert not reader.gaps
    assert reader.signals == before


@BOTH
def test_a_quiet_project_is_no_gap(read: Open, cloud: bool) -> None:
    world = filled(filled(a_world(cloud=cloud), 10), 3, project="LAB")
    world.add_project("OPS")
    filled(world, 3, project="OPS")
    reader = read(world, projects=("PAY", "LAB", "OPS"))
    reader.pull()
    for _ in range(3):
        world.now += 4 * NIGHT
        world.touch(world.issues[0], world.now - timedelta(hours=2), "acc-ada")
        reader.pull()
        assert not reader.gaps


@BOTH
def test_a_project_that_does_not_exist_is_a_gap_and_the_others_are_read(read: Open, cloud: bool) -> None:
    reader = read(filled(a_world(cloud=cloud), 10), projects=("PAY", "NONE"))
    reader.pull()
    assert [(gap.part, gap.since) for gap in reader.gaps] == [("NONE", None)]
    assert len(reader.groups) == 10


@BOTH
def test_a_project_first_seen_later_is_read_from_the_start_of_the_history(read: Open, cloud: bool) -> None:
    world = filled(filled(a_world(cloud=cloud), 5), 5, project="LAB")
    world.projects["LAB"].visible = False
    reader = read(world, projects=("PAY", "LAB"))
    reader.pull()
    assert len(reader.groups) == 5
    world.projects["LAB"].visible = True
    world.now += NIGHT
    reader.pull()
    assert len(reader.groups) == 10


@BOTH
def test_without_projects_all_that_the_account_sees_is_read(read: Open, cloud: bool) -> None:
    reader = read(filled(filled(a_world(cloud=cloud), 5), 5, project="LAB"), projects=())
    reader.pull()
    assert len(reader.groups) == 10


@BOTH
def test_issues_from_before_the_history_are_left_out(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    world.create("PAY", SINCE - timedelta(days=30), reporter="acc-ada")
    world.create("PAY", SINCE + timedelta(days=30), reporter="acc-ada")
    assert len(fresh(read, world).groups) == 1


@BOTH
def test_a_longer_history_asked_for_later_is_read_too(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    world.create("PAY", SINCE - timedelta(days=30), reporter="acc-ada")
    world.create("PAY", SINCE + timedelta(days=30), reporter="acc-ada")
    reader = fresh(read, world)
    reader.since = SINCE - timedelta(days=60)
    reader.pull()
    assert len(reader.groups) == 2


@BOTH
def test_a_wrong_token_is_an_error_and_no_empty_success(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 3)
    reader = read(world, jira=Jira(world, token="another"))
    with pytest.raises(SourceError, match="token") as caught:
        reader.pull()
    assert caught.value.status == 401
    assert reader.bookmarks == {}


@BOTH
def test_an_account_that_reads_as_nobody_is_an_error(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    jira = Jira(world)

    def app(request: Request) -> Response:
        return Response.of({}, 401) if request.path.endswith("/myself") else jira(request)

    with pytest.raises(SourceError, match="token"):
        read(world, jira=jira, app=app).pull()


@BOTH
def test_the_kind_of_jira_is_asked_for_when_the_way_of_signing_in_leaves_it_open(read: Open, cloud: bool) -> None:
    reader = read(filled(a_world(cloud=cloud), 3), ask=True)
    reader.pull()
    assert reader.asked()[0] == "GET /rest/api/2/serverInfo"
    assert len(reader.groups) == 3
    assert "GET /rest/api/2/search" not in reader.asked() or not cloud


def test_a_server_signed_in_to_by_mail_address_is_found_out(read: Open) -> None:
    world = filled(a_world(cloud=False), 3)
    reader = read(world, jira=Jira(world, user="ada@acme.example", password="jira-token"), user="ada@acme.example")
    reader.pull()
    assert len(reader.groups) == 3
    assert "GET /rest/api/2/serverInfo" in reader.asked()
    night = reader.service.count
    reader.pull()
    assert not [each for each in reader.asked(night) if "serverInfo" in each or "/jql" in each]


def test_on_cloud_the_removed_search_is_never_asked(read: Open) -> None:
    world = filled(a_world(), 250)
    reader = fresh(read, world)
    world.now += NIGHT
    reader.pull()
    assert not [each for each in reader.asked() if each.endswith("/search")]


def test_a_cloud_site_that_takes_searches_by_get_only_is_read(read: Open) -> None:
    world = filled(a_world(cap=10), 35)
    jira = Jira(world)

    def app(request: Request) -> Response:
        if request.method == "POST" and request.path.endswith("/search/jql"):
            return Response.of({"errorMessages": ["Method Not Allowed"]}, 405)
        return jira(request)

    reader = read(world, jira=jira, app=app)
    reader.pull()
    assert reader.signals == fresh(read, world).signals
    assert reader.asked().count("POST /rest/api/3/search/jql") == 1


@BOTH
def test_a_broken_issue_is_a_gap_that_holds_the_mark_and_keeps_what_is_stored(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 6)
    jira, broken = Jira(world), [False]

    def app(request: Request) -> Response:
        answer = jira(request)
        if not broken[0] or "search" not in request.path:
            return answer
        body = json.loads(answer.body)
        for issue in body["issues"]:
            if issue["id"] == world.issues[1].id and "fields" in issue:
                issue["fields"].pop("status", None)
        return Response.of(body)

    reader = read(world, jira=jira, app=app)
    reader.pull()
    before = reader.groups[f"issue/{world.issues[1].id}"]
    broken[0] = True
    world.move(world.issues[1], "Closed", world.now, "acc-ada", resolution="Done")
    world.now += 4 * NIGHT
    world.touch(world.issues[0], world.now - timedelta(hours=1), "acc-ada")
    reader.pull()
    assert [(gap.part, gap.reason) for gap in reader.gaps] == [("jira:PAY-2", "it came without its status")]
    assert reader.groups[f"issue/{world.issues[1].id}"] == before
    broken[0] = False
    world.now += 4 * NIGHT
    reader.pull()
    assert reader.signals == fresh(read, world).signals


@BOTH
def test_progress_is_told(read: Open, cloud: bool) -> None:
    pages = read(filled(a_world(cloud=cloud, cap=10), 35)).pull()
    assert sum(page.done for page in pages) == 35
    if not cloud:
        assert pages[0].total == 35


@BOTH
def test_accounts_come_with_what_people_are_mapped_by(read: Open, cloud: bool) -> None:
    reader = fresh(read, filled(a_world(cloud=cloud), 2))
    ada, lee = reader.accounts["acc-ada"], reader.accounts["acc-lee"]
    assert (ada.login, ada.email) == ("acc-ada" if cloud else "ada", "ada@acme.example")
    assert (lee.login, lee.email) == ("acc-lee" if cloud else "lee", None)


@BOTH
def test_a_deleted_user_is_a_ghost_and_loses_nothing(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 3)
    world.users["acc-lee"].deleted = True
    reader = fresh(read, world)
    moves = reader.of("issue_status_changed")
    assert moves
    assert {(each.actor, each.mark) for each in moves} == {(None, "ghost")}


@BOTH
def test_a_server_below_a_path_is_read(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 3)
    reader = read(world, jira=Jira(world, context="/jira"))
    reader.source = replace(reader.source, url=reader.service.url + "/jira/")
    reader.pull()
    assert reader.of("issue_opened")[0].url == "https://jira.example/jira/browse/PAY-1"


def sprint_world(cloud: bool) -> tuple[World, Issue, Issue]:
    world = a_world(cloud=cloud)
    world.now = START + timedelta(days=3)
    sprint = world.add_sprint(Sprint(7, "Sprint 7", "active", START, START + timedelta(days=14), START))
    kept = world.create("PAY", START - timedelta(days=1), reporter="acc-ada", assignee="acc-lee", sprints=[sprint])
    left = world.create("PAY", START - timedelta(days=1), reporter="acc-ada", assignee="acc-lee", sprints=[sprint])
    world.set_sprints(left, [], START + timedelta(days=2), "acc-ada")
    return world, kept, left


@BOTH
def test_the_end_of_a_sprint_reaches_issues_that_nobody_touches(read: Open, cloud: bool) -> None:
    world, kept, left = sprint_world(cloud)
    reader = fresh(read, world)
    for issue in (kept, left):
        assert reader.of("issue_opened", issue)[0].detail["sprints"][0]["completed"] is None
    world.sprints[7].state, world.sprints[7].complete = "closed", START + timedelta(days=14)
    filled(world, 1)
    world.now = START + timedelta(days=15)
    reader.pull()
    for issue in (kept, left):
        told = reader.of("issue_opened", issue)[0].detail["sprints"][0]
        assert told["completed"] == "2026-06-15T08:00:00Z", issue.key
    night = reader.service.count
    world.now += NIGHT
    reader.pull()
    assert not [each for each in reader.service.requests[night:] if b"sprint =" in each.body or "sprint" in each.path]


@BOTH
def test_a_sprint_that_was_deleted_is_awaited_no_longer(read: Open, cloud: bool) -> None:
    world, kept, _ = sprint_world(cloud)
    reader = fresh(read, world)
    kept.sprints.clear()
    del world.sprints[7]
    world.now = START + timedelta(days=30)
    reader.pull()
    night = reader.service.count
    reader.pull()
    assert reader.service.count - night <= 3
