"""Verifies an evidence pack with nothing but Python: python standalone.py pack.jsonl [SEQ:HASH]

It recomputes every hash of the pack from its content, as docs/ledger.md describes it. The signatures of the checkpoints
need OpenSSL; the head that you noted down (SEQ:HASH, as each digest prints it) needs nothing.
"""

import hashlib
import json
import sys
from typing import Any

FIELDS = ("seq", "at", "actor", "act", "subject", "payload_hash", "previous")


def need(good: bool, what: str) -> None:
    if not good:
        sys.exit(f"BROKEN {what}")


def entry_hash(line: dict[str, Any]) -> str:
    parts = [str(field).encode() for field in ("pipmetrics ledger 1", *(line[name] for name in FIELDS))]
    return hashlib.sha256(b"\0" + b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()


def payload_hash(line: dict[str, Any]) -> str:
    return hashlib.sha256(b"\2" + bytes.fromhex(line["salt"]) + line["body"].encode()).hexdigest()


def main(path: str, anchor: str = "") -> None:
    seq, head, withheld, emptied, named, heads = 0, "", 0, set(), set(), {}
    with open(path, encoding="utf-8") as file:
        for line in [json.loads(text) for text in file][1:]:
            if "signature" in line:
                need((line["seq"], line["head"]) == (seq, head), f"the checkpoint of entry {line['seq']}: another hash")
                continue
            need(line["seq"] == seq + 1 and line["previous"] == head, f"entry {seq + 1}: missing, or out of its place")
            seq, head = line["seq"], line["hash"]
            need(entry_hash(line) == head, f"entry {seq}: its hash is not that of its content")
            if "body" not in line:
                withheld += 1
            elif line["salt"] is None and line["body"] is None:
                emptied.add(seq)
            else:
                need(payload_hash(line) == line["payload_hash"], f"entry {seq}: its payload is not what was recorded")
                named |= (
                    {n for n in json.loads(line["body"])["entries"] if n < seq} if line["act"] == "erase" else set()
                )
            heads[str(seq)] = head
    need(emptied <= named, f"entries {sorted(emptied - named)}: emptied, and no erasure names them")
    number, _, noted = anchor.partition(":")
    need(
        not anchor or (bool(noted) and heads.get(number, "").startswith(noted)),
        f"the anchor {anchor} is not in the pack",
    )
    print(f"INTACT {seq} entries ({withheld} without their payloads, {len(emptied)} erased), head {seq}:{head}")


if __name__ == "__main__":
    main(*sys.argv[1:])
