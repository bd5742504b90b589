"""A GitLab on this machine for the tests: a World, the connector that reads it, and what was kept of its pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pipmetrics.demo.gitlab import File, Project, World, app
from pipmetrics.demo.service import Service, serve
from pipmetrics.model import Account, BugRule, Gap, Json, Secret, Signal, Source
from pipmetrics.plugin import Page
from pipmetrics.transport import Policy, Wire
from pipmetrics_gitlab import GitlabConnector

TOKEN = "glpat-canary-5f2c81"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 10, 5, 9, tzinfo=UTC)
SINCE = START - 90 * DAY


def at(hours: float) -> datetime:
    """Hours after the beginning of the tests' time."""
    return START + hours * HOUR


class FakeClock:
    """Sleeping takes no time here, and is remembered."""

    def __init__(self) -> None:
        self.now = self.start = time.time()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def waited(self) -> float:
        return self.now - self.start


@dataclass
class Kept:
    """What a store would hold: groups replaced as a whole, bookmarks, open gaps, accounts."""

    groups: dict[str, tuple[Signal, ...]] = field(default_factory=dict)
    bookmarks: dict[str, Json] = field(default_factory=dict)
    gaps: dict[str, Gap] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    pages: int = 0

    def keep(self, page: Page) -> None:
        self.pages += 1
        self.groups |= {name: tuple(signals) for name, signals in page.groups.items()}
        self.bookmarks |= page.bookmarks
        for gap in page.gaps:
            if gap.reason:
                self.gaps[gap.part] = gap
            else:
                self.gaps.pop(gap.part, None)
        self.accounts |= {account.id: account for account in page.accounts}

    @property
    def signals(self) -> dict[str, Signal]:
        """All signals by key; a key in two groups is a mistake that a store would refuse."""
        found: dict[str, Signal] = {}
        for signals in self.groups.values():
            for signal in signals:
                assert signal.key not in found, f"{signal.key} comes twice"
                found[signal.key] = signal
        return found

    def of(self, subject: str, *kinds: str) -> list[Signal]:
        """The signals of these kinds of one subject of the source, in order of time."""
        found = [one for one in self.groups.get(f"lab:{subject}", ()) if not kinds or one.kind in kinds]
        return sorted(found, key=lambda one: (one.at, one.key))


@dataclass
class Lab:
    world: World
    service: Service
    source: Source
    clock: FakeClock

    def wire(self, **settings: Any) -> Wire:
        policy = Policy(connect=5, read=20)
        settings = {"policy": policy, "clock": self.clock, "sleep": self.clock.sleep} | settings
        return Wire(self.service.url, uniform=lambda low, high: high, **settings)

    def connector(self, wire: Wire | None = None) -> GitlabConnector:
        return GitlabConnector(self.source, wire or self.wire())

    def pages(self, kept: Kept, since: datetime = SINCE) -> Iterator[Page]:
        """The pages of a pull, each kept before the next is asked for."""
        for page in self.connector().pull(dict(kept.bookmarks), since):
            kept.keep(page)
            yield page

    def pull(self, kept: Kept | None = None, since: datetime = SINCE) -> Kept:
        kept = kept or Kept()
        for _ in self.pages(kept, since):
            pass
        return kept

    def requests(self, work: Callable[[], object]) -> list[str]:
        """The requests that something costs, as "METHOD path"."""
        before = self.service.count
        work()
        return [f"{one.method} {one.path}" for one in self.service.requests[before:]]


@contextmanager
def lab(world: World, monkeypatch: Any, **settings: Any) -> Iterator[Lab]:
    """A running GitLab; settings of the source, and `graphql` or `limit` of the instance."""
    monkeypatch.setenv("LAB_TOKEN", TOKEN)
    served = {name: settings.pop(name) for name in ("graphql", "limit") if name in settings}
    world.token(TOKEN) if TOKEN not in world.tokens else None
    with serve(app(world, **served)) as service:
        defaults: Mapping[str, Any] = {"projects": ("platform/core",), "bugs": BugRule(labels=frozenset({"bug"}))}
        source = Source("lab", "gitlab", service.url, token=Secret("${LAB_TOKEN}"), **{**defaults, **settings})
        yield Lab(world, service, source, FakeClock())


