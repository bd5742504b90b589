"""One digest for every surface: what the week brought, from evaluations as they were recorded.

Built from the evaluation's JSON (SPEC section 10), so that last week's digest shows what was said last week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pipmetrics.digest import words
from pipmetrics.model import Acts, Json, Person, Plan

CheckInState = Literal["held", "missed", "unrecorded", "upcoming", "closing"]
SupportState = Literal["done", "due", "overdue", "denied"]


@dataclass(frozen=True, slots=True)
class CheckInMark:
    """One check-in of the plan's strip."""

    day: date
    week: str
    state: CheckInState
    by: str = ""


@dataclass(frozen=True, slots=True)
class SupportMark:
    """One promise of the company and how it stands."""

    text: str
    owner: str
    due: date
    state: SupportState
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for the reader; `due` None: overdue."""

    what: str
    why: str
    due: date | None


@dataclass(frozen=True, slots=True)
class Card:
    """One plan of the digest. `evaluation` is the plan's part of SPEC section 10, untouched."""

    plan: str
    person: str
    name: str
    team: str
    kind: Literal["pip", "coaching"]
    start: date
    end: date
    sentence: str
    evaluation: Mapping[str, Json]
    check_ins: tuple[CheckInMark, ...]
    supports: tuple[SupportMark, ...]
    notes: tuple[str, ...]
    disputes: tuple[str, ...]
    agenda: tuple[str, ...]
    next_check_in: date | None


@dataclass(frozen=True, slots=True)
class Digest:
    """The week of one reader; `start` and `end` are its Monday and Sunday."""

    week: str
    start: date
    end: date
    reader: str
    as_of: datetime
    cards: tuple[Card, ...]
    needs: tuple[Need, ...]
    incomplete: tuple[str, ...]
    ledger: str

    def to_json(self) -> Json:
        """Plain JSON; dates and instants as ISO 8601."""
        return _plain(asdict(self))


@dataclass(frozen=True, slots=True)
class Occasion:
    """For whom, for which week (its Monday), as of when, in which zone of the company, with which ledger head."""

    monday: date
    as_of: datetime
    reader: str
    ledger: str = ""

    @property
    def week(self) -> str:
        return "{}-W{:02}".format(*self.monday.isocalendar()[:2])


def build(
    evaluations: Json, plans: Sequence[Plan], people: Mapping[str, Person], acts: Acts, occasion: Occasion
) -> Digest:
    """The digest of the plans that were evaluated, in order of family name."""
    scored = {entry["plan"]: entry for entry in evaluations["plans"]}
    cards = [_card(plan, people, scored[plan.id], acts, occasion) for plan in plans if plan.id in scored]
    cards.sort(key=lambda card: (card.kind == "coaching", card.name.split()[-1], card.name))
    needs = [need for plan in plans if plan.id in scored for need in _needs(plan, people, acts, occasion)]
    incomplete = sorted({text for entry in evaluations["plans"] for text in map(str, entry["incomplete_sources"])})
    return Digest(
        week=occasion.week,
        start=occasion.monday,
        end=occasion.monday + timedelta(days=6),
        reader=occasion.reader,
        as_of=occasion.as_of,
        cards=tuple(cards),
        needs=tuple(sorted(needs, key=lambda need: (need.due or date.min, need.what))),
        incomplete=tuple(incomplete),
        ledger=occasion.ledger,
    )


def _card(plan: Plan, people: Mapping[str, Person], entry: Json, acts: Acts, occasion: Occasion) -> Card:
    person = people[plan.person]
    strip = check_in_strip(plan, acts, occasion.as_of)
    return Card(
        plan=plan.id,
        person=plan.person,
        name=person.name,
        team=person.team or "",
        kind=plan.kind,
        start=plan.start,
        end=plan.end,
        sentence=sentence(entry),
        evaluation=entry,
        check_ins=strip,
        supports=support_marks(plan, acts, occasion.as_of),
        notes=_notes(person, entry, plan),
        disputes=_disputes(plan, acts),
        agenda=_agenda(entry),
        next_check_in=next((mark.day for mark in strip if mark.state in ("upcoming", "closing")), None),
    )


