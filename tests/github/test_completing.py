"""Lists that do not fit into an answer are followed until they are whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics.demo.github import File, Pull, World
from pipmetrics.demo.service import Request, Response

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Reading = Callable[..., Any]
MANY = 130


def large(world: World, count: int = MANY) -> Pull:
    """A pull request with so many of everything."""
    api, ada, lee = world.repository("acme/api"), world.account("ada"), world.account("lee")
    issues = [api.issue(ada, START - timedelta(days=90)) for _ in range(count)]
    pull = api.pull(
        ada, START, "Large", number=1000, labels=[f"label {n}" for n in range(count)], closes=issues,
        files=[File(f"file{n}.py", 1, 1) for n in range(count)],
    )  # fmt: skip
    for n in range(count):
        at = START + n * MINUTE
        work = api.commit(ada, at)
        work.check("SUCCESS", at + MINUTE)
        pull.push(work)
        pull.request(lee, at, by=ada)
        pull.review(lee, at, "COMMENTED", comments=n)
        pull.comment(lee, at)
    for n in range(count - 1):
        pull.commits[0].check("SUCCESS", START + n * MINUTE, f"check {n}")
    pull.commits[0].check("FAILURE", START + timedelta(days=1), "the last one")
    for n in range(8):
        old = api.commit(ada, START, f"old {n}")
        old.check("FAILURE", START)
        event = pull.happen("HeadRefForcePushedEvent", START + n * MINUTE, ada)
        event.before = old
    pull.merge(START + timedelta(days=2), lee)
    return pull


def test_more_than_a_hundred_of_every_nested_list(world: World, reader: Reading) -> None:
    pull = large(world)
    got = reader().pull()
    subject = "hub:acme/api#1000"
    counts = {
        kind: len(got.of(subject, kind)) for kind in ("review_requested", "reviewed", "commented", "commits_pushed")
    }
    assert counts == dict.fromkeys(counts, MANY)
    assert sum(each.value for each in got.of(subject, "reviewed")) == sum(range(MANY))
    [merged] = got.of(subject, "change_merged")
    assert (len(merged.detail["files"]), merged.detail["files_complete"]) == (MANY, True)
    assert len(merged.detail["labels"]) == len(merged.detail["closes"]) == MANY
    runs = got.of(subject, "checks_completed")
    assert len(runs) == MANY + 8
    [first] = [run for run in runs if run.detail["sha"] == pull.commits[0].sha]
    assert (first.detail["conclusion"], first.at) == ("failure", START + timedelta(days=1))
    assert got.requests <= 7, "many lists go on in one request"


def test_more_than_a_hundred_of_every_list_of_an_issue(world: World, reader: Reading) -> None:
    api, ada = world.repository("acme/api"), world.account("ada")
    people = [world.account(f"person{n}") for n in range(MANY)]
    issue = api.issue(ada, START, labels=[f"label {n}" for n in range(MANY)])
    for n, person in enumerate(people):
        issue.assign(person, START + n * MINUTE, by=ada)
        issue.comment(ada, START + n * MINUTE, f"caused by #{2000 + n}")
    got = reader().pull()
    subject = f"hub:acme/api#{issue.number}"
    [opened] = got.of(subject, "issue_opened")
    assert (len(opened.detail["labels"]), len(opened.detail["causes"])) == (MANY, MANY)
    assert len(got.of(subject, "issue_assigned")) == MANY


def test_what_is_too_much_at_once_is_continued_in_parts(world: World, reader: Reading) -> None:
    large(world)
    whole = reader().pull()
    got = whole.fresh()

    def tired(number: int, request: Request) -> Response | None:
        return Response(502) if request.body.count(b"node(id: ") > 3 else None

    got.service.fault = tired
    got.pull()
    assert (got.gaps, got.facts() == whole.facts()) == ([], True)


@pytest.mark.parametrize("broken", ["hole", "repeated", "gone"])
def test_a_list_that_cannot_be_read_to_its_end_is_a_gap_and_changes_nothing(
    world: World, reader: Reading, broken: str
) -> None:
    pull, other = large(world), world.repository("acme/api").pull(world.account("ada"), START, "Other", number=2000)
    got = reader().pull()
    before = got.facts()
    pull.comment(world.account("lee"), START + timedelta(days=9))
    other.comment(world.account("lee"), START + timedelta(days=9))

    def spoil(number: int, request: Request) -> Response | None:
        if b"m0: node" not in request.body:
            return None
        page = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}
        lists = ("contexts", "commits", "reviews", "comments", "files", "labels", "timelineItems", "forcedPushes",
                 "closingIssuesReferences")  # fmt: skip
        data = {f"m{n}": dict.fromkeys(lists, page) if broken != "gone" else None for n in range(50)}
        errors = [{"message": "hm", "path": [f"m{n}"]} for n in range(50)] if broken != "repeated" else []
        return Response.of({"data": data, "errors": errors})

    got.service.fault = spoil
    got.pull()
    assert [gap.reason for gap in got.gaps] == ["1 of its pulls have lists that could not be read to their end"]
    after = got.facts()
    assert after["hub:acme/api#1000"] == before["hub:acme/api#1000"], "what is known is not overwritten"
    assert after["hub:acme/api#2000"] != before["hub:acme/api#2000"], "and the others go on"
    got.service.fault = None
    got.pull()
    assert got.gaps == []
    assert got.facts() == got.fresh().pull().facts()
