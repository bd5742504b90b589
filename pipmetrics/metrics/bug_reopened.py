"""Bugs that a person resolved and that came back."""

from __future__ import annotations

import pandas as pd

from pipmetrics.metrics._frames import evidence, mark_reason, measurements
from pipmetrics.metrics._issues import in_force, resolutions
from pipmetrics.metrics.bugs import bugs
from pipmetrics.plugin import Facts, Metric


def measure(facts: Facts) -> pd.DataFrame:
    """One row each time the person closed a bug or moved it into a done status: 1 when it came back in the follow-up.

    Pending (follow_up) until the follow-up has ended, a known reopening included. All rows of a bug are excluded while
    its resolution in force says that there was nothing to mend. `end` is the end of the follow-up.
    """
    found = bugs(facts.signals, facts.sources)
    done = resolutions(facts.signals)
    done = done[done["subject"].isin(found["subject"])].reset_index(drop=True)
    until = done["at"] + pd.Timedelta(days=facts.follow_up_days)
    is_open = until >= pd.Timestamp(facts.as_of)
    again = done["reopened"].le(until)
    in_the_end = in_force(facts.signals, facts.as_of).set_index("subject")["reason"]
    reason = mark_reason(done["mark"])
    reason = reason.where(reason.ne(""), in_the_end.reindex(done["subject"], fill_value="").array)
    opened_key = found.set_index("subject")["key"].reindex(done["subject"])
    rows = done.assign(
        start=done["at"],
        end=until.mask(is_open),
        value=again.astype("float64"),
        reason=reason.mask(reason.eq("") & is_open, "follow_up"),
        evidence=evidence(
            len(done),
            (done.index, done["key"]),
            (done.index[again], done.loc[again, "reopened_key"]),
            (done.index, opened_key),
        ),
    )
    return measurements("bug_reopened", "share", rows)


METRIC = Metric(
    name="bug_reopened",
    unit="share",
    title="Bugs reopened",
    definition="Whether a bug that the person resolved was reopened within the follow-up (30 days); one row a "
    "resolution, pending until the follow-up has ended.",
    kinds=frozenset({"issue_opened", "issue_done", "issue_reopened"}),
    measure=measure,
    needs="tickets",
    better="lower",
)
