"""The fault matrix for GitLab: each fault at each stage of a pull, by GraphQL and by REST, against a faultless pull.

Stages: S1 the first question, S2 the first list, S3 a list in the middle, S4 the last list, S5 what is asked apart.
The clock is a fake one, so that waiting costs nothing.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import urlencode

import pytest

from pipmetrics.demo.gitlab import File, World, app, limited
from pipmetrics.demo.service import Request, Response
from pipmetrics.errors import SourceError
from pipmetrics.transport import Policy
from pipmetrics_gitlab import rest_reader

from .lab import HOUR, Kept, Lab, at, lab

LIMIT = 124
"""Leaves room for one merge request a page."""
STAGES = ("S1", "S2", "S3", "S4", "S5")
Answer = Callable[[Request], Response | None]


@dataclass
class Stage:
    """A running GitLab with the faultless pull and the number of the request that begins each stage."""

    lab: Lab
    whole: Kept
    numbers: Mapping[str, int]


def is_list(request: Request) -> bool:
    if request.path == "/api/graphql":
        return b"mergeRequests(first" in request.body
    return request.path.endswith("/merge_requests") and "iids[]" not in request.query


def stage(running: Lab) -> Stage:
    running.service.fault = None
    before = running.service.count
    whole = running.pull()
    assert not whole.gaps
    asked = running.service.requests[before:]
    lists = [number for number, request in enumerate(asked, start=1) if is_list(request)]
    assert len(lists) > 3
    apart = next(n for n, request in enumerate(asked, start=1) if request.path.endswith("resource_state_events"))
    return Stage(
        running, whole, dict(zip(STAGES, (1, lists[0], lists[len(lists) // 2], lists[-1], apart), strict=True))
    )


def small_world() -> World:
    """Four merge requests and two issues: a little of everything that is asked for."""
    world = World()
    ada, lee = world.user("ada"), world.user("lee")
    core, tools = world.project("platform/core"), world.project("platform/tools")
    first = core.merge_request(ada, at(1), "Round", files=[File("a.py", 3, 1)], commits=[core.commit(ada, at(0))])
    first.request(lee, at=at(2), by=ada)
    first.reply(first.discuss(lee, at(3)), ada, at(4))
    first.approve(lee, at(5))
    first.pipeline("success", at(1), at(2))
    first.merge(at(6), by=lee)
    core.deploy(first.landed, "production", at(7), by=lee)
    second = core.merge_request(lee, at(8))
    second.close(at(9), lee)
    second.reopen(at(10), ada)
    second.close(at(11), lee)
    core.merge_request(lee, at(12), commits=[core.commit(lee, at(12))]).merge(at(13), ada, "squash-ff")
    core.merge_request(ada, at(14), "Draft: More").comment(lee, at(15))
    bug, other = core.issue(lee, at(16), labels=["bug"], assignees=[ada]), core.issue(lee, at(17))
    bug.close(at(18), ada)
    bug.reopen(at(19), lee)
    bug.link(other, "relates_to", at(20), lee)
    tools.issue(lee, at(1))
    return world


@pytest.fixture(scope="module", params=["graphql", "rest"])
def staged(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """GraphQL is given a low limit and REST a small page, so that a few merge requests fill several pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rest_reader, "ROWS", 1)
        with lab(small_world(), patch, graphql=request.param == "graphql", limit=LIMIT) as running:
            yield stage(running)


@pytest.fixture(scope="module")
def spoken() -> Iterator[Stage]:
    """GraphQL alone."""
    with pytest.MonkeyPatch.context() as patch, lab(small_world(), patch, limit=LIMIT) as running:
        yield stage(running)


def disturbed(staged: Stage, name: str, fault: Answer, times: int = 1, kept: Kept | None = None) -> Kept:
    """A pull in which the request that begins a stage, and those right after it, meet a fault."""
    service, kept = staged.lab.service, kept or Kept()
    first = service.count + staged.numbers[name]
    service.fault = lambda number, request: fault(request) if first <= number < first + times else None
    try:
        return staged.lab.pull(kept)
    finally:
        service.fault = None


