"""Deployed changes that were reverted or caused a bug soon after."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipmetrics.metrics._changes import deployments
from pipmetrics.metrics._frames import evidence, mark_reason, measurements, of_kind
from pipmetrics.metrics.attribution import KINDS, attribute
from pipmetrics.plugin import Facts, Metric


def measure(facts: Facts) -> pd.DataFrame:
    """One row a change of the person that was merged into the default branch and deployed, at its first deployment.

    The value is 1 when it was reverted, or a bug attributed to it was created, after that and within the follow-up,
    else 0; pending (follow_up) until the follow-up has ended, a known failure included. Bugs whose resolution in force
    says that there was nothing to mend do not count. `end` is the end of the follow-up.
    """
    deployed = deployments(facts.signals)
    until = deployed["at"] + pd.Timedelta(days=facts.follow_up_days)
    is_open = until >= pd.Timestamp(facts.as_of)
    failures = _failures(facts, deployed, until)
    reason = mark_reason(deployed["mark"])
    rows = deployed.assign(
        start=deployed["at"],
        end=until.mask(is_open),
        value=np.isin(deployed.index, failures["row"]).astype("float64"),
        reason=reason.mask(reason.eq("") & is_open, "follow_up"),
        evidence=evidence(
            len(deployed),
            (deployed.index, deployed["key"]),
            (failures["row"], failures["key"]),
            (deployed.index, deployed["merged_key"]),
        ),
    )
    return measurements("change_failure", "share", rows)


def _failures(facts: Facts, deployed: pd.DataFrame, until: pd.Series[pd.Timestamp]) -> pd.DataFrame:
    """row, key: the signals that tell of each deployed change's failures in its follow-up, in time order."""
    reverted = of_kind(facts.signals, "change_reverted")
    reverts = pd.DataFrame({"subject": reverted["subject"], "at": reverted["at"], "key": reverted["key"]})
    attribution = attribute(facts)
    pairs = attribution.pairs
    pairs = pairs[pairs["in_production"] & pairs["reason"].eq("") & pairs["rung"].eq("link")]
    told = pairs[["bug", "change", "created", "bug_key"]].merge(attribution.texts, on=["bug", "change"])
    bugs = [
        pd.DataFrame({"subject": told["change"], "at": told["created"], "key": told[key]}) for key in ("bug_key", "key")
    ]
    told_of = pd.concat([reverts, *bugs], ignore_index=True).drop_duplicates()
    spans = pd.DataFrame({"subject": deployed["subject"], "row": deployed.index, "from": deployed["at"], "to": until})
    both = told_of.merge(spans, on="subject").sort_values("at", kind="stable")
    return both[(both["from"] < both["at"]) & (both["at"] <= both["to"])]


METRIC = Metric(
    name="change_failure",
    unit="share",
    title="Changes that failed in production",
    definition="Whether a deployed change of the person was reverted, or a bug was attributed to it, within the "
    "follow-up (30 days) after its first production deployment; pending until that has ended.",
    kinds=KINDS,
    measure=measure,
    better="lower",
)
