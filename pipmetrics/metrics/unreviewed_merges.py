"""Whether the person's changes went in without anybody having looked at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics.metrics._changes import merges
from pipmetrics.metrics._frames import evidence, mark_reason, measurements, of_kind, seconds
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a change merged into a default branch: 1 when no other human submitted a review by then, else 0.

    A review of any state counts, also one of a deleted account; a bot's, the author's own and plain comments do not.
    """
    merged = merges(facts.signals)
    merged = merged[merged["person"].notna()].reset_index(drop=True)
    reviews = _reviews_of_others(facts.signals, merged)
    first = reviews.drop_duplicates("row")
    reviewed = merged.index.isin(first["row"])
    rows = merged.assign(
        start=merged["at"],
        end=merged["at"],
        value=(~reviewed).astype("float64"),
        reason=mark_reason(merged["mark"]),
        evidence=evidence(len(merged), (merged.index, merged["key"]), (first["row"], first["key_review"])),
    )
    return measurements("unreviewed_merges", "share", rows)


def _reviews_of_others(signals: pd.DataFrame, merged: pd.DataFrame) -> pd.DataFrame:
    """The reviews by other humans no later than each merge, in order of time, with the `row` of the merge."""
    reviews = of_kind(signals, "reviewed")
    reviews = reviews[reviews["mark"].ne("bot")][["subject", "at", "key", "actor", "person"]]
    pairs = reviews.merge(merged.assign(row=merged.index), on="subject", suffixes=("_review", ""))
    own = pairs["person_review"].eq(pairs["person"]) | pairs["actor_review"].eq(pairs["actor"])
    return pairs[~own & seconds(pairs["at_review"]).le(seconds(pairs["at"]))]


METRIC = Metric(
    name="unreviewed_merges",
    unit="share",
    title="Unreviewed merges",
    definition="1 for a change of the person that was merged into the default branch without another person's review, "
    "0 for one that had one.",
    kinds=frozenset({"change_merged", "reviewed"}),
    measure=measure,
    better="lower",
    by_subject=True,
)
