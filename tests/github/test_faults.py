"""The fault matrix: each fault at each stage of a pull, compared with a pull that met none.

Stages: the survey, the first, a middle and the last page of the lists, and the continuation of a nested list.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

import pytest

from pipmetrics.demo.github import World, app
from pipmetrics.demo.service import Request, Response, Service, serve
from pipmetrics.errors import Deferred, SourceError
from pipmetrics_github import GithubConnector

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUBJECT = "hub:acme/api#1"

STAGES = ("survey", "first page", "middle page", "last page", "continuation")
Answer = Callable[[Request], Response | None]


def stage_of(request: Request) -> str:
    text = request.body
    if b"r0: repository" in text:
        return "survey"
    return "continuation" if b"m0: node" in text else "page"


class At:
    """Gives `answer` to the requests of a stage, `times` of them (None: from then on, whatever the stage)."""

    def __init__(self, stage: str, answer: Answer, times: int | None = 1) -> None:
        self.stage, self.answer, self.left = stage, answer, times
        self.pages = self.met = 0
        self.open = False

    def __call__(self, number: int, request: Request) -> Response | None:
        if self.left is None and self.open:
            return self.answer(request)
        if not self.reached(request) or self.left == 0:
            return None
        self.left = None if self.left is None else self.left - 1
        self.open, self.met = True, self.met + 1
        return self.answer(request)

    def reached(self, request: Request) -> bool:
        stage = stage_of(request)
        if stage != "page":
            return stage == self.stage
        first_try = not self.open
        self.pages += first_try
        wanted = {"first page": 1, "middle page": 3, "last page": 5}.get(self.stage)
        return wanted is not None and (self.pages == wanted if first_try else True)


@pytest.fixture(scope="module")
def world_app() -> Any:
    """35 changes and issues, the oldest change with more reviews than fit, in pages of ten."""
    world = World()
    world.token("secret-of-the-hub").points = 10**6
    api, ada, lee = world.repository("acme/api"), world.account("ada"), world.account("lee")
    for n in range(35):
        pull = api.pull(ada, START + n * HOUR, f"Change {n}")
        api.issue(lee, START + n * HOUR, f"Issue {n}")
        pull.review(lee, START + (n + 1) * HOUR)
    for _ in range(30):
        api.pulls[0].review(lee, START + HOUR, "COMMENTED")
    return app(world)


@pytest.fixture(scope="module")
def service(world_app: Any) -> Iterator[Service]:
    with serve(world_app) as running:
        yield running


@pytest.fixture
def got(service: Service, reader: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A reader of that service which knows nothing yet."""
    monkeypatch.setattr(GithubConnector, "first_size", 10)
    made = reader()
    made.service, made.source = service, replace(made.source, url=service.url)
    service.fault = None
    return made


KEPT: dict[str, Any] = {}


@pytest.fixture
def whole(got: Any) -> Any:
    """What a pull without faults gives."""
    if got.service.url not in KEPT:
        KEPT[got.service.url] = got.fresh().pull().facts()
    return KEPT[got.service.url]


def http_date(seconds: float) -> str:
    return formatdate(datetime.now(UTC).timestamp() + seconds, usegmt=True)


