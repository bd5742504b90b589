"""Measures the scoring kernel against a per-plan mask loop, pandas, Polars and DuckDB: same rows, equal numbers.

    python benchmarks/evaluate.py [--rows 5000000] [--plans 1000] [--repeats 5] [--only kernel ...] [--smoke]

Measurements over 400 days of 5,000 people and 8 metrics; 1,000 plans x 6 criteria (median and 90th percentile of review
turnaround, share within 24 hours, bugs per merged change, its reduction against the baseline, longest streak of weeks)
x 10 windows (90-day baseline, 8 weeks, plan to date). Every variant runs in a process of its own, with its data opened
in the form that suits it before the clock starts, and the best of some repeats counts; the mask loop is timed on a few
plans and extrapolated. What is timed of ours is `pipmetrics.score.kernel.score` and the streak's `runs`, which
`pipmetrics.score.evaluate` calls; sorting the rows is part of opening, as an index of a store would have it, and is
told apart. Polars and DuckDB are for this comparison only.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipmetrics.plugin import Weeks
from pipmetrics.score.forms import reductions
from pipmetrics.score.kernel import QUANTILE, SHARE, TOTAL, Jobs, Spans, score
from pipmetrics.score.rows import Block, rows_of
from pipmetrics_criteria.streak import runs

if TYPE_CHECKING:
    import pandas as pd

DAY = 86_400_000_000
PEOPLE, METRICS, DAYS, WEEKS = 5_000, 8, 400, 8
REVIEWS, BUGS, MERGES = 0, 1, 2
PERSON_NAMES = [f"person-{n}" for n in range(PEOPLE)]
METRIC_NAMES = [f"metric-{n}" for n in range(METRICS)]
LIMIT, WEEKLY_SHARE = 24.0, 0.8
COLUMNS = ("median", "p90", "share", "rate", "reduction", "streak")


@dataclass(frozen=True)
class Workload:
    """Rows as columns, and for each plan its person and its windows: [0] the baseline, [1:9] weeks, [9] to date."""

    person: np.ndarray
    metric: np.ndarray
    time: np.ndarray
    value: np.ndarray
    plan_person: np.ndarray
    start: np.ndarray
    end: np.ndarray


def workload(rows: int, plans: int) -> Workload:
    """The same for the same sizes, in whatever process."""
    rng = np.random.default_rng(20261124)
    metric = rng.integers(0, METRICS, rows).astype(np.int8)
    value = np.where(metric == REVIEWS, np.round(rng.exponential(14.0, rows), 4), 1.0)
    first = rng.integers(DAYS - 120, DAYS - 62, plans) * DAY
    edges = first[:, None] + np.arange(WEEKS + 1) * 7 * DAY
    start = np.column_stack([first - 90 * DAY, edges[:, :-1], first])
    end = np.column_stack([first, edges[:, 1:], first + 58 * DAY])
    return Workload(
        person=rng.integers(0, PEOPLE, rows).astype(np.int16),
        metric=metric,
        time=rng.integers(0, DAYS * DAY, rows),
        value=value,
        plan_person=rng.permutation(PEOPLE)[:plans].astype(np.int64),
        start=start,
        end=end,
    )


Measured = tuple[Callable[[], np.ndarray], float]
"""What is timed, and the factor by which its time is multiplied; it gives [column, plan, window]."""


def derived(aggregates: np.ndarray) -> np.ndarray:
    """All columns from the five aggregates [plan, window] of a data frame library (no rows: NaN, counts 0)."""
    median, p90, share, bugs, merges = aggregates
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(merges > 0, bugs / merges, np.nan)
        reduction = np.where(rate[:, :1] > 0, 1 - rate / rate[:, :1], np.nan)
    streak = np.full(median.shape, np.nan)
    longest = run = np.zeros(len(median))
    for week in range(1, 1 + WEEKS):
        run = np.where(np.isnan(share[:, week]), run, np.where(share[:, week] >= WEEKLY_SHARE - 1e-9, run + 1, 0.0))
        longest = np.maximum(longest, run)
    streak[:, -1] = longest
    return np.stack([median, p90, share, rate, reduction, streak])


# --- variants -----------------------------------------------------------------------------------------------------


def kernel(work: Workload) -> Measured:
    plans, windows = work.start.shape
    spans_each = plans * windows
    wanted = np.isin(work.metric, (REVIEWS, BUGS, MERGES))
    place = np.full(PEOPLE, -1)
    place[work.plan_person] = np.arange(plans)
    wanted &= place[work.person] >= 0
    owner = work.metric[wanted].astype(np.int64) * plans + place[work.person[wanted]]
    points = np.column_stack([work.start[:, 0], work.start[:, 1:-1], work.end[:, -2:]])
    pairs = np.array([[0, 1], *([week, week + 1] for week in range(1, 1 + WEEKS)), [1, 2 + WEEKS]])
    axes = np.arange(3 * plans)[:, None]
    spans = Spans(
        owner=np.repeat(axes.ravel(), points.shape[1]),
        at=np.tile(points.ravel(), 3),
        start=(axes * points.shape[1] + pairs[:, 0]).ravel(),
        end=(axes * points.shape[1] + pairs[:, 1]).ravel(),
    )
    block = Block(owner, work.time[wanted], work.value[wanted], np.zeros(len(owner), dtype=np.uint8))
    rows = rows_of([block], spans)
    here = np.arange(spans_each)
    nothing, no = np.full(spans_each, np.nan), np.zeros(spans_each, dtype=bool)
    jobs = Jobs(
        code=np.repeat([QUANTILE, QUANTILE, SHARE, TOTAL], spans_each),
        number=np.repeat([0.5, 0.9, LIMIT, np.nan], spans_each),
        rows=np.tile(no, 4),
        things=np.tile(~no, 4),
        span=np.concatenate([here, here, here, here + spans_each]),
        exposure=np.concatenate([here * 0 - 1, here * 0 - 1, here * 0 - 1, here + 2 * spans_each]),
        given=np.tile(nothing, 4),
    )
    base = np.repeat(3 * spans_each + np.arange(plans) * windows, windows)
    weekly = np.arange(plans)[:, None] * windows + 1 + np.arange(WEEKS)
    offsets, grows = np.arange(plans + 1) * WEEKS, np.zeros(spans_each, dtype=bool)

    def run() -> np.ndarray:
        scored = score(rows, spans, jobs)
        median, p90, share, rate = scored.value.reshape(4, plans, windows)
        total = slice(3 * spans_each, None)
        pairs = scored.k[total], scored.exposure[total], scored.k[base], scored.exposure[base]
        reduction = reductions(*pairs, grows).reshape(plans, windows)
        week = (2 * spans_each + weekly).ravel()
        weeks = Weeks(offsets, scored.value[week], scored.value[week] >= WEEKLY_SHARE - 1e-9, scored.n[week] > 0)
        streak = np.full((plans, windows), np.nan)
        streak[:, -1] = runs(weeks, plans)[0]
        return np.stack([median, p90, share, rate, reduction, streak])

    return run, 1.0


def frame(work: Workload) -> pd.DataFrame:
    """The rows as a data frame: people and metrics as categories, instants as such."""
    import pandas as pd

    return pd.DataFrame(
        {
            "person": pd.Categorical.from_codes(work.person, categories=PERSON_NAMES),
            "metric": pd.Categorical.from_codes(work.metric, categories=METRIC_NAMES),
            "time": work.time.astype("datetime64[us]"),
            "value": work.value,
        }
    )


def masks(work: Workload) -> Measured:
    """What one writes first: a loop over plans, criteria and windows, with masks over the rows of the plan's person."""

    table, sample = frame(work), min(3, len(work.plan_person))
    starts, ends = (edges.astype("datetime64[us]") for edges in (work.start, work.end))

    def within(mine: pd.DataFrame, metric: int, start: np.datetime64, end: np.datetime64) -> pd.Series:
        return mine[(mine["metric"] == METRIC_NAMES[metric]) & (mine["time"] >= start) & (mine["time"] < end)]["value"]

    def quantile(values: pd.Series, q: float) -> float:
        return float(np.quantile(values, q, method="inverted_cdf")) if len(values) else np.nan

    def rate(mine: pd.DataFrame, start: np.datetime64, end: np.datetime64) -> float:
        bugs, merges = within(mine, BUGS, start, end).sum(), within(mine, MERGES, start, end).sum()
        return bugs / merges if merges else np.nan

    def streak(mine: pd.DataFrame, plan: int) -> float:
        longest = run = 0
        for week in range(1, 1 + WEEKS):
            values = within(mine, REVIEWS, starts[plan, week], ends[plan, week])
            if len(values):
                run = run + 1 if (values <= LIMIT).mean() >= WEEKLY_SHARE - 1e-9 else 0
            longest = max(longest, run)
        return longest

    def run() -> np.ndarray:
        out = np.full((len(COLUMNS), sample, starts.shape[1]), np.nan)
        for plan in range(sample):
            mine = table[table["person"] == PERSON_NAMES[work.plan_person[plan]]]
            for window, span in enumerate(zip(starts[plan], ends[plan], strict=True)):
                out[0, plan, window] = quantile(within(mine, REVIEWS, *span), 0.5)
                out[1, plan, window] = quantile(within(mine, REVIEWS, *span), 0.9)
                out[2, plan, window] = (within(mine, REVIEWS, *span) <= LIMIT).mean()
                out[3, plan, window] = rate(mine, *span)
                before = rate(mine, starts[plan, 0], ends[plan, 0])
                out[4, plan, window] = 1 - rate(mine, *span) / before if before > 0 else np.nan
            out[5, plan, -1] = streak(mine, plan)
        return out

    return run, len(work.plan_person) / sample


