"""The organisation's story told in GitHub's terms."""

from __future__ import annotations

from datetime import timedelta

from pipmetrics.demo.github import Account, Commit, File, Pull, Repository, World
from pipmetrics.demo.people import ENGINEERS
from pipmetrics.demo.simulation import Change, History


def fill(world: World, history: History, token: str) -> None:
    """Put every change and deployment of the GitHub repositories into `world`, readable with `token`."""
    world.token(token, "pipmetrics-reader", scopes=None)
    people = {e.id: world.account(e.login, name=e.name, email=f"{e.id}@acme.example") for e in ENGINEERS}
    changes = [change for change in history.changes if change.repository.service == "github"]
    pulls = [(change, _open(world, people, change)) for change in sorted(changes, key=lambda c: c.opened)]
    for change, pull in sorted(pulls, key=lambda pair: pair[0].merged or history.now):
        if change.merged:
            pull.merge(change.merged, people[change.author], change.merge_sha)
    for deployment in history.deployments:
        if deployment.repository.service == "github":
            repository = world.repository(deployment.repository.name)
            repository.deploy(deployment.sha, "production", deployment.at, people[deployment.by], minutes=4)


def _open(world: World, people: dict[str, Account], change: Change) -> Pull:
    repository = world.repository(change.repository.name)
    author = people[change.author]
    commits = [_commit(repository, author, change, place) for place in range(len(change.commits))]
    pull = repository.pull(
        author,
        change.opened,
        change.title,
        number=change.number,
        body=change.body,
        branch=change.branch,
        draft=change.draft_until is not None,
        files=[File(*file) for file in change.files],
        commits=commits[:1],
    )
    if change.draft_until:
        pull.ready(change.draft_until, author)
    for review in change.reviews:
        pull.request(people[review.reviewer], review.requested, author)
    for review in sorted((r for r in change.reviews if r.at), key=lambda r: r.at or r.requested):
        if review.at:
            pull.review(
                people[review.reviewer],
                review.at,
                "CHANGES_REQUESTED" if review.state == "changes_requested" else "APPROVED",
                comments=review.comments,
            )
    for commit in commits[1:]:
        pull.push(commit)
    if change.closed:
        pull.close(change.closed, author)
    return pull


def _commit(repository: Repository, author: Account, change: Change, place: int) -> Commit:
    told = change.commits[place]
    commit = repository.commit(author, told.at, told.message, authored=told.at - timedelta(minutes=20), sha=told.sha)
    if told.passed is not None and told.checked is not None:
        commit.check("SUCCESS" if told.passed else "FAILURE", told.checked)
    return commit
