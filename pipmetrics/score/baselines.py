"""The baseline to be frozen: what was known at a plan's start of the time before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics import windows
from pipmetrics.model import Baseline, Json, Window
from pipmetrics.plugin import COUNTED, Metric
from pipmetrics.score.lines import Line
from pipmetrics.score.shelf import Shelf, Taken, microsecond

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray


def computed(line: Line, shelf: Shelf, metrics: Mapping[str, Metric], days: float, as_of: datetime) -> Baseline:
    """What the metric was in the baseline window, as known at the plan's start: every row with its value and kind.

    `days` are the person's working days in that window by today's calendar, which are frozen with it.
    """
    window = windows.baseline(line.plan, line.outer.baseline)
    start = windows.whole(line.plan).start
    rows = shelf.taken(line, start)
    rows = rows.part(_inside(rows, window))
    measured = {
        "metric": line.criterion.metric,
        "keys": rows.keys.tolist(),
        "subjects": rows.subjects.tolist(),
        "values": [None if np.isnan(value) else value for value in rows.values.tolist()],
        "kinds": rows.kinds.tolist(),
        "per": line.per,
        "exposure": _exposure(line, shelf, metrics, start, window),
        "days": days,
    }
    return Baseline(line.plan.id, line.frozen_as, window, measured, as_of)


def _exposure(line: Line, shelf: Shelf, metrics: Mapping[str, Metric], start: datetime, window: Window) -> Json:
    rows = shelf.exposed(line, start, metrics[line.per].window_by) if line.per is not None else None
    if rows is None:
        return None
    return float(rows.values[_inside(rows, window) & (rows.kinds == COUNTED)].sum())


def _inside(rows: Taken, window: Window) -> BoolArray:
    inside: BoolArray = (rows.times >= microsecond(window.start)) & (rows.times < microsecond(window.end))
    return inside
