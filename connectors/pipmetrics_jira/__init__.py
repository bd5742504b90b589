"""Reads issues from Jira, Cloud and Data Center."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from pipmetrics.errors import SourceError
from pipmetrics.model import ISSUE_KINDS, Json, Source
from pipmetrics.plugin import Comparison, Finding, Page, Parameter
from pipmetrics.transport import Wire
from pipmetrics_jira.checks import findings
from pipmetrics_jira.client import Api
from pipmetrics_jira.resolutions import CODES
from pipmetrics_jira.walk import Pull

__all__ = ["JiraConnector"]


class JiraConnector:
    """One Jira source. Which of the two kinds of Jira it is, the server says."""

    options: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "resolutions",
            "mapping",
            "what the site's resolutions mean: a code, then the names that mean it, as {duplicate: [Doppelt]}",
            choices=CODES,
        ),
        Parameter("bots", "list", "accountIds or user names of automation that Jira does not mark as an app"),
        Parameter(
            "remote_links",
            "choice",
            "on: read links to web pages too, one more request for each issue",
            default="off",
            choices=("off", "on"),
        ),
    )
    kinds: ClassVar[frozenset[str]] = ISSUE_KINDS

    def __init__(self, source: Source, wire: Wire) -> None:
        self._source, self._wire = source, wire

    def pull(self, bookmarks: Mapping[str, Json], since: datetime) -> Iterator[Page]:
        """Pages of issues updated since the bookmarks, or since `since` where there are none."""
        return Pull(self._source, Api(self._source, self._wire), bookmarks, since).pages()

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        raise SourceError(
            f"{self._source.name}: Jira holds no commits to compare",
            where=repository,
            mend="Ask the source of the change.",
        )

    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        """Server, token, clock, permissions on the projects, and whether the accounts exist."""
        return findings(self._source, Api(self._source, self._wire), logins)
