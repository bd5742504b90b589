"""Measurement rows as sorted arrays: one ordered axis for all owners, so that one search finds every window.

An owner is whose rows they are: a person in one run of a metric, or one criterion that reads its rows in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipmetrics.plugin import COUNTED, EXCLUDED, OPEN, PENDING, WITHDRAWN

if TYPE_CHECKING:
    from pipmetrics.plugin import ByteArray, FloatArray, IntArray
    from pipmetrics.score.kernel import Spans

OPEN_REASONS = ("unanswered", "unresolved")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows of some owners, in any order: owner numbers, microseconds since 1970, values and kinds."""

    owners: IntArray
    times: IntArray
    values: FloatArray
    kinds: ByteArray


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """All rows, sorted by (owner, time). `keys` is one ascending axis: base[owner] + time - origin[owner]."""

    keys: IntArray
    values: FloatArray
    kinds: ByteArray
    base: IntArray
    origin: IntArray

    def places(self, owners: IntArray, at: IntArray) -> IntArray:
        """The place of each owner's first row that is not before an instant, one of those that were asked for."""
        return np.searchsorted(self.keys, at - self.origin[owners] + self.base[owners])

    def gather(self, first: IntArray, last: IntArray) -> tuple[FloatArray, ByteArray, IntArray]:
        """Values and kinds of the rows of many spans, one span after the other, and where each begins."""
        sizes = last - first
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
        place = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], sizes)
        return self.values[place], self.kinds[place], offsets


def rows_of(blocks: Sequence[Block], spans: Spans) -> Rows:
    """Sorts the rows of all blocks; `spans` are those that will be asked for.

    An owner's part of the axis is as long as the time between its first and last instant asked for, and rows outside
    are dropped: so the axis stays within 63 bits for any number of people.
    """
    count = int(max((int(each.max(initial=-1)) for each in (spans.owner, *(b.owners for b in blocks))), default=-1)) + 1
    origin, until = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(origin, spans.owner, spans.at)
    np.maximum.at(until, spans.owner, spans.at)
    unasked = origin > until
    origin[unasked] = until[unasked] = 0
    base = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(until - origin + 1)])
    owner = _joined([block.owners for block in blocks], np.int64)
    times = _joined([block.times for block in blocks], np.int64)
    kept = (times >= origin[owner]) & (times < until[owner])
    keys = base[owner[kept]] + times[kept] - origin[owner[kept]]
    values = _joined([block.values for block in blocks], np.float64)[kept]
    kinds = _joined([block.kinds for block in blocks], np.uint8)[kept]
    order = np.argsort(keys, kind="stable")
    return Rows(keys[order], values[order], kinds[order], base, origin)


def kinds_of(frame: pd.DataFrame) -> ByteArray:
    """What each measurement is to a criterion, by its state and reason."""
    kinds = np.full(len(frame), EXCLUDED, dtype=np.uint8)
    state, reason = frame["state"], frame["reason"]
    kinds[_is(state, "counted")] = COUNTED
    pending = _is(state, "pending")
    kinds[pending] = PENDING
    kinds[pending & (_is(reason, OPEN_REASONS[0]) | _is(reason, OPEN_REASONS[1]))] = OPEN
    kinds[_is(state, "excluded") & _is(reason, "withdrawn")] = WITHDRAWN
    return kinds


def microseconds(times: pd.Series[Any]) -> tuple[IntArray, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Instants as microseconds since 1970, and which of them are known."""
    known = times.notna().to_numpy()
    naive = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    return naive.view(np.int64), known


def _is(column: pd.Series[Any], text: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    found: np.ndarray[Any, np.dtype[np.bool_]] = (column == text).to_numpy(dtype=bool)
    return found


def _joined(parts: Sequence[np.ndarray[Any, Any]], kind: type) -> Any:
    return np.concatenate([np.zeros(0, dtype=kind), *parts]).astype(kind, copy=False)
