"""Takes the rows of every line from the measured frames: as they are where nothing changes them, else a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from pipmetrics.errors import PipmetricsError
from pipmetrics.measure import apply_rules
from pipmetrics.model import Acts, Baseline, MeasureRequest
from pipmetrics.plugin import COUNTED, EXCLUDED, OPEN, PENDING, WITHDRAWN, Own, Share
from pipmetrics.score.lines import Line
from pipmetrics.score.rows import Block, kinds_of, microseconds

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray, ByteArray, FloatArray, IntArray

Texts: TypeAlias = "np.ndarray[Any, np.dtype[np.object_]]"
NEVER = np.iinfo(np.int64).min
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUPERFICIAL = ("superficial", "considered")
"""Columns of a guardrail metric: what its share counts, and of which rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Rows as arrays, as a line reads them; `times` is the instant by which each belongs to a window, or NEVER."""

    keys: Texts
    subjects: Texts
    times: IntArray
    values: FloatArray
    kinds: ByteArray

    def part(self, rows: slice | BoolArray) -> Taken:
        """Some of the rows."""
        return Taken(self.keys[rows], self.subjects[rows], self.times[rows], self.values[rows], self.kinds[rows])


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """Rows sorted by person, the place of each row's person, where each person's rows begin, and how they were read."""

    rows: pd.DataFrame
    person: IntArray
    bounds: IntArray
    taken: dict[tuple[str, bool], Taken]


@dataclass(slots=True, eq=False)
class Shelf:
    """Gives out owner numbers and gathers the rows that belong to them."""

    frames: Mapping[MeasureRequest, pd.DataFrame]
    attributes: pd.DataFrame
    acts: Acts
    people: list[str] = field(default_factory=list)
    """Those whose rows will be asked for; others are taken in when they are, at the price of reading frames again."""
    blocks: list[Block] = field(default_factory=list)
    _owners: dict[tuple[MeasureRequest, bool, str], int] = field(default_factory=dict)
    _windows_by: dict[MeasureRequest, str] = field(default_factory=dict)
    _chosen: dict[MeasureRequest, _Chosen] = field(default_factory=dict)
    _upheld: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)
    _count: int = 0

    def __post_init__(self) -> None:
        self._places.update((person, place) for place, person in enumerate(self.people))
        for dispute in self.acts.disputes:
            if dispute.state == "upheld":
                self._upheld.setdefault((dispute.plan, dispute.criterion), set()).add(dispute.key)

    def owner(self, line: Line, as_of: datetime) -> int:
        """The owner of the line's rows as known at an instant."""
        request = line.request(as_of)
        if self._changes(line):
            return self._own(line, as_of)
        return self._plain(request, line.plan.person, line.metric.window_by, flagged=_flagged(line))

    def exposure(self, line: Line, as_of: datetime, window_by: str) -> int:
        """The owner of the exposure's rows; -1 when the line has none."""
        request = line.exposure_request(as_of)
        return -1 if request is None else self._plain(request, line.plan.person, window_by, flagged=False)

    def frame(self, request: MeasureRequest) -> pd.DataFrame:
        """The measured frame."""
        try:
            return self.frames[request]
        except KeyError as error:
            raise PipmetricsError(
                f"{request.metric} was not measured as of {request.as_of.isoformat()}",
                mend="Measure everything that `requests` asks for.",
            ) from error

    def rows(self, line: Line, as_of: datetime) -> pd.DataFrame:
        """The line's rows with what rules, upheld disputes and (for what counts without them) contests leave out."""
        request = line.request(as_of)
        form = line.goal.form
        if isinstance(form, Own) and form.choose is not None:
            frame = form.choose(line.plan, line.criterion, self.frame(request), as_of)
        else:
            frame = self.of_person(request, line.plan.person)
        if line.criterion.exclude and len(frame):
            frame = apply_rules(frame, line.criterion.exclude, self.attributes)
        keys = self._upheld.get((line.plan.id, line.outer.id), set()) | line.contested
        if keys:
            hit = frame["key"].isin(keys) & (frame["state"].ne("excluded") | frame["reason"].eq("withdrawn"))
            frame = frame.assign(
                state=frame["state"].mask(hit, "excluded"), reason=frame["reason"].mask(hit, "disputed")
            )
        return frame

    def taken(self, line: Line, as_of: datetime) -> Taken:
        """The line's rows as arrays."""
        if self._changes(line):
            return read(self.rows(line, as_of), line.metric.window_by, flagged=_flagged(line))
        return self._of_one(line.request(as_of), line.plan.person, line.metric.window_by, flagged=_flagged(line))

    def exposed(self, line: Line, as_of: datetime, window_by: str) -> Taken | None:
        """The rows of the line's exposure as arrays; None when it has none."""
        request = line.exposure_request(as_of)
        return None if request is None else self._of_one(request, line.plan.person, window_by, flagged=False)

    def frozen(self, line: Line, baseline: Baseline) -> int:
        """A new owner with the rows of a baseline, all at the start of its window; upheld disputes leave out theirs."""
        owner = self._new()
        values = np.array(baseline.measured["values"], dtype=np.float64)
        kinds = np.array(baseline.measured["kinds"], dtype=np.uint8)
        upheld = self._upheld.get((line.plan.id, line.outer.id))
        if upheld:
            kinds[np.isin(np.array(baseline.measured["keys"], dtype=object), list(upheld))] = EXCLUDED
        times = np.full(len(values), microsecond(baseline.window.start))
        self.blocks.append(Block(np.full(len(values), owner), times, values, kinds))
        return owner

    def fill(self) -> list[Block]:
        """All blocks: those of owners that read their rows as they are come last, one for each frame."""
        by_frame: dict[tuple[MeasureRequest, bool], dict[str, int]] = {}
        for (request, flagged, person), owner in self._owners.items():
            by_frame.setdefault((request, flagged), {})[person] = owner
        for (request, flagged), owners in by_frame.items():
            self.blocks.append(self._shared(request, owners, flagged=flagged))
        return self.blocks

    def _changes(self, line: Line) -> bool:
        """Whether the line reads its rows in a way of its own."""
        chooses = isinstance(line.goal.form, Own) and line.goal.form.choose is not None
        upheld = (line.plan.id, line.outer.id) in self._upheld
        return chooses or upheld or bool(line.criterion.exclude or line.contested)

    def _shared(self, request: MeasureRequest, owners: Mapping[str, int], *, flagged: bool) -> Block:
        chosen = self._of_people(request)
        taken = self._read(chosen, self._windows_by[request], flagged=flagged)
        numbers = np.array([owners.get(person, -1) for person in self.people], dtype=np.int64)[chosen.person]
        mine = numbers >= 0
        numbers, taken = (numbers, taken) if mine.all() else (numbers[mine], taken.part(mine))
        return Block(numbers, taken.times, taken.values, taken.kinds)

    def _own(self, line: Line, as_of: datetime) -> int:
        owner, taken = self._new(), self.taken(line, as_of)
        self.blocks.append(Block(np.full(len(taken.times), owner), taken.times, taken.values, taken.kinds))
        return owner

    def _of_one(self, request: MeasureRequest, person: str, window_by: str, *, flagged: bool) -> Taken:
        chosen, place = self._person(request, person)
        rows = slice(chosen.bounds[place], chosen.bounds[place + 1])
        return self._read(chosen, window_by, flagged=flagged).part(rows)

    def _read(self, chosen: _Chosen, window_by: str, *, flagged: bool) -> Taken:
        if (window_by, flagged) not in chosen.taken:
            chosen.taken[window_by, flagged] = read(chosen.rows, window_by, flagged=flagged)
        return chosen.taken[window_by, flagged]

    def _plain(self, request: MeasureRequest, person: str, window_by: str, *, flagged: bool) -> int:
        self._windows_by[request] = window_by
        key = (request, flagged, person)
        if key not in self._owners:
            self._owners[key] = self._new()
        return self._owners[key]

    def of_person(self, request: MeasureRequest, person: str) -> pd.DataFrame:
        """One person's rows."""
        chosen, place = self._person(request, person)
        return chosen.rows.iloc[chosen.bounds[place] : chosen.bounds[place + 1]]

    def _person(self, request: MeasureRequest, person: str) -> tuple[_Chosen, int]:
        if person not in self._places:
            self._places[person] = len(self.people)
            self.people.append(person)
            self._chosen.clear()
        return self._of_people(request), self._places[person]

    def _of_people(self, request: MeasureRequest) -> _Chosen:
        """The rows of everybody asked for, by person; picked from a frame once, however many lines ask."""
        if request not in self._chosen:
            frame = self.frame(request)
            codes = pd.Index(self.people).get_indexer(pd.Index(frame["person"]))
            kept = np.flatnonzero(codes >= 0)
            kept = kept[np.argsort(codes[kept], kind="stable")]
            bounds = np.searchsorted(codes[kept], np.arange(len(self.people) + 1))
            self._chosen[request] = _Chosen(frame.iloc[kept], codes[kept], bounds, {})
        return self._chosen[request]

    def _new(self) -> int:
        self._count += 1
        return self._count - 1


