"""Whether the person's changes bring their documentation with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from pipmetrics.plugin import MEASUREMENT_COLUMNS, REASONS, Facts, Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENTATION = re.compile(r"(^|/)docs?/|\.(md|rst|adoc)$", re.IGNORECASE)


def touches_docs(files: Sequence[Sequence[object]] | None) -> bool:
    """Whether one of the files ([path, added, deleted]) is documentation."""
    return any(DOCUMENTATION.search(str(path)) for path, *_ in files or ())


def measure(facts: Facts) -> pd.DataFrame:
    """One row a change of the person that was merged into a default branch: 1 when it touches documentation, else 0.

    A change whose list of files the service has cut has no row: what it touched is not known.
    """
    signals = facts.signals
    detail = signals["detail"]
    known = detail.map(lambda found: bool(found.get("default_branch") and found.get("files_complete"))).astype(bool)
    merged = signals[signals["kind"].eq("change_merged") & signals["person"].notna() & known]
    reason = merged["mark"].where(merged["mark"].isin(["bot", "ghost"]), "")
    rows = merged.assign(
        metric="docs_with_change",
        start=merged["at"],
        end=merged["at"],
        value=merged["detail"].map(lambda found: float(touches_docs(found.get("files")))).astype("float64"),
        unit="share",
        reason=reason,
        state=reason.map(REASONS),
        evidence=pd.Series([(key,) for key in merged["key"]], index=merged.index, dtype=object),
    )
    return rows[list(MEASUREMENT_COLUMNS)].reset_index(drop=True)


METRIC = Metric(
    name="docs_with_change",
    unit="share",
    title="Changes with documentation",
    definition="1 for a change of the person, merged into the default branch, that touches a file under docs/ or doc/ "
    "or one that ends in .md, .rst or .adoc; 0 for one that does not.",
    kinds=frozenset({"change_merged"}),
    measure=measure,
    better="higher",
)
