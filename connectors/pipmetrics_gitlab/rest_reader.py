"""Reads a project through REST alone: more requests, for servers whose GraphQL is off, too old, or fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_gitlab import from_rest
from pipmetrics_gitlab.api import PAGE, Api, Listing, project_path
from pipmetrics_gitlab.optional import optional
from pipmetrics_gitlab.people import People
from pipmetrics_gitlab.reading import instant, stamp
from pipmetrics_gitlab.values import DONE, Change, Commit, Deployment, Issue, Note, Pipeline, Project
from pipmetrics_gitlab.windows import TICK, Batch

ROWS = 20
"""Merge requests and issues in a batch: each costs further requests, and what is read is kept batch by batch."""
FURTHER = "further"
"""The cursor of a page that was not used up: it says that there is more, and the next question finds it."""


class RestReader:
    """The same batches as GraphqlReader, for one project."""

    def __init__(self, api: Api, project: Project, people: People) -> None:
        self.api, self.project, self.people = api, project, people
        self._read: dict[tuple[str, ...], Any] = {}

    def _path(self, *rest: object) -> str:
        return project_path(self.project.path, *rest)

    def changes(self, after: datetime, cursor: str | None) -> Batch[Change]:
        return self._batch("merge_requests", after, cursor, self._change)

    def issues(self, after: datetime, cursor: str | None) -> Batch[Issue]:
        return self._batch("issues", after, cursor, self._issue)

    def _batch(self, what: str, after: datetime, cursor: str | None, make: Callable[[Json], Any]) -> Batch[Any]:
        """The first few rows of a page with all that belongs to them; the next question begins behind them."""
        page = self._window(what, after, cursor, state="all", scope="all")
        rows = _few(page.rows, after)
        self._read = {key: made for row in rows for key, made in self._made(what, row, make)}
        return Batch(list(self._read.values()), page.next if len(rows) == len(page.rows) else FURTHER)

    def _made(self, what: str, row: Json, make: Callable[[Json], Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
        """The row as a value: the last batch's if it was its last row too, nothing if it has been deleted since."""
        key = (what, str(from_rest.needed(row, "id")), str(from_rest.needed(row, "updated_at")))
        if key in self._read:
            yield key, self._read[key]
            return
        try:
            yield key, make(row)
        except SourceError as error:
            if error.status != 404 or self._is_there(what, from_rest.needed(row, "iid")):
                raise

    def _is_there(self, what: str, iid: int) -> bool:
        """Whether the list still has an item; SourceError when the project can not be seen any more."""
        query = {"iids[]": [iid], "state": "all", "scope": "all"}
        return bool(self.api.page(self._path(what), **query).rows)

    def _window(self, what: str, after: datetime, cursor: str | None, **query: Any) -> Listing:
        if cursor is not None:
            return self.api.page(cursor)
        ordered = {"order_by": "updated_at", "sort": "asc", "updated_after": stamp(after), "per_page": PAGE}
        return self.api.page(self._path(what), **ordered, **query)

    # --- merge requests -------------------------------------------------------------------------------------------

    def _change(self, row: Json) -> Change:
        change = from_rest.change(row)
        at = ("merge_requests", change.iid)
        notes = self._notes(*at)
        files, complete = self._files(change) if change.state == "merged" else ((), True)
        writers = [note.author for note in notes]
        known = self.people.details([change.author, change.merged_by, *change.reviewers, *writers])
        return replace(
            change,
            notes=notes,
            commits=tuple(self._commits(change.iid)),
            pipelines=tuple(self._pipelines(change.iid)),
            files=files,
            complete=complete,
            others=(*change.others, *known),
        )

    def _notes(self, what: str, iid: int) -> tuple[Note, ...]:
        """All notes with their threads; without the discussions endpoint each diff note opens a thread of its own."""
        try:
            threads = list(self.api.all(self._path(what, iid, "discussions")))
        except SourceError as error:
            if error.status != 404:
                raise
            return tuple(map(from_rest.note, self.api.all(self._path(what, iid, "notes"))))
        return tuple(note for thread in threads for note in from_rest.discussion(thread))

    def _commits(self, iid: int) -> Iterator[Commit]:
        for row in self.api.all(self._path("merge_requests", iid, "commits")):
            yield from_rest.commit(row, self.people.by_email(row.get("author_email")))

    def _pipelines(self, iid: int) -> Iterator[Pipeline]:
        """The list does not say when a pipeline ended; its own page does."""
        for row in optional(self.api, self.project.path, "merge_requests", iid, "pipelines"):
            ended = row.get("finished_at") or row.get("status") not in DONE
            yield from_rest.pipeline(row if ended else self._detailed(row))

    def _detailed(self, row: Json) -> Json:
        where = f"/projects/{row['project_id']}" if row.get("project_id") else self._path()
        try:
            return {**row, **self.api.object(f"{where}/pipelines/{row.get('id')}")}
        except SourceError as error:
            if error.status not in (403, 404):
                raise
            return row

    def _files(self, change: Change) -> tuple[tuple[tuple[str, int, int], ...], bool]:
        """(path, added, deleted) of each file and whether that is all; older versions have `changes` for `diffs`."""
        try:
            rows = list(self.api.all(self._path("merge_requests", change.iid, "diffs")))
        except SourceError as error:
            if error.status != 404:
                raise
            found = self.api.object(self._path("merge_requests", change.iid, "changes"))
            rows = [*(found.get("changes") or ()), *([{"overflow": True}] if found.get("overflow") else [])]
        given = [row for row in rows if row.get("new_path")]
        return tuple(map(from_rest.file, given)), all(map(from_rest.whole, rows))

    # --- issues, deployments --------------------------------------------------------------------------------------

    def _issue(self, row: Json) -> Issue:
        issue = from_rest.issue(row)
        notes = tuple(map(from_rest.note, self.api.all(self._path("issues", issue.iid, "notes"))))
        known = self.people.details([issue.author, *issue.assignees, *(note.author for note in notes)])
        return replace(issue, notes=notes, others=known)

    def deployments(self, after: datetime, cursor: str | None) -> Batch[Deployment]:
        """Those that succeeded, of every environment: which are production is decided by pattern."""
        page = self._window("deployments", after, cursor, status="success")
        return Batch([from_rest.deployment(row, self.project) for row in page.rows], page.next)


def _few(rows: Sequence[Json], after: datetime) -> Sequence[Json]:
    """So many rows that the walk gets on: ROWS, or more where they share an instant; all where they are not sorted."""
    stamps = [instant(from_rest.needed(row, "updated_at")) for row in rows]
    if any(later < earlier for earlier, later in pairwise(stamps)):
        return rows
    for count in range(ROWS, len(rows)):
        if stamps[count - 1] - TICK > after and stamps[count] > stamps[count - 1]:
            return rows[:count]
    return rows
