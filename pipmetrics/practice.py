"""Gathers what the practice report is made from: evaluations of all plans, acts, decisions, what peers would meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pipmetrics.beside import peers_of
from pipmetrics.digest.portfolio import Portfolio
from pipmetrics.digest.portfolio import portfolio as report
from pipmetrics.digest.practice import Decision
from pipmetrics.model import Json, Plan

if TYPE_CHECKING:
    from pipmetrics.api import Organisation


def portfolio(company: Organisation, as_of: datetime, *, named: bool = False) -> Portfolio:
    """The practice as of an instant, over all formal plans that had begun."""
    plans = company.plans(None, as_of)
    document = company.evaluate(as_of).to_json()
    tried = list(_tried(company, [plan for plan in plans if plan.kind == "pip"]))
    decisions = list(_decisions(company, as_of))
    return report(document, plans, company.config.people, company.acts(as_of), decisions, tried, named=named)


def _decisions(company: Organisation, as_of: datetime) -> Iterator[Decision]:
    from pipmetrics.acts import all_lives

    for plan, life in all_lives(company.store, as_of).items():
        for one in life.decisions:
            followed = None if one.recommendation is None else not one.overrides
            yield Decision(plan, one.outcome, one.at, followed)


def _tried(company: Organisation, plans: Sequence[Plan]) -> Iterator[Json]:
    """What was found about the peers when the plans were first recorded, in the shape of a backtest."""
    for plan in plans:
        peers = peers_of(company, plan)
        if peers is not None:
            told = [{"id": name, "peers": {"met": met, "of": of}} for name, (met, of) in peers.items()]
            yield {"plan": plan.id, "criteria": told}
