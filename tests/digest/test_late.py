"""What late data did to last week's figures."""

from __future__ import annotations

from typing import Any

from pipmetrics.digest.late import compare, sentences
from tests.digest.sample import criterion, evaluation


def plan(*criteria: dict[str, Any], **changed: Any) -> dict[str, Any]:
    entry: dict[str, Any] = evaluation(*criteria, **changed)["plans"][0]
    return entry


def test_nothing_is_said_when_nothing_changed() -> None:
    assert sentences(plan(), plan()) == []


def test_sums_in_another_order_are_no_change() -> None:
    assert compare(plan(criterion(value=0.1 + 0.2)), plan(criterion(value=0.3))) == ()


def test_late_points_are_counted_and_both_figures_told() -> None:
    (said,) = sentences(plan(), plan(criterion(value=0.75, n=20, counted=20)))
    assert said == (
        "Complete code reviews within 24 hours: last week's figure was 83% and would be 75% now, "
        "because 2 data points came late."
    )


def test_points_that_are_gone_are_said() -> None:
    (said,) = sentences(plan(), plan(criterion(value=0.9, n=17, counted=17)))
    assert "because 1 data point is gone at the source" in said


def test_points_left_out_and_decided_since_are_said() -> None:
    (said,) = sentences(plan(), plan(criterion(value=0.8, n=17, counted=17, excluded=5)))
    assert "1 data point is left out since" in said
    (said,) = sentences(plan(), plan(criterion(value=0.84, n=19, counted=19, pending=0)))
    assert "1 pending data point is decided since" in said


def test_a_source_that_was_incomplete_is_named() -> None:
    was = plan(criterion(value=None, n=0, counted=0, verdict="not_enough_data"), incomplete_sources=["hub: acme/api"])
    (said,) = sentences(was, plan(criterion()))
    assert "a source was incomplete then (hub: acme/api)" in said
    assert "Its verdict would be at risk; on record stays not enough data." in said


def test_a_value_that_changed_with_the_same_points_was_corrected() -> None:
    (revision,) = compare(plan(), plan(criterion(value=0.5)))
    assert revision.why == ("a data point was corrected at its source",)
    assert (revision.before, revision.after) == (0.83, 0.5)


def test_the_same_figure_from_other_points_is_said_too() -> None:
    (said,) = sentences(plan(), plan(criterion(value=0.831, n=24, counted=24)))
    assert "is still 83%, from other data" in said


def test_a_criterion_of_another_version_of_the_plan_is_no_matter_of_late_data() -> None:
    assert compare(plan(criterion(id="old")), plan(criterion(id="new"))) == ()
