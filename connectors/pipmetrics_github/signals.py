"""Raw pull requests, deployments and releases to signals, one function a kind. Pure functions.

A raw object is what the queries of `queries.py` ask for, all its lists complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import quote

from pipmetrics.model import Json, Signal
from pipmetrics_github.accounts import actor, mark
from pipmetrics_github.references import Place, causes, mentioned, reverted

STATES = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes_requested",
    "COMMENTED": "commented",
    "DISMISSED": "dismissed",
}
FAILED = frozenset({"FAILURE", "TIMED_OUT", "STARTUP_FAILURE", "ACTION_REQUIRED", "ERROR"})
QUIET = ("CANCELLED", "SKIPPED", "NEUTRAL")
"""Conclusions that neither pass nor fail, in the order in which one stands for a mixture."""


def instant(text: str) -> datetime:
    """An instant as the service writes it."""
    return datetime.fromisoformat(text)


def nodes(connection: Json) -> list[Json]:
    """What a list holds; nothing where the service gives no list."""
    return [node for node in (connection or {}).get("nodes") or () if node]


def signal(
    place: Place,
    kind: str,
    subject: str,
    key: str,
    at: str,
    who: Json,
    url: str,
    value: float | None = None,
    detail: Mapping[str, Json] | None = None,
) -> Signal:
    """A signal whose actor is a raw one."""
    return Signal(place.source, kind, subject, key, instant(at), url, actor(who), mark(who), value, detail or {})


# --- changes --------------------------------------------------------------------------------------------------------


def change(pull: Json, place: Place) -> tuple[Signal, ...]:
    """All signals of one pull request."""
    parts = (opened, merged, drafts, closings, requests, reviews, comments, commits, checks)
    return tuple(each for part in parts for each in part(pull, place))


def _subject(pull: Json, place: Place) -> str:
    return place.subject(pull["number"])


def _messages(pull: Json) -> list[str]:
    return [node["commit"].get("message") or "" for node in nodes(pull.get("commits"))]


def _texts(pull: Json) -> list[str]:
    """Where a change mentions issues: branch, title, body, first lines of its commits."""
    subjects = [message.partition("\n")[0] for message in _messages(pull)]
    return [pull.get("headRefName") or "", pull["title"], pull.get("body") or "", *subjects]


def _mentions(pull: Json, place: Place) -> dict[str, Json]:
    own = _subject(pull, place)
    closing = nodes(pull.get("closingIssuesReferences"))
    return {
        "issues": [each for each in mentioned(_texts(pull), place) if each != own],
        "closes": [place.subject(each["number"], each["repository"]["nameWithOwner"]) for each in closing],
        "labels": [label["name"] for label in nodes(pull.get("labels"))],
        "base": pull["baseRefName"],
        "default_branch": pull["baseRefName"] == place.default_branch,
    }


def opened(pull: Json, place: Place) -> Iterator[Signal]:
    """change_opened, and change_ready at the same instant unless it was opened as a draft."""
    author, subject, draft = pull["author"], _subject(pull, place), _opened_as_draft(pull)
    detail = {
        **_mentions(pull, place),
        "title": pull["title"],
        "draft": draft,
        "branch": pull.get("headRefName") or "",
        "author_login": (author or {}).get("login"),
    }
    created = pull["createdAt"]
    yield signal(place, "change_opened", subject, f"{pull['id']}:opened", created, author, pull["url"], detail=detail)
    if not draft:
        yield signal(place, "change_ready", subject, f"{pull['id']}:ready", created, author, pull["url"])


def _opened_as_draft(pull: Json) -> bool:
    """The first turn tells what it was before; without any turn it still is what it was."""
    turns = _events(pull, "ReadyForReviewEvent", "ConvertToDraftEvent")
    return turns[0]["__typename"] == "ReadyForReviewEvent" if turns else bool(pull["isDraft"])


def merged(pull: Json, place: Place) -> Iterator[Signal]:
    if not pull.get("mergedAt"):
        return
    messages, body = _messages(pull), pull.get("body") or ""
    files = {file["path"]: [file["path"], file["additions"], file["deletions"]] for file in nodes(pull.get("files"))}
    own = [node["commit"]["oid"] for node in nodes(pull.get("commits"))]
    detail = {
        **_mentions(pull, place),
        "merged_by": actor(pull.get("mergedBy")),
        "files": list(files.values()),
        "files_complete": len(files) >= pull["changedFiles"],
        "sha": (pull.get("mergeCommit") or {}).get("oid"),
        "reverts": reverted([body, *messages], place, own),
        "causes": causes([body, *messages], place),
    }
    lines = float(pull["additions"] + pull["deletions"])
    key, at = f"{pull['id']}:merged", pull["mergedAt"]
    yield signal(place, "change_merged", _subject(pull, place), key, at, pull["author"], pull["url"], lines, detail)


def _events(pull: Json, *kinds: str) -> list[Json]:
    found = [each for each in nodes(pull.get("timelineItems")) if each.get("__typename") in kinds]
    return sorted(found, key=lambda each: instant(each["createdAt"]))


def drafts(pull: Json, place: Place) -> Iterator[Signal]:
    kinds = {"ReadyForReviewEvent": "change_ready", "ConvertToDraftEvent": "change_drafted"}
    for event in _events(pull, *kinds):
        kind = kinds[event["__typename"]]
        yield signal(place, kind, _subject(pull, place), event["id"], event["createdAt"], event["actor"], pull["url"])


def closings(pull: Json, place: Place) -> Iterator[Signal]:
    """change_closed and change_reopened; the closing that comes with a merge is the merge, not a closing."""
    turns = _events(pull, "ClosedEvent", "ReopenedEvent")
    last_reopening = max((n for n, turn in enumerate(turns) if turn["__typename"] == "ReopenedEvent"), default=-1)
    subject, url = _subject(pull, place), pull["url"]
    for n, turn in enumerate(turns):
        closing = turn["__typename"] == "ClosedEvent"
        if closing and pull.get("mergedAt") and n > last_reopening:
            continue
        kind = "change_closed" if closing else "change_reopened"
        yield signal(place, kind, subject, turn["id"], turn["createdAt"], turn["actor"], url)
    told = any(turn["__typename"] == "ClosedEvent" for turn in turns[last_reopening + 1 :])
    if pull.get("closedAt") and not pull.get("mergedAt") and not told:
        yield signal(place, "change_closed", subject, f"{pull['id']}:closed", pull["closedAt"], None, url)


def requests(pull: Json, place: Place) -> Iterator[Signal]:
    """review_requested and review_request_removed: of a person, or of a team (then nobody is the actor)."""
    kinds = {"ReviewRequestedEvent": "review_requested", "ReviewRequestRemovedEvent": "review_request_removed"}
    for event in _events(pull, *kinds):
        asked = event.get("requestedReviewer")
        team = asked.get("slug") if asked and asked.get("__typename") == "Team" else None
        yield Signal(
            place.source,
            kinds[event["__typename"]],
            _subject(pull, place),
            event["id"],
            instant(event["createdAt"]),
            pull["url"],
            None if team else actor(asked),
            "" if team else mark(asked),
            detail={"requester": actor(event.get("actor")), "team": team},
        )


def reviews(pull: Json, place: Place) -> Iterator[Signal]:
    """reviewed, pending reviews left out; a dismissed one tells the state it had before."""
    dismissed = {
        event["review"]["id"]: STATES.get(event.get("previousReviewState") or "")
        for event in _events(pull, "ReviewDismissedEvent")
        if event.get("review")
    }
    for review in nodes(pull.get("reviews")):
        state = STATES.get(review["state"])
        if state is None or not review.get("submittedAt"):
            continue
        inline = (review.get("comments") or {}).get("totalCount") or 0
        previous = dismissed.get(review["id"]) if state == "dismissed" else None
        detail = {"state": state, "comments": inline, "previous": previous}
        key, at, url = review["id"], review["submittedAt"], review.get("url") or pull["url"]
        yield signal(place, "reviewed", _subject(pull, place), key, at, review["author"], url, float(inline), detail)


def comments(pull: Json, place: Place) -> Iterator[Signal]:
    for comment in nodes(pull.get("comments")):
        key, at, url = comment["id"], comment["createdAt"], comment.get("url") or pull["url"]
        author = comment["author"]
        yield signal(place, "commented", _subject(pull, place), key, at, author, url, detail={"inline": False})


def commits(pull: Json, place: Place) -> Iterator[Signal]:
    """commits_pushed, one a commit; it is the change's author's where the address belongs to no account."""
    for node in nodes(pull.get("commits")):
        commit = node["commit"]
        linked = (commit.get("author") or {}).get("user")
        sha, at = commit["oid"], commit["committedDate"]
        authored = instant(commit.get("authoredDate") or at).isoformat()
        detail = {"sha": sha, "authored": authored, "linked": linked is not None}
        who, key, url = linked or pull["author"], f"{pull['id']}:{sha}", commit.get("url") or pull["url"]
        yield signal(place, "commits_pushed", _subject(pull, place), key, at, who, url, detail=detail)


def checks(pull: Json, place: Place) -> Iterator[Signal]:
    """checks_completed, one a head commit whose every check has ended, those that a force push replaced included."""
    for commit in heads(pull):
        parts = nodes((commit.get("statusCheckRollup") or {}).get("contexts"))
        if not parts or not all(map(_ended, parts)):
            continue
        sha, at = commit["oid"], max((_end(part) for part in parts), key=instant)
        detail = {"conclusion": _conclusion(parts), "attempt": 1, "sha": sha}
        key, url = f"{pull['id']}:checks:{sha}", commit.get("url") or pull["url"]
        yield signal(place, "checks_completed", _subject(pull, place), key, at, pull["author"], url, detail=detail)


def heads(pull: Json) -> list[Json]:
    """Commits that checks may have run on, each once: the present ones, and former heads that were pushed away."""
    forced = [event.get("beforeCommit") for event in nodes(pull.get("forcedPushes"))]
    present = [node["commit"] for node in nodes(pull.get("commits"))]
    return list({commit["oid"]: commit for commit in [*forced, *present] if commit}.values())


def unfinished(pull: Json) -> bool:
    """Whether a check has not ended: its end will not move the pull request's update time."""
    rollups = (commit.get("statusCheckRollup") or {} for commit in heads(pull))
    return any(not _ended(part) for rollup in rollups for part in nodes(rollup.get("contexts")))


