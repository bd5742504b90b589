"""How long the person's work takes from the first commit to production."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics.metrics._changes import deployments
from pipmetrics.metrics._frames import detail, evidence, instants, mark_reason, measurements, of_kind
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a deployed change of the person: hours from the earliest author date of its commits to production.

    `end` is the first production deployment; it decides the window. A change without known commits has no row.
    """
    rows = deployments(facts.signals).merge(_first_commits(facts.signals), on="subject")
    rows = rows[rows["person"].notna()].reset_index(drop=True)
    rows = rows.assign(
        start=rows["authored"],
        end=rows["at"],
        value=facts.hours(rows["person"], rows["authored"], rows["at"], facts.clock),
        reason=mark_reason(rows["mark"]),
        evidence=evidence(len(rows), (rows.index, rows["commit_key"]), (rows.index, rows["key"])),
    )
    return measurements("lead_time", "hours", rows)


def _first_commits(signals: pd.DataFrame) -> pd.DataFrame:
    """The earliest author date among each change's commits: subject, authored, commit_key."""
    commits = of_kind(signals, "commits_pushed")
    commits = commits.assign(authored=instants(detail(commits, "authored"))).dropna(subset=["authored"])
    first = commits.sort_values(["authored", "key"], kind="stable").drop_duplicates("subject")
    return first[["subject", "authored", "key"]].rename(columns={"key": "commit_key"})


METRIC = Metric(
    name="lead_time",
    unit="hours",
    title="Lead time",
    definition="Hours from the earliest author date of the commits of the person's change to its first production "
    "deployment.",
    kinds=frozenset({"change_merged", "commits_pushed", "change_deployed"}),
    measure=measure,
    window_by="end",
    better="lower",
    by_subject=True,
)
