"""Changes deployed: once each, at the first production deployment."""

from __future__ import annotations

from .builders import instant, measured, merged, rows, signal

ONE = "hub:acme/api#1"


def test_the_first_deployment_of_a_change_is_its_only_row() -> None:
    found = measured("changes_deployed", [
        merged(ONE, "ada", "2026-03-02 10:00"),
        signal("change_deployed", ONE, "ada", "2026-03-03 10:00", method="ancestry"),
        signal("change_deployed", ONE, "ada", "2026-03-02 18:00", method="time"),
    ])  # fmt: skip
    at = instant("2026-03-02 18:00")
    assert rows(found, "person", "value", "start", "end", "key", "state", "evidence") == [
        ("ada", 1.0, at, at, "s3", "counted", ("s3", "s1"))
    ]


def test_merges_elsewhere_and_changes_that_were_never_deployed_have_no_rows() -> None:
    elsewhere = [merged(ONE, "ada", "2026-03-02 10:00", default_branch=False),
                 signal("change_deployed", ONE, "ada", "2026-03-02 18:00")]  # fmt: skip
    assert rows(measured("changes_deployed", elsewhere), "key") == []
    assert rows(measured("changes_deployed", [merged(ONE, "ada", "2026-03-02 10:00")]), "key") == []
