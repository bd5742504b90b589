"""Measuring for everybody at once: what a metric sees and must give, what rules leave out, how rows are printed."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipmetrics import registry
from pipmetrics.errors import PluginError
from pipmetrics.measure import apply_rules, attributes, hours_of, in_window, measure, measure_all, to_csv, to_json
from pipmetrics.metrics import ORDER, definitions
from pipmetrics.model import Calendar, ExcludeRule, MeasureRequest, Person, Signal
from pipmetrics.plugin import MEASUREMENT_COLUMNS, Facts, Metric

from .metrics.builders import (
    PEOPLE,
    SOURCES,
    accounts,
    commented,
    frame,
    instant,
    measured,
    merged,
    opened,
    person,
    pushed,
    removed,
    requested,
    reviewed,
    rows,
    signal,
    turned,
)

ONE, TWO = "hub:acme/api#1", "lab:group/sub/app!7"

# --- what a metric sees and must give -----------------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Facts]]:
    """Puts a metric in the registry's place; the list holds the facts that it was called with."""

    def install(give: Callable[[Facts], pd.DataFrame], **more: Any) -> list[Facts]:
        seen: list[Facts] = []

        def measure(facts: Facts) -> pd.DataFrame:
            seen.append(facts)
            return give(facts)

        kinds = frozenset({"commented", "reviewed"})
        made = Metric("probe", "things", "", "", kinds, measure, **more)
        monkeypatch.setattr(registry, "metric", lambda name: made)
        return seen

    return install


def one_row(**columns: Any) -> Callable[[Facts], pd.DataFrame]:
    at = pd.Timestamp("2026-03-02 09:00", tz="UTC")
    usual = ["probe", "ada", "hub", ONE, "k", at, at, 1.0, "things", "counted", "", "u", ("k",)]
    return lambda facts: pd.DataFrame([dict(zip(MEASUREMENT_COLUMNS, usual, strict=True)) | columns])


def test_a_metric_sees_its_kinds_before_as_of_in_order_and_with_their_person(installed: Any) -> None:
    seen = installed(one_row())
    measured("probe", [
        commented(ONE, "bob", "2026-03-02 11:00"), commented(ONE, "@ADA", "2026-03-02 10:00"),
        reviewed(ONE, "eve", "2026-03-02 10:00"), opened(ONE, "ada", "2026-03-02 09:00"),
        commented(ONE, None, "2026-03-02 10:30"), commented(ONE, "ada", "2026-03-02 12:00"),
    ], as_of="2026-03-02 12:00")  # fmt: skip
    assert rows(seen[0].signals, "key", "person") == [("s2", "ada"), ("s3", None), ("s5", None), ("s1", "bob")]


def test_the_clock_is_the_requests_else_the_metrics_else_elapsed(installed: Any) -> None:
    seen = installed(one_row())
    measured("probe", [])
    measured("probe", [], clock="working")
    assert [facts.clock for facts in seen] == ["elapsed", "working"]
    seen = installed(one_row(), clock="workdays")
    measured("probe", [], follow_up=timedelta(days=7), attribution=("link", "revert"), include=["bot"])
    assert (seen[0].clock, seen[0].follow_up_days) == ("workdays", 7.0)
    assert (seen[0].attribution, seen[0].include) == (("link", "revert"), {"bot"})


def test_extra_columns_of_a_metric_are_kept_behind_the_promised_ones(installed: Any) -> None:
    installed(lambda facts: one_row()(facts).assign(share=0.5)[["share", *MEASUREMENT_COLUMNS]])
    assert list(measured("probe", [])) == [*MEASUREMENT_COLUMNS, "share"]


