"""Lead time: from the first line written to production."""

from __future__ import annotations

from pipmetrics.measure import in_window
from pipmetrics.registry import metric

from .builders import instant, measured, merged, pushed, rows, signal

ONE = "hub:acme/api#1"
LIFE = [
    pushed(ONE, "ada", "2026-03-02 09:00", authored="2026-03-01 12:00"),
    pushed(ONE, "bob", "2026-03-02 11:00", authored="2026-03-01 10:00"),
    merged(ONE, "ada", "2026-03-02 12:00"),
    signal("change_deployed", ONE, "ada", "2026-03-02 16:00"),
]


def test_hours_from_the_earliest_author_date_to_the_first_deployment() -> None:
    found = measured("lead_time", [*LIFE, signal("change_deployed", ONE, "ada", "2026-03-04 16:00")])
    assert rows(found, "person", "value", "start", "end", "key", "evidence") == [
        ("ada", 30.0, instant("2026-03-01 10:00"), instant("2026-03-02 16:00"), "s4", ("s2", "s4"))
    ]
    assert rows(measured("lead_time", LIFE, clock="workdays"), "value") == [16.0]


def test_the_deployment_decides_the_window() -> None:
    found = measured("lead_time", LIFE)
    first, second = (instant("2026-03-01 00:00"), instant("2026-03-02 00:00")), (instant("2026-03-02 00:00"), None)
    assert [len(in_window(found, metric("lead_time"), *window)) for window in (first, second)] == [0, 1]


def test_not_deployed_without_commits_or_merged_elsewhere_has_no_row() -> None:
    for signals in (
        LIFE[:3],
        LIFE[2:],
        [*LIFE[:2], merged(ONE, "ada", "2026-03-02 12:00", default_branch=False), LIFE[3]],
    ):
        assert rows(measured("lead_time", signals), "key") == []