SECONDARY = b'{"message": "You have exceeded a secondary rate limit."}'
LIMITS: dict[str, tuple[Answer, float]] = {
    "F1 429 Retry-After": (lambda request: Response(429, b"{}", {"Retry-After": "7"}), 7),
    "F1 403 Retry-After": (lambda request: Response(403, SECONDARY, {"Retry-After": "9"}), 9),
    "F2 429 bare": (lambda request: Response(429, b"{}"), 60),
    "F2 403 secondary bare": (lambda request: Response(403, SECONDARY), 60),
    "F2 HTTP date": (lambda request: Response(429, b"{}", {"Retry-After": http_date(40)}), 38),
    "F2 200 RATE_LIMITED": (lambda request: Response.of({"errors": [{"type": "RATE_LIMITED", "message": "no"}]}), 60),
}
BROKEN: dict[str, Answer] = {
    "F3 500": lambda request: Response(500),
    "F3 502": lambda request: Response(502, b"<html>"),
    "F3 503": lambda request: Response(503),
    "F3 504": lambda request: Response(504),
    "F5 reset": lambda request: Response(broken="reset"),
    "F5 truncated": lambda request: Response(200, b'{"data": {"repository": null}}', broken="truncated"),
    "F5 bad JSON": lambda request: Response(200, b'{"data": {'),
    "F5 charset": lambda request: Response(200, '{"data": "Zoë"}'.encode("latin-1")),
    "F5 empty": lambda request: Response(200),
    "F6 resource limits": lambda request: Response.of({
        "data": {"repository": None},
        "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["repository"], "message": "limits"}],
    }),
    "F6 timeout told": lambda request: Response.of({
        "data": None,
        "errors": [{"message": "Something went wrong while executing your query. It may be a timeout."}],
    }),
}  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", LIMITS)
def test_a_limit_is_waited_for_and_changes_nothing(got: Any, whole: Any, fault: str, stage: str) -> None:
    answer, wait = LIMITS[fault]
    got.service.fault = at = At(stage, answer)
    got.pull()
    assert (at.met, got.gaps, got.facts() == whole) == (1, [], True)
    assert got.clock.now - got.clock.start >= wait


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_that_passes_changes_nothing(got: Any, whole: Any, fault: str, stage: str, times: int) -> None:
    got.service.fault = at = At(stage, BROKEN[fault], times)
    got.pull()
    assert at.met == times
    assert (got.gaps, got.facts() == whole) == ([], True)


def failure(got: Any) -> str:
    """How a pull fails: as a whole, or as the gap of one repository."""
    try:
        got.pull()
    except SourceError as error:
        return str(error)
    [gap] = got.gaps
    return f"{gap.part}: {gap.reason}"


@pytest.mark.parametrize("known", [False, True], ids=["first pull", "later night"])
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("status", [502, 503])
def test_a_fault_for_ever_fails_and_what_is_known_stays(
    got: Any, whole: Any, stage: str, status: int, known: bool
) -> None:
    if known:
        got.pull()
        for kept in got.bookmarks.values():
            kept["seen"], kept["size"] = "", 10
            for stream in kept["streams"].values():
                stream["until"] = None
    before = got.facts()
    got.service.fault = At(stage, lambda request: Response(status), None)
    told = failure(got)
    assert told.startswith("POST /graphql" if stage == "survey" else "acme/api: POST /graphql")
    assert f"the service answered {status}, tried 6 times" in told
    assert all(before[name] == got.facts()[name] for name in before)
    assert all(got.facts()[name] == whole[name] for name in got.facts()), "no group is ever partly there"
    streams = [stream for kept in got.bookmarks.values() for stream in kept["streams"].values()]
    assert not streams or any(stream["until"] is None for stream in streams), "and the bookmark is not past it"
    got.service.fault = None
    assert got.pull().facts() == whole
    assert got.gaps == []


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_on_the_way_fails_at_once_and_the_next_night_mends_it(
    got: Any, whole: Any, stage: str, status: int
) -> None:
    got.service.fault = at = At(stage, lambda request: Response(status, b'{"message": "no"}'), None)
    told = failure(got)
    assert told.startswith("acme/api: ") is (stage != "survey" and status != 401), "a token that is gone ends it all"
    assert f"({status})" in told
    assert at.met == 1
    assert all(got.facts()[name] == whole[name] for name in got.facts())
    got.service.fault = None
    assert got.pull().facts() == whole


@pytest.mark.parametrize("stage", STAGES)
def test_a_long_limit_ends_the_pull_and_the_next_one_goes_on(got: Any, whole: Any, stage: str) -> None:
    got.service.fault = At(stage, lambda request: Response(429, b"{}", {"Retry-After": "3000"}))
    with pytest.raises(Deferred):
        got.pull()
    assert all(got.facts()[name] == whole[name] for name in got.facts())
    got.clock.now += 3000
    assert got.pull().facts() == whole


# --- answers with holes ---------------------------------------------------------------------------------------------