def flagged_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows whose share is not that of their value: superficial ones of those that are considered at all."""
    if not set(SUPERFICIAL) <= set(frame.columns):
        return frame
    out = ~frame["considered"].astype(bool) & frame["state"].eq("counted")
    return frame.assign(
        value=frame["superficial"].astype("float64"),
        state=frame["state"].mask(out, "excluded"),
        reason=frame["reason"].mask(out, "rule"),
    )


def read(frame: pd.DataFrame, window_by: str, *, flagged: bool) -> Taken:
    """Rows as arrays; a share without a limit reads what a metric flags, if it does (`flagged_rows`)."""
    frame = flagged_rows(frame) if flagged else frame
    times, known = microseconds(frame[window_by])
    values = frame["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    kinds = kinds_of(frame)
    ageless = np.isnan(values)
    kinds[ageless & (kinds == OPEN)] = PENDING
    kinds[ageless & ((kinds == COUNTED) | (kinds == WITHDRAWN))] = EXCLUDED
    keys, subjects = (frame[name].to_numpy(dtype=object) for name in ("key", "subject"))
    return Taken(keys, subjects, np.where(known, times, NEVER), values, kinds)


def _flagged(line: Line) -> bool:
    return isinstance(line.goal.form, Share) and line.goal.form.limit is None


def microsecond(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)
