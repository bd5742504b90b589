"""Bookmarks: back and forth, and what cannot be understood."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pipmetrics_github.state import LARGEST, State, Stream, Walk, earliest, latest, packed, unpacked


def test_a_bookmark_survives_json() -> None:
    streams = {"pulls": Stream("2026-03-02T09:00:00Z", Walk("2026-02-01T00:00:00Z", "cursor"), 5, 9, "8-9", "1-7")}
    state = State("acme/api", "2026-02-01T00:00:00Z", 25, "print", {"PR_1": "#4"}, streams)
    assert State.of(json.loads(json.dumps(state.json()))) == state


@pytest.mark.parametrize("kept", [None, "2026", [], {}, {"format": 0, "name": "acme/api"}])
def test_another_format_is_not_understood(kept: object) -> None:
    assert State.of(kept) is None


@given(some.sets(some.integers(1, 300)))
def test_numbers_survive_as_ranges(numbers: set[int]) -> None:
    assert unpacked(packed(numbers)) == numbers


def test_ranges_are_short() -> None:
    assert packed([3, 1, 2, 7, 9, 10]) == "1-3,7,9-10"


def test_pages_halve_at_once_and_grow_slowly() -> None:
    state = State("acme/api", "2026-02-01T00:00:00Z")
    sizes = []
    for _ in range(8):
        state.shrink()
        sizes.append(state.size)
    assert sizes == [50, 25, 12, 6, 3, 1, 1, 1]
    nights = 0
    while state.size < LARGEST:
        state.grow()
        nights += 1
    assert 10 <= nights <= 25


def test_instants_compare_whatever_their_spelling() -> None:
    assert (
        latest("2026-03-02T09:00:00Z", None, "2026-03-02T11:00:00+02:00", "2026-03-02T09:00:01Z")
        == "2026-03-02T09:00:01Z"
    )
    assert earliest(None) is None
