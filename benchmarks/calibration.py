"""Shows that verdicts err no more often than they say: 10,000 simulated plans a criterion at every sample size to 200.

    python benchmarks/calibration.py [--plans 10000] [--sizes 200] [--smoke]

For each criterion somebody is simulated who truly meets the target, and only just: their true share, quantile, mean,
count, rate or ratio is the target itself. Judged by the engine's intervals and verdicts when a plan has ended, they may
be found `not_met` at most 2.5 % of the time, and the 95 % interval must hold the truth at least 95 % of the time, at
every sample size. A simulated frequency scatters: it fails when chance alone would leave it so far off in one of a
million. Where the probability can be summed up exactly, it is, and must not pass the limit at all. Then plans with
missing data of every kind go through the whole evaluation; none may be met or not met.

Means are drawn from a normal distribution, for which Student's interval is made. Skewed durations break its promise at
small samples (the last line says by how much), so durations are better held to a median or a share.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import stats

from pipmetrics import registry, statistics
from pipmetrics.model import Acts, Calendar, Criterion, Gap, Person, Plan
from pipmetrics.plugin import MEASUREMENT_COLUMNS
from pipmetrics.score import Measured, Reach, evaluate, requests
from pipmetrics.score.forms import reductions
from pipmetrics.score.verdicts import inside, meets

SEED = 20261124
ERROR, COVERAGE, LUCK = 0.025, 0.95, 1e-6

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Values and both limits of many plans; NaN: too little for a verdict."""


Exact = Callable[[int], tuple[float, float]]
"""The exact probability of `not_met`, and that of an interval that holds the truth, at a sample size."""


@dataclass(frozen=True)
class Case:
    """How to draw plans of one size, what is true of them, which side meets, and the exact probabilities."""

    name: str
    draw: Callable[[np.random.Generator, int, int], Drawn]
    truth: Callable[[int], float]
    at_least: bool
    exact: Exact | None = None
    first: int = 1


# --- what is drawn ------------------------------------------------------------------------------------------------


def share(p: float) -> Callable[[np.random.Generator, int, int], Drawn]:
    def draw(rng: np.random.Generator, plans: int, n: int) -> Drawn:
        k = rng.binomial(n, p, plans)
        return k / n, *statistics.clopper_pearson(k, n)

    return draw


def exact_share(p: float, *, at_least: bool) -> Exact:
    def exact(n: int) -> tuple[float, float]:
        k = np.arange(n + 1)
        return _summed(stats.binom.pmf(k, n, p), k / n, statistics.clopper_pearson(k, n), p, at_least)

    return exact


def _summed(
    mass: np.ndarray, value: np.ndarray, limits: tuple[np.ndarray, np.ndarray], truth: float, at_least: bool
) -> tuple[float, float]:
    """The probability of an error and that of an interval that holds the truth."""
    of, side = np.full(len(mass), truth), np.full(len(mass), at_least)
    held = inside(*limits, of)
    return float(mass[~held & ~meets(value, of, side)].sum()), float(mass[held].sum())


@lru_cache(maxsize=2)
def durations(plans: int, n: int, open_: bool) -> statistics.Ordered:
    """Exponential durations with a mean of 1; with `open_`, about a third are still open at a random age."""
    rng = np.random.default_rng([SEED, n, open_])
    found, late = rng.exponential(1.0, plans * n), np.zeros(plans * n, dtype=bool)
    if open_:
        ages = rng.exponential(2.0, plans * n)
        late = ages < found
        found = np.minimum(found, ages)
    return statistics.ordered(found, late, np.arange(plans + 1) * n)


def quantile(q: float, *, open_: bool = False) -> Callable[[np.random.Generator, int, int], Drawn]:
    def draw(rng: np.random.Generator, plans: int, n: int) -> Drawn:
        plans = plans // 10 if open_ else plans
        order, cells = durations(plans, n, open_), np.arange(plans)
        return statistics.quantile(order, cells, q), *statistics.quantile_interval(order, cells, q)

    return draw


def quantile_truth(q: float) -> Callable[[int], float]:
    return lambda n: -float(np.log(1 - q))


