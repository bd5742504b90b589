"""The evidence as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from pipmetrics.digest.evidence import COLUMNS, cell, render, safe
from tests.digest import gallery


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(gallery.digest(), gallery.points()))))


def test_every_point_of_every_criterion_is_a_line_left_out_ones_included() -> None:
    given = gallery.points()
    shown = {card.plan for card in gallery.digest().cards}
    expected = sum(len(points) for (plan, _), points in given.items() if plan in shown)
    assert len(rows()) == expected
    assert {row["standing"] for row in rows()} == {"counted", "late", "pending", "left out"}
    assert {row["reason"] for row in rows()} >= {"withdrawn", "unanswered"}


def test_each_line_says_of_which_plan_and_where_it_came_from() -> None:
    first = rows()[0]
    assert tuple(first) == COLUMNS
    assert first["plan"] == "aguilar-2026-q4"
    assert first["url"].startswith("https://git.example.com/payments/api/pull/")


def test_numbers_are_full_and_stay_numbers() -> None:
    row = next(row for row in rows() if row["key"] == "RR_1")
    assert float(row["value"]) == gallery.points()["aguilar-2026-q4", "reviews-24h"][1]["value"]
    assert cell(-1.5) == -1.5
    assert cell(None) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "\uff1d1", " =1", "  x", "\u200b=1", "\ufeff=1"),
        *("\x00=1", "\u3000=1"),
    ],
)
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe(text).startswith("'")


@pytest.mark.parametrize("text", ["", "hub:acme/api#4", "2026-11-20T10:00:00Z", "a=b", "10:30", "Zoë", "2 + 2"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert safe(text) == text


def test_a_line_break_does_not_make_a_line() -> None:
    assert safe("a\r\nb\x1b[2J") == "a b[2J"
