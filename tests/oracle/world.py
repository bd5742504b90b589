"""What the oracle reads: the signals of a small world, who is who in it, and one change or issue at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipmetrics.model import Clock, Person, Signal, Source

SECOND = timedelta(seconds=1)
STATES = {
    "": "counted", "unanswered": "pending", "unresolved": "pending", "follow_up": "pending", "running": "pending",
    "not_due": "pending",
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """An account as a source showed it during some time."""

    source: str
    id: str
    login: str
    mark: str
    first_seen: datetime
    last_seen: datetime
    email: str | None = None


@dataclass(frozen=True)
class Row:
    """One measurement, without its key."""

    person: str
    source: str
    subject: str
    start: datetime
    end: datetime | None
    value: float
    reason: str = ""

    @property
    def state(self) -> str:
        return STATES.get(self.reason, "excluded")


@dataclass(frozen=True)
class World:
    signals: Sequence[Signal]
    accounts: Sequence[Seen]
    people: Sequence[Person]
    sources: Mapping[str, Source]


@dataclass(frozen=True)
class Asked:
    """A request to measure, as the oracle takes it."""

    as_of: datetime
    clock: Clock | None = None
    attribution: tuple[str, ...] = ("link",)
    follow_up: timedelta = timedelta(days=30)
    include: frozenset[str] = frozenset()


@dataclass
class Facts:
    """What was known before `as_of`, by subject, in the order of time."""

    world: World
    asked: Asked
    by_subject: dict[str, list[Signal]] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for signal in sorted(self.world.signals, key=lambda one: (one.at, one.key)):
            if signal.at < self.asked.as_of:
                self.by_subject.setdefault(signal.subject, []).append(signal)
        self.names = _names(self.world)
        self.people = {person.id: person for person in self.world.people}

    def person(self, source: str, actor: str | None) -> str | None:
        """Whose account it is, by id or by `@login` in any case."""
        if actor is None:
            return None
        return self.names.get((source, actor.lower() if actor.startswith("@") else actor))

    def who(self, source: str, actor: str | None) -> str | None:
        """One name for a human whichever of their accounts acts: the person, else the account."""
        return self.person(source, actor) or (actor and f"{source}/{actor}")

    def subjects(self, *kinds: str) -> Iterator[tuple[str, list[Signal]]]:
        """Subjects that have a signal of one of the kinds."""
        for subject, signals in self.by_subject.items():
            if any(signal.kind in kinds for signal in signals):
                yield subject, signals


def _names(world: World) -> dict[tuple[str, str], str]:
    """A configured login or e-mail names the account ever seen under it; that account's other logins follow."""
    names: dict[tuple[str, str], str] = {}
    for person in world.people:
        for source, logins in person.accounts.items():
            wanted = {login.lower() for login in logins or ()}
            ids = {
                seen.id
                for seen in world.accounts
                if seen.source == source and wanted & {seen.login.lower(), (seen.email or "").lower(), seen.id.lower()}
            }
            for seen in world.accounts:
                if seen.source == source and seen.id in ids:
                    names[source, seen.id] = names[source, "@" + seen.login.lower()] = person.id
            names.update({(source, "@" + login): person.id for login in wanted})
    return names


def second(at: datetime) -> datetime:
    """The second that an instant falls into: within it SPEC gives the order."""
    return at.replace(microsecond=0)


def last(signals: Sequence[Signal], kind: str) -> Signal | None:
    """The last signal of a kind, if there is one."""
    found = [signal for signal in signals if signal.kind == kind]
    return found[-1] if found else None


def in_force(signals: Sequence[Signal]) -> Signal | None:
    """The resolution in force: the last `issue_done` that no reopening came after."""
    state: Signal | None = None
    for signal in signals:
        if signal.kind == "issue_done":
            state = signal
        elif signal.kind == "issue_reopened":
            state = None
    return state
