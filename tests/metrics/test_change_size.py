"""Change size: lines changed, generated files left out where the whole list is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from .builders import SOURCES, instant, measured, merged, rows

ONE = "hub:acme/api#1"
FILES = [["src/a.py", 30, 10], ["web/package-lock.json", 900, 100], ["yarn.lock", 5, 5], ["logo.png", 0, 0]]


def sizes(*generated: str, **detail: Any) -> list[float]:
    sources = SOURCES | {"hub": replace(SOURCES["hub"], generated=generated)}
    merge = merged(ONE, "ada", "2026-03-02 10:00", value=1050, **{"files": FILES, **detail})
    return rows(measured("change_size", [merge], sources=sources), "value")


@pytest.mark.parametrize(
    ("patterns", "lines"),
    [
        ((), 1050),
        (("*.lock",), 1040),
        (("*/package-lock.json", "*.lock"), 40),
        (("**/yarn.lock",), 1040),
        (("SRC/*",), 1050),
    ],
)
def test_files_that_match_a_generated_pattern_are_left_out(patterns: tuple[str, ...], lines: float) -> None:
    assert sizes(*patterns) == [lines]


def test_a_list_of_files_that_was_cut_gives_the_total() -> None:
    assert sizes("*.lock", files_complete=False) == [1050]
    assert sizes("*.lock", files=[]) == [1050]


def test_the_patterns_are_those_of_the_changes_own_source() -> None:
    sources = SOURCES | {"lab": replace(SOURCES["lab"], generated=("*",))}
    both = [
        merged(ONE, "ada", "2026-03-02 10:00", value=7),
        merged("lab:core/app!1", "ada", "2026-03-02 11:00", value=7),
    ]
    assert rows(measured("change_size", both, sources=sources), "source", "value") == [("hub", 7.0), ("lab", 0.0)]


def test_the_row_stands_at_the_merge_and_merges_elsewhere_have_none() -> None:
    merge = merged(ONE, "ada", "2026-03-02 10:00", value=7)
    found = measured("change_size", [merge, merged("hub:acme/api#2", "ada", "2026-03-02 10:00", default_branch=False)])
    at = instant("2026-03-02 10:00")
    assert rows(found, "start", "end", "unit", "evidence") == [(at, at, "lines", ("s1",))]
