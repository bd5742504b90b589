"""The plain words of `needed` and of reasons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipmetrics.plugin import Share

if TYPE_CHECKING:
    from pipmetrics.score.lines import Line

NOUNS = {
    "review_turnaround": ("review", "reviews"),
    "reviews_given": ("review", "reviews"),
    "review_depth": ("review", "reviews"),
    "feedback_response": ("response", "responses"),
    "time_to_merge": ("change", "changes"),
    "lead_time": ("change", "changes"),
    "changes_merged": ("change", "changes"),
    "changes_deployed": ("change", "changes"),
    "change_size": ("change", "changes"),
    "unreviewed_merges": ("merge", "merges"),
    "ci_first_pass": ("change", "changes"),
    "post_deploy_bugs": ("bug", "bugs"),
    "change_failure": ("change", "changes"),
    "bug_reopened": ("bug", "bugs"),
    "bug_fix_time": ("bug fix", "bug fixes"),
    "issue_cycle_time": ("issue", "issues"),
    "delivered_on_time": ("issue", "issues"),
    "sprint_commitment": ("issue", "issues"),
}


def noun(metric: str, count: float) -> str:
    """What a metric counts, in the singular for exactly one."""
    one, many = NOUNS.get(metric, ("item", "items"))
    return one if count == 1 else many


def amount(value: float, unit: str) -> str:
    """A number in its unit, as few digits as say it: 24 h, 90 %, 3."""
    if unit == "share":
        return f"{_short(value * 100)} %"
    return f"{_short(value)} h" if unit == "hours" else _short(value)


def nothing(line: Line, k: float, n: float, m: float) -> str:
    """That the target is out of reach, and how far perfection would get where that says something."""
    if isinstance(line.goal.form, Share) and n + m > 0:
        best = (k + m if line.goal.at_least else k) / (n + m)
        perfect = f"the next {_next(line, m)}, all good, would give {_short(best * 100)} %"
        return f"nothing can reach {_target(line)} any more: {perfect}"
    return f"nothing can reach {_target(line)} any more"


def share(line: Line, limit: float, m: float) -> str:
    """`limit`: how many must succeed at least, or may at most."""
    form = line.goal.form
    timed = isinstance(form, Share) and form.limit is not None
    if not line.goal.at_least:
        return f"at most {max(limit, 0):.0f} in the next {_next(line, m)}"
    misses = m - max(limit, 0)
    if misses >= m:
        return f"{_target(line)} stays reached whatever the next {_next(line, m)} bring"
    if timed and line.metric.unit == "hours":
        late = f"{'no' if misses == 0 else f'at most {misses:.0f}'} late {noun(line.criterion.metric, max(misses, 1))}"
        return f"{late} in the next {m:.0f}"
    return f"at least {limit:.0f} of the next {_next(line, m)}" + (" within the limit" if timed else "")


def quantile(line: Line, limit: float, m: float) -> str:
    """`limit`: how many must stay within the target at least, or may be below it at most."""
    target = amount(line.goal.target, line.goal.unit)
    if line.goal.at_least:
        return f"at most {min(limit, m):.0f} of the next {_next(line, m)} under {target}"
    if limit <= 0:
        return f"{_target(line)} stays reached whatever the next {_next(line, m)} bring"
    return f"at least {limit:.0f} of the next {_next(line, m)} within {target}"


def mean(line: Line, value: float) -> str:
    """`value`: what the coming samples must have on average."""
    side = "least" if line.goal.at_least else "most"
    return f"on average at {side} {amount(value, line.goal.unit)} from here on"


def count(line: Line, more: float) -> str:
    """`more`: how many must still come, or may."""
    if line.goal.at_least:
        return f"{amount(more, line.goal.unit)} more" if more > 0 else f"nothing more: {_target(line)} is reached"
    return f"at most {amount(max(more, 0.0), line.goal.unit)} more"


def rate(line: Line, more: float, exposure: float) -> str:
    """`more`: how many events the coming exposure must bring, or may."""
    per = f"the next {_short(exposure)} {line.per.replace('_', ' ') if line.per else 'working days'}"
    if line.goal.at_least and getattr(line.goal.form, "increase", True):
        return f"at least {_short(max(math.ceil(more - 1e-9), 0))} {noun(line.criterion.metric, more)} in {per}"
    most = max(math.floor(more + 1e-9), 0)
    return f"{'no' if most == 0 else f'at most {most}'} {noun(line.criterion.metric, max(most, 1))} in {per}"


def _next(line: Line, m: float) -> str:
    return f"{m:.0f} {noun(line.criterion.metric, m)}"


def _target(line: Line) -> str:
    return amount(line.goal.target, line.goal.unit)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if abs(value) < 1000 else f"{value:.0f}"
