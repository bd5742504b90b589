"""Bugs that count against the people whose deployed changes caused them."""

from __future__ import annotations

import random
from collections.abc import Hashable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics.model import Signal
from tests.metrics.builders import instant, measured, merged, person, rows, signal
from tests.metrics.tickets import bug, deployed, done, linked, reopened, reverted, shipped

DAY = "2026-03-"
CAUSED = [{"to": "hub:acme/api#1", "text": "caused by #1"}]


def found(signals: list[Signal], *columns: str, **more: Any) -> list[Any]:
    return rows(measured("post_deploy_bugs", signals, **more), *(columns or ("person", "value", "reason")))


def case(created: str = DAY + "03 10:00", **more: Any) -> list[Signal]:
    """A change of ada's, deployed on March 2 at noon, and a bug that says it was caused by it."""
    return [*shipped("hub:acme/api#1", "ada", DAY + "02"), bug("hub:acme/api#9", created, causes=CAUSED, **more)]


class TestRow:
    def test_a_bug_is_a_row_at_its_creation_with_its_own_subject_and_address(self) -> None:
        (row,) = measured("post_deploy_bugs", case(key="b")).to_dict("records")
        assert (row["subject"], row["source"], row["key"], row["url"]) == (
            "hub:acme/api#9", "hub", "b", "https://hub.example.com/b",
        )  # fmt: skip
        assert str(row["start"]) == str(row["end"]) == "2026-03-03 10:00:00+00:00"
        assert (row["value"], row["unit"], row["state"], row["reason"]) == (1, "bugs", "counted", "")

    def test_its_evidence_is_the_bug_the_link_the_deployment_and_the_change(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]),
            bug("jira:PAY-9", DAY + "03 10:00", key="b"),
            linked("jira:PAY-9", "PAY-1", key="l"),
        ]
        assert found(signals, "evidence") == [("b", "l", "deployed-hub:acme/api#1", "opened-hub:acme/api#1")]

    def test_two_changes_of_one_person_are_one_row_with_both_as_evidence(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]),
            *shipped("hub:acme/api#2", "ada", DAY + "02", issues=["PAY-1"]),
            bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "PAY-1"),
        ]  # fmt: skip
        ((value, keys),) = found(signals, "value", "evidence")
        assert value == 1
        assert {"deployed-hub:acme/api#1", "deployed-hub:acme/api#2"} <= set(keys)

    def test_said_in_several_ways_it_is_one_row_with_every_way_as_evidence(self) -> None:
        fix = merged("hub:acme/api#3", "bob", DAY + "04 10:00", closes=["hub:acme/api#9"], causes=CAUSED, key="fix")
        ((value, keys),) = found(
            [*case(key="b"), linked("hub:acme/api#9", "hub:acme/api#1", key="l"), fix], "value", "evidence"
        )
        assert value == 1
        assert {"b", "l", "fix"} <= set(keys)

    def test_people_outside_people_yaml_have_no_rows(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "zed", DAY + "02"),
            bug("hub:acme/api#9", DAY + "03 10:00", causes=CAUSED),
        ]
        assert found(signals) == []

    def test_a_bug_of_a_source_without_a_rule_is_no_bug(self) -> None:
        assert found([*shipped("hub:acme/api#1", "ada", DAY + "02"), case(labels=["question"])[-1]]) == []


class TestDeployment:
    @pytest.mark.parametrize(
        ("created", "reason"),
        [
            (DAY + "02 11:59", "before_deployment"),
            (DAY + "02 12:00", "before_deployment"),
            (DAY + "02 12:01", ""),
            ("2026-11-30 12:00", ""),
        ],
    )
    def test_a_bug_counts_when_it_was_created_after_the_deployment(self, created: str, reason: str) -> None:
        assert found(case(created)) == [("ada", 1, reason)]

    def test_a_bug_of_a_change_that_was_never_deployed_is_excluded(self) -> None:
        assert found([*case()[:2], case()[-1]]) == [("ada", 1, "before_deployment")]

    def test_the_first_deployment_decides(self) -> None:
        late = deployed("hub:acme/api#1", "ada", DAY + "05 12:00")
        assert found([*case(), late]) == [("ada", 1, "")]

    def test_of_several_changes_only_those_deployed_before_the_bug_are_culprits(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]),
            *shipped("hub:acme/api#2", "bob", DAY + "04", issues=["PAY-1"]),
            bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "PAY-1"),
        ]  # fmt: skip
        assert found(signals) == [("ada", 1, "")]

    def test_with_none_of_several_deployed_all_are_listed_and_left_out(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "04", issues=["PAY-1"]),
            *shipped("hub:acme/api#2", "bob", DAY + "05", issues=["PAY-1"])[:2],
            bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "PAY-1"),
        ]  # fmt: skip
        assert found(signals) == [("ada", 0.5, "before_deployment"), ("bob", 0.5, "before_deployment")]


