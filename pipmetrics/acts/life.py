"""The life of a plan, folded from the ledger: which text is locked, what is proposed, what was decided.

draft -> acknowledged -> active -> (paused | amended | extended) -> ended -> decided
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, TypeAlias

from pipmetrics import windows
from pipmetrics.acts.fold import known, plan_of
from pipmetrics.model import Plan
from pipmetrics.store import Recorded

KINDS = frozenset({"sign", "amend", "amend.sign", "decide", "pause", "resume"})
"""Entries that `lives` reads."""

Side: TypeAlias = Literal["person", "company"]
Outcome: TypeAlias = Literal["complete", "extend", "not_complete", "withdrawn"]
OUTCOMES: tuple[Outcome, ...] = ("complete", "extend", "not_complete", "withdrawn")
PlanState: TypeAlias = Literal["draft", "acknowledged", "active", "paused", "amended", "extended", "ended", "decided"]


@dataclass(frozen=True, slots=True)
class Version:
    """A text of the plan that was locked, from `at` on; `digest` is its SHA-256."""

    digest: str
    text: str
    at: datetime
    entry: int


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed what: the plan, a digest (`about` names its week) or an outcome. Signing is not agreeing: `agrees`
    is None when nothing was said of that."""

    by: str
    side: Side
    what: Literal["plan", "digest", "outcome"]
    about: str
    agrees: bool | None
    comment: str
    at: datetime
    entry: int


@dataclass(frozen=True, slots=True)
class Amendment:
    """A proposed change of a locked plan; effective at the second of its two signatures."""

    plan: str
    by: str
    why: str
    digest: str
    text: str
    difference: str
    at: datetime
    entry: int
    base: str
    """The digest of the locked text that it would change."""
    signed: Mapping[Side, str]
    effective: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a named person decided, and why; `recommendation` is what the engine had suggested, None if nothing."""

    outcome: Outcome
    by: str
    why: str
    at: datetime
    entry: int
    until: date | None = None
    recommendation: str | None = None

    @property
    def overrides(self) -> bool:
        """Whether it departs from what was recommended."""
        return self.recommendation not in (None, "undetermined", self.outcome)


@dataclass(frozen=True, slots=True)
class Life:
    """Everything that was signed, proposed and decided about one plan, in the order of the ledger."""

    plan: str
    person: str
    versions: tuple[Version, ...] = ()
    signatures: tuple[Signature, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    decisions: tuple[Decision, ...] = ()
    paused: bool = False

    def version(self, as_of: datetime | None = None) -> Version | None:
        """The locked text in force before an instant; before any was locked, the first one that came to be."""
        if as_of is None:
            return self.versions[-1] if self.versions else None
        return next((one for one in reversed(self.versions) if one.at < as_of), next(iter(self.versions), None))

    def extended_until(self, as_of: datetime | None = None) -> date | None:
        """The end that the last decision before an instant moved the plan to."""
        ends = [one.until for one in self.decisions if one.until and (as_of is None or one.at < as_of)]
        return ends[-1] if ends else None

    @property
    def decided(self) -> Decision | None:
        """The decision that closed the plan; an extension does not."""
        last = self.decisions[-1] if self.decisions else None
        return last if last is not None and last.outcome != "extend" else None

    def state(self, plan: Plan, now: datetime) -> PlanState:
        """Where the plan in force stands at `now`."""
        whole = windows.whole(plan)
        if self.decided is not None:
            return "decided"
        if plan.draft:
            return "draft"
        if now >= whole.end:
            return "ended"
        if now < whole.start:
            return "acknowledged" if self.versions else "draft"
        if self.paused:
            return "paused"
        if self.extended_until(now) is not None:
            return "extended"
        return "amended" if len(self.versions) > 1 else "active"


def lives(entries: Iterable[Recorded], until: datetime | None = None) -> dict[str, Life]:
    """The life of every plan that the entries speak of, by its id."""
    found: dict[str, Life] = {}
    for entry in known(entries, until):
        if entry.act in KINDS:
            plan = plan_of(entry)
            life = found.get(plan) or Life(plan, entry.payload["person"])
            found[plan] = _step(life, entry)
    return found


def _step(life: Life, entry: Recorded) -> Life:
    said = entry.payload
    match entry.act:
        case "sign":
            return _signed(life, entry)
        case "amend":
            proposed = Amendment(
                life.plan, entry.actor, said["why"], said["digest"], said["text"], said["difference"], entry.at,
                entry.seq, said["base"], {},
            )  # fmt: skip
            return replace(life, amendments=(*life.amendments, proposed))
        case "amend.sign":
            return _amended(life, entry)
        case "decide":
            until = date.fromisoformat(said["until"]) if said["until"] else None
            decision = Decision(
                said["outcome"], entry.actor, said["why"], entry.at, entry.seq, until, said["recommendation"]
            )
            return replace(life, decisions=(*life.decisions, decision))
        case _:
            return replace(life, paused=entry.act == "pause")


def side_of(person: str, by: str) -> Side:
    return "person" if by == person else "company"


def _signed(life: Life, entry: Recorded) -> Life:
    said = entry.payload
    side = side_of(life.person, entry.actor)
    signature = Signature(
        entry.actor, side, said["what"], said["about"], said["agrees"], said["why"], entry.at, entry.seq
    )
    life = replace(life, signatures=(*life.signatures, signature))
    if said["what"] != "plan" or side != "person" or life.versions:
        return life
    return replace(life, versions=(Version(said["about"], said["text"], entry.at, entry.seq),))


def _amended(life: Life, entry: Recorded) -> Life:
    side = side_of(life.person, entry.actor)
    amendments = []
    versions = life.versions
    for one in life.amendments:
        if one.entry == entry.payload["amendment"] and one.effective is None:
            one = replace(one, signed={**one.signed, side: entry.actor})
            if len(one.signed) == 2:
                one = replace(one, effective=entry.at)
                versions = (*versions, Version(one.digest, one.text, entry.at, entry.seq))
        amendments.append(one)
    return replace(life, amendments=tuple(amendments), versions=versions)
