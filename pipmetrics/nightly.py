"""Composes the night: which sources are pulled, which plans are scored as of when, what is delivered to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pipmetrics import runner
from pipmetrics.model import Baseline, Plan
from pipmetrics.pull import Progress, Pulled
from pipmetrics.records import scored
from pipmetrics.runner import Delivered, RunReport, Scored, Steps
from pipmetrics.sources import pull_all
from pipmetrics.store import Evaluated, Store
from pipmetrics.weekly import monday_of, week_end

if TYPE_CHECKING:
    from pipmetrics.api import Organisation


def run(company: Organisation, *, progress: Progress | None = None, slot: datetime | None = None) -> RunReport:
    """The nightly job once. Refused while another one runs on the same store."""
    return runner.run(company.store, steps(company, progress), clock=company.now, slot=slot)


def steps(company: Organisation, progress: Progress | None = None) -> Steps:
    def pull(store: Store, _now: datetime, number: int) -> Sequence[Pulled]:
        sources = company.config.settings.sources
        return pull_all(company, sources, progress=progress, store=store, run=number)

    return Steps(
        check=lambda _store, _now: checked(company),
        pull=pull,
        evaluate=lambda store, now: evaluate(on(company, store), now),
        deliver=lambda store, now: deliver(on(company, store), now),
    )


def on(company: Organisation, store: Store) -> Organisation:
    """The same organisation, working through a store that holds the lease."""
    other = replace(company)
    other.__dict__["store"] = store
    return other


def checked(company: Organisation) -> Sequence[str]:
    """What the lint rules say of the plans; the configuration itself was checked when it was opened."""
    from pipmetrics.config import lint

    return [f"{found.file}:{found.line}: {found.code} {found.what}" for found in lint.lint(company.config)]


def evaluate(company: Organisation, now: datetime) -> Scored:
    """Every plan as of now, and as of the end of the last complete week where that is not on record yet.

    The latter is what the weekly digest shows, then and for ever.
    """
    plans: dict[str, Plan] = {}
    evaluated: list[Evaluated] = []
    baselines: dict[tuple[str, str], Baseline] = {}
    incomplete: set[str] = set()
    for at, due in _due(company, now):
        evaluations, entries = scored(company, due, at)
        plans |= {plan.id: plan for plan in due}
        evaluated += entries
        baselines |= {(each.plan, each.criterion): each for each in evaluations.baselines}
        if at == now:
            incomplete |= {f"{each.plan}: {gap}" for each in evaluations.plans for gap in each.incomplete_sources}
    return Scored(list(plans.values()), evaluated, list(baselines.values()), sorted(incomplete))


def _due(company: Organisation, now: datetime) -> Sequence[tuple[datetime, Sequence[Plan]]]:
    monday = monday_of(None, company)
    by_instant: dict[datetime, list[Plan]] = {}
    for plan in company.plans(None, now):
        by_instant.setdefault(week_end(monday, plan.timezone, now), []).append(plan)
    weeks = []
    for at, plans in sorted(by_instant.items()):
        known = company.recorded(plans, at)
        left = [plan for plan in plans if plan.id not in known]
        weeks += [(at, left)] if left else []
    return [*weeks, (now, company.plans(None, now))]


def deliver(_company: Organisation, _now: datetime) -> Delivered:
    """Nothing is configured to be delivered."""
    return Delivered()
