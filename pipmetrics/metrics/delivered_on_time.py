"""Issues done by the date that had been agreed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipmetrics.metrics._frames import INSTANT, detail, evidence, mark_reason, measurements, of_kind
from pipmetrics.metrics._issues import assignments, holding, resolutions
from pipmetrics.plugin import Facts, Metric

NOTICE = pd.Timedelta(days=5)
"""Local days before a date from which it is a commitment, in naive local time."""


def measure(facts: Facts) -> pd.DataFrame:
    """One row an issue of the person with a due date: 1 when it was done at the end of that day in the person's zone.

    The date that counts is the first one that was in force five calendar days before that instant; the person is
    whoever the issue was assigned to then. Moving the date afterwards neither helps nor hurts; a date set later is no
    commitment and gives no row. Pending (not_due) until then unless done. `start` and `end` are when it falls due.
    """
    spans = assignments(facts)
    promised = _promised(facts, spans).rename(columns={"at": "set", "key": "set_key"})
    held = holding(promised.assign(moment=promised["notice"]), spans, "taken", inclusive=False)
    held = held[held["person"].eq(held["person_span"])].reset_index(drop=True)
    done = holding(
        held[["subject", "due"]].assign(row=held.index, moment=held["due"]),
        resolutions(facts.signals),
        "reopened",
        inclusive=False,
    )
    is_done = pd.Series(held.index.isin(done["row"]), index=held.index)
    reason = mark_reason(held["mark_span"])
    moved = of_kind(facts.signals, "issue_due_changed").merge(
        held[["subject", "set"]].assign(row=held.index), on="subject", suffixes=("", "_due")
    )
    moved = moved[moved["at"].gt(moved["set"])]
    rows = held.assign(
        key=held["set_key"],
        start=held["due"],
        end=held["due"],
        value=is_done.astype("float64"),
        reason=reason.mask(reason.eq("") & ~is_done & held["due"].gt(pd.Timestamp(facts.as_of)), "not_due"),
        evidence=evidence(
            len(held),
            (held.index, held["set_key"]),
            (held.index, held["key"]),
            (done["row"], done["key"]),
            (done["row"], done["reopened_key"]),
            (moved["row"], moved["key"]),
        ),
    )
    return measurements("delivered_on_time", "share", rows)


def _promised(facts: Facts, spans: pd.DataFrame) -> pd.DataFrame:
    """The first date of each issue that was in force five days before, by the zone of each person who ever had the
    issue: the `issue_due_changed` signal with person, due (the instant at the end of its day) and notice (five days
    before), where that has come."""
    dates = of_kind(facts.signals, "issue_due_changed").sort_values(["subject", "at", "key"], kind="stable")
    dates = dates.drop(columns="person").assign(
        day=pd.to_datetime(detail(dates, "to"), format="ISO8601").astype("datetime64[us]"),
        moved=dates.groupby("subject")["at"].shift(-1),
    )
    owners = spans[["subject", "person"]].drop_duplicates()
    both = dates[dates["day"].notna()].merge(owners, on="subject")
    ends = both["day"] + pd.Timedelta(days=1)
    both = both.assign(
        due=_midnights(facts, both["person"], ends), notice=_midnights(facts, both["person"], ends - NOTICE)
    )
    in_force = both["at"].lt(both["notice"]) & ~both["moved"].lt(both["notice"])
    return both[in_force & both["notice"].le(pd.Timestamp(facts.as_of))].drop_duplicates(["subject", "person"])


def _midnights(facts: Facts, person: pd.Series[Any], days: pd.Series[Any]) -> pd.Series[Any]:
    """The first instant of each local day in the person's zone."""
    zones = person.map({someone.id: someone.calendar.timezone for someone in facts.people})
    found = pd.Series(pd.NaT, index=days.index, dtype=INSTANT)
    for zone in zones.dropna().unique():
        there = zones.eq(zone)
        # A midnight that comes twice is the first of the two, one that is skipped the instant after.
        first = np.ones(int(there.sum()), dtype=bool)
        local = days[there].dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
        found[there] = local.dt.tz_convert("UTC")
    return found


METRIC = Metric(
    name="delivered_on_time",
    unit="share",
    title="Delivered on time",
    definition="Whether an issue of the person was done by its due date: the one that was in force five calendar days "
    "before; later moves count for nothing.",
    kinds=frozenset({"issue_opened", "issue_assigned", "issue_due_changed", "issue_done", "issue_reopened"}),
    measure=measure,
    needs="tickets",
    better="higher",
)
