"""Counts what is there: issues that are gone (deleted, moved elsewhere, hidden), and issues that were never given.

No search by update shows that an issue is gone, or that an old one can be seen from now on. So the ids of all issues
that were given are kept, and compared with a list of ids alone (thousands a page): every night while that takes one
request, once a week otherwise. What is missing is asked for by its id before its signals go, and when much is missing
at once, nothing goes: then it is the permission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pipmetrics.errors import SourceError
from pipmetrics.model import Gap, Json
from pipmetrics.plugin import Page
from pipmetrics_jira import jql
from pipmetrics_jira.bookmarks import CENSUS, HOUR
from pipmetrics_jira.client import REPEATS, Api, Found
from pipmetrics_jira.payloads import millis
from pipmetrics_jira.signals import group

WEEK = 7 * 24 * HOUR
BUCKET = 10_000
"""Ids are kept in bookmarks by their ten thousands, so that a page writes one small list."""
FEW, SHARE = 20, 20
"""Up to `FEW` missing issues, or one in `SHARE`, are looked for one by one."""


class Census:
    """The ids that the store holds signals of. `strangers`: those that are there and were never given."""

    def __init__(self, api: Api, kept: Mapping[str, Json]) -> None:
        self._api = api
        self.strangers: set[str] = set()
        last = kept.get(CENSUS)
        self._last: Mapping[str, Json] = last if isinstance(last, Mapping) else {}
        self._known = {
            int(name.removeprefix("known/")): set(ids) for name, ids in kept.items() if name.startswith("known/")
        }

    def add(self, ids: Iterable[str]) -> dict[str, Json]:
        """The bookmarks that hold these ids too; those that did already are left out."""
        return self._change(ids, set.add)

    def pages(self, name: str, projects: Sequence[str], first: int) -> Iterator[Page]:
        """At most one page: the groups of what is gone. `first`: how far back the projects were read."""
        clock = self._api.server_time()
        if clock is None or not projects:
            return
        now = millis(clock)
        if not self._last:
            yield Page(bookmarks={CENSUS: {"at": now, "quick": True, "beyond": 0}})
            return
        weekly = now - int(self._last["at"]) >= WEEK
        if not weekly and not self._last["quick"]:
            return
        listed, quick = self._listed(jql.updated_since(projects, first), weekly=weekly)
        told = {**self._last, "at": now if weekly else self._last["at"], "quick": quick}
        known = self._ids()
        if listed is None:
            yield Page(bookmarks={CENSUS: told})
            return
        self.strangers = listed - known
        yield self._page(name, projects, known - listed, told | {"beyond": len(self.strangers)})

    def _page(self, name: str, projects: Sequence[str], missing: set[str], told: Json) -> Page:
        if len(missing) > max(FEW, len(self._ids()) // SHARE):
            return self._much_gone(name, projects, missing, told)
        gone = [id for id in sorted(missing) if not self._there(id, projects)]
        return Page(groups={group(id): () for id in gone}, bookmarks={CENSUS: told} | self._change(gone, set.discard))

    def _much_gone(self, name: str, projects: Sequence[str], missing: set[str], told: Json) -> Page:
        """Either the projects that are read were changed, or something was taken from the account's sight."""
        if self._project(min(missing)) is not None:
            return Page(bookmarks={CENSUS: told} | self._change(missing, set.discard))
        reason = f"{len(missing)} issues that were read before are no longer visible to this account"
        return Page(gaps=[Gap(name, ", ".join(filter(None, projects)) or name, reason)])

    # --- the ids that are known ---

    def _ids(self) -> set[str]:
        return {str(bucket * BUCKET + place) for bucket, held in self._known.items() for place in held}

    def _change(self, ids: Iterable[str], how: Callable[[set[int], int], None]) -> dict[str, Json]:
        before: dict[int, int] = {}
        for bucket, place in (divmod(int(id), BUCKET) for id in ids if id.isdecimal()):
            held = self._known.setdefault(bucket, set())
            before.setdefault(bucket, len(held))
            how(held, place)
        return {f"known/{b}": sorted(self._known[b]) for b, many in before.items() if len(self._known[b]) != many}

    # --- what the site says ---

    def _listed(self, query: str, *, weekly: bool) -> tuple[set[str] | None, bool]:
        """All ids there are, and whether one request tells of them; None when nothing is new, or it can wait.

        Data Center tells how many there are; those that never could be read (`beyond`) are no news.
        """
        found = self._api.ids(query)
        if found.total is not None and found.total == len(self._ids()) + int(self._last["beyond"]) and not weekly:
            return None, True
        if found.token and not weekly:
            return None, False
        listed, quick, empty = set(_ids(found)), found.token is None, 0
        while found.issues or (found.token and empty < REPEATS):
            if not found.token and (found.total is None or len(listed) >= found.total):
                break
            found = self._api.ids(query, start=len(listed), token=found.token)
            empty = 0 if set(_ids(found)) - listed else empty + 1
            if empty >= REPEATS:
                break
            listed.update(_ids(found))
        return listed, quick

    def _there(self, id: str, projects: Sequence[str]) -> bool:
        """Whether an issue that the list lacked is in the projects all the same: an index may lag."""
        project = self._project(id)
        return project is not None and ("" in projects or bool(project & {each.casefold() for each in projects}))

    def _project(self, id: str) -> set[str] | None:
        """What the project of an issue is called; None when this account sees no such issue."""
        try:
            fields = self._api.one(f"{self._api.api}/issue/{id}", fields="project").get("fields")
        except SourceError as error:
            if error.status not in (403, 404):
                raise
            return None
        project = fields.get("project") if isinstance(fields, Mapping) else None
        return names(project) if isinstance(project, Mapping) else set()


def names(project: Mapping[str, Json]) -> set[str]:
    """All that a project may be called in a query, compared without case."""
    return {str(project[part]).casefold() for part in ("key", "id", "name") if project.get(part)}


def _ids(found: Found) -> Iterator[str]:
    return (str(raw.get("id")) for raw in found.issues if isinstance(raw, Mapping))
