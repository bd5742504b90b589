"""What is kept no longer goes as an act on record, from both databases; a legal hold keeps it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipmetrics.ledger import Act, verify
from pipmetrics.model import Account, Calendar, Person, Signal
from pipmetrics.plugin import Page
from pipmetrics.store import Evaluated, Store
from pipmetrics.store.expiry import ended_plans, forget_facts, forget_plans
from tests.conftest import NOW
from tests.store.facts import signal

DAY = timedelta(days=1)
OLD, END = NOW - 500 * DAY, NOW - 400 * DAY
ADA = Person("ada", "Ada", Calendar("UTC"), accounts={"hub": ("ada-l",)})


def evaluated(plan: str, end: datetime, *, person: str = "ada", as_of: datetime = OLD) -> Evaluated:
    result = {"plans": [{"plan": plan, "window": {"start": OLD.isoformat(), "end": end.isoformat()}}]}
    texts = {"plan": f"text of {plan}", "person": f"text of {person}", "settings": "shared"}
    return Evaluated(plan, person, as_of, "1", "p", "i", result, 0, 0, texts)


@pytest.fixture
def filled(store: Store) -> Store:
    """Two plans of Ada's, one that is over and decided, and one that is not."""
    store.record_evaluations([evaluated("ada-1", END), evaluated("ada-2", NOW + DAY)], "scheduler", OLD)
    people = [Act(act, "plan:ada-1", "dana", {"person": "ada", "act": act}) for act in ("sign", "check_in", "decide")]
    store.append(people, END + DAY)
    return store


def left(store: Store, plan: str) -> list[str]:
    return [entry.act for entry in store.entries(subjects=[f"plan:{plan}"]) if entry.payload is not None]


def test_a_plan_is_over_since_its_end_or_the_decision_and_stays_so_when_nothing_else_is_left(filled: Store) -> None:
    (one,) = ended_plans(filled, NOW)
    assert (one.plan, one.person, one.at) == ("ada-1", "ada", END + DAY)
    forget_plans(filled, NOW, "kept for 1 days", NOW, figures=False)
    assert ended_plans(filled, NOW) == [one]
    assert ended_plans(filled, END) == []


def test_evaluations_go_first_and_all_else_later_each_on_record_and_once(filled: Store) -> None:
    gone = forget_plans(filled, NOW - 399 * DAY, "kept for 399 days", NOW, figures=True)
    assert gone == {"ada-1": [1]}
    assert left(filled, "ada-1") == ["sign", "check_in", "decide", "erase"]
    assert left(filled, "ada-2") == ["evaluation"]
    entry = filled.entries(acts=["erase"])[0]
    assert (entry.actor, entry.payload["entries"], entry.payload["why"]) == ("scheduler", [1], "kept for 399 days")
    assert forget_plans(filled, NOW - 399 * DAY, "kept for 399 days", NOW, figures=True) == {}
    assert forget_plans(filled, NOW, "kept for 399 days", NOW, figures=False) == {"ada-1": [3, 4, 5]}
    assert left(filled, "ada-1") == ["erase", "erase"]
    assert verify(filled).ok
    assert verify(filled).erased == 4


def test_texts_go_with_the_last_evaluation_that_was_made_from_them(filled: Store) -> None:
    texts = filled.entry(1).payload["texts"]
    forget_plans(filled, NOW, "why", NOW, figures=True)
    assert set(filled.documents(texts.values()).values()) == {"text of ada", "shared"}
    assert filled.latest_evaluation("ada-1") is None
    assert filled.latest_evaluation("ada-2") is not None


def test_what_is_under_a_legal_hold_stays_until_it_is_released(filled: Store) -> None:
    filled.append([Act("hold", "person:ada", "petra", {"person": "ada", "why": "Claim"})], NOW)
    assert forget_plans(filled, NOW, "why", NOW, figures=False) == {}
    filled.append([Act("release", "person:ada", "petra", {"person": "ada", "why": "Over"})], NOW)
    assert list(forget_plans(filled, NOW, "why", NOW, figures=False)) == ["ada-1"]


# --- facts --------------------------------------------------------------------------------------------------------


def at(when: datetime, kind: str, subject: str, key: str, actor: str = "88") -> Signal:
    return replace(signal(kind, subject, key, actor=actor), at=when)


def facts(store: Store) -> None:
    old, late, now = "hub:acme/api#1", "hub:acme/api#2", "hub:acme/api#3"
    groups = {
        old: [at(OLD, "change_opened", old, "o1", "99"), at(OLD + DAY, "change_merged", old, "m1", "99")],
        late: [at(OLD, "change_opened", late, "o2"), at(NOW - DAY, "commented", late, "c2")],
        now: [at(NOW - 90 * DAY, "change_opened", now, "o3"), at(NOW - 80 * DAY, "change_merged", now, "m3")],
        "deploy 1": [at(NOW - 450 * DAY, "deployed", "hub:acme/api@1", "d1")],
        "deploy 2": [at(NOW - 70 * DAY, "deployed", "hub:acme/api@2", "d2")],
    }
    accounts = [Account("hub", "88", "bob"), Account("hub", "99", "zoe"), Account("hub", "77", "ada-l")]
    store.write("hub", Page(groups=groups, accounts=accounts), NOW)


def test_changes_that_have_rested_go_as_a_whole_with_accounts_that_nothing_names(store: Store) -> None:
    facts(store)
    before = store.revision()
    found = forget_facts(store, NOW - 400 * DAY, {"ada": ADA}, "kept for 400 days", NOW)
    assert (found.subjects, found.signals, found.accounts) == (2, 3, 1)
    assert sorted(store.signals()["key"]) == ["c2", "d2", "m3", "o2", "o3"]
    assert sorted(store.accounts()["login"]) == ["ada-l", "bob"]
    assert store.revision() == before + 1
    (entry,) = store.entries(acts=["expire"])
    assert (entry.actor, entry.subject, entry.payload["signals"]) == ("scheduler", "store", 3)
    assert forget_facts(store, NOW - 400 * DAY, {"ada": ADA}, "kept for 400 days", NOW).subjects == 0
    assert len(store.entries(acts=["expire"])) == 1
    assert verify(store).ok


def test_a_deployment_stays_while_a_change_that_it_may_have_delivered_does(store: Store) -> None:
    facts(store)
    merged = "hub:acme/api#4"
    signals = [at(NOW - 460 * DAY, "change_merged", merged, "m4"), at(NOW - DAY, "commented", merged, "c4")]
    store.write("hub", Page(groups={merged: signals}), NOW)
    forget_facts(store, NOW - 400 * DAY, {}, "why", NOW)
    assert "d1" in set(store.signals()["key"])


def test_facts_that_somebody_under_a_legal_hold_took_part_in_stay(store: Store) -> None:
    facts(store)
    zoe = Person("zoe", "Zoe", Calendar("UTC"), accounts={"hub": ("zoe",)})
    store.append([Act("hold", "person:zoe", "petra", {"person": "zoe", "why": "Claim"})], NOW)
    assert forget_facts(store, NOW - 400 * DAY, {"zoe": zoe}, "why", NOW).subjects == 1
    assert {"o1", "m1"} <= set(store.signals()["key"])
