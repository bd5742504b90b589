"""Every route for every actor: what the table denies is 404, and no route goes without the table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI

from pipmetrics import access
from pipmetrics.access import Thing, can, person_thing, plan_thing, team_thing
from pipmetrics.web.guard import PUBLIC, actions_of, of, public
from tests.web.company import EVERYBODY, Browser, Company

Signed = Callable[[str | None], Browser]
OBJECTS = {
    "plan": ("ada-q4", "ben-q4", "chen-q4"),
    "person": ("ada", "ben", "chen"),
    "team": ("payments", "platform", "nobody"),
}
THINGS = {
    "portfolio.see": access.PORTFOLIO,
    "configuration.see": access.CONFIGURATION,
    "ledger.audit": access.LEDGER,
    "page.open": access.PAGE,
}
FILLED = {"criterion": "reviews", "seq": "1", "token": "unknown", "name": "style.css"}
NOT_A_READING = ("/sign-out", "/sign-in/link/{token}")


def routes(app: FastAPI) -> list[tuple[str, str, str]]:
    named = [(*key.split(" "), action) for key, action in app.state.actions.items()]
    return [(method, path, action) for method, path, action in named if path not in NOT_A_READING]


def cases(app: FastAPI, company: Company) -> list[tuple[str, str, str, Thing | None]]:
    """Every route with each object that its path can name."""
    made: list[tuple[str, str, str, Thing | None]] = []
    for method, path, action in routes(app):
        kind = next((kind for kind in OBJECTS if f"{{{kind}}}" in path), "")
        for name in OBJECTS.get(kind, ("",)):
            address = path.replace(f"{{{kind}}}", name).replace("/ledger/{before}", "/ledger")
            address = re.sub(r"\{(\w+)\}", lambda found: FILLED[found[1]], address)
            made.append((method, address, action, thing_of(company, kind, name, action)))
    return made


def thing_of(company: Company, kind: str, name: str, action: str) -> Thing | None:
    config = company.organisation.config
    if kind == "plan":
        return plan_thing(next(plan for plan in config.plans if plan.id == name), config.people)
    if kind == "person":
        return person_thing(config.people[name])
    return team_thing(name, config.people) if kind == "team" else THINGS.get(action)


def ask(browser: Browser, method: str, address: str, csrf: str) -> int:
    if method == "GET":
        return int(browser.get(f"{address}?metric=changes_merged" if "/teams/" in address else address).status_code)
    headers = {"x-csrf-token": csrf}
    sent: dict[str, Any] = {"json": {}} if address.startswith("/api/") else {"data": {}}
    address += "?preview=true" if address.startswith("/api/") else ""
    return int(browser.client.post(address, headers=headers, follow_redirects=False, **sent).status_code)


@pytest.mark.parametrize("who", EVERYBODY)
def test_every_route_answers_404_where_the_table_says_no(who: str, as_: Signed, company: Company, app: FastAPI) -> None:
    browser = as_(who)
    actor = app.state.office.standing().actor(who)
    csrf, wrong = browser.csrf(), []
    for method, address, action, thing in cases(app, company):
        allowed = action == PUBLIC or (thing is not None and bool(can(actor, action, thing)))
        status = ask(browser, method, address, csrf)
        recorded = "/recorded/" in address  # there is no such entry of theirs
        names = "evidence.csv" in address and who == "audrey"
        fine = status == 404 if not allowed or recorded or names else status in (200, 303, 409, 422)
        if not fine:
            wrong.append(f"{method} {address} ({action}): {status}, allowed {allowed}")
    assert wrong == []


def test_signed_out_pages_lead_to_the_sign_in_and_the_api_says_401(as_: Signed, company: Company, app: FastAPI) -> None:
    browser, wrong = as_(None), []
    for method, address, action, _ in cases(app, company):
        status = ask(browser, method, address, "")
        expected = (200, 303) if action == PUBLIC else (401,) if address.startswith("/api/") else (303,)
        if status not in expected:
            wrong.append(f"{method} {address}: {status}")
    assert wrong == []


def test_the_cases_cover_every_page_and_every_act(app: FastAPI, company: Company) -> None:
    assert len(routes(app)) > 90
    assert len({action for _, _, action in routes(app)}) >= 16
    assert {address for _, address, _, _ in cases(app, company)} >= {"/digest", "/api/plans/chen-q4", "/people/ada"}


def test_an_unknown_plan_and_a_foreign_plan_answer_alike(as_: Signed) -> None:
    dana = as_("dana")
    foreign, unknown = dana.get("/plans/chen-q4"), dana.get("/plans/no-such-plan")
    assert (foreign.status_code, foreign.text) == (unknown.status_code, unknown.text)
    foreign, unknown = dana.get("/api/plans/chen-q4"), dana.get("/api/plans/zzz")
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())


@pytest.mark.parametrize(
    ("who", "plans"),
    [
        ("ada", ["ada-q4"]),
        ("lee", []),
        ("dana", ["ada-q4", "ben-q4"]),
        ("omar", ["chen-q4"]),
        ("hana", ["ada-q4", "ben-q4"]),
        ("hugo", ["chen-q4"]),
        ("alex", []),
        ("audrey", ["ada-q4", "ben-q4", "chen-q4"]),
    ],
)
def test_lists_hold_what_is_in_sight_and_nothing_else(who: str, plans: list[str], as_: Signed) -> None:
    browser = as_(who)
    assert sorted(plan["plan"] for plan in browser.get("/api/plans").json()) == plans
    assert sorted(browser.get("/api/me").json()["plans"]) == plans
    assert sorted(card["plan"] for card in browser.get("/api/digest").json()["cards"]) == (
        plans if who != "audrey" else []
    )


def test_a_portfolio_counts_only_the_plans_of_ones_own_units(as_: Signed) -> None:
    for who, plans in (("hana", ["ada-q4", "ben-q4"]), ("hugo", ["chen-q4"])):
        told = as_(who).get("/api/portfolio").json()
        assert sorted(plan["plan"] for plan in told["plans"]) == plans
        page = as_(who).get("/portfolio").text
        assert [name for name in ("Ada Archer", "Chen Cho") if name in page] == (
            ["Ada Archer"] if who == "hana" else ["Chen Cho"]
        )


def test_the_portfolio_of_an_auditor_names_nobody(as_: Signed) -> None:
    audrey = as_("audrey")
    assert "plans" not in audrey.get("/api/portfolio").json()
    assert "Archer" not in audrey.get("/portfolio").text


def test_a_manager_who_stops_managing_loses_the_plan_at_once(as_: Signed, company: Company) -> None:
    dana, omar = as_("dana"), as_("omar")
    assert dana.get("/plans/ada-q4").status_code == 200
    company.edit("people.yaml", "manager: dana, team: payments, unit: engineering, accounts: {hub: ada}",
                 "manager: omar, team: payments, unit: engineering, accounts: {hub: ada}")  # fmt: skip
    for path in ("/plans/ada-q4", "/api/plans/ada-q4", "/plans/ada-q4/criteria/reviews", "/plans/ada-q4/ledger"):
        assert dana.get(path).status_code == 404
    assert "ada-q4" not in dana.get("/digest").text
    assert omar.get("/plans/ada-q4").status_code == 200


def test_somebody_taken_out_of_people_yaml_is_signed_out(as_: Signed, company: Company) -> None:
    hugo = as_("hugo")
    company.edit("people.yaml", "  hugo: {name: Hugo Hahn, roles: [hr], unit: sales}\n", "")
    assert hugo.get("/api/me").status_code == 401


def test_wrong_files_change_nothing_until_they_are_mended(as_: Signed, company: Company) -> None:
    alex = as_("alex")
    company.edit("people.yaml", "  ada:\n", "  ada: [\n")
    assert alex.get("/api/people").json()["fault"] == "1 problems in the configuration"
    assert as_(None).get("/healthz").json() == {"status": "stale configuration"}
    company.edit("people.yaml", "  ada: [\n", "  ada:\n")
    assert alex.get("/api/people").json()["fault"] == ""


# --- no route without an action -----------------------------------------------------------------------------------


def test_a_route_without_an_action_ends_the_start(app: FastAPI) -> None:
    app.add_api_route("/new", lambda: None, methods=["GET"])
    with pytest.raises(RuntimeError, match="GET /new: no action"):
        actions_of(app)


def test_a_route_with_two_actions_ends_the_start(app: FastAPI) -> None:
    def both(
        one: Annotated[None, Depends(public())], other: Annotated[Any, Depends(of(access.PAGE, "page.open"))]
    ) -> None:
        return None

    app.add_api_route("/both", both, methods=["POST"])
    with pytest.raises(RuntimeError, match=r"POST /both: page\.open, public"):
        actions_of(app)


def test_a_mounted_application_ends_the_start(app: FastAPI) -> None:
    app.mount("/other", FastAPI())
    with pytest.raises(RuntimeError, match="/other: no action"):
        actions_of(app)


def test_an_action_that_the_table_does_not_know_ends_the_start() -> None:
    with pytest.raises(RuntimeError, match=r"'plan\.open' is no action"):
        of(access.PAGE, "plan.open")
