"""Every number of an evaluation opens down to its measurements and facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipmetrics import acts
from pipmetrics.api import Organisation
from pipmetrics.errors import UsageError
from pipmetrics.explain import Explanation, Point
from tests.organisation import AS_OF, BEGAN, OVER, Acme, at, opened


def standings(points: tuple[Point, ...]) -> dict[str, int]:
    return {kind: sum(point.standing == kind for point in points) for kind in {point.standing for point in points}}


def opened_up(company: Organisation, criterion: str, **more: object) -> Explanation:
    return company.explain("ada-q4", criterion, **more)  # type: ignore[arg-type]  # week and as_of by name


@pytest.fixture(scope="module")
def explained(acme: Acme) -> Mapping[str, Explanation]:
    """Every criterion of Ada's plan, opened once."""
    with opened(acme.pulled) as company:
        names = [criterion.id for criterion in company.plans("ada-q4")[0].criteria]
        return {name: opened_up(company, name) for name in names}


def test_a_share_opens_to_what_counted_what_was_late_what_waits_and_what_is_left_out(
    explained: Mapping[str, Explanation], acme: Acme
) -> None:
    found = explained["reviews-24h"]
    assert standings(found.points) == {"counted": acme.story.in_time, "late": 2, "pending": 1, "left out": 3}
    entry = found.criterion
    assert (entry["value"], entry["n"]) == (13 / 15, 15)
    assert (entry["counted"], entry["excluded"], entry["pending"]) == (15, 3, 1)
    assert (found.window.start, found.window.end) == (BEGAN, AS_OF)


def test_what_is_left_out_says_why(explained: Mapping[str, Explanation]) -> None:
    out = {
        point.measurement["reason"]: point
        for point in explained["reviews-24h"].points
        if point.standing in ("left out", "pending")
    }
    assert set(out) == {"withdrawn", "bot", "rule", "unanswered"}
    assert out["rule"].note == "Servers are moved by another team."
    assert out["withdrawn"].measurement["value"] == 2.0


def test_every_point_opens_to_facts_with_an_address_and_a_person(
    explained: Mapping[str, Explanation], acme: Acme
) -> None:
    points = explained["reviews-24h"].points
    assert points
    for point in points:
        assert point.facts, point.measurement
        for fact in (*point.facts, *point.traces):
            assert str(fact["url"]).startswith(acme.services["hub"].url)
            assert fact["at"]
    answered = [fact for point in points if point.standing == "counted" for fact in point.facts]
    assert {fact["kind"] for fact in answered} >= {"review_requested", "reviewed"}
    assert {fact["login"] for fact in answered if fact["kind"] == "reviewed"} == {"ada-l"}


def test_what_was_done_to_a_change_and_could_have_moved_it_leaves_a_trace(
    explained: Mapping[str, Explanation],
) -> None:
    (ruled,) = [point for point in explained["reviews-24h"].points if point.measurement["reason"] == "rule"]
    assert [trace["kind"] for trace in ruled.traces] == ["change_closed", "change_reopened"]
    deliverables = explained["deliverables"].points
    moved = [trace for point in deliverables for trace in (*point.facts, *point.traces)]
    assert any(trace["kind"] == "issue_due_changed" and trace["detail"]["to"] == "2025-11-28" for trace in moved)


def test_a_reduction_opens_to_its_events_its_exposure_and_both_before_the_plan(
    explained: Mapping[str, Explanation],
) -> None:
    found = explained["bugs-halved"]
    assert standings(found.points) == {"counted": 1, "exposure": 14}
    assert found.baseline is not None
    before = found.criterion["baseline"]
    assert standings(found.baseline.points) == {"counted": 7, "exposure": 26}
    assert before["n"] == 26
    assert before["value"] == pytest.approx(7 / 26)
    for point in found.baseline.points:
        assert point.facts
        assert found.baseline.window.start.isoformat() <= str(point.measurement["start"]).replace("Z", "+00:00")
    (bug,) = [point for point in found.points if point.standing == "counted"]
    assert {"issue_opened", "issue_linked", "change_deployed"} <= {fact["kind"] for fact in bug.facts}


def test_a_share_opens_to_the_reviews_before_the_plan_too(explained: Mapping[str, Explanation]) -> None:
    found = explained["reviews-24h"]
    assert found.baseline is not None
    told = standings(found.baseline.points)
    before = found.criterion["baseline"]
    assert told == {"counted": round(before["value"] * before["n"]), "late": before["n"] - told["counted"]}


def test_a_guardrail_opens_too(explained: Mapping[str, Explanation]) -> None:
    found = explained["reviews-24h"]
    assert found.guardrail is not None
    guard = found.criterion["guardrail"]
    assert sum(point.standing == "counted" for point in found.guardrail.points) == guard["n"]
    assert {point.measurement["metric"] for point in found.guardrail.points} == {"review_depth"}


