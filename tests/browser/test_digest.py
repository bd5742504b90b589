"""The digest and the portfolio in a browser: nothing overlaps, is cut or scrolls sideways; anybody can read them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Page

from pipmetrics.digest import html, mail
from pipmetrics.digest.portfolio import portfolio
from tests.browser.conftest import NARROW, WIDE
from tests.digest import gallery, practice

MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
Open = Callable[..., Page]


def digest_page() -> str:
    return html.render(gallery.digest(), gallery.points(14))


def portfolio_page(*, named: bool) -> str:
    found = portfolio(
        practice.evaluations(),
        practice.plans(),
        practice.people(),
        practice.acts(),
        practice.decisions(),
        practice.backtests(),
        named=named,
    )
    return found.to_html(reader="Farah Idris")


PAGES = {
    "digest": digest_page,
    "portfolio": lambda: portfolio_page(named=False),
    "portfolio with names": lambda: portfolio_page(named=True),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("page", PAGES)
def test_nothing_overlaps_is_cut_or_scrolls_sideways(show: Open, page: str, width: int, scheme: str) -> None:
    assert show(PAGES[page](), width, scheme).evaluate(MEASURE) == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_page_whose_drawers_are_closed_holds_together_too(show: Open, width: int) -> None:
    assert show(digest_page(), width, unfolded=False).evaluate(MEASURE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_no_violation_contrast_included(show: Open, page: str, width: int, scheme: str) -> None:
    shown = show(PAGES[page](), width, scheme)
    shown.evaluate(AXE)
    result = shown.evaluate("rules => axe.run(document, rules)", RULES)
    told = [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in result["violations"]]
    assert told == []
    assert any(each["id"] == "color-contrast" for each in result["passes"])


def test_the_ruler_sees_what_is_wrong(show: Open) -> None:
    broken = """<!doctype html><title>x</title><main>
    <p style="position:absolute;top:20px;left:20px">one text</p>
    <p style="position:absolute;top:22px;left:24px">another</p>
    <div style="width:40px;overflow:hidden;white-space:nowrap">cut off in the middle</div>
    <p style="position:absolute;top:99px;left:1270px;white-space:nowrap">far to the right</p>
    <svg role="img" width="40" height="20"><text x="30" y="12">long label</text></svg></main>"""
    found = " ".join(show(broken).evaluate(MEASURE))
    for complaint in ("scrolls sideways", "sticks out", "overlap", "cut", "runs out of its picture"):
        assert complaint in found


def test_a_strict_policy_blocks_nothing_of_the_served_page(show: Open) -> None:
    policy = "default-src 'none'; style-src 'self'"
    served = html.render(gallery.digest(), gallery.points(), whole=False).replace(
        "<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">', 1
    )
    page = show("<title>empty</title>")
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    page.set_content(served)
    about = [text for text in blocked if "Content Security Policy" in text and "/static/style.css" not in text]
    assert about == []
    assert page.locator("[style], script, style").count() == 0


def test_the_page_asks_for_nothing_from_elsewhere(show: Open) -> None:
    page = show("<title>empty</title>")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(digest_page())
    assert asked == []


def test_print_opens_the_drawers_and_leaves_coaching_out(show: Open) -> None:
    page = show(digest_page(), unfolded=False)
    page.emulate_media(media="print")
    assert page.get_by_text("Yuki").count() > 3
    assert "Yuki" not in page.inner_text("body")
    assert "Record 2 check-ins" not in page.inner_text("body")
    assert page.get_by_text("payments/api#4004").first.is_visible()


def test_mail_holds_together_on_a_phone(show: Open) -> None:
    envelope = mail.Envelope("pip@example.com", "dana", "dana@example.com", {})
    made = mail.message(gallery.digest(), envelope, gallery.AS_OF)
    assert made is not None
    body = made.get_body(("html",))
    assert body is not None
    assert show(body.get_content(), NARROW).evaluate(MEASURE) == []
