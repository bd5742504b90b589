"""Issues as the stand-in serves them, to signals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics.demo.github import Repository, World

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ISSUE = "hub:acme/api#1"
Reading = Callable[..., Any]


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


@pytest.fixture
def api(world: World) -> Repository:
    return world.repository("acme/api")


def test_an_issue_with_its_labels_and_causes_from_body_and_comments(
    world: World, api: Repository, reader: Reading
) -> None:
    ada, lee = world.account("ada"), world.account("lee")
    issue = api.issue(ada, at(0), "Sums are wrong", labels=["bug", "p1"], body="since Friday\nregression from #7")
    issue.comment(lee, at(1), "Fixes: a1b2c3d4")
    [opened] = reader().pull().of(ISSUE)
    assert (opened.kind, opened.actor, opened.at) == ("issue_opened", str(ada.id), at(0))
    assert opened.detail == {
        "title": "Sums are wrong", "type": None, "labels": ["bug", "p1"], "priority": None, "project": "acme/api",
        "sprints": [],
        "causes": [{"to": "hub:acme/api#7", "text": "regression from #7"},
                   {"to": "a1b2c3d4", "text": "Fixes: a1b2c3d4"}],
    }  # fmt: skip
    assert opened.url.endswith("/acme/api/issues/1")


@pytest.mark.parametrize("served", [True, False])
def test_issue_types_are_read_where_the_service_has_them(
    world: World, api: Repository, reader: Reading, served: bool
) -> None:
    world.issue_types = served
    api.issue(None, at(0), type="Bug")
    [opened] = reader().pull().of(ISSUE)
    assert (opened.detail["type"], opened.mark) == ("Bug" if served else None, "ghost")


def test_assignments_over_time(world: World, api: Repository, reader: Reading) -> None:
    ada, lee = world.account("ada"), world.account("lee")
    issue = api.issue(ada, at(0))
    issue.assign(ada, at(1), by=lee)
    issue.assign(lee, at(2), by=lee)
    issue.unassign(ada, at(3), by=lee)
    found = reader().pull().of(ISSUE, "issue_assigned")
    assert [(each.actor, each.mark, each.detail["from"], each.detail["by"]) for each in found] == [
        (str(ada.id), "", None, str(lee.id)), (str(lee.id), "", None, str(lee.id)),
        (None, "", str(ada.id), str(lee.id)),
    ]  # fmt: skip


def test_an_assignee_whom_the_timeline_does_not_tell_has_it_from_the_creation(
    world: World, api: Repository, reader: Reading
) -> None:
    issue = api.issue(None, at(0))
    issue.assignees.append(ada := world.account("ada"))
    [given] = reader().pull().of(ISSUE, "issue_assigned")
    assert (given.actor, given.at, given.detail) == (str(ada.id), at(0), {"by": None, "from": None})


def test_done_reopened_and_done_otherwise(world: World, api: Repository, reader: Reading) -> None:
    ada, lee = world.account("ada"), world.account("lee")
    issue = api.issue(ada, at(0))
    issue.close(at(1), lee, "COMPLETED")
    issue.reopen(at(2), ada)
    issue.close(at(3), lee, "COMPLETED")
    issue.close(at(4), lee, "DUPLICATE")
    found = reader().pull().of(ISSUE, "issue_done", "issue_reopened")
    assert [(each.kind, each.actor) for each in found] == [
        ("issue_done", str(lee.id)), ("issue_reopened", str(ada.id)), ("issue_done", str(lee.id)),
    ]  # fmt: skip
    assert [each.detail.get("resolutions") for each in found] == [
        [["2026-03-02T10:00:00+00:00", "fixed", "completed"]],
        None,
        [["2026-03-02T12:00:00+00:00", "fixed", "completed"], ["2026-03-02T13:00:00+00:00", "duplicate", "duplicate"]],
    ]


@pytest.mark.parametrize(("reason", "code"), [("NOT_PLANNED", "wont_do"), (None, "fixed")])
def test_resolutions_by_state_reason(
    world: World, api: Repository, reader: Reading, reason: str | None, code: str
) -> None:
    issue = api.issue(None, at(0))
    issue.close(at(1), None, reason)
    issue.events.clear()
    [done] = reader().pull().of(ISSUE, "issue_done")
    assert (done.at, done.detail["resolutions"][0][1], done.mark) == (at(1), code, "ghost")


def test_links_of_all_kinds(world: World, api: Repository, reader: Reading) -> None:
    ada = world.account("ada")
    issue, other = api.issue(ada, at(0)), world.repository("acme/web").issue(ada, at(0), number=5)
    kept, dropped = api.pull(ada, at(0)), api.pull(ada, at(0))
    issue.mention(other, at(1), ada)
    issue.mention(kept, at(2), ada, will_close=True)
    issue.connect(kept, at(3), ada)
    issue.connect(dropped, at(4), ada)
    issue.disconnect(dropped, at(5), ada)
    issue.happen("MarkedAsDuplicateEvent", at(6), ada).canonical = other
    found = reader().pull().of(ISSUE, "issue_linked")
    assert [(each.detail["type"], each.detail["to"]) for each in found] == [
        ("is mentioned by", "hub:acme/web#5"), ("is closed by", "hub:acme/api#2"),
        ("is connected to", "hub:acme/api#2"),
        ("duplicates", "hub:acme/web#5"),
    ]  # fmt: skip


def test_a_transferred_issue_moves_with_all_that_happened_to_it(world: World, api: Repository, reader: Reading) -> None:
    ada, web = world.account("ada"), world.repository("acme/web")
    web.issue(ada, at(0))
    moved = api.issue(ada, at(0), "Wrong sums")
    moved.close(at(1), ada)
    got = reader("acme/api", "acme/web").pull()
    assert got.of(ISSUE)
    moved.transfer(web, at(9), ada)
    got.pull()
    assert got.of(ISSUE) == []
    assert [each.kind for each in got.of("hub:acme/web#2")] == ["issue_opened", "issue_done"]
