"""A provider of OpenID Connect for the tests, a trusted proxy, and what other sites may not send."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey

from pipmetrics.web.guard import vouched
from pipmetrics.web.signing_in import local
from tests.web.company import Browser, Company, browser

Signed = Callable[[str | None], Browser]
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)


@dataclass
class Provider:
    """What a provider does, and how it can be made to do wrong: `claims` overrides those of the token."""

    url: str = ""
    now: int = 0
    subject: str = "sub-ada"
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEY)
    challenges: dict[str, str] = field(default_factory=dict)
    nonces: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def authorize(self, location: str) -> str:
        """As the browser does when it follows to the provider and comes back: gives the callback's path."""
        sent = {name: value[0] for name, value in parse_qs(urlsplit(location).query).items()}
        self.asked.append(sent)
        code = f"code-{len(self.asked)}"
        self.challenges[code], self.nonces[code] = sent["code_challenge"], sent["nonce"]
        return f"/sign-in/oidc/callback?code={code}&state={sent['state']}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        code = form.get("code", "")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if self.challenges.pop(code, None) != urlsafe_b64encode(digest).decode().rstrip("="):
            return 400, {"error": "invalid_grant"}
        claims = {
            "iss": self.url, "aud": "pip", "sub": self.subject, "iat": self.now, "exp": self.now + 300,
            "nonce": self.nonces[code], "auth_time": self.now, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return 200, {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": token}


@pytest.fixture
def provider(company: Company) -> Iterator[Provider]:
    stub = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            documents = {
                "/.well-known/openid-configuration": {
                    "issuer": stub.url, "authorization_endpoint": f"{stub.url}/authorize",
                    "token_endpoint": f"{stub.url}/token", "jwks_uri": f"{stub.url}/keys",
                    "id_token_signing_alg_values_supported": ["RS256"],
                },
                "/keys": {"keys": [KEY.as_dict(private=False)]},
            }  # fmt: skip
            self.give(200, documents[self.path])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.give(*stub.token({name: value[0] for name, value in parse_qs(body).items()}))

        def give(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    import time

    stub.now = int(time.time())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield stub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def oidc(company: Company, provider: Provider) -> FastAPI:
    from datetime import UTC, datetime

    company.now = datetime.fromtimestamp(provider.now, UTC)
    access = (
        f'access: {{mode: oidc, issuer: "{provider.url}", client_id: pip, url: "http://127.0.0.1:8000", '
        "subjects: {sub-ada: ada, sub-dana: dana, sub-gone: gone}}\n"
    ).replace(", sub-gone: gone", "")
    company.edit("pipmetrics.yaml", "timezone:", f"{access}timezone:")
    company.open()
    return company.app()


def sign_in(at: Browser, provider: Provider, query: str = "") -> Any:
    sent = at.get(f"/sign-in/oidc{query}")
    assert sent.status_code == 302
    return at.get(provider.authorize(sent.headers["location"]))


def test_the_provider_is_asked_with_state_nonce_and_a_challenge(
    company: Company, oidc: FastAPI, provider: Provider
) -> None:
    ada = browser(company, oidc, None)
    answer = sign_in(ada, provider, "?onward=/plans/ada-q4")
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans/ada-q4")
    (asked,) = provider.asked
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/sign-in/oidc/callback"
    assert len(asked["state"]) >= 20
    assert len(asked["nonce"]) >= 20
    assert ada.get("/api/me").json()["person"] == "ada"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://evil.example"},
        {"aud": "somebody-else"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sub": "sub-unknown"},
        {"sub": "ada"},
    ],
    ids=lambda claims: "-".join(map(str, (*claims, *claims.values()))),
)
def test_a_token_that_is_not_for_us_signs_nobody_in(
    claims: dict[str, Any], company: Company, oidc: FastAPI, provider: Provider
) -> None:
    provider.claims = claims
    ada = browser(company, oidc, None)
    assert sign_in(ada, provider).status_code == 403
    assert ada.get("/api/me").status_code == 401


def test_a_token_with_another_key_signs_nobody_in(company: Company, oidc: FastAPI, provider: Provider) -> None:
    provider.key = OTHER_KEY
    ada = browser(company, oidc, None)
    assert sign_in(ada, provider).status_code == 403
    assert ada.get("/api/me").status_code == 401


def test_a_callback_that_we_did_not_begin_signs_nobody_in(company: Company, oidc: FastAPI, provider: Provider) -> None:
    ada, mallory = browser(company, oidc, None), browser(company, oidc, None)
    callback = provider.authorize(mallory.get("/sign-in/oidc").headers["location"])
    assert ada.get(callback).status_code == 403
    assert ada.get("/api/me").status_code == 401


def test_a_callback_is_good_once(company: Company, oidc: FastAPI, provider: Provider) -> None:
    ada = browser(company, oidc, None)
    callback = provider.authorize(ada.get("/sign-in/oidc").headers["location"])
    assert ada.get(callback).status_code == 303
    assert ada.get(callback).status_code == 403


def test_a_refusal_of_the_provider_is_said(company: Company, oidc: FastAPI, provider: Provider) -> None:
    answer = browser(company, oidc, None).get("/sign-in/oidc/callback?error=access_denied&error_description=%3Cb%3E")
    assert answer.status_code == 403
    assert "<b>" not in answer.text


def test_signing_an_act_asks_the_provider_for_the_password_anew(
    company: Company, oidc: FastAPI, provider: Provider
) -> None:
    provider.claims = {"auth_time": provider.now - 3600}
    ada = browser(company, oidc, None)
    sign_in(ada, provider)
    answer = ada.get("/plans/ada-q4/acts/acknowledge")
    assert answer.headers["location"].startswith("/sign-in?again=true")
    assert sign_in(ada, provider, "?again=true").status_code == 403, "it signed in from an old session"
    provider.claims = {}
    again = sign_in(ada, provider, "?again=true&onward=/plans/ada-q4/acts/acknowledge")
    assert again.headers["location"] == "/plans/ada-q4/acts/acknowledge"
    assert (provider.asked[-1]["prompt"], provider.asked[-1]["max_age"]) == ("login", "0")
    assert ada.get("/plans/ada-q4/acts/acknowledge").status_code == 200


def test_links_are_no_way_in_where_the_provider_is(company: Company, oidc: FastAPI) -> None:
    from pipmetrics.web import make_link

    link = make_link(company.organisation.config.settings, "dana", company.now)
    assert browser(company, oidc, None).get(link).status_code == 404


@pytest.mark.parametrize(
    ("address", "onward"),
    [
        ("/plans/ada-q4", "/plans/ada-q4"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/sign-in", "/"),
        ("/a\nb", "/"),
        ("", "/"),
    ],
)
def test_a_sign_in_leads_nowhere_but_here(address: str, onward: str) -> None:
    assert local(address) == onward


# --- a proxy ------------------------------------------------------------------------------------------------------

PROXY = 'access: {mode: proxy, trusted: ["10.1.0.0/16", "fd00::/8"]}\n'


def behind(company: Company, peer: str | None, access: str = PROXY) -> TestClient:
    company.edit("pipmetrics.yaml", "timezone:", f"{access}timezone:")
    company.open()
    app = company.app()
    return TestClient(app, base_url="http://127.0.0.1:8000", client=(peer, 1) if peer else None)  # type: ignore[arg-type]  # a socket has no peer


def test_the_header_of_a_listed_proxy_signs_in(company: Company) -> None:
    client = behind(company, "10.1.2.3")
    assert client.get("/api/me", headers={"X-Forwarded-User": "dana"}).json()["person"] == "dana"
    assert client.get("/api/me", headers={"X-Forwarded-User": "mallory"}).status_code == 401
    assert client.get("/api/me").status_code == 401, "the cookie alone is no proof behind a proxy"


@pytest.mark.parametrize("peer", ["10.2.0.1", "127.0.0.1", "192.168.0.1", "2001:db8::1", "unix", "testclient"])
def test_the_header_from_any_other_address_is_worth_nothing(company: Company, peer: str) -> None:
    client = behind(company, peer)
    assert client.get("/api/me", headers={"X-Forwarded-User": "dana"}).status_code == 401
    forged = {
        "X-Forwarded-User": "dana",
        "X-Forwarded-For": "10.1.2.3",
        "X-Real-IP": "10.1.2.3",
        "Forwarded": "for=10.1.2.3",
    }
    assert client.get("/api/me", headers=forged).status_code == 401
    assert client.get("/plans/ada-q4", headers=forged, follow_redirects=False).status_code == 401


@pytest.mark.parametrize(
    ("peer", "values", "who"),
    [
        ("10.1.2.3", ["dana"], "dana"),
        ("fd00::1", ["dana"], "dana"),
        ("::ffff:10.1.2.3", ["dana"], "dana"),
        ("10.1.2.3", ["dana", "ada"], None),
        ("10.1.2.3", [], None),
        (None, ["dana"], None),
    ],
)
def test_one_header_of_a_listed_address_names_one_person(peer: str | None, values: list[str], who: str | None) -> None:
    assert vouched({"trusted": ["10.1.0.0/16", "fd00::/8"]}, peer, values) == who


def test_with_subjects_only_those_that_are_listed_come_in() -> None:
    access = {"trusted": ["10.1.0.0/16"], "subjects": {"dd@example.com": "dana"}}
    assert vouched(access, "10.1.2.3", ["dd@example.com"]) == "dana"
    assert vouched(access, "10.1.2.3", ["dana"]) is None


def test_behind_a_proxy_forms_still_need_the_word_of_the_session(company: Company) -> None:
    client = behind(company, "10.1.2.3")
    who = {"X-Forwarded-User": "dana"}
    csrf = client.get("/api/me", headers=who).json()["csrf"]
    body = {"why": "Well done"}
    refused = client.post("/api/plans/ada-q4/acts/comment", json=body, headers=who)
    assert refused.status_code == 403
    done = client.post("/api/plans/ada-q4/acts/comment", json=body, headers={**who, "x-csrf-token": csrf})
    assert done.status_code == 201


# --- other sites --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "null", "sec-fetch-site": "none"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:9999"},
    ],
    ids=str,
)
def test_a_form_from_another_site_is_refused_even_with_the_right_word(as_: Signed, headers: dict[str, str]) -> None:
    dana = as_("dana")
    sent = {"csrf": dana.csrf(), "why": "x"}
    answer = dana.client.post("/plans/ada-q4/acts/comment", data=sent, headers=headers)
    assert answer.status_code == 403
    told = dana.client.post(
        "/api/plans/ada-q4/acts/comment", json={"why": "x"}, headers={"x-csrf-token": sent["csrf"], **headers}
    )
    assert told.status_code == 403


@pytest.mark.parametrize("word", ["", "wrong", "a" * 64])
def test_a_form_without_the_word_of_the_session_is_refused(as_: Signed, word: str) -> None:
    dana = as_("dana")
    answer = dana.client.post("/plans/ada-q4/acts/comment", data={"csrf": word, "why": "x"})
    assert answer.status_code == 403
    assert dana.client.post("/sign-out", data={"csrf": word}).status_code == 403


def test_the_word_of_somebody_elses_session_is_worth_nothing(as_: Signed) -> None:
    dana, ada = as_("dana"), as_("ada")
    answer = dana.client.post("/plans/ada-q4/acts/comment", data={"csrf": ada.csrf(), "why": "x"})
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "null"])
def test_own_pages_may_send_forms(as_: Signed, origin: str) -> None:
    dana = as_("dana")
    headers = {"sec-fetch-site": "same-origin", "origin": origin}
    answer = dana.client.post("/plans/ada-q4/acts/comment", data={"csrf": dana.csrf(), "why": "x"}, headers=headers)
    assert answer.status_code == 200


# --- the socket ---------------------------------------------------------------------------------------------------


def test_the_server_binds_to_this_machine_and_believes_no_proxy_header(company: Company) -> None:
    from pipmetrics.web.app import server

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = server(company.organisation, port=port).config
    assert (config.host, config.port) == ("127.0.0.1", port)
    assert config.proxy_headers is False
    assert config.access_log is False
