"""What neither list tells, asked apart and only where it matters: closings, reopenings, squashes, links of issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_gitlab import from_rest
from pipmetrics_gitlab.api import PAGE, Api, project_path
from pipmetrics_gitlab.issues import is_bug, tells_of_links
from pipmetrics_gitlab.optional import optional
from pipmetrics_gitlab.values import Change, Issue, Link, Transition

NOT_OFFERED = frozenset({403, 404})
_TARGETS = {"MergeRequest": "changes", "Issue": "issues", "WorkItem": "issues"}
_PATHS = {"changes": "merge_requests", "issues": "issues"}

Item = TypeVar("Item", Change, Issue)


@dataclass(slots=True)
class Reopened:
    """Which merge requests and issues of a project were ever reopened: for these alone the state events are asked.

    Remembered in a bookmark, and brought up to date by the project's events from `since` on, None: all of them.
    `known` False: events are not offered to this token; then the state events of every issue are asked (a closing of
    a merge request that was undone counts for nothing anyway).
    """

    iids: dict[str, set[int]]
    since: datetime | None = None
    known: bool = True
    fresh: bool = False

    @classmethod
    def of(cls, bookmark: Mapping[str, Json], since: datetime | None) -> Reopened:
        return cls({kind: set(bookmark.get(kind) or ()) for kind in _PATHS}, since)

    def saved(self) -> dict[str, Json]:
        return {kind: sorted(iids) for kind, iids in self.iids.items()}

    def refresh(self, api: Api, path: str) -> None:
        """Asks once a pull; `after` names a day and leaves it out, so two days earlier miss nothing."""
        if self.fresh:
            return
        self.fresh = True
        after = (self.since - timedelta(days=2)).date().isoformat() if self.since else None
        try:
            for row in api.all(project_path(path, "events"), action="reopened", after=after):
                kind = _TARGETS.get(str(row.get("target_type")))
                if kind and row.get("target_iid") is not None:
                    self.iids[kind].add(int(row["target_iid"]))
        except SourceError as error:
            if error.status not in NOT_OFFERED:
                raise
            self.known = False

    def concerns(self, kind: str, item: Change | Issue) -> bool:
        return item.iid in self.iids[kind] or (kind == "issues" and not self.known)


def changes(api: Api, path: str, found: Sequence[Change], reopened: Reopened, *, told: bool) -> list[Change]:
    """Merge requests with their closings and the commit that they became; `told`: the list has told both (REST)."""
    items = [_with_states(api, path, "changes", item, reopened) for item in found]
    rows = {} if told else _rows(api, path, "changes", [item.iid for item in items if _is_open_question(item)])
    return [_as_listed(item, rows[item.iid]) if item.iid in rows else item for item in items]


def _is_open_question(change: Change) -> bool:
    """Whether GraphQL leaves out when it was closed, or the commit that a squash without a merge commit made."""
    return change.state == "closed" or (change.merged is not None and not change.landed and change.squashed)


def _as_listed(change: Change, row: Json) -> Change:
    return replace(change, closed=from_rest.closing(row), landed=change.landed or from_rest.landed(row))


def issues(api: Api, path: str, found: Sequence[Issue], reopened: Reopened, *, told: bool) -> list[Issue]:
    """Issues with who closed them and what they are linked to."""
    items = [_with_states(api, path, "issues", item, reopened) for item in found]
    rows = {} if told else _rows(api, path, "issues", [item.iid for item in items if item.state == "closed"])
    items = [replace(item, closed=from_rest.closing(rows[item.iid])) if item.iid in rows else item for item in items]
    return [_with_links(api, path, item) for item in items]


def _with_states(api: Api, path: str, kind: str, item: Item, reopened: Reopened) -> Item:
    if not reopened.concerns(kind, item):
        return item
    events = optional(api, path, _PATHS[kind], item.iid, "resource_state_events")
    found: list[Transition] = [one for row in events if (one := from_rest.transition(row)) is not None]
    return replace(item, transitions=tuple(found))


def _rows(api: Api, path: str, kind: str, iids: Sequence[int]) -> dict[int, Json]:
    """Rows of the REST list by their number."""
    found: dict[int, Json] = {}
    for start in range(0, len(iids), PAGE):
        query = {"iids[]": list(iids[start : start + PAGE]), "state": "all", "scope": "all", "per_page": PAGE}
        for row in api.page(project_path(path, _PATHS[kind]), **query).rows:
            found[int(from_rest.needed(row, "iid"))] = row
    return found


def _with_links(api: Api, path: str, issue: Issue) -> Issue:
    """Links are asked for what may be a bug and for what a note says is linked."""
    if not (is_bug(issue, api.source) or tells_of_links(issue)):
        return issue
    rows = optional(api, path, "issues", issue.iid, "links")
    links: Iterable[Link] = (from_rest.link(row, path) for row in rows)
    return replace(issue, links=tuple(links))
