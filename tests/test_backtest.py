"""A plan's targets tried on peers and on the past, the same way each time."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from pipmetrics.api import Organisation
from pipmetrics.backtest import Backtest, Tried, backtest, of_100, peers_met, shifted
from tests.organisation import Acme, opened


@pytest.fixture(scope="module")
def tried(acme: Acme) -> Backtest:
    with opened(acme.pulled) as company:
        return backtest(company, "ada-q4")


def test_peers_and_the_past_are_tried_over_the_plans_length_before_it(tried: Backtest) -> None:
    trials = {trial.id: trial for trial in tried.criteria}
    assert trials["reviews-24h"].peers == Tried(5, 5)
    assert trials["reviews-24h"].past == Tried(0, 2)
    assert trials["bugs-halved"].peers is None
    assert trials["merged-fast"].past == Tried(2, 2)


def test_it_is_the_same_each_time(tried: Backtest, company: Organisation) -> None:
    assert json.dumps(backtest(company, "ada-q4").to_json()) == json.dumps(tried.to_json())


def test_the_luck_of_each_target_is_told(tried: Backtest) -> None:
    trials = {trial.id: trial for trial in tried.criteria}
    bugs = trials["bugs-halved"].luck
    assert bugs.met_unchanged is not None
    assert 0.05 < bugs.met_unchanged < 0.35
    assert (bugs.told_apart or 0) < 0.2
    assert trials["led-release"].luck.met_unchanged is None
    assert tried.plan_met_unchanged is None
    text = tried.to_text()
    assert "cannot be simulated" in text
    assert "too little happens in this time: whether it is met or missed will mostly be luck" in text
    assert f"of 100 people who change nothing, {100 * bugs.met_unchanged:.0f} would be found to have met it" in text
    assert "5 of 5 (95% range" in text


def test_a_plan_whose_criteria_can_all_be_simulated_has_joint_chances(folder: Path) -> None:
    text = (folder / "plans" / "ada-q4.yaml").read_text()
    kept = text[: text.index("  - id: three-good-weeks")] + text[text.index("supports:") :]
    (folder / "plans" / "ada-q4.yaml").write_text(kept)
    with opened(folder) as company:
        found = backtest(company, "ada-q4")
    assert found.plan_met_unchanged is not None
    assert 0 <= found.plan_met_unchanged < 0.1
    assert "The plan as a whole" in found.to_text()
    assert "of 100 who reach every target, " in found.to_text()


def test_outlooks_for_the_lint_rules_hold_what_was_found(tried: Backtest) -> None:
    outlooks = {each.criterion: each for each in tried.outlooks()}
    reviews = outlooks["reviews-24h"]
    assert (reviews.plan, reviews.peers, reviews.met, reviews.needed) == ("ada-q4", 5, 5, 8)
    assert reviews.power == {trial.id: trial for trial in tried.criteria}["reviews-24h"].luck.told_apart
    assert outlooks["led-release"].power is None


def test_peers_are_counted_where_five_have_data(company: Organisation) -> None:
    met = peers_met(company, company.plans("ada-q4")[0])
    assert met["reviews-24h"] == (5, 5)
    assert "bugs-halved" not in met


def test_a_shifted_plan_lies_whole_lengths_earlier(company: Organisation) -> None:
    (plan,) = company.plans("ada-q4")
    back = shifted(plan, 2)
    assert (back.start, back.end) == (date(2025, 6, 16), date(2025, 8, 10))


def test_the_interval_of_those_who_met_it_is_exact() -> None:
    assert Tried(0, 0).interval is None
    low, high = Tried(3, 12).interval or (0, 0)
    assert (low, high) == pytest.approx((0.0549, 0.5719), abs=1e-4)


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "fewer than 1"), (0.001, "fewer than 1"), (0.152, "15"), (0.998, "more than 99"), (1.0, "more than 99")],
)
def test_a_small_chance_is_not_told_as_none(share: float, said: str) -> None:
    assert of_100(share) == said
