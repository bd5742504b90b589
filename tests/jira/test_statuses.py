from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipmetrics_jira.statuses import Statuses


def status(id: str, name: str, key: str, number: int | None = None) -> dict[str, Any]:
    category: dict[str, Any] = {"key": key} | ({"id": number} if number else {})
    return {"id": id, "name": name, "statusCategory": category}


def test_an_id_decides_never_a_name(payload: Callable[[str], Any]) -> None:
    known = Statuses()
    known.learn_list(payload("statuses"))
    assert known.category("10151", "Done") == "in_progress"
    assert known.category("10068", "In Progress") == "done"


def test_a_status_gone_from_jira_has_the_category_of_those_that_bear_its_name(payload: Callable[[str], Any]) -> None:
    known = Statuses()
    known.learn_list(payload("statuses"))
    assert known.category("404", "fertig ") == "done"
    assert known.category("404", "Vergessen") == "new"


def test_a_status_that_jira_was_shipped_with_keeps_its_category_when_it_is_gone() -> None:
    known = Statuses()
    known.learn(status("10001", "Resolved", "indeterminate", 4))
    assert [known.category(id, None) for id in ("1", "3", "4", "5", "6", "7")] == [
        "new",
        "in_progress",
        "new",
        "done",
        "done",
        "new",
    ]
    assert known.category("5", "Resolved") == "in_progress"


def test_a_name_that_two_categories_share_tells_nothing() -> None:
    known = Statuses()
    known.learn(status("1", "Review", "new"))
    known.learn(status("2", "Review", "done"))
    assert known.category("404", "Review") == "new"


def test_issues_teach_the_status_they_are_in() -> None:
    known = Statuses()
    known.learn(status("1", "\u5df2\u5b8c\u6210", "done", 3))
    assert known.unknown({"1", "2"}) == {"2"}
    assert known.category("1", None) == "done"


def test_a_category_that_contradicts_itself_is_looked_up() -> None:
    known = Statuses()
    known.learn(status("10068", "\u5df2\u5b8c\u6210", "done", 3))
    known.learn(status("10068", "\u5df2\u5b8c\u6210", "new", 3))
    assert known.unknown({"10068"}) == {"10068"}
    known.learn_list([status("10068", "\u5df2\u5b8c\u6210", "done", 3)])
    assert known.category("10068", None) == "done"


def test_where_the_list_is_silent_the_contradiction_is_read_by_its_key() -> None:
    known = Statuses()
    known.learn(status("7", "Doing", "indeterminate", 2))
    known.learn_list([])
    assert known.category("7", None) == "in_progress"


def test_what_the_list_lacks_is_asked_for_once() -> None:
    known = Statuses()
    known.learn_list([status("1", "Open", "new")])
    known.give_up({"9"}, {"9": "Open"})
    again = Statuses(known.kept())
    assert again.unknown({"1", "9"}) == set()
    assert again.category("9", None) == "new"


def test_a_status_that_jira_has_changed_is_learned_anew() -> None:
    known = Statuses({"1": ["new", "Blocked"]})
    known.learn(status("1", "Blocked", "indeterminate", 4))
    assert known.category("1", None) == "in_progress"


def test_no_category_is_none_of_work_begun() -> None:
    known = Statuses()
    known.learn(status("1", "Odd", "undefined", 1))
    assert known.category("1", None) == "new"
    known.learn({"id": "2", "name": "Older server"})
    assert known.unknown({"2"}) == {"2"}
