"""The tables. Instants are microseconds since 1970 in UTC, JSON is canonical text: both databases hold the same.

Texts that are compared or sorted collate by code point on PostgreSQL, as SQLite does anyway.
"""

from __future__ import annotations

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

WORD = Text().with_variant(Text(collation="C"), "postgresql")
WHOLE = BigInteger().with_variant(Integer(), "sqlite")
REAL_NUMBER: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")


def _word(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, WORD, primary_key=key, nullable=null)


def _whole(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, WHOLE, primary_key=key, nullable=null, autoincrement=False)


def _table(
    name: str,
    *parts: Column[int] | Column[str] | Column[float] | Column[bytes] | Index | UniqueConstraint,
    by_key: bool = False,
) -> Table:
    """`by_key`: on SQLite its rows lie in the order of their key, without a number of their own."""
    return Table(name, METADATA, *parts, sqlite_strict=True, sqlite_with_rowid=not by_key)


def _facts() -> tuple[Column[str] | Column[int] | Column[float], ...]:
    return (
        _word("group"),
        _word("kind"),
        _word("subject"),
        _whole("at"),
        _word("actor", null=True),
        _word("mark"),
        Column("value", REAL_NUMBER, nullable=True),
        _word("url"),
        _word("detail"),
    )


SIGNAL = _table(
    "signal",
    _word("source", key=True),
    _word("key", key=True),
    *_facts(),
    _whole("revision"),
    Index(None, "source", "group"),
    Index(None, "kind", "at"),
    Index(None, "subject"),
    Index(None, "source", "actor"),
    Index(None, "revision"),
)
"""What the sources say now. `group` is the name under which a page replaces its rows."""

SIGNAL_PAST = _table(
    "signal_past",
    _word("source", key=True),
    _word("key", key=True),
    *_facts(),
    _whole("revision", key=True),
    _whole("ended"),
    Index(None, "kind", "at"),
    Index(None, "ended"),
)
"""What they said before: a row held from `revision` until `ended`, so that an old evaluation can be replayed."""

ACCOUNT = _table(
    "account",
    _word("source", key=True),
    _word("id", key=True),
    _word("login", key=True),
    _word("email", null=True),
    _word("mark"),
    _whole("first_seen"),
    _whole("last_seen"),
    _whole("revision"),
)

ACCOUNT_PAST = _table(
    "account_past",
    _word("source", key=True),
    _word("id", key=True),
    _word("login", key=True),
    _word("email", null=True),
    _word("mark"),
    _whole("first_seen"),
    _whole("last_seen"),
    _whole("revision", key=True),
    _whole("ended"),
)

BOOKMARK = _table("bookmark", _word("source", key=True), _word("name", key=True), _word("value"))

STALE = _table("stale", _word("source", key=True), _word("repository", key=True))
"""Repositories whose derived signals must be made again; written with the rows that make it so."""

PULLED = _table("pulled", _word("source", key=True), _whole("at"))
"""The start of each source's last complete pull."""

GAP = _table("gap", _word("source", key=True), _word("part", key=True), _word("reason"), _whole("since", null=True))

REVISION = _table("revision", _whole("id", key=True), _whole("number"))
"""One row: it grows by one with each transaction that changes signals or accounts."""

RECIPE = _table("recipe", _whole("id", key=True), _word("text"), UniqueConstraint("text"))
"""How measurements are made: all that they depend on, but for signals, people and time."""

MEASURED = _table("measured", _whole("recipe", key=True), _word("person", key=True), _word("calendar"), by_key=True)
"""Whose measurements by which recipe are kept, and the hash of the calendar that they were made with."""

MEASUREMENT = _table(
    "measurement",
    _whole("recipe", key=True),
    _word("person", key=True),
    _word("source", key=True),
    _word("key", key=True),
    _word("subject"),
    _whole("start"),
    _whole("end", null=True),
    Column("value", REAL_NUMBER, nullable=True),
    _word("reason"),
    _word("url", null=True),
    _word("more"),
    Index(None, "subject"),
    by_key=True,
)
"""Measurements as all signals of `kept.revision` give them; those still open have no value. They can be made again."""

KEPT = _table("kept", _whole("id", key=True), _whole("revision"), _whole("at"), _word("identities"))
"""One row: the revision and the instant up to which the kept measurements are right, and who acted as whom."""

ERASED = _table("erased", _word("source", key=True), _word("fingerprint", key=True))
"""Accounts of erased people, by hash: what a later pull says of them stays without a name."""

RUN = _table(
    "run",
    _whole("id", key=True),
    _word("kind"),
    _word("slot"),
    _whole("started"),
    _whole("ended", null=True),
    _word("outcome"),
    _word("counts"),
    _whole("requests"),
    _whole("retried"),
    _word("sources"),
    Index(None, "kind", "started"),
)

LEASE = _table("lease", _word("name", key=True), _word("holder"), _whole("since"))

DELIVERY = _table("delivery", _word("key", key=True), _whole("at"))
"""What was sent, by a key that says what, to whom and for which period."""

ENTRY = _table(
    "entry",
    _whole("seq", key=True),
    _whole("at"),
    _word("actor"),
    _word("act"),
    _word("subject"),
    _word("payload_hash"),
    _word("previous"),
    _word("hash"),
    UniqueConstraint("hash"),
    Index(None, "subject", "act"),
    Index(None, "act"),
)

PAYLOAD = _table(
    "payload",
    Column("seq", WHOLE, ForeignKey("entry.seq"), primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=True),
    _word("body", null=True),
)

CHECKPOINT = _table(
    "checkpoint",
    Column("seq", WHOLE, ForeignKey("entry.seq"), primary_key=True, autoincrement=False),
    _whole("at"),
    _word("head"),
    _word("key"),
    Column("signature", LargeBinary, nullable=False),
)

DOCUMENT = _table("document", _word("hash", key=True), _word("owner"), _word("body"), Index(None, "owner"))
"""Texts that evaluations were made from, each once, by SHA-256. `owner` is the person whom it is about, or ""."""

EVALUATION = _table(
    "evaluation",
    Column("seq", WHOLE, ForeignKey("entry.seq"), primary_key=True, autoincrement=False),
    _word("plan"),
    _whole("as_of"),
    _word("version"),
    _word("plan_hash"),
    _word("inputs_hash"),
    _word("result_hash"),
    UniqueConstraint("plan", "as_of", "version", "plan_hash", "inputs_hash"),
)
"""Where the ledger holds which evaluation: an index for look-ups, never evidence."""
