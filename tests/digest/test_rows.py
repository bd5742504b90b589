"""One criterion in words and numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from pipmetrics.digest.model import Card
from pipmetrics.digest.rows import Row, row, series, week_label, within_noise
from pipmetrics.digest.terms import Terms, terms_of
from pipmetrics.model import Criterion
from tests.digest import gallery, sample
from tests.digest.sample import criterion


def card() -> Card:
    return sample.digest().cards[0]


def shown(**changed: Any) -> Row:
    return row(card(), criterion(**changed))


def test_a_share_says_how_many_of_how_many() -> None:
    assert shown(value=15 / 18).sample == "15 of 18 reviews"
    assert shown(value=0.83).sample == "n 18 reviews"


def test_a_comparison_with_the_baseline_is_said_in_words() -> None:
    ratio = {"criterion": "reduction", "value": 0.5, "metric": "post_deploy_bugs"}
    assert shown(**ratio).now == "50% less"
    assert shown(**ratio | {"value": -0.2}).now == "20% more"
    assert shown(**ratio | {"criterion": "increase"}).now == "50% more"
    assert shown(**ratio).before == "0.41"
    by_change = row(replace(card(), terms={"reviews-24h": Terms(per="changes deployed")}), criterion(**ratio))
    assert by_change.before_note == "per change deployed, n 37"


def test_the_target_says_its_limit_and_its_window() -> None:
    terms = terms_of(gallery.REVIEWS)
    shown = row(replace(card(), terms={"reviews-24h": terms}), criterion())
    assert (shown.target, shown.target_note) == ("90%", "within 24 h, over the plan")
    assert terms_of(replace(gallery.REVIEWS, window=timedelta(days=14))).window == "over the last 14 days"
    assert terms_of(replace(gallery.REVIEWS, window="week")).window == "in the last full week"


def test_below_the_agreed_sample_there_is_no_figure_no_projection_and_no_chart() -> None:
    thin = row(replace(card(), terms={"reviews-24h": Terms(minimum=8)}), criterion(verdict="not_enough_data", n=3))
    assert (thin.now, thin.range, thin.sample) == ("3 data points", "", "too few: 8 are needed")
    assert (thin.change, thin.end, thin.likely) == ("–", "No projection", "")
    assert thin.chart is None
    assert thin.undrawn == "3 of 8 needed. No chart is drawn from so few."


def test_a_change_inside_this_weeks_range_is_noise() -> None:
    assert within_noise(criterion(value=0.83, change=0.05))
    assert not within_noise(criterion(value=0.83, change=0.5))
    assert not within_noise(criterion(change=0.0))
    assert not within_noise(criterion(change=None))
    assert not within_noise(criterion(interval=None))
    assert within_noise(criterion(value=10.0, change=-500.0, interval=[0.0, None]))


def test_notes_tell_reason_note_contest_and_peers() -> None:
    contested = {"keys": ["a"], "text": "17 of 20; 17 of 19 without the contested one"}
    told = row(
        replace(card(), terms={"reviews-24h": Terms(peers=(3, 12))}),
        criterion(note="the guardrail got worse", contested=contested),
    )
    assert told.notes == (
        "The guardrail got worse",
        "Contested: 17 of 20; 17 of 19 without the contested one",
        "3 of 12 peers would meet this target.",
    )


def test_how_far_it_could_be_luck_is_said_where_it_is_known() -> None:
    assert "hardly ever" in " ".join(shown(chance=0.0004).how)
    assert "about 3 times in 10" in " ".join(shown(chance=0.3).how)
    assert not any("come up" in said for said in shown(chance=None).how)


def test_a_week_is_called_by_the_iso_week_that_holds_most_of_it() -> None:
    sunday = replace(card(), start=date(2026, 11, 1))
    assert week_label(sunday, 0) == "W45"
    assert week_label(replace(card(), start=date(2026, 12, 28)), 1) == "W01"


def test_weeks_stand_at_the_place_that_was_recorded() -> None:
    late = criterion(weeks=[{"week": 3, "value": 0.5, "n": 4, "interval": [0.1, 0.9], "met": False}])
    assert [point.value for point in series(card(), late, Terms()).weeks][:4] == [None, None, 0.5, None]
    assert row(card(), late).weeks[0].label == "W45"


def test_the_scale_does_not_move_with_the_weeks() -> None:
    def scale(*values: float) -> tuple[float, float]:
        weeks = [{"week": n + 1, "value": value, "n": 9, "interval": None} for n, value in enumerate(values)]
        drawn = series(card(), criterion(unit="hours", target=72.0, direction="at_most", weeks=weeks), Terms())
        return drawn.low, drawn.high

    assert scale(10.0) == scale(10.0, 500.0) == (0.0, 72.0 * 1.6)
    assert series(card(), criterion(), Terms()).high == 1.0


@pytest.mark.parametrize("kind", ["streak", "trend"])
def test_weeks_of_another_unit_are_not_held_against_the_target(kind: str) -> None:
    inner = Criterion("x", "review_turnaround", "share_within", parameters={"limit": timedelta(hours=24)})
    parameters = {"of": inner} if kind == "streak" else {"statistic": "share"}
    terms = terms_of(Criterion("x", "review_turnaround", kind, parameters=parameters))
    drawn = series(card(), criterion(criterion=kind, unit="weeks", target=3.0), terms)
    assert drawn.target is None
    assert drawn.baseline is None
    assert (drawn.low, drawn.high) == (0.0, 1.0)


def test_an_unknown_limit_of_an_interval_is_unbounded() -> None:
    assert shown(interval=[0.5, None]).range == "50% and more"
    assert shown(interval=[None, 0.5]).range == "up to 50%"
