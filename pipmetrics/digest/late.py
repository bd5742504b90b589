"""What late data did to last week's figures: the evaluation on record against one of the same instant made now.

What was recorded stays; the next digest says what would read otherwise today, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipmetrics.digest import words
from pipmetrics.digest.words import clean
from pipmetrics.model import Json

NEAR = 1e-9
"""Figures that differ by less are the same: another version may sum in another order."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A criterion whose figure of last week would read otherwise now; `why` in plain words, never empty."""

    criterion: str
    name: str
    unit: str
    before: float | None
    after: float | None
    verdict_before: str
    verdict_after: str
    why: tuple[str, ...]

    @property
    def sentence(self) -> str:
        then, now = words.number(self.before, self.unit), words.number(self.after, self.unit)
        figure = f"was {then} and would be {now} now" if then != now else f"is still {now}, from other data"
        said = f"{self.name}: last week's figure {figure}, because {words.listing(self.why)}."
        if self.verdict_before != self.verdict_after:
            first, second = (words.VERDICTS[each].word.lower() for each in (self.verdict_before, self.verdict_after))
            said += f" Its verdict would be {second}; on record stays {first}."
        return said


def compare(recorded: Json, again: Json) -> tuple[Revision, ...]:
    """The criteria of one plan (SPEC section 10) that read otherwise; both evaluations are of the same instant.

    A criterion that only one of them has is another version of the plan, and no matter of late data.
    """
    known = {criterion["id"]: criterion for criterion in again["criteria"]}
    pairs = [(was, known[was["id"]]) for was in recorded["criteria"] if was["id"] in known]
    mended = _mended(recorded, again)
    return tuple(_revision(was, now, mended) for was, now in pairs if _differs(was, now))


def sentences(recorded: Json, again: Json) -> list[str]:
    """What the next digest says of it, one sentence or two a criterion."""
    return [revision.sentence for revision in compare(recorded, again)]


def _differs(was: Json, now: Json) -> bool:
    if was["verdict"] != now["verdict"] or not _same(was["value"], now["value"]) or not _same(was["n"], now["n"]):
        return True
    return any(was[part] != now[part] for part in ("counted", "excluded", "pending"))


def _same(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return abs(first - second) <= NEAR * max(1.0, abs(first), abs(second))


def _revision(was: Json, now: Json, mended: Sequence[str]) -> Revision:
    return Revision(
        criterion=was["id"],
        name=clean(was.get("expectation") or was["id"]),
        unit=was["unit"],
        before=was["value"],
        after=now["value"],
        verdict_before=was["verdict"],
        verdict_after=now["verdict"],
        why=tuple(_why(was, now, mended)),
    )


def _why(was: Json, now: Json, mended: Sequence[str]) -> Iterator[str]:
    known = {part: now[part] - was[part] for part in ("counted", "excluded", "pending")}
    found = list(mended)
    total = sum(known.values())
    if total > 0:
        found.append(f"{words.count(total, 'data point')} came late")
    elif total < 0:
        found.append(f"{words.count(-total, 'data point')} {_is(-total)} gone at the source")
    if known["excluded"] > max(0, total):
        moved = known["excluded"] - max(0, total)
        found.append(f"{words.count(moved, 'data point')} {_is(moved)} left out since")
    if known["excluded"] < min(0, total):
        found.append(
            f"{words.count(-known['excluded'], 'left-out data point')} {_is(-known['excluded'])} counted since"
        )
    if known["pending"] < min(0, total):
        found.append(f"{words.count(-known['pending'], 'pending data point')} {_is(-known['pending'])} decided since")
    yield from found or ["a data point was corrected at its source"]


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _mended(recorded: Json, again: Json) -> list[str]:
    """Sources that were incomplete then and are not now."""
    gone = [gap for gap in recorded["incomplete_sources"] if gap not in again["incomplete_sources"]]
    return [f"a source was incomplete then ({clean(str(gap))})" for gap in gone]
