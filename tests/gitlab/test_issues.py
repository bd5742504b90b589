"""An issue's payload as signals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipmetrics.model import BugRule
from pipmetrics_gitlab import from_graphql, from_rest, issues
from pipmetrics_gitlab.values import Note, Transition, User

from .payloads import CORE, ROOT, SOURCE, only, payload, told

ISSUE = from_graphql.issue(payload("issue_graphql"))
SIGNALS = issues.signals(ISSUE, CORE, SOURCE, ROOT)


def test_the_same_payload_gives_the_same_signals() -> None:
    assert issues.signals(from_graphql.issue(payload("issue_graphql")), CORE, SOURCE, ROOT) == SIGNALS
    assert {one.subject for one in SIGNALS} == {"lab:platform/core#9"}
    assert len({one.key for one in SIGNALS}) == len(SIGNALS)


def test_an_opening_tells_type_labels_and_causes_of_body_and_comments() -> None:
    opened = only(SIGNALS, "issue_opened")
    assert (opened.actor, opened.detail["type"], opened.detail["labels"]) == ("8", "incident", ["bug", "severity::2"])
    assert opened.detail["project"] == "platform/core"
    assert opened.detail["causes"] == [
        {"to": "lab:platform/core!12", "text": "Caused by !12"},
        {"to": "lab:platform/tools!3", "text": "and by platform/tools!3: caused by platform/tools!3"},
        {"to": "lab:platform/core#4", "text": "It is a regression from #4."},
    ]


def test_assignees_are_followed_under_the_names_of_their_day() -> None:
    found = sorted((one for one in SIGNALS if one.kind == "issue_assigned"), key=lambda one: one.at)
    assert [(one.actor, one.detail["from"], one.detail["by"]) for one in found] == [
        ("@ada.old", None, "8"),
        ("8", "@ada.old", "8"),
        ("7", "8", "8"),
        (None, "7", "8"),
    ]
    assert found[-1].mark == ""


def test_an_assignee_without_a_note_came_with_the_issue() -> None:
    quiet = replace(ISSUE, notes=())
    assert told(issues.signals(quiet, CORE, SOURCE, ROOT), "issue_assigned") == [("issue_assigned", "7", "08 09:00")]


def test_several_assignees_come_and_go() -> None:
    lee = User("8", "lee")
    texts = ("assigned to @a, @b, and @c", "unassigned @a and @b", "removed assignee", "assigned to @d")
    notes = tuple(
        Note(str(n), ISSUE.created + timedelta(hours=n), lee, text, system=True) for n, text in enumerate(texts)
    )
    found = issues.signals(replace(ISSUE, notes=notes, assignees=()), CORE, SOURCE, ROOT)
    ordered = sorted((one for one in found if one.kind == "issue_assigned"), key=lambda one: (one.at, one.key))
    assert [(one.actor, one.detail["from"]) for one in ordered] == [
        ("@a", None), ("@b", None), ("@c", None), (None, "@a"), (None, "@b"), (None, "@c"), ("@d", None),
    ]  # fmt: skip


def test_due_dates_are_followed_through_their_notes() -> None:
    found = sorted((one for one in SIGNALS if one.kind == "issue_due_changed"), key=lambda one: one.at)
    assert [(one.detail["from"], one.detail["to"]) for one in found] == [
        (None, "2026-10-20"),
        ("2026-10-20", "2026-10-15"),
        ("2026-10-15", None),
    ]


def test_a_due_date_without_a_note_came_with_the_issue() -> None:
    dated = replace(ISSUE, notes=(), due="2026-11-01")
    due = only(issues.signals(dated, CORE, SOURCE, ROOT), "issue_due_changed")
    assert (due.at, due.actor, due.detail) == (ISSUE.created, "8", {"from": None, "to": "2026-11-01"})


def test_a_closing_names_what_was_in_force_until_the_next_reopening() -> None:
    assert told(SIGNALS, "issue_done", "issue_reopened") == [
        ("issue_done", "8", "11 09:00"),
        ("issue_reopened", "7", "11 10:00"),
        ("issue_done", None, "12 09:00"),
    ]
    first, second = sorted((one for one in SIGNALS if one.kind == "issue_done"), key=lambda one: one.at)
    assert first.detail["resolutions"] == [["2026-10-11T09:00:00+00:00", "fixed", "Closed"]]
    assert second.detail["resolutions"] == [["2026-10-12T09:00:00+00:00", "duplicate", "Duplicate"]]


def test_a_mark_made_after_the_closing_is_in_force_from_then_on() -> None:
    day_after = datetime(2026, 10, 13, 9, tzinfo=UTC)
    late = Note("30", day_after, None, "marked this issue as a duplicate of #4", system=True)
    found = only(issues.signals(replace(ISSUE, notes=(late,)), CORE, SOURCE, ROOT), "issue_done")
    assert [code for _, code, _ in found.detail["resolutions"]] == ["fixed", "duplicate"]


@pytest.mark.parametrize(("field", "code"), [("duplicate", "duplicate"), ("moved", "other")])
def test_without_a_note_the_issue_itself_says_why_it_was_closed(field: str, code: str) -> None:
    quiet = replace(ISSUE, notes=(), duplicate=False, moved=False)
    found = only(issues.signals(replace(quiet, **{field: True}), CORE, SOURCE, ROOT), "issue_done")
    assert found.detail["resolutions"][0][1] == code


def test_the_state_event_tells_who_closed() -> None:
    closed = Transition("closed", datetime(2026, 10, 12, 9, tzinfo=UTC), User("8", "lee"))
    found = issues.signals(replace(ISSUE, notes=(), transitions=(closed,)), CORE, SOURCE, ROOT)
    assert told(found, "issue_done") == [("issue_done", "8", "12 09:00")]


LINK = {
    "id": 84,
    "iid": 14,
    "issue_link_id": 3,
    "web_url": f"{ROOT}/platform/tools/-/issues/14",
    "references": {"full": "platform/tools#14"},
    "link_type": "is_blocked_by",
    "link_created_at": "2026-10-09T09:00:00.000Z",
}


WORDS = [((), "is blocked by"), (("Is_Blocked_By",), "Is_Blocked_By"), (("is blocked by",), "is blocked by")]


@pytest.mark.parametrize(("said", "phrase"), WORDS)
def test_a_link_is_said_in_the_words_of_the_configuration(said: tuple[str, ...], phrase: str) -> None:
    linked = replace(ISSUE, links=(from_rest.link(LINK, "platform/core"),))
    found = only(issues.signals(linked, CORE, replace(SOURCE, caused_by=said), ROOT), "issue_linked")
    assert found.detail == {"type": phrase, "to": "lab:platform/tools#14", "undated": False}
    assert (found.actor, found.mark, f"{found.at:%d %H}") == (None, "", "09 09")


def test_a_link_of_an_old_version_is_undated_and_named_by_its_address() -> None:
    old = {name: value for name, value in LINK.items() if name not in ("references", "link_created_at")}
    linked = replace(ISSUE, links=(from_rest.link(old, "platform/core"),))
    found = only(issues.signals(linked, CORE, SOURCE, ROOT), "issue_linked")
    assert (found.detail["to"], found.detail["undated"], found.at) == ("lab:platform/tools#14", True, ISSUE.created)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (BugRule(), False),
        (BugRule(labels=frozenset({"BUG"})), True),
        (BugRule(types=frozenset({"Incident"})), True),
        (BugRule(types=frozenset({"task"})), False),
        (BugRule(filter="labels = crash"), True),
    ],
)
def test_what_may_be_a_bug(rule: BugRule, expected: bool) -> None:
    assert issues.is_bug(ISSUE, replace(SOURCE, bugs=rule)) is expected
