"""The main acts in a real browser, as person, manager, HR and admin; once by keyboard, once narrow, once unscripted."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from pipmetrics.ledger import verify
from pipmetrics.web import make_link
from tests.browser.conftest import NARROW, PATIENCE, WIDE
from tests.web.company import NOW, OVER, Company, copy_of, fill, write

MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
As = Callable[..., Page]
PLAN = "/plans/ada-q4"
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "config"
    write(folder)
    company = Company(folder)
    fill(company.organisation, NOW)
    company.close()
    return folder


@pytest.fixture
def company(filled: Path, tmp_path: Path) -> Iterator[Company]:
    made = Company(copy_of(filled, tmp_path / "config"))
    yield made
    made.close()


@pytest.fixture
def address(company: Company) -> Iterator[str]:
    """The company's server on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(company.app(), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def as_(browser: Browser, company: Company, address: str) -> Iterator[As]:
    """Opens a page for somebody who came through a one-time link; whatever the page complains of fails the test."""
    contexts, complaints = [], []

    def opened(who: str, path: str, width: int = WIDE, *, scripts: bool = True) -> Page:
        context = browser.new_context(
            base_url=address, viewport={"width": width, "height": 900}, java_script_enabled=scripts
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(make_link(company.organisation.config.settings, who, company.now))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def is_complaint(message: ConsoleMessage) -> bool:
    """An error of the console, but for the forms that are refused on purpose."""
    return message.type == "error" and not message.text.endswith(("409 (Conflict)", "422 (Unprocessable Content)"))


def confirm(page: Page, button: str) -> int:
    """From the filled form over what will be recorded to the entry; gives its number."""
    page.get_by_role("button", name="Go on: see what will be recorded").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("this will be recorded")
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recorded")
    return int(page.get_by_role("status").inner_text().split("entry ")[1].split()[0])


def entry(company: Company, number: int) -> tuple[str, str]:
    found = company.organisation.store.entry(number)
    return found.act, found.actor


def test_the_person_acknowledges_contests_confirms_and_exports(as_: As, company: Company) -> None:
    ada = as_("ada", PLAN)
    expect(ada.get_by_text("It waits until it is acknowledged")).to_be_visible()
    ada.get_by_role("link", name="Acknowledge the plan").click()
    expect(ada.get_by_role("heading", name="Who sees it")).to_be_visible()
    ada.get_by_label("I have read the privacy notice").check()
    ada.get_by_label("Do you agree?").select_option("no")
    ada.get_by_label("Remark").fill("The course comes late")
    assert entry(company, confirm(ada, "Acknowledge")) == ("sign", "ada")
    ada.get_by_role("link", name="Go on").first.click()
    ada.get_by_role("link", name="Evidence: 5 counted").click()
    ada.get_by_role("link", name="Contest").first.click()
    ada.get_by_label("Why").fill("I was ill that day")
    assert entry(company, confirm(ada, "Contest")) == ("dispute", "ada")
    ada.goto(PLAN)
    expect(ada.get_by_role("heading", name="Contests: 1")).to_be_visible()
    ada.goto("/people/ada")
    ada.get_by_role("link", name="Download what is held").click()
    ada.get_by_role("button", name="Go on: see what will be recorded").click()
    with ada.expect_download() as download:
        ada.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith(".zip")
    assert verify(company.organisation.store).ok


def test_the_manager_records_check_ins_and_support_answers_proposes_and_recommends(as_: As, company: Company) -> None:
    company.acknowledge()
    dana = as_("dana", PLAN)
    dana.get_by_role("link", name="Record a check-in").click()
    dana.get_by_label("Day").fill("2026-11-23")
    dana.get_by_label("Was it held?").select_option("yes")
    dana.get_by_label("Note").fill("We looked at the slow ones")
    assert entry(company, confirm(dana, "Record")) == ("check_in", "dana")
    dana.goto(f"{PLAN}/acts/support")
    dana.get_by_label("Support", exact=True).select_option("1")
    dana.get_by_label("On", exact=True).fill("2026-11-20")
    dana.get_by_label("What was done").fill("Paired twice")
    assert entry(company, confirm(dana, "Record")) == ("support", "dana")
    company.edit("plans/ada.yaml", "target: 90%", "target: 80%")
    dana.goto(f"{PLAN}/acts/propose")
    expect(dana.get_by_text("target: 80%")).to_be_visible()
    dana.get_by_label("Why").fill("Few of the team reach 90 %")
    assert entry(company, confirm(dana, "Propose")) == ("amend", "dana")
    dana.goto(f"{PLAN}/acts/recommend")
    dana.get_by_label("Outcome").select_option("extend")
    dana.get_by_label("Why").fill("Two weeks more")
    assert entry(company, confirm(dana, "Recommend")) == ("recommend", "dana")
    dana.goto(PLAN)
    for said in ("We looked at the slow ones", "Paired twice", "Two weeks more"):
        expect(dana.locator(".log")).to_contain_text(said)


def test_hr_decides_a_contest_and_then_the_outcome_having_opened_the_evidence(as_: As, company: Company) -> None:
    company.acknowledge()
    ada = as_("ada", f"{PLAN}/criteria/reviews")
    ada.get_by_role("link", name="Contest").first.click()
    ada.get_by_label("Why").fill("I was ill that day")
    number = confirm(ada, "Contest")
    company.now = OVER
    hana = as_("hana", f"{PLAN}/acts/decide-contest")
    hana.get_by_label("Contest").select_option(str(number))
    hana.get_by_label("Outcome").select_option("rejected")
    hana.get_by_label("Why").fill("The sick note is of another day")
    assert entry(company, confirm(hana, "Decide")) == ("dispute.decide", "hana")
    hana.goto(f"{PLAN}/acts/decide")
    hana.get_by_label("Outcome").select_option("not_complete")
    for box in hana.get_by_label("Your reason").all():
        box.fill("As the figures say")
    hana.get_by_label("Altogether").fill("We talked for an hour")
    hana.get_by_role("button", name="Go on: see what will be recorded").click()
    expect(hana.get_by_role("alert")).to_contain_text("was not opened by hana")
    for criterion in ("reviews", "handover"):
        hana.goto(f"{PLAN}/criteria/{criterion}")
    hana.goto(f"{PLAN}/acts/decide")
    hana.get_by_label("Outcome").select_option("not_complete")
    for box in hana.get_by_label("Your reason").all():
        box.fill("As the figures say")
    hana.get_by_label("Altogether").fill("We talked for an hour")
    assert entry(company, confirm(hana, "Decide")) == ("decide", "hana")
    hana.goto(PLAN)
    expect(hana.get_by_role("heading", name="Decision", exact=True)).to_be_visible()


def test_the_admin_sees_identities_and_metadata_and_carries_out_what_was_approved(as_: As, company: Company) -> None:
    ada = as_("ada", "/people/ada/acts/ask-erasure")
    ada.get_by_label("Why").fill("I leave the company")
    confirm(ada, "Ask")
    hana = as_("hana", "/people/ada/acts/approve-erasure")
    hana.get_by_label("Why").fill("Retention is over")
    confirm(hana, "Approve")
    alex = as_("alex", "/people")
    expect(alex.get_by_role("heading", name="People and identities")).to_be_visible()
    alex.goto("/ledger")
    expect(alex.get_by_role("table")).to_contain_text("erasure.ask")
    expect(alex.get_by_role("table")).not_to_contain_text("I leave the company")
    alex.goto("/people/ada/acts/erase")
    alex.get_by_label("Why").fill("As approved")
    assert entry(company, confirm(alex, "Erase")) == ("erase", "alex")
    assert verify(company.organisation.store).ok


def test_a_contest_is_filed_with_the_keyboard_alone(as_: As, company: Company) -> None:
    ada = as_("ada", f"{PLAN}/criteria/reviews")

    def tab_to(name: str) -> None:
        for _ in range(80):
            ada.keyboard.press("Tab")
            said = ada.evaluate("document.activeElement.innerText || document.activeElement.name || ''")
            if str(said).strip().startswith(name):
                assert ada.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                return
        raise AssertionError(f"{name} cannot be reached")

    tab_to("Contest")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", level=1)).to_have_text("Contest a data point")
    tab_to("why")
    ada.keyboard.type("I was ill that day")
    tab_to("Go on")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", level=1)).to_contain_text("this will be recorded")
    tab_to("Contest")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", level=1)).to_have_text("Recorded")
    (dispute,) = company.organisation.acts(OVER).disputes
    assert (dispute.by, dispute.why) == ("ada", "I was ill that day")


def test_without_scripts_everything_works_by_plain_forms(as_: As, company: Company) -> None:
    ada = as_("ada", f"{PLAN}/criteria/reviews", scripts=False)
    ada.get_by_label("How it counts").select_option("late")
    ada.get_by_role("button", name="Filter").click()
    expect(ada.get_by_role("status")).to_have_text("1 of 5 data points.")
    ada.get_by_role("link", name="Contest").click()
    ada.get_by_label("Why").fill("The build was broken")
    assert entry(company, confirm(ada, "Contest")) == ("dispute", "ada")
    ada.goto("/people/ada")
    ada.get_by_role("button", name="Sign out").click()
    expect(ada.get_by_role("heading", level=1)).to_have_text("Sign in")
    ada.goto(PLAN)
    expect(ada.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_with_scripts_the_filter_changes_the_points_alone(as_: As) -> None:
    dana = as_("dana", f"{PLAN}/criteria/reviews")
    dana.evaluate("document.body.dataset.kept = 'yes'")
    dana.get_by_label("How it counts").select_option("late")
    dana.get_by_role("button", name="Filter").click()
    expect(dana.get_by_role("status")).to_have_text("1 of 5 data points.")
    assert dana.evaluate("document.body.dataset.kept") == "yes", "the whole page was loaded again"
    assert "standing=late" in dana.url


def test_a_check_in_is_recorded_on_a_narrow_screen(as_: As, company: Company) -> None:
    dana = as_("dana", PLAN, NARROW)
    dana.get_by_role("link", name="Record a check-in").click()
    dana.get_by_label("Day").fill("2026-11-23")
    dana.get_by_label("Was it held?").select_option("no")
    dana.get_by_label("Note").fill("I was away and nobody stood in")
    assert dana.evaluate(MEASURE) == []
    assert entry(company, confirm(dana, "Record")) == ("check_in", "dana")


PAGES = (
    ("dana", "/digest"), ("dana", "/plans"), ("dana", PLAN), ("dana", f"{PLAN}/criteria/reviews"),
    ("dana", f"{PLAN}/ledger"), ("dana", f"{PLAN}/acts/check-in"), ("ada", f"{PLAN}/acts/acknowledge"),
    ("ada", "/people/ada"), ("hana", "/portfolio"), ("hana", f"{PLAN}/acts/decide"), ("alex", "/people"),
    ("alex", "/ledger"), ("audrey", "/ledger"), ("audrey", PLAN), ("dana", "/privacy"),
)  # fmt: skip


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_pages_hold_together_and_anybody_can_read_them(as_: As, company: Company, width: int) -> None:
    wrong: list[Any] = []
    pages: dict[str, Page] = {}
    for who, path in PAGES:
        if who not in pages:
            pages[who] = as_(who, "/privacy", width)
        page = pages[who]
        page.goto(path)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        wrong += [f"{path}: {each}" for each in page.evaluate(MEASURE)]
        page.evaluate(AXE)
        found = page.evaluate("rules => axe.run(document, rules)", RULES)
        wrong += [f"{path}: {each['id']}: {each['nodes'][0]['html'][:120]}" for each in found["violations"]]
    assert wrong == []
