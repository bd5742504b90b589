"""Reading one repository: all its streams in the same requests, newest first, so that nothing is lost while it moves.

Each page becomes whole groups and a bookmark from which the next run goes on. When a walk took more than one page,
what was updated meanwhile stands at the top again: it is walked once more, down to where the walk began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics.plugin import Page
from pipmetrics_github import queries
from pipmetrics_github.accounts import accounts, distinct
from pipmetrics_github.api import DENIED, Fault, Reply, TooMuch
from pipmetrics_github.completing import ask, smaller_may_do
from pipmetrics_github.deletions import census, count, emptied, settle
from pipmetrics_github.references import Place
from pipmetrics_github.state import Stream, Walk, earliest, latest, read, written
from pipmetrics_github.streams import ISSUES, Kind
from pipmetrics_github.taking import Harvest, Taker

WATCHED_AT_ONCE = 20
UNEVEN = timedelta(minutes=10)
"""So far apart the clocks of the service's own machines may be."""
MEANWHILE = 30
"""Things that a look at what moved meanwhile begins with."""
LOOK, MARGIN = 10, 1.5
"""Things that the survey shows of each stream, and how much more than expected a page holds."""
DOUBTFUL = 3
"""More objects with holes than these in one page: the page was too much."""
STALE_CURSOR = "INVALID_CURSOR_ARGUMENTS"


