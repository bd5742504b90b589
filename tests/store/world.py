"""A small service and its connector: enough to pull, to fail in the middle, and to be killed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from pipmetrics.errors import SourceError
from pipmetrics.model import CHANGE_KINDS, Account, Gap, Json, Signal, Source
from pipmetrics.plugin import Comparison, Finding, Page, Parameter
from tests.store.facts import signal

HUB = Source("hub", "github", "https://git.example.com")


@dataclass
class Wire:
    sent: int = 0
    retried: int = 0
    budget: dict[str, Any] = field(default_factory=dict)


def merged(number: int, sha: str) -> Signal:
    subject = f"hub:acme/api#{number}"
    return signal("change_merged", subject, f"{number}-merged", hours=number, sha=sha, default_branch=True, reverts=[])


def small_world(changes: int = 23) -> dict[str, list[Signal]]:
    """Merged and reviewed changes; every fifth one is deployed with those before it, and #4 reverts #3."""
    groups: dict[str, list[Signal]] = {}
    for number in range(1, changes + 1):
        subject = f"hub:acme/api#{number}"
        merge = merged(number, f"{number:040x}")
        if number == 4:
            merge = signal(
                "change_merged",
                subject,
                "4-merged",
                hours=4,
                sha=f"{4:040x}",
                default_branch=True,
                reverts=["hub:acme/api#3"],
            )
        review = signal(
            "reviewed", subject, f"{number}-review", hours=number - 0.5, actor=str(number % 7), state="approved"
        )
        groups[subject] = [review, merge]
        if number % 5 == 0:
            name = f"hub:acme/api@{number}"
            groups[name] = [
                signal(
                    "deployed", name, f"d{number}", hours=number + 0.5, sha=f"{number:040x}", environment="production"
                )
            ]
    return groups


@dataclass
class WorldConnector:
    """Reads `world` in pages of `size` groups and goes on where its bookmark stopped.

    `fault` raises when so many pages were read; `pace` seconds pass before each page.
    """

    world: Mapping[str, Sequence[Signal]]
    wire: Wire = field(default_factory=Wire)
    size: int = 5
    fault: Mapping[int, Exception] = field(default_factory=dict)
    gaps: Mapping[int, Gap] = field(default_factory=dict)
    lost: bool = False
    pace: float = 0.0
    options: ClassVar[tuple[Parameter, ...]] = ()
    kinds: ClassVar[frozenset[str]] = CHANGE_KINDS | {"deployed"}

    def pull(self, bookmarks: Mapping[str, Json], since: datetime) -> Iterator[Page]:
        names = list(self.world)
        start = bookmarks.get("walk") or 0
        for place in range(start, len(names), self.size):
            time.sleep(self.pace)
            self.wire.sent += 1
            if place // self.size in self.fault:
                raise self.fault[place // self.size]
            groups = {name: self.world[name] for name in names[place : place + self.size]}
            accounts = [
                Account("hub", id, f"login-{id}") for id in {s.actor for g in groups.values() for s in g if s.actor}
            ]
            gap = self.gaps.get(place // self.size)
            yield Page(
                groups,
                sorted(accounts, key=str),
                {"walk": place + self.size},
                [gap] if gap else [],
                len(groups),
                len(names),
            )
        yield Page(bookmarks={"walk": None, "until": str(since)})

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        self.wire.sent += 1
        assert repository == "acme/api"
        if self.lost:
            raise SourceError("503, tried 6", where="GET /compare", status=503)
        low, high = int(base, 16), int(head, 16)
        return Comparison(frozenset(f"{n:040x}" for n in range(low + 1, high + 1)), contained=low <= high)

    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        yield Finding("ok", "the token works")
