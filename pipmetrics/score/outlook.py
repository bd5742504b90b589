"""What may still come: reachable or not, what it would take, the value at the end, and the chance that it was luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics import statistics
from pipmetrics.plugin import COUNTED, OPEN, Mean, Quantile, Share, Total
from pipmetrics.score import words
from pipmetrics.score.cells import Role
from pipmetrics.score.kernel import MEAN, QUANTILE, RATIO, SHARE, TOTAL, samples
from pipmetrics.statistics import PREDICTIVE, TIE

if TYPE_CHECKING:
    from pipmetrics.plugin import BoolArray, FloatArray, IntArray
    from pipmetrics.score.cells import Table
    from pipmetrics.score.forms import Forms, Results
    from pipmetrics.score.lines import Line
    from pipmetrics.score.rows import Rows
    from pipmetrics.score.verdicts import Aims


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """One entry a line: time gone in the window and time left, and the person's working days of both, of the last four
    weeks, of the baseline (NaN: none). Gone and left share a unit."""

    gone: FloatArray
    left: FloatArray
    days_gone: FloatArray
    days_left: FloatArray
    days_recent: FloatArray
    days_baseline: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All that the outlook is made from; every array has one entry a line, `numbers` are the lines it is made for."""

    rows: Rows
    table: Table
    lines: Sequence[Line]
    forms: Forms
    aims: Aims
    results: Results
    times: Times

    def of(self, role: Role, column: FloatArray, numbers: IntArray) -> FloatArray:
        """A column of the results at the lines' cells in a role; NaN where there is no such cell."""
        cells = self.table.at[role][numbers]
        found: FloatArray = np.where(cells >= 0, column[np.maximum(cells, 0)], np.nan)
        return found

    def coming(self, numbers: IntArray) -> FloatArray:
        """Further samples (exposure): those so far x time left / time gone, rounded up."""
        n = self.of(Role.MAIN, self.results.n, numbers)
        gone, left = self.times.gone[numbers], self.times.left[numbers]
        share = np.divide(left, gone, out=np.zeros(len(numbers)), where=gone > 0)
        further: FloatArray = np.ceil(np.nan_to_num(n) * share - TIE)
        return further


# --- can it still be reached --------------------------------------------------------------------------------------


