"""The wire against a local server that misbehaves in every way that the services and their clients are known for."""

from __future__ import annotations

import json
import logging
import pickle
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.utils import formatdate
from typing import Any

import gitlab
import jira
import pytest
import requests

from pipmetrics.demo.service import Request, Response, Service, serve
from pipmetrics.errors import Deferred, SourceError
from pipmetrics.model import Secret
from pipmetrics.transport import Budget, Policy, Redacting, Wire, mount, reveal
from pipmetrics.transport.reading import is_read

CANARY = "canary-7f3a91d2-token"
QUERY = {"query": "query { viewer { login } }"}
GOOD = {"id": 1, "login": "ada", "data": {"viewer": {"login": "ada"}}, "values": []}


class FakeClock:
    """Sleeping takes no time here, and is remembered."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.now = self.start = time.time() + ahead
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    @property
    def waited(self) -> float:
        return self.now - self.start


def answer(request: Request) -> Response:
    return Response.of(GOOD)


@pytest.fixture
def service() -> Iterator[Service]:
    with serve(answer) as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def wire_to(service: Service, clock: FakeClock, **settings: Any) -> Wire:
    settings = {"policy": Policy(connect=2, read=0.3), "uniform": lambda low, high: high} | settings
    return Wire(service.url, clock=clock, sleep=clock.sleep, **settings)


def session_on(wire: Wire) -> requests.Session:
    return mount(requests.Session(), wire)


def first(count: int, response: Callable[[], Response]) -> Callable[[int, Request], Response | None]:
    return lambda number, request: response() if number <= count else None


def limited(status: int = 429, body: bytes = b"{}", **headers: str) -> Callable[[], Response]:
    return lambda: Response(status, body, {name.replace("__", "-"): text for name, text in headers.items()})


def http_date(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


def soon(seconds: float) -> str:
    return str(int(time.time() + seconds))


SECONDARY = b'{"message": "You have exceeded a secondary rate limit."}'
RATE_LIMITED = json.dumps({"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}).encode()
SECONDARY_QUERY = json.dumps(
    {"data": None, "errors": [{"message": "You have exceeded a Secondary Rate Limit"}]}
).encode()

UNFINISHED = b'{"data": null, "errors": [{"message": "Something went wrong while executing your query."}]}'

FAULTS: dict[str, tuple[Callable[[], Response], float]] = {
    "429 bare": (limited(), 60),
    "429 Retry-After seconds": (limited(Retry__After="7"), 7),
    "429 Retry-After date": (lambda: Response(429, b"{}", {"Retry-After": http_date(30)}), 28),
    "429 Retry-After nonsense": (limited(Retry__After="soon"), 60),
    "429 Retry-After negative": (limited(Retry__After="-3"), 60),
    "429 Retry-After in the past": (lambda: Response(429, b"{}", {"Retry-After": http_date(-90)}), 1),
    "429 GitLab reset": (
        lambda: Response(
            429, b"{}", {"RateLimit-Remaining": "0", "RateLimit-Limit": "600", "RateLimit-Reset": soon(25)}
        ),
        23,
    ),
    "429 Jira reset": (
        lambda: Response(
            429,
            b"{}",
            {
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Limit": "100",
                "X-RateLimit-Reset": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 20)),
            },
        ),
        18,
    ),
    "403 secondary without header": (limited(403, SECONDARY), 60),
    "403 secondary Retry-After": (limited(403, SECONDARY, Retry__After="5"), 5),
    "403 primary": (
        lambda: Response(
            403,
            b'{"message": "API rate limit exceeded"}',
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": soon(40)},
        ),
        38,
    ),
    "503 Retry-After": (limited(503, Retry__After="9"), 9),
    "202": (limited(202), 0),
    "408": (limited(408), 0),
    "425": (limited(425), 0),
    "500": (limited(500), 0),
    "502": (limited(502, b"<html>bad gateway</html>"), 0),
    "503": (limited(503), 0),
    "504": (limited(504), 0),
    "520": (limited(520), 0),
    "reset": (lambda: Response(broken="reset"), 0),
    "truncated": (lambda: Response(200, json.dumps(GOOD).encode(), broken="truncated"), 0),
    "bad JSON": (lambda: Response(200, b'{"id": 1,'), 0),
    "HTML with 200": (lambda: Response(200, b"<html>sign in</html>"), 0),
    "empty 200": (lambda: Response(200), 0),
    "wrong charset": (lambda: Response(200, '{"name": "Zoë"}'.encode("latin-1")), 0),
}


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_waited_for_and_then_the_answer_is_as_if_nothing_had_been(
    service: Service, clock: FakeClock, fault: str, count: int
) -> None:
    response, wait = FAULTS[fault]
    service.fault = first(count, response)
    wire = wire_to(service, clock)
    assert session_on(wire).get(f"{service.url}/repos/a/b").json() == GOOD
    assert (service.count, wire.sent, wire.retried) == (count + 1, count + 1, count)
    assert clock.waited >= wait, "never sooner than the service asked"


@pytest.mark.parametrize("body", [RATE_LIMITED, SECONDARY_QUERY], ids=["primary", "secondary"])
def test_a_limit_that_graphql_tells_with_status_200_is_waited_for(
    service: Service, clock: FakeClock, body: bytes
) -> None:
    service.fault = first(2, lambda: Response(200, body))
    wire = wire_to(service, clock)
    assert session_on(wire).post(f"{service.url}/graphql", json=QUERY).json() == GOOD
    assert clock.waited >= 60 + 120


def test_a_query_that_ran_out_of_time_is_asked_again(service: Service, clock: FakeClock) -> None:
    service.fault = first(2, lambda: Response(200, UNFINISHED))
    wire = wire_to(service, clock)
    assert session_on(wire).post(f"{service.url}/graphql", json=QUERY).json() == GOOD
    assert wire.retried == 2


def test_a_hanging_answer_is_given_up_and_asked_again(service: Service, clock: FakeClock) -> None:
    service.fault = first(1, lambda: Response(200, b"{}", broken="hang"))
    assert session_on(wire_to(service, clock)).get(service.url + "/user").json() == GOOD


def test_a_dripping_body_is_given_up_after_five_read_times(clock: FakeClock) -> None:
    with dripping_server() as url:
        wire = Wire(url, clock=clock, sleep=clock.sleep, policy=Policy(read=0.1, tries=2))
        with pytest.raises(SourceError, match="did not answer in time, tried 2 times"):
            session_on(wire).get(url + "/user")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 300, 409])
def test_a_refusal_is_final_and_asked_once(service: Service, clock: FakeClock, status: int) -> None:
    service.fault = lambda number, request: Response(status, b'{"message": "no"}')
    with pytest.raises(SourceError) as caught:
        session_on(wire_to(service, clock)).get(service.url + "/repos/a/b?private_token=x")
    assert (caught.value.status, service.count, clock.waited) == (status, 1, 0)
    assert caught.value.where == "GET /repos/a/b"


@pytest.mark.parametrize(("fault", "least", "most"), [("429 bare", 900, 1900), ("502", 14, 70), ("reset", 14, 70)])
def test_a_fault_for_ever_ends_after_six_tries(
    service: Service, clock: FakeClock, fault: str, least: float, most: float
) -> None:
    service.fault = lambda number, request: FAULTS[fault][0]()
    with pytest.raises(SourceError, match="tried 6 times"):
        session_on(wire_to(service, clock)).get(service.url + "/user")
    assert service.count == 6
    assert least <= clock.waited <= most


def test_pauses_are_drawn_between_nothing_and_a_doubling_bound(service: Service, clock: FakeClock) -> None:
    bounds: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        bounds.append((low, high))
        return 0.0

    service.fault = first(5, FAULTS["500"][0])
    session_on(wire_to(service, clock, uniform=draw)).get(service.url + "/user")
    assert bounds == [(0, 2), (0, 4), (0, 8), (0, 16), (0, 32)]


def test_a_longer_wait_than_a_run_is_worth_is_deferred_at_once(service: Service, clock: FakeClock) -> None:
    service.fault = lambda number, request: Response(429, b"{}", {"Retry-After": "3600"})
    session = session_on(wire_to(service, clock))
    for _ in range(2):
        with pytest.raises(Deferred) as caught:
            session.get(service.url + "/user")
        assert caught.value.seconds == pytest.approx(3600, abs=5)
    assert (service.count, clock.waited) == (1, 0), "and the second time nothing is sent"


def test_a_tenth_of_the_budget_is_left_to_others(service: Service, clock: FakeClock) -> None:
    left = iter(["502", "501", "500", "4999"])
    service.fault = lambda number, request: Response(
        200, b"{}", {"X-RateLimit-Remaining": next(left), "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": soon(600)}
    )
    wire = wire_to(service, clock)
    session = session_on(wire)
    for _ in range(3):
        session.get(service.url + "/user")
    assert clock.waited == 0
    session.get(service.url + "/user")
    assert clock.waited == pytest.approx(600, abs=3), "until the budget is whole again"
    assert wire.budget["core"] == Budget(4999, 5000, pytest.approx(clock.now + 600, abs=3))


def test_a_spent_budget_of_one_kind_does_not_hold_the_others(service: Service, clock: FakeClock) -> None:
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "30", "X-RateLimit-Reset": soon(50)}
    service.fault = lambda number, request: Response(200, b"[]", spent) if "search" in request.path else None
    session = session_on(wire_to(service, clock))
    session.get(service.url + "/search/issues")
    session.post(service.url + "/graphql", json=QUERY)
    session.get(service.url + "/user")
    assert clock.waited == 0
    session.get(service.url + "/search/issues")
    assert clock.waited == pytest.approx(50, abs=3)


@pytest.mark.parametrize("ahead", [-600.0, 600.0])
@pytest.mark.parametrize("fault", ["429 Retry-After date", "403 primary"])
def test_a_wrong_local_clock_changes_no_wait(service: Service, ahead: float, fault: str) -> None:
    clock = FakeClock(ahead)
    response, wait = FAULTS[fault]
    service.fault = first(1, response)
    wire = wire_to(service, clock)
    session_on(wire).get(service.url + "/user")
    assert wait <= clock.waited <= wait + 5


def test_the_clock_of_the_service_and_the_skew_are_known(service: Service) -> None:
    wire = wire_to(service, FakeClock(ahead=-400))
    assert wire.server_date is None
    session_on(wire).get(service.url + "/user")
    assert wire.skew == pytest.approx(400, abs=3)
    assert wire.server_date is not None
    assert wire.server_date.timestamp() == pytest.approx(time.time(), abs=3)


def test_an_odd_clock_that_sleeping_does_not_move_ends_no_run(service: Service, clock: FakeClock) -> None:
    service.fault = first(1, FAULTS["429 Retry-After seconds"][0])
    wire = Wire(service.url, clock=clock, sleep=lambda seconds: None)
    assert session_on(wire).get(service.url + "/user").json() == GOOD


def test_a_service_that_cannot_prove_who_it_is_is_not_asked_again(service: Service, clock: FakeClock) -> None:
    url = service.url.replace("http:", "https:")
    wire = Wire(url, clock=clock, sleep=clock.sleep)
    with pytest.raises(SourceError, match="certificate"):
        session_on(wire).get(url + "/user")
    assert (wire.sent, service.count) == (1, 0)


# --- origins --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("elsewhere", ["port", "host", "scheme", "userinfo", "nonsense"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_elsewhere_is_not_followed_and_the_token_stays(
    service: Service, clock: FakeClock, status: int, elsewhere: str, method: str
) -> None:
    with serve(answer) as foreign:
        port = service.url.rsplit(":", 1)[1]
        where = {
            "port": foreign.url,
            "host": f"http://localhost:{port}",
            "scheme": f"https://127.0.0.1:{port}",
            "userinfo": foreign.url.replace("//", f"//127.0.0.1:{port}@"),
            "nonsense": "http://127.0.0.1:port",
        }[elsewhere]
        service.fault = lambda number, request: Response(status, b"", {"Location": where + "/graphql"})
        wire = wire_to(service, clock)
        asked = {"headers": {"PRIVATE-TOKEN": CANARY, "Authorization": f"Bearer {CANARY}"}, "json": QUERY}
        with pytest.raises(SourceError, match=r"another origin|only reads by GET"):
            session_on(wire).request(method, service.url + "/graphql", **asked)
        assert (foreign.count, service.count) == (0, 1)


def test_a_next_link_to_another_origin_is_not_asked(service: Service, clock: FakeClock) -> None:
    with serve(answer) as foreign, pytest.raises(SourceError, match="another origin"):
        session_on(wire_to(service, clock)).get(foreign.url + "/items?page=2", headers={"PRIVATE-TOKEN": CANARY})
    assert (foreign.count, service.count) == (0, 0)


def test_a_redirect_inside_the_origin_is_followed_with_its_query_and_headers(
    service: Service, clock: FakeClock
) -> None:
    moved = Response(301, b"", {"Location": "/repositories/7?page=2"})
    service.fault = first(1, lambda: moved)
    session_on(wire_to(service, clock)).get(service.url + "/repos/a/b", headers={"X-Kept": "yes"})
    last = service.requests[-1]
    assert (last.path, last.ask("page"), last.headers["x-kept"]) == ("/repositories/7", "2", "yes")


def test_redirects_in_a_circle_end(service: Service, clock: FakeClock) -> None:
    service.fault = lambda number, request: Response(302, b"", {"Location": "/again"})
    with pytest.raises(SourceError, match="more than 5 times"):
        session_on(wire_to(service, clock)).get(service.url + "/user")


def test_credentials_of_netrc_are_not_sent(
    service: Service, clock: FakeClock, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login eve password {CANARY}")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session_on(wire_to(service, clock)).get(service.url + "/user")
    assert "authorization" not in service.requests[0].headers


def test_a_url_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(SourceError, match="not one"):
        Wire("git.example.com")


# --- shapes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b'"sign in"', b"1", b"true"])
def test_an_answer_that_is_neither_object_nor_list_is_no_success(
    service: Service, clock: FakeClock, body: bytes
) -> None:
    service.fault = lambda number, request: Response(200, body)
    with pytest.raises(SourceError, match="neither an object nor a list"):
        session_on(wire_to(service, clock)).get(service.url + "/user")


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"message": "hello"}'])
def test_a_graphql_answer_without_data_and_errors_is_no_success(
    service: Service, clock: FakeClock, body: bytes
) -> None:
    service.fault = lambda number, request: Response(200, body)
    with pytest.raises(SourceError, match="neither data nor errors"):
        session_on(wire_to(service, clock)).post(service.url + "/graphql", json=QUERY)


def test_partial_data_is_handed_on_for_the_connector_to_tell_what_is_missing(
    service: Service, clock: FakeClock
) -> None:
    partial = {
        "data": {"a": None},
        "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["a"], "message": "too much"}],
    }
    service.fault = lambda number, request: Response.of(partial)
    assert session_on(wire_to(service, clock)).post(service.url + "/graphql", json=QUERY).json() == partial


def test_a_null_answer_is_no_json_object_and_asked_again(service: Service, clock: FakeClock) -> None:
    service.fault = first(1, lambda: Response(200, b"null"))
    assert session_on(wire_to(service, clock)).get(service.url + "/user").json() == GOOD


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_have_no_body_by_their_nature_are_good(service: Service, clock: FakeClock, status: int) -> None:
    service.fault = lambda number, request: Response(status)
    assert session_on(wire_to(service, clock)).get(service.url + "/user").status_code == status


def test_json_is_read_as_utf_8_whatever_the_header_says(service: Service, clock: FakeClock) -> None:
    body = '{"name": "Zoë"}'.encode()
    service.fault = lambda number, request: Response(200, body, {"Content-Type": "application/json; charset=latin-1"})
    assert session_on(wire_to(service, clock)).get(service.url + "/user").text == '{"name": "Zoë"}'


def test_a_body_over_the_limit_is_refused(service: Service, clock: FakeClock) -> None:
    service.fault = lambda number, request: Response(200, b"[" + b"1," * (1 << 20) + b"1]")
    wire = wire_to(service, clock, policy=Policy(largest=1 << 20))
    with pytest.raises(SourceError, match="larger than 1048576 bytes"):
        session_on(wire).get(service.url + "/user")
    assert service.count == 1


# --- reads only -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/repos/a/b", {}),
        ("PATCH", "/repos/a/b", {}),
        ("DELETE", "/repos/a/b", None),
        ("POST", "/api/v4/projects", {}),
        ("POST", "/api/v4/projects/1/access_tokens", {}),
        ("POST", "/rest/api/3/issue", {}),
        ("POST", "/graphql", {"query": "mutation { a }"}),
        ("POST", "/graphql", {"query": "# query\n  mutation Do { a }"}),
        ("POST", "/graphql", {"query": "fragment F on A { b } mutation { ...F }"}),
        ("POST", "/graphql", {"query": 'query ($a: String = "}") { b } mutation { c }'}),
        ("POST", "/graphql", {"query": "subscription { a }"}),
        ("POST", "/graphql", [{"query": "query { a }"}]),
        ("POST", "/graphql", {"id": "stored"}),
        ("POST", "/graphql", None),
    ],
)
def test_what_would_write_is_never_sent(service: Service, clock: FakeClock, method: str, path: str, body: Any) -> None:
    with pytest.raises(SourceError, match="it would write"):
        session_on(wire_to(service, clock)).request(method, service.url + path, json=body)
    assert service.count == 0


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/graphql", 'query { a(b: "mutation {") { c } }'),
        ("/graphql", "{ mutation }"),
        ("/graphql", '"""mutation""" query { a }'),
        ("/jira/rest/api/2/search", None),
        ("/rest/api/3/search/jql", None),
        ("/rest/api/3/changelog/bulkfetch", None),
        ("/rest/api/3/search/approximate-count", None),
        ("/api/v3/app/installations/12/access_tokens", None),
    ],
)
def test_posts_that_ask_are_reads(path: str, query: str | None) -> None:
    assert is_read("POST", path, json.dumps({"query": query} if query else {}).encode())


# --- patience -------------------------------------------------------------------------------------------------------


def test_a_question_that_could_be_smaller_is_given_up_sooner(service: Service, clock: FakeClock) -> None:
    service.fault = lambda number, request: Response(502)
    wire = wire_to(service, clock)
    with wire.at_most(2), pytest.raises(SourceError) as caught:
        session_on(wire).post(service.url + "/graphql", json=QUERY)
    assert (caught.value.status, service.count) == (502, 2)
    with pytest.raises(SourceError):
        session_on(wire).post(service.url + "/graphql", json=QUERY)
    assert service.count == 2 + 6


def test_limits_are_waited_for_even_with_little_patience(service: Service, clock: FakeClock) -> None:
    service.fault = first(4, FAULTS["429 Retry-After seconds"][0])
    wire = wire_to(service, clock)
    with wire.at_most(2):
        assert session_on(wire).get(service.url + "/user").json() == GOOD


def test_five_requests_given_up_in_a_row_leave_the_service_alone_for_five_minutes(
    service: Service, clock: FakeClock
) -> None:
    service.fault = lambda number, request: Response(503)
    session = session_on(wire_to(service, clock))
    for _ in range(5):
        with pytest.raises(SourceError, match="503"):
            session.get(service.url + "/user")
    with pytest.raises(SourceError, match=r"5 requests in a row failed, again in 300 s"):
        session.get(service.url + "/user")
    assert service.count == 5 * 6
    clock.now += 301
    service.fault = None
    assert session.get(service.url + "/user").json() == GOOD


def test_a_refusal_shows_that_the_service_lives(service: Service, clock: FakeClock) -> None:
    session = session_on(wire_to(service, clock))
    for status in [503, 503, 503, 503, 404, 503, 503, 503, 503]:
        service.fault = lambda number, request, status=status: Response(status)  # type: ignore[misc] # bound per turn
        with pytest.raises(SourceError):
            session.get(service.url + "/user")
    service.fault = None
    assert session.get(service.url + "/user").json() == GOOD


def test_many_threads_share_one_wire_and_its_counts(service: Service, clock: FakeClock) -> None:
    service.fault = lambda number, request: Response(500) if number % 7 == 0 else None
    session = session_on(wire_to(service, clock))
    wire = session.get_adapter(service.url)
    assert isinstance(wire, Wire)
    good: list[Any] = []
    threads = [
        threading.Thread(target=lambda: good.extend(session.get(service.url + "/user").json()["id"] for _ in range(25)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert good == [1] * 200
    assert wire.sent == service.count == 200 + wire.retried


def test_a_limit_met_by_one_thread_silences_all(service: Service) -> None:
    arrived: list[float] = []

    def note(number: int, request: Request) -> Response | None:
        arrived.append(time.monotonic())
        return Response(429, b"{}", {"Retry-After": "1"}) if number == 1 else None

    service.fault = note
    session = session_on(Wire(service.url, uniform=lambda low, high: 0.0))
    threads = [threading.Thread(target=lambda: session.get(service.url + "/user")) for _ in range(4)]
    threads[0].start()
    while not arrived:
        time.sleep(0.01)
    time.sleep(0.1)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(arrived) == 5
    assert min(arrived[1:]) - arrived[0] >= 0.99


# --- secrets --------------------------------------------------------------------------------------------------------


def test_no_token_in_logs_tracebacks_or_pickles(service: Service, clock: FakeClock) -> None:
    lines: list[str] = []
    handler = logging.Handler(1)
    handler.setFormatter(Redacting(secrets=[CANARY]))
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign] # a list for a log
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    try:
        service.fault = lambda number, request: Response(502, CANARY.encode())
        wire = wire_to(service, clock, secrets=[CANARY])
        session = session_on(wire)
        session.headers["PRIVATE-TOKEN"] = CANARY
        with pytest.raises(SourceError) as caught:
            session.get(f"{service.url}/a/{CANARY}/b?private_token={CANARY}", auth=("ada", CANARY))
        logging.getLogger("x").error("Authorization: Basic abc %s", CANARY)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    told = "".join(traceback.format_exception(caught.value)) + "\n".join(lines) + repr(vars(caught.value))
    assert service.requests[0].headers["private-token"] == CANARY
    assert "/a/***/b" in told
    assert CANARY not in told
    assert CANARY.encode() not in pickle.dumps(caught.value)
    for held in (wire, session):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(held)


def test_the_formatter_masks_by_form_what_it_was_never_told() -> None:
    record = logging.LogRecord(
        "x", 10, "", 0, "%s", ("https://ada:hunter22@h/x?access_token=abc&page=2 PRIVATE-TOKEN: glpat-1",), None
    )
    assert Redacting().format(record) == "https://***@h/x?access_token=***&page=2 PRIVATE-TOKEN: ***"


def test_a_key_of_many_lines_is_masked_line_by_line(tmp_path: Any) -> None:
    key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7\nq1w2e3r4t5y6\n-----END KEY-----"
    (tmp_path / "key.pem").write_text(key)
    assert reveal(Secret("file:key.pem"), tmp_path) == key
    record = logging.LogRecord("x", 10, "", 0, "%r", (key,), None)
    assert "MIIEowIBAAKCAQEA7" not in Redacting().format(record)


def test_references_are_read_from_the_environment_and_from_files(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_TOKEN", "  from-environment\n")
    (tmp_path / "token").write_text("from-file\n")
    assert reveal(Secret("${HUB_TOKEN}")) == "from-environment"
    assert reveal(Secret("file:token"), tmp_path) == "from-file"
    assert reveal("ada@example.com") == "ada@example.com"
    assert Wire("https://git.example.com", folder=str(tmp_path)).reveal(Secret("file:token")) == "from-file"


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ("${NO_SUCH_TOKEN}", "NO_SUCH_TOKEN"),
        ("file:missing", "missing"),
        ("file:empty", "empty"),
        ("file:binary", "not text"),
        ("ghp_literal", "neither"),
    ],
)
def test_a_reference_to_nothing_says_which(tmp_path: Any, reference: str, named: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match=named) as caught:
        reveal(Secret(reference), tmp_path)
    assert "ghp_literal" not in str(caught.value)


# --- under the clients ----------------------------------------------------------------------------------------------


def ask_gitlab(wire: Wire, url: str) -> Any:
    client = gitlab.Gitlab(url, private_token=CANARY, session=session_on(wire), retry_transient_errors=True)
    return client.http_get("/user")


def ask_jira(wire: Wire, url: str) -> Any:
    client = jira.JIRA(url, token_auth=CANARY, get_server_info=False)
    mount(client._session, wire)
    return client._session.get(url + "/rest/api/2/myself").json()


@pytest.mark.parametrize("ask", [ask_gitlab, ask_jira])
@pytest.mark.parametrize("fault", ["502", "reset", "truncated", "503 Retry-After"])
def test_no_client_tries_again_on_top(service: Service, clock: FakeClock, ask: Any, fault: str) -> None:
    service.fault = lambda number, request: FAULTS[fault][0]()
    with pytest.raises(SourceError, match="tried 6 times"):
        ask(wire_to(service, clock), service.url)
    assert service.count == 6


@pytest.mark.parametrize("ask", [ask_gitlab, ask_jira])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_client_gets_its_answer_after_faults(service: Service, clock: FakeClock, ask: Any, fault: str) -> None:
    service.fault = first(2, FAULTS[fault][0])
    assert ask(wire_to(service, clock), service.url) == GOOD
    assert service.count == 3


def dripping_server() -> Any:
    """A server that sends one byte every 50 ms, which no read time-out notices."""
    import socket
    from contextlib import contextmanager

    @contextmanager
    def run() -> Iterator[str]:
        stop = threading.Event()

        def drip(connection: socket.socket) -> None:
            with connection, ExitStack() as quiet:
                quiet.push(lambda kind, error, trace: isinstance(error, OSError))
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
                while not stop.wait(0.05):
                    connection.sendall(b" ")

        def listen() -> None:
            with ExitStack() as quiet:
                quiet.push(lambda kind, error, trace: isinstance(error, OSError))
                while not stop.is_set():
                    connection, _ = door.accept()
                    threads.append(threading.Thread(target=drip, args=(connection,), daemon=True))
                    threads[-1].start()

        threads: list[threading.Thread] = []
        with socket.create_server(("127.0.0.1", 0)) as door:
            thread = threading.Thread(target=listen, daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
            stop.set()
            socket.create_connection(door.getsockname()).close()
            for running in [thread, *threads]:
                running.join()

    return run()
