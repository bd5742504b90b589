"""Measurements kept from one night to the next: only what changed, and what is still open, is measured again.

That goes for metrics that promise `by_subject` (plugin.Metric), for the people whose plans ask for them. Rows are kept
as all signals of their subjects give them, by the recipe that they were made with; another recipe, account or calendar
makes them anew. Whoever is not kept is measured from the subjects that they took part in. Anything else (other metrics,
a store as it once was) is measured from all signals. All three ways give the same rows.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from pipmetrics import registry
from pipmetrics.measure import Background, attributes, in_order, no_signals
from pipmetrics.model import Acts, MeasureRequest, Plan
from pipmetrics.plugin import MEASUREMENT_COLUMNS, REASONS
from pipmetrics.recipes import digest, recipe
from pipmetrics.store import Store
from pipmetrics.store.measurements import Actor, Held, Kept, Known, Pair, Renewal, Row

if TYPE_CHECKING:
    from pipmetrics.api import Organisation
    from pipmetrics.score.lines import Readings

Asking: TypeAlias = Mapping[MeasureRequest, frozenset[str]]
"""Runs of metrics, and who reads them."""

RECENT = timedelta(days=8)
"""What is asked for as of earlier than this before the latest instant is measured for those alone who ask for it."""
AT_ONCE = 200_000
"""Signals that are read at once, about."""
SUBJECTS_AT_ONCE = 20_000
PEOPLE_AT_ONCE = 100
NOBODY: frozenset[str] = frozenset()

_log = logging.getLogger(__name__)


def frames(
    company: Organisation, readings: Readings, acts: Acts, *, evidence: bool
) -> dict[MeasureRequest, pd.DataFrame]:
    """The rows of every run that is read: of those who read it, or of everybody where that is not enough.

    Without `evidence` that column holds empty tuples: nothing is scored by it.
    """
    near = _near(company, readings)
    found = company.measure([request for request in readings.people if request not in near], acts)
    if near:
        found |= Place.of(company).frames(near, evidence=evidence)
    return found


def refresh(company: Organisation, plans: Sequence[Plan], now: datetime) -> None:
    """Brings what is kept up to date for these plans, in transactions that may end anywhere; the run's lease is held.

    What is kept for nobody any more is dropped. Nothing is written when nothing has changed.
    """
    from pipmetrics.score.lines import readings

    metrics = {name: registry.metric(name) for name in registry.names("metrics")}
    near = _recent(_near(company, readings(plans, now, company.acts(now), metrics)))
    Place.of(company).refresh(near, now)


def attributes_of(
    company: Organisation,
    readings: Readings,
    frames: Mapping[MeasureRequest, pd.DataFrame],
    as_of: datetime,
    *,
    every: bool = False,
) -> pd.DataFrame:
    """What exclude rules ask of the subjects of the rows that they meet (measure.attributes), or of `every` one."""
    met = {subject for request in readings.ruled for subject in frames[request]["subject"]}
    subjects = None if every and readings.ruled else met
    kinds = {"change_opened", "change_merged", "issue_opened"}
    revision = company.revision
    signals = company.store.signals(kinds, until=as_of, subjects=subjects, revision=revision)
    return attributes(signals, company.store.accounts(revision=revision))


def _near(company: Organisation, readings: Readings) -> dict[MeasureRequest, frozenset[str]]:
    """The runs that need no more than the subjects on which those who read them did something."""
    if company.revision is not None:
        return {}
    return {
        request: people
        for request, people in readings.people.items()
        if registry.metric(request.metric).by_subject and request not in readings.whole
    }


def _recent(near: Asking) -> dict[MeasureRequest, frozenset[str]]:
    latest = max((request.as_of for request in near), default=None)
    return {request: people for request, people in near.items() if latest and request.as_of > latest - RECENT}


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """An organisation's store, who is who in it, and how its people are measured. `spelled`: each person's accounts as
    signals name them."""

    store: Store
    background: Background
    known: Known
    spelled: Mapping[str, frozenset[Actor]]

    @classmethod
    def of(cls, company: Organisation) -> Place:
        people = list(company.config.people.values())
        background = Background.of(company.store.accounts(), people, company.config.settings.sources)
        names = (background.identities[name] for name in ("source", "actor", "person"))
        identities = {(source, actor): person for source, actor, person in zip(*names, strict=True)}
        hashes = {calendar: digest(calendar) for calendar in {person.calendar for person in people}}
        spelled: dict[str, set[Actor]] = {}
        for source, actor in company.store.spelled(identities):
            person = identities[source, actor.lower() if actor.startswith("@") else actor]
            spelled.setdefault(person, set()).add((source, actor))
        return cls(
            company.store,
            background,
            Known(identities, {person.id: hashes[person.calendar] for person in people}),
            {person: frozenset(actors) for person, actors in spelled.items()},
        )

    # --- reading --------------------------------------------------------------------------------------------------

    def frames(self, near: Asking, *, evidence: bool) -> dict[MeasureRequest, pd.DataFrame]:
        recent = {} if evidence else _recent(near)
        recipes = {request: self.recipe(request) for request in recent}
        kept = self.kept(recent, recipes)
        served = {request: near[request] & kept.people.get(recipes[request], NOBODY) for request in recent}
        unsettled = kept.unsettled.union(*map(_open, kept.rows.values()))
        settled = {recipe: rows[~rows["subject"].isin(unsettled)] for recipe, rows in kept.rows.items()}
        parts: dict[MeasureRequest, list[pd.DataFrame]] = {request: [] for request in near}
        for request, people in served.items():
            if people:
                rows = self.finished(request, settled[recipes[request]])
                parts[request].append(rows if people >= kept.people[recipes[request]] else _of(rows, people))
        for request, rows in self.of_subjects(served, unsettled):
            parts[request].append(rows)
        for _, _, found in self.of_people({one: near[one] - served.get(one, NOBODY) for one in near}):
            for request, rows in found:
                parts[request].append(rows)
        joined = {request: self.joined(request, parts[request]) for request in near}
        return joined if evidence else {request: _without_evidence(rows) for request, rows in joined.items()}

    def kept(self, asking: Asking, recipes: Mapping[MeasureRequest, str]) -> Kept:
        if not asking:
            return Kept({}, {}, NOBODY)
        people: dict[str, frozenset[str]] = {}
        for request, who in asking.items():
            people[recipes[request]] = people.get(recipes[request], NOBODY) | who
        return self.store.kept(people, self.known, _kinds(asking), min(request.as_of for request in asking))

    def of_subjects(self, asking: Asking, subjects: Collection[str]) -> Iterator[tuple[MeasureRequest, pd.DataFrame]]:
        """What these subjects give to those who ask."""
        asking = {request: people for request, people in asking.items() if people}
        if not asking:
            return
        actors = self.actors(NOBODY.union(*asking.values()))
        every, until = sorted(subjects), max(request.as_of for request in asking)
        for first in range(0, len(every), SUBJECTS_AT_ONCE):
            part = every[first : first + SUBJECTS_AT_ONCE]
            signals = self.store.signals(_kinds(asking), until=until, subjects=part, by=actors)
            yield from self.measured(asking, signals)

    def of_people(
        self, asking: Asking
    ) -> Iterator[tuple[frozenset[str], Asking, Iterator[tuple[MeasureRequest, pd.DataFrame]]]]:
        """What those who ask took part in gives to them, some people at a time: who, what they ask, and the rows."""
        left, size = sorted(NOBODY.union(*asking.values())), PEOPLE_AT_ONCE // 5
        while left:
            crowd, left = frozenset(left[:size]), left[size:]
            theirs = {request: people & crowd for request, people in asking.items() if people & crowd}
            until = max(request.as_of for request in theirs)
            signals = self.store.signals(_kinds(theirs), until=until, involving=self.spellings(crowd))
            yield crowd, theirs, self.measured(theirs, signals)
            size = max(1, min(PEOPLE_AT_ONCE, len(crowd) * AT_ONCE // max(len(signals), 1)))

    def measured(self, asking: Asking, signals: pd.DataFrame) -> Iterator[tuple[MeasureRequest, pd.DataFrame]]:
        for request, rows in self.background.measure(asking, signals).items():
            yield request, _of(rows, asking[request])

    def joined(self, request: MeasureRequest, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
        filled = [rows for rows in parts if len(rows)]
        return in_order(pd.concat(filled, ignore_index=True)) if filled else self.empty(request)

    def finished(self, request: MeasureRequest, rows: pd.DataFrame) -> pd.DataFrame:
        """Kept rows with all columns of the metric's frames."""
        rows, metric = rows.reset_index(drop=True), registry.metric(request.metric)
        texts = {name: pd.array([getattr(metric, name)] * len(rows), dtype="str") for name in ("name", "unit")}
        state = rows["reason"].map(REASONS).astype("str")
        made = rows.assign(metric=texts["name"], unit=texts["unit"], state=state, evidence=_nothing(len(rows)))
        if not rows["more"].ne("").any():
            return made[list(MEASUREMENT_COLUMNS)]
        told, like = [json.loads(text) for text in rows["more"]], self.empty(request)
        more = {name: pd.Series([each[name] for each in told], dtype=object) for name in told[0]}
        made = made.assign(**{name: values.astype(like[name].dtype) for name, values in more.items()})
        return made[list(like.columns)]

    def empty(self, request: MeasureRequest) -> pd.DataFrame:
        return self.background.measure([request], no_signals())[request]

    def actors(self, people: Collection[str]) -> frozenset[Actor]:
        return frozenset(actor for actor, person in self.known.identities.items() if person in people)

    def spellings(self, people: Collection[str]) -> frozenset[Actor]:
        return frozenset(actor for person in people for actor in self.spelled.get(person, ()))

    def recipe(self, request: MeasureRequest) -> str:
        return recipe(request, self.background.sources)

    # --- writing --------------------------------------------------------------------------------------------------

    def refresh(self, near: Asking, now: datetime) -> None:
        recipes = {request: self.recipe(request) for request in near}
        runs = {recipe: request for request, recipe in recipes.items()}
        wanted: set[Pair] = {(recipes[request], person) for request, people in near.items() for person in people}
        revision, held = self.store.revision(), self.store.held()
        at = now if held is None else max(now, held.at)
        runs = {recipe: replace(request, as_of=at) for recipe, request in runs.items()}
        lasting = wanted & held.valid(self.known) if held else set()
        if held:
            self.renew(held, lasting, runs, revision, at)
        self.add(wanted - lasting, runs, revision, at)

    def renew(
        self, held: Held, pairs: Collection[Pair], runs: Mapping[str, MeasureRequest], revision: int, at: datetime
    ) -> None:
        """Measures again what changed since then, for those of whom rows are kept."""
        names = {runs[recipe]: recipe for recipe, _ in pairs}
        asking = {request: _people(pairs, recipe) for request, recipe in names.items()}
        subjects = self.store.unsettled(held, self.known, _kinds(asking)) if asking else set()
        rows: dict[str, list[Row]] = {recipe: [] for recipe in names.values()}
        for request, part in self.of_subjects(asking, subjects):
            rows[names[request]] += _rows(part)
        self.store.renew(Renewal(revision, at, self.known.identities, pairs, subjects, rows))

    def add(self, pairs: Collection[Pair], runs: Mapping[str, MeasureRequest], revision: int, at: datetime) -> None:
        """Measures and keeps those of whom no rows are kept, some people at a time."""
        names = {request: recipe for recipe, request in runs.items()}
        asking = {request: people for recipe, request in runs.items() if (people := _people(pairs, recipe))}
        everybody, done = {person for _, person in pairs}, 0
        for crowd, theirs, measured in self.of_people(asking):
            found: dict[Pair, list[Row]] = {(names[run], one): [] for run, who in theirs.items() for one in who}
            for request, part in measured:
                for row in _rows(part):
                    found[names[request], row[0]].append(row)
            if not self.store.keep(revision, at, self.known, found):
                return  # the signals have changed: the next night goes on
            done += len(crowd)
            _log.info("measured %s of %s people from all that they took part in", done, len(everybody))


