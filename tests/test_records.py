"""Evaluations on the record: written once, found again, made again bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipmetrics import acts
from pipmetrics.api import Organisation
from pipmetrics.errors import StoreError, UsageError
from pipmetrics.ledger import verify
from pipmetrics.model import Json, Signal
from pipmetrics.plugin import Page
from pipmetrics.records import as_it_was, latest, recorded, says_the_same, scored, texts_of, to_record
from tests.organisation import AS_OF, at, opened


def test_recording_freezes_baselines_and_writes_an_entry_a_plan(company: Organisation) -> None:
    evaluations, entries = company.record(AS_OF)
    held = company.store.entries()
    assert [entry.act for entry in held] == ["baseline"] * 5 + ["evaluation"] * 2
    assert [entry.seq for entry in held if entry.act == "evaluation"] == entries
    frozen = {(entry.subject, entry.payload["criterion"]) for entry in held if entry.act == "baseline"}
    assert frozen == {
        ("plan:ada-q4", "reviews-24h"), ("plan:ada-q4", "reviews-24h#guardrail"), ("plan:ada-q4", "bugs-halved"),
        ("plan:ada-q4", "merged-fast"), ("plan:ben-coaching", "weekly-reviews"),
    }  # fmt: skip
    payload = held[-1].payload
    assert payload["result"] == {**evaluations.to_json(), "plans": [evaluations.to_json()["plans"][1]]}
    assert set(payload["texts"]) == {"plan", "person", "settings", "gaps"}


def test_the_same_again_writes_nothing(company: Organisation) -> None:
    company.record(AS_OF)
    head = company.store.head()
    _, entries = company.record(AS_OF)
    assert entries == []
    assert company.store.head() == head


def test_other_facts_acts_or_plans_are_recorded_anew(company: Organisation, folder: Path) -> None:
    company.record(AS_OF, "ada-q4")
    add_late_answer(company)
    assert len(company.record(AS_OF, "ada-q4")[1]) == 1
    path = folder / "plans" / "ada-q4.yaml"
    path.write_text(path.read_text().replace("target: 90%\n    minimum: 8", "target: 85%\n    minimum: 8"))
    with opened(folder) as edited:
        assert len(edited.record(AS_OF, "ada-q4")[1]) == 1
        assert edited.record(AS_OF, "ada-q4")[1] == []


def add_late_answer(company: Organisation) -> None:
    """Ada reviewed one of Cleo's changes a second time; it comes to light now."""
    rows = company.store.signals(["reviewed"], subjects=["hub:acme/web#1"])
    subject = "hub:acme/web#1"
    held = company.store.signals(subjects=[subject])
    facts = [
        Signal(row["source"], row["kind"], row["subject"], row["key"], row["at"].to_pydatetime(), row["url"],
               row["actor"], row["mark"], None if row["value"] != row["value"] else row["value"], row["detail"])
        for row in held.to_dict("records")
    ]  # fmt: skip
    more = replace(facts[0], kind="reviewed", key="late-found", at=at(14, 2), actor=rows.iloc[0]["actor"],
                   value=0.0, detail={"state": "approved", "comments": 0})  # fmt: skip
    company.store.write("hub", Page(groups={subject: [*facts, more]}), company.now())


def test_it_is_found_by_plan_and_instant(company: Organisation) -> None:
    company.record(AS_OF)
    company.record(AS_OF - timedelta(days=7))
    plans = company.plans()
    found = recorded(company, plans, AS_OF)
    assert set(found) == {"ada-q4", "ben-coaching"}
    assert found["ada-q4"].entry["plan"] == "ada-q4"
    assert found["ada-q4"].anchor == f"{found['ada-q4'].seq}:{company.store.entry(found['ada-q4'].seq).hash}"
    assert recorded(company, plans, AS_OF + timedelta(seconds=1)) == {}
    assert latest(company, "ada-q4").payload["as_of"].startswith("2025-11-17")  # type: ignore[union-attr]  # recorded
    assert latest(company, "cleo-next") is None


# --- replay -------------------------------------------------------------------------------------------------------


def test_a_replay_gives_the_same_to_the_byte_whatever_happened_since(life: Path) -> None:
    with opened(life, at(20, 1)) as company:
        last = latest(company, "ada-q4")
        assert last is not None
        add_late_answer(company)
        (dispute,) = company.acts(at(20, 1)).disputes
        acts.decide_dispute(
            company.store, company.config, dispute.entry, "upheld", by="petra", why="Yes.", now=at(20, 1)
        )
        company.store.fail("hub", "unreachable since")
    for name, old, new in (
        ("plans/ada-q4.yaml", "target: 90%", "target: 50%"),
        ("people.yaml", "{name: Ada Example,", "{name: Ada Other, timezone: Asia/Tokyo,"),
        ("pipmetrics.yaml", "timezone: UTC", "timezone: Europe/Berlin\nscoring: {met_at: 90%}"),
    ):
        path = life / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
    with opened(life, at(20, 2)) as company:
        for entry in company.store.entries(acts=["evaluation"]):
            again = company.replay(entry.seq)
            assert again.same, again.to_text()
            assert again.to_json() == {"entry": entry.seq, "same": True, "differences": []}
        assert company.evaluate(plan="ada-q4").to_json()["plans"][0]["incomplete_sources"] == ["hub"]


