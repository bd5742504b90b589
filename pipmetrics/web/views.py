"""What the pages and the API tell of a plan, of its evidence and of all plans together, as values for both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pipmetrics.access import Answer
from pipmetrics.acts import Amendment, Life, edited
from pipmetrics.acts.life import PlanState
from pipmetrics.digest.model import Card, Occasion, build
from pipmetrics.model import Acts, Dispute, Json, Plan
from pipmetrics.store import Recorded
from pipmetrics.web import story as stories
from pipmetrics.web.guard import Visit
from pipmetrics.web.office import Scored
from pipmetrics.web.redact import Voice

LATEST = 20
"""Ledger entries that a plan's page shows; the plan's ledger has all of them."""
NO_STORY = ("read", "evaluation")


@dataclass(frozen=True, slots=True)
class PlanView:
    """One plan as one reader may see it."""

    plan: Plan
    state: PlanState
    waits: str
    """Why the plan is not active though its time has come; "" when it is, or has not begun."""
    voice: Voice
    manager: str
    hr: tuple[str, ...]
    scored: Scored | None
    card: Card | None
    acts: Acts
    life: Life
    entries: tuple[Recorded, ...]
    edited: str
    """How the plan's file differs from what was signed; "" when it does not."""

    @property
    def entry(self) -> Json:
        return self.voice.entry(self.scored.entry) if self.scored is not None else None

    def story(self) -> list[stories.Line]:
        """What happened, the latest first."""
        told = [entry for entry in self.entries if entry.act not in NO_STORY]
        return stories.lines(reversed(told), self.voice)

    def latest(self) -> list[stories.Line]:
        told = [entry for entry in self.entries if entry.act != "read"]
        return stories.lines(reversed(told[-LATEST:]), self.voice)

    def looked(self) -> list[stories.Line]:
        """Who has read the plan, the latest first."""
        return stories.lines(reversed([entry for entry in self.entries if entry.act == "read"]), self.voice)

    def history(self) -> stories.History:
        return stories.history(self.entries)

    def disputes(self) -> list[Dispute]:
        return [each for each in self.acts.disputes if each.plan == self.plan.id]

    def open_amendments(self) -> list[Amendment]:
        return [each for each in self.life.amendments if each.effective is None]


def view_of(visit: Visit, plan: Plan, sight: Answer) -> PlanView:
    """The plan with everything that is known of it; redacted where `sight` says so."""
    standing, voice = visit.standing, voice_of(visit, sight)
    life, now = standing.life(plan.id), visit.now
    scored = visit.office.scored(standing, plan)
    entries = tuple(visit.store.entries(subjects=(f"plan:{plan.id}",)))
    acts = voice.acts(standing.acts)
    thing = standing.things[plan.id]
    partners = [person for person in visit.people.values() if "hr" in person.roles and person.unit == thing.unit]
    shown = voice.plan(plan)
    waits = "" if life.versions or plan.draft else "It waits until it is acknowledged by the person."
    return PlanView(
        plan=shown,
        state=life.state(plan, now) if life.versions or life.decisions else "draft",
        waits=waits,
        voice=voice,
        manager=voice.name(thing.manager or ""),
        hr=tuple(voice.name(partner.id) for partner in partners),
        scored=scored,
        card=_card(visit, shown, voice, acts, scored) if scored is not None else None,
        acts=acts,
        life=life,
        entries=entries,
        edited=_difference(visit, plan) if voice.whole else "",
    )


def voice_of(visit: Visit, sight: Answer) -> Voice:
    return Voice(sight, visit.people, visit.office.pseudonym_key)


def _card(visit: Visit, plan: Plan, voice: Voice, acts: Acts, scored: Scored) -> Card:
    monday = _monday(scored.as_of, plan.timezone)
    entry = voice.entry(scored.entry) | {"plan": plan.id}
    before = visit.standing.plans.get(plan.preceded_by or "")
    plans = [plan, before] if before is not None else [plan]
    occasion = Occasion(monday, scored.as_of, "")
    (card,) = build({"plans": [entry]}, plans, voice.seen_people(plan), acts, occasion).cards
    return card


def _monday(at: datetime, zone: str) -> date:
    last = (at - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date()
    return last - timedelta(days=last.weekday())


def _difference(visit: Visit, plan: Plan) -> str:
    found = edited(visit.standing.company.config, visit.store).get(plan.id)
    return found.difference if found is not None else ""


# --- all plans ----------------------------------------------------------------------------------------------------


def summary(visit: Visit, plan: Plan, sight: Answer) -> Json:
    """One plan in a list."""
    voice, scored = voice_of(visit, sight), visit.office.scored(visit.standing, plan)
    life = visit.standing.life(plan.id)
    entry = scored.entry if scored is not None else None
    disputes = [each for each in visit.standing.acts.disputes if each.plan == plan.id and each.state == "open"]
    return {
        "plan": plan.id,
        "kind": plan.kind,
        "person": voice.name(plan.person) if not voice.whole else plan.person,
        "name": voice.name(plan.person),
        "manager": voice.name(visit.standing.things[plan.id].manager or ""),
        "state": life.state(plan, visit.now) if life.versions or life.decisions else "draft",
        "start": plan.start.isoformat(),
        "end": plan.end.isoformat(),
        "day": entry["day"] if entry else None,
        "days": (plan.end - plan.start).days + 1,
        "verdict": entry["verdict"] if entry else None,
        "verdicts": [each["verdict"] for each in entry["criteria"]] if entry else [],
        "supports": entry["supports"] if entry else None,
        "check_ins": entry["check_ins"] if entry else None,
        "preceded_by": plan.preceded_by is not None,
        "open_disputes": len(disputes),
        "decision": life.decided.outcome if life.decided else None,
        "overridden": any(decision.overrides for decision in life.decisions),
    }
