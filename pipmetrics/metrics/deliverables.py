"""Issues that a plan may name as deliverables, for the criterion `deliver`."""

from __future__ import annotations

import pandas as pd

from pipmetrics.metrics._frames import detail, evidence, mark_reason, measurements, of_kind
from pipmetrics.metrics._issues import assignees, assignments, in_force
from pipmetrics.plugin import Facts, Metric


def measure(facts: Facts) -> pd.DataFrame:
    """One row an issue and assignee: 1, from its creation (`start`) to its resolution in force (`end`, missing while it
    is open, which is pending (unresolved)). `project`, `type` and `labels` are columns too.

    The person is the assignee at the resolution, else now, else the last one there was; an open issue that was taken
    away from that one is excluded (withdrawn). So is one whose resolution says that there was nothing to do.
    """
    opened = of_kind(facts.signals, "issue_opened").drop_duplicates("subject")
    opened = opened.assign(**{name: detail(opened, name) for name in ("project", "type", "labels")})
    force = in_force(facts.signals, facts.as_of).rename(columns={"reason": "resolution"})
    issues = opened.merge(force, on="subject", how="left")
    issues = issues.assign(moment=issues["resolved"].fillna(pd.Timestamp(facts.as_of)))
    held = assignees(facts, issues)
    last = assignments(facts).sort_values(["taken", "key"], kind="stable").drop_duplicates("subject", keep="last")
    left = issues[~issues["subject"].isin(held["subject"])].merge(last, on="subject", suffixes=("", "_span"))
    both = pd.concat([held.assign(away=False), left.assign(away=left["resolved"].isna())], ignore_index=True)
    reason = mark_reason(both["mark_span"])
    reason = reason.where(reason.ne(""), both["resolution"].fillna(""))
    reason = reason.mask(reason.eq("") & both["away"], "withdrawn")
    rows = both.assign(
        person=both["person_span"],
        start=both["at"],
        end=both["resolved"],
        value=1.0,
        reason=reason.mask(reason.eq("") & both["resolved"].isna(), "unresolved"),
        evidence=evidence(
            len(both), (both.index, both["key"]), (both.index, both["key_span"]), (both.index, both["resolved_key"])
        ),
    )
    return measurements("deliverables", "issues", rows, "project", "type", "labels")


METRIC = Metric(
    name="deliverables",
    unit="issues",
    title="Deliverables",
    definition="The person's issues, done or not, for criteria that name deliverables.",
    kinds=frozenset({"issue_opened", "issue_assigned", "issue_done", "issue_reopened"}),
    measure=measure,
    needs="tickets",
    better="higher",
)
