"""The life of issues: when they were resolved and how, and whose they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from pipmetrics.metrics._frames import INSTANT, detail, instants, of_kind, person_of

if TYPE_CHECKING:
    from datetime import datetime

    from pipmetrics.plugin import Facts

NO_WORK = ("duplicate", "invalid", "cannot_reproduce", "wont_do")
"""Resolutions that say there was nothing to do: a bug that has one of them in force counts for nobody."""


def resolutions(signals: pd.DataFrame) -> pd.DataFrame:
    """One row each time an issue became done: the `issue_done` signal's columns, `reopened` and `reopened_key` (missing
    while it is in force), ordered by (subject, at). A move from done to done is no new resolution.
    """
    closings = of_kind(signals, "issue_done", "issue_reopened")
    turns = _turns(closings.assign(on=closings["kind"].eq("issue_done")), ["subject"])
    following = turns.groupby("subject")[["at", "key"]].shift(-1)
    turns = turns.assign(reopened=following["at"].astype(INSTANT), reopened_key=following["key"])
    return turns[turns["on"]].reset_index(drop=True)


def in_force(signals: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The resolution in force at `as_of`, one row an issue that has one: subject, resolved, resolved_key and reason,
    which is one of NO_WORK or "".
    """
    done = resolutions(signals)
    done = done[done["reopened"].isna()].reset_index(drop=True)
    named = {"subject": done["subject"], "resolved": done["at"], "resolved_key": done["key"]}
    return pd.DataFrame({**named, "reason": _codes(done, as_of)})


def _codes(done: pd.DataFrame, as_of: datetime) -> pd.Series[Any]:
    """What each resolution says at `as_of`: the last code given before it."""
    said = [(n, at, code) for n, codes in enumerate(detail(done, "resolutions")) for at, code, *_ in codes or ()]
    codes = pd.DataFrame(said, columns=["row", "at", "code"])
    codes = codes[instants(codes["at"]) < pd.Timestamp(as_of)]
    # Lists are written in the order in which things happened.
    last = codes.drop_duplicates("row", keep="last").set_index("row")["code"].astype("str")
    return last.where(last.isin(NO_WORK), "").reindex(done.index, fill_value="")


def assignments(facts: Facts) -> pd.DataFrame:
    """One row each time an issue became somebody's: the `issue_assigned` signal's columns, `taken`, `taken_key` (when
    it was taken away again; missing while it is theirs) and `cleared` (it was, and given to nobody). People of
    people.yaml only.
    """
    given = of_kind(facts.signals, "issue_assigned")
    former = person_of(facts, given["source"], detail(given, "from"))
    both = pd.concat([given.assign(on=True), given.assign(person=former, on=False)], ignore_index=True)
    moved = both["person"].notna() & pd.concat([given["person"].ne(former)] * 2, ignore_index=True)
    turns = _turns(both[moved], ["subject", "person"])
    following = turns.groupby(["subject", "person"])[["at", "key", "actor"]].shift(-1)
    taken = following["at"].astype(INSTANT)
    cleared = taken.notna() & following["actor"].isna()
    turns = turns.assign(taken=taken, taken_key=following["key"], cleared=cleared)
    return turns[turns["on"]].reset_index(drop=True)


def _turns(events: pd.DataFrame, whose: list[str]) -> pd.DataFrame:
    """The events that turn a state on or off, in order: those that find it as they would leave it are dropped.

    Of two in one instant the one that changes something comes first: closed and reopened, but reopened and closed of
    what was closed before.
    """
    ordered = events.sort_values([*whose, "at", "key"], kind="stable")
    last = ordered.drop_duplicates([*whose, "at"], keep="last")
    before = last[[*whose, "at"]].assign(before=last.groupby(whose)["on"].shift(fill_value=False))
    ordered = ordered.merge(before, on=[*whose, "at"], how="left")
    ordered = ordered.assign(changes_nothing=ordered["on"].eq(ordered["before"]))
    ordered = ordered.sort_values([*whose, "at", "changes_nothing", "key"], kind="stable")
    turns = ordered["on"].ne(ordered.groupby(whose)["on"].shift(fill_value=False))
    return ordered[turns].drop(columns=["before", "changes_nothing"]).reset_index(drop=True)


def holding(moments: pd.DataFrame, spans: pd.DataFrame, until: str, *, inclusive: bool) -> pd.DataFrame:
    """Each of the `moments` (subject, moment, ...) with each of the spans of its subject ([at, `until`), a missing end
    being open) that hold then. `inclusive`: what happened at the very moment has happened. Columns that both have get
    the suffix `_span` for those of the span.
    """
    both = moments.merge(spans.assign(began=spans["at"], over=spans[until]), on="subject", suffixes=("", "_span"))
    moment, began, over = both["moment"], both["began"], both["over"]
    holds = (began <= moment) & ~(over <= moment) if inclusive else (began < moment) & ~(over < moment)
    return both[holds].reset_index(drop=True)


def assignees(facts: Facts, moments: pd.DataFrame) -> pd.DataFrame:
    """Each of the `moments` with the assignments of its issue that held then, as `holding`.

    Whom the very moment took the issue from, giving it to nobody, has it still: closing an issue often clears it.
    """
    spans = assignments(facts)
    spans = spans.assign(taken=spans["taken"].mask(spans["cleared"], spans["taken"] + pd.Timedelta(microseconds=1)))
    return holding(moments, spans, "taken", inclusive=True)
