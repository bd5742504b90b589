"""One invented evaluation with a criterion of every verdict, as the ledger would hold it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipmetrics.digest.model import Digest, Occasion, build
from pipmetrics.model import Acts, Calendar, CheckIn, Criterion, Dispute, Person, Plan, Support, SupportGiven, Window

AS_OF = datetime(2026, 11, 23, tzinfo=UTC)
MONDAY = date(2026, 11, 16)


def criterion(**changed: Any) -> dict[str, Any]:
    """A criterion's part of SPEC section 10."""
    entry: dict[str, Any] = {
        "id": "reviews-24h",
        "expectation": "Complete code reviews within 24 hours",
        "metric": "review_turnaround",
        "criterion": "share_within",
        "direction": "at_least",
        "window": {"start": "2026-10-19T22:00:00Z", "end": "2026-11-23T00:00:00Z"},
        "value": 0.83,
        "unit": "share",
        "n": 18,
        "interval": [0.586, 0.964],
        "target": 0.9,
        "baseline": {"value": 0.41, "n": 37, "window": {"start": "", "end": ""}},
        "verdict": "at_risk",
        "progress": 0.86,
        "needed": "at most 1 late review in the next 12",
        "projection": {"value": 0.88, "interval": [0.7, 0.96]},
        "change": 0.05,
        "chance": 0.0004,
        "counted": 18,
        "excluded": 4,
        "pending": 1,
        "weeks": [{"value": 0.5, "n": 4, "interval": [0.07, 0.93]}, {"value": 1.0, "n": 6, "interval": [0.54, 1.0]}],
    }
    return entry | changed


def evaluation(*criteria: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A plan's part of SPEC section 10, inside its document."""
    plan: dict[str, Any] = {
        "plan": "ada-2026-q4",
        "person": "ada",
        "kind": "pip",
        "window": {"start": "2026-10-19T22:00:00Z", "end": "2026-12-18T23:00:00Z"},
        "day": 34,
        "days": 60,
        "verdict": "at_risk",
        "score": 0.5,
        "coverage": 1.0,
        "recommendation": None,
        "criteria": list(criteria or (criterion(),)),
        "incomplete_sources": [],
        "supports": {"due": 2, "delivered": 1},
        "check_ins": {"due": 4, "held": 4},
    }
    return {"as_of": "2026-11-23T00:00:00Z", "version": "0", "plans": [plan | changed]}


def person(name: str = "Ada Example") -> Person:
    off = Window(datetime(2026, 11, 12, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC))
    return Person("ada", name, Calendar("UTC", time_off=(off,)), team="payments")


def plan(expectation: str = "Complete code reviews within 24 hours") -> Plan:
    return Plan(
        id="ada-2026-q4",
        kind="pip",
        person="ada",
        manager="dana",
        start=date(2026, 10, 20),
        end=date(2026, 12, 18),
        timezone="UTC",
        criteria=(Criterion("reviews-24h", "review_turnaround", "share_within", expectation),),
        supports=(
            Support("Pairing on test design", "lee", date(2026, 11, 6)),
            Support("Course", "dana", date(2026, 11, 20)),
        ),
        check_in_weekday=0,
    )


def acts() -> Acts:
    held = [
        CheckIn("ada-2026-q4", date(2026, 10, 26) + timedelta(days=7 * n), True, "dana", "", AS_OF) for n in range(4)
    ]
    return Acts(
        check_ins=tuple(held),
        supports=(SupportGiven("ada-2026-q4", 1, "lee", date(2026, 11, 5), AS_OF),),
        disputes=(Dispute("ada-2026-q4", "reviews-24h", "RR_1", "ada", "asked during an incident", AS_OF),),
    )


def digest(document: dict[str, Any] | None = None, name: str = "Ada Example") -> Digest:
    occasion = Occasion(MONDAY, AS_OF, "Dana Example", ledger="9b1e" * 16)
    return build(document or evaluation(), [plan()], {"ada": person(name)}, acts(), occasion)
