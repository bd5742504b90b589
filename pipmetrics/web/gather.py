"""What several pages and calls put together from the organisation: digests, the ledger, figures of teams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from pipmetrics import registry
from pipmetrics.beside import peers_of
from pipmetrics.digest.portfolio import Portfolio
from pipmetrics.digest.portfolio import portfolio as practice
from pipmetrics.digest.practice import Decision
from pipmetrics.errors import UsageError
from pipmetrics.model import Json, Plan
from pipmetrics.store import Recorded
from pipmetrics.web.guard import Visit
from pipmetrics.weekly import Week

A_PAGE = 100
TEAM_WINDOW = timedelta(days=90)


def week(visit: Visit, plans: Sequence[Plan], monday: date) -> Week:
    """The week of exactly these plans, as it was recorded or, before that, evaluated now; with its data points."""
    made = [_of_plan(visit, plan, monday) for plan in plans]
    told = [each.digest for each in made]
    empty = visit.standing.company.digest(monday, person=visit.actor.id) if not made else told[0]
    cards = [card for each in told for card in each.cards]
    needs = [need for each in told for need in each.needs]
    digest = replace(
        empty,
        reader=visit.people[visit.actor.id].name,
        cards=tuple(sorted(cards, key=lambda card: (card.private, card.name.split()[-1:], card.name, card.plan))),
        needs=tuple(sorted(needs, key=lambda need: (need.due or date.min, need.what))),
        incomplete=tuple(sorted({gap for each in told for gap in each.incomplete})),
        as_of=max((each.as_of for each in told), default=empty.as_of),
        ledger=max((each.ledger for each in told), key=_seq, default=empty.ledger),
    )
    return Week(digest, {place: rows for each in made for place, rows in each.points.items()})


def _of_plan(visit: Visit, plan: Plan, monday: date) -> Week:
    company = visit.standing.company
    return visit.office.remembered(
        ("week", plan.id, monday), visit.standing, lambda: company.week(monday, plan=plan.id)
    )


def _seq(anchor: str) -> int:
    return int(anchor.partition(":")[0] or 0)


def portfolio(visit: Visit) -> Portfolio:
    """The practice over the formal plans in the actor's sight, each of them read; with names for who may see names.

    Informal coaching is private: it is neither shown nor counted.
    """
    standing = visit.standing
    formal = [standing.plans[id] for id in visit.seen() if standing.plans[id].kind == "pip"]
    visit.reads("portfolio", formal)
    scored = [visit.office.scored(standing, plan) for plan in formal]
    document = {"as_of": visit.now.isoformat(), "plans": [each.entry for each in scored if each is not None]}
    decisions = [
        Decision(plan.id, one.outcome, one.at, None if one.recommendation is None else not one.overrides)
        for plan in formal
        for one in standing.life(plan.id).decisions
    ]
    tried = [_tried(visit, plan) for plan in formal]
    return practice(
        document, list(standing.plans.values()), visit.people, standing.acts, decisions, [t for t in tried if t],
        named=visit.sight is True,
    )  # fmt: skip


def _tried(visit: Visit, plan: Plan) -> Json | None:
    """What was found about the peers when the plan was first recorded, in the shape of a backtest."""
    peers = peers_of(visit.standing.company, plan)
    if peers is None:
        return None
    return {"plan": plan.id, "criteria": [{"id": n, "peers": {"met": met, "of": of}} for n, (met, of) in peers.items()]}


def ledger(visit: Visit, before: int | None) -> tuple[list[Recorded], int | None]:
    """A page of the ledger, newest first, and the number that the next page goes on before."""
    last = before - 1 if before is not None else visit.store.head().seq
    if last < 1:
        return [], None
    first = max(1, last - A_PAGE + 1)
    entries = [entry for entry in visit.store.entries(through=last) if entry.seq >= first]
    return list(reversed(entries)), first if first > 1 else None


def team_figures(visit: Visit, team: str, metric: str) -> Json:
    """Figures of a team over the last 90 days, all people together; None where fewer than five have any.

    UsageError for an unknown metric.
    """
    if metric not in registry.names("metrics"):
        raise UsageError(f"there is no metric {metric!r}", mend=f"Metrics: {', '.join(registry.names('metrics'))}")
    company, now = visit.standing.company, visit.now
    members = [person.id for person in visit.people.values() if person.team == team]
    start = now - TEAM_WINDOW
    rows = visit.office.remembered(
        ("team", metric, now.date()), visit.standing, lambda: company.measurements(metric, start=start, as_of=now)
    )
    mine = rows[rows["person"].isin(members) & (rows["state"] == "counted")]
    measured = int(mine["person"].nunique())
    enough = measured >= 5
    return {
        "team": team,
        "metric": metric,
        "people": len(members),
        "from": start.isoformat().replace("+00:00", "Z"),
        "to": now.isoformat().replace("+00:00", "Z"),
        "n": len(mine) if enough else None,
        "median": float(mine["value"].median()) if enough else None,
        "unit": registry.metric(metric).unit,
        "reason": None if enough else "fewer than five people have measurements: these would be figures of persons",
    }
