"""The human acts: each is checked, then recorded with who, when and why. Each gives the number of its entry.

UsageError names what does not exist or does not fit, Refused an act that is not this person's to make.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from pipmetrics import windows
from pipmetrics.acts.fold import fold
from pipmetrics.acts.life import OUTCOMES, Outcome, side_of
from pipmetrics.acts.plans import life_of, plan_in_force, proposal
from pipmetrics.config import Config
from pipmetrics.errors import Refused, UsageError
from pipmetrics.ledger import Act
from pipmetrics.model import Acts, Baseline, Json, Person, Plan
from pipmetrics.store import Store

FINAL: tuple[Outcome, ...] = ("complete", "not_complete")


# --- contested data points ----------------------------------------------------------------------------------------


def dispute(
    store: Store, config: Config, plan: str, criterion: str, key: str, *, by: str, why: str, now: datetime,
    subjects: Mapping[str, str],
) -> int:  # fmt: skip
    """Contests the measurement `key` of a criterion. It counts until decided.

    `subjects` are those of all measurements that the criterion has, by key.
    """
    found = _checked(store, config, plan, by, why)
    _one_of(criterion, [one.id for one in found.criteria], f"plan {plan} has no criterion")
    _one_of(
        key, subjects, f"{criterion} has no measurement", "The keys are those that explain and the evidence page show."
    )
    for other in _acts(store, plan).disputes:
        if (other.criterion, other.key, other.state) == (criterion, key, "open"):
            raise UsageError(f"{key} is contested already", mend=f"Answer or decide dispute {other.entry}.")
    said = {"criterion": criterion, "key": key, "subject": subjects[key], "why": why}
    return _append(store, found, by, "dispute", said, now)


def answer_dispute(store: Store, config: Config, number: int, *, by: str, why: str, now: datetime) -> int:
    """Answers a dispute; it stays open."""
    found = _disputed(store, config, number, by, why)
    return _append(store, found, by, "dispute.answer", {"dispute": number, "why": why}, now)


def decide_dispute(store: Store, config: Config, number: int, outcome: str, *, by: str, why: str, now: datetime) -> int:
    """Upholds a dispute (the point is left out) or rejects it (it counts). Not for who filed it, nor for the person."""
    found = _disputed(store, config, number, by, why)
    _one_of(outcome, ("upheld", "rejected"), "a dispute is not decided as")
    filed_by = store.entry(number).actor
    if by in (filed_by, found.person):
        raise Refused("a dispute is decided by somebody else than who filed it or is on the plan")
    return _append(store, found, by, "dispute.decide", {"dispute": number, "outcome": outcome, "why": why}, now)


def _disputed(store: Store, config: Config, number: int, by: str, why: str) -> Plan:
    every = fold(store.entries(acts=("dispute", "dispute.answer", "dispute.decide"))).disputes
    found = next((one for one in every if one.entry == number), None)
    if found is None:
        numbers = [str(one.entry) for one in every if one.state == "open"]
        raise UsageError(f"there is no dispute {number}", mend=f"Open disputes: {', '.join(numbers) or 'none'}.")
    if found.state != "open":
        raise UsageError(f"dispute {number} was {found.state} by {found.decided_by}", mend="File a new one if need be.")
    return _checked(store, config, found.plan, by, why)


# --- what the company and others do -------------------------------------------------------------------------------


def attest(
    store: Store,
    config: Config,
    plan: str,
    criterion: str,
    value: float,
    *,
    role: str,
    by: str,
    why: str,
    now: datetime,
) -> int:
    """Attests what no tool measures, in a role that the person attesting has; never about oneself."""
    found = _checked(store, config, plan, by, why)
    _one_of(criterion, [one.id for one in found.criteria], f"plan {plan} has no criterion")
    if by == found.person:
        raise Refused("an attestation is made by somebody else than the person on the plan")
    roles = roles_of(config, found, by)
    if role not in roles:
        mend = f"Roles of {by}: {', '.join(sorted(roles)) or 'none'}; people.yaml gives them."
        raise UsageError(f"{by} does not have the role {role!r}", mend=mend)
    if not math.isfinite(value):
        raise UsageError(f"{value} is no number that can be attested")
    payload = {"criterion": criterion, "role": role, "value": float(value), "why": why}
    return _append(store, found, by, "attest", payload, now)


def blame(
    store: Store, config: Config, plan: str, bug: str, change: str, *, confirmed: bool, evidence: Sequence[str],
    by: str, why: str, now: datetime,
) -> int:  # fmt: skip
    """Confirms, or denies, that a change of the person caused a bug, as the lines of `evidence` suggest that its fix
    changed. For the person, their manager and HR; a later word on the same two replaces it."""
    found = _checked(store, config, plan, by, why)
    _may_sign(config, found, by)
    if not evidence:
        raise UsageError(f"nothing says that {change} caused {bug}", mend="`pipmetrics blame suggest` shows what does.")
    payload = {"bug": bug, "change": change, "confirmed": confirmed, "evidence": list(evidence), "why": why}
    return _append(store, found, by, "blame", payload, now)


def roles_of(config: Config, plan: Plan, by: str) -> frozenset[str]:
    """The roles of somebody towards the person on a plan."""
    manages = by in (plan.manager, config.people[plan.person].manager)
    return config.people[by].roles | ({"manager"} if manages else frozenset())


def check_in(
    store: Store, config: Config, plan: str, day: date, held: bool, *, by: str, why: str, now: datetime
) -> int:  # fmt: skip
    """Records a check-in as held or missed; `why` is the note. A later record of the same day replaces it."""
    found = _checked(store, config, plan, by, why)
    _not_after(day, found, now, "a check-in")
    return _append(store, found, by, "check_in", {"day": day.isoformat(), "held": held, "why": why}, now)


def support(store: Store, config: Config, plan: str, place: int, on: date, *, by: str, why: str, now: datetime) -> int:
    """Records a promised support (its place in the plan, from 1) as delivered on a day."""
    found = _checked(store, config, plan, by, why)
    _promised(found, place)
    _not_after(on, found, now, "a support")
    given = next((one for one in _acts(store, plan).supports if one.support == place), None)
    if given is not None and given.confirmed is not False:
        raise UsageError(f"support {place} was recorded as delivered on {given.on} already")
    return _append(store, found, by, "support", {"support": place, "on": on.isoformat(), "why": why}, now)


def confirm_support(
    store: Store, config: Config, plan: str, place: int, confirmed: bool, *, by: str, why: str, now: datetime
) -> int:
    """The person on the plan says whether a support that was recorded really came."""
    found = _checked(store, config, plan, by, why)
    _promised(found, place)
    if by != found.person:
        raise Refused(f"only {found.person} can say whether the support came")
    if not any(one.support == place for one in _acts(store, plan).supports):
        raise UsageError(f"support {place} was not recorded as delivered", mend="Record it first: pipmetrics support.")
    return _append(store, found, by, "support.confirm", {"support": place, "confirmed": confirmed, "why": why}, now)


def _promised(plan: Plan, place: int) -> None:
    if not 1 <= place <= len(plan.supports):
        listed = "; ".join(f"{number}: {one.text}" for number, one in enumerate(plan.supports, 1))
        raise UsageError(f"plan {plan.id} promises no support {place}", mend=f"It promises {listed or 'none'}.")


# --- signatures, amendments, decisions ----------------------------------------------------------------------------


def sign_plan(
    store: Store, config: Config, plan: str, *, by: str, now: datetime, agrees: bool | None = None, why: str = ""
) -> int:
    """Signs a plan's file as it is now. The person's signature acknowledges and locks the text; it need not agree."""
    found = _checked(store, config, plan, by, None)
    if life_of(store, plan).versions:
        raise UsageError(f"plan {plan} is acknowledged already", mend="Change it by an amendment: pipmetrics amend.")
    _may_sign(config, found, by)
    content = proposal(config, plan)
    payload = {"what": "plan", "about": content.digest, "text": content.text, "agrees": agrees, "why": why}
    return _append(store, found, by, "sign", payload, now)


def sign_digest(
    store: Store, config: Config, plan: str, week: str, head: str, *, by: str, now: datetime,
    agrees: bool | None = None, why: str = "",
) -> int:  # fmt: skip
    """Signs a weekly digest (an ISO week) that showed this ledger head."""
    found = _checked(store, config, plan, by, None)
    windows.iso_week(week, found.timezone)
    _may_sign(config, found, by)
    payload = {"what": "digest", "about": week, "head": head, "agrees": agrees, "why": why}
    return _append(store, found, by, "sign", payload, now)


def propose_amendment(store: Store, config: Config, plan: str, *, by: str, why: str, now: datetime) -> int:
    """Proposes the plan's file as it is now in place of the locked text. Effective when both sides have signed."""
    found = _checked(store, config, plan, by, why)
    locked = life_of(store, plan).version()
    if locked is None:
        raise UsageError(
            f"plan {plan} is not acknowledged yet", mend="Until then its file may be edited; nothing need be signed."
        )
    content = proposal(config, plan, locked)
    if content.digest == locked.digest:
        raise UsageError(f"the file of plan {plan} is the locked text", mend="Edit the file, then propose it.")
    payload = {
        "base": locked.digest, "digest": content.digest, "text": content.text, "difference": content.difference,
        "why": why,
    }  # fmt: skip
    return _append(store, found, by, "amend", payload, now)


