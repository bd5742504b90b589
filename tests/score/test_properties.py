"""What must hold whatever the measurements are."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics.model import Calendar, Criterion, Gap, Person
from tests.score.build import ADA, FIRST, OVER, evaluations, item, line, on, plan, share_within, threshold

SLOWLY = settings(max_examples=15, deadline=None)
reasons = st.sampled_from([""] * 6 + ["unanswered", "withdrawn", "own"])
measurement = st.builds(item, st.floats(1, 56).map(on), st.integers(0, 80).map(float), reasons)
some = st.lists(measurement, max_size=25)


@SLOWLY
@given(
    rows=some, day=st.floats(1, 56), age=st.floats(24.01, 500), reason=st.sampled_from(["", "unanswered", "withdrawn"])
)
def test_adding_a_late_review_never_improves_a_share(rows: list[Any], day: float, age: float, reason: str) -> None:
    before, after = line(share_within(), rows), line(share_within(), [*rows, item(on(day), age, reason)])
    assert after["value"] is not None
    assert before["value"] is None or after["value"] <= before["value"]
    assert after["n"] == before["n"] + 1


@SLOWLY
@given(rows=some, cut=st.integers(1, 27))
def test_splitting_a_window_in_two_adds_up(rows: list[Any], cut: int) -> None:
    count = threshold("review_turnaround", statistic="count", at_most=9.0)
    whole = line(count, rows)["value"]
    weeks = line(count, rows)["weeks"]
    assert sum(week["value"] for week in weeks) == whole
    first = evaluations([plan(count, end=(on(cut)).date())], {"review_turnaround": rows})
    second = evaluations([plan(count, start=(on(cut + 1)).date())], {"review_turnaround": rows})
    halves = [each.to_json()["plans"][0]["criteria"][0]["value"] for each in (first, second)]
    assert sum(halves) == whole


CRITERIA = (
    share_within(),
    threshold("review_turnaround", id="median", statistic="median", at_most=timedelta(hours=10)),
    threshold("change_size", id="mean", statistic="mean", at_most=10.0),
    threshold("post_deploy_bugs", id="count", at_most=1.0),
    threshold("post_deploy_bugs", id="rate", per="changes_deployed", at_most=0.1),
    Criterion("halved", "post_deploy_bugs", "reduction", parameters={"target": 0.5, "per": "changes_deployed"}),
    Criterion("row", "review_turnaround", "streak", parameters={"of": share_within(minimum=1), "weeks": 3}),
    Criterion("trend", "review_turnaround", "trend", parameters={"direction": "down"}),
)
METRICS = ("review_turnaround", "change_size", "post_deploy_bugs", "changes_deployed")
UNDECIDED = {"not_enough_data"}


@SLOWLY
@given(rows=some, as_of=st.floats(0.1, 90))
def test_without_identity_or_with_a_gap_nothing_is_ever_decided(rows: list[Any], as_of: float) -> None:
    at, items = FIRST + timedelta(days=as_of), dict.fromkeys(METRICS, rows)
    stranger = replace(ADA, accounts={})
    for more in ({"people": (stranger,)}, {"gaps": [Gap("hub", "acme/api", "down", FIRST)]}):
        (found,) = evaluations([plan(*CRITERIA)], items, at, **more).to_json()["plans"]
        assert {each["verdict"] for each in found["criteria"]} == UNDECIDED
        assert (found["verdict"], found["recommendation"]) in (
            ("not_enough_data", None),
            ("not_enough_data", "undetermined"),
        )


@SLOWLY
@given(rows=st.lists(measurement, max_size=4), as_of=st.floats(0.1, 90))
def test_thin_data_is_never_met_nor_missed(rows: list[Any], as_of: float) -> None:
    """Counts aside, for which nothing is a number too."""
    criteria = tuple(each for each in CRITERIA if each.id not in ("count", "row"))
    at = FIRST + timedelta(days=as_of)
    items = dict.fromkeys(METRICS, rows) | {"changes_deployed": [{**each, "value": 1.0} for each in rows]}
    (found,) = evaluations([plan(*criteria)], items, at).to_json()["plans"]
    assert {each["verdict"] for each in found["criteria"]} == UNDECIDED


@SLOWLY
@given(rows=some, as_of=st.floats(0.1, 90))
def test_every_result_is_plain_json_and_within_its_interval(rows: list[Any], as_of: float) -> None:
    at = FIRST + timedelta(days=as_of)
    found = evaluations([plan(*CRITERIA)], dict.fromkeys(METRICS, rows), at).to_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for each in found["plans"][0]["criteria"]:
        if each["interval"] is not None and each["value"] is not None:
            low, high = each["interval"]
            assert low is None or low <= each["value"] + 1e-9
            assert high is None or high >= each["value"] - 1e-9
        if each["projection"] is not None and each["projection"]["interval"] is not None:
            low, high = each["projection"]["interval"]
            value = each["projection"]["value"]
            assert value is None or low is None or low <= value + 1e-9
            assert value is None or high is None or high >= value - 1e-9


@SLOWLY
@given(rows=some, order=st.randoms())
def test_the_order_of_measurements_does_not_matter(rows: list[Any], order: Any) -> None:
    named = [{**each, "key": f"k{place}"} for place, each in enumerate(rows)]
    shuffled = list(named)
    order.shuffle(shuffled)
    first, second = (
        evaluations([plan(*CRITERIA)], dict.fromkeys(METRICS, each)).to_json() for each in (named, shuffled)
    )
    assert first == second


@SLOWLY
@given(rows=some, hours=st.integers(-11, 13), as_of=st.floats(1, 70))
def test_moving_all_times_by_one_time_zone_changes_nothing(rows: list[Any], hours: int, as_of: float) -> None:
    """A zone without changes of the clocks, `hours` east of UTC: its plan's instants are all so much earlier."""
    zone, shift = f"Etc/GMT{-hours:+d}", timedelta(hours=hours)
    moved = [{**each, "start": each["start"] - shift, "end": each["end"] - shift} for each in rows]
    there = Person("ada", "Ada", Calendar(zone), accounts={"hub": ("ada",)})
    at = FIRST + timedelta(days=as_of)
    home = evaluations([plan(*CRITERIA)], dict.fromkeys(METRICS, rows), at)
    away = evaluations([plan(*CRITERIA, timezone=zone)], dict.fromkeys(METRICS, moved), at - shift, people=(there,))
    assert _timeless(home.to_json()["plans"]) == _timeless(away.to_json()["plans"])


