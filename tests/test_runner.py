from __future__ import annotations

import multiprocessing
import os
import shutil
import signal as signals
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipmetrics import kept
from pipmetrics.api import Organisation
from pipmetrics.config import Config
from pipmetrics.errors import Refused, SourceError, StoreError, UsageError
from pipmetrics.ledger import verify
from pipmetrics.model import Baseline, Calendar, Criterion, Person, Plan, Settings, Window
from pipmetrics.pull import Pulled, pull
from pipmetrics.runner import Delivered, Scored, Steps, Stop, run
from pipmetrics.store import Store, Written
from pipmetrics.store.engine import reading
from tests.conftest import NOW
from tests.store.dump import dump
from tests.store.test_evaluations import ONE
from tests.store.world import HUB, WorldConnector, small_world

SINCE = NOW - timedelta(days=180)
MERGED = Criterion("merged", "changes_merged", "threshold", parameters={"statistic": "count", "at_least": 1.0})
PLAN_ADA = Plan("ada-q4", "pip", "ada", "dana", NOW.date(), NOW.date(), "UTC", (MERGED,))
ADA = Person("ada", "Ada", Calendar("UTC"), accounts={"hub": ("login-1",)})


def clock() -> datetime:
    return NOW


def pulling(connector: WorldConnector) -> Callable[[Store, datetime, int], list[Pulled]]:
    def step(store: Store, now: datetime, number: int) -> list[Pulled]:
        return [pull(store, HUB, connector, connector.wire, since=SINCE, now=now, run=number)]

    return step


def evaluate(store: Store, now: datetime) -> Scored:
    """Keeps measurements and counts signals: enough of an evaluation to see what a run does with it."""
    company = Organisation(Config(Settings("", "", "UTC", Calendar("UTC"), {"hub": HUB}), {"ada": ADA}, ()))
    company.__dict__["store"] = store
    kept.refresh(company, [PLAN_ADA], now)
    frame = store.signals(until=now)
    one = replace(ONE, plan="ada-q4", as_of=now, inputs_hash=str(len(frame)), result={"n": len(frame)}, revision=0)
    window = Window(SINCE, NOW - timedelta(days=1))
    return Scored([PLAN_ADA], [one], [Baseline("ada-q4", "reviews", window, {"n": 1}, now)])


def deliver(store: Store, now: datetime) -> Delivered:
    return Delivered(int(store.mark_delivered("digest 2026-W47 dana", now)))


def night(**changes: object) -> Steps:
    steps = Steps(lambda *_: ["a note"], pulling(WorldConnector(small_world())), evaluate, deliver)
    return replace(steps, **changes)  # type: ignore[arg-type]  # steps by name


def test_a_night_pulls_evaluates_records_and_delivers(store: Store) -> None:
    report = run(store, night(), clock=clock)
    assert (report.outcome, report.exit_code, report.checked) == ("done", 0, ("a note",))
    assert report.pulled[0].written == Written(71)
    assert [entry.act for entry in store.entries()] == ["baseline", "evaluation", "night"]
    assert report.delivered.sent == 1
    assert store.runs(["nightly"])[0] == replace(
        store.runs(["nightly"])[0],
        id=report.run,
        started=NOW,
        ended=NOW,
        outcome="done",
        requests=10,
        counts={
            "added": 71, "changed": 0, "removed": 0, "evaluated": 1, "recorded": 1, "baselines": 1, "delivered": 1,
            "not_delivered": 0, "bytes": store.runs()[0].counts["bytes"],
        },
    )  # fmt: skip
    assert store.runs()[0].counts["bytes"] > 50_000
    assert store.runs()[0].sources["hub"]["pages"] == 8
    assert store.runs()[0].sources["hub"]["requests"] == 10
    assert verify(store).unsigned == 0


def test_the_same_night_again_records_and_delivers_nothing(store: Store) -> None:
    run(store, night(), clock=clock)
    before = dump(store)
    report = run(store, night(), clock=clock)
    assert (report.outcome, report.recorded, report.baselines, report.delivered.sent) == ("done", (), 0, 0)
    assert dump(store) == before


