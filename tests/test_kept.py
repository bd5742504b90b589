"""Kept measurements give what measuring everything anew gives, whatever happened, and write only what differs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from pipmetrics import kept, recipes, registry
from pipmetrics.api import Organisation
from pipmetrics.config import Config
from pipmetrics.measure import attributes
from pipmetrics.metrics import ORDER
from pipmetrics.model import (
    Account,
    Acts,
    Calendar,
    Criterion,
    ExcludeRule,
    Person,
    Plan,
    Settings,
    Signal,
    Source,
    Window,
)
from pipmetrics.plugin import Page
from pipmetrics.score import Measured, evaluate, reach_of
from pipmetrics.score.lines import readings
from pipmetrics.store import Store

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAMES = ("ada", "bob", "cyd", "dee")
KEPT = [name for name in ORDER if registry.metric(name).by_subject]
KINDS = (
    "change_ready", "change_drafted", "change_closed", "change_reopened", "review_requested", "review_requested",
    "review_request_removed", "reviewed", "reviewed", "reviewed", "commented", "commits_pushed", "checks_completed",
    "change_merged", "change_deployed",
)  # fmt: skip


# --- a world that moves -------------------------------------------------------------------------------------------


@dataclass
class World:
    """Changes of two sources, by subject, and who is who; each night something else becomes of it."""

    random: Random
    metrics: Sequence[str] = ()
    now: datetime = MONDAY + 20 * DAY
    changes: dict[str, list[Signal]] = field(default_factory=dict)
    logins: dict[str, str] = field(default_factory=lambda: dict.fromkeys(NAMES, ""))
    people: dict[str, Person] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.sources = {name: Source(name, "github", f"https://{name}.example.com") for name in ("hub", "ent")}
        self.logins = {name: f"{name.title()}-l" for name in NAMES}
        for place, name in enumerate(NAMES):
            zone = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")[place]
            accounts = dict.fromkeys(self.sources, (self.logins[name],))
            self.people[name] = Person(name, name, Calendar(zone, country="DE"), accounts=accounts)
        for number in range(8):
            self.change(number)
        for _ in range(120):
            self.act()

    def change(self, number: int) -> None:
        subject = f"{self.random.choice(['hub', 'ent'])}:acme/api#{number}"
        if subject not in self.changes:
            at = MONDAY + self.random.randrange(18 * 24) * HOUR
            self.changes[subject] = []
            self.put("change_opened", subject, at, draft=self.random.random() < 0.3, labels=["big"], author_login="x")

    def act(self) -> None:
        subject = self.random.choice(list(self.changes))
        ahead = self.random.choice([0, 0, 0, 0, 3])  # a clock that is ahead, an author date of tomorrow
        at = MONDAY + self.random.randrange(1, int((self.now - MONDAY) / HOUR) + ahead * 24) * HOUR
        at += timedelta(seconds=self.random.choice([0, 0, 1, 1800]), microseconds=self.random.choice([0, 500_000]))
        self.put(self.random.choice(KINDS), subject, at)

    def put(self, kind: str, subject: str, at: datetime, **detail: Any) -> None:
        if kind in ("change_merged", "change_deployed") and any(one.kind == kind for one in self.changes[subject]):
            return
        self.count += 1
        who = self.actor(subject, kind)
        lines = float(self.random.randrange(120))
        detail = {
            "state": self.random.choice(["approved", "changes_requested", "commented", "dismissed"]),
            "previous": "changes_requested", "comments": 1, "conclusion": self.random.choice(["success", "failure"]),
            "requester": self.random.choice([*"1234", "@ada-l", "@BOB-L", None]), "team": None, "inline": False,
            "default_branch": self.random.random() < 0.9, "files": [["src/a.py", lines, 0.0], ["gen/b.py", 5.0, 5.0]],
            "files_complete": True, "authored": (at - 5 * HOUR).isoformat(), "sha": f"{self.count:040x}", **detail,
        }  # fmt: skip
        mark = self.random.choice(["", "", "", "", "", "", "bot", "ghost"])
        source, url = subject.partition(":")[0], f"https://example.com/{self.count}"
        value = {"change_merged": lines + 10, "reviewed": float(self.random.randrange(3))}.get(kind)
        self.changes[subject].append(Signal(source, kind, subject, f"k{self.count}", at, url, who, mark, value, detail))

    def actor(self, subject: str, kind: str) -> str | None:
        own = kind in ("commits_pushed", "checks_completed", "change_merged", "change_deployed")
        if own and self.changes[subject]:
            return self.changes[subject][0].actor
        return self.random.choice([*"1234", *"1234", "9", "@Ada-L", "@BOB-l", None])

    def night(self) -> None:
        """Something happens, and time goes on; sometimes back."""
        happens = [self.act, self.act, self.act, self.withdraw, self.alter, self.move, self.rename, self.calendar,
                   self.swap, self.settings, self.transfer, lambda: self.change(self.random.randrange(99))]  # fmt: skip
        for _ in range(self.random.choice([0, 1, 6])):
            self.random.choice(happens)()
        self.now += self.random.choice([timedelta(0), 3 * HOUR, DAY, DAY, 2 * DAY, -2 * DAY])

    def one(self) -> tuple[str, int]:
        subject = self.random.choice([subject for subject, signals in self.changes.items() if len(signals) > 1])
        return subject, self.random.randrange(1, len(self.changes[subject]))

    def withdraw(self) -> None:
        subject, place = self.one()
        del self.changes[subject][place]

    def alter(self) -> None:
        subject, place = self.one()
        old = self.changes[subject][place]
        state = self.random.choice(["approved", "changes_requested"])
        self.changes[subject][place] = replace(old, value=7.0, detail={**old.detail, "state": state})

    def move(self) -> None:
        subject, place = self.one()
        old = self.changes[subject][place]
        self.changes[subject][place] = replace(old, at=old.at + self.random.choice([-30, -1, 1, 40, 400]) * HOUR)

    def transfer(self) -> None:
        subject = self.random.choice(list(self.changes))
        new = subject.replace("acme/api", "acme/moved")
        self.changes[new] = [*self.changes.get(new, []), *(replace(one, subject=new) for one in self.changes[subject])]
        self.changes[subject] = []
        self.changes = {name: signals for name, signals in self.changes.items() if signals or name == subject}

    def rename(self) -> None:
        name = self.random.choice(NAMES)
        self.logins[name] = f"{name}-{self.count}"

    def calendar(self) -> None:
        name = self.random.choice(NAMES)
        first = MONDAY + self.random.randrange(20) * DAY
        calendar = replace(self.people[name].calendar, time_off=(Window(first, first + 2 * DAY),))
        self.people[name] = replace(self.people[name], calendar=calendar)

    def swap(self) -> None:
        """people.yaml names another account for somebody, or none."""
        name = self.random.choice(NAMES)
        accounts = self.random.choice([("nobody",), (self.logins[name],), (self.logins[name],), ("stranger",)])
        if not any(accounts == other.accounts["ent"] for other in self.people.values()):
            self.people[name] = replace(self.people[name], accounts={**self.people[name].accounts, "ent": accounts})

    def settings(self) -> None:
        generated = self.random.choice([(), ("gen/*",)])
        self.sources["hub"] = replace(self.sources["hub"], generated=generated)

    # --- in the store ---

    def write(self, store: Store) -> None:
        for source in self.sources:
            groups = {name: signals for name, signals in self.changes.items() if name.startswith(f"{source}:")}
            seen = [Account(source, str(place), self.logins[name]) for place, name in enumerate(NAMES, 1)]
            store.write(source, Page(groups, [*seen, Account(source, "9", "stranger")]), self.now)

    def company(self, store: Store) -> Organisation:
        settings = Settings("", "", "UTC", Calendar("UTC"), dict(self.sources))
        company = Organisation(Config(settings, dict(self.people), ()), now=lambda: self.now)
        company.__dict__["store"] = store
        return company

    def plans(self) -> list[Plan]:
        """Two plans of one person, and one of another; a third person joins on the way."""
        begins = date(2026, 3, 9), date(2026, 3, 20)
        who = [("ada", begins[0]), ("ada", begins[1]), ("bob", begins[1])]
        if self.count % 2:
            who.append(("cyd", begins[0]))
        return [plan(person, n, start, self.metrics) for n, (person, start) in enumerate(who)]


def plan(person: str, number: int, start: date, metrics: Sequence[str]) -> Plan:
    """The first plan of three has a criterion for each metric, the others for one."""
    rules = (ExcludeRule("author", "x", "agreed"), ExcludeRule("path", "src/*", "agreed"))
    made = tuple(
        Criterion(f"c{n}", metric, "threshold", parameters={"statistic": "count", "at_least": 2.0},
                  exclude=rules if n == number % 2 else (), include=frozenset({"bot"}) if n == 1 else frozenset(),
                  clock="elapsed" if number else None)
        for n, metric in enumerate(metrics)
    )  # fmt: skip
    zone = "UTC" if number else "America/New_York"
    lines = made[number % len(made) :][:1] if number else made
    return Plan(f"{person}-{number}", "pip", person, "dee", start, start + 30 * DAY, zone, lines, digest=str(number))


# --- what is expected ---------------------------------------------------------------------------------------------


def anew(company: Organisation, plans: list[Plan], as_of: datetime) -> Measured:
    """Measured from all signals, as if nothing had ever been kept."""
    sources = company.config.settings.sources
    metrics = {name: registry.metric(name) for name in registry.names("metrics")}
    kinds = {name: registry.connector(source.connector).kinds for name, source in sources.items()}
    asked = readings(plans, as_of, Acts(), metrics)
    every = company.store.signals(until=as_of)
    return Measured(
        company.config.people,
        metrics,
        company.measure(asked.people),
        attributes(every, company.store.accounts()),
        gaps=company.store.gaps(list(sources)),
        reach={name: reach_of(metric, sources, kinds) for name, metric in metrics.items()},
    )


def check(company: Organisation, plans: list[Plan], as_of: datetime, *, evidence: bool = False) -> None:
    """All frames and the evaluation are those of measuring anew, to the byte."""
    found, expected = company.measured(plans, as_of, evidence=evidence), anew(company, plans, as_of)
    who = readings(plans, as_of, Acts(), found.metrics).people
    assert set(found.frames) == set(expected.frames)
    for request, rows in expected.frames.items():
        mine = rows[rows["person"].isin(who[request])].reset_index(drop=True)
        if not evidence:
            mine = mine.assign(evidence=pd.Series([()] * len(mine), dtype=object))
        pd.testing.assert_frame_equal(found.frames[request], mine, check_exact=True, obj=str(request))
    told = [json.dumps(evaluate(plans, measured, as_of).to_json()) for measured in (found, expected)]
    assert told[0] == told[1]


def dump(store: Store) -> Mapping[str, Any]:
    from pipmetrics.store.engine import reading
    from pipmetrics.store.measurements import TABLES

    with reading(store.engine) as connection:
        return {table.name: sorted(map(tuple, connection.execute(table.select())), key=repr) for table in TABLES}


def nights(seed: int, store: Store, count: int) -> Iterator[tuple[World, Organisation]]:
    """A company night after night; what is kept is brought up to date in most of them."""
    world = World(Random(seed), [KEPT[seed % len(KEPT)], "changes_merged"])
    for _ in range(count):
        world.write(store)
        company = world.company(store)
        if world.random.random() < 0.8:
            kept.refresh(company, world.plans(), world.now)
        yield world, company
        world.night()


def check_nights(seed: int, store: Store) -> None:
    for world, company in nights(seed, store, 3):
        check(company, world.plans(), world.now, evidence=world.random.random() < 0.2)
        check(company, world.plans()[:1], world.now - world.random.choice([HOUR, 2 * DAY, 9 * DAY, -5 * DAY]))


@pytest.fixture
def file(tmp_path: Path, migrated: tuple[str, Path]) -> Iterator[Store]:
    shutil.copy(migrated[1], tmp_path / "store.db")
    opened = Store.open(f"sqlite:///{tmp_path}/store.db", now=MONDAY)
    yield opened
    opened.close()


@pytest.mark.parametrize("seed", range(len(KEPT)))
def test_after_whatever_nights_all_rows_and_evaluations_are_those_of_measuring_anew(file: Store, seed: int) -> None:
    check_nights(seed, file)


def test_the_same_goes_for_both_databases(store: Store) -> None:
    check_nights(KEPT.index("review_turnaround") + 100 * len(KEPT), store)


@pytest.fixture
def world(file: Store) -> World:
    made = World(Random(7), ["changes_merged", "review_turnaround"])
    made.write(file)
    return made


def test_a_night_without_news_writes_nothing(file: Store, world: World) -> None:
    kept.refresh(world.company(file), world.plans(), world.now)
    before = dump(file)
    assert before["measurement"]
    world.write(file)
    kept.refresh(world.company(file), world.plans(), world.now + 9 * HOUR)
    assert dump(file) == before


def test_a_first_night_that_is_cut_short_is_right_and_goes_on_the_next_time(
    file: Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans, company, keep = world.plans(), world.company(file), Store.keep
    monkeypatch.setattr(kept, "PEOPLE_AT_ONCE", 5)  # one after the other

    def killed(store: Store, *more: Any) -> bool:
        if store.held() is not None:
            raise KeyboardInterrupt
        return keep(store, *more)

    monkeypatch.setattr(Store, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        kept.refresh(company, plans, world.now)
    monkeypatch.setattr(Store, "keep", keep)
    held = file.held()
    assert held is not None
    assert {person for _, person in held.calendars} == {"ada"}
    check(company, plans, world.now)
    kept.refresh(company, plans, world.now)
    check(company, plans, world.now)
    held = file.held()
    assert held is not None
    assert {person for _, person in held.calendars} == {plan.person for plan in plans}


def test_other_code_makes_all_rows_anew_and_drops_the_former(
    file: Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, plans = world.company(file), world.plans()
    kept.refresh(company, plans, world.now)
    before = dump(file)
    monkeypatch.setattr(recipes, "made_by", lambda metric: ("another version", metric.name))
    check(company, plans, world.now)
    kept.refresh(company, plans, world.now)
    check(company, plans, world.now)
    assert not set(before["recipe"]) & set(dump(file)["recipe"])
    assert len(before["measurement"]) == len(dump(file)["measurement"])


def test_the_store_as_it_was_is_measured_from_all_signals(file: Store, world: World) -> None:
    kept.refresh(world.company(file), world.plans(), world.now)
    then, expected = file.revision(), anew(world.company(file), world.plans(), world.now)
    world.night()
    world.alter()
    world.write(file)
    past = replace(world.company(file), revision=then)
    past.__dict__["store"] = file
    frames = past.measured(world.plans(), expected_at := max(request.as_of for request in expected.frames)).frames
    for request, rows in expected.frames.items():
        if request.as_of == expected_at and request in frames:
            pd.testing.assert_frame_equal(frames[request], rows, check_exact=True)


def test_only_metrics_that_promise_it_are_kept() -> None:
    assert set(ORDER) - set(KEPT) == {
        "post_deploy_bugs", "change_failure", "bug_reopened", "bug_fix_time", "issue_cycle_time", "delivered_on_time",
        "sprint_commitment", "attested",
    }  # fmt: skip
