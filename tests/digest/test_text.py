"""The digest in a terminal."""

from __future__ import annotations

import pytest

from pipmetrics.digest.text import WIDTH, render
from pipmetrics.digest.words import clean
from tests.digest.sample import criterion, digest, evaluation

VERDICTS = ("met", "on_track", "at_risk", "off_track", "inconclusive", "not_met", "not_enough_data")


def test_no_line_is_wider_than_the_terminal() -> None:
    text = render(digest(evaluation(*(criterion(verdict=verdict) for verdict in VERDICTS))))
    assert max(map(len, text.splitlines())) <= WIDTH


def test_value_range_sample_target_before_change_and_projection_come_together() -> None:
    text = render(digest())
    for said in ("83%", "59–96%", "n 18", "90%", "41%", "n 37", "5 points", "better", "88%", "70–96%", "▅█"):
        assert said in text


def test_the_verdict_is_a_word_and_a_glyph() -> None:
    text = render(digest(evaluation(*(criterion(verdict=verdict) for verdict in VERDICTS))))
    for look in ("✓ Met", "→ On track", "◆ At risk", "■ Off track", "◆ Inconclusive", "■ Not met", "○ Not enough data"):
        assert look in text


def test_support_check_ins_and_disputes_stand_beside_the_numbers() -> None:
    text = render(digest())
    assert "✓ Pairing on test design (done 5 Nov, lee)" in text
    assert "! Course (overdue since 20 Nov, dana)" in text
    assert "4 of 4 held" in text
    assert "asked during an incident" in text
    assert "Time off 12–14 Nov left out" in text


def test_what_needs_the_reader_comes_first_and_overdue_promises_lead() -> None:
    lines = render(digest()).splitlines()
    start = lines.index("Needs you this week")
    assert "overdue" in lines[start + 1]
    assert lines.index(next(line for line in lines if "Ada Example  ─" in line)) > start


def test_a_plan_without_data_shows_no_number() -> None:
    empty = criterion(
        verdict="not_enough_data", value=None, n=0, interval=None, baseline=None, projection=None, change=None, weeks=[]
    )
    text = render(digest(evaluation(empty, verdict="not_enough_data", score=None)))
    assert "○ Not enough data" in text
    assert "None" not in text
    assert "nan" not in text


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x1b]0;title\x07", "\u202egnp", "a\rb", "x\x00y", "\x9b31m"])
def test_names_cannot_command_the_terminal(hostile: str) -> None:
    text = render(digest(name=f"Ada{hostile} Example"))
    assert hostile not in text
    assert clean(hostile) in text


def test_nothing_is_coloured_unless_asked() -> None:
    assert "\x1b" not in render(digest())
    assert "\x1b[" in render(digest(), colour=True)
