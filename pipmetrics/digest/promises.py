"""The company's side of a plan as readers see it: every promised check-in and support, and how it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pipmetrics.model import Acts, CheckIn, Plan
from pipmetrics.score.company import check_in_days

CheckInState = Literal["held", "missed", "unrecorded", "upcoming", "closing"]
SupportState = Literal["done", "due", "overdue", "denied"]


@dataclass(frozen=True, slots=True)
class CheckInMark:
    """One check-in of the plan's strip; `note` is what was recorded with it, `by` who recorded it."""

    day: date
    week: str
    state: CheckInState
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SupportMark:
    """One promise of the company and how it stands; `owner` by the name that people know."""

    text: str
    owner: str
    due: date
    state: SupportState
    on: date | None = None


def local_day(at: datetime, plan: Plan) -> date:
    """The day of an instant in the plan's zone."""
    return at.astimezone(ZoneInfo(plan.timezone)).date()


def check_in_strip(plan: Plan, acts: Acts, as_of: datetime) -> tuple[CheckInMark, ...]:
    """All check-ins that the plan promises, and what was recorded of each; the last one closes the plan.

    What was recorded belongs to a promised day by the rule that counts them (score.company.check_ins): its calendar
    week, or the weeks before that of the next one.
    """
    days = check_in_days(plan)
    today = local_day(as_of, plan)
    recorded = [act for act in acts.check_ins if act.plan == plan.id]
    step = timedelta(days=7 * plan.check_in_weeks)
    marks = []
    for on in days:
        monday = on - timedelta(days=on.weekday())
        inside = [act for act in recorded if monday <= act.day < monday + step]
        act = next((each for each in inside if each.held), inside[-1] if inside else None)
        marks.append(_mark(on, act, today, last=on == days[-1]))
    return tuple(marks)


def _mark(on: date, act: CheckIn | None, today: date, *, last: bool) -> CheckInMark:
    week = f"W{on.isocalendar().week:02}"
    if act is not None and (act.held or on < today):
        return CheckInMark(on, week, "held" if act.held else "missed", act.by, act.note)
    if on < today:
        return CheckInMark(on, week, "unrecorded")
    return CheckInMark(on, week, "closing" if last else "upcoming")


def support_marks(plan: Plan, acts: Acts, as_of: datetime, called: Callable[[str], str]) -> tuple[SupportMark, ...]:
    """Every promise of the plan; `called` gives the name of an owner."""
    given = {act.support: act for act in acts.supports if act.plan == plan.id}
    today = local_day(as_of, plan)
    marks = []
    for place, promise in enumerate(plan.supports, start=1):
        act = given.get(place)
        state: SupportState = "overdue" if promise.due < today else "due"
        if act is not None:
            state = "denied" if act.confirmed is False else "done"
        marks.append(SupportMark(promise.text, called(promise.owner), promise.due, state, act.on if act else None))
    return tuple(marks)
