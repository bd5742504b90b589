"""Checks passed at first: which run is the first one that counts."""

from __future__ import annotations

from typing import Any

import pytest

from pipmetrics.model import Signal

from .builders import instant, measured, rows, signal

ONE = "hub:acme/api#1"


def run(at: str, conclusion: str, subject: str = ONE, attempt: int = 1, **more: Any) -> Signal:
    return signal("checks_completed", subject, "ada", at, conclusion=conclusion, attempt=attempt, sha="c0ffee", **more)


@pytest.mark.parametrize(("first", "value"), [("success", 1.0), ("failure", 0.0)])
def test_the_first_completed_run_decides_at_its_completion(first: str, value: float) -> None:
    found = measured("ci_first_pass", [run("2026-03-02 12:00", "failure" if value else "success", attempt=2),
                                       run("2026-03-02 10:00", first)])  # fmt: skip
    at = instant("2026-03-02 10:00")
    assert rows(found, "person", "value", "start", "end", "state", "unit", "evidence") == [
        ("ada", value, at, at, "counted", "share", ("s2",))
    ]


def test_cancelled_skipped_and_neutral_runs_do_not_count() -> None:
    void = [run(f"2026-03-02 0{n}:00", what) for n, what in enumerate(["cancelled", "skipped", "neutral"], 1)]
    assert rows(measured("ci_first_pass", void), "key") == []
    assert rows(measured("ci_first_pass", [*void, run("2026-03-02 10:00", "failure")]), "value") == [0.0]


def test_each_change_has_its_own_first_run_and_open_changes_count() -> None:
    signals = [run("2026-03-02 10:00", "success"), run("2026-03-02 11:00", "failure", "hub:acme/api#2")]
    assert rows(measured("ci_first_pass", signals), "value") == [1.0, 0.0]


def test_marked_accounts_are_left_out() -> None:
    assert rows(measured("ci_first_pass", [run("2026-03-02 10:00", "success", mark="bot")]), "reason") == ["bot"]