def pandas(work: Workload) -> Measured:
    """Straightforward and vectorised: choose, join the plans, join their windows, group."""
    import pandas as pd

    table = frame(work)
    plans, windows = work.start.shape
    who = pd.Categorical.from_codes(work.plan_person, categories=PERSON_NAMES)
    people = pd.DataFrame({"person": who, "plan": np.arange(plans)})
    spans = pd.DataFrame(
        {
            "plan": np.repeat(np.arange(plans), windows),
            "window": np.tile(np.arange(windows), plans),
            "start": work.start.ravel().astype("datetime64[us]"),
            "end": work.end.ravel().astype("datetime64[us]"),
        }
    )

    def run() -> np.ndarray:
        chosen = table[table["metric"].isin(METRIC_NAMES[:3]) & table["person"].isin(people["person"])]
        rows = chosen.merge(people, on="person").merge(spans, on="plan")
        rows = rows[(rows["time"] >= rows["start"]) & (rows["time"] < rows["end"])]
        rows["cell"] = rows["plan"] * windows + rows["window"]
        reviews = rows[rows["metric"] == METRIC_NAMES[REVIEWS]].sort_values(["cell", "value"])
        groups = reviews.groupby("cell")["value"]
        rank, size = groups.cumcount() + 1, groups.transform("size")
        out = np.full((5, plans * windows), np.nan)
        for column, q in enumerate((0.5, 0.9)):
            found = reviews[rank == np.ceil(q * size - 1e-9)].set_index("cell")["value"]
            out[column, found.index] = found
        share = (reviews["value"] <= LIMIT).groupby(reviews["cell"]).mean()
        out[2, share.index] = share
        out[3:] = 0.0
        for column, metric in ((3, BUGS), (4, MERGES)):
            total = rows[rows["metric"] == METRIC_NAMES[metric]].groupby("cell")["value"].sum()
            out[column, total.index] = total
        return derived(out.reshape(5, plans, windows))

    return run, 1.0


