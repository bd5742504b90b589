"""Who may do what: one table, one function. What the table does not name is denied.

An actor stands in a relation to a thing (it is their own plan, they manage the person, the person is of their unit), or
holds an office (admin, auditor, scheduler). `can` looks the relation up in the row of the action; nothing else decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipmetrics.model import Person, Plan

Answer: TypeAlias = bool | Literal["redacted"]
Kind: TypeAlias = Literal["plan", "person", "team", "portfolio", "configuration", "secret", "ledger", "page"]
Relation: TypeAlias = Literal["own", "manager", "hr", "attester", "admin", "auditor", "scheduler", "anybody"]

LEAST_TEAM = 5
"""Figures of fewer people than this are figures of persons."""

_OFFICES: tuple[Relation, ...] = ("admin", "auditor", "scheduler")


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks. `on_plan` and `leads` say whether they have a plan, and whether they manage anybody, now."""

    id: str
    roles: frozenset[str] = frozenset()
    unit: str | None = None
    on_plan: bool = False
    leads: bool = False


SCHEDULER = Actor("scheduler", frozenset({"scheduler"}))
"""The nightly job. The role cannot be had by a person: `actor_of` takes it away."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked for. `manager` manages the person now; `attesters` are the roles that attest for the plan."""

    kind: Kind
    person: str | None = None
    manager: str | None = None
    unit: str | None = None
    attesters: frozenset[str] = frozenset()
    size: int = 0


PAGE, PORTFOLIO, CONFIGURATION = Thing("page"), Thing("portfolio"), Thing("configuration")
SECRET, LEDGER = Thing("secret"), Thing("ledger")


def actor_of(person: Person, people: Mapping[str, Person], on_plan: frozenset[str] = frozenset()) -> Actor:
    """The person as an actor; `on_plan` are the people who have a plan."""
    leads = any(other.manager == person.id for other in people.values())
    return Actor(person.id, person.roles - {"scheduler"}, person.unit, person.id in on_plan, leads)


def plan_thing(plan: Plan, people: Mapping[str, Person]) -> Thing:
    """The plan as a thing. Whoever manages the person now manages it; the plan's own word counts where people.yaml has
    none, so that a manager who stops managing loses sight at once, although the locked plan still names them."""
    person = people[plan.person]
    manager = person.manager or plan.manager
    roles = frozenset(str(line.parameters["by"]) for line in plan.criteria if line.criterion == "attest")
    return Thing("plan", plan.person, manager, person.unit, roles)


def person_thing(person: Person) -> Thing:
    return Thing("person", person.id, person.manager, person.unit)


def team_thing(team: str, people: Mapping[str, Person]) -> Thing:
    return Thing("team", size=sum(person.team == team for person in people.values()))


@dataclass(frozen=True, slots=True)
class Row:
    """One action: the kinds of things it is done to, who may, and who may without names and free text."""

    on: tuple[Kind, ...]
    yes: tuple[Relation, ...]
    redacted: tuple[Relation, ...] = ()


_BOTH: tuple[Relation, ...] = ("manager", "hr")
_SIDES: tuple[Relation, ...] = ("own", "manager", "hr")

