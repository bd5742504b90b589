"""Cards as Cardbox gives them -> signals, as docs/signals.md describes them. Pure: nothing is asked here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pipmetrics.model import Account, Json, Signal

CATEGORIES = {"box": "new", "desk": "in_progress", "shelf": "done"}
"""Where a card may lie, and what that means."""
CODES = {"fixed": "fixed", "duplicate": "duplicate", "not wanted": "wont_do", "not reproduced": "cannot_reproduce"}


def subject_of(source: str, card: Mapping[str, Json]) -> str:
    return f"{source}:{card['key']}"


def accounts_of(source: str, cards: Iterable[Mapping[str, Json]]) -> list[Account]:
    """Everybody who is named on the cards, each once."""
    named: dict[str, Account] = {}
    for card in cards:
        people = [event[part] for event in card.get("events", ()) for part in ("by", "to", "from")]
        for person in filter(None, people):
            if isinstance(person, dict):
                named[person["id"]] = Account(source, person["id"], person["name"], mark=_mark(person))
    return list(named.values())


def groups_of(
    source: str, board: str, cards: Iterable[Mapping[str, Json]], since: datetime, *, removing: bool
) -> dict[str, Sequence[Signal]]:
    """Everything that the cards tell, a group a card.

    A deleted card is an empty group, which removes it from the store; `removing`: something may be there to remove.
    Cards that have rested since before `since` are left out.
    """
    groups: dict[str, Sequence[Signal]] = {}
    for card in cards:
        if card.get("deleted"):
            groups |= {subject_of(source, card): ()} if removing else {}
        elif _at(card["events"][-1]) >= since:
            groups[subject_of(source, card)] = [
                signal for event in card["events"] for signal in _signals(source, board, card, event)
            ]
    return groups


def _signals(source: str, board: str, card: Mapping[str, Json], event: Mapping[str, Json]) -> Iterable[Signal]:
    def signal(kind: str, actor: Json, detail: Mapping[str, Json]) -> Signal:
        return Signal(
            source=source,
            kind=kind,
            subject=subject_of(source, card),
            key=f"{kind}:{event['id']}",
            at=_at(event),
            url=f"{card['url']}#event-{event['id']}",
            actor=actor and actor["id"],
            mark=_mark(actor) if actor else "ghost",
            detail=detail,
        )

    by, before, after = event["by"], event["from"], event["to"]
    match event["what"]:
        case "written":
            yield signal("issue_opened", by, _opened(board, card))
        case "given":
            detail = {"by": by and by["id"], "from": before and before["id"]}
            assigned = signal("issue_assigned", after, detail)
            yield assigned if after else replace(assigned, mark="")  # given to nobody, not to a deleted account
        case "dated":
            yield signal("issue_due_changed", by, {"from": before, "to": after})
        case "laid":
            yield from _moved(signal, event)


def _moved(signal: Callable[[str, Json, Mapping[str, Json]], Signal], event: Mapping[str, Json]) -> Iterable[Signal]:
    """A card that is laid somewhere else, onto the shelf (done) or back from it."""
    by, before, after = event["by"], CATEGORIES[event["from"]], CATEGORIES[event["to"]]
    where = {"from": event["from"], "to": event["to"], "from_category": before, "to_category": after}
    yield signal("issue_status_changed", by, where)
    if after == "done":
        code = CODES.get(event["outcome"] or "", "other")
        yield signal("issue_done", by, {"resolutions": [[_at(event).isoformat(), code, event["outcome"]]]})
    elif before == "done":
        yield signal("issue_reopened", by, {})


def _opened(board: str, card: Mapping[str, Json]) -> Mapping[str, Json]:
    return {
        "title": card["title"],
        "type": card["type"],
        "labels": list(card["labels"]),
        "priority": None,
        "project": board,
        "causes": [],
        "sprints": [],
    }


def _mark(person: Mapping[str, Json]) -> Literal["", "bot"]:
    return "bot" if person["robot"] else ""


def _at(event: Mapping[str, Json]) -> datetime:
    return datetime.fromisoformat(event["at"])
