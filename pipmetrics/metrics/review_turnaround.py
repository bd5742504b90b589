"""How long those who ask for a person's review wait for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics.metrics._changes import active, changes, others_work
from pipmetrics.metrics._frames import evidence, measurements
from pipmetrics.metrics._requests import KINDS, requests
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a request for this person's review of a change: hours to this person's first review or comment after it.

    Only the time in which the change was no draft counts; `start` is the first such instant. Unanswered requests are
    pending with the hours so far; removed requests and those of changes that closed without this person's answer are
    excluded (withdrawn) with the hours until then. The person's own changes and bots' changes are excluded (own, bot)
    unless `facts.include` names them.
    """
    rows = requests(facts).merge(changes(facts.signals), on="subject", how="left")
    spent = active(facts, rows)
    why = others_work(rows, facts.include)
    rows = rows.assign(
        start=spent.start,
        value=spent.hours,
        reason=why.mask(why.eq(""), rows["outcome"]),
        evidence=evidence(
            len(rows),
            (rows.index, rows["key"]),
            (spent.turns["row"], spent.turns["key"]),
            (rows.index, rows["end_key"]),
        ),
    )
    return measurements("review_turnaround", "hours", rows)


METRIC = Metric(
    name="review_turnaround",
    unit="hours",
    title="Review turnaround",
    definition="Hours from a request for the person's review of a change (or from the change becoming ready, if that "
    "is later) to the person's first review or comment on it. Draft time does not count. A request removed, or a "
    "change merged or closed, before an answer is withdrawn; the person's own and bots' changes are left out.",
    kinds=KINDS,
    measure=measure,
    clock="workdays",
    open_ended=True,
    better="lower",
    by_subject=True,
)
