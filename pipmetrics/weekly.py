"""Puts a weekly digest together: which plans, as of when, from what was recorded or, before that, evaluated now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipmetrics import windows
from pipmetrics.digest.model import Digest, Occasion, build
from pipmetrics.errors import UsageError
from pipmetrics.model import Json, Plan

if TYPE_CHECKING:
    from pipmetrics.api import Organisation


def weekly(
    company: Organisation,
    week: date | str | None,
    *,
    manager: str | None = None,
    person: str | None = None,
    plan: str | None = None,
) -> Digest:
    """The digest of a week (an ISO week, or any day of it; None: the last complete one).

    The week ends in each plan's own zone. What was recorded as of that end is shown as it was recorded.
    """
    monday = monday_of(week, company)
    plans = [each for each in company.plans(plan, week_end(monday, company.config.settings.timezone, company.now())) if _wanted(each, company, manager, person)]
    instants = {each.id: week_end(monday, each.timezone, company.now()) for each in plans}
    entries = [entry for at in sorted(set(instants.values())) for entry in _evaluated(company, plans, instants, at)]
    as_of = max(instants.values(), default=week_end(monday, company.config.settings.timezone, company.now()))
    reader = company.config.people[manager].name if manager else ""
    occasion = Occasion(monday, as_of, reader, ledger=company.store.head().hash)
    return build({"plans": entries}, plans, company.config.people, company.acts(as_of), occasion)


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


def _wanted(plan: Plan, company: Organisation, manager: str | None, person: str | None) -> bool:
    people = company.config.people
    for name in (manager, person):
        if name is not None and name not in people:
            raise UsageError(f"there is no person {name!r} in people.yaml")
    manages = manager in (None, plan.manager, people[plan.person].manager)
    return manages and person in (None, plan.person)


def _evaluated(
    company: Organisation, plans: Sequence[Plan], instants: Mapping[str, datetime], at: datetime
) -> Sequence[Json]:
    from pipmetrics.score import evaluate

    chosen = [plan for plan in plans if instants[plan.id] == at]
    recorded = company.recorded(chosen, at)
    left = [plan for plan in chosen if plan.id not in recorded]
    fresh = evaluate(left, company.measured(left, at), at).to_json()["plans"] if left else []
    return [*recorded.values(), *fresh]
