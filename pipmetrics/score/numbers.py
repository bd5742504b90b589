"""Everything that is computed at once for all lines: from frames to one column a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipmetrics import calendars, windows
from pipmetrics.model import Acts, Baseline, Calendar, Gap, MeasureRequest, Person, Window
from pipmetrics.plugin import Metric, Own
from pipmetrics.score import outlook
from pipmetrics.score.baselines import computed
from pipmetrics.score.cells import Role, Table, microseconds_of, table_of
from pipmetrics.score.forms import Results, forms_of, limits_of, results_of, tally
from pipmetrics.score.lines import Line, fits, recorded
from pipmetrics.score.rows import rows_of
from pipmetrics.score.shelf import Shelf
from pipmetrics.score.sources import Reach, incomplete, unknown_on
from pipmetrics.score.verdicts import Aims, OwnScores, aims_of, enough, inside, meets, score_own

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray, FloatArray, IntArray

NO_ATTRIBUTES = pd.DataFrame({"subject": pd.Series([], dtype="str")})


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """All that an evaluation is made from.

    `frames` has what `requests` asks for; `attributes` what exclude rules ask (measure.attributes); `reach` the sources
    of each metric (sources.reach_of; a metric that is absent hangs on none); `gaps` what sources could not give.
    """

    people: Mapping[str, Person]
    metrics: Mapping[str, Metric]
    frames: Mapping[MeasureRequest, pd.DataFrame]
    attributes: pd.DataFrame = field(default_factory=NO_ATTRIBUTES.copy)
    acts: Acts = field(default_factory=Acts)
    gaps: Sequence[Gap] = ()
    reach: Mapping[str, Reach] = field(default_factory=dict)
    met_at: float = 0.8
    at_risk_at: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Prospects:
    """What may still come, and what may have been luck: one entry a line (`needed`: running ones alone)."""

    reachable: BoolArray
    needed: Mapping[int, str | None]
    projections: outlook.Projection
    chances: FloatArray
    worse: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The lines, the cells, and what was computed for them: one entry a line, in `results` and `reached` one a cell."""

    lines: Sequence[Line]
    table: Table
    results: Results
    aims: Aims
    own: OwnScores
    reached: BoolArray
    targets: FloatArray
    enoughs: BoolArray
    met: BoolArray
    contained: BoolArray
    prospects: Prospects
    counted: IntArray
    excluded: IntArray
    pending: IntArray
    strangers: Mapping[int, tuple[str, ...]]
    gaps: Mapping[int, tuple[Gap, ...]]
    baselines: Mapping[int, Baseline]
    fresh: tuple[Baseline, ...]


def numbers_of(lines: Sequence[Line], measured: Measured, as_of: datetime) -> Numbers:
    """Scores all lines in one pass."""
    people = sorted({line.plan.person for line in lines})
    shelf = Shelf(measured.frames, measured.attributes, measured.acts, people)
    strangers = _strangers(lines, measured)
    days = _working_days()
    baselines, fresh = _baselines(lines, measured, shelf, strangers, days, as_of)
    table = table_of(lines, shelf, baselines, measured.people, measured.metrics, days)
    rows = rows_of(shelf.fill(), table.spans)
    forms, aims = forms_of([line.goal.form for line in lines]), aims_of(lines)
    base = table.at[Role.BASELINE]
    results = results_of(rows, table, forms, base)
    own = score_own(rows, table, lines, aims, results)
    times = _times(lines, baselines, measured, days)
    scene = outlook.Scene(rows, table, lines, forms, aims, results, times)
    return _judged(scene, own, measured, strangers, baselines, fresh)


