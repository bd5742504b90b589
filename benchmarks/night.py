"""Measures a night's own work, without the network: write what was re-read, read what the plans need, score, record.

    python benchmarks/night.py [--signals 5000000] [--people 5000] [--plans 1000] [--url URL] [--smoke]

A store is filled with changes of one GitHub source over 400 days (ten signals each: opened, ready, requests, reviews,
comment, commits, merge). Then comes a night: 12,500 signals are read again of which 2,500 have changed, and every
plan (share of reviews within 24 hours, median and 90th percentile of the turnaround, merged changes, their median size,
and more of them than in a baseline of 90 days, frozen the night before) is scored from what its person took part in.
"everything" reads all signals instead and measures all people, as vectorised pandas would without an index.

`--url` names an empty PostgreSQL database; without it the store is a SQLite file in a temporary folder. Times are
those of one run: compare their ratios.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipmetrics import acts, registry
from pipmetrics.ledger import Act, verify
from pipmetrics.measure import attributes, measure_all
from pipmetrics.model import CHANGE_KINDS, Account, Calendar, Criterion, Person, Plan, Signal, Source
from pipmetrics.plugin import Page
from pipmetrics.score import Measured, evaluate, reach_of, requests
from pipmetrics.store import Evaluated, Store, Written, rows
from pipmetrics.store.engine import writing
from pipmetrics.store.tables import SIGNAL
from pipmetrics.store.values import canonical, micros

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
FIRST = NOW - timedelta(days=400)
EACH = 10
REREAD, CHANGED = 12_500, 2_500
SOURCE = Source("hub", "github", "https://git.example.com", repositories=("acme/*",))


@dataclass
class Report:
    """Seconds by step, in the order of the night."""

    seconds: dict[str, float] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
        print(f"{name:<44}{self.seconds[name]:>10.2f} s", flush=True)


def change(number: int, changes: int, people: int, late: str = "") -> list[Signal]:
    """The signals of one change: the same for the same number; `late` makes its comment and its commits others."""
    subject = f"hub:acme/r{number % 300}#{number}"
    opened = FIRST + (NOW - FIRST) * (number / changes)
    author, reviewers = number % people, [(number * 7 + n * 13 + 1) % people for n in (0, 1)]
    size = float(10 + number * 31 % 400)

    def made(kind: str, place: str, hours: float, actor: int, value: float | None = None, **detail: Any) -> Signal:
        key = f"{place}{number}"
        url = f"https://git.example.com/acme/r{number % 300}/pull/{number}"
        return Signal("hub", kind, subject, key, opened + timedelta(hours=hours), url, f"{actor}", "", value, detail)

    merge = {"files": [["src/a.py", 10, 2]], "sha": f"{number:040x}", "default_branch": True, "base": "main",
             "files_complete": True, "issues": [], "closes": [], "labels": [], "reverts": [], "causes": []}  # fmt: skip
    there = {"title": f"Change {number}", "labels": [], "draft": False, "default_branch": True, "base": "main"}
    waits = [0.5 + (number * (n + 3)) % 40 for n in (0, 1)]
    return [
        made("change_opened", "o", 0, author, **there),
        made("change_ready", "y", 0, author),
        *(
            made("review_requested", f"q{n}-", 0.1, who, requester=str(author), team=None)
            for n, who in enumerate(reviewers)
        ),
        *(
            made("reviewed", f"r{n}-", 0.1 + waits[n], who, 1.0, state="approved", comments=1, previous=None)
            for n, who in enumerate(reviewers)
        ),
        made("commented", "c", 1, author, inline=False, **({"note": late} if late else {})),
        *(made("commits_pushed", f"p{n}-", 0.2 * n, author, sha=f"{number:039x}{n}", linked=not late) for n in (0, 1)),
        made("change_merged", "m", 48, author, size, merged_by=str(author), **merge),
    ]


def fill(store: Store, signals: int, people: int) -> None:
    """In bulk, as a first pull would leave it."""
    changes = signals // EACH
    with writing(store.engine, "fill") as connection:
        batch: list[tuple[Any, ...]] = []
        for number in range(changes):
            batch += [
                (s.source, s.key, s.subject, s.kind, s.subject, micros(s.at), s.actor, s.mark, s.value, s.url,
                 canonical(dict(s.detail)), 0)
                for s in change(number, changes, people)
            ]  # fmt: skip
            if len(batch) >= 50_000 or number == changes - 1:
                rows.insert_rows(connection, SIGNAL, batch)
                batch = []
    accounts = [Account("hub", str(number), f"login-{number}") for number in range(people)]
    store.write("hub", Page(accounts=accounts, bookmarks={"until": "yesterday"}), NOW - timedelta(days=2))
    store.complete("hub", NOW - timedelta(days=1))


def reread(signals: int, people: int, late: str) -> Iterator[Page]:
    """The pages of a night: the latest changes again, the last of them with three signals that are others."""
    changes = signals // EACH
    latest = range(changes - min(changes, REREAD // EACH), changes)
    changed = -(-CHANGED // 3)
    for start in range(latest.start, latest.stop, 50):
        groups = {}
        for number in range(start, min(start + 50, latest.stop)):
            group = change(number, changes, people, late if latest.stop - number <= changed else "")
            groups[group[0].subject] = group
        yield Page(groups=groups, bookmarks={"until": f"{start}{late}"})


def organisation(people: int, plans: int) -> tuple[dict[str, Person], list[Plan]]:
    calendar = Calendar("Europe/Berlin", country="DE")
    everybody = {
        f"p{n}": Person(f"p{n}", f"Person {n}", calendar, manager="p0", accounts={"hub": (f"login-{n}",)})
        for n in range(people)
    }
    chosen = np.random.default_rng(6).permutation(people)[:plans]
    return everybody, [plan(f"p{n}", place) for place, n in enumerate(chosen)]


def plan(person: str, place: int) -> Plan:
    start = date(2026, 9, 28) + timedelta(days=7 * (place % 4))

    def criterion(name: str, metric: str, rule: str, **parameters: Any) -> Criterion:
        return Criterion(name, metric, rule, parameters=parameters)

    day = timedelta(hours=24)
    criteria = (
        criterion("share", "review_turnaround", "share_within", limit=day, target=0.9),
        criterion("median", "review_turnaround", "threshold", statistic="median", at_most=day),
        criterion("p90", "review_turnaround", "threshold", statistic="p90", at_most=2 * day),
        criterion("merged", "changes_merged", "threshold", statistic="count", at_least=5.0),
        criterion("size", "change_size", "threshold", statistic="median", at_most=200.0),
        criterion("more", "changes_merged", "increase", target=0.2),
    )
    return Plan(
        f"{person}-q4", "pip", person, "p0", start, start + timedelta(days=59), "Europe/Berlin", criteria,
        digest=f"{place:064x}",
    )  # fmt: skip


@dataclass(frozen=True)
class Company:
    store: Store
    people: dict[str, Person]
    plans: list[Plan]

    def score(self, as_of: datetime, report: Report, name: str, *, narrow: bool) -> Any:
        """Reads, measures and scores; `narrow`: only what the plans' people took part in since their baselines."""
        metrics = {each: registry.metric(each) for each in ("review_turnaround", "changes_merged", "change_size")}
        kinds = frozenset().union(*(metric.kinds for metric in metrics.values()))
        known = acts.acts_before(self.store, as_of)
        asked = requests(self.plans, as_of, known, metrics)
        mine = {plan.person: self.people[plan.person] for plan in self.plans} if narrow else self.people
        with report.step(f"{name}: read"):
            if narrow:
                actors = [("hub", one.removeprefix("p")) for one in mine]
                since = min(since_when(plan) for plan in self.plans)
                signals = self.store.signals(kinds, until=as_of, since=since, involving=actors)
            else:
                signals = self.store.signals(kinds, until=as_of)
            accounts = self.store.accounts()
        report.figures[f"{name}: signals read"] = len(signals)
        with report.step(f"{name}: measure"):
            frames = measure_all(asked, signals, accounts, list(mine.values()), {"hub": SOURCE})
        with report.step(f"{name}: score"):
            reach = {each: reach_of(metric, {"hub": SOURCE}, {"hub": CHANGE_KINDS}) for each, metric in metrics.items()}
            measured = Measured(self.people, metrics, frames, attributes(signals, accounts), known, (), reach)
            return evaluate(self.plans, measured, as_of)


