from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipmetrics.demo.jira import World
from pipmetrics.demo.jira.jql import parse
from pipmetrics_jira import jql


@given(st.text(min_size=1, max_size=40))
def test_no_name_breaks_out_of_its_quotes(name: str) -> None:
    world = World()
    project = world.add_project("PAY", "".join(c if c >= " " and c != "\x7f" else " " for c in name))
    issue = world.create("PAY", world.now)
    world.add_project("LAB")
    other = world.create("LAB", world.now)
    if project.name.lower() in ("lab", other.project.id, issue.project.id):
        return
    query = parse(f"project in ({jql.quoted(project.name)})", world)
    assert (query.test(issue), query.test(other)) == (True, False)


def test_bounds_are_epoch_milliseconds_from_below_in_an_order_that_no_update_changes() -> None:
    assert jql.updated_since(["PAY", "LAB"], 1790000000000) == (
        'project in ("PAY", "LAB") AND updated >= 1790000000000 ORDER BY created ASC, key ASC'
    )
    assert jql.updated_since(["PAY"], 17, 42).startswith('project in ("PAY") AND updated >= 17 AND created >= 42 ')
    assert jql.in_sprint(["PAY"], "7").startswith('project in ("PAY") AND sprint = 7 ')


def test_without_a_project_there_is_no_clause_for_one() -> None:
    assert jql.updated_since([""], 17).startswith("updated >= 17 ORDER")
    assert jql.any_of("").startswith("created >= 0 ")


def test_several_projects_are_asked_for_each_from_its_own_last_update() -> None:
    assert jql.any_since([("PAY", 1), ("LAB", 2)]) == (
        '(project = "PAY" AND updated >= 1) OR (project = "LAB" AND updated >= 2)'
    )
