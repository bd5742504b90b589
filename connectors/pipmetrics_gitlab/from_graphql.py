"""GraphQL nodes as values. What has to be there and is not raises Holed; what a version may lack has a default."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from pipmetrics.model import Json
from pipmetrics_gitlab.api import Holed
from pipmetrics_gitlab.queries import More
from pipmetrics_gitlab.reading import day, instant
from pipmetrics_gitlab.values import DONE, Change, Commit, Issue, Note, Pipeline, Project, Transition, User

Value = TypeVar("Value")
Node = Mapping[str, Json]


def _hole(what: str) -> Holed:
    return Holed(f"a GraphQL answer without {what}", where="POST /api/graphql")


def needed(node: Node, name: str) -> Json:
    found = node.get(name)
    if found is None:
        raise _hole(name)
    return found


def number(gid: Json) -> str:
    """The database id at the end of a global id (gid://gitlab/User/7)."""
    return str(gid).rpartition("/")[2]


def _when(node: Node, name: str) -> datetime:
    return instant(needed(node, name))


def _maybe(node: Node, name: str) -> datetime | None:
    return instant(node[name]) if node.get(name) else None


def user(node: Node | None) -> User | None:
    if not node or not node.get("username"):
        return None
    id = number(node["id"]) if node.get("id") else None
    return User(id, str(node["username"]), bool(node.get("bot")), node.get("publicEmail") or None)


def nodes(connection: Node | None, make: Callable[[Node], Value]) -> tuple[Value, ...]:
    """The rows of a connection; a list that is hidden as a whole (null) has none, a null row is a hole."""
    if connection is None:
        return ()
    rows = connection.get("nodes")
    if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
        raise _hole("all of its rows")
    return tuple(make(row) for row in rows)


def following(connection: Node | None) -> str | None:
    """The cursor of what the connection still holds, None at its end."""
    if connection is None:
        return None
    page = connection.get("pageInfo")
    if not isinstance(page, dict) or not isinstance(page.get("hasNextPage"), bool):
        raise _hole("pageInfo")
    return str(needed(page, "endCursor")) if page["hasNextPage"] else None


def note(node: Node) -> Note:
    return Note(
        id=number(needed(node, "id")),
        at=_when(node, "createdAt"),
        author=user(node.get("author")),
        body=node.get("body") or "",
        system=bool(node.get("system")),
        diff=node.get("position") is not None,
        thread=number((node.get("discussion") or {}).get("id") or ""),
    )


def commit(node: Node) -> Commit:
    committed = _maybe(node, "committedDate") or _maybe(node, "authoredDate")
    if committed is None:
        raise _hole("the date of a commit")
    message = node.get("message") or ""
    return Commit(
        str(needed(node, "sha")),
        _maybe(node, "authoredDate") or committed,
        committed,
        message,
        user(node.get("author")),
    )


def pipeline(node: Node) -> Pipeline:
    status = str(needed(node, "status")).lower()
    ended = _maybe(node, "finishedAt") or (_maybe(node, "updatedAt") if status in DONE else None)
    return Pipeline(number(needed(node, "id")), str(needed(node, "sha")), status, ended)


def _labels(node: Node) -> tuple[str, ...]:
    return nodes(node.get("labels"), lambda label: str(label.get("title") or label.get("name") or ""))


def _users(node: Node, *names: str) -> tuple[User, ...]:
    return tuple(one for name in names for one in nodes(node.get(name), user) if one is not None)


def change(node: Node) -> Change:
    stats = node.get("diffStats")
    files = tuple((str(one["path"]), int(one["additions"]), int(one["deletions"])) for one in stats or ())
    return Change(
        id=number(needed(node, "id")),
        iid=int(needed(node, "iid")),
        url=str(node.get("webUrl") or ""),
        title=str(needed(node, "title")),
        description=node.get("description") or "",
        state=str(needed(node, "state")).lower(),
        draft=bool(node.get("draft")),
        created=_when(node, "createdAt"),
        updated=_when(node, "updatedAt"),
        author=user(node.get("author")),
        source_branch=str(node.get("sourceBranch") or ""),
        target_branch=str(node.get("targetBranch") or ""),
        merged=_maybe(node, "mergedAt"),
        merged_by=user(node.get("mergeUser")),
        head=node.get("diffHeadSha"),
        landed=node.get("mergeCommitSha"),
        squashed=bool(node.get("squashOnMerge", True)),
        labels=_labels(node),
        reviewers=_users(node, "reviewers"),
        others=_users(node, "assignees", "approvedBy"),
        notes=nodes(needed(node, "notes"), note),
        commits=nodes(node.get("commits"), commit),
        pipelines=nodes(node.get("pipelines"), pipeline),
        files=files,
        complete=stats is not None,
    )


def issue(node: Node) -> Issue:
    closed = _maybe(node, "closedAt") if str(node.get("state")).lower() == "closed" else None
    return Issue(
        id=number(needed(node, "id")),
        iid=int(needed(node, "iid")),
        url=str(node.get("webUrl") or ""),
        title=str(needed(node, "title")),
        description=node.get("description") or "",
        state=str(needed(node, "state")).lower(),
        type=str(node["type"]).lower() if node.get("type") else None,
        created=_when(node, "createdAt"),
        updated=_when(node, "updatedAt"),
        author=user(node.get("author")),
        due=day(node.get("dueDate")),
        labels=_labels(node),
        assignees=_users(node, "assignees"),
        notes=nodes(needed(node, "notes"), note),
        closed=Transition("closed", closed, None) if closed else None,
        duplicate=bool(node.get("closedAsDuplicateOf")),
        moved=bool(node.get("moved")),
    )


def project(node: Node) -> Project:
    branch = (node.get("repository") or {}).get("rootRef")
    return Project(number(needed(node, "id")), str(needed(node, "fullPath")), str(node.get("webUrl") or ""), branch)


def unread(kind: str, node: Node) -> Iterator[More]:
    """The lists inside a row that hold more than was given."""
    for part in ("notes", "commits", "pipelines") if kind == "changes" else ("notes",):
        cursor = following(node.get(part))
        if cursor is not None:
            yield More(kind, int(needed(node, "iid")), part, cursor)