@pytest.mark.parametrize(("columns", "complaint"), [
    ({"metric": "other"}, "another metric"), ({"unit": "hours"}, "unit other than things"),
    ({"person": "eve"}, "not in people.yaml"), ({"key": None}, "without source, subject or key"),
    ({"start": pd.NaT}, "without start"), ({"value": float("nan")}, "counted row without value"),
    ({"reason": "bored", "state": "excluded"}, "unknown reason"), ({"reason": "own"}, "state that its reason"),
    ({"evidence": "k"}, "evidence that is no tuple"), ({"value": "many"}, "wrong type"),
    ({"start": pd.Timestamp("2026-03-02")}, "wrong type"),
])  # fmt: skip
def test_a_metric_that_breaks_its_contract_is_refused_by_name(installed: Any, columns: Any, complaint: str) -> None:
    installed(one_row(**columns))
    with pytest.raises(PluginError, match=f"'probe'.*{complaint}"):
        measured("probe", [])


def test_missing_columns_and_repeated_keys_are_refused(installed: Any) -> None:
    installed(lambda facts: one_row()(facts).drop(columns=["url", "key"]))
    with pytest.raises(PluginError, match="no column key, url"):
        measured("probe", [])
    installed(lambda facts: pd.concat([one_row()(facts)] * 2, ignore_index=True))
    with pytest.raises(PluginError, match="two rows with one key: k"):
        measured("probe", [])


def test_rows_stand_by_person_start_source_and_key(installed: Any) -> None:
    order = [("bob", "a", "hub", 1), ("ada", "c", "hub", 2), ("ada", "b", "lab", 1), ("ada", "d", "hub", 1),
             ("ada", "a", "lab", 1)]  # fmt: skip

    def shuffled(facts: Facts) -> pd.DataFrame:
        columns = ("person", "key", "source", "start")
        made = [dict(zip(columns, [*row[:3], pd.Timestamp(2026, 3, row[3], tz="UTC")], strict=True)) for row in order]
        return pd.concat([one_row(**row)(facts) for row in made], ignore_index=True)

    installed(shuffled)
    assert rows(measured("probe", []), "person", "key") == [*(("ada", key) for key in "dabc"), ("bob", "a")]


def test_hours_follow_each_persons_calendar_and_are_unknown_for_strangers() -> None:
    hours = hours_of([person("ada"), person("bob", opens=time(10)), person("cyd")])
    who = pd.Series(["bob", "ada", "eve", "cyd"], dtype="str", index=[3, 1, 4, 0])
    at = pd.Series(pd.Timestamp("2026-03-02", tz="UTC"), index=who.index)
    found = hours(who, at, at + pd.Timedelta(days=1), "working")
    assert found.index.tolist() == [3, 1, 4, 0]
    assert found.fillna(-1).tolist() == [7.0, 8.0, -1.0, 8.0]


def test_many_requests_at_once_give_what_each_gives_alone() -> None:
    later, earlier = instant("2026-12-01 00:00"), instant("2026-03-01 09:30")
    asked = [MeasureRequest("changes_merged", later), MeasureRequest("changes_merged", earlier),
             MeasureRequest("review_turnaround", later, "elapsed")]  # fmt: skip
    signals = frame([*CHANGES, requested(ONE, "cyd", "2026-03-01 08:30")])
    found = measure_all(asked, signals, accounts(), PEOPLE, SOURCES)
    assert list(found) == asked
    assert [len(each) for each in found.values()] == [2, 1, 1]
    for request in asked:
        pd.testing.assert_frame_equal(found[request], measure(request, signals, accounts(), PEOPLE, SOURCES))
    assert measure_all([], signals, accounts(), PEOPLE, SOURCES) == {}


def test_definitions_stand_in_the_order_of_the_specification_and_name_the_kinds_they_read() -> None:
    found = definitions()
    assert [metric.name for metric in found][: len(ORDER)] == list(ORDER)
    assert all(metric.title and metric.definition.endswith(".") for metric in found)


# --- exclude rules ------------------------------------------------------------------------------------------------

