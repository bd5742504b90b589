"""How many changes of others the person reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics.metrics._changes import changes, others_work
from pipmetrics.metrics._frames import evidence, local_days, measurements, of_kind
from pipmetrics.plugin import Facts, Metric

if TYPE_CHECKING:
    import pandas as pd


def measure(facts: Facts) -> pd.DataFrame:
    """One row a change and local day of the reviewer, at that day's first review: 1.

    Reviews of the person's own changes and of bots' changes are excluded (own, bot) unless `facts.include` names them.
    """
    reviews = of_kind(facts.signals, "reviewed")
    reviews = reviews[reviews["person"].notna()].reset_index(drop=True)
    reviews = reviews.assign(day=local_days(facts, reviews["person"], reviews["at"]))
    place = reviews.groupby(["subject", "person", "day"], sort=False).ngroup()
    rows = reviews.drop_duplicates(["subject", "person", "day"], ignore_index=True)
    rows = rows.merge(changes(facts.signals), on="subject", how="left")
    rows = rows.assign(
        start=rows["at"],
        end=rows["at"],
        value=1.0,
        reason=others_work(rows, facts.include),
        evidence=evidence(len(rows), (place, reviews["key"])),
    )
    return measurements("reviews_given", "reviews", rows)


METRIC = Metric(
    name="reviews_given",
    unit="reviews",
    title="Reviews given",
    definition="Reviews that the person submitted on other people's changes, at most one a change and day.",
    kinds=frozenset({"change_opened", "reviewed"}),
    measure=measure,
    better="higher",
    by_subject=True,
)
