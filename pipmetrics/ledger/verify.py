"""Proves a ledger intact, or names the first entry from which on it is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from pipmetrics.errors import UsageError
from pipmetrics.ledger.chain import (
    BEFORE_FIRST,
    SIGNED_ACTS,
    Checkpoint,
    Entry,
    Head,
    Payload,
    entry_hash,
    payload_hash,
)
from pipmetrics.ledger.keys import is_signed

_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{8,64})")


class Record(Protocol):
    """What a store gives to be verified, all of one moment and in the order of `seq`."""

    @property
    def entries(self) -> Iterable[Entry]: ...
    @property
    def payloads(self) -> Iterable[Payload]: ...
    @property
    def checkpoints(self) -> Iterable[Checkpoint]: ...
    @property
    def keys(self) -> Mapping[str, bytes]: ...


class Source(Protocol):
    def record(self) -> Record: ...


@dataclass(frozen=True, slots=True)
class Verified:
    """`ok`, or the first bad entry (`seq`, 0 for the ledger as a whole) and why.

    `unsigned` entries follow the last checkpoint: only an anchor that somebody noted down protects them.
    """

    ok: bool
    head: Head
    entries: int
    checkpoints: int
    erased: int
    unsigned: int
    seq: int | None = None
    why: str = ""

    def __str__(self) -> str:
        if self.ok:
            return f"intact: {self.entries} entries, {self.checkpoints} checkpoints, head {self.head}"
        return f"broken at entry {self.seq}: {self.why}"


class _Broken(Exception):
    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq, self.why = seq, why


def anchor(text: str) -> Head:
    """``SEQ:HASH`` as a digest prints it; the hash may be cut to its first eight digits or more."""
    found = _ANCHOR.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise UsageError(f"{text!r} is no anchor", mend="Write it as the digest prints it: SEQ:HASH")
    return Head(int(found[1]), found[2])


def verify(store: Source, anchor: Head | None = None) -> Verified:
    """Recomputes every hash and signature. Whatever goes wrong while reading means that the ledger failed."""
    progress = _Progress()
    try:
        record = store.record()
        progress.check(record, anchor)
    except _Broken as broken:
        return progress.result(broken.seq, broken.why)
    except Exception as error:  # noqa: BLE001 - a ledger that cannot be read is a broken ledger, whatever the fault
        return progress.result(progress.head.seq + 1, f"cannot be read: {type(error).__name__}: {error}")
    return progress.result(None, "")


class _Progress:
    """How far a verification has come; kept outside of the loop so that a fault can say where it happened."""

    def __init__(self) -> None:
        self.head = Head(0, BEFORE_FIRST)
        self.checkpoints = self.last_signed = 0
        self.emptied: list[int] = []
        self.named: set[int] = set()

    def result(self, seq: int | None, why: str) -> Verified:
        return Verified(
            ok=seq is None,
            head=self.head,
            entries=self.head.seq,
            checkpoints=self.checkpoints,
            erased=len(self.emptied),
            unsigned=self.head.seq - self.last_signed,
            seq=seq,
            why=why,
        )

    def check(self, record: Record, anchor: Head | None) -> None:
        payloads, checkpoints = iter(record.payloads), iter(record.checkpoints)
        signed = next(checkpoints, None)
        for entry in record.entries:
            self._check_entry(entry)
            self._check_payload(entry, next(payloads, None))
            if signed is not None and signed.seq == entry.seq:
                self._check_checkpoint(signed, record.keys)
                signed = next(checkpoints, None)
            elif entry.act in SIGNED_ACTS:
                raise _Broken(
                    entry.seq, f"the act {entry.act!r} must be followed by a signed checkpoint, there is none"
                )
            if anchor and anchor.seq == entry.seq and not entry.hash.startswith(anchor.hash):
                raise _Broken(entry.seq, "its hash is not that of the anchor")
        self._check_rest(payloads, signed, anchor)

    def _check_entry(self, entry: Entry) -> None:
        if entry.seq != self.head.seq + 1:
            raise _Broken(self.head.seq + 1, f"is missing: entry {entry.seq} follows entry {self.head.seq}")
        if entry.previous != self.head.hash:
            raise _Broken(entry.seq, "does not name the hash of the entry before it")
        own = entry_hash(entry.seq, entry.at, entry.actor, entry.act, entry.subject, entry.payload_hash, entry.previous)
        if entry.hash != own:
            raise _Broken(entry.seq, "its hash is not that of its content")
        self.head = Head(entry.seq, entry.hash)

    def _check_payload(self, entry: Entry, payload: Payload | None) -> None:
        if payload is None or payload.seq != entry.seq:
            raise _Broken(entry.seq, "has no payload, not even an emptied one")
        if payload.salt is None or payload.body is None:
            if payload.salt is not None or payload.body is not None:
                raise _Broken(entry.seq, "its payload is emptied by half")
            self.emptied.append(entry.seq)
            return
        if payload_hash(payload.salt, payload.body) != entry.payload_hash:
            raise _Broken(entry.seq, "its payload is not the one that was recorded")
        if entry.act == "erase":
            names = json.loads(payload.body)["entries"]
            if any(name >= entry.seq for name in names):
                raise _Broken(entry.seq, "erases entries that did not exist yet")
            self.named.update(names)

    def _check_checkpoint(self, checkpoint: Checkpoint, keys: Mapping[str, bytes]) -> None:
        if checkpoint.head != self.head.hash:
            raise _Broken(checkpoint.seq, "the signed checkpoint holds another hash")
        if checkpoint.key not in keys:
            raise _Broken(checkpoint.seq, f"the checkpoint is signed with the unknown key {checkpoint.key}")
        if not is_signed(checkpoint, keys[checkpoint.key]):
            raise _Broken(checkpoint.seq, "the signature of the checkpoint is wrong")
        self.checkpoints += 1
        self.last_signed = checkpoint.seq

    def _check_rest(self, payloads: Iterator[Payload], signed: Checkpoint | None, anchor: Head | None) -> None:
        if silent := next((seq for seq in self.emptied if seq not in self.named), None):
            raise _Broken(silent, "its payload is empty, and no erasure names it")
        if (extra := next(payloads, None)) is not None:
            raise _Broken(extra.seq, "a payload belongs to no entry")
        if signed is not None:
            raise _Broken(signed.seq, "a signed checkpoint stands where the ledger has no entry: its tail was cut")
        if anchor and anchor.seq > self.head.seq:
            raise _Broken(self.head.seq + 1, f"is missing: the anchor names entry {anchor.seq}, the tail was cut")
