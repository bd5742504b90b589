"""No transition is lost, however long the history of an issue is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pipmetrics.demo.jira import Issue, Jira, Sprint, World
from pipmetrics.demo.service import Request
from pipmetrics_jira import payloads
from pipmetrics_jira.completing import continuous
from tests.jira.desk import BOTH, START, Open, a_world, changed

LENGTHS = (39, 40, 41, 99, 100, 101, 500)
NAMES = ("In Progress", "In Review", "Done", "Open")


def moved(world: World, times: int) -> Issue:
    """An issue whose whole history is moves from one status to the next."""
    issue = world.create("PAY", START, type="Bug", reporter="acc-ada")
    for number in range(times):
        at = START + timedelta(minutes=number + 1)
        world.move(issue, NAMES[number % 4], at, "acc-lee", resolution="Done" if number % 4 == 2 else None)
    return issue


@BOTH
@pytest.mark.parametrize("length", LENGTHS)
def test_every_transition_is_there(read: Open, cloud: bool, length: int) -> None:
    world = a_world(cloud=cloud)
    issue = moved(world, length)
    reader = read(world)
    reader.pull()
    assert len(reader.of("issue_status_changed", issue)) == length
    assert len(reader.of("issue_done", issue)) == (length + 1) // 4
    assert not reader.gaps


def test_all_long_histories_of_a_pull_come_with_one_request(read: Open) -> None:
    world = a_world(cap=2)
    issues = [moved(world, length) for length in LENGTHS]
    reader = read(world)
    reader.pull()
    assert reader.asked().count("POST /rest/api/3/changelog/bulkfetch") == 1
    assert [len(reader.of("issue_status_changed", issue)) for issue in issues] == list(LENGTHS)


def test_short_histories_are_not_asked_for_again(read: Open) -> None:
    world = a_world()
    moved(world, 39)
    reader = read(world)
    reader.pull()
    assert not [each for each in reader.asked() if "bulkfetch" in each or each.endswith("/changelog")]


@pytest.mark.parametrize("total", ["told", "missing", "of the page"])
def test_a_cut_below_forty_is_noticed(read: Open, total: str) -> None:
    world = a_world(embedded=15)
    issue = moved(world, 30)

    def change(request: Request, body: Any) -> None:
        for each in body.get("issues", []) if "search" in request.path else []:
            log = each.get("changelog")
            if log and total == "told":
                log["total"] = 30
            if log and total == "missing":
                del log["total"]
            if log and total == "of the page":
                log["histories"] = log["histories"][:7] + log["histories"][8:]

    reader = read(world, app=changed(Jira(world), change))
    reader.pull()
    assert len(reader.of("issue_status_changed", issue)) == 30


@BOTH
def test_a_search_that_forgets_the_changelog_loses_nothing(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    issue = moved(world, 10)

    def change(request: Request, body: Any) -> None:
        for each in body.get("issues", []):
            each.pop("changelog", None)

    reader = read(world, app=changed(Jira(world), change))
    reader.pull()
    assert len(reader.of("issue_status_changed", issue)) == 10


def test_without_bulkfetch_each_changelog_is_paged(read: Open) -> None:
    world = a_world()
    issue = moved(world, 250)
    reader = read(world, jira=Jira(world, refused={"changelog/bulkfetch"}))
    reader.pull()
    assert len(reader.of("issue_status_changed", issue)) == 250
    assert reader.asked().count(f"GET /rest/api/3/issue/{issue.id}/changelog") == 3


def test_a_bulk_answer_in_many_pages_is_read_to_its_end(read: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipmetrics_jira.client.BULK_PAGE", 37)
    world = a_world()
    issues = [moved(world, 50), moved(world, 60)]
    reader = read(world)
    reader.pull()
    assert [len(reader.of("issue_status_changed", issue)) for issue in issues] == [50, 60]
    assert reader.asked().count("POST /rest/api/3/changelog/bulkfetch") == 3


@BOTH
def test_what_stays_cut_is_a_gap_that_holds_the_mark(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    issue, other = moved(world, 50), moved(world, 5)

    def change(request: Request, body: Any) -> None:
        for each in [*body.get("issues", []), body]:
            if each.get("id") == issue.id and "changelog" in each:
                each["changelog"]["histories"] = each["changelog"]["histories"][:30]
                each["changelog"]["total"] = 50
        for log in body.get("issueChangeLogs", []):
            log["changeHistories"] = log["changeHistories"][:30]
        if request.path.endswith(f"{issue.id}/changelog"):
            body |= {"values": body["values"][:30], "total": 30, "isLast": True}

    reader = read(world, app=changed(Jira(world), change))
    reader.pull()
    assert [(gap.part, gap.since) for gap in reader.gaps] == [(f"jira:{issue.key}", issue.updated)]
    assert "of its entries" in reader.gaps[0].reason
    assert set(reader.groups) == {f"issue/{other.id}"}
    assert reader.bookmarks["project/PAY"]["since"] <= issue.updated.timestamp() * 1000


@BOTH
def test_an_issue_deleted_between_list_and_changelog_is_no_gap(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    issue, other = moved(world, 50), moved(world, 5)
    jira = Jira(world)

    def change(request: Request, body: Any) -> None:
        for each in body.get("issues", []):
            if "changelog" in each and each["id"] == issue.id:
                del each["changelog"]
                world.delete(issue)

    reader = read(world, jira=jira, app=changed(jira, change))
    reader.pull()
    assert not reader.gaps
    assert set(reader.groups) == {f"issue/{other.id}"}


def test_a_status_never_seen_on_an_issue_is_looked_up_once(read: Open) -> None:
    world = a_world(cap=5)
    for _ in range(12):
        issue = world.create("PAY", START, reporter="acc-ada")
        world.move(issue, "In Progress", START + timedelta(hours=1), "acc-lee")
        world.move(issue, "Done", START + timedelta(hours=2), "acc-lee", resolution="Done")
    reader = read(world)
    reader.pull()
    assert [each for each in reader.asked() if "status" in each] == ["GET /rest/api/3/status"]
    assert {each.detail["from_category"] for each in reader.of("issue_status_changed")} == {"new", "in_progress"}
    world.touch(world.issues[0], world.now)
    world.now += timedelta(days=1)
    night = reader.service.count
    reader.pull()
    assert not [each for each in reader.asked(night) if "status" in each]


@BOTH
def test_a_status_that_was_deleted_is_new_unless_another_bears_its_name(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    issue = world.create("PAY", START, status="In Review", reporter="acc-ada")
    world.move(issue, "In Progress", START + timedelta(hours=1), "acc-lee")
    world.status("In Review").listed = False
    reader = read(world)
    reader.pull()
    [move] = reader.of("issue_status_changed", issue)
    assert (move.detail["from_category"], move.detail["to_category"]) == ("new", "in_progress")
    night = reader.service.count
    reader.pull()
    assert not [each for each in reader.asked(night) if "status" in each]


def test_localised_statuses_are_told_by_their_ids(read: Open) -> None:
    world = a_world()
    for status, name in zip(world.statuses, ("Offen", "In Arbeit", "Pr\u00fcfung", "Fertig", "Zu"), strict=True):
        status.name = name
    issue = world.create("PAY", START, status="Offen", reporter="acc-ada")
    world.move(issue, "In Arbeit", START + timedelta(hours=1), "acc-lee")
    world.move(issue, "Fertig", START + timedelta(hours=2), "acc-lee")
    reader = read(world)
    reader.pull()
    assert [each.detail["to_category"] for each in reader.of("issue_status_changed")] == ["in_progress", "done"]
    assert len(reader.of("issue_done")) == 1


@BOTH
def test_a_sprint_that_no_issue_shows_is_asked_for(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    world.add_sprint(
        Sprint(7, "Sprint 7", "closed", START, START + timedelta(days=14), START, START + timedelta(days=13))
    )
    other = world.add_sprint(Sprint(8, "Sprint 8", "active", START))
    issue = world.create("PAY", START, reporter="acc-ada", sprints=[world.sprints[7]])
    world.set_sprints(issue, [other], START + timedelta(days=2), "acc-ada")
    reader = read(world)
    reader.pull()
    told = {each["id"]: each for each in reader.of("issue_opened", issue)[0].detail["sprints"]}
    assert told[7]["completed"] == "2026-06-14T08:00:00Z"
    assert told[7]["in"] == [["2026-06-01T08:00:00Z", "2026-06-03T08:00:00Z"]]
    assert [each for each in reader.asked() if "agile" in each] == ["GET /rest/agile/1.0/sprint/7"]


@BOTH
def test_a_sprint_that_is_gone_keeps_the_name_that_the_history_has(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    sprint = world.add_sprint(Sprint(7, "Sprint 7", "active", START))
    issue = world.create("PAY", START, reporter="acc-ada", sprints=[sprint])
    world.set_sprints(issue, [world.add_sprint(Sprint(8, "Sprint 8"))], START + timedelta(days=2), "acc-ada")
    del world.sprints[7]
    reader = read(world)
    reader.pull()
    told = {each["id"]: each for each in reader.of("issue_opened", issue)[0].detail["sprints"]}
    assert (told[7]["name"], told[7]["started"]) == ("Sprint 7", None)


def bug_with_comments(world: World, many: int, type: str = "Bug") -> Issue:
    issue = world.create("PAY", START, type=type, reporter="acc-ada")
    for number in range(many):
        text = "caused by PAY-77" if number == many - 1 else f"thought {number}"
        world.comment(issue, text, START + timedelta(minutes=number + 1), "acc-lee")
    return issue


@BOTH
@pytest.mark.parametrize("many", [1, 20, 21, 130])
def test_all_comments_of_a_bug_are_searched_for_its_cause(read: Open, cloud: bool, many: int) -> None:
    world = a_world(cloud=cloud)
    issue = bug_with_comments(world, many)
    reader = read(world)
    reader.pull()
    assert [each["to"] for each in reader.of("issue_opened", issue)[0].detail["causes"]] == ["PAY-77"]


def test_comments_of_what_is_no_bug_are_not_asked_for(read: Open) -> None:
    world = a_world()
    bug_with_comments(world, 50, "Story")
    reader = read(world)
    reader.pull()
    assert not [each for each in reader.asked() if each.endswith("/comment")]


@BOTH
def test_links_to_pages_are_read_when_the_source_says_so(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    issue = world.create("PAY", START, type="Bug", reporter="acc-ada")
    world.add_page(
        issue, "https://git.example.com/acme/api/pull/41", START + timedelta(hours=1), "acc-lee", "is caused by"
    )
    reader = read(world)
    reader.pull()
    assert reader.of("issue_linked") == []
    reader = read(world, options={"remote_links": "on"})
    reader.pull()
    [linked] = reader.of("issue_linked")
    assert dict(linked.detail) == {
        "type": "is caused by",
        "to": "https://git.example.com/acme/api/pull/41",
        "undated": False,
    }
    assert linked.actor == "acc-lee"


def test_statuses_that_do_not_lead_into_each_other_are_a_hole(payload: Callable[[str], Any]) -> None:
    raw = payload("cloud_issue")
    assert continuous(payloads.issue(raw))
    for missing in ("90001", "90006", "90007"):
        some = payload("cloud_issue")
        log = some["changelog"]["histories"]
        some["changelog"]["histories"] = [each for each in log if each["id"] != missing]
        assert continuous(payloads.issue(some)) == (missing == "90001")