def _timeless(told: Any) -> Any:
    """JSON without its instants."""
    if isinstance(told, dict):
        return {key: _timeless(each) for key, each in told.items() if key != "window"}
    return [_timeless(each) for each in told] if isinstance(told, list) else told


@SLOWLY
@given(rows=some, as_of=st.floats(1, 70))
def test_what_comes_after_as_of_changes_nothing(rows: list[Any], as_of: float) -> None:
    at = FIRST + timedelta(days=as_of)
    known = [each for each in rows if each["start"] < at]
    first, second = (evaluations([plan(*CRITERIA)], dict.fromkeys(METRICS, each), at) for each in (rows, known))
    assert first.to_json() == second.to_json()


@SLOWLY
@given(rows=some)
def test_once_the_plan_is_over_verdicts_are_final_and_before_it_they_are_not(rows: list[Any]) -> None:
    items = dict.fromkeys(METRICS, rows)
    running = evaluations([plan(*CRITERIA)], items, OVER - timedelta(seconds=1)).to_json()["plans"][0]
    ended = evaluations([plan(*CRITERIA)], items, OVER).to_json()["plans"][0]
    final = {"met", "inconclusive", "not_met", "not_enough_data"}
    assert {each["verdict"] for each in (*ended["criteria"], ended)} <= final
    assert {each["verdict"] for each in (*running["criteria"], running)} <= {
        "on_track", "at_risk", "off_track", "not_enough_data",
    }  # fmt: skip


def test_a_change_of_the_clocks_inside_of_the_window_moves_no_review() -> None:
    of = plan(share_within(minimum=1), timezone="Europe/Berlin", end=date(2026, 10, 25))
    last = datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)
    rows = [item(last), item(last + timedelta(seconds=1))]
    found = evaluations([of], {"review_turnaround": rows}).to_json()["plans"][0]
    assert (found["criteria"][0]["n"], found["window"]["end"]) == (1, "2026-10-25T23:00:00Z")
