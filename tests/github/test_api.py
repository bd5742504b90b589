"""Who asks, and that nothing of it is ever told."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pipmetrics.demo.github import World
from pipmetrics.demo.github.world import App
from pipmetrics.demo.service import Response, serve
from pipmetrics.errors import SourceError
from pipmetrics.model import Secret
from pipmetrics.transport import Redacting
from pipmetrics_github.api import Hub, TooMuch, rest_root

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CANARY = "secret-of-the-hub"
Reading = Callable[..., Any]


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    """A private key and its public half, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def test_a_github_app_asks_for_its_own_token_once(
    world: World, reader: Reading, keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.repository("acme/api").pull(world.account("ada"), START)
    world.apps.append(App(77, keys[1], {5: "acme-app"}))
    monkeypatch.setenv("APP_KEY", keys[0])
    options = {"app_id": "77", "installation_id": 5, "private_key": Secret("${APP_KEY}")}
    got = reader(token=None, options=options).pull()
    assert len(got.groups) == 1
    assert [request.path for request in got.service.requests] == [
        "/app/installations/5/access_tokens", "/graphql", "/graphql",
    ]  # fmt: skip
    [finding] = [each for each in got.connector().check([]) if "accepted" in each.what]
    assert "acme-app" in finding.what


def test_an_app_token_that_is_about_to_expire_is_renewed(
    world: World, reader: Reading, keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.repository("acme/api")
    world.apps.append(App(77, keys[1], {5: "acme-app"}))
    monkeypatch.setenv("APP_KEY", keys[0].replace("\n", "\\n"))
    monkeypatch.setattr("pipmetrics_github.api.InstallationToken.EARLY", 3600.0)
    options = {"app_id": "77", "installation_id": 5, "private_key": Secret("${APP_KEY}")}
    got = reader(token=None, options=options)
    connector = got.connector()
    list(connector.pull({}, START))
    list(connector.pull({}, START))
    assert [request.path for request in got.service.requests].count("/app/installations/5/access_tokens") == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"app_id": "77"}, "installation_id and private_key"),
        ({"app_id": "77", "installation_id": 5, "private_key": "${HUB_TOKEN}"}, "private key of the GitHub App"),
        ({}, "no token"),
    ],
)
def test_what_is_missing_to_ask_with_is_told(world: World, reader: Reading, options: dict[str, Any], told: str) -> None:
    got = reader(token=None, options=options)
    with pytest.raises(SourceError, match=told) as caught:
        got.pull()
    assert got.service.count == 0
    assert CANARY not in str(caught.value)


def test_the_web_address_of_github_is_no_api() -> None:
    with pytest.raises(SourceError, match=r"https://api\.github\.com"):
        rest_root("https://github.com/")


@pytest.mark.parametrize(
    ("path", "graphql", "rest"), [("", "/graphql", "/user"), ("/api/v3", "/api/graphql", "/api/v3/user")]
)
def test_enterprise_servers_have_their_own_paths(
    world: World, reader: Reading, path: str, graphql: str, rest: str
) -> None:
    world.repository("acme/api").pull(world.account("ada"), START)
    got = reader(path=path).pull()
    assert len(got.groups) == 1
    Hub(got.source, got.wire()).get("/user")
    assert {request.path for request in got.service.requests} == {graphql, rest}


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([{"type": "INSUFFICIENT_SCOPES", "message": "x"}], "lacks a scope"),
        ([{"message": "x", "extensions": {"code": "undefinedField"}}], "this version of the service"),
        ([{"type": "NEW_TROUBLE", "message": "x"}], "NEW_TROUBLE"),
        ([{"message": "x"}], "without saying why"),
    ],
)
def test_errors_instead_of_data_are_told_in_our_words(
    world: World, reader: Reading, errors: list[Any], told: str
) -> None:
    got = reader()
    got.service.fault = lambda number, request: Response.of({"data": None, "errors": errors})
    with pytest.raises(SourceError, match=told) as caught:
        Hub(got.source, got.wire()).ask("query { viewer { login } }")
    assert not isinstance(caught.value, TooMuch)


def test_headers_that_make_no_sense_end_in_an_error_of_ours(world: World, reader: Reading) -> None:
    got = reader()
    got.service.fault = lambda number, request: Response(200, b'{"data": {}}', {"X-RateLimit-Reset": "soon"})
    with pytest.raises(SourceError, match="does not understand"):
        Hub(got.source, got.wire()).ask("query { viewer { login } }")


def test_the_token_is_told_nowhere(world: World, reader: Reading) -> None:
    lines: list[str] = []
    handler = logging.Handler(1)
    handler.setFormatter(Redacting())
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign] # a list for a log
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    world.repository("acme/api").pull(world.account("ada"), START, "Embarrassing title")
    try:
        got = reader()
        connector = got.connector()
        pages = list(connector.pull({}, START))
        findings = list(connector.check(["ada"]))
        got.service.fault = lambda number, request: Response(500, CANARY.encode())
        with pytest.raises(SourceError) as caught:
            list(connector.pull({}, START))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert any(CANARY in request.headers["authorization"] for request in got.service.requests)
    told = "".join(traceback.format_exception(caught.value)) + "\n".join(lines) + repr((pages, findings, got.source))
    assert CANARY not in told
    assert not any("Embarrassing" in line for line in lines), "nor what people wrote"
    assert CANARY.encode() not in pickle.dumps((pages, got.source, caught.value))
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(connector)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_does_not_leave_its_origin(world: World, reader: Reading, status: int) -> None:
    with serve(lambda request: Response.of({"data": {}})) as foreign:
        got = reader()
        got.service.fault = lambda number, request: Response(status, b"{}", {"Location": foreign.url + request.path})
        with pytest.raises(SourceError):
            got.pull()
        with pytest.raises(SourceError, match="another origin"):
            got.connector().compare("acme/api", "a" * 40, "b" * 40)
        assert foreign.count == 0


def test_a_stock_requester_is_never_made_from_ours(world: World, reader: Reading) -> None:
    got = reader()
    requester = Hub(got.source, got.wire()).requester
    for made in (requester.withLazy(True), requester.withAuth(requester.auth), requester.withApiVersion("2022-11-28")):
        made.requestJsonAndCheck("GET", "/user")
        assert type(made) is type(requester)
    assert got.service.count == 3
