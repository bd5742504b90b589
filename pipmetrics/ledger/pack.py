"""Evidence packs: the ledger as JSON lines that anybody can verify, with the payloads of those it concerns."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import Any

from pipmetrics.ledger.chain import Payload
from pipmetrics.ledger.verify import Record

FORMAT = "pipmetrics evidence pack 1"


def pack(record: Record, open_to: Collection[int] | None = None) -> Iterator[str]:
    """Lines of JSON: a header with the public keys, then each entry, and each checkpoint after its entry.

    The chain is always whole. Payloads are given for the entries in `open_to` (None: all) and for erasures; the others
    are left out, which their hashes allow.
    """
    yield _line({"pack": FORMAT, "keys": {id: public.hex() for id, public in record.keys.items()}})
    payloads = {payload.seq: payload for payload in record.payloads}
    checkpoints = {checkpoint.seq: checkpoint for checkpoint in record.checkpoints}
    for entry in record.entries:
        shown = open_to is None or entry.seq in open_to or entry.act == "erase"
        yield _line(asdict(entry) | (_payload(payloads[entry.seq]) if shown else {}))
        if (checkpoint := checkpoints.get(entry.seq)) is not None:
            yield _line(asdict(checkpoint) | {"signature": checkpoint.signature.hex()})


def _payload(payload: Payload) -> dict[str, Any]:
    return {"salt": None if payload.salt is None else payload.salt.hex(), "body": payload.body}


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def concerning(record: Record, subjects: Collection[str], actors: Collection[str] = ()) -> set[int]:
    """Entries about one of the subjects or by one of the actors."""
    return {entry.seq for entry in record.entries if entry.subject in subjects or entry.actor in actors}
