"""A small random company: people at work over half a year, each with a plan, to be scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from pipmetrics.model import Criterion, ExcludeRule, Person, Plan, Signal
from tests.oracle.clocks import midnight
from tests.oracle.world import Seen, World
from tests.oracle.worlds import CALENDARS, SOURCES

EPOCH = datetime(2026, 6, 1, tzinfo=UTC)
FILES = (
    lambda lines: [["a.py", lines, 0]],
    lambda lines: [["docs/a.md", lines - 5, 0], ["b.py", 0, 5]],
)
RULES = (
    ("label", "infra"), ("label", "in*"), ("author", "OTHER"), ("path", "docs/*"), ("path", "**/a.py"),
    ("repository", "*/web"), ("repository", "hub:*/api"), ("subject", "*#?[13579]"), ("subject", "jira:*-*0"),
)  # fmt: skip
QUANTILES = ("median", "p75", "p90")
LENGTHS = (1, 6, 7, 20, 30, 60)


@dataclass(frozen=True)
class Hired:
    """Somebody of the company, their plan, and the world as far as it is about them."""

    world: World
    plan: Plan
    instants: Sequence[datetime]


class Career:
    """The facts of one person: some number of reviews, changes and bugs, better or worse since the plan began."""

    def __init__(self, seed: int) -> None:
        self.random, self.label = Random(seed), f"p{seed}"
        self.signals: list[Signal] = []
        calendar = self.random.choice(list(CALENDARS.values()))
        accounts: dict[str, tuple[str, ...] | None] = dict.fromkeys(SOURCES, (self.label,))
        self.person = Person(self.label, self.label, calendar, accounts=accounts)
        start = date(2026, 10, 1) + timedelta(days=self.random.randrange(40))
        self.length = self.random.choice(LENGTHS)
        zone = calendar.timezone if self.random.random() < 0.7 else "Europe/Berlin"
        end, lines = start + timedelta(days=self.length - 1), tuple(criteria(self.random))
        rungs = self.random.choice((("link",), ("link", "revert")))
        self.plan = Plan(self.label + "-plan", "pip", self.label, "dana", start, end, zone, lines, attribution=rungs)
        self.begin = midnight(start, zone)

    def hired(self) -> Hired:
        last = self.begin + timedelta(days=self.length + 10)
        for _ in range(self.random.choice((0, 3, 15, 60, 150))):
            self.review(self.moment(last))
        for _ in range(self.random.choice((0, 2, 20, 60))):
            self.change(self.moment(last))
        seen = [Seen(source, self.label, self.label, "", EPOCH, EPOCH) for source in SOURCES]
        return Hired(World(self.signals, seen, [self.person], SOURCES), self.plan, self.instants())

    def moment(self, last: datetime) -> datetime:
        """A time before or in the plan, more of them in it than chance would give; at times exactly on the hour."""
        first = self.begin - timedelta(days=100) if self.random.random() < 0.5 else self.begin
        at = first + timedelta(seconds=self.random.randrange(int((last - first).total_seconds())))
        return at.replace(minute=0, second=0) if self.random.random() < 0.2 else at

    def instants(self) -> list[datetime]:
        """The first instants of the plan, its end, the ends of its weeks, and in between."""
        zone, days = self.plan.timezone, [7, 14, 21, 28]
        ends = [midnight(self.plan.start + timedelta(days=d), zone) for d in days if d < self.length]
        end = midnight(self.plan.end + timedelta(days=1), zone)
        inside = self.begin + (end - self.begin) * self.random.random()
        late = end + timedelta(days=self.random.choice((1, 40)))
        soon = self.begin + timedelta(seconds=self.random.choice((0, 1, 86399)))
        return sorted({self.random.choice([*ends, soon]), inside.replace(microsecond=0), end, late})

    def add(
        self, kind: str, subject: str, at: datetime, actor: str | None, value: float | None = None, **more: Any
    ) -> None:
        source = subject.partition(":")[0]
        key = f"{self.label}-{len(self.signals)}"
        self.signals.append(Signal(source, kind, subject, key, at, "u", actor, "", value, more))

    def labels(self) -> list[str]:
        return [label for label in ("infra", "shop", "Infra") if self.random.random() < 0.2]

    def quick(self, at: datetime) -> timedelta:
        """How long something takes; another habit in the plan than before, and round numbers that meet a limit."""
        habit = Random(self.label).choice((0.2, 1, 4)) if at >= self.begin else 1
        if self.random.random() < 0.15:
            return timedelta(hours=self.random.choice((1, 8, 24, 48)))
        return timedelta(hours=self.random.expovariate(1 / (20 * habit))) + timedelta(seconds=1)

    def review(self, at: datetime) -> None:
        subject = f"hub:{self.label}/{self.random.choice(('api', 'web'))}#{len(self.signals)}"
        self.add("change_opened", subject, at, "other", draft=False, title="", labels=self.labels(), base="main",
                 branch="b", default_branch=True, issues=[], closes=[],
                 author_login=self.random.choice(("Other", "helper")))  # fmt: skip
        self.add("change_ready", subject, at, "other")
        self.add("review_requested", subject, at, self.label, requester="other", team=None)
        luck, then = self.random.random(), at + self.quick(at)
        if luck < 0.75:
            comments, state = self.random.choice((0, 0, 1, 3)), self.random.choice(("approved", "commented"))
            self.add("reviewed", subject, then, self.label, float(comments), state=state, comments=comments,
                     previous=None)  # fmt: skip
        elif luck < 0.9:
            self.add("change_closed", subject, then, "other")

    def change(self, at: datetime) -> None:
        subject = f"hub:{self.label}/api#{len(self.signals)}"
        texts: dict[str, Any] = {
            "issues": [],
            "closes": [],
            "labels": self.labels(),
            "base": "main",
            "default_branch": True,
        }
        self.add("change_opened", subject, at, self.label, draft=False, title="", branch="b", author_login="x", **texts)
        self.add("change_ready", subject, at, self.label)
        self.add(
            "commits_pushed",
            subject,
            at,
            self.label,
            sha=f"{len(self.signals):040x}",
            authored=at.isoformat(),
            linked=True,
        )
        if self.random.random() < 0.3:
            self.add("reviewed", subject, at, "other", 0.0, state="approved", comments=0, previous=None)
        merged = at + self.quick(at)
        lines = self.random.choice((10, 10, 200, 1000))
        files = self.random.choice(FILES)(lines)
        self.add("change_merged", subject, merged, self.label, float(lines), merged_by=None, files=files,
                 files_complete=True, sha=f"{len(self.signals):040x}", reverts=[], causes=[], **texts)  # fmt: skip
        deployed = merged + timedelta(hours=self.random.choice((1, 30)))
        self.add(
            "change_deployed",
            subject,
            deployed,
            self.label,
            sha="x",
            deployment="y",
            environment="production",
            method="time",
        )
        for _ in range(self.random.choice((0, 0, 0, 1, 2))):
            self.bug(subject, deployed + timedelta(hours=1 + self.random.expovariate(0.02)))
        if self.random.random() < 0.1:
            self.add(
                "change_reverted",
                subject,
                deployed + timedelta(days=1),
                self.label,
                by=f"{subject}99",
                by_url="u",
                text="t",
            )

    def bug(self, change: str, at: datetime) -> None:
        subject = f"jira:{self.label.upper()}-{len(self.signals)}"
        self.add("issue_opened", subject, at, "other", title="", type="Bug", labels=[], priority=None, project="p",
                 causes=[], sprints=[])  # fmt: skip
        self.add("issue_linked", subject, at, None, type="is caused by", to=change, undated=True)


def criteria(random: Random) -> list[Criterion]:
    """Some of all forms, each with what varies in it."""
    hours = timedelta(hours=random.choice((1, 8, 24, 48)))
    share = random.choice((0.5, 0.8, 0.9))
    durations = ("review_turnaround", "time_to_merge", "lead_time")
    slopes = {
        "direction": random.choice(("up", "down")),
        "minimum_slope": random.choice((None, timedelta(hours=1))),
        "statistic": random.choice((None, "mean", "median")),
    }
    found = [
        _line("within", "review_turnaround", "share_within", limit=hours, target=share),
        _line("merge", "time_to_merge", "share_within", limit=hours, target=share),
        *(_line(q, random.choice(durations), "threshold", statistic=q, at_most=hours) for q in QUANTILES),
        _line("slow", "review_turnaround", "threshold", statistic="median", at_least=hours),
        _line("mean", random.choice(("review_turnaround", "lead_time")), "threshold", statistic="mean", at_most=hours),
        _line("lines", "change_size", "threshold", statistic="total", at_most=random.choice((50.0, 3000.0))),
        _line("bugs", "post_deploy_bugs", "threshold", statistic="total", at_most=random.choice((0.0, 3.0, 12.0))),
        _line("given", "reviews_given", "threshold", statistic="count", at_least=random.choice((1.0, 8.0, 30.0))),
        _line("unreviewed", "unreviewed_merges", "threshold", statistic="share", at_most=random.choice((0.1, 0.5))),
        _line("rate", "post_deploy_bugs", "threshold", statistic="rate", at_most=0.4, per="changes_deployed"),
        _line("often", "reviews_given", "threshold", statistic="rate", at_least=0.5, per="changes_merged"),
        _line("halved", "post_deploy_bugs", "reduction", target=0.5, per="changes_deployed"),
        _line("fewer", "post_deploy_bugs", "reduction", target=random.choice((0.0, 0.5))),
        _line("more", "reviews_given", "increase", target=0.3),
        _line("more-per", "reviews_given", "increase", target=random.choice((0.3, 1.0)), per="changes_merged"),
        _line("trend", random.choice(durations[:2]), "trend", **slopes),
        _line("streak", "review_turnaround", "streak", weeks=random.choice((1, 2, 4)), of=_line(
            "streak", "review_turnaround", "share_within", limit=hours, target=share, minimum=random.choice((1, 2)))),
    ]  # fmt: skip
    return [_varied(random, each) for each in random.sample(found, random.choice((1, 4, 8)))]


def _line(id: str, metric: str, rule: str, **parameters: Any) -> Criterion:
    minimum = parameters.pop("minimum", 5)
    return Criterion(id, metric, rule, parameters=parameters, minimum=minimum)


def _varied(random: Random, line: Criterion) -> Criterion:
    plain = line.criterion in ("streak", "trend")
    windows = ("plan", "plan", "week", timedelta(days=14), timedelta(days=3))
    return replace(
        line,
        window="plan" if plain else random.choice(windows),
        minimum=line.minimum if plain else random.choice((1, 5, 5, 8)),
        weight=random.choice((1.0, 1.0, 2.0, 0.5)),
        required=random.random() < 0.15,
        clock=None if plain else random.choice((None, None, "elapsed", "workdays", "working")),
        baseline=timedelta(days=random.choice((90, 90, 30))),
        exclude=() if plain or random.random() < 0.6 else _rules(random),
    )


def _rules(random: Random) -> tuple[ExcludeRule, ...]:
    return tuple(ExcludeRule(part, pattern, "agreed") for part, pattern in random.sample(RULES, random.choice((1, 2))))  # type: ignore[arg-type]  # a pair a rule
