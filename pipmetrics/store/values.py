"""What goes into columns and comes out of them: instants as microseconds, JSON as canonical text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from pipmetrics.model import Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CHUNK = 500
"""Values in one IN list; SQLite takes 999 parameters in old builds."""

Item = TypeVar("Item")


def micros(at: datetime) -> int:
    """Microseconds since 1970; ValueError for a naive datetime."""
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a time zone, {at} has none")
    return (at - EPOCH) // MICROSECOND


def instant(number: int) -> datetime:
    """The aware datetime, UTC, of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=number)


def canonical(value: Json) -> str:
    """The one JSON text of a value: keys sorted, no blanks, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def clean(text: str) -> str:
    """The text as every database takes it: half surrogate pairs and NUL become the replacement character."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
