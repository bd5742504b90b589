"""The baseline to be frozen: what was known at a plan's start of the time before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics import windows
from pipmetrics.model import Baseline, Json, Window
from pipmetrics.plugin import COUNTED, Metric, Share
from pipmetrics.score.lines import Line
from pipmetrics.score.rows import kinds_of, microseconds
from pipmetrics.score.shelf import Shelf, flagged_rows, microsecond

if TYPE_CHECKING:
    import pandas as pd

    from pipmetrics.plugin import BoolArray


def computed(line: Line, shelf: Shelf, metrics: Mapping[str, Metric], as_of: datetime) -> Baseline:
    """What the metric was in the baseline window, as known at the plan's start: every row with its value and kind."""
    window = windows.baseline(line.plan, line.outer.baseline)
    start = windows.whole(line.plan).start
    rows = shelf.rows(line, start)
    if isinstance(line.goal.form, Share) and line.goal.form.limit is None:
        rows = flagged_rows(rows)
    rows = rows[_inside(rows, line.metric, window)]
    measured = {
        "metric": line.criterion.metric,
        "keys": rows["key"].tolist(),
        "subjects": rows["subject"].tolist(),
        "values": [None if np.isnan(value) else float(value) for value in rows["value"]],
        "kinds": kinds_of(rows).tolist(),
        "per": line.per,
        "exposure": _exposure(line, shelf, metrics, start, window),
    }
    return Baseline(line.plan.id, line.frozen_as, window, measured, as_of)


def _exposure(line: Line, shelf: Shelf, metrics: Mapping[str, Metric], start: datetime, window: Window) -> Json:
    request = line.exposure_request(start)
    if request is None or line.per is None:
        return None
    rows = shelf.of_person(request, line.plan.person)
    counted = _inside(rows, metrics[line.per], window) & (kinds_of(rows) == COUNTED)
    return float(rows["value"].to_numpy()[counted].sum())


def _inside(rows: pd.DataFrame, metric: Metric, window: Window) -> BoolArray:
    times, known = microseconds(rows[metric.window_by])
    inside: BoolArray = known & (times >= microsecond(window.start)) & (times < microsecond(window.end))
    return inside