def sign_amendment(
    store: Store, config: Config, plan: str, number: int, *, by: str, now: datetime, why: str = ""
) -> int:
    """Signs a proposed amendment for one's side; the second side's signature makes it the locked text."""
    found = _checked(store, config, plan, by, None)
    life = life_of(store, plan)
    amendment = next((one for one in life.amendments if one.entry == number), None)
    waiting = [str(one.entry) for one in life.amendments if one.effective is None]
    if amendment is None or amendment.effective is not None:
        raise UsageError(
            f"plan {plan} has no open amendment {number}", mend=f"Open amendments: {', '.join(waiting) or 'none'}."
        )
    locked = life.version()
    if locked is None or amendment.base != locked.digest:
        raise Refused(
            f"amendment {number} was proposed against a text that is no longer in force", mend="Propose it anew."
        )
    _may_sign(config, found, by)
    if (side := side_of(found.person, by)) in amendment.signed:
        raise UsageError(f"{amendment.signed[side]} has signed amendment {number} for the {side} already")
    return _append(store, found, by, "amend.sign", {"amendment": number, "why": why}, now)


def pause(store: Store, config: Config, plan: str, *, by: str, why: str, now: datetime, resume: bool = False) -> int:
    """Pauses a plan, or resumes it."""
    found = _checked(store, config, plan, by, why)
    _not_by_the_person(found, by, "paused")
    if life_of(store, plan).paused != resume:
        raise UsageError(f"plan {plan} is {'not paused' if resume else 'paused already'}")
    return _append(store, found, by, "resume" if resume else "pause", {"why": why}, now)