# --- rows ---------------------------------------------------------------------------------------------------------


def _kinds(requests: Iterable[MeasureRequest]) -> frozenset[str]:
    return NOBODY.union(*(registry.metric(request.metric).kinds for request in requests))


def _people(pairs: Collection[Pair], recipe: str) -> frozenset[str]:
    return frozenset(person for asked, person in pairs if asked == recipe)


def _of(rows: pd.DataFrame, people: Collection[str]) -> pd.DataFrame:
    return rows[rows["person"].isin(people)]


def _open(rows: pd.DataFrame) -> frozenset[str]:
    """The subjects of rows that go on with time."""
    pending = rows["reason"].isin([reason for reason, state in REASONS.items() if state == "pending"])
    return frozenset(rows.loc[pending | rows["end"].isna(), "subject"])


def _without_evidence(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(evidence=_nothing(len(rows)).set_axis(rows.index))


def _nothing(rows: int) -> pd.Series[Any]:
    return pd.Series([()] * rows, dtype=object)


def _rows(rows: pd.DataFrame) -> Iterator[Row]:
    """Measured rows as they are kept: what goes on with time has no value, since it is never read again."""
    more = [name for name in rows.columns if name not in MEASUREMENT_COLUMNS]
    going_on = rows["end"].isna() | rows["state"].eq("pending")
    kept = pd.DataFrame(
        {
            **{name: rows[name] for name in ("person", "source", "key", "subject")},
            **{name: rows[name].dt.tz_localize(None).astype("int64").astype(object) for name in ("start", "end")},
            **{name: rows[name] for name in ("value", "reason", "url")},
        }
    ).astype(object)
    kept["end"] = kept["end"].where(rows["end"].notna(), None)
    kept["value"] = kept["value"].where(rows["value"].notna() & ~going_on, None)
    kept["url"] = kept["url"].where(rows["url"].notna(), None)
    extra = rows[more].astype(object).where(rows[more].notna(), None).to_dict("records") if more else [None] * len(rows)
    for row, told in zip(kept.itertuples(index=False, name=None), extra, strict=True):
        yield (*row, "" if told is None else json.dumps(told, sort_keys=True))