class TestShare:
    @staticmethod
    def shared(*authors: tuple[str | None, str], **more: Any) -> list[Any]:
        """Rows of one bug caused by a change of each author, given with their marks."""
        changes = [
            each
            for n, (author, mark) in enumerate(authors, 1)
            for each in shipped(f"hub:acme/api#{n}", author, DAY + "02", issues=["PAY-1"], mark=mark)
        ]
        return found([*changes, bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "PAY-1")], **more)

    def test_a_bug_of_several_people_counts_once_for_each_with_an_equal_share(self) -> None:
        assert self.shared(("ada", ""), ("bob", ""), ("ada", "")) == [("ada", 0.5, ""), ("bob", 0.5, "")]

    def test_people_outside_people_yaml_share_in_it(self) -> None:
        assert self.shared(("ada", ""), ("zed", ""), ("yan", "")) == [("ada", pytest.approx(1 / 3), "")]

    def test_a_bot_takes_no_share(self) -> None:
        assert self.shared(("ada", ""), ("robot", "bot")) == [("ada", 1, "")]

    def test_deleted_accounts_take_the_share_of_one_author(self) -> None:
        assert self.shared(("ada", ""), (None, "ghost"), (None, "ghost")) == [("ada", 0.5, "")]

    def test_accounts_of_one_person_on_two_sources_are_one_author(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]),
            *shipped("lab:core/pay!1", "ada", DAY + "02", issues=["PAY-1"]),
            bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "PAY-1"),
        ]  # fmt: skip
        assert found(signals) == [("ada", 1, "")]

    def test_a_bots_own_change_is_excluded_when_somebody_claims_the_bot(self) -> None:
        assert self.shared(("ada", "bot")) == [("ada", 1, "bot")]

    def test_a_change_by_hand_counts_beside_one_by_a_bot_of_the_same_person(self) -> None:
        assert self.shared(("ada", "bot"), ("ada", "")) == [("ada", 1, "")]


class TestResolution:
    @pytest.mark.parametrize("code", ["duplicate", "invalid", "cannot_reproduce", "wont_do"])
    def test_a_bug_that_was_none_is_excluded_with_its_resolution(self, code: str) -> None:
        assert found([*case(), done("hub:acme/api#9", "bob", DAY + "05 10:00", code)]) == [("ada", 1, code)]

    @pytest.mark.parametrize("code", ["fixed", "other"])
    def test_any_other_resolution_leaves_it_counted(self, code: str) -> None:
        assert found([*case(), done("hub:acme/api#9", "bob", DAY + "05 10:00", code)]) == [("ada", 1, "")]

    def test_a_resolution_that_was_undone_has_no_force(self) -> None:
        signals = [*case(), done("hub:acme/api#9", "bob", DAY + "05 10:00", "duplicate")]
        assert found([*signals, reopened("hub:acme/api#9", DAY + "06 10:00")]) == [("ada", 1, "")]

    def test_the_resolution_in_force_at_as_of_decides(self) -> None:
        signals = [*case(), done("hub:acme/api#9", "bob", DAY + "05 10:00", "duplicate")]
        assert found(signals, as_of=DAY + "05 10:00") == [("ada", 1, "")]
        assert found(signals, as_of=DAY + "05 10:01") == [("ada", 1, "duplicate")]

    def test_a_resolution_that_was_changed_later_counts_from_then_on(self) -> None:
        codes = [["2026-03-05T10:00:00Z", "fixed", "Done"], ["2026-03-08T10:00:00+00:00", "invalid", "Not a bug"]]
        signals = [*case(), done("hub:acme/api#9", "bob", DAY + "05 10:00", resolutions=codes)]
        assert found(signals, as_of=DAY + "08 10:00") == [("ada", 1, "")]
        assert found(signals, as_of=DAY + "08 10:01") == [("ada", 1, "invalid")]


