"""Half a year of the demo organisation, in no service's terms: the same seed and day give the same facts."""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipmetrics.demo.people import ENGINEERS, REPOSITORIES, Engineer, Repository

DAYS = 150
PLAN_AGE = 33
"""Days that the two formal plans have been running."""
SEED = 20261124


@dataclass(slots=True)
class Review:
    """One request to one reviewer and what became of it; `at` None: never answered."""

    reviewer: str
    requested: datetime
    at: datetime | None = None
    state: str = "approved"
    comments: int = 0


@dataclass(slots=True)
class Commit:
    sha: str
    at: datetime
    message: str
    passed: bool | None = None
    """The outcome of its CI run, None when none ran."""
    checked: datetime | None = None


@dataclass(slots=True)
class Change:
    """A pull or merge request as it really happened."""

    repository: Repository
    number: int
    author: str
    title: str
    branch: str
    opened: datetime
    draft_until: datetime | None = None
    reviews: list[Review] = field(default_factory=list)
    comments: list[tuple[str, datetime]] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    files: list[tuple[str, int, int]] = field(default_factory=list)
    merged: datetime | None = None
    merge_sha: str = ""
    closed: datetime | None = None
    body: str = ""
    ticket: str | None = None
    reverts: Change | None = None


@dataclass(slots=True)
class Deployment:
    repository: Repository
    at: datetime
    sha: str
    by: str


@dataclass(slots=True)
class Ticket:
    """A Jira issue with its moves; `caused_by` is the key of the story whose change caused the bug."""

    key: str
    type: str
    title: str
    reporter: str
    assignee: str
    opened: datetime
    started: datetime | None = None
    done: datetime | None = None
    resolution: str = "Done"
    due: date | None = None
    sprint: int | None = None
    caused_by: str | None = None


@dataclass(slots=True)
class History:
    """All that happened before `now`."""

    now: datetime
    changes: list[Change] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    sprints: list[tuple[int, str, datetime, datetime]] = field(default_factory=list)
    plans_began: date = date.min