def gives(response: Response) -> Answer:
    return lambda _request: response


def whole_or_gap_then_whole(staged: Stage, name: str, fault: Answer, times: int = 1) -> None:
    """Either all is as without the fault, or the pull says that it is not and the next one makes it so."""
    kept = Kept()
    try:
        disturbed(staged, name, fault, times, kept)
        failed = bool(kept.gaps)
    except SourceError:
        failed = True
    assert failed or kept.signals == staged.whole.signals
    for key, signal in kept.signals.items():
        assert staged.whole.signals[key] == signal
    staged.lab.pull(kept)
    assert kept.signals == staged.whole.signals
    assert not kept.gaps


# --- F1, F2: limits -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STAGES)
def test_f1_a_limit_that_names_its_end_is_waited_for(staged: Stage, name: str) -> None:
    before = staged.lab.clock.now
    kept = disturbed(staged, name, gives(limited(40)), times=2)
    assert kept.signals == staged.whole.signals
    assert staged.lab.clock.now - before >= 40


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("header", ["absent", "date"])
def test_f2_a_limit_without_a_number_is_waited_for(staged: Stage, name: str, header: str) -> None:
    before = staged.lab.clock.now
    late = {"Retry-After": formatdate(time.time() + 90, usegmt=True)}
    answer = limited(0, named=False) if header == "absent" else Response(429, b"{}", late)
    kept = disturbed(staged, name, gives(answer))
    assert kept.signals == staged.whole.signals
    assert staged.lab.clock.now - before >= (60 if header == "absent" else 1)


# --- F3, F4: the server fails -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize(("status", "times"), [(500, 1), (502, 2), (503, 3), (504, 5), (408, 2)])
def test_f3_a_server_that_fails_a_few_times_is_asked_again(staged: Stage, name: str, status: int, times: int) -> None:
    kept = disturbed(staged, name, gives(Response(status, b"<html>")), times)
    assert kept.signals == staged.whole.signals
    assert not kept.gaps


@pytest.mark.parametrize("name", STAGES)
def test_f4_a_server_that_goes_on_failing_fails_the_pull_and_moves_no_bookmark_past_it(
    staged: Stage, name: str
) -> None:
    kept = Kept()
    with pytest.raises(SourceError) as told:
        disturbed(staged, name, gives(Response(503, b"")), times=10_000, kept=kept)
    assert told.value.status in (0, 503)
    assert kept.gaps or name == "S1"
    assert not {"platform/core/changes", "platform/core/issues"} <= {
        mark for mark, value in kept.bookmarks.items() if isinstance(value, dict) and value.get("until")
    }
    staged.lab.pull(kept)
    assert kept.signals == staged.whole.signals
    assert not kept.gaps


# --- F5: broken answers -------------------------------------------------------------------------------------------


