"""Deployed changes that were reverted or caused a bug within the follow-up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipmetrics.model import Signal
from tests.metrics.builders import measured, merged, rows
from tests.metrics.tickets import bug, deployed, done, linked, reopened, reverted, shipped

DAY = "2026-03-"
CHANGE = shipped("hub:acme/api#1", "ada", DAY + "02")
CAUSED = [{"to": "hub:acme/api#1", "text": "caused by #1"}]


def found(signals: list[Signal], *columns: str, **more: Any) -> list[Any]:
    return rows(measured("change_failure", signals, **more), *(columns or ("person", "value", "state", "reason")))


def test_a_deployed_change_is_a_row_at_its_first_deployment_and_zero_when_nothing_went_wrong() -> None:
    later = deployed("hub:acme/api#1", "ada", DAY + "20 12:00", environment="prod-us")
    (row,) = measured("change_failure", [*CHANGE, later]).to_dict("records")
    assert (row["subject"], row["key"], row["value"], row["state"]) == (
        "hub:acme/api#1", "deployed-hub:acme/api#1", 0, "counted",
    )  # fmt: skip
    assert str(row["start"]) == "2026-03-02 12:00:00+00:00"
    assert str(row["end"]) == "2026-04-01 12:00:00+00:00"
    assert row["evidence"] == ("deployed-hub:acme/api#1", "merged-hub:acme/api#1")


def test_a_change_that_was_not_deployed_has_no_row() -> None:
    assert found(CHANGE[:2]) == []


def test_a_merge_into_another_than_the_default_branch_has_no_row() -> None:
    assert found(shipped("hub:acme/api#1", "ada", DAY + "02", default_branch=False)) == []


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (DAY + "02 11:59", 0),
        (DAY + "02 12:00", 0),
        (DAY + "02 12:01", 1),
        ("2026-04-01 12:00", 1),
        ("2026-04-01 12:01", 0),
    ],
)
def test_a_revert_or_bug_counts_after_the_deployment_and_within_thirty_days(at: str, value: int) -> None:
    assert found([*CHANGE, reverted("hub:acme/api#1", "ada", at, by="hub:acme/api#2")], "value") == [value]
    assert found([*CHANGE, bug("hub:acme/api#9", at, causes=CAUSED)], "value") == [value]


def test_a_revert_counts_whatever_rungs_the_plan_allows_and_a_bug_only_on_an_allowed_one() -> None:
    revert = reverted("hub:acme/api#1", "ada", DAY + "05 10:00", by="hub:acme/api#2")
    assert found([*CHANGE, revert], "value", attribution=()) == [1]
    said = bug("hub:acme/api#9", DAY + "05 10:00", causes=CAUSED)
    assert found([*CHANGE, said], "value", attribution=("revert",)) == [0]
    assert found([*CHANGE, said], "value", attribution=("revert", "link")) == [1]


def test_the_follow_up_may_be_longer_or_shorter() -> None:
    signals = [*CHANGE, bug("hub:acme/api#9", DAY + "12 12:00", causes=CAUSED)]
    assert found(signals, "value", follow_up=timedelta(days=7)) == [0]
    assert found(signals, "value", follow_up=timedelta(days=10)) == [1]


@pytest.mark.parametrize("failed", [False, True])
def test_it_is_pending_until_the_follow_up_has_ended_also_when_the_failure_is_known(failed: bool) -> None:
    signals = [*CHANGE, *([bug("hub:acme/api#9", DAY + "03 12:00", causes=CAUSED)] if failed else [])]
    columns = ("value", "state", "reason", "end")
    assert found(signals, *columns, as_of="2026-04-01 12:00") == [(int(failed), "pending", "follow_up", None)]
    assert found(signals, "value", "state", "reason", as_of="2026-04-01 12:01") == [(int(failed), "counted", "")]


@pytest.mark.parametrize("code", ["duplicate", "invalid", "cannot_reproduce", "wont_do"])
def test_a_bug_that_was_none_is_no_failure_while_that_resolution_is_in_force(code: str) -> None:
    signals = [*CHANGE, bug("hub:acme/api#9", DAY + "03 12:00", causes=CAUSED)]
    signals.append(done("hub:acme/api#9", "bob", DAY + "05 10:00", code))
    assert found(signals, "value") == [0]
    assert found([*signals, reopened("hub:acme/api#9", DAY + "06 10:00")], "value") == [1]


def test_each_change_that_a_bug_was_attributed_to_failed_whoever_wrote_it() -> None:
    signals = [
        *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]),
        *shipped("hub:acme/api#2", "ada", DAY + "02", issues=["PAY-1"]),
        *shipped("hub:acme/api#3", "bob", DAY + "02", issues=["PAY-1"]),
        *shipped("hub:acme/api#4", "bob", DAY + "04", issues=["PAY-1"]),
        bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "PAY-1"),
    ]  # fmt: skip
    assert found(signals, "subject", "value") == [
        ("hub:acme/api#1", 1), ("hub:acme/api#2", 1), ("hub:acme/api#3", 1), ("hub:acme/api#4", 0),
    ]  # fmt: skip


def test_several_failures_are_one_with_each_as_evidence() -> None:
    signals = [
        *CHANGE, bug("hub:acme/api#9", DAY + "03 12:00", causes=CAUSED, key="b"),
        merged("hub:acme/api#2", "bob", DAY + "04 12:00"),
        reverted("hub:acme/api#1", "ada", DAY + "04 12:00", by="hub:acme/api#2", key="r"),
    ]  # fmt: skip
    ((value, keys),) = found(signals, "value", "evidence")
    assert value == 1
    assert keys == ("deployed-hub:acme/api#1", "b", "r", "merged-hub:acme/api#1")


def test_a_failure_after_the_follow_up_is_no_evidence() -> None:
    late = reverted("hub:acme/api#1", "ada", "2026-05-04 12:00", by="hub:acme/api#2", key="r")
    ((keys,),) = [found([*CHANGE, late], "evidence")]
    assert "r" not in keys


def test_bots_changes_are_left_out_and_strangers_have_no_rows() -> None:
    assert found(shipped("hub:acme/api#1", "ada", DAY + "02", mark="bot")) == [("ada", 0, "excluded", "bot")]
    assert found(shipped("hub:acme/api#1", "zed", DAY + "02")) == []
