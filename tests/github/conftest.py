"""A World, the stand-in that serves it, and a reader that keeps what the connector gives, as the store does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics.demo.github import World, app
from pipmetrics.demo.service import Service, serve
from pipmetrics.model import Account, Gap, Json, Secret, Signal, Source
from pipmetrics.transport import Policy, Wire
from pipmetrics_github import GithubConnector

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SINCE = START - timedelta(days=30)


class FakeClock:
    """Sleeping takes no time here, and is remembered."""

    def __init__(self) -> None:
        self.now = self.start = time.time()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Reader:
    """What a store would hold after some pulls, and what the last one cost."""

    service: Service
    source: Source
    clock: FakeClock = field(default_factory=FakeClock)
    groups: dict[str, tuple[Signal, ...]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    bookmarks: dict[str, Json] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    requests: int = 0
    pages: int = 0

    def wire(self) -> Wire:
        policy = Policy(connect=5, read=5)
        return Wire(self.service.url, clock=self.clock, sleep=self.clock.sleep, policy=policy)

    def connector(self) -> GithubConnector:
        return GithubConnector(self.source, self.wire())

    def pull(self, since: datetime = SINCE, *, pages: int | None = None) -> Reader:
        """One pull; with `pages`, it dies after that many are committed."""
        before, self.gaps, self.pages = self.service.count, [], 0
        for page in self.connector().pull(dict(self.bookmarks), since):
            for name, signals in page.groups.items():
                for other in [
                    name for name, kept in self.groups.items() if {s.key for s in kept} & {s.key for s in signals}
                ]:
                    moved = {signal.key for signal in signals}
                    self.groups[other] = tuple(signal for signal in self.groups[other] if signal.key not in moved)
                self.groups[name] = tuple(signals)
            self.groups = {name: signals for name, signals in self.groups.items() if signals}
            self.accounts |= {account.id: account for account in page.accounts}
            self.bookmarks |= page.bookmarks
            self.gaps += page.gaps
            self.pages += 1
            if self.pages == pages:
                break
        self.requests = self.service.count - before
        return self

    def of(self, subject: str, *kinds: str) -> list[Signal]:
        """The signals of a subject, in the order of time."""
        found = self.groups.get(subject, ())
        return sorted((each for each in found if not kinds or each.kind in kinds), key=lambda each: (each.at, each.key))

    def facts(self) -> dict[str, set[str]]:
        """All that is held, to compare."""
        return {name: {repr(signal) for signal in signals} for name, signals in self.groups.items()}

    def fresh(self) -> Reader:
        """Another reader of the same service that knows nothing yet."""
        return Reader(self.service, self.source)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("HUB_TOKEN", "secret-of-the-hub")
    made = World()
    made.token("secret-of-the-hub")
    return made


@pytest.fixture
def reader(world: World) -> Iterator[Callable[..., Reader]]:
    """reader("acme/api", ...) reads the world through a stand-in of its own."""
    with ExitStack() as stack:

        def make(*repositories: str, **settings: Any) -> Reader:
            service = stack.enter_context(serve(app(world)))
            options: Mapping[str, Json] = settings.pop("options", {})
            source = Source(
                "hub",
                "github",
                service.url + settings.pop("path", ""),
                token=settings.pop("token", Secret("${HUB_TOKEN}")),
                repositories=repositories or ("acme/api",),
                options=options,
                **settings,
            )
            return Reader(service, source)

        yield make
