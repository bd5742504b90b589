"""The organisation's story told in GitLab's terms."""

from __future__ import annotations

from datetime import timedelta

from pipmetrics.demo.gitlab import Commit, File, MergeRequest, Project, User, World
from pipmetrics.demo.people import ENGINEERS
from pipmetrics.demo.simulation import Change, History


def fill(world: World, history: History, token: str) -> None:
    """Put every change and deployment of the GitLab projects into `world`, readable with `token`."""
    world.token(token)
    people = {e.id: world.user(e.id, name=e.name, email=f"{e.id}@acme.example") for e in ENGINEERS}
    changes = [change for change in history.changes if change.repository.service == "gitlab"]
    opened = [(change, _open(world, people, change)) for change in sorted(changes, key=lambda c: c.opened)]
    landed: dict[str, str] = {}
    for change, request in sorted(opened, key=lambda pair: pair[0].merged or history.now):
        if change.merged:
            request.merge(change.merged, people[change.author])
            landed[change.merge_sha] = request.landed
    for deployment in history.deployments:
        if deployment.repository.service == "gitlab":
            project = _project(world, deployment.repository.name)
            started = deployment.at - timedelta(minutes=4)
            project.deploy(landed[deployment.sha], "production", deployment.at, people[deployment.by], created=started)


def _project(world: World, path: str) -> Project:
    return next((project for project in world.projects if project.path == path), None) or world.project(path)


def _open(world: World, people: dict[str, User], change: Change) -> MergeRequest:
    project = _project(world, change.repository.name)
    author = people[change.author]
    commits = [_commit(project, author, change, place) for place in range(len(change.commits))]
    request = project.merge_request(
        author,
        change.opened,
        f"Draft: {change.title}" if change.draft_until else change.title,
        description=change.body,
        branch=change.branch,
        files=[File(path, added, deleted) for path, added, deleted in change.files],
        commits=commits[:1],
        iid=change.number,
    )
    acts = [(review.requested, 1, review) for review in change.reviews]
    acts += [(review.at, 0, review) for review in change.reviews if review.at]
    if change.draft_until:
        request.make_ready(change.draft_until, author)
    for at, asked, review in sorted(acts, key=lambda act: act[:2]):
        reviewer = people[review.reviewer]
        if asked:
            request.request(reviewer, at=at, by=author)
            continue
        for _ in range(review.comments):
            request.discuss(reviewer, at)
        if review.state == "changes_requested":
            request.request_changes(reviewer, at)
        else:
            request.approve(reviewer, at)
    for commit in commits[1:]:
        request.push(commit, at=commit.committed, by=author)
    for told, commit in zip(change.commits, commits, strict=True):
        if told.checked:
            request.pipeline("success" if told.passed else "failed", told.at, told.checked, commit.sha)
    if change.closed:
        request.close(change.closed, author)
    return request


def _commit(project: Project, author: User, change: Change, place: int) -> Commit:
    told = change.commits[place]
    return project.commit(author, told.at, told.message, authored=told.at - timedelta(minutes=20), sha=told.sha)
