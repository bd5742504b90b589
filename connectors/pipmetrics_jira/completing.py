"""Makes issues whole: the parts of their history, comments and words that a search left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_jira import payloads
from pipmetrics_jira.client import BULK, MOVED, Api
from pipmetrics_jira.payloads import Change, Hole, Issue, entries
from pipmetrics_jira.site import Site

EMBEDDED = 40
"""Histories that a Cloud search shows of an issue at most, whatever it says there are."""


class Completing:
    """Asks for what is missing of issues. `lost` says which could not be made whole, and why."""

    def __init__(self, api: Api, site: Site) -> None:
        self._api, self._site = api, site
        self.lost: dict[str, tuple[Issue, str]] = {}

    def wants(self, issue: Issue) -> bool:
        """Whether an issue can not be read as it came."""
        site = self._site
        return (
            self._cut(issue)
            or bool(site.strange_statuses(issue))
            or bool(site.strange_sprints(issue))
            or self._lacks_comments(issue)
            or site.remote_links
        )

    def whole(self, issues: Sequence[Issue]) -> list[Issue]:
        """The issues with all there is of them; those in `lost`, and those that are gone meanwhile, are left out."""
        found = list(self._with_changes(issues))
        for issue in found:
            self._site.learn(issue)
        self._site.ask_statuses(found)
        self._site.ask_sprints(found)
        return [self._with_remote(self._with_comments(issue)) for issue in found]

    # --- changelogs ---

    def _cut(self, issue: Issue) -> bool:
        if issue.changes is None:
            return True
        many = len(issue.changes)
        if issue.told is not None and many < issue.told:
            return True
        if self._api.cloud:
            return issue.told is None or many >= EMBEDDED or not continuous(issue)
        return issue.told is None and not continuous(issue)

    def _with_changes(self, issues: Sequence[Issue]) -> Iterator[Issue]:
        cut = [issue for issue in issues if self._cut(issue)]
        logs = self._bulk([issue.id for issue in cut]) if self._api.cloud else {}
        short = {issue.id for issue in cut}
        for issue in issues:
            if issue.id in short:
                yield from self._lengthened(issue, logs.get(issue.id))
            else:
                yield issue

    def _bulk(self, ids: Sequence[str]) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = {}
        try:
            for start in range(0, len(ids), BULK):
                found |= self._api.histories(ids[start : start + BULK])
        except SourceError as error:
            if error.status not in (400, *MOVED):
                raise
        return found

    def _lengthened(self, issue: Issue, log: Sequence[Json] | None) -> Iterator[Issue]:
        """The issue with its whole changelog: from the bulk answer, else asked for by itself."""
        try:
            if log is not None and len(read := self._changes(log)) >= self._least(issue):
                yield replace(issue, changes=read, told=len(read))
                return
            yield self._alone(issue)
        except Hole as hole:
            self.lost[issue.id] = issue, f"its changelog came without {hole}"
        except SourceError as error:
            if error.status != 404 or self._exists(issue):
                raise

    def _alone(self, issue: Issue) -> Issue:
        path = f"{self._api.api}/issue/{issue.id}"
        if self._api.cloud:
            read = self._changes(self._api.paged(f"{path}/changelog", "values"))
        else:
            log = self._api.one(path, fields="status", expand="changelog").get("changelog")
            if not isinstance(log, Mapping) or not isinstance(log.get("histories"), list):
                raise Hole("its entries")
            read = self._changes(log["histories"])
            if isinstance(told := log.get("total"), int) and len(read) < told:
                raise Hole(f"{told - len(read)} of its entries")
        if len(read) < self._least(issue):
            raise Hole(f"{self._least(issue) - len(read)} of its entries")
        return replace(issue, changes=read, told=len(read))

    def _changes(self, log: Sequence[Json]) -> tuple[Change, ...]:
        return payloads.changes(log, self._site.bots)

    def _least(self, issue: Issue) -> int:
        """How many entries there must be: those shown and those told of."""
        return max(len(issue.changes or ()), issue.told or 0)

    def _exists(self, issue: Issue) -> bool:
        try:
            self._api.one(f"{self._api.api}/issue/{issue.id}", fields="status")
        except SourceError as error:
            if error.status != 404:
                raise
            return False
        return True

    # --- comments and remote links ---

    def _lacks_comments(self, issue: Issue) -> bool:
        """Only what bugs say of their cause is read from comments."""
        return len(issue.comments) < issue.comments_told and self._is_bug(issue)

    def _is_bug(self, issue: Issue) -> bool:
        rule, fields = self._site.source.bugs, issue.fields
        kind, labels = fields.get("issuetype"), fields.get("labels")
        named = str(kind.get("name") or "").casefold() if isinstance(kind, Mapping) else ""
        typed = named in {each.casefold() for each in rule.types}
        labelled = bool({str(label).casefold() for label in labels or ()} & {each.casefold() for each in rule.labels})
        return typed or labelled or bool(rule.filter)

    def _with_comments(self, issue: Issue) -> Issue:
        if not self._lacks_comments(issue):
            return issue
        listed = self._api.paged(f"{self._api.api}/issue/{issue.id}/comment", "comments")
        return replace(issue, comments=payloads.comment_bodies(listed))

    def _with_remote(self, issue: Issue) -> Issue:
        if not self._site.remote_links:
            return issue
        listed = self._api.many(f"{self._api.api}/issue/{issue.id}/remotelink")
        return replace(issue, remote=tuple(listed))


def continuous(issue: Issue) -> bool:
    """Whether the statuses of the history lead one into the next, the last one into the present."""
    found = [each.item for each in entries(issue, "status")]
    joined = all(one.after == following.before for one, following in pairwise(found))
    return joined and (not found or found[-1].after == issue.status)