def reachable(scene: Scene, numbers: IntArray) -> BoolArray:
    """Whether further samples, all of them perfect, would meet the target; own forms say so themselves."""
    code = scene.forms.code[numbers]
    m = scene.coming(numbers)
    k, n = scene.of(Role.KEPT, scene.results.k, numbers), scene.of(Role.KEPT, scene.results.n, numbers)
    target, up = scene.aims.target[numbers], scene.aims.at_least[numbers]
    slack = TIE * np.maximum(1.0, np.abs(target))
    can = np.zeros(len(numbers), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(up, (k + m) / (n + m) >= target - slack, k / (n + m) <= target + slack)
        mean = np.where(up, m > 0, k / (n + m) <= target + slack)
        rate = np.where(up, m > 0, k / (n + m) <= target + slack)
        count = np.where(up, k + m >= target - slack, k <= target + slack)
        best = k / (n + m) / _base_rate(scene, numbers)
        ratio = np.where(scene.forms.increase[numbers], m > 0, 1 - best >= target - slack)
    counts = scene.aims.counts[numbers]
    by_code = {
        SHARE: share,
        MEAN: mean,
        TOTAL: np.where(counts, _total(scene, numbers, count, up, m), rate),
        RATIO: ratio,
    }
    for each, found in by_code.items():
        can[code == each] = found[code == each]
    quantiles = np.flatnonzero(code == QUANTILE)
    if len(quantiles):
        can[quantiles] = _quantile_reach(scene, numbers[quantiles], m[quantiles])
    return can


def _total(scene: Scene, numbers: IntArray, count: FloatArray, up: BoolArray, m: FloatArray) -> FloatArray:
    """A sum of what is measured can grow without bound by one more sample."""
    grows: FloatArray = np.where(up & ~scene.forms.things[numbers], m > 0, count)
    return grows


def _base_rate(scene: Scene, numbers: IntArray) -> FloatArray:
    return scene.of(Role.BASELINE, scene.results.value, numbers)


def _below(scene: Scene, numbers: IntArray, m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """For quantiles: the sample kept, and how many of it are within the target (below it, when more is better)."""
    cells = scene.table.at[Role.KEPT][numbers]
    values, is_open, offsets = samples(scene.rows, scene.results.first[cells], scene.results.last[cells])
    order = statistics.ordered(values, is_open, offsets)
    target, up = scene.aims.target[numbers], scene.aims.at_least[numbers]
    within = statistics.share_below(order, target, inclusive=True)
    under = statistics.share_below(order, target, inclusive=False)
    n = order.sizes.astype(np.float64)
    below: FloatArray = np.nan_to_num(np.where(up, under, within)) * n
    for i in np.flatnonzero(up & order.censored):
        span = slice(offsets[i], offsets[i + 1])
        below[i] = _below_with(values[span], is_open[span], float(target[i]), float(m[i]))
    return n, below


def _below_with(values: FloatArray, is_open: BoolArray, target: float, m: float) -> float:
    """How many lie below the target (Kaplan-Meier) with `m` more beyond it, who are at risk at each event before."""
    order = np.lexsort((is_open, values))
    below = ~is_open[order] & (values[order] < target)
    at_risk = len(values) - np.arange(len(values)) + m
    return float((1.0 - np.prod(1.0 - 1.0 / at_risk[below])) * (len(values) + m))


def _quantile_reach(scene: Scene, numbers: IntArray, m: FloatArray) -> BoolArray:
    n, below = _below(scene, numbers, m)
    q, up = scene.forms.number[numbers], scene.aims.at_least[numbers]
    can: BoolArray = np.where(up, below < q * (n + m) - TIE, below + m >= q * (n + m) - TIE) & (n + m > 0)
    return can


# --- what it takes ------------------------------------------------------------------------------------------------


def needed(scene: Scene, numbers: IntArray, can: BoolArray) -> list[str | None]:
    """What would still reach the target, in plain words, one text a line; None where nothing is left to come."""
    m = scene.coming(numbers)
    k, n = scene.of(Role.KEPT, scene.results.k, numbers), scene.of(Role.KEPT, scene.results.n, numbers)
    base = _base_rate(scene, numbers)
    below = np.zeros(len(numbers))
    quantiles = np.flatnonzero(scene.forms.code[numbers] == QUANTILE)
    if len(quantiles):
        n[quantiles], below[quantiles] = _below(scene, numbers[quantiles], m[quantiles])
    said: list[str | None] = []
    for i, number in enumerate(numbers):
        line = scene.lines[number]
        if m[i] <= 0 and scene.times.left[number] <= 0:
            said.append(None)
        elif not can[i]:
            said.append(words.nothing(line, k[i], n[i], m[i]))
        else:
            said.append(_needed(line, k[i], n[i], m[i], below[i], base[i]))
    return said


def _needed(line: Line, k: float, n: float, m: float, below: float, base: float) -> str:
    goal = line.goal
    form, target, up = goal.form, goal.target, goal.at_least
    if isinstance(form, Share):
        limit = np.ceil(target * (n + m) - k - TIE) if up else np.floor(target * (n + m) - k + TIE)
        return words.share(line, float(limit), m)
    if isinstance(form, Quantile):
        least = form.q * (n + m) - below
        return words.quantile(line, float(np.ceil(least - TIE) - (1 if up else 0)), m)
    if isinstance(form, Mean):
        return words.mean(line, float((target * (n + m) - k) / m)) if m > 0 else words.mean(line, target)
    if isinstance(form, Total) and form.per is None:
        return words.count(line, target - k)
    rate = target if isinstance(form, Total) else base * (1 + target if form.increase else 1 - target)  # type: ignore[union-attr]
    return words.rate(line, rate * (n + m) - k, m)


# --- the value at the end -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """One entry a line; NaN where there is none, infinity where it is unbounded."""

    value: FloatArray
    low: FloatArray
    high: FloatArray


def projection(scene: Scene, numbers: IntArray) -> Projection:
    """The value at the end if the coming weeks are like the last four, with an 80 % predictive interval."""
    made = Projection(*(np.full(len(numbers), np.nan) for _ in range(3)))
    code = scene.forms.code[numbers]
    for each, project in (
        (SHARE, _project_share),
        (MEAN, _project_mean),
        (TOTAL, _project_count),
        (RATIO, _project_count),
    ):
        chosen = np.flatnonzero(code == each)
        if len(chosen):
            made.value[chosen], made.low[chosen], made.high[chosen] = project(scene, numbers[chosen])
    chosen = np.flatnonzero(code == QUANTILE)
    if len(chosen):
        cells = scene.table.at[Role.RECENT][numbers[chosen]]
        order = statistics.ordered(*samples(scene.rows, scene.results.first[cells], scene.results.last[cells]))
        place, q = np.arange(len(cells)), scene.forms.number[numbers[chosen]]
        made.value[chosen] = statistics.quantile(order, place, q)
        made.low[chosen], made.high[chosen] = statistics.quantile_interval(order, place, q, PREDICTIVE)
    return made


def _ahead(scene: Scene, numbers: IntArray) -> FloatArray:
    """Items (exposure) still to come: those so far by working day, for the working days left."""
    n, gone = scene.of(Role.MAIN, scene.results.n, numbers), scene.times.days_gone[numbers]
    pace = np.divide(n, gone, out=np.zeros(len(numbers)), where=gone > 0)
    return pace * scene.times.days_left[numbers]


def _project_share(scene: Scene, numbers: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    k, n = scene.of(Role.KEPT, scene.results.k, numbers), scene.of(Role.KEPT, scene.results.n, numbers)
    k4, n4 = scene.of(Role.RECENT, scene.results.k, numbers), scene.of(Role.RECENT, scene.results.n, numbers)
    known = n4 > 0
    m = np.where(known, np.rint(_ahead(scene, numbers)), 0.0)
    low, high = statistics.beta_binomial(np.where(known, k4, 0), np.where(known, n4, 0), m)
    ends = np.where(known & (n + m > 0), n + m, np.nan)
    more = np.where(known, k4 / np.where(known, n4, 1), np.nan) * m
    return (k + more) / ends, (k + np.minimum(low, more)) / ends, (k + np.maximum(high, more)) / ends


def _project_mean(scene: Scene, numbers: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A point without an interval: no distribution is promised for means."""
    k, n = scene.of(Role.KEPT, scene.results.k, numbers), scene.of(Role.KEPT, scene.results.n, numbers)
    m = np.rint(_ahead(scene, numbers))
    value = (k + scene.of(Role.RECENT, scene.results.value, numbers) * m) / np.where(n + m > 0, n + m, np.nan)
    none = np.full(len(numbers), np.nan)
    return value, none, none


def _project_count(scene: Scene, numbers: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Counts by working days, rates by their exposure, ratios against the baseline's rate."""
    times, counts = scene.times, scene.aims.counts[numbers]
    k, over = scene.of(Role.KEPT, scene.results.k, numbers), scene.of(Role.KEPT, scene.results.exposure, numbers)
    k4 = scene.of(Role.RECENT, scene.results.k, numbers)
    over4 = np.where(counts, times.days_recent[numbers], scene.of(Role.RECENT, scene.results.exposure, numbers))
    ahead = np.where(counts, times.days_left[numbers], _ahead(scene, numbers))
    known = over4 > 0
    more = np.where(known, k4 / np.where(known, over4, 1) * ahead, np.nan)
    low, high = statistics.gamma_poisson(k4, np.where(known, over4, 0), ahead)
    things = scene.forms.things[numbers]
    low, high = (np.where(things, side, np.nan) for side in (np.minimum(low, more), np.maximum(high, more)))
    ends = np.where(counts, 1.0, np.where(over + ahead > 0, over + ahead, np.nan))
    value, low, high = ((k + each) / ends for each in (more, low, high))
    ratio = scene.forms.code[numbers] == RATIO
    base = np.where(ratio, _base_rate(scene, numbers), 1.0)
    base = np.where(base > 0, base, np.nan)
    grows = scene.forms.increase[numbers]
    value, low, high = (
        np.where(ratio, np.where(grows, each / base - 1, 1 - each / base), each) for each in (value, low, high)
    )
    turned = ratio & ~grows
    return value, np.where(turned, high, low), np.where(turned, low, high)


# --- was it luck --------------------------------------------------------------------------------------------------


def chance(scene: Scene, numbers: IntArray, *, worse: bool = False) -> FloatArray:
    """One-sided probability of a value at least this good (`worse`: bad) if nothing had changed since the baseline.

    NaN without a baseline, and for forms that are not compared.
    """
    p = np.full(len(numbers), np.nan)
    code = scene.forms.code[numbers]
    based = scene.table.at[Role.BASELINE][numbers] >= 0
    up = scene.aims.at_least[numbers] != worse
    for better in (True, False):
        shares = np.flatnonzero(based & (code == SHARE) & (up == better))
        if len(shares):
            p[shares] = statistics.fisher(*_pairs(scene, numbers[shares], rates=False), at_least=better)
        more = np.where(code == RATIO, scene.forms.increase[numbers] != worse, up)
        rates = based & ((code == TOTAL) | (code == RATIO)) & scene.forms.things[numbers]
        chosen = np.flatnonzero(rates & (more == better))
        if len(chosen):
            p[chosen] = statistics.rate_ratio_chance(*_pairs(scene, numbers[chosen], rates=True), at_least=better)
    for i in np.flatnonzero(based & ((code == QUANTILE) | (code == MEAN))):
        p[i] = _mann_whitney(scene, int(numbers[i]), at_least=bool(up[i]))
    return p


def _pairs(scene: Scene, numbers: IntArray, *, rates: bool) -> tuple[FloatArray, ...]:
    """Successes or events and what they are of, now and before; counts are of working days."""
    results, counts = scene.results, scene.aims.counts[numbers]
    of = results.exposure if rates else results.n
    k, before = (scene.of(role, results.k, numbers) for role in (Role.MAIN, Role.BASELINE))
    over = np.where(counts, scene.times.days_gone[numbers], scene.of(Role.MAIN, of, numbers))
    over_before = np.where(counts, scene.times.days_baseline[numbers], scene.of(Role.BASELINE, of, numbers))
    return k, over, before, over_before


def _mann_whitney(scene: Scene, number: int, *, at_least: bool) -> float:
    cells = np.array([scene.table.at[role][number] for role in (Role.MAIN, Role.BASELINE)])
    values, kinds, offsets = scene.results.rows_of(scene.rows, cells)
    kept = (kinds == COUNTED) | ((kinds == OPEN) & (scene.forms.code[number] == QUANTILE))
    now = np.arange(len(values)) < offsets[1]
    x, base = kept & now, kept & ~now
    return statistics.mann_whitney(values[x], kinds[x] == OPEN, values[base], kinds[base] == OPEN, at_least=at_least)