def busy_world() -> World:
    """A small project in which everything happens that the connector knows."""
    world = World()
    ada, lee, bob = (world.user(name) for name in ("ada", "lee", "bob"))
    robot = world.user("project_7_bot_9f3", bot=True)
    core, tools = world.project("platform/core"), world.project("platform/tools")
    _reviewed(core, ada, lee, bob, robot)
    _drafted(core, ada, lee)
    _closed(core, ada, bob)
    _squashed(core, bob, lee)
    _issues(core, tools, ada, lee, bob)
    other = tools.merge_request(lee, at(3), "Elsewhere", commits=[tools.commit(lee, at(2))])
    other.comment(ada, at(4))
    return world


def _reviewed(core: Project, ada: Any, lee: Any, bob: Any, robot: Any) -> None:
    commits = [core.commit(ada, at(n), f"Part {n}\n\nRefs PAY-{n + 1}", authored=at(n - 30)) for n in range(3)]
    files = [File("src/app.py", 40, 7), File("docs/a.md", 3), File("big.bin", 0, 0, whole=True)]
    change = core.merge_request(ada, at(3), "Round half up", description="Closes #1, #2", commits=commits, files=files)
    change.label("team::pay", at=at(3))
    change.request(lee, bob, at=at(4), by=ada)
    change.replace_reviewers(lee, robot, at=at(5), by=ada)
    note = change.discuss(lee, at(6), "Why not half even?")
    change.discuss(lee, at(6), "And here?", path="src/b.py")
    change.reply(note, ada, at(7), "Banks want it.")
    change.comment(robot, at(7.5), "Coverage is up.")
    change.request_changes(lee, at(8))
    change.push(core.commit(ada, at(9), "Say why"), at=at(9), by=ada)
    change.pipeline("failed", at(9), at(9.2), sha=commits[-1].sha)
    change.pipeline("success", at(9.1), at(9.5))
    change.request(lee, at=at(10), by=ada)
    change.approve(lee, at(11))
    change.approve(bob, at(11.5))
    change.unapprove(bob, at(12))
    change.merge(at(13), by=lee)
    core.deploy(change.landed, "production", at(15), by=lee)
    core.deploy(change.landed, "staging", at(14), by=lee)
    core.deploy(change.landed, "production", at(14.5), by=lee, status="failed")


def _drafted(core: Project, ada: Any, lee: Any) -> None:
    change = core.merge_request(lee, at(20), "Draft: Try it", reviewers=[ada], commits=[core.commit(lee, at(19))])
    change.make_ready(at(22), lee)
    change.make_draft(at(23), lee)
    change.make_ready(at(25), lee)
    change.pipeline("running", at(25), None)


def _closed(core: Project, ada: Any, bob: Any) -> None:
    change = core.merge_request(bob, at(30), "Give up", commits=[core.commit(bob, at(29))])
    change.close(at(31), ada)
    change.reopen(at(32), bob)
    change.close(at(33), bob)
    core.merge_request(bob, at(34), "Once closed").close(at(35), ada)


def _squashed(core: Project, bob: Any, lee: Any) -> None:
    body = "This reverts merge request !1\n\nregression from !1"
    commits = [core.commit(bob, at(39), "Take it back\n\nThis reverts commit 0123456789abcdef.\nFixes: 0123456789")]
    change = core.merge_request(bob, at(40), 'Revert "Round half up PAY-9"', description=body, commits=commits)
    change.merge(at(41), by=lee, how="squash-ff")


def _issues(core: Project, tools: Project, ada: Any, lee: Any, bob: Any) -> None:
    bug = core.issue(bob, at(16), "Wrong sum", description="caused by !1", labels=["bug"], assignees=[ada])
    bug.assign(lee, at=at(17), by=ada)
    bug.schedule((at(17) + 9 * DAY).date(), at(17), ada)
    bug.schedule(None, at(18), ada)
    bug.comment(ada, at(18.5), "Also a regression from platform/tools!1, it seems.")
    bug.close(at(19), lee)
    bug.reopen(at(20), bob)
    bug.close(at(21), ada)
    double = core.issue(ada, at(22), "Sum is wrong", labels=["bug"])
    double.mark_duplicate(bug, at(23), ada)
    other = tools.issue(lee, at(24), "Sums", type="incident")
    bug.link(other, "is_blocked_by", at(24.5), bob)
    bug.link(double, "relates_to", at(24.6), bob)
