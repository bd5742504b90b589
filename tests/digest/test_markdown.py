"""The digest as Markdown."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from pipmetrics.digest.markdown import escape, render
from tests.digest import gallery

PAGE = render(gallery.digest(), gallery.points())


def test_every_number_comes_with_range_sample_target_before_and_projection() -> None:
    (line,) = [line for line in PAGE.splitlines() if "30 of 32 reviews" in line]
    for said in ("**94%**", "80–99%", "90% (within 24 h", "62% (90 days, n 71)", "likely 84–99%", "W45 89%"):
        assert said in line


def test_support_check_ins_disputes_and_care_stand_beside_it() -> None:
    for said in (
        "Mentor: two hours a week, Sol: overdue since 20 Nov",
        "W46, 12 Nov: missed",
        "asked while leading an incident",
        "Time off 12–15 Nov left out",
        "## Needs you this week",
        "A named person decides.",
    ):
        assert said in PAGE


def test_points_are_linked_and_say_why_they_were_left_out() -> None:
    assert "[payments/api\\#4004](<https://git.example.com/payments/api/pull/4004>)" in PAGE.replace("api#", "api\\#")
    assert "Withdrawn, merged or closed" in PAGE


def test_without_points_there_is_no_evidence() -> None:
    assert "Evidence" not in render(gallery.digest())


def test_it_is_one_document_of_tables_and_lists() -> None:
    kinds = {token.type for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(PAGE)}
    assert {"table_open", "ordered_list_open", "bullet_list_open", "heading_open"} <= kinds
    assert not kinds & {"html_block", "code_block", "fence"}


@pytest.mark.parametrize(
    "text",
    [
        *("# x", "- x", "+ x", "> x", "1. x", "12) x", "= x", "---", "| x", "* x", "`x`", "[x](y)", "<b>", "~~x~~"),
        "&amp;",
    ],
)
def test_marks_are_shown_as_they_were_written(text: str) -> None:
    (block,) = [
        token for token in MarkdownIt("commonmark").enable("strikethrough").parse(escape(text)) if token.children
    ]
    assert "".join(child.content for child in block.children or ()) == text
