"""A small configuration folder that a test breaks in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from pipmetrics.config import Config, load
from pipmetrics.errors import ConfigError

SETTINGS = """\
timezone: Europe/Berlin
sources:
  hub: {connector: github, url: https://api.github.com, token: "${GITHUB_TOKEN}", repositories: [acme/api]}
  jira: {connector: jira, url: https://jira.example.com, user: "${JIRA_USER}", token: "${JIRA_TOKEN}"}
"""
PEOPLE = """\
people:
  ada: {name: Ada Example, manager: dana, timezone: Europe/London, accounts: {hub: ada-l, jira: ada@example.com}}
  ben: {name: Ben Example, manager: dana, accounts: {hub: ben, jira: null}}
  dana: {name: Dana Example, email: dana@example.com, roles: [manager]}
"""
PLAN = """\
plan: ada-q4
kind: pip
person: ada
manager: dana
start: 2026-10-20
days: 60
criteria:
  - id: reviews
    metric: review_turnaround
    criterion: share_within
    limit: 24h
    target: 90%
"""


def spot(text: str, needle: str) -> str:
    """Line and column of the only place where `needle` stands, as problems write them."""
    assert text.count(needle) == 1, f"{needle!r} stands {text.count(needle)} times"
    before = text[: text.index(needle)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@dataclass
class Folder:
    path: Path

    def write(self, name: str, text: str | bytes) -> Folder:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return self

    def settings(self, text: str) -> Folder:
        return self.write("pipmetrics.yaml", text)

    def people(self, text: str) -> Folder:
        return self.write("people.yaml", text)

    def plan(self, text: str, name: str = "plan") -> Folder:
        return self.write(f"plans/{name}.yaml", text)

    def line(self, text: str) -> Folder:
        """The plan with other criteria: `text` is indented under `criteria:`, which is line 7."""
        inner = "".join(f"  {line}\n" for line in dedent(text).strip().splitlines())
        return self.plan(PLAN[: PLAN.index("criteria:")] + "criteria:\n" + inner)

    def load(self) -> Config:
        return load(self.path)

    def problems(self) -> list[str]:
        """What `load` complains of: "file:line:column: what | mend", with files as seen from the folder."""
        try:
            self.load()
        except ConfigError as error:
            prefix = f"{self.path}/"
            return [str(problem).replace("\n  ", " | ").replace(prefix, "") for problem in error.problems]
        return []


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder that loads as it is."""
    return Folder(tmp_path / "config").settings(SETTINGS).people(PEOPLE).plan(PLAN)
