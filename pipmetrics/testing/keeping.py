"""What a store would hold after some pulls, kept in memory, and a wire that fails when it is told to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from pipmetrics.errors import SourceError
from pipmetrics.model import Account, Gap, Json, Signal
from pipmetrics.plugin import Page
from pipmetrics.transport import Wire


@dataclass(slots=True)
class Kept:
    """Groups replaced as a whole, bookmarks after a journey through JSON, accounts, and the gaps that are open."""

    groups: dict[str, tuple[Signal, ...]] = field(default_factory=dict)
    bookmarks: dict[str, Json] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    gaps: dict[str, Gap] = field(default_factory=dict)
    pages: int = 0

    def keep(self, page: Page) -> None:
        """Commits a page as the store does."""
        for name, signals in page.groups.items():
            self.groups[name] = tuple(signals)
        self.bookmarks |= json.loads(json.dumps(dict(page.bookmarks)))
        self.accounts |= {account.id: account for account in page.accounts}
        for gap in page.gaps:
            if gap.reason:
                self.gaps[gap.part] = gap
            else:
                self.gaps.pop(gap.part, None)
        self.pages += 1

    def signals(self) -> Iterable[Signal]:
        return (signal for signals in self.groups.values() for signal in signals)

    def facts(self) -> dict[str, Signal]:
        """Signals by key, their details as plain JSON, for comparing."""
        return {
            signal.key: replace(signal, detail=json.loads(json.dumps(dict(signal.detail), sort_keys=True)))
            for signal in self.signals()
        }

    def copy(self) -> Kept:
        return Kept(dict(self.groups), dict(self.bookmarks), dict(self.accounts), dict(self.gaps), self.pages)


def differing(found: Kept, expected: Kept) -> str:
    """How the facts differ, in words; "" when they do not."""
    have, want = found.facts(), expected.facts()
    lost, more = sorted(set(want) - set(have)), sorted(set(have) - set(want))
    other = sorted(key for key in set(have) & set(want) if have[key] != want[key])
    told = [
        f"{len(keys)} {word} (as {keys[0]})"
        for keys, word in ((lost, "lost"), (more, "too many"), (other, "changed"))
        if keys
    ]
    return ", ".join(told)


class Probe(Wire):
    """A wire that never waits, counts what it is asked for, and refuses one request, or all from one on."""

    def __init__(self, url: str, *, refuse: int = 0, always: bool = False, status: int = 503) -> None:
        super().__init__(url, sleep=_at_once)
        self.asked = 0
        self._refuse, self._always, self._status = refuse, always, status

    def send(self, request: requests.PreparedRequest, *args: Any, **settings: Any) -> requests.Response:
        self.asked += 1
        if self.asked == self._refuse or (self._always and self.asked >= self._refuse):
            raise SourceError(
                f"the service answered {self._status}", where=f"{request.method} request", status=self._status
            )
        return super().send(request, *args, **settings)


def _at_once(seconds: float) -> None:
    """Nobody waits in a check."""
