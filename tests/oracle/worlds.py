"""Small random worlds of signals, one a seed, full of what goes wrong: ties within one second, drafts, removals,
reopenings, bots, ghosts, teams, renamed and missing accounts, clock changes, links both ways, dates that move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

from pipmetrics.model import BugRule, Calendar, Clock, Person, Signal, Source, Window
from tests.oracle.world import Asked, Seen, World

BUGS = {"labels": frozenset({"bug", "defect"}), "types": frozenset({"Bug"})}
SOURCES = {
    "hub": Source("hub", "github", "https://api.github.com", bugs=BugRule(**BUGS), generated=("gen/*", "*.lock")),
    "ent": Source("ent", "github", "https://github.example.com/api/v3"),
    "lab": Source("lab", "gitlab", "https://gitlab.example.com", bugs=BugRule(labels=frozenset({"bug"}))),
    "jira": Source("jira", "jira", "https://acme.atlassian.net", bugs=BugRule(types=frozenset({"Bug"})),
                   caused_by=("is caused by", "wird verursacht von")),
    "desk": Source("desk", "jira", "https://jira.example.com"),
}  # fmt: skip
HOLIDAYS = (Window(datetime(2026, 10, 7, 22, tzinfo=UTC), datetime(2026, 10, 9, 22, tzinfo=UTC)),)
AFTERNOON = (Window(datetime(2026, 10, 13, 14, 30, tzinfo=UTC), datetime(2026, 10, 15, 9, 15, tzinfo=UTC)),)
CALENDARS = {
    "ada": Calendar("Europe/London", country="GB", subdivision="ENG"),
    "bob": Calendar("America/New_York", country="US", time_off=AFTERNOON),
    "cyd": Calendar("Europe/Berlin", frozenset(range(4)), time(8, 15), time(16, 45), "DE", "BE", HOLIDAYS),
    "dee": Calendar("Australia/Lord_Howe", frozenset({6, 0, 1, 2, 3}), time(10), time(18, 30)),
    "eve": Calendar("America/Havana", frozenset(range(7)), time(0), time(23, 45)),
}
SPANS = (timedelta(hours=8), timedelta(days=3), timedelta(days=20), timedelta(days=120))


class Maker:
    """Makes the signals of one world."""

    def __init__(self, seed: int, first: datetime, span: timedelta) -> None:
        self.random, self.label = Random(seed), f"{seed % 10_000:04d}"
        self.first, self.span = first, span
        self.numbers = {name + self.label: f"10{place}{self.label}" for place, name in enumerate(CALENDARS)}
        self.strangers = {
            f"90{place}{self.label}": name + self.label for place, name in enumerate(("one", "two", "helper[bot]"))
        }
        self.bot = f"902{self.label}"
        self.times: list[datetime] = []
        self.signals: list[Signal] = []
        self.marks = {self.bot: "bot"}
        if self.random.random() < 0.1:
            self.marks[self.random.choice(list(self.numbers.values()))] = "bot"
        self.issues: list[str] = []
        self.changes: list[str] = []
        self.shas: list[tuple[str, str]] = []
        self.moved: dict[str, str] = {}

    def world(self) -> World:
        for number in range(1, self.random.randint(1, 5)):
            where = ("hub:w{}/api#", "lab:w{}/core/db#", "jira:PAY{}-", "desk:OPS{}-")
            self.issues += [self.random.choice(where).format(self.label) + str(number)]
        for number in range(10, 10 + self.random.randint(1, 5)):
            where = self.random.choice(("hub:w{}/api#", "hub:w{}/web#", "ent:w{}/api#", "lab:w{}/core/db!"))
            self.change(where.format(self.label) + str(number))
        for issue in self.issues:
            self.issue(issue)
        self.random.shuffle(self.signals)
        return World(self.signals, self.accounts(), self.people(), SOURCES)

    def people(self) -> list[Person]:
        """Five people; some lack an account somewhere, or have declared that they have none."""
        everybody = []
        for name, calendar in zip(self.numbers, CALENDARS.values(), strict=True):
            accounts: dict[str, tuple[str, ...] | None] = {
                source: (f"{name}@example.com",) if source in ("jira", "desk") else (name, f"{name}.old")
                for source in SOURCES
            }
            for source in SOURCES:
                if self.random.random() < 0.06:
                    accounts[source] = None
                elif self.random.random() < 0.06:
                    del accounts[source]
            everybody.append(Person(name, name.title(), calendar, accounts=accounts))
        return everybody

    def accounts(self) -> list[Seen]:
        """Every account under the login it has, some of them under an older one before."""
        seen, late = [], self.first + timedelta(days=1)
        for source in SOURCES:
            for number, name in {**{n: name for name, n in self.numbers.items()}, **self.strangers}.items():
                mark = self.marks.get(number, "")
                email = f"{name}@example.com"
                if number in self.numbers.values() and self.random.random() < 0.2:
                    seen.append(Seen(source, number, f"{name}-maiden", mark, self.first, self.first, email))
                login = name.title() if self.random.random() < 0.1 else name
                seen.append(Seen(source, number, login, mark, late, late, email))
        return seen

    # --- who and when ---------------------------------------------------------------------------------------------

    def when(self, after: datetime | None = None, source: str = "") -> datetime:
        """An instant of the world, often one that something else happened at; finer than a second on GitLab."""
        low = after or self.first
        again = [at for at in self.times if at > low]
        if again and self.random.random() < 0.35:
            at = self.random.choice(again).replace(microsecond=0)
        else:
            rest = max(2, int((self.first + self.span - low).total_seconds()))
            at = low.replace(microsecond=0) + timedelta(seconds=self.random.randint(1, rest))
        at = max(at, low.replace(microsecond=0))
        if source in ("lab", "jira", "desk"):
            at += timedelta(milliseconds=self.random.choice((0, 1, 250, 999)))
        self.times.append(at)
        return at

    def later(self, at: datetime, source: str = "") -> datetime:
        """An instant at least a second after another one."""
        return self.when(at.replace(microsecond=0) + timedelta(seconds=1), source)

    def actor(self, source: str, strangers: bool = True) -> tuple[str | None, str]:
        """An account's id, or a mention on GitLab, or nobody any more."""
        luck = self.random.random()
        if strangers and luck < 0.05:
            return None, "ghost"
        if strangers and luck < 0.2:
            number = self.random.choice(list(self.strangers))
        else:
            number = self.random.choice(list(self.numbers.values()))
        if source == "lab" and number in self.numbers.values() and self.random.random() < 0.15:
            name = next(name for name, n in self.numbers.items() if n == number)
            return "@" + self.random.choice((name, f"{name}.old", name.upper())), self.marks.get(number, "")
        return number, self.marks.get(number, "")

    def add(
        self, kind: str, subject: str, at: datetime, who: tuple[str | None, str] = (None, ""), *,
        value: float | None = None, **detail: Any,
    ) -> None:  # fmt: skip
        """One more signal."""
        source, number = subject.partition(":")[0], len(self.signals)
        key, url = f"k{self.label}-{number}", self.url(subject)
        self.signals.append(Signal(source, kind, subject, key, at, url, who[0], who[1], value, detail))  # type: ignore[arg-type]

    def url(self, subject: str) -> str:
        """Where a person sees it."""
        source, _, name = subject.partition(":")
        page = "pull" if subject in self.changes else "issues"
        return f"https://{source}.example.com/" + name.replace("!", "/-/merge_requests/").replace("#", f"/{page}/")

    # --- changes --------------------------------------------------------------------------------------------------

    def change(self, subject: str) -> None:
        source, author, opened = subject.partition(":")[0], self.actor(subject.partition(":")[0]), self.when()
        self.changes.append(subject)
        draft, issues = self.random.random() < 0.3, self.some_issues(source)
        closes = [ref for ref in issues if self.random.random() < 0.5]
        texts: dict[str, Any] = {"issues": issues, "closes": closes, "labels": [], "base": "main"}
        self.add("change_opened", subject, opened, author, draft=draft, title="A change", branch="b",
                 default_branch=True, author_login="x", **texts)  # fmt: skip
        if not draft:
            self.add("change_ready", subject, opened, author)
        merged = self.life(subject, opened, draft, author, texts)
        for _ in range(self.random.randint(0, 10)):
            self.review_act(subject, opened, author)
        for _ in range(self.random.randint(0, 4)):
            self.commit(subject, opened, author)
        for _ in range(self.random.randint(0, 3)):
            conclusion = self.random.choice(("success", "failure", "success", "cancelled", "skipped", "neutral"))
            sha = self.random.choice(("a" * 40, "b" * 40, "c" * 40, "d" * 40, "e" * 40))
            if all(s.detail.get("sha") != sha for s in self.signals if s.subject == subject):
                self.add(
                    "checks_completed", subject, self.when(opened), author, conclusion=conclusion, attempt=1, sha=sha
                )
        if merged is not None:
            self.production(subject, merged, author)

    def life(
        self, subject: str, at: datetime, draft: bool, author: tuple[str | None, str], texts: Any
    ) -> datetime | None:
        """Turned to draft and back, closed and reopened, merged at last or not; never two of these in one second."""
        is_open, source = True, subject.partition(":")[0]
        for _ in range(self.random.randint(0, 6)):
            at, by = self.later(at, source), self.actor(source)
            step = self.random.choice(("draft", "draft", "close", "merge", "merge")) if is_open else "reopen"
            if step == "draft":
                draft = not draft
                self.add("change_drafted" if draft else "change_ready", subject, at, by)
            elif step == "merge":
                self.merge(subject, at, author, texts)
                return at
            else:
                is_open = step == "reopen"
                self.add("change_reopened" if is_open else "change_closed", subject, at, by)
        return None

    def merge(self, subject: str, at: datetime, author: tuple[str | None, str], texts: Any) -> None:
        paths = [
            p for p in ("src/a.py", "gen/b.py", "deep/gen/c.py", "x.lock", "GEN/d.py") if self.random.random() < 0.4
        ]
        files = [[path, self.random.randint(0, 60), self.random.randint(0, 20)] for path in paths]
        sha = f"{self.random.getrandbits(160):040x}"
        self.shas.append((subject.partition("#")[0].partition("!")[0], sha))
        others = [other for other in self.changes if other != subject]
        causes = [{"to": self.reference(subject), "text": "caused by"} for _ in range(self.random.choice((0, 0, 1)))]
        self.add("change_merged", subject, at, author, value=float(sum(a + d for _, a, d in files)), files=files,
                 files_complete=True, sha=sha, default_branch=self.random.random() < 0.85, merged_by=None,
                 reverts=[], causes=causes, **texts)  # fmt: skip
        if others and self.random.random() < 0.25:
            target = next(s for s in self.signals if s.subject == self.random.choice(others))
            opened = next(s for s in self.signals if s.subject == target.subject and s.kind == "change_opened")
            if any(s.kind == "change_merged" and s.subject == opened.subject for s in self.signals):
                self.add(
                    "change_reverted", opened.subject, at, (opened.actor, opened.mark), by=subject, by_url="u", text="t"
                )

    def review_act(self, subject: str, opened: datetime, author: tuple[str | None, str]) -> None:
        source = subject.partition(":")[0]
        at, by = self.when(opened, source), self.actor(source)
        kind = self.random.choice(("ask", "ask", "ask", "remove", "review", "review", "comment", "reply"))
        if kind in ("ask", "remove"):
            team = "core" if self.random.random() < 0.1 else None
            requester = author if self.random.random() < 0.6 else self.actor(source)
            name = "review_requested" if kind == "ask" else "review_request_removed"
            self.add(name, subject, at, (None, "") if team else by, requester=requester[0], team=team)
        elif kind == "review":
            state = self.random.choice(("approved", "changes_requested", "changes_requested", "commented", "dismissed"))
            previous = self.random.choice(("approved", "changes_requested")) if state == "dismissed" else None
            comments = self.random.choice((0, 0, 1, 5))
            self.add(
                "reviewed", subject, at, by, value=float(comments), state=state, comments=comments, previous=previous
            )
        else:
            self.add("commented", subject, at, author if kind == "reply" else by, inline=self.random.random() < 0.5)

    def commit(self, subject: str, opened: datetime, author: tuple[str | None, str]) -> None:
        at = self.when(opened) if self.random.random() < 0.7 else opened - timedelta(hours=self.random.randint(0, 50))
        by = author if self.random.random() < 0.8 else self.actor(subject.partition(":")[0])
        sha, authored = f"{self.random.getrandbits(160):040x}", at - timedelta(hours=self.random.choice((0, 0, 1, 30)))
        self.shas.append((subject.partition("#")[0].partition("!")[0], sha))
        self.add("commits_pushed", subject, at, by, sha=sha, authored=authored.isoformat(), linked=True)

    def production(self, subject: str, merged: datetime, author: tuple[str | None, str]) -> None:
        if self.random.random() < 0.7:
            self.add("change_deployed", subject, self.when(merged), author, sha="x", deployment="y",
                     environment="production", method="ancestry")  # fmt: skip

    # --- issues ---------------------------------------------------------------------------------------------------

    def some_issues(self, source: str) -> list[str]:
        """What a change of this source can reference: its own issues in full, Jira's by key (an old one at times)."""
        near = [i for i in self.issues if i.startswith((f"{source}:", "jira:", "desk:"))]
        return sorted({self.short(i) for i in near if self.random.random() < 0.6})

    def short(self, issue: str) -> str:
        source, _, key = issue.partition(":")
        if source not in ("jira", "desk"):
            return issue
        if self.random.random() < 0.15:
            self.moved[issue] = f"OLD{self.label}-{key.partition('-')[2]}"
            return self.moved[issue]
        return key

    def reference(self, where: str) -> str:
        """Something that a text or a link can name: a change, an issue, a commit."""
        source, repository = where.partition(":")[0], where.partition("#")[0].partition("!")[0]
        near = [s for s in (*self.changes, *self.issues) if s.startswith(f"{source}:") and s != where]
        keys = [i.partition(":")[2] for i in self.issues if i.startswith(("jira:", "desk:"))]
        shas = [sha[: self.random.choice((7, 12, 40))] for place, sha in self.shas if place == repository]
        urls = [self.url(subject) for subject in self.changes]
        pool = [*near, *keys, *shas, *(urls if source in ("jira", "desk") else ())]
        return self.random.choice(pool) if pool else "NONE-1"

    def issue(self, subject: str) -> None:
        source, deployed = subject.partition(":")[0], [s.at for s in self.signals if s.kind == "change_deployed"]
        late = self.random.choice(deployed) if deployed and self.random.random() < 0.7 else None
        opened = self.when(late, source)
        tickets, by = source in ("jira", "desk"), self.actor(source)
        causes = [{"to": self.reference(subject), "text": "t"} for _ in range(self.random.choice((0, 0, 1, 2)))]
        more: dict[str, Any] = {"former_keys": [self.moved[subject]]} if subject in self.moved else {}
        self.add("issue_opened", subject, opened, by, title="An issue", priority=None, project="p", causes=causes,
                 type=self.random.choice(("Bug", "Story")) if tickets else None,
                 labels=self.random.choice((["bug"], ["bug", "x"], ["feature"], [])),
                 sprints=self.sprints(opened) if tickets else [], **more)  # fmt: skip
        for _ in range(self.random.choice((0, 1, 2, 3))):
            phrase = self.random.choice(("is caused by", "Is Caused By", "wird verursacht von", "causes"))
            self.add("issue_linked", subject, opened, (None, ""), type=phrase, to=self.reference(subject), undated=True)
        self.assignments(subject, opened, tickets)
        self.resolutions(subject, opened, tickets)
        if source != "hub":
            self.dates(subject, opened)

    def assignments(self, subject: str, opened: datetime, single: bool) -> None:
        """One assignee at a time in Jira, several elsewhere; some were given when the issue was opened."""
        source, held, at = subject.partition(":")[0], [], opened
        for turn in range(self.random.randint(0, 4)):
            at = opened if turn == 0 and self.random.random() < 0.5 else self.later(at, source)
            who = self.actor(source, strangers=False)
            if single:
                before = held[-1] if held else None
                new = (None, "") if before and self.random.random() < 0.3 else who
                if new[0] != before:
                    self.add("issue_assigned", subject, at, new, by=None, **{"from": before})
                    held = [new[0]] if new[0] else []
            elif held and self.random.random() < 0.4:
                gone = held.pop(self.random.randrange(len(held)))
                self.add("issue_assigned", subject, at, (None, ""), by=None, **{"from": gone})
            elif not any(self.alike(who[0], other) for other in held):
                self.add("issue_assigned", subject, at, who, by=None, **{"from": None})
                held.append(who[0])

    def alike(self, one: str | None, other: str | None) -> bool:
        """Could they be one account?"""
        names = {number: name for name, number in self.numbers.items()}
        first, second = ((names.get(a or "", a or "").lstrip("@").lower().removesuffix(".old")) for a in (one, other))
        return first == second

    def resolutions(self, subject: str, opened: datetime, tickets: bool) -> None:
        source, at, status = subject.partition(":")[0], opened, self.random.choice(("new", "new", "in_progress"))
        for _ in range(self.random.randint(0, 5)):
            at, by = self.later(at, source), self.actor(source)
            options = (
                ("in_progress", "done", "new", "done") if tickets else (("new",) if status == "done" else ("done",))
            )
            to = self.random.choice(options)
            if tickets:
                self.add("issue_status_changed", subject, at, by, to_category=to, from_category=status,
                         to=to, **{"from": status})  # fmt: skip
            if to == "done" and status != "done":
                codes = ("fixed", "fixed", "duplicate", "invalid", "cannot_reproduce", "wont_do", "other")
                told = [[at.isoformat(), self.random.choice(codes), "n"]]
                if self.random.random() < 0.3:
                    later = at + timedelta(seconds=1 if self.random.random() < 0.3 else 7200)
                    told.append([later.isoformat(), self.random.choice(codes), "n"])
                self.add("issue_done", subject, at, by, resolutions=told)
            elif status == "done" and to != "done":
                self.add("issue_reopened", subject, at, by)
            status = to

    def dates(self, subject: str, opened: datetime) -> None:
        at, before = opened, None
        for turn in range(self.random.choice((0, 1, 1, 2, 3))):
            at = opened if turn == 0 and self.random.random() < 0.4 else self.later(at)
            days = self.random.choice((-3, 0, 3, 4, 5, 6, 8, 30))
            to = None if self.random.random() < 0.15 else (at.date() + timedelta(days=days)).isoformat()
            if to != before:
                self.add("issue_due_changed", subject, at, self.actor("jira"), to=to, **{"from": before})
                before = to

    def sprints(self, opened: datetime) -> list[dict[str, Any]]:
        found = []
        for number in range(self.random.choice((0, 1, 1, 2))):
            started = None if self.random.random() < 0.1 else self.when()
            ended = (started or self.when()) + timedelta(days=self.random.choice((1, 14)))
            completed = (
                ended + timedelta(hours=self.random.choice((0, 0, -5, 30))) if self.random.random() < 0.8 else None
            )
            spans, low = [], opened
            for _ in range(self.random.choice((0, 1, 1, 2))):
                high = low + timedelta(hours=self.random.choice((1, 50, 1000))) if self.random.random() < 0.5 else None
                spans.append([low.isoformat(), high and high.isoformat()])
                if high is None:
                    break
                low = high + timedelta(hours=3)
            texts = {"started": started, "ended": ended, "completed": completed}
            found.append({"id": number, "name": "S", **{k: v and v.isoformat() for k, v in texts.items()}, "in": spans})
        return found


