"""What people do in a GitLab project: notes, commits, pipelines, merge requests and issues, with what GitLab notes.

Acts write the system notes and state events that GitLab writes, and move `updated`. Instants are aware.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipmetrics.demo.gitlab.world import Project

_ids = count(1001)


def new_id() -> int:
    return next(_ids)


def made_up_sha(*parts: object) -> str:
    """A commit id that depends on nothing but what it names."""
    return hashlib.sha1("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True, eq=False)
class User:
    """An account. `email` links commits; `public` says whether others see it. Notes keep the name of their day."""

    username: str
    name: str = ""
    email: str = ""
    public: bool = True
    bot: bool = False
    id: int = field(default_factory=new_id)

    @property
    def reference(self) -> str:
        return f"@{self.username}"

    def rename(self, username: str) -> None:
        self.username = username


def sentence(users: Iterable[User]) -> str:
    """@a, @b, and @c"""
    names = [user.reference for user in users]
    if len(names) < 3:
        return " and ".join(names)
    return f"{', '.join(names[:-1])}, and {names[-1]}"


@dataclass(slots=True, eq=False)
class Note:
    """One note. `path` is the file of a diff note; `thread` is shared by a note and its replies."""

    author: User | None
    at: datetime
    body: str
    system: bool = False
    path: str | None = None
    thread: str = ""
    id: int = field(default_factory=new_id)

    def __post_init__(self) -> None:
        self.thread = self.thread or made_up_sha("thread", self.id)


@dataclass(frozen=True, slots=True)
class File:
    """A changed file: lines added and deleted. `whole` False: GitLab does not show its diff."""

    path: str
    added: int
    deleted: int = 0
    whole: bool = True


@dataclass(slots=True, eq=False)
class Commit:
    sha: str
    message: str
    authored: datetime
    committed: datetime
    email: str = ""
    parents: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Pipeline:
    """A pipeline of a merge request; `finished` None: it is still going."""

    sha: str
    status: str
    created: datetime
    finished: datetime | None = None
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class StateEvent:
    state: Literal["closed", "reopened", "merged"]
    at: datetime
    user: User | None
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Noteable:
    """What merge requests and issues have in common."""

    project: Project
    iid: int
    author: User | None
    created: datetime
    title: str
    description: str = ""
    labels: list[str] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    events: list[StateEvent] = field(default_factory=list)
    state: str = "opened"
    updated: datetime = field(init=False)
    id: int = field(default_factory=new_id)

    def __post_init__(self) -> None:
        self.updated = self.created

    def touch(self, at: datetime) -> None:
        self.updated = max(self.updated, at)

    def note(self, author: User | None, at: datetime, body: str, **more: object) -> Note:
        made = Note(author, at, body, **more)  # type: ignore[arg-type] # fields of Note
        self.notes.append(made)
        self.touch(at)
        return made

    def system(self, author: User | None, at: datetime, body: str) -> Note:
        return self.note(author, at, body, system=True)

    def comment(self, author: User | None, at: datetime, body: str = "I see.") -> Note:
        """A plain comment."""
        return self.note(author, at, body)

    def reply(self, to: Note, author: User | None, at: datetime, body: str = "Done.") -> Note:
        """An answer in the thread of a note."""
        return self.note(author, at, body, path=to.path, thread=to.thread)

    def delete(self, note: Note, at: datetime) -> None:
        self.notes.remove(note)
        self.touch(at)

    def label(self, *labels: str, at: datetime) -> None:
        self.labels += labels
        self.touch(at)

    def assign(self, *users: User, at: datetime, by: User | None) -> None:
        """These are the assignees from now on."""
        added = [user for user in users if user not in self.assignees]
        removed = [user for user in self.assignees if user not in users]
        self.assignees = list(users)
        parts = [f"assigned to {sentence(added)}"] if added else []
        parts += [f"unassigned {sentence(removed)}"] if removed else []
        if parts:
            self.system(by, at, " and ".join(parts))

    def change_state(self, state: Literal["closed", "reopened", "merged"], at: datetime, by: User | None) -> None:
        self.state = "opened" if state == "reopened" else state
        self.events.append(StateEvent(state, at, by))
        self.touch(at)

    def close(self, at: datetime, by: User | None) -> None:
        self.change_state("closed", at, by)

    def reopen(self, at: datetime, by: User | None) -> None:
        self.change_state("reopened", at, by)

    @property
    def closed(self) -> StateEvent | None:
        """The closing in force."""
        return self.events[-1] if self.state == "closed" else None


@dataclass(slots=True, eq=False)
class MergeRequest(Noteable):
    """Opened by `Project.merge_request`. `drafts` of GitLab are titles that begin with "Draft: "."""

    source_branch: str = "topic"
    target_branch: str = "main"
    reviewers: list[User] = field(default_factory=list)
    approved_by: list[User] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    merged: datetime | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    squash_commit: str | None = None
    squash: bool = False

    @property
    def draft(self) -> bool:
        return self.title.lower().startswith(("draft:", "[draft]", "wip:"))

    @property
    def head(self) -> str:
        return self.commits[-1].sha if self.commits else made_up_sha("head", self.id)

    @property
    def landed(self) -> str:
        """The commit that is on the target branch once it is merged."""
        return self.merge_commit or self.squash_commit or self.head

    # --- reviews ---

    def request(self, *reviewers: User, at: datetime, by: User | None) -> None:
        """Ask for reviews; asking somebody again is a new request."""
        self.reviewers += [user for user in reviewers if user not in self.reviewers]
        self.system(by, at, f"requested review from {sentence(reviewers)}")

    def withdraw(self, *reviewers: User, at: datetime, by: User | None) -> None:
        self.reviewers = [user for user in self.reviewers if user not in reviewers]
        self.system(by, at, f"removed review request for {sentence(reviewers)}")

    def replace_reviewers(self, *reviewers: User, at: datetime, by: User | None) -> None:
        """Others instead: one note that asks some and lets go of others."""
        added = [user for user in reviewers if user not in self.reviewers]
        removed = [user for user in self.reviewers if user not in reviewers]
        self.reviewers = list(reviewers)
        verb = f"requested review from {sentence(added)} and removed review request for {sentence(removed)}"
        self.system(by, at, verb)

    def approve(self, by: User, at: datetime) -> None:
        self.approved_by.append(by)
        self.system(by, at, "approved this merge request")

    def unapprove(self, by: User, at: datetime) -> None:
        self.approved_by.remove(by)
        self.system(by, at, "unapproved this merge request")

    def reset_approvals(self, at: datetime, by: User | None) -> None:
        """A push takes all approvals back."""
        self.system(by, at, f"reset approvals from {sentence(self.approved_by)} by pushing to the branch")
        self.approved_by = []

    def request_changes(self, by: User, at: datetime) -> None:
        self.system(by, at, "requested changes")

    def discuss(self, author: User | None, at: datetime, body: str = "Why?", path: str = "app.py") -> Note:
        """A note on a line of the diff, which opens a thread."""
        return self.note(author, at, body, path=path)

    # --- drafts, pushes, pipelines ---

    def make_draft(self, at: datetime, by: User | None) -> None:
        self.title = f"Draft: {self.title}"
        self.system(by, at, "marked this merge request as **draft**")

    def make_ready(self, at: datetime, by: User | None) -> None:
        self.title = self.title.split(":", 1)[1].strip()
        self.system(by, at, "marked this merge request as **ready**")

    def push(self, *commits: Commit, at: datetime, by: User | None) -> None:
        self.commits += commits
        lines = "".join(f"<li>{commit.sha[:8]} - {commit.message}</li>" for commit in commits)
        self.system(by, at, f"added {len(commits)} commit{'s' * (len(commits) > 1)}\n\n<ul>{lines}</ul>")

    def pipeline(self, status: str, created: datetime, finished: datetime | None, sha: str = "") -> Pipeline:
        """A pipeline of the head; like GitLab's it does not move `updated` when it ends."""
        made = Pipeline(sha or self.head, status, created, finished)
        self.pipelines.append(made)
        return made

    def merge(
        self, at: datetime, by: User | None, how: Literal["merge", "squash", "fast-forward", "squash-ff"] = "merge"
    ) -> None:
        """Merge; the commit that it becomes is `landed`."""
        self.change_state("merged", at, by)
        self.merged, self.merged_by, self.squash = at, by, how.startswith("squash")
        self.project.land(self, at, how)


