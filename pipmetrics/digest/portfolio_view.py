"""The portfolio in words: as text, and as what its page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pipmetrics import statistics
from pipmetrics.digest import charts, words
from pipmetrics.digest.practice import Fact
from pipmetrics.digest.words import clean, unbroken

if TYPE_CHECKING:
    from pipmetrics.digest.html import Surroundings
    from pipmetrics.digest.portfolio import Portfolio

LEVELS = (
    ("ad hoc", "Each manager in their own way"),
    ("standardized", "The same care for everybody"),
    ("optimized", "Early help, promises kept, targets tried first"),
)
FEW = "fewer than 5 people"


def said(fact: Fact) -> str:
    """5 of 7, 71%; or that too few people are behind it."""
    return f"{fact.good} of {fact.of}, {words.number(fact.share, 'share')}" if fact.share is not None else FEW


def needed(fact: Fact) -> str:
    if fact.mark is None:
        return words.NOTHING
    return f"{'at most ' if fact.at_most else ''}{words.number(fact.mark, 'share')}"


def holds(fact: Fact) -> str:
    return {True: "Yes", False: "Not yet", None: "Too few to say"}[fact.holds]


def listing(counts: Mapping[str, int]) -> str:
    """1 met, 3 on track."""
    order = [verdict for verdict in words.VERDICTS if verdict in counts]
    return ", ".join(f"{counts[verdict]} {words.VERDICTS[verdict].word.lower()}" for verdict in order)


def _head(found: Portfolio) -> str:
    active = FEW if found.active is None else words.count(found.active, "plan")
    return f"Active formal plans: {active}. As of {words.moment(found.as_of)} UTC."


def _missing(found: Portfolio) -> str:
    """What stands between here and the next level."""
    if found.level in ("optimized", "too few to say"):
        return ""
    rules = found.standardized if found.level == "ad hoc" else found.optimized
    left = [fact.title[:1].lower() + fact.title[1:] for fact in rules if fact.holds is False]
    target = "Standardized" if found.level == "ad hoc" else "Optimized"
    if not left:
        return f"Too few people are behind the facts of {target} to say more."
    return f"{words.count(len(left), 'fact stands', 'facts stand')} between here and {target}: {'; '.join(left)}."


def text(found: Portfolio) -> Iterator[str]:
    yield "Portfolio: is the practice fair and useful?"
    yield _head(found)
    if found.verdicts:
        yield f"Verdicts: {listing(found.verdicts)}"
    yield ""
    for fact in (*found.tiles, *found.more):
        mark = f"  (mark: {needed(fact)})" if fact.mark is not None else ""
        yield f"  {fact.title:<40} {said(fact)}{mark}"
    first = FEW if found.first_check_in is None else f"{found.first_check_in:g} days (median)"
    yield f"  {'Time to the first check-in':<40} {first}"
    yield f"\nMaturity of the practice: {found.level}"
    yield from ([f"  {_missing(found)}"] if _missing(found) else [])
    for title, rules in (("Standardized needs", found.standardized), ("Optimized also needs", found.optimized)):
        yield f"  {title}"
        for fact in rules:
            yield f"    {holds(fact):<15} {fact.title:<52} {said(fact)}, needed {needed(fact)}"
    if found.outcomes:
        yield "\nHow plans ended, last 12 months"
        yield from (f"  {count} of {found.ended}  {outcome}" for outcome, count in found.outcomes)
    if found.looks:
        yield "\nWorth a second look"
        for look in found.looks:
            which = f": {', '.join(map(clean, look.plans))}" if look.plans else ""
            yield f"  {words.count(look.count, 'plan')}: {look.reason}{which}"
    yield "\nComparisons between groups of people are shown only from 5 people a group. Coaching is private."


def view(found: Portfolio, around: Surroundings) -> Mapping[str, Any]:
    order = [level for level, _ in LEVELS]
    here = order.index(found.level) if found.level in order else -1
    return {
        "title": "Portfolio",
        "head": _head(found),
        "tiles": [_tile(fact) for fact in found.tiles],
        "more": [(fact.title, unbroken(said(fact))) for fact in found.more],
        "first": FEW if found.first_check_in is None else f"{found.first_check_in:g} days",
        "level": found.level[:1].upper() + found.level[1:],
        "steps": [
            (level[:1].upper() + level[1:], text, "here" if place == here else "past" if place < here else "")
            for place, (level, text) in enumerate(LEVELS)
        ],
        "missing": _missing(found),
        "rules": [
            (title, [(fact.title, said(fact), needed(fact), holds(fact)) for fact in rules])
            for title, rules in (("Standardized needs", found.standardized), ("Optimized also needs", found.optimized))
        ],
        "verdicts_said": listing(found.verdicts),
        "lines": found.lines,
        "icons_of": {verdict: look.css for verdict, look in words.VERDICTS.items()},
        "counted": listing_of,
        "plan_url": around.plan_url,
        "outcomes": found.outcomes,
        "stack": _stack(found),
        "closed": found.ended,
        "looks": found.looks,
    }


def listing_of(verdicts: Sequence[str]) -> str:
    counts: dict[str, int] = {}
    for verdict in verdicts:
        counts[verdict] = counts.get(verdict, 0) + 1
    return listing(counts)


def _tile(fact: Fact) -> Mapping[str, Any]:
    share = fact.share
    note = f"Mark: {needed(fact)}." if fact.mark is not None else "No target is set."
    if share is not None and fact.mark is None:
        low, high = statistics.clopper_pearson(fact.good, fact.of)
        note = f"95% range: {words.between(float(low[0]), float(high[0]), 'share')}. {note}"
    return {
        "title": fact.title,
        "number": f"{fact.good} of {fact.of}" if share is not None else "–",
        "share": unbroken(words.number(share, "share")) if share is not None else "",
        "note": unbroken(note).replace("\u00a0", " ").replace(" %", "\u00a0%")
        if share is not None
        else f"Not shown: {FEW}.",
        "bar": None if share is None else round(share * 200, 1),
        "mark": None if fact.mark is None or share is None else round(fact.mark * 200, 1),
    }


def _stack(found: Portfolio) -> Markup:
    """How plans ended as one bar, with a sentence as its label."""
    counted = [(outcome, count) for outcome, count in found.outcomes]
    sentence = "; ".join(f"{outcome}: {count}" for outcome, count in counted)
    return Markup(charts.stack(sentence, [count for _, count in counted])) if counted else Markup()  # noqa: S704 - charts escape
