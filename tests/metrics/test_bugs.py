"""The rule that says which issues are bugs, and the filter that people may write for it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipmetrics.errors import UsageError
from pipmetrics.metrics.bugs import bugs, fields, holds, parse_filter
from pipmetrics.model import BugRule, Signal
from tests.metrics.builders import SOURCES, frame, signal

DETAIL = {"title": "Payment fails twice", "type": "Bug", "labels": ["Regression", "data loss"], "priority": "High"}


def issue(subject: str = "jira:PAY-1", **detail: Any) -> Signal:
    return signal("issue_opened", subject, "ada", "2026-03-02 09:00", project="PAY", **{**DETAIL, **detail})


def found(rule: BugRule, *issues: Signal) -> list[str]:
    sources = {"jira": replace(SOURCES["jira"], bugs=rule)}
    return bugs(frame(issues), sources)["subject"].tolist()


def accepts(text: str, **detail: Any) -> bool:
    return holds(parse_filter(text), fields(frame([issue(**detail)]))).tolist() == [True]


class TestRule:
    def test_without_a_rule_no_issue_is_a_bug(self) -> None:
        assert found(BugRule(), issue()) == []

    def test_a_source_that_is_not_configured_has_no_bugs(self) -> None:
        assert found(BugRule(types=frozenset({"Bug"})), issue("old:PAY-1")) == []

    def test_a_type_is_compared_without_case(self) -> None:
        rule = BugRule(types=frozenset({"bug", "Defect"}))
        issues = [issue("jira:P-1"), issue("jira:P-2", type="DEFECT"), issue("jira:P-3", type="Story")]
        assert found(rule, *issues, issue("jira:P-4", type=None)) == ["jira:P-1", "jira:P-2"]

    def test_one_of_the_labels_is_enough_and_compared_without_case(self) -> None:
        rule = BugRule(labels=frozenset({"BUG", "regression"}))
        issues = [issue("jira:P-1"), issue("jira:P-2", labels=["bug"]), issue("jira:P-3", labels=["bugfix"])]
        assert found(rule, *issues, issue("jira:P-4", labels=[])) == ["jira:P-1", "jira:P-2"]

    def test_types_labels_and_filter_each_make_a_bug(self) -> None:
        rule = BugRule(frozenset({"Bug"}), frozenset({"bug"}), "priority = Blocker")
        plain = {"type": "Task", "labels": [], "priority": None}
        issues = [
            issue("jira:P-1", **plain),
            issue("jira:P-2", **{**plain, "type": "Bug"}),
            issue("jira:P-3", **{**plain, "labels": ["bug"]}),
            issue("jira:P-4", **{**plain, "priority": "Blocker"}),
        ]
        assert found(rule, *issues) == ["jira:P-2", "jira:P-3", "jira:P-4"]

    def test_each_source_has_its_own_rule(self) -> None:
        labelled = {"labels": ["bug"], "type": None}
        table = frame([
            issue("hub:acme/api#1", **labelled), issue("jira:PAY-1", **labelled), issue("jira:PAY-2", type="Bug"),
        ])  # fmt: skip
        assert bugs(table, SOURCES)["subject"].tolist() == ["hub:acme/api#1", "jira:PAY-2"]

    def test_an_issue_whose_label_was_taken_away_is_no_bug_any_more(self) -> None:
        rule = BugRule(labels=frozenset({"bug"}))
        assert found(rule, issue(labels=["bug"])) == ["jira:PAY-1"]
        assert found(rule, issue(labels=["question"])) == []


class TestFilter:
    @pytest.mark.parametrize(
        "text",
        [
            "type = Bug",
            "TYPE = 'bug'",
            "issuetype=Bug",
            'labels = "data loss"',
            "labels in (other, regression)",
            "labels not in (flaky, other)",
            "label != flaky",
            "title ~ fails",
            "summary ~ 'FAILS TWICE'",
            'title ~ "pay*"',
            "labels ~ loss",
            "title !~ crash",
            "project = pay AND priority in (High, Highest)",
            "type = Task OR type = Bug",
            "NOT type = Task",
            "not (type = Task or priority = Low)",
            "type = Task AND priority = Low OR labels = regression",
            "(type = Bug)",
            "priority is not EMPTY and labels is not empty",
            "not not type = Bug",
        ],
    )
    def test_matches(self, text: str) -> None:
        assert accepts(text)

    @pytest.mark.parametrize(
        "text",
        [
            "type = Task",
            "type != Bug",
            "labels = data",
            "labels != regression",
            "labels not in (regression, other)",
            "title ~ crash",
            "title !~ fails",
            "labels !~ loss",
            "NOT type = Bug",
            "NOT type = Task AND type = Task",
            "type = Bug AND (priority = Low OR priority = Lowest)",
            "priority is empty",
        ],
    )
    def test_does_not_match(self, text: str) -> None:
        assert not accepts(text)

    def test_and_binds_closer_than_or_and_not_closer_than_and(self) -> None:
        assert parse_filter("type=a or type=b and not type=c and type=d") == parse_filter(
            "(type=a or ((type=b and (not type=c)) and type=d))"
        )

    def test_the_opposite_of_a_comparison_holds_for_an_empty_field(self) -> None:
        assert accepts("priority != High", priority=None)
        assert accepts("labels not in (flaky)", labels=[])
        assert accepts("labels is empty and priority is null", labels=[], priority=None)
        assert not accepts("title ~ ''", title="")

    def test_quotes_hold_commas_parentheses_words_and_escaped_quotes(self) -> None:
        assert accepts(r'title = "a, (b) AND \"c\""', title='a, (b) AND "c"')
        assert accepts(r"title = 'it\'s'", title="it's")

    def test_a_pattern_of_dots_and_stars_is_read_as_text(self) -> None:
        assert not accepts("title ~ 'f.*s'")

    @pytest.mark.parametrize(
        ("text", "column", "what", "mend"),
        [
            ("", 1, "expected a field, found the end", "Fields are type, labels"),
            ("typ = Bug", 1, "found 'typ'", "Did you mean type?"),
            ("type Bug", 6, "expected an operator, found 'Bug'", "Operators are =, !=, in"),
            ("type > Bug", 6, "expected an operator, found '>'", "Operators"),
            ("type not Bug", 10, "expected an operator", "not in"),
            ("type =", 7, "expected a value, found the end", "Write a word"),
            ("type = and", 8, "expected a value", "quotes"),
            ("type = Production bug", 19, "expected AND, OR or the end, found 'bug'", "quote a value"),
            ("type = Bug && type = b", 12, "found '&&'", "AND or OR"),
            ("type in Bug", 9, "expected '('", "parentheses"),
            ("type in ()", 10, "expected a value, found ')'", "Write a word"),
            ("type in (a b)", 12, "expected ',' or ')'", "commas"),
            ("type in (a,", 12, "expected a value", "word"),
            ("(type = Bug", 12, "expected ')'", "Close the parenthesis"),
            ("type = Bug)", 11, "found ')'", "AND or OR"),
            ("type = 'Bug", 8, "never closed", "Close it"),
            ("type = Bug ORDER BY priority", 12, "found 'ORDER'", "ORDER BY"),
            ("priority is High", 13, "expected EMPTY", "use ="),
            ("type = Bug AND", 15, "expected a field, found the end", "Fields"),
            ("(" * 60 + "type = a" + ")" * 60, 51, "at most 50 levels", "flatter"),
        ],
    )
    def test_an_error_names_the_column_what_was_expected_and_the_mend(
        self, text: str, column: int, what: str, mend: str
    ) -> None:
        with pytest.raises(UsageError) as error:
            parse_filter(text)
        assert error.value.where == f"column {column}"
        assert what in error.value.what
        assert mend in error.value.mend

    @given(st.text(alphabet="type=bug()'\" ,!~ANDORin\\\n", max_size=40))
    def test_any_text_is_read_or_refused_and_never_breaks(self, text: str) -> None:
        columns = [1]
        try:
            node = parse_filter(text)
            assert holds(node, fields(frame([issue(), issue("jira:PAY-2", labels=[])]))).dtype == bool
        except UsageError as error:
            columns.append(int(error.where.removeprefix("column ")))
        assert all(1 <= column <= len(text) + 1 for column in columns)

    def test_reading_a_filter_imports_no_pandas(self) -> None:
        code = "import sys, pipmetrics.metrics.bugs as b; b.parse_filter('type = a'); print('pandas' in sys.modules)"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == "False"
