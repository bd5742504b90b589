"""Review requests: when their clock starts, stops, and which of them are nobody's, withdrawn or never measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics.model import Signal

from .builders import (
    commented,
    instant,
    measured,
    merged,
    opened,
    removed,
    requested,
    reviewed,
    rows,
    signal,
    turned,
)

ONE = "hub:acme/api#1"


def elapsed(*signals: Signal, **more: Any) -> pd.DataFrame:
    return measured("review_turnaround", signals, **{"clock": "elapsed", **more})


def told(*signals: Signal, **more: Any) -> list[tuple[Any, ...]]:
    """(person, value, state, reason) of each row."""
    return rows(elapsed(opened(ONE, "bob", "2026-03-02 08:00"), *signals, **more), "person", "value", "state", "reason")


def test_a_request_is_answered_by_the_first_review_or_comment_after_it() -> None:
    ask = requested(ONE, "ada", "2026-03-02 09:00")
    assert told(ask, reviewed(ONE, "ada", "2026-03-02 11:30")) == [("ada", 2.5, "counted", "")]
    assert told(ask, commented(ONE, "ada", "2026-03-02 10:00"), reviewed(ONE, "ada", "2026-03-02 11:30"))[0][1] == 1.0
    assert told(ask, commented(ONE, "ada", "2026-03-02 10:15", inline=True))[0][1] == 1.25
    assert told(ask, reviewed(ONE, "ada", "2026-03-02 10:00", "dismissed"))[0][1] == 1.0


def test_what_others_answer_or_the_person_said_before_is_no_answer() -> None:
    assert told(
        commented(ONE, "ada", "2026-03-02 08:30"),
        requested(ONE, "ada", "2026-03-02 09:00"),
        reviewed(ONE, "cyd", "2026-03-02 10:00"),
        commented(ONE, "bob", "2026-03-02 10:00"),
        as_of="2026-03-02 12:00",
    ) == [("ada", 3.0, "pending", "unanswered")]


def test_the_default_clock_is_working_days() -> None:
    weekend = [opened(ONE, "bob", "2026-11-20 16:00"), requested(ONE, "ada", "2026-11-20 17:00"),
               reviewed(ONE, "ada", "2026-11-23 10:00")]  # fmt: skip
    assert rows(measured("review_turnaround", weekend), "value") == [17.0]
    assert rows(measured("review_turnaround", weekend, clock="working"), "value") == [1.0]


def test_an_open_request_is_pending_with_the_hours_so_far_and_no_end() -> None:
    found = elapsed(
        opened(ONE, "bob", "2026-03-02 08:00"), requested(ONE, "ada", "2026-03-02 09:00"), as_of="2026-03-03 09:00"
    )
    assert rows(found, "value", "state", "reason", "end") == [(24.0, "pending", "unanswered", None)]
    assert rows(found, "start", "evidence") == [(instant("2026-03-02 09:00"), ("s2",))]


def test_a_re_request_before_an_answer_changes_nothing_and_after_one_starts_anew() -> None:
    assert told(
        requested(ONE, "ada", "2026-03-02 09:00"),
        requested(ONE, "ada", "2026-03-02 10:00"),
        reviewed(ONE, "ada", "2026-03-02 12:00"),
        requested(ONE, "ada", "2026-03-02 13:00"),
        commented(ONE, "ada", "2026-03-02 13:30"),
    ) == [("ada", 3.0, "counted", ""), ("ada", 0.5, "counted", "")]


def test_a_removed_request_is_withdrawn_and_the_next_one_starts_anew() -> None:
    assert told(
        requested(ONE, "ada", "2026-03-02 09:00"),
        removed(ONE, "ada", "2026-03-02 11:00"),
        reviewed(ONE, "ada", "2026-03-02 11:30"),
        requested(ONE, "ada", "2026-03-02 12:00"),
        reviewed(ONE, "ada", "2026-03-02 13:00"),
    ) == [("ada", 2.0, "excluded", "withdrawn"), ("ada", 1.0, "counted", "")]


@pytest.mark.parametrize("end", [merged, lambda *args: turned("closed", *args)])
def test_a_merge_or_close_ends_a_request_and_a_later_answer_does_not_count(end: Any) -> None:
    found = elapsed(
        opened(ONE, "bob", "2026-03-02 08:00"),
        requested(ONE, "ada", "2026-03-02 09:00"),
        end(ONE, "bob", "2026-03-02 13:00"),
        reviewed(ONE, "ada", "2026-03-02 14:00"),
        requested(ONE, "cyd", "2026-03-02 15:00"),
        reviewed(ONE, "cyd", "2026-03-02 16:00"),
    )
    assert rows(found, "person", "value", "reason", "end") == [("ada", 4.0, "withdrawn", instant("2026-03-02 13:00"))]
    assert rows(found, "evidence") == [("s2", "s3")]


def test_a_close_that_was_undone_never_happened() -> None:
    signals = [
        requested(ONE, "ada", "2026-03-02 09:00"),
        turned("closed", ONE, "bob", "2026-03-02 10:00"),
        requested(ONE, "cyd", "2026-03-02 10:30"),
        turned("reopened", ONE, "bob", "2026-03-02 11:00"),
        reviewed(ONE, "ada", "2026-03-02 12:00"),
        reviewed(ONE, "cyd", "2026-03-02 12:00"),
    ]
    assert told(*signals) == [("ada", 3.0, "counted", ""), ("cyd", 1.5, "counted", "")]
    again = [*signals, turned("closed", ONE, "bob", "2026-03-02 13:00")]
    assert told(*again) == [("ada", 3.0, "counted", ""), ("cyd", 1.5, "counted", "")]
    assert told(*signals, as_of="2026-03-02 10:45") == [("ada", 1.0, "excluded", "withdrawn")]


def test_only_the_time_without_draft_counts_and_the_start_is_its_beginning() -> None:
    found = elapsed(
        opened(ONE, "bob", "2026-03-02 08:00", draft=True),
        requested(ONE, "ada", "2026-03-02 09:00"),
        turned("ready", ONE, "bob", "2026-03-02 10:00"),
        turned("drafted", ONE, "bob", "2026-03-02 12:00"),
        turned("ready", ONE, "bob", "2026-03-02 15:00"),
        reviewed(ONE, "ada", "2026-03-02 16:00"),
    )
    assert rows(found, "start", "end", "value") == [(instant("2026-03-02 10:00"), instant("2026-03-02 16:00"), 3.0)]
    assert found["evidence"][0][0] == "s2"
    assert set(found["evidence"][0]) == {"s1", "s2", "s3", "s4", "s5", "s6"}


def test_an_answer_to_a_draft_took_no_time_and_starts_at_the_request() -> None:
    draft = opened(ONE, "bob", "2026-03-02 08:00", draft=True)
    ask, answer = requested(ONE, "ada", "2026-03-02 09:00"), reviewed(ONE, "ada", "2026-03-02 10:00")
    ready = turned("ready", ONE, "bob", "2026-03-02 11:00")
    assert rows(elapsed(draft, ask, answer, ready), "start", "value") == [(instant("2026-03-02 09:00"), 0.0)]
    assert rows(elapsed(draft, ask, as_of="2026-03-02 20:00"), "start", "value") == [(instant("2026-03-02 09:00"), 0.0)]


def test_a_change_opened_ready_and_drafted_in_the_same_second_is_a_draft() -> None:
    found = elapsed(
        opened(ONE, "bob", "2026-03-02 08:00"),
        turned("ready", ONE, "bob", "2026-03-02 08:00"),
        turned("drafted", ONE, "bob", "2026-03-02 08:00"),
        requested(ONE, "ada", "2026-03-02 09:00"),
        turned("ready", ONE, "bob", "2026-03-02 10:00"),
        reviewed(ONE, "ada", "2026-03-02 10:30"),
    )
    assert rows(found, "value") == [0.5]


def test_a_team_request_is_nobodys_and_one_by_name_through_a_team_is_the_members() -> None:
    assert told(requested(ONE, None, "2026-03-02 09:00", team="core"), reviewed(ONE, "ada", "2026-03-02 10:00")) == []
    by_name = requested(ONE, "ada", "2026-03-02 09:00", team="core")
    assert told(by_name, reviewed(ONE, "ada", "2026-03-02 10:00")) == [("ada", 1.0, "counted", "")]


def test_own_and_bots_changes_are_left_out_unless_included() -> None:
    own = [opened(ONE, "ada", "2026-03-02 08:00"), requested(ONE, "ada", "2026-03-02 09:00")]
    bot = [opened(ONE, "rob", "2026-03-02 08:00", mark="bot"), requested(ONE, "ada", "2026-03-02 09:00")]
    for reason, signals in (("own", own), ("bot", bot)):
        answered = [*signals, commented(ONE, "ada", "2026-03-02 10:00")]
        assert rows(elapsed(*answered), "state", "reason", "value") == [("excluded", reason, 1.0)]
        assert rows(elapsed(*signals), "reason", "end") == [(reason, None)]
        assert rows(elapsed(*answered, include=[reason]), "state", "reason") == [("counted", "")]


def test_a_deleted_account_is_left_out_as_reviewer_and_counts_as_author() -> None:
    ghost = [opened(ONE, None, "2026-03-02 08:00", mark="ghost"), requested(ONE, "ada", "2026-03-02 09:00"),
             reviewed(ONE, "ada", "2026-03-02 10:00")]  # fmt: skip
    assert rows(elapsed(*ghost), "state") == ["counted"]
    assert told(requested(ONE, "ada", "2026-03-02 09:00", mark="ghost"))[0][2:] == ("excluded", "ghost")
    assert told(requested(ONE, None, "2026-03-02 09:00", mark="ghost")) == []


@pytest.mark.parametrize("second", ["2026-03-02 09:00:00.200", "2026-03-02 09:00:00", "2026-03-02 09:00:00.900"])
def test_within_one_second_the_order_is_answer_request_removal_close(second: str) -> None:
    ask = requested(ONE, "ada", "2026-03-02 09:00:00.500")
    assert told(ask, reviewed(ONE, "ada", second), as_of="2026-03-02 10:00:00.500") == [
        ("ada", 1.0, "pending", "unanswered")
    ]
    assert told(ask, removed(ONE, "ada", second))[0][2:] == ("excluded", "withdrawn")
    assert told(ask, turned("closed", ONE, "bob", second))[0][2:] == ("excluded", "withdrawn")
    earlier = requested(ONE, "ada", "2026-03-02 08:30:00.500")
    assert (
        told(earlier, reviewed(ONE, "ada", "2026-03-02 09:00:00.500"), removed(ONE, "ada", second))[0][2] == "counted"
    )
    assert told(earlier, reviewed(ONE, "ada", "2026-03-02 09:00:00.500"), merged(ONE, "bob", second))[0][2] == "counted"


def test_what_happens_at_as_of_is_not_known_yet() -> None:
    answered = [requested(ONE, "ada", "2026-03-02 09:00"), reviewed(ONE, "ada", "2026-03-02 10:00")]
    assert told(*answered, as_of="2026-03-02 10:00") == [("ada", 1.0, "pending", "unanswered")]
    assert told(*answered, as_of="2026-03-02 09:00") == []


def test_each_change_and_each_reviewer_is_measured_apart() -> None:
    two = "lab:core/app!2"
    found = elapsed(
        opened(ONE, "bob", "2026-03-02 08:00"), opened(two, "bob", "2026-03-02 08:00"),
        requested(ONE, "ada", "2026-03-02 09:00"), requested(ONE, "cyd", "2026-03-02 09:00"),
        requested(two, "ada", "2026-03-02 09:00"), reviewed(two, "ada", "2026-03-02 10:00"),
        reviewed(ONE, "cyd", "2026-03-02 11:00"), reviewed(ONE, "ada", "2026-03-02 12:00"),
    )  # fmt: skip
    assert rows(found, "person", "source", "value") == [("ada", "hub", 3.0), ("ada", "lab", 1.0), ("cyd", "hub", 2.0)]


def test_nothing_known_gives_no_rows() -> None:
    assert rows(elapsed(), "key") == []


# --- against a plain walk through the events ----------------------------------------------------------------------

MINUTES = st.integers(0, 40)
ACTS = st.sampled_from(
    ["review_requested", "review_request_removed", "reviewed", "commented", "change_ready", "change_drafted",
     "change_closed", "change_reopened", "change_merged"]
)  # fmt: skip


@dataclass
class Row:
    start: int
    end: int | None
    value: float
    reason: str


def minute(n: int) -> str:
    return (instant("2026-03-02 08:00") + timedelta(minutes=n)).isoformat(sep=" ")[:19]


Life = tuple[bool, list[tuple[str, int, str]]]


def moment(n: int | None) -> datetime | None:
    return None if n is None else instant(minute(n))


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Whether a change was opened as a draft, and what happened: (kind, minute, reviewer), no two turns at once."""
    events = draw(st.lists(st.tuples(ACTS, MINUTES, st.sampled_from(["ada", "cyd"])), max_size=14))
    kept, taken = [], set()
    for kind, at, who in events:
        group = "turn" if kind in ("change_ready", "change_drafted") else "end" if kind.startswith("change_") else None
        if group and ((group, at) in taken or at == 0 or (kind == "change_merged" and (kind, None) in taken)):
            continue
        taken |= {(group, at), (kind, None)}
        kept.append((kind, at, who))
    return draw(st.booleans()), kept


