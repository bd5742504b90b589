"""Everything that a store holds, to be compared; run records and revisions tell how it came there and are left out."""

from __future__ import annotations

from typing import Any

from pipmetrics.store import Store
from pipmetrics.store.engine import reading
from pipmetrics.store.measurements import TABLES
from pipmetrics.store.tables import ACCOUNT, BOOKMARK, DELIVERY, ENTRY, GAP, PAYLOAD, PULLED, SIGNAL, STALE

RUNNING = (SIGNAL, ACCOUNT, BOOKMARK, GAP, STALE, PULLED, DELIVERY, *TABLES)


def dump(store: Store) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    with reading(store.engine) as connection:
        for table in RUNNING:
            columns = [column for column in table.columns if column.name != "revision"]
            rows = connection.execute(table.select().with_only_columns(*columns)).all()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
        said = ENTRY.select().join(PAYLOAD, PAYLOAD.c.seq == ENTRY.c.seq).order_by(ENTRY.c.seq)
        columns = [ENTRY.c.seq, ENTRY.c.actor, ENTRY.c.act, ENTRY.c.subject, PAYLOAD.c.body]
        found["ledger"] = [tuple(row) for row in connection.execute(said.with_only_columns(*columns))]
    return found