@dataclass(frozen=True)
class Batch:
    """Worlds side by side over the same days, to be measured in one go, and the questions to ask about them."""

    worlds: Sequence[World]
    asked: Sequence[Asked]

    def together(self) -> World:
        signals = [signal for world in self.worlds for signal in world.signals]
        accounts = [account for world in self.worlds for account in world.accounts]
        return World(signals, accounts, [person for world in self.worlds for person in world.people], SOURCES)


def batch(number: int, size: int) -> Batch:
    """The batch of that number: its worlds, and instants exactly when something happened, between, and long after."""
    random = Random(number)
    span = random.choice(SPANS)
    first = datetime(2026, 8, 20, tzinfo=UTC) if span.days > 90 else datetime(2026, 10, 2, tzinfo=UTC)
    first += timedelta(seconds=random.randrange(35 * 86400))
    worlds = [Maker(number * size + place, first, span).world() for place in range(size)]
    times = sorted({signal.at for world in worlds for signal in world.signals})
    midnight = datetime.combine(random.choice(times).date() + timedelta(days=1), time(), UTC)
    choices = [random.choice(times), random.choice(times) + timedelta(milliseconds=1), midnight,
               random.choice(times) + timedelta(days=30)]  # fmt: skip
    instants = [*random.sample(choices, 2), times[-1] + timedelta(days=45)]
    return Batch(worlds, [_asked(random, at) for at in instants])


def _asked(random: Random, at: datetime) -> Asked:
    clock: Clock | None = random.choice((None, "elapsed", "workdays", "working"))
    rungs = random.choice((("link",), ("link", "revert"), ("revert",), ()))
    include = random.choice(((), (), ("own",), ("bot",), ("own", "bot")))
    return Asked(at, clock, rungs, timedelta(days=random.choice((30, 30, 3))), frozenset(include))
