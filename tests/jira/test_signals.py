from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pipmetrics.model import Signal
from pipmetrics_jira import payloads, resolutions, sprints
from pipmetrics_jira.signals import Terms, accounts, signals
from pipmetrics_jira.statuses import Statuses

Payload = Callable[[str], Any]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture
def terms(payload: Payload) -> Terms:
    statuses = Statuses()
    statuses.learn_list(payload("statuses"))
    known = {}
    for name, field in (("cloud_issue", "customfield_10020"), ("server_issue", "customfield_10105")):
        for each in sprints.current(payloads.issue(payload(name)), frozenset({field})):
            known[each.id] = each
    fields = frozenset({"customfield_10020", "customfield_10105"})
    return Terms("jira", "https://acme.example", statuses, resolutions.names({}), frozenset(), fields, known)


def of(kind: str, raw: Any, terms: Terms) -> list[Signal]:
    return [each for each in signals(payloads.issue(raw), terms) if each.kind == kind]


def test_an_issue_is_opened_by_its_reporter(payload: Payload, terms: Terms) -> None:
    [opened] = of("issue_opened", payload("cloud_issue"), terms)
    assert (opened.subject, opened.actor, opened.mark) == ("jira:PAY-12", "acc-ada", "")
    assert opened.at == at("2026-09-01T07:12:44.513+00:00")
    assert opened.url == "https://acme.example/browse/PAY-12"
    about = {name: opened.detail[name] for name in ("title", "type", "labels", "priority", "project")}
    assert about == {
        "title": "Beträge werden falsch gerundet",
        "type": "Fehler",
        "labels": ["regression", "billing"],
        "priority": "Hoch",
        "project": "PAY",
    }


def test_what_caused_it_is_read_from_description_and_comments(payload: Payload, terms: Terms) -> None:
    [opened] = of("issue_opened", payload("cloud_issue"), terms)
    assert [each["to"] for each in opened.detail["causes"]] == ["acme/api#41", "PAY-3", "0123abcdef01", "PAY-8"]
    assert opened.detail["causes"][1]["text"] == "regression from PAY-3"


def test_sprints_come_with_their_actual_instants_and_the_spans_in_them(payload: Payload, terms: Terms) -> None:
    [opened] = of("issue_opened", payload("cloud_issue"), terms)
    assert opened.detail["sprints"] == [
        {
            "id": 7,
            "name": "PAY Sprint 7",
            "started": "2026-09-07T07:00:00Z",
            "ended": "2026-09-18T15:00:00Z",
            "completed": "2026-09-18T15:04:05Z",
            "in": [["2026-09-03T08:00:00Z", None]],
        },
        {
            "id": 8,
            "name": "PAY Sprint 8",
            "started": "2026-09-21T07:00:00Z",
            "ended": "2026-10-02T15:00:00Z",
            "completed": None,
            "in": [["2026-09-18T15:04:05.100000Z", None]],
        },
    ]


def test_the_first_assignee_is_the_one_that_the_first_change_took_it_from(payload: Payload, terms: Terms) -> None:
    first, second = of("issue_assigned", payload("cloud_issue"), terms)
    assert (first.actor, first.at, dict(first.detail)) == (
        "acc-eve",
        at("2026-09-01T07:12:44.513+00:00"),
        {"by": "acc-ada", "from": None},
    )
    assert (second.actor, dict(second.detail)) == ("acc-lee", {"by": None, "from": "acc-eve"})


def test_an_assignment_that_never_changed_is_as_old_as_the_issue(payload: Payload, terms: Terms) -> None:
    raw = payload("cloud_issue")
    raw["changelog"]["histories"] = []
    [assigned] = of("issue_assigned", raw, terms)
    assert (assigned.actor, assigned.at) == ("acc-lee", at("2026-09-01T07:12:44.513+00:00"))


def test_an_assignment_taken_away_has_no_actor_and_no_ghost(payload: Payload, terms: Terms) -> None:
    *_, given, taken = of("issue_assigned", payload("server_issue"), terms)
    assert (given.actor, given.detail["from"]) == ("lee", "JIRAUSER10100")
    assert (taken.actor, taken.mark, taken.detail["from"]) == (None, "", "lee")


