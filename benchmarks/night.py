"""Measures a night's own work, without the network: write what was re-read, measure what changed, score, record.

    python benchmarks/night.py [--signals 5000000] [--people 5000] [--plans 1000] [--url URL] [--ours] [--smoke]

A store is filled with changes of one GitHub source over 400 days (ten signals each: opened, ready, requests, reviews,
comment, commits, merge), and a first night measures everybody who is on a plan. Then comes a night: 12,500 signals are
read again of which 2,500 have changed, and every plan (share of reviews within 24 hours, median and 90th percentile of
the turnaround, merged changes, their median size, and more of them than in a baseline of 90 days, frozen the night
before) is scored and recorded, by the functions that `pipmetrics run` calls. "pandas" loads all signals from the same
store instead, measures all people at once and evaluates: the numbers must be equal.

`--url` names an empty PostgreSQL database; without it the store is a SQLite file in a temporary folder. Times are
those of one run: compare their ratios.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from pipmetrics import acts, kept
from pipmetrics.api import Organisation
from pipmetrics.config import Config
from pipmetrics.ledger import Act, verify
from pipmetrics.measure import measure_all
from pipmetrics.model import Account, Calendar, Criterion, Person, Plan, Settings, Signal, Source
from pipmetrics.plugin import Page
from pipmetrics.records import Scoring, to_record
from pipmetrics.score import Evaluations, Measured, evaluate, requests
from pipmetrics.store import Store, Written, rows
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
    """Seconds by step, in the order of the night; `cpu` those in which this process worked, whoever else did too."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start, worked = time.perf_counter(), time.process_time()
        yield
        self.seconds[name], self.cpu[name] = time.perf_counter() - start, time.process_time() - worked
        print(f"{name:<52}{self.seconds[name]:>10.2f} s {self.cpu[name]:>10.2f} s of CPU", flush=True)


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


def company_of(store: Store, people: dict[str, Person], plans: list[Plan], now: datetime) -> Organisation:
    """An organisation as `pipmetrics run` opens it, over this store."""
    settings = Settings("", "", "Europe/Berlin", Calendar("Europe/Berlin"), {"hub": SOURCE})
    text: Any = SimpleNamespace(content=b"plan: one of many")
    company = Organisation(Config(settings, people, tuple(plans), {"": text}), now=lambda: now)
    company.__dict__["store"] = store
    return company


def record(company: Organisation, plans: Sequence[Plan], measured: Measured, evaluations: Evaluations) -> None:
    store, at = company.store, evaluations.as_of
    acts.record_baselines(store, plans, evaluations.baselines, by="scheduler", now=at)
    scoring = Scoring(plans, measured, evaluations, store.revision(), store.head().seq)
    store.record_evaluations(to_record(company, scoring), "scheduler", at)
    store.sign_head(Act("night", "store", "scheduler", {}), at)


def scored(company: Organisation, plans: Sequence[Plan], report: Report, name: str) -> tuple[Measured, Evaluations]:
    """What a night does between pulling and recording, by the functions that do it there."""
    at = company.now()
    with report.step(f"{name}: bring kept rows up to date"):
        kept.refresh(company, plans, at)
    with report.step(f"{name}: read"):
        measured = company.measured(plans, at)
    with report.step(f"{name}: evaluate"):
        return measured, evaluate(plans, measured, at)


def everything(company: Organisation, plans: Sequence[Plan], like: Measured, report: Report) -> Evaluations:
    """Loads all signals, measures all people in vectorised pandas, and evaluates."""
    at, store = company.now(), company.store
    asked = requests(plans, at, like.acts, like.metrics)
    kinds = frozenset().union(*(like.metrics[request.metric].kinds for request in asked))
    with report.step("pandas: load"):
        signals, accounts = store.signals(kinds, until=at), store.accounts()
    report.figures["pandas: signals read"] = len(signals)
    with report.step("pandas: measure"):
        frames = measure_all(asked, signals, accounts, list(company.config.people.values()), {"hub": SOURCE})
    with report.step("pandas: evaluate"):
        return evaluate(plans, replace(like, frames=frames), at)


def night(store: Store, signals: int, people: int, plans: int, *, compare: bool) -> Report:
    report = Report()
    with report.step("first load (bulk)"):
        fill(store, signals, people)
    who, chosen = organisation(people, plans)
    eve = company_of(store, who, chosen, NOW - timedelta(days=1))
    measured, first = scored(eve, chosen, report, "first night")
    with report.step("first night: record"):
        record(eve, chosen, measured, first)
    del measured, first
    with report.step(f"write: {REREAD} re-read, none changed"):
        for page in reread(signals, people, ""):
            store.write("hub", page, NOW)
    with report.step(f"write: {REREAD} re-read, {CHANGED} changed"):
        written = sum((store.write("hub", page, NOW) for page in reread(signals, people, "tonight")), start=Written())
    report.figures["changed"] = written.changed
    company = company_of(store, who, chosen, NOW)
    measured, evaluations = scored(company, chosen, report, "night")
    with report.step("night: record"):
        record(company, chosen, measured, evaluations)
    with report.step("night: verify the ledger"):
        assert verify(store).ok
    report.figures["rows read"] = sum(map(len, measured.frames.values()))
    report.figures["peak MiB, without pandas"] = peak()
    if compare:
        other = everything(company, chosen, measured, report)
        report.figures["equal results"] = json.dumps(other.to_json()) == json.dumps(evaluations.to_json())
    return report


def peak() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def tell(report: Report) -> None:
    """The ratios, and what a night takes by itself, beside the figures."""

    for name, times in (("s", report.seconds), ("s of CPU", report.cpu)):
        ours = _total(times, "night: bring", "night: read", "night: evaluate")
        report.figures[f"night: up to date + read + evaluate, {name}"] = round(ours, 2)
        whole = _total(times, "night:", f"write: {REREAD} re-read, {CHANGED}")
        report.figures[f"night: all of its own work, {name}"] = round(whole, 2)
        if theirs := _total(times, "pandas"):
            report.figures[f"pandas: load + measure + evaluate, {name}"] = round(theirs, 2)
            report.figures[f"pandas / night, {name}"] = round(theirs / ours, 1)
            alone = theirs / _total(times, "night: read", "night: evaluate")
            report.figures[f"pandas / night, read + evaluate alone, {name}"] = round(alone, 1)
    report.figures["peak MiB"] = peak()
    for name, figure in report.figures.items():
        print(f"{name:<52}{figure!s:>12}")


def _total(times: dict[str, float], *names: str) -> float:
    return sum(seconds for name, seconds in times.items() if name.startswith(names))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--signals", type=int, default=5_000_000)
    arguments.add_argument("--people", type=int, default=5_000)
    arguments.add_argument("--plans", type=int, default=1_000)
    arguments.add_argument("--url", default="")
    arguments.add_argument("--ours", action="store_true", help="Leave out what is compared with: it takes memory.")
    arguments.add_argument("--smoke", action="store_true", help="A small one, to see that it runs.")
    asked = arguments.parse_args()
    sizes = (20_000, 100, 20) if asked.smoke else (asked.signals, asked.people, asked.plans)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "night.db"
        store = Store.open(asked.url or f"sqlite:///{path}", now=FIRST, key=Path(folder) / "ledger.key")
        report = night(store, *sizes, compare=not asked.ours)
        if path.exists():
            report.figures["store, MiB"] = round(path.stat().st_size / 2**20)
        store.close()
    tell(report)


if __name__ == "__main__":
    main()
