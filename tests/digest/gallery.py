"""A week of four invented people that shows every part of a digest: verdicts, disputes, late support, coaching."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipmetrics.digest.model import Beside, Digest, Occasion, build
from pipmetrics.model import Acts, Calendar, CheckIn, Criterion, Dispute, Person, Plan, Support, SupportGiven, Window
from tests.digest.sample import AS_OF, MONDAY, criterion

REVIEWS = Criterion(
    "reviews-24h",
    "review_turnaround",
    "share_within",
    "Answer 90 % of review requests within 24 working hours",
    parameters={"limit": timedelta(hours=24), "target": 0.9},
    minimum=8,
    clock="working",
)
MERGES = Criterion(
    "days-to-merge",
    "time_to_merge",
    "threshold",
    "Median 3 working days or fewer from opening to merging",
    parameters={"statistic": "median", "at_most": 72.0},
)
BUGS = Criterion(
    "bugs-halved",
    "post_deploy_bugs",
    "reduction",
    "Reduce bugs that reach production by half",
    parameters={"target": 0.5, "per": "changes_deployed"},
)
WRITE_UPS = Criterion(
    "write-ups",
    "delivered_on_time",
    "threshold",
    "Publish 80 % of incident write-ups by their date",
    parameters={"statistic": "share", "at_least": 0.8},
)
BASELINE = {"start": "2026-07-03T00:00:00Z", "end": "2026-10-01T00:00:00Z"}


def people() -> dict[str, Person]:
    off = Window(datetime(2026, 11, 12, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC))
    made = [
        Person("tomas", "Tomás Aguilar", Calendar("Europe/Lisbon", time_off=(off,)), team="Backend, Payments"),
        Person("marek", "Marek Lindqvist", Calendar("Europe/Stockholm"), team="Platform tools"),
        Person("ines", "Ines Okafor", Calendar("Europe/Berlin"), team="Checkout"),
        Person("yuki", "Yuki Brandt", Calendar("Europe/Berlin"), team="Search"),
        Person("dana", "Dana Whitfield", Calendar("Europe/Berlin"), email="dana@example.com"),
        Person("sol", "Sol Ribeiro", Calendar("Europe/Berlin")),
    ]
    return {person.id: person for person in made}


def plan(name: str, person: str, start: date, end: date, *criteria: Criterion, **changed: Any) -> Plan:
    fields: dict[str, Any] = {
        "id": name,
        "kind": "pip",
        "person": person,
        "manager": "dana",
        "start": start,
        "end": end,
        "timezone": "Europe/Berlin",
        "criteria": criteria,
        "supports": (
            Support("Release-safety course", "dana", date(2026, 11, 5)),
            Support("Mentor: two hours a week", "sol", date(2026, 11, 20)),
            Support("Second mentor session on rollback drills", "sol", date(2026, 11, 27)),
        ),
        "check_in_weekday": 3,
        "preceded_by": f"{person}-coaching",
    }
    return Plan(**(fields | changed))


def plans() -> list[Plan]:
    return [
        plan("okafor-2026-q4", "ines", date(2026, 10, 19), date(2026, 12, 17), BUGS, REVIEWS, WRITE_UPS),
        plan("aguilar-2026-q4", "tomas", date(2026, 11, 1), date(2026, 12, 30), REVIEWS, MERGES),
        plan("lindqvist-2026-q3", "marek", date(2026, 9, 22), date(2026, 11, 20), REVIEWS, MERGES),
        plan(
            "brandt-coaching",
            "yuki",
            date(2026, 11, 9),
            date(2026, 12, 20),
            REVIEWS,
            kind="coaching",
            supports=(Support("Weekly pairing with Sol", "sol", date(2026, 11, 26)),),
        ),
        plan("tomas-coaching", "tomas", date(2026, 8, 3), date(2026, 10, 30), REVIEWS, kind="coaching"),
    ]


def weeks(*values: float | None, start: int = 1, spread: float = 0.2, n: int = 9, top: float | None = 1.0) -> list[Any]:
    def week(place: int, value: float | None) -> dict[str, Any]:
        if value is None:
            return {"week": place, "value": None, "n": 0, "interval": None, "complete": True, "met": None}
        high = value + spread * 0.6
        reach = [max(0.0, value - spread), high if top is None else min(top, high)]
        return {"week": place, "value": value, "n": n, "interval": reach, "complete": True, "met": value >= 0.9}

    return [week(start + place, value) for place, value in enumerate(values)]


def reviews(verdict: str, value: float, n: int, weekly: list[Any], **changed: Any) -> dict[str, Any]:
    base = {"value": 0.62, "n": 71, "interval": [0.497, 0.732], "window": BASELINE}
    return criterion(
        **{
            "expectation": REVIEWS.expectation,
            "verdict": verdict,
            "value": value,
            "n": n,
            "interval": [max(0.0, value - 0.14), min(1.0, value + 0.05)],
            "baseline": base,
            "weeks": weekly,
            "needed": None,
            "projection": {"value": value, "interval": [value - 0.1, min(1.0, value + 0.05)]},
            "counted": n,
        }
        | changed
    )


def merges(verdict: str, value: float, weekly: list[Any], **changed: Any) -> dict[str, Any]:
    return criterion(
        **{
            "id": "days-to-merge",
            "expectation": MERGES.expectation,
            "metric": "time_to_merge",
            "criterion": "threshold",
            "direction": "at_most",
            "unit": "hours",
            "value": value,
            "target": 72.0,
            "n": 30,
            "interval": [value - 10, value + 7.5],
            "baseline": {"value": 134.4, "n": 84, "interval": [112.0, 150.0], "window": BASELINE},
            "verdict": verdict,
            "change": -4.8,
            "needed": None,
            "projection": {"value": value - 2, "interval": [value - 9, value + 4]},
            "weeks": weekly,
            "excluded": 0,
            "pending": 0,
            "counted": 30,
        }
        | changed
    )


def bugs() -> dict[str, Any]:
    return criterion(
        id="bugs-halved",
        expectation=BUGS.expectation,
        metric="post_deploy_bugs",
        criterion="reduction",
        value=0.33,
        target=0.5,
        n=31,
        interval=[-0.7, 0.76],
        baseline={"value": 0.24, "n": 121, "interval": [0.16, 0.34], "window": BASELINE},
        needed="at most 2 bugs in the next 24 changes deployed",
        projection={"value": 0.36, "interval": [-0.2, 0.7]},
        change=0.08,
        counted=5,
        excluded=2,
        pending=0,
        weeks=weeks(-0.4, 0.1, 0.5, 0.3, 0.55, spread=0.5),
        note="bugs are rare: one more would move this to 20 %",
        contested={
            "keys": ["B1"], "value": 0.46, "n": 31, "interval": [-0.5, 0.8], "verdict": "at_risk",
            "text": "33 %; 46 % without the contested bug",
        },
    )  # fmt: skip


def write_ups() -> dict[str, Any]:
    return criterion(
        id="write-ups",
        expectation=WRITE_UPS.expectation,
        metric="delivered_on_time",
        criterion="threshold",
        value=1.0,
        target=0.8,
        n=1,
        interval=[0.025, 1.0],
        baseline=None,
        verdict="not_enough_data",
        needed=None,
        projection=None,
        change=None,
        chance=None,
        reason="1 of 5 needed data points",
        counted=1,
        excluded=0,
        pending=0,
        weeks=weeks(None, None, None, 1.0),
    )


def entry(plan: Plan, verdict: str, *criteria: dict[str, Any], **changed: Any) -> dict[str, Any]:
    day = min((AS_OF.date() - plan.start).days, (plan.end - plan.start).days + 1)
    fields: dict[str, Any] = {
        "plan": plan.id,
        "person": plan.person,
        "kind": plan.kind,
        "window": {"start": "2026-10-19T22:00:00Z", "end": "2026-11-23T00:00:00Z"},
        "day": day,
        "days": (plan.end - plan.start).days + 1,
        "verdict": verdict,
        "score": 0.7,
        "coverage": 1.0,
        "recommendation": None,
        "because": [],
        "criteria": list(criteria),
        "incomplete_sources": [],
        "supports": {"due": 2, "delivered": 1},
        "check_ins": {"due": 4, "held": 3},
    }
    return fields | changed


def evaluations() -> dict[str, Any]:
    ines, tomas, marek, yuki, _ = plans()
    low = merges("met", 60.0, weeks(103.0, 108.0, 74.0, 73.0, 60.0, 61.0, 58.0, 55.0, 56.0, spread=30.0, top=None))
    return {
        "as_of": "2026-11-23T00:00:00Z",
        "version": "0",
        "plans": [
            entry(
                ines,
                "at_risk",
                bugs(),
                reviews(
                    "off_track", 0.55, 20, weeks(0.5, 0.43, 0.71, None, 0.55, n=4), needed="nothing can reach 90 %"
                ),
                write_ups(),
            ),
            entry(
                tomas,
                "on_track",
                reviews("on_track", 0.9375, 32, weeks(0.89, 0.9, 1.0), excluded=5),
                merges("on_track", 66.0, weeks(70.0, 75.0, 61.0, spread=30.0, top=None)),
            ),
            entry(
                marek,
                "met",
                reviews("met", 39 / 43, 43, weeks(0.56, 0.7, 0.82, 0.89, 0.91, 0.9, 0.91, 0.91, 0.93), projection=None),
                low | {"projection": None},
                recommendation="complete",
            ),
            entry(yuki, "on_track", reviews("on_track", 0.95, 20, weeks(0.9, 1.0))),
        ],
    }


def acts() -> Acts:
    held = [
        CheckIn(plan, day, held, "dana", "" if held else "Moved twice, then dropped.", AS_OF)
        for plan, day, held in (
            *(("lindqvist-2026-q3", date(2026, 9, 24) + timedelta(days=7 * n), n != 5) for n in range(9)),
            ("okafor-2026-q4", date(2026, 10, 22), True),
            ("okafor-2026-q4", date(2026, 10, 29), True),
            ("okafor-2026-q4", date(2026, 11, 5), True),
            ("okafor-2026-q4", date(2026, 11, 12), False),
            ("okafor-2026-q4", date(2026, 11, 19), True),
            ("aguilar-2026-q4", date(2026, 11, 5), True),
            ("aguilar-2026-q4", date(2026, 11, 10), True),
            ("aguilar-2026-q4", date(2026, 11, 19), True),
        )
    ]
    given = [
        SupportGiven(plan, 1, "dana", date(2026, 11, 5), AS_OF)
        for plan in ("okafor-2026-q4", "aguilar-2026-q4", "lindqvist-2026-q3")
    ]
    dispute = Dispute(
        "aguilar-2026-q4",
        "reviews-24h",
        "RR_3",
        "tomas",
        "asked while leading an incident",
        AS_OF,
        subject="hub:payments/api#4003",
    )
    other = Dispute("okafor-2026-q4", "bugs-halved", "B1", "ines", "another team's configuration", AS_OF)
    return Acts(check_ins=tuple(held), supports=tuple(given), disputes=(dispute, other))


def points(count: int = 26, seed: int = 7) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Review requests of every plan, most of them answered in time."""
    made = {}
    for each in plans():
        for one in each.criteria:
            if one.metric in ("review_turnaround", "time_to_merge"):
                made[each.id, one.id] = [
                    point(random.Random(f"{seed}{each.id}{n}"), n, each, one.metric) for n in range(count)
                ]
    return made


