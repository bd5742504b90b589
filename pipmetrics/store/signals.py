"""Signals in, by whole groups, and out, as frames."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, false, or_, select

from pipmetrics.errors import PluginError
from pipmetrics.model import Json, Signal
from pipmetrics.plugin import SIGNAL_COLUMNS
from pipmetrics.store import rows
from pipmetrics.store.engine import is_sqlite
from pipmetrics.store.tables import SIGNAL, SIGNAL_PAST
from pipmetrics.store.values import canonical, chunks, clean, instant, micros

if TYPE_CHECKING:
    import pandas as pd

NAMES = tuple(column.name for column in SIGNAL.columns)
KEY, GROUP, KIND, SUBJECT = (NAMES.index(name) for name in ("key", "group", "kind", "subject"))
DERIVED_FROM = frozenset({"change_merged", "deployed"})
"""A change in one of these makes the derived signals of its repository stale."""
DERIVED = frozenset({"change_deployed", "change_reverted"})

_REPOSITORY = re.compile(r"(.+)[#!@][^#!@]*")

Row = tuple[Any, ...]
Scrub = Callable[[Signal], Signal]


@dataclass(frozen=True, slots=True)
class Written:
    """How many signals a page added, changed and removed."""

    added: int = 0
    changed: int = 0
    removed: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(self.added + other.added, self.changed + other.changed, self.removed + other.removed)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def repository_of(subject: str) -> str:
    """``SOURCE:owner/name`` of a change, an issue or a deployment; "" for a Jira issue."""
    found = _REPOSITORY.fullmatch(subject)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be written so that the groups hold what a page says: rows in the order of the table."""

    added: Sequence[Row]
    changed: Sequence[Row]
    former: Sequence[Row]
    """The rows that are changed or removed, as they are now."""

    @property
    def written(self) -> Written:
        return Written(len(self.added), len(self.changed), len(self.former) - len(self.changed))

    def stale(self) -> set[str]:
        """Repositories whose derived signals depend on what differs."""
        return {
            repository_of(row[SUBJECT])
            for part in (self.added, self.changed, self.former)
            for row in part
            if row[KIND] in DERIVED_FROM
        }


def difference(
    connection: Connection, source: str, groups: Mapping[str, Sequence[Signal]], scrub: Scrub | None = None
) -> Difference:
    """Compares whole groups with what is held under their names; a key held under another name moves here.

    PluginError for signals of another source and for one key with two contents in a group. A key that comes in two
    groups of a page belongs to the later one.
    """
    wanted = _wanted(source, groups, scrub)
    held = {row[KEY]: row for row in rows.select_where(connection, SIGNAL, "group", groups, source=source)}
    elsewhere = [key for key in wanted if key not in held]
    held |= {row[KEY]: row for row in rows.select_where(connection, SIGNAL, "key", elsewhere, source=source)}
    changed = [row for key, row in wanted.items() if key in held and held[key][:-1] != row]
    removed = [row for key, row in held.items() if key not in wanted]
    return Difference(
        added=[row for key, row in wanted.items() if key not in held],
        changed=changed,
        former=[*(held[row[KEY]] for row in changed), *removed],
    )


def write(connection: Connection, source: str, found: Difference, revision: int) -> None:
    """Writes a difference under a revision and keeps the former rows for replays."""
    rows.insert_rows(connection, SIGNAL_PAST, [(*row, revision) for row in found.former])
    rows.delete_where(connection, SIGNAL, "key", [row[KEY] for row in found.former], source=source)
    rows.insert_rows(connection, SIGNAL, [(*row, revision) for row in (*found.added, *found.changed)])


def _wanted(source: str, groups: Mapping[str, Sequence[Signal]], scrub: Scrub | None) -> dict[str, Row]:
    wanted: dict[str, Row] = {}
    for name, signals in groups.items():
        for signal in signals:
            if signal.source != source:
                raise PluginError(f"the connector of {source!r} gave a signal of {signal.source!r}: {signal.key}")
            row = _row(clean(name), scrub(signal) if scrub else signal)
            former = wanted.get(row[KEY])
            if former and former[GROUP] == row[GROUP] and former != row:
                raise PluginError(f"the connector of {source!r} gave two signals with the key {signal.key!r}")
            wanted[row[KEY]] = row
    return wanted


def _row(group: str, signal: Signal) -> Row:
    value = None if signal.value is None or signal.value != signal.value else float(signal.value)
    return (
        signal.source,
        clean(signal.key),
        group,
        signal.kind,
        clean(signal.subject),
        micros(signal.at),
        None if signal.actor is None else clean(signal.actor),
        signal.mark,
        value,
        clean(signal.url),
        clean(canonical(dict(signal.detail))),
    )


