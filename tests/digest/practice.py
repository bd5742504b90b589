"""A company with formal plans of invented people, some running and some ended, for the portfolio."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pipmetrics.digest.portfolio import Decision
from pipmetrics.model import Acts, Baseline, Calendar, CheckIn, Person, Plan, Window
from tests.digest import gallery

AS_OF = gallery.AS_OF
FAMILY = (
    "Aguilar",
    "Boer",
    "Danquah",
    "Lindqvist",
    "Okafor",
    "Pruitt",
    "Sethi",
    "Tanaka",
    "Ueda",
    "Vos",
    "Wolf",
    "Zhou",
)
RUNNING = ("on_track", "not_enough_data", "off_track", "met", "at_risk", "on_track", "on_track")


def people(count: int = 12) -> dict[str, Person]:
    made = [Person(f"p{n}", f"Person {FAMILY[n]}", Calendar("UTC"), manager="dana") for n in range(count)]
    return {person.id: person for person in [*made, Person("dana", "Dana Whitfield", Calendar("UTC"))]}


def plans(count: int = 12) -> list[Plan]:
    made = []
    for n in range(count):
        start = date(2026, 10, 19) if n < len(RUNNING) else date(2026, 6, 1) + timedelta(days=n)
        end = start + timedelta(days=59)
        before = f"coaching-{n}" if n % 3 else None
        changed: dict[str, Any] = {"preceded_by": before, "timezone": "UTC", "check_in_weekday": 0}
        if n == 2:
            changed["supports"] = ()
        made.append(gallery.plan(f"plan-{n}", f"p{n}", start, end, gallery.REVIEWS, gallery.BUGS, **changed))
        if before:
            begun = start - timedelta(days=30 if n == 5 else 70)
            made.append(gallery.plan(before, f"p{n}", begun, start, gallery.REVIEWS, kind="coaching"))
    return made


def evaluations(count: int = 12) -> dict[str, Any]:
    entries = []
    for n, plan in enumerate(plan for plan in plans(count) if plan.kind == "pip"):
        running = n < len(RUNNING)
        verdict = RUNNING[n] if running else ("met" if n % 2 else "not_met")
        weeks = gallery.weeks(0.9, 0.95)
        criteria = (
            gallery.reviews(verdict, 0.9, 20, weeks),
            gallery.bugs() | {"verdict": "not_enough_data" if n in (1, 3) else "on_track"},
        )
        changed: dict[str, Any] = {
            "check_ins": {"due": 5, "held": 5 if n != 2 else 2},
            "supports": {"due": 2 if n != 2 else 0, "delivered": 1 if n == 4 else 2 if n != 2 else 0},
        }
        if not running:
            changed["recommendation"] = "complete" if n % 2 else "not_complete"
        entries.append(gallery.entry(plan, verdict, *criteria, **changed))
    return {"as_of": "2026-11-23T00:00:00Z", "version": "0", "plans": entries}


def acts(count: int = 12) -> Acts:
    formal = [plan for plan in plans(count) if plan.kind == "pip"]
    held = [CheckIn(plan.id, plan.start + timedelta(days=7), True, "dana", "", AS_OF) for plan in formal]
    window = Window(AS_OF - timedelta(days=90), AS_OF)
    frozen = [
        Baseline(plan.id, criterion.id, window, {}, datetime.combine(plan.start, time(3), UTC))
        for plan in formal
        for criterion in plan.criteria
    ]
    return Acts(check_ins=tuple(held), baselines=tuple(frozen))


def decisions() -> list[Decision]:
    return [
        Decision(f"plan-{n}", "completed" if n % 2 else "moved to another role by agreement", AS_OF, followed=n != 8)
        for n in range(7, 12)
    ]


def backtests(count: int = 12) -> list[dict[str, Any]]:
    def criteria(n: int) -> list[dict[str, Any]]:
        return [{"id": "reviews-24h", "peers": {"met": 3 if n == 4 else 9, "of": 12, "interval": [0.1, 0.9]}}]

    return [{"plan": f"plan-{n}", "criteria": criteria(n)} for n in range(count) if n != 6]
