"""Native objects as REST shows them: the fields of the documentation's examples that tools make use of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pipmetrics.demo.gitlab.work import Commit, File, Issue, Link, MergeRequest, Note, Pipeline, StateEvent, User
from pipmetrics.demo.gitlab.world import Deployment, Project, Token

Shape = dict[str, Any]


def stamp(at: datetime | None) -> str | None:
    """2026-03-02T09:00:00.000Z"""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if at else None


def git_stamp(at: datetime) -> str:
    """Dates of commits carry an offset."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+00:00"


def user(one: User | None, origin: str) -> Shape | None:
    """A user as other objects show them: without whether it is a bot."""
    if one is None:
        return None
    return {
        "id": one.id,
        "username": one.username,
        "name": one.name,
        "state": "active",
        "avatar_url": None,
        "web_url": f"{origin}/{one.username}",
    }


def whole_user(one: User, origin: str) -> Shape:
    return {**(user(one, origin) or {}), "bot": one.bot, "public_email": one.email if one.public else ""}


def users(many: Iterable[User], origin: str) -> list[Shape | None]:
    return [user(one, origin) for one in many]


def project(one: Project, origin: str) -> Shape:
    def level(feature: str) -> str:
        return "disabled" if feature in one.hidden else "enabled"

    return {
        "id": one.id,
        "path": one.path.rpartition("/")[2],
        "path_with_namespace": one.path,
        "name": one.path.rpartition("/")[2],
        "default_branch": one.default_branch,
        "web_url": f"{origin}/{one.path}",
        "archived": False,
        "merge_requests_access_level": level("merge_requests"),
        "issues_access_level": level("issues"),
        "environments_access_level": level("deployments"),
        "merge_requests_enabled": "merge_requests" not in one.hidden,
        "issues_enabled": "issues" not in one.hidden,
        "jobs_enabled": "deployments" not in one.hidden,
    }


def web_url(item: MergeRequest | Issue, origin: str) -> str:
    kind = "merge_requests" if isinstance(item, MergeRequest) else "issues"
    return f"{origin}/{item.project.path}/-/{kind}/{item.iid}"


def _item(item: MergeRequest | Issue, origin: str, mark: str) -> Shape:
    closed = item.closed
    return {
        "id": item.id,
        "iid": item.iid,
        "project_id": item.project.id,
        "title": item.title,
        "description": item.description,
        "state": item.state,
        "created_at": stamp(item.created),
        "updated_at": stamp(item.updated),
        "closed_at": stamp(closed.at) if closed else None,
        "closed_by": user(closed.user, origin) if closed else None,
        "labels": list(item.labels),
        "author": user(item.author, origin),
        "assignees": users(item.assignees, origin),
        "user_notes_count": sum(not note.system for note in item.notes),
        "web_url": web_url(item, origin),
        "references": {"short": f"{mark}{item.iid}", "full": f"{item.project.path}{mark}{item.iid}"},
    }


def merge_request(one: MergeRequest, origin: str) -> Shape:
    return _item(one, origin, "!") | {
        "merged_at": stamp(one.merged),
        "merge_user": user(one.merged_by, origin),
        "merged_by": user(one.merged_by, origin),
        "target_branch": one.target_branch,
        "source_branch": one.source_branch,
        "source_project_id": one.project.id,
        "target_project_id": one.project.id,
        "draft": one.draft,
        "work_in_progress": one.draft,
        "reviewers": users(one.reviewers, origin),
        "sha": one.head,
        "merge_commit_sha": one.merge_commit,
        "squash_commit_sha": one.squash_commit,
        "squash": one.squash,
    }


def issue(one: Issue, origin: str) -> Shape:
    return _item(one, origin, "#") | {
        "issue_type": one.type,
        "type": one.type.upper(),
        "due_date": one.due.isoformat() if one.due else None,
        "moved_to_id": one.moved_to.id if one.moved_to else None,
        "_links": {
            "closed_as_duplicate_of": (
                f"{origin}/api/v4/projects/{one.duplicate_of.project.id}/issues/{one.duplicate_of.iid}"
                if one.duplicate_of
                else None
            )
        },
    }


