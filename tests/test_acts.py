from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipmetrics import acts
from pipmetrics.api import Organisation
from pipmetrics.config import Config, load
from pipmetrics.errors import ConfigError, Refused, UsageError
from pipmetrics.ledger import verify
from pipmetrics.model import Acts, Baseline, Window
from pipmetrics.store import Store

SETTINGS = """\
store: sqlite:///x.db
timezone: Europe/Berlin
sources:
  hub: {connector: github, url: "https://git.example.com", token: "${HUB}", repositories: [acme/api]}
"""
PEOPLE = """\
people:
  ada: {name: Ada Example, email: ada@example.com, manager: dana, accounts: {hub: ada}}
  dana: {name: Dana Example, roles: [manager]}
  hugo: {name: Hugo Example, roles: [hr]}
  lee: {name: Lee Example, roles: [mentor]}
"""
PLAN = """\
plan: ada-q4
kind: pip
person: ada
manager: dana
start: 2026-10-20
end: 2026-12-18
criteria:
  - {id: reviews, metric: review_turnaround, criterion: share_within, limit: 24h, target: 90%}
  - {id: tests, metric: attested, criterion: attest, by: mentor, at_least: 3}
supports:
  - {text: Pairing on tests, owner: lee, due: 2026-11-06}
  - {text: A course, owner: dana, due: 2026-11-20}
"""
START = datetime(2026, 10, 19, 9, tzinfo=UTC)
DAY = timedelta(days=1)
AFTER = datetime(2026, 12, 19, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config" / "plans").mkdir(parents=True)
    (tmp_path / "config" / "pipmetrics.yaml").write_text(SETTINGS)
    (tmp_path / "config" / "people.yaml").write_text(PEOPLE)
    (tmp_path / "config" / "plans" / "ada.yaml").write_text(PLAN)
    return tmp_path / "config"


@pytest.fixture
def config(folder: Path) -> Config:
    return load(folder)


def edit(folder: Path, old: str, new: str) -> Config:
    path = folder / "plans" / "ada.yaml"
    path.write_text(path.read_text().replace(old, new))
    return load(folder)


K1 = {"k1": "hub:acme/api#1"}


def folded(store: Store, until: datetime | None = None) -> Acts:
    return acts.acts_before(store, until)


# --- disputes -----------------------------------------------------------------------------------------------------


def test_a_dispute_is_open_until_somebody_else_decides_it(store: Store, config: Config) -> None:
    number = acts.dispute(
        store,
        config,
        "ada-q4",
        "reviews",
        "k1",
        by="ada",
        why="incident",
        now=START,
        subjects={"k1": "hub:acme/api#1", "k2": "hub:acme/api#2"},
    )
    [one] = folded(store).disputes
    assert (one.plan, one.criterion, one.key, one.by, one.why, one.at, one.state, one.entry) == (
        "ada-q4", "reviews", "k1", "ada", "incident", START, "open", number,
    )  # fmt: skip
    acts.answer_dispute(store, config, number, by="dana", why="I will look", now=START + DAY)
    assert folded(store).disputes[0].answer == "I will look"
    for who in ("ada",):
        with pytest.raises(Refused, match="somebody else"):
            acts.decide_dispute(store, config, number, "upheld", by=who, why="mine", now=START + DAY)
    acts.decide_dispute(store, config, number, "upheld", by="hugo", why="it was INC-88", now=START + 2 * DAY)
    [one] = folded(store).disputes
    assert (one.state, one.decided_by, one.answer) == ("upheld", "hugo", "it was INC-88")
    assert folded(store, START + 2 * DAY).disputes[0].state == "open"
    with pytest.raises(UsageError, match="was upheld by hugo"):
        acts.decide_dispute(store, config, number, "rejected", by="dana", why="no", now=START + 2 * DAY)


def test_a_dispute_names_what_exists(store: Store, config: Config) -> None:
    with pytest.raises(UsageError, match="no plan 'ada-q5'") as error:
        acts.dispute(store, config, "ada-q5", "reviews", "k1", by="ada", why="w", now=START, subjects=K1)
    assert error.value.mend == "Did you mean 'ada-q4'?"
    with pytest.raises(UsageError, match="no criterion 'review'") as error:
        acts.dispute(store, config, "ada-q4", "review", "k1", by="ada", why="w", now=START, subjects=K1)
    assert error.value.mend == "Did you mean 'reviews'?"
    with pytest.raises(UsageError, match="no measurement 'zz'") as error:
        acts.dispute(store, config, "ada-q4", "reviews", "zz", by="ada", why="w", now=START, subjects=K1)
    assert "explain" in error.value.mend
    with pytest.raises(UsageError, match="nobody called 'adda'"):
        acts.dispute(store, config, "ada-q4", "reviews", "k1", by="adda", why="w", now=START, subjects=K1)
    with pytest.raises(UsageError, match="needs its reason"):
        acts.dispute(store, config, "ada-q4", "reviews", "k1", by="ada", why=" ", now=START, subjects=K1)
    with pytest.raises(UsageError, match="there is no dispute 7") as error:
        acts.answer_dispute(store, config, 7, by="dana", why="w", now=START)
    assert error.value.mend == "Open disputes: none."
    assert store.head().seq == 0


def test_a_point_is_contested_once_at_a_time(store: Store, config: Config) -> None:
    number = acts.dispute(store, config, "ada-q4", "reviews", "k1", by="ada", why="w", now=START, subjects=K1)
    with pytest.raises(UsageError, match="contested already"):
        acts.dispute(store, config, "ada-q4", "reviews", "k1", by="ada", why="w", now=START, subjects=K1)
    acts.decide_dispute(store, config, number, "rejected", by="dana", why="w", now=START)
    acts.dispute(store, config, "ada-q4", "reviews", "k1", by="ada", why="new facts", now=START, subjects=K1)
    assert [one.state for one in folded(store).disputes] == ["rejected", "open"]


# --- attestations, check-ins, support -----------------------------------------------------------------------------


def test_an_attestation_needs_a_role_that_its_author_has(store: Store, config: Config) -> None:
    number = acts.attest(store, config, "ada-q4", "tests", 1, role="mentor", by="lee", why="saw it", now=START)
    [one] = folded(store).attestations
    assert (one.by, one.role, one.value, one.why, one.person, one.entry) == (
        "lee",
        "mentor",
        1.0,
        "saw it",
        "ada",
        number,
    )
    acts.attest(store, config, "ada-q4", "tests", 1, role="manager", by="dana", why="w", now=START)
    with pytest.raises(UsageError, match="does not have the role 'mentor'") as error:
        acts.attest(store, config, "ada-q4", "tests", 1, role="mentor", by="dana", why="w", now=START)
    assert error.value.mend.startswith("Roles of dana: manager")
    with pytest.raises(Refused):
        acts.attest(store, config, "ada-q4", "tests", 1, role="mentor", by="ada", why="w", now=START)
    with pytest.raises(UsageError, match="no number"):
        acts.attest(store, config, "ada-q4", "tests", float("nan"), role="mentor", by="lee", why="w", now=START)


def test_what_was_attested_is_listed_among_the_measurements(folder: Path) -> None:
    with Organisation(load(folder), now=lambda: START + DAY) as company:
        acts.attest(
            company.store, company.config, "ada-q4", "tests", 2, role="mentor", by="lee", why="saw it", now=START
        )
        rows = company.measurements("attested")
        before = company.measurements("attested", as_of=START)
    assert rows[["person", "value", "state"]].values.tolist() == [["ada", 2.0, "counted"]]
    assert before.empty


def test_a_check_in_is_recorded_for_its_day_and_corrected_by_a_later_record(store: Store, config: Config) -> None:
    day = date(2026, 10, 19)
    acts.check_in(store, config, "ada-q4", day, False, by="dana", why="was ill", now=START)
    acts.check_in(store, config, "ada-q4", day, True, by="dana", why="held after all", now=START + DAY)
    [one] = folded(store).check_ins
    assert (one.day, one.held, one.note) == (day, True, "held after all")
    with pytest.raises(UsageError, match="lies ahead; today is 2026-10-20"):
        acts.check_in(store, config, "ada-q4", date(2026, 10, 21), True, by="dana", why="w", now=START + DAY)


def test_today_is_that_of_the_plans_own_zone(store: Store, config: Config) -> None:
    late = datetime(2026, 10, 19, 22, 30, tzinfo=UTC)  # half past midnight in Berlin
    acts.check_in(store, config, "ada-q4", date(2026, 10, 20), True, by="dana", why="w", now=late)
    assert folded(store).check_ins[0].day == date(2026, 10, 20)


def test_support_is_delivered_and_confirmed_or_denied_by_the_person(store: Store, config: Config) -> None:
    with pytest.raises(UsageError, match="was not recorded"):
        acts.confirm_support(store, config, "ada-q4", 1, True, by="ada", why="w", now=START)
    acts.support(store, config, "ada-q4", 1, date(2026, 10, 19), by="lee", why="two hours", now=START)
    assert folded(store).supports[0].confirmed is None
    with pytest.raises(Refused, match="only ada"):
        acts.confirm_support(store, config, "ada-q4", 1, True, by="lee", why="w", now=START)
    acts.confirm_support(store, config, "ada-q4", 1, False, by="ada", why="it was cancelled", now=START)
    assert folded(store).supports[0].confirmed is False
    acts.support(store, config, "ada-q4", 1, date(2026, 10, 20), by="lee", why="made up for", now=START + DAY)
    [one] = folded(store).supports
    assert (one.support, one.on, one.confirmed) == (1, date(2026, 10, 20), None)
    with pytest.raises(UsageError, match="already"):
        acts.support(store, config, "ada-q4", 1, date(2026, 10, 20), by="lee", why="again", now=START + DAY)
    with pytest.raises(UsageError, match="promises no support 3") as error:
        acts.support(store, config, "ada-q4", 3, date(2026, 10, 20), by="lee", why="w", now=START + DAY)
    assert "2: A course" in error.value.mend


# --- the text in force --------------------------------------------------------------------------------------------


def test_an_acknowledged_plan_is_scored_as_it_was_signed_until_an_amendment_is_signed_by_both(
    store: Store, config: Config, folder: Path
) -> None:
    acts.sign_plan(store, config, "ada-q4", by="dana", now=START)
    assert acts.life_of(store, "ada-q4").versions == ()
    acts.sign_plan(store, config, "ada-q4", by="ada", now=START, agrees=False, why="I do not agree")
    changed = edit(folder, "target: 90%", "target: 80%")
    [plan] = acts.plans_in_force(changed, store)
    assert plan.criteria == config.plans[0].criteria
    assert plan.digest == config.plans[0].digest
    assert "+  - {id: reviews" in acts.edited(changed, store)["ada-q4"].difference

    number = acts.propose_amendment(store, changed, "ada-q4", by="dana", why="too strict", now=START + DAY)
    acts.sign_amendment(store, changed, "ada-q4", number, by="hugo", now=START + DAY)
    assert acts.plans_in_force(changed, store)[0].criteria == config.plans[0].criteria
    with pytest.raises(UsageError, match="for the company already"):
        acts.sign_amendment(store, changed, "ada-q4", number, by="dana", now=START + DAY)
    acts.sign_amendment(store, changed, "ada-q4", number, by="ada", now=START + 2 * DAY)
    [plan] = acts.plans_in_force(changed, store)
    assert plan == changed.plans[0]
    assert acts.edited(changed, store) == {}
    assert acts.life_of(store, "ada-q4").amendments[0].effective == START + 2 * DAY
    assert acts.life_of(store, "ada-q4").state(plan, START + 10 * DAY) == "amended"

    # as of an earlier instant, what was in force then
    assert acts.plans_in_force(changed, store, START + DAY)[0].criteria == config.plans[0].criteria
    assert acts.plans_in_force(changed, store, START - DAY)[0].criteria == config.plans[0].criteria
    assert acts.plans_in_force(changed, store, START + 3 * DAY) == (plan,)
    assert verify(store).ok
    assert len(store.record().checkpoints) == 4


def test_before_it_is_acknowledged_the_file_counts(store: Store, config: Config, folder: Path) -> None:
    with pytest.raises(UsageError, match="not acknowledged yet"):
        acts.propose_amendment(store, config, "ada-q4", by="dana", why="w", now=START)
    changed = edit(folder, "target: 90%", "target: 80%")
    assert acts.plans_in_force(changed, store) == changed.plans


def test_a_comment_is_an_edit_too_but_an_unchanged_file_is_none(store: Store, config: Config, folder: Path) -> None:
    acts.sign_plan(store, config, "ada-q4", by="ada", now=START)
    with pytest.raises(UsageError, match="is the locked text"):
        acts.propose_amendment(store, config, "ada-q4", by="dana", why="w", now=START)
    assert acts.edited(edit(folder, "plan:", "# a word\nplan:"), store)


def test_a_deleted_file_does_not_end_a_plan(store: Store, config: Config, folder: Path) -> None:
    acts.sign_plan(store, config, "ada-q4", by="ada", now=START)
    (folder / "plans" / "ada.yaml").unlink()
    without = load(folder)
    [plan] = acts.plans_in_force(without, store)
    assert (plan.id, plan.criteria) == ("ada-q4", config.plans[0].criteria)
    with pytest.raises(UsageError, match="has no file any more"):
        acts.propose_amendment(store, without, "ada-q4", by="dana", why="w", now=START)
    acts.decide(store, without, "ada-q4", "withdrawn", by="hugo", why="moved on", now=START)
    assert acts.plans_in_force(without, store) == ()


def test_a_locked_text_that_no_longer_fits_says_so(store: Store, config: Config, folder: Path) -> None:
    acts.sign_plan(store, config, "ada-q4", by="ada", now=START)
    (folder / "people.yaml").write_text(PEOPLE.replace("ada:", "eda:").replace("ada@", "eda@"))
    edit_error = pytest.raises(ConfigError)
    with edit_error:
        load(folder)
    (folder / "plans" / "ada.yaml").unlink()
    with pytest.raises(ConfigError, match="as signed 2026-10-19"):
        acts.plans_in_force(load(folder), store)


def test_an_amendment_of_a_text_that_was_amended_since_is_refused(store: Store, config: Config, folder: Path) -> None:
    acts.sign_plan(store, config, "ada-q4", by="ada", now=START)
    first = acts.propose_amendment(store, edit(folder, "90%", "80%"), "ada-q4", by="dana", why="w", now=START)
    changed = edit(folder, "80%", "70%")
    second = acts.propose_amendment(store, changed, "ada-q4", by="dana", why="w", now=START)
    for by in ("dana", "ada"):
        acts.sign_amendment(store, changed, "ada-q4", first, by=by, now=START)
    with pytest.raises(Refused, match="no longer in force"):
        acts.sign_amendment(store, changed, "ada-q4", second, by="ada", now=START)
    assert acts.plans_in_force(changed, store)[0].criteria[0].parameters["target"] == 0.8


def test_only_those_with_a_part_in_it_sign(store: Store, config: Config) -> None:
    with pytest.raises(Refused, match="lee has no part"):
        acts.sign_plan(store, config, "ada-q4", by="lee", now=START)
    acts.sign_plan(store, config, "ada-q4", by="ada", now=START)
    with pytest.raises(UsageError, match="acknowledged already"):
        acts.sign_plan(store, config, "ada-q4", by="ada", now=START)


def test_a_digest_is_signed_with_the_head_that_it_showed(store: Store, config: Config) -> None:
    acts.sign_digest(store, config, "ada-q4", "2026-W44", "9:abc", by="ada", now=START, why="the bug is not mine")
    [one] = acts.life_of(store, "ada-q4").signatures
    assert (one.what, one.about, one.side, one.agrees, one.comment) == (
        "digest", "2026-W44", "person", None, "the bug is not mine",
    )  # fmt: skip
    with pytest.raises(UsageError):
        acts.sign_digest(store, config, "ada-q4", "2026-W99", "9:abc", by="ada", now=START)


# --- life and decision --------------------------------------------------------------------------------------------


def test_a_plan_goes_through_its_life(store: Store, config: Config) -> None:
    plan = config.plans[0]

    def state(now: datetime) -> str:
        return acts.life_of(store, plan.id).state(acts.plan_in_force(config, store, plan.id), now)

    running = START + 10 * DAY
    assert (state(START), state(running), state(AFTER)) == ("draft", "active", "ended")
    acts.sign_plan(store, config, plan.id, by="ada", now=START)
    assert (state(START), state(running)) == ("acknowledged", "active")
    acts.pause(store, config, plan.id, by="dana", why="leave", now=running)
    assert state(running) == "paused"
    with pytest.raises(UsageError, match="paused already"):
        acts.pause(store, config, plan.id, by="dana", why="leave", now=running)
    acts.pause(store, config, plan.id, by="dana", why="back", now=running, resume=True)
    acts.decide(
        store, config, plan.id, "extend", by="hugo", why="support came late", now=running, until=date(2027, 1, 8)
    )
    assert (state(running + DAY), state(AFTER)) == ("extended", "extended")
    assert acts.plan_in_force(config, store, plan.id).end == date(2027, 1, 8)
    assert acts.plans_in_force(config, store, running)[0].end == plan.end
    end = datetime(2027, 1, 9, tzinfo=UTC)
    assert state(end) == "ended"
    acts.decide(store, config, plan.id, "complete", by="hugo", why="met", now=end, recommendation="complete")
    assert state(end) == "decided"
    assert acts.life_of(store, plan.id).state(replace(plan, draft=True), START) == "decided"


def test_a_draft_is_a_draft_while_it_says_so(config: Config) -> None:
    plan = replace(config.plans[0], draft=True)
    assert acts.Life("ada-q4", "ada").state(plan, START + 10 * DAY) == "draft"


def test_a_decision_may_override_the_recommendation_and_is_counted_as_such(store: Store, config: Config) -> None:
    acts.decide(
        store, config, "ada-q4", "complete", by="dana", why="I see it", now=AFTER, recommendation="not_complete"
    )
    decided = acts.life_of(store, "ada-q4").decided
    assert decided is not None
    assert decided.overrides
    assert not replace(decided, recommendation="complete").overrides
    assert not replace(decided, recommendation="undetermined").overrides


Attempt = Callable[[Store, Config], int]


@pytest.mark.parametrize(
    ("attempt", "error", "match"),
    [
        (lambda s, c: acts.decide(s, c, "ada-q4", "complete", by="dana", why="w", now=START), UsageError, "runs until"),
        (lambda s, c: acts.decide(s, c, "ada-q4", "fire", by="dana", why="w", now=AFTER), UsageError, "not decided as"),
        (lambda s, c: acts.decide(s, c, "ada-q4", "extend", by="dana", why="w", now=AFTER), UsageError, "new last day"),
        (
            lambda s, c: acts.decide(s, c, "ada-q4", "complete", by="dana", why="w", now=AFTER, until=date(2027, 1, 1)),
            UsageError,
            "nothing else takes one",
        ),
        (
            lambda s, c: acts.decide(s, c, "ada-q4", "extend", by="dana", why="w", now=AFTER, until=date(2026, 12, 1)),
            UsageError,
            "would not extend",
        ),
        (lambda s, c: acts.decide(s, c, "ada-q4", "complete", by="ada", why="w", now=AFTER), Refused, "by the person"),
        (lambda s, c: acts.decide(s, c, "ada-q4", "complete", by="dana", why="", now=AFTER), UsageError, "reason"),
    ],
)
def test_a_decision_that_does_not_fit_is_not_recorded(
    store: Store, config: Config, attempt: Attempt, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        attempt(store, config)
    assert store.head().seq == 0


def test_an_open_dispute_blocks_a_final_decision(store: Store, config: Config) -> None:
    number = acts.dispute(store, config, "ada-q4", "reviews", "k1", by="ada", why="w", now=START, subjects=K1)
    with pytest.raises(Refused, match=f"open disputes: {number}"):
        acts.decide(store, config, "ada-q4", "not_complete", by="hugo", why="w", now=AFTER)
    acts.decide_dispute(store, config, number, "rejected", by="hugo", why="w", now=AFTER)
    acts.decide(store, config, "ada-q4", "not_complete", by="hugo", why="w", now=AFTER)
    with pytest.raises(UsageError, match="was decided by hugo as not_complete already"):
        acts.decide(store, config, "ada-q4", "complete", by="dana", why="w", now=AFTER)


# --- the rest -----------------------------------------------------------------------------------------------------


def test_a_baseline_is_frozen_once(store: Store, config: Config) -> None:
    window = Window(START - 90 * DAY, START)
    one = Baseline("ada-q4", "reviews", window, {"metric": "review_turnaround", "values": [1.5, None]}, START)
    assert acts.record_baselines(store, config.plans, [one], by="scheduler", now=START) == 1
    other = replace(one, measured={"values": [9.0]})
    assert acts.record_baselines(store, config.plans, [other, replace(one, criterion="tests")], by="s", now=START) == 1
    held = folded(store).baselines
    assert [(each.criterion, each.window, each.measured) for each in held] == [
        ("reviews", window, one.measured), ("tests", window, one.measured),
    ]  # fmt: skip


def test_who_looked_is_on_record(store: Store, config: Config) -> None:
    acts.record_reading(store, config.plans[0], by="hugo", what="plan page", now=START)
    [entry] = store.entries(acts=["read"], subjects=["plan:ada-q4"])
    assert (entry.actor, entry.payload["what"]) == ("hugo", "plan page")


def test_acts_of_an_erased_person_are_gone_and_the_rest_folds(store: Store, config: Config) -> None:
    number = acts.dispute(store, config, "ada-q4", "reviews", "k1", by="ada", why="w", now=START, subjects=K1)
    acts.sign_plan(store, config, "ada-q4", by="ada", now=START)
    store.erase_person(config.people["ada"], "hugo", "asked for", START)
    assert folded(store) == Acts()
    assert acts.all_lives(store) == {}
    acts.hold(store, config.people["ada"], by="hugo", why="w", now=START)
    assert verify(store).ok
    assert number == 1


def test_acts_are_folded_as_of_an_instant(store: Store, config: Config) -> None:
    acts.support(store, config, "ada-q4", 1, date(2026, 10, 19), by="lee", why="w", now=START)
    assert folded(store, START) == Acts()
    assert len(folded(store, START + timedelta(microseconds=1)).supports) == 1
