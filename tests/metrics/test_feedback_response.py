"""Feedback response: from requested changes to whatever the author did next."""

from __future__ import annotations

from typing import Any

import pytest

from pipmetrics.model import Signal

from .builders import (
    accounts,
    commented,
    instant,
    measured,
    merged,
    opened,
    pushed,
    requested,
    reviewed,
    rows,
    turned,
)

ONE = "hub:acme/api#1"
ASK = reviewed(ONE, "bob", "2026-03-02 09:00", "changes_requested", comments=2)


def told(*signals: Signal, **more: Any) -> list[tuple[Any, ...]]:
    """(value, state, reason) of each row on a change of ada's."""
    life = [opened(ONE, "ada", "2026-03-02 08:00"), *signals]
    found = measured("feedback_response", life, **{"clock": "elapsed", **more})
    assert set(found["person"]) <= {"ada"}
    return rows(found, "value", "state", "reason")


@pytest.mark.parametrize("response", [
    pushed(ONE, "ada", "2026-03-02 11:30"),
    commented(ONE, "ada", "2026-03-02 11:30", inline=True),
    reviewed(ONE, "ada", "2026-03-02 11:30"),
    requested(ONE, "bob", "2026-03-02 11:30", requester="ada"),
    requested(ONE, "bob", "2026-03-02 11:30", requester="@Ada"),
])  # fmt: skip
def test_a_commit_comment_review_or_re_request_of_the_author_is_a_response(response: Signal) -> None:
    assert told(ASK, response) == [(2.5, "counted", "")]


@pytest.mark.parametrize("other", [
    pushed(ONE, "cyd", "2026-03-02 11:30"),
    commented(ONE, "bob", "2026-03-02 11:30"),
    requested(ONE, "cyd", "2026-03-02 11:30", requester="ada"),
    requested(ONE, "bob", "2026-03-02 11:30", requester="cyd"),
    requested(ONE, "bob", "2026-03-02 11:30", requester=None),
    pushed(ONE, "ada", "2026-03-02 08:30"),
    pushed("hub:acme/api#2", "ada", "2026-03-02 11:30"),
])  # fmt: skip
def test_what_others_do_and_what_came_before_is_none(other: Signal) -> None:
    assert told(ASK, other, as_of="2026-03-02 12:00") == [(3.0, "pending", "unanswered")]


def test_the_first_response_counts_and_is_the_evidence() -> None:
    signals = [opened(ONE, "ada", "2026-03-02 08:00"), ASK, requested(ONE, "bob", "2026-03-02 10:00", requester="ada"),
               pushed(ONE, "ada", "2026-03-02 11:00")]  # fmt: skip
    found = measured("feedback_response", signals, clock="elapsed")
    assert rows(found, "start", "end", "key", "evidence") == [
        (instant("2026-03-02 09:00"), instant("2026-03-02 10:00"), "s2", ("s2", "s3"))
    ]


def test_each_review_that_requests_changes_is_measured_and_a_dismissed_one_too() -> None:
    second = reviewed(ONE, "cyd", "2026-03-02 10:00", "dismissed", previous="changes_requested")
    assert told(ASK, second, pushed(ONE, "ada", "2026-03-02 11:00")) == [(2.0, "counted", ""), (1.0, "counted", "")]
    assert told(reviewed(ONE, "cyd", "2026-03-02 10:00", "approved"), reviewed(ONE, "cyd", "2026-03-02 10:00")) == []
    assert told(reviewed(ONE, "cyd", "2026-03-02 10:00", "dismissed", previous="approved")) == []


def test_a_close_without_response_is_withdrawn_and_reviews_after_it_are_not_measured() -> None:
    merge = merged(ONE, "ada", "2026-03-02 10:00")
    assert told(ASK, merge, commented(ONE, "ada", "2026-03-02 11:00")) == [(1.0, "excluded", "withdrawn")]
    assert told(merge, reviewed(ONE, "bob", "2026-03-02 11:00", "changes_requested")) == []
    undone = [turned("closed", ONE, "ada", "2026-03-02 10:00"), turned("reopened", ONE, "ada", "2026-03-02 10:30")]
    assert told(ASK, *undone, pushed(ONE, "ada", "2026-03-02 11:00")) == [(2.0, "counted", "")]


def test_within_one_second_the_response_comes_before_the_review_and_before_the_close() -> None:
    assert told(ASK, pushed(ONE, "ada", "2026-03-02 09:00:00.900"))[0][1:] == ("pending", "unanswered")
    answered = [pushed(ONE, "ada", "2026-03-02 10:00:00.900"), merged(ONE, "ada", "2026-03-02 10:00:00.100")]
    assert told(ASK, *answered)[0][1] == "counted"


def test_draft_time_counts_and_the_default_clock_is_working_days() -> None:
    drafted = turned("drafted", ONE, "ada", "2026-03-02 09:30")
    assert told(ASK, drafted, pushed(ONE, "ada", "2026-03-02 11:00")) == [(2.0, "counted", "")]
    friday = reviewed(ONE, "bob", "2026-03-06 17:00", "changes_requested")
    assert told(friday, pushed(ONE, "ada", "2026-03-09 10:00"), clock=None) == [(17.0, "counted", "")]


def test_a_bots_review_is_left_out_a_deleted_accounts_counts() -> None:
    bot = reviewed(ONE, "rob", "2026-03-02 09:00", "changes_requested", mark="bot")
    reply = pushed(ONE, "ada", "2026-03-02 10:00")
    assert told(bot, reply) == [(1.0, "excluded", "bot")]
    assert told(bot, reply, include=["bot"]) == [(1.0, "counted", "")]
    ghost = reviewed(ONE, None, "2026-03-02 09:00", "changes_requested", mark="ghost")
    assert told(ghost, reply) == [(1.0, "counted", "")]
    assert told(reviewed(ONE, "ada", "2026-03-02 09:00", "changes_requested"), reply) == [(1.0, "excluded", "own")]


def test_a_change_of_an_outsider_has_no_rows() -> None:
    signals = [opened(ONE, "eve", "2026-03-02 08:00"), ASK, pushed(ONE, "eve", "2026-03-02 10:00")]
    assert rows(measured("feedback_response", signals), "key") == []
    assert "eve" not in set(accounts()["id"])
