from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI

from pipmetrics.web import make_link
from tests.web.company import Browser, Company, browser

Signed = Callable[[str | None], Browser]
MINUTES = timedelta(minutes=1)


def test_a_session_ends_after_half_an_hour_without_a_request(as_: Signed, company: Company) -> None:
    dana = as_("dana")
    company.now += 29 * MINUTES
    assert dana.get("/api/me").status_code == 200
    company.now += 29 * MINUTES
    assert dana.get("/api/me").status_code == 200
    company.now += 31 * MINUTES
    assert dana.get("/api/me").status_code == 401


def test_a_session_ends_after_twelve_hours_however_busy(as_: Signed, company: Company) -> None:
    dana = as_("dana")
    for _ in range(35):
        company.now += 20 * MINUTES
        assert dana.get("/api/me").status_code == 200
    company.now += 20 * MINUTES
    assert dana.get("/api/me").status_code == 401


def test_a_stolen_cookie_fails_after_sign_out(as_: Signed, company: Company, app: FastAPI) -> None:
    dana, thief = as_("dana"), as_(None)
    thief.client.cookies.update(dict(dana.client.cookies))
    assert thief.get("/api/me").json()["person"] == "dana"
    answer = dana.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert thief.get("/api/me").status_code == 401
    assert thief.get("/plans/ada-q4").headers["location"] == "/sign-in?onward=/plans/ada-q4"


def test_signing_in_again_ends_the_session_before(as_: Signed, company: Company, app: FastAPI) -> None:
    dana = as_("dana")
    before = dict(dana.client.cookies)
    dana.get(make_link(company.organisation.config.settings, "dana", company.now))
    assert dict(dana.client.cookies) != before
    thief = as_(None)
    thief.client.cookies.update(before)
    assert thief.get("/api/me").status_code == 401


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(company: Company, app: FastAPI) -> None:
    outside = browser(company, app, None)
    said = outside.get(make_link(company.organisation.config.settings, "dana", company.now)).headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=lax" in said
    assert "Secure" not in said  # plain http on this machine


def test_on_https_the_cookie_comes_back_over_https_alone(company: Company) -> None:
    company.edit("pipmetrics.yaml", "timezone:", 'access: {mode: links, url: "https://pip.example.com"}\ntimezone:')
    company.open()
    outside = browser(company, company.app(), None)
    answer = outside.get(make_link(company.organisation.config.settings, "dana", company.now))
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_session_of_a_start_before_is_none_unless_a_key_is_configured(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    dana = browser(company, company.app(), "dana")
    again = browser(company, company.app(), None)
    again.client.cookies.update(dict(dana.client.cookies))
    assert again.get("/api/me").status_code == 401
    monkeypatch.setenv("PIP_SESSIONS", "a long secret that nobody else knows")
    company.edit("pipmetrics.yaml", "timezone:", 'access: {mode: links, session_secret: "${PIP_SESSIONS}"}\ntimezone:')
    company.open()
    dana = browser(company, company.app(), "dana")
    again = browser(company, company.app(), None)
    again.client.cookies.update(dict(dana.client.cookies))
    assert again.get("/api/me").json()["person"] == "dana"


@pytest.mark.parametrize("cookie", ["", "x", "a" * 43, "../session", "\x7f"])
def test_an_invented_cookie_is_nobodys(as_: Signed, cookie: str) -> None:
    outside = as_(None)
    assert outside.get("/api/me", headers={"cookie": f"pipmetrics={cookie}"}).status_code == 401


# --- one-time links -----------------------------------------------------------------------------------------------


def test_a_link_works_once(company: Company, app: FastAPI) -> None:
    link = make_link(company.organisation.config.settings, "dana", company.now)
    assert browser(company, app, None).get(link).status_code == 303
    answer = browser(company, app, None).get(link)
    assert answer.status_code == 403
    assert "used before" in answer.text
    assert "set-cookie" not in answer.headers


def test_a_link_works_for_fifteen_minutes(company: Company, app: FastAPI) -> None:
    link = make_link(company.organisation.config.settings, "dana", company.now)
    company.now += 15 * MINUTES
    assert browser(company, app, None).get(link).status_code == 403


def test_a_link_for_nobody_known_signs_nobody_in(company: Company, app: FastAPI) -> None:
    link = make_link(company.organisation.config.settings, "mallory", company.now)
    assert browser(company, app, None).get(link).status_code == 403


def test_a_link_of_one_kind_opens_nothing_as_another(company: Company, app: FastAPI) -> None:
    token = make_link(company.organisation.config.settings, "dana", company.now).rpartition("/")[2]
    outside = browser(company, app, None)
    assert outside.get("/api/me", headers={"cookie": f"pipmetrics={token}"}).status_code == 401


# --- proof --------------------------------------------------------------------------------------------------------


def test_signing_needs_somebody_who_has_just_signed_in(as_: Signed, company: Company) -> None:
    ada = as_("ada")
    company.now += 11 * MINUTES
    answer = ada.get("/plans/ada-q4/acts/acknowledge")
    assert answer.headers["location"] == "/sign-in?again=true&onward=/plans/ada-q4/acts/acknowledge"
    told = ada.call("/api/plans/ada-q4/acts/acknowledge", {"notice": True})
    assert told.status_code == 403
    assert ada.get("/plans/ada-q4/acts/comment").status_code == 200
    ada.get(make_link(company.organisation.config.settings, "ada", company.now))
    assert ada.get("/plans/ada-q4/acts/acknowledge").status_code == 200
