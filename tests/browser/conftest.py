"""Pages in a real browser: Chromium as the system has it. Without it these tests fail; they are never skipped."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
WIDE, NARROW = 1280, 390
Open = Callable[..., Page]


PATIENCE = 180_000
"""Milliseconds that a busy machine may take to open a page."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert found, f"no browser was found ({', '.join(CHROMIUM)}): apt-get install -y chromium"
    with sync_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        launched = playwright.chromium.launch(executable_path=found, args=quiet, timeout=PATIENCE)
        yield launched
        launched.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a page's text at a width, in a scheme of colours, without a network."""
    contexts = []

    def opened(text: str, width: int = WIDE, scheme: str = "light", *, unfolded: bool = True) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        page.goto(path.as_uri())
        if unfolded:
            page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        return page

    yield opened
    for context in contexts:
        context.close()
