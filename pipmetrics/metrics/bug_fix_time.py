"""How long a bug takes to be resolved once it is somebody's."""

from __future__ import annotations

import pandas as pd

from pipmetrics.metrics._frames import INSTANT, evidence, mark_reason, measurements, seconds
from pipmetrics.metrics._issues import assignments, in_force
from pipmetrics.metrics.bugs import bugs
from pipmetrics.plugin import Facts, Metric


def measure(facts: Facts) -> pd.DataFrame:
    """One row each time a bug was assigned to the person: hours from there to the resolution in force at `as_of`.

    Unresolved: pending, with the hours so far. Taken away before: excluded (withdrawn), with the hours until then.
    A resolution that says that there was nothing to mend excludes all rows of the bug. An assignment made after the
    resolution is not measured; within one second the resolution comes first.
    """
    found = bugs(facts.signals, facts.sources)[["subject", "key"]].rename(columns={"key": "opened_key"})
    force = in_force(facts.signals, facts.as_of).rename(columns={"reason": "resolution"})
    spans = assignments(facts).merge(found, on="subject").merge(force, on="subject", how="left")
    spans = spans[~seconds(spans["at"]).ge(seconds(spans["resolved"]))].reset_index(drop=True)
    is_open = spans["resolved"].isna()
    away = spans["taken"].notna() & (is_open | seconds(spans["taken"]).lt(seconds(spans["resolved"])))
    now = pd.Series(pd.Timestamp(facts.as_of), index=spans.index, dtype=INSTANT)
    until = spans["resolved"].mask(away, spans["taken"]).fillna(now)
    reason = mark_reason(spans["mark"])
    reason = reason.where(reason.ne(""), spans["resolution"].fillna(""))
    reason = reason.mask(reason.eq("") & away, "withdrawn")
    rows = spans.assign(
        start=spans["at"],
        end=until.mask(is_open & ~away),
        value=facts.hours(spans["person"], spans["at"], until, facts.clock),
        reason=reason.mask(reason.eq("") & is_open, "unresolved"),
        evidence=evidence(
            len(spans),
            (spans.index, spans["key"]),
            (spans.index[away], spans.loc[away, "taken_key"]),
            (spans.index, spans["resolved_key"]),
            (spans.index, spans["opened_key"]),
        ),
    )
    return measurements("bug_fix_time", "hours", rows)


METRIC = Metric(
    name="bug_fix_time",
    unit="hours",
    title="Bug fix time",
    definition="Hours from a bug's assignment to the person (or its creation) to its resolution in force; the clock of "
    "a reopened bug goes on.",
    kinds=frozenset({"issue_opened", "issue_assigned", "issue_done", "issue_reopened"}),
    measure=measure,
    needs="tickets",
    open_ended=True,
    better="lower",
)
