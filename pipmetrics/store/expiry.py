"""What is kept no longer: evaluations and acts of plans that ended long ago, and facts that nobody needs any more.

Each removal is an entry of the ledger in the same transaction, and passes by what is under a legal hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, select

from pipmetrics.ledger.chain import Act
from pipmetrics.ledger.keys import KeyFile
from pipmetrics.model import Person
from pipmetrics.store import entries, measurements, personal, rows
from pipmetrics.store.engine import compact, reading
from pipmetrics.store.tables import ACCOUNT, ACCOUNT_PAST, DOCUMENT, ENTRY, EVALUATION, SIGNAL, SIGNAL_PAST
from pipmetrics.store.values import micros

if TYPE_CHECKING:
    from pipmetrics.store.store import Store

SCHEDULER = "scheduler"
"""The actor of what no person does."""
FIGURES = frozenset({"evaluation", "baseline"})
"""Acts whose entries hold evaluations; all others about a plan are what people did."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A plan that is over: whose, and since when (its end, or the decision when that came later)."""

    plan: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """How many of each were removed."""

    subjects: int = 0
    signals: int = 0
    accounts: int = 0


# --- on a store ---------------------------------------------------------------------------------------------------


def ended_plans(store: Store, now: datetime) -> list[Ended]:
    """Every plan of the ledger that is over, and since when."""
    with reading(store.engine) as connection:
        return ended(connection, now)


def forget_plans(store: Store, before: datetime, why: str, now: datetime, *, figures: bool) -> dict[str, list[int]]:
    """Empties what the ledger holds about plans that were over by then, or their `figures` alone, on record; gives the
    emptied entries by plan. What is under a legal hold stays."""
    emptied = {}
    for one in ended_plans(store, before):
        with store.writing("expire", durable=True) as connection:
            seqs = forget_plan(connection, one, why, now, store.key, figures=figures)
        if seqs:
            emptied[one.plan] = seqs
    if emptied:
        compact(store.engine)
    return emptied


def forget_facts(store: Store, before: datetime, people: Mapping[str, Person], why: str, now: datetime) -> Facts:
    """Removes changes and issues on which nothing happened since `before`, on record. What somebody under a legal hold
    took part in stays."""
    with store.writing("expire", durable=True) as connection:
        found = forget_rested(connection, before, people, why, now, store.key)
    if found.subjects:
        compact(store.engine)
    return found


# --- plans --------------------------------------------------------------------------------------------------------


def ended(connection: Connection, now: datetime) -> list[Ended]:
    """Every plan of the ledger that is over at `now`, by what the ledger says of it, whatever became of its file."""
    said: dict[str, tuple[str, datetime]] = {}
    for entry in _last_of_each(connection, "erase") + _last_of_each(connection, "evaluation"):
        if entry.payload is None or not entry.subject.startswith("plan:"):
            continue
        end = entry.payload.get("ended") or entry.payload["result"]["plans"][0]["window"]["end"]
        said[entry.subject] = (entry.payload["person"], datetime.fromisoformat(end))
    decided = {entry.subject: entry.at for entry in _last_of_each(connection, "decide")}
    found = (
        Ended(subject.removeprefix("plan:"), person, max(end, decided.get(subject, end)))
        for subject, (person, end) in sorted(said.items())
    )
    return [one for one in found if one.at <= now]


def _last_of_each(connection: Connection, act: str) -> list[entries.Recorded]:
    last = select(func.max(ENTRY.c.seq)).where(ENTRY.c.act == act).group_by(ENTRY.c.subject)
    return entries.by_seq(connection, list(connection.execute(last).scalars()))


def forget_plan(
    connection: Connection, one: Ended, why: str, now: datetime, key: KeyFile | None, *, figures: bool
) -> list[int]:
    """Empties what the ledger holds about an ended plan, or its `figures` alone, and records that.

    Gives the emptied entries; none, and nothing is recorded, when none are left or its person is under a legal hold.
    """
    about = entries.recorded(connection, subjects=(f"plan:{one.plan}",))
    gone = [
        entry
        for entry in about
        if entry.payload is not None
        and entry.act not in personal.NEVER_EMPTIED
        and (not figures or entry.act in FIGURES)
    ]
    if not gone or personal.is_on_hold(connection, one.person):
        return []
    seqs = [entry.seq for entry in gone]
    _forget_texts(connection, one.person, seqs)
    rows_of_plan = [entry.seq for entry in gone if entry.act == "evaluation"]
    for seq in rows_of_plan:
        connection.execute(delete(EVALUATION).where(EVALUATION.c.seq == seq))
    entries.empty(connection, seqs)
    payload = {"plan": one.plan, "person": one.person, "ended": one.at.isoformat(), "entries": seqs, "why": why}
    entries.append(connection, [Act("erase", f"plan:{one.plan}", SCHEDULER, payload)], now, key)
    return seqs


