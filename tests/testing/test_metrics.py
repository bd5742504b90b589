"""The metric's contract: every built-in metric keeps it over one busy history, and each way to break it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from pipmetrics import registry
from pipmetrics.model import Account, Attestation, Signal
from pipmetrics.plugin import Facts, Metric
from pipmetrics.testing import ContractBroken, check_metric, facts_of
from tests.metrics.builders import (
    PEOPLE,
    SOURCES,
    commented,
    instant,
    merged,
    opened,
    pushed,
    removed,
    requested,
    reviewed,
    signal,
    turned,
)
from tests.metrics.tickets import assigned, bug, done, due, issue, linked, moved, reopened, reverted, shipped

AS_OF = instant("2026-05-01 00:00")
ATTESTED = (
    Attestation("ada-q2", "mentoring", "lee", "mentor", 1, "pairing", instant("2026-03-10 09:00"), person="ada"),
    Attestation("bob-q2", "mentoring", "lee", "mentor", 2, "pairing", instant("2026-03-11 09:00"), person="bob"),
)


def history() -> list[Signal]:
    """Changes with drafts, reviews, removals and reverts, and issues of every fate, by three people and a bot."""
    return [
        each if each.key else replace(each, key=f"s{number}")
        for number, each in enumerate([*_reviews(), *_production(), *_tickets()])
    ]


def _reviews() -> list[Signal]:
    one, two, three = (f"hub:acme/api#{number}" for number in (1, 2, 3))
    return [
        opened(one, "ada", "2026-03-02 09:00"), pushed(one, "ada", "2026-03-02 08:30"),
        requested(one, "bob", "2026-03-02 10:00"), requested(one, "cyd", "2026-03-02 10:00"),
        reviewed(one, "bob", "2026-03-03 15:00", "changes_requested", 2),
        pushed(one, "ada", "2026-03-04 10:00"), commented(one, "cyd", "2026-03-04 12:00"),
        requested(one, "bob", "2026-03-04 11:00"), reviewed(one, "bob", "2026-03-05 09:30", "approved"),
        merged(one, "ada", "2026-03-05 11:00", value=120), signal("checks_completed", one, "ada", "2026-03-02 09:20",
                                                                  conclusion="failure", attempt=1, sha="c0ffee"),
        opened(two, "bob", "2026-03-06 16:00", draft=True), turned("ready", two, "bob", "2026-03-09 09:00"),
        requested(two, "ada", "2026-03-06 16:30"), requested(two, "cyd", "2026-03-09 09:10"),
        removed(two, "cyd", "2026-03-09 12:00"), reviewed(two, "ada", "2026-03-09 09:03", "approved"),
        merged(two, "bob", "2026-03-09 17:00", value=80),
        opened(three, "cyd", "2026-04-28 09:00"), requested(three, "ada", "2026-04-28 09:05"),
        reviewed(three, "bob", "2026-04-28 11:00", "changes_requested", 1),
        opened("hub:acme/api#4", "robot", "2026-03-12 09:00", mark="bot"),
        requested("hub:acme/api#4", "ada", "2026-03-12 09:10"), merged("hub:acme/api#5", "ada", "2026-03-12 11:00"),
    ]  # fmt: skip


def _production() -> list[Signal]:
    early, late = "hub:acme/api#10", "hub:acme/api#11"
    return [
        *shipped(early, "ada", "2026-03-03", issues=["jira:PAY-1"]), pushed(early, "ada", "2026-03-02 12:00"),
        *shipped(late, "bob", "2026-04-20", issues=["jira:PAY-2"]), pushed(late, "bob", "2026-04-19 12:00"),
        reverted(early, "ada", "2026-03-20 09:00", by="hub:acme/api#12"),
        bug("jira:PAY-20", "2026-03-05 09:00"), linked("jira:PAY-20", "jira:PAY-1"),
        bug("jira:PAY-21", "2026-04-21 09:00"), linked("jira:PAY-21", "jira:PAY-2"),
        bug("jira:PAY-22", "2026-03-02 09:00"), linked("jira:PAY-22", "jira:PAY-1"),
        assigned("jira:PAY-20", "ada", "2026-03-05 10:00"), done("jira:PAY-20", "ada", "2026-03-07 10:00"),
        reopened("jira:PAY-20", "2026-03-09 10:00"), done("jira:PAY-20", "ada", "2026-03-10 10:00"),
        assigned("jira:PAY-21", "bob", "2026-04-21 10:00"), assigned("jira:PAY-21", "ada", "2026-04-22 10:00", "bob"),
        done("jira:PAY-22", "bob", "2026-04-29 10:00", "duplicate"),
    ]  # fmt: skip


def _tickets() -> list[Signal]:
    sprint = {
        "id": 1, "name": "Sprint 1", "started": "2026-03-02T08:00:00Z", "ended": "2026-03-13T16:00:00Z",
        "completed": "2026-03-13T16:30:00Z", "in": [["2026-03-01T08:00:00Z", None]],
    }  # fmt: skip
    return [
        issue("jira:PAY-30", "2026-03-01 09:00", project="PAY", sprints=[sprint]),
        assigned("jira:PAY-30", "ada", "2026-03-01 09:00"), due("jira:PAY-30", "2026-03-01 09:30", None, "2026-03-12"),
        moved("jira:PAY-30", "2026-03-03 09:00", "new", "in_progress"), done("jira:PAY-30", "ada", "2026-03-11 09:00"),
        issue("jira:PAY-31", "2026-03-01 10:00", project="PAY", sprints=[sprint]),
        assigned("jira:PAY-31", "bob", "2026-03-01 10:00"), due("jira:PAY-31", "2026-03-01 10:30", None, "2026-03-20"),
        done("jira:PAY-31", "bob", "2026-03-25 09:00"),
        issue("jira:PAY-32", "2026-04-20 10:00", project="PAY"), assigned("jira:PAY-32", "cyd", "2026-04-20 10:00"),
        due("jira:PAY-32", "2026-04-20 10:00", None, "2026-05-04"),
    ]  # fmt: skip


def facts(**more: Any) -> Facts:
    robot = Account("hub", "robot", "robot", mark="bot")
    return facts_of(history(), PEOPLE, SOURCES, as_of=AS_OF, accounts=[robot], attestations=ATTESTED, **more)


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_the_built_in_metrics_keep_the_contract(name: str) -> None:
    metric = registry.metric(name)
    rows = check_metric(metric, facts(clock=metric.clock or "elapsed", attribution=("link", "revert")), cuts=3)
    assert set(rows["person"]) & {"ada", "bob", "cyd"}


def test_facts_hold_only_what_was_known_before_as_of_and_know_their_people() -> None:
    made = facts_of(history(), PEOPLE, SOURCES, as_of=instant("2026-03-02 10:00"))
    assert made.signals["at"].max() < pd.Timestamp("2026-03-02 10:00", tz="UTC")
    assert made.signals["at"].is_monotonic_increasing
    assert set(made.signals["person"].dropna()) == {"ada", "bob"}


# --- metrics that break it ----------------------------------------------------------------------------------------

GOOD = registry.metric("changes_merged")
TURNAROUND = registry.metric("review_turnaround")


def changed(change: Callable[[pd.DataFrame, Facts], pd.DataFrame], of: Metric = GOOD, **declared: Any) -> Metric:
    """A good metric whose rows are changed before they are given."""
    return replace(of, measure=lambda facts: change(of.measure(facts), facts), **declared)


def broken_rules(metric: Metric, **more: Any) -> frozenset[str]:
    with pytest.raises(ContractBroken) as broken:
        check_metric(metric, facts(**more), cuts=1)
    return broken.value.rules


def first_of_all(rows: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """What the first person of the list has done is worth more."""
    return rows.assign(value=rows["value"] + rows["person"].eq(facts.people[0].id))


def ranked(rows: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Compares people with each other."""
    return rows.assign(value=rows.groupby("person")["value"].transform("sum") / rows["value"].sum())