# --- reading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """Which signals: None means no limit. `since` <= at < `until`. `involving` are (source, actor) pairs: all signals
    of the subjects on which one of them did something; `by` is the same among those that are read for another reason,
    and knows ``@login`` in any case. `revision`: as the store was then.
    """

    kinds: Collection[str] | None = None
    until: datetime | None = None
    since: datetime | None = None
    sources: Collection[str] | None = None
    subjects: Collection[str] | None = None
    repositories: Collection[str] | None = None
    involving: Collection[tuple[str, str]] | None = None
    keys: Collection[tuple[str, str]] | None = None
    revision: int | None = None
    by: Collection[tuple[str, str]] | None = None


def frame(connection: Connection, choice: Choice) -> pd.DataFrame:
    """The signals with SIGNAL_COLUMNS, sorted by (at, key, source)."""
    found: list[Row] = []
    for part in _split(choice):
        for table in (SIGNAL,) if choice.revision is None else (SIGNAL, SIGNAL_PAST):
            found.extend(map(tuple, connection.execute(_statement(connection, table, part)).all()))
    return framed(found if choice.by is None else _touched(found, frozenset(choice.by)))


def _touched(found: Sequence[Row], by: Collection[tuple[str, str]]) -> list[Row]:
    """The rows of the subjects on which somebody of `by` acted: before their details are parsed."""
    mine = {row[2] for row in found if row[5] is not None and (row[0], _folded(row[5])) in by}
    return [row for row in found if row[2] in mine]


def _folded(actor: str) -> str:
    """Logins are compared without case, ids are not."""
    return actor.lower() if actor.startswith("@") else actor


def framed(found: list[Row]) -> pd.DataFrame:
    """A frame of rows in the order of SIGNAL_COLUMNS, `at` in microseconds and `detail` as text."""
    import numpy as np
    import pandas as pd

    found.sort(key=itemgetter(4, 3, 0))
    columns = dict(zip(SIGNAL_COLUMNS, zip(*found, strict=True) if found else [()] * len(SIGNAL_COLUMNS), strict=True))
    details = _parsed(columns["detail"])
    made: dict[str, Any] = {
        name: pd.array(list(columns[name]), dtype="str")
        for name in ("source", "kind", "subject", "key", "actor", "mark", "url")
    }
    made["at"] = pd.DatetimeIndex(np.array(columns["at"], dtype="int64").view("M8[us]")).tz_localize("UTC")
    made["value"] = np.array(columns["value"], dtype="float64")
    made["detail"] = np.fromiter(details, dtype=object, count=len(details))
    return pd.DataFrame({name: made[name] for name in SIGNAL_COLUMNS})


def _parsed(details: Sequence[str]) -> list[Json]:
    """All details in one go. Collecting garbage among millions of new mappings, none of it, takes longer than that."""
    collects = gc.isenabled()
    gc.disable()
    try:
        parsed: list[Json] = json.loads(f"[{','.join(details)}]")
    finally:
        if collects:
            gc.enable()
    return parsed


def former(connection: Connection, choice: Choice) -> pd.DataFrame:
    """Versions that were replaced or withdrawn, with SIGNAL_COLUMNS and `ended`, the revision that did so: by (at, key,
    source), the versions of one signal in their order."""
    columns = [SIGNAL_PAST.c[name] for name in (*SIGNAL_COLUMNS, "ended")]
    found = connection.execute(select(*columns).where(*_conditions(SIGNAL_PAST, choice, by_subject=False)))
    held = sorted(map(tuple, found.all()), key=lambda row: (row[4], row[3], row[0], row[-1]))
    return framed([row[:-1] for row in held]).assign(ended=[row[-1] for row in held])


def facts(connection: Connection, choice: Choice) -> list[Signal]:
    """The signals themselves, sorted by (at, key, source)."""
    found = [tuple(row) for part in _split(choice) for row in connection.execute(_statement(connection, SIGNAL, part))]
    found.sort(key=itemgetter(4, 3, 0))
    return [
        Signal(source, kind, subject, key, instant(at), url, actor, mark, value, json.loads(detail))
        for source, kind, subject, key, at, actor, mark, value, url, detail in found
    ]


def groups_of(connection: Connection, source: str, prefix: str, repository: str) -> list[str]:
    """Names of the groups ``PREFIX SUBJECT`` that hold signals of a repository's changes."""
    named = _within(SIGNAL.c.group, f"{prefix} {repository}")
    return sorted(
        connection.execute(select(SIGNAL.c.group).where(SIGNAL.c.source == source, named).distinct()).scalars()
    )


def holds_besides(connection: Connection, source: str, groups: Collection[str]) -> bool:
    """Whether signals that the source itself gave stand in other groups than these."""
    own = select(SIGNAL.c.group).where(SIGNAL.c.source == source, SIGNAL.c.kind.not_in(sorted(DERIVED)))
    return bool(set(connection.execute(own.distinct().limit(len(groups) + 1)).scalars()) - set(groups))


