"""Unreviewed merges: whose look counts, and until when."""

from __future__ import annotations

import pytest

from pipmetrics.model import Signal

from .builders import commented, measured, merged, reviewed, rows

ONE = "hub:acme/api#1"
MERGE = merged(ONE, "ada", "2026-03-02 10:00:00.200", key="merge")


def value(*signals: Signal) -> float:
    found: list[float] = rows(measured("unreviewed_merges", [MERGE, *signals]), "value")
    return found[0]


@pytest.mark.parametrize("state", ["approved", "changes_requested", "commented", "dismissed"])
def test_a_review_of_any_state_by_somebody_else_counts(state: str) -> None:
    assert value(reviewed(ONE, "bob", "2026-03-02 09:00", state)) == 0.0
    assert value(reviewed(ONE, "eve", "2026-03-02 09:00", state)) == 0.0


def test_a_deleted_accounts_review_counts_a_bots_and_the_authors_own_do_not() -> None:
    assert value(reviewed(ONE, None, "2026-03-02 09:00", mark="ghost")) == 0.0
    assert value(reviewed(ONE, "rob", "2026-03-02 09:00", mark="bot")) == 1.0
    assert value(reviewed(ONE, "ada", "2026-03-02 09:00")) == 1.0
    assert value(reviewed(ONE, "@ADA", "2026-03-02 09:00")) == 1.0


def test_plain_comments_other_changes_and_reviews_after_the_merge_do_not_count() -> None:
    assert value() == 1.0
    assert value(commented(ONE, "bob", "2026-03-02 09:00")) == 1.0
    assert value(reviewed("hub:acme/api#2", "bob", "2026-03-02 09:00")) == 1.0
    assert value(reviewed(ONE, "bob", "2026-03-02 10:00:01")) == 1.0


def test_a_review_in_the_second_of_the_merge_is_no_later() -> None:
    assert value(reviewed(ONE, "bob", "2026-03-02 10:00:00.900")) == 0.0


def test_the_first_review_is_the_evidence() -> None:
    signals = [MERGE, reviewed(ONE, "bob", "2026-03-02 09:30"), reviewed(ONE, "cyd", "2026-03-02 09:00")]
    found = measured("unreviewed_merges", signals)
    assert rows(found, "key", "unit", "state", "evidence") == [("merge", "share", "counted", ("merge", "s3"))]


def test_merges_elsewhere_have_no_rows() -> None:
    assert (
        rows(measured("unreviewed_merges", [merged(ONE, "ada", "2026-03-02 10:00", default_branch=False)]), "key") == []
    )