def link(one: Link, origin: str) -> Shape:
    return issue(one.other, origin) | {
        "issue_link_id": one.id,
        "link_type": one.kind,
        "link_created_at": stamp(one.at),
        "link_updated_at": stamp(one.at),
    }


def note(one: Note, origin: str) -> Shape:
    return {
        "id": one.id,
        "type": "DiffNote" if one.path else None,
        "body": one.body,
        "author": user(one.author, origin),
        "created_at": stamp(one.at),
        "updated_at": stamp(one.at),
        "system": one.system,
        "resolvable": one.path is not None,
        **({"position": {"new_path": one.path, "position_type": "text"}} if one.path else {}),
    }


def discussion(thread: str, notes: list[Note], origin: str) -> Shape:
    shown = [note(one, origin) for one in notes]
    return {"id": thread, "individual_note": len(notes) == 1 and notes[0].path is None, "notes": shown}


def state_event(one: StateEvent, origin: str) -> Shape:
    return {"id": one.id, "user": user(one.user, origin), "created_at": stamp(one.at), "state": one.state}


def event(one: StateEvent, item: MergeRequest | Issue, origin: str) -> Shape:
    """A state event as the project's list of events shows it."""
    named = {"closed": "closed", "reopened": "reopened", "merged": "accepted"}
    return {
        "id": one.id,
        "project_id": item.project.id,
        "action_name": named[one.state],
        "target_id": item.id,
        "target_iid": item.iid,
        "target_type": type(item).__name__,
        "created_at": stamp(one.at),
        "author": user(one.user, origin),
    }


def commit(one: Commit, origin: str, path: str) -> Shape:
    return {
        "id": one.sha,
        "short_id": one.sha[:8],
        "title": one.message.partition("\n")[0],
        "message": one.message,
        "author_email": one.email,
        "authored_date": git_stamp(one.authored),
        "committed_date": git_stamp(one.committed),
        "created_at": git_stamp(one.committed),
        "parent_ids": list(one.parents),
        "web_url": f"{origin}/{path}/-/commit/{one.sha}",
    }


def pipeline(one: Pipeline, owner: Project, origin: str, *, whole: bool = False) -> Shape:
    """The list of a merge request's pipelines does not say when they ended."""
    return {
        "id": one.id,
        "project_id": owner.id,
        "sha": one.sha,
        "status": one.status,
        "source": "merge_request_event",
        "created_at": stamp(one.created),
        "updated_at": stamp(one.finished or one.created),
        "web_url": f"{origin}/{owner.path}/-/pipelines/{one.id}",
        **({"finished_at": stamp(one.finished)} if whole else {}),
    }


def diff(one: File) -> Shape:
    """A file with a diff that has as many added and deleted lines as it says."""
    hunk = f"@@ -1,{one.deleted} +1,{one.added} @@\n" + "-old\n" * one.deleted + "+new\n" * one.added
    return {
        "old_path": one.path,
        "new_path": one.path,
        "diff": hunk if one.whole else "",
        "too_large": not one.whole,
        "collapsed": False,
    }


def deployment(one: Deployment, origin: str) -> Shape:
    return {
        "id": one.id,
        "iid": one.iid,
        "sha": one.sha,
        "status": one.status,
        "created_at": stamp(one.created),
        "updated_at": stamp(one.updated),
        "user": user(one.user, origin),
        "environment": {"id": one.project.id + sum(one.environment.encode()), "name": one.environment},
        "deployable": {"status": one.status, "finished_at": stamp(one.finished)},
    }


def token(one: Token) -> Shape:
    return {"id": one.id, "name": "reader", "scopes": list(one.scopes), "active": True, "expires_at": one.expires}
