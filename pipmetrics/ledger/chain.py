"""The values of the ledger and how they are hashed. Pure; `standalone.py` says the same again for sceptics.

An entry's hash covers its fields, each preceded by its length, so that no text can pass from one field into the next,
and begins with a tag that says what is hashed: a payload, an entry or a checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass

from pipmetrics.model import Json

DOMAIN = "pipmetrics ledger 1"
ENTRY_TAG, CHECKPOINT_TAG, PAYLOAD_TAG = b"\x00", b"\x01", b"\x02"
SALT_LENGTH = 16
BEFORE_FIRST = ""
"""What stands as the previous hash in the first entry."""

SIGNED_ACTS = frozenset({"sign", "amend.sign", "decide", "night"})
"""Acts after which the head is signed, in the same transaction."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something to be recorded: what happened, to what, by whom, and the rest as JSON.

    `subject` is ``plan:ID``, ``person:ID`` or ``store``. Actor and subject stay when a payload is erased, so they
    hold nothing but identifiers.
    """

    act: str
    subject: str
    actor: str
    payload: Json


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger; `at` in microseconds since 1970, UTC; hashes in lower-case hexadecimal."""

    seq: int
    at: int
    actor: str
    act: str
    subject: str
    payload_hash: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Payload:
    """What an entry says, apart from it; both None when it was erased."""

    seq: int
    salt: bytes | None
    body: str | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head at one moment, signed with Ed25519 by the key of that id."""

    seq: int
    at: int
    head: str
    key: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry: what people note down as an anchor, ``SEQ:HASH``. An empty ledger has seq 0."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def framed(*fields: str | int) -> bytes:
    """The fields as UTF-8, each after its length in eight bytes."""
    parts = [str(field).encode() for field in fields]
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def payload_hash(salt: bytes, body: str) -> str:
    return hashlib.sha256(PAYLOAD_TAG + salt + body.encode()).hexdigest()


def entry_hash(seq: int, at: int, actor: str, act: str, subject: str, payload: str, previous: str) -> str:
    return hashlib.sha256(ENTRY_TAG + framed(DOMAIN, seq, at, actor, act, subject, payload, previous)).hexdigest()


def checkpoint_message(seq: int, at: int, head: str, key: str) -> bytes:
    """The bytes that a checkpoint's signature covers."""
    return CHECKPOINT_TAG + framed(DOMAIN, seq, at, head, key)


def link(act: Act, at: int, after: Head) -> tuple[Entry, Payload]:
    """The entry that follows `after`, and its payload under a fresh random salt."""
    salt, body = secrets.token_bytes(SALT_LENGTH), body_of(act.payload)
    hashed, seq = payload_hash(salt, body), after.seq + 1
    own = entry_hash(seq, at, act.actor, act.act, act.subject, hashed, after.hash)
    return Entry(seq, at, act.actor, act.act, act.subject, hashed, after.hash, own), Payload(seq, salt, body)


def body_of(payload: Json) -> str:
    """The one JSON text of a payload: keys sorted, no blanks, no NaN."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