def growing(rows: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Reads the clock where it should read the facts."""
    return rows.assign(value=(pd.Timestamp(facts.as_of) - rows["start"]).dt.total_seconds() / 3600)


def shrinking(rows: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    left = (pd.Timestamp("2030-01-01", tz="UTC") - pd.Timestamp(facts.as_of)).total_seconds() / 3600
    return rows.assign(value=rows["value"].mask(rows["state"].eq("pending"), left))


def fading(rows: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Forgets what is older than 60 days."""
    return rows[rows["start"].gt(pd.Timestamp(facts.as_of) - pd.Timedelta(days=60))].reset_index(drop=True)


def spoiling(rows: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    facts.signals.loc[:, "value"] = 0.0
    return rows


def spoiling_inside(rows: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    for each in facts.signals["detail"]:
        each["seen"] = True
    return rows


def needing_rows(rows: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    assert len(facts.signals), "no signals"
    return rows


@pytest.mark.parametrize(
    ("metric", "rule"),
    [
        (changed(lambda rows, _: rows.drop(columns="url")), "rows"),
        (changed(lambda rows, _: rows.assign(unit="things")), "rows"),
        (changed(lambda rows, _: rows.assign(metric="other")), "rows"),
        (changed(lambda rows, _: rows.assign(person="nobody")), "rows"),
        (changed(lambda rows, _: rows.assign(reason="because", state="excluded")), "rows"),
        (changed(lambda rows, _: rows.assign(state="pending")), "rows"),
        (changed(lambda rows, _: rows.assign(key="k")), "rows"),
        (changed(lambda rows, _: rows.assign(value=float("nan"))), "rows"),
        (changed(lambda rows, _: rows.assign(evidence=[["a"]] * len(rows))), "rows"),
        (changed(lambda rows, _: rows.assign(evidence=[()] * len(rows))), "evidence"),
        (changed(lambda rows, _: rows.assign(evidence=[("nothing",)] * len(rows))), "evidence"),
        (changed(lambda rows, _: rows.assign(url="javascript:alert(1)")), "url"),
        (changed(first_of_all), "order"),
        (changed(ranked), "alone"),
        (changed(ranked), "by_subject"),
        (replace(registry.metric("post_deploy_bugs"), by_subject=True), "by_subject"),
        (changed(growing), "as_of"),
        (changed(shrinking, TURNAROUND), "as_of"),
        (changed(fading), "as_of"),
        (changed(spoiling), "pure"),
        (changed(spoiling_inside), "pure"),
        (changed(needing_rows), "raises"),
        (changed(lambda rows, _: rows.assign(value=rows["value"] * 3, unit="share"), unit="share"), "value"),
        (changed(lambda rows, _: rows.assign(value=-rows["value"]), TURNAROUND), "value"),
        (changed(lambda rows, _: rows.assign(value=rows["value"].where(rows["state"].eq("counted"))), TURNAROUND),
         "open_ended"),
        (changed(lambda rows, facts: rows.fillna({"end": pd.Timestamp(facts.as_of)}), TURNAROUND), "end"),
        (replace(GOOD, kinds=frozenset({"change_merged", "coffee_fetched"})), "kinds"),
        (replace(GOOD, kinds=frozenset({"commented"})), "facts"),
        (replace(GOOD, name="Changes merged"), "name"),
        (replace(GOOD, definition=" "), "definition"),
        (replace(GOOD, title=""), "title"),
        (replace(GOOD, needs="everything"), "needs"),  # type: ignore[arg-type]  # that is the point
        (replace(GOOD, clock="mine"), "clock"),  # type: ignore[arg-type]  # that is the point
        (replace(GOOD, window_by="middle"), "window_by"),  # type: ignore[arg-type]  # that is the point
        (replace(GOOD, better="more"), "better"),  # type: ignore[arg-type]  # that is the point
        (replace(GOOD, open_ended=True), "open_ended"),
        (replace(GOOD, measure=lambda facts: 1 / 0), "raises"),
        (replace(GOOD, measure=lambda facts: datetime.now(UTC)), "raises"),
    ],
)  # fmt: skip
def test_each_way_to_break_it_is_found(metric: Metric, rule: str) -> None:
    assert rule in broken_rules(metric)
