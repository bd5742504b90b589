from __future__ import annotations

import pytest

from pipmetrics_jira.texts import LONGEST, causes


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("Caused by acme/api#41", "acme/api#41"),
        ("caused by: platform/group/core!7.", "platform/group/core!7"),
        ("caused by core!7", "core!7"),
        ("It is a REGRESSION FROM PAY-3, says Lee", "PAY-3"),
        ("regression from pay-3", "PAY-3"),
        ("Caused by *PAY-8*", "PAY-8"),
        ("caused by https://git.example.com/acme/api/pull/41.", "https://git.example.com/acme/api/pull/41"),
        ("Fixes: 0123abc", "0123abc"),
        ("  fixes: 89ABCDEF0123456789abcdef0123456789abcdef  ", "89ABCDEF0123456789abcdef0123456789abcdef"),
    ],
)
def test_a_cause_is_named_in_many_ways(text: str, to: str) -> None:
    assert [each["to"] for each in causes(["First line.\n" + text])] == [to]


@pytest.mark.parametrize(
    "text",
    [
        "caused by #41",
        "caused by the weather",
        "because of PAY-3",
        "Fixes: 012345",
        "Fixes: 0123abc and more",
        "This fixes: 0123abc",
        "Fixes: not-a-sha",
        "",
    ],
)
def test_what_names_nothing_is_no_cause(text: str) -> None:
    assert causes([text]) == []


def test_each_reference_comes_once_with_the_line_that_names_it_first() -> None:
    told = causes(["caused by PAY-3 and caused by PAY-4", "Caused by PAY-3 " + "x" * 300])
    assert [each["to"] for each in told] == ["PAY-3", "PAY-4"]
    assert told[0]["text"] == "caused by PAY-3 and caused by PAY-4"
    assert len(causes(["Caused by PAY-3 " + "x" * 300])[0]["text"]) == LONGEST
