from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal as signals
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipmetrics.errors import Deferred, SourceError, StoreError
from pipmetrics.model import Gap
from pipmetrics.pull import Pulled, Stop, pull
from pipmetrics.store import Store, Written
from pipmetrics.transport import Budget
from tests.conftest import NOW
from tests.store.dump import dump
from tests.store.world import HUB, WorldConnector, merged, small_world

SINCE = NOW - timedelta(days=180)
LATER = NOW + timedelta(days=1)


def pulled(store: Store, connector: WorldConnector, **options: object) -> Pulled:
    return pull(store, HUB, connector, connector.wire, since=SINCE, now=NOW, **options)  # type: ignore[arg-type]  # passed on


def test_a_pull_commits_pages_derives_and_reports_what_it_cost(store: Store) -> None:
    connector = WorldConnector(small_world())
    connector.wire.budget["graphql"] = Budget(4000.0, 5000.0, 0.0)
    connector.wire.sent = 100
    seen: list[tuple[str, int, int | None]] = []
    run = store.begin_run("pull", NOW)
    report = pulled(store, connector, progress=lambda *step: seen.append(step), run=run)
    assert report == Pulled("hub", Written(50 + 20 + 1), 7, 27, 6 + 4, 0, budget={"graphql": (4000.0, 5000.0)})
    assert report.complete
    assert seen[:2] == [("hub", 5, 27), ("hub", 10, 27)]
    kinds = store.signals()["kind"].value_counts().to_dict()
    assert kinds == {"reviewed": 23, "change_merged": 23, "deployed": 4, "change_deployed": 20, "change_reverted": 1}
    assert store.bookmarks("hub") == {"walk": None, "until": str(SINCE)}
    assert store.last_complete("hub") == NOW
    assert store.runs()[0].sources == {"hub": {"added": 71, "changed": 0, "removed": 0, "pages": 8}}


def test_an_unchanged_night_writes_and_compares_nothing(store: Store) -> None:
    pulled(store, WorldConnector(small_world()))
    before, revision = dump(store), store.revision()
    connector = WorldConnector(small_world())
    report = pulled(store, connector)
    assert (report.written, report.requests) == (Written(), 6)
    assert dump(store) == before
    assert store.revision() == revision


def test_a_late_merge_is_derived_with_the_comparisons_that_are_known(store: Store) -> None:
    world = small_world()
    late = world.pop("hub:acme/api#3")
    pulled(store, WorldConnector(world))
    connector = WorldConnector(world | {"hub:acme/api#3": late})
    report = pulled(store, connector)
    assert report.written == Written(2 + 2)
    assert report.requests == 6
    frame = store.signals(["change_deployed", "change_reverted"], subjects=["hub:acme/api#3"])
    assert frame["detail"].tolist()[1]["deployment"] == "hub:acme/api@5"


def test_what_was_derived_goes_with_what_it_came_from(store: Store) -> None:
    pulled(store, WorldConnector(small_world()))
    world = small_world()
    for name in [name for name in world if "@" in name] + ["hub:acme/api#4"]:
        world[name] = []
    pulled(store, WorldConnector(world))
    assert set(store.signals()["kind"]) == {"reviewed", "change_merged"}


@pytest.mark.parametrize(
    "fault", [SourceError("502, tried 6", where="POST /graphql"), Deferred("limit"), KeyError("node")]
)
def test_a_source_that_fails_in_the_middle_keeps_its_pages_and_stays_failed_until_a_complete_pull(
    store: Store, fault: Exception
) -> None:
    pulled(store, WorldConnector(small_world(5)))
    report = pull(
        store, HUB, (bad := WorldConnector(small_world(), fault={2: fault})), bad.wire, since=SINCE, now=LATER
    )
    assert report.error
    assert (report.pages, report.complete) == (2, False)
    assert store.gaps() == [Gap("hub", "", report.error, NOW)]
    assert len(store.signals(["reviewed"])) == 9
    again = pull(store, HUB, (bad := WorldConnector(small_world(), fault={3: fault})), bad.wire, since=SINCE, now=LATER)
    assert again.error
    assert store.gaps()[0].since == NOW
    good = WorldConnector(small_world())
    assert pulled(store, good).complete
    assert store.gaps() == []
    assert good.wire.sent == 3 + 2  # it went on where the last one stopped, with what had been compared
    assert len(store.signals(["change_deployed"])) == 20


