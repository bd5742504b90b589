"""Reads a search to its end, losing nothing whatever happens to the list meanwhile.

The order is that of creation, which no update changes. Cloud pages by token. On Data Center each page starts anew at
the moment of creation where the last one ended (a place that stays where it is when issues vanish or join, and that
keeps clear of the server's limit on how far a list can be counted), less the issues of that moment already read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_jira.client import PAGE, REPEATS, Api, Found
from pipmetrics_jira.payloads import Hole, instant, millis
from pipmetrics_jira.site import Site

MINUTE = 60_000
"""No server reads a moment in a query coarser than this."""
WHERE = "GET /rest/api/2/search"
SERVER_PAGE = 200
"""Issues with whole changelogs are heavy; servers allow up to 1,000 by default, and give what they allow."""


def pages(api: Api, site: Site, jql: Callable[[int | None], str], created: int | None = None) -> Iterator[Found]:
    """Every page of the search that `jql` words for a moment of creation (epoch milliseconds, None: the first)."""
    return _by_token(api, site, jql(created)) if api.cloud else _by_moment(api, site, jql, created)


def _asked(api: Api, site: Site, jql: str, *, start: int = 0, token: str | None = None) -> Found:
    size = PAGE if api.cloud else SERVER_PAGE
    found = api.search(jql, site.fields, expand=site.expand, size=size, start=start, token=token)
    if site.must_ask_again(found):
        found = api.search(jql, site.fields, expand=site.expand, size=size, start=start, token=token)
    return found


def _by_token(api: Api, site: Site, jql: str) -> Iterator[Found]:
    token: str | None = None
    seen: set[str] = set()
    empty = 0
    while True:
        found = _asked(api, site, jql, token=token)
        yield found
        token, empty = found.token, 0 if found.issues else empty + 1
        if not token:
            return
        if token in seen or empty > REPEATS:
            raise SourceError("the pages of the search repeat themselves: it has no end", where="search/jql")
        seen.add(token)


def _by_moment(api: Api, site: Site, jql: Callable[[int | None], str], created: int | None) -> Iterator[Found]:
    """Where a server refuses to begin at a moment, or keeps no order, its pages are counted from the start."""
    window, orderly, again = _Window(created), True, False
    while True:
        try:
            found = _asked(api, site, jql(window.created), start=window.start)
        except SourceError as error:
            if error.status != 400 or window.created is None:
                raise
            window, orderly = _Window(None), False
            continue
        if window.has_shrunk(found):
            window = _Window(window.created)
            continue
        yield found
        window.take(found)
        if window.is_last(found):
            if found.total is None or len(window.met) >= found.total:
                return
            if again:
                raise SourceError(f"only {len(window.met)} of {found.total} issues came", where=WHERE)
            window, again = _Window(window.created), True
            continue
        moments = _moments(found.issues)
        orderly = orderly and moments == sorted(moments)
        if orderly and moments and moments[-1] > (window.created or -1):
            window = window.after(found, moments)


@dataclass(slots=True)
class _Window:
    """The list from a moment of creation on, of which `start` issues were read.

    `expected`: how many there must be if none has vanished. `met`: the ids of those that were read.
    """

    created: int | None
    start: int = 0
    expected: int = 0
    met: set[str] = field(default_factory=set)

    def has_shrunk(self, found: Found) -> bool:
        """Whether one of the issues already read is gone, so that the page begins too late."""
        stale = self.created is not None and min(_moments(found.issues), default=self.created) < self.created - MINUTE
        if stale:
            raise SourceError("a page came again: its issues are older than those asked for", where=WHERE)
        return self.start > 0 and found.total is not None and found.total < self.expected

    def take(self, found: Found) -> None:
        self.start += len(found.issues)
        self.expected = found.total or 0
        self.met.update(_ids(found.issues))

    def is_last(self, found: Found) -> bool:
        if found.total is None:
            return not found.issues
        if not found.issues and self.start < found.total:
            raise SourceError(f"an empty page came before the end ({self.start} of {found.total})", where=WHERE)
        return self.start >= found.total

    def after(self, found: Found, moments: Sequence[int]) -> _Window:
        """The window from the last moment of a page on, of which the issues of that moment were read."""
        read = moments.count(moments[-1])
        left = max(self.expected - self.start, 0) if found.total is not None else -read
        last = set(_ids(found.issues[-read:]))
        return _Window(moments[-1], read, left + read, last)


def position(issues: Sequence[Json], before: int | None) -> int | None:
    """The moment of creation up to which a page and those before it were read; None when their order was not kept."""
    moments = _moments(issues)
    if not moments:
        return before
    return moments[-1] if moments == sorted(moments) and moments[0] >= (before or 0) else None


def _moments(issues: Sequence[Json]) -> list[int]:
    """Whole seconds of creation (some servers index no finer), as epoch milliseconds; holes have none."""
    found = []
    for raw in issues:
        try:
            found.append(millis(instant(raw["fields"]["created"])) // 1000 * 1000)
        except (Hole, KeyError, TypeError):
            continue
    return found


def _ids(issues: Sequence[Json]) -> Iterator[str]:
    return (str(raw.get("id")) for raw in issues if isinstance(raw, Mapping))
