"""Changes merged: one a merge into a default branch."""

from __future__ import annotations

from .builders import instant, measured, merged, opened, rows

ONE, TWO = "hub:acme/api#1", "lab:core/app!2"


def test_one_row_a_merge_at_its_instant() -> None:
    found = measured("changes_merged", [opened(ONE, "ada", "2026-03-01 09:00"), merged(ONE, "ada", "2026-03-02 10:00"),
                                        merged(TWO, "bob", "2026-03-02 11:00", merged_by="ada")])  # fmt: skip
    assert rows(found, "person", "subject", "value", "unit", "start", "end", "state", "reason", "evidence") == [
        ("ada", ONE, 1.0, "changes", instant("2026-03-02 10:00"), instant("2026-03-02 10:00"), "counted", "", ("s2",)),
        ("bob", TWO, 1.0, "changes", instant("2026-03-02 11:00"), instant("2026-03-02 11:00"), "counted", "", ("s3",)),
    ]


def test_merges_elsewhere_and_of_outsiders_have_no_rows_and_marked_accounts_a_reason() -> None:
    assert rows(measured("changes_merged", [merged(ONE, "ada", "2026-03-02 10:00", default_branch=False)]), "key") == []
    assert rows(measured("changes_merged", [merged(ONE, "eve", "2026-03-02 10:00")]), "key") == []
    assert rows(measured("changes_merged", [merged(ONE, None, "2026-03-02 10:00", mark="ghost")]), "key") == []
    assert rows(measured("changes_merged", [merged(ONE, "ada", "2026-03-02 10:00", mark="ghost")]), "reason") == [
        "ghost"
    ]