def sha(*parts: object) -> str:
    """A commit id that depends on nothing but what it names."""
    return hashlib.sha1("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


class Simulation:
    """Draws the organisation's days one after another."""

    def __init__(self, now: datetime, seed: int = SEED) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a story, not a secret
        self.now = now
        self.history = History(now)
        self.history.plans_began = now.date() - timedelta(days=PLAN_AGE)
        self.first = now.date() - timedelta(days=DAYS)
        self.numbers = {repository.name: 0 for repository in REPOSITORIES}
        self.keys = 0

    def run(self) -> History:
        self.plan_sprints()
        for day in (self.first + timedelta(days=n) for n in range(DAYS + 1)):
            if day.weekday() < 5:
                for engineer in ENGINEERS:
                    if self.random.random() < engineer.habit.changes_per_day and not away(engineer, day):
                        self.work(engineer, day)
        self.revert_some()
        self.deploy()
        self.file_bugs()
        return self.history

    # --- the passing of time ---

    def after(self, engineer: Engineer, start: datetime, hours: float) -> datetime:
        """The instant when `hours` of the engineer's working time have passed since `start`."""
        zone = ZoneInfo(engineer.timezone)
        at = start.astimezone(zone)
        left = timedelta(hours=hours)
        while True:
            opens = datetime.combine(at.date(), time(9), zone)
            closes = datetime.combine(at.date(), time(17, 30), zone)
            if at.weekday() < 5 and not away(engineer, at.date()) and at < closes:
                begins = max(at, opens)
                if begins + left <= closes:
                    return (begins + left).astimezone(UTC).replace(microsecond=0)
                left -= closes - begins
            at = datetime.combine(at.date() + timedelta(days=1), time(9), zone)

    def draw(self, median: float, spread: float = 0.9) -> float:
        return median * math.exp(self.random.gauss(0, spread))

    def since_plan(self, at: datetime) -> bool:
        return at.date() >= self.history.plans_began

    # --- one piece of work ---

    def work(self, author: Engineer, day: date) -> None:
        repository = self.random.choice([r for r in REPOSITORIES if r.team == author.team])
        zone = ZoneInfo(author.timezone)
        start = datetime.combine(day, time(9, self.random.randrange(60)), zone)
        opened = self.after(author, start, self.random.uniform(0, 7))
        if opened >= self.now:
            return
        ticket = self.story(author, opened)
        number = self.numbers[repository.name] = self.numbers[repository.name] + 1
        title = self.random.choice(TITLES)
        slug = title.lower().replace(" ", "-")
        change = Change(
            repository,
            number,
            author.id,
            title,
            f"{ticket.key}-{slug}" if self.random.random() < 0.5 else f"work/{number}",
            opened,
            body=f"Part of {ticket.key}.",
            ticket=ticket.key,
        )
        change.files = [
            (f"src/{self.random.choice(PARTS)}.py", self.random.randrange(1, 90), self.random.randrange(0, 40))
            for _ in range(self.random.randrange(1, 5))
        ]
        self.commit(change, author, self.after(author, opened - timedelta(hours=6), 0.2))
        self.history.changes.append(change)
        self.review(change, author)
        if change.merged and change.merged < self.now:
            ticket.done = change.merged + timedelta(minutes=20)
        else:
            change.merged = None

    def commit(self, change: Change, author: Engineer, at: datetime) -> None:
        commit = Commit(
            sha(change.repository.name, change.number, len(change.commits)), min(at, self.now), change.title
        )
        commit.passed = self.random.random() < (author.habit.first_pass if not change.commits else 0.95)
        commit.checked = max(commit.at, change.opened) + timedelta(minutes=self.random.randrange(6, 25))
        change.commits.append(commit)

    def review(self, change: Change, author: Engineer) -> None:
        at = change.opened
        if self.random.random() < 0.12:
            at = change.draft_until = self.after(author, at, self.draw(3))
        team = [e for e in ENGINEERS if e.team == author.team and e is not author]
        last = at
        for reviewer in self.random.sample(team, self.random.choice((1, 2, 2))):
            last = max(last, self.ask(change, author, reviewer, at))
        if self.random.random() < 0.04:
            change.closed = self.after(author, at, 12)
            change.closed = change.closed if change.closed < self.now else None
            return
        change.merged = self.after(author, last, self.draw(1.0))
        change.merge_sha = sha(change.repository.name, change.number, "merge")

    def ask(self, change: Change, author: Engineer, reviewer: Engineer, at: datetime) -> datetime:
        """Request a review until it approves; returns when the last answer came."""
        while True:
            habit = reviewer.habit
            median = habit.answer_hours
            if self.since_plan(at) and habit.answer_hours_since is not None:
                median = habit.answer_hours_since
            answered = self.after(reviewer, at, self.draw(median, 0.75))
            review = Review(reviewer.id, at, answered if answered < self.now else None)
            change.reviews.append(review)
            if review.at is None:
                return self.now
            if self.random.random() < 0.22:
                review.state, review.comments = "changes_requested", self.random.randrange(1, 6)
                pushed = self.after(author, review.at, self.draw(2.5))
                if pushed >= self.now:
                    return self.now
                self.commit(change, author, pushed)
                at = pushed + timedelta(minutes=2)
                continue
            review.comments = 0 if self.random.random() < 0.5 else self.random.randrange(1, 4)
            return review.at

    # --- tickets, sprints, bugs ---

    def plan_sprints(self) -> None:
        monday = self.first - timedelta(days=self.first.weekday())
        for n in range(DAYS // 14 + 2):
            start = datetime.combine(monday + timedelta(days=14 * n), time(8), UTC)
            self.history.sprints.append((n + 1, f"Sprint {n + 1}", start, start + timedelta(days=11, hours=8)))

    def new_key(self) -> str:
        self.keys += 1
        return f"PAY-{self.keys}"

    def story(self, author: Engineer, opened: datetime) -> Ticket:
        created = opened - timedelta(days=self.random.randrange(1, 9), hours=2)
        ticket = Ticket(self.new_key(), "Story", self.random.choice(TITLES), "dana", author.id, created)
        ticket.started = opened - timedelta(hours=5)
        if self.random.random() < 0.3:
            ticket.due = (opened + timedelta(days=self.random.randrange(6, 14))).date()
        if self.random.random() < 0.7:
            ticket.sprint = next((n for n, _, start, end in self.history.sprints if start > created), None)
        self.history.tickets.append(ticket)
        return ticket

    def deploy(self) -> None:
        """Every repository goes to production on working days at 15:00 UTC when something was merged."""
        for repository in REPOSITORIES:
            merged = sorted(
                (c for c in self.history.changes if c.repository is repository and c.merged),
                key=lambda c: c.merged or self.now,
            )
            deployed = 0
            for day in (self.first + timedelta(days=n) for n in range(DAYS + 1)):
                at = datetime.combine(day, time(15, 4), UTC)
                ready = sum(1 for c in merged if c.merged and c.merged < at)
                if day.weekday() < 5 and ready > deployed and at < self.now:
                    self.history.deployments.append(Deployment(repository, at, merged[ready - 1].merge_sha, "hugo"))
                    deployed = ready

    def deployed_at(self, change: Change) -> datetime | None:
        times = (d.at for d in self.history.deployments if d.repository is change.repository)
        return min((at for at in times if change.merged and at > change.merged), default=None)

    def revert_some(self) -> None:
        """Now and then a change on GitHub is taken back by a revert pull request a day later."""
        for change in [c for c in self.history.changes if c.merged and c.repository.service == "github"]:
            if self.random.random() > 0.012 or not change.merged:
                continue
            author = next(e for e in ENGINEERS if e.id == change.author)
            opened = self.after(author, change.merged, 9)
            merged = opened + timedelta(minutes=45)
            if merged >= self.now:
                continue
            number = self.numbers[change.repository.name] = self.numbers[change.repository.name] + 1
            back = Change(
                change.repository,
                number,
                change.author,
                f'Revert "{change.title}"',
                f"revert-{change.number}",
                opened,
                body=f"Reverts {change.repository.name}#{change.number}",
                merged=merged,
                merge_sha=sha(change.repository.name, number, "merge"),
                reverts=change,
                files=list(change.files),
            )
            self.commit(back, author, opened - timedelta(minutes=3))
            self.history.changes.append(back)

    def file_bugs(self) -> None:
        for change in list(self.history.changes):
            at = self.deployed_at(change)
            if at is None or change.ticket is None:
                continue
            habit = next(e.habit for e in ENGINEERS if e.id == change.author)
            share = habit.bug_share
            if self.since_plan(at) and habit.bug_share_since is not None:
                share = habit.bug_share_since
            found = at + timedelta(days=self.random.uniform(0.2, 9))
            if self.random.random() > share or found >= self.now:
                continue
            bug = Ticket(
                self.new_key(), "Bug", f"{change.title} breaks", "petra", change.author, found, caused_by=change.ticket
            )
            bug.started = found + timedelta(hours=self.random.uniform(1, 30))
            bug.done = bug.started + timedelta(hours=self.random.uniform(2, 60))
            if bug.done >= self.now:
                bug.done = None
            if self.random.random() < 0.1:
                bug.resolution = "Duplicate"
            self.history.tickets.append(bug)


def away(engineer: Engineer, day: date) -> bool:
    """Ada takes the end of one week in thirteen off."""
    return engineer.id == "ada" and day.isocalendar().week % 13 == 7 and day.weekday() >= 2


TITLES = (
    "Retry failed payouts", "Round invoices once", "Show refunds in the console", "Cache exchange rates",
    "Validate IBAN input", "Split the ledger export", "Rename fee columns", "Page the audit list",
    "Drop the old webhook", "Log declined cards", "Speed up settlement", "Check currency on import",
    "Move limits to settings", "Guard against double capture", "Sort disputes by age", "Archive closed accounts",
)  # fmt: skip
PARTS = ("payouts", "invoices", "refunds", "rates", "iban", "ledger", "fees", "audit", "webhooks", "cards", "limits")
