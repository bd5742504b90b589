"""The fewest requests, and nothing lost for it."""

from __future__ import annotations

import pytest

from benchmarks.requests_jira import count


@pytest.mark.parametrize(
    ("cloud", "cap", "most"), [(True, None, 12), (False, None, 11), (False, 100, 11)], ids=["cloud", "server", "capped"]
)
def test_a_thousand_issues_and_a_night_stay_within_their_requests(cloud: bool, cap: int | None, most: int) -> None:
    found = count("", cloud=cloud, cap=cap)
    assert found.first <= most
    assert 1 <= found.night <= 3
    assert found.given == found.transitions
