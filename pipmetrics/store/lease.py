"""One run at a time: a row that says who, and a lock that the operating system frees when that process dies.

A lease by time alone would either lock out the run after a kill, or let two run when a clock jumps. So the lock is
held by the process: on SQLite an exclusive transaction on a small file beside the store (which forked workers do not
inherit), on PostgreSQL an advisory lock of one session. The row tells the refused one who holds it, and each writing
transaction of the holder checks that it is still its own: who lost the lock to somebody else writes nothing more.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.exc import SQLAlchemyError

from pipmetrics.errors import Refused, StoreError
from pipmetrics.store import rows
from pipmetrics.store.engine import is_sqlite, reading, writing
from pipmetrics.store.tables import LEASE
from pipmetrics.store.values import instant, micros, sha256


@contextmanager
def held(engine: Engine, name: str, now: datetime) -> Iterator[str]:
    """Holds the lease while the block runs and yields the holder's name; Refused when somebody else has it."""
    holder = f"{socket.gethostname()} process {os.getpid()} {uuid.uuid4().hex[:8]}"
    release = (_lock_file if is_sqlite(engine) else _lock_session)(engine, name)
    if release is None:
        raise Refused(f"another run goes on: {_who(engine, name)}", mend="Wait until it has ended, then try again.")
    try:
        with writing(engine, "lease") as connection:
            rows.put(connection, LEASE, {"name": name, "holder": holder, "since": micros(now)})
        yield holder
        with writing(engine, "release") as connection:
            connection.execute(delete(LEASE).where(LEASE.c.name == name, LEASE.c.holder == holder))
    finally:
        release()


def still_held(connection: Connection, name: str, holder: str) -> None:
    """Refused when the lease went to somebody else; called inside each writing transaction of a run."""
    if connection.execute(select(LEASE.c.holder).where(LEASE.c.name == name)).scalar() != holder:
        raise Refused("another run took over", mend="Nothing is lost: that run does the rest.")


def _who(engine: Engine, name: str) -> str:
    with reading(engine) as connection:
        row = connection.execute(select(LEASE).where(LEASE.c.name == name)).first()
    return f"{row.holder}, since {instant(row.since):%Y-%m-%d %H:%M} UTC" if row else "it has just begun"


def _lock_file(engine: Engine, name: str) -> Callable[[], Any] | None:
    path = Path(f"{engine.url.database}-{name}-lease")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot open the lease: {error}", where=str(path)) from error
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        connection.close()
        return None
    return connection.close


def _lock_session(engine: Engine, name: str) -> Callable[[], Any] | None:
    number = int(sha256(f"pipmetrics lease {name}")[:15], 16)
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    if not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({number})").scalar():
        connection.close()
        return None

    def release() -> None:
        with suppress(SQLAlchemyError):  # when the server is gone, so is the lock
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({number})")
        connection.invalidate()  # ends the session, and with it the lock in any case
        connection.close()

    return release
