"""Raw issues to signals, one function a kind. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator

from pipmetrics.model import Json, Signal
from pipmetrics_github.accounts import actor
from pipmetrics_github.references import Place, causes
from pipmetrics_github.signals import instant, nodes, signal

CODES = {"COMPLETED": "fixed", "NOT_PLANNED": "wont_do", "DUPLICATE": "duplicate"}
"""Resolutions by state reason; one that the service does not tell is `fixed`, as closing used to mean."""


def issue(raw: Json, place: Place) -> tuple[Signal, ...]:
    """All signals of one issue."""
    return tuple(each for part in (opened, assignments, closings, links) for each in part(raw, place))


def _subject(raw: Json, place: Place) -> str:
    return place.subject(raw["number"])


def _events(raw: Json, *kinds: str) -> list[Json]:
    found = [each for each in nodes(raw.get("timelineItems")) if each.get("__typename") in kinds]
    return sorted(found, key=lambda each: instant(each["createdAt"]))


def opened(raw: Json, place: Place) -> Iterator[Signal]:
    texts = [raw.get("body") or "", *(comment.get("body") or "" for comment in nodes(raw.get("comments")))]
    detail = {
        "title": raw["title"],
        "type": (raw.get("issueType") or {}).get("name"),
        "labels": [label["name"] for label in nodes(raw.get("labels"))],
        "priority": None,
        "project": place.repository,
        "causes": causes(texts, place),
        "sprints": [],
    }
    key, at = f"{raw['id']}:opened", raw["createdAt"]
    yield signal(place, "issue_opened", _subject(raw, place), key, at, raw["author"], raw["url"], detail=detail)


def assignments(raw: Json, place: Place) -> Iterator[Signal]:
    """issue_assigned: given (the assignee acts) and taken away (nobody does, `from` tells whose it was).

    Issues have several assignees: each is given and taken on their own. One whom the timeline does not tell (a
    transferred issue) has it from the creation on.
    """
    subject, url, holding = _subject(raw, place), raw["url"], set[str | None]()
    made: list[Signal] = []
    for event in _events(raw, "AssignedEvent", "UnassignedEvent"):
        whose, key, at = event.get("assignee"), event["id"], event["createdAt"]
        given = event["__typename"] == "AssignedEvent"
        detail: dict[str, Json] = {"by": actor(event.get("actor")), "from": None if given else actor(whose)}
        (holding.add if given else holding.discard)(actor(whose))
        if given:
            made.append(signal(place, "issue_assigned", subject, key, at, whose, url, detail=detail))
        else:
            made.append(Signal(place.source, "issue_assigned", subject, key, instant(at), url, detail=detail))
    for assignee in nodes(raw.get("assignees")):
        if actor(assignee) not in holding:
            key = f"{raw['id']}:assigned:{actor(assignee)}"
            untold: dict[str, Json] = {"by": None, "from": None}
            yield signal(place, "issue_assigned", subject, key, raw["createdAt"], assignee, url, detail=untold)
    yield from made


def closings(raw: Json, place: Place) -> Iterator[Signal]:
    """issue_done and issue_reopened; closing what is closed changes the resolution in force."""
    subject, url = _subject(raw, place), raw["url"]
    turns = _events(raw, "ClosedEvent", "ReopenedEvent")
    for n, turn in enumerate(turns):
        closing, before = turn["__typename"] == "ClosedEvent", turns[n - 1]["__typename"] if n else ""
        if closing and before != "ClosedEvent":
            detail: dict[str, Json] = {"resolutions": _resolutions(raw, turns[n:])}
            yield signal(place, "issue_done", subject, turn["id"], turn["createdAt"], turn["actor"], url, detail=detail)
        elif not closing:
            yield signal(place, "issue_reopened", subject, turn["id"], turn["createdAt"], turn["actor"], url)
    closed = raw.get("closedAt")
    if closed and not (turns and turns[-1]["__typename"] == "ClosedEvent"):
        detail = {"resolutions": [_resolution(closed, raw.get("stateReason"))]}
        yield signal(place, "issue_done", subject, f"{raw['id']}:closed", closed, None, url, detail=detail)


def _resolutions(raw: Json, turns: list[Json]) -> list[Json]:
    """Those from the first of `turns` to the next reopening; the issue itself knows its present one best."""
    made = []
    for n, turn in enumerate(turns):
        if turn["__typename"] != "ClosedEvent":
            break
        last = n == len(turns) - 1
        made.append(
            _resolution(turn["createdAt"], (raw.get("stateReason") if last else None) or turn.get("stateReason"))
        )
    return made


def _resolution(at: str, reason: str | None) -> Json:
    return [instant(at).isoformat(), CODES.get(reason or "", "fixed"), (reason or "completed").lower()]


def links(raw: Json, place: Place) -> Iterator[Signal]:
    """issue_linked: what mentions it, what is connected with it by hand (and still is), what it is a duplicate of."""
    subject, url, connected = _subject(raw, place), raw["url"], dict[str, Json]()
    for event in _events(raw, "CrossReferencedEvent", "ConnectedEvent", "DisconnectedEvent", "MarkedAsDuplicateEvent"):
        other = event.get("canonical") if event["__typename"] == "MarkedAsDuplicateEvent" else event.get("source")
        if not other or other.get("number") is None:
            continue
        to = place.subject(other["number"], other["repository"]["nameWithOwner"])
        if to == subject:
            continue
        if event["__typename"] == "DisconnectedEvent":
            connected.pop(to, None)
        elif event["__typename"] == "ConnectedEvent":
            connected[to] = event
        else:
            yield _linked(place, subject, url, event, _phrase(event), to)
    for to, event in connected.items():
        yield _linked(place, subject, url, event, "is connected to", to)


def _phrase(event: Json) -> str:
    if event["__typename"] == "MarkedAsDuplicateEvent":
        return "duplicates"
    return "is closed by" if event.get("willCloseTarget") else "is mentioned by"


def _linked(place: Place, subject: str, url: str, event: Json, phrase: str, to: str) -> Signal:
    detail: dict[str, Json] = {"type": phrase, "to": to, "undated": False}
    return signal(
        place, "issue_linked", subject, event["id"], event["createdAt"], event.get("actor"), url, detail=detail
    )
