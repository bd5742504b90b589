"""The schema with its resolvers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

from graphql import (
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    extend_schema,
    parse,
)

from pipmetrics.demo.github.fields import ATTRIBUTES, COMMON, LISTS, web_page
from pipmetrics.demo.github.limits import Refusal
from pipmetrics.demo.github.nodes import Session, find_node
from pipmetrics.demo.github.pages import stamp
from pipmetrics.demo.github.work import Account, Issue
from pipmetrics.demo.github.world import Repository

Info: TypeAlias = GraphQLResolveInfo[Session]

TYPED_ISSUES = """
type IssueType implements Node { id: ID! name: String! }
extend type Issue { issueType: IssueType }
"""


def _repository(session: Session, owner: str, name: str, *, follow: bool) -> Repository:
    found = session.find(f"{owner}/{name}")
    if found is None or (not follow and found.full_name.lower() != f"{owner}/{name}".lower()):
        raise Refusal("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
    return found


def _account(session: Session, login: str, *kinds: str) -> Account | None:
    return next(
        (each for each in session.world.accounts if each.login.lower() == login.lower() and each.kind in kinds), None
    )


def _somebody(session: Session, login: str, kind: str) -> Account:
    found = _account(session, login, kind)
    if found is None:
        raise Refusal("NOT_FOUND", f"Could not resolve to a {kind} with the login of '{login}'.")
    return found


def _node(session: Session, id: str) -> Any:
    found = find_node(session, id)
    if found is None:
        raise Refusal("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'.")
    return found


def _nodes(session: Session, ids: list[str]) -> list[Any]:
    if len(ids) > 100:
        raise Refusal("ARGUMENT_LIMIT", f"You may not provide more than 100 node ids; you provided {len(ids)}.")
    missing = (Refusal("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'.") for id in ids)
    return [find_node(session, id) or gone for id, gone in zip(ids, missing, strict=True)]


def _root(session: Session, name: str, args: Mapping[str, Any]) -> Any:
    match name:
        case "repository":
            return _repository(session, args["owner"], args["name"], follow=args.get("followRenames", True))
        case "repositoryOwner":
            return _account(session, args["login"], "User", "Organization")
        case "user" | "organization":
            return _somebody(session, args["login"], name.capitalize())
        case "viewer":
            return session.world.account(session.token.login)
        case "rateLimit":
            return session.rate
        case "node":
            return _node(session, args["id"])
        case _:
            return _nodes(session, args["ids"])


def _numbered(repository: Repository, kind: str, number: int) -> Any:
    things: list[Any] = [*(repository.pulls if kind == "pullRequest" else repository.issues)]
    for thing in things:
        if thing.number == number:
            return thing
    raise Refusal("NOT_FOUND", f"Could not resolve to a {kind[0].upper()}{kind[1:]} with the number of {number}.")


def _state_reason(issue: Issue, *, tells_duplicates: bool) -> str | None:
    return "NOT_PLANNED" if issue.state_reason == "DUPLICATE" and not tells_duplicates else issue.state_reason


def resolve(thing: Any, info: Info, **args: Any) -> Any:
    """The value of any field as it is written."""
    value = _value(thing, info, args)
    return stamp(value) if isinstance(value, datetime) else value


def _value(thing: Any, info: Info, args: Mapping[str, Any]) -> Any:
    """A root, a list, what the tables know, or the attribute of the same name."""
    kind, name = info.parent_type.name, info.field_name
    if kind == "Query":
        return _root(info.context, name, args)
    if page := LISTS.get(f"{kind}.{name}"):
        return page(thing, info.context, args)
    if own := ATTRIBUTES.get(f"{kind}.{name}"):
        return own(thing)
    if isinstance(thing, Mapping):
        return thing.get(name)
    return _plain(thing, info.context, name, args)


def _plain(thing: Any, session: Session, name: str, args: Mapping[str, Any]) -> Any:
    if name == "stateReason":
        return _state_reason(thing, tells_duplicates=args.get("enableDuplicate", False))
    if name in ("pullRequest", "issue"):
        return _numbered(thing, name, args["number"])
    if name == "url":
        return web_page(thing, session.url)
    return COMMON[name](thing) if name in COMMON else getattr(thing, name)


@cache
def schema(issue_types: bool = False) -> GraphQLSchema:
    """The schema; with issue types when this version of the service has them."""
    text = files("pipmetrics.demo.github").joinpath("schema.graphql").read_text(encoding="utf-8")
    made = build_schema(text)
    if issue_types:
        made = extend_schema(made, parse(TYPED_ISSUES))
    for name, kind in made.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            for each in kind.fields.values():
                each.resolve = resolve
    return made
