"""What a sprint began with, done when it ended."""

from __future__ import annotations

import pandas as pd

from pipmetrics.metrics._frames import detail, evidence, instants, mark_reason, measurements, of_kind
from pipmetrics.metrics._issues import assignments, holding, resolutions
from pipmetrics.plugin import Facts, Metric


def measure(facts: Facts) -> pd.DataFrame:
    """One row an issue and sprint: in the sprint at its actual start, assigned to the person then and not yet done.

    The value is 1 when it is in a done status at the actual completion; taken out later, it still counts. Pending
    (running) until the sprint was completed, with the value so far. `start` and `end` are the sprint's.
    """
    finished = resolutions(facts.signals)
    begun = _begun(facts)
    done_before = holding(begun, finished, "reopened", inclusive=True)
    held = holding(begun[~begun["row"].isin(done_before["row"])], assignments(facts), "taken", inclusive=True)
    held = held.assign(row=held.index)
    ends = held["completed"].fillna(pd.Timestamp(facts.as_of))
    done = holding(held[["subject", "row"]].assign(moment=ends), finished, "reopened", inclusive=True)
    is_done = held["row"].isin(done["row"])
    reason = mark_reason(held["mark_span"])
    rows = held.assign(
        person=held["person_span"],
        key=held["key"] + "/sprint/" + held["sprint"],
        start=held["started"],
        end=held["completed"],
        value=is_done.astype("float64"),
        reason=reason.mask(reason.eq("") & held["completed"].isna(), "running"),
        evidence=evidence(
            len(held), (held.index, held["key"]), (held.index, held["key_span"]), (done["row"], done["key"])
        ),
    )
    return measurements("sprint_commitment", "share", rows)


def _begun(facts: Facts) -> pd.DataFrame:
    """The `issue_opened` signals, once for each sprint that the issue was in at its start: with row, sprint, started,
    completed (missing while it runs) and moment, which is the start."""
    opened = of_kind(facts.signals, "issue_opened")
    found = [
        (row, str(sprint.get("id")), sprint.get("started"), sprint.get("completed"), *span)
        for row, sprints in enumerate(detail(opened, "sprints"))
        for sprint in sprints or ()
        for span in sprint.get("in") or ()
    ]
    spans = pd.DataFrame(found, columns=["row", "sprint", "started", "completed", "from", "to"])
    spans = spans.assign(**{name: instants(spans[name]) for name in ("started", "completed", "from", "to")})
    as_of = pd.Timestamp(facts.as_of)
    inside = spans["from"].le(spans["started"]) & ~spans["to"].le(spans["started"]) & spans["started"].lt(as_of)
    once = spans[inside].drop_duplicates(["row", "sprint"])
    begun = opened.loc[once["row"]].reset_index(drop=True)
    completed = once["completed"].where(once["completed"].lt(as_of))
    return begun.assign(
        row=begun.index,
        sprint=once["sprint"].array,
        started=once["started"].array,
        completed=completed.array,
        moment=once["started"].array,
    )


METRIC = Metric(
    name="sprint_commitment",
    unit="share",
    title="Sprint commitment",
    definition="Whether an issue that was the person's and not done when its sprint started was done when the sprint "
    "was completed.",
    kinds=frozenset({"issue_opened", "issue_assigned", "issue_done", "issue_reopened"}),
    measure=measure,
    needs="tickets",
    better="higher",
)
