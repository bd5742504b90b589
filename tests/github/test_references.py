"""What branches, titles, bodies and commit messages refer to."""

from __future__ import annotations

import pytest

from pipmetrics_github.references import Place, causes, mentioned, reverted

HERE = Place("hub", "acme/api", "main", "https://github.com/acme/api")
SHA = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PAY-12: round half up", ["PAY-12"]),
        ("feature/PAY-12-round", ["PAY-12"]),
        ("ada_PAY-12_x", ["PAY-12"]),
        ("see #4 and #5, again #4", ["hub:acme/api#4", "hub:acme/api#5"]),
        ("GH-9 gh-10", ["hub:acme/api#9", "hub:acme/api#10"]),
        ("acme/web#7", ["hub:acme/web#7"]),
        ("https://github.com/acme/web/issues/8?x=1#issuecomment-5", ["hub:acme/web#8"]),
        ("https://github.com/acme/web/pull/8/files", ["hub:acme/web#8"]),
        ("https://elsewhere.example/acme/web/issues/8#3", []),
        ("color: #123abc, a#4b, C#7x, &#39; PAY-0 #0", []),
        ("pay-12 xPAY-12 PAY-12a", []),
        ('Revert "PAY-12: round (#4)"', []),
        ('Revert "Revert "PAY-12""', []),
        ('Revert "PAY-12: round" because of PAY-13', ["PAY-13"]),
        ("<!-- e.g. Fixes #123 PAY-1 -->\nPAY-2", ["PAY-2"]),
        ("<!-- never closed PAY-1", []),
        ("Reverts acme/api#4", []),
        ("", []),
    ],
)
def test_mentions_are_found_and_nothing_else(text: str, expected: list[str]) -> None:
    assert mentioned([text], HERE) == expected


def test_mentions_of_several_texts_come_once_in_their_order() -> None:
    assert mentioned(["PAY-2", "PAY-1 PAY-2", "#3"], HERE) == ["PAY-2", "PAY-1", "hub:acme/api#3"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Reverts acme/api#4", ["hub:acme/api#4"]),
        ("Reverts #4", ["hub:acme/api#4"]),
        ("reverts acme/web#4.", ["hub:acme/web#4"]),
        ("Reverts https://github.com/acme/api/pull/4", ["hub:acme/api#4"]),
        (f'Revert "x"\n\nThis reverts commit {SHA}.', [SHA]),
        ("This reverts commit a1b2c3d.", ["a1b2c3d"]),
        ("This reverts commit a1b2c3.", []),
        ("It never reverts to the old way", []),
        ("<!-- Reverts #4 -->", []),
    ],
)
def test_reverts_are_known_by_number_and_by_commit(text: str, expected: list[str]) -> None:
    assert reverted([text], HERE) == expected


def test_taking_back_an_own_commit_reverts_nothing() -> None:
    assert reverted([f"This reverts commit {SHA[:9]}."], HERE, own=[SHA]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("caused by #4", "hub:acme/api#4"),
        ("This was Caused by acme/web#4, sadly", "hub:acme/web#4"),
        ("Regression from #4", "hub:acme/api#4"),
        ("regression from: https://github.com/acme/api/pull/4", "hub:acme/api#4"),
        ("Fixes: a1b2c3d", "a1b2c3d"),
        (f"  Fixes: {SHA}  ", SHA),
    ],
)
def test_causes_are_found_with_the_line_that_says_so(text: str, expected: str) -> None:
    assert causes([f"Hello\n{text}\nBye"], HERE) == [{"to": expected, "text": text.strip()}]


@pytest.mark.parametrize(
    "text",
    [
        "Fixes: a1b2c3",
        "Fixes: a1b2c3d and more",
        "see Fixes: a1b2c3d",
        "Fixes #4",
        "caused by rain",
        "<!-- caused by #4 -->",
    ],
)
def test_what_only_looks_like_a_cause_is_none(text: str) -> None:
    assert causes([text], HERE) == []


def test_a_long_line_is_cut_and_each_target_comes_once() -> None:
    found = causes(["caused by #4 " + "x" * 500 + "\ncaused by #4\ncaused by #5"], HERE)
    assert [cause["to"] for cause in found] == ["hub:acme/api#4", "hub:acme/api#5"]
    assert len(found[0]["text"]) == 200
