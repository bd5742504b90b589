"""A plan for somebody who may see it without names and free text: what is taken away before anything is shown.

Numbers, verdicts, dates and kinds stay. People get a pseudonym, texts that people wrote are withheld, and so are the
subjects and addresses of data points, which name people's work.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipmetrics.access import Answer
from pipmetrics.model import Acts, Json, Person, Plan

WITHHELD = "withheld"
MACHINES = ("scheduler", "engine")
"""Actors that are nobody."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How a reader is told of people and texts; `key` makes pseudonyms that nobody else can make."""

    sight: Answer
    people: Mapping[str, Person]
    key: bytes = b""

    @property
    def whole(self) -> bool:
        return self.sight is True

    def name(self, person: str) -> str:
        """The name of a person, of an owner who is none of people.yaml, or of the nightly job."""
        if not self.whole and person not in ("", *MACHINES):
            return f"Person {hmac.new(self.key, person.encode(), hashlib.sha256).hexdigest()[:6]}"
        return self.people[person].name if person in self.people else person

    def text(self, said: str) -> str:
        return said if self.whole or not said else WITHHELD

    def plan(self, plan: Plan) -> Plan:
        if self.whole:
            return plan
        return replace(
            plan,
            criteria=tuple(replace(each, expectation=f"{each.metric}, {each.criterion}") for each in plan.criteria),
            supports=tuple(replace(each, text=WITHHELD, owner=self.name(each.owner)) for each in plan.supports),
            deficiencies=tuple(replace(each, text=WITHHELD, evidence=()) for each in plan.deficiencies),
            consequences=self.text(plan.consequences),
        )

    def seen_people(self, plan: Plan) -> Mapping[str, Person]:
        """The people of a plan as this reader may know them."""
        if self.whole:
            return self.people
        person = self.people[plan.person]
        calendar = replace(person.calendar, time_off=())
        return {plan.person: replace(person, name=self.name(plan.person), email=None, team=None, calendar=calendar)}

    def acts(self, acts: Acts) -> Acts:
        if self.whole:
            return acts
        return replace(
            acts,
            disputes=tuple(
                replace(
                    each, key=WITHHELD, subject="", why=WITHHELD, answer=self.text(each.answer), by=self.name(each.by)
                )
                for each in acts.disputes
            ),
            check_ins=tuple(replace(each, note="", by=self.name(each.by)) for each in acts.check_ins),
        )

    def entry(self, entry: Json) -> Json:
        """A plan's evaluation (SPEC section 10)."""
        if self.whole:
            return entry
        return entry | {
            "person": self.name(entry["person"]),
            "plan": self.name(entry["plan"]),
            "criteria": [self._criterion(each) for each in entry["criteria"]],
        }

    def _criterion(self, criterion: Json) -> Json:
        told = criterion | {"expectation": f"{criterion['metric']}, {criterion['criterion']}"}
        contested = criterion.get("contested")
        return told | {"contested": contested | {"keys": []}} if contested else told

    def point(self, point: Json) -> Json:
        """A data point (SPEC section 5, with `standing`, `note` and `facts` beside)."""
        if self.whole:
            return point
        taken: dict[str, Any] = {
            "person": WITHHELD, "subject": WITHHELD, "key": WITHHELD, "url": "", "note": "", "facts": [], "traces": [],
        }  # fmt: skip
        return point | taken
