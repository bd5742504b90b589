"""Walks over lists that move, page or do not sort."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from pipmetrics.errors import SourceError
from pipmetrics_gitlab.windows import OVERLAP, Batch, Walk, begin, completed, steps

from .lab import at


@dataclass(frozen=True)
class Row:
    name: str
    updated: datetime


class Listing:
    """A list sorted by update, with offsets for cursors as a simple server has them."""

    def __init__(self, count: int, size: int, *, sorts: bool = True, gap: float = 1) -> None:
        self.rows = {f"r{number}": at(number * gap) for number in range(count)}
        self.size, self.sorts, self.asked = size, sorts, 0

    def ask(self, after: datetime, cursor: str | None) -> Batch[Row]:
        self.asked += 1
        rows = [Row(name, when) for name, when in self.rows.items() if when >= after]
        rows.sort(key=lambda row: (row.updated, row.name), reverse=not self.sorts)
        start = int(cursor or 0)
        end = start + self.size
        return Batch(rows[start:end], str(end) if end < len(rows) else None)


def walked(listing: Listing, walk: Walk | None = None, each: object = None) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for step in steps(walk or Walk(at(-10)), listing.ask, lambda: at(10_000)):
        found |= {row.name: row.updated for row in step.rows}
        if callable(each):
            each()
    return found


@pytest.mark.parametrize("sorts", [True, False])
def test_every_row_is_met(sorts: bool) -> None:
    listing = Listing(95, 10, sorts=sorts)
    assert walked(listing) == listing.rows


def test_rows_that_move_while_the_list_is_read_are_met_at_its_end() -> None:
    listing, moved = Listing(200, 10), iter(range(20))

    def move() -> None:
        number = next(moved, None)
        if number is not None:
            listing.rows[f"r{number * 9}"] = at(1000 + number)

    assert walked(listing, each=move) == listing.rows


def test_more_rows_of_one_instant_than_a_page_are_met() -> None:
    listing = Listing(57, 10, gap=0)
    assert walked(listing) == listing.rows


def test_a_walk_goes_on_from_where_it_was_saved() -> None:
    listing = Listing(60, 10)
    found: dict[str, datetime] = {}
    for step in steps(Walk(at(-1)), listing.ask, lambda: at(70)):
        found |= {row.name: row.updated for row in step.rows}
        if len(found) > 25:
            break
    again = begin({"walk": step.walk.saved()}, at(-1))
    assert again == step.walk
    assert found | walked(listing, again) == listing.rows


def test_a_list_whose_pages_repeat_is_given_up() -> None:
    with pytest.raises(SourceError, match="does not end"):
        for _ in steps(Walk(at(0)), lambda after, cursor: Batch([Row("r", at(1))], "same"), lambda: None):
            pass


def test_a_bookmark_overlaps_and_is_never_ahead_of_the_servers_clock() -> None:
    walk = Walk(at(0), seen=at(50), start=at(40))
    assert begin(completed(walk, at(0)), at(0)).after == at(40) - OVERLAP
    assert begin(completed(Walk(at(0), seen=at(30), start=at(40)), at(0)), at(0)).after == at(30) - OVERLAP
    assert begin(completed(Walk(at(0), start=at(40)), at(0)), at(0)).after == at(0) - OVERLAP
    assert begin(None, at(7)) == Walk(at(7), first=at(7))
    assert timedelta(hours=48) == OVERLAP
