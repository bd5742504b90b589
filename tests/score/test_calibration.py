"""The calibration of `benchmarks/calibration.py`, at the sizes that a test has time for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def _load() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "calibration.py"
    spec = importlib.util.spec_from_file_location("calibration", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


CALIBRATION = _load()
EXACT = [case for case in CALIBRATION.CASES if case.exact is not None]


@pytest.mark.parametrize("case", EXACT, ids=lambda case: case.name)
def test_who_truly_meets_the_target_is_missed_at_most_1_in_40_times_and_intervals_hold(case: Any) -> None:
    for n in (*range(1, 31), 50, 100, 200):
        error, coverage = case.exact(n)
        assert error <= 0.025 + 1e-9
        assert coverage >= 0.95 - 1e-9


@pytest.mark.parametrize("case", CALIBRATION.CASES, ids=lambda case: case.name)
def test_simulated_plans_agree(case: Any) -> None:
    tally = CALIBRATION.Tally()
    for n in (10, 40):
        CALIBRATION._measure(case, tally, 2_000, n)
    assert tally.fine


def test_missing_data_never_gets_a_verdict() -> None:
    assert {way: decided for way, decided, _ in CALIBRATION.undecided(16)} == {
        "no identity": 0,
        "incomplete source": 0,
        "too few samples": 0,
    }


def test_a_wrong_interval_would_be_noticed() -> None:
    """Wald's textbook interval is not exact: the calibration must fail it."""

    def wald(rng: np.random.Generator, plans: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        value = rng.binomial(n, 0.9, plans) / n
        half = 1.96 * np.sqrt(value * (1 - value) / n)
        return value, value - half, value + half

    tally = CALIBRATION.Tally()
    CALIBRATION._measure(CALIBRATION.Case("wald", wald, lambda n: 0.9, True), tally, 10_000, 20)
    assert not tally.fine
