"""Every metric's rows of random worlds, against SPEC section 5 computed slowly, one subject after the other."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.oracle.compare import METRICS, Told, oracle, product
from tests.oracle.world import Asked
from tests.oracle.worlds import batch

SEED, WORLDS = 10, 80
Rows = Mapping[tuple[str, Asked], list[Told]]


@pytest.fixture(scope="module")
def both() -> tuple[Rows, Rows]:
    """The oracle's rows and the product's: three instants, each with a clock, rungs and inclusions of its own."""
    asked = batch(SEED, WORLDS)
    return oracle(asked), product(asked)


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_gives_the_rows_that_reading_one_subject_after_the_other_gives(
    both: tuple[Rows, Rows], metric: str
) -> None:
    wanted, found = ({key: rows for key, rows in each.items() if key[0] == metric and rows} for each in both)
    assert found == wanted


def test_the_random_worlds_hold_every_metric_and_what_goes_wrong(both: tuple[Rows, Rows]) -> None:
    told = {(name, row[-1]) for (name, _), rows in both[1].items() for row in rows}
    assert {name for name, reason in told if not reason} == set(METRICS)
    assert {reason for _, reason in told} >= {
        "unanswered", "unresolved", "running", "not_due", "withdrawn", "own", "bot", "duplicate", "before_deployment",
        "cannot_reproduce", "wont_do", "never_in_progress",
    }  # fmt: skip
