from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pipmetrics_jira import payloads
from pipmetrics_jira.payloads import Hole, Person

Payload = Callable[[str], Any]


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-09-01T09:12:44.513+0200",
        "2026-09-01T07:12:44.513Z",
        "2026-09-01T07:12:44.513+00:00",
        1788246764513,
    ],
)
def test_an_instant_is_read_in_every_form_that_jira_writes(stamp: Any) -> None:
    assert payloads.instant(stamp) == datetime(2026, 9, 1, 7, 12, 44, 513000, UTC)


def test_a_count_of_seconds_is_an_instant_too() -> None:
    assert payloads.instant(1788246764) == datetime(2026, 9, 1, 7, 12, 44, tzinfo=UTC)


@pytest.mark.parametrize("stamp", [None, "", "yesterday", True, [], 1e30])
def test_what_is_no_instant_is_a_hole(stamp: Any) -> None:
    with pytest.raises(Hole, match="an instant"):
        payloads.instant(stamp)
    assert payloads.moment(stamp) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-09-20", "2026-09-20"),
        ("2026-09-20 00:00:00.0", "2026-09-20"),
        ("20/Sep/26", None),
        (None, None),
        ("", None),
    ],
)
def test_a_due_date_is_an_iso_date_or_nothing(text: Any, day: str | None) -> None:
    assert payloads.day(text) == day


def test_a_cloud_user_is_known_by_the_account_id_a_server_user_by_the_key() -> None:
    cloud = {"accountId": "5b1", "accountType": "atlassian", "emailAddress": "ada@acme.example", "displayName": "Ada"}
    server = {"name": "ada", "key": "JIRAUSER10100", "emailAddress": "", "displayName": "Ada"}
    assert payloads.person(cloud) == Person("5b1", "5b1", "ada@acme.example")
    assert payloads.person(server) == Person("JIRAUSER10100", "ada", None)


def test_an_app_and_a_configured_account_are_bots() -> None:
    app = payloads.person({"accountId": "5b1", "accountType": "app"})
    robot = payloads.person({"name": "robot", "key": "JIRAUSER1"}, frozenset({"robot"}))
    assert app is not None
    assert robot is not None
    assert (app.mark, robot.mark) == ("bot", "bot")


@pytest.mark.parametrize("raw", [None, {}, {"accountId": "unknown"}, {"displayName": "Former user"}, "ada"])
def test_a_user_without_an_id_is_nobody(raw: Any) -> None:
    assert payloads.person(raw) is None


def test_changes_are_sorted_by_time_and_number_and_come_once(payload: Payload) -> None:
    histories = payload("cloud_issue")["changelog"]["histories"]
    read = payloads.changes(histories + histories[:3])
    assert [each.id for each in read] == [f"9000{n}" for n in range(1, 10)]


def test_changes_of_one_instant_stand_in_the_order_of_their_numbers() -> None:
    same = [{"id": id, "created": "2026-09-01T09:00:00.000Z", "items": []} for id in ("100", "99", "101")]
    assert [each.id for each in payloads.changes(same)] == ["99", "100", "101"]


@pytest.mark.parametrize(
    "entry", [None, {"id": "1"}, {"id": "1", "items": []}, {"id": "1", "created": "x", "items": []}]
)
def test_an_entry_without_time_or_items_is_a_hole(entry: Any) -> None:
    with pytest.raises(Hole):
        payloads.changes([entry])


@pytest.mark.parametrize("missing", ["id", "key", "fields"])
def test_an_issue_without_what_every_issue_has_is_a_hole_that_names_it(payload: Payload, missing: str) -> None:
    raw = payload("cloud_issue")
    del raw[missing]
    with pytest.raises(Hole, match=f"its {missing}"):
        payloads.issue(raw)


@pytest.mark.parametrize("missing", ["status", "created"])
def test_an_issue_without_status_or_creation_is_a_hole(payload: Payload, missing: str) -> None:
    raw = payload("cloud_issue")
    raw["fields"][missing] = None
    with pytest.raises(Hole):
        payloads.issue(raw)


@pytest.mark.parametrize(
    "missing",
    [
        "updated",
        "assignee",
        "reporter",
        "priority",
        "labels",
        "duedate",
        "project",
        "comment",
        "issuelinks",
        "resolution",
    ],
)
def test_an_issue_may_lack_any_other_field(payload: Payload, missing: str) -> None:
    raw = payload("cloud_issue")
    del raw["fields"][missing]
    assert payloads.issue(raw).project == "PAY"


def test_an_issue_without_changelog_is_told_from_one_with_an_empty_one(payload: Payload) -> None:
    raw = payload("cloud_issue")
    raw["changelog"] = {"startAt": 0, "maxResults": 0, "total": 0, "histories": []}
    assert payloads.issue(raw).changes == ()
    del raw["changelog"]
    assert payloads.issue(raw).changes is None


def test_a_document_is_read_as_the_lines_of_its_blocks(payload: Payload) -> None:
    lines = payloads.prose(payload("cloud_issue")["fields"]["description"]).split("\n")
    assert lines[0] == "Totals are off by a cent. Caused by acme/api#41, see https://git.example.com/acme/api/pull/41"
    assert "regression from PAY-3" in lines
    assert "Fixes: 0123abcdef01" in lines
    assert lines[lines.index("@Lee") + 1] == "please look"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), ("wiki *text*", "wiki *text*"), ({"type": "doc"}, ""), (7, "")]
)
def test_a_text_is_read_as_it_is_and_nothing_as_nothing(value: Any, text: str) -> None:
    assert payloads.prose(value) == text


def test_old_entries_name_accounts_in_fields_of_their_own() -> None:
    raw = {
        "field": "assignee",
        "fieldtype": "jira",
        "from": "ada",
        "to": "lee",
        "tmpFromAccountId": "5a",
        "tmpToAccountId": "5b",
    }
    read = payloads.item(raw)
    assert (read.before, read.after) == ("5a", "5b")


def test_a_custom_field_that_is_called_like_a_system_field_is_not_taken_for_it(payload: Payload) -> None:
    issue = payloads.issue(payload("server_issue"))
    assert list(payloads.entries(issue, "resolution")) == []
    assert len(list(payloads.entries(issue, "resolution", custom=True))) == 1
