"""The connector: the three things that the engine asks of a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from pipmetrics.model import CHANGE_KINDS, ISSUE_KINDS, Json, Source
from pipmetrics.plugin import Comparison, Finding, Page, Parameter
from pipmetrics.transport import Wire
from pipmetrics_gitlab import checking, from_rest, pulling
from pipmetrics_gitlab.api import Api, project_path


class GitlabConnector:
    """gitlab.com and self-managed GitLab."""

    options: ClassVar[tuple[Parameter, ...]] = (
        Parameter("skip", "list", "Patterns of projects that are left out of the groups listed, e.g. platform/old-*"),
    )
    kinds: ClassVar[frozenset[str]] = (CHANGE_KINDS | ISSUE_KINDS | {"deployed"}) - {"issue_status_changed"}

    def __init__(self, source: Source, wire: Wire) -> None:
        self._api = Api(source, wire)
        self._skip = tuple(map(str, source.options.get("skip") or ()))

    def pull(self, bookmarks: Mapping[str, Json], since: datetime) -> Iterator[Page]:
        """See `Connector.pull`. A page is a batch of merge requests, issues or deployments of one project."""
        return pulling.pages(self._api, bookmarks, since, self._skip)

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        """See `Connector.compare`. Two questions: GitLab does not say by itself whether `base` is behind `head`."""
        project = repository.removeprefix(f"{self._api.source.name}:")
        added = self._commits(project, base, head)
        return Comparison(added, contained=base == head or not self._commits(project, head, base))

    def _commits(self, project: str, base: str, head: str) -> frozenset[str]:
        """Commits reachable from `head` and not from `base`."""
        query = {"from": base, "to": head, "straight": "false"}
        found = self._api.object(project_path(project, "repository", "compare"), **query)
        return frozenset(str(from_rest.needed(commit, "id")) for commit in found.get("commits") or ())

    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        """See `Connector.check`."""
        return checking.findings(self._api, logins, self._skip)
