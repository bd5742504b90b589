"""Every act that the pages know, over the demo organisation in a real browser, as person, manager, HR and admin."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from pipmetrics.api import Organisation
from pipmetrics.config import load
from pipmetrics.demo.run import live, running
from pipmetrics.ledger import verify
from pipmetrics.web import create_app, make_link
from pipmetrics.web.acts import BY_NAME
from pipmetrics.web.forms import Field
from pipmetrics.weekly import monday_of, week_end
from tests.browser.conftest import PATIENCE, WIDE

ADA, JONAS = "ada-reviews-and-bugs", "jonas-coaching"
LED = """\
  - id: led-release
    expectation: "Leads one release, attested by his manager"
    criterion: attest
    by: manager
    at_least: 1
"""
Answers = Mapping[str, str]


@dataclass
class Demo:
    """The demo organisation after its night, its pages, and a clock to turn."""

    config: Path
    now: datetime
    address: str = ""
    opened: list[Organisation] = field(default_factory=list)

    def open(self) -> Organisation:
        self.opened.append(Organisation(load(str(self.config)), now=lambda: self.now))
        return self.opened[-1]


@contextmanager
def pages(demo: Demo) -> Iterator[None]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(demo.open, demo.open().config.settings)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    demo.address = f"http://127.0.0.1:{port}"
    yield
    server.should_exit = True
    thread.join()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    now = datetime.now(UTC).replace(microsecond=0)
    with running(tmp_path / "demo", now) as started:
        plan = started.config / "plans" / f"{JONAS}.yaml"
        plan.write_text(plan.read_text().replace("supports:\n", f"{LED}supports:\n"))
        made = Demo(started.config, now)
        with made.open() as company:
            company.pull()
            live(company, week_end(monday_of(None, company), "Europe/Berlin", now))
            company.run()
        with pages(made):
            yield made
        for company in made.opened:
            company.__exit__()


class Desk:
    """Somebody at the pages. `done` are the acts that were walked, by anybody."""

    def __init__(self, demo: Demo, browser: Browser, who: str, done: set[str]) -> None:
        self.demo, self.who, self.done = demo, who, done
        context = browser.new_context(base_url=demo.address, viewport={"width": WIDE, "height": 900})
        context.set_default_timeout(PATIENCE)
        self.page: Page = context.new_page()
        self.sign_in()

    def sign_in(self) -> None:
        self.page.goto(make_link(self.demo.opened[0].config.settings, self.who, self.demo.now))

    def open(self, path: str) -> None:
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, (self.who, path, answer.status)

    def act(self, of: str, name: str, **answers: str) -> int:
        """Finds the act where it is offered, fills its form, sees what will be recorded, and records it."""
        form = BY_NAME[name]
        self.open(f"/people/{of}" if form.of == "person" else f"/plans/{of}")
        self.page.locator(f"a[href$='/acts/{name}']").first.click()
        for asked in form.fields:
            self.fill(asked, answers)
        return self.record(name)

    def fill(self, asked: Field, answers: Answers) -> None:
        page, said = self.page, answers.get(asked.name)
        if asked.kind == "tick":
            page.get_by_label(asked.label).check()
        elif asked.kind == "choice" and (asked.required or said):
            page.locator(f"select[name='{asked.name}']").select_option(**{"value": said} if said else {"index": 1})
        elif asked.kind == "reasons":
            for box in page.get_by_label(asked.label).all():
                box.fill("As the figures and our talk say")
        elif asked.kind in ("words", "day", "number") and (asked.required or said):
            page.locator(f"[name='{asked.name}']").fill(said or f"Said by {self.who}: {asked.label}")

    def record(self, name: str) -> int:
        form, page = BY_NAME[name], self.page
        page.get_by_role("button", name="Go on: see what will be recorded").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("this will be recorded")
        button = page.get_by_role("button", name=form.button, exact=True)
        self.done.add(name)
        if name == "export":
            with page.expect_download() as download:
                button.click()
            assert download.value.suggested_filename.endswith(".zip")
            return 0
        button.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Recorded")
        return int(page.get_by_role("status").inner_text().split("entry ")[1].split()[0])


def test_every_act_is_walked_by_whom_it_is_for(demo: Demo, browser: Browser) -> None:
    done: set[str] = set()
    ada, jonas, dana, omar, petra, noor = (
        Desk(demo, browser, who, done) for who in ("ada", "jonas", "dana", "omar", "petra", "noor")
    )
    _a_plan_begins(omar, petra, jonas)
    _a_point_is_contested(ada, dana, petra)
    _the_target_moves(demo, ada, dana, petra)
    _weeks_are_signed(ada, dana, petra)
    _an_outcome_is_decided(demo, dana, petra)
    _somebody_leaves(demo, jonas, petra, noor)
    assert done == set(BY_NAME)
    assert verify(demo.opened[0].store).ok


def _a_plan_begins(omar: Desk, petra: Desk, jonas: Desk) -> None:
    omar.act(JONAS, "sign")
    petra.act(JONAS, "countersign")
    jonas.act(JONAS, "acknowledge", agrees="no")
    jonas.act(JONAS, "comment", why="I should like the mornings without meetings")
    omar.act(JONAS, "attest", value="1")
    expect(omar.page.locator("body")).to_contain_text("Recorded")


def _a_point_is_contested(ada: Desk, dana: Desk, petra: Desk) -> None:
    ada.open(f"/plans/{ADA}/criteria/reviews-24h")
    ada.page.get_by_role("link", name="Contest").first.click()
    ada.page.get_by_label("Why").fill("The change was a draft again")
    number = str(ada.record("contest"))
    dana.act(ADA, "answer", contest=number, why="I shall ask the author")
    petra.act(ADA, "decide-contest", contest=number, outcome="upheld", why="The author says so too")
    ada.open(f"/plans/{ADA}")
    expect(ada.page.get_by_role("main")).to_contain_text("The author says so too")


def _the_target_moves(demo: Demo, ada: Desk, dana: Desk, petra: Desk) -> None:
    plan = demo.config / "plans" / f"{ADA}.yaml"
    plan.write_text(plan.read_text().replace("target: 90%", "target: 85%"))
    dana.act(ADA, "propose", why="Few of the team reach 90 %")
    petra.act(ADA, "approve")
    ada.act(ADA, "sign-amendment")
    assert demo.opened[0].plans(ADA)[0].criteria[0].parameters["target"] == 0.85


def _weeks_are_signed(ada: Desk, dana: Desk, petra: Desk) -> None:
    today = demo_day(dana)
    dana.act(ADA, "support", support="2", on=today, why="Tuesdays and Thursdays are free now")
    ada.act(ADA, "confirm-support", support="2", received="no", why="Not once since then")
    dana.act(ADA, "check-in", day=today, held="yes", why="We went through the late ones")
    ada.act(ADA, "confirm-check-in", right="yes", why="So it was")
    ada.act(ADA, "sign-digest", agrees="yes")
    dana.open(f"/plans/{ADA}")
    petra.act(ADA, "countersign-digest")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Recorded")


def demo_day(desk: Desk) -> str:
    return desk.demo.now.date().isoformat()


def _an_outcome_is_decided(demo: Demo, dana: Desk, petra: Desk) -> None:
    dana.act(ADA, "recommend", outcome="extend", why="Support came late")
    demo.now += timedelta(days=40)
    petra.sign_in()
    criteria = [line.id for line in demo.opened[0].plans(ADA)[0].criteria]
    for criterion in criteria:
        petra.open(f"/plans/{ADA}/criteria/{criterion}")
    until = (demo.now + timedelta(days=30)).date().isoformat()
    petra.act(ADA, "decide", outcome="extend", until=until)
    petra.open(f"/plans/{ADA}")
    expect(petra.page.locator(".log")).to_contain_text(f"extend, until {until}")


def _somebody_leaves(demo: Demo, jonas: Desk, petra: Desk, noor: Desk) -> None:
    jonas.sign_in()
    noor.sign_in()
    jonas.act("jonas", "export")
    jonas.act("jonas", "ask-erasure", why="I leave the company")
    petra.act("jonas", "approve-erasure", why="Nothing speaks against it")
    noor.open("/people/jonas/acts/erase")
    noor.page.get_by_label("Why").fill("As approved")
    noor.record("erase")
    jonas_known = demo.opened[0].store.entries(subjects=(f"plan:{JONAS}",))
    assert {entry.payload for entry in jonas_known if entry.act == "comment"} == {None}
