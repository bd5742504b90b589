"""What somebody with every right on the database could do to the ledger. Triggers are dropped first."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, create_engine, text

from pipmetrics.ledger import Head, Verified, verify
from pipmetrics.ledger.chain import checkpoint_message, entry_hash, payload_hash
from pipmetrics.store import Store
from pipmetrics.store.entries import Snapshot, snapshot

TRIGGERS = {
    "sqlite": "SELECT name, '' FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, ' ON ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal",
}
CONSTRAINTS = (
    "ALTER TABLE payload DROP CONSTRAINT fk_payload_seq_entry",
    "ALTER TABLE checkpoint DROP CONSTRAINT fk_checkpoint_seq_entry",
    "ALTER TABLE evaluation DROP CONSTRAINT fk_evaluation_seq_entry",
)


@dataclass(frozen=True)
class Intruder:
    """A connection without our rules; what it does is rolled back at the end."""

    connection: Connection
    store: Store

    def run(self, statement: str, **values: Any) -> Any:
        return self.connection.execute(text(statement), values)

    def verified(self, anchor: Head | None = None) -> Verified:
        keys = self.store.key.public() if self.store.key else {}

        class Live:
            def record(_self) -> Snapshot:  # noqa: N805 - reads through the intruder's transaction
                return snapshot(self.connection, keys)

        return verify(Live(), anchor)

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Undone at the end."""
        self.connection.exec_driver_sql("SAVEPOINT trial")
        yield
        self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT trial")

    def rechain(self, start: int) -> None:
        """Recomputes every hash from an entry on, as a careful forger would."""
        previous = self.run("SELECT hash FROM entry WHERE seq = :seq", seq=start - 1).scalar() or ""
        for row in self.run("SELECT * FROM entry WHERE seq >= :seq ORDER BY seq", seq=start).all():
            payload = self.run("SELECT salt, body FROM payload WHERE seq = :seq", seq=row.seq).first()
            hashed = row.payload_hash if payload.body is None else payload_hash(payload.salt, payload.body)
            own = entry_hash(row.seq, row.at, row.actor, row.act, row.subject, hashed, previous)
            self.run(
                "UPDATE entry SET payload_hash = :hashed, previous = :previous, hash = :own WHERE seq = :seq",
                hashed=hashed, previous=previous, own=own, seq=row.seq,
            )  # fmt: skip
            previous = own


