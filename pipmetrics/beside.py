"""What stands beside a week's evaluation in the digest: the data points, what late data changed, what peers would meet.

It is put on record with the evaluation of each week's end, so that a past digest is shown as it was, at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pipmetrics.model import Json, Plan
from pipmetrics.records import OnRecord, Scoring, latest, recorded, scored, texts_of

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

NAME = "beside"
"""Under which an evaluation's entry keeps it."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Of one plan. `points`: measurements by criterion, each with `standing` and `note`; `late`: sentences; `peers`:
    by criterion how many would have met its target, of how many (None: never tried)."""

    points: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    late: Sequence[str] = ()
    peers: Mapping[str, tuple[int, int]] | None = None

    def dump(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Beside:
        said = json.loads(text)
        peers = said["peers"]
        tried = None if peers is None else {name: (met, of) for name, (met, of) in peers.items()}
        return cls(said["points"], tuple(said["late"]), tried)


def kept(company: Organisation, on_record: OnRecord) -> Beside | None:
    """What was recorded beside an evaluation; None when nothing was, or it was erased."""
    text = texts_of(company, on_record).get(NAME)
    return None if text is None else Beside.load(text)


def of_week(
    company: Organisation, scoring: Scoring, before: Mapping[str, datetime], *, try_peers: bool = False
) -> dict[str, Beside]:
    """What stands beside these plans, scored at the end of a week; `before` is the end of the week before, by plan.

    Peers are tried once in a plan's life (with `try_peers`), later weeks take that over.
    """
    from pipmetrics.explain import rows_of

    at = scoring.evaluations.as_of
    chosen = {entry.plan: entry for entry in scoring.evaluations.plans}
    plans = [plan for plan in scoring.plans if plan.id in chosen]
    late = _late(company, plans, before)
    return {
        plan.id: Beside(
            points=rows_of(company, plan, scoring.measured, at),
            late=late.get(plan.id, ()),
            peers=peers_of(company, plan, try_them=try_peers),
        )
        for plan in plans
    }


def peers_of(company: Organisation, plan: Plan, *, try_them: bool = False) -> Mapping[str, tuple[int, int]] | None:
    """How many peers would have met each target, as it was found before; None when that was never tried."""
    from pipmetrics.backtest import peers_met

    last = latest(company, plan.id)
    if last is not None and last.payload["plan_hash"] == plan.digest:
        found = kept(company, last) or _earlier(company, plan, last)
        if found is not None and found.peers is not None:
            return found.peers
    return peers_met(company, plan) if try_them else None


def _earlier(company: Organisation, plan: Plan, last: OnRecord) -> Beside | None:
    """The newest record of this text of the plan that has something beside it."""
    entries = company.store.entries(acts=("evaluation",), subjects=(f"plan:{plan.id}",), through=last.seq)
    for entry in reversed(entries):
        if entry.payload and entry.payload["plan_hash"] == plan.digest and NAME in entry.payload["texts"]:
            return kept(company, OnRecord.of(entry))
    return None


def _late(company: Organisation, plans: Sequence[Plan], before: Mapping[str, datetime]) -> Mapping[str, Sequence[str]]:
    """What would read otherwise today of the week before, by plan, where that week is on record."""
    from pipmetrics.digest.late import sentences

    found: dict[str, Sequence[str]] = {}
    for at in sorted({before[plan.id] for plan in plans}):
        known = recorded(company, [plan for plan in plans if before[plan.id] == at], at)
        again = scored(company, [plan for plan in plans if plan.id in known], at).evaluations if known else None
        for entry in again.to_json()["plans"] if again else ():
            found[entry["plan"]] = sentences(known[entry["plan"]].entry, entry)
    return found
