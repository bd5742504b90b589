"""How long a reviewer who asks for changes waits for the author."""

from __future__ import annotations

import pandas as pd

from pipmetrics.metrics._changes import changes, closings, effective_state
from pipmetrics.metrics._frames import INSTANT, detail, evidence, left_out, measurements, of_kind, person_of, seconds
from pipmetrics.metrics._requests import KINDS
from pipmetrics.plugin import Facts, Metric


def measure(facts: Facts) -> pd.DataFrame:
    """One row a review that requests changes on the person's change: hours to the author's first later response.

    A response is a commit, a comment, a review or a re-request of that reviewer. Draft time counts. Unanswered reviews
    are pending; those of a change that closed without a response are excluded (withdrawn); reviews after the close are
    not there. A bot's review is excluded (bot), the person's own (own), unless `facts.include` names them.
    """
    rows = _reviews(facts)
    replies = _next(rows, _acts(facts.signals), ["subject", "author_person"])
    asked = _next(rows, _requests_again(facts), ["subject", "author_person", "reviewer"])
    end, key = replies["at"], replies["key"]
    sooner = asked["at"].notna() & ~asked["at"].ge(end)
    end, key = end.mask(sooner, asked["at"]), key.mask(sooner, asked["key"])
    closed = rows["closed"].notna() & ~seconds(end).le(seconds(rows["closed"]))
    end, key = end.mask(closed, rows["closed"]), key.mask(closed, rows["closed_key"])
    outcome = pd.Series("", index=rows.index, dtype="str").mask(closed, "withdrawn").mask(end.isna(), "unanswered")
    until = end.fillna(pd.Timestamp(facts.as_of)).astype(INSTANT)
    own, bot = rows["reviewer"].eq(rows["author_person"]), rows["mark"].eq("bot")
    why = left_out(facts.include, rows["author_mark"], own, bot)
    rows = rows.assign(
        person=rows["author_person"],
        start=rows["at"],
        end=end,
        value=facts.hours(rows["author_person"], rows["at"], until, facts.clock),
        reason=why.mask(why.eq(""), outcome),
        evidence=evidence(len(rows), (rows.index, rows["key"]), (rows.index, key)),
    )
    return measurements("feedback_response", "hours", rows)


def _reviews(facts: Facts) -> pd.DataFrame:
    """Reviews that request changes on people's changes while these were open, with their change and its close."""
    reviews = of_kind(facts.signals, "reviewed")
    reviews = reviews[effective_state(reviews).eq("changes_requested")]
    rows = reviews.merge(changes(facts.signals), on="subject").merge(closings(facts.signals), on="subject", how="left")
    rows = rows[rows["author_person"].notna() & ~seconds(rows["at"]).gt(seconds(rows["closed"]))]
    return rows.assign(reviewer=rows["person"].fillna(rows["actor"])).reset_index(drop=True)


def _acts(signals: pd.DataFrame) -> pd.DataFrame:
    acts = of_kind(signals, "commits_pushed", "commented", "reviewed")
    return acts.rename(columns={"person": "author_person"})


def _requests_again(facts: Facts) -> pd.DataFrame:
    """Requests with who asked for them: for the reviewer's row, the author asking is a response."""
    asked = of_kind(facts.signals, "review_requested")
    requester = person_of(facts, asked["source"], detail(asked, "requester"))
    return asked.assign(author_person=requester, reviewer=asked["person"].fillna(asked["actor"]))


def _next(rows: pd.DataFrame, acts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """For each row the first of the acts of the same group in a later second: columns at, key, missing without one."""
    acts = acts.dropna(subset=by)[[*by, "at", "key"]]
    asked = rows[by].assign(second=seconds(rows["at"]), row=rows.index).sort_values("second", kind="stable")
    found = pd.merge_asof(
        asked.dropna(subset=by),
        acts.assign(second=seconds(acts["at"])).sort_values(["second", "at", "key"], kind="stable"),
        on="second",
        by=by,
        direction="forward",
        allow_exact_matches=False,
    )
    return found.set_index("row")[["at", "key"]].reindex(rows.index)


METRIC = Metric(
    name="feedback_response",
    unit="hours",
    title="Response to feedback",
    definition="Hours from a review that requests changes on the person's change to the person's next commit, comment "
    "or review there, or re-request of that reviewer. Withdrawn when the change is merged or closed before.",
    kinds=KINDS | {"commits_pushed"},
    measure=measure,
    clock="workdays",
    open_ended=True,
    better="lower",
    by_subject=True,
)