def test_a_source_that_never_was_read_to_its_end_is_incomplete_since_ever(store: Store) -> None:
    pulled(store, WorldConnector(small_world(), fault={0: SourceError("401", status=401)}))
    assert store.gaps() == [Gap("hub", "", "401", None)]


def test_a_part_that_fails_is_a_gap_and_the_rest_goes_on(store: Store) -> None:
    gap = Gap("hub", "acme/web", "403", NOW - timedelta(days=3))
    report = pulled(store, WorldConnector(small_world(), gaps={1: gap}))
    assert (report.error, report.gaps, report.complete) == ("", ("acme/web",), False)
    assert store.gaps() == [gap]
    assert store.last_complete("hub") == NOW
    assert pulled(store, WorldConnector(small_world(), gaps={1: gap, 2: Gap("hub", "acme/web", "")})).complete
    assert store.gaps() == []


def test_deployments_that_cannot_be_compared_tonight_are_compared_the_next_night(store: Store) -> None:
    report = pulled(store, WorldConnector(small_world(), lost=True))
    assert report.gaps == ("acme/api",)
    assert "could not be compared: GET /compare: 503" in store.gaps()[0].reason
    assert len(store.signals(["change_reverted"])) == 1
    assert store.stale("hub") == ["hub:acme/api"]
    assert pulled(store, WorldConnector(small_world())).complete
    assert len(store.signals(["change_deployed"])) == 20
    assert (store.stale("hub"), store.gaps()) == ([], [])


def test_empty_where_there_was_data_yesterday_is_a_failure_and_nothing_is_removed(store: Store) -> None:
    pulled(store, WorldConnector(small_world()))
    before = store.signals()
    report = pulled(store, WorldConnector({name: [] for name in small_world()}))
    assert report.error.startswith("hub: everything that was read before is gone at once")
    assert len(store.signals()) > 0
    assert set(store.signals()["key"]) < set(before["key"])


def test_the_last_of_few_may_be_deleted(store: Store) -> None:
    pulled(store, WorldConnector(small_world(2)))
    assert pulled(store, WorldConnector({name: [] for name in small_world(2)})).complete
    assert len(store.signals()) == 0


