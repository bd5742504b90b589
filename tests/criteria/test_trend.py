"""Trends scored many cells at once, and the weekly statistic that they ask for."""

from __future__ import annotations

import numpy as np
import pytest

from pipmetrics import registry, statistics
from pipmetrics.model import Criterion
from pipmetrics.plugin import Cells, Own, Scores, Weeks

NAN = float("nan")


def scored(*weekly: list[float], direction: str = "down", **parameters: object) -> Scores:
    """One cell for each list of weekly values; a week without a value is NaN."""
    criterion = Criterion("c", "m", "trend", parameters={"direction": direction} | parameters)
    values = np.array([value for week in weekly for value in week])
    offsets = np.cumsum([0, *map(len, weekly)])
    rows = np.zeros(len(values), dtype=bool)
    none = np.zeros(len(weekly) + 1, dtype=np.int64)
    form = registry.criterion("trend").goal(criterion, "hours").form
    assert isinstance(form, Own)
    return form.score(
        Cells(
            criteria=[criterion] * len(weekly),
            plans=(),
            offsets=none,
            values=np.array([]),
            kinds=np.array([], dtype=np.int8),
            closed=np.zeros(len(weekly), dtype=bool),
            weeks_left=np.ones(len(weekly), dtype=np.int64),
            weeks=Weeks(offsets, values, rows, rows),
        )
    )


def test_a_cell_without_weeks_does_not_end_the_others() -> None:
    found = scored([NAN, 7.0, NAN], [9.0, 8.0, 7.0, 6.0, 5.0])
    assert np.isnan(found.value[0])
    assert found.n.tolist() == [1.0, 5.0]
    assert found.value[1] == -1.0
    assert (np.asarray(found.enough).tolist(), np.asarray(found.meets).tolist()) == ([False, True], [False, True])


def test_two_weeks_have_a_slope_that_is_not_enough() -> None:
    found = scored([9.0, 5.0])
    assert (found.value[0], bool(np.asarray(found.enough)[0])) == (-4.0, False)


@pytest.mark.parametrize(("tau", "p", "meets"), [(0.9, 0.04, False), (0.9, 0.06, True), (0.0, 0.01, True)])
def test_only_a_tau_of_the_wrong_sign_at_p_below_five_percent_contradicts(
    tau: float, p: float, meets: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "kendall", lambda x, y: (tau, p))
    assert bool(np.asarray(scored([9.0, 8.0, 7.0, 6.0, 5.0]).meets)[0]) is meets


def test_the_weekly_statistic_and_its_exposure_are_those_of_the_line() -> None:
    criterion = Criterion(
        "c", "bugs", "trend", parameters={"direction": "down", "statistic": "rate", "per": "changes_deployed"}
    )
    goal = registry.criterion("trend").goal(criterion, "bugs")
    assert isinstance(goal.form, Own)
    assert goal.form.weekly is not None
    assert goal.form.weekly.parameters == {"statistic": "rate", "at_least": 0.0, "per": "changes_deployed"}
    assert goal.unit.endswith(" per week")
    assert "changes_deployed" in goal.unit


def test_attestations_are_counted_as_such() -> None:
    criterion = Criterion("c", "attested", "attest", parameters={"by": "lead", "at_least": 2.0})
    assert registry.criterion("attest").goal(criterion, "").unit == "attested"
