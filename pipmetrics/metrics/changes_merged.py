"""How many changes were merged: the usual exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics.metrics._changes import merges
from pipmetrics.metrics._frames import evidence, mark_reason, measurements
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a change of the person that was merged into a default branch: 1, at the merge."""
    merged = merges(facts.signals)
    rows = merged.assign(
        start=merged["at"],
        end=merged["at"],
        value=1.0,
        reason=mark_reason(merged["mark"]),
        evidence=evidence(len(merged), (merged.index, merged["key"])),
    )
    return measurements("changes_merged", "changes", rows)


METRIC = Metric(
    name="changes_merged",
    unit="changes",
    title="Changes merged",
    definition="The person's changes that were merged into the default branch.",
    kinds=frozenset({"change_merged"}),
    measure=measure,
    better="higher",
    by_subject=True,
)
