"""A Jira site in its own terms, and what people do in it: each act leaves the history that Jira would keep.

    world = World(cloud=True, now=datetime(2026, 11, 20, tzinfo=UTC))
    world.add_user(User("acc-ada", "Ada", email="ada@acme.example"))
    world.add_project("PAY", "Payments")
    bug = world.create("PAY", at, type="Bug", summary="Totals are wrong", reporter="acc-ada")
    world.move(bug, "In Progress", at + timedelta(hours=2), by="acc-ada")
    world.move(bug, "Done", at + timedelta(hours=9), by="acc-ada", resolution="Done")

Instants are aware, and are given to every act: the world has no clock but `now`, which the tests set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal


@dataclass(slots=True)
class User:
    """`id` is the accountId on Cloud, the user key on Data Center; `login` the user name there, by default the id.

    `email` None: hidden by the account's privacy settings. A deleted user is shown as nobody.
    """

    id: str
    name: str
    login: str = ""
    email: str | None = None
    kind: Literal["atlassian", "app", "customer"] = "atlassian"
    active: bool = True
    deleted: bool = False


@dataclass(slots=True)
class Status:
    """`listed` False: deleted since, so that only histories name it."""

    id: str
    name: str
    category: Literal["new", "indeterminate", "done"]
    listed: bool = True


@dataclass(slots=True)
class Resolution:
    id: str
    name: str


@dataclass(slots=True)
class Project:
    """`visible` False: the account that asks may not browse it."""

    id: str
    key: str
    name: str
    visible: bool = True
    issues: int = 0


@dataclass(slots=True)
class Sprint:
    """`start` and `end` as planned, `activated` and `complete` as they came."""

    id: int
    name: str
    state: Literal["future", "active", "closed"] = "future"
    start: datetime | None = None
    end: datetime | None = None
    activated: datetime | None = None
    complete: datetime | None = None
    board: int = 1


@dataclass(slots=True)
class LinkType:
    id: str
    name: str
    inward: str
    outward: str


@dataclass(slots=True)
class Link:
    """`source` has the outward phrase: source "causes" target, target "is caused by" source."""

    id: str
    type: LinkType
    source: Issue
    target: Issue


@dataclass(slots=True)
class Item:
    """One field of a change, by its name and, for most fields, its id; values and what people read."""

    field: str
    field_id: str | None
    before: str | None
    before_text: str | None
    after: str | None
    after_text: str | None
    custom: bool = False


@dataclass(slots=True)
class Change:
    id: str
    at: datetime
    by: str | None
    items: list[Item]


@dataclass(slots=True)
class Comment:
    id: str
    at: datetime
    by: str | None
    text: str


@dataclass(slots=True, eq=False)
class Issue:
    """The present state and how it came about. `touched` holds the instants of all updates."""

    id: str
    key: str
    project: Project
    type: str
    summary: str
    created: datetime
    status: Status
    reporter: str | None = None
    assignee: str | None = None
    description: str = ""
    priority: str | None = "Medium"
    labels: list[str] = field(default_factory=list)
    due: date | None = None
    resolution: Resolution | None = None
    resolved: datetime | None = None
    sprints: list[Sprint] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    pages: list[tuple[str, str, str]] = field(default_factory=list)
    """Remote links: (id, relationship, URL)."""
    former: list[str] = field(default_factory=list)
    visible: bool = True
    touched: list[datetime] = field(default_factory=list)

    @property
    def updated(self) -> datetime:
        return max(self.touched)


STATUSES = (
    Status("1", "Open", "new"),
    Status("3", "In Progress", "indeterminate"),
    Status("10001", "In Review", "indeterminate"),
    Status("10002", "Done", "done"),
    Status("6", "Closed", "done"),
)
RESOLUTIONS = (
    Resolution("10000", "Done"),
    Resolution("10001", "Won't Do"),
    Resolution("10002", "Duplicate"),
    Resolution("10003", "Cannot Reproduce"),
)
LINK_TYPES = (
    LinkType("10000", "Blocks", "is blocked by", "blocks"),
    LinkType("10001", "Problem/Incident", "is caused by", "causes"),
    LinkType("10002", "Relates", "relates to", "relates to"),
)


@dataclass(slots=True)
class World:
    """Everything a site holds, and how it behaves.

    `zone`: the time zone of the account that asks, in which dates in queries are read. `server_zone`: the one in which
    instants are shown. `lag`: how far the search index is behind. `embedded`: changelog entries that a Cloud search
    shows of an issue. `cap`: issues that a page of a search has at most (Cloud: when it shows fields).
    """

    cloud: bool = True
    now: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)
    zone: str = "UTC"
    server_zone: str = "UTC"
    lag: timedelta = timedelta(0)
    embedded: int = 40
    cap: int | None = None
    sprint_texts: bool = False
    """Sprints are shown as the texts that old servers give."""
    statuses: list[Status] = field(default_factory=lambda: [Status(s.id, s.name, s.category) for s in STATUSES])
    resolutions: list[Resolution] = field(default_factory=lambda: list(RESOLUTIONS))
    link_types: list[LinkType] = field(default_factory=lambda: list(LINK_TYPES))
    users: dict[str, User] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    sprints: dict[int, Sprint] = field(default_factory=dict)
    numbers: int = 10_000

    # --- what a site is made of ---

    def add_user(self, user: User) -> User:
        user.login = user.login or user.id
        self.users[user.id] = user
        return user

    def add_project(self, key: str, name: str = "") -> Project:
        project = Project(self.number(), key, name or key.title())
        self.projects[key] = project
        return project

    def add_sprint(self, sprint: Sprint) -> Sprint:
        self.sprints[sprint.id] = sprint
        return sprint

    def number(self) -> str:
        """An id that nothing else in this world has."""
        self.numbers += 1
        return str(self.numbers)

    def status(self, name: str) -> Status:
        return next(each for each in self.statuses if name in (each.name, each.id))

    @property
    def sprint_field(self) -> str:
        return "customfield_10020" if self.cloud else "customfield_10105"

    def find(self, id_or_key: str) -> Issue | None:
        """An issue by its id, its key, or a key it had before it was moved."""
        wanted = id_or_key.upper()
        return next((each for each in self.issues if wanted in (each.id, each.key, *each.former)), None)

    # --- what people do ---

    def create(
        self,
        project: str,
        at: datetime,
        *,
        type: str = "Task",
        summary: str = "",
        reporter: str | None = None,
        assignee: str | None = None,
        status: str = "Open",
        description: str = "",
        labels: Sequence[str] = (),
        priority: str | None = "Medium",
        due: date | None = None,
        sprints: Sequence[Sprint] = (),
    ) -> Issue:
        """A new issue; what it is created with leaves no history."""
        home = self.projects[project]
        home.issues += 1
        issue = Issue(
            self.number(), f"{home.key}-{home.issues}", home, type, summary or f"{type} {home.issues}", at,
            self.status(status), reporter, assignee, description, priority, list(labels), due,
            sprints=list(sprints), touched=[at],
        )  # fmt: skip
        self.issues.append(issue)
        return issue

    def record(self, issue: Issue, at: datetime, by: str | None, *items: Item) -> Change:
        """An entry of the history as it stands; every other act comes down to this."""
        change = Change(self.number(), at, by, list(items))
        issue.changes.append(change)
        issue.touched.append(at)
        return change

    def move(self, issue: Issue, to: str, at: datetime, by: str | None, *, resolution: str | None = None) -> Change:
        """Into another status; leaving a done status clears the resolution, `resolution` sets one."""
        status = self.status(to)
        items = [Item("status", "status", issue.status.id, issue.status.name, status.id, status.name)]
        left_done = issue.status.category == "done" != status.category
        issue.status = status
        wanted = next((each for each in self.resolutions if each.name == resolution), None)
        if wanted is not None or (left_done and issue.resolution):
            items.append(self._resolve(issue, wanted, at))
        return self.record(issue, at, by, *items)

    def resolve(self, issue: Issue, resolution: str | None, at: datetime, by: str | None) -> Change:
        """Another resolution, or none, in the same status."""
        wanted = next((each for each in self.resolutions if each.name == resolution), None)
        return self.record(issue, at, by, self._resolve(issue, wanted, at))

    def _resolve(self, issue: Issue, to: Resolution | None, at: datetime) -> Item:
        before, issue.resolution, issue.resolved = issue.resolution, to, at if to else None
        return Item(
            "resolution", "resolution", before.id if before else None, before.name if before else None,
            to.id if to else None, to.name if to else None,
        )  # fmt: skip

    def assign(self, issue: Issue, to: str | None, at: datetime, by: str | None) -> Change:
        before, issue.assignee = issue.assignee, to
        names = [self.users[id].name if id else None for id in (before, to)]
        return self.record(issue, at, by, Item("assignee", "assignee", before, names[0], to, names[1]))

    def set_due(self, issue: Issue, to: date | None, at: datetime, by: str | None) -> Change:
        before, issue.due = issue.due, to
        values = [day.isoformat() if day else None for day in (before, to)]
        texts = [f"{value} 00:00:00.0" if value else None for value in values]
        return self.record(issue, at, by, Item("duedate", "duedate", values[0], texts[0], values[1], texts[1]))

    def set_sprints(self, issue: Issue, to: Sequence[Sprint], at: datetime, by: str | None) -> Change:
        before, issue.sprints = issue.sprints, list(to)
        ids = [", ".join(str(each.id) for each in listed) for listed in (before, to)]
        names = [", ".join(each.name for each in listed) for listed in (before, to)]
        field_id = self.sprint_field if self.cloud else None
        return self.record(issue, at, by, Item("Sprint", field_id, ids[0], names[0], ids[1], names[1], custom=True))

    def relabel(self, issue: Issue, labels: Sequence[str], at: datetime, by: str | None) -> Change:
        before, issue.labels = issue.labels, list(labels)
        return self.record(issue, at, by, Item("labels", "labels", None, " ".join(before), None, " ".join(labels)))

    def touch(self, issue: Issue, at: datetime, by: str | None = None) -> Change:
        """An update that changes nothing that counts."""
        return self.record(issue, at, by, Item("Rank", None, "", "", "", "Ranked higher", custom=True))

    def comment(self, issue: Issue, text: str, at: datetime, by: str | None) -> Comment:
        """Comments leave no history, but they update the issue."""
        made = Comment(self.number(), at, by, text)
        issue.comments.append(made)
        issue.touched.append(at)
        return made

    def link(
        self, source: Issue, phrase: str, target: Issue, at: datetime, by: str | None, *, told: bool = True
    ) -> Link:
        """`source` `phrase` `target`, by either phrase of a type; `told` False leaves no history, as imports do."""
        kind = next(each for each in self.link_types if phrase in (each.inward, each.outward))
        ends = (source, target) if phrase == kind.outward else (target, source)
        made = Link(self.number(), kind, *ends)
        self.links.append(made)
        for issue, words, other in self._ends(made) if told else ():
            text = f"This issue {words} {other.key}"
            self.record(issue, at, by, Item("Link", None, None, None, other.key, text))
        return made

    def unlink(self, link: Link, at: datetime, by: str | None) -> None:
        self.links.remove(link)
        for issue, words, other in self._ends(link):
            text = f"This issue {words} {other.key}"
            self.record(issue, at, by, Item("Link", None, other.key, text, None, None))

    def _ends(self, link: Link) -> Iterator[tuple[Issue, str, Issue]]:
        yield link.source, link.type.outward, link.target
        yield link.target, link.type.inward, link.source

    def add_page(self, issue: Issue, url: str, at: datetime, by: str | None, relationship: str = "") -> str:
        """A remote link to a web page."""
        id = self.number()
        issue.pages.append((id, relationship, url))
        text = f'This issue links to "{url} (Web Link)"'
        self.record(issue, at, by, Item("RemoteIssueLink", None, None, None, id, text))
        return id

    def transfer(self, issue: Issue, project: str, at: datetime, by: str | None) -> Change:
        """Into another project: the key changes, the id does not."""
        home, old, left = self.projects[project], issue.key, issue.project
        home.issues += 1
        issue.project, issue.key = home, f"{home.key}-{home.issues}"
        issue.former.append(old)
        return self.record(
            issue, at, by,
            Item("project", "project", left.id, left.name, home.id, home.name),
            Item("Key", None, None, old, None, issue.key),
        )  # fmt: skip

    def delete(self, issue: Issue) -> None:
        self.issues.remove(issue)
        self.links = [each for each in self.links if issue not in (each.source, each.target)]

    # --- what the search index knows ---

    def indexed(self, issue: Issue) -> datetime | None:
        """The latest update that the index has taken in; None while it does not know the issue."""
        return max((at for at in issue.touched if at + self.lag <= self.now), default=None)

    def seen(self) -> Iterator[Issue]:
        """The issues that the account may see."""
        return (each for each in self.issues if each.visible and each.project.visible)
