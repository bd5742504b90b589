"""How thorough the person's reviews are; the guardrail that goes with a target for their speed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipmetrics.metrics._changes import active, changes, effective_state, lines_changed, others_work
from pipmetrics.metrics._frames import evidence, measurements, of_kind, seconds
from pipmetrics.metrics._requests import KINDS, requests
from pipmetrics.plugin import Facts, Metric

LARGE = 50
"""A change of more lines than this deserves more than a glance."""
GLANCE = pd.Timedelta(minutes=5)


def measure(facts: Facts) -> pd.DataFrame:
    """One row a review submitted by the person: its inline comments, plus 1 when it requests changes.

    Two more columns (bool) serve the guardrail, the share `superficial` / `considered`: `considered` is a counted
    review of a merged change of more than LARGE lines, generated files left out; `superficial` is one of those that
    approves within GLANCE (wall time) of being due, when the reviewer has written no comment on the change. It was due
    at the start of the latest measured request before it (as in review_turnaround), or without one as soon as the
    change was opened and no draft.
    """
    reviews = of_kind(facts.signals, "reviewed")
    reviews = reviews[reviews["person"].notna()].reset_index(drop=True)
    reviews = reviews.merge(changes(facts.signals), on="subject", how="left")
    state = effective_state(reviews)
    reason = others_work(reviews, facts.include)
    considered = reason.eq("") & _lines(facts, reviews).gt(LARGE)
    quick = (reviews["at"] - _due(facts, reviews)).le(GLANCE)
    rows = reviews.assign(
        start=reviews["at"],
        end=reviews["at"],
        value=reviews["value"].fillna(0.0) + state.eq("changes_requested"),
        reason=reason,
        considered=considered,
        superficial=considered & state.eq("approved") & quick & ~_commented(facts.signals, reviews),
        evidence=evidence(len(reviews), (reviews.index, reviews["key"])),
    )
    return measurements("review_depth", "comments", rows, "considered", "superficial")


def _lines(facts: Facts, reviews: pd.DataFrame) -> pd.Series[Any]:
    """The size of each reviewed change; missing until it is merged, since no service tells it before."""
    merged = of_kind(facts.signals, "change_merged").drop_duplicates("subject", ignore_index=True)
    sizes = merged[["subject"]].assign(lines=lines_changed(merged, facts.sources))
    return reviews[["subject"]].merge(sizes, on="subject", how="left")["lines"]


def _due(facts: Facts, reviews: pd.DataFrame) -> pd.Series[Any]:
    """When each review was due."""
    asked = requests(facts)
    asked = asked.assign(start=active(facts, asked).start, second=seconds(asked["since"]))
    latest = pd.merge_asof(
        reviews[["subject", "person", "at"]]
        .assign(second=seconds(reviews["at"]), row=reviews.index)
        .sort_values("second"),
        asked[["subject", "person", "second", "start"]].sort_values("second"),
        on="second",
        by=["subject", "person"],
        allow_exact_matches=False,
    )
    spans = reviews[["subject", "person"]].assign(since=reviews["opened"], until=reviews["at"])
    return latest.set_index("row")["start"].reindex(reviews.index).fillna(active(facts, spans).start)


def _commented(signals: pd.DataFrame, reviews: pd.DataFrame) -> pd.Series[Any]:
    """Whether the reviewer had written a comment on the change by the second of the review, or in it."""
    written = signals["kind"].eq("commented") | (signals["kind"].eq("reviewed") & signals["value"].gt(0))
    first = signals[written & signals["person"].notna()].drop_duplicates(["subject", "person"])
    first = first[["subject", "person", "at"]].rename(columns={"at": "first"})
    known = reviews[["subject", "person", "at"]].merge(first, on=["subject", "person"], how="left")
    return seconds(known["first"]).le(seconds(known["at"]))


METRIC = Metric(
    name="review_depth",
    unit="comments",
    title="Review depth",
    definition="Inline comments of a review that the person submitted, plus one when it requests changes. As a "
    "guardrail: the share of the reviews of changes over 50 lines that approve without a comment within 5 minutes.",
    kinds=KINDS,
    measure=measure,
    better="higher",
    by_subject=True,
)
