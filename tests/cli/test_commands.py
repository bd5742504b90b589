"""The command line as a whole: help, errors, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import pipmetrics
from pipmetrics.cli import COMMANDS, main
from tests.organisation import cli


def every(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command and each command of a group, with its path."""
    context = click.Context(command, **command.context_settings)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from every(found, (*path, name))
    if path:
        yield path, command


ALL = dict(every(main))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_says_what_it_does_and_gives_an_example(path: tuple[str, ...]) -> None:
    text = cli(*path, "--help").stdout
    assert "Example" in text
    assert "pipmetrics " + path[0] in text.split("Example", 1)[1]


@pytest.mark.parametrize("path", [path for path in ALL if path[0] not in ("schema", "demo")], ids=" ".join)
def test_every_command_that_reads_a_folder_takes_it_by_config(path: tuple[str, ...]) -> None:
    options = {name for parameter in ALL[path].params for name in parameter.opts}
    reads = path not in {("metrics",), ("criteria",), ("store",), ("dispute",), ("blame",)}
    assert ("--config" in options) == reads


PRINTS_RESULTS = {
    "check", "pull", "evaluate", "run", "deliver", "digest", "explain", "measurements", "baseline", "backtest",
    "portfolio", "verify", "ledger", "runs", "export", "erase", "metrics", "criteria",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PRINTS_RESULTS))
def test_every_command_that_prints_results_takes_text_and_json(name: str) -> None:
    (form,) = [parameter for parameter in ALL[name,].params if "--format" in parameter.opts]
    assert isinstance(form.type, click.Choice)
    assert {"text", "json"} <= set(form.type.choices)
    assert form.default == "text"


def test_the_help_lists_every_command_with_a_short_word() -> None:
    text = cli("--help").stdout
    assert text == cli("-h").stdout
    for name in COMMANDS:
        assert f"\n  {name} " in text


def test_the_version_is_told() -> None:
    assert cli("--version").stdout == f"pipmetrics, version {pipmetrics.__version__}\n"


def test_a_mistyped_command_is_told_with_the_likely_one() -> None:
    assert "Did you mean 'evaluate'?" in cli("evalute", code=2).stderr
    assert "No such command 'zzz'." in cli("zzz", code=2).stderr


def test_a_folder_that_is_none_is_told_with_the_mend(tmp_path: Path) -> None:
    result = cli("evaluate", folder=tmp_path / "nowhere", code=2)
    assert "there is no such folder" in result.stderr
    assert "pipmetrics init" in result.stderr
    assert result.stdout == ""


def test_the_folder_may_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPMETRICS_CONFIG", str(folder))
    assert "intact" in cli("verify").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evaluate", "--as-of", "yesterday"], "is no instant; write 2026-11-23"),
        (["digest", "--week", "2025-47"], "is no ISO week; write 2026-W47"),
        (["digest", "--week", "2025-W47..2025-W40"], "from one week to a later one"),
        (["digest", "--format", "docx"], "'docx' is not one of"),
        (["measurements"], "Missing option '--metric'"),
        (["measurements", "--metric", "reviews_given", "--clock", "sun"], "'sun' is not one of"),
        (["explain", "ada-q4"], "Missing argument 'CRITERION'"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_read(arguments: list[str], said: str, tmp_path: Path) -> None:
    assert said in cli(*arguments, folder=tmp_path / "nowhere", code=2).stderr


def test_a_fault_of_ours_is_told_without_a_trace_unless_it_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipmetrics.api import Organisation

    def broken(*_: object) -> None:
        raise RuntimeError("a hub-token-1234 slipped in")

    monkeypatch.setattr(Organisation, "acts", broken)
    result = CliRunner().invoke(main, ["evaluate", "--config", str(folder)])
    assert result.exit_code == 1
    assert "pipmetrics: a fault of ours: RuntimeError" in result.stderr
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("PIPMETRICS_DEBUG", "1")
    result = CliRunner().invoke(main, ["evaluate", "--config", str(folder)])
    assert isinstance(result.exception, RuntimeError)


def test_ctrl_c_is_told_in_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipmetrics.api import Organisation

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Organisation, "pull", stopped)
    assert "what was committed is kept" in cli("pull", folder=folder, code=130).stderr


def test_a_file_that_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = cli("export", "--person", "ada", "--by", "petra", "--into", tmp_path / "file" / "x", folder=folder, code=1)
    assert "Not a directory" in result.stderr


def test_the_installed_program_runs_without_heavy_imports_and_answers_quickly() -> None:
    """Help reads neither data nor services: nothing heavy may be imported for it."""
    asked = (
        "import json, sys, time; sys.argv = ['pipmetrics', '--help']\n"
        "from pipmetrics.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'numpy', 'scipy', 'sqlalchemy', 'github', 'gitlab', 'jira', 'fastapi', 'requests'}\n"
        "print(json.dumps({'heavy': sorted(heavy & set(sys.modules)), 'cpu': time.process_time()}), file=sys.stderr)\n"
    )
    ours = ("PYTHONDONTWRITEBYTECODE", "COVERAGE_")  # what only a test run has
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    told = [
        json.loads(
            subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True, env=environment).stderr
        )
        for _ in range(3)
    ]
    assert told[0]["heavy"] == []
    assert min(each["cpu"] for each in told) < 0.3