CHANGES = [
    opened(ONE, "ada", "2026-03-01 08:00", labels=["hotfix"], author_login="ada"),
    merged(ONE, "ada", "2026-03-01 09:00", files=[["vendor/lib.js", 5, 0], ["src/a.py", 1, 1]], labels=["late label"]),
    opened(TWO, "bob", "2026-03-01 08:00", author_login="bob"),
    merged(TWO, "bob", "2026-03-01 10:00"),
    signal("issue_opened", "jira:PAY-12", "cyd", "2026-03-01 08:00", labels=["flaky"], title="t"),
]


def test_attributes_tell_repository_labels_logins_and_files_of_each_subject() -> None:
    seen = accounts()
    seen = pd.concat([seen, seen[seen["id"].eq("ada")].assign(login="ada.old")], ignore_index=True)
    found = attributes(frame(CHANGES), seen).set_index("subject")
    assert found["repository"].to_dict() == {ONE: "acme/api", TWO: "group/sub/app", "jira:PAY-12": "PAY"}
    assert found.loc[ONE, ["labels", "author_login", "paths"]].tolist() == [
        ("hotfix", "late label"), ("ada", "ada.old"), ("vendor/lib.js", "src/a.py")
    ]  # fmt: skip
    assert found.loc["jira:PAY-12", ["labels", "author_login", "paths"]].tolist() == [("flaky",), ("cyd",), ()]
    assert attributes(frame(CHANGES)).set_index("subject").loc[TWO, "author_login"] == ("bob",)


@pytest.mark.parametrize(("part", "pattern", "hit"), [
    ("repository", "acme/*", [ONE]), ("repository", "hub:acme/api", [ONE]), ("repository", "acme", []),
    ("repository", "ACME/*", []), ("label", "hot*", [ONE]), ("label", "late label", [ONE]), ("label", "hot", []),
    ("author", "ADA", [ONE]), ("author", "?d*", [ONE]), ("path", "vendor/*", [ONE]), ("path", "**/a.py", [ONE, TWO]),
    ("subject", "*!7", [TWO]), ("subject", ONE, [ONE]), ("subject", "acme/api#1", [ONE]), ("subject", "acme/api", []),
])  # fmt: skip
def test_a_rule_hits_by_its_part_alone(part: Any, pattern: str, hit: list[str]) -> None:
    ruled = apply_rules(
        measured("changes_merged", CHANGES), [ExcludeRule(part, pattern, "agreed")], attributes(frame(CHANGES))
    )
    assert rows(ruled[ruled["note"].eq("agreed")], "subject", "state", "reason") == [
        (s, "excluded", "rule") for s in hit
    ]
    assert set(rows(ruled[ruled["note"].eq("")], "state", "reason")) <= {("counted", "")}


def test_the_first_rule_that_hits_gives_the_note_and_no_rule_leaves_all_as_it_is() -> None:
    found = measured("changes_merged", CHANGES)
    both = [ExcludeRule("repository", "acme/*", "one"), ExcludeRule("author", "ada", "two")]
    assert rows(apply_rules(found, both, attributes(frame(CHANGES))), "note") == ["one", ""]
    pd.testing.assert_frame_equal(apply_rules(found, [], attributes(frame(CHANGES))).drop(columns="note"), found)


def test_open_and_withdrawn_rows_are_hit_too_and_other_exclusions_keep_their_reason() -> None:
    signals = [
        opened(ONE, "bob", "2026-03-01 08:00"),
        *(requested(ONE, who, "2026-03-01 09:00") for who in ("ada", "bob", "cyd")),
        removed(ONE, "cyd", "2026-03-01 10:00"),
    ]  # fmt: skip
    found = measured("review_turnaround", signals)
    assert rows(found, "reason") == ["unanswered", "own", "withdrawn"]
    ruled = apply_rules(found, [ExcludeRule("subject", "*", "agreed")], attributes(frame(signals)))
    assert rows(ruled, "state", "reason", "note") == [
        ("excluded", "rule", "agreed"),
        ("excluded", "own", ""),
        ("excluded", "rule", "agreed"),
    ]