@pytest.mark.parametrize(
    ("criterion", "counted"), [("merged-fast", 15), ("three-good-weeks", 14), ("deliverables", 1), ("led-release", 0)]
)
def test_every_kind_of_criterion_opens(explained: Mapping[str, Explanation], criterion: str, counted: int) -> None:
    found = explained[criterion]
    assert sum(point.standing == "counted" for point in found.points) == counted
    assert criterion in found.to_text()
    assert found.to_json()["criterion"]["id"] == criterion


def test_a_week_narrows_the_points_and_leaves_the_number(company: Organisation) -> None:
    found = opened_up(company, "reviews-24h", week=date(2025, 11, 19))
    assert [point.standing for point in found.points] == ["counted", "counted", "pending"]
    assert found.criterion["n"] == 15
    assert found.baseline is None
    nothing = opened_up(company, "reviews-24h", week=date(2025, 9, 1))
    assert nothing.points == ()
    assert "Nothing was measured in this time." in nothing.to_text()


def test_an_earlier_instant_shows_what_was_known_then(company: Organisation) -> None:
    found = opened_up(company, "reviews-24h", as_of=at(15, 0, 20))
    assert found.criterion["pending"] == 1
    assert max(str(point.measurement["start"]) for point in found.points) == "2025-10-20T10:00:00Z"


def test_what_is_frozen_stays_in_the_baseline_when_its_source_forgets_it(life: Path) -> None:
    with opened(life) as company:
        known = opened_up(company, "bugs-halved")
        assert known.baseline is not None
        key = known.baseline.points[0].measurement["key"]
        with company.store.engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("DELETE FROM signal WHERE subject = ?", (key_subject(known, key),))
        found = opened_up(company, "bugs-halved")
    assert found.baseline is not None
    (gone,) = [point for point in found.baseline.points if point.measurement["key"] == key]
    assert (gone.standing, gone.facts) == ("counted", ())
    assert gone.note == "frozen when the plan began; its source no longer has it"
    assert found.criterion["baseline"] == known.criterion["baseline"]


def key_subject(found: Explanation, key: object) -> str:
    assert found.baseline is not None
    return next(str(point.measurement["subject"]) for point in found.baseline.points if point.measurement["key"] == key)


def test_contested_and_upheld_points_show_both_ways_and_then_left_out(life: Path) -> None:
    with opened(life, lambda: at(20, 1)) as company:
        found = opened_up(company, "reviews-24h")
        assert found.criterion["contested"]["text"] == "14 of 17; 14 of 16 without the contested one"
        assert "contested: 14 of 17; 14 of 16 without the contested one" in found.to_text()
        (dispute,) = company.acts(at(20, 1)).disputes
    with opened(life, at(20, 2)) as company:
        acts.decide_dispute(
            company.store, company.config, dispute.entry, "upheld", by="petra", why="She did.", now=at(20, 2)
        )
    with opened(life, at(20, 3)) as company:
        found = opened_up(company, "reviews-24h")
    assert found.criterion["contested"] is None
    (upheld,) = [point for point in found.points if point.measurement["key"] == dispute.key]
    assert (upheld.standing, upheld.measurement["reason"]) == ("left out", "disputed")


def test_a_point_of_the_baseline_that_was_upheld_is_left_out_of_it(life: Path) -> None:
    with opened(life, at(20, 1)) as company:
        found = opened_up(company, "reviews-24h")
        assert found.baseline is not None
        key = next(point.measurement["key"] for point in found.baseline.points if point.standing == "late")
        entry = acts.dispute(
            company.store,
            company.config,
            "ada-q4",
            "reviews-24h",
            key,
            by="ada",
            why="On leave.",
            now=at(20, 1),
            subjects={key: "hub:acme/api#1"},
        )
        acts.decide_dispute(company.store, company.config, entry, "upheld", by="petra", why="Yes.", now=at(20, 1, 11))
    with opened(life, at(20, 2)) as company:
        again = opened_up(company, "reviews-24h")
    assert again.baseline is not None
    (out,) = [point for point in again.baseline.points if point.measurement["key"] == key]
    assert out.standing == "left out"
    assert again.criterion["baseline"]["n"] == found.criterion["baseline"]["n"] - 1


def test_unknown_plans_and_criteria_plans_to_come_and_drafts_are_told(company: Organisation, folder: Path) -> None:
    with pytest.raises(UsageError, match="no plan 'ada-q5'") as wrong:
        company.explain("ada-q5", "reviews-24h")
    assert wrong.value.mend == "Did you mean 'ada-q4'?"
    with pytest.raises(UsageError, match="has no criterion 'nothing'") as wrong:
        company.explain("ada-q4", "nothing")
    assert "reviews-24h" in wrong.value.mend
    with pytest.raises(UsageError, match="had not begun"):
        company.explain("ada-q4", "reviews-24h", as_of=BEGAN - timedelta(days=1))
    with pytest.raises(UsageError, match="is a draft"):
        company.explain("cleo-next", "answers")


def test_an_ended_plan_is_opened_to_its_end_and_not_beyond(folder: Path) -> None:
    with opened(folder, OVER + timedelta(days=3)) as company:
        found = opened_up(company, "reviews-24h")
    assert found.window.end == OVER
    assert standings(found.points) == {"counted": 15, "late": 3, "left out": 3}
