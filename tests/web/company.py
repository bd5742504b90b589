"""A small company for the pages: two units, three plans, one source with review requests, and a clock to turn."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipmetrics import acts
from pipmetrics.api import Organisation
from pipmetrics.config import load
from pipmetrics.model import Account, Signal
from pipmetrics.plugin import Page
from pipmetrics.web import create_app, make_link
from tests.metrics.builders import opened, requested, reviewed

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
OVER = datetime(2026, 12, 21, 9, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"

SETTINGS = """\
store: sqlite:///pipmetrics.db
timezone: Europe/Berlin
sources:
  hub: {connector: github, url: "https://git.example.com", token: "${HUB_TOKEN}", repositories: [acme/api]}
"""
PEOPLE = """\
people:
  ada:
    {name: Ada Archer, email: ada@example.com, manager: dana, team: payments, unit: engineering, accounts: {hub: ada},
     time_off: [{from: 2026-11-12, reason: surgery}]}
  ben: {name: "Ben <script>alert(1)</script>", manager: dana, team: payments, unit: engineering, accounts: {hub: ben}}
  lee: {name: Lee Lowe, manager: dana, team: payments, unit: engineering, roles: [tech-lead], accounts: {hub: lee}}
  chen: {name: Chen Cho, manager: omar, team: platform, unit: sales, accounts: {hub: chen}}
  dana: {name: Dana Drew, roles: [manager], unit: engineering}
  omar: {name: Omar Orr, roles: [manager], unit: sales}
  hana: {name: Hana Hart, roles: [hr], unit: engineering}
  hugo: {name: Hugo Hahn, roles: [hr], unit: sales}
  alex: {name: Alex Admin, roles: [admin]}
  audrey: {name: Audrey Audit, roles: [auditor]}
"""
PLAN = """\
plan: {person}-q4
kind: pip
person: {person}
manager: {manager}
start: 2026-10-20
end: 2026-12-18
check_ins: {{every: week, on: Monday}}
deficiencies:
  - id: slow
    text: "Reviews wait <img src=x onerror=alert(1)>"
    evidence: ["javascript:alert(1)", "https://git.example.com/acme/api/pull/1"]
criteria:
  - {{id: reviews, deficiency: slow, expectation: "Complete code reviews within 24 hours", metric: review_turnaround,
      criterion: share_within, limit: 24h, target: 90%, minimum: 3}}
  - {{id: handover, expectation: "Two handovers", criterion: attest, metric: attested, by: tech-lead, at_least: 2}}
supports:
  - {{text: Pairing on tests, owner: lee, due: 2026-11-06}}
  - {{text: A course, owner: dana, due: 2026-12-01}}
consequences: "Employment may end; Dana and HR decide."
"""
ACCOUNTS = [Account("hub", name, name) for name in ("ada", "ben", "lee", "chen")]
EVERYBODY = ("ada", "ben", "lee", "chen", "dana", "omar", "hana", "hugo", "alex", "audrey")


def signals(person: str, other: str, at: datetime) -> list[Signal]:
    """Eight reviews a week apart: every third one takes two days, the others four hours."""
    made = []
    for number in range(8):
        subject = f"hub:acme/api#{number + 1 if person == 'ada' else number + 101}"
        begun = at - timedelta(days=7 * number + 1, hours=0)
        begun -= timedelta(days=max(0, begun.weekday() - 2))  # asked early in the week, so that answers take no weekend
        late = timedelta(hours=50 if number % 3 == 2 else 4)
        text, key = "%Y-%m-%d %H:%M", f"{person}-{number}"
        made += [
            opened(subject, other, begun.strftime(text), key=f"{key}-opened", title=HOSTILE),
            requested(subject, person, begun.strftime(text), key=f"{key}-requested", requester=other),
            reviewed(subject, person, (begun + late).strftime(text), key=f"{key}-reviewed", state="approved"),
        ]
    return made


@dataclass
class Company:
    """The company, its server, and a clock that tests turn."""

    folder: Path
    now: datetime = NOW
    organisations: list[Organisation] = field(default_factory=list)
    access: str = ""

    @property
    def organisation(self) -> Organisation:
        if not self.organisations:
            self.open()
        return self.organisations[-1]

    def open(self) -> Organisation:
        self.organisations.append(Organisation(load(self.folder), now=lambda: self.now))
        return self.organisations[-1]

    def close(self) -> None:
        for each in self.organisations:
            each.__exit__()

    def app(self) -> FastAPI:
        return create_app(self.open, self.organisation.config.settings)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def acknowledge(self, plan: str = "ada-q4") -> None:
        organisation = self.organisation
        acts.sign_plan(organisation.store, organisation.config, plan, by=plan.partition("-")[0], now=self.now)


def write(folder: Path, access: str = "") -> None:
    (folder / "plans").mkdir(parents=True)
    (folder / "pipmetrics.yaml").write_text(SETTINGS + access)
    (folder / "people.yaml").write_text(PEOPLE)
    for person, manager in (("ada", "dana"), ("ben", "dana"), ("chen", "omar")):
        (folder / "plans" / f"{person}.yaml").write_text(PLAN.format(person=person, manager=manager))


def fill(organisation: Organisation, now: datetime) -> None:
    """Facts of ada and of ben, a complete pull, and last night's evaluations on record."""
    store = organisation.store
    every: Sequence[Signal] = [*signals("ada", "ben", now), *signals("ben", "ada", now)]
    groups: dict[str, list[Signal]] = {}
    for signal in every:
        groups.setdefault(signal.subject, []).append(signal)
    store.write("hub", Page(groups=groups, accounts=ACCOUNTS), now)
    store.complete("hub", now)
    organisation.record(now - timedelta(hours=9))


@dataclass
class Browser:
    """Somebody at the pages: a client with a session of their own."""

    client: TestClient
    person: str

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, **{"follow_redirects": False, **more})

    def csrf(self) -> str:
        return str(self.client.get("/api/me").json()["csrf"])

    def post(self, path: str, **values: str) -> Any:
        return self.client.post(path, data={"csrf": self.csrf(), **values}, follow_redirects=False)

    def call(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.client.post(path, json={} if body is None else body, headers={"x-csrf-token": self.csrf()}, **more)

    def act(self, path: str, **values: str) -> Any:
        """Through both steps of a form: what will be recorded, then recorded."""
        shown = self.post(path, **values)
        assert shown.status_code == 200, shown.text
        assert "this will be recorded" in shown.text
        seen = shown.text.split('name="seen" value="')[1].split('"')[0]
        return self.post(path, seen=seen, **values)


def browser(company: Company, app: FastAPI, person: str | None) -> Browser:
    client = TestClient(app, base_url="http://127.0.0.1:8000")
    if person is not None:
        answer = client.get(
            make_link(company.organisation.config.settings, person, company.now), follow_redirects=False
        )
        assert answer.status_code == 303, answer.text
    return Browser(client, person or "")


def copy_of(template: Path, folder: Path) -> Path:
    shutil.copytree(template, folder)
    return folder
