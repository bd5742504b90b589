"""The HTTP side of the stand-ins: what arrives, what is answered, and the ways in which it misbehaves when told to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pipmetrics.demo.service import Request, Response, Service, serve


def echo(request: Request) -> Response:
    body = request.json() if request.body else None
    told = {"method": request.method, "path": request.path, "query": dict(request.query), "body": body}
    return Response.of({**told, "first": request.ask("q", "none"), "origin": request.origin}, 201, X__Seen="yes")


@pytest.fixture
def service() -> Iterator[Service]:
    with serve(echo) as found:
        yield found


def ask(service: Service, path: str = "/", **more: Any) -> requests.Response:
    return requests.request(more.pop("method", "GET"), service.url + path, timeout=3, **more)


def test_a_request_arrives_whole_and_is_noted(service: Service) -> None:
    told = ask(service, "/a/b?q=1&q=2&empty=", method="POST", json={"x": [1]})
    assert told.status_code == 201
    assert told.headers["X-Seen"] == "yes"
    assert told.json() == {
        "method": "POST", "path": "/a/b", "query": {"q": ["1", "2"], "empty": [""]}, "body": {"x": [1]},
        "first": "1", "origin": service.url,
    }  # fmt: skip
    assert service.count == 1
    assert service.requests[0].headers["content-type"] == "application/json"


def test_it_listens_on_this_machine_alone_and_is_gone_afterwards() -> None:
    with serve(echo) as service:
        assert service.url.startswith("http://127.0.0.1:")
        ask(service)
    with pytest.raises(requests.ConnectionError):
        ask(service)


def test_a_fault_answers_in_its_place_by_number(service: Service) -> None:
    service.fault = lambda number, _request: Response.of({"message": "no"}, 503) if number == 2 else None
    assert [ask(service).status_code for _ in range(3)] == [201, 503, 201]


def test_broken_answers_break_on_the_wire(service: Service) -> None:
    whole = Response.of({"text": "x" * 400})
    for broken in ("reset", "truncated"):
        service.fault = lambda _number, _request, how=broken: Response(200, whole.body, whole.headers, how)  # type: ignore[misc]  # bound early
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            ask(service).json()


def test_a_hanging_answer_ends_with_the_clients_patience(service: Service) -> None:
    service.fault = lambda _number, _request: Response(200, b"{}", {}, "hang")
    with pytest.raises((requests.Timeout, requests.ConnectionError)):
        requests.get(service.url, timeout=0.2)


def test_head_has_no_body(service: Service) -> None:
    told = ask(service, method="HEAD")
    assert (told.status_code, told.content) == (201, b"")
