"""The stand-in answers and refuses as Jira's documentation says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from pipmetrics.demo.jira import Jira, World
from pipmetrics.demo.service import serve
from tests.jira.desk import BOTH, START, a_world, filled

AUTH = ("reader@acme.example", "jira-token")


@pytest.fixture
def site() -> Any:
    """Asks a stand-in over a world once, signed in."""

    def ask(world: World, method: str, path: str, *, jira: Jira | None = None, **how: Any) -> requests.Response:
        if world.cloud:
            how.setdefault("auth", AUTH)
        else:
            how.setdefault("headers", {"Authorization": "Bearer jira-token"})
        with serve(jira or Jira(world)) as service:
            return requests.request(method, service.url + path, timeout=20, **how)

    return ask


@pytest.mark.parametrize("path", ["/rest/api/2/search", "/rest/api/3/search"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_removed_search_is_gone_on_cloud(site: Any, method: str, path: str) -> None:
    body = {"json": {"jql": "project = PAY"}} if method == "POST" else {"params": {"jql": "project = PAY"}}
    assert site(a_world(), method, path, **body).status_code == 410


@pytest.mark.parametrize("path", ["/rest/api/3/search", "/rest/api/2/search/jql", "/rest/api/2/changelog/bulkfetch"])
def test_data_center_has_nothing_of_cloud(site: Any, path: str) -> None:
    assert site(a_world(cloud=False), "POST", path, json={"jql": "project = PAY"}).status_code == 404


@pytest.mark.parametrize("jql", ["", "ORDER BY created"])
def test_cloud_refuses_a_query_without_bound(site: Any, jql: str) -> None:
    answer = site(a_world(), "POST", "/rest/api/3/search/jql", json={"jql": jql})
    assert answer.status_code == 400
    assert "Unbounded JQL" in answer.json()["errorMessages"][0]
    assert site(a_world(cloud=False), "GET", "/rest/api/2/search", params={"jql": jql}).status_code == 200


@BOTH
def test_a_wrong_token_is_refused(site: Any, cloud: bool) -> None:
    wrong = {"auth": ("reader@acme.example", "x")} if cloud else {"headers": {"Authorization": "Bearer x"}}
    assert site(a_world(cloud=cloud), "GET", "/rest/api/2/myself", **wrong).status_code == 401
    assert site(a_world(cloud=cloud), "GET", "/rest/api/2/serverInfo", auth=None, headers={}).status_code == 200


def test_data_center_takes_a_password_too(site: Any) -> None:
    how = {"auth": ("reader@acme.example", "jira-password"), "headers": {}}
    assert site(a_world(cloud=False), "GET", "/rest/api/2/myself", **how).status_code == 200


def test_cloud_shows_ids_alone_unless_fields_are_asked_for(site: Any) -> None:
    world = filled(a_world(), 1)
    jql = {"jql": "project = PAY"}
    assert list(site(world, "POST", "/rest/api/3/search/jql", json=jql).json()["issues"][0]) == ["id"]
    asked = site(world, "POST", "/rest/api/3/search/jql", json=jql | {"fields": ["summary"]}).json()["issues"][0]
    assert list(asked["fields"]) == ["summary"]


def test_cloud_gives_no_total_and_a_token_until_the_last_page(site: Any) -> None:
    world = filled(a_world(), 5)
    jira, asked = Jira(world), {"jql": "project = PAY ORDER BY key", "maxResults": 2, "fields": ["summary"]}
    seen: list[str] = []
    for last in (False, False, True):
        answer = site(world, "POST", "/rest/api/3/search/jql", jira=jira, json=asked).json()
        assert "total" not in answer
        assert (answer["isLast"], "nextPageToken" not in answer) == (last, last)
        seen += [issue["key"] for issue in answer["issues"]]
        asked["nextPageToken"] = answer.get("nextPageToken", "")
    assert seen == [f"PAY-{n}" for n in range(1, 6)]
    assert site(world, "POST", "/rest/api/3/search/jql", json=asked | {"nextPageToken": "page-99"}).status_code == 400


def test_cloud_pages_go_on_after_the_issue_where_the_last_one_ended(site: Any) -> None:
    world = filled(a_world(), 4)
    jira, asked = Jira(world), {"jql": "project = PAY ORDER BY key", "maxResults": 2, "fields": ["summary"]}
    first = site(world, "POST", "/rest/api/3/search/jql", jira=jira, json=asked).json()
    world.delete(world.issues[0])
    second = site(
        world, "POST", "/rest/api/3/search/jql", jira=jira, json=asked | {"nextPageToken": first["nextPageToken"]}
    )
    assert [issue["key"] for issue in second.json()["issues"]] == ["PAY-3", "PAY-4"]


def test_data_center_counts_and_caps(site: Any) -> None:
    world = filled(a_world(cloud=False, cap=3), 5)
    params = {"jql": "project = PAY ORDER BY key", "startAt": 1, "maxResults": 100}
    answer = site(world, "GET", "/rest/api/2/search", params=params).json()
    assert (answer["startAt"], answer["maxResults"], answer["total"]) == (1, 3, 5)
    assert [issue["key"] for issue in answer["issues"]] == ["PAY-2", "PAY-3", "PAY-4"]
    assert "customfield_10105" in answer["issues"][0]["fields"]
    assert site(world, "POST", "/rest/api/2/search", json=params).json()["total"] == 5


def test_cloud_cuts_the_changelog_of_a_search_and_data_center_does_not(site: Any) -> None:
    for cloud, shown in ((True, 40), (False, 60)):
        world = a_world(cloud=cloud)
        issue = world.create("PAY", START, reporter="acc-ada")
        for minute in range(60):
            world.touch(issue, START + timedelta(minutes=minute + 1))
        path, how = ("/rest/api/3/search/jql", "POST") if cloud else ("/rest/api/2/search", "GET")
        asked: dict[str, Any] = {
            "jql": "project = PAY",
            "fields": ["status"] if cloud else "status",
            "expand": "changelog",
        }
        answer = site(world, how, path, **({"json": asked} if cloud else {"params": asked}))
        assert len(answer.json()["issues"][0]["changelog"]["histories"]) == shown


def test_bulkfetch_pages_over_all_issues_oldest_first(site: Any) -> None:
    world = filled(a_world(), 3)
    asked: dict[str, Any] = {"issueIdsOrKeys": ["PAY-2", world.issues[2].id, "PAY-99"], "maxResults": 2}
    found: list[int] = []
    while True:
        answer = site(world, "POST", "/rest/api/3/changelog/bulkfetch", json=asked).json()
        found += [each["created"] for log in answer["issueChangeLogs"] for each in log["changeHistories"]]
        if "nextPageToken" not in answer:
            break
        asked["nextPageToken"] = answer["nextPageToken"]
    assert found == sorted(found)
    assert len(found) == sum(len(issue.changes) for issue in world.issues[1:])
    for ids in ([], ["1"] * 1001):
        bad = site(world, "POST", "/rest/api/3/changelog/bulkfetch", json={"issueIdsOrKeys": ids})
        assert bad.status_code == 400


@BOTH
def test_an_issue_without_permission_does_not_exist(site: Any, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 2)
    world.issues[0].visible = False
    assert site(world, "GET", "/rest/api/2/issue/PAY-1").status_code == 404
    assert site(world, "GET", "/rest/api/2/issue/PAY-2").json()["key"] == "PAY-2"


@BOTH
def test_a_moved_issue_is_found_by_its_old_key(site: Any, cloud: bool) -> None:
    world = filled(a_world(cloud=cloud), 1)
    world.transfer(world.issues[0], "LAB", world.now, "acc-ada")
    assert site(world, "GET", "/rest/api/2/issue/PAY-1").json()["key"] == "LAB-1"


def test_the_index_lags_behind_the_issue(site: Any) -> None:
    world = filled(a_world(lag=timedelta(hours=2)), 1)
    world.touch(world.issues[0], world.now - timedelta(hours=1))
    since = round((world.now - timedelta(hours=3)).timestamp() * 1000)
    asked = {"jql": f"project = PAY AND updated >= {since}"}
    assert site(world, "POST", "/rest/api/3/search/jql", json=asked).json()["issues"] == []
    world.now += timedelta(hours=1)
    assert len(site(world, "POST", "/rest/api/3/search/jql", json=asked).json()["issues"]) == 1


def test_instants_are_shown_in_the_zone_of_the_server(site: Any) -> None:
    world = filled(a_world(server_zone="Asia/Kolkata"), 1)
    assert site(world, "GET", "/rest/api/3/issue/PAY-1").json()["fields"]["created"] == "2026-06-01T13:30:00.000+0530"


@BOTH
def test_unknown_paths_and_methods_are_refused(site: Any, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    assert site(world, "GET", "/rest/api/2/nothing").status_code == 404
    assert site(world, "DELETE", "/rest/api/2/issue/PAY-1").status_code == 405
    assert site(world, "GET", "/rest/agile/1.0/sprint/1").status_code == 404
    assert site(world, "GET", "/rest/api/2/project/NONE").status_code == 404
