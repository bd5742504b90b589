"""The table of streams: what is read of a repository, in which order, and which signals it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from pipmetrics.model import Json, Signal, Source
from pipmetrics_github import issues, queries, signals
from pipmetrics_github.references import Place

OVERLAP = timedelta(hours=48)
"""So far back a nightly look goes behind what is known: the service's lists lag behind its objects."""
UNDER_WAY = frozenset({None, "PENDING", "QUEUED", "IN_PROGRESS", "WAITING"})
"""States of a deployment that may still succeed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One stream of a repository. `order`: the field that the list is sorted by, newest first; `arguments`: the rest.

    `sign`: what stands between the repository and the number of its subjects, with the field that holds the number.
    """

    name: str
    type: str
    field: str
    arguments: str
    order: str
    selection: str
    sign: tuple[str, str]
    needs: tuple[str, ...]
    signals: Callable[[Json, Place], tuple[Signal, ...]]
    overlap: timedelta = OVERLAP

    def page(self, selection: str, arguments: str) -> str:
        """One page inside the repository; its size and cursor are the variables NAME_size and NAME_after."""
        return (
            f"{self.name}: {self.field}"
            f"(first: ${self.name}_size, after: ${self.name}_after, {self.arguments}{arguments}) {{ totalCount "
            f"pageInfo {{ hasNextPage endCursor }} nodes {{ {selection} }} }}"
        )

    def end(self, raw: Json) -> str:
        """How the subject ends: ``#12``, ``@345``."""
        sign, field = self.sign
        return f"{sign}{raw[field]}"

    def whole(self, raw: Json) -> bool:
        """Whether nothing is missing that every such object has."""
        lists = (each.name for each in queries.LISTS if each.owner == self.type)
        return (
            isinstance(raw, Mapping)
            and all(raw.get(name) is not None for name in self.needs)
            and all(name in raw for name in lists)
        )


_UPDATED = "orderBy: {field: UPDATED_AT, direction: DESC}"
_CREATED = "orderBy: {field: CREATED_AT, direction: DESC}"

PULLS = Kind(
    "pulls",
    "PullRequest",
    "pullRequests",
    _UPDATED,
    "updatedAt",
    queries.PULL,
    ("#", "number"),
    ("id", "number", "url", "title", "createdAt", "updatedAt", "baseRefName", "commits", "comments", "timelineItems"),
    signals.change,
)
ISSUES = Kind(
    "issues",
    "Issue",
    "issues",
    _UPDATED,
    "updatedAt",
    queries.ISSUE,
    ("#", "number"),
    ("id", "number", "url", "title", "createdAt", "updatedAt", "comments", "timelineItems"),
    issues.issue,
)
DEPLOYMENTS = Kind(
    "deployments",
    "Deployment",
    "deployments",
    _CREATED,
    "createdAt",
    queries.DEPLOYMENT,
    ("@", "databaseId"),
    ("id", "databaseId", "commitOid", "createdAt"),
    signals.deployment,
)
RELEASES = Kind(
    "releases",
    "Release",
    "releases",
    _CREATED,
    "createdAt",
    queries.RELEASE,
    ("@release-", "databaseId"),
    ("id", "databaseId", "tagName", "createdAt"),
    signals.release,
    timedelta(days=30),  # a draft is created long before it is published
)
KINDS = {kind.name: kind for kind in (PULLS, ISSUES, DEPLOYMENTS, RELEASES)}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a source wants to be read of its repositories."""

    production: tuple[str, ...]
    releases: tuple[str, ...] = ()
    issue_types: bool = False

    @classmethod
    def of(cls, source: Source) -> Wish:
        return cls(source.production, tuple(map(str, source.options.get("releases") or ())))

    def kinds(self, repository: str) -> list[Kind]:
        """The streams of a repository."""
        return [PULLS, ISSUES, DEPLOYMENTS, *([RELEASES] if self.releases_of(repository) else [])]

    def releases_of(self, repository: str) -> bool:
        """Whether a published release of it is a production deployment."""
        return any(matches(repository, pattern) for pattern in self.releases)

    def selection(self, kind: Kind) -> str:
        return queries.TYPED_ISSUE if kind is ISSUES and self.issue_types else kind.selection

    def arguments(self, kind: Kind) -> str:
        """Only the wanted environments, where they can be named without a pattern."""
        if kind is not DEPLOYMENTS or any(set(name) & set("*?[") for name in self.production):
            return ""
        return f", environments: [{', '.join(map(queries.quoted, self.production))}]"

    def asked(self, kind: Kind) -> str:
        """What the stream depends on: another wish means reading it anew."""
        return "\n".join(self.production) if kind is DEPLOYMENTS else ""

    def wants(self, kind: Kind, raw: Json) -> bool:
        """Whether it becomes a group at all: only deployments to production do."""
        environment = raw.get("environment") or ""
        return kind is not DEPLOYMENTS or any(fnmatchcase(environment, pattern) for pattern in self.production)


def under_way(kind: Kind, raw: Json) -> bool:
    """Whether something is still running whose end moves no update time."""
    if kind is DEPLOYMENTS:
        return raw.get("state") in UNDER_WAY
    return kind is PULLS and signals.unfinished(raw)


def matches(repository: str, pattern: str) -> bool:
    """Names of repositories are compared without case."""
    return fnmatchcase(repository.lower(), pattern.lower())
