"""Measurements that are kept from one night to the next: written by the difference, read with what they leave open.

A kept row was made from all signals of its subject that the store held at a revision, as of an instant. What has been
added, changed or removed since, and what is not before that instant, is named when rows are read, to be measured again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, Table, delete, func, select

from pipmetrics.store import rows, signals
from pipmetrics.store.engine import is_sqlite
from pipmetrics.store.tables import KEPT, MEASURED, MEASUREMENT, RECIPE
from pipmetrics.store.values import canonical, chunks, instant, micros

if TYPE_CHECKING:
    import pandas as pd

Actor: TypeAlias = tuple[str, str]
"""A source, and an account's stable id there or an ``@login``."""
Pair: TypeAlias = tuple[str, str]
"""A recipe, and a person whose measurements are made by it."""
Row: TypeAlias = tuple[str, str, str, str, int, int | None, float | None, str, str | None, str]
"""Person, source, key, subject, start and end in microseconds, value, reason, url, and more columns as JSON."""

FACTS = ("person", "source", "key", "subject", "start", "end", "value", "reason", "url", "more")
TABLES: tuple[Table, ...] = (MEASUREMENT, MEASURED, RECIPE, KEPT)
"""What can be made again: not copied into other stores."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of people: whose account each (source, actor) is, and the hash of each person's calendar."""

    identities: Mapping[Actor, str]
    calendars: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept: up to which revision and instant, with which identities, and the calendar by (recipe, person)."""

    revision: int
    at: datetime
    identities: Mapping[Actor, str]
    calendars: Mapping[Pair, str]

    def moved(self, known: Known) -> set[Actor]:
        """The accounts that are somebody else's now."""
        every = {*self.identities, *known.identities}
        return {actor for actor in every if self.identities.get(actor) != known.identities.get(actor)}

    def valid(self, known: Known) -> set[Pair]:
        """The pairs whose person has the same accounts and calendar as then."""
        moved = {who.get(actor) for actor in self.moved(known) for who in (self.identities, known.identities)}
        return {
            (recipe, person)
            for (recipe, person), calendar in self.calendars.items()
            if person not in moved and known.calendars.get(person) == calendar
        }


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Kept rows by recipe, with FACTS as columns; whose they are; and the subjects of which they are not to be used."""

    rows: Mapping[str, pd.DataFrame]
    people: Mapping[str, frozenset[str]]
    unsettled: frozenset[str]


@dataclass(frozen=True, slots=True)
class Renewal:
    """What is to be kept from now on: rows of these subjects and pairs are replaced; other pairs are dropped."""

    revision: int
    at: datetime
    identities: Mapping[Actor, str]
    pairs: Collection[Pair]
    subjects: Collection[str]
    rows: Mapping[str, Sequence[Row]]


# --- reading ------------------------------------------------------------------------------------------------------


def held(connection: Connection) -> Held | None:
    """None: nothing is kept."""
    found = connection.execute(select(KEPT)).one_or_none()
    if found is None:
        return None
    named = select(RECIPE.c.text, MEASURED.c.person, MEASURED.c.calendar).join_from(
        MEASURED, RECIPE, MEASURED.c.recipe == RECIPE.c.id
    )
    calendars = {(recipe, person): calendar for recipe, person, calendar in connection.execute(named)}
    identities = {(source, actor): person for source, actor, person in json.loads(found.identities)}
    return Held(found.revision, instant(found.at), identities, calendars)


def read(
    connection: Connection,
    asked: Mapping[str, Collection[str]],
    known: Known,
    kinds: Collection[str],
    since: datetime,
) -> Kept:
    """The rows of these people by recipe, of those that are kept and right; `since` is the earliest instant as of which
    they are wanted, `kinds` the signals that the metrics see."""
    state = held(connection)
    if state is None:
        return Kept({}, {}, frozenset())
    valid = state.valid(known)
    people = {recipe: frozenset(one for one in who if (recipe, one) in valid) for recipe, who in asked.items()}
    ids = {text: id for id, text in connection.execute(select(RECIPE.c.id, RECIPE.c.text))}
    found = {recipe: _frame(connection, ids[recipe], who) for recipe, who in people.items() if who}
    return Kept(found, people, frozenset(unsettled(connection, state, known, kinds, since)))


def unsettled(
    connection: Connection, state: Held, known: Known, kinds: Collection[str], since: datetime | None = None
) -> set[str]:
    """The subjects of which kept rows may be wrong today, as of an instant from `since` on."""
    changed = signals.changed_since(connection, state.revision)
    changed |= signals.touched_since(connection, kinds, state.at if since is None else min(since, state.at))
    return changed | signals.touched_by(connection, signals.spelled(connection, state.moved(known)))


def _frame(connection: Connection, recipe: int, people: Collection[str]) -> pd.DataFrame:
    """FACTS of these people's rows, instants as datetime64[us, UTC], in no order."""
    import numpy as np
    import pandas as pd

    found: list[tuple[Any, ...]] = []
    columns = [MEASUREMENT.c[name] for name in FACTS]
    for part in chunks(sorted(people)):
        chosen = select(*columns).where(MEASUREMENT.c.recipe == recipe, MEASUREMENT.c.person.in_(part))
        found.extend(rows.fetch(connection, chosen))
    parts = dict(zip(FACTS, zip(*found, strict=True) if found else [()] * len(FACTS), strict=True))
    made: dict[str, Any] = {}
    for name in FACTS:
        if name in ("start", "end"):
            never = np.iinfo(np.int64).min
            at = np.array([never if each is None else each for each in parts[name]], dtype=np.int64)
            made[name] = pd.DatetimeIndex(at.view("M8[us]")).tz_localize("UTC")
        elif name == "value":
            made[name] = np.array(parts[name], dtype=np.float64)
        else:
            made[name] = pd.array(list(parts[name]), dtype="str")
    return pd.DataFrame(made)


