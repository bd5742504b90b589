"""Scores of a random company's plans, against SPEC sections 6 and 7 computed slowly, one criterion after the other."""

from __future__ import annotations

import pytest

from tests.oracle.companies import Career
from tests.oracle.evaluation import evaluate
from tests.oracle.scored import differences, product
from tests.oracle.scores import Company

HIRED = 8


@pytest.mark.parametrize("seed", [300, 400])
def test_every_plan_gets_the_scores_that_working_them_out_by_hand_gives(seed: int) -> None:
    everybody = [Career(seed + n).hired() for n in range(HIRED)]
    at = sorted(instant for each in everybody for instant in each.instants)[3 * HIRED]
    told = product(everybody, at)
    begun = [each for each in everybody if each.plan.id in told]
    assert len(begun) > HIRED / 2
    wrong = [
        (each.plan.id, *difference)
        for each in begun
        for difference in differences(evaluate(Company(each.world), each.plan, at), told[each.plan.id])
    ]
    assert wrong == []