def exact_quantile(q: float) -> Exact:
    """Whatever the distribution: too high when fewer than `low` lie below the truth, too low when `high` or more do."""

    def exact(n: int) -> tuple[float, float]:
        low, high = (int(rank[0]) for rank in statistics.order_ranks(n, q))
        error = stats.binom.cdf(low - 1, n, q)
        return float(error), float(1 - error - stats.binom.sf(high - 1, n, q) * (high <= n))

    return exact


def mean(spread: float) -> Callable[[np.random.Generator, int, int], Drawn]:
    def draw(rng: np.random.Generator, plans: int, n: int) -> Drawn:
        values = rng.normal(10.0, spread, (plans, n)) if spread else rng.exponential(10.0, (plans, n))
        centre = values.mean(axis=1)
        return centre, *statistics.t_interval(centre, values.std(axis=1, ddof=1), n)

    return draw


def count(rng: np.random.Generator, plans: int, n: int) -> Drawn:
    k = rng.poisson(n, plans).astype(float)
    return k, *statistics.garwood(k)


def shared(rng: np.random.Generator, plans: int, n: int) -> Drawn:
    """Bugs of which every other is shared with one more author."""
    k = rng.poisson(2 * n / 3, plans) + 0.5 * rng.poisson(2 * n / 3, plans)
    return k, *statistics.garwood(k)


def rate(rng: np.random.Generator, plans: int, n: int) -> Drawn:
    k = rng.poisson(0.2 * n, plans).astype(float)
    return k / n, *statistics.garwood(k, n)


def exact_count(events: Callable[[int], float], *, at_least: bool) -> Exact:
    def exact(n: int) -> tuple[float, float]:
        k = np.arange(10 * n + 60)
        mass = stats.poisson.pmf(k, events(n))
        return _summed(mass, k.astype(float), statistics.garwood(k), events(n), at_least)

    return exact


def ratio(change: float) -> Callable[[np.random.Generator, int, int], Drawn]:
    """`n` events before, in 60 of exposure; in 40 now so many that the rate changed by exactly `change`."""

    def draw(rng: np.random.Generator, plans: int, n: int) -> Drawn:
        before, now = rng.poisson(n, plans).astype(float), rng.poisson(n * (1 + change) * 40 / 60, plans).astype(float)
        grows = np.full(plans, change > 0)
        value = reductions(now, np.full(plans, 40.0), before, np.full(plans, 60.0), grows)
        low, high = statistics.rate_ratio(now, 40.0, before, 60.0)
        return (value, low - 1, high - 1) if change > 0 else (value, 1 - high, 1 - low)

    return draw


def exact_ratio(change: float) -> Exact:
    """Given all events, those of now are binomial: the sums over each number of them, weighted by its probability."""
    p = 40 * (1 + change) / (40 * (1 + change) + 60)
    of = exact_share(p, at_least=change > 0)
    each = lru_cache(maxsize=None)(lambda events: of(events) if events else (0.0, 1.0))

    def exact(n: int) -> tuple[float, float]:
        mean = n + n * (1 + change) * 40 / 60
        events = np.arange(int(mean + 8 * np.sqrt(mean)) + 8)
        mass = stats.poisson.pmf(events, mean)
        sums = np.array([each(int(number)) for number in events])
        return float(mass @ sums[:, 0]), float(mass @ sums[:, 1] + 1 - mass.sum())

    return exact


CASES = (
    Case("share_within 90 %", share(0.9), lambda n: 0.9, True, exact_share(0.9, at_least=True)),
    Case("share_within 60 %", share(0.6), lambda n: 0.6, True, exact_share(0.6, at_least=True)),
    Case("threshold share at most 5 %", share(0.05), lambda n: 0.05, False, exact_share(0.05, at_least=False)),
    Case("threshold median", quantile(0.5), quantile_truth(0.5), False, exact_quantile(0.5)),
    Case("threshold p75", quantile(0.75), quantile_truth(0.75), False, exact_quantile(0.75)),
    Case("threshold p90", quantile(0.9), quantile_truth(0.9), False, exact_quantile(0.9)),
    Case("threshold median, a third open", quantile(0.5, open_=True), quantile_truth(0.5), False),
    Case("threshold mean", mean(4.0), lambda n: 10.0, False, first=10),
    Case("threshold count at most", count, float, False, exact_count(float, at_least=False)),
    Case("threshold count at least", count, float, True, exact_count(float, at_least=True)),
    Case("threshold total of shared bugs", shared, float, False),
    Case("threshold rate", rate, lambda n: 0.2, False, exact_count(lambda n: 0.2 * n, at_least=False)),
    Case("reduction 50 %", ratio(-0.5), lambda n: 0.5, True, exact_ratio(-0.5)),
    Case("increase 50 %", ratio(0.5), lambda n: 0.5, True, exact_ratio(0.5)),
)


