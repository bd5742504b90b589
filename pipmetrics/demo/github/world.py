"""What GitHub knows: repositories with their deployments and releases, who may see them, and everything at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pipmetrics.demo.github.work import Account, Commit, File, Issue, Pull, Team, made_up_sha, new_id


@dataclass(slots=True, eq=False)
class DeploymentStatus:
    state: str
    at: datetime
    creator: Account | None
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Deployment:
    """A deployment; its present state is that of the newest status."""

    repository: Repository
    sha: str
    environment: str
    creator: Account | None
    created: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)
    id: int = field(default_factory=new_id)

    @property
    def updated(self) -> datetime:
        return max([self.created, *(status.at for status in self.statuses)])

    def report(self, state: str, at: datetime, by: Account | None = None) -> None:
        """SUCCESS, FAILURE, ERROR, INACTIVE, IN_PROGRESS, QUEUED, PENDING or WAITING."""
        self.statuses.append(DeploymentStatus(state, at, by or self.creator))


@dataclass(slots=True, eq=False)
class Release:
    repository: Repository
    tag: str
    sha: str
    author: Account | None
    created: datetime
    published: datetime | None
    draft: bool = False
    prerelease: bool = False
    id: int = field(default_factory=new_id)


@dataclass(slots=True, eq=False)
class Repository:
    """One repository; `former` lists full names that lead here. `heads` maps branches to their newest commit."""

    owner: Account
    name: str
    default_branch: str = "main"
    former: list[str] = field(default_factory=list)
    pulls: list[Pull] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    commits: dict[str, Commit] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    archived: bool = False
    number: int = 0
    id: int = field(default_factory=new_id)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def rename(self, name: str) -> None:
        """The old name goes on leading here."""
        self.former.append(self.full_name)
        self.name = name

    def next_number(self, number: int | None = None) -> int:
        """Pulls and issues share their numbers."""
        self.number = max(self.number + 1, number or 0)
        return number or self.number

    def pull(
        self,
        author: Account | None,
        at: datetime,
        title: str = "Change",
        *,
        number: int | None = None,
        body: str = "",
        branch: str = "topic",
        base: str | None = None,
        draft: bool = False,
        labels: Iterable[str] = (),
        files: Iterable[File] = (),
        commits: Iterable[Commit] = (),
        closes: Iterable[Issue] = (),
    ) -> Pull:
        """Open a pull request."""
        made = Pull(
            self, self.next_number(number), title, author, at, at, body, branch, base or self.default_branch, draft
        )
        made.labels, made.files, made.closes = list(labels), list(files), list(closes)
        self.pulls.append(made)
        for commit in commits:
            self.commits[commit.sha] = commit
            made.commits.append(commit)
        return made

    def issue(
        self,
        author: Account | None,
        at: datetime,
        title: str = "Issue",
        *,
        number: int | None = None,
        body: str = "",
        labels: Iterable[str] = (),
        type: str | None = None,
    ) -> Issue:
        """Open an issue."""
        made = Issue(self, self.next_number(number), title, author, at, at, body, type=type)
        made.labels = list(labels)
        self.issues.append(made)
        return made

    def commit(
        self,
        author: Account | None,
        at: datetime,
        message: str = "Work",
        *,
        authored: datetime | None = None,
        sha: str = "",
    ) -> Commit:
        """A commit that is on no branch yet: give it to `pull`, `push` or `land`."""
        name = sha or made_up_sha(self.full_name, len(self.commits), message, at.isoformat(), new_id())
        made = Commit(name, message, authored or at, at, author, author.email if author else "")
        self.commits[made.sha] = made
        return made

    def land(self, commit: Commit, branch: str | None = None, more_parents: Sequence[str] = ()) -> Commit:
        """Put a commit on top of a branch; its parents are the old head and `more_parents`."""
        branch = branch or self.default_branch
        head = self.heads.get(branch)
        commit.parents = [*([head] if head else []), *more_parents]
        self.commits[commit.sha] = commit
        self.heads[branch] = commit.sha
        return commit

    def deploy(
        self,
        sha: str,
        environment: str,
        at: datetime,
        by: Account | None,
        *,
        state: str | None = "SUCCESS",
        minutes: float = 5,
    ) -> Deployment:
        """Deploy a commit: queued at `at`, its state reported `minutes` later (`state` None: still queued)."""
        made = Deployment(self, sha, environment, by, at)
        made.report("QUEUED", at, by)
        if state:
            made.report(state, at + timedelta(minutes=minutes), by)
        self.deployments.append(made)
        return made

    def release(
        self, tag: str, sha: str, at: datetime, by: Account | None, *, draft: bool = False, prerelease: bool = False
    ) -> Release:
        made = Release(self, tag, sha, by, at, None if draft else at, draft, prerelease)
        self.releases.append(made)
        return made


@dataclass(slots=True)
class Token:
    """What a token may do: `scopes` as X-OAuth-Scopes tells them (None: fine-grained, the header is not sent);
    `hidden` lists full names of repositories that it may not see."""

    login: str
    scopes: str | None = "repo, read:org"
    hidden: set[str] = field(default_factory=set)
    expires: datetime | None = None
    points: int = 5000
    used: dict[str, int] = field(default_factory=dict)
    reset: float = 0.0


@dataclass(slots=True)
class App:
    """A GitHub App: whoever signs with the private half of `public_key` gets tokens for its installations."""

    id: int
    public_key: str
    installations: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    accounts: list[Account] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    repositories: list[Repository] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    apps: list[App] = field(default_factory=list)
    issue_types: bool = False
    """Whether this version of the service knows issue types."""

    def account(
        self, login: str, kind: Literal["User", "Bot", "Mannequin", "Organization"] = "User", **more: str
    ) -> Account:
        """The account of that name, made when there is none yet; `more`: name, email."""
        for known in self.accounts:
            if known.login == login:
                return known
        made = Account(login, kind, name=more.get("name", ""), email=more.get("email", ""))
        self.accounts.append(made)
        return made

    def team(self, slug: str) -> Team:
        made = Team(slug)
        self.teams.append(made)
        return made

    def token(self, value: str, login: str = "reader", **more: str | None) -> Token:
        """Make `value` a valid token; `scopes=None` for a fine-grained one."""
        made = Token(self.account(login).login)
        if "scopes" in more:
            made.scopes = more["scopes"]
        self.tokens[value] = made
        return made

    def repository(self, full_name: str, *, default_branch: str = "main") -> Repository:
        """The repository of that name, made when there is none yet (its owner is an organisation)."""
        owner, _, name = full_name.partition("/")
        for known in self.repositories:
            if known.full_name == full_name:
                return known
        made = Repository(self.account(owner, "Organization"), name, default_branch)
        self.repositories.append(made)
        return made
