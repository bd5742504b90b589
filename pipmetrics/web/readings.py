"""The log of who read what: written before the answer is given, many readers in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from pipmetrics.ledger import Act


@dataclass(slots=True)
class _Waiting:
    acts: Sequence[Act]
    done: bool = False
    fault: Exception | None = None


class Readings:
    """Each reader waits until their reading is recorded; the first of those who wait writes for all of them."""

    def __init__(self, append: Callable[[Sequence[Act]], None]) -> None:
        self._append = append
        self._queue: list[_Waiting] = []
        self._queueing, self._writing = Lock(), Lock()

    def note(self, acts: Sequence[Act]) -> None:
        """Records the acts; raises what went wrong while writing them."""
        if not acts:
            return
        mine = _Waiting(acts)
        with self._queueing:
            self._queue.append(mine)
        with self._writing:
            if not mine.done:
                self._write()
        if mine.fault is not None:
            raise mine.fault

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Nothing is being recorded meanwhile, and what was is known to be."""
        with self._writing:
            yield

    def _write(self) -> None:
        with self._queueing:
            batch, self._queue = self._queue, []
        fault: Exception | None = None
        try:
            self._append([act for waiting in batch for act in waiting.acts])
        except Exception as error:  # noqa: BLE001 - each reader of the batch raises it again
            fault = error
        for waiting in batch:
            waiting.done, waiting.fault = True, fault
