"""The stand-in against GitLab's documentation: what it serves, and what it refuses."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from graphql import parse

from pipmetrics.demo.gitlab import World, app, limited, pages
from pipmetrics.demo.gitlab.complexity import score
from pipmetrics.demo.gitlab.graph import schema
from pipmetrics.demo.service import Request, Response

from .lab import at, busy_world

ORIGIN = "https://gitlab.example.com"


class Site:
    """A World that is asked without a network."""

    def __init__(self, world: World | None = None, token: str = "secret", **served: Any) -> None:
        self.world = world or busy_world()
        self.world.token("secret")
        self.app, self.headers = app(self.world, **served), {"private-token": token}

    def get(self, path: str) -> Response:
        parts = urlsplit(path)
        query = parse_qs(parts.query, keep_blank_values=True)
        return self.app(Request("GET", f"/api/v4{parts.path}", query, self.headers, b"", ORIGIN))

    def rows(self, path: str) -> Any:
        return json.loads(self.get(path).body)

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        return json.loads(self.app(Request("POST", "/api/graphql", {}, self.headers, body, ORIGIN)).body)


CORE = f"/projects/{quote('platform/core', safe='')}"


def test_a_wrong_token_is_refused_by_both_apis() -> None:
    site = Site(token="wrong")
    assert (site.get("/user").status, json.loads(site.get("/user").body)) == (401, {"message": "401 Unauthorized"})
    assert site.ask("{ currentUser { username } }") == {"errors": [{"message": "Invalid token"}]}


def test_a_bearer_is_a_token_too() -> None:
    site = Site()
    site.headers = {"authorization": "Bearer secret"}
    assert site.rows("/user")["username"] == "reader"
    assert site.ask("{ currentUser { username } }")["data"]["currentUser"] == {"username": "reader"}


def test_a_scope_that_is_too_small_is_refused() -> None:
    site = Site()
    site.world.token("secret", scopes=("read_user",))
    assert site.get(CORE).status == 403
    assert site.rows("/personal_access_tokens/self")["scopes"] == ["read_user"]


def test_what_a_token_does_not_see_does_not_exist() -> None:
    site = Site()
    site.world.token("secret", hidden=["platform/core"])
    assert site.get(CORE).status == 404
    assert site.get(f"{CORE}/merge_requests").status == 404
    assert site.ask('{ project(fullPath: "platform/core") { id } }') == {"data": {"project": None}}
    assert [row["path_with_namespace"] for row in site.rows("/groups/platform/projects")] == ["platform/tools"]


@pytest.mark.parametrize(
    "query",
    ["state=shut", "per_page=0", "page=x", "order_by=name", "sort=up", "updated_after=yesterday", "scope=mine"],
)
def test_parameters_that_make_no_sense_are_refused(query: str) -> None:
    assert Site().get(f"{CORE}/merge_requests?{query}").status == 400


def test_deployments_filtered_by_update_are_sorted_by_it() -> None:
    site = Site()
    assert site.get(f"{CORE}/deployments?updated_after=2026-01-01T00:00:00Z").status == 400
    found = site.rows(
        f"{CORE}/deployments?updated_after=2026-01-01T00:00:00Z&order_by=updated_at&sort=asc&status=success"
    )
    assert [row["environment"]["name"] for row in found] == ["staging", "production"]


def test_pages_have_the_documented_headers() -> None:
    world = World()
    for number in range(7):
        world.project("platform/core") if not number else None
        world.projects[0].issue(world.user(f"u{number}"), at(number))
    site = Site(world)
    page = site.get(f"{CORE}/issues?per_page=3&page=2&state=all")
    headers = page.headers
    assert (headers["X-Total"], headers["X-Total-Pages"], headers["X-Next-Page"], headers["X-Prev-Page"]) == (
        "7",
        "3",
        "3",
        "1",
    )
    assert f'<{ORIGIN}/api/v4{CORE}/issues?per_page=3&page=3&state=all>; rel="next"' in headers["Link"]
    assert 'rel="next"' not in site.get(f"{CORE}/issues?per_page=3&page=3").headers["Link"]


def test_a_page_holds_at_most_100_rows_and_offsets_end(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    ada, core = world.user("ada"), world.project("platform/core")
    for _ in range(120):
        core.issue(ada, at(1))
    site = Site(world)
    assert len(site.rows(f"{CORE}/issues?per_page=500")) == 100
    monkeypatch.setattr(pages, "OFFSETS", 50)
    monkeypatch.setattr(pages, "COUNTED", 100)
    assert site.get(f"{CORE}/issues?per_page=20&page=3").status == 405
    headers = site.get(f"{CORE}/issues?per_page=20&page=2").headers
    assert "X-Total" not in headers
    assert 'rel="last"' not in headers["Link"]


def test_projects_page_by_keyset() -> None:
    site = Site()
    first = site.get("/projects?pagination=keyset&order_by=id&sort=asc&per_page=1")
    assert "id_after=" in first.headers["Link"]
    assert site.get("/projects?pagination=keyset&order_by=name").status == 400


def test_a_former_path_leads_to_the_project() -> None:
    site = Site()
    site.world.projects[0].rename("payments/core")
    moved = site.get(f"{CORE}/issues?state=all")
    assert moved.status == 301
    assert moved.headers["Location"] == f"{ORIGIN}/api/v4/projects/{site.world.projects[0].id}/issues?state=all"


def test_nothing_can_be_written() -> None:
    site = Site()
    assert site.app(Request("POST", f"/api/v4{CORE}/issues", {}, site.headers, b"{}", ORIGIN)).status == 405
    assert "errors" in site.ask('mutation { issueSetLocked(input: {iid: "1"}) { issue { id } } }')


def test_an_instance_without_graphql_answers_404() -> None:
    site = Site(graphql=False)
    body = b'{"query": "{ currentUser { id } }"}'
    assert site.app(Request("POST", "/api/graphql", {}, site.headers, body, ORIGIN)).status == 404


def test_a_field_that_does_not_exist_is_named_in_gitlabs_words() -> None:
    answer = Site().ask('{ project(fullPath: "platform/core") { karma } }')
    assert answer == {"errors": [{"message": "Field 'karma' doesn't exist on type 'Project'"}]}


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("{ currentUser { id username } }", 3),
        ('{ project(fullPath: "a/b") { id } }', 2),
        ('{ project(fullPath: "a/b") { mergeRequests(first: 100) { nodes { iid } } } }', 7),
        (
            '{ project(fullPath: "a/b") { mergeRequests(first: 100, sort: UPDATED_ASC) { nodes { iid mergedAt } } } }',
            19,
        ),
        ('{ project(fullPath: "a/b") { mergeRequests(iids: ["1"]) { nodes { iid } } } }', 4),
        ('{ project(fullPath: "a/b") { mergeRequest(iid: "1") { diffHeadSha labels { nodes { title } } } } }', 11),
    ],
)
def test_a_query_costs_what_the_documentation_says(query: str, points: int) -> None:
    assert score(schema(), parse(query), {}) == points


def test_a_query_over_the_limit_is_refused_with_its_score() -> None:
    query = '{ queryComplexity { score limit } project(fullPath: "platform/core") { mergeRequests { nodes { iid } } } }'
    assert Site().ask(query)["data"]["queryComplexity"] == {"score": 10, "limit": 250}
    (error,) = Site(limit=9).ask(query)["errors"]
    assert error["message"] == "Query has complexity of 10, which exceeds max complexity of 9"


def test_a_cursor_passes_nothing_over_while_rows_move() -> None:
    world = World()
    ada, core = world.user("ada"), world.project("platform/core")
    changes = [core.merge_request(ada, at(number)) for number in range(6)]
    site = Site(world)
    query = """query($after: String) {
        project(fullPath: "platform/core") {
            mergeRequests(first: 2, after: $after, sort: UPDATED_ASC) {
                pageInfo { endCursor hasNextPage }
                nodes { iid }
            }
        }
    }"""
    seen: list[str] = []
    cursor = None
    for turn in range(9):
        found = site.ask(query, after=cursor)["data"]["project"]["mergeRequests"]
        seen += [node["iid"] for node in found["nodes"]]
        cursor = found["pageInfo"]["endCursor"]
        if turn == 0:
            changes[0].comment(ada, at(100))
            changes[3].comment(ada, at(101))
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["1", "2", "3", "5", "6", "1", "4"]
    assert "errors" in site.ask(query, after="nonsense")


def test_graphql_tells_whole_seconds_and_rest_milliseconds() -> None:
    site = Site()
    change = site.world.projects[0].merge_requests[0]
    change.touch(at(500.0001))
    (row,) = site.rows(f"{CORE}/merge_requests?iids[]=1&state=all")
    found = site.ask('{ project(fullPath: "platform/core") { mergeRequest(iid: "1") { updatedAt } } }')
    assert row["updated_at"] == "2026-10-26T05:00:00.360Z"
    assert found["data"]["project"]["mergeRequest"]["updatedAt"] == "2026-10-26T05:00:00Z"


def test_state_events_are_no_notes() -> None:
    site = Site()
    iid = site.world.projects[0].merge_requests[2].iid
    events = site.rows(f"{CORE}/merge_requests/{iid}/resource_state_events")
    assert [row["state"] for row in events] == ["closed", "reopened", "closed"]
    assert not [row for row in site.rows(f"{CORE}/merge_requests/{iid}/notes") if "closed" in row["body"]]
    reopened = site.rows(f"{CORE}/events?action=reopened")
    assert sorted((row["target_type"], row["target_iid"]) for row in reopened) == [("Issue", 1), ("MergeRequest", iid)]
    assert site.rows(f"{CORE}/events?action=reopened&after=2026-10-06") == []
    assert site.get(f"{CORE}/events?after=soon").status == 400


def test_a_limit_can_be_put_in_the_way() -> None:
    answer = limited(30)
    assert (answer.status, answer.headers["Retry-After"], answer.headers["RateLimit-Remaining"]) == (429, "30", "0")
    assert limited(30, named=False).headers == {}
