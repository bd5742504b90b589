"""What the signals of one merge request or issue have in common, and the history of its states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipmetrics.model import Json, Signal
from pipmetrics_gitlab import notes as grammar
from pipmetrics_gitlab.accounts import Actor, Directory
from pipmetrics_gitlab.values import Note, Project, Transition

SAME = timedelta(seconds=5)
"""A closing told by a note, a state event and a date of closing is one closing: they are written one after another."""


def chronological(notes: Iterable[Note]) -> list[Note]:
    return sorted(notes, key=lambda note: (note.at, len(note.id), note.id))


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes signals of one subject; `id` is GitLab's own of the merge request or issue, and makes keys."""

    source: str
    project: Project
    mark: str
    iid: int
    id: str
    url: str
    people: Directory

    @property
    def subject(self) -> str:
        return f"{self.source}:{self.project.path}{self.mark}{self.iid}"

    def __call__(
        self,
        kind: str,
        key: str,
        at: datetime,
        actor: Actor,
        detail: Mapping[str, Json] | None = None,
        *,
        url: str = "",
        value: float | None = None,
    ) -> Signal:
        """A signal whose key is its kind and `key`, which holds ids of GitLab that never change."""
        return Signal(
            source=self.source,
            kind=kind,
            subject=self.subject,
            key=f"{kind}:{key}",
            at=at,
            url=url or self.url,
            actor=actor.id,
            mark=actor.mark,
            value=value,
            detail=detail or {},
        )

    def beside(self, note: Note) -> str:
        return f"{self.url}#note_{note.id}"


def history(told: Sequence[Transition], notes: Iterable[Note], last: Transition | None) -> list[Transition]:
    """Closings and reopenings in their order, each once.

    `told` are the state events; `notes` the system notes that old versions wrote instead; `last` the closing that the
    item itself shows, for the usual case that it was closed once and nothing else was asked.
    """
    known = list(told)
    for note in chronological(notes):
        kind = grammar.state(note.body) if note.system else None
        if kind in ("closed", "reopened"):
            _add(known, Transition(kind, note.at, note.author))
    if last is not None:
        _add(known, last)
    return sorted(known, key=lambda one: (one.at, one.kind))


def _add(known: list[Transition], one: Transition) -> None:
    if not any(held.kind == one.kind and abs(held.at - one.at) <= SAME for held in known):
        known.append(one)


def moment(at: datetime) -> int:
    """An instant in whole seconds, for keys: GraphQL cuts fractions off where REST tells them."""
    return int(at.timestamp())