def _judged(
    scene: outlook.Scene,
    own: OwnScores,
    measured: Measured,
    strangers: Mapping[int, tuple[str, ...]],
    baselines: Mapping[int, Baseline],
    fresh: tuple[Baseline, ...],
) -> Numbers:
    lines, table, results, aims = scene.lines, scene.table, scene.results, scene.aims
    scored = np.flatnonzero(table.at[Role.MAIN] >= 0)
    owned = np.array([isinstance(line.goal.form, Own) for line in lines], dtype=bool)
    counts = np.zeros((3, len(lines)), dtype=np.int64)
    inner = np.array([number if line.inner < 0 else line.inner for number, line in enumerate(lines)], dtype=np.int64)
    limits = limits_of(scene.forms, inner[scored])
    counts[:, scored] = tally(scene.rows, results, table.at[Role.MAIN][scored], limits)
    gaps = _gaps(lines, measured, counts[2])
    standing = _standing(scene, own, scored, owned)
    standing.enoughs[[*strangers, *gaps]] = False
    return Numbers(
        lines=lines, table=table, results=results, aims=aims, own=own,
        reached=meets(results.value, aims.target[table.line], aims.at_least[table.line]),
        targets=standing.targets, enoughs=standing.enoughs, met=standing.met, contained=standing.contained,
        prospects=_prospects(scene, own, scored, owned, standing.enoughs),
        counted=counts[0], excluded=counts[1], pending=counts[2],
        strangers=strangers, gaps=gaps, baselines=baselines, fresh=fresh,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    targets: FloatArray
    enoughs: BoolArray
    met: BoolArray
    contained: BoolArray


def _standing(scene: outlook.Scene, own: OwnScores, scored: IntArray, owned: BoolArray) -> _Standing:
    """How the lines with a main cell stand to their targets; own forms say so themselves."""
    table, results, aims = scene.table, scene.results, scene.aims
    cell, mine = table.at[Role.MAIN][scored], owned[scored]
    targets = aims.target.copy()
    targets[scored] = np.where(mine, own.target[cell], aims.target[scored])
    enoughs, met, contained = (np.zeros(len(scene.lines), dtype=bool) for _ in range(3))
    enoughs[scored] = np.where(mine, own.enough[cell], enough(results, table, aims, table.at[Role.BASELINE], cell))
    plain = meets(results.value[cell], targets[scored], aims.at_least[scored])
    met[scored] = np.where(mine, own.meets[cell], plain)
    contained[scored] = inside(results.low[cell], results.high[cell], targets[scored])
    return _Standing(targets, enoughs, met, contained)


def _prospects(
    scene: outlook.Scene, own: OwnScores, scored: IntArray, owned: BoolArray, enoughs: BoolArray
) -> Prospects:
    lines, size = scene.lines, len(scene.lines)
    part = np.array([line.part for line in lines], dtype=object)
    closed = np.array([line.moments.closed for line in lines], dtype=bool)
    compared = scored[(part[scored] == "criterion") & ~owned[scored]]
    own_ones = scored[owned[scored]]
    reachables = np.zeros(size, dtype=bool)
    reachables[own_ones] = own.reachable[scene.table.at[Role.MAIN][own_ones]]
    reachables[compared] = outlook.reachable(scene, compared)
    running = compared[enoughs[compared] & ~closed[compared]]
    chances, worse = np.full(size, np.nan), np.full(size, np.nan)
    told = compared[~np.isnan(scene.of(Role.MAIN, scene.results.value, compared))]
    guards = scored[part[scored] == "guardrail"]
    chances[told], worse[guards] = outlook.chance(scene, told), outlook.chance(scene, guards, worse=True)
    projections = outlook.Projection(*(np.full(size, np.nan) for _ in range(3)))
    made = outlook.projection(scene, running)
    projections.value[running], projections.low[running], projections.high[running] = made.value, made.low, made.high
    needed = dict(zip(running.tolist(), outlook.needed(scene, running, reachables[running]), strict=True))
    return Prospects(reachables, needed, projections, chances, worse)


def _person(line: Line, measured: Measured) -> Person:
    return measured.people[line.plan.person]


def _reach(lines: Sequence[Line], line: Line, measured: Measured) -> list[Reach]:
    """Of the metrics that the line and its inner line read."""
    read = (line, lines[line.inner]) if line.inner >= 0 else (line,)
    names = {name for each in read for name in (each.criterion.metric, each.per) if name is not None}
    return [measured.reach[name] for name in sorted(names) if name in measured.reach]


def _strangers(lines: Sequence[Line], measured: Measured) -> dict[int, tuple[str, ...]]:
    """The lines whose person is not known on every source that they need, and on which not."""
    found = {n: unknown_on(_person(line, measured), _reach(lines, line, measured)) for n, line in enumerate(lines)}
    return {number: missing for number, missing in found.items() if missing}


def _baselines(
    lines: Sequence[Line],
    measured: Measured,
    shelf: Shelf,
    strangers: Mapping[int, tuple[str, ...]],
    days: partial[float],
    as_of: datetime,
) -> tuple[dict[int, Baseline], tuple[Baseline, ...]]:
    """The baseline of each line that has one, and those of them that no ledger holds yet.

    Nothing is frozen of a person who is not known on every source, nor of a source that was incomplete then.
    """
    held = dict(recorded(measured.acts))
    found: dict[int, Baseline] = {}
    fresh: list[Baseline] = []
    for number, line in enumerate(lines):
        if not line.compared:
            continue
        name = line.plan.id, line.frozen_as
        if name in held and fits(held[name], line):
            found[number] = held[name]
            continue
        start = windows.whole(line.plan).start
        if number in strangers or incomplete(measured.gaps, _reach(lines, line, measured), start):
            continue
        window = windows.baseline(line.plan, line.outer.baseline)
        worked = days(_person(line, measured), window)
        found[number] = held[name] = computed(line, shelf, measured.metrics, worked, as_of)
        fresh.append(found[number])
    return found, tuple(fresh)


def _gaps(lines: Sequence[Line], measured: Measured, pending: IntArray) -> dict[int, tuple[Gap, ...]]:
    """The gaps that touch each line's window; where items still wait for an answer, those after it too."""
    if not measured.gaps:
        return {}
    found = {}
    for number, line in enumerate(lines):
        before = line.moments.as_of if pending[number] else line.moments.main.end
        gaps = incomplete(measured.gaps, _reach(lines, line, measured), before)
        if gaps:
            found[number] = gaps
    return found


def _working_days() -> partial[float]:
    """calendars.working_days of a person, each window counted once for all who have the same calendar."""
    return partial(_counted_days, {})


def _counted_days(known: dict[tuple[Calendar, Window], float], person: Person, window: Window) -> float:
    key = person.calendar, window
    if key not in known:
        known[key] = calendars.working_days(person.calendar, window)
    return known[key]


def _times(
    lines: Sequence[Line], baselines: Mapping[int, Baseline], measured: Measured, days: partial[float]
) -> outlook.Times:
    columns = np.full((6, len(lines)), np.nan)
    for number, line in enumerate(lines):
        if line.part not in ("criterion", "guardrail") or isinstance(line.goal.form, Own):
            continue
        person, moments = _person(line, measured), line.moments
        columns[:5, number] = (
            microseconds_of(moments.main),
            microseconds_of(moments.ahead),
            days(person, moments.main),
            days(person, moments.ahead),
            days(person, moments.recent),
        )
        if number in baselines:
            columns[5, number] = baselines[number].measured["days"]
    return outlook.Times(*columns)
