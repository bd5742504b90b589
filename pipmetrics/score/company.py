"""The company's side of a plan: support, check-ins, and how much of the time the person was there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from pipmetrics import windows
from pipmetrics.model import Acts, Plan, Recommendation, Verdict

SUPPORTS_AT_LEAST = 0.8
CHECK_INS_AT_LEAST = 0.75
AWAY_AT_MOST = 1 / 3


def supports(plan: Plan, acts: Acts, as_of: datetime) -> tuple[int, int]:
    """How many promises were due (their day has passed), and how many of those were delivered and not denied."""
    due = [
        place
        for place, support in enumerate(plan.supports, start=1)
        if windows.first_instant(support.due + timedelta(days=1), plan.timezone) <= as_of
    ]
    given = {act.support for act in acts.supports if act.plan == plan.id and act.confirmed is not False}
    return len(due), sum(place in given for place in due)


def check_in_days(plan: Plan) -> tuple[date, ...]:
    """The promised days: the weekday of every n-th week from the start to the end, both included."""
    if plan.check_in_weekday is None:
        return ()
    first = plan.start + timedelta(days=(plan.check_in_weekday - plan.start.weekday()) % 7)
    return tuple(
        first + timedelta(days=days) for days in range(0, (plan.end - first).days + 1, 7 * plan.check_in_weeks)
    )


def check_ins(plan: Plan, acts: Acts, as_of: datetime) -> tuple[int, int]:
    """How many check-ins were due (their day has passed), and how many of those were held.

    One that was moved counts for the promised day when it was held in that day's calendar week, or before the week of
    the next one.
    """
    held = [act.day for act in acts.check_ins if act.plan == plan.id and act.held]
    due = [day for day in check_in_days(plan) if windows.first_instant(day + timedelta(days=1), plan.timezone) <= as_of]
    step = timedelta(days=7 * plan.check_in_weeks)
    mondays = [day - timedelta(days=day.weekday()) for day in due]
    return len(due), sum(any(monday <= day < monday + step for day in held) for monday in mondays)


def shortfalls(supports: tuple[int, int], check_ins: tuple[int, int], away: float) -> tuple[str, ...]:
    """Why the outcome can not be laid at the person's door: what the company owed, or the time they were away."""
    found = []
    if supports[0] and supports[1] < SUPPORTS_AT_LEAST * supports[0]:
        found.append(f"{supports[1]} of {supports[0]} supports due were delivered")
    if check_ins[0] and check_ins[1] < CHECK_INS_AT_LEAST * check_ins[0]:
        found.append(f"{check_ins[1]} of {check_ins[0]} check-ins were held")
    if away > AWAY_AT_MOST:
        found.append(f"the person was away for {away * 100:.0f} % of the working days")
    return tuple(found)


def recommendation(verdict: Verdict, shortfalls: Sequence[str], *, contested: bool) -> Recommendation:
    """What the facts suggest at the end; never `not_complete` when the company fell short or a contest is open."""
    if contested or verdict == "not_enough_data":
        return "undetermined"
    if verdict == "met":
        return "complete"
    return "extend" if verdict == "inconclusive" or shortfalls else "not_complete"
