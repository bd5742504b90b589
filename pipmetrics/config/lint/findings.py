"""What the rules look at and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipmetrics.config.configuration import Config
from pipmetrics.config.document import Document, Path
from pipmetrics.model import Plan

Level = Literal["warning", "note"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What measurements say of one criterion before the plan starts; what is not known is None.

    `expected`: samples (or exposure) that the window will hold; `needed`: those without which there is no verdict,
    default the criterion's `minimum`. `power`: the chance, 0 to 1, that somebody who truly reaches the target can be
    told from somebody who did not change. `met` of `peers` would have met the target.
    """

    plan: str
    criterion: str
    expected: float | None = None
    needed: float | None = None
    power: float | None = None
    peers: int = 0
    met: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a good HR partner would say; `waived` is the reason why the plan accepts it."""

    file: str
    line: int
    column: int
    code: str
    name: str
    level: Level
    plan: str
    what: str
    mend: str
    waived: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One plan with all that a rule may look at."""

    plan: Plan
    document: Document
    config: Config
    outlooks: Mapping[str, Outlook] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a rule found something, what it is, and a mend when there is a better one than the rule's."""

    path: Path
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its number and name; `why` and `fix` are what `check --explain` prints."""

    code: str
    name: str
    title: str
    why: str
    fix: str
    find: Callable[[Seen], Iterator[Hit]]
    measured: bool = False
    """Whether it needs an Outlook, and so says nothing about a plan that nobody measured."""


RULES: dict[str, Rule] = {}


def rule(
    code: str, name: str, *, why: str, fix: str, measured: bool = False
) -> Callable[[Callable[[Seen], Iterator[Hit]]], Callable[[Seen], Iterator[Hit]]]:
    """Enters a function into RULES; its docstring's first line is the rule's title."""

    def enter(find: Callable[[Seen], Iterator[Hit]]) -> Callable[[Seen], Iterator[Hit]]:
        title = (find.__doc__ or "").splitlines()[0]
        RULES[code] = Rule(code, name, title, why, fix, find, measured)
        return find

    return enter
