"""What GitHub refuses before it looks at anything: unbounded or oversized pages, questions that name too many nodes.

See "Rate limits and query limits for the GraphQL API" in GitHub's documentation: every connection is bounded by `first`
or `last` between 1 and 100, the nodes that a query can name are the product of the bounds along each path, at most
500,000 in all, and its cost is a hundredth of the requests that filling the connections one by one would take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

MOST_NODES = 500_000
LARGEST_PAGE = 100


class Refusal(Exception):
    """A question that GitHub does not answer; `kind` is the type of the error."""

    def __init__(self, kind: str, message: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind, self.message, self.path = kind, message, path


@dataclass(frozen=True, slots=True)
class Weight:
    """How many nodes a question can name at most, and what it costs in points."""

    nodes: int
    requests: int

    @property
    def cost(self) -> int:
        return max(1, round(self.requests / 100))


def weigh(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> Weight:
    """The weight of a valid document; Refusal when it breaks a limit."""
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    operation = next(part for part in document.definitions if isinstance(part, OperationDefinitionNode))
    scale = _Scale(schema, fragments, {**_defaults(operation), **variables})
    assert schema.query_type is not None
    weight = scale.weigh(operation.selection_set, schema.query_type, 1, ())
    if weight.nodes > MOST_NODES:
        raise Refusal(
            "MAX_NODE_LIMIT_EXCEEDED",
            f"This query requests up to {weight.nodes:,} possible nodes, more than the limit of {MOST_NODES:,}.",
        )
    return weight


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    declared = operation.variable_definitions or ()
    return {
        each.variable.name.value: value_from_ast_untyped(each.default_value) for each in declared if each.default_value
    }


@dataclass(frozen=True, slots=True)
class _Scale:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def weigh(self, chosen: SelectionSetNode, on: GraphQLCompositeType, times: int, path: tuple[str, ...]) -> Weight:
        nodes = requests = 0
        for part in chosen.selections:
            if isinstance(part, FieldNode):
                found = self.field(part, on, times, path)
            else:
                found = self.spread(part, on, times, path)
            nodes, requests = nodes + found.nodes, requests + found.requests
        return Weight(nodes, requests)

    def spread(self, part: Any, on: GraphQLCompositeType, times: int, path: tuple[str, ...]) -> Weight:
        if isinstance(part, FragmentSpreadNode):
            fragment = self.fragments[part.name.value]
            return self.weigh(fragment.selection_set, self.named(fragment.type_condition.name.value), times, path)
        assert isinstance(part, InlineFragmentNode)
        inner = self.named(part.type_condition.name.value) if part.type_condition else on
        return self.weigh(part.selection_set, inner, times, path)

    def named(self, name: str) -> GraphQLCompositeType:
        found = self.schema.type_map[name]
        assert is_composite_type(found)
        return found

    def field(self, part: FieldNode, on: GraphQLCompositeType, times: int, path: tuple[str, ...]) -> Weight:
        defined = self.definition(part, on)
        if defined is None or part.selection_set is None:
            return Weight(0, 0)
        inner, here = get_named_type(defined.type), (*path, part.alias.value if part.alias else part.name.value)
        assert is_composite_type(inner)
        if not inner.name.endswith("Connection"):
            return self.weigh(part.selection_set, inner, times, here)
        bound = self.bound(part, here)
        below = self.weigh(part.selection_set, inner, times * bound, here)
        return Weight(times * bound + below.nodes, times + below.requests)

    def definition(self, part: FieldNode, on: GraphQLCompositeType) -> GraphQLField | None:
        if isinstance(on, GraphQLObjectType | GraphQLInterfaceType):
            found: GraphQLField | None = on.fields.get(part.name.value)
            return found
        return None

    def bound(self, part: FieldNode, path: tuple[str, ...]) -> int:
        given = {
            each.name.value: value_from_ast_untyped(each.value, dict(self.variables)) for each in part.arguments or ()
        }
        bounds = [given[name] for name in ("first", "last") if given.get(name) is not None]
        name = part.name.value
        if not bounds:
            if self.only_counts(part):
                return 0
            message = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
            raise Refusal("MISSING_PAGINATION_BOUNDARIES", message, path)
        if not 0 <= bounds[0] <= LARGEST_PAGE:
            message = (
                f"Requesting {bounds[0]} records on the `{name}` connection exceeds the `first` limit of 100 records."
            )
            raise Refusal("EXCESSIVE_PAGINATION", message, path)
        return int(bounds[0])

    def only_counts(self, part: FieldNode) -> bool:
        chosen = part.selection_set.selections if part.selection_set else ()
        return all(isinstance(each, FieldNode) and each.name.value == "totalCount" for each in chosen)
