"""Bugs that reached production with a person's changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipmetrics.metrics._frames import evidence, mark_reason, measurements
from pipmetrics.metrics.attribution import KINDS, attribute
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a bug and author of its culprits (attribution.py): the share 1/k of the bug, at its creation.

    Excluded: a bug linked to nothing that was deployed before it (before_deployment), one whose resolution in force
    says that there was nothing to mend, the changes of bots and deleted accounts.
    """
    attribution = attribute(facts)
    pairs = attribution.culprits()
    pairs = pairs[pairs["person"].notna()].reset_index(drop=True)
    # Of several changes of one person the one that counts comes first: "" sorts before a mark.
    pairs = pairs.sort_values(["bug", "person", "mark", "change"], kind="stable", ignore_index=True)
    rows = pairs.drop_duplicates(["bug", "person"], ignore_index=True)
    undeployed = rows["in_production"].map({True: "", False: "before_deployment"}).astype("str")
    reason = mark_reason(rows["mark"])
    reason = reason.where(reason.ne(""), undeployed)
    return measurements(
        "post_deploy_bugs",
        "bugs",
        rows.assign(
            source=rows["bug_source"],
            subject=rows["bug"],
            key=rows["bug_key"],
            start=rows["created"],
            end=rows["created"],
            value=1.0 / rows["k"].clip(lower=1),
            reason=reason.where(reason.ne(""), rows["reason"]),
            url=rows["bug_url"],
            evidence=_evidence(rows, pairs, attribution.texts),
        ),
    )


def _evidence(rows: pd.DataFrame, pairs: pd.DataFrame, texts: pd.DataFrame) -> pd.Series[Any]:
    """The bug, what says that the changes caused it, their deployments, the changes."""
    numbered = rows[["bug", "person"]].assign(row=rows.index).merge(pairs, on=["bug", "person"])
    said = numbered[["row", "bug", "change"]].merge(texts, on=["bug", "change"])
    return evidence(
        len(rows),
        (rows.index, rows["bug_key"]),
        (said["row"], said["key"]),
        (numbered["row"], numbered["deployed_key"]),
        (numbered["row"], numbered["change_key"]),
    )


METRIC = Metric(
    name="post_deploy_bugs",
    unit="bugs",
    title="Bugs after deployment",
    definition="Bugs created after the first production deployment of a change of the person and attributed to it "
    "(links, 'caused by' and `Fixes:` texts; reverts where the plan allows them); shared 1/k among k authors.",
    kinds=KINDS,
    measure=measure,
    better="lower",
)
