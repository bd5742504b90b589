"""The evidence of one criterion for one reader: every data point, the frozen ones before the plan, and their facts.

A fact names no colleague: it was the person on the plan, somebody else, or an account that is gone. Who it was stands
where the fact's address leads, for those who may go there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from pipmetrics.explain import Part
from pipmetrics.model import Dispute, Json, Person, Plan
from pipmetrics.score.record import window
from pipmetrics.store import Store
from pipmetrics.web.guard import Visit
from pipmetrics.web.redact import Voice
from pipmetrics.web.views import voice_of

Points: TypeAlias = tuple[Mapping[str, Any], ...]
Names: TypeAlias = Collection[tuple[str, str]]

SAID = ("at", "kind", "source", "subject", "key", "url", "value", "mark")
DETAIL = frozenset({
    "state", "comments", "conclusion", "attempt", "environment", "method", "title", "draft", "default_branch", "type",
    "priority", "resolution", "labels", "from", "to", "due", "deployment",
})  # fmt: skip
"""Parts of a fact's detail that are about the work; the others name accounts or hold texts that people wrote."""
COLLEAGUE = "a colleague"


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the evidence is asked for; `standing` "" and `text` "" ask for all."""

    standing: str = ""
    text: str = ""
    week: date | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One criterion, opened down to its points; `baseline` and `guardrail` are those of the numbers beside it."""

    plan: Plan
    criterion: Json
    window: Json
    points: Points
    total: int
    baseline: Points
    guardrail: Points
    as_of: datetime

    def to_json(self) -> Json:
        return {
            "plan": self.plan.id,
            "as_of": self.as_of.isoformat().replace("+00:00", "Z"),
            "criterion": self.criterion,
            "window": self.window,
            "total": self.total,
            "points": [dict(point) for point in self.points],
            "baseline": [dict(point) for point in self.baseline],
            "guardrail": [dict(point) for point in self.guardrail],
        }


def evidence_of(visit: Visit, plan: Plan, criterion: str, filters: Filters) -> Evidence | None:
    """The evidence behind the numbers that the plan's page shows; None when there is no such criterion, or no number
    yet."""
    scored = visit.office.scored(visit.standing, plan)
    if scored is None or criterion not in {each.id for each in plan.criteria}:
        return None
    found = visit.office.explanation(visit.standing, plan, criterion, filters.week, scored.as_of)
    voice = voice_of(visit, visit.sight)
    names = names_of(visit.store, visit.people[plan.person])
    contested = {each.key: each for each in visit.standing.acts.disputes if _is_of(each, plan, criterion)}
    points = _told(found.points, names, contested, voice)
    entry = next(each for each in scored.entry["criteria"] if each["id"] == criterion)
    return Evidence(
        plan=voice.plan(plan),
        criterion=voice.entry({"person": "", "plan": "", "criteria": [entry]})["criteria"][0],
        window=window(found.window),
        points=tuple(point for point in points if _fits(point, filters)),
        total=len(points),
        baseline=_beside(found.baseline, names, voice),
        guardrail=_beside(found.guardrail, names, voice),
        as_of=scored.as_of,
    )


def names_of(store: Store, person: Person) -> Names:
    """(source, name) of everything that the person is called on the sources: account ids and logins."""
    found = set()
    for source, logins in person.accounts.items():
        known = store.known_accounts(source, logins or ())
        called = {*(logins or ()), *(each.id for each in known), *(each.login for each in known)}
        found |= {(source, name.casefold()) for name in called}
    return found


def _is_of(dispute: Dispute, plan: Plan, criterion: str) -> bool:
    return dispute.plan == plan.id and dispute.criterion == criterion


def _beside(part: Part | None, names: Names, voice: Voice) -> Points:
    return _told(part.points, names, {}, voice) if part is not None else ()


def _told(points: Sequence[Any], names: Names, contested: Mapping[str, Dispute], voice: Voice) -> Points:
    return tuple(_point(point, names, contested.get(str(point.measurement["key"])), voice) for point in points)


def _point(point: Any, names: Names, dispute: Dispute | None, voice: Voice) -> Json:
    row = {
        **point.measurement,
        "standing": point.standing,
        "note": point.note,
        "facts": [_fact(fact, names) for fact in point.facts],
        "traces": [_fact(fact, names) for fact in point.traces],
        "contest": None if dispute is None else {"number": dispute.entry, "state": dispute.state},
    }
    return voice.point(row)


def _fact(fact: Mapping[str, Json], names: Names) -> Json:
    detail = fact["detail"] or {}
    return {
        **{name: fact[name] for name in SAID},
        "who": _who(fact, names),
        "text": _text(fact),
        "detail": {name: value for name, value in detail.items() if name in DETAIL},
    }


def _text(fact: Mapping[str, Json]) -> str:
    """What it says in a few words; whoever was assigned before may be a colleague."""
    return "assigned" if fact["kind"] == "issue_assigned" else str(fact["text"])


def _who(fact: Mapping[str, Json], names: Names) -> str:
    if fact["kind"] in ("relabelled", "gone"):
        return "seen by then"
    if fact["kind"] == "confirmed":
        return "a named person"
    if fact["mark"]:
        return {"bot": "a bot", "ghost": "an account that was deleted"}[fact["mark"]]
    if not fact["actor"]:
        return "nobody any more"
    called = {str(name).removeprefix("@").casefold() for name in (fact["actor"], fact["login"]) if name}
    return "the person" if any((fact["source"], name) in names for name in called) else COLLEAGUE


def _fits(point: Json, filters: Filters) -> bool:
    wanted = filters.text.casefold()
    text = f"{point['subject']} {point['reason']} {point['source']} {point['url']}".casefold()
    contested = filters.standing == "contested" and point["contest"] is not None
    return (not filters.standing or contested or point["standing"] == filters.standing) and wanted in text
