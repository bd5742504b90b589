"""Reads a search to its end, losing nothing whatever happens to the list meanwhile.

The order is that of creation, which no update changes. Cloud pages by token. On Data Center each page starts anew at
the moment of creation where the last one ended (a place that stays where it is when issues vanish or join, and that
keeps clear of the server's limit on how far a list can be counted), less the issues of that moment already read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_jira.client import PAGE, REPEATS, Api, Found
from pipmetrics_jira.payloads import Hole, instant, millis
from pipmetrics_jira.site import Site

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
    """`start` counts from the moment; `expected` is how many there must be from it on, if none has vanished."""
    start = expected = 0
    met: set[str] = set()
    orderly = True
    while True:
        found = _asked(api, site, jql(created), start=start)
        if start and found.total is not None and found.total < expected:
            start = expected = 0
            continue
        yield found
        met.update(_ids(found.issues))
        end = start + len(found.issues)
        if _is_last(found, end):
            if not orderly and found.total is not None and len(met) < found.total:
                raise SourceError(f"only {len(met)} of {found.total} issues came: the order changed", where="search")
            return
        moments = _moments(found.issues)
        orderly = orderly and moments == sorted(moments)
        left = 0 if found.total is None else found.total - end
        if orderly and moments and moments[-1] > (created or -1):
            created, start, met = moments[-1], moments.count(moments[-1]), set()
        else:
            start = end
        expected = left + start if found.total is not None else 0


def _is_last(found: Found, end: int) -> bool:
    if found.total is None:
        return not found.issues
    if not found.issues and end < found.total:
        raise SourceError(f"an empty page came before the end ({end} of {found.total})", where="search")
    return end >= found.total


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