class TestKnowledge:
    def test_what_was_not_yet_known_does_not_count(self) -> None:
        link = linked("jira:PAY-9", "PAY-1", at=DAY + "10 09:00")
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]), bug("jira:PAY-9", DAY + "03 10:00"), link
        ]  # fmt: skip
        assert found(signals, as_of=DAY + "10 09:00") == []
        assert found(signals, as_of=DAY + "10 09:01") == [("ada", 1, "")]

    def test_a_bug_relabelled_away_is_gone_and_relabelled_back_returns(self) -> None:
        assert found(case(labels=["question"])) == []
        assert found(case(labels=["question", "BUG"])) == [("ada", 1, "")]


WORLD = [
    *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]),
    *shipped("hub:acme/api#2", "bob", DAY + "03", issues=["PAY-1", "PAY-2"]),
    *shipped("lab:core/pay!1", "ada", DAY + "05", issues=["PAY-2"]),
    *shipped("hub:acme/api#4", None, DAY + "04", issues=["PAY-1"], mark="ghost"),
    signal("commits_pushed", "hub:acme/api#2", "bob", DAY + "03 08:00", sha="abc1234" + "0" * 33),
    bug("jira:PAY-9", DAY + "04 10:00"), linked("jira:PAY-9", "PAY-1"),
    bug("jira:PAY-10", DAY + "06 10:00"), linked("jira:PAY-10", "PAY-2"),
    bug("hub:acme/api#9", DAY + "07 10:00", causes=[{"to": "abc1234", "text": "Fixes: abc1234"}]),
    done("jira:PAY-10", "cyd", DAY + "08 10:00", "duplicate"), reopened("jira:PAY-10", DAY + "09 10:00"),
    merged("hub:acme/api#5", "cyd", DAY + "10 10:00", issues=["PAY-9"]),
    reverted("hub:acme/api#1", "ada", DAY + "10 10:00", by="hub:acme/api#5"),
    reverted("hub:acme/api#2", "bob", DAY + "10 11:00", by="hub:acme/api#6"),
]  # fmt: skip
KEYED = [
    Signal(s.source, s.kind, s.subject, s.key or f"k{n}", s.at, s.url, s.actor, s.mark, s.value, s.detail)
    for n, s in enumerate(WORLD)
]


@cache
def in_order() -> list[dict[Hashable, Any]]:
    return measured("post_deploy_bugs", KEYED, attribution=("link", "revert")).to_dict("records")


class TestProperties:
    @settings(max_examples=6, deadline=None)
    @given(st.randoms(use_true_random=False))
    def test_the_order_of_signals_does_not_matter(self, draw: random.Random) -> None:
        shuffled = draw.sample(KEYED, len(KEYED))
        other = measured("post_deploy_bugs", shuffled, attribution=("link", "revert"))
        assert other.to_dict("records") == in_order()
        assert len(other) == 6

    @settings(max_examples=6, deadline=None)
    @given(st.integers(0, 24 * 10))
    def test_going_back_in_time_shows_what_was_known_then(self, hours: int) -> None:
        as_of = f"2026-03-{2 + hours // 24:02} {hours % 24:02}:00"
        known = [signal for signal in KEYED if signal.at < instant(as_of)]
        one, other = (measured("post_deploy_bugs", each, as_of=as_of) for each in (KEYED, known))
        assert one.to_dict("records") == other.to_dict("records")

    def test_people_do_not_change_each_others_rows(self) -> None:
        alone = measured("post_deploy_bugs", KEYED, people=[person("ada")])
        among = measured("post_deploy_bugs", KEYED)
        assert alone.to_dict("records") == among[among["person"].eq("ada")].to_dict("records")