TABLE: Mapping[str, Row] = {
    # what everybody has who is signed in: the start page, the notice, signing out
    "page.open": Row(("page",), ("anybody",)),
    # see the plan, its numbers and evidence
    "plan.see": Row(("plan",), _SIDES, redacted=("auditor",)),
    # aggregated team figures
    "team.see": Row(("team",), (*_SIDES, "auditor")),
    "team.write": Row(("team",), ("scheduler",)),
    "portfolio.see": Row(("portfolio",), ("hr",), redacted=("auditor",)),
    # draft a plan; comment on a draft
    "plan.draft": Row(("plan", "person"), _BOTH),
    "plan.comment": Row(("plan",), _SIDES),
    # change a target after activation: proposed by the manager, approved by HR, signed by the person
    "target.propose": Row(("plan",), ("manager",)),
    "target.approve": Row(("plan",), ("hr",)),
    "amendment.sign": Row(("plan",), ("own",)),
    # contest or annotate a data point
    "point.contest": Row(("plan",), ("own",)),
    "point.answer": Row(("plan",), ("manager",)),
    "point.decide": Row(("plan",), ("hr",)),
    "contest.see": Row(("plan",), (*_SIDES, "auditor")),
    # what no tool measures: by the role that the plan names
    "point.attest": Row(("plan",), ("attester",)),
    # record support, check-ins
    "support.record": Row(("plan",), _BOTH),
    "support.confirm": Row(("plan",), ("own",)),
    "support.see": Row(("plan",), (*_SIDES, "auditor")),
    "check_in.record": Row(("plan",), _BOTH),
    "check_in.confirm": Row(("plan",), ("own",)),
    # sign a digest, acknowledge a plan
    "plan.acknowledge": Row(("plan",), ("own",)),
    "plan.sign": Row(("plan",), ("manager",)),
    "plan.countersign": Row(("plan",), ("hr",)),
    "digest.sign": Row(("plan",), ("own", "manager")),
    "digest.countersign": Row(("plan",), ("hr",)),
    # decide the outcome
    "outcome.propose": Row(("plan",), ("manager",)),
    "outcome.decide": Row(("plan",), ("hr",)),
    # export everything about a person
    "person.export": Row(("person",), ("own", "hr")),
    # erase, retain, legal hold
    "erasure.ask": Row(("person",), ("own",)),
    "erasure.approve": Row(("person",), ("hr",)),
    "erasure.carry_out": Row(("person",), ("admin",)),
    "erasure.see": Row(("person",), ("auditor",)),
    "erasure.expire": Row(("person",), ("scheduler",)),
    # tokens and configuration: set, never read back (`secret.read` is not here: nobody may)
    "configuration.see": Row(("configuration",), ("admin",)),
    "configuration.set": Row(("configuration",), ("admin",)),
    "secret.set": Row(("secret",), ("admin",)),
    "secret.use": Row(("secret",), ("scheduler",)),
    # read the ledger: own entries and who looked, their plans, their units; all of it; metadata
    "ledger.read": Row(("plan",), (*_SIDES, "auditor")),
    "ledger.read_own": Row(("person",), ("own", "hr", "auditor")),
    "ledger.audit": Row(("ledger",), ("auditor",), redacted=("admin",)),
    "ledger.append": Row(("ledger",), ("scheduler",)),
}
"""The matrix of docs/security.md, a line of it a group."""


def can(actor: Actor | None, action: str, thing: Thing) -> Answer:
    """True, "redacted" (without names and free text; for the ledger: metadata alone), or False."""
    row = TABLE.get(action)
    if actor is None or row is None or thing.kind not in row.on:
        return False
    if thing.kind == "team" and thing.size < LEAST_TEAM:
        return False
    held = set(relations(actor, thing))
    return True if held & set(row.yes) else "redacted" if held & set(row.redacted) else False


def relations(actor: Actor, thing: Thing) -> Iterator[Relation]:
    """How the actor stands to the thing. Nobody is two sides of one plan: own precedes manager, manager precedes HR."""
    yield "anybody"
    yield from _of_everybody(actor) if thing.person is None else _of_person(actor, thing)
    yield from (office for office in _OFFICES if office in actor.roles)


def _of_person(actor: Actor, thing: Thing) -> Iterator[Relation]:
    if thing.person == actor.id:
        yield "own"
        return
    manages, partner = thing.manager == actor.id, "hr" in actor.roles and thing.unit == actor.unit
    if manages:
        yield "manager"
    elif partner:
        yield "hr"
    held = {"manager"} if manages else {"hr"} if partner else set()
    if thing.attesters & (held | (actor.roles - {"manager", "hr"})):
        yield "attester"


def _of_everybody(actor: Actor) -> Iterator[Relation]:
    """Sides towards what is nobody's in particular: a team's figures, the portfolio, the list of the ledger."""
    if actor.on_plan:
        yield "own"
    if actor.leads:
        yield "manager"
    if "hr" in actor.roles:
        yield "hr"
