from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from pipmetrics.ledger import verify
from pipmetrics.store import Evaluated, Store
from pipmetrics.store.values import sha256
from tests.conftest import NOW
from tests.store.facts import change, page

ONE = Evaluated(
    plan="ada-2026-q4",
    person="ada",
    as_of=NOW,
    version="0.1.0",
    plan_hash="a" * 64,
    inputs_hash="b" * 64,
    result={"verdict": "at_risk", "score": 0.67},
    revision=0,
    through=0,
    texts={"plan": "plan: ada", "settings": "timezone: UTC"},
)


def test_an_evaluation_is_recorded_with_the_hashes_and_the_way_back_to_its_inputs(store: Store) -> None:
    store.write("hub", page(change(1)), NOW)
    one = replace(ONE, revision=store.revision())
    [(same, seq)] = store.record_evaluations([one], "scheduler", NOW)
    assert same == one
    entry = store.entry(seq)
    assert (entry.act, entry.subject, entry.actor, entry.at) == ("evaluation", "plan:ada-2026-q4", "scheduler", NOW)
    said = entry.payload
    assert (said["plan_hash"], said["inputs_hash"], said["version"]) == ("a" * 64, "b" * 64, "0.1.0")
    assert said["result_hash"] == sha256(json.dumps(one.result, sort_keys=True, separators=(",", ":")))
    assert store.documents(said["texts"].values()) == {sha256(text): text for text in one.texts.values()}
    store.write("hub", page(change(1, reviews=0)), NOW)
    assert len(store.signals(revision=said["revision"])) == 2
    assert store.latest_evaluation("ada-2026-q4") == entry
    assert verify(store).ok


def test_the_same_evaluation_again_is_not_recorded_twice(store: Store) -> None:
    assert len(store.record_evaluations([ONE, ONE], "scheduler", NOW)) == 1
    assert store.record_evaluations([ONE], "scheduler", NOW + timedelta(days=1)) == []
    others = [
        replace(ONE, plan="bob"),
        replace(ONE, as_of=NOW + timedelta(days=1)),
        replace(ONE, inputs_hash="c" * 64),
        replace(ONE, plan_hash="c" * 64),
        replace(ONE, version="0.2.0"),
    ]
    assert [one for one, _ in store.record_evaluations([ONE, *others], "scheduler", NOW)] == others
    assert store.head().seq == 6


def test_evaluations_are_found_by_plan_and_instant(store: Store) -> None:
    later = replace(ONE, as_of=NOW + timedelta(days=1))
    other = replace(ONE, plan="bob", inputs_hash="c" * 64)
    store.record_evaluations([ONE, later, other, replace(ONE, inputs_hash="d" * 64)], "scheduler", NOW)
    assert [entry.seq for entry in store.evaluations_at(["ada-2026-q4", "bob", "eve"], NOW)] == [3, 4]
    assert [entry.seq for entry in store.evaluations_at(["ada-2026-q4"], later.as_of)] == [2]
    assert store.evaluations_at(["bob"], later.as_of) == []


def test_a_plan_without_evaluations_has_no_latest_one(store: Store) -> None:
    assert store.latest_evaluation("none") is None