def test_a_source_that_fails_makes_the_night_incomplete_and_the_rest_goes_on(store: Store) -> None:
    connector = WorldConnector(small_world(), fault={1: SourceError("401", status=401)})
    report = run(store, night(pull=pulling(connector)), clock=clock)
    assert (report.outcome, report.exit_code, report.incomplete) == ("incomplete", 1, ("hub: 401",))
    assert len(report.recorded) == 1
    assert store.runs()[0].outcome == "incomplete"
    assert store.runs()[0].sources["hub"]["error"] == "401"


def test_a_message_that_could_not_be_sent_makes_the_night_incomplete(store: Store) -> None:
    report = run(store, night(deliver=lambda *_: Delivered(0, ["dana: no route to host"])), clock=clock)
    assert report.incomplete == ("not delivered: dana: no route to host",)


def test_a_step_that_fails_ends_the_run_as_failed_and_frees_the_lease(store: Store) -> None:
    def broken(*_: object) -> Scored:
        raise UsageError("no such plan")

    with pytest.raises(UsageError):
        run(store, night(evaluate=broken), clock=clock)
    assert store.runs()[0].outcome == "failed"
    assert store.runs()[0].counts["added"] == 71
    assert run(store, night(), clock=clock).outcome == "done"


@pytest.mark.parametrize("ending", [Stop, KeyboardInterrupt])
def test_a_run_that_is_stopped_says_so_and_the_next_one_completes_it(store: Store, ending: type[BaseException]) -> None:
    def stopped(*_: object) -> Scored:
        raise ending

    with pytest.raises(ending):
        run(store, night(evaluate=stopped), clock=clock)
    assert store.runs()[0].outcome == "stopped"
    assert run(store, night(), clock=clock).outcome == "done"


def test_two_runs_at_once_are_refused_and_the_refused_one_leaves_no_trace(store: Store, store_url: str) -> None:
    other = Store.open(store_url, now=NOW)

    def meanwhile(*_: object) -> Scored:
        with pytest.raises(Refused):
            run(other, night(), clock=clock)
        return Scored()

    assert run(store, night(evaluate=meanwhile), clock=clock).outcome == "done"
    assert len(store.runs(["nightly"])) == 1
    other.close()


def test_a_slot_is_answered_once(store: Store) -> None:
    slot = NOW - timedelta(minutes=1)
    assert run(store, night(), clock=clock, slot=slot).outcome == "done"
    again = run(store, night(), clock=clock, slot=slot)
    assert (again.outcome, again.exit_code) == ("skipped", 0)
    assert len(store.runs(["nightly"])) == 1
    assert store.runs()[0].slot == slot.isoformat()


def test_a_run_that_a_person_started_after_the_slot_answers_to_it(store: Store) -> None:
    run(store, night(), clock=clock)
    assert run(store, night(), clock=clock, slot=NOW - timedelta(hours=1)).outcome == "skipped"
    assert run(store, night(), clock=lambda: NOW + timedelta(days=1), slot=NOW + timedelta(hours=1)).outcome == "done"


def test_a_run_of_a_clock_that_was_ahead_does_not_silence_the_nights_until_then(store: Store) -> None:
    run(store, night(), clock=lambda: NOW + timedelta(days=30))
    assert run(store, night(), clock=clock, slot=NOW).outcome == "done"


# --- the store fails ----------------------------------------------------------------------------------------------


def same_but_for_the_runs(found: dict[str, list[Any]], expected: dict[str, list[Any]]) -> bool:
    """The number of the run stands in the payload of the night."""
    return {**found, "ledger": [row[:4] for row in found["ledger"]]} == {
        **expected, "ledger": [row[:4] for row in expected["ledger"]],
    }  # fmt: skip


