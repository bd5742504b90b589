"""Whether the person's changes pass the checks at the first run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics.metrics._frames import detail, evidence, first_per, mark_reason, measurements, of_kind
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a change with a completed CI run: 1 when the first one succeeded, 0 when it failed, at its completion.

    Runs that were cancelled, skipped or neutral do not count; a change without another run has no row.
    """
    runs = of_kind(facts.signals, "checks_completed")
    conclusion = detail(runs, "conclusion")
    runs = runs.assign(value=conclusion.eq("success").astype("float64"))
    first = first_per(runs[conclusion.isin(["success", "failure"])], "subject")
    rows = first.assign(
        start=first["at"],
        end=first["at"],
        reason=mark_reason(first["mark"]),
        evidence=evidence(len(first), (first.index, first["key"])),
    )
    return measurements("ci_first_pass", "share", rows)


METRIC = Metric(
    name="ci_first_pass",
    unit="share",
    title="Checks passed at first",
    definition="1 for a change of the person whose first completed CI run succeeded, 0 for one whose first run failed.",
    kinds=frozenset({"checks_completed"}),
    measure=measure,
    better="higher",
    by_subject=True,
)