def test_statuses_are_told_by_their_categories_whatever_they_are_called(payload: Payload, terms: Terms) -> None:
    moves = of("issue_status_changed", payload("cloud_issue"), terms)
    assert [(each.detail["from_category"], each.detail["to_category"]) for each in moves] == [
        ("new", "in_progress"),
        ("in_progress", "done"),
        ("done", "in_progress"),
        ("in_progress", "done"),
    ]
    assert (moves[0].detail["from"], moves[0].detail["to"]) == ("Offen", "In Arbeit")


def test_done_and_reopened_follow_the_done_category(payload: Payload, terms: Terms) -> None:
    raw = payload("cloud_issue")
    done, again = of("issue_done", raw, terms)
    [reopened] = of("issue_reopened", raw, terms)
    assert (done.at, done.actor) == (at("2026-09-09T08:00:00+00:00"), "acc-lee")
    assert (reopened.at, reopened.actor) == (at("2026-09-10T08:00:00+00:00"), "acc-ada")
    assert again.at == at("2026-09-12T14:00:00+00:00")


def test_resolutions_are_those_in_force_until_the_next_reopening(payload: Payload, terms: Terms) -> None:
    done, again = of("issue_done", payload("cloud_issue"), terms)
    assert done.detail["resolutions"] == [["2026-09-09T08:00:00Z", "fixed", "Done"]]
    assert again.detail["resolutions"] == [
        ["2026-09-12T14:00:00Z", "fixed", "Done"],
        ["2026-09-14T08:00:00Z", "duplicate", "Duplicate"],
    ]


def change(id: int, when: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(id), "created": when, "author": {"accountId": "acc-lee"}, "items": list(items)}


def item(field: str, before: Any, after: Any, *texts: Any) -> dict[str, Any]:
    named = dict(zip(("fromString", "toString"), texts, strict=False))
    return {"field": field, "fieldtype": "jira", "fieldId": field, "from": before, "to": after} | named


def test_a_resolution_set_after_the_move_counts_from_then(payload: Payload, terms: Terms) -> None:
    raw = payload("cloud_issue")
    raw["changelog"]["histories"] = [
        change(1, "2026-09-02T10:00:00Z", item("status", "10134", "10068")),
        change(2, "2026-09-02T10:00:05Z", item("resolution", None, "10001", None, "Won't Do")),
    ]
    [done] = of("issue_done", raw, terms)
    assert done.detail["resolutions"] == [
        ["2026-09-02T10:00:00Z", "other", ""],
        ["2026-09-02T10:00:05Z", "wont_do", "Won't Do"],
    ]


def test_moves_between_two_done_statuses_finish_nothing_again(payload: Payload, terms: Terms) -> None:
    raw = payload("cloud_issue")
    terms.statuses.learn({"id": "6", "name": "Closed", "statusCategory": {"id": 3, "key": "done"}})
    raw["changelog"]["histories"] = [
        change(1, "2026-09-02T10:00:00Z", item("status", "10134", "6")),
        change(2, "2026-09-03T10:00:00Z", item("status", "6", "10068")),
    ]
    assert len(of("issue_done", raw, terms)) == 1
    assert of("issue_reopened", raw, terms) == []


def test_an_issue_created_done_is_done_from_then_on(payload: Payload, terms: Terms) -> None:
    raw = payload("cloud_issue")
    raw["changelog"]["histories"] = []
    [done] = of("issue_done", raw, terms)
    assert done.at == at("2026-09-12T14:00:00+00:00")
    assert done.detail["resolutions"][0][1:] == ["duplicate", "Duplikat"]
    raw["fields"]["resolutiondate"] = None
    [done] = of("issue_done", raw, terms)
    assert done.at == at("2026-09-01T07:12:44.513+00:00")


