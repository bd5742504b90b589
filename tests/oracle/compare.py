"""The same questions to the oracle and to `measure`, and where the answers differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import pandas as pd

from pipmetrics.measure import measure_all
from pipmetrics.model import MeasureRequest, Signal
from pipmetrics.plugin import SIGNAL_COLUMNS
from tests.oracle import changes, tickets
from tests.oracle.world import Asked, Facts, Row, World
from tests.oracle.worlds import Batch

METRICS: dict[str, Callable[[Facts], Iterator[Row]]] = {
    **{
        name: getattr(changes, name)
        for name in ("review_turnaround", "reviews_given", "review_depth", "feedback_response", "time_to_merge",
                     "lead_time", "changes_merged", "changes_deployed", "change_size", "unreviewed_merges",
                     "ci_first_pass")
    },
    **{
        name: getattr(tickets, name)
        for name in ("post_deploy_bugs", "change_failure", "bug_reopened", "bug_fix_time", "issue_cycle_time",
                     "delivered_on_time", "sprint_commitment")
    },
}  # fmt: skip

Told = tuple[str, str, str, datetime, datetime | None, float | None, str, str]


def oracle(batch: Batch) -> dict[tuple[str, Asked], list[Told]]:
    """What the oracle gives, world by world."""
    found: dict[tuple[str, Asked], list[Told]] = {}
    for asked in batch.asked:
        for facts in [Facts(world, asked) for world in batch.worlds]:
            for name, metric in METRICS.items():
                found.setdefault((name, asked), []).extend(map(_told, metric(facts)))
    return {key: sorted(rows, key=str) for key, rows in found.items()}


def product(batch: Batch) -> dict[tuple[str, Asked], list[Told]]:
    """What `measure` gives for each metric and question, over all worlds of a batch at once."""
    world = batch.together()
    requests = {
        (name, asked): MeasureRequest(name, asked.as_of, asked.clock, asked.attribution, asked.follow_up, asked.include)
        for name in METRICS
        for asked in batch.asked
    }
    found = measure_all(requests.values(), frame(world.signals), accounts(world), world.people, world.sources)
    return {key: sorted(map(_row, found[request].to_dict("records")), key=str) for key, request in requests.items()}


def _told(row: Row) -> Told:
    return row.person, row.source, row.subject, row.start, row.end, _number(row.value), row.state, row.reason


def _row(each: dict[str, object]) -> Told:
    start, end = pd.Timestamp(each["start"]), pd.Timestamp(each["end"])  # type: ignore[arg-type]
    value = float(each["value"])  # type: ignore[arg-type]
    texts = [str(each[column]) for column in ("person", "source", "subject")]
    until = None if pd.isna(end) else end.to_pydatetime()
    return (*texts, start.to_pydatetime(), until, _number(value), str(each["state"]), str(each["reason"]))  # type: ignore[return-value]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 9)


def frame(signals: Sequence[Signal]) -> pd.DataFrame:
    """Signals as a store gives them."""
    rows = [
        [s.source, s.kind, s.subject, s.key, s.at, s.actor, s.mark, s.value, s.url, dict(s.detail)] for s in signals
    ]
    texts = dict.fromkeys(("source", "kind", "subject", "key", "actor", "mark", "url"), "str")
    return pd.DataFrame(rows, columns=list(SIGNAL_COLUMNS)).astype(
        texts | {"at": "datetime64[us, UTC]", "value": "float64", "detail": "object"}
    )


def accounts(world: World) -> pd.DataFrame:
    rows = [(a.source, a.id, a.login, a.email, a.mark, a.first_seen, a.last_seen) for a in world.accounts]
    columns = ["source", "id", "login", "email", "mark", "first_seen", "last_seen"]
    return pd.DataFrame(rows, columns=columns)
