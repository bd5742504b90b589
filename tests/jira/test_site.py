from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pipmetrics.demo.jira import Issue, Sprint
from pipmetrics_jira import payloads
from pipmetrics_jira.client import Api, Found
from pipmetrics_jira.site import EVERY, Site
from tests.jira.desk import START, Open, Reader, a_world


def a_site(reader: Reader, kept: dict[str, Any] | None = None) -> Site:
    api = Api(reader.source, reader.wire())
    api.suppose()
    return Site(reader.source, api, json.loads(json.dumps(kept or {})))


def page(field: str, value: Any, **more: Any) -> Found:
    return Found([{"id": "1", "key": "PAY-1", "fields": {field: value}}], **more)


def test_every_field_is_asked_for_until_the_sprint_field_is_known(read: Open) -> None:
    site = a_site(read(a_world()))
    assert EVERY in site.fields
    assert site.expand == ["changelog", "schema"]
    schema = {"customfield_7": {"custom": "com.pyxis.greenhopper.jira:gh-sprint"}, "customfield_8": {"custom": "x"}}
    assert not site.must_ask_again(page("summary", "x", schema=schema))
    assert (site.fields[-1], EVERY in site.fields, site.expand) == ("customfield_7", False, ["changelog"])
    again = a_site(read(a_world()), site.kept())
    assert again.fields == site.fields


def test_an_empty_page_teaches_nothing(read: Open) -> None:
    reader = read(a_world())
    site = a_site(reader)
    assert not site.must_ask_again(Found([]))
    assert EVERY in site.fields
    assert reader.service.count == 0


def test_a_site_without_sprints_is_not_asked_for_its_fields_again(read: Open) -> None:
    reader = read(a_world())
    site = a_site(reader, {"sprint_fields": []})
    assert not site.must_ask_again(page("summary", "x"))
    assert EVERY not in site.fields
    assert reader.service.count == 0


def seen(site: Site, reader: Reader, issue: Issue) -> None:
    from pipmetrics.demo.jira.render import Renderer

    raw = Renderer(reader.world, reader.service.url).issue(issue, ["*all"], ["changelog"])
    site.must_ask_again(page("customfield_10020", [{"id": 1, "state": "active", "boardId": 1}]))
    site.learn(payloads.issue(raw))


def test_a_sprint_is_awaited_when_it_changed_or_should_have(read: Open) -> None:
    world = a_world()
    sprint = world.add_sprint(Sprint(7, "S", "active", START, START + timedelta(days=14), START))
    issue = world.create("PAY", START, sprints=[sprint])
    reader = read(world)
    first = a_site(reader)
    seen(first, reader, issue)
    assert first.awaited() == {}
    same = a_site(reader, first.kept())
    seen(same, reader, issue)
    assert same.awaited() == {}
    sprint.state, sprint.complete = "closed", START + timedelta(days=14)
    ended = a_site(reader, first.kept())
    seen(ended, reader, issue)
    assert ended.awaited() == {"7": []}
    assert a_site(reader, ended.kept()).awaited() == {}


def test_issues_taken_out_of_an_open_sprint_are_remembered_until_it_ends(read: Open) -> None:
    world = a_world()
    sprint = world.add_sprint(Sprint(7, "S", "active", START, START + timedelta(days=14), START))
    kept, left = (world.create("PAY", START, sprints=[sprint]) for _ in range(2))
    world.set_sprints(left, [], START + timedelta(days=1), None)
    reader = read(world)
    site = a_site(reader)
    for issue in (kept, left):
        seen(site, reader, issue)
    assert site.kept()["left"] == {"7": [left.id]}
    sprint.state, sprint.complete = "closed", START + timedelta(days=14)
    ended = a_site(reader, site.kept())
    seen(ended, reader, kept)
    assert ended.awaited() == {"7": [left.id]}
    assert ended.kept()["left"] == {}