def test_due_dates_are_told_from_the_creation_on(payload: Payload, terms: Terms) -> None:
    first, moved = of("issue_due_changed", payload("cloud_issue"), terms)
    assert (first.at, first.detail["from"], first.detail["to"]) == (
        at("2026-09-01T07:12:44.513+00:00"),
        None,
        "2026-09-11",
    )
    assert (moved.actor, moved.detail["from"], moved.detail["to"]) == ("acc-ada", "2026-09-11", "2026-09-20")


def test_links_are_told_as_seen_from_the_issue(payload: Payload, terms: Terms) -> None:
    blocks, caused = of("issue_linked", payload("cloud_issue"), terms)
    assert dict(caused.detail) == {"type": "is caused by", "to": "PAY-3", "undated": False}
    assert (caused.at, caused.actor) == (at("2026-09-03T08:00:00+00:00"), "acc-ada")
    assert dict(blocks.detail) == {"type": "blocks", "to": "LAB-7", "undated": True}
    assert (blocks.at, blocks.actor, blocks.mark) == (at("2026-09-01T07:12:44.513+00:00"), None, "")


def test_who_is_no_longer_named_is_a_ghost_and_an_app_is_a_bot(payload: Payload, terms: Terms) -> None:
    raw = payload("cloud_issue")
    raw["fields"]["reporter"] = None
    raw["changelog"]["histories"] = [
        {"id": "1", "created": "2026-09-02T10:00:00Z", "author": None, "items": [item("status", "10134", "10074")]},
        change(2, "2026-09-03T10:00:00Z", item("status", "10074", "10134"))
        | {"author": {"accountId": "acc-bot", "accountType": "app"}},
    ]
    [opened] = of("issue_opened", raw, terms)
    first, second = of("issue_status_changed", raw, terms)
    assert [(each.actor, each.mark) for each in (opened, first, second)] == [
        (None, "ghost"),
        (None, "ghost"),
        ("acc-bot", "bot"),
    ]


def test_every_key_is_of_the_issues_id_and_comes_once(payload: Payload, terms: Terms) -> None:
    made = signals(payloads.issue(payload("cloud_issue")), terms)
    keys = [each.key for each in made]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith("issue/10501/") for key in keys)
    raw = payload("cloud_issue")
    raw["key"] = "LAB-1"
    assert [each.key for each in signals(payloads.issue(raw), terms)] == keys


def test_the_keys_before_a_move_are_told(payload: Payload, terms: Terms) -> None:
    raw = payload("cloud_issue")
    moved = {"field": "Key", "fieldtype": "jira", "from": None, "fromString": "OLD-4", "to": None, "toString": "PAY-12"}
    raw["changelog"]["histories"].append(change(99999, "2026-09-19T10:00:00Z", moved))
    [opened] = of("issue_opened", raw, terms)
    assert opened.detail["former_keys"] == ["OLD-4"]


def test_accounts_are_those_shown_in_full(payload: Payload, terms: Terms) -> None:
    found = accounts(payloads.issue(payload("cloud_issue")), terms)
    assert set(found) == {"acc-ada", "acc-lee", "acc-bot"}
    assert (found["acc-ada"].email, found["acc-bot"].mark) == ("ada@acme.example", "bot")
    server = accounts(payloads.issue(payload("server_issue")), terms)
    assert {(each.id, each.login) for each in server.values()} == {("JIRAUSER10100", "ada"), ("lee", "lee")}


def test_the_older_servers_text_of_a_sprint_is_read(payload: Payload, terms: Terms) -> None:
    [opened] = of("issue_opened", payload("server_issue"), terms)
    first, second = opened.detail["sprints"]
    assert (first["id"], first["name"]) == (42, "Ops, week=36 [a]")
    assert (first["started"], first["completed"]) == ("2026-09-01T07:30:00Z", "2026-09-08T08:00:00Z")
    assert first["in"] == [["2026-09-02T07:59:59.999000Z", None]]
    assert (second["name"], second["started"], second["ended"]) == ("Ops 37", None, None)
    assert [each["to"] for each in opened.detail["causes"]] == ["89abcdef0123456789abcdef0123456789abcdef"]
