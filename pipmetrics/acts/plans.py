"""Which text of a plan is scored: the file until it is acknowledged, from then on what was signed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches, unified_diff

from pipmetrics.acts.fold import KINDS as ACT_KINDS
from pipmetrics.acts.fold import fold
from pipmetrics.acts.life import KINDS, Life, Version, lives
from pipmetrics.config import Config, parse_plan
from pipmetrics.errors import ConfigError, UsageError
from pipmetrics.model import Acts, Plan
from pipmetrics.store import Store


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan's file as it is now, and how it differs from the locked text (a unified diff, "" when it does not)."""

    digest: str
    text: str
    difference: str = ""


def acts_before(store: Store, until: datetime | None) -> Acts:
    """The human acts known before an instant (None: all)."""
    return fold(store.entries(acts=ACT_KINDS, until=until))


def all_lives(store: Store, until: datetime | None = None) -> dict[str, Life]:
    """The life of every plan of the ledger, by its id."""
    return lives(store.entries(acts=KINDS, until=until))


def life_of(store: Store, plan: str, until: datetime | None = None) -> Life:
    """The life of one plan; an empty one when nothing was recorded of it."""
    return lives(store.entries(acts=KINDS, subjects=(f"plan:{plan}",), until=until)).get(plan) or Life(plan, "")


def plans_in_force(config: Config, store: Store, as_of: datetime | None = None) -> tuple[Plan, ...]:
    """The plans to score: files as they are, acknowledged ones as they were signed, extended ones with their new end.

    A locked plan whose file is gone is still in force until it is decided: deleting a file is an edit like any other.
    ConfigError when a locked text no longer fits people.yaml.
    """
    known = all_lives(store)
    plans = [_in_force(plan, known.get(plan.id), config, as_of) for plan in config.plans]
    listed = {plan.id for plan in config.plans}
    for life in known.values():
        version = life.version(as_of)
        if life.plan not in listed and version is not None and life.decided is None:
            plans.append(_extended(_locked(life, version, config, ""), life, as_of))
    return tuple(plans)


def plan_in_force(config: Config, store: Store, plan: str) -> Plan:
    """One of them; UsageError when there is no such plan."""
    plans = plans_in_force(config, store)
    found = next((one for one in plans if one.id == plan), None)
    if found is None:
        names = [one.id for one in plans]
        near = get_close_matches(plan, names, 1)
        mend = f"Did you mean {near[0]!r}?" if near else f"Plans: {', '.join(names) or 'none'}."
        raise UsageError(f"there is no plan {plan!r}", mend=mend)
    return found


def edited(config: Config, store: Store) -> dict[str, Proposal]:
    """Locked plans whose files differ from what was signed, with the difference: an amendment waits to be signed."""
    found = {}
    known = all_lives(store)
    for plan in config.plans:
        locked = known[plan.id].version() if plan.id in known else None
        if locked is not None and plan.digest != locked.digest:
            found[plan.id] = proposal(config, plan.id, locked)
    return found


def proposal(config: Config, plan: str, locked: Version | None = None) -> Proposal:
    """The file of a plan; UsageError when it is gone."""
    found = next((one for one in config.plans if one.id == plan), None)
    if found is None:
        raise UsageError(f"plan {plan} has no file any more", mend="Restore it under plans/ to sign or amend it.")
    content = config.documents[found.file].content
    text = content.decode()
    lines = () if locked is None else unified_diff(
        locked.text.splitlines(), text.splitlines(), "signed", found.file, lineterm=""
    )  # fmt: skip
    return Proposal(hashlib.sha256(content).hexdigest(), text, "\n".join(lines))


def _in_force(plan: Plan, life: Life | None, config: Config, as_of: datetime | None) -> Plan:
    if life is None:
        return plan
    version = life.version(as_of)
    if version is not None and version.digest != plan.digest:
        plan = _locked(life, version, config, plan.file)
    return _extended(plan, life, as_of)


def _locked(life: Life, version: Version, config: Config, file: str) -> Plan:
    named = f"{file or life.plan} (as signed {version.at:%Y-%m-%d})"
    try:
        return parse_plan(version.text.encode(), config, named)
    except ConfigError as error:
        raise ConfigError(
            [replace(one, mend=one.mend or "Its text is locked: restore what it names.") for one in error.problems]
        ) from error


def _extended(plan: Plan, life: Life, as_of: datetime | None) -> Plan:
    until = life.extended_until(as_of)
    return plan if until is None or until <= plan.end else replace(plan, end=until)
