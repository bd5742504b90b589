"""The built-in metrics: one module each, signals frame -> measurements frame, one vectorised function.

They come in through the same entry points as anybody else's; nothing here is imported by name from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipmetrics import registry

if TYPE_CHECKING:
    from pipmetrics.plugin import Metric

ORDER = (
    "review_turnaround", "reviews_given", "review_depth", "feedback_response", "time_to_merge", "lead_time",
    "changes_merged", "changes_deployed", "change_size", "unreviewed_merges", "ci_first_pass", "post_deploy_bugs",
    "change_failure", "bug_reopened", "bug_fix_time", "issue_cycle_time", "delivered_on_time", "sprint_commitment",
    "attested",
)  # fmt: skip
"""The built-in metrics as people are used to reading them."""


def definitions() -> list[Metric]:
    """Every installed metric: the built-in ones in ORDER, then those of other packages by name."""
    installed = registry.names("metrics")
    built_in = [name for name in ORDER if name in installed]
    return [registry.metric(name) for name in built_in + [name for name in installed if name not in ORDER]]
