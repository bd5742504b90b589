"""Scale out: plans are evaluated in shards by any `concurrent.futures.Executor`: processes, a Dask cluster, anything.

A shard is a small message: which plans, as of when, over which state of the store, and the configuration as it was
checked. Neither tokens nor frames are in it: a worker opens the store itself, resolves what secrets the store's address
needs in its own environment, and only reads. What it gives back is what would have been made here, to the byte; a shard
that does not come back in time, or whose worker or cluster died, is evaluated here.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

import pipmetrics
from pipmetrics import beside
from pipmetrics.config import Config
from pipmetrics.errors import PipmetricsError, StoreError, UsageError
from pipmetrics.model import Baseline, Plan
from pipmetrics.records import scored, to_record
from pipmetrics.store import Evaluated, Store
from pipmetrics.store.engine import is_sqlite

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

A_WORKER = 3
"""Shards for each worker: enough that a slow one does not hold up the rest, few enough that reading is not repeated."""
DEADLINE_S = 1800.0
"""For all shards of an evaluation together; what has not come back then is evaluated here."""
CONNECT_S = 10.0
GLANCE_S = 0.5
"""How often it is looked whether the workers are still there."""
ALONE_S = 10.0
"""A cluster that has had no worker for so long is given up."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which plans to evaluate as of when. `in_force` says of which instant their texts are; with `before`, the end of
    the week before by plan, that which stands beside a weekly digest is made too."""

    plans: tuple[Plan, ...]
    as_of: datetime
    in_force: datetime
    before: Mapping[str, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be recorded of plans, in their order."""

    evaluated: tuple[Evaluated, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    incomplete: frozenset[str] = frozenset()
    revision: int = 0

    def __add__(self, other: Judged) -> Judged:
        return Judged(
            (*self.evaluated, *other.evaluated),
            (*self.baselines, *other.baselines),
            self.incomplete | other.incomplete,
            other.revision,
        )


def judge(company: Organisation, asked: Asked) -> Judged:
    """Evaluates plans in this process."""
    scoring = scored(company, asked.plans, asked.as_of)
    more = {} if asked.before is None else beside.of_week(company, scoring, asked.before, try_peers=True)
    found = scoring.evaluations
    judged = Judged(
        tuple(to_record(company, scoring, {plan: {beside.NAME: each.dump()} for plan, each in more.items()})),
        found.baselines,
        frozenset(f"{one.plan}: {gap}" for one in found.plans for gap in one.incomplete_sources),
        scoring.revision,
    )
    return _in_order(judged, asked.plans)


# --- the message, and what a worker does with it ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shard:
    """What a worker gets. `config` is a pickled, compressed Config without the trees of its files; secrets are in it as
    the references that the files hold. `plans` are (id, SHA-256 of the text)."""

    version: str
    config: bytes
    now: datetime
    plans: tuple[tuple[str, str], ...]
    as_of: datetime
    in_force: datetime
    before: Mapping[str, datetime] | None
    revision: int
    through: int


def packed(config: Config) -> bytes:
    """The configuration as a worker needs it."""
    bare = {path: replace(each, root=type(each.root)((0, 0)), comments=()) for path, each in config.documents.items()}
    return zlib.compress(pickle.dumps(replace(config, documents=bare), protocol=5))


def work(shard: Shard) -> Judged:
    """Evaluates a shard in a worker. Raises what tells the sender to do it itself: another version of ours, other
    plans, facts that have changed."""
    if shard.version != pipmetrics.__version__:
        raise UsageError(f"the worker runs pipmetrics {pipmetrics.__version__}, the sender {shard.version}")
    company = replace(_opened(shard.config), now=lambda: shard.now, through=shard.through)
    company.__dict__["store"] = _opened(shard.config).store
    wanted = dict(shard.plans)
    found = {plan.id: plan for plan in company.plans(None, shard.in_force) if plan.id in wanted}
    if {name: plan.digest for name, plan in found.items()} != wanted:
        raise StoreError("the store of the worker holds other plans")
    plans = tuple(found[name] for name, _ in shard.plans)
    judged = judge(company, Asked(plans, shard.as_of, shard.in_force, shard.before))
    if judged.revision != shard.revision:
        raise StoreError("the facts changed meanwhile")
    return judged


_lock = threading.Lock()
_kept: dict[str, Organisation] = {}


def _opened(config: bytes) -> Organisation:
    """The organisation of a packed configuration; the last one stays open for the next shards."""
    from pipmetrics.api import Organisation

    name = hashlib.sha256(config).hexdigest()
    with _lock:
        if name not in _kept:
            for former in _kept.values():
                former.store.close()
            _kept.clear()
            # What `packed` wrote; the executor that brings it pickles all of its messages anyway.
            company = Organisation(pickle.loads(zlib.decompress(config)))  # noqa: S301 - ours
            company.store  # noqa: B018 - opened once, before other threads ask for it
            _kept[name] = company
        return _kept[name]


# --- the sender ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Workers:
    """Evaluates through an executor. `count`: how many work at once; `there` says whether they still do.

    `shards` counts what was handed out, `fell_back` tells in words why what was done here after all.
    """

    executor: Executor
    count: int
    there: Callable[[], bool] = lambda: True
    shards: int = 0
    fell_back: list[str] = field(default_factory=list)

    def judge(self, company: Organisation, asked: Asked) -> Judged:
        parts = _parts(asked.plans, self.count * A_WORKER)
        revision, through = company.store.revision(), company.store.head().seq
        config, pinned = packed(company.config), replace(company, through=through)
        pinned.__dict__["store"] = company.store
        futures: dict[Future[Judged], tuple[Plan, ...]] = {}
        try:
            for plans in parts:
                shard = Shard(
                    pipmetrics.__version__, config, company.now(), tuple((plan.id, plan.digest) for plan in plans),
                    asked.as_of, asked.in_force, _of(asked.before, plans), revision, through,
                )  # fmt: skip
                futures[self.executor.submit(work, shard)] = plans
        except Exception as failure:  # noqa: BLE001 - an executor that takes no more work may say so in any way
            self.tell(failure)
        self.shards += len(futures)
        answers = [answer for answer in map(self.answer, self.ended(futures)) if answer is not None]
        done = {one.plan for answer in answers for one in answer.evaluated}
        came = {plan.id for future, plans in futures.items() if _is_good(future) for plan in plans}
        left = tuple(plan for plan in asked.plans if plan.id not in came | done)
        if left:
            _log.warning("%s of %s plans are evaluated in this process", len(left), len(asked.plans))
            answers.append(judge(pinned, replace(asked, plans=left, before=_of(asked.before, left))))
        return _in_order(sum(answers, Judged()), asked.plans)

    def ended(self, futures: Mapping[Future[Judged], object]) -> Sequence[Future[Judged]]:
        """Waits for the futures until the deadline, or until nobody works on them any more; cancels the rest."""
        open_, until = set(futures), monotonic() + DEADLINE_S
        while open_ and monotonic() < until and self.there():
            open_ = wait(open_, timeout=min(GLANCE_S, max(until - monotonic(), 0))).not_done
        for future in open_:
            future.cancel()
        if open_:
            gone = "" if self.there() else ": the workers are gone"
            self.tell(TimeoutError(f"{len(open_)} of {len(futures)} shards did not come back{gone}"))
        return [future for future in futures if future not in open_]

    def answer(self, future: Future[Judged]) -> Judged | None:
        if future.cancelled():
            self.tell(RuntimeError("a shard was cancelled"))
        elif (failure := future.exception()) is not None:
            self.tell(failure)
        else:
            return future.result()
        return None

    def tell(self, failure: BaseException) -> None:
        """Keeps the reason, once."""
        what = failure.what if isinstance(failure, PipmetricsError) else f"{type(failure).__name__}: {failure}"
        what = what.splitlines()[0]
        if what not in self.fell_back:
            self.fell_back.append(what)
            _log.warning("evaluated here after all: %s", what)


def _is_good(future: Future[Judged]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _of(before: Mapping[str, datetime] | None, plans: Sequence[Plan]) -> Mapping[str, datetime] | None:
    return None if before is None else {plan.id: before[plan.id] for plan in plans}


def _parts(plans: Sequence[Plan], most: int) -> list[tuple[Plan, ...]]:
    """Shards of nearly equal size; plans that ask for the same metrics stand together, so that less is read twice."""
    alike = sorted(plans, key=lambda plan: (sorted(each.metric or "" for each in plan.criteria), plan.id))
    count = min(len(alike), most)
    return [tuple(alike[len(alike) * n // count : len(alike) * (n + 1) // count]) for n in range(count)]


def _in_order(judged: Judged, plans: Sequence[Plan]) -> Judged:
    """In the order of the plans and, of a plan, of its criteria, whoever evaluated which first."""
    place = {plan.id: number for number, plan in enumerate(plans)}
    return replace(
        judged,
        evaluated=tuple(sorted(judged.evaluated, key=lambda one: place[one.plan])),
        baselines=tuple(sorted(judged.baselines, key=lambda one: (place[one.plan], one.criterion))),
    )


# --- which executor -----------------------------------------------------------------------------------------------


@contextmanager
def workers(company: Organisation) -> Iterator[Workers | None]:
    """Who evaluates: the executor that was handed in, what the settings name, or None: this process.

    UsageError for a cluster over SQLite. A cluster that cannot be reached is told, and this process does the work.
    """
    named = company.config.settings.executor
    if company.executor is not None:
        yield Workers(company.executor, getattr(company.executor, "_max_workers", None) or _cores())
    elif named == "local":
        with _processes() as found:
            yield found
    elif named:
        with _cluster(company.store, named) as found:
            yield found
    else:
        yield None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _processes() -> Iterator[Workers]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(_cores(), mp_context=get_context("spawn"))
    found = Workers(pool, _cores())
    try:
        yield found
    finally:
        if found.fell_back:  # one of them may hang: it would be waited for at the end of this process
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _cluster(store: Store, address: str) -> Iterator[Workers | None]:
    if is_sqlite(store.engine):
        raise UsageError(
            "the workers of a Dask cluster cannot reach an SQLite file",
            where="executor",
            mend="Use PostgreSQL, or `executor: local`.",
        )
    try:
        from distributed import Client as Connection
    except ImportError as error:
        raise UsageError(
            "the client of Dask is not installed", where="executor", mend="Run: pip install 'pipmetrics[dask]'"
        ) from error
    client_of: Any = Connection  # it has no types
    scheduler = address.replace("dask://", "tcp://", 1)
    try:
        client = client_of(scheduler, timeout=CONNECT_S, set_as_default=False)
    except OSError as failure:  # time-outs too
        yield Workers(_Nobody(f"no Dask scheduler answers at {address} ({type(failure).__name__})"), 1)
        return
    try:
        yield Workers(client.get_executor(pure=False), len(client.nthreads()) or 1, _Pulse(client).there)
    finally:
        client.close(timeout=CONNECT_S)


class _Nobody(Executor):
    """In the place of a cluster that is not there: says why."""

    def __init__(self, why: str) -> None:
        self.why = why

    def submit(self, *_: object, **__: object) -> Future[Any]:
        raise ConnectionError(self.why)


@dataclass(slots=True)
class _Pulse:
    """Whether a Dask cluster still works: futures of one that does not never end."""

    client: Any
    seen: float = field(default_factory=monotonic)

    def there(self) -> bool:
        if self.client.status != "running":
            return False
        if self.client.scheduler_info().get("workers"):
            self.seen = monotonic()
        return monotonic() - self.seen < ALONE_S
