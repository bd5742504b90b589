"""One project: its merge requests, issues and deployments as pages, by GraphQL as long as that goes, then by REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from pipmetrics.errors import SourceError
from pipmetrics.model import Account, Gap, Json, Signal, Source
from pipmetrics.plugin import Page
from pipmetrics_gitlab import changes, completing, deployments, issues
from pipmetrics_gitlab.accounts import Directory
from pipmetrics_gitlab.api import Api, Holed, Refused, project_path
from pipmetrics_gitlab.completing import Reopened
from pipmetrics_gitlab.graphql_reader import GraphqlReader, Talk
from pipmetrics_gitlab.people import People
from pipmetrics_gitlab.projects import Latest, latest
from pipmetrics_gitlab.reading import instant
from pipmetrics_gitlab.rest_reader import RestReader
from pipmetrics_gitlab.values import Change, Deployment, Issue, Project
from pipmetrics_gitlab.windows import Batch, begin, completed, steps

KINDS = ("changes", "issues", "deployments")
"""What is read of a project, each with a bookmark PATH/KIND."""

_SWITCHES = {
    "changes": ("merge_requests_enabled", "merge_requests_access_level"),
    "issues": ("issues_enabled", "issues_access_level"),
    "deployments": ("jobs_enabled", "builds_access_level", "environments_access_level"),
}
"""Settings of a project that are false or "disabled" when it does without a feature."""


@dataclass(slots=True)
class Pull:
    """What one pull knows: the bookmarks that it was given, and whether GraphQL is spoken (`talk`)."""

    api: Api
    bookmarks: Mapping[str, Json]
    since: datetime
    talk: Talk | None
    people: People

    @property
    def source(self) -> Source:
        return self.api.source

    def bookmark(self, path: str, kind: str) -> Mapping[str, Json]:
        return self.bookmarks.get(f"{path}/{kind}") or {}

    def gap(self, part: str, error: SourceError) -> Gap:
        """Since when the part is incomplete: what is before the earliest of its bookmarks had been read."""
        reached = [self.bookmark(part, kind).get("until") for kind in KINDS]
        since = min(map(instant, reached)) if all(reached) else None
        return Gap(self.source.name, part, str(error).partition("\n")[0], since)


class Kept(NamedTuple):
    """What a page keeps of one batch."""

    groups: dict[str, Sequence[Signal]]
    accounts: list[Account]


class Reading:
    """Knows which API reads the project now; what REST has read is complete, what GraphQL has read lacks a little."""

    def __init__(self, pull: Pull, project: Project) -> None:
        self.pull, self.path = pull, project.path
        held = [pull.bookmark(project.path, kind) for kind in ("changes", "issues")]
        since = min(begin(one, pull.since).after for one in held) if all(one.get("until") for one in held) else None
        self.reopened = Reopened.of(pull.bookmark(project.path, "reopened"), since)
        self.rest = RestReader(pull.api, project, pull.people)
        self.graphql = GraphqlReader(pull.talk, project) if pull.talk else None
        self._told = False

    @property
    def project(self) -> Project:
        return self.graphql.project if self.graphql else self.rest.project

    def latest(self) -> Latest | None:
        """What is newest in a project that has been read before, told along with its merge requests."""
        held = [self.pull.bookmark(self.path, kind) for kind in KINDS]
        if not all(one.get("until") for one in held):
            return None
        walk = begin(held[0], self.pull.since)
        cursor = None if _is_url(walk.cursor) else walk.cursor
        found = self._spoken(lambda reader: reader.night(walk.after, cursor))
        told = latest(found, self.pull.source).of if found else {}
        return Latest({kind: newest for kind, newest in told.items() if kind != "changes"})

    def pages(self, kind: str) -> Iterator[Page]:
        """The pages of one kind, each with the bookmark of how far it has come."""
        held = self.pull.bookmark(self.path, kind)
        walk = begin(held, self.pull.since)
        try:
            for step in steps(walk, lambda after, cursor: self._ask(kind, after, cursor), lambda: self.pull.api.now):
                kept = self._kept(kind, step.rows)
                done = completed(step.walk, self.pull.since)
                bookmark = done if step.last else {**held, "walk": step.walk.saved()}
                yield Page(kept.groups, kept.accounts, self._bookmarks(kind, bookmark), done=len(step.rows))
        except SourceError as error:
            if error.status != 403 or not self._is_off(kind):
                raise
            yield self.nothing(kind)

    def nothing(self, kind: str) -> Page:
        """The page of a kind of which the project has nothing that is new."""
        walk = begin(self.pull.bookmark(self.path, kind), self.pull.since)
        return Page(bookmarks=self._bookmarks(kind, completed(replace(walk, start=self.pull.api.now), self.pull.since)))

    def _bookmarks(self, kind: str, value: Json) -> dict[str, Json]:
        marks = {f"{self.path}/{kind}": value}
        return marks | {f"{self.path}/reopened": self.reopened.saved()} if self.reopened.fresh else marks

    # --- asking ---------------------------------------------------------------------------------------------------

    def _ask(self, kind: str, after: datetime, cursor: str | None) -> Batch[Any]:
        """The next rows. A cursor is of use to the API alone that gave it."""
        is_url = _is_url(cursor)
        if kind != "deployments":
            found = self._spoken(lambda reader: getattr(reader, kind)(after, None if is_url else cursor))
            self._told = found is None
            if found is not None:
                return found  # type: ignore[no-any-return] # a batch
        by_rest: Batch[Any] = getattr(self.rest, kind)(after, cursor if is_url else None)
        return by_rest

    def _spoken(self, ask: Callable[[GraphqlReader], Any]) -> Any:
        """What GraphQL answers; None where it has to be done without from here on."""
        if self.graphql is None:
            return None
        try:
            return ask(self.graphql)
        except Refused:
            self.pull.talk = None
        except Holed:
            pass
        except SourceError as error:
            if not (error.status == 0 or error.status >= 500 or error.status == 408):
                raise
        self.rest.project, self.graphql = self.graphql.project, None
        return None

    def _is_off(self, kind: str) -> bool:
        """Whether the project does without this on purpose, so that nothing is missing."""
        row = self.pull.api.object(project_path(self.path))
        return any(row.get(name) in (False, "disabled") for name in _SWITCHES[kind])

    # --- keeping --------------------------------------------------------------------------------------------------

    def _kept(self, kind: str, rows: Sequence[Any]) -> Kept:
        if not rows:
            return Kept({}, [])
        if kind == "deployments":
            return self._deployments(rows)
        self.reopened.refresh(self.pull.api, self.path)
        return self._changes(rows) if kind == "changes" else self._issues(rows)

    def _changes(self, rows: Sequence[Change]) -> Kept:
        api, source = self.pull.api, self.pull.source
        found = completing.changes(api, self.path, rows, self.reopened, told=self._told)
        made = [changes.signals(change, self.project, source.name, api.root) for change in found]
        people = [account for change in found for account in changes.accounts(change, source.name)]
        return Kept({one[0].subject: one for one in made}, _once(people))

    def _issues(self, rows: Sequence[Issue]) -> Kept:
        api, source = self.pull.api, self.pull.source
        found = completing.issues(api, self.path, rows, self.reopened, told=self._told)
        made = [issues.signals(issue, self.project, source, api.root) for issue in found]
        people = [account for issue in found for account in issues.accounts(issue, source.name)]
        return Kept({one[0].subject: one for one in made}, _once(people))

    def _deployments(self, rows: Sequence[Deployment]) -> Kept:
        source = self.pull.source
        kept = [row for row in rows if deployments.is_production(row.environment, source)]
        made = [deployments.signal(row, self.project, source) for row in kept]
        return Kept({one.subject: [one] for one in made}, Directory(row.by for row in kept).accounts(source.name))


def _is_url(cursor: str | None) -> bool:
    """Whether a cursor is REST's: the address of the next page."""
    return cursor is not None and cursor.startswith("http")


def _once(accounts: Sequence[Account]) -> list[Account]:
    """Each account once; one payload may know of a bot or an address what another does not."""
    found: dict[str, Account] = {}
    for account in accounts:
        held = found.get(account.id)
        if held is None or (account.mark and not held.mark) or (account.email and not held.email):
            found[account.id] = account
    return list(found.values())
