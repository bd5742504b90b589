"""Lists that did not fit are followed until they are whole, many in one request; what is too much is asked in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipmetrics.errors import Deferred, SourceError
from pipmetrics.model import Json
from pipmetrics_github import queries
from pipmetrics_github.api import Hub, Reply, TooMuch

TOGETHER = 50
"""Lists continued in one request."""
ROUNDS = 200
"""Continuations of one list before the service is not believed any more."""
PATIENCE = 2
"""Tries of a question that may still become smaller."""
TIRED = frozenset({0, 200, 408, 500, 502, 503, 504})
"""Statuses (0: none at all, 200: cut off or no JSON) after which a smaller question may be answered."""


def smaller_may_do(error: SourceError) -> bool:
    """Whether the same question in smaller parts has a chance."""
    return isinstance(error, TooMuch) or (error.status in TIRED and not isinstance(error, Deferred))


def ask(hub: Hub, query: str, variables: dict[str, Json], *, patient: bool) -> Reply:
    """One question; given up early unless `patient`, because a smaller one may do."""
    if not patient:
        with hub.wire.at_most(PATIENCE):
            return hub.ask(query, variables)
    for tried in range(1, hub.wire.policy.tries):
        try:
            return hub.ask(query, variables)
        except TooMuch:
            hub.wire.pause(tried)
    return hub.ask(query, variables)


@dataclass(frozen=True, slots=True)
class _Open:
    """A list that goes on, and the object whose part it is."""

    root: int
    owner: str
    name: str
    id: str
    connection: dict[str, Json]

    @property
    def cursor(self) -> str:
        return str(self.connection["pageInfo"]["endCursor"])


def complete(hub: Hub, roots: Sequence[Json]) -> set[int]:
    """Adds what their lists lack to the raw objects; gives the places of those that could not be made whole."""
    broken: set[int] = set()
    for _ in range(ROUNDS):
        missing = [each for n, root in enumerate(roots) if n not in broken for each in _open(n, root)]
        if not missing:
            return broken
        while missing:
            portion, missing = missing[:TOGETHER], missing[TOGETHER:]
            broken |= _continue(hub, portion)
    return broken | {each.root for n, root in enumerate(roots) for each in _open(n, root)}


def _open(root: int, raw: Json) -> Iterator[_Open]:
    """Lists with a next page, anywhere below."""
    if isinstance(raw, list):
        for each in raw:
            yield from _open(root, each)
    elif isinstance(raw, dict):
        for name, value in raw.items():
            if isinstance(value, dict) and (value.get("pageInfo") or {}).get("hasNextPage"):
                yield _Open(root, raw["__typename"], name, raw["id"], value)
            yield from _open(root, value)


def _continue(hub: Hub, portion: list[_Open]) -> set[int]:
    """One page more of each list; in halves when that is too much at once."""
    variables: dict[str, Json] = {}
    for n, each in enumerate(portion):
        variables |= {f"i{n}": each.id, f"c{n}": each.cursor}
    query = queries.continuations((each.owner, each.name, each.id) for each in portion)
    try:
        reply = ask(hub, query, variables, patient=len(portion) == 1)
    except SourceError as error:
        if len(portion) == 1 or not smaller_may_do(error):
            raise
        half = len(portion) // 2
        return _continue(hub, portion[:half]) | _continue(hub, portion[half:])
    return {each.root for n, each in enumerate(portion) if not _extend(each, reply, f"m{n}")}


def _extend(each: _Open, reply: Reply, alias: str) -> bool:
    """Whether the list got its next page, whole."""
    more = (reply.data.get(alias) or {}).get(each.name)
    if reply.without(alias) or not more or not more.get("pageInfo"):
        return False
    repeated = more["pageInfo"]["hasNextPage"] and more["pageInfo"]["endCursor"] in (None, each.cursor)
    if repeated:
        return False
    each.connection["nodes"] = [*(each.connection["nodes"] or ()), *(more["nodes"] or ())]
    each.connection["pageInfo"] = more["pageInfo"]
    return True
