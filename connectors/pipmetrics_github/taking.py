"""What an answer brought: whole objects become groups, of the others it is told that they are missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pipmetrics.errors import SourceError
from pipmetrics.model import Gap, Json, Signal
from pipmetrics_github import queries
from pipmetrics_github.api import DENIED, Fault, Hub, Reply
from pipmetrics_github.completing import ask, complete, smaller_may_do
from pipmetrics_github.references import Place
from pipmetrics_github.state import State, packed, read, unpacked
from pipmetrics_github.streams import ISSUES, KINDS, Kind, Wish, under_way

WATCH = timedelta(days=14)
"""So long a check or a deployment under way is asked for again."""
MOST_LOST = 20
"""Objects of one repository that may fail in one pull before it is given up: asking for each again has its price."""
HIDDEN = frozenset({"requestedReviewer", "slug"})
"""Fields that may be hidden from a token without taking anything from the rest: a team's name."""


@dataclass(slots=True)
class Harvest:
    """What one request brought."""

    groups: dict[str, tuple[Signal, ...]] = field(default_factory=dict)
    raw: list[Json] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def harmless(fault: Fault) -> bool:
    """Whether what is missing may be missing."""
    return fault.kind in DENIED and bool(fault.path) and fault.path[-1] in HIDDEN


@dataclass(slots=True)
class Taker:
    """Turns the raw objects of one repository into groups. `now`: the service's clock when the pull began."""

    hub: Hub
    place: Place
    wish: Wish
    state: State
    now: str | None
    harvest: Harvest = field(default_factory=Harvest)
    lost: int = 0

    def name(self, end: str) -> str:
        """The group of a subject, by how it ends."""
        return f"{self.place.source}:{self.place.repository}{end}"

    def fail(self, kind: Kind, reason: str) -> None:
        """The stream stays where it was, and the reader learns why."""
        stream = self.state.streams[kind.name]
        stream.failed = True
        since = read(stream.until or self.state.start)
        self.harvest.gaps.append(Gap(self.place.source, self.place.repository, reason, since))

    def take_page(self, kind: Kind, page: Json, faults: Collection[Fault]) -> None:
        """The objects of a page; those that came with holes are asked for alone."""
        holes = {fault.path[3]: fault for fault in faults if len(fault.path) > 3 and not harmless(fault)}
        good, lost, hidden = list[Json](), 0, set[str]()
        for n, raw in enumerate(page["nodes"] or ()):
            if self.lost + lost > MOST_LOST:
                raise SourceError("too many of its objects come incomplete", where=self.place.repository)
            if n not in holes and kind.whole(raw):
                good.append(raw)
                continue
            denied = n in holes and holes[n].kind in DENIED
            hidden |= {str(holes[n].path[-1])} if denied else set()
            again = None if denied else self.alone(kind, raw)
            good += [again] if again else []
            lost += again is None
        self.take(kind, good)
        self.lost += lost
        if lost:
            why = f"hidden from this token: {', '.join(sorted(hidden))}" if hidden else "the service left parts out"
            self.fail(kind, f"{lost} of its {kind.name} could not be read whole ({why})")

    def alone(self, kind: Kind, raw: Json) -> Json:
        """The object again, by its id; None when it still is not whole."""
        if not isinstance(raw, dict) or not raw.get("id"):
            return None
        query = queries.query(queries.nodes({kind.type: self.wish.selection(kind)}), ids="[ID!]!")
        try:
            reply = ask(self.hub, query, {"ids": [raw["id"]]}, patient=True)
        except SourceError as error:
            if not smaller_may_do(error):
                raise
            return None
        found = (reply.data.get("nodes") or [None])[0]
        return found if kind.whole(found) and all(map(harmless, reply.faults)) else None

    def take(self, kind: Kind, raws: Sequence[Json]) -> None:
        """Groups of whole objects; what was last touched before the start of the reading is left out."""
        start = read(self.state.start)
        wanted = [raw for raw in raws if self.wish.wants(kind, raw) and read(raw[kind.order]) >= start]
        broken = complete(self.hub, wanted)
        if broken:
            self.fail(kind, f"{len(broken)} of its {kind.name} have lists that could not be read to their end")
        whole = [raw for n, raw in enumerate(wanted) if n not in broken]
        for raw in whole:
            self.keep(kind, raw)
        if kind is ISSUES:
            stream = self.state.streams[kind.name]
            stream.known = packed(unpacked(stream.known) | {raw["number"] for raw in whole})

    def keep(self, kind: Kind, raw: Json) -> None:
        """One object as a group; none of it when it is not made as such objects are."""
        try:
            signals = {signal.key: signal for signal in kind.signals(raw, self.place)}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.fail(kind, f"{kind.end(raw)} is not made as the service documents ({type(error).__name__})")
            return
        self.harvest.groups[self.name(kind.end(raw))] = tuple(signals.values())
        self.harvest.raw.append(raw)
        self.watch(kind, raw)

    def watch(self, kind: Kind, raw: Json) -> None:
        """What is under way is asked for again in the next pull, for a while."""
        fresh = self.now is None or read(raw[kind.order]) > read(self.now) - WATCH
        if fresh and under_way(kind, raw):
            self.state.watch[raw["id"]] = kind.end(raw)
        else:
            self.state.watch.pop(raw["id"], None)

    def take_watched(self, ids: Sequence[str], reply: Reply) -> None:
        """What was under way; what is gone loses its group, what could not be read is asked for in the next pull."""
        found = reply.data.get("nodes") or [None] * len(ids)
        for n, (id, raw) in enumerate(zip(ids, found, strict=False)):
            faults = reply.without("nodes", n)
            kind = next((kind for kind in KINDS.values() if raw and kind.type == raw.get("__typename")), None)
            if kind is not None and kind.whole(raw) and all(map(harmless, faults)):
                self.take(kind, [raw])
            elif raw is None and any(fault.kind == "NOT_FOUND" for fault in faults):
                self.harvest.groups[self.name(self.state.watch.pop(id))] = ()
