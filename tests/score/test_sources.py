"""Which sources a metric hangs on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipmetrics import registry
from pipmetrics.model import CHANGE_KINDS, ISSUE_KINDS, BugRule, Source
from pipmetrics.score import Reach, reach_of
from pipmetrics.score.sources import DERIVED

HUB = Source("hub", "github", "https://api.github.com", bugs=BugRule(labels=frozenset({"bug"})))
LAB, JIRA = Source("lab", "gitlab", "https://lab.example"), Source("jira", "jira", "https://jira.example")
CHANGES = (CHANGE_KINDS - DERIVED) | {"deployed"}
PLAIN_ISSUES = ISSUE_KINDS - {"issue_status_changed", "issue_due_changed"}
KINDS = {"hub": CHANGES | PLAIN_ISSUES, "lab": CHANGES | PLAIN_ISSUES | {"issue_due_changed"}, "jira": ISSUE_KINDS}
ALL = {"hub": HUB, "lab": LAB, "jira": JIRA}


def reach(metric: str, *names: str, **changed: Source) -> Reach:
    sources = {name: changed.get(name, ALL[name]) for name in names or ALL}
    return reach_of(registry.metric(metric), sources, KINDS)


def test_changes_need_an_account_on_every_source_of_changes_and_no_other() -> None:
    assert reach("review_turnaround") == Reach(frozenset({"hub", "lab"}), frozenset({"hub", "lab"}))


def test_tickets_need_an_account_on_jira() -> None:
    assert reach("issue_cycle_time") == Reach(frozenset({"jira"}), frozenset({"jira"}))


def test_without_a_source_of_tickets_alone_issues_of_all_sources_are_tickets() -> None:
    assert reach("bug_reopened", "hub", "lab").identity == {"hub", "lab"}


@pytest.mark.parametrize(
    ("rule", "facts"), [(BugRule(types=frozenset({"Bug"})), {"hub", "lab", "jira"}), (BugRule(), {"hub", "lab"})]
)
def test_bugs_of_changes_hang_on_the_trackers_that_have_a_bug_rule(rule: BugRule, facts: set[str]) -> None:
    found = reach("post_deploy_bugs", jira=replace(JIRA, bugs=rule))
    assert found == Reach(frozenset({"hub", "lab"}), frozenset(facts))


def test_attestations_hang_on_no_source() -> None:
    assert reach("attested") == Reach()