@pytest.fixture
def expected(migrated: tuple[str, Path], tmp_path: Path) -> dict[str, list[Any]]:
    """What a night leaves that nothing disturbs."""
    shutil.copy(migrated[1], tmp_path / "undisturbed.db")
    undisturbed = Store.open(f"sqlite:///{tmp_path}/undisturbed.db", now=NOW, key=tmp_path / "ledger.key")
    run(undisturbed, night(), clock=clock)
    found = dump(undisturbed)
    undisturbed.close()
    return found


def test_a_disk_that_is_full_ends_the_night_and_the_next_one_completes_it(
    migrated: tuple[str, Path], tmp_path: Path, expected: dict[str, list[Any]]
) -> None:
    shutil.copy(migrated[1], tmp_path / "store.db")
    store = Store.open(f"sqlite:///{tmp_path}/store.db", now=NOW, key=tmp_path / "ledger.key")

    def limit(pages: int) -> None:
        with store.engine.connect() as connection:  # the pool keeps this one connection, and it the limit
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with store.engine.connect() as connection:
        held: int = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    limit(held + 2)
    with pytest.raises(StoreError, match="full"):
        run(store, night(), clock=clock)
    limit(1_000_000)
    assert verify(store).ok
    assert run(store, night(), clock=clock).outcome == "done"
    assert same_but_for_the_runs(dump(store), expected)
    store.close()


def test_a_connection_that_is_lost_in_the_middle_loses_and_doubles_nothing(
    new_database: Callable[..., str], tmp_path: Path, expected: dict[str, list[Any]]
) -> None:
    """All sessions of the database end while the night evaluates, that of its lease too."""
    store = Store.open(new_database(), now=NOW, key=tmp_path / "ledger.key")
    plain = store.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    ended = []

    def cut(held: Store, now: datetime) -> Scored:
        with reading(held.engine) as connection, psycopg.connect(plain, autocommit=True) as killer:
            others = "pid <> pg_backend_pid() AND datname = current_database()"
            ended.extend(killer.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
            connection.exec_driver_sql("SELECT 1")
        return Scored()

    with pytest.raises(StoreError, match="terminating connection"):
        run(store, night(evaluate=cut), clock=clock)
    assert len(ended) >= 2
    assert store.runs(["nightly"])[0].outcome in ("failed", "")
    assert run(store, night(), clock=clock).outcome == "done"
    assert same_but_for_the_runs(dump(store), expected)
    assert verify(store).ok
    store.close()


# --- killed -------------------------------------------------------------------------------------------------------


def _run_in_a_process(url: str, key: str, crash_at: int) -> None:
    from pipmetrics.store import engine

    engine._CRASH_AT = crash_at
    store = Store.open(url, now=NOW, key=key)
    run(store, night(), clock=clock)
    store.close()
    os._exit(0)


def test_killed_at_each_commit_of_pull_evaluate_record_and_deliver_nothing_is_lost_or_doubled(
    store_url: str, migrated: tuple[str, Path], tmp_path: Path
) -> None:
    """Each run is killed at its n-th commit point and followed by a clean one, until n is past the end."""
    shutil.copy(migrated[1], tmp_path / "undisturbed.db")
    undisturbed = Store.open(f"sqlite:///{tmp_path}/undisturbed.db", now=NOW, key=tmp_path / "ledger.key")
    run(undisturbed, night(), clock=clock)
    expected = dump(undisturbed)
    undisturbed.close()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_runner", "pandas", "alembic"])
    store = Store.open(store_url, now=NOW, key=tmp_path / "ledger.key")
    for crash_at in range(1, 100):
        process = context.Process(target=_run_in_a_process, args=(store_url, str(tmp_path / "ledger.key"), crash_at))
        process.start()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signals.SIGKILL
    else:
        raise AssertionError("never came through")
    assert crash_at > 10
    found = dump(store)
    assert found["measurement"]
    found["ledger"] = [row[:4] for row in found["ledger"]]  # the number of the run stands in the payload of the night
    assert found == {**expected, "ledger": [row[:4] for row in expected["ledger"]]}
    assert verify(store).ok
    with store.leased(NOW):
        pass
    store.close()
