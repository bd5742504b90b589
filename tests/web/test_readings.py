from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from pipmetrics.ledger import Act
from pipmetrics.web.readings import Readings


def act(number: int) -> Act:
    return Act("read", f"plan:{number}", "dana", {})


def test_every_reading_is_written_once_and_before_its_reader_goes_on() -> None:
    written: list[Act] = []
    readings = Readings(written.extend)

    def read(number: int) -> bool:
        readings.note([act(number)])
        return act(number) in written

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(read, range(200)))
    assert sorted(each.subject for each in written) == sorted(f"plan:{number}" for number in range(200))


def test_those_who_wait_are_written_together() -> None:
    batches: list[int] = []
    first, go = Event(), Event()

    def append(acts: Sequence[Act]) -> None:
        batches.append(len(acts))
        first.set()
        go.wait(10)

    readings = Readings(append)
    with ThreadPoolExecutor(11) as pool:
        begun = pool.submit(readings.note, [act(0)])
        first.wait(10)
        rest = [pool.submit(readings.note, [act(number)]) for number in range(1, 11)]
        while len(readings._queue) < 10:
            pass
        go.set()
        for each in (begun, *rest):
            each.result(10)
    assert batches == [1, 10]


def test_what_goes_wrong_while_writing_reaches_every_reader_of_it() -> None:
    def fail(acts: Sequence[Act]) -> None:
        raise OSError("full")

    readings = Readings(fail)
    for number in range(2):
        with pytest.raises(OSError, match="full"):
            readings.note([act(number)])


def test_nothing_read_is_nothing_written() -> None:
    def never(acts: Sequence[Act]) -> None:
        raise AssertionError

    Readings(never).note([])