def test_a_replay_remembers_which_sources_were_incomplete(company: Organisation) -> None:
    then = AS_OF + timedelta(hours=1)
    company.store.fail("hub", "unreachable", "acme/api")
    _, (entry,) = company.record(then, "ada-q4")
    assert company.store.entry(entry).payload["result"]["plans"][0]["incomplete_sources"] == ["hub"]
    company.store.complete("hub", then)
    assert company.evaluate(then, "ada-q4").to_json()["plans"][0]["incomplete_sources"] == []
    assert company.replay(entry).same


def test_a_replay_that_differs_says_where(company: Organisation) -> None:
    _, (entry,) = company.record(AS_OF, "ada-q4")
    with company.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM signal WHERE kind = 'reviewed'")
    again = company.replay(entry)
    assert not again.same
    assert again.to_text().startswith(f"entry {entry}: differs\n  plans[0].criteria[0].")


def test_what_is_no_evaluation_cannot_be_replayed(company: Organisation) -> None:
    company.record(AS_OF, "ada-q4")
    with pytest.raises(UsageError, match="entry 1 is no evaluation"):
        company.replay(1)
    with pytest.raises(StoreError, match="no entry 999"):
        company.replay(999)


def test_what_was_erased_cannot_be_replayed_and_the_ledger_still_verifies(life: Path) -> None:
    with opened(life, at(20, 1)) as company:
        last = latest(company, "ada-q4")
        assert last is not None
        ben = latest(company, "ben-coaching")
        assert ben is not None
        company.store.erase_person(company.config.people["ada"], "petra", "Asked for.", at(20, 1))
        assert verify(company.store).ok
        with pytest.raises(UsageError, match="no evaluation that is still held"):
            company.replay(last.seq)
        assert set(texts_of(company, last)) == {"settings", "gaps"}
        with pytest.raises(UsageError, match="has been erased"):
            as_it_was(company, last)
        assert company.replay(ben.seq).same


# --- what is new --------------------------------------------------------------------------------------------------


def entry_of(company: Organisation, when: object) -> Json:
    return company.evaluate(when, "ada-q4").to_json()["plans"][0]  # type: ignore[arg-type]  # an instant


def test_results_that_moved_with_time_alone_say_the_same(company: Organisation) -> None:
    first = entry_of(company, AS_OF)
    assert says_the_same(first, entry_of(company, AS_OF + timedelta(minutes=20)))
    other = json.loads(json.dumps(first))
    other["criteria"][0]["counted"] += 1
    assert not says_the_same(first, other)
    assert not says_the_same(first, {**first, "verdict": "met"})
    assert not says_the_same(first, entry_of(company, AS_OF - timedelta(days=7)))


def test_a_pull_in_the_middle_of_an_evaluation_makes_it_begin_anew(
    company: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure, calls = Organisation.measured, []

    def disturbed(self: Organisation, *given: object) -> object:
        found = measure(self, *given)  # type: ignore[arg-type]  # as it came
        calls.append(1)
        if len(calls) == 1:
            add_late_answer(company)
        return found

    monkeypatch.setattr(Organisation, "measured", disturbed)
    scoring = scored(company, company.plans("ada-q4"), AS_OF)
    assert len(calls) == 2
    assert scoring.revision == company.store.revision()
    (one,) = to_record(company, scoring)
    assert (one.revision, one.through) == (scoring.revision, 0)


HASHES = """
import sys
from pathlib import Path
from pipmetrics.records import scored, to_record
from tests.organisation import AS_OF, opened
with opened(Path(sys.argv[1])) as company:
    for one in to_record(company, scored(company, company.plans("ada-q4", AS_OF), AS_OF)):
        print(one.inputs_hash, one.texts["person"], one.texts["settings"])
"""


def test_every_process_writes_the_same_texts_and_hashes(folder: Path) -> None:
    for name, old, new in (
        (
            "people.yaml",
            "manager: dana, team: core,\n     accounts: {hub: ada-l",
            "roles: [lead, mentor, host, guide],\n     manager: dana, team: core, accounts: {hub: ada-l",
        ),
        (
            "pipmetrics.yaml",
            "production: [production]",
            "production: [production], bugs: {labels: [bug, defect, flaw]}",
        ),
        ("plans/ada-q4.yaml", "clock: elapsed\n    guard", "clock: elapsed\n    include: [own, bot]\n    guard"),
    ):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
    around = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    told = [
        subprocess.run(
            [sys.executable, "-c", HASHES, str(folder)], env={**around, "PYTHONHASHSEED": seed},
            check=True, capture_output=True, text=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]  # fmt: skip
    assert "guide" in told[0]
    assert len(set(told)) == 1
