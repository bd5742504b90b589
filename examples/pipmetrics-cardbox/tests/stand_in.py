"""A stand-in for Cardbox: a box of cards, and an app that serves it as Cardbox's API does.

box = Box("secret")
ada, lee = box.person("ada"), box.person("lee")
card = box.card("payments", lee, at, "Round half up", type="bug")
card.give(ada, at + hour, by=lee)
card.lay("desk", at + 2 * hour, by=ada)
with serve(app(box)) as service:
    ...  # service.url + "/api/boards/payments/cards?after=0&limit=50"
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from pipmetrics.demo.service import App, Request, Response

Person = dict[str, Any]


@dataclass
class Card:
    box: Box
    board: str
    number: int
    title: str
    type: str
    labels: list[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    place: str = "box"
    owner: Person | None = None
    due: str | None = None
    deleted: bool = False
    revision: int = 0

    @property
    def key(self) -> str:
        return f"{self.board.upper()[:3]}-{self.number}"

    def note(
        self, what: str, at: datetime, by: Person | None, before: Any = None, after: Any = None, **more: Any
    ) -> None:
        event = {"id": next(self.box.ids), "at": at.astimezone(UTC).isoformat(), "by": by, "what": what}
        self.events.append(event | {"from": before, "to": after} | more)
        self.revision = next(self.box.revisions)

    def give(self, owner: Person | None, at: datetime, by: Person | None) -> None:
        before, self.owner = self.owner, owner
        self.note("given", at, by, before, owner)

    def lay(self, place: str, at: datetime, by: Person | None, outcome: str | None = None) -> None:
        """box, desk or shelf; `outcome` says how it came onto the shelf."""
        before, self.place = self.place, place
        self.note("laid", at, by, before, place, outcome=outcome)

    def date(self, due: str | None, at: datetime, by: Person | None) -> None:
        before, self.due = self.due, due
        self.note("dated", at, by, before, due)

    def delete(self) -> None:
        self.deleted, self.revision = True, next(self.box.revisions)

    def json(self, url: str) -> dict[str, Any]:
        if self.deleted:
            return {"key": self.key, "revision": self.revision, "deleted": True}
        told = {name: getattr(self, name) for name in ("key", "revision", "title", "type", "labels")}
        return told | {"events": self.events, "url": f"{url}/cards/{self.key}"}


@dataclass
class Box:
    token: str
    scopes: tuple[str, ...] = ("read",)
    people: dict[str, Person] = field(default_factory=dict)
    cards: list[Card] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    """Boards that the token may not see."""
    ids: Any = field(default_factory=lambda: count(1))
    revisions: Any = field(default_factory=lambda: count(1))

    def person(self, name: str, *, robot: bool = False) -> Person:
        return self.people.setdefault(name, {"id": f"p{len(self.people) + 1}", "name": name, "robot": robot})

    def card(
        self, board: str, by: Person | None, at: datetime, title: str, *, type: str = "task", labels: Any = ()
    ) -> Card:
        made = Card(self, board, len(self.cards) + 1, title, type, list(labels))
        self.cards.append(made)
        made.note("written", at, by)
        return made

    def boards(self) -> set[str]:
        return {card.board for card in self.cards} - self.hidden


def app(box: Box) -> App:
    def answer(request: Request) -> Response:
        if request.headers.get("authorization") != f"Token {box.token}":
            return Response.of({"error": "unknown token"}, 401)
        match request.path.strip("/").split("/"):
            case ["api", "me"]:
                return Response.of({"name": "reader", "scopes": list(box.scopes)})
            case ["api", "people", name] if name in box.people:
                return Response.of(box.people[name])
            case ["api", "boards", board] if board in box.boards():
                return Response.of({"name": board})
            case ["api", "boards", board, "cards"] if board in box.boards():
                return Response.of(listed(box, board, request))
        return Response.of({"error": "not found"}, 404)

    return answer


def listed(box: Box, board: str, request: Request) -> dict[str, Any]:
    """Cards changed after a revision, the earliest first, as many as asked for (at most 100)."""
    after, limit = int(request.ask("after", "0")), min(int(request.ask("limit", "20")), 100)
    cards = [card for card in box.cards if card.board == board]
    changed = sorted((card for card in cards if card.revision > after), key=lambda card: card.revision)
    return {"cards": [card.json(request.origin) for card in changed[:limit]], "total": len(changed)}
