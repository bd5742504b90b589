"""Acts of the pages that score nothing: comments, recommendations, the notice, requests to erase. All in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pipmetrics.acts import OUTCOMES
from pipmetrics.errors import Refused, UsageError
from pipmetrics.ledger import Act
from pipmetrics.model import Json, Person, Plan
from pipmetrics.store import Recorded, Store

EVIDENCE = "evidence of "
"""How the log of reading names an opened criterion: this and the criterion's id."""


def comment(store: Store, plan: Plan, *, by: str, why: str, now: datetime) -> int:
    """A remark on a plan or its draft."""
    return _about(store, plan, by, "comment", {"why": _said(why)}, now)


def recommend(store: Store, plan: Plan, outcome: str, *, by: str, why: str, now: datetime) -> int:
    """What the manager proposes to decide."""
    if outcome not in OUTCOMES:
        raise UsageError(f"a plan is not decided as {outcome!r}", mend=f"There are {', '.join(OUTCOMES)}.")
    return _about(store, plan, by, "recommend", {"outcome": outcome, "why": _said(why)}, now)


def confirm_check_in(
    store: Store, plan: Plan, day: date, confirmed: bool, *, by: str, why: str, now: datetime, recorded: set[date]
) -> int:
    """Whether a recorded check-in went as it was recorded, in the words of the person on the plan."""
    if day not in recorded:
        raise UsageError(f"no check-in is recorded on {day}", mend="There is nothing yet to confirm or deny.")
    payload = {"day": day.isoformat(), "confirmed": confirmed, "why": why}
    return _about(store, plan, by, "check_in.confirm", payload, now)


def take_notice(store: Store, plan: Plan, digest: str, *, by: str, now: datetime) -> int:
    """The person has read the privacy notice; `digest` is the SHA-256 of its text."""
    return _about(store, plan, by, "notice", {"digest": digest}, now)


def ask_erasure(store: Store, person: Person, *, by: str, why: str, now: datetime) -> int:
    """Asks that everything held about a person be erased."""
    return _of(store, person, by, "erasure.ask", {"why": _said(why)}, now)


def approve_erasure(store: Store, person: Person, *, by: str, why: str, now: datetime) -> int:
    """HR agrees to what was asked; an admin then carries it out."""
    if not erasure_of(store, person.id).asked:
        raise UsageError(f"nobody asked to erase what is held about {person.id}")
    return _of(store, person, by, "erasure.approve", {"why": _said(why)}, now)


@dataclass(frozen=True, slots=True)
class Erasure:
    """How far a request to erase has come."""

    asked: bool = False
    approved: bool = False


def erasure_of(store: Store, person: str) -> Erasure:
    """The request that is not carried out yet."""
    state = Erasure()
    acts = ("erasure.ask", "erasure.approve", "erase")
    for entry in store.entries(acts=acts, subjects=(f"person:{person}",)):
        state = {"erasure.ask": Erasure(asked=True), "erasure.approve": Erasure(True, True), "erase": Erasure()}[
            entry.act
        ]
    return state


def erase(store: Store, person: Person, *, by: str, why: str, now: datetime) -> None:
    """Carries out an approved erasure."""
    if not erasure_of(store, person.id).approved:
        raise Refused(f"the erasure of {person.id} is not approved", mend="The person asks for it, HR approves it.")
    store.erase_person(person, by, _said(why), now)


def opened(store: Store, plan: Plan, by: str) -> set[str]:
    """The criteria whose evidence somebody has opened, by the log of reading."""
    read = store.entries(acts=("read",), subjects=(f"plan:{plan.id}",), actors=(by,))
    return {what.removeprefix(EVIDENCE) for what in map(_what, read) if what.startswith(EVIDENCE)}


def must_have_opened(store: Store, plan: Plan, by: str) -> None:
    """Refused unless the evidence of every criterion was opened: who decides has looked."""
    unopened = [each.id for each in plan.criteria if each.id not in opened(store, plan, by)]
    if unopened:
        raise Refused(
            f"the evidence of {', '.join(unopened)} was not opened by {by}",
            mend="Open the evidence of every criterion on the plan's page, then decide.",
        )


def _what(entry: Recorded) -> str:
    return str((entry.payload or {}).get("what", ""))


def _said(why: str) -> str:
    if not why.strip():
        raise UsageError("an act needs its reason", mend="Say why.")
    return why


def _about(store: Store, plan: Plan, by: str, act: str, payload: Mapping[str, Json], now: datetime) -> int:
    return store.append([Act(act, f"plan:{plan.id}", by, {"person": plan.person, **payload})], now)[0].seq


def _of(store: Store, person: Person, by: str, act: str, payload: Mapping[str, Json], now: datetime) -> int:
    return store.append([Act(act, f"person:{person.id}", by, {"person": person.id, **payload})], now)[0].seq
