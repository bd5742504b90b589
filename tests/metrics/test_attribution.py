"""The ladder of attribution: what ties a bug to a change, and what does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from pipmetrics.model import Signal
from tests.metrics.builders import SOURCES, measured, merged, opened, rows, signal
from tests.metrics.tickets import bug, deployed, issue, linked, reverted, shipped

DAY = "2026-03-"
SHA, OTHER = "a1b2c3d4" + "0" * 32, "a1b2c3d4" + "1" * 32


def blamed(signals: Iterable[Signal], **more: Any) -> list[tuple[str, str, str]]:
    """subject of the bug, person, reason."""
    return rows(measured("post_deploy_bugs", signals, **more), "subject", "person", "reason")


class TestLinks:
    def test_a_link_of_a_configured_type_to_an_issue_that_a_deployed_change_references(self) -> None:
        signals = [*shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]), bug("jira:PAY-9", DAY + "03 10:00")]
        assert blamed([*signals, linked("jira:PAY-9", "PAY-1")]) == [("jira:PAY-9", "ada", "")]

    def test_without_the_link_nobody_is_blamed_however_close_the_deployment(self) -> None:
        assert blamed([*shipped("hub:acme/api#1", "ada", DAY + "02"), bug("jira:PAY-9", DAY + "02 12:01")]) == []

    def test_the_key_reaches_changes_of_every_source(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]),
            *shipped("lab:core/pay!4", "bob", DAY + "02", closes=["PAY-1"]),
            bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "jira:PAY-1"),
        ]  # fmt: skip
        assert blamed(signals) == [("jira:PAY-9", "ada", ""), ("jira:PAY-9", "bob", "")]

    def test_a_link_to_the_change_itself_by_reference_or_address(self) -> None:
        url = "https://hub.example.com/acme/api/pull/1"
        pages = (
            url + "/",
            url + "/files",
            url + "?w=1",
            url + "#discussion_r7",
            "HTTPS://hub.example.com/Acme/API/pull/1",
        )
        for to in ("hub:acme/api#1", url, *pages):
            signals = [*shipped("hub:acme/api#1", "ada", DAY + "02", url=url), bug("jira:PAY-9", DAY + "03 10:00")]
            assert blamed([*signals, linked("jira:PAY-9", to)]) == [("jira:PAY-9", "ada", "")]

    def test_a_link_by_the_address_of_an_issue_that_a_change_references(self) -> None:
        story = issue("hub:acme/api#5", DAY + "01 09:00", url="https://hub.example.com/acme/api/issues/5")
        signals = [story, *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["hub:acme/api#5"])]
        signals += [
            bug("jira:PAY-9", DAY + "03 10:00"),
            linked("jira:PAY-9", "https://hub.example.com/acme/api/issues/5"),
        ]
        assert blamed(signals) == [("jira:PAY-9", "ada", "")]

    def test_the_type_is_compared_without_case_and_each_source_has_its_own(self) -> None:
        signals = [*shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]), bug("jira:PAY-9", DAY + "03 10:00")]
        sources = {**SOURCES, "jira": replace(SOURCES["jira"], caused_by=("Wird verursacht durch",))}
        signals.append(linked("jira:PAY-9", "PAY-1", kind="wird VERURSACHT durch"))
        assert blamed(signals) == []
        assert blamed(signals, sources=sources) == [("jira:PAY-9", "ada", "")]

    @pytest.mark.parametrize("kind", ["causes", "relates to", "blocks", ""])
    def test_a_link_of_another_type_or_direction_blames_nobody(self, kind: str) -> None:
        signals = [*shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]), bug("jira:PAY-9", DAY + "03 10:00")]
        assert blamed([*signals, linked("jira:PAY-9", "PAY-1", kind=kind)]) == []

    def test_a_link_from_the_cause_to_the_bug_is_the_wrong_way_round(self) -> None:
        signals = [*shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]), bug("jira:PAY-9", DAY + "03 10:00")]
        assert blamed([*signals, linked("jira:PAY-1", "PAY-9")]) == []

    def test_a_link_of_an_issue_that_is_no_bug_blames_nobody(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]),
            bug("jira:PAY-9", DAY + "03 10:00", type="Story"), linked("jira:PAY-9", "PAY-1"),
        ]  # fmt: skip
        assert blamed(signals) == []

    def test_a_longer_key_that_begins_alike_is_another_issue(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-12"]),
            bug("jira:PAY-9", DAY + "03 10:00"),
        ]
        assert blamed([*signals, linked("jira:PAY-9", "PAY-1")]) == []

    def test_an_issue_that_moved_is_meant_by_its_former_keys(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["OLD-3"]),
            bug("jira:PAY-1", DAY + "01 09:00", type="Story", former_keys=["OLD-3"]),
            bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "PAY-1"),
        ]  # fmt: skip
        assert blamed(signals) == [("jira:PAY-9", "ada", "")]

    def test_links_count_only_where_the_plan_allows_them(self) -> None:
        signals = [*shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]), bug("jira:PAY-9", DAY + "03 10:00")]
        signals.append(linked("jira:PAY-9", "PAY-1"))
        assert blamed(signals, attribution=("revert",)) == []
        assert blamed(signals, attribution=("fix",)) == []
        assert blamed(signals, attribution=()) == []


class TestTexts:
    def test_the_bug_names_the_change(self) -> None:
        signals = shipped("hub:acme/api#1", "ada", DAY + "02")
        said = bug("hub:acme/api#9", DAY + "03 10:00", causes=[{"to": "hub:acme/api#1", "text": "caused by #1"}])
        assert blamed([*signals, said]) == [("hub:acme/api#9", "ada", "")]

    def test_the_bug_names_an_issue_that_the_change_references(self) -> None:
        story = issue("hub:acme/api#5", DAY + "01 09:00")
        signals = [story, *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["hub:acme/api#5"])]
        said = bug("hub:acme/api#9", DAY + "03 10:00", causes=[{"to": "hub:acme/api#5", "text": "regression from #5"}])
        assert blamed([*signals, said]) == [("hub:acme/api#9", "ada", "")]

    def test_a_change_that_is_named_does_not_stand_for_those_that_mention_it(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02"),
            *shipped("hub:acme/api#2", "bob", DAY + "02", issues=["hub:acme/api#1"]),
        ]
        said = bug("hub:acme/api#9", DAY + "03 10:00", causes=[{"to": "hub:acme/api#1", "text": "caused by #1"}])
        assert blamed([*signals, said]) == [("hub:acme/api#9", "ada", "")]

    def test_a_number_that_the_source_does_not_show_may_be_a_change_and_blames_nobody(self) -> None:
        signals = shipped("hub:acme/api#2", "bob", DAY + "02", issues=["hub:acme/api#1"])
        said = bug("hub:acme/api#9", DAY + "03 10:00", causes=[{"to": "hub:acme/api#1", "text": "caused by #1"}])
        assert blamed([*signals, said]) == []

    def test_where_numbers_of_issues_and_changes_differ_an_unknown_issue_is_an_issue(self) -> None:
        signals = shipped("lab:core/pay!2", "bob", DAY + "02", issues=["lab:core/pay#1"])
        said = bug("lab:core/pay#9", DAY + "03 10:00", causes=[{"to": "lab:core/pay#1", "text": "caused by #1"}])
        assert blamed([*signals, said]) == [("lab:core/pay#9", "bob", "")]

    def test_the_body_of_a_change_that_closes_the_bug_names_the_cause(self) -> None:
        cause = [{"to": "hub:acme/api#1", "text": "Regression from #1"}]
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02"), bug("hub:acme/api#9", DAY + "03 10:00"),
            merged("hub:acme/api#3", "bob", DAY + "04 10:00", closes=["hub:acme/api#9"], causes=cause, key="fix"),
        ]  # fmt: skip
        (row,) = measured("post_deploy_bugs", signals).to_dict("records")
        assert (row["person"], row["reason"]) == ("ada", "")
        assert "fix" in row["evidence"]

    def test_a_ticket_names_a_change_or_an_issue_by_its_path_alone_where_one_source_has_it(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["hub:acme/api#5"]),
            *shipped("lab:core/pay!1", "bob", DAY + "02"),
            issue("hub:acme/api#5", DAY + "01 09:00"),
        ]
        for to, who in (("acme/api#1", "ada"), ("Acme/API#5", "ada"), ("core/pay!1", "bob")):
            said = bug("jira:PAY-9", DAY + "03 10:00", causes=[{"to": to, "text": f"caused by {to}"}])
            assert blamed([*signals, said]) == [("jira:PAY-9", who, "")]
        said = bug("jira:PAY-9", DAY + "03 10:00", causes=[{"to": "acme/api#5", "text": "caused by acme/api#5"}])
        assert blamed([*signals, issue("lab:acme/api#5", DAY + "01 09:00"), said]) == []

    def test_a_change_that_only_mentions_the_bug_does_not_speak_for_it(self) -> None:
        cause = [{"to": "hub:acme/api#1", "text": "Regression from #1"}]
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02"), bug("hub:acme/api#9", DAY + "03 10:00"),
            merged("hub:acme/api#3", "bob", DAY + "04 10:00", issues=["hub:acme/api#9"], causes=cause),
        ]  # fmt: skip
        assert blamed(signals) == []

    def test_a_change_that_references_a_ticket_of_jira_is_its_fix_when_merged(self) -> None:
        cause = [{"to": "hub:acme/api#1", "text": "Regression from #1"}]
        signals = [*shipped("hub:acme/api#1", "ada", DAY + "02"), bug("jira:PAY-9", DAY + "03 10:00")]
        fix = merged("hub:acme/api#3", "bob", DAY + "04 10:00", issues=["PAY-9"], causes=cause)
        assert blamed([*signals, fix]) == [("jira:PAY-9", "ada", "")]
        assert blamed([*signals, opened("hub:acme/api#3", "bob", DAY + "04 10:00", issues=["PAY-9"])]) == []


class TestCommits:
    @pytest.mark.parametrize("said", [SHA, SHA[:12], SHA[:7], SHA[:9].upper()])
    def test_a_merge_commit_by_its_full_or_short_id(self, said: str) -> None:
        signals = shipped("hub:acme/api#1", "ada", DAY + "02", sha=SHA)
        assert blamed([*signals, self.bug(said)]) == [("hub:acme/api#9", "ada", "")]

    def test_a_commit_of_the_change(self) -> None:
        push = signal("commits_pushed", "hub:acme/api#1", "ada", DAY + "02 08:00", sha=SHA)
        assert blamed([*shipped("hub:acme/api#1", "ada", DAY + "02", sha="f" * 40), push, self.bug(SHA[:10])]) == [
            ("hub:acme/api#9", "ada", "")
        ]

    def test_a_prefix_of_two_commits_means_neither(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", sha=SHA),
            *shipped("hub:acme/api#2", "bob", DAY + "02", sha=OTHER),
        ]
        assert blamed([*signals, self.bug(SHA[:8])]) == []
        assert blamed([*signals, self.bug(SHA[:9])]) == [("hub:acme/api#9", "ada", "")]

    def test_six_digits_mean_nothing(self) -> None:
        assert blamed([*shipped("hub:acme/api#1", "ada", DAY + "02", sha=SHA), self.bug(SHA[:6])]) == []

    def test_a_commit_of_another_repository_is_not_meant(self) -> None:
        signals = shipped("hub:acme/web#1", "ada", DAY + "02", sha=SHA)
        assert blamed([*signals, self.bug(SHA)]) == []

    def test_a_ticket_without_a_repository_may_name_a_commit_of_any(self) -> None:
        signals = shipped("hub:acme/web#1", "ada", DAY + "02", sha=SHA)
        ticket = bug("jira:PAY-9", DAY + "03 10:00", causes=[{"to": SHA, "text": f"Fixes: {SHA}"}])
        assert blamed([*signals, ticket]) == [("jira:PAY-9", "ada", "")]

    def test_a_commit_carried_on_by_a_later_change_stays_with_the_change_that_brought_it(self) -> None:
        release = [
            *shipped("hub:acme/api#2", "bob", DAY + "02", at="11:30", sha="f" * 40),
            signal("commits_pushed", "hub:acme/api#2", "ada", DAY + "02 08:00", sha=SHA),
        ]
        change = shipped("hub:acme/api#1", "ada", DAY + "02", at="11:00", sha=SHA)
        assert blamed([*release, *change, self.bug(SHA)]) == [("hub:acme/api#9", "ada", "")]

    def test_in_the_fix_it_is_a_commit_of_the_fixs_repository(self) -> None:
        cause = [{"to": SHA[:9], "text": "Fixes: a1b2c3d40"}]
        fix = merged("hub:acme/api#3", "bob", DAY + "04 10:00", issues=["PAY-9"], causes=cause)
        elsewhere = shipped("hub:acme/web#1", "cyd", DAY + "02", sha=SHA)
        ticket = bug("jira:PAY-9", DAY + "03 10:00")
        assert blamed([*elsewhere, ticket, fix]) == []
        here = shipped("hub:acme/api#1", "ada", DAY + "02", sha=SHA)
        assert blamed([*elsewhere, *here, ticket, fix]) == [("jira:PAY-9", "ada", "")]

    @staticmethod
    def bug(said: str) -> Signal:
        return bug("hub:acme/api#9", DAY + "03 10:00", causes=[{"to": said, "text": f"Fixes: {said}"}])


class TestReverts:
    both = ("link", "revert")

    def test_the_revert_of_a_deployed_change_is_itself_a_bug_where_the_plan_allows_it(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02"), merged("hub:acme/api#2", "bob", DAY + "03 10:00"),
            reverted("hub:acme/api#1", "ada", DAY + "03 10:00", by="hub:acme/api#2", key="r1"),
        ]  # fmt: skip
        assert blamed(signals) == []
        for allowed in (("revert",), self.both):
            (row,) = measured("post_deploy_bugs", signals, attribution=allowed).to_dict("records")
            assert (row["subject"], row["person"], row["source"], row["value"]) == ("hub:acme/api#2", "ada", "hub", 1)
            assert row["url"] == "https://hub.example.com/hub:acme/api#2"
            assert str(row["start"]) == str(row["end"]) == "2026-03-03 10:00:00+00:00"
            assert row["evidence"][0] == "r1"

    def test_a_revert_before_the_deployment_is_listed_and_left_out(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "04"),
            reverted("hub:acme/api#1", "ada", DAY + "04 11:30", by="hub:acme/api#2"),
        ]
        assert blamed(signals, attribution=self.both) == [("hub:acme/api#2", "ada", "before_deployment")]

    def test_a_revert_that_closes_a_bug_linked_to_the_change_is_that_bug_and_no_second_one(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"]),
            bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "PAY-1"),
            merged("hub:acme/api#2", "bob", DAY + "03 12:00", issues=["PAY-9"]),
            reverted("hub:acme/api#1", "ada", DAY + "03 12:00", by="hub:acme/api#2"),
        ]  # fmt: skip
        assert blamed(signals, attribution=self.both) == [("jira:PAY-9", "ada", "")]
        assert blamed(signals, attribution=("revert",)) == [("hub:acme/api#2", "ada", "")]

    def test_a_revert_that_closes_a_bug_of_another_change_counts(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02"), bug("hub:acme/api#9", DAY + "03 10:00"),
            merged("hub:acme/api#2", "bob", DAY + "03 12:00", closes=["hub:acme/api#9"]),
            reverted("hub:acme/api#1", "ada", DAY + "03 12:00", by="hub:acme/api#2"),
        ]  # fmt: skip
        assert blamed(signals, attribution=self.both) == [("hub:acme/api#2", "ada", "")]

    def test_a_revert_of_several_changes_is_one_bug_shared_by_their_authors(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02"), *shipped("hub:acme/api#3", "bob", DAY + "02"),
            *shipped("hub:acme/api#4", "bob", DAY + "02"),
            *(reverted(f"hub:acme/api#{n}", who, DAY + "03 12:00", by="hub:acme/api#2")
              for n, who in ((1, "ada"), (3, "bob"), (4, "bob"))),
        ]  # fmt: skip
        found = measured("post_deploy_bugs", signals, attribution=self.both)
        assert rows(found, "subject", "person", "value") == [
            ("hub:acme/api#2", "ada", 0.5), ("hub:acme/api#2", "bob", 0.5),
        ]  # fmt: skip

    def test_the_revert_of_a_deployed_revert_counts_against_its_author(self) -> None:
        signals = [
            *shipped("hub:acme/api#1", "ada", DAY + "02"), *shipped("hub:acme/api#2", "bob", DAY + "03"),
            reverted("hub:acme/api#1", "ada", DAY + "03 11:00", by="hub:acme/api#2"),
            reverted("hub:acme/api#2", "bob", DAY + "05 11:00", by="hub:acme/api#3"),
        ]  # fmt: skip
        assert blamed(signals, attribution=self.both) == [("hub:acme/api#2", "ada", ""), ("hub:acme/api#3", "bob", "")]


def test_only_the_deployment_matters_not_the_branch_that_was_merged_into() -> None:
    signals = [
        *shipped("hub:acme/api#1", "ada", DAY + "02", issues=["PAY-1"], default_branch=False),
        bug("jira:PAY-9", DAY + "03 10:00"), linked("jira:PAY-9", "PAY-1"),
    ]  # fmt: skip
    assert blamed(signals) == [("jira:PAY-9", "ada", "")]


def test_a_change_known_only_by_its_deployment_is_known() -> None:
    signals = [
        deployed("hub:acme/api#1", "ada", DAY + "02 12:00"),
        bug("hub:acme/api#9", DAY + "03 10:00", causes=[{"to": "hub:acme/api#1", "text": "caused by #1"}]),
    ]
    assert blamed(signals) == [("hub:acme/api#9", "ada", "")]
