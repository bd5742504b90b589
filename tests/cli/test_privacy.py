"""export, erase, hold on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.organisation import cli, cli_json, opened


def test_everything_held_about_a_person_is_written_for_them_alone(life: Path, tmp_path: Path) -> None:
    into = tmp_path / "out"
    told = cli_json("export", "--person", "ada", "--by", "petra", "--into", into, folder=life)
    assert told["files"] == ["accounts.csv", "everything.json", "ledger.csv", "measurements.csv", "signals.csv"]
    assert into.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in into.iterdir())
    whole = json.loads((into / "everything.json").read_text())
    assert whole["person"]["id"] == "ada"
    assert {entry["act"] for entry in whole["ledger"]} >= {"evaluation", "dispute", "check_in"}
    assert len(whole["signals"]) > 100
    (entry,) = cli_json("ledger", "--act", "export", folder=life)
    assert (entry["actor"], entry["subject"]) == ("petra", "person:ada")
    assert "exists already" in cli("export", "--person", "ada", "--into", into, folder=life, code=2).stderr


def test_an_export_goes_beside_by_default(life: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "wrote export-ben/everything.json" in cli("export", "--person", "ben", "--by", "petra", folder=life).stdout


def test_an_erasure_asks_is_recorded_and_leaves_a_ledger_that_verifies(life: Path) -> None:
    erase = ("erase", "--person", "ben", "--by", "petra", "--why", "Ben asked for it.")
    assert "nothing was erased" in cli(*erase, folder=life, code=2, stdin="n\n").stderr
    assert "erased: " in cli(*erase, folder=life, stdin="y\n").stdout
    assert cli_json("verify", folder=life)["ok"]
    (entry,) = cli_json("ledger", "--act", "erase", folder=life)
    assert entry["payload"]["why"] == "Ben asked for it."
    assert cli_json(*erase, "--yes", folder=life)["entries"] == []
    with opened(life) as company:
        assert not any("ben" in str(login).lower() for login in company.store.accounts()["login"])


def test_a_pull_after_an_erasure_does_not_bring_the_person_back(life: Path) -> None:
    cli("erase", "--person", "ben", "--by", "petra", "--why", "Asked.", "--yes", folder=life)
    cli("pull", folder=life)
    with opened(life) as company:
        assert not any("ben" in str(login).lower() for login in company.store.accounts()["login"])


def test_a_hold_keeps_data_from_erasure_until_it_is_released(life: Path) -> None:
    erase = ("erase", "--person", "ada", "--by", "petra", "--why", "Asked.", "--yes")
    cli("hold", "--person", "ada", "--by", "petra", "--why", "Claim 14.", folder=life)
    refused = cli(*erase, folder=life, code=3)
    assert "legal hold" in refused.stderr
    assert "pipmetrics hold --release" in refused.stderr
    cli("hold", "--person", "ada", "--release", "--by", "petra", "--why", "Settled.", folder=life)
    assert cli_json(*erase, folder=life)["entries"]


@pytest.mark.parametrize("command", ["export", "erase", "hold"])
def test_nobody_is_told_with_the_likely_name(folder: Path, command: str) -> None:
    more = () if command == "export" else ("--why", "x")
    assert "Did you mean 'ada'?" in cli(command, "--person", "adda", *more, folder=folder, code=2).stderr
