"""Which repositories there are, and which of them have moved: many in one request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipmetrics.errors import SourceError
from pipmetrics.model import Gap, Json, Source
from pipmetrics_github import queries
from pipmetrics_github.api import DENIED, Hub, Reply
from pipmetrics_github.completing import ask, smaller_may_do
from pipmetrics_github.references import Place
from pipmetrics_github.state import written
from pipmetrics_github.streams import DEPLOYMENTS, Wish, matches
from pipmetrics_github.walk import Found

TOGETHER = 50
"""Repositories looked at in one request."""
WILD = frozenset("*?[")


@dataclass(slots=True)
class Surveyor:
    """Looks at everything that a source lists; what cannot be seen is a gap."""

    hub: Hub
    source: Source
    wish: Wish
    gaps: list[Gap] = field(default_factory=list)
    issue_types: bool = False
    """Whether this version of the service has them; known after the first look."""

    def miss(self, part: str, reason: str) -> None:
        self.gaps.append(Gap(self.source.name, part, reason))

    # --- names --------------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Full names in the order of the configuration, patterns resolved, each once."""
        found: dict[str, str] = {}
        owners: dict[str, list[str]] = {}
        for pattern in self.source.repositories:
            for name in self.named(pattern, owners):
                found.setdefault(name.lower(), name)
        return list(found.values())

    def named(self, pattern: str, owners: dict[str, list[str]]) -> list[str]:
        owner, slash, name = pattern.partition("/")
        if not slash or not name or WILD & set(owner):
            self.miss(pattern, "a repository is named as owner/name, a pattern as owner/web-*: the owner in full")
            return []
        if not WILD & set(name):
            return [pattern]
        if owner not in owners:
            owners[owner] = list(self.owned(owner))
        chosen = [each for each in owners[owner] if matches(each, pattern)]
        if not chosen:
            self.miss(pattern, "no repository that this token may see has such a name")
        return chosen

    def owned(self, login: str) -> Iterator[str]:
        """All repositories of an owner that the token may see."""
        cursor = None
        while True:
            reply = ask(self.hub, queries.owned(login, cursor), {}, patient=True)
            owner = reply.data.get("repositoryOwner")
            if owner is None:
                return
            page = owner["repositories"]
            yield from (node["nameWithOwner"] for node in page["nodes"] or () if node)
            if not page["pageInfo"]["hasNextPage"]:
                return
            if page["pageInfo"]["endCursor"] in (None, cursor):
                raise SourceError("the list of repositories does not move on", where=login)
            cursor = page["pageInfo"]["endCursor"]

    # --- looks --------------------------------------------------------------------------------------------------------

    def look(self, names: Sequence[str]) -> Iterator[Found]:
        """What is newest in each; one that two names lead to comes once."""
        seen: set[str] = set()
        wanted = [(name, frozenset[str]()) for name in names]
        while wanted:
            portion, wanted = wanted[:TOGETHER], wanted[TOGETHER:]
            hidden: list[tuple[str, frozenset[str]]] = []
            for found in self.look_at(portion, hidden):
                if found.id not in seen:
                    seen.add(found.id)
                    yield found
            wanted = hidden + wanted

    def look_at(
        self, portion: list[tuple[str, frozenset[str]]], hidden: list[tuple[str, frozenset[str]]]
    ) -> list[Found]:
        """One request, in halves when that is too much; `hidden`: those to be asked without what the token may not."""
        asked = {name: [stream for stream in self.streams(name) if stream not in without] for name, without in portion}
        try:
            reply = ask(
                self.hub, queries.survey(asked, self.wish.arguments(DEPLOYMENTS)), {}, patient=len(portion) == 1
            )
        except SourceError as error:
            if len(portion) == 1 or not smaller_may_do(error):
                raise
            half = len(portion) // 2
            return self.look_at(portion[:half], hidden) + self.look_at(portion[half:], hidden)
        self.issue_types = reply.data.get("issueTypes") is not None
        found = []
        for n, (name, without) in enumerate(portion):
            more = self.denied(reply, f"r{n}") - without
            if more:
                hidden.append((name, without | more))
            elif raw := self.answered(reply, name, f"r{n}"):
                found += self.understood(raw, name, without)
        return found

    def understood(self, raw: Json, name: str, denied: frozenset[str]) -> list[Found]:
        """What was found, nothing (and a gap) when it is not made as it should be."""
        try:
            return [self.found(raw, denied)]
        except (KeyError, TypeError, AttributeError) as error:
            self.miss(name, f"its answer is not made as the service documents ({type(error).__name__})")
            return []

    def streams(self, name: str) -> list[str]:
        return [kind.name for kind in self.wish.kinds(name)]

    def denied(self, reply: Reply, alias: str) -> frozenset[str]:
        """Streams of a repository that the token may not read."""
        faults = (fault for fault in reply.without(alias) if len(fault.path) > 1 and fault.kind in DENIED)
        names = {str(fault.path[1]) for fault in faults}
        return frozenset("issues" if name == "youngest" else name for name in names)

    def answered(self, reply: Reply, name: str, alias: str) -> Json:
        """The raw repository, None (and a gap) when it is not there or came with holes."""
        raw, faults = reply.data.get(alias), reply.without(alias)
        if raw is None and all(fault.kind in DENIED for fault in faults):
            self.miss(name, "gone, or not visible to this token: check its name, and what the token may read")
        elif raw is None or faults:
            self.miss(name, "the service could not tell what is new in it")
            return None
        return raw

    def found(self, raw: Json, denied: frozenset[str]) -> Found:
        branch = (raw.get("defaultBranchRef") or {}).get("name") or ""
        place = Place(self.source.name, raw["nameWithOwner"], branch, raw["url"])
        totals = {name: raw[name]["totalCount"] for name in self.streams(place.repository) if raw.get(name)}
        youngest = ((raw.get("youngest") or {}).get("nodes") or [None])[0] or {}
        for name in sorted(denied):
            self.miss(place.repository, f"its {name} are hidden from this token")
        print_ = hashlib.sha256(json.dumps([raw, sorted(denied)], sort_keys=True).encode()).hexdigest()[:16]
        date = self.hub.wire.server_date
        at = None if date is None else written(date)
        newest = {
            name: [node["updatedAt"] for node in raw[name]["nodes"] or () if node and node.get("updatedAt")]
            for name in totals
        }
        return Found(raw["id"], place, print_, totals, youngest.get("number") or 0, newest, at, denied)
