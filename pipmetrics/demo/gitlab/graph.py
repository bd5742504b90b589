"""GraphQL: the schema's fields out of the World."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema

from pipmetrics.demo.gitlab.complexity import ROWS
from pipmetrics.demo.gitlab.shapes import web_url
from pipmetrics.demo.gitlab.work import Issue, MergeRequest, Note
from pipmetrics.demo.gitlab.world import Deployment, Project, Token, World


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks, where, and what the query scores."""

    world: World
    token: Token
    origin: str
    score: int
    limit: int


Resolver = Callable[..., Any]
FIELDS: dict[str, dict[str, Resolver]] = {}
"""Type, field -> function (object, session, **arguments); fields that are not here are attributes in snake_case."""


def gives(type_name: str, *names: str) -> Callable[[Resolver], Resolver]:
    def remember(function: Resolver) -> Resolver:
        for name in names:
            FIELDS.setdefault(type_name, {})[name] = function
        return function

    return remember


@cache
def schema() -> GraphQLSchema:
    return build_schema((Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8"))


def _read(text: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise GraphQLError(f"{text!r} is not a valid Time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """The default resolver: the table, then keys and attributes. GraphQL cuts instants off to seconds."""
    found = _found(source, info, arguments)
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(found, datetime) else found


def _found(source: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    session: Session = info.context
    if function := FIELDS.get(info.parent_type.name, {}).get(info.field_name):
        return function(source, session, **arguments)
    if isinstance(source, Mapping):
        return source.get(info.field_name)
    snake = "".join(f"_{one.lower()}" if one.isupper() else one for one in info.field_name)
    return getattr(source, snake)


# --- connections --------------------------------------------------------------------------------------------------


def connection(rows: Sequence[Any], first: int | None, after: str | None, key: Callable[[Any], list[Any]]) -> Any:
    """Rows in their order, after the one that the cursor names by its key: whatever else moves, none is passed over."""
    size = min(ROWS, ROWS if first is None else first)
    if after:
        try:
            held = json.loads(base64.urlsafe_b64decode(after.encode()))
        except ValueError:
            raise GraphQLError("Invalid cursor") from None
        rows = [row for row in rows if key(row) > held]
    shown = list(rows[:size])
    cursor = base64.urlsafe_b64encode(json.dumps(key(shown[-1])).encode()).decode() if shown else None
    page = {"hasNextPage": len(rows) > size, "hasPreviousPage": bool(after), "startCursor": None, "endCursor": cursor}
    return {"count": len(rows), "pageInfo": page, "nodes": shown}


def _by_place(rows: Sequence[Any], first: int | None, after: str | None) -> Any:
    places = {id(row): number for number, row in enumerate(rows)}
    return connection(rows, first, after, lambda row: [places[id(row)]])


_ORDERS: dict[str, tuple[Callable[[Any], datetime], int]] = {
    "CREATED_ASC": (lambda one: one.created, 1),
    "CREATED_DESC": (lambda one: one.created, -1),
    "UPDATED_ASC": (lambda one: one.updated, 1),
    "UPDATED_DESC": (lambda one: one.updated, -1),
}


def _items(items: Sequence[Any], given: Mapping[str, Any]) -> Any:
    """A project's merge requests or issues by their filters, in keyset order."""
    limits = (("updatedAfter", "updated", 1), ("updatedBefore", "updated", -1), ("createdAfter", "created", 1))
    kept = list(items)
    for name, attribute, sign in limits:
        if (limit := given.get(name)) is not None:
            kept = [one for one in kept if sign * (getattr(one, attribute) - _read(limit)).total_seconds() >= 0]
    if (iids := given.get("iids")) is not None:
        kept = [one for one in kept if str(one.iid) in iids]
    if (state := given.get("state")) not in (None, "all"):
        kept = [one for one in kept if one.state == state]
    by, sign = _ORDERS[given.get("sort") or "CREATED_DESC"]

    def key(one: Any) -> list[Any]:
        return [sign * by(one).timestamp(), sign * one.id]

    return connection(sorted(kept, key=key), given.get("first"), given.get("after"), key)


# --- types --------------------------------------------------------------------------------------------------------


def _gid(kind: str, number: object) -> str:
    return f"gid://gitlab/{kind}/{number}"


for _type in ("User", "Project", "MergeRequest", "Issue", "Environment", "Deployment"):
    gives(_type, "id")(lambda one, _session, _type=_type: _gid(_type, one["id"] if isinstance(one, dict) else one.id))
gives("Pipeline", "id")(lambda one, _session: _gid("Ci::Pipeline", one.id))


@gives("Query", "queryComplexity")
def _complexity(_: object, session: Session) -> Any:
    return {"limit": session.limit, "score": session.score}


gives("Query", "currentUser")(lambda _, session: session.token.user)
gives("Query", "project")(lambda _, session, fullPath: session.world.find(session.token, fullPath, redirects=False))  # noqa: N803
gives("User", "publicEmail")(lambda one, _session: one.email if one.public else None)


@gives("Query", "group")
def _group(_: object, session: Session, fullPath: str) -> Any:  # noqa: N803 - GraphQL's name
    found = session.world.group(session.token, fullPath)
    return None if found is None else {"id": _gid("Group", fullPath), "fullPath": fullPath, "held": found}


@gives("Group", "projects")
def _group_projects(
    group: Any, _session: Session, first: int | None = None, after: str | None = None, **given: bool
) -> Any:
    kept = [one for one in group["held"] if given.get("includeSubgroups") or _parent(one) == group["fullPath"]]
    return connection(sorted(kept, key=lambda one: one.id), first, after, lambda one: [one.id])


def _parent(project: Project) -> str:
    return project.path.rpartition("/")[0]


gives("Project", "fullPath")(lambda one, _session: one.path)
gives("Project", "name")(lambda one, _session: one.path.rpartition("/")[2])
gives("Project", "webUrl")(lambda one, session: f"{session.origin}/{one.path}")
gives("Project", "repository")(lambda one, _session: {"rootRef": one.default_branch})


def _shown(project: Project, feature: str) -> bool:
    return feature not in project.hidden


@gives("Project", "mergeRequests")
def _merge_requests(project: Project, _session: Session, **given: Any) -> Any:
    return _items(project.merge_requests, given) if _shown(project, "merge_requests") else None


@gives("Project", "issues")
def _issues(project: Project, _session: Session, **given: Any) -> Any:
    return _items(project.issues, given) if _shown(project, "issues") else None


@gives("Project", "mergeRequest")
def _merge_request(project: Project, _session: Session, iid: str) -> MergeRequest | None:
    return next((one for one in project.merge_requests if str(one.iid) == iid), None)


@gives("Project", "issue")
def _issue(project: Project, _session: Session, iid: str) -> Issue | None:
    return next((one for one in project.issues if str(one.iid) == iid), None)


@gives("Project", "environments")
def _environments(
    project: Project, _session: Session, first: int | None = None, after: str | None = None, **given: Any
) -> Any:
    if not _shown(project, "deployments"):
        return None
    names = dict.fromkeys(one.environment for one in project.deployments)
    wanted = [name for name in names if given.get("name") in (None, name) and (given.get("search") or "") in name]
    rows = [{"id": project.id + sum(name.encode()), "name": name, "project": project} for name in wanted]
    return _by_place(rows, first, after)


@gives("Environment", "lastDeployment")
def _last_deployment(environment: Any, _session: Session, status: str) -> Deployment | None:
    held = [one for one in environment["project"].deployments if one.environment == environment["name"]]
    return max((one for one in held if one.status == status.lower()), key=lambda one: one.id, default=None)


gives("Deployment", "status")(lambda one, _session: one.status.upper())
gives("Deployment", "createdAt")(lambda one, _session: one.created)
gives("Deployment", "updatedAt")(lambda one, _session: one.updated)
gives("Deployment", "finishedAt")(lambda one, _session: one.finished)
gives("Deployment", "triggerer")(lambda one, _session: one.user)

for _type in ("MergeRequest", "Issue"):
    gives(_type, "createdAt")(lambda one, _session: one.created)
    gives(_type, "updatedAt")(lambda one, _session: one.updated)
    gives(_type, "webUrl")(lambda one, session: web_url(one, session.origin))
    gives(_type, "author")(lambda one, _session: one.author)
    gives(_type, "assignees")(lambda one, _session, first=None, after=None: _by_place(one.assignees, first, after))
    gives(_type, "labels")(lambda one, _session, first=None, after=None: _labels(one, first, after))
    gives(_type, "notes")(lambda one, _session, first=None, after=None: _notes(one, first, after))

gives("MergeRequest", "mergedAt")(lambda one, _session: one.merged)
gives("MergeRequest", "mergeUser")(lambda one, _session: one.merged_by)
gives("MergeRequest", "mergeCommitSha")(lambda one, _session: one.merge_commit)
gives("MergeRequest", "diffHeadSha")(lambda one, _session: one.head)
gives("MergeRequest", "squashOnMerge")(lambda one, _session: one.squash)
gives("MergeRequest", "reviewers")(lambda one, _session, first=None, after=None: _by_place(one.reviewers, first, after))
gives("MergeRequest", "approvedBy")(
    lambda one, _session, first=None, after=None: _by_place(one.approved_by, first, after)
)
gives("MergeRequest", "commits")(
    lambda one, _session, first=None, after=None: _by_place(one.commits[::-1], first, after)
)
gives("MergeRequest", "pipelines")(
    lambda one, _session, first=None, after=None: _by_place(one.pipelines[::-1], first, after)
)


@gives("MergeRequest", "diffStats")
def _diff_stats(item: MergeRequest, _session: Session, path: str | None = None) -> Any:
    kept = [one for one in item.files if path in (None, one.path)]
    return [{"path": one.path, "additions": one.added, "deletions": one.deleted} for one in kept]


def _labels(item: MergeRequest | Issue, first: int | None, after: str | None) -> Any:
    return _by_place([{"id": _gid("Label", title), "title": title} for title in item.labels], first, after)


def _notes(item: MergeRequest | Issue, first: int | None, after: str | None) -> Any:
    ordered = sorted(item.notes, key=lambda one: (one.at, one.id))
    return connection(ordered, first, after, lambda one: [one.at.timestamp(), one.id])


gives("Note", "id")(lambda one, _session: _gid("DiffNote" if one.path else "Note", one.id))
gives("Note", "createdAt", "updatedAt")(lambda one, _session: one.at)
gives("Note", "url")(lambda one, session: f"{session.origin}#note_{one.id}")
gives("Note", "discussion")(lambda one, _session: {"id": _gid("Discussion", one.thread)})


@gives("Note", "position")
def _position(note: Note, _session: Session) -> Any:
    return {"filePath": note.path} if note.path else None


gives("Commit", "id")(lambda one, _session: _gid("CommitPresenter", one.sha))
gives("Commit", "title")(lambda one, _session: one.message.partition("\n")[0])
gives("Commit", "authoredDate")(lambda one, _session: one.authored)
gives("Commit", "committedDate")(lambda one, _session: one.committed)
gives("Commit", "authorEmail")(lambda one, _session: one.email)
gives("Commit", "author")(lambda one, session: session.world.account(one.email))

gives("Pipeline", "status")(lambda one, _session: one.status.upper())
gives("Pipeline", "createdAt")(lambda one, _session: one.created)
gives("Pipeline", "updatedAt")(lambda one, _session: one.finished or one.created)
gives("Pipeline", "finishedAt")(lambda one, _session: one.finished)

gives("Issue", "type")(lambda one, _session: one.type.upper())
gives("Issue", "closedAt")(lambda one, _session: one.closed.at if one.closed else None)
gives("Issue", "moved")(lambda one, _session: one.moved_to is not None)
gives("Issue", "closedAsDuplicateOf")(lambda one, _session: one.duplicate_of)


@gives("Issue", "dueDate")
def _due(issue: Issue, _session: Session) -> datetime | None:
    due = issue.due
    return datetime(due.year, due.month, due.day, tzinfo=UTC) if due else None
