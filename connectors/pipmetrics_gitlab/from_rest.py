"""REST objects as values. What a version may lack has a default; without an id or an instant it is an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_gitlab.reading import day, instant
from pipmetrics_gitlab.values import (
    DONE,
    Change,
    Commit,
    Deployment,
    Issue,
    Link,
    Note,
    Pipeline,
    Project,
    Transition,
    User,
)

Row = Mapping[str, Json]


def needed(row: Row, name: str) -> Json:
    found = row.get(name)
    if found is None:
        raise SourceError(f"GitLab gave something without {name!r}")
    return found


def _maybe(row: Row, name: str) -> datetime | None:
    return instant(row[name]) if row.get(name) else None


def user(row: Row | None) -> User | None:
    if not row or not row.get("username"):
        return None
    email = row.get("public_email") or None
    bot = bool(row.get("bot"))
    return User(str(row["id"]) if row.get("id") is not None else None, str(row["username"]), bot, email)


def _users(rows: Iterable[Row] | None) -> tuple[User, ...]:
    return tuple(one for row in rows or () if (one := user(row)) is not None)


def note(row: Row, thread: str = "") -> Note:
    return Note(
        id=str(needed(row, "id")),
        at=instant(needed(row, "created_at")),
        author=user(row.get("author")),
        body=row.get("body") or "",
        system=bool(row.get("system")),
        diff=row.get("type") == "DiffNote" or row.get("position") is not None,
        thread=thread or str(row.get("discussion_id") or ""),
    )


def discussion(row: Row) -> list[Note]:
    return [note(one, str(row.get("id") or "")) for one in row.get("notes") or ()]


def commit(row: Row, author: User | None) -> Commit:
    committed = _maybe(row, "committed_date") or _maybe(row, "created_at")
    if committed is None:
        raise SourceError("GitLab gave a commit without a date")
    message = row.get("message") or row.get("title") or ""
    return Commit(str(needed(row, "id")), _maybe(row, "authored_date") or committed, committed, message, author)


def pipeline(row: Row) -> Pipeline:
    status = str(needed(row, "status")).lower()
    ended = _maybe(row, "finished_at") or (_maybe(row, "updated_at") if status in DONE else None)
    return Pipeline(str(needed(row, "id")), str(needed(row, "sha")), status, ended)


def file(row: Row) -> tuple[str, int, int]:
    """A file's path and its added and deleted lines, counted in the hunks of its diff."""
    inside, added, deleted = False, 0, 0
    for line in str(row.get("diff") or "").split("\n"):
        inside = inside or line.startswith("@@")
        added += inside and line.startswith("+")
        deleted += inside and line.startswith("-")
    return str(row.get("new_path") or row.get("old_path") or ""), added, deleted


def whole(row: Row) -> bool:
    """Whether the diff of a file was given in full."""
    return not (row.get("too_large") or row.get("collapsed") or row.get("overflow"))


def transition(row: Row) -> Transition | None:
    """A state event; the first state makes none, so that `opened` is a reopening."""
    kind = {"closed": "closed", "reopened": "reopened", "opened": "reopened"}.get(str(row.get("state")))
    at, by = instant(needed(row, "created_at")), user(row.get("user"))
    return None if kind is None else Transition(kind, at, by)  # type: ignore[arg-type] # one of the two


def closing(row: Row) -> Transition | None:
    """The closing that a row of a list shows, while it is closed."""
    at = _maybe(row, "closed_at") if row.get("state") == "closed" else None
    return Transition("closed", at, user(row.get("closed_by"))) if at else None


def _labels(row: Row) -> tuple[str, ...]:
    return tuple(label if isinstance(label, str) else str(label.get("name")) for label in row.get("labels") or ())


def landed(row: Row) -> str | None:
    return row.get("merge_commit_sha") or row.get("squash_commit_sha") or row.get("merged_commit_sha")


def change(row: Row) -> Change:
    """A row of the list of merge requests; what stands behind it is asked for apart."""
    return Change(
        id=str(needed(row, "id")),
        iid=int(needed(row, "iid")),
        url=str(row.get("web_url") or ""),
        title=str(needed(row, "title")),
        description=row.get("description") or "",
        state=str(needed(row, "state")),
        draft=bool(row.get("draft", row.get("work_in_progress"))),
        created=instant(needed(row, "created_at")),
        updated=instant(needed(row, "updated_at")),
        author=user(row.get("author")),
        source_branch=str(row.get("source_branch") or ""),
        target_branch=str(row.get("target_branch") or ""),
        merged=_maybe(row, "merged_at"),
        merged_by=user(row.get("merge_user") or row.get("merged_by")),
        head=row.get("sha"),
        landed=landed(row),
        labels=_labels(row),
        reviewers=_users(row.get("reviewers")),
        others=_users(row.get("assignees")),
        closed=closing(row),
    )


def issue(row: Row) -> Issue:
    """A row of the list of issues; what stands behind it is asked for apart."""
    kind = row.get("issue_type") or row.get("type")
    links = row.get("_links") or {}
    return Issue(
        id=str(needed(row, "id")),
        iid=int(needed(row, "iid")),
        url=str(row.get("web_url") or ""),
        title=str(needed(row, "title")),
        description=row.get("description") or "",
        state=str(needed(row, "state")),
        type=str(kind).lower() if kind else None,
        created=instant(needed(row, "created_at")),
        updated=instant(needed(row, "updated_at")),
        author=user(row.get("author")),
        due=day(row.get("due_date")),
        labels=_labels(row),
        assignees=_users(row.get("assignees")),
        closed=closing(row),
        duplicate=bool(links.get("closed_as_duplicate_of")),
        moved=row.get("moved_to_id") is not None,
    )


def link(row: Row, project_path: str) -> Link:
    full = (row.get("references") or {}).get("full") or _from_url(str(row.get("web_url") or ""))
    return Link(
        id=str(row.get("issue_link_id") or needed(row, "id")),
        kind=str(row.get("link_type") or "relates_to"),
        project=full.rpartition("#")[0] or project_path,
        iid=int(needed(row, "iid")),
        at=_maybe(row, "link_created_at"),
    )


def _from_url(url: str) -> str:
    """group/project#4 from the address of an issue."""
    path = urlsplit(url).path.strip("/")
    for infix in ("/-/issues/", "/issues/", "/-/work_items/"):
        if infix in path:
            return path.replace(infix, "#", 1)
    return ""


def deployment(row: Row, project: Project) -> Deployment:
    job = row.get("deployable") or {}
    updated = _maybe(row, "updated_at") or instant(needed(row, "created_at"))
    at = _maybe(row, "finished_at") or (_maybe(job, "finished_at") if job.get("status") == "success" else None)
    where = row.get("environment") or {}
    address = f"/-/environments/{where['id']}" if where.get("id") else "/-/environments"
    return Deployment(
        id=str(needed(row, "id")),
        number=int(row.get("iid") or needed(row, "id")),
        sha=str(needed(row, "sha")),
        environment=str(needed(where, "name")),
        at=at or updated,
        updated=updated,
        by=user(row.get("user")),
        url=f"{project.url}{address}",
    )


def project(row: Row) -> Project:
    path = str(needed(row, "path_with_namespace"))
    return Project(str(needed(row, "id")), path, str(row.get("web_url") or ""), row.get("default_branch"))
