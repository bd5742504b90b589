"""Composes the night: which sources are pulled, which plans are scored as of when, what is delivered to whom."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipmetrics import retention, runner, shards, windows
from pipmetrics.errors import PipmetricsError
from pipmetrics.model import Plan
from pipmetrics.pull import Progress, Pulled
from pipmetrics.records import latest, recorded, says_the_same
from pipmetrics.runner import Delivered, RunReport, Scored, Steps
from pipmetrics.schedule import Schedule, jobs_of
from pipmetrics.shards import Asked, Judged, Workers
from pipmetrics.sources import pull_all
from pipmetrics.store import Evaluated, Store
from pipmetrics.weekly import monday_of, plans_of_week, week_end

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

_log = logging.getLogger(__name__)


def run(
    company: Organisation,
    *,
    progress: Progress | None = None,
    slot: datetime | None = None,
    pause: Callable[[], None] = lambda: None,
) -> RunReport:
    """The nightly job once. Refused while another one runs on the same store.

    `pause` is called before each step and after each commit of the pull; Stop that it raises ends the run there.
    """

    def told(source: str, done: int, total: int | None) -> None:
        if progress is not None:
            progress(source, done, total)
        pause()

    return runner.run(company.store, steps(company, told, pause), clock=company.now, slot=slot)


def pull(
    company: Organisation, sources: Sequence[str], since: datetime | None, progress: Progress | None
) -> list[Pulled]:
    """A pull by hand, of these sources: under the same lease as a night, and with a run record of its own."""
    chosen = {name: company.config.settings.sources[name] for name in sources}

    def work(store: Store, _now: datetime, number: int) -> Sequence[Pulled]:
        return pull_all(company, chosen, since=since, progress=progress, store=store, run=number)

    return list(runner.run(company.store, Steps(pull=work), clock=company.now, kind="pull").pulled)


def send(company: Organisation, *, slot: datetime | None = None) -> RunReport:
    """Delivers what is due, as the schedule's weekly job does."""
    work = Steps(deliver=lambda store, now: deliver(on(company, store), now))
    return runner.run(company.store, work, clock=company.now, kind="digest", slot=slot)


def steps(company: Organisation, progress: Progress | None = None, pause: Callable[[], None] = lambda: None) -> Steps:
    def pull(store: Store, _now: datetime, number: int) -> Sequence[Pulled]:
        pause()
        with _step(store, "pull") as told:
            found = pull_all(company, company.config.settings.sources, progress=progress, store=store, run=number)
            told |= {one.source: one.error or ", ".join(one.gaps) or "complete" for one in found}
            return found

    def check(store: Store, _now: datetime) -> Sequence[str]:
        pause()
        with _step(store, "check") as told:
            found = checked(company)
            told["findings"] = len(found)
            return found

    def expire(store: Store, now: datetime) -> Sequence[str]:
        found = retention.expire(company, store, now)
        for what in found:
            _log.info("expired: %s", what)
        return found

    def score(store: Store, now: datetime) -> Scored:
        pause()
        with _step(store, "evaluate") as told:
            found = evaluate(on(company, store), now)
            told |= {"plans": len(found.plans), "evaluations": len(found.evaluated)}
            if found.shards or found.fell_back:
                told |= {"shards": found.shards, "fell_back": list(found.fell_back)}
            return found

    def hand_over(store: Store, now: datetime) -> Delivered:
        pause()
        with _step(store, "deliver") as told:
            found = deliver(on(company, store), now)
            told |= {"sent": found.sent, "failed": len(found.failed)}
            return found

    return Steps(check=check, pull=pull, evaluate=score, deliver=hand_over, expire=expire)


@contextmanager
def _step(store: Store, name: str) -> Iterator[dict[str, object]]:
    """Logs one line when a step of a run has ended: the number of the run, how long it took, and what it tells."""
    began, told = perf_counter(), dict[str, object]()
    yield told
    fields = {"run": store.runs(limit=1)[0].id, "step": name, "seconds": round(perf_counter() - began, 3), **told}
    _log.info("%s done", name, extra={"fields": fields})


def on(company: Organisation, store: Store) -> Organisation:
    """The same organisation, working through a store that holds the lease."""
    other = replace(company)
    other.__dict__["store"] = store
    return other


def checked(company: Organisation) -> Sequence[str]:
    """What the lint rules say of the plans; the configuration itself was checked when it was opened."""
    from pipmetrics.config import lint

    return [f"{one.file}:{one.line}: {one.code} {one.what}" for one in lint.lint(company.config) if one.waived is None]


# --- what is scored -----------------------------------------------------------------------------------------------


def evaluate(company: Organisation, now: datetime) -> Scored:
    """Every plan that nobody has decided on, as of now and, where that is not on record yet, as of the end of the last
    complete week: what the weekly digest shows, then and for ever.

    A result as of now that says nothing new goes on record once a day, and after the plan's end once.
    """
    with shards.workers(company) as workers:
        return _scored(company, workers, now)


