"""Issues can be deleted or moved away, and nothing tells: their number falls short of what was counted.

Then, and only then, all numbers are listed, and what is no longer there loses its group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_github import queries
from pipmetrics_github.completing import ask
from pipmetrics_github.state import Stream, packed, unpacked
from pipmetrics_github.streams import ISSUES, PULLS, Kind

if TYPE_CHECKING:
    from pipmetrics_github.taking import Taker

BY_HAND = 3
"""Fewer issues than these may all have been deleted; losing more at once is a failure of the reading, not a fact."""


def emptied(kind: Kind, stream: Stream, totals: Mapping[str, int]) -> bool:
    """Whether there is nothing where there was something."""
    least = {PULLS.name: 1, ISSUES.name: BY_HAND}.get(kind.name)
    return least is not None and (stream.total or 0) >= least and totals.get(kind.name) == 0


def count(kind: Kind, stream: Stream, raws: Sequence[Json]) -> None:
    """Remembers the issues that are younger than the last count."""
    if kind is ISSUES:
        young = {raw["number"] for raw in raws if isinstance(raw.get("number"), int) and raw["number"] > stream.top}
        stream.fresh = packed(unpacked(stream.fresh) | young)


def settle(kind: Kind, stream: Stream, total: int | None) -> bool:
    """Counts anew; True when there are fewer than there were and came since."""
    young = unpacked(stream.fresh)
    short = kind is ISSUES and None not in (total, stream.total) and (total or 0) < (stream.total or 0) + len(young)
    stream.total, stream.top, stream.fresh = total, max([stream.top, *young]), ""
    return short


def census(taker: Taker, stream: Stream) -> None:
    """Empties the groups of issues that are no longer there."""
    there, cursor = set[int](), None
    while True:
        reply = ask(taker.hub, queries.numbers(taker.place.repository, cursor), {}, patient=True)
        page = (reply.data.get("repository") or {}).get("issues")
        if reply.faults or not page:
            raise SourceError("its issues could not be counted", where=taker.place.repository)
        there |= {node["number"] for node in page["nodes"] or () if node}
        if not page["pageInfo"]["hasNextPage"]:
            break
        if page["pageInfo"]["endCursor"] in (None, cursor):
            raise SourceError("the list of its issues does not move on", where=taker.place.repository)
        cursor = page["pageInfo"]["endCursor"]
    known = unpacked(stream.known)
    taker.harvest.groups |= {taker.name(f"#{number}"): () for number in known - there}
    stream.known = packed(known & there)
