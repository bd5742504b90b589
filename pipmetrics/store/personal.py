"""What is held about one person: handed out as files, or erased so that the ledger still verifies."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, or_, select, update

from pipmetrics.errors import Refused
from pipmetrics.ledger.chain import Act
from pipmetrics.ledger.keys import KeyFile
from pipmetrics.model import Account, Json, Person, Signal
from pipmetrics.store import accounts, entries, evaluations, measurements, rows
from pipmetrics.store.tables import ACCOUNT, ACCOUNT_PAST, DOCUMENT, ENTRY, ERASED, PAYLOAD, SIGNAL, SIGNAL_PAST
from pipmetrics.store.values import canonical, instant

NEVER_EMPTIED = frozenset({"erase", "hold", "release"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")


@dataclass(frozen=True, slots=True)
class Held:
    """Everything that is held about a person: accounts, signals by them or naming them, ledger entries about them, and
    kept measurements."""

    accounts: Sequence[Account]
    signals: Sequence[Signal]
    entries: Sequence[entries.Recorded]
    texts: Sequence[str]
    measurements: Sequence[Mapping[str, Any]] = ()


def actors(connection: Connection, person: Person) -> dict[str, set[str]]:
    """By source, all names under which the person acts: account ids, and ``@login`` for every login ever seen."""
    found: dict[str, set[str]] = {}
    for source, logins in person.accounts.items():
        known = accounts.known(connection, source, logins or ())
        ids = {account.id for account in known}
        every = [account for account in accounts.known(connection, source, ids) if account.id in ids]
        found[source] = ids | {f"@{login}" for login in (*(logins or ()), *(one.login for one in every)) if login}
    return found


def held(connection: Connection, person: Person) -> Held:
    names = actors(connection, person)
    ids = {(source, name) for source, every in names.items() for name in every}
    in_order = select(ACCOUNT).order_by(ACCOUNT.c.source, ACCOUNT.c.id, ACCOUNT.c.login)
    seen = [Account(*row[:5]) for row in connection.execute(in_order) if (row.source, row.id) in ids]
    signals = [
        Signal(row.source, row.kind, row.subject, row.key, instant(row.at), row.url, row.actor, row.mark, row.value,
               json.loads(row.detail))
        for row in naming(connection, SIGNAL, names)
    ]  # fmt: skip
    signals.sort(key=lambda signal: (signal.at, signal.key))
    texts = connection.execute(select(DOCUMENT.c.body).where(DOCUMENT.c.owner == person.id)).scalars()
    said = entries.by_seq(connection, about(connection, person.id))
    return Held(seen, signals, said, sorted(texts), measurements.of_person(connection, person.id))


def about(connection: Connection, person: str) -> list[int]:
    """Entries about the person or about one of their plans, by what the entries themselves say."""
    mark = canonical({"person": person})[1:-1]
    said = connection.execute(
        select(PAYLOAD.c.seq, PAYLOAD.c.body, ENTRY.c.subject)
        .join_from(PAYLOAD, ENTRY, PAYLOAD.c.seq == ENTRY.c.seq)
        .where(PAYLOAD.c.body.contains(mark, autoescape=True))
    )
    subjects = {f"person:{person}"}
    for _, body, subject in said:
        if json.loads(body).get("person") == person:
            subjects.add(subject)
    return sorted(row[0] for row in rows.select_where(connection, ENTRY, "subject", subjects))


def naming(connection: Connection, table: Table, names: Mapping[str, Collection[str]]) -> list[Any]:
    """Rows whose actor is one of the names, or whose detail holds one."""
    found: list[Any] = []
    for source, every in names.items():
        said = {name.removeprefix("@") for name in every} | set(every)
        quoted: list[ColumnElement[bool]] = [
            table.c.detail.contains(json.dumps(name, ensure_ascii=False), autoescape=True) for name in sorted(said)
        ]
        if every:
            mine = or_(table.c.actor.in_(sorted(every)), *quoted)
            found.extend(connection.execute(select(table).where(table.c.source == source, mine)).all())
    return found


# --- export -------------------------------------------------------------------------------------------------------


def files(person: Person, found: Held) -> dict[str, bytes]:
    """The export as files: one JSON with everything, and a CSV for each kind of row."""
    rows_of = {
        "accounts": [asdict(account) for account in found.accounts],
        "signals": [asdict(signal) for signal in found.signals],
        "ledger": [asdict(entry) for entry in found.entries],
        "measurements": found.measurements,
    }
    whole = {"person": asdict(person), **rows_of, "texts": list(found.texts)}
    made = {"everything.json": json.dumps(whole, indent=2, ensure_ascii=False, default=_plain).encode()}
    for name, table in rows_of.items():
        made[f"{name}.csv"] = _csv(table)
    return made


def _plain(value: object) -> Json:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value)


def _csv(table: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    for number, row in enumerate(table):
        if not number:
            writer.writerow(row)
        writer.writerow([_cell(value) for value in row.values()])
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """Spreadsheets run what begins like a formula; numbers stay numbers."""
    if isinstance(value, dict | list | tuple):
        value = json.dumps(value, ensure_ascii=False, default=_plain)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


# --- erasure ------------------------------------------------------------------------------------------------------


def is_on_hold(connection: Connection, person: str) -> bool:
    """Whether the last hold on the person was not released."""
    acts = entries.recorded(connection, acts=("hold", "release"), subjects=(f"person:{person}",))
    return bool(acts) and acts[-1].act == "hold"


def erase(connection: Connection, person: Person, by: str, why: str, now: datetime, key: KeyFile | None) -> list[int]:
    """Empties the payloads about the person, and turns their acts into those of a deleted account.

    What others did on the same changes keeps its evidence. Later pulls meet the person's accounts again and treat them
    alike. Gives the emptied entries. Refused while a legal hold is on the person.
    """
    if is_on_hold(connection, person.id):
        raise Refused(
            f"{person.id} is under a legal hold", mend="Erase after the hold was released: pipmetrics hold --release."
        )
    names = actors(connection, person)
    forgotten = {source: {accounts.fingerprint(source, name) for name in every} for source, every in names.items()}
    for source, prints in forgotten.items():
        for one in sorted(prints):
            rows.put(connection, ERASED, {"source": source, "fingerprint": one})
    for table in (SIGNAL, SIGNAL_PAST):
        _scrub(connection, table, names, forgotten)
    for source, every in names.items():
        for table in (ACCOUNT, ACCOUNT_PAST):
            connection.execute(delete(table).where(table.c.source == source, table.c.id.in_(sorted(every))))
    measurements.forget(connection)  # others' rows name the person's acts too; the next night makes them again
    said = entries.by_seq(connection, about(connection, person.id))
    emptied = [entry.seq for entry in said if entry.act not in NEVER_EMPTIED and entry.payload is not None]
    evaluations.forget(connection, person.id, emptied)
    entries.empty(connection, emptied)
    erasure = Act("erase", f"person:{person.id}", by, {"person": person.id, "entries": emptied, "why": why})
    entries.append(connection, [erasure], now, key)
    return emptied


def _scrub(
    connection: Connection,
    table: Table,
    names: Mapping[str, Collection[str]],
    forgotten: Mapping[str, Collection[str]],
) -> None:
    for row in naming(connection, table, names):
        signal = Signal(row.source, row.kind, row.subject, row.key, instant(row.at), row.url, row.actor, row.mark,
                        row.value, json.loads(row.detail))  # fmt: skip
        without = accounts.scrub(signal, forgotten[row.source])
        keys: list[ColumnElement[bool]] = [column == getattr(row, column.name) for column in table.primary_key]
        values = {"actor": without.actor, "mark": without.mark, "detail": canonical(dict(without.detail))}
        connection.execute(update(table).where(*keys).values(values))
