"""The stand-in reads queries as Jira does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipmetrics.demo.jira import Sprint, World
from pipmetrics.demo.jira.jql import JqlError, parse
from tests.jira.desk import a_world

NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)


def world(zone: str = "UTC") -> World:
    made = a_world(zone=zone, now=NOON + timedelta(days=2))
    sprint = made.add_sprint(Sprint(7, "Sprint 7"))
    made.create("PAY", NOON, type="Bug", labels=["old"], sprints=[sprint])
    made.create("PAY", NOON + timedelta(hours=12), status="Done")
    made.create("LAB", NOON + timedelta(hours=13), type="Bug", status="In Progress")
    return made


def keys(text: str, zone: str = "UTC") -> list[str]:
    made = world(zone)
    query = parse(text, made)
    return [issue.key for issue in made.issues if query.test(issue)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("project = PAY", ["PAY-1", "PAY-2"]),
        ('project in ("PAY", Laboratory)', ["PAY-1", "PAY-2", "LAB-1"]),
        ("project != PAY", ["LAB-1"]),
        ("project not in (PAY)", ["LAB-1"]),
        ("issuetype = bug and status = 'In Progress'", ["LAB-1"]),
        ("statusCategory = Done OR labels in (old)", ["PAY-1", "PAY-2"]),
        ("NOT (project = PAY AND type = Bug)", ["PAY-2", "LAB-1"]),
        ("key in (PAY-2, LAB-1)", ["PAY-2", "LAB-1"]),
        ("sprint = 7", ["PAY-1"]),
        ("updated >= -2d", ["PAY-1", "PAY-2", "LAB-1"]),
        ('created >= "-36h"', ["PAY-2", "LAB-1"]),
        (f"updated >= {round(NOON.timestamp() * 1000)}", ["PAY-1", "PAY-2", "LAB-1"]),
        (f"updated > {round(NOON.timestamp() * 1000)}", ["PAY-2", "LAB-1"]),
        ('created < "2026-10-25"', ["PAY-1"]),
        ('created >= "2026/10/25 00:00"', ["PAY-2", "LAB-1"]),
    ],
)
def test_a_query_finds_what_it_says(text: str, found: list[str]) -> None:
    assert keys(text) == found


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        ("UTC", ["PAY-2", "LAB-1"]),
        ("Etc/GMT+12", []),
        ("Pacific/Kiritimati", ["PAY-1", "PAY-2", "LAB-1"]),
        ("Europe/Berlin", ["PAY-2", "LAB-1"]),
    ],
)
def test_a_date_is_read_in_the_zone_of_the_account(zone: str, found: list[str]) -> None:
    assert keys('updated >= "2026-10-25"', zone) == found


def test_a_date_before_and_after_the_clocks_are_changed_is_of_its_own_day() -> None:
    made = a_world(zone="Europe/Berlin", now=datetime(2026, 10, 27, tzinfo=UTC))
    first = made.create("PAY", datetime(2026, 10, 24, 22, tzinfo=UTC))
    second = made.create("PAY", datetime(2026, 10, 25, 22, 59, tzinfo=UTC))
    third = made.create("PAY", datetime(2026, 10, 25, 23, tzinfo=UTC))
    query = parse('created >= "2026-10-25" AND created < "2026-10-26"', made)
    assert [query.test(each) for each in (first, second, third)] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = red", "Field 'colour' does not exist or you do not have permission to view it."),
        ("project = NONE", "The value 'NONE' does not exist for the field 'project'."),
        ("key = PAY-99", "An issue with key 'PAY-99' does not exist for field 'key'."),
        ("sprint = 8", "Sprint with name '8' does not exist"),
        ("status = Nowhere", "The value 'Nowhere' does not exist for the field 'status'."),
        ("updated >= soon", "Date value 'soon' for field 'updated' is invalid."),
        ("project = PAY ORDER BY colour", "Not able to sort using field 'colour'."),
        ("project ~ PAY", "The operator '~' is not supported"),
        ("project = PAY PAY", "Expecting either 'OR' or 'AND' but got 'PAY'."),
        ("project in (PAY", "The query ended unexpectedly."),
        ("project = PAY ORDER BY " + ", ".join(["created"] * 8), "JQL can be ordered by at most 7 fields."),
    ],
)
def test_what_jira_does_not_know_is_refused_in_its_words(text: str, message: str) -> None:
    with pytest.raises(JqlError) as refused:
        parse(text, world())
    assert message in str(refused.value)


def test_a_hidden_project_is_one_that_does_not_exist() -> None:
    made = world()
    made.projects["PAY"].visible = False
    with pytest.raises(JqlError, match="'PAY' does not exist"):
        parse("project = PAY", made)


def test_an_order_alone_bounds_nothing() -> None:
    assert not parse("ORDER BY created DESC, key", world()).bounded
    assert parse("ORDER BY created DESC, key", world()).order == (("created", True), ("key", False))
    assert parse("project = PAY", world()).bounded