def sentence(entry: Json) -> str:
    """One sentence that counts the verdicts: "Two criteria are on track and one is met"."""
    counts: dict[str, int] = {}
    for criterion in entry["criteria"]:
        counts[criterion["verdict"]] = counts.get(criterion["verdict"], 0) + 1
    number = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    parts: list[str] = []
    for verdict, n in counts.items():
        said = number[n] if n < len(number) else str(n)
        word = words.VERDICTS[verdict].word.lower()
        word = "without enough data" if verdict == "not_enough_data" else word
        noun = "" if parts else (" criterion" if n == 1 else " criteria")
        parts.append(f"{said}{noun} {'is' if n == 1 else 'are'} {word}")
    text = words.listing(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else "The plan has no criteria."


def check_in_strip(plan: Plan, acts: Acts, as_of: datetime) -> tuple[CheckInMark, ...]:
    """All check-ins that the plan promises, and what was recorded of each; the last one closes the plan."""
    days = list(check_in_days(plan))
    recorded = {act.day: act for act in acts.check_ins if act.plan == plan.id}
    today = as_of.astimezone(ZoneInfo(plan.timezone)).date()
    marks = []
    for on in days:
        act = next((recorded[d] for d in (on + timedelta(days=n) for n in range(7)) if d in recorded), None)
        state: CheckInState = "upcoming" if on >= today else "unrecorded"
        if act is not None:
            state = "held" if act.held else "missed"
        elif on == days[-1] and on >= today:
            state = "closing"
        marks.append(CheckInMark(on, f"W{on.isocalendar()[1]:02}", state, act.by if act else ""))
    return tuple(marks)


def check_in_days(plan: Plan) -> Sequence[date]:
    """The promised days: the weekday of every n-th week from the start to the end, both included."""
    if plan.check_in_weekday is None:
        return ()
    first = plan.start + timedelta(days=(plan.check_in_weekday - plan.start.weekday()) % 7)
    step = 7 * plan.check_in_weeks
    return [first + timedelta(days=n) for n in range(0, (plan.end - first).days + 1, step)]


def support_marks(plan: Plan, acts: Acts, as_of: datetime) -> tuple[SupportMark, ...]:
    given = {act.support: act for act in acts.supports if act.plan == plan.id}
    today = as_of.astimezone(ZoneInfo(plan.timezone)).date()
    marks = []
    for place, promise in enumerate(plan.supports, start=1):
        act = given.get(place)
        state: SupportState = "overdue" if promise.due < today else "due"
        if act is not None:
            state = "denied" if act.confirmed is False else "done"
        marks.append(SupportMark(promise.text, promise.owner, promise.due, state, act.on if act else None))
    return tuple(marks)


def _notes(person: Person, entry: Json, plan: Plan) -> tuple[str, ...]:
    notes = []
    zone = ZoneInfo(plan.timezone)
    for span in person.calendar.time_off:
        first, last = span.start.astimezone(zone).date(), (span.end - timedelta(seconds=1)).astimezone(zone).date()
        if first <= plan.end and last >= plan.start:
            notes.append(f"time off {words.days_between(first, last) if first != last else words.day(first)} left out")
    for criterion in entry["criteria"]:
        notes += [f"{criterion['id']}: {criterion[key]}" for key in ("reason", "note") if criterion.get(key)]
        contested = criterion.get("contested")
        if contested:
            notes.append(f"{criterion['id']}: {contested['text']}")
    return tuple(notes)


def _disputes(plan: Plan, acts: Acts) -> tuple[str, ...]:
    return tuple(
        f"{act.key} ({act.criterion}): {act.why}; filed {words.day(act.at.date())}"
        for act in acts.disputes
        if act.plan == plan.id and act.state == "open"
    )


def _agenda(entry: Json) -> tuple[str, ...]:
    """What the next check-in is about: what each criterion still needs, then the promises."""
    agenda = [f"{c['id']}: {c['needed']}" for c in entry["criteria"] if c.get("needed")]
    supports = entry["supports"]
    if supports["delivered"] < supports["due"]:
        agenda.append(f"support: {supports['delivered']} of {supports['due']} promises due are delivered")
    return tuple(agenda)


def _needs(plan: Plan, people: Mapping[str, Person], acts: Acts, occasion: Occasion) -> Sequence[Need]:
    name = people[plan.person].name.split()[0]
    needs = [
        Need(f"{mark.text} (for {name})", f"promised support, owner {mark.owner}", None)
        for mark in support_marks(plan, acts, occasion.as_of)
        if mark.state in ("overdue", "denied")
    ]
    horizon = occasion.monday + timedelta(days=14)
    needs += [
        Need(f"{mark.text} (for {name})", f"promised support, owner {mark.owner}", mark.due)
        for mark in support_marks(plan, acts, occasion.as_of)
        if mark.state == "due" and mark.due < horizon
    ]
    needs += [
        Need(f"Answer {name}'s dispute of {act.key}", act.why, (act.at + timedelta(days=10)).date())
        for act in acts.disputes
        if act.plan == plan.id and act.state == "open"
    ]
    for mark in check_in_strip(plan, acts, occasion.as_of):
        if mark.state == "unrecorded":
            needs.append(Need(f"Record the check-in with {name} of {words.day(mark.day)}", "nothing recorded", None))
        elif mark.state in ("upcoming", "closing") and mark.day < horizon:
            what = "Closing review" if mark.state == "closing" else "Check-in"
            needs.append(Need(f"{what} with {name}", "promised in the plan", mark.day))
    return needs


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
