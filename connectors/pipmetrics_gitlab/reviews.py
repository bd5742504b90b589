"""Reviews out of notes: GitLab has no review object.

An approval, a "requested changes" note and the diff notes that open a thread are reviews; what one person did in one
second is one review. An approval that was taken back stays the review it was, dismissed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pipmetrics.model import Json, Signal
from pipmetrics_gitlab import notes as grammar
from pipmetrics_gitlab.accounts import Actor
from pipmetrics_gitlab.values import Note
from pipmetrics_gitlab.writing import Pen, moment

_STRONGEST_FIRST = ("changes_requested", "approved", "commented")


@dataclass(slots=True)
class _Review:
    """A review in the making: its notes, what they say, and when its approval was taken back."""

    actor: Actor
    first: Note
    states: set[str] = field(default_factory=set)
    comments: int = 0
    dismissed: datetime | None = None

    @property
    def state(self) -> str:
        return next(state for state in _STRONGEST_FIRST if state in self.states)

    def detail(self) -> dict[str, Json]:
        if self.dismissed is None:
            return {"state": self.state, "comments": self.comments, "previous": None}
        at = self.dismissed.isoformat()
        return {"state": "dismissed", "comments": self.comments, "previous": self.state, "dismissed": at}


def openers(notes: Iterable[Note]) -> set[str]:
    """Ids of the diff notes that open a thread; `notes` are in their order."""
    first: dict[str, Note] = {}
    for note in notes:
        if not note.system:
            first.setdefault(note.thread or note.id, note)
    return {note.id for note in first.values() if note.diff}


def reviews(notes: list[Note], pen: Pen) -> Iterator[Signal]:
    """The reviews of a merge request, from all its notes in their order."""
    found: dict[tuple[Actor, str, int], _Review] = {}
    opening = openers(notes)
    for note in notes:
        actor = pen.people.user(note.author)
        said = grammar.review(note.body) if note.system else "commented" if note.id in opening else None
        if said == "unapproved":
            _take_back(found.values(), {actor}, note.at)
        elif said is not None:
            login = note.author.login if note.author else ""
            review = found.setdefault((actor, login, moment(note.at)), _Review(actor, note))
            review.states.add(said)
            review.comments += said == "commented"
        elif note.system and (names := grammar.approvals_reset(note.body)):
            _take_back(found.values(), {pen.people.named(name) for name in names}, note.at)
    for review in found.values():
        note = review.first
        value = float(review.comments)
        yield pen("reviewed", note.id, note.at, review.actor, review.detail(), url=pen.beside(note), value=value)


def _take_back(reviews: Iterable[_Review], actors: set[Actor], at: datetime) -> None:
    """Dismisses the standing approvals of these people."""
    for review in reviews:
        if review.actor in actors and "approved" in review.states and review.dismissed is None:
            review.dismissed = at