@dataclass(frozen=True, slots=True)
class Found:
    """What the survey tells of a repository: `print` of its newest things, `totals` by stream, `top` issue number.

    `at`: the service's clock when it told that, None when it tells none.
    """

    id: str
    place: Place
    print: str
    totals: dict[str, int]
    top: int
    newest: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Update times of the newest things, by stream."""
    at: str | None = None
    denied: frozenset[str] = frozenset()
    """Streams that the token may not read."""

    @property
    def bookmark(self) -> str:
        return f"repository {self.id}"


def read_repository(found: Found, taker: Taker) -> Iterator[Page]:
    """The pages to commit, the last one with the bookmark of a repository that is read."""
    reading = Reading(found, taker)
    waiting, size = list(taker.state.watch), taker.state.size
    reading.begin()
    reading.idle = not (waiting or reading.open)
    while waiting or reading.open:
        ids, waiting = waiting[:WATCHED_AT_ONCE], waiting[WATCHED_AT_ONCE:]
        reading.step(ids)
        if not waiting and not reading.open:
            reading.end(unhurt=taker.state.size >= size)
        yield reading.page()
    if reading.idle:
        reading.end(unhurt=True)
        yield reading.page()


@dataclass(slots=True)
class Reading:
    """One repository being read."""

    found: Found
    taker: Taker
    idle: bool = False
    """Whether there is nothing to ask."""

    @property
    def streams(self) -> dict[str, Stream]:
        return self.taker.state.streams

    @property
    def kinds(self) -> list[Kind]:
        return self.taker.wish.kinds(self.found.place.repository)

    @property
    def open(self) -> list[tuple[Kind, Walk]]:
        """Streams whose end has not been reached, with the walk under way."""
        pairs = ((kind, self.streams[kind.name].walk) for kind in self.kinds)
        return [(kind, walk) for kind, walk in pairs if walk is not None]

    def begin(self) -> None:
        """A walk for each stream, unless one is under way or there is nothing to walk."""
        old, taker = self.streams, self.taker
        taker.state.streams = {}
        for kind in self.kinds:
            asked = taker.wish.asked(kind)
            kept = old.get(kind.name)
            stream = taker.state.streams[kind.name] = kept if kept and kept.asked == asked else Stream(asked=asked)
            if kind.name in self.found.denied:
                stream.walk = None
            elif emptied(kind, stream, self.found.totals):
                stream.walk = None
                taker.fail(kind, f"it shows no {kind.name} any more, where there were {stream.total}")
            elif stream.walk is None:
                stream.walk, stream.failed = Walk(self.floor(kind, stream)), False
            if stream.total is None:
                stream.total, stream.top = self.found.totals.get(kind.name), self.found.top
            if stream.walk and stream.total == 0 == self.found.totals.get(kind.name):
                stream.walk, stream.until = None, taker.state.start

    def floor(self, kind: Kind, stream: Stream) -> str:
        """How far down to read: behind what is known, but not behind the start."""
        start = self.taker.state.start
        below = written(read(stream.until) - kind.overlap) if stream.until else None
        return latest(start, below) or start

    # --- asking -------------------------------------------------------------------------------------------------------

    def step(self, ids: Sequence[str]) -> None:
        """One request for the next page of every open stream, and for what was under way; smaller if that is much."""
        taker = self.taker
        asked = self.open
        reply = self.ask(ids)
        repository = reply.data.get("repository")
        denied = {
            fault.path[1] for fault in reply.without("repository") if len(fault.path) == 2 and fault.kind in DENIED
        }
        stale = any(fault.kind == STALE_CURSOR for fault in reply.faults)
        if stale and not any(walk.cursor for _, walk in asked):
            raise SourceError("the service refuses a cursor that was not sent", where=self.found.place.repository)
        for kind, walk in asked:
            if kind.name in denied:
                self.streams[kind.name].walk = None
                taker.fail(kind, f"its {kind.name} are hidden from this token")
            elif stale:
                self.streams[kind.name].walk = Walk(walk.floor)
            elif repository is not None:
                self.take(kind, walk, repository[kind.name], reply.without("repository", kind.name))
        if repository is not None and not stale:
            taker.take_watched(ids, reply)

    def ask(self, ids: Sequence[str]) -> Reply:
        state = self.taker.state
        while True:
            try:
                reply = ask(self.taker.hub, *self.question(ids), patient=state.size == 1)
                self.check(reply)
            except SourceError as error:
                if state.size == 1 or not smaller_may_do(error):
                    raise
                state.shrink()
            else:
                return reply

    def question(self, ids: Sequence[str]) -> tuple[str, dict[str, Json]]:
        """The query and its variables: what varies is in the variables, so that services may keep the query."""
        wish = self.taker.wish
        owner, _, name = self.found.place.repository.partition("/")
        variables: dict[str, Json] = {"owner": owner, "name": name}
        types = {"owner": "String!", "name": "String!"}
        for kind, walk in self.open:
            variables |= {f"{kind.name}_size": self.size(kind, walk), f"{kind.name}_after": walk.cursor}
            types |= {f"{kind.name}_size": "Int!", f"{kind.name}_after": "String"}
        pages = " ".join(kind.page(wish.selection(kind), wish.arguments(kind)) for kind, _ in self.open)
        body = f"{queries.REPOSITORY} {{ {queries.IDENTITY} {pages} }}"
        if ids:
            variables["ids"], types["ids"] = list(ids), "[ID!]!"
            body += queries.nodes({kind.type: wish.selection(kind) for kind in self.kinds})
        return queries.query(body, **types), variables

    def size(self, kind: Kind, walk: Walk) -> int:
        """A nightly look begins with as much as its newest things make expect: large pages have their price."""
        size = self.taker.state.size
        if walk.pages:
            return size
        every = self.found.totals.get(kind.name, size) + LOOK
        if walk.floor == self.taker.state.start:
            return min(size, every)
        moved = MEANWHILE if walk.before else expected(self.found.newest.get(kind.name, ()), walk.floor)
        return min(size, every, moved)

    def check(self, reply: Reply) -> None:
        """TooMuch when holes cannot be told apart; SourceError when the repository is not the one of the survey."""
        where = self.found.place.repository
        if any(fault.path == ("repository",) and fault.kind in DENIED for fault in reply.faults):
            raise SourceError("gone, or not visible to this token", where=where, status=404)
        doubtful = {fault.path[:4] for fault in reply.without("repository") if fault.kind not in DENIED}
        if any(not _of_one_object(fault) for fault in reply.faults) or len(doubtful) > DOUBTFUL:
            raise TooMuch("the answer has holes", where=where)
        repository = reply.data.get("repository")
        if repository is None and not reply.faults:
            raise SourceError("gone, or not visible to this token", where=where, status=404)
        if repository is not None and repository["nameWithOwner"] != where:
            raise SourceError("renamed while it was read: the next run goes on", where=where)

    # --- moving on ----------------------------------------------------------------------------------------------------

    def take(self, kind: Kind, walk: Walk, page: Json, faults: Sequence[Fault]) -> None:
        """The objects of a page, then on to the next one, to what moved meanwhile, or to the end of the stream."""
        self.taker.take_page(kind, page, faults)
        stream, info, raws = self.streams[kind.name], page["pageInfo"], [raw for raw in page["nodes"] or () if raw]
        instants = [raw[kind.order] for raw in raws if raw.get(kind.order)]
        walk.newest = latest(walk.newest, *instants)
        if walk.pages == 0:
            walk.first, walk.total = latest(*instants), page.get("totalCount")
        count(kind, stream, raws)
        last = earliest(*instants)
        if info["hasNextPage"] and not (last and read(last) < read(walk.floor)):
            if not info["endCursor"] or info["endCursor"] == walk.cursor:
                raise SourceError(f"the list of its {kind.name} does not move on", where=self.found.place.repository)
            walk.cursor, walk.pages = info["endCursor"], walk.pages + 1
        elif walk.pages and walk.first and walk.newest != walk.before:
            stream.walk = Walk(written(read(walk.first) - UNEVEN), newest=walk.newest, before=walk.newest)
        else:
            self.finish(kind, stream, walk)

    def finish(self, kind: Kind, stream: Stream, walk: Walk) -> None:
        """The end of a stream: all that was updated before `until` is known now."""
        stream.walk = None
        gone = settle(kind, stream, walk.total)
        if gone and kind is ISSUES:
            census(self.taker, stream)
        if not stream.failed:
            stream.until = earliest(walk.newest, self.taker.now if walk.newest else self.taker.state.start)

    def end(self, *, unhurt: bool) -> None:
        """The end of the repository for tonight: next time it is quiet if it then still looks like this."""
        state = self.taker.state
        failed = any(stream.failed for stream in self.streams.values())
        state.seen = "" if failed else self.found.print
        if unhurt:
            state.grow()

    def page(self) -> Page:
        """What came since the last page, with the bookmark."""
        harvest, self.taker.harvest = self.taker.harvest, Harvest()
        seen = distinct(accounts(self.found.place.source, harvest.raw))
        bookmarks = {self.found.bookmark: self.taker.state.json()}
        return Page(harvest.groups, seen, bookmarks, harvest.gaps, done=len(harvest.groups))


def expected(newest: Sequence[str], floor: str) -> int:
    """About how many things lie above the floor, judging by how close together the newest ones are."""
    instants = sorted(map(read, newest))
    if len(instants) < LOOK or instants[0] < read(floor):
        return LOOK
    apart = max((instants[-1] - instants[0]).total_seconds() / (len(instants) - 1), 1.0)
    return max(LOOK, ceil(MARGIN * (instants[-1] - read(floor)).total_seconds() / apart))


def _of_one_object(fault: Fault) -> bool:
    """Whether it is clear what is missing: one object, one stream that is denied, a cursor that is too old."""
    if fault.path[:1] == ("nodes",) or fault.kind == STALE_CURSOR:
        return True
    if fault.path[:1] != ("repository",):
        return False
    return (len(fault.path) > 3 and isinstance(fault.path[3], int)) or (len(fault.path) == 2 and fault.kind in DENIED)