BROKEN = {
    "reset": Response(broken="reset"),
    "truncated": Response(200, b'{"data": {"project": {"id": "gid://gitlab/Project/1"}}}' * 20, broken="truncated"),
    "no JSON": Response(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
    "empty": Response(200, b""),
    "a string": Response(200, b'"moved"'),
}


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("kind", BROKEN)
def test_f5_a_broken_answer_is_no_success(staged: Stage, name: str, kind: str) -> None:
    whole_or_gap_then_whole(staged, name, gives(BROKEN[kind]), times=2)


@pytest.mark.parametrize("name", STAGES)
def test_f5_an_answer_that_never_ends_is_given_up_and_asked_again(
    staged: Stage, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = staged.lab.wire
    monkeypatch.setattr(staged.lab, "wire", lambda: wire(policy=Policy(connect=5, read=0.8)), raising=False)
    kept = disturbed(staged, name, gives(Response(200, b"{}", broken="hang")))
    assert kept.signals == staged.whole.signals


# --- F6: holes ----------------------------------------------------------------------------------------------------

LAST = {"hasNextPage": False, "endCursor": None}
CORE = {"id": "gid://gitlab/Project/1", "fullPath": "platform/core"}
HOLES: dict[str, Any] = {
    "errors": {"errors": [{"message": "Internal server error"}]},
    "errors with data": {"data": {"project": None}, "errors": [{"message": "Timeout on notes", "path": ["project"]}]},
    "null row": {"data": {"project": {**CORE, "mergeRequests": {"nodes": [None], "pageInfo": LAST}}}},
    "no page": {"data": {"project": {**CORE, "mergeRequests": {"nodes": []}}}},
    "no field": {"data": {"project": {**CORE, "mergeRequests": {"nodes": [{"iid": "1"}], "pageInfo": LAST}}}},
}


@pytest.mark.parametrize("name", ["S2", "S3", "S4"])
@pytest.mark.parametrize("kind", HOLES)
@pytest.mark.parametrize("times", [1, 4, 12])
def test_f6_an_answer_with_holes_is_no_success(spoken: Stage, name: str, kind: str, times: int) -> None:
    def holed(request: Request) -> Response | None:
        return Response.of(HOLES[kind]) if request.path == "/api/graphql" else None

    whole_or_gap_then_whole(spoken, name, holed, times)


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("body", [{"message": "odd"}, [{"iid": 1}], [None]])
def test_f6_a_row_without_its_fields_is_no_success(staged: Stage, name: str, body: Any) -> None:
    def holed(request: Request) -> Response | None:
        return None if request.path == "/api/graphql" else Response.of(body)

    whole_or_gap_then_whole(staged, name, holed)


# --- F7: refusals in the middle -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_f7_a_refusal_keeps_what_there_is_and_says_so(staged: Stage, name: str, status: int) -> None:
    kept = staged.lab.pull()
    before = dict(kept.signals)
    kept.bookmarks.clear()
    statuses = set[int]()
    try:
        disturbed(staged, name, gives(Response.of({"message": "no"}, status)), times=10_000, kept=kept)
    except SourceError as error:
        statuses.add(error.status)
    assert kept.gaps or statuses == {status}
    assert before.items() <= kept.signals.items()
    staged.lab.pull(kept)
    assert kept.signals == before
    assert not kept.gaps


# --- F8: the set changes while it is read -------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["graphql", "rest"])
@pytest.mark.parametrize("name", STAGES[1:4])
@pytest.mark.parametrize("change", ["insert", "update", "rename", "delete", "transfer"])
def test_f8_what_changes_while_it_is_read_is_as_a_fresh_reading_has_it(
    monkeypatch: pytest.MonkeyPatch, way: str, name: str, change: str
) -> None:
    monkeypatch.setattr(rest_reader, "ROWS", 1)
    world = small_world()
    core, tools, (ada, lee, *_) = *world.projects, world.users

    def act() -> None:
        later = at(100)
        if change == "insert":
            core.merge_request(ada, later).comment(lee, later + HOUR)
        elif change == "update":
            for number, one in enumerate(core.merge_requests[:3]):
                one.comment(lee, later + number * HOUR)
        elif change == "rename":
            ada.rename("ada.later")
            core.merge_requests[0].comment(ada, later)
        elif change == "delete":
            gone = (
                core.merge_requests[4].notes[-1] if core.merge_requests[4].notes else core.merge_requests[0].notes[-1]
            )
            next(one for one in core.merge_requests if gone in one.notes).delete(gone, later)
        else:
            core.issues[1].move(tools.issue(ada, later), later, ada)

    with lab(world, monkeypatch, graphql=way == "graphql", limit=LIMIT) as running:
        staged = stage(running)
        acted: list[bool] = []

        def fault(_request: Request) -> None:
            if not acted:
                acted.append(True)
                act()

        kept = disturbed(staged, name, fault)
        assert acted
        running.pull(kept)
        fresh = running.pull()
        assert {key: _timeless(one) for key, one in kept.signals.items()} == {
            key: _timeless(one) for key, one in fresh.signals.items()
        }


def test_f8_a_merge_request_that_is_deleted_while_it_is_read_is_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    world = small_world()
    core = world.projects[0]
    with lab(world, monkeypatch, graphql=False) as running:
        gone = core.merge_requests[2]

        def delete(_number: int, request: Request) -> None:
            if request.path.endswith(f"/merge_requests/{gone.iid}/commits") and gone in core.merge_requests:
                core.merge_requests.remove(gone)

        running.service.fault = delete
        kept = running.pull()
        assert gone not in core.merge_requests
        assert not kept.gaps
        assert kept.signals == running.pull().signals


def _timeless(signal: Any) -> Any:
    """Without the login of the day of reading: a renamed account does not touch what it has written before."""
    return signal.kind, signal.at, signal.actor, {k: v for k, v in signal.detail.items() if k != "author_login"}


# --- F9: pages that repeat, are empty or shuffled -----------------------------------------------------------------


def _edited(staged: Stage, edit: Callable[[Any], Any]) -> Answer:
    """The true answer to a list, edited."""
    real = app(staged.lab.world, graphql=True, limit=LIMIT)

    def answer(request: Request) -> Response | None:
        response = real(request)
        found = json.loads(response.body)
        rows = found
        if isinstance(found, dict):
            listed = ((found.get("data") or {}).get("project") or {}).get("mergeRequests")
            if not listed:
                return None
            rows = listed["nodes"]
        rows[:] = edit(list(rows))
        return Response(200, json.dumps(found).encode(), response.headers)

    return answer


@pytest.mark.parametrize("name", ["S2", "S3", "S4"])
@pytest.mark.parametrize("kind", ["shuffled", "doubled"])
def test_f9_odd_pages_count_nothing_twice(monkeypatch: pytest.MonkeyPatch, staged: Stage, name: str, kind: str) -> None:
    monkeypatch.setattr(rest_reader, "ROWS", 3)
    edit = (lambda rows: rows[::-1]) if kind == "shuffled" else (lambda rows: [*rows, *rows])
    whole_or_gap_then_whole(staged, name, _edited(staged, edit))


@pytest.mark.parametrize("name", ["S2", "S3", "S4"])
def test_f9_an_empty_page_with_a_next_one_is_not_the_end(staged: Stage, name: str) -> None:
    def emptied(request: Request) -> Response | None:
        if request.path != "/api/graphql":
            again = f"{request.origin}{request.path}?{urlencode(request.query, doseq=True)}&again=1"
            return Response(200, b"[]", {"Link": f'<{again}>; rel="next"'})
        before_all = base64.urlsafe_b64encode(b"[-1e18, 0]").decode()
        page = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": before_all}}
        return Response.of({"data": {"project": {**CORE, "mergeRequests": page}}})

    kept = disturbed(staged, name, emptied)
    assert {key: _timeless(one) for key, one in kept.signals.items()} == {
        key: _timeless(one) for key, one in staged.whole.signals.items()
    }


@pytest.mark.parametrize("name", ["S3", "S4"])
def test_f9_a_page_that_comes_twice_is_read_on_from(staged: Stage, name: str) -> None:
    seen: list[Response] = []
    real = _edited(staged, lambda rows: rows)

    def repeated(request: Request) -> Response | None:
        if not seen:
            seen.append(real(request) or Response.of({}))
            return None
        return seen[0] if is_list(request) and seen[0].body != b"{}" else None

    whole_or_gap_then_whole(staged, name, repeated, times=2)


@pytest.mark.parametrize("graphql", [True, False])
def test_f9_a_list_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch, graphql: bool) -> None:
    with lab(small_world(), monkeypatch, graphql=graphql) as running:
        page = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "again"}}

        def endless(number: int, request: Request) -> Response | None:
            if request.path == "/api/graphql":
                return Response.of({"data": {"project": {**CORE, "mergeRequests": page}}}) if graphql else None
            more = f'<{request.origin}{request.path}?page={number}>; rel="next"'
            return Response(200, b"[]", {"Link": more}) if is_list(request) else None

        running.service.fault = endless
        kept = Kept()
        with pytest.raises(SourceError, match="does not end"):
            running.pull(kept)
        assert list(kept.gaps) == ["platform/core"]
