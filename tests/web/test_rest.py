"""The API against its own document: no 5xx, no answer that is not documented, for each role and signed out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipmetrics.web.acts import FORMS
from tests.web.company import Browser, Company, browser, copy_of

Signed = Callable[[str | None], Browser]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = ("ada", "lee", "dana", "hana", "alex", "audrey", None)
KNOWN = {"plan": "ada-q4", "person": "ada", "team": "payments", "criterion": "reviews"}
EXAMPLES = 4


@pytest.fixture(scope="module")
def served(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Company, FastAPI]]:
    company = Company(copy_of(template, tmp_path_factory.mktemp("api") / "config"))
    yield company, company.app()
    company.close()


def operations(app: FastAPI) -> list[Any]:
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
    return [each.ok() for each in schema.get_all_operations()]


@pytest.mark.parametrize("who", ROLES, ids=lambda who: who or "nobody")
def test_the_api_answers_as_its_document_says(who: str | None, served: tuple[Company, FastAPI]) -> None:
    company, app = served
    at = browser(company, app, who)
    headers = {"cookie": f"pipmetrics={at.client.cookies['pipmetrics']}", "x-csrf-token": at.csrf()} if who else {}
    wrong: list[str] = []
    for operation in operations(app):

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            for places in (case.path_parameters, {**case.path_parameters, **known(case)}):
                case.path_parameters = places
                response = case.call(headers=headers)
                case.validate_response(response, checks=CHECKS)

        try:
            ask()
        except Exception as error:  # noqa: BLE001 - all operations are tried before the test fails
            wrong.append(f"{operation.label}: {error}")
    assert wrong == []


def known(case: Any) -> dict[str, str]:
    """Names that exist, so that the acts behind them are reached."""
    return {name: value for name, value in KNOWN.items() if name in case.path_parameters}


def test_the_document_names_everything_that_the_pages_do(served: tuple[Company, FastAPI]) -> None:
    document = browser(*served, None).get("/api/openapi.json").json()
    paths = set(document["paths"])
    for form in FORMS:
        place = "plans/{plan}" if form.of == "plan" else "people/{person}"
        assert f"/api/{place}/acts/{form.name}" in paths
    assert paths >= {
        "/api/plans", "/api/plans/{plan}", "/api/plans/{plan}/criteria/{criterion}", "/api/plans/{plan}/ledger",
        "/api/digest", "/api/portfolio", "/api/people", "/api/ledger", "/api/notice", "/api/me", "/api/teams/{team}",
    }  # fmt: skip
    assert all(path.startswith("/api/") for path in paths)
    assert browser(*served, None).get("/openapi.json").json() == document


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 422), (b"[]", 422), (b'{"why": "\\ud800"}', 422), (b'{"why": 1}', 422), (b"x" * 300_000, 413)],
    ids=["cut", "list", "half a pair", "number", "large"],
)
def test_bodies_that_do_not_fit_are_said_to(body: bytes, status: int, as_: Signed) -> None:
    dana = as_("dana")
    headers = {"x-csrf-token": dana.csrf(), "content-type": "application/json"}
    answer = dana.client.post("/api/plans/ada-q4/acts/comment", content=body, headers=headers)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "mend"}


def test_a_body_that_hides_its_size_is_cut_off(as_: Signed) -> None:
    dana = as_("dana")
    headers = {"x-csrf-token": dana.csrf(), "content-type": "application/json"}
    parts = (b"x" * 1000 for _ in range(400))
    assert dana.client.post("/api/plans/ada-q4/acts/comment", content=parts, headers=headers).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_are_not_allowed(method: str, as_: Signed) -> None:
    answer = as_("dana").client.request(method, "/api/plans/ada-q4")
    assert answer.status_code in (403, 405)
