"""Rows in bulk: the difference between what a table holds and what it should hold, written and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pipmetrics.store.engine import is_sqlite
from pipmetrics.store.tables import REVISION
from pipmetrics.store.values import chunks

COPY_FROM = 20
"""With fewer rows a COPY costs more than it saves."""


def insert_rows(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Inserts tuples in the order of the table's columns: executemany on SQLite, COPY on PostgreSQL."""
    if not rows:
        return
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    if not is_sqlite(connection) and len(rows) >= COPY_FROM:
        cursor: Any = connection.connection.cursor()
        with cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join(["?" if is_sqlite(connection) else "%s"] * len(table.columns))
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - names of our own tables
    connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def fetch(connection: Connection, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """All rows as the driver gives them: for many rows of plain columns."""
    cursor: Any = connection.execute(statement).cursor
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def select_where(
    connection: Connection, table: Table, name: str, values: Iterable[str], **fixed: str
) -> list[tuple[Any, ...]]:
    """All rows whose column `name` is one of `values` and whose `fixed` columns are as given; plain tuples."""
    found: list[tuple[Any, ...]] = []
    conditions = [table.c[column] == value for column, value in fixed.items()]
    statement = select(table).where(*conditions, table.c[name].in_(bindparam("part", expanding=True)))
    for part in chunks(values):
        found.extend(tuple(row) for row in connection.execute(statement, {"part": part}))
    return found


def delete_where(connection: Connection, table: Table, name: str, values: Iterable[str], **fixed: str) -> None:
    conditions = [table.c[column] == value for column, value in fixed.items()]
    statement = delete(table).where(*conditions, table.c[name].in_(bindparam("part", expanding=True)))
    for part in chunks(values):
        connection.execute(statement, {"part": part})


def put(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Inserts the row, or makes the one with its key equal to it; False when it was so already."""
    dialect = sqlite if is_sqlite(connection) else postgresql
    keys = [column.name for column in table.primary_key]
    statement = dialect.insert(table).values(row)
    rest = {name: statement.excluded[name] for name in row if name not in keys}
    if not rest:
        return connection.execute(statement.on_conflict_do_nothing()).rowcount == 1
    differs = [table.c[name].is_distinct_from(value) for name, value in rest.items()]
    condition = differs[0]
    for more in differs[1:]:
        condition |= more
    done = connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest, where=condition))
    return done.rowcount == 1


def next_revision(connection: Connection) -> int:
    """Raises the store's revision by one; once a transaction, when it changes signals or accounts."""
    connection.execute(update(REVISION).values(number=REVISION.c.number + 1))
    return revision(connection)


def revision(connection: Connection) -> int:
    number: int = connection.execute(select(REVISION.c.number)).scalar_one()
    return number
