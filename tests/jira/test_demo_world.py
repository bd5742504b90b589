"""What people do in the stand-in leaves the history that Jira would keep."""

from __future__ import annotations

from datetime import date, timedelta

from pipmetrics.demo.jira import Sprint, World
from pipmetrics.demo.jira.world import Change
from tests.jira.desk import START, a_world

LATER = START + timedelta(hours=1)


def told(change: Change) -> list[tuple[str, str | None, str | None, str | None, str | None]]:
    return [(each.field, each.before, each.before_text, each.after, each.after_text) for each in change.items]


def test_every_act_is_an_entry_with_values_and_texts() -> None:
    world = a_world()
    issue = world.create("PAY", START, due=date(2026, 6, 9), labels=["old"])
    done = world.move(issue, "Done", LATER, "acc-ada", resolution="Done")
    assert told(done) == [
        ("status", "1", "Open", "10002", "Done"),
        ("resolution", None, None, "10000", "Done"),
    ]
    again = world.move(issue, "In Progress", LATER, "acc-ada")
    assert told(again)[1] == ("resolution", "10000", "Done", None, None)
    assert told(world.assign(issue, "acc-lee", LATER, None)) == [("assignee", None, None, "acc-lee", "Lee")]
    due = told(world.set_due(issue, None, LATER, None))
    assert due == [("duedate", "2026-06-09", "2026-06-09 00:00:00.0", None, None)]
    assert told(world.relabel(issue, ["new", "hot"], LATER, None)) == [("labels", None, "old", None, "new hot")]
    assert told(world.resolve(issue, "Duplicate", LATER, None))[0][3:] == ("10002", "Duplicate")


def test_a_sprint_joins_those_before_it() -> None:
    world = a_world()
    first, second = (world.add_sprint(Sprint(n, f"S{n}")) for n in (7, 8))
    issue = world.create("PAY", START, sprints=[first])
    assert told(world.set_sprints(issue, [first, second], LATER, None)) == [("Sprint", "7", "S7", "7, 8", "S7, S8")]


def test_a_link_is_told_at_both_ends_in_their_own_words() -> None:
    world = a_world()
    bug, story = world.create("PAY", START), world.create("LAB", START)
    link = world.link(bug, "is caused by", story, LATER, "acc-ada")
    assert (link.source, link.target) == (story, bug)
    assert told(bug.changes[-1]) == [("Link", None, None, "LAB-1", "This issue is caused by LAB-1")]
    assert told(story.changes[-1]) == [("Link", None, None, "PAY-1", "This issue causes PAY-1")]
    world.unlink(link, LATER, None)
    assert told(bug.changes[-1]) == [("Link", "LAB-1", "This issue is caused by LAB-1", None, None)]
    world.link(bug, "blocks", story, LATER, None, told=False)
    assert len(bug.changes) == 2


def test_a_move_keeps_the_id_and_the_old_key() -> None:
    world = a_world()
    issue = world.create("PAY", START)
    world.transfer(issue, "LAB", LATER, None)
    assert (issue.key, issue.former) == ("LAB-1", ["PAY-1"])
    assert world.find("pay-1") is world.find(issue.id) is issue


def test_a_deleted_issue_takes_its_links_along() -> None:
    world = a_world()
    one, other = world.create("PAY", START), world.create("PAY", START)
    world.link(one, "blocks", other, LATER, None)
    world.delete(one)
    assert (world.links, world.issues) == ([], [other])


def test_every_id_is_given_once_and_comments_update() -> None:
    world = World()
    world.add_project("PAY")
    issue = world.create("PAY", START)
    ids = {issue.id, world.comment(issue, "x", LATER, None).id, world.touch(issue, LATER).id, issue.project.id}
    assert len(ids) == 4
    assert issue.updated == LATER
