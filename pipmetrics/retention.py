"""How long data is kept: what the settings' periods say is over is removed by the nightly job, as acts on record."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipmetrics import windows
from pipmetrics.access import LEDGER, SCHEDULER, Thing, can
from pipmetrics.errors import Refused
from pipmetrics.model import Plan
from pipmetrics.store import Store, expiry

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

SLACK = timedelta(days=14)
"""Kept before the first day that an evaluation asks for: it looks a week back, and days have zones."""


def expire(company: Organisation, store: Store, now: datetime) -> list[str]:
    """Removes what is kept no longer, and says so in words; `store` holds the lease of the run.

    Never what a plan that is still evaluated needs, and nothing of people under a legal hold.
    """
    kept, told = company.config.settings.retention, list[str]()
    if kept.evaluations is None and kept.plans is None and kept.facts is None:
        return told
    if not (can(SCHEDULER, "erasure.expire", Thing("person")) and can(SCHEDULER, "ledger.append", LEDGER)):
        raise Refused("the scheduler may not remove what has expired")
    for period, figures in ((kept.evaluations, True), (kept.plans, False)):
        if period is not None:
            gone = expiry.forget_plans(store, now - period, f"kept for {period.days} days", now, figures=figures)
            what = "evaluations" if figures else "entries"
            told += [f"{len(seqs)} {what} about {plan} were kept for {period.days} days" for plan, seqs in gone.items()]
    if kept.facts is not None:
        before = min([now - kept.facts, *_needed(company, store, now)])
        facts = expiry.forget_facts(store, before, company.config.people, f"kept for {kept.facts.days} days", now)
        if facts.subjects:
            told.append(f"{facts.subjects} changes and issues were kept for {kept.facts.days} days")
    return told


def over(company: Organisation, store: Store, now: datetime) -> Collection[str]:
    """The plans whose evaluations are kept no longer: they are not evaluated any more."""
    kept = company.config.settings.retention
    periods = [period for period in (kept.evaluations, kept.plans) if period is not None]
    if not periods:
        return ()
    return {one.plan for one in expiry.ended_plans(store, now) if one.at + min(periods) <= now}


def _needed(company: Organisation, store: Store, now: datetime) -> Sequence[datetime]:
    """The first instants that plans still ask for."""
    past = over(company, store, now)
    return [_first(plan) - SLACK for plan in company.plans(None, now) if plan.id not in past]


def _first(plan: Plan) -> datetime:
    longest = max((each.baseline for each in plan.criteria), default=timedelta())
    return windows.whole(plan).start - longest
