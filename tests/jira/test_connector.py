from __future__ import annotations

import logging
import pickle
import traceback
from typing import Any

import pytest

from pipmetrics import registry
from pipmetrics.demo.jira import Jira, Sprint
from pipmetrics.demo.service import Request, Response, serve
from pipmetrics.errors import SourceError
from pipmetrics.model import ISSUE_KINDS
from pipmetrics.transport import Redacting
from pipmetrics_jira import JiraConnector
from tests.jira.desk import BOTH, START, Open, a_world, changed, filled


def test_it_comes_through_the_door_of_all_connectors() -> None:
    assert registry.connector("jira") is JiraConnector
    assert JiraConnector.kinds == ISSUE_KINDS
    assert {each.name for each in JiraConnector.options} == {"resolutions", "bots", "remote_links"}


def test_it_compares_no_commits(read: Open) -> None:
    with pytest.raises(SourceError, match="holds no commits"):
        read(a_world()).connector().compare("acme/api", "a" * 40, "b" * 40)


@BOTH
def test_building_it_asks_nothing(read: Open, cloud: bool) -> None:
    reader = read(a_world(cloud=cloud))
    reader.connector()
    assert reader.service.count == 0


@BOTH
def test_a_configured_robot_is_a_bot(read: Open, cloud: bool) -> None:
    reader = read(filled(a_world(cloud=cloud), 2), options={"bots": ("acc-lee" if cloud else "lee",)})
    reader.pull()
    assert {each.mark for each in reader.of("issue_status_changed")} == {"bot"}
    assert reader.accounts["acc-lee"].mark == "bot"


def test_configured_resolutions_are_read(read: Open) -> None:
    reader = read(filled(a_world(), 2), options={"resolutions": {"wont_do": ("done",)}})
    reader.pull()
    assert {each.detail["resolutions"][0][1] for each in reader.of("issue_done")} == {"wont_do"}


@BOTH
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_never_leaves_its_origin(read: Open, cloud: bool, status: int) -> None:
    with serve(lambda request: Response.of({})) as foreign:
        target = {"Location": foreign.url + "/rest/api/2/search"}
        reader = read(a_world(cloud=cloud), app=lambda request: Response(status, b"", target))
        with pytest.raises(SourceError):
            reader.pull()
        assert foreign.count == 0


@BOTH
def test_only_reads_are_sent(read: Open, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 30)
    reader = read(world)
    reader.pull()
    list(reader.connector().check(["ada@acme.example"]))
    posts = {request.path for request in reader.service.requests if request.method != "GET"}
    assert posts <= {"/rest/api/3/search/jql", "/rest/api/3/changelog/bulkfetch"}


@BOTH
def test_the_token_shows_nowhere(read: Open, cloud: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    caplog.handler.setFormatter(Redacting("%(message)s"))
    world = filled(a_world(cloud=cloud), 3)
    reader = read(world)
    reader.pull()
    refused = read(world, jira=Jira(world, token="another"))
    with pytest.raises(SourceError) as caught:
        refused.pull()
    shown = "".join(traceback.format_exception(caught.value)) + str(vars(caught.value)) + caplog.text
    shown += repr(reader.groups) + repr(reader.bookmarks) + repr(reader.accounts)
    assert "jira-token" not in shown
    assert logging.getLogger("jira").level == logging.NOTSET or logging.getLogger("jira").level >= logging.INFO
    with pytest.raises(TypeError):
        pickle.dumps(reader.wire())


@BOTH
def test_no_client_tries_again_on_top_of_the_wire(read: Open, cloud: bool) -> None:
    reader = read(a_world(cloud=cloud), app=lambda request: Response.of({}, 503))
    with pytest.raises(SourceError):
        reader.pull()
    assert reader.service.count == 6


@BOTH
def test_a_bearer_or_basic_token_signs_every_request(read: Open, cloud: bool) -> None:
    reader = read(filled(a_world(cloud=cloud), 3))
    reader.pull()
    kinds = {request.headers["authorization"].split()[0] for request in reader.service.requests}
    assert kinds == {"Basic" if cloud else "Bearer"}


def test_a_missing_secret_is_named(read: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = read(a_world())
    monkeypatch.delenv("JIRA_TOKEN")
    with pytest.raises(SourceError, match="JIRA_TOKEN"):
        reader.pull()


def fields_only_by_name(request: Request, answer: Any) -> None:
    """A server that shows no types with its pages and no custom field unless it is named."""
    answer.pop("schema", None)
    asked = request.ask("fields") if request.method == "GET" else ",".join(request.json().get("fields") or [])
    for issue in answer.get("issues", []):
        fields = issue.get("fields", {})
        for name in [each for each in fields if each.startswith("customfield_") and each not in asked]:
            del fields[name]


@BOTH
def test_the_sprint_field_is_found_in_the_list_of_fields_where_pages_do_not_tell(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    sprint = world.add_sprint(Sprint(7, "Sprint 7", "active", START, activated=START))
    issue = world.create("PAY", START, reporter="acc-ada", sprints=[sprint])
    reader = read(world, app=changed(Jira(world), fields_only_by_name))
    reader.pull()
    assert [each["id"] for each in reader.of("issue_opened", issue)[0].detail["sprints"]] == [7]
    assert [each for each in reader.asked() if each.endswith("/field")]
    night = reader.service.count
    reader.pull()
    assert not [each for each in reader.asked(night) if each.endswith("/field")]


@BOTH
def test_the_sprint_field_is_known_by_its_values_where_no_type_is_told(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud, sprint_texts=not cloud)
    sprint = world.add_sprint(Sprint(7, "Sprint 7", "active", START, activated=START))
    world.create("PAY", START, reporter="acc-ada", sprints=[sprint])
    reader = read(world, app=changed(Jira(world), lambda request, body: body.pop("schema", None)))
    reader.pull()
    assert reader.of("issue_opened")[0].detail["sprints"][0]["started"] == "2026-06-01T08:00:00Z"
    assert not [each for each in reader.asked() if each.endswith("/field")]