def since_when(plan: Plan) -> datetime:
    """Where the facts of a plan begin: its baseline, and the requests that were open then."""
    return datetime.combine(plan.start, datetime.min.time(), UTC) - timedelta(days=120)


def record(store: Store, evaluations: Any, as_of: datetime) -> None:
    document = evaluations.to_json()
    store.record_evaluations(
        [
            Evaluated(one["plan"], one["person"], as_of, document["version"], "a" * 64, "b" * 64,
                      {**document, "plans": [one]}, store.revision(), 0, {"plan": f"plan: {one['plan']}"})
            for one in document["plans"]
        ],
        "scheduler",
        as_of,
    )  # fmt: skip
    store.sign_head(Act("night", "store", "scheduler", {}), as_of)


def night(store: Store, signals: int, people: int, plans: int) -> Report:
    report = Report()
    with report.step("first load (bulk)"):
        fill(store, signals, people)
    company = Company(store, *organisation(people, plans))
    eve = NOW - timedelta(days=1)
    first = company.score(eve, Report(), "the night before", narrow=True)
    acts.record_baselines(store, company.plans, first.baselines, by="scheduler", now=eve)
    with report.step(f"write: {REREAD} re-read, none changed"):
        for page in reread(signals, people, ""):
            store.write("hub", page, NOW)
    with report.step(f"write: {REREAD} re-read, {CHANGED} changed"):
        written = sum((store.write("hub", page, NOW) for page in reread(signals, people, "tonight")), start=Written())
    report.figures["changed"] = written.changed
    narrow = company.score(NOW, report, "plans", narrow=True)
    with report.step("record"):
        record(store, narrow, NOW)
    with report.step("verify the ledger"):
        assert verify(store).ok
    whole = company.score(NOW, report, "everything", narrow=False)
    report.figures["equal results"] = json.dumps(narrow.to_json()) == json.dumps(whole.to_json())
    return report


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--signals", type=int, default=5_000_000)
    arguments.add_argument("--people", type=int, default=5_000)
    arguments.add_argument("--plans", type=int, default=1_000)
    arguments.add_argument("--url", default="")
    arguments.add_argument("--smoke", action="store_true", help="A small one, to see that it runs.")
    asked = arguments.parse_args()
    sizes = (20_000, 100, 20) if asked.smoke else (asked.signals, asked.people, asked.plans)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "night.db"
        store = Store.open(asked.url or f"sqlite:///{path}", now=FIRST, key=Path(folder) / "ledger.key")
        report = night(store, *sizes)
        if path.exists():
            report.figures["store, MiB"] = round(path.stat().st_size / 2**20)
        store.close()
    ours = sum(seconds for name, seconds in report.seconds.items() if name.startswith("plans"))
    everything = sum(seconds for name, seconds in report.seconds.items() if name.startswith("everything"))
    report.figures["peak MiB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    report.figures["everything / plans"] = round(everything / ours, 1)
    for name, figure in report.figures.items():
        print(f"{name:<44}{figure!s:>12}")


if __name__ == "__main__":
    main()