@pytest.mark.parametrize("part", ["repository", "label", "author", "path", "subject"])
def test_rules_over_no_rows_leave_no_rows(part: str) -> None:
    rule = ExcludeRule(part, "*", "agreed")  # type: ignore[arg-type]  # every part in turn
    ruled = apply_rules(measured("changes_merged", []), [rule], attributes(frame([])))
    assert (len(ruled), "note" in ruled) == (0, True)


# --- windows and printing -----------------------------------------------------------------------------------------


def test_a_window_holds_its_start_and_not_its_end() -> None:
    found, metric = measured("changes_merged", CHANGES), registry.metric("changes_merged")
    nine, ten = instant("2026-03-01 09:00"), instant("2026-03-01 10:00")
    assert [
        len(in_window(found, metric, *window)) for window in [(nine, ten), (ten, None), (None, nine), (None, None)]
    ] == [1, 1, 0, 2]


def test_json_has_the_fields_of_a_measurement_with_nulls_and_utc_instants() -> None:
    signals = [opened(ONE, "bob", "2026-03-01 08:00"), requested(ONE, "ada", "2026-03-01 09:00:00.250")]
    printed = to_json(measured("review_turnaround", signals, clock="elapsed", as_of="2026-03-01 09:20"))
    assert printed == [{
        "metric": "review_turnaround", "person": "ada", "source": "hub", "subject": ONE, "key": "s2",
        "start": "2026-03-01T09:00:00.250000Z", "end": None, "value": pytest.approx(1 / 3, abs=1e-3), "unit": "hours",
        "state": "pending", "reason": "unanswered", "url": "https://hub.example.com/review_requested",
    }]  # fmt: skip
    assert type(printed[0]["value"]) is float
    counted = to_json(measured("changes_merged", CHANGES))[0]
    assert (counted["reason"], counted["end"], counted["value"]) == (None, "2026-03-01T09:00:00Z", 1.0)
    assert to_json(measured("changes_merged", [])) == []


def test_csv_has_the_same_columns_and_leaves_what_is_missing_empty() -> None:
    signals = [opened(ONE, "bob", "2026-03-01 08:00"), requested(ONE, "ada", "2026-03-01 09:00")]
    found = measured("review_turnaround", signals, as_of="2026-03-01 10:00")
    table = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert table[0] == {name: "" if value is None else str(value) for name, value in to_json(found)[0].items()}
    assert to_csv(measured("changes_merged", [])).strip() == ",".join(MEASUREMENT_COLUMNS[:-1])


# --- properties of all metrics of reviews and changes -------------------------------------------------------------

METRICS = ORDER[: ORDER.index("ci_first_pass") + 1]
SUBJECTS = (ONE, TWO, "hub:acme/web#3")
ACTS = ("requested", "removed", "reviewed", "commented", "pushed", "ready", "drafted", "closed", "reopened", "merged",
        "checks", "deployed")  # fmt: skip
STATES, ENDS = ("approved", "changes_requested", "commented"), ("success", "failure")
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def act(kind: str, subject: str, who: str, at: str, n: int) -> Signal:
    key, author = f"k{n}", "ada" if subject == ONE else "bob"
    if kind in ("ready", "drafted", "closed", "reopened"):
        return turned(kind, subject, author, at, key=key)
    made: dict[str, Callable[[], Signal]] = {
        "requested": lambda: requested(subject, who, at, key=key, requester=author),
        "removed": lambda: removed(subject, who, at, key=key),
        "reviewed": lambda: reviewed(subject, who, at, STATES[n % 3], n % 2, key=key),
        "commented": lambda: commented(subject, who, at, key=key),
        "pushed": lambda: pushed(subject, author, at, key=key),
        "merged": lambda: merged(subject, author, at, value=60, key=key),
        "checks": lambda: signal("checks_completed", subject, author, at, key=key, conclusion=ENDS[n % 2]),
        "deployed": lambda: signal("change_deployed", subject, author, at, key=key),
    }
    return made[kind]()


