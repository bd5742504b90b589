"""Named deliverables, done by a date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from pipmetrics.model import Criterion, Plan
from pipmetrics.plugin import COUNTED, PENDING, Cells, CriterionRule, Goal, Own, Parameter, Scores

if TYPE_CHECKING:
    import pandas as pd

FILTERS = {"project": "project", "labels": "labels", "types": "type"}
"""Key of a filter -> column of the metric's rows."""


def deadline(plan: Plan, criterion: Criterion) -> datetime:
    """The end of the day `by` (else of the plan's last day) in the plan's zone."""
    day: date = criterion.parameters.get("by") or plan.end
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(plan.timezone))


def texts_of(value: object) -> frozenset[str]:
    """One text or several, folded to one case as in the rules for bugs; nothing is none."""
    several = value if isinstance(value, list | tuple) else [value]
    return frozenset(str(each).casefold() for each in several if isinstance(each, str | int))


def asked_for(plan: Plan, criterion: Criterion, rows: pd.DataFrame) -> pd.Series[Any]:
    """Which rows are the plan's deliverables: those named, by full subject or without the source, or those of the
    person that match every key of the filter."""
    place = rows["subject"].str.split(":", n=1).str[-1]
    issues = criterion.parameters.get("issues")
    if issues is not None:
        named = {str(issue) for issue in issues}
        return rows["subject"].isin(named) | place.isin(named)
    mine = rows["person"] == plan.person
    for key, written in criterion.parameters["filter"].items():
        wanted = texts_of(written)
        held = rows[FILTERS[key]].map(lambda value, wanted=wanted: bool(wanted & texts_of(value)))
        mine &= held.astype(bool)
    return mine


def choose(plan: Plan, criterion: Criterion, rows: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The deliverables, worth 1 when done in time and 0 when not; those still to come are pending.

    A deliverable belongs to the plan from its first instant, whenever its issue was made.
    """
    import pandas as pd

    due = pd.Timestamp(deadline(plan, criterion))
    found = rows[asked_for(plan, criterion, rows)]
    out = found["state"].eq("excluded")
    if criterion.parameters.get("issues") is not None:
        out &= found["reason"].ne("withdrawn")  # a named one is asked for, whoever has it
    waits = found["end"].isna() & ~out & (pd.Timestamp(as_of) <= due)
    first = pd.Timestamp(datetime.combine(plan.start, datetime.min.time(), ZoneInfo(plan.timezone))).tz_convert("UTC")
    return found.assign(
        value=(found["end"] < due).astype("float64"),
        state=found["state"].where(out, "counted").mask(waits, "pending"),
        reason=found["reason"].where(out, "").mask(waits, "not_due"),
        start=first,
    )


def score(cells: Cells) -> Scores:
    """How many were done in time. A named issue that no source knows leaves it open; a cancelled one is out."""
    counted = cells.kinds == COUNTED
    done = cells.sum(np.where(counted, cells.values, 0.0))
    late = cells.sum(counted & (cells.values < 1))
    asked = cells.sum(counted | (cells.kinds == PENDING))
    named = np.array([len(criterion.parameters.get("issues") or ()) for criterion in cells.criteria])
    missing = np.full(len(cells), np.nan)
    return Scores(
        value=done,
        low=missing,
        high=missing,
        n=asked,
        enough=(asked > 0) & (np.diff(cells.offsets) >= named),
        reachable=~cells.closed & (late == 0),
        target=asked,
        needed=[f"{more:.0f} more to be done in time" for more in asked - done],
    )


def goal(criterion: Criterion, unit: str) -> Goal:  # noqa: ARG001 - deliverables, whatever the metric's unit
    """Every deliverable is done by the end of the day `by`."""
    if (criterion.parameters.get("issues") is None) is (criterion.parameters.get("filter") is None):
        raise ValueError("deliver takes one of issues and filter")
    _check(criterion.parameters.get("filter"))
    named = len(criterion.parameters.get("issues") or ())
    return Goal(Own(score, choose=choose), float(named), True, "deliverables", 0)


def _check(wanted: Mapping[str, object] | None) -> None:
    """ValueError for a filter that no issue could be compared with."""
    if wanted is not None and not wanted.keys() & FILTERS.keys():
        raise ValueError(f"a filter needs at least one of {', '.join(FILTERS)}")
    for key, written in (wanted or {}).items():
        several = written if isinstance(written, list | tuple) else [written]
        if not several or not all(isinstance(each, str | int) and str(each).strip() for each in several):
            raise ValueError(f"`{key}` of the filter is a text or a list of texts, as [Story, Task]")


DELIVER = CriterionRule(
    name="deliver",
    title="Deliverables by a date",
    parameters=(
        Parameter("issues", "list", "The issues to be done, e.g. [PAY-12, acme/api#7]."),
        Parameter(
            "filter",
            "mapping",
            "Or the person's issues that match {project, labels, types}: one or a list each, "
            "in any case; of several any one.",
            choices=tuple(FILTERS),
        ),
        Parameter("by", "date", "The last day on which they may be done; left out: the plan's last day."),
    ),
    goal=goal,
    metric="deliverables",
)