def decide(
    store: Store, config: Config, plan: str, outcome: str, *, by: str, why: str, now: datetime,
    until: date | None = None, recommendation: str | None = None,
) -> int:  # fmt: skip
    """A named person decides on a plan, for or against the engine's `recommendation`, which is recorded beside it.

    `extend` takes the new last day in `until`. A final outcome waits for the plan's end and for open disputes.
    """
    found = _checked(store, config, plan, by, why)
    _one_of(outcome, OUTCOMES, "a plan is not decided as")
    _not_by_the_person(found, by, "decided")
    life = life_of(store, plan)
    if life.decided is not None:
        raise UsageError(f"plan {plan} was decided by {life.decided.by} as {life.decided.outcome} already")
    if (outcome == "extend") != (until is not None):
        raise UsageError("an extension needs a new last day, and nothing else takes one", mend="Give --until DATE.")
    if until is not None and until <= found.end:
        raise UsageError(f"the plan runs until {found.end} as it is; {until} would not extend it")
    if outcome in FINAL:
        _may_end(store, found, now)
    payload = {
        "outcome": outcome, "until": until and until.isoformat(), "recommendation": recommendation, "why": why,
    }  # fmt: skip
    return _append(store, found, by, "decide", payload, now)


def _may_end(store: Store, plan: Plan, now: datetime) -> None:
    if now < windows.whole(plan).end:
        raise UsageError(
            f"plan {plan.id} runs until {plan.end}", mend="Decide when it has ended; or withdraw or extend it."
        )
    contested = [one for one in _acts(store, plan.id).disputes if one.state == "open"]
    if contested:
        numbers = ", ".join(str(one.entry) for one in contested)
        raise Refused(f"plan {plan.id} has open disputes: {numbers}", mend="Decide them first: pipmetrics dispute.")


