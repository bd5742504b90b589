"""baseline and backtest on the command line."""

from __future__ import annotations

from pathlib import Path

from tests.organisation import cli, cli_json


def test_the_state_before_a_plan_is_told_without_names(folder: Path) -> None:
    text = cli("baseline", "ada-q4", folder=folder).stdout
    assert "reviews-24h: Complete code reviews within 24 hours" in text
    assert "before   56%" in text
    found = cli_json("baseline", "ada-q4", folder=folder)
    states = {state["id"]: state for state in found["criteria"]}
    assert (states["reviews-24h"]["value"], states["reviews-24h"]["n"]) == (0.56, 25)
    assert not any(name in text for name in ("Ben", "Cleo", "Dora", "ben", "cleo", "dora"))


def test_a_plan_is_tried_before_anybody_is_held_to_it(folder: Path) -> None:
    found = cli_json("backtest", "ada-q4", folder=folder)
    trials = {trial["id"]: trial for trial in found["criteria"]}
    assert trials["reviews-24h"]["peers"]["met"] == trials["reviews-24h"]["peers"]["of"] == 5
    assert (
        cli("backtest", "ada-q4", "--format", "json", folder=folder).stdout
        == cli("backtest", "ada-q4", "--format", "json", folder=folder).stdout
    )
    text = cli("backtest", "ada-q4", folder=folder).stdout
    assert "met though nothing changed" in text
    assert not any(name in text for name in ("Ben", "Cleo", "Dora"))


def test_an_unknown_plan_is_told_with_the_likely_one(folder: Path) -> None:
    for command in ("baseline", "backtest"):
        assert "Did you mean 'ada-q4'?" in cli(command, "ada-q44", folder=folder, code=2).stderr
