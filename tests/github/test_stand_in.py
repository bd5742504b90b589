"""The stand-in refuses what the service refuses, and answers as it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from pipmetrics.demo.github import World, app
from pipmetrics.demo.service import Service, serve

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOKEN = {"Authorization": "Bearer secret-of-the-hub"}


@pytest.fixture
def service(world: World) -> Iterator[Service]:
    with serve(app(world)) as running:
        yield running


@pytest.fixture
def ask(world: World, service: Service) -> Callable[..., Any]:
    """ask(query, **variables) gives the GraphQL answer."""
    api, ada = world.repository("acme/api"), world.account("ada")
    for n in range(5):
        api.pull(ada, START + timedelta(hours=n), f"Change {n}", commits=[api.commit(ada, START)])

    def question(query: str, **variables: Any) -> Any:
        asked = {"query": query, "variables": variables}
        return requests.post(service.url + "/graphql", json=asked, headers=TOKEN, timeout=5).json()

    return question


def pulls(arguments: str, selection: str = "number") -> str:
    page = f"nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }}"
    return f'{{ repository(owner: "acme", name: "api") {{ pullRequests({arguments}) {{ {page} }} }} }}'


def told(answer: Any) -> str:
    [error] = answer["errors"]
    assert "data" not in answer or None in answer["data"].values()
    return str(error.get("type") or error["extensions"]["code"])


CHECKS = "commits(first: 100) { nodes { commit { statusCheckRollup { contexts(first: 100) { totalCount } } } } }"


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (pulls("orderBy: {field: UPDATED_AT, direction: DESC}"), "MISSING_PAGINATION_BOUNDARIES"),
        (pulls("first: 101"), "EXCESSIVE_PAGINATION"),
        (pulls("last: 101"), "EXCESSIVE_PAGINATION"),
        (pulls("first: 5", "nothing"), "undefinedField"),
        (pulls("first: 5, since: 3"), "argumentNotAccepted"),
        (pulls('first: 5, after: "nonsense"'), "INVALID_CURSOR_ARGUMENTS"),
        (pulls("first: 100", CHECKS), "MAX_NODE_LIMIT_EXCEEDED"),
        ('{ repository(owner: "acme", name: "no") { id } }', "NOT_FOUND"),
        ('{ user(login: "nobody") { id } }', "NOT_FOUND"),
        ('{ node(id: "PR_0") { id } }', "NOT_FOUND"),
    ],
)  # fmt: skip
def test_what_the_service_refuses(ask: Callable[..., Any], query: str, kind: str) -> None:
    assert told(ask(query)) == kind


def test_counting_alone_needs_no_bounds(ask: Callable[..., Any]) -> None:
    answer = ask('{ repository(owner: "acme", name: "api") { pullRequests { totalCount } } }')
    assert answer["data"]["repository"]["pullRequests"]["totalCount"] == 5


def test_bounds_may_be_variables_and_defaults(ask: Callable[..., Any]) -> None:
    query = "query($n: Int = 2) " + pulls("first: $n")
    assert len(ask(query)["data"]["repository"]["pullRequests"]["nodes"]) == 2
    assert len(ask(query, n=3)["data"]["repository"]["pullRequests"]["nodes"]) == 3
    assert told(ask(query, n=1000)) == "EXCESSIVE_PAGINATION"


def test_a_list_is_read_by_keys_while_it_moves(ask: Callable[..., Any], world: World) -> None:
    order = "orderBy: {field: UPDATED_AT, direction: DESC}"
    first = ask(pulls(f"first: 2, {order}"))["data"]["repository"]["pullRequests"]
    assert [node["number"] for node in first["nodes"]] == [5, 4]
    api = world.repository("acme/api")
    api.pulls[0].comment(world.account("ada"), START + timedelta(days=1))
    api.pulls.pop(3)
    cursor = first["pageInfo"]["endCursor"]
    rest = ask(pulls(f'first: 9, after: "{cursor}", {order}'))["data"]["repository"]["pullRequests"]
    assert [node["number"] for node in rest["nodes"]] == [3, 2]
    assert rest["pageInfo"]["hasNextPage"] is False


def test_the_last_ones_come_in_the_same_order(ask: Callable[..., Any]) -> None:
    page = ask(pulls("last: 2"))["data"]["repository"]["pullRequests"]
    assert [node["number"] for node in page["nodes"]] == [4, 5]


def test_partial_answers_have_data_and_errors(ask: Callable[..., Any]) -> None:
    answer = ask(
        '{ a: repository(owner: "acme", name: "api") { name } b: repository(owner: "acme", name: "no") { name } }'
    )
    assert answer["data"] == {"a": {"name": "api"}, "b": None}
    assert (answer["errors"][0]["type"], answer["errors"][0]["path"]) == ("NOT_FOUND", ["b"])


def test_pending_reviews_are_shown_to_their_author_alone(ask: Callable[..., Any], world: World) -> None:
    pull = world.repository("acme/api").pulls[0]
    pull.review(world.account("reader"), None)
    pull.review(world.account("lee"), None)
    reviews = "pullRequest(number: 1) { reviews(first: 9) { nodes { state } } }"
    answer = ask(f'{{ repository(owner: "acme", name: "api") {{ {reviews} }} }}')
    assert answer["data"]["repository"]["pullRequest"]["reviews"]["nodes"] == [{"state": "PENDING"}]


def test_a_question_has_its_price_and_the_budget_ends(ask: Callable[..., Any], world: World, service: Service) -> None:
    world.tokens["secret-of-the-hub"].points = 40
    query = "{ rateLimit { cost remaining limit } " + pulls("first: 100", "a: reviews(first: 9) { totalCount }")[1:]
    assert ask(query)["data"]["rateLimit"] == {"cost": 1, "remaining": 39, "limit": 40}
    heavy = pulls("first: 100", CHECKS.replace("100", "20"))
    assert "errors" not in ask(heavy)
    assert ask(heavy)["errors"][0]["type"] == "RATE_LIMITED"
    answer = requests.get(service.url + "/rate_limit", headers=TOKEN, timeout=5).json()
    assert answer["resources"]["core"]["remaining"] == 40


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret-of-the-hub"}])
@pytest.mark.parametrize("path", ["/graphql", "/user", "/api/v3/user", "/api/graphql"])
def test_a_wrong_token_is_refused(service: Service, headers: dict[str, str], path: str) -> None:
    answer = requests.post(service.url + path, json={"query": "{ viewer { login } }"}, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_rest_pages_have_links_and_hidden_things_are_not_found(ask: Any, world: World, service: Service) -> None:
    for n in range(130):
        world.repository(f"acme/r{n}")

    def get(path: str) -> requests.Response:
        return requests.get(service.url + path, headers=TOKEN, timeout=5)

    first = get("/orgs/acme/repos?per_page=1000")
    assert (len(first.json()), first.links["next"]["url"]) == (
        100,
        f"{service.url}/orgs/acme/repos?per_page=1000&page=2",
    )
    second = requests.get(first.links["next"]["url"], headers=TOKEN, timeout=5)
    assert (len(second.json()), "next" in second.links, "first" in second.links) == (31, False, True)
    world.tokens["secret-of-the-hub"].hidden.add("acme/r7")
    assert (
        get("/repos/acme/r7").status_code
        == get("/repos/acme/none").status_code
        == get("/users/nobody").status_code
        == 404
    )
    world.repository("acme/r8").rename("r8-new")
    moved = get("/repos/acme/r8")
    assert (moved.url, moved.json()["full_name"]) == (f"{service.url}/repos/acme/r8-new", "acme/r8-new")
    assert get("/repos/acme/api/commits").status_code == 409
    assert len(get("/repos/acme/api/pulls?state=all").json()) == 5


def test_nothing_can_be_written(ask: Any, service: Service) -> None:
    assert requests.post(service.url + "/repos/acme/api/pulls", json={}, headers=TOKEN, timeout=5).status_code == 404
    assert requests.get(service.url + "/graphql", headers=TOKEN, timeout=5).status_code == 404
    assert requests.post(service.url + "/graphql", data="{", headers=TOKEN, timeout=5).status_code == 400
