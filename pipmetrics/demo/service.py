"""The HTTP side that the three stand-ins share: a loopback server that logs requests and misbehaves when told to.

A stand-in is a callable Request -> Response. It knows its service's documentation and nothing of the connectors.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; header names are lower-case, `query` keeps repeated values."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    origin: str

    def ask(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def json(self) -> Any:
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `broken` makes the wire fail instead: before a byte, in the middle of the body, or never ending."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    broken: Literal["", "reset", "truncated", "hang"] = ""

    @classmethod
    def of(cls, value: Any, status: int = 200, **headers: str) -> Response:
        """A JSON answer; `__` in header names stands for `-`."""
        named = {"Content-Type": "application/json; charset=utf-8"}
        named |= {name.replace("__", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), named)


App: TypeAlias = Callable[[Request], Response]
Fault: TypeAlias = Callable[[int, Request], Response | None]
"""Asked before the stand-in with the request's number (from 1): an answer to give instead, or None."""


@dataclass(slots=True)
class Service:
    """A running stand-in: where it listens, and what it was asked."""

    url: str
    requests: list[Request] = field(default_factory=list)
    fault: Fault | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def count(self) -> int:
        return len(self.requests)


@contextmanager
def serve(app: App, *, port: int = 0) -> Iterator[Service]:
    """Run a stand-in on a loopback port (0: a free one) until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(app, service := Service("")))
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(app: App, service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            at = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): text for name, text in self.headers.items()}
            query = parse_qs(at.query, keep_blank_values=True)
            request = Request(self.command, at.path, query, headers, body, service.url)
            with service.lock:
                service.requests.append(request)
                number = len(service.requests)
            response = (service.fault(number, request) if service.fault else None) or app(request)
            try:
                self.give(response)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # whoever asked has gone

        def give(self, response: Response) -> None:
            if response.broken == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(response.status)
            for name, text in response.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if response.broken == "hang":
                self.connection.settimeout(5)
                self.close_connection = True
                self.wait_for_the_client()
                return
            if self.command != "HEAD":
                self.wfile.write(response.body if not response.broken else response.body[: len(response.body) // 2])
            self.close_connection = self.close_connection or bool(response.broken)

        def wait_for_the_client(self) -> None:
            try:
                while self.connection.recv(1024):
                    pass
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None:
            """The request log is `service.requests`."""

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815 - names of http.server

    return Handler
