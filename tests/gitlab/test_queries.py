"""The GraphQL documents: valid, within the limits, and without fragments, which the wire's check looks past."""

from __future__ import annotations

import json

import pytest
from graphql import GraphQLSchema, parse, validate

from pipmetrics.demo.gitlab.app import LONGEST
from pipmetrics.demo.gitlab.complexity import LIMIT, score
from pipmetrics.demo.gitlab.graph import schema
from pipmetrics.transport.reading import is_read
from pipmetrics_gitlab import queries
from pipmetrics_gitlab.graphql_reader import ALONG, NIGHT
from pipmetrics_gitlab.projects import TOGETHER
from pipmetrics_gitlab.queries import More

MORE = [More("changes", n, part, "c") for n, part in enumerate(("notes", "commits", "pipelines", "notes", "notes"))]
DOCUMENTS = {
    "changes": queries.lists("changes", 100),
    "issues": queries.lists("issues", 100),
    "night": queries.lists("changes", NIGHT, and_latest=True),
    "rest of changes": queries.rest(MORE[:ALONG]),
    "rest of an issue": queries.rest([More("issues", 1, "notes", "c")]),
    "survey": queries.survey(TOGETHER),
    "group": queries.group(100),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_is_valid_and_within_the_limits(name: str) -> None:
    document = DOCUMENTS[name]
    assert validate(schema(), parse(document)) == []
    assert score(schema(), parse(document), {}) <= LIMIT
    assert len(document) < LONGEST
    assert "fragment" not in document
    assert "..." not in document


@pytest.mark.parametrize("name", DOCUMENTS)
def test_optional_fields_can_be_left_out(name: str) -> None:
    for fields in (*([field] for field in queries.OPTIONAL), sorted(queries.OPTIONAL)):
        document = queries.without(DOCUMENTS[name], fields)
        assert validate(GraphQLSchema(schema().query_type), parse(document)) == []
        assert not any(f" {field} " in document for field in fields)


def test_the_wire_lets_the_documents_pass() -> None:
    bodies = [json.dumps({"query": document}).encode() for document in DOCUMENTS.values()]
    assert all(is_read("POST", "/api/graphql", body) for body in bodies)