def spoiled(request: Request, world_answer: Callable[[Request], Response], spoil: Callable[[Any], None]) -> Response:
    told = json.loads(world_answer(request).body)
    spoil(told)
    return Response.of(told)


def null_node(told: Any) -> None:
    told["data"]["repository"]["pulls"]["nodes"][1] = None


def null_node_with_error(told: Any) -> None:
    null_node(told)
    told["errors"] = [{"message": "hm", "path": ["repository", "pulls", "nodes", 1]}]


def null_below_with_error(told: Any) -> None:
    told["data"]["repository"]["pulls"]["nodes"][1]["reviews"] = None
    told["errors"] = [{"message": "hm", "path": ["repository", "pulls", "nodes", 1, "reviews"]}]


def denied_below(told: Any) -> None:
    null_below_with_error(told)
    told["errors"][0]["type"] = "FORBIDDEN"


def missing_field(told: Any) -> None:
    del told["data"]["repository"]["pulls"]["nodes"][1]["reviews"]


def missing_number(told: Any) -> None:
    told["data"]["repository"]["issues"]["nodes"][1]["number"] = None


def many_holes(told: Any) -> None:
    nodes = told["data"]["repository"]["pulls"]["nodes"]
    told["errors"] = [
        {"message": "hm", "path": ["repository", "pulls", "nodes", n, "author"]} for n in range(len(nodes))
    ]
    for node in nodes:
        node["author"] = None


def no_stream(told: Any) -> None:
    told["data"]["repository"]["pulls"] = None
    told["errors"] = [{"message": "hm", "path": ["repository", "pulls"]}]


HOLES = [
    null_node, null_node_with_error, null_below_with_error, denied_below, missing_field, missing_number, many_holes,
    no_stream,
]  # fmt: skip


@pytest.mark.parametrize("stage", ["first page", "middle page", "last page"])
@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.__name__)
def test_holes_are_mended_or_told_and_never_written(
    got: Any, whole: Any, service: Service, world_app: Any, stage: str, hole: Callable[[Any], None]
) -> None:
    got.service.fault = at = At(stage, lambda request: spoiled(request, world_app, hole))
    got.pull()
    assert at.met == 1
    assert all(got.facts()[name] == whole[name] for name in got.facts()), "never half a group"
    assert got.facts() == whole or got.gaps, "what is missing is told"
    service.fault = None
    got.pull()
    assert (got.gaps, got.facts() == whole) == ([], True)


def test_something_broken_for_ever_is_told_every_night_and_the_rest_is_read(
    got: Any, whole: Any, service: Service, world_app: Any
) -> None:
    def always(number: int, request: Request) -> Response | None:
        told = json.loads(world_app(request).body)
        errors = []
        for path, nodes in [
            (
                ("repository", "pulls", "nodes"),
                ((told["data"].get("repository") or {}).get("pulls") or {}).get("nodes"),
            ),
            (("nodes",), told["data"].get("nodes")),
        ]:
            for n, node in enumerate(nodes or []):
                if node and node.get("number") == 1:
                    node["author"] = None
                    errors.append({"message": "hm", "path": [*path, n, "author"]})
        return Response.of(told | ({"errors": errors} if errors else {}))

    service.fault = always
    for _ in range(2):
        got.pull()
        assert len(got.gaps) == 1
        assert got.facts() == {name: facts for name, facts in whole.items() if name != SUBJECT}
    service.fault = None
    assert got.pull().facts() == whole


# --- odd pages ------------------------------------------------------------------------------------------------------


def duplicated(told: Any) -> None:
    page = told["data"]["repository"]["pulls"]
    page["nodes"] = page["nodes"] * 2


def shuffled(told: Any) -> None:
    random.Random(4).shuffle(told["data"]["repository"]["pulls"]["nodes"])


@pytest.mark.parametrize("stage", ["first page", "middle page", "last page"])
@pytest.mark.parametrize("odd", [duplicated, shuffled], ids=lambda odd: odd.__name__)
def test_odd_pages_change_nothing(got: Any, whole: Any, world_app: Any, stage: str, odd: Callable[[Any], None]) -> None:
    got.service.fault = At(stage, lambda request: spoiled(request, world_app, odd))
    got.pull()
    assert got.facts() == whole


