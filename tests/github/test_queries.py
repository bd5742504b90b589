"""Every question is one that the documented schema answers, bounded and reading only."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import parse, validate

from pipmetrics.demo.github.graph import schema
from pipmetrics.demo.github.limits import MOST_NODES, weigh
from pipmetrics.model import Source
from pipmetrics.transport.reading import is_read
from pipmetrics_github import queries
from pipmetrics_github.streams import KINDS, Wish


def step(size: int, issue_types: bool = False) -> tuple[str, dict[str, Any]]:
    """The largest question: all streams of a repository at once."""
    wish = Wish(("production",), ("*/*",), issue_types)
    types, variables = {"owner": "String!", "name": "String!"}, {"owner": "a", "name": "b"}
    for name in KINDS:
        types |= {f"{name}_size": "Int!", f"{name}_after": "String"}
        variables |= {f"{name}_size": size, f"{name}_after": None}  # type: ignore[dict-item] # JSON values
    pages = " ".join(kind.page(wish.selection(kind), wish.arguments(kind)) for kind in KINDS.values())
    body = f"{queries.REPOSITORY} {{ {queries.IDENTITY} {pages} }}"
    watched = queries.nodes({kind.type: wish.selection(kind) for kind in KINDS.values()})
    return queries.query(body + watched, ids="[ID!]!", **types), {**variables, "ids": ["x"] * 20}


QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "step": step(100),
    "survey": (queries.survey({f"a/b{n}": list(KINDS) for n in range(50)}, ', environments: ["production"]'), {}),
    "continuations": (queries.continuations((owner, name, "x") for owner, name in queries.LIST), {}),
    "numbers": (queries.numbers("a/b", "cursor"), {}),
    "owned": (queries.owned("a", None), {}),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_schema_knows_every_field_and_the_limits_hold(name: str) -> None:
    text, variables = QUESTIONS[name]
    document = parse(text)
    assert validate(schema(), document) == []
    weight = weigh(schema(), document, variables)
    assert weight.nodes < MOST_NODES
    assert weight.cost <= 100


def test_issue_types_are_asked_for_only_where_there_are_some() -> None:
    text, _ = step(10, issue_types=True)
    assert [error.message for error in validate(schema(), parse(text))] != []
    assert validate(schema(issue_types=True), parse(text)) == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_a_read_and_begins_as_one(name: str) -> None:
    import json

    text, _ = QUESTIONS[name]
    assert text.startswith("query")
    assert is_read("POST", "/graphql", json.dumps({"query": text}).encode())


def test_names_cannot_break_out_of_their_quotes() -> None:
    text = queries.repository('a"b/c\\d\n"', "id")
    assert validate(schema(), parse(queries.query(text))) == []


def test_a_source_says_which_environments_and_releases_it_wants() -> None:
    plain = Source("hub", "github", "https://api.github.com", production=("production", "live"))
    assert Wish.of(plain).arguments(KINDS["deployments"]) == ', environments: ["production", "live"]'
    assert Wish.of(plain).arguments(KINDS["pulls"]) == ""
    wild = Source(
        "hub", "github", "https://api.github.com", production=("prod-*",), options={"releases": ("acme/lib-*",)}
    )
    assert Wish.of(wild).arguments(KINDS["deployments"]) == ""
    assert Wish.of(wild).releases_of("Acme/Lib-core")
    assert not Wish.of(wild).releases_of("acme/api")
