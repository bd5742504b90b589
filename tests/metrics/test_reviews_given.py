"""Reviews given: one a change and local day, others' changes only."""

from __future__ import annotations

from .builders import commented, instant, measured, opened, person, reviewed, rows

ONE, TWO = "hub:acme/api#1", "hub:acme/api#2"
BY_BOB = opened(ONE, "bob", "2026-03-01 08:00")


def test_one_row_a_change_and_day_at_that_days_first_review() -> None:
    found = measured("reviews_given", [
        BY_BOB, opened(TWO, "bob", "2026-03-01 08:00"),
        reviewed(ONE, "ada", "2026-03-02 09:00"), reviewed(ONE, "ada", "2026-03-02 15:00", "approved"),
        reviewed(ONE, "ada", "2026-03-03 09:00"), reviewed(TWO, "ada", "2026-03-02 10:00"),
        commented(TWO, "cyd", "2026-03-02 10:00"),
    ])  # fmt: skip
    assert rows(found, "key", "value", "state", "evidence") == [
        ("s3", 1.0, "counted", ("s3", "s4")), ("s6", 1.0, "counted", ("s6",)), ("s5", 1.0, "counted", ("s5",)),
    ]  # fmt: skip
    assert rows(found, "start", "end")[0] == (instant("2026-03-02 09:00"),) * 2


def test_the_day_is_that_of_the_reviewers_time_zone() -> None:
    late = [BY_BOB, reviewed(ONE, "ada", "2026-03-02 20:00"), reviewed(ONE, "ada", "2026-03-02 23:30")]
    assert len(measured("reviews_given", late)) == 1
    assert len(measured("reviews_given", late, people=[person("ada", timezone="Europe/Berlin")])) == 2
    night = [BY_BOB, reviewed(ONE, "ada", "2026-03-02 23:30"), reviewed(ONE, "ada", "2026-03-03 00:30")]
    assert len(measured("reviews_given", night, people=[person("ada", timezone="Europe/Berlin")])) == 1


def test_own_and_bots_changes_are_listed_with_the_reason() -> None:
    signals = [
        opened(ONE, "ada", "2026-03-01 08:00"), opened(TWO, "rob", "2026-03-01 08:00", mark="bot"),
        reviewed(ONE, "ada", "2026-03-02 09:00"), reviewed(TWO, "ada", "2026-03-02 10:00"),
    ]  # fmt: skip
    assert rows(measured("reviews_given", signals), "state", "reason") == [("excluded", "own"), ("excluded", "bot")]
    assert rows(measured("reviews_given", signals, include=["own"]), "state") == ["counted", "excluded"]


def test_reviews_of_outsiders_bots_and_deleted_accounts_are_nobodys() -> None:
    signals = [BY_BOB, reviewed(ONE, "eve", "2026-03-02 09:00"), reviewed(ONE, None, "2026-03-02 09:00", mark="ghost")]
    assert rows(measured("reviews_given", signals), "key") == []
    marked = [BY_BOB, reviewed(ONE, "ada", "2026-03-02 09:00", mark="ghost")]
    assert rows(measured("reviews_given", marked), "reason") == ["ghost"]
