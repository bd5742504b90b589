"""Time to merge: from ready to merged, drafts apart."""

from __future__ import annotations

from .builders import instant, measured, merged, opened, rows, turned

ONE = "hub:acme/api#1"


def test_hours_from_the_opening_to_the_merge() -> None:
    life = [opened(ONE, "ada", "2026-03-06 09:00"), turned("ready", ONE, "ada", "2026-03-06 09:00")]
    found = measured("time_to_merge", [*life, merged(ONE, "ada", "2026-03-09 10:30")])
    assert rows(found, "person", "value", "start", "end", "key", "evidence", "state") == [
        ("ada", 73.5, instant("2026-03-06 09:00"), instant("2026-03-09 10:30"), "s3", ("s1", "s3"), "counted")
    ]


def test_time_as_a_draft_does_not_count_and_the_start_is_the_first_ready_instant() -> None:
    found = measured("time_to_merge", [
        opened(ONE, "ada", "2026-03-02 09:00", draft=True), turned("ready", ONE, "ada", "2026-03-02 11:00"),
        turned("drafted", ONE, "bob", "2026-03-02 12:00"), turned("ready", ONE, "bob", "2026-03-02 14:00"),
        merged(ONE, "ada", "2026-03-02 15:00"),
    ])  # fmt: skip
    assert rows(found, "start", "value") == [(instant("2026-03-02 11:00"), 2.0)]
    assert found["evidence"][0][0] == "s1"
    assert set(found["evidence"][0]) == {"s1", "s2", "s3", "s4", "s5"}


def test_a_change_merged_as_a_draft_took_no_time_and_starts_at_its_opening() -> None:
    draft = [opened(ONE, "ada", "2026-03-02 09:00", draft=True), merged(ONE, "ada", "2026-03-02 12:00")]
    assert rows(measured("time_to_merge", draft), "start", "value") == [(instant("2026-03-02 09:00"), 0.0)]


def test_a_clock_may_be_named() -> None:
    weekend = [opened(ONE, "ada", "2026-03-06 17:00"), merged(ONE, "ada", "2026-03-09 10:00")]
    values = [rows(measured("time_to_merge", weekend, clock=clock), "value") for clock in (None, "workdays", "working")]
    assert values == [[65.0], [17.0], [1.0]]


def test_merges_elsewhere_and_open_changes_have_no_rows() -> None:
    begun = opened(ONE, "ada", "2026-03-02 09:00")
    assert rows(measured("time_to_merge", [begun]), "key") == []
    assert (
        rows(measured("time_to_merge", [begun, merged(ONE, "ada", "2026-03-02 10:00", default_branch=False)]), "key")
        == []
    )
    assert rows(measured("time_to_merge", [begun, turned("closed", ONE, "ada", "2026-03-02 10:00")]), "key") == []


def test_an_hour_beside_a_draft_is_not_more_than_an_hour() -> None:
    signals = [
        opened(ONE, "ada", "2026-03-02 09:00", draft=True),
        turned("ready", ONE, "ada", "2026-03-02 10:00:03"),  # 3603 s: in floats, 7203/3600 - 3603/3600 is more than 1
        merged(ONE, "ada", "2026-03-02 11:00:03"),
    ]
    assert rows(measured("time_to_merge", signals), "value") == [1.0]


def test_a_persons_bot_account_is_left_out() -> None:
    signals = [opened(ONE, "ada", "2026-03-02 09:00", mark="bot"), merged(ONE, "ada", "2026-03-02 10:00", mark="bot")]
    assert rows(measured("time_to_merge", signals), "state", "reason") == [("excluded", "bot")]
