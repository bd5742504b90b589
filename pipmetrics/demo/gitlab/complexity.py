"""What a GraphQL query costs, as GitLab's documentation and guidelines describe it.

A field costs 1, one more if it reads the repository, and some have a fixed price of their own; what is selected in a
field comes on top. A list with a resolver costs its fields, 1 for itself and 1 for a sort, and 1 % of that more for
every row that is asked for. (Searching by number spares the rows.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)

LIMIT, ANONYMOUS_LIMIT = 250, 200
ROWS = 100
"""The most rows of a connection, and the number where none is given."""

FIXED = {
    "MergeRequest.mergedAt": 5,
    "MergeRequest.labels": 5,
    "MergeRequest.reviewers": 5,
    "MergeRequest.assignees": 5,
}
REPOSITORY = frozenset({
    "MergeRequest.diffHeadSha", "MergeRequest.diffStats", "MergeRequest.commits", "Commit.title", "Repository.rootRef",
})  # fmt: skip
RESOLVED = frozenset({
    "Query.project", "Query.group", "Group.projects", "Project.mergeRequest", "Project.mergeRequests", "Project.issue",
    "Project.issues", "Project.environments", "Environment.lastDeployment", "MergeRequest.notes", "Issue.notes",
    "MergeRequest.pipelines", "Issue.labels",
})  # fmt: skip


def score(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """The complexity of the one operation of a valid document."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    operation = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    assert schema.query_type is not None
    return _Scale(schema, fragments, variables).selected(operation.selection_set, schema.query_type)


class _Scale:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self.schema, self.fragments, self.variables = schema, fragments, dict(variables)

    def selected(self, selection: SelectionSetNode | None, owner: GraphQLObjectType) -> int:
        total = 0
        for one in selection.selections if selection else ():
            if isinstance(one, FieldNode):
                total += self.field(one, owner)
            elif isinstance(one, FragmentSpreadNode):
                total += self.selected(self.fragments[one.name.value].selection_set, owner)
            elif isinstance(one, InlineFragmentNode):
                total += self.selected(one.selection_set, owner)
        return total

    def field(self, node: FieldNode, owner: GraphQLObjectType) -> int:
        name = node.name.value
        if name.startswith("__"):
            return 0
        definition = owner.fields[name]
        kind = get_named_type(definition.type)
        inside = self.selected(node.selection_set, kind) if isinstance(kind, GraphQLObjectType) else 0
        key = f"{owner.name}.{name}"
        if key not in RESOLVED:
            return inside + FIXED.get(key, 1 + (key in REPOSITORY))
        given = {one.name.value: value_from_ast_untyped(one.value, self.variables) for one in node.arguments or ()}
        cost = inside + 1 + (1 if given.get("sort") else 0)
        rows = min(ROWS, given.get("first") or ROWS) if kind.name.endswith("Connection") else 0
        return int(cost * (1 + (0 if given.get("iids") else 0.01 * rows)))
