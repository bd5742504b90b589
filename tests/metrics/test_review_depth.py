"""Review depth, and which approvals the guardrail calls superficial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipmetrics.model import Signal

from .builders import SOURCES, commented, measured, merged, opened, requested, reviewed, rows, turned

ONE = "hub:acme/api#1"


def judged(*signals: Signal, lines: float = 51, draft: bool = False, **more: Any) -> list[tuple[bool, bool]]:
    """(considered, superficial) of each review of a change opened at 08:00 and merged on the next day."""
    life = [opened(ONE, "bob", "2026-03-02 08:00", draft=draft), merged(ONE, "bob", "2026-03-03 08:00", value=lines)]
    return rows(measured("review_depth", [*life, *signals], **more), "considered", "superficial")


def test_the_value_is_the_inline_comments_and_one_for_requested_changes() -> None:
    signals = [
        opened(ONE, "bob", "2026-03-02 08:00"),
        reviewed(ONE, "ada", "2026-03-02 09:00", "changes_requested", comments=3),
        reviewed(ONE, "ada", "2026-03-02 10:00", "commented", comments=2),
        reviewed(ONE, "ada", "2026-03-02 11:00", "approved"),
        reviewed(ONE, "ada", "2026-03-02 12:00", "dismissed", comments=1, previous="changes_requested"),
    ]
    assert rows(measured("review_depth", signals), "value", "state") == [(v, "counted") for v in (4.0, 2.0, 0.0, 2.0)]


def test_a_quick_approval_without_a_comment_of_a_large_change_is_superficial() -> None:
    ask = requested(ONE, "ada", "2026-03-02 09:00")
    assert judged(ask, reviewed(ONE, "ada", "2026-03-02 09:05", "approved")) == [(True, True)]
    assert judged(ask, reviewed(ONE, "ada", "2026-03-02 09:05:01", "approved")) == [(True, False)]
    assert judged(ask, reviewed(ONE, "ada", "2026-03-02 09:04", "commented")) == [(True, False)]
    assert judged(ask, reviewed(ONE, "ada", "2026-03-02 09:04", "approved", comments=1)) == [(True, False)]
    dismissed = reviewed(ONE, "ada", "2026-03-02 09:04", "dismissed", previous="approved")
    assert judged(ask, dismissed) == [(True, True)]


def test_a_change_of_fifty_lines_or_of_unknown_size_is_not_considered() -> None:
    quick = [requested(ONE, "ada", "2026-03-02 09:00"), reviewed(ONE, "ada", "2026-03-02 09:01", "approved")]
    assert judged(*quick, lines=50) == [(False, False)]
    still_open = measured("review_depth", [opened(ONE, "bob", "2026-03-02 08:00"), *quick])
    assert rows(still_open, "considered", "state") == [(False, "counted")]


def test_generated_lines_do_not_make_a_change_large() -> None:
    sources = {"hub": replace(SOURCES["hub"], generated=("src/*",))}
    quick = [requested(ONE, "ada", "2026-03-02 09:00"), reviewed(ONE, "ada", "2026-03-02 09:01", "approved")]
    assert judged(*quick, lines=500, sources=sources) == [(False, False)]


def test_a_comment_that_the_reviewer_wrote_before_saves_the_approval() -> None:
    ask, approval = requested(ONE, "ada", "2026-03-02 09:00"), reviewed(ONE, "ada", "2026-03-02 09:03", "approved")
    assert judged(ask, commented(ONE, "ada", "2026-03-02 09:02"), approval) == [(True, False)]
    assert judged(ask, commented(ONE, "cyd", "2026-03-02 09:02"), approval) == [(True, True)]
    assert judged(ask, approval, commented(ONE, "ada", "2026-03-02 09:04")) == [(True, True)]


def test_the_clock_starts_at_the_request_that_a_re_request_does_not_move() -> None:
    approval = reviewed(ONE, "ada", "2026-03-02 12:03", "approved")
    first, again = requested(ONE, "ada", "2026-03-02 09:00"), requested(ONE, "ada", "2026-03-02 12:00")
    assert judged(first, again, approval) == [(True, False)]
    assert judged(first, reviewed(ONE, "ada", "2026-03-02 10:00"), again, approval) == [(True, False), (True, True)]


def test_the_clock_starts_when_the_change_becomes_ready() -> None:
    ready = turned("ready", ONE, "bob", "2026-03-02 12:00")
    approval = reviewed(ONE, "ada", "2026-03-02 12:03", "approved")
    assert judged(requested(ONE, "ada", "2026-03-02 09:00"), ready, approval, draft=True) == [(True, True)]


@pytest.mark.parametrize(("at", "superficial"), [("2026-03-02 08:05", True), ("2026-03-02 08:06", False)])
def test_without_a_request_it_starts_at_the_opening(at: str, superficial: bool) -> None:
    assert judged(reviewed(ONE, "ada", at, "approved")) == [(True, superficial)]


def test_reviews_of_own_and_bots_changes_are_left_out_and_not_considered() -> None:
    for author, mark, reason in [("ada", "", "own"), ("rob", "bot", "bot")]:
        life = [opened(ONE, author, "2026-03-02 08:00", mark=mark), merged(ONE, author, "2026-03-02 09:00", value=99)]
        signals = [*life, reviewed(ONE, "ada", "2026-03-02 08:01", "approved")]
        assert rows(measured("review_depth", signals), "reason", "considered") == [(reason, False)]
        assert rows(measured("review_depth", signals, include=[reason]), "reason", "considered") == [("", True)]