@pytest.mark.parametrize("stage", ["first page", "middle page"])
def test_the_same_page_twice_changes_nothing(got: Any, whole: Any, world_app: Any, stage: str) -> None:
    last: list[Response] = []

    def repeat(number: int, request: Request) -> Response | None:
        if stage_of(request) != "page":
            return None
        last.append(world_app(request))
        wanted = {"first page": 2, "middle page": 3}[stage]
        if len(last) != wanted:
            return last[-1]
        return last[-2]

    got.service.fault = repeat
    got.pull()
    assert [gap.reason for gap in got.gaps] == ["acme/api: the list of its pulls does not move on"]
    got.service.fault = None
    assert got.pull().facts() == whole


@pytest.mark.parametrize("stage", ["first page", "middle page"])
def test_an_empty_page_that_goes_on_is_followed(got: Any, whole: Any, world_app: Any, stage: str) -> None:
    held: dict[str, Response] = {}

    def hold_back(number: int, request: Request) -> Response | None:
        if stage_of(request) != "page":
            return None
        asked = json.loads(request.body)["variables"]
        if str(asked.get("pulls_after")).startswith("held"):
            return held.pop("answer")
        answer = world_app(request)
        at.pages += 1
        if at.pages != {"first page": 1, "middle page": 2}[stage]:
            return answer
        held["answer"], told = answer, json.loads(answer.body)
        for name in ("pulls", "issues"):
            told["data"]["repository"][name]["nodes"] = []
            told["data"]["repository"][name]["pageInfo"] = {"hasNextPage": True, "endCursor": "held " + name}
        return Response.of(told)

    at = At(stage, lambda request: None)
    got.service.fault = hold_back
    got.pull()
    assert got.facts() == whole


# --- REST -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize(
    "fault", [name for name in [*LIMITS, *BROKEN] if "F6" not in name and "RATE_LIMITED" not in name]
)
def test_a_comparison_survives_what_a_pull_survives(world: Any, reader: Any, fault: str, page: int, times: int) -> None:
    api = world.repository("acme/api")
    shas = [api.land(api.commit(None, START + n * HOUR)).sha for n in range(620)]
    got = reader()
    answer = LIMITS[fault][0] if fault in LIMITS else BROKEN[fault]
    left = [times]

    def spoil(number: int, request: Request) -> Response | None:
        if request.ask("page") != str(page) or not left[0]:
            return None
        left[0] -= 1
        return answer(request)

    got.service.fault = spoil
    assert got.connector().compare("acme/api", shas[0], shas[-1]).shas == frozenset(shas[1:])
    assert got.service.count == 3 + times


# --- answers of another make ----------------------------------------------------------------------------------------


def odd_instant(told: Any) -> None:
    told["data"]["repository"]["pulls"]["nodes"][1]["updatedAt"] = "yesterday"


def odd_page(told: Any) -> None:
    told["data"]["repository"]["issues"]["pageInfo"] = None


@pytest.mark.parametrize("odd", [odd_instant, odd_page], ids=lambda odd: odd.__name__)
def test_an_answer_of_another_make_is_a_gap(got: Any, whole: Any, world_app: Any, odd: Callable[[Any], None]) -> None:
    got.service.fault = At("middle page", lambda request: spoiled(request, world_app, odd))
    got.pull()
    assert [gap.part for gap in got.gaps] == ["acme/api"]
    assert "not made as the service documents" in got.gaps[0].reason
    assert all(got.facts()[name] == whole[name] for name in got.facts())
    got.service.fault = None
    assert got.pull().facts() == whole


def test_a_survey_of_another_make_is_a_gap(got: Any, world_app: Any) -> None:
    def spoil(told: Any) -> None:
        del told["data"]["r0"]["pulls"]["totalCount"]

    got.service.fault = At("survey", lambda request: spoiled(request, world_app, spoil))
    got.pull()
    assert [gap.part for gap in got.gaps] == ["acme/api"]
