from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest

from pipmetrics.errors import SourceError, UsageError
from pipmetrics.runner import Steps, run
from pipmetrics.schedule import Job, Schedule, Times, jobs_of, missed, serving, wait_for_signal
from pipmetrics.store import Store
from tests.conftest import NOW

BERLIN = "Europe/Berlin"
DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "now", "before", "after"),
    [
        ("02:30", "2026-11-24T01:30", "2026-11-24T01:30", "2026-11-25T01:30"),
        ("02:30", "2026-11-24T01:29:59", "2026-11-23T01:30", "2026-11-24T01:30"),
        ("02:30", "2026-07-01T12:00", "2026-07-01T00:30", "2026-07-02T00:30"),
        ("Mon 07:00", "2026-11-24T12:00", "2026-11-23T06:00", "2026-11-30T06:00"),
        ("Mon 07:00", "2026-11-23T06:00", "2026-11-23T06:00", "2026-11-30T06:00"),
        ("Sun 23:30", "2026-11-22T22:00", "2026-11-15T22:30", "2026-11-22T22:30"),
        # the clocks skip 02:30 on 29 March, and show it twice on 25 October
        ("02:30", "2026-03-29T00:00", "2026-03-28T01:30", "2026-03-29T01:30"),
        ("02:30", "2026-10-25T00:00", "2026-10-24T00:30", "2026-10-25T00:30"),
        ("02:30", "2026-10-25T00:30", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_the_times_around_an_instant(text: str, now: str, before: str, after: str) -> None:
    times = Times.of(text, BERLIN)
    assert times.before(utc(now)) == utc(before)
    assert times.after(utc(now)) == utc(after)


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
def test_a_nightly_job_runs_exactly_once_on_each_local_day_of_a_year(zone: str) -> None:
    for text in ("00:00", "01:30", "02:00", "02:30", "03:00"):
        times = Times.of(text, zone)
        at, days = utc("2026-01-01T12:00"), []
        for _ in range(365):
            at = times.after(at)
            days.append(at.astimezone(times.zone).date())
        assert [late - early for early, late in pairwise(days)] == [DAY] * 364


@pytest.mark.parametrize("text", ["", "25:00", "Mo 07:00", "07:00 Mon", "often"])
def test_a_time_that_is_none_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="no time of a schedule"):
        Times.of(text, BERLIN)


def test_the_settings_name_the_jobs() -> None:
    work: dict[str, Callable[[datetime], object]] = {"nightly": print, "digest": repr}
    jobs = jobs_of({"nightly": "02:30", "digest": "Mon 07:00", "other": "x"}, BERLIN, work)
    assert [(job.kind, job.times.weekday, job.work) for job in jobs] == [("nightly", None, print), ("digest", 0, repr)]


def nightly(store: Store, clock: Callable[[], datetime], steps: Steps | None = None) -> Job:
    def work(slot: datetime) -> object:
        return run(store, steps or Steps(), clock=clock, slot=slot)

    return Job("nightly", Times.of("02:30", "UTC"), work)


def at(now: datetime) -> Callable[[], datetime]:
    return lambda: now


def test_a_week_of_missed_nights_is_caught_up_once(store: Store) -> None:
    run(store, Steps(), clock=at(NOW))
    now = NOW + timedelta(days=7, hours=5)
    job = nightly(store, at(now))
    assert missed(store, job, NOW + timedelta(hours=5)) is None
    slot = missed(store, job, now)
    assert slot == NOW + timedelta(days=7)
    job.work(slot)
    assert missed(store, job, now) is None
    assert len(store.runs(["nightly"])) == 2


def test_a_night_that_was_killed_or_failed_is_caught_up(store: Store) -> None:
    store.begin_run("nightly", NOW, NOW.isoformat())
    assert missed(store, nightly(store, at(NOW)), NOW + timedelta(hours=1)) == NOW


def test_nothing_is_missed_before_the_first_run(store: Store) -> None:
    assert missed(store, nightly(store, at(NOW)), NOW) is None


def test_two_schedulers_on_one_store_run_each_slot_once(store: Store, store_url: str) -> None:
    """Both try the same slots at the same time, over and over."""
    other = Store.open(store_url, now=NOW, key=store.key and store.key.path)
    ran: list[datetime] = []
    nights, together = 8, threading.Barrier(2, timeout=60)

    def scheduler(mine: Store) -> None:
        for number in range(nights):
            together.wait()
            now = NOW + number * DAY
            steps = Steps(check=lambda _store, now: ran.append(now) or ())  # type: ignore[func-returns-value]  # list
            for _ in range(3):
                Schedule(mine, (), at(now), threading.Event()).attempt(nightly(mine, at(now), steps))

    threads = [threading.Thread(target=scheduler, args=(each,)) for each in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(ran)) == [NOW + number * DAY for number in range(nights)]
    slots = [one.slot for one in store.runs(["nightly"]) if one.outcome == "done"]
    assert len(slots) == len(set(slots)) == len(ran)
    other.close()


def test_the_scheduler_catches_up_at_its_start_and_stops_when_told(store: Store) -> None:
    run(store, Steps(), clock=at(NOW))
    done, now = threading.Event(), NOW + timedelta(days=2)
    steps = Steps(deliver=lambda *_: done.set())  # type: ignore[arg-type, return-value]  # its result is not looked at
    schedule = Schedule(store, (nightly(store, at(now), steps),), at(now), threading.Event())
    with serving(schedule) as scheduler:
        assert done.wait(20)
        assert [job.id for job in scheduler.get_jobs() if job.id == "nightly"] == ["nightly"]
    assert not scheduler.running


def test_a_job_is_started_at_its_time(store: Store) -> None:
    done = threading.Event()
    soon = datetime.now(UTC) + timedelta(seconds=1.2)

    class Soon(Times):
        def after(self, instant: datetime) -> datetime:
            return soon if instant < soon else instant + DAY

        def before(self, instant: datetime) -> datetime:
            return soon if instant >= soon else soon - DAY

    base = Times.of("00:00", "UTC")
    job = Job("nightly", Soon(base.at, base.zone), lambda _slot: done.set())
    with serving(Schedule(store, (job,), lambda: datetime.now(UTC), threading.Event())):
        assert done.wait(20)
    assert datetime.now(UTC) >= soon


def test_a_stopped_service_ends_the_work_after_a_commit(store: Store) -> None:
    stopping = threading.Event()
    schedule = Schedule(store, (), at(NOW), stopping)
    reached = count()

    def pull(_store: Store, _now: datetime, _run: int) -> tuple[()]:
        for _ in range(1000):
            schedule.pause_point()
            if next(reached) == 3:
                stopping.set()
        return ()

    schedule.attempt(nightly(store, at(NOW), Steps(pull=pull)))
    assert next(reached) == 4
    assert store.runs(["nightly"])[0].outcome == "stopped"
    schedule.attempt(nightly(store, at(NOW)))
    assert len(store.runs(["nightly"])) == 1  # nothing is begun any more


@pytest.mark.parametrize("fault", [SourceError("x"), KeyError("y")])
def test_a_job_that_fails_does_not_end_the_service(
    store: Store, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def work(_slot: datetime) -> None:
        raise fault

    schedule = Schedule(store, (), at(NOW), threading.Event())
    schedule.attempt(Job("nightly", Times.of("02:30", "UTC"), work))
    assert "nightly failed" in caplog.text


def test_sigterm_sets_the_event_and_the_former_handler_comes_back() -> None:
    stopping = threading.Event()
    former = signal.getsignal(signal.SIGTERM)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    wait_for_signal(stopping)
    assert stopping.is_set()
    assert signal.getsignal(signal.SIGTERM) == former
