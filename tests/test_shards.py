"""The night in shards: equal to the byte wherever it is evaluated, and never held up by workers that are gone."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipmetrics import nightly, shards
from pipmetrics.api import Organisation
from pipmetrics.errors import PipmetricsError, UsageError
from pipmetrics.runner import Scored
from pipmetrics.shards import Asked, Judged, Shard, Workers
from pipmetrics.store import Store
from pipmetrics.store.copying import copy
from tests.organisation import TOKENS, at, cli, opened

NIGHT = at(20, 0, 2.5)
CHILD = {key: text for key, text in os.environ.items() if not key.startswith("PIPMETRICS_")}


@pytest.fixture
def folder(folder: Path) -> Path:
    """The organisation with three plans that are quickly evaluated, and a draft."""
    (folder / "plans" / "ada-q4.yaml").unlink()
    text = (folder / "plans" / "ben-coaching.yaml").read_text()
    for name in ("ben-2", "ben-3"):
        (folder / "plans" / f"{name}.yaml").write_text(text.replace("plan: ben-coaching", f"plan: {name}"))
    return folder


def told(found: Scored | Judged) -> str:
    """All that would be recorded, as text."""
    return json.dumps([[asdict(one) for one in part] for part in (found.evaluated, found.baselines)], default=plain)


def plain(value: object) -> object:
    """The names in a set have an order of their own in each process."""
    return sorted(value) if isinstance(value, frozenset) else repr(value)


def today(company: Organisation) -> Asked:
    return Asked(tuple(nightly.active(company, NIGHT)), NIGHT, NIGHT)


def through(company: Organisation, executor: Executor) -> tuple[Judged, Workers]:
    workers = Workers(executor, 2)
    return workers.judge(company, today(company)), workers


class Wrapped(Executor):
    """Hands work on to another executor, after a change."""

    def __init__(self, inner: Executor, change: Callable[[int, Shard], tuple[Any, ...]]) -> None:
        self.inner, self.change, self.number = inner, change, 0
        self.sent: list[Shard] = []

    def submit(self, work: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        self.sent.append(arguments[0])
        self.number += 1
        return self.inner.submit(*(self.change(self.number, arguments[0]) or (work, *arguments)), **named)


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# --- on this machine ----------------------------------------------------------------------------------------------


def test_a_night_on_processes_is_equal_to_the_byte_and_a_worker_that_dies_holds_nothing_up(folder: Path) -> None:
    """One shard kills its process: all that the pool still had is evaluated here."""
    with opened(folder, NIGHT) as company, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        alone = shards.judge(company, today(company))
        there, workers = through(company, pool)
        assert (workers.shards, workers.fell_back) == (4, [])
        assert told(there) == told(alone)
        killed, workers = through(company, Wrapped(pool, lambda number, shard: (die, shard) if number == 2 else ()))
    assert "BrokenProcessPool" in workers.fell_back[0]
    assert told(killed) == told(alone)


def test_the_settings_name_processes(folder: Path) -> None:
    path = folder / "pipmetrics.yaml"
    path.write_text(path.read_text() + "executor: local\n")
    program = "import sys; from pipmetrics.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "run", "--config", str(folder), "--format", "json"],
        env={**CHILD, **TOKENS}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert (run["outcome"], run["fell_back"]) == ("done", [])
    step = next(line for line in map(json.loads, done.stderr.splitlines()) if line.get("step") == "evaluate")
    assert (step["shards"], step["fell_back"]) == (4, [])
    listed = cli("runs", folder=folder).stdout
    assert f"shards {step['shards']}" in listed


def test_what_does_not_come_back_in_time_is_evaluated_here_and_the_run_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = threading.Event()
    monkeypatch.setattr(shards, "DEADLINE_S", 0.2)
    with opened(folder, NIGHT) as company, ThreadPoolExecutor(2) as threads:
        company.executor = Wrapped(threads, lambda _number, _shard: (waiting.wait, 60))
        report = company.run()
        run = company.store.runs(["nightly"], 1)[0]
        waiting.set()
    assert (report.outcome, len(report.recorded)) == ("done", 6)
    assert any("did not come back" in why for why in report.fell_back)
    assert run.counts["fell_back"] == len(report.fell_back)
    assert "evaluated here after all" in caplog.text


def test_messages_carry_no_token_no_frame_and_no_file_tree(folder: Path) -> None:
    with opened(folder, NIGHT) as company, ThreadPoolExecutor(1) as threads:
        wrapped = Wrapped(threads, lambda _number, _shard: (Judged,))
        through(company, wrapped)
    content = b"".join(pickle.dumps(shard) + zlib.decompress(shard.config) for shard in wrapped.sent)
    assert max(len(pickle.dumps(shard)) for shard in wrapped.sent) < 20_000
    for secret in (*TOKENS.values(), "pandas", "DataFrame"):
        assert secret.encode() not in content


def test_a_worker_of_another_version_or_another_state_refuses(folder: Path) -> None:
    with opened(folder, NIGHT) as company, ThreadPoolExecutor(1) as threads:
        here = shards.judge(company, today(company))
        wrapped = Wrapped(threads, lambda _number, _shard: (Judged,))
        assert told(through(company, wrapped)[0]) == told(Judged())
        shard = wrapped.sent[0]
        for why, odd in {
            "the worker runs pipmetrics": replace(shard, version="0.0.1"),
            "holds other plans": replace(shard, plans=tuple((name, "0" * 64) for name, _ in shard.plans)),
            "the facts changed meanwhile": replace(shard, revision=shard.revision + 1),
        }.items():
            with pytest.raises(PipmetricsError, match=why):
                shards.work(odd)
        refused, workers = through(company, Wrapped(threads, lambda *_: (int, "x")))
    assert workers.fell_back == ["ValueError: invalid literal for int() with base 10: 'x'"]
    assert told(refused) == told(here)


def test_a_cluster_over_sqlite_is_refused_where_the_address_is_a_secret_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPMETRICS_TEST_STORE", f"sqlite:///{folder}/pipmetrics.db")
    path = folder / "pipmetrics.yaml"
    text = path.read_text().replace("sqlite:///pipmetrics.db", '"${PIPMETRICS_TEST_STORE}"')
    path.write_text(text + "executor: dask://127.0.0.1:1\n")
    with opened(folder, NIGHT) as company, pytest.raises(UsageError, match="cannot reach an SQLite file"):
        nightly.evaluate(company, NIGHT)


# --- a Dask cluster -----------------------------------------------------------------------------------------------


class Cluster:
    """A scheduler and workers, each a process of its own, on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.workers = folder, folder / "scheduler.json", list[subprocess.Popen[bytes]]()
        self.scheduler = self.start("scheduler", "--port", "0", "--scheduler-file", str(self.file))
        self.address = f"dask://{self.read()['address'].removeprefix('tcp://')}"

    def start(self, kind: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", kind, "--host", "127.0.0.1", "--no-dashboard", *arguments]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=self.folder, env={**CHILD, **environment}, **quiet)  # type: ignore[call-overload, no-any-return]

    def read(self) -> dict[str, Any]:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.file.exists() and (text := self.file.read_text()):
                return json.loads(text)  # type: ignore[no-any-return]
            time.sleep(0.05)
        raise AssertionError("the scheduler did not start")

    def join(self, store: str) -> None:
        arguments = ["--scheduler-file", str(self.file), "--no-nanny", "--nthreads", "1"]
        self.workers.append(self.start("worker", *arguments, PIPMETRICS_TEST_STORE=store))

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@contextmanager
def locked(url: str) -> Iterator[Callable[[int], None]]:
    """Nobody reads signals while the block runs; gives a function that waits for so many who want to."""
    plain = url.replace("+psycopg", "")
    blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'signal'::regclass"
    with psycopg.connect(plain) as holder, psycopg.connect(plain, autocommit=True) as looker:
        holder.execute("LOCK TABLE signal IN ACCESS EXCLUSIVE MODE")

        def wait_for(readers: int) -> None:
            until = time.monotonic() + 15
            while looker.execute(blocked).fetchone() != (readers,):
                assert time.monotonic() < until
                time.sleep(0.05)

        yield wait_for
        holder.rollback()


def test_a_night_on_two_dask_workers_is_equal_to_the_byte_and_outlives_a_worker_and_the_scheduler(
    folder: Path,
    tmp_path: Path,
    new_database: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One cluster, in turn: as it should be; a worker killed in the middle; the scheduler gone in the middle; no
    scheduler from the start."""
    url = new_database()
    monkeypatch.setenv("PIPMETRICS_TEST_STORE", url)
    with opened(folder, NIGHT) as company, closing(Store.open(url, now=NIGHT)) as target:
        copy(company.store, target)
    (tmp_path / "dask").mkdir()
    cluster = Cluster(tmp_path / "dask")
    try:
        cluster.join(url)
        cluster.join(url)
        path = folder / "pipmetrics.yaml"
        text = path.read_text().replace("sqlite:///pipmetrics.db", '"${PIPMETRICS_TEST_STORE}"')
        path.write_text(text + f"executor: {cluster.address}\n")
        with opened(folder, NIGHT) as company:
            night = nightly._scored(company, None, NIGHT)
            await_workers(cluster, 2)
            there = nightly.evaluate(company, NIGHT)
            assert (there.shards, there.fell_back) == (7, ())
            assert told(there) == told(night)
            here = shards.judge(company, today(company))

        with ThreadPoolExecutor(1) as aside, locked(url) as wait_for:
            running = aside.submit(on_cluster, folder)
            wait_for(2)
            cluster.workers[0].kill()
        killed, workers = running.result(timeout=60)
        assert (workers.shards, workers.fell_back) == (4, [])
        assert told(killed) == told(here)

        with ThreadPoolExecutor(1) as aside, locked(url) as wait_for:
            running = aside.submit(on_cluster, folder)
            wait_for(1)
            cluster.scheduler.kill()
        gone, workers = running.result(timeout=60)
        assert workers.fell_back
        assert told(gone) == told(here)

        monkeypatch.setattr(shards, "CONNECT_S", 0.5)
        never, workers = on_cluster(folder)
        assert [why.partition(" (")[0] for why in workers.fell_back] == [
            f"ConnectionError: no Dask scheduler answers at {cluster.address}"
        ]
        assert told(never) == told(here)
    finally:
        cluster.end()


def on_cluster(folder: Path) -> tuple[Judged, Workers]:
    with opened(folder, NIGHT) as company, shards.workers(company) as workers:
        assert workers
        return workers.judge(company, today(company)), workers


def await_workers(cluster: Cluster, count: int) -> None:
    from distributed import Client

    with Client(cluster.address.replace("dask", "tcp"), set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(count, timeout=60)  # type: ignore[no-untyped-call]


def test_shards_hold_plans_of_the_same_metrics_and_are_of_one_size(folder: Path) -> None:
    with opened(folder, NIGHT) as company:
        plans = nightly.active(company, NIGHT)
    parts = shards._parts(plans, 3)
    assert [[plan.person for plan in part] for part in parts] == [["cleo"], ["ben"], ["ben", "ben"]]
    assert shards._parts(plans[:1], 6) == [(plans[0],)]