def _ended(part: Json) -> bool:
    if part["__typename"] == "StatusContext":
        return part["state"] not in ("PENDING", "EXPECTED")
    return part.get("status") == "COMPLETED" and bool(part.get("completedAt"))


def _end(part: Json) -> str:
    return str(part["createdAt"] if part["__typename"] == "StatusContext" else part["completedAt"])


def _conclusion(parts: list[Json]) -> str:
    """It failed if anything failed, it succeeded if something did and nothing failed."""
    ends = {part["state"] if part["__typename"] == "StatusContext" else part.get("conclusion") for part in parts}
    if ends & FAILED:
        return "failure"
    if "SUCCESS" in ends:
        return "success"
    return next((quiet.lower() for quiet in QUIET if quiet in ends), "neutral")


# --- production -----------------------------------------------------------------------------------------------------


def deployment(raw: Json, place: Place) -> tuple[Signal, ...]:
    """deployed, when it first succeeded; nothing while it has not."""
    succeeded = [status for status in nodes(raw.get("statuses")) if status["state"] == "SUCCESS"]
    if not succeeded:
        return ()
    at = min((status["createdAt"] for status in succeeded), key=instant)
    environment = raw.get("environment") or ""
    return (_deployed(raw, place, f"@{raw['databaseId']}", at, raw["commitOid"], environment, raw.get("creator")),)


def release(raw: Json, place: Place) -> tuple[Signal, ...]:
    """deployed, at the publication of a release that is neither a draft nor a pre-release."""
    commit = raw.get("tagCommit")
    if raw["isDraft"] or raw["isPrerelease"] or not raw.get("publishedAt") or not commit:
        return ()
    name = f"@release-{raw['databaseId']}"
    made = _deployed(raw, place, name, raw["publishedAt"], commit["oid"], "release", raw.get("author"))
    return (made,)


def _deployed(raw: Json, place: Place, name: str, at: str, sha: str, environment: str, who: Json) -> Signal:
    repository = f"{place.source}:{place.repository}"
    url = raw.get("url") or f"{place.url}/deployments/{quote(environment, safe='')}"
    detail = {"sha": sha, "environment": environment, "repository": repository}
    return signal(place, "deployed", repository + name, raw["id"], at, who, url, detail=detail)
