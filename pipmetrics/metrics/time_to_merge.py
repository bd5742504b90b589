"""How long the person's changes take from ready to merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics.metrics._changes import LIFE, active, changes, merges
from pipmetrics.metrics._frames import evidence, mark_reason, measurements
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a change merged into a default branch: hours of [opened, merged) in which it was no draft.

    `start` is the first such instant, or the opening when there is none; it decides the window.
    """
    rows = merges(facts.signals).merge(changes(facts.signals).drop(columns="author"), on="subject")
    rows = rows[rows["person"].notna()].reset_index(drop=True).assign(since=lambda row: row["opened"])
    spent = active(facts, rows.assign(until=rows["at"]))
    rows = rows.assign(
        start=spent.start,
        end=rows["at"],
        value=spent.hours,
        reason=mark_reason(rows["mark"]),
        evidence=evidence(
            len(rows),
            (rows.index, rows["opened_key"]),
            (spent.turns["row"], spent.turns["key"]),
            (rows.index, rows["key"]),
        ),
    )
    return measurements("time_to_merge", "hours", rows)


METRIC = Metric(
    name="time_to_merge",
    unit="hours",
    title="Time to merge",
    definition="Hours from the person's change being ready for review to its merge into the default branch; time as a "
    "draft does not count.",
    kinds=LIFE,
    measure=measure,
    better="lower",
    by_subject=True,
)
