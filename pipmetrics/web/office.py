"""What the pages read from: the organisation as configured now, what is known of its plans, and the log of reading.

Kept between requests and made anew when the files or the ledger changed; rights are those of the files at this moment.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING, TypeVar

from pipmetrics import windows
from pipmetrics.access import Actor, Thing, actor_of, plan_thing
from pipmetrics.acts import Life, all_lives
from pipmetrics.acts.fold import KINDS as ACT_KINDS
from pipmetrics.acts.fold import fold
from pipmetrics.errors import ConfigError
from pipmetrics.ledger import Act
from pipmetrics.model import Acts, Json, Plan
from pipmetrics.web.readings import Readings

if TYPE_CHECKING:
    from pipmetrics.api import Organisation
    from pipmetrics.explain import Explanation

log = logging.getLogger(__name__)
Value = TypeVar("Value")
REMEMBERED = 64
"""Results of evaluating and explaining that are kept; each costs a second or more to make again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One moment: the organisation, its plans in force, their lives, the acts, and who manages whom."""

    company: Organisation
    plans: Mapping[str, Plan]
    lives: Mapping[str, Life]
    acts: Acts
    things: Mapping[str, Thing]
    on_plan: frozenset[str]
    actors: dict[str, Actor] = field(default_factory=dict)

    def actor(self, person: str) -> Actor | None:
        """The person as an actor; None when people.yaml knows them no more."""
        people = self.company.config.people
        if person not in self.actors and person in people:
            self.actors[person] = actor_of(people[person], people, self.on_plan)
        return self.actors.get(person)

    def life(self, plan: str) -> Life:
        return self.lives.get(plan) or Life(plan, self.plans[plan].person)


@dataclass(frozen=True, slots=True)
class Scored:
    """A plan's evaluation (SPEC section 10) as it was recorded in entry `seq`, or made now (None)."""

    entry: Json
    as_of: datetime
    seq: int | None


class Office:
    """One a server. Everything here may be called from several threads."""

    def __init__(self, factory: Callable[[], Organisation], folder: str) -> None:
        self._factory, self._folder = factory, Path(folder)
        self._lock, self._working = RLock(), Lock()
        self._company: Organisation | None = None
        self._files: object = None
        self._standing: Standing | None = None
        self._seq = -1
        self._kept: dict[object, object] = {}
        self.readings = Readings(self._append)
        self.pseudonym_key = secrets.token_bytes(32)
        self.fault = ""
        """Why the files as they are now are not in use; "" when they are."""

    def now(self) -> datetime:
        return self.company().now()

    def company(self) -> Organisation:
        """The organisation as its files say now. Files that are wrong change nothing until they are mended."""
        with self._lock:
            files = _stamp(self._folder)
            if self._company is None or files != self._files:
                self._open(files)
            assert self._company is not None
            return self._company

    def _open(self, files: object) -> None:
        try:
            fresh = self._factory()
        except ConfigError as error:
            if self._company is None:
                raise
            self.fault, self._files = f"{len(error.problems)} problems in the configuration", files
            log.error("the configuration cannot be read; going on with the one before: %s", error)
            return
        if self._company is not None and fresh is not self._company:
            self._company.__exit__()
        self._company, self._files, self._standing, self.fault = fresh, files, None, ""
        assert self._company.store is not None  # opened here, by one thread

    def standing(self) -> Standing:
        """What is known now."""
        company, known = self.company(), self._standing
        if known is not None and known.company is company and company.store.head().seq == self._seq:
            return known
        with self.readings.settled(), self._lock:
            company = self.company()
            head = company.store.head().seq
            if self._standing is None or head != self._seq:
                self._standing, self._seq = _standing(company), head
            return self._standing

    def _append(self, acts: Sequence[Act]) -> None:
        """Records readings; they change nothing of what is known, so that it need not be read again."""
        company = self.company()
        entries = company.store.append(acts, company.now())
        with self._lock:
            if entries[0].seq == self._seq + 1:
                self._seq = entries[-1].seq

    def read(self, actor: Actor, plans: Sequence[Plan], what: str) -> None:
        """Notes who read which plans, before they are shown."""
        self.readings.note([
            Act("read", f"plan:{plan.id}", actor.id, {"person": plan.person, "what": what}) for plan in plans
        ])  # fmt: skip

    # --- evaluations ----------------------------------------------------------------------------------------------

    def scored(self, standing: Standing, plan: Plan) -> Scored | None:
        """The plan's last recorded evaluation; evaluated now when there is none, or none since it ended; None before it
        began."""
        company = standing.company
        recorded = company.store.latest_evaluation(plan.id)
        if recorded is not None and recorded.payload is not None and not _outlived(recorded.payload, plan, company):
            entry = recorded.payload["result"]["plans"][0]
            return Scored(entry, datetime.fromisoformat(recorded.payload["as_of"]), recorded.seq)
        return self.remembered(("scored", plan.id), standing, lambda: _score(company, plan))

    def explanation(
        self, standing: Standing, plan: Plan, criterion: str, week: date | None, as_of: datetime
    ) -> Explanation:
        """Every point of a criterion as of a past instant (see `explain`): later acts change nothing of it."""
        company = standing.company
        key = ("explained", plan.id, criterion, week, as_of)
        return self.remembered(key, company, lambda: company.explain(plan.id, criterion, week, as_of=as_of))

    def remembered(self, key: object, of: Standing | Organisation, make: Callable[[], Value]) -> Value:
        """The value under a key, made again when the facts changed since, or what it is made of: files alone, or acts
        as well."""
        company = of.company if isinstance(of, Standing) else of
        full = (key, id(of), company.store.revision())
        with self._working:
            if full not in self._kept:
                while len(self._kept) >= REMEMBERED:
                    del self._kept[next(iter(self._kept))]
                self._kept[full] = (of, make())  # holds what it is made of, so that its id is not given twice
            kept: tuple[object, Value] = self._kept[full]  # type: ignore[assignment]  # each key holds its own kind
            return kept[1]


def _outlived(payload: Json, plan: Plan, company: Organisation) -> bool:
    """Whether the plan has ended since: what was recorded then holds no final verdict."""
    return datetime.fromisoformat(payload["as_of"]) < windows.whole(plan).end <= company.now()


def _score(company: Organisation, plan: Plan) -> Scored | None:
    at = company.now()
    plans = company.evaluate(at, plan.id).to_json()["plans"]
    return Scored(plans[0], at, None) if plans else None


def _standing(company: Organisation) -> Standing:
    config = company.config
    plans = {plan.id: plan for plan in company.plans() if plan.person in config.people}
    lives = all_lives(company.store)
    acts = fold(company.store.entries(acts=ACT_KINDS))
    things = {id: plan_thing(plan, config.people) for id, plan in plans.items()}
    running = (plan for id, plan in plans.items() if id not in lives or lives[id].decided is None)
    return Standing(company, plans, lives, acts, things, frozenset(plan.person for plan in running))


def _stamp(folder: Path) -> object:
    """Changes when a file of the configuration does."""
    found = []
    for path in (*folder.glob("*.y*ml"), *folder.glob("*.ics"), *folder.glob("plans/**/*.y*ml")):
        with suppress(FileNotFoundError):
            status = path.stat()
            found.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(sorted(found))
