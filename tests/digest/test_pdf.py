"""The digest as PDF."""

from __future__ import annotations

import builtins
from types import ModuleType
from typing import Any

import pytest

from pipmetrics.digest import pdf
from pipmetrics.errors import UsageError
from tests.digest import gallery


def test_it_is_a_pdf_with_a_page_a_plan() -> None:
    assert pdf.render(gallery.digest(), gallery.points(6)).startswith(b"%PDF-1.7")
    assert len(pdf.drawn(gallery.digest()).pages) == 1 + 3 * 2


def test_the_page_has_signatures_pictures_and_no_coaching() -> None:
    page = pdf.page(gallery.digest().formal(), gallery.points())
    assert page.count("For the person, date") == 3
    assert "A signature says that this page was read and talked about, not that its reader agrees." in page
    assert page.count("<svg") == 6 + 3
    assert "Yuki" not in page


def test_nothing_is_fetched_while_drawing() -> None:
    with pytest.raises(ValueError, match="fetches nothing"):
        pdf.fetch_nothing("file:///etc/passwd")


@pytest.mark.parametrize(
    ("failure", "mend"),
    [
        (ImportError("No module named 'weasyprint'"), r"pip install 'pipmetrics\[pdf\]'"),
        (OSError("cannot load library 'libpango-1.0-0': not found"), "apt-get install -y libpango-1.0-0"),
    ],
)
def test_what_is_missing_is_said_with_its_mend(monkeypatch: pytest.MonkeyPatch, failure: Exception, mend: str) -> None:
    real = builtins.__import__

    def importing(name: str, *rest: Any) -> ModuleType:
        if name == "weasyprint":
            raise failure
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(UsageError, match=mend) as told:
        pdf.render(gallery.digest())
    assert told.value.exit_code == 2
