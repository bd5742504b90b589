"""The wordings of system notes, of now and of former versions."""

from __future__ import annotations

import pytest

from pipmetrics_gitlab import notes

MANY = "requested review from @a, @b, and @c and removed review request for @d, @e, and @f"


@pytest.mark.parametrize(
    ("body", "requested", "removed"),
    [
        ("requested review from @a", ["a"], []),
        ("requested review from @a and @b.c-d_e", ["a", "b.c-d_e"], []),
        (MANY, ["a", "b", "c"], ["d", "e", "f"]),
        ("removed review request for @a", [], ["a"]),
        ("Requested review from @a.", ["a"], []),
        ("mentioned that somebody requested review from @a", [], []),
        ("assigned to @a", [], []),
    ],
)
def test_review_requests(body: str, requested: list[str], removed: list[str]) -> None:
    assert notes.review_requests(body) == (requested, removed)


@pytest.mark.parametrize(
    ("body", "added", "removed"),
    [
        ("assigned to @a", ["a"], []),
        ("assigned to @a, @b, and @c and unassigned @d and @e", ["a", "b", "c"], ["d", "e"]),
        ("unassigned @a", [], ["a"]),
        ("Reassigned to @a", ["a"], []),
    ],
)
def test_assignments(body: str, added: list[str], removed: list[str]) -> None:
    assert notes.assignment(body) == notes.Assignment(added, removed)


def test_taking_all_assignees_away() -> None:
    assert notes.assignment("removed assignee") == notes.Assignment([], [], nobody=True)
    assert notes.assignment("changed the description") is None


@pytest.mark.parametrize(
    ("body", "draft"),
    [
        ("marked this merge request as **draft**", True),
        ("marked this merge request as **draft** from 1234abcd", True),
        ("marked this merge request as **ready**", False),
        ("marked as a **Work In Progress**", True),
        ("marked as a **Work In Progress** from 1234abcd", True),
        ("unmarked as a **Work In Progress**", False),
        ("changed title from **Fix** to **Draft: Fix**", True),
        ("changed title from **[Draft] Fix** to **Fix**", False),
        ("changed title from **WIP: Fix** to **Draft: Fix**", None),
        ("changed title from **Drafting** to **Fixing**", None),
        ("approved this merge request", None),
    ],
)
def test_drafts(body: str, draft: bool | None) -> None:
    assert notes.draft(body) is draft


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("approved this merge request", "approved"),
        ("Approved this merge request", "approved"),
        ("unapproved this merge request", "unapproved"),
        ("requested changes", "changes_requested"),
        ("requested review from @a", None),
    ],
)
def test_reviews(body: str, said: str | None) -> None:
    assert notes.review(body) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("closed", "closed"),
        ("closed via merge request !4", "closed"),
        ("Status changed to closed by commit 1234abcd", "closed"),
        ("reopened", "reopened"),
        ("merged", "merged"),
        ("closed the discussion", None),
        ("changed the description", None),
    ],
)
def test_states(body: str, said: str | None) -> None:
    assert notes.state(body) == said


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("changed due date to September 20, 2018", (True, "2018-09-20")),
        ("changed due date to March 3, 2026 and removed start date", (True, "2026-03-03")),
        ("changed due date to 2026-03-03", (True, "2026-03-03")),
        ("removed due date", (True, None)),
        ("removed due date January 5, 2020", (True, None)),
        ("changed milestone to %4", (False, None)),
    ],
)
def test_due_dates(body: str, told: tuple[bool, str | None]) -> None:
    assert notes.due(body) == told


def test_other_notes_of_issues() -> None:
    assert notes.duplicate("marked this issue as a duplicate of #4")
    assert not notes.duplicate("marked #4 as a duplicate of this issue")
    assert notes.moved("moved to platform/tools#5")
    assert not notes.moved("moved from platform/tools#5")
    related = (
        "marked this issue as related to #4",
        "marked this issue as blocked by a/b#4",
        "removed the relation with #4",
    )
    assert all(map(notes.relation, related))
    assert not notes.relation("marked this issue as a duplicate of #4")
    assert notes.approvals_reset("reset approvals from @a and @b by pushing to the branch") == ["a", "b"]