# --- which subjects -----------------------------------------------------------------------------------------------


def changed_since(connection: Connection, revision: int) -> set[str]:
    """The subjects of which anything was added, changed or removed after a revision."""
    # Not DISTINCT: for that SQLite goes through the index of all subjects.
    now = select(SIGNAL.c.subject).where(SIGNAL.c.revision > revision)
    former = select(SIGNAL_PAST.c.subject).where(SIGNAL_PAST.c.ended > revision)
    return {subject for statement in (now, former) for subject in connection.execute(statement).scalars()}


def touched_since(connection: Connection, kinds: Collection[str], since: datetime) -> set[str]:
    """The subjects with a signal of these kinds at an instant or later."""
    later = select(SIGNAL.c.subject).where(SIGNAL.c.kind.in_(sorted(kinds)), SIGNAL.c.at >= micros(since))
    return set(connection.execute(later).scalars())


def touched_by(connection: Connection, actors: Collection[tuple[str, str]]) -> set[str]:
    """The subjects on which one of these (source, actor) acted."""
    found: set[str] = set()
    for part in chunks(sorted(actors)):
        found.update(connection.execute(select(SIGNAL.c.subject).where(_pairs(SIGNAL, "actor", part))).scalars())
    return found


def spelled(connection: Connection, actors: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """(source, actor) pairs in every way in which signals write them: an ``@login`` in any case."""
    exact, folded = set(actors), {(source, actor) for source, actor in actors if actor.startswith("@")}
    for source in sorted({source for source, _ in folded}):
        logins = SIGNAL.c.source == source, SIGNAL.c.actor >= "@", SIGNAL.c.actor < "A"
        seen = connection.execute(select(SIGNAL.c.actor).where(*logins).distinct()).scalars()
        exact |= {(source, actor) for actor in seen if actor is not None and (source, _folded(actor)) in folded}
    return exact


def _split(choice: Choice) -> Iterator[Choice]:
    """Long lists cut into parts that a statement takes."""
    if choice.subjects is not None:
        yield from (replace(choice, subjects=part) for part in chunks(sorted(set(choice.subjects))))
    elif choice.keys is not None:
        yield from (replace(choice, keys=part) for part in chunks(sorted(set(choice.keys))))
    else:
        yield choice


def _statement(connection: Connection, table: Table, choice: Choice) -> Select[Any]:
    columns = [table.c[name] for name in SIGNAL_COLUMNS]
    by_subject = (choice.involving is not None or choice.subjects is not None) and is_sqlite(connection)
    return select(*columns).where(*_conditions(table, choice, by_subject=by_subject))


def _conditions(table: Table, choice: Choice, *, by_subject: bool) -> Iterator[ColumnElement[bool]]:
    columns = table.c
    kind: ColumnElement[str] = columns["kind"]
    at: ColumnElement[int] = columns["at"]
    if by_subject:  # SQLite would go through the whole span by kind, whatever few subjects are asked for
        kind, at = kind.concat(""), at + 0
    for column, values in ((kind, choice.kinds), (columns["source"], choice.sources)):
        if values is not None:
            yield column.in_(sorted(set(values)))
    if choice.subjects is not None:
        yield columns["subject"].in_(sorted(set(choice.subjects)))
    if choice.until is not None:
        yield at < micros(choice.until)
    if choice.since is not None:
        yield at >= micros(choice.since)
    if choice.repositories is not None:
        yield or_(false(), *(_within(columns["subject"], repository) for repository in choice.repositories))
    if choice.keys is not None:
        yield _pairs(table, "key", choice.keys)
    if choice.involving is not None:
        yield columns["subject"].in_(select(SIGNAL.c.subject).where(_pairs(SIGNAL, "actor", choice.involving)))
    if choice.revision is not None:
        yield columns["revision"] <= choice.revision
        if table is SIGNAL_PAST:
            yield columns["ended"] > choice.revision


def _within(subject: ColumnElement[str], repository: str) -> ColumnElement[bool]:
    """Subjects of a repository, as ranges that an index serves: `#` changes and issues, `!` merge requests, `@`
    deployments."""
    return or_(*(and_(subject >= repository + mark, subject < repository + chr(ord(mark) + 1)) for mark in "#!@"))


def _pairs(table: Table, name: str, pairs: Iterable[tuple[str, str]]) -> ColumnElement[bool]:
    by_source: dict[str, list[str]] = {}
    for source, value in pairs:
        by_source.setdefault(source, []).append(value)
    parts = (and_(table.c.source == source, table.c[name].in_(values)) for source, values in by_source.items())
    return or_(false(), *parts)
