"""A rate may stay, get better, or get worse by the margin and no more."""

from __future__ import annotations

from typing import Any

import pytest
from pipmetrics_no_worse_than import NO_WORSE_THAN, goal

from pipmetrics.model import Criterion
from pipmetrics.plugin import Ratio
from pipmetrics.testing import check_criterion


def line(**parameters: Any) -> Criterion:
    return Criterion("bugs", "post_deploy_bugs", "no_worse_than", parameters={"margin": 0.1, **parameters})


def test_it_keeps_the_contract() -> None:
    check_criterion(NO_WORSE_THAN, line(better="lower", per="changes_deployed"), unit="bugs")
    check_criterion(NO_WORSE_THAN, line(better="higher"), unit="reviews")


@pytest.mark.parametrize(("better", "grows"), [("lower", False), ("higher", True)])
def test_the_better_rate_decides_what_is_compared(better: str, grows: bool) -> None:
    made = goal(line(better=better, per="changes_deployed"), "bugs")
    assert made.form == Ratio("changes_deployed", increase=grows)
    assert (made.target, made.at_least, made.unit) == (-0.1, True, "share")
