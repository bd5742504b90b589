"""Accounts as the pulls saw them, and the hashes of those whose people were erased."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from pipmetrics.model import Account, Json, Signal
from pipmetrics.store import rows
from pipmetrics.store.tables import ACCOUNT, ACCOUNT_PAST, ERASED
from pipmetrics.store.values import clean, micros, sha256

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("source", "id", "login", "email", "mark", "first_seen", "last_seen")
Row = tuple[Any, ...]


def difference(connection: Connection, source: str, seen: Sequence[Account], now: datetime) -> dict[str, list[Row]]:
    """Rows to write (`new`) and the former ones of the same keys (`former`).

    A row is written when a login is new for an id, when its e-mail or mark changed, or when the id was last seen under
    another login. `last_seen` is therefore the instant at which that login was last found to be the current one anew,
    and an unchanged night writes nothing. An e-mail that the service hides today stays known.
    """
    forgotten = erased(connection, source)
    accounts = {
        (account.id, account.login): account
        for account in seen
        if account.source == source
        and not {fingerprint(source, account.id), at_login(source, account.login)} & forgotten
    }
    held = {row[1:3]: row for row in _held(connection, source, {id for id, _ in accounts})}
    newest = _newest(held.values())
    changes: dict[str, list[Row]] = {"new": [], "former": []}
    for (id, login), account in accounts.items():
        key = (clean(id), clean(login))
        former = held.get(key)
        row = _row(account, former, micros(now), current=newest.get(key[0]) == key[1])
        if former is None or former[:-1] != row:
            changes["new"].append(row)
            changes["former"].extend([former] if former else [])
    return changes


def write(connection: Connection, source: str, changes: dict[str, list[Row]], revision: int) -> None:
    rows.insert_rows(connection, ACCOUNT_PAST, [(*row, revision) for row in changes["former"]])
    for row in changes["former"]:
        key = (ACCOUNT.c.source == source) & (ACCOUNT.c.id == row[1]) & (ACCOUNT.c.login == row[2])
        connection.execute(ACCOUNT.delete().where(key))
    rows.insert_rows(connection, ACCOUNT, [(*row, revision) for row in changes["new"]])


def frame(connection: Connection, revision: int | None = None) -> pd.DataFrame:
    """Columns source, id, login, email, mark (str), first_seen, last_seen (datetime64[us, UTC]), sorted by source, id
    and last_seen: the last row of an id holds its current login."""
    import numpy as np
    import pandas as pd

    found: list[Row] = []
    for table in (ACCOUNT,) if revision is None else (ACCOUNT, ACCOUNT_PAST):
        statement = select(*(table.c[name] for name in COLUMNS))
        if revision is not None:
            statement = statement.where(table.c.revision <= revision)
            if table is ACCOUNT_PAST:
                statement = statement.where(table.c.ended > revision)
        found.extend(map(tuple, connection.execute(statement)))
    found.sort(key=lambda row: (row[0], row[1], row[6], row[2]))
    columns = list(zip(*found, strict=True)) if found else [()] * len(COLUMNS)
    made: dict[str, Any] = {name: pd.array(list(columns[i]), dtype="str") for i, name in enumerate(COLUMNS[:5])}
    for i, name in enumerate(COLUMNS[5:], 5):
        made[name] = pd.DatetimeIndex(np.array(columns[i], dtype="int64").view("M8[us]")).tz_localize("UTC")
    return pd.DataFrame(made)


def known(connection: Connection, source: str, logins: Collection[str]) -> list[Account]:
    """Every account of the source that was ever seen under one of the logins, ids or e-mail addresses."""
    wanted = {login.casefold() for login in logins}
    return [
        Account(*row[:5])
        for row in connection.execute(select(ACCOUNT).where(ACCOUNT.c.source == source))
        if {row.login.casefold(), row.id.casefold(), (row.email or row.id).casefold()} & wanted
    ]


def _held(connection: Connection, source: str, ids: set[str]) -> list[Row]:
    return rows.select_where(connection, ACCOUNT, "id", [clean(id) for id in ids], source=source)


def _newest(held: Collection[Row]) -> dict[str, str]:
    return {row[1]: row[2] for row in sorted(held, key=lambda row: (row[6], row[2]))}


def _row(account: Account, former: Row | None, now: int, *, current: bool) -> Row:
    email = clean(account.email) if account.email else former[3] if former else None
    first, last = (former[5], former[6]) if former else (now, now)
    return (
        account.source,
        clean(account.id),
        clean(account.login),
        email,
        account.mark,
        first,
        last if current else max(now, first),
    )


# --- erased people ------------------------------------------------------------------------------------------------


def fingerprint(source: str, actor: str) -> str:
    return sha256(f"{len(source)}:{source}:{actor}")


def at_login(source: str, login: str) -> str:
    return fingerprint(source, f"@{login}")


def erased(connection: Connection, source: str) -> set[str]:
    return set(connection.execute(select(ERASED.c.fingerprint).where(ERASED.c.source == source)).scalars())


def scrub(signal: Signal, forgotten: Collection[str]) -> Signal:
    """The signal without the erased people in it: what they did was done by a deleted account.

    Their titles go, since they wrote them. Other people's acts on the same change stay what they are.
    """
    theirs = signal.actor is not None and fingerprint(signal.source, signal.actor) in forgotten
    detail = {name: _without(value, signal.source, forgotten) for name, value in signal.detail.items()}
    if not theirs:
        return replace(signal, detail=detail) if detail != dict(signal.detail) else signal
    if "title" in detail:
        detail["title"] = ""
    return replace(signal, actor=None, mark="ghost", detail=detail)


def _without(value: Json, source: str, forgotten: Collection[str]) -> Json:
    if isinstance(value, str):
        named = {fingerprint(source, value), at_login(source, value)}
        return None if named & set(forgotten) else value
    return value
