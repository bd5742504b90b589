"""A whole store into an empty one: from SQLite to PostgreSQL, into a backup file and back, checked on arrival."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select

from pipmetrics.errors import StoreError, UsageError
from pipmetrics.ledger.verify import verify
from pipmetrics.store import measurements, rows
from pipmetrics.store.engine import is_sqlite, reading, writing
from pipmetrics.store.store import Store
from pipmetrics.store.tables import LEASE, METADATA, REVISION, RUN

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows by table, and the head of the ledger that was copied."""

    rows: dict[str, int]
    head: str


def copy(source: Store, target: Store) -> Copied:
    """Copies everything into an empty store, in one transaction on each side; leases stay behind, and so do kept
    measurements, which the next night makes again.

    UsageError when the target is not empty. StoreError, and an unchanged target, when the source's ledger does not
    verify or what arrived is not what was sent.
    """
    if source.key is not None and not (found := verify(source)).ok:
        raise StoreError(f"the ledger is {found}", where=_place(source), mend="Copy from an intact store.")
    with reading(source.engine) as outof, writing(target.engine, "copy") as into:
        _expect_empty(into, target)
        for table in (REVISION, RUN):  # what opening it has left there
            into.execute(delete(table))
        measurements.forget(into)
        copied = {table.name: _copy_table(outof, into, table) for table in _tables()}
        for table in _tables():
            if _digest(outof, table) != _digest(into, table):
                raise StoreError(f"table {table.name} did not arrive as it was sent", where=_place(target))
    return Copied(copied, str(target.head()))


def backup(store: Store, path: Path, now: datetime) -> Copied:
    """Writes a backup: a SQLite store of its own, whatever the database. UsageError when the file exists."""
    if path.exists():
        raise UsageError(f"{path} exists already", mend="Give the name of a new file.")
    target = Store.open(f"sqlite:///{path}", now=now, key=_key_path(store))
    try:
        return copy(store, target)
    except BaseException:
        target.close()
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        raise
    finally:
        target.close()


def restore(path: Path, target: Store, now: datetime) -> Copied:
    """Fills an empty store from a backup, after checking the backup's integrity; the file itself is not touched."""
    if not path.is_file():
        raise UsageError(f"there is no backup {path}")
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "backup.db"
        shutil.copy(path, whole)
        source = Store.open(f"sqlite:///{whole}", now=now, key=_key_path(target))
        try:
            if problems := integrity(source):
                raise StoreError(f"the backup is damaged: {problems[0]}", where=str(path), mend="Take an older one.")
            return copy(source, target)
        finally:
            source.close()


def integrity(store: Store) -> list[str]:
    """What is wrong with the database file and the ledger; empty when nothing is."""
    problems: list[str] = []
    if is_sqlite(store.engine):
        with reading(store.engine) as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            problems += [str(line) for line in found if line != "ok"]
            problems += [
                f"a row of {row[0]} points nowhere" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
            ]
    if store.key is not None and not (verified := verify(store)).ok:
        problems.append(f"the ledger is {verified}")
    return problems


def _tables() -> list[Table]:
    return [table for table in METADATA.sorted_tables if table not in (LEASE, *measurements.TABLES)]


def _expect_empty(connection: Connection, target: Store) -> None:
    for table in _tables():
        kept = select(func.count()).select_from(table)
        if table is RUN:
            kept = kept.where(RUN.c.kind != "migrate")
        if table is not REVISION and connection.execute(kept).scalar():
            raise UsageError(
                f"the store to copy into is not empty: it has rows in {table.name}",
                where=_place(target),
                mend="Copy into a new database.",
            )


def _copy_table(outof: Connection, into: Connection, table: Table) -> int:
    count = 0
    for batch in _batches(outof, table):
        rows.insert_rows(into, table, batch)
        count += len(batch)
    return count


def _batches(connection: Connection, table: Table) -> Iterator[list[Any]]:
    """All rows in the order of the key, which is also the order in which the ledger takes its entries."""
    statement = select(table).order_by(*table.primary_key)
    result = connection.execution_options(yield_per=BATCH).execute(statement)
    yield from (list(part) for part in result.partitions(BATCH))


def _digest(connection: Connection, table: Table) -> str:
    total = hashlib.sha256()
    for batch in _batches(connection, table):
        total.update(repr([tuple(row) for row in batch]).encode())
    return total.hexdigest()


def _key_path(store: Store) -> Path | None:
    return None if store.key is None else store.key.path


def _place(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=True)
