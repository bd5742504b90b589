"""`pipmetrics pull` killed at any moment, then run once more: the store is that of a pull which was never killed."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.organisation import Acme, opened
from tests.store.dump import dump

KILLS = int(os.environ.get("PIPMETRICS_KILLS", "12"))


def pull(folder: str, crash_at: int, pace: float) -> None:
    """In a process of its own: the command, ended by the store at its n-th commit point (0: never)."""
    from pipmetrics.cli import main
    from pipmetrics.store import engine, signals

    engine._CRASH_AT = crash_at
    if pace:
        whole = signals.write

        def slow(*given: object) -> None:
            time.sleep(pace)
            whole(*given)  # type: ignore[arg-type]  # as it came

        signals.write = slow  # type: ignore[assignment]  # the same, slower
    try:
        main(["pull", "--config", folder])
    except SystemExit as ended:
        os._exit(int(ended.code or 0))


@pytest.fixture(scope="module")
def context() -> multiprocessing.context.BaseContext:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["tests.organisation", "pipmetrics.cli.facts", "pandas", "scipy.stats"])
    return found


@pytest.fixture
def untouched(acme: Acme, tmp_path: Path) -> Path:
    """The folder before its first pull."""
    return Path(shutil.copytree(acme.pulled, tmp_path / "config", ignore=shutil.ignore_patterns("*.db*")))


def run(context: multiprocessing.context.BaseContext, folder: Path, crash_at: int = 0, kill_after: float = 0) -> int:
    """The exit code of a pull; with `kill_after` it is killed from outside after so many seconds."""
    process = context.Process(target=pull, args=(str(folder), crash_at, 0.03 if kill_after else 0.0))  # type: ignore[attr-defined]  # a context that starts processes
    process.start()
    if kill_after:
        process.join(kill_after)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
    process.join()
    return int(process.exitcode)


def same(acme: Acme, folder: Path) -> None:
    with opened(acme.pulled) as whole, opened(folder) as mended:
        expected, found = dump(whole.store), dump(mended.store)
    for table in ("signal", "gap", "stale", "ledger"):
        assert found[table] == expected[table]
    assert [row[:5] for row in found["account"]] == [row[:5] for row in expected["account"]]


@pytest.mark.parametrize("number", range(KILLS))
def test_a_pull_that_was_killed_is_completed_by_the_next(
    number: int, acme: Acme, untouched: Path, context: multiprocessing.context.BaseContext
) -> None:
    """Half of them die at a commit point, half at a moment between."""
    chance = random.Random(number)
    died = 0
    for _ in range(chance.randrange(1, 4)):
        if number % 2:
            code = run(context, untouched, kill_after=chance.uniform(0.05, 3.0))
        else:
            code = run(context, untouched, crash_at=chance.randrange(1, 25))
        assert code in (0, -signal.SIGKILL)
        died += code != 0
    assert run(context, untouched) == 0
    same(acme, untouched)
    if number % 2 == 0:
        assert died >= 1


def test_a_second_run_over_a_mended_store_brings_nothing_new(
    acme: Acme, untouched: Path, context: multiprocessing.context.BaseContext
) -> None:
    assert run(context, untouched, crash_at=9) == -signal.SIGKILL
    assert run(context, untouched) == 0
    with opened(untouched) as company:
        revision = company.store.revision()
    assert run(context, untouched) == 0
    with opened(untouched) as company:
        assert company.store.revision() == revision
    same(acme, untouched)
