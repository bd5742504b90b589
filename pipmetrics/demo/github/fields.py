"""Fields that are more than an attribute of the same name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias

from pipmetrics.demo.github.nodes import Inline, Label, PullCommit, Ref, Rollup, Session, node_id, type_name
from pipmetrics.demo.github.pages import connection, in_order, stamp
from pipmetrics.demo.github.work import Account, Commit, Issue, Pull, Review
from pipmetrics.demo.github.world import Deployment, Release, Repository

Args: TypeAlias = Mapping[str, Any]
Page: TypeAlias = dict[str, Any]

FAILED = ("FAILURE", "TIMED_OUT", "STARTUP_FAILURE", "ACTION_REQUIRED", "CANCELLED", "ERROR")

# --- lists: (parent, who asks, arguments) -> one page ----------------------------------------------------------------


def _ordered(things: list[Any], args: Args, **fields: Callable[[Any], datetime]) -> Page:
    order = args.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    at = fields[order["field"]]
    return connection(things, args, lambda thing: [stamp(at(thing)), thing.id], descending=order["direction"] == "DESC")


def _repositories(owner: Account, session: Session, args: Args) -> Page:
    seen = filter(session.sees, session.world.repositories)
    archived = args.get("isArchived")
    owned = [each for each in seen if each.owner is owner and archived in (None, each.archived)]
    return connection(owned, args, lambda repository: [repository.id])


def _pulls(repository: Repository, _session: Session, args: Args) -> Page:
    states = args.get("states")
    chosen = [pull for pull in repository.pulls if not states or pull.state in states]
    return _ordered(chosen, args, UPDATED_AT=lambda pull: pull.updated, CREATED_AT=lambda pull: pull.created)


def _issues(repository: Repository, _session: Session, args: Args) -> Page:
    wanted = args.get("filterBy") or {}
    states, since = args.get("states") or wanted.get("states"), wanted.get("since") or ""
    chosen = [
        issue for issue in repository.issues if (not states or issue.state in states) and stamp(issue.updated) >= since
    ]
    return _ordered(chosen, args, UPDATED_AT=lambda issue: issue.updated, CREATED_AT=lambda issue: issue.created)


def _deployments(repository: Repository, _session: Session, args: Args) -> Page:
    names = args.get("environments")
    chosen = [each for each in repository.deployments if not names or each.environment in names]
    return _ordered(chosen, args, CREATED_AT=lambda each: each.created)


def _releases(repository: Repository, _session: Session, args: Args) -> Page:
    return _ordered(repository.releases, args, CREATED_AT=lambda each: each.created, NAME=lambda each: each.created)


def _reviews(pull: Pull, session: Session, args: Args) -> Page:
    """A pending review is shown to its author alone."""
    viewer, states = session.token.login, args.get("states")
    shown = [each for each in pull.reviews if each.submitted or (each.author and each.author.login == viewer)]
    chosen = [each for each in shown if not states or each.state in states]
    return connection(chosen, args, lambda review: [stamp(review.submitted or pull.updated), review.id])


def _timeline(thing: Pull | Issue, _session: Session, args: Args) -> Page:
    entries: list[Any] = [*thing.events, *thing.comments]
    if isinstance(thing, Pull):
        entries += [review for review in thing.reviews if review.submitted]
        entries += [PullCommit(thing, commit) for commit in thing.commits]
    wanted = args.get("itemTypes")
    chosen = [entry for entry in entries if wanted is None or _shouted(type_name(entry)) in wanted]
    return connection(chosen, args, lambda entry: [stamp(happened(entry)), node_id(entry)])


def happened(entry: Any) -> datetime:
    """When an entry of a timeline (or a status, or a comment) came about."""
    at: datetime
    if isinstance(entry, PullCommit):
        at = entry.commit.committed
    elif isinstance(entry, Review):
        at = entry.submitted or datetime.max.replace(tzinfo=UTC)
    else:
        at = entry.at
    return at


@cache
def _shouted(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


def _comments(thing: Pull | Issue, _session: Session, args: Args) -> Page:
    return connection(thing.comments, args, lambda comment: [stamp(comment.at), comment.id])


def _statuses(deployment: Deployment, _session: Session, args: Args) -> Page:
    return connection(deployment.statuses, args, lambda status: [stamp(status.at), status.id], descending=True)


def _listed(things: Callable[[Any], list[Any]]) -> Callable[[Any, Session, Args], Page]:
    return lambda parent, _session, args: in_order(things(parent), args)


LISTS: dict[str, Callable[[Any, Session, Args], Page]] = {
    "User.repositories": _repositories,
    "Organization.repositories": _repositories,
    "Repository.pullRequests": _pulls,
    "Repository.issues": _issues,
    "Repository.deployments": _deployments,
    "Repository.releases": _releases,
    "PullRequest.reviews": _reviews,
    "PullRequest.timelineItems": _timeline,
    "Issue.timelineItems": _timeline,
    "PullRequest.comments": _comments,
    "Issue.comments": _comments,
    "Deployment.statuses": _statuses,
    "PullRequest.commits": _listed(lambda it: [PullCommit(it, commit) for commit in it.commits]),
    "PullRequest.labels": _listed(lambda it: [Label(name) for name in it.labels]),
    "Issue.labels": _listed(lambda it: [Label(name) for name in it.labels]),
    "PullRequest.files": _listed(lambda it: it.files),
    "PullRequest.closingIssuesReferences": _listed(lambda it: it.closes),
    "Issue.assignees": _listed(lambda it: it.assignees),
    "PullRequestReview.comments": _listed(lambda it: [Inline(it, place) for place in range(it.comments)]),
    "StatusCheckRollup.contexts": _listed(lambda it: it.commit.checks),
}

# --- single values ----------------------------------------------------------------------------------------------------


def _rollup_state(rollup: Rollup) -> str:
    ends = [check.conclusion for check in rollup.commit.checks]
    if any(end in FAILED for end in ends):
        return "FAILURE"
    return "PENDING" if None in ends else "SUCCESS"


def _latest(deployment: Deployment) -> Any:
    return max(deployment.statuses, key=lambda status: status.at, default=None)


def _deployment_state(deployment: Deployment) -> str:
    last = _latest(deployment)
    state: str = last.state if last else "PENDING"
    return "ACTIVE" if state == "SUCCESS" else state


def _commit_named(repository: Repository, sha: str | None) -> Commit | None:
    return repository.commits.get(sha) if sha else None


def _git_actor(commit: Commit, at: datetime) -> dict[str, Any]:
    user = commit.author if commit.author and commit.author.kind == "User" else None
    return {"name": commit.email, "email": commit.email, "date": at, "user": user}


def web_page(thing: Any, web: str) -> str:
    """Where a person would see it."""
    if isinstance(thing, Account):
        return f"{web}/{thing.login}"
    if isinstance(thing, Repository):
        return f"{web}/{thing.full_name}"
    if isinstance(thing, Pull | Issue):
        return f"{web}/{thing.repository.full_name}/{'pull' if isinstance(thing, Pull) else 'issues'}/{thing.number}"
    if isinstance(thing, Release):
        return f"{web}/{thing.repository.full_name}/releases/tag/{thing.tag}"
    return f"{web}/show/{node_id(thing)}"


ATTRIBUTES: dict[str, Callable[[Any], Any]] = {
    "Repository.nameWithOwner": lambda it: it.full_name,
    "Repository.isArchived": lambda it: it.archived,
    "Repository.isEmpty": lambda it: not it.heads,
    "Repository.isFork": lambda _: False,
    "Repository.hasIssuesEnabled": lambda _: True,
    "Repository.defaultBranchRef": lambda it: Ref(it, it.default_branch) if it.heads or it.pulls else None,
    "Ref.target": lambda it: _commit_named(it.repository, it.repository.heads.get(it.name)),
    "Team.name": lambda it: it.slug,
    "Mannequin.claimant": lambda _: None,
    "PullRequest.isDraft": lambda it: it.draft,
    "PullRequest.merged": lambda it: it.merged is not None,
    "PullRequest.mergedAt": lambda it: it.merged,
    "PullRequest.mergedBy": lambda it: it.merged_by,
    "PullRequest.mergeCommit": lambda it: _commit_named(it.repository, it.merge_sha),
    "PullRequest.baseRefName": lambda it: it.base,
    "PullRequest.headRefName": lambda it: it.branch,
    "PullRequest.headRefOid": lambda it: it.commits[-1].sha if it.commits else "0" * 40,
    "PullRequest.changedFiles": lambda it: len(it.files),
    "PullRequestReview.submittedAt": lambda it: it.submitted,
    "PullRequestChangedFile.changeType": lambda _: "MODIFIED",
    "PullRequestReviewComment.body": lambda _: "",
    "PullRequestReviewComment.author": lambda it: it.review.author,
    "PullRequestReviewComment.createdAt": lambda it: it.review.submitted,
    "Commit.oid": lambda it: it.sha,
    "Commit.messageHeadline": lambda it: it.message.partition("\n")[0],
    "Commit.messageBody": lambda it: it.message.partition("\n")[2].strip(),
    "Commit.authoredDate": lambda it: it.authored,
    "Commit.committedDate": lambda it: it.committed,
    "Commit.author": lambda it: _git_actor(it, it.authored),
    "Commit.committer": lambda it: _git_actor(it, it.committed),
    "Commit.statusCheckRollup": lambda it: Rollup(it) if it.checks else None,
    "StatusCheckRollup.state": _rollup_state,
    "CheckRun.status": lambda it: "COMPLETED" if it.completed else "IN_PROGRESS",
    "CheckRun.completedAt": lambda it: it.completed,
    "CheckRun.startedAt": lambda it: it.started,
    "StatusContext.context": lambda it: it.name,
    "StatusContext.state": lambda it: it.conclusion or "PENDING",
    "StatusContext.createdAt": lambda it: it.completed or it.started,
    "Issue.issueType": lambda it: {"name": it.type, "id": f"IT_{it.type}"} if it.type else None,
    "Deployment.commit": lambda it: _commit_named(it.repository, it.sha),
    "Deployment.commitOid": lambda it: it.sha,
    "Deployment.state": _deployment_state,
    "Deployment.latestStatus": _latest,
    "Release.tagName": lambda it: it.tag,
    "Release.tagCommit": lambda it: _commit_named(it.repository, it.sha),
    "Release.publishedAt": lambda it: it.published,
    "Release.isDraft": lambda it: it.draft,
    "Release.isPrerelease": lambda it: it.prerelease,
    "ReviewRequestedEvent.requestedReviewer": lambda it: it.reviewer,
    "ReviewRequestRemovedEvent.requestedReviewer": lambda it: it.reviewer,
    "ReviewDismissedEvent.previousReviewState": lambda it: it.previous,
    "HeadRefForcePushedEvent.beforeCommit": lambda it: it.before,
    "HeadRefForcePushedEvent.afterCommit": lambda it: it.after,
    "CrossReferencedEvent.willCloseTarget": lambda it: it.will_close,
    "CrossReferencedEvent.isCrossRepository": lambda _: False,
    "TransferredEvent.fromRepository": lambda it: it.origin,
    "ClosedEvent.stateReason": lambda it: it.state_reason,
    "ReopenedEvent.stateReason": lambda _: None,
    "MergedEvent.mergeRefName": lambda _: "main",
}

COMMON: dict[str, Callable[[Any], Any]] = {
    "id": node_id,
    "databaseId": lambda it: it.id,
    "fullDatabaseId": lambda it: str(it.id),
    "createdAt": lambda it: it.created if hasattr(it, "created") else happened(it),
    "updatedAt": lambda it: it.updated if hasattr(it, "updated") else happened(it),
    "closedAt": lambda it: it.closed,
}
