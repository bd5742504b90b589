"""The ledger's rows: appended under the writer's lock, read in sequence."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from pipmetrics.errors import StoreError
from pipmetrics.ledger.chain import BEFORE_FIRST, SIGNED_ACTS, Act, Checkpoint, Entry, Head, Payload, link
from pipmetrics.ledger.keys import KeyFile
from pipmetrics.model import Json
from pipmetrics.store import rows
from pipmetrics.store.tables import CHECKPOINT, ENTRY, PAYLOAD
from pipmetrics.store.values import chunks, instant, micros


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry with what it says; `payload` is None when that was erased."""

    seq: int
    at: datetime
    actor: str
    act: str
    subject: str
    hash: str
    payload: Json


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole ledger at one moment, for `ledger.verify`."""

    entries: Sequence[Entry]
    payloads: Sequence[Payload]
    checkpoints: Sequence[Checkpoint]
    keys: Mapping[str, bytes]


def head(connection: Connection) -> Head:
    last = connection.execute(select(ENTRY.c.seq, ENTRY.c.hash).order_by(ENTRY.c.seq.desc()).limit(1)).first()
    return Head(last.seq, last.hash) if last else Head(0, BEFORE_FIRST)


def append(connection: Connection, acts: Sequence[Act], now: datetime, key: KeyFile | None) -> list[Entry]:
    """Appends the acts in order; an act that must be signed makes a checkpoint right after it."""
    at, last = micros(now), head(connection)
    entries, payloads, checkpoints = [], [], []
    for act in acts:
        entry, payload = link(act, at, last)
        last = Head(entry.seq, entry.hash)
        entries.append(entry)
        payloads.append(payload)
        if act.act in SIGNED_ACTS:
            checkpoints.append(_signed(key, last, at))
    rows.insert_rows(connection, ENTRY, [_values(ENTRY, entry) for entry in entries])
    rows.insert_rows(connection, PAYLOAD, [_values(PAYLOAD, payload) for payload in payloads])
    rows.insert_rows(connection, CHECKPOINT, [_values(CHECKPOINT, checkpoint) for checkpoint in checkpoints])
    return entries


def _signed(key: KeyFile | None, last: Head, at: int) -> Checkpoint:
    if key is None:
        raise StoreError(
            "this act is signed, and no signing key is configured", mend="Open the store with the path of a key file."
        )
    return key.sign(last, at)


def _values(table: Any, value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, column.name) for column in table.columns)


def snapshot(connection: Connection, keys: Mapping[str, bytes]) -> Snapshot:
    def all_of(table: Any, kind: Any) -> list[Any]:
        return [kind(*row) for row in connection.execute(select(table).order_by(table.c.seq))]

    return Snapshot(all_of(ENTRY, Entry), all_of(PAYLOAD, Payload), all_of(CHECKPOINT, Checkpoint), keys)


def last_signed(connection: Connection) -> int:
    """The entry of the last checkpoint; 0 without one."""
    return connection.execute(select(CHECKPOINT.c.seq).order_by(CHECKPOINT.c.seq.desc()).limit(1)).scalar() or 0


def recorded(
    connection: Connection,
    *,
    acts: Collection[str] | None = None,
    subjects: Collection[str] | None = None,
    actors: Collection[str] | None = None,
    until: datetime | None = None,
    through: int | None = None,
) -> list[Recorded]:
    """Entries with their payloads, in sequence: those before `until` and no later than entry `through`."""
    statement = _joined()
    for column, values in ((ENTRY.c.act, acts), (ENTRY.c.subject, subjects), (ENTRY.c.actor, actors)):
        if values is not None:
            statement = statement.where(column.in_(sorted(set(values))))
    if until is not None:
        statement = statement.where(ENTRY.c.at < micros(until))
    if through is not None:
        statement = statement.where(ENTRY.c.seq <= through)
    return list(_read(connection, statement))


def by_seq(connection: Connection, seqs: Collection[int]) -> list[Recorded]:
    found: list[Recorded] = []
    for part in chunks(sorted(set(seqs))):
        found.extend(_read(connection, _joined().where(ENTRY.c.seq.in_(part))))
    return found


def _joined() -> Select[Any]:
    columns = (ENTRY.c.seq, ENTRY.c.at, ENTRY.c.actor, ENTRY.c.act, ENTRY.c.subject, ENTRY.c.hash, PAYLOAD.c.body)
    return select(*columns).join_from(ENTRY, PAYLOAD, ENTRY.c.seq == PAYLOAD.c.seq).order_by(ENTRY.c.seq)


def _read(connection: Connection, statement: Select[Any]) -> Iterator[Recorded]:
    for seq, at, actor, act, subject, own, body in connection.execute(statement):
        yield Recorded(seq, instant(at), actor, act, subject, own, None if body is None else json.loads(body))


def empty(connection: Connection, seqs: Collection[int]) -> None:
    """Empties payloads; the caller appends the erasure that names them, in the same transaction."""
    for part in chunks(sorted(set(seqs))):
        connection.execute(update(PAYLOAD).where(PAYLOAD.c.seq.in_(part)).values(salt=None, body=None))
