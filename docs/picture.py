"""Makes docs/digest.png, the picture of the README: the weekly digest of the demo as a browser shows it.

    pipmetrics demo
    python docs/picture.py pipmetrics-demo/digest.html

Needs what the tests need: Playwright and the system's Chromium.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PERSON = "Ada Lindgren"
WIDTH, COLOURS = 1320, 48


def shown(page: Path) -> bytes:
    """One person's plan on the page, as PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        picture = tab.locator("article", has_text=PERSON).first.screenshot()
        browser.close()
    return picture


if __name__ == "__main__":
    with Image.open(io.BytesIO(shown(Path(sys.argv[1])))) as picture:
        picture.convert("RGB").quantize(COLOURS).save(Path(__file__).with_name("digest.png"), optimize=True)
