"""What waits for the reader this week, the company's duties first, and what the next check-in is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipmetrics.digest import words
from pipmetrics.digest.promises import CheckInMark, SupportMark
from pipmetrics.model import Dispute, Json, Plan

ANSWER_WITHIN = timedelta(days=10)
"""How long a contest may wait for its answer before the digest calls it overdue."""
SOON = 24.0
"""Hours of the criterion's clock before its limit from which an open item waits for somebody today."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for the reader; `due` None: overdue. `plan` says of which plan, `private` of coaching."""

    what: str
    why: str
    due: date | None
    plan: str = ""
    private: bool = False


def needs_of(
    plan: Plan,
    name: str,
    strip: Sequence[CheckInMark],
    supports: Sequence[SupportMark],
    contests: Sequence[Dispute],
    monday: date,
) -> list[Need]:
    """Promises, contests and check-ins of one plan that wait in the week after `monday`'s, or are
    overdue."""
    horizon = monday + timedelta(days=14)
    found = [
        *_promises(name, supports, horizon),
        *_contests(name, contests, monday),
        *_meetings(name, strip, horizon),
    ]
    private = plan.kind == "coaching"
    return [Need(need.what, need.why, need.due, plan.id, private) for need in found]


def _promises(name: str, supports: Sequence[SupportMark], horizon: date) -> Iterator[Need]:
    for mark in supports:
        if mark.state == "overdue":
            yield Need(f"{mark.text} (for {name})", f"Promised support, due {words.day(mark.due)}. {mark.owner}", None)
        elif mark.state == "denied":
            why = f"Recorded as given, denied by {name}. {mark.owner}"
            yield Need(f"{mark.text} (for {name})", why, None)
        elif mark.state == "due" and mark.due < horizon:
            yield Need(f"{mark.text} (for {name})", f"Promised support. {mark.owner}", mark.due)


def _contests(name: str, contests: Sequence[Dispute], monday: date) -> Iterator[Need]:
    for act in contests:
        due = (act.at + ANSWER_WITHIN).date()
        late = due < monday + timedelta(days=7)
        yield Need(f"Answer {name}'s dispute of {act.about}", act.why, None if late else due)


def _meetings(name: str, strip: Sequence[CheckInMark], horizon: date) -> Iterator[Need]:
    unknown = [mark.day for mark in strip if mark.state == "unrecorded"]
    if unknown:
        what = "the check-in" if len(unknown) == 1 else f"{len(unknown)} check-ins"
        days = words.day(unknown[0]) if len(unknown) == 1 else f"{words.day(unknown[0])} to {words.day(unknown[-1])}"
        yield Need(f"Record {what} with {name}, {days}", "Nothing is recorded yet.", None)
    for mark in strip:
        if mark.state in ("upcoming", "closing") and mark.day < horizon:
            what = "Closing review" if mark.state == "closing" else "Check-in"
            yield Need(f"{what} with {name}", "Promised in the plan.", mark.day)


def running_out(
    plan: Plan, name: str, limits: Mapping[str, float], points: Mapping[tuple[str, str], Sequence[Json]], today: date
) -> list[Need]:
    """Open items of the person that pass their criterion's limit within a day of its clock."""
    found = []
    for criterion, limit in limits.items():
        for point in points.get((plan.id, criterion), ()):
            hours = point["value"]
            if point["state"] == "pending" and hours is not None and 0 <= limit - hours <= SOON:
                subject = str(point["subject"]).partition(":")[2] or str(point["subject"])
                why = f"{words.number(limit - hours, 'hours')} of {words.number(limit, 'hours')} left ({criterion})."
                found.append(Need(f"{subject} waits for {name}", why, today, plan.id, plan.kind == "coaching"))
    return found


def agenda(entry: Json, disputes: int) -> tuple[str, ...]:
    """What the next check-in is about: what each criterion still needs, then the promises and the contests."""
    points = [f"{c.get('expectation') or c['id']}: {c['needed']}" for c in entry["criteria"] if c.get("needed")]
    supports = entry["supports"]
    if supports["delivered"] < supports["due"]:
        points.append(f"Support: {supports['delivered']} of {supports['due']} promises due are delivered")
    if disputes:
        points.append(f"{words.count(disputes, 'open dispute')}: decide together if possible")
    return tuple(points)
