"""The baseline to be frozen: what was known at a plan's start of the time before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics import windows
from pipmetrics.measure import in_window
from pipmetrics.model import Baseline, Json, Window
from pipmetrics.plugin import COUNTED, Metric, Share
from pipmetrics.score.lines import Line
from pipmetrics.score.rows import kinds_of
from pipmetrics.score.shelf import Shelf, flagged_rows

if TYPE_CHECKING:
    import pandas as pd


def computed(line: Line, shelf: Shelf, metrics: Mapping[str, Metric], as_of: datetime) -> Baseline:
    """What the metric was in the baseline window, as known at the plan's start: every row with its value and kind."""
    window = windows.baseline(line.plan, line.outer.baseline)
    start = windows.whole(line.plan).start
    rows = in_window(shelf.rows(line, start), line.metric, window.start, window.end)
    if isinstance(line.goal.form, Share) and line.goal.form.limit is None:
        rows = flagged_rows(rows)
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
    rows: pd.DataFrame = shelf.of_person(request, line.plan.person)
    rows = in_window(rows, metrics[line.per], window.start, window.end)
    return float(rows["value"].to_numpy()[kinds_of(rows) == COUNTED].sum())