def text(at: datetime) -> str:
    return str(at.replace(tzinfo=None))


@st.composite
def histories(draw: st.DrawFn) -> list[Signal]:
    """Three changes opened on a Sunday, and what happened to them over the next nine days, in no order."""
    made = [
        opened(subject, "ada" if subject == ONE else "bob", text(BEGIN), key=f"o{subject}", draft=n == 2)
        for n, subject in enumerate(SUBJECTS)
    ]
    acts = st.tuples(st.sampled_from(ACTS), st.sampled_from(SUBJECTS), st.sampled_from(["ada", "bob", "cyd"]),
                     st.integers(1, 9 * 24 * 4))  # fmt: skip
    once: set[tuple[str, str]] = set()
    for n, (kind, subject, who, quarter) in enumerate(draw(st.lists(acts, min_size=20, max_size=60))):
        if kind in ("merged", "deployed") and (kind, subject) in once:
            continue
        once.add((kind, subject))
        made.append(act(kind, subject, who, text(BEGIN + quarter * timedelta(minutes=15)), n))
    return made


names = st.sampled_from(METRICS)


@settings(max_examples=15, deadline=None)
@given(names, histories(), st.randoms(use_true_random=False))
def test_the_order_of_signals_does_not_matter(name: str, signals: list[Signal], chance: random.Random) -> None:
    pd.testing.assert_frame_equal(measured(name, signals), measured(name, chance.sample(signals, len(signals))))


@settings(max_examples=15, deadline=None)
@given(names, histories(), st.integers(1, 40))
def test_shifting_as_of_back_gives_what_was_known_then(name: str, signals: list[Signal], steps: int) -> None:
    as_of = BEGIN + timedelta(hours=5 * steps)
    known = [each for each in signals if each.at < as_of]
    then, now = (measured(name, some, as_of=text(as_of)) for some in (known, signals))
    pd.testing.assert_frame_equal(then, now)


@settings(max_examples=15, deadline=None)
@given(names, histories(), st.integers(-11, 12), st.sampled_from(["elapsed", "workdays", "working"]))
def test_moving_all_times_and_calendars_by_a_zone_changes_nothing(
    name: str, signals: list[Signal], hours: int, clock: Any
) -> None:
    def moved(someone: Person) -> Person:
        return replace(someone, calendar=Calendar(f"Etc/GMT{hours:+d}"))  # the sign of these names is turned round

    there = [replace(each, at=each.at + timedelta(hours=hours), detail=later(each.detail, hours)) for each in signals]
    as_of = BEGIN + timedelta(days=10)
    found = measured(name, signals, clock=clock, as_of=text(as_of))
    people = [moved(someone) for someone in PEOPLE]
    other = measured(name, there, clock=clock, as_of=text(as_of + timedelta(hours=hours)), people=people)
    back = {column: other[column] - pd.Timedelta(hours=hours) for column in ("start", "end")}
    pd.testing.assert_frame_equal(found, other.assign(**back))


def later(detail: Any, hours: int) -> dict[str, Any]:
    if "authored" not in detail:
        return dict(detail)
    return {**detail, "authored": (datetime.fromisoformat(detail["authored"]) + timedelta(hours=hours)).isoformat()}


@settings(max_examples=15, deadline=None)
@given(names, histories(), st.lists(st.integers(0, 240), min_size=1, max_size=4))
def test_a_window_cut_in_pieces_adds_up(name: str, signals: list[Signal], cuts: list[int]) -> None:
    begin, end = BEGIN - timedelta(days=1), BEGIN + timedelta(days=30)
    found, metric = measured(name, signals), registry.metric(name)
    bounds = sorted({begin, end, *(begin + timedelta(hours=n) for n in cuts)})
    pieces = [in_window(found, metric, low, high) for low, high in pairwise(bounds)]
    assert sorted(in_window(found, metric, begin, end)["key"]) == sorted(
        key for piece in pieces for key in piece["key"]
    )
