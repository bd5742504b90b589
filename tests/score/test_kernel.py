"""The kernel against a loop that anybody can read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics.plugin import COUNTED, EXCLUDED, OPEN, PENDING, WITHDRAWN
from pipmetrics.score.kernel import MEAN, QUANTILE, SHARE, TOTAL, Jobs, Spans, intervals, score
from pipmetrics.score.rows import Block, rows_of

UNHURRIED = settings(deadline=None)  # a busy machine is no fault of what is tested

row = st.tuples(
    st.integers(0, 2),
    st.integers(0, 40),
    st.integers(0, 60).map(float),
    st.sampled_from([COUNTED] * 4 + [OPEN, WITHDRAWN, EXCLUDED, PENDING]),
)
span = st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 20))


def spans_of(asked: list[tuple[int, int, int]]) -> Spans:
    points = np.array([(owner, at) for owner, start, length in asked for at in (start, start + length)])
    places = np.arange(len(asked)) * 2
    return Spans(points[:, 0], points[:, 1], places, places + 1)


def jobs_of(code: int, number: float, count: int, *, rows: bool = False) -> Jobs:
    nothing = np.full(count, np.nan)
    return Jobs(
        code=np.full(count, code),
        number=np.full(count, number),
        rows=np.full(count, rows),
        things=np.ones(count, dtype=bool),
        span=np.arange(count),
        exposure=np.full(count, -1),
        given=nothing,
    )


def block(rows: list[tuple[int, int, float, int]]) -> Block:
    owner, at, value, kind = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.zeros(0),) * 4
    return Block(owner.astype(np.int64), at.astype(np.int64), value.astype(float), kind.astype(np.uint8))


def inside(rows: list[tuple[int, int, float, int]], asked: tuple[int, int, int]) -> list[tuple[float, int]]:
    owner, start, length = asked
    return [(value, kind) for who, at, value, kind in rows if who == owner and start <= at < start + length]


@UNHURRIED
@given(rows=st.lists(row, max_size=60), asked=st.lists(span, min_size=1, max_size=8), limit=st.integers(0, 60))
def test_shares_count_what_a_loop_counts(rows: list, asked: list, limit: int) -> None:
    spans = spans_of(asked)
    found = score(rows_of([block(rows)], spans), spans, jobs_of(SHARE, float(limit), len(asked)))
    for place, each in enumerate(asked):
        held = inside(rows, each)
        late = sum(value > limit for value, kind in held if kind in (COUNTED, OPEN, WITHDRAWN))
        fine = sum(value <= limit for value, kind in held if kind == COUNTED)
        assert (found.k[place], found.n[place]) == (fine, fine + late)


@UNHURRIED
@given(rows=st.lists(row, max_size=60), asked=st.lists(span, min_size=1, max_size=8))
def test_totals_counts_and_means_add_up_what_a_loop_adds_up(rows: list, asked: list) -> None:
    spans = spans_of(asked)
    sorted_ = rows_of([block(rows)], spans)
    total, count, mean = (
        score(sorted_, spans, jobs_of(code, np.nan, len(asked), rows=whole)).value
        for code, whole in ((TOTAL, False), (TOTAL, True), (MEAN, False))
    )
    for place, each in enumerate(asked):
        held = [value for value, kind in inside(rows, each) if kind == COUNTED]
        assert (total[place], count[place]) == (sum(held), len(held))
        assert mean[place] == pytest.approx(np.mean(held)) if held else np.isnan(mean[place])


@UNHURRIED
@given(rows=st.lists(row, max_size=60), asked=st.lists(span, min_size=1, max_size=8), q=st.sampled_from([0.5, 0.9]))
def test_quantiles_of_answered_items_are_numpys_inverted_distribution(rows: list, asked: list, q: float) -> None:
    rows = [(owner, at, value, kind) for owner, at, value, kind in rows if kind != OPEN]
    spans = spans_of(asked)
    found = score(rows_of([block(rows)], spans), spans, jobs_of(QUANTILE, q, len(asked))).value
    for place, each in enumerate(asked):
        held = [value for value, kind in inside(rows, each) if kind == COUNTED]
        expected = np.quantile(held, q, method="inverted_cdf") if held else np.nan
        np.testing.assert_equal(found[place], expected)


def test_jobs_over_one_span_share_their_rows_and_keep_their_numbers() -> None:
    spans = spans_of([(0, 0, 10)])
    rows = rows_of([block([(0, at, float(at), COUNTED) for at in range(10)])], spans)
    jobs = Jobs(
        code=np.array([QUANTILE, QUANTILE, SHARE, TOTAL]),
        number=np.array([0.5, 0.9, 3.0, np.nan]),
        rows=np.zeros(4, dtype=bool),
        things=np.ones(4, dtype=bool),
        span=np.zeros(4, dtype=np.int64),
        exposure=np.array([-1, -1, -1, 0]),
        given=np.full(4, np.nan),
    )
    scored = score(rows, spans, jobs)
    assert scored.value.tolist() == [4, 8, 0.4, 1.0]
    low, high = intervals(rows, jobs, scored)
    assert np.isfinite(low).all()
    assert (low <= scored.value).all()
    assert (high >= scored.value).all()


def test_years_between_windows_do_not_run_together() -> None:
    year = 365 * 86_400_000_000
    asked = [(0, 0, year), (0, 30 * year, year), (1, 10 * year, year)]
    spans = spans_of(asked)
    rows = [(0, 5, 1.0, COUNTED), (0, 30 * year, 1.0, COUNTED), (1, 11 * year - 1, 1.0, COUNTED), (1, 0, 1.0, COUNTED)]
    found = score(rows_of([block(rows)], spans), spans, jobs_of(TOTAL, np.nan, 3))
    assert found.value.tolist() == [1, 1, 1]