def walk(draft: bool, events: list[tuple[str, int, str]], who: str, now: int) -> list[Row]:
    """What the text of the definition says, one event after the other."""
    known = [event for event in events if event[1] < now]
    times = {
        what: [at for kind, at, _ in known if kind == f"change_{what}"] for what in ("merged", "closed", "reopened")
    }
    standing = max(times["closed"], default=-1) > max(times["reopened"], default=-1)
    closed = min(times["merged"]) if times["merged"] else max(times["closed"]) if standing else None
    turns = sorted((at, kind) for kind, at, _ in known if kind in ("change_ready", "change_drafted"))

    def is_draft(at: int) -> bool:
        state = draft
        for when, kind in turns:
            if when <= at:
                state = kind == "change_drafted"
        return state

    ranks = {"reviewed": 0, "commented": 0, "review_requested": 1, "review_request_removed": 2}
    mine = sorted((at, ranks[kind], kind) for kind, at, actor in known if kind in ranks and actor == who)
    found, waiting = [], None

    def finish(end: int | None, reason: str) -> None:
        assert waiting is not None
        active = [at for at in range(waiting, now if end is None else end) if not is_draft(at)]
        found.append(Row(active[0] if active else waiting, end, len(active) / 60, reason))

    for at, _, kind in mine:
        if closed is not None and at > closed:
            break
        if kind == "review_requested":
            waiting = at if waiting is None else waiting
        elif waiting is not None:
            finish(at, "withdrawn" if kind == "review_request_removed" else "")
            waiting = None
    if waiting is not None:
        finish(closed, "unanswered" if closed is None else "withdrawn")
    return found


@settings(max_examples=12, deadline=None)
@given(st.lists(lives(), min_size=15, max_size=30), st.integers(1, 45))
def test_rows_are_those_of_a_walk_through_the_events(found: list[Life], now: int) -> None:
    changes = {f"hub:acme/api#{n}": life for n, life in enumerate(found, 100)}
    signals = [opened(subject, "bob", minute(0), draft=draft) for subject, (draft, _) in changes.items()]
    signals += [
        signal(kind, subject, who, minute(at), state="commented", default_branch=True)
        for subject, (_, events) in changes.items()
        for kind, at, who in events
    ]
    measurements = elapsed(*signals, as_of=minute(now))
    for subject, (draft, events) in changes.items():
        for who in ("ada", "cyd"):
            mine = measurements[measurements["subject"].eq(subject) & measurements["person"].eq(who)]
            assert rows(mine, "start", "end", "value", "reason") == [
                (moment(row.start), moment(row.end), pytest.approx(row.value), row.reason)
                for row in walk(draft, events, who, now)
            ]
