"""What no tool measures, as named people have attested it."""

from __future__ import annotations

import pandas as pd

from pipmetrics.metrics._frames import INSTANT, measurements
from pipmetrics.plugin import Facts, Metric


def measure(facts: Facts) -> pd.DataFrame:
    """One row an attestation: the value given, when it was given, for the person whose plan it is.

    The source is the ledger; `plan`, `criterion` and `role` are columns too. Attestations of plans whose person is not
    known give no row.
    """
    made = [
        (act.person, act.plan, act.criterion, act.role, act.by, act.at.isoformat(), act.at, float(act.value))
        for act in facts.attestations
        if act.at < facts.as_of and act.person and not act.bug
    ]
    rows = pd.DataFrame(made, columns=["person", "plan", "criterion", "role", "by", "told", "start", "value"])
    texts = ["person", "plan", "criterion", "role", "by", "told"]
    rows = rows.astype(dict.fromkeys(texts, "str") | {"start": INSTANT, "value": "float64"})
    key = "attestation:" + rows["plan"] + ":" + rows["criterion"] + ":" + rows["told"] + ":" + rows["by"]
    rows = rows.assign(
        source="ledger",
        subject="ledger:" + rows["plan"] + "/" + rows["criterion"],
        key=key,
        end=rows["start"],
        url="",
        evidence=pd.Series([(each,) for each in key], index=rows.index, dtype=object),
    )
    known = [person.id for person in facts.people]
    return measurements("attested", "attested", rows[rows["person"].isin(known)], "plan", "criterion", "role")


METRIC = Metric(
    name="attested",
    unit="attested",
    title="Attestations",
    definition="Values that named people attested for a criterion of the person's plan, recorded in the ledger with "
    "who, when and why.",
    kinds=frozenset(),
    measure=measure,
    needs="",
    better="higher",
)
