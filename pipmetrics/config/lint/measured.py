"""The rules that need measurements: whether a plan can be met, and whether its verdict could be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from pipmetrics.config.lint.findings import Hit, Outlook, Seen, rule

LEAST_POWER = 0.5
"""Under this, even somebody who truly reaches the target would more likely than not look like chance."""
LEAST_PEERS = 5
LEAST_SHARE_OF_PEERS = 0.5
_BY_CHANCE = 0.025
"""The tail left on each side by the 95 % intervals that verdicts rest on."""


def _known(seen: Seen) -> Iterator[tuple[int, Outlook]]:
    for place, criterion in enumerate(seen.plan.criteria):
        outlook = seen.outlooks.get(criterion.id)
        if outlook is not None:
            yield place, outlook


@rule(
    "PIP201",
    "too-few-samples",
    why="A criterion without enough samples ends as 'not enough data', however hard the person works.",
    fix="Measure over a longer window, choose a metric that happens more often, or lower `minimum` knowingly.",
    measured=True,
)
def too_few_samples(seen: Seen) -> Iterator[Hit]:
    """Fewer samples to be expected than the criterion needs."""
    for place, outlook in _known(seen):
        criterion = seen.plan.criteria[place]
        needed = criterion.minimum if outlook.needed is None else outlook.needed
        if outlook.expected is not None and outlook.expected < needed:
            what = f"`{criterion.id}` can expect {outlook.expected:.3g} samples and needs {needed:g}"
            yield Hit(("criteria", place), what)


@rule(
    "PIP202",
    "within-chance",
    why="Small numbers move by themselves: four bugs in one quarter and two in the next is what luck does. A target "
    "that luck alone can meet or miss judges luck.",
    fix="Choose a metric with more events, a longer baseline and window, or a bigger change.",
    measured=True,
)
def within_chance(seen: Seen) -> Iterator[Hit]:
    """A target that the baseline can not be told from by chance in this time."""
    for place, outlook in _known(seen):
        if outlook.power is not None and outlook.power < LEAST_POWER:
            what = (
                f"`{outlook.criterion}`: somebody who truly reaches the target could be told from chance in "
                f"{outlook.power:.0%} of such plans only"
            )
            yield Hit(("criteria", place), what)


@rule(
    "PIP203",
    "team-would-fail",
    why="A target that most colleagues would miss is not the standard of the job. Asking it of one person alone is not "
    "fair, and does not look fair either.",
    fix="Set the target at what the team does; `pipmetrics backtest` shows it.",
    measured=True,
)
def team_would_fail(seen: Seen) -> Iterator[Hit]:
    """A target that most of the team would fail."""
    for place, outlook in _known(seen):
        if outlook.peers >= LEAST_PEERS and outlook.met / outlook.peers < LEAST_SHARE_OF_PEERS:
            what = f"`{outlook.criterion}`: {outlook.met} of {outlook.peers} peers would have met this target"
            yield Hit(("criteria", place), what)


def reduction_power(events: int, exposure: float, ahead: float, target: float) -> float:
    """The chance that a true reduction by `target` (0 to 1) can be told from no change.

    `events` happened in the baseline over `exposure`; `ahead` is the exposure that the window will hold. The later
    count is Poisson with the reduced rate; given both counts, no change means that the later one is binomial with share
    ahead / (exposure + ahead), and it counts as told apart when at most 2.5 % of that lies at or under it (the exact
    conditional test of two Poisson rates, Przyborowski and Wilenski 1940). Exact up to 1e-9 of the Poisson tail.
    """
    if not (events >= 0 and exposure > 0 and ahead > 0 and 0 <= target <= 1):
        raise ValueError("events and exposures are not negative, exposures not 0, and a reduction is 0 to 1")
    import numpy as np
    from scipy import stats

    expected = events / exposure * ahead * (1 - target)
    later = np.arange(int(stats.poisson.isf(1e-9, expected)) + 1)
    told = stats.binom.cdf(later, events + later, ahead / (exposure + ahead)) <= _BY_CHANCE
    return float(stats.poisson.pmf(later, expected)[told].sum())
