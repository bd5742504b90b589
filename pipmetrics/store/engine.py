"""Connections and transactions: one writer at a time, and a place where tests can kill the process.

A writer on SQLite begins IMMEDIATE, since a transaction that reads first and writes later fails with "locked" in spite
of the time-out; on PostgreSQL it takes one advisory lock. A reader sees one state of the store from beginning to end.
"""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from pipmetrics.errors import StoreError, UsageError

WRITER_LOCK = 0x706970 << 8  # "pip", and room for more locks of ours
PATIENCE_MS = 30_000

MENDS = (
    ("database or disk is full", "Free some space on its disk; nothing of this transaction was written."),
    ("no space left", "Free some space on its disk; nothing of this transaction was written."),
    ("database is locked", "Another program holds it; try again, or end that program."),
    ("readonly", "Give this account the right to write the file and its folder."),
    ("malformed", "Restore it from a backup: pipmetrics store restore."),
    ("not a database", "The file is something else; check `store` in pipmetrics.yaml."),
    ("unable to open", "Check that the folder exists and that this account may write to it."),
    ("connection", "Check that the database server runs and can be reached."),
)


def checkpoint(name: str) -> None:
    """Called before and after each commit. PIPMETRICS_CRASH_AT=n in the environment ends the process at the n-th."""
    global _passed
    if _CRASH_AT:
        _passed += 1
        if _passed == _CRASH_AT:
            os.write(2, f"killed {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


_CRASH_AT = int(os.environ.get("PIPMETRICS_CRASH_AT", "0"))
_passed = 0


def parse(url: str) -> URL:
    """The address of a store; UsageError when it is none, or names a database that we do not speak."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UsageError(
            "the address of the store is not one",
            where="store",
            mend="Write sqlite:///pipmetrics.db or postgresql+psycopg://user@host/database",
        ) from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise UsageError(
            f"{parsed.get_backend_name()!r} is no database that pipmetrics can use",
            where="store",
            mend="Write sqlite:///pipmetrics.db or postgresql+psycopg://user@host/database",
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise UsageError("the store needs a file", where="store", mend="Write sqlite:///pipmetrics.db")
    return parsed


def make_engine(url: URL) -> Engine:
    """An engine with our settings. Creates the SQLite file (mode 0600), but no tables."""
    if url.get_backend_name() == "sqlite":
        _make_private(Path(str(url.database)))
    try:
        engine = create_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise UsageError(
            "the driver for PostgreSQL is not installed",
            where="store",
            mend="pip install 'pipmetrics[postgres]', and write postgresql+psycopg://...",
        ) from error
    if is_sqlite(engine):
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def is_sqlite(bind: Engine | Connection) -> bool:
    return bind.dialect.name == "sqlite"


def _make_private(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if stat.S_IMODE(os.fstat(handle).st_mode) & 0o077 and os.fstat(handle).st_uid == os.geteuid():
                os.fchmod(handle, 0o600)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(
            f"cannot open the store: {error.strerror}",
            where=str(path),
            mend="Check that the folder exists and that this account may write to it.",
        ) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        f"busy_timeout={PATIENCE_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("writer"):
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get('durable') else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writer"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the store."""
    with _told(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, name: str, *, durable: bool = False) -> Iterator[Connection]:
    """A transaction that commits as a whole at the end; `name` says which for the crash tests.

    `durable`: it also outlives a power cut at once. What people did needs that; what a source can tell again does not.
    """
    options = {"writer": True, "durable": durable}
    with _told(engine), engine.connect().execution_options(**options) as connection, connection.begin() as transaction:
        yield connection
        checkpoint(f"before {name}")
        transaction.commit()
        checkpoint(f"after {name}")


def compact(engine: Engine) -> None:
    """Rewrites the SQLite file, so that what was erased is not left in its free pages or its log."""
    if not is_sqlite(engine):
        return
    with _told(engine), engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def size(engine: Engine) -> int:
    """Bytes that the database takes on its disk, the log of SQLite left out."""
    with reading(engine) as connection:
        if not is_sqlite(engine):
            return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
        pages, each = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
        )
        return int(pages) * int(each)


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise told(error, engine) from error


def told(error: DBAPIError, engine: Engine) -> StoreError:
    """The database's complaint without the statement and its values, which may be personal."""
    what = (str(error.orig).splitlines() or [type(error).__name__])[0]
    mend = next((mend for sign, mend in MENDS if sign in what.lower()), "")
    return StoreError(what, where=f"store {engine.url.render_as_string(hide_password=True)}", mend=mend)
