"""verify, ledger, runs on the command line."""

from __future__ import annotations

from pathlib import Path

from tests.organisation import WEEK, cli, cli_json, opened


def test_an_intact_ledger_is_proved_also_against_the_head_of_a_digest(life: Path) -> None:
    found = cli_json("verify", folder=life)
    assert found["ok"]
    head = cli_json("digest", "--week", WEEK, folder=life)["ledger"]
    assert "intact" in cli("verify", "--anchor", head, folder=life).stdout
    assert "intact" in cli("verify", "--anchor", head[:20], folder=life).stdout


def test_a_cut_tail_is_shown_by_an_anchor_and_a_changed_entry_without_one(life: Path) -> None:
    head = cli_json("verify", folder=life)["head"]
    with opened(life) as company, company.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS entry_no_update")
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        connection.exec_driver_sql("DELETE FROM payload WHERE seq = (SELECT max(seq) FROM entry)")
        connection.exec_driver_sql("DELETE FROM checkpoint WHERE seq = (SELECT max(seq) FROM entry)")
        connection.exec_driver_sql("DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)")
    assert "the tail was cut" in cli("verify", "--anchor", head, folder=life, code=3).stdout
    with opened(life) as company, company.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entry SET actor = 'eve' WHERE seq = 3")
    assert "broken at entry 3" in cli("verify", folder=life, code=3).stdout
    assert cli_json("verify", folder=life, code=3)["seq"] == 3


def test_what_is_no_anchor_is_told(folder: Path) -> None:
    assert "SEQ:HASH" in cli("verify", "--anchor", "abc", folder=folder, code=2).stderr


def test_the_ledger_is_listed_by_plan_and_kind(life: Path) -> None:
    every = cli_json("ledger", "--last", 1000, folder=life)
    assert [entry["seq"] for entry in every] == list(range(1, len(every) + 1))
    own = cli_json("ledger", "--plan", "ada-q4", "--act", "check_in", folder=life)
    assert [(entry["act"], entry["actor"]) for entry in own] == [("check_in", "dana")] * 6
    assert "plan:ada-q4" in cli("ledger", "--last", 5, folder=life).stdout
    assert "no plan 'x'" in cli("ledger", "--plan", "x", folder=life, code=2).stderr


def test_an_empty_ledger_says_so(folder: Path) -> None:
    assert cli("ledger", folder=folder).stdout == "nothing is recorded\n"


def test_the_runs_are_listed_newest_first(life: Path) -> None:
    found = cli_json("runs", folder=life)
    assert [run["kind"] for run in found] == ["nightly", "nightly", "pull", "migrate"]
    assert found[0]["outcome"] == "done"
    assert set(found[2]["sources"]) == {"hub", "lab", "jira"}
    text = cli("runs", "--last", 1, folder=life).stdout
    assert text.count("\n") == 1
    assert "nightly  done" in text