def _forget_texts(connection: Connection, person: str, gone: Collection[int]) -> None:
    """Removes the texts that only these entries were made from."""
    texts: dict[bool, set[str]] = {True: set(), False: set()}
    for entry in entries.by_seq(connection, personal.about(connection, person)):
        if entry.act == "evaluation" and entry.payload is not None:
            texts[entry.seq in gone] |= set(entry.payload["texts"].values())
    rows.delete_where(connection, DOCUMENT, "hash", texts[True] - texts[False], owner=person)


# --- facts --------------------------------------------------------------------------------------------------------


def forget_rested(
    connection: Connection,
    before: datetime,
    people: Mapping[str, Person],
    why: str,
    now: datetime,
    key: KeyFile | None,
) -> Facts:
    """Removes changes and issues on which nothing happened since `before`, and accounts that no fact names any more.

    Accounts of `people` stay, and everything that somebody under a legal hold took part in. Recorded, when there was
    any.
    """
    held = [person for person in people.values() if personal.is_on_hold(connection, person.id)]
    kept = set(_taken_part(connection, held))
    stale = [pair for pair in _stale(connection, micros(before)) if pair not in kept]
    removed = sum(_delete(connection, table, stale) for table in (SIGNAL, SIGNAL_PAST))
    if not stale:
        return Facts()
    rows.next_revision(connection)
    measurements.forget_subjects(connection, {subject for _, subject in stale})
    found = Facts(len(stale), removed, _forget_accounts(connection, people))
    payload = {
        "before": before.isoformat(), "subjects": found.subjects, "signals": found.signals, "accounts": found.accounts,
        "why": why,
    }  # fmt: skip
    entries.append(connection, [Act("expire", "store", SCHEDULER, payload)], now, key)
    return found


def _stale(connection: Connection, before: int) -> list[tuple[str, str]]:
    """(source, subject) of what has rested since. A deployment stays as long as a change that it may have delivered."""
    last = select(SIGNAL.c.source, SIGNAL.c.subject, func.max(SIGNAL.c.at), func.max(SIGNAL.c.kind))
    found = [tuple(row) for row in connection.execute(last.group_by(SIGNAL.c.source, SIGNAL.c.subject))]
    old = {(source, subject) for source, subject, at, _ in found if at < before}
    merged = select(SIGNAL.c.source, SIGNAL.c.subject, SIGNAL.c.at).where(SIGNAL.c.kind == "change_merged")
    first: dict[str, int] = {}
    for source, subject, at in connection.execute(merged):
        if (source, subject) not in old:
            first[source] = min(at, first.get(source, at))
    deployments = {(source, subject): at for source, subject, at, kind in found if kind == "deployed"}
    return sorted(pair for pair in old if pair not in deployments or deployments[pair] < first.get(pair[0], before))


def _taken_part(connection: Connection, people: Sequence[Person]) -> Iterator[tuple[str, str]]:
    for person in people:
        names = personal.actors(connection, person)
        yield from ((row.source, row.subject) for row in personal.naming(connection, SIGNAL, names))


def _delete(connection: Connection, table: Any, pairs: Sequence[tuple[str, str]]) -> int:
    by_source: dict[str, list[str]] = {}
    for source, subject in pairs:
        by_source.setdefault(source, []).append(subject)
    before: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
    for source, subjects in by_source.items():
        rows.delete_where(connection, table, "subject", subjects, source=source)
    after: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return before - after


def _forget_accounts(connection: Connection, people: Mapping[str, Person]) -> int:
    """Accounts that did nothing that is still held, and are nobody's of people.yaml."""
    mine = {
        (source, login.casefold())
        for person in people.values()
        for source, logins in person.accounts.items()
        for login in logins or ()
    }
    known = connection.execute(select(ACCOUNT.c.source, ACCOUNT.c.id, ACCOUNT.c.login, ACCOUNT.c.email)).all()
    ours = {
        (row.source, row.id)
        for row in known
        if mine & {(row.source, name.casefold()) for name in (row.id, row.login, row.email or row.id)}
    }
    acting = {tuple(row) for row in connection.execute(select(SIGNAL.c.source, SIGNAL.c.actor).distinct())}
    gone = {(row.source, row.id) for row in known} - ours - acting
    for source in {source for source, _ in gone}:
        ids = [id for where, id in gone if where == source]
        for table in (ACCOUNT, ACCOUNT_PAST):
            rows.delete_where(connection, table, "id", ids, source=source)
    return len(gone)
