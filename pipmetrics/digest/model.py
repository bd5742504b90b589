"""One digest for every surface: what the week brought, from evaluations as they were recorded.

Built from the evaluation's JSON (SPEC section 10), so that last week's digest shows what was said last week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pipmetrics.digest import words
from pipmetrics.digest.needs import Need, agenda, needs_of, running_out
from pipmetrics.digest.promises import CheckInMark, SupportMark, check_in_strip, local_day, support_marks
from pipmetrics.digest.terms import Terms, limits, terms_of
from pipmetrics.model import Acts, Dispute, Json, Person, Plan

Points = Mapping[tuple[str, str], Sequence[Json]]
"""Measurements (SPEC section 5 as JSON) by plan and criterion; `standing` (explain's word for how a point counts) and
`note` may stand beside the fields."""


@dataclass(frozen=True, slots=True)
class Card:
    """One plan of the digest. `evaluation` is the plan's part of SPEC section 10, untouched.

    `terms` are what the plan agreed on, by criterion; `late` says which figures of the week before changed since, and
    why; `coaching` is the span of the coaching that came first.
    """

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
    timezone: str = "UTC"
    terms: Mapping[str, Terms] = field(default_factory=dict)
    late: tuple[str, ...] = ()
    coaching: tuple[date, date] | None = None

    @property
    def private(self) -> bool:
        """Coaching is between the manager and the person: it is not printed and never mailed."""
        return self.kind == "coaching"


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

    @property
    def title(self) -> str:
        return f"Weekly digest, week {int(self.week.partition('-W')[2])}"

    @property
    def span(self) -> str:
        return f"{words.days_between(self.start, self.end)} {self.end.year}"

    @property
    def read(self) -> str:
        """When the figures were read: in the zone of the plans where they share one, else UTC."""
        zones = {card.timezone for card in self.cards}
        zone = zones.pop() if len(zones) == 1 else "UTC"
        return f"{words.moment(self.as_of.astimezone(ZoneInfo(zone)))} {zone.rpartition('/')[2].replace('_', ' ')}"

    def formal(self) -> Digest:
        """The same week without coaching: what may be printed, mailed and told to a channel."""
        plans = {card.plan for card in self.cards if card.private}
        kept = tuple(card for card in self.cards if not card.private)
        needs = tuple(need for need in self.needs if not need.private)
        gone = {
            gap for card in self.cards if card.plan in plans for gap in map(str, card.evaluation["incomplete_sources"])
        }
        stay = {gap for card in kept for gap in map(str, card.evaluation["incomplete_sources"])}
        incomplete = tuple(gap for gap in self.incomplete if gap in stay or gap not in gone)
        return replace(self, cards=kept, needs=needs, incomplete=incomplete)

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


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the evaluations: the points, what late data changed (sentences by plan), how many peers
    would meet each target (by plan and criterion: how many, of how many)."""

    points: Points = field(default_factory=dict)
    late: Mapping[str, Sequence[str]] = field(default_factory=dict)
    peers: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


def build(
    evaluations: Json,
    plans: Sequence[Plan],
    people: Mapping[str, Person],
    acts: Acts,
    occasion: Occasion,
    beside: Beside | None = None,
) -> Digest:
    """The digest of the plans that were evaluated, in order of family name. `plans` may hold others, for what came
    before the evaluated ones."""
    maker = _Maker({plan.id: plan for plan in plans}, people, acts, occasion, beside or Beside())
    scored = {entry["plan"]: entry for entry in evaluations["plans"]}
    chosen = [plan for plan in plans if plan.id in scored]
    cards = [maker.card(plan, scored[plan.id]) for plan in chosen]
    cards.sort(key=lambda card: (card.private, card.name.split()[-1:], card.name, card.plan))
    needs = [need for plan in chosen for need in maker.needs(plan)]
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


def first_name(name: str) -> str:
    """The first word of a name; the whole of it where there is none."""
    return name.split()[0] if name.split() else name


@dataclass(frozen=True, slots=True)
class _Maker:
    plans: Mapping[str, Plan]
    people: Mapping[str, Person]
    acts: Acts
    occasion: Occasion
    beside: Beside

    def called(self, person: str) -> str:
        return first_name(self.people[person].name) if person in self.people else person

    def strip(self, plan: Plan) -> tuple[CheckInMark, ...]:
        return check_in_strip(plan, self.acts, self.occasion.as_of)

    def supports(self, plan: Plan) -> tuple[SupportMark, ...]:
        return support_marks(plan, self.acts, self.occasion.as_of, self.called)

    def contests(self, plan: Plan) -> list[Dispute]:
        """The open contests of a plan."""
        return [act for act in self.acts.disputes if act.plan == plan.id and act.state == "open"]

    def needs(self, plan: Plan) -> list[Need]:
        name = self.called(plan.person)
        told = needs_of(plan, name, self.strip(plan), self.supports(plan), self.contests(plan), self.occasion.monday)
        today = local_day(self.occasion.as_of, plan)
        return told + running_out(plan, name, limits(plan.criteria), self.beside.points, today)

    def card(self, plan: Plan, entry: Json) -> Card:
        person, strip = self.people[plan.person], self.strip(plan)
        disputes = tuple(
            f"{act.about} ({act.criterion}), filed {words.day(act.at.date())}: {act.why}" for act in self.contests(plan)
        )
        before = self.plans.get(plan.preceded_by or "")
        peers = self.beside.peers
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
            supports=self.supports(plan),
            notes=(*_time_off(person, plan), *_missed(strip)),
            disputes=disputes,
            agenda=agenda(entry, len(disputes)),
            next_check_in=next((mark.day for mark in strip if mark.state in ("upcoming", "closing")), None),
            timezone=plan.timezone,
            terms={each.id: terms_of(each, peers.get((plan.id, each.id))) for each in plan.criteria},
            late=tuple(self.beside.late.get(plan.id, ())),
            coaching=(before.start, before.end) if before else None,
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


def _time_off(person: Person, plan: Plan) -> list[str]:
    zone, notes = ZoneInfo(plan.timezone), []
    for span in person.calendar.time_off:
        first, last = span.start.astimezone(zone).date(), (span.end - timedelta(seconds=1)).astimezone(zone).date()
        if first <= plan.end and last >= plan.start:
            said = words.day(first) if first == last else words.days_between(first, last)
            notes.append(f"Time off {said} left out.")
    return notes


def _missed(strip: Sequence[CheckInMark]) -> list[str]:
    return [
        f"The check-in of {mark.week} was missed." + (f" {mark.note}" if mark.note else "")
        for mark in strip
        if mark.state == "missed"
    ]


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
