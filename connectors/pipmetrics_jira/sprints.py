"""Sprints: what they are, and when an issue was in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipmetrics.model import Json
from pipmetrics_jira.payloads import Entry, Issue, moment

FIELD_TYPE = "gh-sprint"
"""The end of the sprint field's type, com.pyxis.greenhopper.jira:gh-sprint; its id differs from site to site."""

_PARTS = re.compile(
    r"(?:^|,)(id|rapidViewId|state|name|startDate|endDate|completeDate|activatedDate|sequence|goal|synced"
    r"|autoStartStop|incompleteIssuesDestinationId)="
)


@dataclass(frozen=True, slots=True)
class Sprint:
    """`started` and `completed` are the actual instants, None while they have not come; `begins` and `ends` planned."""

    id: str
    name: str
    state: str = ""
    started: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    completed: datetime | None = None

    @property
    def closed(self) -> bool:
        return self.state == "closed"

    def due(self, now: datetime) -> bool:
        """Whether by now it should have started or ended: neither shows in the issues that are in it."""
        awaited = self.begins if self.state == "future" else self.ends
        return not self.closed and awaited is not None and awaited <= now

    def kept(self) -> dict[str, Json]:
        """For the bookmarks; `sprint` reads it back."""
        dates = {"activatedDate": self.started, "startDate": self.begins, "endDate": self.ends}
        told = {name: _iso(at) for name, at in (dates | {"completeDate": self.completed}).items() if at}
        return {"id": self.id, "name": self.name, "state": self.state, **told}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def sprint(raw: Json) -> Sprint | None:
    """A sprint of the field: an object, or on older servers the text of one. None when it is neither."""
    parts = _parts(raw) if isinstance(raw, str) else raw
    if not isinstance(parts, Mapping) or parts.get("id") is None:
        return None
    state = str(parts.get("state") or "").lower()
    begins = moment(parts.get("startDate"))
    running = begins if state in ("active", "closed") else None
    return Sprint(
        id=str(parts["id"]),
        name=str(parts.get("name") or ""),
        state=state,
        started=moment(parts.get("activatedDate")) or running,
        begins=begins,
        ends=moment(parts.get("endDate")),
        completed=moment(parts.get("completeDate")),
    )


def _parts(text: str) -> dict[str, str] | None:
    """`...Sprint@1f[id=7,rapidViewId=3,state=CLOSED,name=A, b=c,startDate=...]`: names may hold commas and equals."""
    inner = re.search(r"Sprint@\w+\[(.*)\]\s*$", text, re.DOTALL)
    if not inner:
        return None
    pieces = _PARTS.split(inner[1])
    named: dict[str, str] = {}
    for name, value in zip(pieces[1::2], pieces[2::2], strict=True):
        named.setdefault(name, value)
    return {name: value for name, value in named.items() if value != "<null>"}


def looks_like_sprints(value: Json) -> bool:
    """Whether a custom field's value can only be that of a sprint field."""
    if not isinstance(value, list) or not value:
        return False
    first = value[0]
    if isinstance(first, str):
        return _parts(first) is not None
    return isinstance(first, Mapping) and "state" in first and ("boardId" in first or "startDate" in first)


def current(issue: Issue, fields: frozenset[str]) -> list[Sprint]:
    """The sprints an issue is or was in, as its sprint field shows them."""
    return [found for field in sorted(fields) for raw in _list(issue.fields.get(field)) if (found := sprint(raw))]


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def moves(issue: Issue, fields: frozenset[str]) -> Iterator[Entry]:
    """The changes of the sprint field, by its id or, where the entry has none, by its name, which no site changes."""
    for change in issue.changes or ():
        for place, item in enumerate(change.items):
            if item.custom and (item.name in fields or item.name == "sprint"):
                yield Entry(change, place, item)


def _ids(text: str | None) -> dict[str, None]:
    return dict.fromkeys(id for part in (text or "").split(",") if (id := part.strip()))


def mentioned(issue: Issue, fields: frozenset[str]) -> dict[str, str]:
    """Ids of all sprints in an issue's history, with the best name known there."""
    found: dict[str, str] = {}
    for move in moves(issue, fields):
        for ids, names in ((move.item.before, move.item.before_text), (move.item.after, move.item.after_text)):
            listed = list(_ids(ids))
            told = [name.strip() for name in (names or "").split(",")]
            for place, id in enumerate(listed):
                found.setdefault(id, told[place] if len(told) == len(listed) else "")
    return found


def spans(issue: Issue, fields: frozenset[str]) -> dict[str, list[list[datetime | None]]]:
    """Sprint id -> [[from, to or None]] by the field's history; what it was created with is from its creation on."""
    moved, now = list(moves(issue, fields)), [each.id for each in current(issue, fields)]
    found: dict[str, list[list[datetime | None]]] = {}
    for id in _ids(moved[0].item.before) if moved else now:
        found[id] = [[issue.created, None]]
    for move in moved:
        before, after = _ids(move.item.before), _ids(move.item.after)
        for id in before:
            if id not in after and found.get(id, [[None, move.change.at]])[-1][1] is None:
                found[id][-1][1] = move.change.at
        for id in after:
            if id not in before:
                found.setdefault(id, []).append([move.change.at, None])
    for id in now:
        found.setdefault(id, [[issue.created, None]])
    return found


def detail(issue: Issue, fields: frozenset[str], known: Mapping[str, Sprint]) -> list[dict[str, Json]]:
    """`issue_opened`'s `sprints`: each with its actual instants and the spans the issue was in it."""
    listed = []
    for id, held in sorted(spans(issue, fields).items(), key=lambda each: (len(each[0]), each[0])):
        about = known.get(id) or Sprint(id, mentioned(issue, fields).get(id, ""))
        listed.append(
            {
                "id": int(id) if id.isdigit() else id,
                "name": about.name,
                "started": _iso(about.started),
                "ended": _iso(about.ends),
                "completed": _iso(about.completed),
                "in": [[_iso(start), _iso(end)] for start, end in held if end is None or start != end],
            }
        )
    return listed


def newer(one: Sprint, other: Sprint | None) -> Sprint:
    """The later state of a sprint: it goes from future over active to closed."""
    order = {"future": 0, "active": 1, "closed": 2}
    if other is None or order.get(one.state, -1) >= order.get(other.state, -1):
        return one
    return other
