"""What a newcomer meets: questions of init, completion in the shell, and errors that say what to do next."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipmetrics.cli import COMMANDS, NEXT, main, told
from pipmetrics.config import load
from pipmetrics.config.lint import lint
from pipmetrics.errors import ConfigError, Deferred, PipmetricsError, Problem, Refused, SourceError, StoreError

ANSWERS = [
    "https://api.github.com", "acme/api acme/web-*", "https://gitlab.example.com", "", "platform/core", "zoe", "omar",
    "Europe/Berlin",
]  # fmt: skip


def test_init_asks_for_what_was_not_given_and_writes_what_check_accepts(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    done = CliRunner().invoke(main, ["init", "--ask", "--config", str(folder)], input="\n".join(ANSWERS) + "\n")
    assert done.exit_code == 0, done.output
    config = load(folder)
    assert {name: source.url for name, source in config.settings.sources.items()} == {
        "hub": "https://api.github.com",
        "lab": "https://gitlab.example.com",
    }
    assert config.settings.sources["hub"].repositories == ("acme/api", "acme/web-*")
    assert config.settings.sources["lab"].projects == ("platform/core",)
    assert (config.plans[0].person, config.plans[0].manager) == ("zoe", "omar")
    assert lint(config) == ()
    checked = CliRunner().invoke(main, ["check", "--config", str(folder)])
    assert checked.exit_code == 0
    assert "The configuration is valid: 1 plan, no errors, no findings." in checked.output


@pytest.mark.parametrize(
    "options",
    [
        ["--github", "https://api.github.com", "--repository", "acme/api"],
        ["--gitlab", "https://gitlab.example.com", "--project", "platform/core"],
        ["--jira", "https://acme.atlassian.net", "--project", "PAY", "--person", "zoe", "--manager", "omar"],
        ["--timezone", "Europe/Berlin"],
    ],
)
def test_whatever_init_was_told_check_accepts_and_nothing_is_asked_away_from_a_terminal(
    options: list[str], tmp_path: Path
) -> None:
    folder = str(tmp_path / "config")
    assert CliRunner().invoke(main, ["init", "--config", folder, *options]).exit_code == 0
    done = CliRunner().invoke(main, ["check", "--config", folder])
    assert (done.exit_code, "no errors, no findings" in done.output) == (0, True), done.output


# --- completion ---------------------------------------------------------------------------------------------------


def completion(shell: str, **typed: str) -> str:
    """What the installed program answers to the completion of that shell."""
    environment = {**os.environ, "_PIPMETRICS_COMPLETE": shell, **typed}
    program = [sys.executable, "-c", "from pipmetrics.cli import main; main(prog_name='pipmetrics')"]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("shell", "mark"),
    [("bash", "complete -o nosort -F"), ("zsh", "#compdef pipmetrics"), ("fish", "complete --no-files")],
)
def test_each_shell_gets_its_script(shell: str, mark: str) -> None:
    if shell != "bash" or shutil.which("bash"):
        assert mark in completion(f"{shell}_source")


def test_commands_options_and_choices_are_completed() -> None:
    assert completion("bash_complete", COMP_WORDS="pipmetrics back", COMP_CWORD="1") == "plain,backtest\n"
    every = completion("bash_complete", COMP_WORDS="pipmetrics ", COMP_CWORD="1").splitlines()
    assert {line.removeprefix("plain,") for line in every} == set(COMMANDS)
    options = completion("bash_complete", COMP_WORDS="pipmetrics check --on", COMP_CWORD="2")
    assert options == "plain,--online\n"
    assert "plain,json" in completion("bash_complete", COMP_WORDS="pipmetrics evaluate --format ", COMP_CWORD="3")


# --- what to do next ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in NEXT if kind is not ConfigError], ids=lambda kind: kind.__name__)
def test_an_error_without_a_mend_ends_with_what_to_do_next(kind: type[PipmetricsError]) -> None:
    assert told(kind("it is wrong", where="here")) == f"here: it is wrong\n  {NEXT[kind]}"
    assert told(kind("it is wrong", mend="Do this.")) == "it is wrong\n  Do this."


def test_files_with_a_place_that_has_no_mend_lead_to_check() -> None:
    place = Problem("plans/a.yaml", 3, 1, "unknown key `targte`", "Did you mean `target`?")
    assert told(ConfigError([place])).endswith("Did you mean `target`?")
    assert told(ConfigError([place, Problem("b.yaml", 0, 0, "no")])).endswith(NEXT[ConfigError])


def test_the_next_step_of_a_class_without_one_is_that_of_its_kind() -> None:
    assert told(Deferred("the rate limit is reached", seconds=9)).endswith("where this one stopped.")
    for kind in (SourceError, StoreError, Refused):
        below = type("Below", (kind,), {})
        assert told(below("no")).endswith(NEXT[kind])


def test_every_next_step_names_a_command_that_there_is() -> None:
    named = {word for text in NEXT.values() for word in text.split("`")[1::2]}
    assert {each.split()[1] for each in named} - {"COMMAND"} <= set(COMMANDS)
