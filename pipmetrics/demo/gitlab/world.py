"""What GitLab knows: projects with their deployments and commits, users, tokens, and everything at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pipmetrics.demo.gitlab.work import (
    Commit,
    File,
    Issue,
    MergeRequest,
    Note,
    User,
    made_up_sha,
    new_id,
)


@dataclass(slots=True, eq=False)
class Deployment:
    """A deployment of a commit to an environment."""

    project: Project
    iid: int
    sha: str
    environment: str
    status: str
    created: datetime
    finished: datetime | None
    user: User | None
    id: int = field(default_factory=new_id)
    updated: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.updated = self.finished or self.created


@dataclass(slots=True, eq=False)
class Project:
    """A project by its full path, e.g. platform/core. `former` lists paths that lead here.

    `hidden` features (merge_requests, issues, deployments) are switched off.
    """

    path: str
    default_branch: str = "main"
    former: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    merge_requests: list[MergeRequest] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    commits: dict[str, Commit] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    id: int = field(default_factory=new_id)

    def rename(self, path: str) -> None:
        """The old path goes on leading here, by REST."""
        self.former.append(self.path)
        self.path = path

    def items(self) -> list[MergeRequest | Issue]:
        return [*self.merge_requests, *self.issues]

    # --- opening things ---

    def merge_request(
        self,
        author: User | None,
        at: datetime,
        title: str = "Change",
        *,
        description: str = "",
        branch: str = "topic",
        target: str | None = None,
        labels: Iterable[str] = (),
        reviewers: Iterable[User] = (),
        files: Iterable[File] = (),
        commits: Iterable[Commit] = (),
        iid: int | None = None,
    ) -> MergeRequest:
        """Open a merge request; `reviewers` come with it, without a note. A title "Draft: ..." makes it a draft."""
        number = iid or 1 + max((one.iid for one in self.merge_requests), default=0)
        made = MergeRequest(self, number, author, at, title, description, list(labels))
        made.source_branch, made.target_branch = branch, target or self.default_branch
        made.reviewers, made.files, made.commits = list(reviewers), list(files), list(commits)
        self.merge_requests.append(made)
        return made

    def issue(
        self,
        author: User | None,
        at: datetime,
        title: str = "Issue",
        *,
        description: str = "",
        labels: Iterable[str] = (),
        type: str = "issue",
        assignees: Iterable[User] = (),
        iid: int | None = None,
    ) -> Issue:
        """Open an issue; `assignees` come with it, without a note."""
        number = iid or 1 + max((one.iid for one in self.issues), default=0)
        made = Issue(self, number, author, at, title, description, list(labels), list(assignees), type=type)
        self.issues.append(made)
        return made

    # --- commits and deployments ---

    def commit(
        self,
        author: User | None,
        at: datetime,
        message: str = "Work",
        *,
        authored: datetime | None = None,
        parents: Iterable[str] = (),
        sha: str = "",
    ) -> Commit:
        """A commit on top of the default branch, or of `parents`; hand it to a merge request."""
        sha = sha or made_up_sha(self.path, len(self.commits), message, at)
        behind = tuple(parents) or tuple(filter(None, [self.heads.get(self.default_branch)]))
        made = Commit(sha, message, authored or at, at, author.email if author else "", behind)
        self.commits[sha] = made
        return made

    def land(self, change: MergeRequest, at: datetime, how: str) -> None:
        """Put what a merge request became onto its target branch."""
        before = tuple(filter(None, [self.heads.get(change.target_branch)]))
        email = change.merged_by.email if change.merged_by else ""
        self.commits |= {commit.sha: commit for commit in change.commits}
        if how.startswith("squash"):
            change.squash_commit = made_up_sha("squash", change.id)
            self.commits[change.squash_commit] = Commit(change.squash_commit, change.title, at, at, email, before)
        if how in ("merge", "squash"):
            change.merge_commit = made_up_sha("merge", change.id)
            parents = (*before, change.squash_commit or change.head)
            self.commits[change.merge_commit] = Commit(change.merge_commit, "Merge", at, at, email, parents)
        self.heads[change.target_branch] = change.landed

    def deploy(
        self,
        sha: str,
        environment: str,
        at: datetime,
        by: User | None,
        *,
        status: str = "success",
        created: datetime | None = None,
    ) -> Deployment:
        """A deployment that ended at `at`."""
        made = Deployment(self, len(self.deployments) + 1, sha, environment, status, created or at, at, by)
        self.deployments.append(made)
        return made

    def reachable(self, sha: str) -> set[str]:
        """The commit and all behind it."""
        found: set[str] = set()
        ahead = [sha]
        while ahead:
            commit = self.commits.get(ahead.pop())
            if commit is not None and commit.sha not in found:
                found.add(commit.sha)
                ahead += commit.parents
        return found


@dataclass(slots=True, eq=False)
class Token:
    """What a token may do, and which projects it cannot see."""

    value: str
    user: User
    scopes: tuple[str, ...] = ("read_api",)
    hidden: set[str] = field(default_factory=set)
    expires: str | None = None
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class World:
    """Everything in one GitLab instance. Groups are the paths that projects lie in."""

    users: list[User] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    ghost: User = field(default_factory=lambda: User("ghost", "Ghost User"))

    def user(self, username: str, *, name: str = "", email: str = "", public: bool = True, bot: bool = False) -> User:
        """An account; its e-mail address defaults to USERNAME@example.com."""
        made = User(username, name or username.title(), email or f"{username}@example.com", public, bot)
        self.users.append(made)
        return made

    def project(self, path: str, default_branch: str = "main") -> Project:
        made = Project(path, default_branch)
        self.projects.append(made)
        return made

    def token(self, value: str, *, scopes: Iterable[str] = ("read_api",), hidden: Iterable[str] = ()) -> Token:
        """A token that sees every project but the `hidden` ones (by their paths)."""
        owner = next((user for user in self.users if user.username == "reader"), None) or self.user("reader")
        made = Token(value, owner, tuple(scopes), set(hidden))
        self.tokens[value] = made
        return made

    def delete(self, user: User) -> None:
        """Delete an account: what it did belongs to the ghost from now on."""
        self.users.remove(user)
        for item in (item for project in self.projects for item in project.items()):
            self._hand_over(item, user)
        for deployment in (one for project in self.projects for one in project.deployments):
            deployment.user = self.ghost if deployment.user is user else deployment.user

    def _hand_over(self, item: MergeRequest | Issue, user: User) -> None:
        item.author = self.ghost if item.author is user else item.author
        item.assignees = [one for one in item.assignees if one is not user]
        acts: list[Note] = item.notes
        for note in acts:
            note.author = self.ghost if note.author is user else note.author
        for event in item.events:
            event.user = self.ghost if event.user is user else event.user
        if isinstance(item, MergeRequest):
            item.reviewers = [one for one in item.reviewers if one is not user]
            item.approved_by = [one for one in item.approved_by if one is not user]
            item.merged_by = self.ghost if item.merged_by is user else item.merged_by

    # --- who sees what ---

    def visible(self, token: Token) -> list[Project]:
        return [project for project in self.projects if project.path not in token.hidden]

    def find(self, token: Token, name: str, *, redirects: bool = True) -> Project | None:
        """A project by its id or path; `redirects`: by a former path too."""
        for project in self.visible(token):
            if name in (str(project.id), project.path) or (redirects and name in project.former):
                return project
        return None

    def group(self, token: Token, path: str) -> list[Project] | None:
        """The projects of a group and its subgroups; None: there is no such group."""
        found = [project for project in self.visible(token) if project.path.startswith(f"{path}/")]
        return found or None

    def account(self, email: str) -> User | None:
        """Whose commits carry this address."""
        return next((user for user in self.users if email and user.email == email), None)
