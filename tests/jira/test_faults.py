"""Whatever the service or the wire does: the same end as without it, or a failure that keeps what was there.

Stages: S1 what kind of server it is, S2 to S4 first, middle and last page, S5 what completes issues. Nothing waits:
the clock is the reader's own.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from email.utils import formatdate
from time import time
from typing import Any

import pytest

from pipmetrics.demo.jira import Issue, Jira, World
from pipmetrics.demo.service import Request, Response
from pipmetrics.errors import SourceError
from pipmetrics.model import Signal
from tests.jira.desk import BOTH, App, Open, Reader, a_world, changed, filled

STAGES = pytest.mark.parametrize("stage", ["S1", "S2", "S3", "S4", "S5"])
PAGES = pytest.mark.parametrize("stage", ["S2", "S3", "S4", "S5"])
NIGHT = timedelta(days=1)
Groups = dict[str, tuple[Signal, ...]]


def a_site(cloud: bool) -> World:
    """Three pages of issues; two histories are long, and one status is on no issue."""
    return filled(a_world(cloud=cloud, cap=4), 12)


def mark(request: Request) -> tuple[Any, ...]:
    return request.method, request.path, sorted((name, *values) for name, values in request.query.items()), request.body


def searching(request: Request) -> bool:
    """Whether whole issues are asked for."""
    return "/search" in request.path and b'["id"]' not in request.body and request.ask("fields") != "id"


def stages(reader: Reader) -> dict[str, Any]:
    """The request of each stage, by what a pull without faults asked."""
    marks = [mark(each) for each in reader.service.requests]
    searches = [mark(each) for each in reader.service.requests if searching(each)]
    more = [each for each in marks if "/search" not in each[1] and "serverInfo" not in each[1]]
    return {"S1": marks[0], "S2": searches[0], "S3": searches[1], "S4": searches[-1], "S5": more[0]}


@pytest.fixture
def calm(read: Open) -> Callable[[bool], Reader]:
    """A reader after a pull without faults."""

    def whole(cloud: bool) -> Reader:
        reader = read(a_site(cloud), ask=True)
        reader.pull()
        assert len(reader.groups) == 12
        return reader

    return whole


def troubled(reader: Reader, at: Any, answer: Callable[[], Response], times: float = 1) -> None:
    """Gives other answers to a request, so many times."""
    left = [times]

    def fault(number: int, request: Request) -> Response | None:
        if left[0] <= 0 or mark(request) != at:
            return None
        left[0] -= 1
        return answer()

    reader.service.fault = fault


def stored(reader: Reader) -> Groups:
    found: dict[str, list[Signal]] = {}
    for signal in reader.signals:
        found.setdefault("/".join(signal.key.split("/")[:2]), []).append(signal)
    return {name: tuple(signals) for name, signals in found.items()}


def same_end(
    read: Open, calm: Callable[[bool], Reader], cloud: bool, stage: str, answer: Any, times: float = 1
) -> Reader:
    whole = calm(cloud)
    reader = read(a_site(cloud), ask=True)
    reader.patience = 0.4 if answer is HANG else 20.0
    troubled(reader, stages(whole)[stage], answer if callable(answer) else lambda: answer, times)
    reader.pull()
    assert reader.signals == whole.signals
    assert reader.bookmarks["project/PAY"] == whole.bookmarks["project/PAY"]
    assert not reader.gaps
    return reader


HANG = Response(200, b"{}", broken="hang")


@BOTH
@STAGES
def test_f1_a_limit_that_names_its_seconds_is_waited_for(
    read: Open, calm: Callable[[bool], Reader], cloud: bool, stage: str
) -> None:
    reader = same_end(read, calm, cloud, stage, Response.of({}, 429, Retry__After="7"))
    assert 7 <= reader.clock.slept < 60


@BOTH
@STAGES
@pytest.mark.parametrize("named", ["nothing", "a date", "ISO 8601"])
def test_f2_a_limit_that_names_nothing_or_a_date_is_waited_for(
    read: Open, calm: Callable[[bool], Reader], cloud: bool, stage: str, named: str
) -> None:
    headers = {
        "nothing": dict,
        "a date": lambda: {"Retry-After": formatdate(time() + 90, usegmt=True)},
        "ISO 8601": lambda: {
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "2100-01-01T00:00Z",
            "Retry-After": "61",
        },
    }[named]
    reader = same_end(read, calm, cloud, stage, lambda: Response(429, b"{}", headers()))
    assert 60 <= reader.clock.slept < 130


@BOTH
@STAGES
@pytest.mark.parametrize(("status", "times"), [(500, 1), (502, 1), (503, 5), (504, 1)])
def test_f3_up_to_five_errors_of_the_server_change_nothing(
    read: Open, calm: Callable[[bool], Reader], cloud: bool, stage: str, status: int, times: int
) -> None:
    same_end(read, calm, cloud, stage, Response(status, b"<html>"), times)


@BOTH
@STAGES
def test_f4_a_server_that_stays_down_fails_the_source_and_moves_no_mark(
    read: Open, calm: Callable[[bool], Reader], cloud: bool, stage: str
) -> None:
    whole = calm(cloud)
    reader = read(a_site(cloud), ask=True)
    troubled(reader, stages(whole)[stage], lambda: Response(503, b"down"), float("inf"))
    with pytest.raises(SourceError) as caught:
        reader.pull()
    assert caught.value.status == 503
    assert "project/PAY" not in reader.bookmarks
    reader.service.fault = None
    reader.pull()
    assert reader.signals == whole.signals


@BOTH
@STAGES
@pytest.mark.parametrize(
    "answer",
    [
        Response(broken="reset"),
        Response(200, b'{"issues": [], "total": 0}' * 40, broken="truncated"),
        Response(200, b'{"issues": ['),
        Response(200, b"<html>Sign in</html>"),
        Response(200, b""),
        Response(200, '{"errorMessages": ["\u00fc"]}'.encode("latin-1"), {"Content-Type": "application/json"}),
    ],
    ids=["reset", "truncated", "bad JSON", "a web page", "empty", "wrong charset"],
)
def test_f5_a_broken_answer_is_asked_for_again(
    read: Open, calm: Callable[[bool], Reader], cloud: bool, stage: str, answer: Response
) -> None:
    same_end(read, calm, cloud, stage, answer)


@BOTH
def test_f5_an_answer_that_never_ends_is_asked_for_again(
    read: Open, calm: Callable[[bool], Reader], cloud: bool
) -> None:
    same_end(read, calm, cloud, "S3", HANG)


# --- answers that look well ---


def errors(body: Any) -> None:
    body["errorMessages"] = ["something went wrong"]


def no_list(body: Any) -> None:
    body.pop("issues", None)
    body.pop("issueChangeLogs", None)


def null_node(body: Any) -> None:
    if body.get("issues"):
        body["issues"][0] = None
    for log in body.get("issueChangeLogs", []):
        log["changeHistories"][0] = None


def without(field: str) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        for issue in body.get("issues", [])[:1]:
            issue["fields"].pop(field, None)
        for log in body.get("issueChangeLogs", []):
            log["changeHistories"][0].pop(field, None)

    return change


def broken_history(body: Any) -> None:
    for issue in body.get("issues", [])[:1]:
        issue["changelog"]["histories"][0] = {"id": "1"}
    for log in body.get("issueChangeLogs", []):
        log["changeHistories"][0] = {"id": "1"}


def fewer(body: Any) -> None:
    for issue in body.get("issues", [])[:1]:
        issue["changelog"]["histories"] = issue["changelog"]["histories"][:1]
        issue["changelog"]["total"] = 99
    for log in body.get("issueChangeLogs", []):
        log["changeHistories"] = log["changeHistories"][:1]


def changed_world(cloud: bool) -> tuple[World, Callable[[], None]]:
    world = a_site(cloud)

    def go_on() -> None:
        for issue in world.issues:
            world.move(issue, "Closed", world.now + timedelta(hours=1), "acc-ada", resolution="Duplicate")
        world.now += NIGHT

    return world, go_on


def troubled_night(
    read: Open, cloud: bool, stage: str, change: Callable[[Any], None] | None, status: int = 200
) -> tuple[Reader, Groups, bool]:
    """A good pull, a night on which one answer is bad: the reader, what was stored before, and whether it failed."""
    rehearsal, go_on = changed_world(cloud)
    plan = read(rehearsal, ask=True)
    plan.pull()
    go_on()
    plan.service.requests.clear()
    plan.bookmarks.pop("site")
    plan.pull()
    at = stages(plan)[stage]

    world, go_on = changed_world(cloud)
    trouble, hits = [False], []

    def app(request: Request) -> Response:
        hit = trouble[0] and mark(request) == at
        hits.extend([request] * hit)
        if hit and status != 200:
            return Response.of({"errorMessages": ["no"]}, status)
        return changed(jira, lambda _, body: change(body) if change and hit else None)(request)

    jira = Jira(world, user="reader")
    reader = read(world, ask=True, jira=jira, app=app)
    reader.pull()
    before = stored(reader)
    go_on()
    reader.bookmarks.pop("site")
    trouble[0] = True
    failed = False
    try:
        reader.pull()
    except SourceError:
        failed = True
    trouble[0] = False
    assert hits
    return reader, before, failed


def nothing_worse(read: Open, reader: Reader, before: Groups) -> None:
    """Every group is as it was or as it is now; and the next night all are as they are now."""
    fresh = read(reader.world, ask=True)
    fresh.pull()
    now, held = stored(fresh), stored(reader)
    assert set(held) == set(before)
    assert all(held[name] in (before[name], now[name]) for name in held)
    reader.world.now += NIGHT
    reader.pull()
    assert stored(reader) == now
    assert not reader.gaps


@BOTH
@PAGES
@pytest.mark.parametrize(
    "change",
    [errors, no_list, null_node, without("status"), without("created"), broken_history, fewer],
    ids=["errors", "no list", "null", "no status", "no creation", "broken history", "fewer histories"],
)
def test_f6_a_success_with_holes_is_told_and_overwrites_nothing(
    read: Open, cloud: bool, stage: str, change: Callable[[Any], None]
) -> None:
    reader, before, failed = troubled_night(read, cloud, stage, change)
    healed = change is fewer or stage == "S5"
    assert failed or reader.gaps or healed
    nothing_worse(read, reader, before)


@BOTH
@STAGES
@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_f7_a_refusal_in_the_middle_keeps_what_was_there(read: Open, cloud: bool, stage: str, status: int) -> None:
    reader, before, failed = troubled_night(read, cloud, stage, None, status)
    elsewhere = status in (404, 410) and cloud
    assert failed or elsewhere or stage == "S1"
    nothing_worse(read, reader, before)


# --- lists that change while they are read ---


def insert(world: World, issue: Issue) -> None:
    world.create("PAY", world.now, reporter="acc-ada")


def insert_old(world: World, issue: Issue) -> None:
    """An issue of long ago comes into the list, as by a move from elsewhere."""
    for other in [each for each in world.issues if each.project.key == "LAB"]:
        world.transfer(other, "PAY", world.now, "acc-ada")


def update(world: World, issue: Issue) -> None:
    world.move(issue, "Closed", world.now, "acc-ada", resolution="Duplicate")


def delete(world: World, issue: Issue) -> None:
    if issue in world.issues:
        world.delete(issue)


def transfer(world: World, issue: Issue) -> None:
    if issue.project.key == "PAY":
        world.transfer(issue, "LAB", world.now, "acc-ada")


def rename(world: World, issue: Issue) -> None:
    world.users["acc-lee"].name = world.users["acc-lee"].login = "lee-new"


@BOTH
@pytest.mark.parametrize("after", [1, 2])
@pytest.mark.parametrize("place", [0, 3, 4, 11])
@pytest.mark.parametrize("act", [insert, insert_old, update, delete, transfer, rename])
def test_f8_a_list_that_changes_while_it_is_read_ends_like_a_fresh_one(
    read: Open, cloud: bool, after: int, place: int, act: Callable[[World, Issue], None]
) -> None:
    world = filled(a_site(cloud), 1, project="LAB")
    jira, victim = Jira(world), world.issues[place]
    pages = [0]

    def app(request: Request) -> Response:
        answer = jira(request)
        pages[0] += "/search" in request.path
        if pages[0] == after:
            act(world, victim)
        return answer

    reader = read(world, jira=jira, app=app)
    reader.pull()
    kept = {f"issue/{each.id}" for each in world.issues if each.project.key == "PAY" and each.created.month == 6}
    assert kept - {f"issue/{world.issues[-1].id}"} <= set(reader.groups) | {
        f"issue/{each.id}" for each in world.issues[12:]
    }
    world.now += NIGHT
    reader.pull()
    fresh = read(world)
    fresh.pull()
    assert reader.signals == fresh.signals


# --- pages that make no sense ---


@BOTH
def test_f9_the_same_page_for_ever_ends_in_a_failure(read: Open, cloud: bool) -> None:
    world = a_site(cloud)
    jira = Jira(world)
    first: list[Response] = []

    def app(request: Request) -> Response:
        if not searching(request):
            return jira(request)
        first.append(jira(request))
        return first[0]

    reader = read(world, jira=jira, app=app)
    with pytest.raises(SourceError):
        reader.pull()
    assert reader.service.count < 10
    assert "project/PAY" not in reader.bookmarks
    assert reader.signals is not None


def test_f9_a_page_given_twice_counts_once(read: Open) -> None:
    world = a_site(True)
    jira = Jira(world)

    def change(request: Request, body: Any) -> None:
        if searching(request):
            body["issues"] = body["issues"] * 2

    reader = read(world, jira=jira, app=changed(jira, change))
    pages = reader.pull()
    assert sum(page.done for page in pages) == 12
    assert len(reader.groups) == 12


def relayed(jira: Jira) -> App:
    """Before every second page an empty one, with a token for the page itself."""

    def app(request: Request) -> Response:
        if not searching(request):
            return jira(request)
        body = request.json()
        token = body.get("nextPageToken", "")
        if token and not token.startswith("relay-"):
            return Response.of({"issues": [], "nextPageToken": f"relay-{token}"})
        sent = json.dumps(body | ({"nextPageToken": token.removeprefix("relay-")} if token else {})).encode()
        return jira(Request(request.method, request.path, request.query, request.headers, sent, request.origin))

    return app


def test_f9_an_empty_page_with_a_token_is_not_the_end(read: Open) -> None:
    world = a_site(True)
    jira = Jira(world)
    reader = read(world, jira=jira, app=relayed(jira))
    reader.pull()
    assert len(reader.groups) == 12


def test_f9_empty_pages_without_end_are_a_failure(read: Open) -> None:
    world = a_site(True)
    jira, number = Jira(world), iter(range(10_000))

    def app(request: Request) -> Response:
        return Response.of({"issues": [], "nextPageToken": f"t{next(number)}"}) if searching(request) else jira(request)

    reader = read(world, jira=jira, app=app)
    with pytest.raises(SourceError, match="no end"):
        reader.pull()
    assert reader.service.count < 40


def test_f9_an_empty_page_before_the_end_of_a_count_is_a_failure(read: Open) -> None:
    world = a_site(False)
    jira = Jira(world)

    def change(request: Request, body: Any) -> None:
        if searching(request) and request.ask("startAt") != "0":
            body["issues"] = []

    with pytest.raises(SourceError, match="empty page"):
        read(world, jira=jira, app=changed(jira, change)).pull()


@BOTH
def test_f9_issues_in_any_order_on_their_page_are_all_read(read: Open, cloud: bool) -> None:
    world = a_site(cloud)
    jira, dice = Jira(world), random.Random(7)

    def change(request: Request, body: Any) -> None:
        if searching(request):
            dice.shuffle(body["issues"])

    reader = read(world, jira=jira, app=changed(jira, change))
    for number, _ in enumerate(reader.pages()):
        if number == 1:
            break
    reader.pull()
    assert len(reader.groups) == 12


def test_f9_a_list_in_an_order_of_its_own_is_read_whole_or_not_at_all(read: Open) -> None:
    for seed in range(6):
        world = a_site(False)
        jira, dice = Jira(world), random.Random(seed)

        def change(request: Request, body: Any, world: World = world, dice: random.Random = dice) -> None:
            if not searching(request):
                return
            every = json.loads(jira_page(world, request).body)["issues"]
            body["issues"] = dice.sample(every, len(body["issues"]))

        reader = read(world, jira=jira, app=changed(jira, change))
        try:
            reader.pull()
        except SourceError:
            assert "project/PAY" not in reader.bookmarks
        else:
            assert len(reader.groups) == 12


def jira_page(world: World, request: Request) -> Response:
    """The whole list that a page of Data Center is from."""
    whole = {
        name: ["1000"] if name == "maxResults" else ["0"] if name == "startAt" else values
        for name, values in request.query.items()
    }
    cap, world.cap = world.cap, None
    try:
        return Jira(world)(Request("GET", request.path, whole, request.headers, b"", request.origin))
    finally:
        world.cap = cap
