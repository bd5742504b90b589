from __future__ import annotations

import json

import pytest

from pipmetrics_jira import bookmarks
from pipmetrics_jira.bookmarks import HOUR, OVERLAP, Mark, Walk

DAY = 24 * HOUR
NOW = 1_790_000_000_000


def test_a_walk_and_a_mark_are_the_same_after_they_were_kept() -> None:
    walk = Walk(("PAY", "LAB"), NOW, NOW + 1, NOW + 2, NOW + 3, None, {"PAY": NOW})
    mark = Mark(NOW, NOW + 1, NOW + 2)
    assert bookmarks.walk(json.loads(json.dumps(walk.kept()))) == walk
    assert bookmarks.mark(json.loads(json.dumps(mark.kept()))) == mark


@pytest.mark.parametrize("kept", [None, {}, [], "x", {"projects": ["PAY"]}])
def test_what_is_no_walk_or_mark_is_none(kept: object) -> None:
    assert bookmarks.walk(kept) is None
    assert bookmarks.mark(kept) is None


def test_the_next_reading_begins_two_days_before_the_mark() -> None:
    assert bookmarks.lower(Mark(NOW - 90 * DAY, NOW, NOW), NOW - 80 * DAY) == NOW - OVERLAP == NOW - 2 * DAY
    assert bookmarks.lower(None, NOW) == NOW


def test_a_history_that_reaches_further_back_begins_there() -> None:
    assert bookmarks.lower(Mark(NOW - 90 * DAY, NOW, NOW), NOW - 91 * DAY) == NOW - 91 * DAY
    assert bookmarks.lower(Mark(NOW - 90 * DAY, NOW, NOW), NOW - 90 * DAY - HOUR // 2) == NOW - OVERLAP


def test_a_mark_stands_at_the_newest_update_never_past_the_start_of_its_walk() -> None:
    walk = Walk(("PAY",), NOW - DAY, started=NOW, newest=NOW - HOUR, seen={"PAY": NOW - HOUR})
    assert bookmarks.finished(walk, None, "PAY") == Mark(NOW - DAY, NOW - HOUR, NOW - HOUR)
    long = Walk(("PAY",), NOW - DAY, started=NOW, newest=NOW + 5 * DAY, seen={"PAY": NOW + 5 * DAY})
    assert bookmarks.finished(long, None, "PAY") == Mark(NOW - DAY, NOW, NOW + 5 * DAY)


def test_a_mark_never_passes_what_could_not_be_read() -> None:
    walk = Walk(("PAY",), NOW - DAY, started=NOW, newest=NOW, held=NOW - 5 * HOUR, seen={"PAY": NOW})
    found = bookmarks.finished(walk, None, "PAY")
    assert found is not None
    assert found.since == NOW - 5 * HOUR


def test_a_project_that_never_gave_an_issue_has_no_mark() -> None:
    assert bookmarks.finished(Walk(("PAY",), NOW, started=NOW, newest=NOW, seen={"LAB": NOW}), None, "PAY") is None


def test_a_quiet_project_moves_on_with_the_walk_and_keeps_its_last_update() -> None:
    before = Mark(NOW - 90 * DAY, NOW - 9 * DAY, NOW - 20 * DAY)
    walk = Walk(("PAY", "LAB"), NOW - 11 * DAY, started=NOW, newest=NOW - HOUR, seen={"LAB": NOW - HOUR})
    assert bookmarks.finished(walk, before, "PAY") == Mark(NOW - 90 * DAY, NOW - HOUR, NOW - 20 * DAY)


def test_a_walk_that_met_nothing_moves_nothing() -> None:
    before = Mark(NOW - 90 * DAY, NOW - 9 * DAY, NOW - 20 * DAY)
    assert bookmarks.finished(Walk(("PAY",), NOW - 11 * DAY, started=NOW), before, "PAY") == before


def test_a_walk_remembers_the_newest_update_of_each_project_and_the_oldest_hole() -> None:
    walk = bookmarks.noted(Walk(("PAY",), NOW), {"PAY": NOW + 5}, NOW + 3)
    walk = bookmarks.noted(walk, {"PAY": NOW + 2, "LAB": NOW + 1}, None)
    assert (walk.seen, walk.newest, walk.held) == ({"PAY": NOW + 5, "LAB": NOW + 1}, NOW + 5, NOW + 3)
    assert bookmarks.noted(walk, {}, NOW + 1).held == NOW + 1
