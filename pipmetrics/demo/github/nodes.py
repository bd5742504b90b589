"""Who asks, what the objects of the world are called, and which object an id names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipmetrics.demo.github.work import Account, Check, Comment, Commit, Event, Issue, Pull, Review, Team
from pipmetrics.demo.github.world import Deployment, DeploymentStatus, Release, Repository, Token, World


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks, and what for."""

    world: World
    token: Token
    url: str
    rate: Mapping[str, Any]

    def sees(self, repository: Repository) -> bool:
        return repository.full_name not in self.token.hidden

    def find(self, full_name: str) -> Repository | None:
        """By present or former name; None when there is none, or none that the token may see."""
        wanted = full_name.lower()
        present = [each for each in self.world.repositories if each.full_name.lower() == wanted]
        former = [each for each in self.world.repositories if wanted in map(str.lower, each.former)]
        return next(filter(self.sees, (present or former)[:1]), None)


@dataclass(frozen=True, slots=True)
class Rollup:
    commit: Commit


@dataclass(frozen=True, slots=True)
class PullCommit:
    pull: Pull
    commit: Commit


@dataclass(frozen=True, slots=True)
class Label:
    name: str


@dataclass(frozen=True, slots=True)
class Ref:
    repository: Repository
    name: str


@dataclass(frozen=True, slots=True)
class Inline:
    review: Review
    place: int


PREFIXES: dict[type, str] = {
    Team: "T", Repository: "R", Pull: "PR", Issue: "I", Review: "PRR", Comment: "IC", Commit: "C", Check: "CR",
    Event: "EV", Deployment: "DE", DeploymentStatus: "DES", Release: "RE",
}  # fmt: skip


def node_id(thing: Any) -> str:
    """The id that never changes: a prefix of the type and the database id."""
    if isinstance(thing, Account):
        return f"{thing.kind[0]}_{thing.id}"
    if isinstance(thing, Rollup):
        return f"SCR_{thing.commit.id}"
    if isinstance(thing, PullCommit):
        return f"PRC_{thing.pull.id}_{thing.commit.sha[:12]}"
    if isinstance(thing, Label):
        return f"LA_{thing.name}"
    if isinstance(thing, Ref):
        return f"REF_{thing.repository.id}_{thing.name}"
    if isinstance(thing, Inline):
        return f"PRRC_{thing.review.id}_{thing.place}"
    return f"{PREFIXES[type(thing)]}_{thing.id}"


def type_name(thing: Any, *_: Any) -> str:
    """The GraphQL type of an object of the world."""
    if isinstance(thing, Account):
        return thing.kind
    if isinstance(thing, Event):
        return thing.kind
    if isinstance(thing, Check):
        return "CheckRun" if thing.kind == "run" else "StatusContext"
    return _TYPES[type(thing)]


_TYPES: dict[type, str] = {
    Team: "Team", Repository: "Repository", Pull: "PullRequest", Issue: "Issue", Review: "PullRequestReview",
    Comment: "IssueComment", Commit: "Commit", Rollup: "StatusCheckRollup", PullCommit: "PullRequestCommit",
    Label: "Label", Ref: "Ref", Deployment: "Deployment", DeploymentStatus: "DeploymentStatus", Release: "Release",
    Inline: "PullRequestReviewComment",
}  # fmt: skip


def find_node(session: Session, id: str) -> Any:
    """The object with that id, None when it is gone or hidden."""
    if re.match(r"[UBMO]_", id):
        return next((each for each in session.world.accounts if node_id(each) == id), None)
    for repository in filter(session.sees, session.world.repositories):
        for thing in _things(repository):
            if node_id(thing) == id:
                return thing
    return None


def _things(repository: Repository) -> Iterator[Any]:
    yield repository
    yield from (*repository.pulls, *repository.issues, *repository.deployments, *repository.releases)
    yield from (review for pull in repository.pulls for review in pull.reviews)
    for commit in repository.commits.values():
        yield from (commit, Rollup(commit))
