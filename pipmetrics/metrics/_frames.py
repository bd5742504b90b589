"""What the metrics' frames have in common: reading signals by kind and detail, and finishing measurement rows."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from pipmetrics.plugin import MEASUREMENT_COLUMNS, REASONS

if TYPE_CHECKING:
    from pipmetrics.plugin import Facts

MICROSECONDS_PER_HOUR = 3_600_000_000
INSTANT: Final = "datetime64[us, UTC]"
TEXTS = ("metric", "person", "source", "subject", "key", "unit", "state", "reason", "url")
"""The columns of a measurement that hold text."""


def of_kind(signals: pd.DataFrame, *kinds: str) -> pd.DataFrame:
    """The signals of these kinds, in the order they stand, with a fresh index."""
    return signals[signals["kind"].isin(kinds)].reset_index(drop=True)


def detail(signals: pd.DataFrame, name: str) -> pd.Series[Any]:
    """One key of every signal's detail, as objects; None where a signal has no such key."""
    return pd.Series([found.get(name) for found in signals["detail"]], index=signals.index, dtype=object)


def instants(texts: pd.Series[Any]) -> pd.Series[Any]:
    """ISO 8601 texts as UTC instants; NaT where there is none."""
    return pd.to_datetime(texts, utc=True, format="ISO8601").astype(INSTANT)


def seconds(at: pd.Series[Any]) -> pd.Series[Any]:
    """The whole second of each instant: services differ in precision, and ties are decided by whole seconds."""
    whole: pd.Series[Any] = at.dt.floor("s")
    return whole


def person_of(facts: Facts, source: pd.Series[Any], actor: pd.Series[Any]) -> pd.Series[Any]:
    """The people.yaml id behind each (source, actor) that a detail names; missing for everybody else."""
    if facts.accounts is None:
        return pd.Series(np.nan, index=actor.index, dtype="str")
    names = actor.astype("str")
    names = names.mask(names.str.startswith("@"), names.str.lower())
    asked = pd.DataFrame({"source": source.astype("str").array, "id": names.array})
    known = facts.accounts[["source", "id", "person"]].dropna().drop_duplicates(["source", "id"])
    return asked.merge(known, on=["source", "id"], how="left")["person"].set_axis(actor.index)


def local_days(facts: Facts, person: pd.Series[Any], at: pd.Series[Any]) -> pd.Series[Any]:
    """The day of each instant in the person's time zone, as its midnight without a zone; NaT for nobody's."""
    zones = person.map({someone.id: someone.calendar.timezone for someone in facts.people})
    days = pd.Series(pd.NaT, index=at.index, dtype="datetime64[us]")
    for zone in zones.dropna().unique():
        there = zones.eq(zone)
        days[there] = at[there].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return days


def first_per(signals: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The earliest signal of each group; signals of one instant by key."""
    return signals.sort_values(["at", "key"], kind="stable").drop_duplicates(list(columns)).reset_index(drop=True)


def matches(texts: pd.Series[Any], patterns: Sequence[str]) -> pd.Series[Any]:
    """Whether each text matches one of the shell patterns, with case; a leading ``**/`` may stand for no folder."""
    asked = [*patterns, *(pattern.removeprefix("**/") for pattern in patterns)]
    codes, distinct = pd.factorize(texts)
    hit = np.array([any(fnmatchcase(text, pattern) for pattern in asked) for text in distinct] + [False], dtype=bool)
    return pd.Series(hit[codes], index=texts.index)


def mark_reason(marks: pd.Series[Any]) -> pd.Series[Any]:
    """Why an act is left out for who did it: "bot", "ghost" or ""."""
    return marks.where(marks.isin(["bot", "ghost"]), "")


def left_out(
    include: frozenset[str], marks: pd.Series[Any], own: pd.Series[Any], bot: pd.Series[Any]
) -> pd.Series[Any]:
    """Why rows are left out for who took part, "" when they are not.

    `marks` are of the measured person's own account; `own` says that both sides are that person, `bot` that the other
    side is one. `include` may let these two in.
    """
    reason = mark_reason(marks)
    for name, found in (("own", own), ("bot", bot)):
        if name not in include:
            reason = reason.mask(reason.eq("") & found, name)
    return reason


def whole_microseconds(hours: pd.Series[Any]) -> pd.Series[Any]:
    """Hours free of the rounding that sums of spans gather, so that 24 h of pieces are not more than 24 h."""
    return (hours * MICROSECONDS_PER_HOUR).round() / MICROSECONDS_PER_HOUR + 0.0


def evidence(rows: int, *parts: tuple[Any, Any]) -> pd.Series[Any]:
    """The signal keys that each of `rows` rows, numbered from 0, was counted from: tuples, as objects.

    A part is (row numbers, keys) of equal length. Parts stand in the order given; missing and repeated keys are
    left out.
    """
    number = np.concatenate([np.asarray(row, dtype=np.int64) for row, _ in parts])
    keys = pd.concat([pd.Series(key).astype("str").reset_index(drop=True) for _, key in parts], ignore_index=True)
    long = pd.DataFrame({"row": number, "key": keys}).dropna().drop_duplicates()
    long = long.sort_values("row", kind="stable")
    bounds = np.searchsorted(long["row"].to_numpy(), np.arange(rows + 1))
    flat = long["key"].tolist()
    return pd.Series([tuple(flat[low:high]) for low, high in pairwise(bounds)], dtype=object)


def measurements(metric: str, unit: str, rows: pd.DataFrame, *more: str) -> pd.DataFrame:
    """Finished rows: MEASUREMENT_COLUMNS and the columns of `rows` named in `more`; the reason makes the state.

    `rows` has person, source, subject, key, start, end, value, url, evidence and, unless all are counted, reason.
    Rows of nobody in people.yaml are dropped.
    """
    kept = rows[rows["person"].notna()].reset_index(drop=True)
    kept = kept.assign(metric=metric, unit=unit, reason=kept.get("reason", ""))
    kept["state"] = kept["reason"].map(REASONS)
    kinds = dict.fromkeys(TEXTS, "str") | {"start": INSTANT, "end": INSTANT, "value": "float64", "evidence": "object"}
    return kept[[*MEASUREMENT_COLUMNS, *more]].astype(kinds)
