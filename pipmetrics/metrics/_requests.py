"""Review requests and what became of each, as the metrics of reviewing see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipmetrics.metrics._changes import LIFE, closings
from pipmetrics.metrics._frames import INSTANT, seconds

if TYPE_CHECKING:
    from pipmetrics.plugin import Facts

# Within one second the order is: answer, request, removal, close.
_RANKS = {"reviewed": 0, "commented": 0, "review_requested": 1, "review_request_removed": 2}

KINDS = LIFE | frozenset(_RANKS)
"""The kinds of signals that this module reads."""


def requests(facts: Facts) -> pd.DataFrame:
    """One row a measured request for a person's review, numbered from 0.

    Columns person, source, subject, key, url, mark and `since` are those of the request; `outcome` is "" (answered),
    "withdrawn" or "unanswered", `end` and `end_key` what made it so, `until` that instant or `as_of`. A re-request
    before any answer changes nothing, after a removal it starts anew; one made after the close is not there.
    """
    rows = _followed(_sequences(facts.signals)).merge(closings(facts.signals), on="subject", how="left")
    rows = rows[~seconds(rows["since"]).gt(seconds(rows["closed"]))].reset_index(drop=True)
    closed = rows["closed"].notna() & ~seconds(rows["end"]).le(seconds(rows["closed"]))
    rows["end"] = rows["end"].mask(closed, rows["closed"])
    rows["end_key"] = rows["end_key"].mask(closed, rows["closed_key"])
    rows["outcome"] = rows["outcome"].mask(closed, "withdrawn")
    return rows.assign(until=rows["end"].fillna(pd.Timestamp(facts.as_of))).astype({"until": INSTANT})


def _sequences(signals: pd.DataFrame) -> pd.DataFrame:
    """Requests, removals and answers, in their order for each person on each change; `pair` numbers those."""
    acts = signals[signals["kind"].isin(_RANKS) & signals["person"].notna()]
    subjects, _ = pd.factorize(acts["subject"])
    people, names = pd.factorize(acts["person"])
    pair = subjects.astype(np.int64) * max(len(names), 1) + people
    order = np.lexsort((acts["kind"].map(_RANKS), seconds(acts["at"]).to_numpy(dtype="datetime64[us]"), pair))
    return acts.assign(pair=pair).iloc[order].reset_index(drop=True)


def _followed(acts: pd.DataFrame) -> pd.DataFrame:
    """The requests that find none open, each with the next act that is no request: its outcome, end and end_key."""
    asking, pair = acts["kind"].eq("review_requested").to_numpy(), acts["pair"].to_numpy()
    anew = asking.copy()
    anew[1:] &= ~(asking[:-1] & (pair[1:] == pair[:-1]))
    starts, others = np.flatnonzero(anew), np.flatnonzero(~asking)
    place = np.searchsorted(others, starts)
    following = np.append(others, -1)[place]
    found = (following >= 0) & (pair[following] == pair[starts]) if len(acts) else np.zeros(0, dtype=bool)
    then = acts.iloc[following].reset_index(drop=True)
    rows = acts.iloc[starts].reset_index(drop=True).rename(columns={"at": "since"})
    outcome = then["kind"].eq("review_request_removed").map({True: "withdrawn", False: ""})
    rows = rows.assign(
        outcome=outcome.where(found, "unanswered"), end=then["at"].where(found), end_key=then["key"].where(found)
    )
    return rows[["person", "source", "subject", "key", "url", "mark", "since", "outcome", "end", "end_key"]]
