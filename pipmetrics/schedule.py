"""When the jobs are due, and the scheduler of `serve` that starts them.

Times are local: a time that the clocks skip is due right after the change, one that they repeat is due the first time
only. What was missed is decided from the recorded runs, not from the scheduler's memory: once, however much it was.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pipmetrics.errors import PipmetricsError, Refused, UsageError
from pipmetrics.pull import Stop
from pipmetrics.runner import answered
from pipmetrics.store import Store

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]  # it has none

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
GRACE = timedelta(hours=12)
"""A job that the machine slept through is still started so long after its time; later, the catch-up does it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Times:
    """A time of each day, or of one weekday (0 = Monday), in a zone."""

    at: time
    zone: ZoneInfo
    weekday: int | None = None

    @classmethod
    def of(cls, text: str, timezone: str) -> Times:
        """From ``02:30`` or ``Mon 07:00``."""
        day, _, at = text.rpartition(" ")
        try:
            return cls(time.fromisoformat(at), ZoneInfo(timezone), DAYS.index(day) if day else None)
        except ValueError as error:
            raise UsageError(f"{text!r} is no time of a schedule", mend="Write 02:30, or Mon 07:00.") from error

    def on(self, day: date) -> datetime:
        """The instant on a local day, UTC: the first of two, or the first after a gap."""
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def after(self, instant: datetime) -> datetime:
        """The first time after an instant."""
        return next(at for at in map(self.on, self._days(instant, 1)) if at > instant)

    def before(self, instant: datetime) -> datetime:
        """The last time at or before an instant."""
        return next(at for at in map(self.on, self._days(instant, -1)) if at <= instant)

    def _days(self, instant: datetime, step: int) -> Iterator[date]:
        day = instant.astimezone(self.zone).date() - timedelta(days=step)
        while True:
            if self.weekday in (None, day.weekday()):
                yield day
            day += timedelta(days=step)


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the schedule. `work` gets the slot that it answers to; it runs under the lease and records a run of
    kind `kind`."""

    kind: str
    times: Times
    work: Callable[[datetime], object]


def jobs_of(
    schedule: Mapping[str, str], timezone: str, work: Mapping[str, Callable[[datetime], object]]
) -> tuple[Job, ...]:
    """The jobs that `settings.schedule` names (nightly, digest), with their work."""
    return tuple(Job(kind, Times.of(text, timezone), work[kind]) for kind, text in schedule.items() if kind in work)


def missed(store: Store, job: Job, now: datetime) -> datetime | None:
    """The last slot of a job when no run answered to it; None when one did, or when no run was ever made."""
    slot = job.times.before(now)
    if not store.runs([job.kind], limit=1):
        return None
    return None if answered(store, job.kind, slot, now) else slot


@dataclass(slots=True)
class Schedule:
    """The running schedule. `stop` ends the work after the commit it is in."""

    store: Store
    jobs: tuple[Job, ...]
    clock: Callable[[], datetime]
    stopping: threading.Event

    def start(self) -> BackgroundScheduler:
        """Starts the jobs in threads of their own, those that were missed at once."""
        from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]  # it has none
        from apscheduler.jobstores.memory import MemoryJobStore  # type: ignore[import-untyped]  # it has none
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": int(GRACE.total_seconds())},
            timezone=UTC,
        )
        for job in self.jobs:
            scheduler.add_job(self.attempt, _trigger(job.times), args=[job], id=job.kind, name=job.kind)
            if (slot := missed(self.store, job, self.clock())) is not None:
                _log.info("%s of %s was missed, catching up", job.kind, slot)
                scheduler.add_job(self.attempt, args=[job], id=f"{job.kind} missed", name=f"{job.kind}, missed")
        scheduler.start()
        return scheduler

    def attempt(self, job: Job) -> None:
        """Does a job's work for its last slot, unless it is done or somebody else is at it."""
        now = self.clock()
        slot = job.times.before(now)
        if self.stopping.is_set() or answered(self.store, job.kind, slot, now) is not None:
            return
        try:
            job.work(slot)
        except Refused as error:
            _log.warning("%s: %s", job.kind, error.what)
        except Stop:
            _log.info("%s was stopped", job.kind)
        except PipmetricsError as error:
            _log.error("%s failed: %s", job.kind, error)
        except Exception:  # noqa: BLE001 - a fault of one night must not end the service
            _log.exception("%s failed", job.kind)

    def pause_point(self, _source: str = "", _done: int = 0, _total: int | None = None) -> None:
        """A progress callback that ends the work after a commit once the service is asked to stop."""
        if self.stopping.is_set():
            raise Stop

    def stop(self, scheduler: BackgroundScheduler) -> None:
        """Ends the jobs: the one at work after its next commit."""
        self.stopping.set()
        scheduler.shutdown(wait=True)


def _trigger(times: Times) -> Any:
    from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]  # it has none

    class At(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
        """APScheduler's own cron trigger fires twice when the clocks go back."""

        def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
            return times.after(max(filter(None, (previous_fire_time, now))))

    return At()


@contextmanager
def serving(schedule: Schedule) -> Iterator[BackgroundScheduler]:
    """Runs the schedule while the block runs, and ends it cleanly on the way out."""
    scheduler = schedule.start()
    try:
        yield scheduler
    finally:
        schedule.stop(scheduler)


def wait_for_signal(stopping: threading.Event) -> None:
    """Waits until SIGTERM or SIGINT asks to stop, or somebody sets the event. In the main thread only."""
    former = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        stopping.wait()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
