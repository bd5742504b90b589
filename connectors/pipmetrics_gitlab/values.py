"""What GitLab says, in one form, whether GraphQL or REST said it. Frozen values; every instant is aware."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class User:
    """An account as a payload shows it; `id` is None where the payload names a login alone."""

    id: str | None
    login: str
    bot: bool = False
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A project by its full path. `default_branch` is None where the repository is empty or hidden."""

    id: str
    path: str
    url: str
    default_branch: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A comment, or a system note. `diff`: it stands on a line of the diff; `thread`: the discussion it belongs to."""

    id: str
    at: datetime
    author: User | None
    body: str
    system: bool = False
    diff: bool = False
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    sha: str
    authored: datetime
    committed: datetime
    message: str
    author: User | None = None


DONE = frozenset({"success", "failed", "canceled", "skipped"})
"""Statuses of a pipeline in which nothing of it runs any more, or waits for somebody."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`status` in lower case; `ended` is None while it runs."""

    id: str
    sha: str
    status: str
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Transition:
    """A merge request or an issue was closed or reopened."""

    kind: Literal["closed", "reopened"]
    at: datetime
    by: User | None


@dataclass(frozen=True, slots=True)
class Link:
    """A linked issue as seen from this one: `kind` is relates_to, blocks or is_blocked_by; `at` None: not dated."""

    id: str
    kind: str
    project: str
    iid: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """A merge request. `others` are the users whom the payload names besides author, reviewers and writers of notes.

    `head` is the last commit of the source branch; `landed` the commit that it became on the target branch, where
    the service says so. `complete` False: files are missing from `files`.
    """

    id: str
    iid: int
    url: str
    title: str
    description: str
    state: str
    draft: bool
    created: datetime
    updated: datetime
    author: User | None
    source_branch: str
    target_branch: str
    merged: datetime | None = None
    merged_by: User | None = None
    head: str | None = None
    landed: str | None = None
    squashed: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[User, ...] = ()
    others: tuple[User, ...] = ()
    notes: tuple[Note, ...] = ()
    commits: tuple[Commit, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    files: tuple[tuple[str, int, int], ...] = ()
    complete: bool = True
    transitions: tuple[Transition, ...] = ()
    closed: Transition | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue. `duplicate` says that GitLab has it as closed as a duplicate of another, `moved` that it went on
    in another project; `closed` is the last closing where the list of issues tells it.
    """

    id: str
    iid: int
    url: str
    title: str
    description: str
    state: str
    type: str | None
    created: datetime
    updated: datetime
    author: User | None
    due: str | None = None
    labels: tuple[str, ...] = ()
    assignees: tuple[User, ...] = ()
    notes: tuple[Note, ...] = ()
    transitions: tuple[Transition, ...] = ()
    closed: Transition | None = None
    duplicate: bool = False
    moved: bool = False
    links: tuple[Link, ...] = ()
    others: tuple[User, ...] = ()


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that succeeded; `number` counts within its project."""

    id: str
    number: int
    sha: str
    environment: str
    at: datetime
    updated: datetime
    by: User | None
    url: str
