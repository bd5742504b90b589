"""A stand-in of either kind, a reader over it on a clock that nobody waits for, and what the reader has stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics.demo.jira import Jira, User, World
from pipmetrics.demo.service import Request, Response, Service
from pipmetrics.model import Account, Gap, Signal, Source
from pipmetrics.plugin import Page
from pipmetrics.transport import Policy, Wire
from pipmetrics_jira import JiraConnector

START = datetime(2026, 6, 1, 8, tzinfo=UTC)
SINCE = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass
class Clock:
    now: float = 1_790_000_000.0
    slept: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@dataclass
class Reader:
    """Pulls like the engine does: each page is committed as a whole before the next one is asked for."""

    world: World
    jira: Jira
    service: Service
    source: Source
    clock: Clock = field(default_factory=Clock)
    groups: dict[str, tuple[Signal, ...]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    bookmarks: dict[str, Any] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    since: datetime = SINCE
    patience: float = 20.0

    def wire(self) -> Wire:
        return Wire(
            self.service.url,
            clock=self.clock,
            sleep=self.clock.sleep,
            uniform=lambda low, high: high,
            policy=Policy(read=self.patience),
        )

    def connector(self) -> JiraConnector:
        return JiraConnector(self.source, self.wire())

    def pages(self) -> Iterator[Page]:
        self.gaps = []
        for page in self.connector().pull(self.bookmarks, self.since):
            self.commit(page)
            yield page

    def commit(self, page: Page) -> None:
        for name, signals in page.groups.items():
            self.groups.pop(name, None)
            if signals:
                self.groups[name] = tuple(signals)
        for account in page.accounts:
            self.accounts[account.id] = account
        self.bookmarks |= json.loads(json.dumps(page.bookmarks))
        self.gaps += page.gaps

    def pull(self) -> list[Page]:
        return list(self.pages())

    def asked(self, since: int = 0) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.service.requests[since:]]

    @property
    def signals(self) -> list[Signal]:
        """All that is stored, as if the stand-in had an address of its own."""
        every = [
            replace(signal, url=signal.url.replace(self.service.url, "https://jira.example"))
            for signals in self.groups.values()
            for signal in signals
        ]
        keys = [signal.key for signal in every]
        assert len(keys) == len(set(keys)), "a key came twice"
        return sorted(every, key=lambda signal: (signal.at, signal.key))

    def of(self, kind: str, issue: Any = None) -> list[Signal]:
        subject = f"jira:{issue.key}" if issue is not None else None
        return [each for each in self.signals if each.kind == kind and subject in (None, each.subject)]


Open = Callable[..., Reader]


def a_world(*, cloud: bool = True, **more: Any) -> World:
    """Two people, an app and two projects; nothing in them yet."""
    world = World(cloud=cloud, **more)
    world.add_user(User("acc-ada", "Ada", login="ada", email="ada@acme.example"))
    world.add_user(User("acc-lee", "Lee", login="lee"))
    world.add_user(User("acc-bot", "Automation", login="robot", kind="app"))
    world.add_project("PAY", "Payments")
    world.add_project("LAB", "Laboratory")
    return world


def filled(world: World, many: int, *, project: str = "PAY", every: timedelta = timedelta(hours=1)) -> World:
    """Issues of all fates, the same ones every time."""
    for number in range(many):
        at = START + every * number + timedelta(milliseconds=number * 7)
        issue = world.create(project, at, type="Bug" if number % 3 == 0 else "Story", reporter="acc-ada")
        world.assign(issue, "acc-lee", at + timedelta(minutes=5), "acc-ada")
        world.move(issue, "In Progress", at + timedelta(minutes=20), "acc-lee")
        if number % 4:
            world.move(issue, "Done", at + timedelta(minutes=50), "acc-lee", resolution="Done")
        if number % 10 == 0:
            for step in range(45):
                world.touch(issue, at + timedelta(minutes=51, seconds=step), "acc-ada")
    return world


App = Callable[[Request], Response]


def changed(app: App, change: Callable[[Request, Any], object]) -> App:
    """A stand-in whose good answers are changed before they are given."""

    def answer(request: Request) -> Response:
        given = app(request)
        if given.status != 200:
            return given
        body = json.loads(given.body)
        if isinstance(body, dict):
            change(request, body)
        return Response.of(body)

    return answer


BOTH = pytest.mark.parametrize("cloud", [True, False], ids=["cloud", "server"])
