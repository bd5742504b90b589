"""REST payloads of the shapes that real ones have, through the stand-in: what was worked out by hand comes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipmetrics.demo.github import app
from pipmetrics.demo.github.payloads import world_of
from pipmetrics.demo.service import serve

PAYLOADS = Path(__file__).parent.parent / "payloads" / "github"
NAMES = ("pulls", "reviews", "review_comments", "issue_comments", "commits_by_pull", "issues", "issue_events")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def got(reader: Callable[..., Any]) -> Iterator[Any]:
    """A pull of the World that the payloads tell."""
    told = {name: json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES}
    world = world_of("acme/api", **told)
    world.token("secret-of-the-hub")
    with serve(app(world)) as service:
        made = reader()
        made.service, made.source = service, replace(made.source, url=service.url)
        yield made.pull(at(1, 0))


def test_every_change_and_issue_is_there_once(got: Any) -> None:
    assert sorted(got.groups) == [f"hub:acme/api#{n}" for n in (41, 42, 43, 44)]
    assert got.gaps == []


def test_reviews_are_those_that_were_submitted_each_once_with_their_inline_comments(got: Any) -> None:
    found = got.of("hub:acme/api#41", "reviewed")
    assert [(each.actor, each.mark, each.detail["state"], each.value, each.at) for each in found] == [
        ("13", "", "commented", 2.0, at(2, 9, 30)), ("11", "", "commented", 1.0, at(2, 10)),
        (None, "ghost", "approved", 0.0, at(3, 11)),
    ]  # fmt: skip
    [review] = got.of("hub:acme/api#42", "reviewed")
    assert (review.actor, review.detail["state"]) == ("13", "changes_requested"), "by id, whatever the login"


def test_merge_times_and_sizes(got: Any) -> None:
    [merged] = got.of("hub:acme/api#41", "change_merged")
    assert (merged.at, merged.value, merged.actor, merged.detail["sha"][-2:]) == (at(3, 12), 151.0, "11", "41")
    assert merged.detail["issues"] == ["hub:acme/api#40", "PAY-7"]
    assert merged.detail["causes"] == [{"to": "abcdef1", "text": "Fixes: abcdef1"}]
    assert [each.kind for number in (42, 43) for each in got.of(f"hub:acme/api#{number}", "change_merged")] == []


def test_what_was_closed_without_a_merge_by_a_deleted_account(got: Any) -> None:
    [opened], [closed] = got.of("hub:acme/api#42", "change_opened"), got.of("hub:acme/api#42", "change_closed")
    assert (opened.actor, opened.mark, opened.detail["author_login"]) == (None, "ghost", None)
    assert (closed.at, closed.mark) == (at(5, 8), "ghost")


def test_a_draft_of_a_bot_on_another_branch(got: Any) -> None:
    [opened] = got.of("hub:acme/api#43")
    assert (opened.mark, opened.detail["draft"], opened.detail["default_branch"]) == ("bot", True, False)


def test_requests_comments_and_commits(got: Any) -> None:
    requests = got.of("hub:acme/api#41", "review_requested")
    assert [(each.actor, each.detail["team"], each.at) for each in requests] == [
        ("13", None, at(2, 8, 30)), (None, "platform", at(2, 8, 40)),
    ]  # fmt: skip
    assert [each.actor for each in got.of("hub:acme/api#41", "commented")] == ["13"]
    commits = got.of("hub:acme/api#41", "commits_pushed")
    assert [(each.actor, each.at, each.detail["authored"], each.detail["linked"]) for each in commits] == [
        ("11", at(2, 7), "2026-02-01T20:00:00+00:00", True), ("11", at(2, 10, 30), "2026-02-02T10:30:00+00:00", False),
    ]  # fmt: skip


def test_the_issue_with_its_assignment_end_and_cause(got: Any) -> None:
    subject = "hub:acme/api#44"
    [opened], [given], [done] = (got.of(subject, kind) for kind in ("issue_opened", "issue_assigned", "issue_done"))
    assert opened.detail["causes"] == [{"to": "hub:acme/api#41", "text": "regression from #41"}]
    assert (given.actor, given.at, given.detail["by"]) == ("13", at(5, 8), "11")
    assert (done.actor, done.detail["resolutions"]) == ("13", [["2026-02-06T08:00:00+00:00", "wont_do", "not_planned"]])