def polars(work: Workload) -> Measured:
    import polars as pl

    table = pl.DataFrame({"person": work.person, "metric": work.metric, "time": work.time, "value": work.value})
    plans, windows = work.start.shape
    people = pl.DataFrame({"person": work.plan_person.astype(np.int16), "plan": np.arange(plans)})
    spans = pl.DataFrame(
        {
            "plan": np.repeat(np.arange(plans), windows),
            "cell": np.arange(plans * windows),
            "start": work.start.ravel(),
            "end": work.end.ravel(),
        }
    )

    def run() -> np.ndarray:
        value, metric = pl.col("value"), pl.col("metric")
        reviews = value.filter(metric == REVIEWS)
        found = (
            table.lazy()
            .filter(metric <= MERGES)
            .join(people.lazy(), on="person")
            .join(spans.lazy(), on="plan")
            .filter((pl.col("time") >= pl.col("start")) & (pl.col("time") < pl.col("end")))
            .group_by("cell")
            .agg(
                reviews.quantile(0.5, "equiprobable").alias("median"),
                reviews.quantile(0.9, "equiprobable").alias("p90"),
                (reviews <= LIMIT).mean().alias("share"),
                value.filter(metric == BUGS).sum().alias("bugs"),
                value.filter(metric == MERGES).sum().alias("merges"),
            )
            .collect()
        )
        return _placed(found.to_dict(as_series=False), plans, windows)

    return run, 1.0


