"""References, closing words, reverts and causes in texts."""

from __future__ import annotations

import pytest

from pipmetrics_gitlab import texts

PLACE = texts.Place("lab", "platform/core", "https://gitlab.example.com")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#4, (#5) and #6.", ["lab:platform/core#4", "lab:platform/core#5", "lab:platform/core#6"]),
        ("tools#7 platform/tools#8 a/b/c#9", ["lab:platform/tools#7", "lab:platform/tools#8", "lab:a/b/c#9"]),
        ("PAY-12 and [PAY-13], not pay-14", ["PAY-12", "PAY-13"]),
        ("feature/PAY-12_round", ["PAY-12"]),
        ("https://gitlab.example.com/a/b/-/issues/3", ["lab:a/b#3"]),
        ("see https://gitlab.example.com/a/b/issues/4#note_5", ["lab:a/b#4"]),
        ("https://gitlab.example.com/a/b/-/work_items/6", ["lab:a/b#6"]),
        ("https://elsewhere.example.com/a/b/-/issues/3", []),
        ("https://acme.atlassian.net/browse/PAY-77?x=1#2", ["PAY-77"]),
        ("&#39; #0 a#b ##5 !8 12", []),
        ('Revert "Add #5 for PAY-1"', []),
        ('Revert "Revert "Add #5""\n\nFixes #6', ["lab:platform/core#6"]),
        ("#4 #4 #04", ["lab:platform/core#4"]),
    ],
)
def test_issues_are_found_where_they_are_mentioned(text: str, found: list[str]) -> None:
    assert texts.mentioned([text], PLACE) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Closes #4", ["lab:platform/core#4"]),
        ("This fixes: #4, #5 and a/b#6, see #7", ["lab:platform/core#4", "lab:platform/core#5", "lab:a/b#6"]),
        ("Resolving issue #4", ["lab:platform/core#4"]),
        ("implements https://gitlab.example.com/a/b/-/issues/3", ["lab:a/b#3"]),
        ("Fixed PAY-3", ["PAY-3"]),
        ("Related to #4; encloses #5", []),
        ("Fixes: 1234567890ab", []),
        ('Revert "Closes #4"', []),
    ],
)
def test_closing_words_close(text: str, found: list[str]) -> None:
    assert texts.closed([text], PLACE) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("This reverts merge request !123", ["lab:platform/core!123"]),
        ("This reverts merge request platform/tools!4", ["lab:platform/tools!4"]),
        ("Reverts !5", ["lab:platform/core!5"]),
        ("reverts #6", ["lab:platform/core!6"]),
        ("This reverts merge request https://gitlab.example.com/a/b/-/merge_requests/7", ["lab:a/b!7"]),
        ("This reverts commit 0123456789ABCDEF, reversing", ["0123456789abcdef"]),
        ("This reverts commit 012345", []),
        ("It reverts nothing, see !8", []),
    ],
)
def test_reverts_are_found(text: str, found: list[str]) -> None:
    assert texts.reverted([text], PLACE) == found


def test_taking_back_ones_own_commit_reverts_nothing() -> None:
    assert texts.reverted(["This reverts commit 0123456789"], PLACE, own=["0123456789abcdef"]) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Caused by !4", ["lab:platform/core!4"]),
        ("It is a Regression From: #5.", ["lab:platform/core#5"]),
        ("caused by platform/tools!6 and more", ["lab:platform/tools!6"]),
        ("caused by https://gitlab.example.com/a/b/-/merge_requests/7", ["lab:a/b!7"]),
        ("Fixes: 0123456", ["0123456"]),
        ('  fixes: 0123456789abcdef ("Add it")', ["0123456789abcdef"]),
        ("Fixes: 012345", []),
        ("This Fixes: 0123456", []),
        ("Fixes: #4", []),
        ("caused by haste", []),
    ],
)
def test_causes_are_found_with_their_line(text: str, found: list[str]) -> None:
    causes = texts.causes([f"Before\n{text}\nafter"], PLACE)
    assert [cause["to"] for cause in causes] == found
    assert all(cause["text"] == text.strip() for cause in causes)


def test_the_evidence_is_at_most_200_characters() -> None:
    (cause,) = texts.causes([f"caused by !4 {'x' * 500}"], PLACE)
    assert len(cause["text"]) == 200