# --- judging ------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """The worst of all sample sizes."""

    error: float = 0.0
    outside: float = 0.0
    exact: tuple[float, float] = (0.0, 1.0)
    fine: bool = True


def judged(case: Case, rng: np.random.Generator, plans: int, n: int) -> tuple[int, int, int]:
    """How many plans were not met, how many intervals missed the truth, and of how many that got a verdict."""
    value, low, high = case.draw(rng, plans, n)
    truth, side = np.full(len(value), case.truth(n)), np.full(len(value), case.at_least)
    known = ~np.isnan(value) & ~np.isnan(low)
    held = inside(low, high, truth)
    missed = known & ~meets(value, truth, side) & ~held
    return int(missed.sum()), int((known & ~held).sum()), int(known.sum())


def calibrate(plans: int, sizes: int) -> bool:
    """Every case at every sample size; prints the worst of each, and whether it is within what was promised."""
    tallies = {case.name: Tally() for case in CASES}
    for n in range(1, sizes + 1):
        for case in CASES:
            if n >= case.first:
                _measure(case, tallies[case.name], plans, n)
    for case in CASES:
        tally = tallies[case.name]
        summed = f"exactly {tally.exact[0]:.4f} and {tally.exact[1]:.4f}" if case.exact is not None else ""
        print(
            f"{'ok  ' if tally.fine else 'FAIL'} {case.name:32} not_met {tally.error:.4f}, "
            f"coverage {1 - tally.outside:.4f}  {summed}"
        )
    return all(tally.fine for tally in tallies.values())


def _measure(case: Case, tally: Tally, plans: int, n: int) -> None:
    wrong, apart, known = judged(case, np.random.default_rng([SEED, n, *case.name.encode()]), plans, n)
    if known:
        tally.error, tally.outside = max(tally.error, wrong / known), max(tally.outside, apart / known)
        tally.fine &= wrong <= stats.binom.isf(LUCK, known, ERROR)
        tally.fine &= apart <= stats.binom.isf(LUCK, known, 1 - COVERAGE)
    if case.exact is not None:
        error, coverage = case.exact(n)
        tally.exact = max(tally.exact[0], error), min(tally.exact[1], coverage)
        tally.fine &= error <= ERROR + 1e-9 and coverage >= COVERAGE - 1e-9


# --- missing data -------------------------------------------------------------------------------------------------

START, DAYS = date(2026, 10, 5), 56
FIRST = datetime(2026, 10, 5, tzinfo=UTC)
METRICS = ("review_turnaround", "change_size", "post_deploy_bugs", "changes_deployed")
INNER = Criterion(
    "row", "review_turnaround", "share_within", parameters={"limit": timedelta(hours=24), "target": 0.5}, minimum=1
)
CRITERIA = (
    replace(INNER, id="share", minimum=8),
    Criterion(
        "median", "review_turnaround", "threshold", parameters={"statistic": "median", "at_most": timedelta(hours=9)}
    ),
    Criterion("mean", "change_size", "threshold", parameters={"statistic": "mean", "at_most": 10.0}),
    Criterion("count", "post_deploy_bugs", "threshold", parameters={"at_most": 2.0}),
    Criterion("rate", "post_deploy_bugs", "threshold", parameters={"at_most": 0.1, "per": "changes_deployed"}),
    Criterion("half", "post_deploy_bugs", "reduction", parameters={"target": 0.5, "per": "changes_deployed"}),
    Criterion("row", "review_turnaround", "streak", parameters={"of": INNER, "weeks": 3}),
    Criterion("trend", "review_turnaround", "trend", parameters={"direction": "down"}),
)
"""One of each form. A count has no minimum, so that it is not among the thin ones below."""