# --- writing ------------------------------------------------------------------------------------------------------


def renew(connection: Connection, renewal: Renewal) -> bool:
    """Brings what is kept up to a revision; False, and nothing written, when nothing of it differs."""
    state = held(connection)
    if state is None:
        return False
    gone = set(state.calendars) - set(renewal.pairs)
    changed = drop(connection, gone)
    ids = {text: id for id, text in connection.execute(select(RECIPE.c.id, RECIPE.c.text))}
    former = _of_subjects(connection, renewal.subjects)
    wanted = {(ids[recipe], *row[:3]): (ids[recipe], *row) for recipe, every in renewal.rows.items() for row in every}
    stale = [key for key, row in former.items() if wanted.get(key) != row]
    _delete(connection, stale)
    fresh = [row for key, row in wanted.items() if former.get(key) != row]
    rows.insert_rows(connection, MEASUREMENT, fresh)
    changed |= bool(stale or fresh) or state.revision != renewal.revision
    if changed or state.identities != renewal.identities:
        put_state(connection, renewal.revision, renewal.at, renewal.identities)
        return True
    return False


def add(connection: Connection, found: Mapping[Pair, Sequence[Row]], calendars: Mapping[str, str]) -> None:
    """Keeps all rows of pairs of which none are kept yet."""
    ids = {text: id for id, text in connection.execute(select(RECIPE.c.id, RECIPE.c.text))}
    last: int = connection.execute(select(func.coalesce(func.max(RECIPE.c.id), 0))).scalar_one()
    for recipe in sorted({recipe for recipe, _ in found} - set(ids)):
        last += 1
        ids[recipe] = last
        rows.put(connection, RECIPE, {"id": last, "text": recipe})
    rows.insert_rows(connection, MEASURED, [(ids[recipe], person, calendars[person]) for recipe, person in found])
    every = ((ids[recipe], sorted(part, key=_key)) for (recipe, _), part in sorted(found.items()))
    rows.insert_rows(connection, MEASUREMENT, [(id, *row) for id, part in every for row in part])


def put_state(connection: Connection, revision: int, at: datetime, identities: Mapping[Actor, str]) -> None:
    told = canonical([[*actor, person] for actor, person in sorted(identities.items())])
    rows.put(connection, KEPT, {"id": 1, "revision": revision, "at": micros(at), "identities": told})


def drop(connection: Connection, pairs: Iterable[Pair]) -> bool:
    """Forgets pairs, with their rows and the recipes that nobody is left of; False when there are none."""
    by_recipe: dict[str, list[str]] = {}
    for recipe, person in sorted(pairs):
        by_recipe.setdefault(recipe, []).append(person)
    for text, people in by_recipe.items():
        id = connection.execute(select(RECIPE.c.id).where(RECIPE.c.text == text)).scalar_one()
        for part in chunks(people):
            for table in (MEASUREMENT, MEASURED):
                connection.execute(delete(table).where(table.c.recipe == id, table.c.person.in_(part)))
    if by_recipe:
        connection.execute(delete(RECIPE).where(RECIPE.c.id.not_in(select(MEASURED.c.recipe))))
    return bool(by_recipe)


def forget(connection: Connection) -> None:
    """Drops everything that is kept: what it was made from has been changed without a revision."""
    for table in TABLES:
        connection.execute(delete(table))


def forget_subjects(connection: Connection, subjects: Collection[str]) -> None:
    """Drops what is kept of subjects that have been removed without a trace."""
    rows.delete_where(connection, MEASUREMENT, "subject", sorted(subjects))


def of_person(connection: Connection, person: str) -> list[dict[str, Any]]:
    """What is kept about one person, for an export."""
    columns = [RECIPE.c.text.label("recipe"), *(column for column in MEASUREMENT.c if column.name != "recipe")]
    found = select(*columns).join_from(MEASUREMENT, RECIPE, MEASUREMENT.c.recipe == RECIPE.c.id)
    found = found.where(MEASUREMENT.c.person == person).order_by(*MEASUREMENT.primary_key)
    every = [dict(row) for row in connection.execute(found).mappings()]
    for row in every:
        row["metric"] = json.loads(row.pop("recipe"))["metric"]
        row["start"] = instant(row["start"])
        row["end"] = None if row["end"] is None else instant(row["end"])
    return every


def _of_subjects(connection: Connection, subjects: Collection[str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The kept rows of these subjects by their key."""
    found = rows.select_where(connection, MEASUREMENT, "subject", sorted(subjects))
    return {row[:4]: row for row in found}


def _key(row: Row) -> tuple[str, str, str]:
    return row[:3]


def _delete(connection: Connection, keys: Sequence[tuple[Any, ...]]) -> None:
    if keys:
        mark = "?" if is_sqlite(connection) else "%s"
        same = " AND ".join(f'"{column.name}" = {mark}' for column in MEASUREMENT.primary_key)
        statement = f'DELETE FROM "{MEASUREMENT.name}" WHERE {same}'  # noqa: S608 - names of our own table
        connection.exec_driver_sql(statement, list(keys))
