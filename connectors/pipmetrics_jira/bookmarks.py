"""How far the reading of a site has come, as JSON values between the pulls. Instants are epoch milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from pipmetrics.model import Json

HOUR = 3_600_000
OVERLAP = 48 * HOUR
"""Read again every time: a search index may lag behind by hours."""

WALK, SITE, CENSUS = "walk", "site", "census"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a project was read: all updates before `since`, back to `first`; `last` is its newest update."""

    first: int
    since: int
    last: int

    def kept(self) -> dict[str, Json]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Walk:
    """A reading of projects that is under way; a later pull goes on with it.

    `lower`: the bound of the updates asked for. `created`: the moment of creation up to which all is committed.
    `started`: the server's clock at its start; `newest`: the latest update met. `held`: an update that could not be
    read whole, past which no mark may go. `seen`: the projects that gave issues, and the newest update of each.
    """

    projects: tuple[str, ...]
    lower: int
    created: int | None = None
    started: int | None = None
    newest: int | None = None
    held: int | None = None
    seen: Mapping[str, int] | None = None

    def kept(self) -> dict[str, Json]:
        return asdict(self) | {"projects": list(self.projects)}


def walk(kept: Json) -> Walk | None:
    """The walk of a bookmark; None when there is none, or it was written in another form."""
    if not isinstance(kept, Mapping) or set(kept) != {each.name for each in fields(Walk)}:
        return None
    told: dict[str, Any] = dict(kept)
    return Walk(**told | {"projects": tuple(told["projects"])})


def mark_name(project: str) -> str:
    return f"project/{project}"


def mark(kept: Json) -> Mark | None:
    if not isinstance(kept, Mapping) or set(kept) != {each.name for each in fields(Mark)}:
        return None
    return Mark(**kept)


def lower(known: Mark | None, since: int) -> int:
    """Where the next reading of a project begins: at its mark less the overlap, at `since` when that was never read."""
    if known is None or since < known.first - HOUR:
        return since
    return max(known.since - OVERLAP, 0)


def finished(walk: Walk, known: Mark | None, project: str) -> Mark | None:
    """A project's mark after a complete walk. None while it has never given an issue: it may have been hidden."""
    newest = (walk.seen or {}).get(project)
    if known is None and newest is None:
        return None
    last = max(each for each in (newest, known.last if known else None) if each is not None)
    reached = min(each for each in (walk.newest, walk.started, walk.held) if each is not None) if walk.newest else None
    since = reached if reached is not None else (known.since if known else walk.lower)
    first = min(walk.lower, known.first) if known else walk.lower
    return Mark(first, since, last)


def noted(walk: Walk, seen: Mapping[str, int], held: int | None) -> Walk:
    """The walk with the newest updates of what was met since."""
    merged = dict(walk.seen or {})
    for project, updated in seen.items():
        merged[project] = max(updated, merged.get(project, 0))
    newest = max(merged.values(), default=walk.newest)
    lowest = min((each for each in (held, walk.held) if each is not None), default=None)
    return replace(walk, seen=merged, newest=newest, held=lowest)
