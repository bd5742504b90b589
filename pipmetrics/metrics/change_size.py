"""How large the person's changes are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics.metrics._changes import lines_changed, merges
from pipmetrics.metrics._frames import evidence, mark_reason, measurements
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a change merged into a default branch: lines added and deleted, at the merge.

    Files that match the source's `generated` patterns are left out, unless the service cut the list of files.
    """
    merged = merges(facts.signals)
    rows = merged.assign(
        start=merged["at"],
        end=merged["at"],
        value=lines_changed(merged, facts.sources),
        reason=mark_reason(merged["mark"]),
        evidence=evidence(len(merged), (merged.index, merged["key"])),
    )
    return measurements("change_size", "lines", rows)


METRIC = Metric(
    name="change_size",
    unit="lines",
    title="Change size",
    definition="Lines added and deleted by the person's merged change, without the source's generated files.",
    kinds=frozenset({"change_merged"}),
    measure=measure,
    better="lower",
    by_subject=True,
)
