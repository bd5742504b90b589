"""How many changes reached production: the exposure of bugs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics.metrics._changes import deployments
from pipmetrics.metrics._frames import evidence, mark_reason, measurements
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a change of the person that reached production: 1, at its first production deployment."""
    first = deployments(facts.signals)
    rows = first.assign(
        start=first["at"],
        end=first["at"],
        value=1.0,
        reason=mark_reason(first["mark"]),
        evidence=evidence(len(first), (first.index, first["key"]), (first.index, first["merged_key"])),
    )
    return measurements("changes_deployed", "changes", rows)


METRIC = Metric(
    name="changes_deployed",
    unit="changes",
    title="Changes deployed",
    definition="The person's changes that reached production, at their first production deployment.",
    kinds=frozenset({"change_merged", "change_deployed"}),
    measure=measure,
    better="higher",
    by_subject=True,
)
