"""A World from what GitHub's REST API answers: lists of pulls, reviews, comments, commits, issues and events.

What was not recorded is missing or empty in the World too; what was recorded twice (lists that moved while they were
read) is there once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from pipmetrics.demo.github.work import Account, Comment, Commit, Event, File, Issue, Pull, Review
from pipmetrics.demo.github.world import Repository, World

Payload: TypeAlias = Mapping[str, Any]

EVENTS = {
    "closed": "ClosedEvent",
    "reopened": "ReopenedEvent",
    "merged": "MergedEvent",
    "assigned": "AssignedEvent",
    "unassigned": "UnassignedEvent",
    "ready_for_review": "ReadyForReviewEvent",
    "convert_to_draft": "ConvertToDraftEvent",
    "review_requested": "ReviewRequestedEvent",
    "review_request_removed": "ReviewRequestRemovedEvent",
}


def world_of(
    repository: str,
    *,
    pulls: Iterable[Payload] = (),
    reviews: Iterable[Payload] = (),
    review_comments: Iterable[Payload] = (),
    issue_comments: Iterable[Payload] = (),
    commits_by_pull: Mapping[str, Sequence[Payload]] | None = None,
    issues: Iterable[Payload] = (),
    issue_events: Iterable[Payload] = (),
) -> World:
    """One repository as its payloads tell it. Reviews, comments and events find their pull by its number."""
    reader = _Reader(world := World(), world.repository(repository))
    for each in _once(pulls):
        reader.pull(each, (commits_by_pull or {}).get(str(each["number"]), ()))
    for each in _once(issues):
        if "pull_request" not in each:
            reader.issue(each)
    for each in _once(reviews):
        reader.review(each)
    for each in _once(review_comments):
        reader.inline(each)
    for each in _once(issue_comments):
        reader.comment(each)
    for each in sorted(_once(issue_events), key=lambda event: str(event["created_at"])):
        reader.event(each)
    return world


def _once(payloads: Iterable[Payload]) -> list[Payload]:
    return list({each["id"]: each for each in payloads}.values())


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _certain(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _number(url: str | None) -> int:
    return int((url or "0").rpartition("/")[2])


class _Reader:
    """Puts payloads where they belong."""

    def __init__(self, world: World, repository: Repository) -> None:
        self.world, self.repository = world, repository
        self.things: dict[int, Pull | Issue] = {}
        self.known: dict[int, Account] = {}
        self.reviews: dict[int, Review] = {}

    def account(self, payload: Payload | None) -> Account | None:
        """The account of a user object: by its id, whatever it is called; nobody where there is none."""
        if not payload:
            return None
        kind, login = payload.get("type", "User"), str(payload["login"])
        if payload["id"] not in self.known:
            made = Account(login.removesuffix("[bot]"), kind, payload["id"])
            self.known[payload["id"]] = made
            self.world.accounts.append(made)
        return self.known[payload["id"]]

    def pull(self, payload: Payload, commits: Sequence[Payload]) -> None:
        base = payload["base"]
        self.repository.default_branch = (base.get("repo") or {}).get("default_branch", self.repository.default_branch)
        made = self.repository.pull(
            self.account(payload["user"]),
            _certain(payload["created_at"]),
            payload["title"],
            number=payload["number"],
            body=payload.get("body") or "",
            branch=payload["head"]["ref"],
            base=base["ref"],
            draft=bool(payload.get("draft")),
            labels=[label["name"] for label in payload.get("labels") or ()],
            files=_size(payload),
            commits=[self.commit(each) for each in commits],
        )
        made.id, made.updated = payload["id"], _certain(payload["updated_at"])
        made.closed, made.merged = _instant(payload.get("closed_at")), _instant(payload.get("merged_at"))
        made.state = "MERGED" if made.merged else "CLOSED" if made.closed else "OPEN"
        made.merged_by = self.account(payload.get("merged_by"))
        if made.merged and payload.get("merge_commit_sha"):
            self.land(made, payload["merge_commit_sha"])
        self.things[made.number] = made

    def land(self, pull: Pull, sha: str) -> None:
        assert pull.merged is not None
        pull.merge_sha = sha
        self.repository.land(Commit(sha, pull.title, pull.merged, pull.merged, pull.merged_by), pull.base)

    def commit(self, payload: Payload) -> Commit:
        told = payload["commit"]
        parents = [parent["sha"] for parent in payload.get("parents") or ()]
        return Commit(
            payload["sha"],
            told["message"],
            _certain(told["author"]["date"]),
            _certain(told["committer"]["date"]),
            self.account(payload.get("author")),
            told["author"].get("email") or "",
            parents,
        )

    def issue(self, payload: Payload) -> None:
        made = self.repository.issue(
            self.account(payload["user"]),
            _certain(payload["created_at"]),
            payload["title"],
            number=payload["number"],
            body=payload.get("body") or "",
            labels=[label["name"] for label in payload.get("labels") or ()],
        )
        made.id, made.updated, made.closed = (
            payload["id"],
            _certain(payload["updated_at"]),
            _instant(payload.get("closed_at")),
        )
        made.state = "CLOSED" if made.closed else "OPEN"
        made.state_reason = str(payload["state_reason"]).upper() if payload.get("state_reason") else None
        made.assignees = [found for each in payload.get("assignees") or () if (found := self.account(each))]
        self.things[made.number] = made

    def review(self, payload: Payload) -> None:
        pull = self.things.get(_number(payload["pull_request_url"]))
        if isinstance(pull, Pull):
            made = Review(self.account(payload["user"]), payload["state"], _instant(payload.get("submitted_at")))
            made.id = payload["id"]
            pull.reviews.append(made)
            self.reviews[made.id] = made

    def inline(self, payload: Payload) -> None:
        review = self.reviews.get(payload.get("pull_request_review_id") or 0)
        if review is not None:
            review.comments += 1

    def comment(self, payload: Payload) -> None:
        thing = self.things.get(_number(payload["issue_url"]))
        if thing is not None:
            made = Comment(self.account(payload["user"]), _certain(payload["created_at"]), payload.get("body") or "")
            made.id = payload["id"]
            thing.comments.append(made)

    def event(self, payload: Payload) -> None:
        thing = self.things.get((payload.get("issue") or {}).get("number", 0))
        kind = EVENTS.get(payload["event"])
        if thing is None or kind is None:
            return
        made = Event(kind, _certain(payload["created_at"]), self.account(payload.get("actor")), id=payload["id"])
        made.reviewer = self.account(payload.get("requested_reviewer"))
        made.assignee = self.account(payload.get("assignee"))
        made.state_reason = str(payload["state_reason"]).upper() if payload.get("state_reason") else None
        if (team := payload.get("requested_team")) is not None:
            made.reviewer = self.world.team(team["slug"])
        thing.events.append(made)


def _size(payload: Payload) -> list[File]:
    """The files where they were recorded, else one that stands for the lines that were counted."""
    if payload.get("files"):
        return [File(each["filename"], each["additions"], each["deletions"]) for each in payload["files"]]
    if payload.get("additions") is None:
        return []
    return [File("(not recorded)", payload["additions"], payload["deletions"])]