# --- for the record -----------------------------------------------------------------------------------------------


def record_baselines(
    store: Store, plans: Sequence[Plan], baselines: Sequence[Baseline], *, by: str, now: datetime
) -> int:
    """Freezes the baselines that the ledger does not hold yet, and gives how many those were."""
    people = {plan.id: plan.person for plan in plans}
    held = {(one.plan, one.criterion, one.window) for one in fold(store.entries(acts=("baseline",))).baselines}
    acts = [
        Act("baseline", f"plan:{one.plan}", by, {
            "person": people[one.plan],
            "criterion": one.criterion,
            "window": [one.window.start.isoformat(), one.window.end.isoformat()],
            "measured": dict(one.measured),
        })
        for one in baselines
        if (one.plan, one.criterion, one.window) not in held
    ]  # fmt: skip
    return len(store.append(acts, now)) if acts else 0


def record_reading(store: Store, plan: Plan, *, by: str, what: str, now: datetime) -> int:
    """Notes that somebody read a plan: which page or export."""
    return _append(store, plan, by, "read", {"what": what}, now)


def hold(store: Store, person: Person, *, by: str, why: str, now: datetime, release: bool = False) -> int:
    """Puts a legal hold on what is held about a person, so that it is not erased; or releases it."""
    _reasoned(why)
    act = Act("release" if release else "hold", f"person:{person.id}", by, {"person": person.id, "why": why})
    return store.append([act], now)[0].seq


# --- checks -------------------------------------------------------------------------------------------------------


def _checked(store: Store, config: Config, plan: str, by: str, why: str | None) -> Plan:
    """The plan in force; `by` must be somebody, and `why` must say something unless it is None."""
    _one_of(by, config.people, "people.yaml knows nobody called")
    if why is not None:
        _reasoned(why)
    return plan_in_force(config, store, plan)


def _reasoned(why: str) -> None:
    if not why.strip():
        raise UsageError("an act needs its reason", mend='Say why: --why "..."')


def _one_of(value: str, known: Collection[str], what: str, mend: str = "") -> None:
    if value not in known:
        near = get_close_matches(value, known, 1)
        listed = f"There are {', '.join(sorted(known)[:12])}." if known else "There are none."
        raise UsageError(f"{what} {value!r}", mend=f"Did you mean {near[0]!r}?" if near else mend or listed)


def _not_after(day: date, plan: Plan, now: datetime, what: str) -> None:
    today = now.astimezone(ZoneInfo(plan.timezone)).date()
    if day > today:
        raise UsageError(f"{what} on {day} lies ahead; today is {today}")


def _not_by_the_person(plan: Plan, by: str, what: str) -> None:
    if by == plan.person:
        raise Refused(f"a plan is not {what} by the person on it")


def _may_sign(config: Config, plan: Plan, by: str) -> None:
    """The person on the plan, their manager, and HR sign; nobody else."""
    if by != plan.person and not roles_of(config, plan, by) & {"manager", "hr", "executive"}:
        raise Refused(f"{by} has no part in plan {plan.id}", mend="The person, their manager and HR sign.")


def _acts(store: Store, plan: str) -> Acts:
    return fold(store.entries(subjects=(f"plan:{plan}",)))


def _append(store: Store, plan: Plan, by: str, act: str, payload: Json, now: datetime) -> int:
    return store.append([Act(act, f"plan:{plan.id}", by, {"person": plan.person, **payload})], now)[0].seq
