"""Which sources a metric hangs on: where the person must be known, and which must be complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipmetrics.model import CHANGE_KINDS, ISSUE_KINDS, BugRule, Gap, Person, Source
from pipmetrics.plugin import Metric

DERIVED = frozenset({"change_deployed", "change_reverted"})
"""Kinds that no connector gives: they are worked out from deployments and merges."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The sources on which the person must be known, and those whose facts the metric counts."""

    identity: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()


def reach_of(metric: Metric, sources: Mapping[str, Source], kinds: Mapping[str, frozenset[str]]) -> Reach:
    """`kinds` says what each source's connector can give. Tickets are those of sources that know no changes, or of all
    when there is no such source. Issues of a source without a bug rule say nothing about changes."""
    changes, issues = metric.kinds & (CHANGE_KINDS - DERIVED), metric.kinds & ISSUE_KINDS
    can_changes = {name for name in sources if kinds[name] & CHANGE_KINDS}
    can_issues = {name for name in sources if kinds[name] & ISSUE_KINDS}
    tickets = (can_issues - can_changes) or can_issues
    identity = {"changes": can_changes, "tickets": tickets, "": set[str]()}[metric.needs]
    facts = set(identity)
    if metric.needs and changes:
        facts |= {name for name in sources if changes <= kinds[name]}
    if metric.needs and issues:
        ruled = {name for name, source in sources.items() if source.bugs != BugRule() or metric.needs == "tickets"}
        facts |= {name for name in ruled if issues <= kinds[name]}
    return Reach(frozenset(identity), frozenset(facts))


def unknown_on(person: Person, reach: Iterable[Reach]) -> tuple[str, ...]:
    """Sources on which the person has no account and has not said so; all of them when every one is declared empty."""
    needed = sorted({name for each in reach for name in each.identity})
    if needed and all(name in person.accounts and person.accounts[name] is None for name in needed):
        return tuple(needed)
    return tuple(name for name in needed if name not in person.accounts)


def incomplete(gaps: Sequence[Gap], reach: Iterable[Reach], before: datetime) -> tuple[Gap, ...]:
    """The gaps in the metrics' sources that began before an instant, in a fixed order."""
    facts = {name for each in reach for name in each.facts}
    found = [gap for gap in gaps if gap.source in facts and (gap.since is None or gap.since < before)]
    return tuple(sorted(found, key=lambda gap: (gap.source, gap.part, gap.reason, gap.since or _EVER)))


_EVER = datetime.min.replace(tzinfo=UTC)
