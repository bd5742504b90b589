"""The details that the checks know are those of docs/signals.md, and their shapes are held to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipmetrics.model import SIGNAL_KINDS
from pipmetrics.testing.connectors import DERIVED
from pipmetrics.testing.vocabulary import DETAILS, wrong_in

SIGNALS = Path(__file__).parents[2] / "docs" / "signals.md"
ROW = re.compile(r"^\| `(?P<kind>\w+)` \|(?P<cells>.*)\|$", re.MULTILINE)


def documented() -> dict[str, set[str]]:
    """The keys of each kind's detail as docs/signals.md lists them: names in backquotes that do not stand in
    parentheses, brackets or after a colon."""
    found = {}
    for row in ROW.finditer(SIGNALS.read_text(encoding="utf-8")):
        if row["kind"] in SIGNAL_KINDS:
            detail = row["cells"].split("|")[-1]
            flat = re.sub(r"\([^()]*\)", "", detail)
            while flat != (flat := re.sub(r"\[[^\[\]]*\]", "", flat)):
                pass
            flat = re.sub(r":[^;|]*", "", flat)
            found[row["kind"]] = set(re.findall(r"`(\w+)`", flat))
    return found


def test_every_kind_and_every_key_of_the_page_is_known_and_no_other() -> None:
    pages = documented()
    assert set(pages) == SIGNAL_KINDS
    known = {kind: set(keys) for kind, keys in DETAILS.items()}
    assert {kind: pages[kind] for kind in known} == known
    assert set(pages) - set(known) == DERIVED


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("change_opened", "draft", 1),
        ("change_opened", "labels", ["a", 1]),
        ("change_opened", "title", None),
        ("change_merged", "files", [["a.py", 1]]),
        ("change_merged", "files", [["a.py", "1", 0]]),
        ("change_merged", "causes", [{"to": "hub:acme/api#1"}]),
        ("change_merged", "causes", [{"to": "hub:acme/api#1", "text": "x" * 201}]),
        ("reviewed", "state", "APPROVED"),
        ("reviewed", "comments", True),
        ("commits_pushed", "authored", "2026-03-02T09:00:00"),
        ("commits_pushed", "authored", "yesterday"),
        ("issue_status_changed", "to_category", "doing"),
        ("issue_done", "resolutions", [["2026-03-02T09:00:00Z", "Fixed", "Fixed"]]),
        ("issue_due_changed", "to", "02.03.2026"),
        ("issue_opened", "sprints", [{"id": 1, "name": "Sprint 1"}]),
    ],
)
def test_a_value_of_another_shape_is_told_with_what_belongs_there(kind: str, name: str, value: Any) -> None:
    wrong = [each for each in wrong_in(kind, {name: value}) if each.startswith(f"detail.{name} is not")]
    assert len(wrong) == 1


def test_what_may_be_null_may_be_left_out() -> None:
    assert wrong_in("review_requested", {}) == wrong_in("review_requested", {"requester": None, "team": None}) == []
