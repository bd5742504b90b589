"""A merge request's payload as signals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipmetrics.model import Signal
from pipmetrics_gitlab import changes, from_graphql, from_rest
from pipmetrics_gitlab.values import Note, Transition, User

from .payloads import CORE, ROOT, only, payload, told

CHANGE = from_graphql.change(payload("merge_request_graphql"))
SIGNALS = changes.signals(CHANGE, CORE, "lab", ROOT)


def noted(
    *notes: tuple[float, str], author: User | None = None, draft: bool = False, state: str = "opened"
) -> list[Signal]:
    """The signals of a merge request with these system notes (hours after it was opened, text)."""
    ada = User("7", "ada")
    made = tuple(
        Note(str(100 + number), CHANGE.created + timedelta(hours=hours), author or ada, body, system=True)
        for number, (hours, body) in enumerate(notes)
    )
    plain = replace(CHANGE, author=ada, notes=made, draft=draft, state=state, merged=None, reviewers=(), others=())
    return changes.signals(plain, CORE, "lab", ROOT)


def test_the_same_payload_gives_the_same_signals() -> None:
    assert changes.signals(from_graphql.change(payload("merge_request_graphql")), CORE, "lab", ROOT) == SIGNALS
    assert {one.subject for one in SIGNALS} == {"lab:platform/core!12"}
    assert len({one.key for one in SIGNALS}) == len(SIGNALS)


def test_an_opening_tells_what_the_change_is_about() -> None:
    opened = only(SIGNALS, "change_opened")
    assert (opened.actor, opened.mark, opened.url) == ("7", "", CHANGE.url)
    assert opened.detail == {
        "title": "Draft: Round half up (PAY-31)",
        "labels": ["backend"],
        "draft": True,
        "base": "main",
        "default_branch": True,
        "branch": "PAY-30-rounding",
        "author_login": "ada.new",
        "issues": [
            "PAY-30",
            "PAY-31",
            "lab:platform/core#4",
            "lab:platform/tools#9",
            "lab:platform/deep/er#77",
            "PAY-40",
        ],
        "closes": ["lab:platform/core#4", "lab:platform/tools#9", "PAY-31"],
    }


def test_a_note_asks_and_lets_go_of_several_reviewers_at_once() -> None:
    assert told(SIGNALS, "review_requested", "review_request_removed") == [
        ("review_requested", "@bob.old", "05 09:05"),
        ("review_requested", "@gone", "05 09:05"),
        ("review_requested", "8", "05 09:05"),
        ("review_request_removed", "@bob.old", "05 09:30"),
        ("review_request_removed", "@gone", "05 09:30"),
        ("review_requested", "8", "05 09:30"),
    ]
    assert all(one.detail == {"requester": "7", "team": None} for one in SIGNALS if one.kind.startswith("review_re"))


def test_reviewers_that_no_note_names_were_asked_at_the_opening() -> None:
    quiet = replace(CHANGE, notes=())
    asked = only(changes.signals(quiet, CORE, "lab", ROOT), "review_requested")
    assert (asked.actor, asked.at, asked.detail["requester"]) == ("8", CHANGE.created, "7")


def test_a_reviewer_under_a_later_name_is_not_asked_twice() -> None:
    renamed = replace(CHANGE, reviewers=(User("9", "bob.new"),), notes=CHANGE.notes[:1])
    found = told(changes.signals(renamed, CORE, "lab", ROOT), "review_requested")
    assert sorted(str(actor) for _, actor, _ in found) == ["8", "@bob.old", "@gone"]


def test_diff_notes_of_one_instant_are_one_review_and_an_approval_taken_back_is_dismissed() -> None:
    reviews = sorted((one for one in SIGNALS if one.kind == "reviewed"), key=lambda one: one.at)
    assert [(one.actor, one.detail["state"], one.detail["comments"], one.detail["previous"]) for one in reviews] == [
        ("8", "commented", 2, None),
        ("8", "changes_requested", 0, None),
        ("8", "dismissed", 0, "approved"),
        ("8", "approved", 0, None),
    ]
    assert [one.value for one in reviews] == [2.0, 0.0, 0.0, 0.0]
    assert reviews[2].detail["dismissed"] == "2026-10-06T09:30:00+00:00"
    assert reviews[0].url == f"{CHANGE.url}#note_902"


def test_an_approval_with_remarks_of_the_same_second_is_one_review() -> None:
    lee = User("8", "lee")
    remarks = [
        Note("1", CHANGE.created, lee, "Hm", diff=True, thread="a"),
        Note("2", CHANGE.created, lee, "Ha", diff=True, thread="b"),
    ]
    approval = Note("3", CHANGE.created + timedelta(milliseconds=700), lee, "approved this merge request", system=True)
    found = changes.signals(replace(CHANGE, notes=(approval, *remarks)), CORE, "lab", ROOT)
    review = only(found, "reviewed")
    assert (review.detail["state"], review.value, review.key) == ("approved", 2.0, "reviewed:1")
    assert not told(found, "commented")


def test_a_push_that_resets_approvals_dismisses_them() -> None:
    found = noted(
        (1, "approved this merge request"), (2, "reset approvals from @ada and @bob by pushing to the branch")
    )
    assert only(found, "reviewed").detail["previous"] == "approved"


def test_replies_and_plain_notes_are_comments() -> None:
    assert told(SIGNALS, "commented") == [
        ("commented", "7", "05 10:20"),
        ("commented", None, "05 13:00"),
        ("commented", "50", "05 13:10"),
    ]
    reply, plain, bot = sorted((one for one in SIGNALS if one.kind == "commented"), key=lambda one: one.at)
    assert (reply.detail["inline"], plain.detail["inline"]) == (True, False)
    assert (plain.mark, bot.mark) == ("ghost", "bot")


def test_a_title_and_a_note_tell_one_turn_of_a_draft() -> None:
    assert told(SIGNALS, "change_ready", "change_drafted") == [("change_ready", "7", "05 12:00")]
    assert only(SIGNALS, "change_ready").key == "change_ready:note:906"


WIP, NO_WIP = "marked as a **Work In Progress**", "unmarked as a **Work In Progress**"
DRAFT, READY = "marked this merge request as **draft**", "marked this merge request as **ready**"


@pytest.mark.parametrize(
    ("notes", "drafted", "turns"),
    [
        ([], False, ["change_ready 09"]),
        ([(2, WIP), (3, NO_WIP)], False, ["change_ready 09", "change_drafted 11", "change_ready 12"]),
        ([(2, NO_WIP)], True, ["change_ready 11"]),
        ([(2, "changed title from **Fix** to **{+WIP: +}Fix**")], False, ["change_ready 09", "change_drafted 11"]),
        ([(2, "changed title from **Fix** to **Mend**")], False, ["change_ready 09"]),
        ([(0, DRAFT), (5, READY)], True, ["change_ready 14"]),
        ([(2, READY), (2, READY)], True, ["change_ready 11"]),
    ],
)
def test_draft_periods_follow_from_notes_of_all_times(
    notes: list[tuple[float, str]], drafted: bool, turns: list[str]
) -> None:
    found = noted(*notes)
    assert [f"{kind} {when[3:5]}" for kind, _, when in told(found, "change_ready", "change_drafted")] == turns
    assert only(found, "change_opened").detail["draft"] is drafted


def test_an_open_draft_without_notes_has_never_been_ready() -> None:
    found = noted(draft=True)
    assert only(found, "change_opened").detail["draft"] is True
    assert not told(found, "change_ready")


def test_commits_know_their_author_or_fall_to_the_changes() -> None:
    linked, other = (one for one in SIGNALS if one.kind == "commits_pushed")
    assert (linked.actor, linked.detail["linked"], linked.detail["authored"]) == (
        "7",
        True,
        "2026-10-04T08:00:00+00:00",
    )
    assert (other.actor, other.detail["linked"]) == ("7", False)
    assert f"{linked.at:%d %H:%M}" == "05 08:30"


def test_all_pipelines_of_a_head_are_one_run_and_a_running_one_is_none() -> None:
    checks = only(SIGNALS, "checks_completed")
    assert checks.detail == {"conclusion": "failure", "attempt": 1, "sha": "bbbb111122223333444455556666777788889999"}
    assert f"{checks.at:%H:%M}" == "09:20"
    assert checks.url.endswith("/-/pipelines/71")


def test_a_merge_tells_size_commit_and_causes() -> None:
    merged = only(SIGNALS, "change_merged")
    assert (merged.actor, merged.value, merged.detail["merged_by"]) == ("7", 17.0, "8")
    assert merged.detail["files"] == [["src/a.py", 10, 2], ["src/b.py", 0, 5]]
    assert merged.detail["files_complete"] is True
    assert merged.detail["sha"] == "aaaa111122223333444455556666777788889999"
    assert merged.detail["causes"] == [
        {"to": "lab:platform/core!8", "text": "This is a regression from !8."},
        {"to": "1234567890ab", "text": "Fixes: 1234567890ab"},
    ]
    assert not told(SIGNALS, "change_closed")


def test_a_fast_forward_landed_as_its_head() -> None:
    found = changes.signals(replace(CHANGE, landed=None), CORE, "lab", ROOT)
    assert only(found, "change_merged").detail["sha"] == CHANGE.head


def test_hidden_files_make_the_list_incomplete() -> None:
    node = payload("merge_request_graphql") | {"diffStats": None}
    merged = only(changes.signals(from_graphql.change(node), CORE, "lab", ROOT), "change_merged")
    assert (merged.value, merged.detail["files_complete"]) == (0.0, False)


def test_a_row_of_rest_tells_the_same_things() -> None:
    change = from_rest.change(payload("merge_request_rest"))
    found = changes.signals(change, CORE, "lab", ROOT)
    opened, closed = only(found, "change_opened"), only(found, "change_closed")
    assert (opened.detail["issues"], opened.detail["draft"], opened.detail["default_branch"]) == ([], True, False)
    assert (closed.actor, closed.at.isoformat()) == ("8", "2026-10-07T11:00:00.400000+00:00")
    assert not told(found, "change_merged")


def test_closings_and_reopenings_come_from_events_and_from_the_notes_of_old_versions() -> None:
    hour = timedelta(hours=1)
    told_by_notes = noted((1, "closed"), (2, "Status changed to reopened"), (3, "closed via commit 12345678"))
    found = [kind for kind, *_ in told(told_by_notes, "change_closed", "change_reopened")]
    assert found == ["change_closed", "change_reopened", "change_closed"]
    lee = User("8", "lee")
    events = (
        Transition("closed", CHANGE.created + hour, lee),
        Transition("reopened", CHANGE.created + 2 * hour, lee),
    )
    note = Note("5", CHANGE.created + hour + timedelta(seconds=2), None, "closed", system=True)
    last = Transition("closed", CHANGE.created + 4 * hour, lee)
    both = replace(CHANGE, merged=None, transitions=events, notes=(note,), closed=last)
    assert told(changes.signals(both, CORE, "lab", ROOT), "change_closed", "change_reopened") == [
        ("change_closed", "8", "05 10:00"),
        ("change_reopened", "8", "05 11:00"),
        ("change_closed", "8", "05 13:00"),
    ]


def test_an_old_merge_is_known_by_its_note() -> None:
    assert told(noted((3, "merged"), state="merged"), "change_merged") == [("change_merged", "7", "05 12:00")]


def test_a_deleted_author_is_nobody() -> None:
    for author in (None, User("99", "ghost")):
        opened = only(changes.signals(replace(CHANGE, author=author), CORE, "lab", ROOT), "change_opened")
        assert (opened.actor, opened.mark) == (None, "ghost")


def test_accounts_are_those_whom_the_payload_names() -> None:
    found = {account.login: (account.id, account.mark) for account in changes.accounts(CHANGE, "lab")}
    assert found == {
        "ada.new": ("7", ""),
        "lee": ("8", ""),
        "ghost": ("99", "ghost"),
        "group_3_bot_17ac": ("50", "bot"),
    }
