"""The life of a change, as several metrics see it: who wrote it, drafts, the close that stands, the merge, its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipmetrics.metrics._frames import detail, first_per, left_out, matches, of_kind, whole_microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipmetrics.model import Source
    from pipmetrics.plugin import Facts

LIFE = frozenset(
    {"change_opened", "change_ready", "change_drafted", "change_closed", "change_reopened", "change_merged"}
)
"""The kinds of signals that this module reads."""


def changes(signals: pd.DataFrame) -> pd.DataFrame:
    """One row a change, from its `change_opened`: subject, author, author_person, author_mark, opened, opened_key."""
    opened = of_kind(signals, "change_opened").drop_duplicates("subject")
    return opened[["subject", "actor", "person", "mark", "at", "key"]].set_axis(
        ["subject", "author", "author_person", "author_mark", "opened", "opened_key"], axis=1
    )


def merges(signals: pd.DataFrame) -> pd.DataFrame:
    """The merges into a default branch: no other merge gives a row in any metric."""
    merged = of_kind(signals, "change_merged").drop_duplicates("subject")
    return merged[detail(merged, "default_branch").eq(True)].reset_index(drop=True)


def others_work(rows: pd.DataFrame, include: frozenset[str]) -> pd.Series[Any]:
    """Why a person's act on a change is left out: for their own account's mark, or for whose change it is."""
    own, bot = rows["author_person"].eq(rows["person"]), rows["author_mark"].eq("bot")
    return left_out(include, rows["mark"], own, bot)


def deployments(signals: pd.DataFrame) -> pd.DataFrame:
    """The first production deployment of each change merged into a default branch, with the merge's `merged_key`."""
    merged = merges(signals)[["subject", "key"]].rename(columns={"key": "merged_key"})
    return first_per(of_kind(signals, "change_deployed"), "subject").merge(merged, on="subject")


def effective_state(reviews: pd.DataFrame) -> pd.Series[Any]:
    """What each review said when it was submitted: a later dismissal does not unsay it."""
    state, before = detail(reviews, "state"), detail(reviews, "previous")
    return state.mask(state.eq("dismissed") & before.notna(), before)


def closings(signals: pd.DataFrame) -> pd.DataFrame:
    """How each finished change ended: subject, closed, closed_key. A close undone by reopening never happened."""
    merged = of_kind(signals, "change_merged").drop_duplicates("subject")[["subject", "at", "key"]]
    closed, reopened = (_last(signals, kind) for kind in ("change_closed", "change_reopened"))
    both = closed.merge(reopened, on="subject", how="left", suffixes=("", "_again"))
    together = both["at_again"].eq(both["at"]) & both["times_again"].ge(both["times"])
    standing = both[~(both["at_again"].gt(both["at"]) | together)]
    ended = pd.concat([merged, standing[["subject", "at", "key"]]]).drop_duplicates("subject")
    return ended.rename(columns={"at": "closed", "key": "closed_key"})


