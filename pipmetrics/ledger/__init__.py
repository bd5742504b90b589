"""The record: append-only, hash-chained, signed at its head, and provable with and without this program."""

from pipmetrics.ledger.chain import Act, Checkpoint, Entry, Head, Payload
from pipmetrics.ledger.fingerprint import fingerprint
from pipmetrics.ledger.keys import KeyFile
from pipmetrics.ledger.verify import Verified, anchor, verify

__all__ = ["Act", "Checkpoint", "Entry", "Head", "KeyFile", "Payload", "Verified", "anchor", "fingerprint", "verify"]