def point(dice: random.Random, n: int, plan: Plan, metric: str) -> dict[str, Any]:
    """One measurement as JSON (SPEC section 5)."""
    start = datetime(2026, 11, 2, 8, tzinfo=UTC) + timedelta(hours=dice.uniform(0, 20 * 24))
    hours = dice.expovariate(1 / 9)
    state, reason = ("counted", None) if n % 6 else ("excluded", dice.choice(["withdrawn", "bot", "own"]))
    if n == 5:
        state, reason, hours = "pending", "unanswered", 18.5
    end = None if state == "pending" else start + timedelta(hours=hours)
    return {
        "metric": metric,
        "person": plan.person,
        "source": "hub",
        "subject": f"hub:payments/api#{4000 + n}",
        "key": f"RR_{n}",
        "start": start.isoformat().replace("+00:00", "Z"),
        "end": end.isoformat().replace("+00:00", "Z") if end else None,
        "value": hours,
        "unit": "hours",
        "state": state,
        "reason": reason,
        "url": f"https://git.example.com/payments/api/pull/{4000 + n}",
    }


def digest() -> Digest:
    occasion = Occasion(MONDAY, AS_OF, "Dana Whitfield", ledger="9b1e" * 16)
    late = {
        "okafor-2026-q4": ["Last week's figure of days to merge changed from 70 h to 66 h: 1 data point came late."]
    }
    beside = Beside(points(), late, {("okafor-2026-q4", "reviews-24h"): (3, 12)})
    return build(evaluations(), plans(), people(), acts(), occasion, beside)