@dataclass(slots=True, eq=False)
class Link:
    """A relation between two issues, kept at the one that it was made on."""

    other: Issue
    kind: Literal["relates_to", "blocks", "is_blocked_by"]
    at: datetime
    id: int = field(default_factory=new_id)


_OPPOSITE = {"relates_to": "relates_to", "blocks": "is_blocked_by", "is_blocked_by": "blocks"}
_SAID = {"relates_to": "related to", "blocks": "blocking", "is_blocked_by": "blocked by"}


@dataclass(slots=True, eq=False)
class Issue(Noteable):
    """Opened by `Project.issue`."""

    type: str = "issue"
    due: date | None = None
    links: list[Link] = field(default_factory=list)
    duplicate_of: Issue | None = None
    moved_to: Issue | None = None

    @property
    def reference(self) -> str:
        return f"{self.project.path}#{self.iid}"

    def schedule(self, due: date | None, at: datetime, by: User | None) -> None:
        """Set or take away the due date."""
        self.due = due
        said = f"changed due date to {due:%B} {due.day}, {due.year}" if due else "removed due date"
        self.system(by, at, said)

    def link(
        self, other: Issue, kind: Literal["relates_to", "blocks", "is_blocked_by"], at: datetime, by: User | None
    ) -> None:
        """Relate two issues; both sides show it."""
        made = Link(other, kind, at)
        self.links.append(made)
        opposite = Link(self, _OPPOSITE[kind], at, made.id)  # type: ignore[arg-type] # one of the three
        other.links.append(opposite)
        self.system(by, at, f"marked this issue as {_SAID[kind]} {other.reference}")
        other.system(by, at, f"marked this issue as {_SAID[opposite.kind]} {self.reference}")

    def unlink(self, other: Issue, at: datetime, by: User | None) -> None:
        self.links = [link for link in self.links if link.other is not other]
        other.links = [link for link in other.links if link.other is not self]
        self.system(by, at, f"removed the relation with {other.reference}")
        other.system(by, at, f"removed the relation with {self.reference}")

    def mark_duplicate(self, of: Issue, at: datetime, by: User | None) -> None:
        """Close as a duplicate of another issue."""
        self.duplicate_of = of
        self.system(by, at, f"marked this issue as a duplicate of {of.reference}")
        self.close(at, by)

    def move(self, to: Issue, at: datetime, by: User | None) -> None:
        """Close because it goes on in another project."""
        self.moved_to = to
        self.system(by, at, f"moved to {to.reference}")
        self.close(at, by)
