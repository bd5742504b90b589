"""init, check, schema on the command line."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.organisation import cli, cli_json, opened


def test_init_writes_what_check_accepts_and_overwrites_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    asked = ("init", "--github", "https://api.github.com", "--repository", "acme/api", "--timezone", "Europe/Berlin")
    written = cli(*asked, folder=folder).stdout
    assert f"wrote {folder}/pipmetrics.yaml" in written
    assert f"Next: pipmetrics check --config {folder}" in written
    assert "The configuration is valid: 1 plan, no errors" in cli("check", folder=folder).stdout
    before = (folder / "pipmetrics.yaml").read_text()
    assert "there already" in cli(*asked, folder=folder, code=2).stderr
    assert (folder / "pipmetrics.yaml").read_text() == before
    ignored = (folder / ".gitignore").read_text()
    assert "*.db" in ignored
    assert "ledger.key" in ignored


def test_check_tells_all_errors_of_all_files_and_ends_with_code_2(folder: Path) -> None:
    for name, old, new in (
        ("pipmetrics.yaml", "timezone: UTC", "timezone: Mars/Base\ncolour: red"),
        ("people.yaml", "manager: dana", "manger: dana"),
        ("plans/ada-q4.yaml", "limit: 24h", "limit: 24"),
    ):
        path = folder / name
        path.write_text(path.read_text().replace(old, new, 1))
    result = cli("check", folder=folder, code=2)
    for part in ("pipmetrics.yaml:", "people.yaml:", "ada-q4.yaml:", "colour", "manger", "24"):
        assert part in result.stdout
    problems = cli_json("check", folder=folder, code=2)["problems"]
    assert len(problems) >= 4
    assert all(problem["line"] >= 1 for problem in problems)
    assert "pipmetrics: " in cli("evaluate", folder=folder, code=2).stderr


def test_check_sums_up_in_one_line(folder: Path) -> None:
    lines = cli("check", "--no-facts", folder=folder).stdout.splitlines()
    assert lines[-1].startswith("The configuration is valid: 3 plans, no errors, ")
    assert sum("finding" in line for line in lines) == 1


def test_check_looks_at_the_facts_where_there_are_some(folder: Path) -> None:
    text = (folder / "plans" / "cleo-next.yaml").read_text()
    extra = text.replace("target: 75%", "target: 75%, minimum: 900")
    (folder / "plans" / "cleo-next.yaml").write_text(extra)
    codes = {finding["code"] for finding in cli_json("check", folder=folder)["findings"]}
    assert "PIP201" in codes
    assert "PIP201" not in {finding["code"] for finding in cli_json("check", "--no-facts", folder=folder)["findings"]}


def test_check_online_asks_every_source(folder: Path) -> None:
    told = cli_json("check", "--online", "--no-facts", folder=folder)["sources"]
    assert {answer["source"] for answer in told} == {"hub", "lab", "jira"}
    assert not any(answer["level"] == "error" for answer in told)
    text = cli("check", "--online", "--no-facts", folder=folder).stdout
    assert "✓ hub: " in text


def test_check_online_tells_a_token_that_is_missing_and_one_that_is_wrong(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIPMETRICS_TEST_HUB")
    monkeypatch.setenv("PIPMETRICS_TEST_LAB", "wrong-token-9999")
    told = cli_json("check", "--online", "--no-facts", folder=folder, code=1)["sources"]
    errors = {answer["source"]: answer["what"] for answer in told if answer["level"] == "error"}
    assert errors["hub"].endswith("the environment variable PIPMETRICS_TEST_HUB is not set")
    assert "lab" in errors
    assert "wrong-token-9999" not in json.dumps(told)


def test_check_online_names_active_accounts_that_are_nobodys(folder: Path) -> None:
    path = folder / "people.yaml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("  finn:")]
    path.write_text("\n".join(lines) + "\n")
    with opened(folder) as company, company.store.writing("test") as connection:  # they were seen a moment ago
        connection.exec_driver_sql(f"UPDATE account SET last_seen = {int(time.time() * 1e6)}")
    told = cli_json("check", "--online", "--no-facts", folder=folder)["sources"]
    notes = [answer["what"] for answer in told if answer["level"] == "note" and answer["source"] == "hub"]
    assert any("finn-l" in note and "belong to nobody in people.yaml" in note for note in notes)
    assert not any("renovate" in note for note in notes)


def test_check_annotates_pull_requests(folder: Path) -> None:
    assert "::warning file=" in cli("check", "--no-facts", "--format", "github", folder=folder).stdout
    assert json.loads(cli("check", "--no-facts", "--format", "sarif", folder=folder).stdout)["version"] == "2.1.0"


def test_check_explains_a_rule() -> None:
    assert "PIP202" in cli("check", "--explain", "pip202").stdout
    assert "there is no lint rule 'PIP999'" in cli("check", "--explain", "PIP999", code=2).stderr


def test_check_makes_no_store(tmp_path: Path) -> None:
    cli("init", folder=tmp_path / "config")
    cli("check", folder=tmp_path / "config")
    assert not list((tmp_path / "config").glob("*.db*"))


def test_check_tells_a_store_that_cannot_be_read(folder: Path) -> None:
    for path in folder.glob("pipmetrics.db*"):
        path.unlink()
    (folder / "pipmetrics.db").write_text("no database\n" * 200)
    result = cli("check", folder=folder, code=1)
    assert "■ store: file is not a database" in result.stdout


def test_schemas_are_printed_all_or_one() -> None:
    every = json.loads(cli("schema").stdout)
    assert set(every) == {"pipmetrics", "people", "plan"}
    assert json.loads(cli("schema", "plan").stdout) == every["plan"]
    assert "there is no schema 'plans'" in cli("schema", "plans", code=2).stderr
