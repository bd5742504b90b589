"""The company of the tests, filled once and copied for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.web.company import NOW, Browser, Company, browser, copy_of, fill, write


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "config"
    write(folder)
    company = Company(folder)
    fill(company.organisation, NOW)
    company.close()
    return folder


@pytest.fixture
def company(template: Path, tmp_path: Path) -> Iterator[Company]:
    made = Company(copy_of(template, tmp_path / "config"))
    yield made
    made.close()


@pytest.fixture
def app(company: Company) -> FastAPI:
    return company.app()


@pytest.fixture
def as_(company: Company, app: FastAPI) -> Callable[[str | None], Browser]:
    """Signs somebody in through a one-time link; None stays outside."""
    return lambda person: browser(company, app, person)
