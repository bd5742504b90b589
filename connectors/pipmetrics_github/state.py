"""How far the reading of one repository has come: what a bookmark holds, as JSON and back.

A stream is read newest first, down to a floor, page by page. `Walk` is such a reading under way; what was updated
meanwhile has moved to the top, so a walk of more than one page is followed by another one down to where it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from pipmetrics.model import Json

FORMAT = 1
"""Bookmarks of another format are not understood: then a repository is read anew from where it once began."""
LARGEST = 100


@dataclass(slots=True)
class Walk:
    """A walk under way. Of its first page, `first` is the newest instant and `total` how many there were in all.

    `before`: the newest instant of the walk that this one follows, to see what moved meanwhile.
    """

    floor: str
    cursor: str | None = None
    first: str | None = None
    newest: str | None = None
    before: str | None = None
    pages: int = 0
    total: int | None = None


@dataclass(slots=True)
class Stream:
    """One kind of thing. `until`: all that was updated before is known; None while no walk has ever ended.

    `total` and `top`: how many there were and the highest number, when last looked at; `fresh`: higher numbers seen
    since, `known`: numbers that have a group, as ranges. `asked`: what was asked for (environments): another wish
    starts the stream over.
    """

    until: str | None = None
    walk: Walk | None = None
    total: int | None = None
    top: int = 0
    fresh: str = ""
    known: str = ""
    asked: str = ""
    failed: bool = False
    """Something could not be read in this walk: then its end does not move `until`."""

    @property
    def open(self) -> bool:
        return self.walk is not None


@dataclass(slots=True)
class State:
    """One repository. `start`: facts are complete from here; `seen`: what the last survey told; `size`: of pages.

    `watch`: ids whose next change moves no update time (a check or a deployment under way), with their subject's end.
    """

    name: str
    start: str
    size: int = LARGEST
    seen: str = ""
    watch: dict[str, str] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)

    def json(self) -> Json:
        """The bookmark's value."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def of(cls, kept: Json) -> State | None:
        """The state that `json` gave; None for anything else."""
        if not isinstance(kept, Mapping) or kept.get("format") != FORMAT:
            return None
        streams = {
            name: Stream(**{**stream, "walk": Walk(**stream["walk"]) if stream["walk"] else None})
            for name, stream in kept["streams"].items()
        }
        return cls(kept["name"], kept["start"], kept["size"], kept["seen"], dict(kept["watch"]), streams)

    def shrink(self) -> None:
        self.size = max(1, self.size // 2)

    def grow(self) -> None:
        self.size = min(LARGEST, self.size + max(1, self.size // 4))


def read(text: str) -> datetime:
    """An instant of a bookmark or of the service."""
    return datetime.fromisoformat(text)


def written(at: datetime) -> str:
    """An instant as bookmarks hold it: UTC, seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def latest(*instants: str | None) -> str | None:
    """The latest of those that are there."""
    return max((each for each in instants if each), key=read, default=None)


def earliest(*instants: str | None) -> str | None:
    """The earliest of those that are there."""
    return min((each for each in instants if each), key=read, default=None)


def packed(numbers: Iterable[int]) -> str:
    """Numbers as ranges: ``1-3,7``."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def unpacked(ranges: str) -> set[int]:
    """The numbers of ranges."""
    pairs = [part.partition("-") for part in ranges.split(",") if part]
    return {number for low, _, high in pairs for number in range(int(low), int(high or low) + 1)}
