from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from pipmetrics.errors import Refused
from pipmetrics.ledger import Act, verify
from pipmetrics.model import Account, Calendar, Person, Signal
from pipmetrics.plugin import Page
from pipmetrics.store import Evaluated, Store
from tests.conftest import NOW
from tests.store.facts import page, signal

ADA = Person(
    "ada",
    "Ada Example",
    Calendar("UTC"),
    email="ada@example.com",
    accounts={"hub": ("ada-l",), "lab": None, "jira": ("ada@example.com",)},
)
ACCOUNTS = [
    Account("hub", "77", "ada-old"),
    Account("hub", "77", "ada-l", "ada@example.com"),
    Account("hub", "88", "bob"),
]


def facts() -> Page:
    own, other = "hub:acme/api#1", "hub:acme/api#2"
    there: dict[str, list[Signal]] = {
        own: [
            signal("change_opened", own, "o1", actor="77", title="=Secret plans", author_login="ada-l"),
            signal("reviewed", own, "r1", hours=1, actor="88", state="approved"),
        ],
        other: [
            signal("change_opened", other, "o2", actor="88", title="Bob's", author_login="bob"),
            signal("review_requested", other, "q2", hours=1, actor="88", requester="77", team=None),
            signal("commented", other, "c2", hours=2, actor="@ada-old"),
        ],
    }
    return page(there, accounts=ACCOUNTS)


@pytest.fixture
def filled(store: Store) -> Store:
    store.write("hub", facts(), NOW)
    store.write("hub", Page(groups={"hub:acme/api#1": facts().groups["hub:acme/api#1"][:1]}), NOW)
    store.write("hub", facts(), NOW)
    store.append([Act("check_in", "plan:ada-q4", "dana", {"person": "ada", "note": "talked about Ada's leave"})], NOW)
    store.append([Act("read", "plan:ada-q4", "dana", {})], NOW)
    store.append([Act("check_in", "plan:bob-q4", "dana", {"person": "bob", "note": "Bob is well"})], NOW)
    evaluated = Evaluated(
        "ada-q4", "ada", NOW, "1", "a", "b", {"score": 1}, 1, 1, {"plan": "plan of Ada", "settings": "s"}
    )
    store.record_evaluations([evaluated], "scheduler", NOW)
    return store


def test_an_export_holds_everything_about_the_person_and_is_itself_recorded(filled: Store) -> None:
    files = filled.export_person(ADA, "ada", NOW)
    whole = json.loads(files["everything.json"])
    assert whole["person"]["name"] == "Ada Example"
    assert [(account["id"], account["login"]) for account in whole["accounts"]] == [("77", "ada-l"), ("77", "ada-old")]
    assert [signal["key"] for signal in whole["signals"]] == ["o1", "q2", "c2"]
    assert [entry["act"] for entry in whole["ledger"]] == ["check_in", "read", "evaluation"]
    assert whole["texts"] == ["plan of Ada"]
    assert "Bob is well" not in files["everything.json"].decode()
    assert filled.entry(filled.head().seq).act == "export"


def test_an_export_opens_in_a_spreadsheet_without_running_anything(filled: Store) -> None:
    files = filled.export_person(ADA, "ada", NOW)
    assert sorted(files) == ["accounts.csv", "everything.json", "ledger.csv", "measurements.csv", "signals.csv"]
    for name in ("accounts.csv", "ledger.csv", "signals.csv"):
        for row in csv.reader(io.StringIO(files[name].decode())):
            assert not [cell for cell in row if cell.startswith(("=", "+", "@", "\t"))], row


def test_an_erasure_leaves_nothing_of_the_person_and_a_ledger_that_verifies(filled: Store, tmp_path: Path) -> None:
    assert filled.erase_person(ADA, "hr", "asked for", NOW) == [1, 2, 4]
    found = verify(filled)
    assert (found.ok, found.erased) == (True, 3)
    assert filled.entry(5).payload == {"person": "ada", "entries": [1, 2, 4], "why": "asked for"}
    assert filled.entry(3).payload["note"] == "Bob is well"
    whole = filled.export_person(ADA, "hr", NOW)["everything.json"].decode()
    for trace in ("Secret plans", "ada-old", '"77"', "leave", "plan of Ada"):
        assert trace not in whole.replace('"ada-l"', "")
    if filled.engine.dialect.name == "sqlite":
        for file in tmp_path.glob("store.db*"):
            assert b"Secret plans" not in file.read_bytes(), file
            assert b"plan of Ada" not in file.read_bytes(), file


def test_what_others_did_keeps_its_evidence(filled: Store) -> None:
    filled.erase_person(ADA, "hr", "asked for", NOW)
    frame = filled.signals().set_index("key")
    assert set(frame.index) == {"o1", "r1", "o2", "q2", "c2"}
    assert frame.loc["o1", "mark"] == "ghost"
    assert frame.loc[["o1", "c2"], "actor"].isna().all()
    assert frame.loc["o1", "detail"] == {"title": "", "author_login": None}
    assert frame.loc["r1", "actor"] == "88"
    assert frame.loc["q2", "detail"] == {"requester": None, "team": None}
    assert filled.accounts()["id"].tolist() == ["88"]


def test_a_later_pull_does_not_bring_the_person_back(filled: Store) -> None:
    filled.erase_person(ADA, "hr", "asked for", NOW)
    before, revision = filled.signals(), filled.revision()
    assert not filled.write("hub", facts(), NOW)
    assert filled.revision() == revision
    assert before.equals(filled.signals())


def test_former_revisions_are_erased_too(filled: Store) -> None:
    filled.erase_person(ADA, "hr", "asked for", NOW)
    for revision in range(filled.revision() + 1):
        frame = filled.signals(revision=revision)
        assert not frame["actor"].isin(["77", "@ada-old"]).any()
        assert not frame["detail"].astype("str").str.contains("Secret").any()
        assert "77" not in filled.accounts(revision=revision)["id"].tolist()


def test_a_legal_hold_blocks_the_erasure_until_it_is_released(filled: Store) -> None:
    filled.append([Act("hold", "person:ada", "hr", {"person": "ada", "why": "claim"})], NOW)
    with pytest.raises(Refused, match="legal hold"):
        filled.erase_person(ADA, "hr", "asked for", NOW)
    assert verify(filled).erased == 0
    filled.append([Act("release", "person:ada", "hr", {"person": "ada", "why": "settled"})], NOW)
    assert filled.erase_person(ADA, "hr", "asked for", NOW) == [1, 2, 4]


def test_erasing_someone_again_empties_what_was_recorded_since(filled: Store) -> None:
    filled.erase_person(ADA, "hr", "asked for", NOW)
    filled.append([Act("check_in", "plan:ada-q5", "dana", {"person": "ada", "note": "back again"})], NOW)
    assert filled.erase_person(ADA, "hr", "asked again", NOW) == [6]
    assert verify(filled).ok
