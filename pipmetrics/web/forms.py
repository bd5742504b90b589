"""The acts as forms: one table for the pages and the API. What each takes, who may, and what it records.

A form is run twice: first as a rehearsal that records nothing and shows what would be, then for good.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, TypeAlias, cast

from pipmetrics.config import Config
from pipmetrics.errors import UsageError
from pipmetrics.ledger import Act, Entry
from pipmetrics.ledger.chain import body_of
from pipmetrics.model import Json, Person
from pipmetrics.store import Recorded, Store
from pipmetrics.web.guard import Visit

Kind: TypeAlias = Literal["words", "choice", "day", "number", "tick", "given", "reasons"]
Values: TypeAlias = Mapping[str, Any]
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form. `given` comes with the link that led here; `reasons` asks once for each criterion."""

    name: str
    label: str
    kind: Kind = "words"
    hint: str = ""
    required: bool = True
    choices: Callable[[Visit], Sequence[tuple[str, str]]] | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """Somebody doing something: through the store, or through one that only rehearses."""

    visit: Visit
    store: Store
    values: Values
    now: datetime

    @property
    def by(self) -> str:
        return self.visit.actor.id

    @property
    def config(self) -> Config:
        return self.visit.standing.company.config

    @property
    def plan(self) -> str:
        return self.visit.the_plan.id

    def said(self, name: str = "why") -> str:
        return str(self.values.get(name) or "")


@dataclass(frozen=True, slots=True)
class Form:
    """One act. `fresh`: only for somebody who has just shown who they are."""

    name: str
    action: str
    title: str
    does: str
    button: str
    run: Callable[[Doing], object]
    fields: tuple[Field, ...] = ()
    fresh: bool = False
    of: Literal["plan", "person"] = "plan"
    offered: Callable[[Visit], bool] = lambda _visit: True


# --- rehearsing ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Rehearsal:
    """A store that keeps what would be written, and writes nothing; everything else it asks the real one."""

    real: Store
    acts: list[Act] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def append(self, acts: Sequence[Act], now: datetime) -> list[Entry]:
        self.acts += acts
        return [Entry(0, 0, act.actor, act.act, act.subject, "", "", "") for act in acts]

    def export_person(self, person: Person, by: str, now: datetime) -> dict[str, bytes]:
        self.acts.append(Act("export", f"person:{person.id}", by, {"person": person.id}))
        return {}

    def erase_person(self, person: Person, by: str, why: str, now: datetime) -> list[int]:
        self.acts.append(Act("erase", f"person:{person.id}", by, {"person": person.id, "why": why}))
        return []


def rehearse(form: Form, visit: Visit, values: Values) -> list[Act]:
    """What the act would record; raises what stands against it."""
    rehearsal = Rehearsal(visit.store)
    form.run(Doing(visit, cast(Store, rehearsal), values, visit.now))
    return rehearsal.acts


def perform(form: Form, visit: Visit, values: Values) -> tuple[object, list[Recorded]]:
    """Does it; gives what the act gave, and the entries that it made."""
    kinds = {act.act for act in rehearse(form, visit, values)}
    before = visit.store.head().seq
    given = form.run(Doing(visit, visit.store, values, visit.now))
    made = visit.store.entries(acts=kinds, actors=(visit.actor.id,))
    return given, [entry for entry in made if entry.seq > before]


def fingerprint(acts: Sequence[Act]) -> str:
    """What was shown, so that nothing else is recorded after it was confirmed."""
    text = body_of([[act.act, act.subject, act.actor, act.payload] for act in acts])
    return hashlib.sha256(text.encode()).hexdigest()


# --- reading what was sent ----------------------------------------------------------------------------------------


def read(form: Form, visit: Visit, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a form from the texts of a page, or from the body of an API call; UsageError says what is wrong."""
    return {each.name: _read(each, visit, sent) for each in form.fields}


def _read(asked: Field, visit: Visit, sent: Mapping[str, Any]) -> Any:
    if asked.kind == "reasons":
        return _reasons(asked, visit, sent)
    raw = sent.get(asked.name)
    if asked.kind == "tick":
        return _tick(asked, raw)
    text = "" if raw is None else str(raw).strip()
    if not text:
        if asked.required:
            raise UsageError(f"{asked.label}: this is missing")
        return None
    return _CONVERT[asked.kind](asked, visit, text)


def _tick(asked: Field, raw: object) -> bool:
    ticked = raw in (True, "yes")
    if asked.required and not ticked:
        raise UsageError(f"{asked.label}: this must be ticked")
    return ticked


def _reasons(asked: Field, visit: Visit, sent: Mapping[str, Any]) -> dict[str, str]:
    given = sent.get(asked.name)
    reasons = given if isinstance(given, Mapping) else {}
    found = {}
    for criterion in visit.the_plan.criteria:
        said = str(reasons.get(criterion.id) or sent.get(f"{asked.name}-{criterion.id}") or "").strip()
        if not said and asked.required:
            raise UsageError(f"{asked.label}: there is no reason for {criterion.id}")
        found[criterion.id] = _words(asked, visit, said)
    return found


def _words(asked: Field, _visit: Visit, text: str) -> str:
    if len(text) > LONGEST:
        raise UsageError(f"{asked.label}: this is longer than {LONGEST} characters")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise UsageError(f"{asked.label}: this holds characters that cannot be kept")
    return text.replace("\r\n", "\n")


def _choice(asked: Field, visit: Visit, text: str) -> str:
    known = [value for value, _ in asked.choices(visit)] if asked.choices else []
    if text not in known:
        raise UsageError(
            f"{asked.label}: {text[:80]!r} cannot be chosen", mend=f"There are {', '.join(known) or 'none'}."
        )
    return text


def _day(asked: Field, _visit: Visit, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{asked.label}: {text[:40]!r} is no day", mend="Write it as 2026-11-23.") from None


def _number(asked: Field, _visit: Visit, text: str) -> float:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{asked.label}: {text[:40]!r} is no number")
    return number


_CONVERT: Mapping[Kind, Callable[[Field, Visit, str], Any]] = {
    "words": _words,
    "given": _words,
    "choice": _choice,
    "day": _day,
    "number": _number,
}


# --- showing what would be recorded -------------------------------------------------------------------------------


def shown(payload: Json) -> list[tuple[str, str]]:
    """A payload as lines to read; whole plan texts by their length alone, since their difference stands beside."""
    said = []
    for name, value in payload.items():
        if name == "text":
            value = f"the whole text of the plan, {len(value)} characters"
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        elif value is None or value == "":
            value = "nothing said"
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        said.append((name.replace("_", " ").capitalize(), str(value)))
    return said
