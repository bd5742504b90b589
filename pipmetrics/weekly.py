"""Puts a weekly digest together: which plans, as of when, from what was recorded or, before that, evaluated now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipmetrics import beside, windows
from pipmetrics.beside import Beside
from pipmetrics.digest import model as digests
from pipmetrics.digest.model import Digest, Occasion, Points
from pipmetrics.errors import ConfigError, UsageError
from pipmetrics.model import Json, Person, Plan
from pipmetrics.records import OnRecord, as_it_was, recorded, scored

if TYPE_CHECKING:
    from pipmetrics.api import Organisation


@dataclass(frozen=True, slots=True)
class Week:
    """A digest, and the data points of its criteria for those surfaces that show them."""

    digest: Digest
    points: Points


@dataclass(frozen=True, slots=True)
class _Told:
    """One plan of the week: what is said of it, beside what; `record` None: it was evaluated now."""

    plan: Plan
    person: Person
    entry: Json
    beside: Beside
    record: OnRecord | None = None


def weekly(
    company: Organisation,
    week: date | str | None,
    *,
    manager: str | None = None,
    person: str | None = None,
    plan: str | None = None,
    reader: str | None = None,
) -> Week:
    """The digest of a week (an ISO week, or any day of it; None: the last complete one): of the people somebody
    manages, of one person, of one plan, or of all that concerns a reader (who manages, is on a plan, or both).

    The week ends in each plan's own zone. What was recorded as of that end is shown as it was recorded.
    """
    monday = monday_of(week, company)
    own_end = week_end(monday, company.config.settings.timezone, company.now())
    _known(company, manager, person, reader)
    in_force = company.plans(plan, own_end)
    wanted = [one for one in in_force if _wanted(one, company, manager, person, reader)]
    plans = plans_of_week(company, wanted, monday)
    instants = {one.id: week_end(monday, one.timezone, company.now()) for one in plans}
    told = [one for at in sorted(set(instants.values())) for one in _told(company, plans, instants, at, monday)]
    whose = manager or person or reader
    name = company.config.people[whose].name if whose else ""
    occasion = Occasion(monday, max(instants.values(), default=own_end), name, _anchor(company, told))
    return _built(company, in_force, told, occasion)


def monday_of(week: date | str | None, company: Organisation) -> date:
    """The Monday of a week; UsageError when the text is no ISO week."""
    if week is None:
        today = company.now().astimezone(ZoneInfo(company.config.settings.timezone)).date()
        return today - timedelta(days=today.weekday() + 7)
    if isinstance(week, str):
        return windows.iso_week(week, "UTC").start.date()
    return week - timedelta(days=week.weekday())


def week_end(monday: date, timezone: str, now: datetime) -> datetime:
    """The instant when the week is over in a zone, or now when it is not over yet."""
    return min(windows.first_instant(monday + timedelta(days=7), timezone), now)


def _known(company: Organisation, *names: str | None) -> None:
    people = company.config.people
    for name in names:
        if name is not None and name not in people:
            near = get_close_matches(name, people, 1)
            mend = f"Did you mean {near[0]!r}?" if near else "people.yaml lists those there are."
            raise UsageError(f"there is no person {name!r} in people.yaml", mend=mend)


def _wanted(plan: Plan, company: Organisation, manager: str | None, person: str | None, reader: str | None) -> bool:
    managers = (plan.manager, company.config.people[plan.person].manager)
    return (
        (manager is None or manager in managers)
        and person in (None, plan.person)
        and (reader is None or reader in (*managers, plan.person))
    )


def plans_of_week(company: Organisation, plans: Sequence[Plan], monday: date) -> list[Plan]:
    """Those of the week: begun before its end; and not over before it began, or over and waiting for a decision."""
    from pipmetrics.acts import all_lives

    lives = all_lives(company.store, windows.first_instant(monday, company.config.settings.timezone))
    waiting = {plan.id for plan in plans if plan.id not in lives or lives[plan.id].decided is None}
    return [
        plan
        for plan in plans
        if not plan.draft
        and plan.start < monday + timedelta(days=7)
        and (plan.end >= monday or (plan.kind == "pip" and plan.id in waiting))
    ]


# --- on record, or evaluated now ----------------------------------------------------------------------------------


def _told(
    company: Organisation, plans: Sequence[Plan], instants: Mapping[str, datetime], at: datetime, monday: date
) -> Sequence[_Told]:
    chosen = [plan for plan in plans if instants[plan.id] == at]
    known = recorded(company, chosen, at)
    told = [_as_recorded(company, plan, known[plan.id]) for plan in chosen if plan.id in known]
    left = [plan for plan in chosen if plan.id not in known]
    return [*told, *(_evaluated(company, left, at, monday) if left else ())]


def _as_recorded(company: Organisation, plan: Plan, kept: OnRecord) -> _Told:
    try:
        plan, past = as_it_was(company, kept)
    except (UsageError, ConfigError):  # texts erased, or they name who is gone: today's stand beside recorded figures
        past = company
    more = beside.kept(company, kept) or Beside()
    return _Told(plan, past.config.people[plan.person], kept.entry, more, kept)


def _evaluated(company: Organisation, plans: Sequence[Plan], at: datetime, monday: date) -> Sequence[_Told]:
    scoring = scored(company, plans, at)
    before = {plan.id: week_end(monday - timedelta(days=7), plan.timezone, company.now()) for plan in plans}
    more = beside.of_week(company, scoring, before)
    known = {plan.id: plan for plan in plans}
    people = company.config.people
    return [
        _Told(known[entry["plan"]], people[entry["person"]], entry, more[entry["plan"]])
        for entry in scoring.evaluations.to_json()["plans"]
    ]


def _anchor(company: Organisation, told: Sequence[_Told]) -> str:
    """SEQ:HASH of the ledger for `verify --anchor`: of what is shown when all of it is on record, else the head."""
    records = [one.record for one in told]
    shown = [each for each in records if each is not None]
    if shown and len(shown) == len(records):
        return max(shown, key=lambda each: each.seq).anchor
    return str(company.store.head())


def _built(company: Organisation, in_force: Sequence[Plan], told: Sequence[_Told], occasion: Occasion) -> Week:
    plans = {plan.id: plan for plan in in_force} | {one.plan.id: one.plan for one in told}
    people = {**company.config.people, **{one.person.id: one.person for one in told}}
    points = {(one.plan.id, name): rows for one in told for name, rows in one.beside.points.items()}
    around = digests.Beside(
        points=points,
        late={one.plan.id: one.beside.late for one in told},
        peers={(one.plan.id, name): met for one in told for name, met in (one.beside.peers or {}).items()},
    )
    entries = {"plans": [one.entry for one in told]}
    made = digests.build(entries, list(plans.values()), people, company.acts(occasion.as_of), occasion, around)
    nights = missed_nights(company, occasion)
    return Week(replace(made, incomplete=(*made.incomplete, *nights)), points)


def missed_nights(company: Organisation, occasion: Occasion) -> Sequence[str]:
    """The nights of the week in which no run came to its end, or one did that lacked something; in words.

    Nights before the first run ever are nobody's fault, and where no nightly job is scheduled none is missed.
    """
    from pipmetrics.schedule import GRACE, Times

    settings = company.config.settings
    runs = [run for run in company.store.runs(("nightly",)) if run.started < occasion.as_of]
    if "nightly" not in settings.schedule or not runs:
        return ()
    times = Times.of(settings.schedule["nightly"], settings.timezone)
    days = [occasion.monday + timedelta(days=n) for n in range(7)]
    said = []
    for day, slot in ((day, times.on(day)) for day in days):
        if slot <= runs[-1].started or slot + GRACE > occasion.as_of:
            continue
        outcomes = {run.outcome for run in runs if slot <= run.started < times.after(slot)}
        if not outcomes & {"done", "incomplete"}:
            said.append(f"no nightly run came to its end on {day:%d %b}")
        elif "done" not in outcomes:
            said.append(f"the nightly run of {day:%d %b} was incomplete")
    return said