def _scored(company: Organisation, workers: Workers | None, now: datetime) -> Scored:
    from pipmetrics import kept

    plans = {plan.id: plan for plan in active(company, now)}
    kept.refresh(company, list(plans.values()), now)
    monday = monday_of(None, company)
    weeks = Judged()
    for at, due in _weeks(company, list(plans.values()), monday, now):
        before = {plan.id: week_end(monday - timedelta(days=7), plan.timezone, now) for plan in due}
        weeks += _judge(company, workers, Asked(tuple(due), at, now, before))
    today = _judge(company, workers, Asked(tuple(plans.values()), now, now))
    news = [one for one in today.evaluated if _is_news(company, plans[one.plan], one)]
    baselines = {(each.plan, each.criterion): each for each in (*weeks.baselines, *today.baselines)}
    return Scored(
        list(plans.values()),
        [*weeks.evaluated, *news],
        list(baselines.values()),
        sorted(today.incomplete),
        workers.shards if workers else 0,
        tuple(workers.fell_back) if workers else (),
    )


def _judge(company: Organisation, workers: Workers | None, asked: Asked) -> Judged:
    return workers.judge(company, asked) if workers else shards.judge(company, asked)


def active(company: Organisation, now: datetime) -> list[Plan]:
    """The plans in force that nobody has decided on, and that did not end too long ago to be kept."""
    from pipmetrics.acts import all_lives

    lives, over = all_lives(company.store, now), retention.over(company, company.store, now)
    plans = [one for one in company.plans(None, now) if one.id not in over]
    return [one for one in plans if one.id not in lives or lives[one.id].decided is None]


def _weeks(
    company: Organisation, plans: Sequence[Plan], monday: date, now: datetime
) -> Iterator[tuple[datetime, Sequence[Plan]]]:
    """The ends of a week that are not on record, with their plans; zones end it one after another."""
    by_instant: dict[datetime, list[Plan]] = {}
    for plan in plans_of_week(company, plans, monday):
        by_instant.setdefault(week_end(monday, plan.timezone, now), []).append(plan)
    for at, due in sorted(by_instant.items()):
        held = recorded(company, due, at)
        left = [plan for plan in due if plan.id not in held]
        if left:
            yield at, left


def _is_news(company: Organisation, plan: Plan, one: Evaluated) -> bool:
    """Whether it says more than the last one on record of the same day, or, of an ended plan, of any day."""
    last = latest(company, one.plan)
    if last is None or (last.payload["version"], last.payload["plan_hash"]) != (one.version, one.plan_hash):
        return True
    then = datetime.fromisoformat(last.payload["as_of"])
    days = [at.astimezone(ZoneInfo(plan.timezone)).date() for at in (then, one.as_of)]
    if days[0] != days[1] and not windows.closed(plan, then):
        return True
    return not says_the_same(last.entry, one.result["plans"][0])


# --- what is delivered --------------------------------------------------------------------------------------------


def deliver(company: Organisation, now: datetime) -> Delivered:
    """The weekly digests that are due and were not sent yet, by the ways that the settings name."""
    from pipmetrics import delivery, post

    monday = post.due_week(company, now)
    if monday is None:
        return Delivered()
    try:
        messages, ways = post.messages(company, monday, now), post.ways(company)
    except PipmetricsError as error:  # the night's other work stands; what could not be addressed is told and due again
        return Delivered(0, [str(error)])
    done = delivery.deliver(messages, ways, company.store, company.now)
    failed = [f"{one.to}: {one.why}" for one in done if one.outcome == "failed"]
    return Delivered(sum(one.outcome == "sent" for one in done), failed)


def rehearse(company: Organisation, folder: Path) -> list[str]:
    """Writes what `deliver` would send now into files, and notes nothing; gives their names."""
    from pipmetrics import delivery, post

    monday = post.due_week(company, company.now(), anyway=True)
    messages = post.messages(company, monday, company.now(), anyway=True) if monday else ()
    write = delivery.into_files(folder)
    delivery.deliver(messages, {"mail": write, "chat": write}, delivery.Forgetful(), company.now)
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


# --- when ---------------------------------------------------------------------------------------------------------


def schedule_of(company: Organisation, stopping: Event, *, jobs: bool = True) -> Schedule:
    """The jobs of the settings. Each opens the configuration anew, as it is when the job is due."""
    from pipmetrics.api import open_organisation

    settings = company.config.settings
    schedule = Schedule(company.store, (), company.now, stopping)

    def nightly(slot: datetime) -> None:
        with open_organisation(settings.folder, executor=company.executor) as fresh:
            run(fresh, slot=slot, pause=schedule.pause_point)

    def digest(slot: datetime) -> None:
        with open_organisation(settings.folder) as fresh:
            send(fresh, slot=slot)

    if jobs:
        schedule.jobs = jobs_of(settings.schedule, settings.timezone, {"nightly": nightly, "digest": digest})
    return schedule