def duckdb(work: Workload) -> Measured:
    import duckdb
    import pandas as pd

    plans, windows = work.start.shape
    base = duckdb.connect()
    rows = pd.DataFrame({"person": work.person, "metric": work.metric, "time": work.time, "value": work.value})
    spans = pd.DataFrame(
        {
            "cell": np.arange(plans * windows),
            "person": np.repeat(work.plan_person.astype(np.int16), windows),
            "lo": work.start.ravel(),
            "hi": work.end.ravel(),
        }
    )
    base.register("rows_", rows)
    base.register("spans_", spans)
    base.execute("create table rows as select * from rows_")
    base.execute("create table spans as select * from spans_")
    query = f"""
        select cell,
               quantile_disc(value, 0.5) filter (metric = {REVIEWS}) as median,
               quantile_disc(value, 0.9) filter (metric = {REVIEWS}) as p90,
               avg((value <= {LIMIT})::double) filter (metric = {REVIEWS}) as share,
               coalesce(sum(value) filter (metric = {BUGS}), 0) as bugs,
               coalesce(sum(value) filter (metric = {MERGES}), 0) as merges
        from rows join spans on rows.person = spans.person and time >= lo and time < hi
        where metric <= {MERGES} group by cell"""

    def run() -> np.ndarray:
        return _placed(base.execute(query).fetchnumpy(), plans, windows)

    return run, 1.0


def _placed(found: dict, plans: int, windows: int) -> np.ndarray:
    out = np.full((5, plans * windows), np.nan)
    out[3:] = 0.0
    cell = np.asarray(found["cell"])
    for row, name in enumerate(("median", "p90", "share", "bugs", "merges")):
        column = found[name]
        out[row, cell] = column.filled(np.nan) if hasattr(column, "filled") else np.array(column, dtype=np.float64)
    return derived(out.reshape(5, plans, windows))


OPENERS = {"kernel": kernel, "masks": masks, "pandas": pandas, "polars": polars, "duckdb": duckdb}


# --- one run ------------------------------------------------------------------------------------------------------


def measure(variant: str, rows: int, plans: int, repeats: int, into: Path) -> None:
    """Runs one variant in this process; writes its numbers and says its time, opening time and peak memory."""
    work = workload(rows, plans)
    opened = time.perf_counter()
    run, factor = {"kernel": kernel, "masks": masks, "pandas": pandas, "polars": polars, "duckdb": duckdb}[variant](
        work
    )
    opened = time.perf_counter() - opened
    best, numbers = np.inf, np.zeros(0)
    for _ in range(1 if variant == "masks" else repeats):
        begun = time.perf_counter()
        numbers = run()
        best = min(best, time.perf_counter() - begun)
    np.save(into, numbers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": best * factor, "opening": opened, "peak": peak}))


def compare(variants: Sequence[str], rows: int, plans: int, repeats: int) -> dict[str, dict[str, float]]:
    """Runs the variants that are installed; AssertionError when one gives other numbers than the first."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        reference: np.ndarray | None = None
        for variant in variants:
            if variant not in ("kernel", "masks") and importlib.util.find_spec(variant) is None:
                print(f"{variant:8} not installed")
                continue
            into = Path(folder) / f"{variant}.npy"
            arguments = ["--variant", variant, "--rows", rows, "--plans", plans, "--repeats", repeats, "--into", into]
            said = subprocess.run(
                [sys.executable, __file__, *map(str, arguments)], check=True, capture_output=True, text=True
            )
            found[variant] = json.loads(said.stdout)
            numbers = np.load(into)
            reference = numbers if reference is None else reference
            assert reference is not None
            np.testing.assert_allclose(numbers, reference[:, : numbers.shape[1]], rtol=1e-9, err_msg=variant)
            times = found[variant]["seconds"] / found[variants[0]]["seconds"]
            print(
                f"{variant:8} {found[variant]['seconds']:11.4f} s  {times:11.1f} x  "
                f"opening {found[variant]['opening']:6.2f} s  peak {found[variant]['peak']:7.0f} MiB",
                flush=True,
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--plans", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=list(OPENERS), choices=OPENERS, help="some of the variants")
    parser.add_argument("--smoke", action="store_true", help="a small run that shows that all variants agree")
    parser.add_argument("--variant", choices=OPENERS, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    rows, plans = (100_000, 50) if asked.smoke else (asked.rows, asked.plans)
    if asked.variant:
        measure(asked.variant, rows, plans, asked.repeats, asked.into)
        return
    print(f"{rows:,} measurements, {plans:,} plans x {len(COLUMNS)} criteria x {2 + WEEKS} windows, equal numbers")
    compare(asked.only, rows, plans, asked.repeats)


if __name__ == "__main__":
    main()