def test_a_store_that_fails_is_not_taken_for_a_source_that_does(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("database or disk is full")

    monkeypatch.setattr(Store, "write", full)
    with pytest.raises(StoreError):
        pulled(store, WorldConnector(small_world()))
    assert store.gaps() == []


@pytest.mark.parametrize("ending", [Stop, KeyboardInterrupt])
def test_a_pull_that_is_stopped_goes_on_where_it_was(store: Store, ending: type[BaseException]) -> None:
    def stop(_source: str, done: int, _total: int | None) -> None:
        if done > 10:
            raise ending

    with pytest.raises(ending):
        pulled(store, WorldConnector(small_world()), progress=stop)
    assert store.bookmarks("hub") == {"walk": 15}
    connector = WorldConnector(small_world())
    assert pulled(store, connector).complete
    assert connector.wire.sent == 3 + 4


def test_a_signal_of_another_kind_does_not_compare_anew(store: Store) -> None:
    pulled(store, WorldConnector(small_world()))
    world = small_world()
    world["hub:acme/api#1"] = [replace(world["hub:acme/api#1"][0], value=9.0), merged(1, f"{1:040x}")]
    connector = WorldConnector(world)
    assert pulled(store, connector).written == Written(0, 1, 0)
    assert connector.wire.sent == 6


# --- killed -------------------------------------------------------------------------------------------------------


def _pull_in_a_process(url: str, crash_at: int, pace: float) -> None:
    from pipmetrics.store import engine

    engine._CRASH_AT = crash_at
    store = Store.open(url, now=NOW)
    pulled(store, WorldConnector(small_world(), pace=pace))
    store.close()
    os._exit(0)


@pytest.fixture(scope="session")
def processes() -> multiprocessing.context.ForkServerContext:
    """Processes forked from one that has imported everything: quick to start, and clean."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_pull", "pandas", "alembic"])
    return context


def _kill_until_done(
    processes: multiprocessing.context.ForkServerContext, url: str, moments: Callable[[int], tuple[int, float]]
) -> int:
    """Starts pulls and kills each at its moment (a commit point or after so many seconds) until one comes through."""
    for kills in range(200):
        crash_at, seconds = moments(kills)
        process = processes.Process(target=_pull_in_a_process, args=(url, crash_at, 0.002))
        process.start()
        if seconds:
            time.sleep(seconds)
            process.kill()
        process.join()
        if process.exitcode == 0:
            return kills
        assert process.exitcode == -signals.SIGKILL
    raise AssertionError("never came through")


@pytest.fixture
def undisturbed(migrated: tuple[str, Path], tmp_path: Path) -> dict[str, list[object]]:
    shutil.copy(migrated[1], tmp_path / "undisturbed.db")
    store = Store.open(f"sqlite:///{tmp_path}/undisturbed.db", now=NOW)
    pulled(store, WorldConnector(small_world()))
    held = dump(store)
    store.close()
    return held


def test_killed_at_each_commit_in_turn_the_store_ends_as_if_nothing_had_happened(
    processes: multiprocessing.context.ForkServerContext, store_url: str, undisturbed: dict[str, list[object]]
) -> None:
    assert _kill_until_done(processes, store_url, lambda kills: (kills + 1, 0.0)) > 5
    store = Store.open(store_url, now=NOW)
    assert dump(store) == undisturbed
    store.close()


KILLS = {"sqlite": 50, "postgresql": 10}
MORE = int(os.environ.get("PIPMETRICS_TORTURE", "1"))
"""Times as many kills, where there is the time for it."""


@pytest.mark.parametrize("kind", KILLS)
def test_killed_at_random_moments_the_store_ends_as_if_nothing_had_happened(
    kind: str,
    processes: multiprocessing.context.ForkServerContext,
    new_database: Callable[..., str],
    tmp_path: Path,
    undisturbed: dict[str, list[object]],
) -> None:
    """Kills after a seeded part of the time that a pull takes, and a clean run after every few."""
    chance, kills, rounds = random.Random(50), 0, 0
    while kills < KILLS[kind] * MORE:
        rounds += 1
        url = new_database() if kind == "postgresql" else f"sqlite:///{tmp_path}/{rounds}.db"
        kills += _kill_until_done(processes, url, lambda kills: (0, chance.uniform(0.01, 0.15) if kills < 10 else 0.0))
        store = Store.open(url, now=NOW)
        assert dump(store) == undisturbed
        if kind == "sqlite":
            with store.engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        store.close()


def test_the_environment_names_the_commit_at_which_a_process_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys; from pipmetrics.store import Store; from tests.conftest import NOW;"
        "store = Store.open(sys.argv[1], now=NOW); store.begin_run('pull', NOW); store.begin_run('pull', NOW)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{tmp_path}/x.db"],
        env={**os.environ, "PIPMETRICS_CRASH_AT": "5"},  # after the migration and the first run, before the second
        cwd=Path(__file__).parents[1],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (-signals.SIGKILL, "killed before begin")
    store = Store.open(f"sqlite:///{tmp_path}/x.db", now=NOW)
    assert len(store.runs(["pull"])) == 1
    store.close()