def _last(signals: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The last signal of the kind on each subject, and how many there were: subject, at, key, times."""
    found = of_kind(signals, kind)
    found = found.assign(times=found.groupby("subject").cumcount() + 1)
    return found.drop_duplicates("subject", keep="last")[["subject", "at", "key", "times"]]


def drafts(signals: pd.DataFrame) -> pd.DataFrame:
    """When changes were drafts: subject, drafted, drafted_key, ready, ready_key (missing while it is one still).

    What turns a change into a draft and back within one instant leaves it as it was.
    """
    opened = of_kind(signals, "change_opened").drop_duplicates("subject")
    opened = opened.assign(draft=detail(opened, "draft").eq(True))[["subject", "at", "key", "draft"]]
    turned = of_kind(signals, "change_ready", "change_drafted")
    turned = turned.assign(sign=np.where(turned["kind"].eq("change_drafted"), 1, -1))[["subject", "at", "key", "sign"]]
    ever = pd.concat([opened.loc[opened["draft"], "subject"], turned.loc[turned["sign"].eq(1), "subject"]])
    opened, turned = opened[opened["subject"].isin(ever)], turned[turned["subject"].isin(ever)]
    # A change that was not opened as a draft is ready at its opening: that signal turns nothing.
    first = turned.merge(opened, on=["subject", "at"], how="left", suffixes=("", "_opened"))["draft"].eq(False)
    turned = turned[~(first.to_numpy() & turned["sign"].eq(-1).to_numpy())]
    turned = turned.groupby(["subject", "at"], as_index=False).agg({"sign": "sum", "key": "first"})
    began = opened.assign(sign=np.where(opened["draft"], 1, -1)).drop(columns="draft")
    return _spans(pd.concat([began, turned[turned["sign"].ne(0)]]).sort_values(["subject", "at"], kind="stable"))


def _spans(turns: pd.DataFrame) -> pd.DataFrame:
    """Draft spans from turns (sign above 0: into a draft) that stand by subject and time."""
    draft = turns["sign"].gt(0)
    before = draft.groupby(turns["subject"]).shift(fill_value=False)
    turns = turns[draft.ne(before)]
    following = turns.groupby("subject")[["at", "key"]].shift(-1)
    spans = turns.assign(ready=following["at"], ready_key=following["key"])[turns["sign"].gt(0)]
    spans = spans.rename(columns={"at": "drafted", "key": "drafted_key"}).reset_index(drop=True)
    return spans[["subject", "drafted", "drafted_key", "ready", "ready_key"]]


@dataclass(frozen=True, slots=True, eq=False)
class Active:
    """The part of spans in which the change was no draft; `turns` (row, key) are the signals that bound the drafts."""

    start: pd.Series[Any]
    hours: pd.Series[Any]
    turns: pd.DataFrame


def active(facts: Facts, spans: pd.DataFrame) -> Active:
    """Hours of each [since, until) in which the change was not a draft, and the first such instant.

    `spans` has subject, person, since, until and rows numbered from 0. Without such an instant `start` is `since`.
    """
    since, until = spans["since"], spans["until"]
    pairs = spans.assign(row=spans.index)[["row", "subject", "person", "since", "until"]]
    pairs = pairs.merge(drafts(facts.signals), on="subject")
    ends = pairs["ready"].fillna(pairs["until"])
    pairs = pairs[pairs["drafted"].lt(pairs["until"]) & ends.gt(pairs["since"])]
    low = pairs["since"].where(pairs["since"].gt(pairs["drafted"]), pairs["drafted"])
    high = pairs["ready"].where(pairs["ready"].lt(pairs["until"]), pairs["until"])
    drafted = facts.hours(pairs["person"], low, high, facts.clock).groupby(pairs["row"]).sum()
    total = facts.hours(spans["person"], since, until, facts.clock)
    hours = whole_microseconds(total - drafted.reindex(spans.index, fill_value=0.0)).clip(lower=0.0)
    late = pairs[pairs["drafted"].le(pairs["since"]) & pairs["ready"].lt(pairs["until"])].set_index("row")
    turns = pd.concat(
        [
            pairs[["row", "drafted_key"]].set_axis(["row", "key"], axis=1),
            pairs.loc[pairs["ready"].lt(pairs["until"]), ["row", "ready_key"]].set_axis(["row", "key"], axis=1),
        ]
    )
    return Active(late["ready"].reindex(spans.index).fillna(since), hours, turns)


def lines_changed(merged: pd.DataFrame, sources: Mapping[str, Source]) -> pd.Series[Any]:
    """Lines that each `change_merged` added and deleted, generated files left out; all when not all files are known."""
    lines = merged["value"]
    for name, source in sources.items():
        if source.generated:
            generated = _generated(merged[merged["source"].eq(name)], source.generated)
            lines = lines - generated.reindex(lines.index, fill_value=0.0)
    return lines.clip(lower=0.0)


def _generated(merged: pd.DataFrame, patterns: Sequence[str]) -> pd.Series[Any]:
    """Lines of each change in files that match one of the patterns; no row where the list of files is cut."""
    files = detail(merged, "files")[detail(merged, "files_complete").eq(True)].explode().dropna()
    parts = pd.DataFrame(files.tolist(), index=files.index, columns=["path", "added", "deleted"])
    parts = parts[matches(parts["path"], patterns)].fillna(0)
    return (parts["added"] + parts["deleted"]).astype("float64").groupby(level=0).sum()