@contextmanager
def intruder(store: Store) -> Iterator[Intruder]:
    engine = create_engine(store.engine.url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.isolation_level = None  # type: ignore[union-attr]  # is connected
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        for name, on in connection.exec_driver_sql(TRIGGERS[engine.dialect.name]).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
        for statement in CONSTRAINTS if engine.dialect.name == "postgresql" else ():
            connection.exec_driver_sql(statement)
        yield Intruder(connection, store)
        connection.rollback()
    engine.dispose()


Attack = Callable[[Intruder, int, random.Random], None]


def edit_entry(intruder: Intruder, seq: int, chance: random.Random) -> None:
    column, value = chance.choice([("actor", "'eve'"), ("act", "'other'"), ("subject", "'plan:x'"), ("at", "at + 1")])
    intruder.run(f"UPDATE entry SET {column} = {value} WHERE seq = :seq", seq=seq)


def edit_payload(intruder: Intruder, seq: int, chance: random.Random) -> None:
    body = f'{{"forged":{chance.randrange(10**6)}}}'
    intruder.run("UPDATE payload SET body = :body WHERE seq = :seq", body=body, seq=seq)


def edit_both_and_hash(intruder: Intruder, seq: int, chance: random.Random) -> None:
    edit_payload(intruder, seq, chance)
    row = intruder.run("SELECT * FROM entry WHERE seq = :seq", seq=seq).one()
    payload = intruder.run("SELECT * FROM payload WHERE seq = :seq", seq=seq).one()
    hashed = payload_hash(payload.salt, payload.body)
    own = entry_hash(row.seq, row.at, row.actor, row.act, row.subject, hashed, row.previous)
    intruder.run("UPDATE entry SET payload_hash = :a, hash = :b WHERE seq = :seq", a=hashed, b=own, seq=seq)


def delete(intruder: Intruder, seq: int, _chance: random.Random) -> None:
    for table in ("checkpoint", "payload", "entry"):
        intruder.run(f"DELETE FROM {table} WHERE seq = :seq", seq=seq)


def delete_and_close_up(intruder: Intruder, seq: int, chance: random.Random) -> None:
    delete(intruder, seq, chance)
    for table in ("checkpoint", "payload", "entry"):
        for (later,) in intruder.run(f"SELECT seq FROM {table} WHERE seq > :seq ORDER BY seq", seq=seq).all():
            intruder.run(f"UPDATE {table} SET seq = :new WHERE seq = :old", new=later - 1, old=later)
    intruder.rechain(seq)


def swap(intruder: Intruder, seq: int, chance: random.Random) -> None:
    last = intruder.run("SELECT max(seq) FROM entry").scalar()
    other = chance.choice([n for n in range(1, last + 1) if n != seq])
    for table in ("entry", "payload"):
        for old, new in ((seq, -1), (other, seq), (-1, other)):
            intruder.run(f"UPDATE {table} SET seq = :new WHERE seq = :old", new=new, old=old)


def insert(intruder: Intruder, seq: int, _chance: random.Random) -> None:
    for table in ("checkpoint", "payload", "entry"):
        for (later,) in intruder.run(f"SELECT seq FROM {table} WHERE seq >= :seq ORDER BY seq DESC", seq=seq).all():
            intruder.run(f"UPDATE {table} SET seq = :new WHERE seq = :old", new=later + 1, old=later)
    previous = intruder.run("SELECT hash FROM entry WHERE seq = :seq", seq=seq - 1).scalar() or ""
    hashed = payload_hash(b"0" * 16, "{}")
    own = entry_hash(seq, 0, "eve", "read", "store", hashed, previous)
    intruder.run(
        "INSERT INTO entry VALUES (:seq, 0, 'eve', 'read', 'store', :hashed, :previous, :own)",
        seq=seq, hashed=hashed, previous=previous, own=own,
    )  # fmt: skip
    intruder.run("INSERT INTO payload VALUES (:seq, :salt, '{}')", seq=seq, salt=b"0" * 16)
    intruder.rechain(seq + 1)


def rechain(intruder: Intruder, seq: int, chance: random.Random) -> None:
    edit_payload(intruder, seq, chance)
    intruder.rechain(seq)


def forge_checkpoint(intruder: Intruder, seq: int, chance: random.Random) -> None:
    """The forger rewrites history and signs it with a key of their own, under its own id or that of the real one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    rechain(intruder, seq, chance)
    forged = Ed25519PrivateKey.generate()
    for row in intruder.run("SELECT * FROM checkpoint WHERE seq >= :seq", seq=seq).all():
        head = intruder.run("SELECT hash FROM entry WHERE seq = :seq", seq=row.seq).scalar()
        key = row.key if chance.random() < 0.5 else "0123456789abcdef"
        signature = forged.sign(checkpoint_message(row.seq, row.at, head, key))
        intruder.run(
            "UPDATE checkpoint SET head = :head, key = :key, signature = :signature WHERE seq = :seq",
            head=head, key=key, signature=signature, seq=row.seq,
        )  # fmt: skip


def drop_checkpoint(intruder: Intruder, seq: int, _chance: random.Random) -> None:
    nearest = intruder.run("SELECT min(seq) FROM checkpoint WHERE seq >= :seq", seq=seq).scalar()
    intruder.run("DELETE FROM checkpoint WHERE seq = :seq", seq=nearest)


def erase_silently(intruder: Intruder, seq: int, _chance: random.Random) -> None:
    intruder.run("UPDATE payload SET salt = NULL, body = NULL WHERE seq = :seq", seq=seq)


DELETES: tuple[Attack, ...] = (delete, delete_and_close_up)
ATTACKS: tuple[Attack, ...] = (
    edit_entry,
    edit_payload,
    edit_both_and_hash,
    *DELETES,
    swap,
    insert,
    rechain,
    forge_checkpoint,
    drop_checkpoint,
    erase_silently,
)
