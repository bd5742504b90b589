"""Accounts, commits, pulls and issues with their timelines: what people do in a repository.

Plain objects that may be changed while they are served. Instants are aware datetimes; GitHub keeps whole seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from pipmetrics.demo.github.world import Repository

ReviewState: TypeAlias = Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]

_ids = count(1001)


def new_id() -> int:
    """A database id that nothing else has."""
    return next(_ids)


def made_up_sha(*parts: object) -> str:
    """Forty hexadecimal digits that depend on nothing but what they name."""
    return hashlib.sha1("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True, eq=False)
class Account:
    """Somebody, or something: `kind` is User, Bot, Mannequin or Organization. Renaming is setting `login`."""

    login: str
    kind: Literal["User", "Bot", "Mannequin", "Organization"] = "User"
    id: int = field(default_factory=new_id)
    name: str = ""
    email: str = ""


@dataclass(slots=True, eq=False)
class Team:
    slug: str
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Check:
    """One check run of a commit (`kind` "run"), or one commit status ("status"); `completed` None: still running."""

    name: str
    completed: datetime | None
    conclusion: str | None = "SUCCESS"
    started: datetime | None = None
    kind: Literal["run", "status"] = "run"
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Commit:
    """`author` is the linked account, None when the address belongs to nobody on GitHub."""

    sha: str
    message: str
    authored: datetime
    committed: datetime
    author: Account | None = None
    email: str = ""
    parents: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    id: int = field(default_factory=new_id)

    def check(self, conclusion: str | None, at: datetime | None, name: str = "build", **more: str) -> Check:
        """Report a check; `at` None: it is still running."""
        kind: Literal["run", "status"] = "status" if more.get("kind") == "status" else "run"
        made = Check(name, at, conclusion if at else None, self.committed, kind)
        self.checks.append(made)
        return made


@dataclass(slots=True, eq=False)
class File:
    path: str
    additions: int = 0
    deletions: int = 0


@dataclass(slots=True, eq=False)
class Review:
    """`submitted` None and state PENDING: not sent yet, visible to its author alone. `comments`: inline ones."""

    author: Account | None
    state: ReviewState
    submitted: datetime | None
    comments: int = 0
    body: str = ""
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Comment:
    author: Account | None
    at: datetime
    body: str = ""
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Event:
    """One entry of a timeline; `kind` is its GraphQL type name, the rest is what that type has."""

    kind: str
    at: datetime
    actor: Account | None
    reviewer: Account | Team | None = None
    review: Review | None = None
    previous: str = ""
    before: Commit | None = None
    after: Commit | None = None
    assignee: Account | None = None
    state_reason: str | None = None
    source: Pull | Issue | None = None
    will_close: bool = False
    origin: Repository | None = None
    canonical: Issue | Pull | None = None
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Pull:
    """A pull request. Its acts (`request`, `review`, `merge` ...) append to the timeline and move `updated`."""

    repository: Repository
    number: int
    title: str
    author: Account | None
    created: datetime
    updated: datetime
    body: str = ""
    branch: str = "topic"
    base: str = "main"
    draft: bool = False
    state: Literal["OPEN", "CLOSED", "MERGED"] = "OPEN"
    closed: datetime | None = None
    merged: datetime | None = None
    merged_by: Account | None = None
    merge_sha: str | None = None
    labels: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    closes: list[Issue] = field(default_factory=list)
    id: int = field(default_factory=new_id)

    @property
    def additions(self) -> int:
        return sum(file.additions for file in self.files)

    @property
    def deletions(self) -> int:
        return sum(file.deletions for file in self.files)

    def touch(self, at: datetime) -> None:
        self.updated = max(self.updated, at)

    def happen(self, kind: str, at: datetime, by: Account | None) -> Event:
        """Append a timeline entry of any kind; set its further fields on what comes back."""
        event = Event(kind, at, by)
        self.events.append(event)
        self.touch(at)
        return event

    def request(self, reviewer: Account | Team | None, at: datetime, by: Account | None) -> None:
        self.happen("ReviewRequestedEvent", at, by).reviewer = reviewer

    def unrequest(self, reviewer: Account | Team | None, at: datetime, by: Account | None) -> None:
        self.happen("ReviewRequestRemovedEvent", at, by).reviewer = reviewer

    def review(
        self, author: Account | None, at: datetime | None, state: ReviewState = "APPROVED", *, comments: int = 0
    ) -> Review:
        """`at` None: a pending review."""
        made = Review(author, state if at else "PENDING", at, comments)
        self.reviews.append(made)
        if at:
            self.touch(at)
        return made

    def dismiss(self, review: Review, at: datetime, by: Account | None) -> None:
        event = self.happen("ReviewDismissedEvent", at, by)
        event.review, event.previous = review, review.state
        review.state = "DISMISSED"

    def comment(self, author: Account | None, at: datetime, body: str = "") -> Comment:
        made = Comment(author, at, body)
        self.comments.append(made)
        self.touch(at)
        return made

    def push(self, *commits: Commit) -> None:
        """Add commits on top; `updated` moves to the last committer date."""
        for commit in commits:
            self.repository.commits[commit.sha] = commit
            self.commits.append(commit)
            self.touch(commit.committed)

    def force_push(self, at: datetime, by: Account | None, commits: Sequence[Commit]) -> None:
        """Replace the commits: the old head is known from the timeline alone."""
        event = self.happen("HeadRefForcePushedEvent", at, by)
        event.before = self.commits[-1] if self.commits else None
        event.after = commits[-1] if commits else None
        self.commits = []
        self.push(*commits)

    def ready(self, at: datetime, by: Account | None) -> None:
        self.draft = False
        self.happen("ReadyForReviewEvent", at, by)

    def back_to_draft(self, at: datetime, by: Account | None) -> None:
        self.draft = True
        self.happen("ConvertToDraftEvent", at, by)

    def close(self, at: datetime, by: Account | None) -> None:
        self.state, self.closed = "CLOSED", at
        self.happen("ClosedEvent", at, by)

    def reopen(self, at: datetime, by: Account | None) -> None:
        self.state, self.closed = "OPEN", None
        self.happen("ReopenedEvent", at, by)

    def merge(self, at: datetime, by: Account | None, sha: str = "") -> None:
        """Merge into the base branch: a merge commit, a MergedEvent and the ClosedEvent that comes with it."""
        self.state, self.merged, self.closed, self.merged_by = "MERGED", at, at, by
        self.merge_sha = sha or made_up_sha(self.repository.full_name, self.number, "merge")
        heads = [self.commits[-1].sha] if self.commits else []
        self.repository.land(Commit(self.merge_sha, f"{self.title} (#{self.number})", at, at, by), self.base, heads)
        self.happen("MergedEvent", at, by)
        self.happen("ClosedEvent", at, by)
        for issue in self.closes:
            issue.close(at, by, "COMPLETED")


@dataclass(slots=True, eq=False)
class Issue:
    """An issue; like a Pull, its acts append to the timeline and move `updated`."""

    repository: Repository
    number: int
    title: str
    author: Account | None
    created: datetime
    updated: datetime
    body: str = ""
    state: Literal["OPEN", "CLOSED"] = "OPEN"
    state_reason: str | None = None
    closed: datetime | None = None
    labels: list[str] = field(default_factory=list)
    type: str | None = None
    assignees: list[Account] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    id: int = field(default_factory=new_id)

    def touch(self, at: datetime) -> None:
        self.updated = max(self.updated, at)

    def happen(self, kind: str, at: datetime, by: Account | None) -> Event:
        """Append a timeline entry of any kind; set its further fields on what comes back."""
        event = Event(kind, at, by)
        self.events.append(event)
        self.touch(at)
        return event

    def assign(self, assignee: Account, at: datetime, by: Account | None) -> None:
        self.assignees.append(assignee)
        self.happen("AssignedEvent", at, by).assignee = assignee

    def unassign(self, assignee: Account, at: datetime, by: Account | None) -> None:
        self.assignees.remove(assignee)
        self.happen("UnassignedEvent", at, by).assignee = assignee

    def comment(self, author: Account | None, at: datetime, body: str = "") -> Comment:
        made = Comment(author, at, body)
        self.comments.append(made)
        self.touch(at)
        return made

    def close(self, at: datetime, by: Account | None, reason: str | None = "COMPLETED") -> None:
        """`reason`: COMPLETED, NOT_PLANNED or DUPLICATE. Closing again changes the reason."""
        self.state, self.closed, self.state_reason = "CLOSED", at, reason
        self.happen("ClosedEvent", at, by).state_reason = reason

    def reopen(self, at: datetime, by: Account | None) -> None:
        self.state, self.closed, self.state_reason = "OPEN", None, "REOPENED"
        self.happen("ReopenedEvent", at, by)

    def mention(self, source: Pull | Issue, at: datetime, by: Account | None, *, will_close: bool = False) -> None:
        """`source` mentions this issue."""
        event = self.happen("CrossReferencedEvent", at, by)
        event.source, event.will_close = source, will_close

    def connect(self, source: Pull | Issue, at: datetime, by: Account | None) -> None:
        """Link a pull request by hand (Development)."""
        self.happen("ConnectedEvent", at, by).source = source

    def disconnect(self, source: Pull | Issue, at: datetime, by: Account | None) -> None:
        self.happen("DisconnectedEvent", at, by).source = source

    def transfer(self, to: Repository, at: datetime, by: Account | None) -> Issue:
        """Move to another repository: there it is a new issue with a new number and id; here it is gone."""
        self.repository.issues.remove(self)
        moved = to.issue(self.author, self.created, self.title, body=self.body, labels=self.labels)
        moved.comments, moved.assignees = self.comments, self.assignees
        moved.events = list(self.events)
        moved.state, moved.state_reason, moved.closed = self.state, self.state_reason, self.closed
        moved.happen("TransferredEvent", at, by).origin = self.repository
        return moved