def measurements(metric: str, unit: str, rng: np.random.Generator, people: np.ndarray, most: int) -> pd.DataFrame:
    """Up to `most` measurements of everybody within the plan."""
    who = np.repeat(people, rng.integers(0, most + 1, len(people)))
    at = FIRST + pd.to_timedelta(rng.uniform(0, DAYS, len(who)), unit="D")
    value = rng.exponential(12.0, len(who)) if unit in ("hours", "lines") else np.ones(len(who))
    frame = pd.DataFrame({"person": who, "start": at.astype("datetime64[us, UTC]"), "value": value})
    told = {"metric": metric, "source": "hub", "subject": "s", "key": "k", "unit": unit, "state": "counted"}
    return frame.assign(**told, end=frame["start"], reason="", url="", evidence=None)[list(MEASUREMENT_COLUMNS)]


def undecided(plans: int) -> Iterator[tuple[str, int, int]]:
    """For each way in which data can be missing: how many criteria got a verdict after all, and of how many."""
    rng = np.random.default_rng(SEED)
    metrics = {name: registry.metric(name) for name in METRICS}
    names = np.array([f"p{n}" for n in range(plans)], dtype=object)
    calendar, end = Calendar("UTC"), START + timedelta(days=DAYS - 1)
    hub = Reach(frozenset({"hub"}), frozenset({"hub"}))
    for way, most in (("no identity", 60), ("incomplete source", 60), ("too few samples", 4)):
        chosen = [each for each in CRITERIA if most > 4 or each.id not in ("count", "row")]
        all_ = [
            Plan(f"plan-{name}", "pip", name, "dana", START, end, "UTC", (chosen[n % len(chosen)],))
            for n, name in enumerate(names)
        ]
        accounts = {} if way == "no identity" else {"hub": ("x",)}
        people = {name: Person(name, name, calendar, accounts=accounts) for name in names}
        as_of = FIRST + timedelta(days=DAYS)
        frames = {each: measurements(each, metrics[each].unit, rng, names, most) for each in METRICS}
        asked = requests(all_, as_of, Acts(), metrics)
        known = {each: frames[each.metric][frames[each.metric]["start"] < pd.Timestamp(each.as_of)] for each in asked}
        gaps = [Gap("hub", "acme/api", "HTTP 502", as_of - timedelta(days=3))] if way == "incomplete source" else []
        measured = Measured(people, metrics, known, gaps=gaps, reach=dict.fromkeys(METRICS, hub))
        found = [each for plan in evaluate(all_, measured, as_of).plans for each in (plan, *plan.criteria)]
        yield way, sum(each.verdict != "not_enough_data" for each in found), len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plans", type=int, default=10_000)
    parser.add_argument("--sizes", type=int, default=200)
    parser.add_argument("--smoke", action="store_true", help="a few seconds: 500 plans, sizes to 25")
    asked = parser.parse_args()
    plans, sizes = (500, 25) if asked.smoke else (asked.plans, asked.sizes)
    begun, fine = time.perf_counter(), True
    print(f"{plans:,} plans a criterion and size, sizes 1 to {sizes}, seed {SEED}; the worst of all sizes:")
    fine &= calibrate(plans, sizes)
    for way, decided, of in undecided(plans):
        fine &= decided == 0
        print(f"{'ok  ' if decided == 0 else 'FAIL'} {way:32} {decided} of {of:,} verdicts")
    rng = np.random.default_rng(SEED)
    skewed = Case("", mean(0.0), lambda n: 10.0, True)
    told = [f"{judged(skewed, rng, plans, n)[0] / plans:.3f} at {n}" for n in (10, 30, 100, 200) if n <= sizes]
    print(f"     for comparison, means of exponential durations, at least the target: not_met {', '.join(told)}")
    print(f"{time.perf_counter() - begun:.0f} s")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
