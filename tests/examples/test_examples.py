"""The example plugins install from their folders and are there, without any change to the project."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from pipmetrics.demo.service import serve
from tests.examples.conftest import EXAMPLES, PACKAGES

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
Run = Callable[..., str]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_keeps_its_own_tests(installed: Path, package: str) -> None:
    done = subprocess.run(
        [installed / "python", "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"],
        cwd=EXAMPLES / package,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_each_is_complete(package: str) -> None:
    folder = EXAMPLES / package
    assert {path.name for path in folder.iterdir()} >= {
        "README.md",
        "pyproject.toml",
        "tests",
        package.replace("-", "_"),
    }


def test_the_metric_is_listed(run: Run) -> None:
    (found,) = (each for each in json.loads(run("metrics", "--format", "json")) if each["name"] == "docs_with_change")
    assert (found["unit"], found["kinds"], found["better"]) == ("share", ["change_merged"], "higher")


def test_the_criterion_is_listed_with_its_parameters(run: Run) -> None:
    (found,) = (each for each in json.loads(run("criteria", "--format", "json")) if each["name"] == "no_worse_than")
    assert [parameter["name"] for parameter in found["parameters"]] == ["better", "margin", "per"]


def test_editors_complete_what_they_add(run: Run) -> None:
    plan, settings = json.loads(run("schema", "plan")), json.loads(run("schema", "pipmetrics"))
    assert {"better", "margin"} <= set(plan["$defs"]["criterion_no_worse_than"]["properties"])
    assert "page_size" in settings["$defs"]["source_cardbox"]["properties"]


def stand_in() -> ModuleType:
    path = EXAMPLES / "pipmetrics-cardbox" / "tests" / "stand_in.py"
    spec = importlib.util.spec_from_file_location("cardbox_stand_in", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SETTINGS = """\
store: sqlite:///store.db
sources:
  cards:
    connector: cardbox
    url: {url}
    token: "${{CARDBOX_TOKEN}}"
    projects: [payments]
    bugs: {{types: [bug]}}
    page_size: 2
history: 3000 days
"""
PEOPLE = """\
people:
  ada: {name: Ada Example, manager: dana, accounts: {cards: ada}}
  dana: {name: Dana Example, roles: [manager], accounts: {cards: null}}
"""
PLAN = """\
plan: ada-q1
kind: coaching
person: ada
start: 2026-03-16
days: 42
criteria:
  - {id: steady, expectation: "No more than 10% fewer cards than before", metric: issue_cycle_time,
     criterion: no_worse_than, better: higher, minimum: 1}
"""


def test_a_pull_through_the_connector_gives_rows_that_a_plan_is_scored_by(run: Run, tmp_path: Path) -> None:
    cardbox = stand_in()
    box = cardbox.Box("cardbox-canary")
    ada, lee = box.person("ada"), box.person("lee")
    for number in range(9):
        at = START + 7 * number * 24 * HOUR
        card = box.card("payments", lee, at, f"Round {number}", type="bug")
        card.give(ada, at + HOUR, by=lee)
        card.lay("desk", at + 2 * HOUR, by=ada)
        card.lay("shelf", at + 26 * HOUR, by=ada, outcome="fixed")
    with serve(cardbox.app(box)) as service:
        for name, text in {
            "pipmetrics.yaml": SETTINGS.format(url=service.url), "people.yaml": PEOPLE, "plans/ada.yaml": PLAN
        }.items():  # fmt: skip
            path = tmp_path / "config" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (first,), (second,) = (
            json.loads(run("pull", "--format", "json", CARDBOX_TOKEN="cardbox-canary")) for _ in range(2)
        )
    assert (first["complete"], first["read"], first["added"]) == (True, 9, 9 * 5)
    assert (second["read"], second["added"], second["changed"], second["removed"]) == (0, 0, 0, 0)
    rows = json.loads(run("measurements", "--metric", "issue_cycle_time", "--format", "json"))
    assert [row["value"] for row in rows] == [24.0] * 9
    (plan,) = json.loads(run("evaluate", "--as-of", "2026-05-18", "--format", "json"))["plans"]
    (line,) = plan["criteria"]
    assert (line["criterion"], line["verdict"], line["target"]) == ("no_worse_than", "met", -0.1)
