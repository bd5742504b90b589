"""Which of the three categories a status is in. Names are each site's own and often translated: only ids count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from pipmetrics.model import Json

Category: TypeAlias = Literal["new", "in_progress", "done"]

KEYS: Mapping[str, Category] = {"new": "new", "undefined": "new", "indeterminate": "in_progress", "done": "done"}
"""Jira's own keys of the categories, the same on every site."""

_IDS: Mapping[str, Category] = {"1": "new", "2": "new", "3": "done", "4": "in_progress"}

SHIPPED: Mapping[str, Category] = {"1": "new", "3": "in_progress", "4": "new", "5": "done", "6": "done"}
"""Ids of the statuses that every Jira began with: Open, In Progress, Reopened, Resolved, Closed."""


class Status(NamedTuple):
    category: Category | None
    """None: Jira no longer knows the status."""
    name: str


def read(raw: Json) -> tuple[str, Status, bool] | None:
    """Id and status of an answer, and whether its category is beyond doubt (key and id agree)."""
    if not isinstance(raw, Mapping) or raw.get("id") is None:
        return None
    told = raw.get("statusCategory")
    if not isinstance(told, Mapping) or (category := KEYS.get(str(told.get("key")))) is None:
        return None
    number = str(told.get("id") or "")
    return str(raw["id"]), Status(category, str(raw.get("name") or "")), _IDS.get(number, category) == category


class Statuses:
    """The statuses known so far: from the issues that are in them, and from Jira's list once that was asked for."""

    def __init__(self, kept: Mapping[str, Json] | None = None) -> None:
        self._known = {id: Status(category, name) for id, (category, name) in (kept or {}).items()}
        self._doubtful: dict[str, Status] = {}
        self.listed = False

    def learn(self, raw: Json) -> None:
        """The status of an issue; one whose category contradicts itself is looked up in the list."""
        if (found := read(raw)) is None or (self.listed and found[0] in self._known):
            return
        id, status, sure = found
        if sure and id not in self._doubtful:
            self._known[id] = status
        elif self._known.get(id) != status:
            self._known.pop(id, None)
            self._doubtful[id] = status

    def learn_list(self, raw: Iterable[Json]) -> None:
        """Jira's list decides; what it does not hold is known to be unknown from now on."""
        for each in raw:
            if found := read(each):
                self._known[found[0]] = found[1]
        self._known = self._doubtful | self._known
        self.listed = True

    def give_up(self, ids: Iterable[str], names: Mapping[str, str]) -> None:
        for id in ids:
            self._known.setdefault(id, Status(None, names.get(id, "")))

    def unknown(self, ids: Iterable[str]) -> set[str]:
        return {id for id in ids if id not in self._known}

    def category(self, id: str | None, name: str | None) -> Category:
        """The category of an id. Of a status gone from Jira: that of all the statuses that bear its name, else that
        which Jira shipped it with, else new."""
        known = self._known.get(id or "")
        if known and known.category:
            return known.category
        wanted = (name or (known.name if known else "")).strip().casefold()
        alike = {each.category for each in self._known.values() if each.category and _same(each.name, wanted)}
        return alike.pop() if len(alike) == 1 else SHIPPED.get(id or "", "new")

    def kept(self) -> dict[str, Json]:
        """For the bookmarks: id -> [category or null, name]."""
        return {id: [status.category, status.name] for id, status in sorted(self._known.items())}


def _same(name: str, wanted: str) -> bool:
    return bool(wanted) and name.strip().casefold() == wanted
