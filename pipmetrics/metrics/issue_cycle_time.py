"""How long issues are in progress."""

from __future__ import annotations

import pandas as pd

from pipmetrics.metrics._frames import detail, evidence, first_per, mark_reason, measurements, of_kind
from pipmetrics.metrics._issues import assignees, in_force
from pipmetrics.plugin import Facts, Metric


def measure(facts: Facts) -> pd.DataFrame:
    """One row an issue that is done, for its assignee at that moment: hours from its first entry into a status of the
    category in_progress to its resolution in force.

    One that was never in progress is excluded (never_in_progress), without a value, at its resolution. Sources that
    have no statuses (GitHub, GitLab) give no rows. Whom the closing itself took the issue from, giving it to nobody, is
    its assignee still.
    """
    moves = of_kind(facts.signals, "issue_status_changed")
    begun = _begun(facts, moves)[["subject", "at", "key"]].set_axis(["subject", "begun", "begun_key"], axis=1)
    finished = in_force(facts.signals, facts.as_of)
    finished = finished[finished["subject"].str.extract("^([^:]*):", expand=False).isin(moves["source"])]
    done = assignees(facts, finished.assign(moment=finished["resolved"])).merge(begun, on="subject", how="left")
    never = done["begun"].isna()
    start = done["begun"].fillna(done["resolved"])
    reason = mark_reason(done["mark"])
    rows = done.assign(
        key=done["resolved_key"],
        start=start,
        end=done["resolved"],
        value=facts.hours(done["person"], start, done["resolved"], facts.clock).mask(never),
        reason=reason.mask(reason.eq("") & never, "never_in_progress"),
        evidence=evidence(
            len(done),
            (done.index, done["begun_key"]),
            (done.index, done["resolved_key"]),
            (done.index, done["key"]),
        ),
    )
    return measurements("issue_cycle_time", "hours", rows)


def _begun(facts: Facts, moves: pd.DataFrame) -> pd.DataFrame:
    """The first entry of each issue into a status in progress; an issue created in one began at its creation."""
    entered = moves[detail(moves, "to_category").eq("in_progress")]
    first = first_per(moves, "subject")
    created_so = first.loc[detail(first, "from_category").eq("in_progress"), "subject"]
    opened = of_kind(facts.signals, "issue_opened")
    return first_per(pd.concat([opened[opened["subject"].isin(created_so)], entered]), "subject")


METRIC = Metric(
    name="issue_cycle_time",
    unit="hours",
    title="Issue cycle time",
    definition="Hours from an issue's first entry into a status in progress to its resolution in force, for whoever "
    "it was assigned to then.",
    kinds=frozenset({"issue_opened", "issue_assigned", "issue_status_changed", "issue_done", "issue_reopened"}),
    measure=measure,
    needs="tickets",
    better="lower",
)
