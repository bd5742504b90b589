"""What the pages show can be done: every block of shell, Python and YAML is run or read by the real code."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest
import yaml

from pipmetrics.cli import main
from pipmetrics.config import load
from pipmetrics.errors import ConfigError
from tests.docs.markdown import DOCS, ROOT, Block, blocks, pages

INCLUDED = re.compile(r'--8<-- "([^"]+)"')
EVERY = blocks()
LANGUAGES = {"bash", "console", "python", "yaml", "toml", "ini", "sql", "text", ""}
"""`bash`, `python` and `sql` are run, `yaml` is read; `console` is for other machines, `text` is output."""


def of(language: str) -> list[Block]:
    """Blocks of a language, those that only include a file left out: such files have tests of their own."""
    return [block for block in EVERY if block.language == language and not INCLUDED.search(block.code)]


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """A folder with the example configuration in it."""
    shutil.copytree(ROOT / "config", tmp_path / "config", ignore=shutil.ignore_patterns("*.db*", "ledger.key*"))
    return tmp_path


def test_every_block_says_what_it_is() -> None:
    assert [str(block) for block in EVERY if block.language not in LANGUAGES] == []


def test_every_included_file_is_there() -> None:
    names = [name for block in EVERY for name in INCLUDED.findall(block.code)]
    assert names
    assert [name for name in names if not (ROOT / name).is_file()] == []


# --- commands -----------------------------------------------------------------------------------------------------


def commands(code: str) -> list[list[str]]:
    """The arguments of every `pipmetrics ...` line; what stands after two blanks or a bar is left out."""
    joined = code.replace("\\\n", " ")
    lines = [re.split(r" {2,}#?| [|>] ", line.strip())[0] for line in joined.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("pipmetrics ")]


COMMANDS = [(block, arguments) for block in EVERY for arguments in commands(block.code)]


@pytest.mark.parametrize(("block", "arguments"), COMMANDS, ids=[f"{b} {' '.join(a)}"[:90] for b, a in COMMANDS])
def test_every_command_that_is_shown_exists_with_its_options(block: Block, arguments: list[str]) -> None:
    if "[OPTIONS]" in arguments or any(argument.isupper() and argument != "A" for argument in arguments[:1]):
        return
    command, path, rest = main, "pipmetrics", arguments
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command, **command.context_settings), rest[0])
        assert found is not None, f"{block}: there is no command {path} {rest[0]}"
        command, path, rest = found, f"{path} {rest[0]}", rest[1:]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {
        "--help",
        "--version",
    }
    unknown = [each.partition("=")[0] for each in rest if each.startswith("--") and each.partition("=")[0] not in known]
    assert not unknown, f"{block}: {path} has no {', '.join(unknown)}"


RUN = [page for page in pages() if page.parent.name != "reference" and page.name not in ("tutorial.md", "README.md")]


@pytest.mark.parametrize(
    "page", [page for page in RUN if any(b.language == "bash" for b in blocks(page))], ids=lambda p: p.name
)
def test_the_shell_blocks_of_a_page_succeed_one_after_another(page: Path, sandbox: Path) -> None:
    script = "set -e\n" + "\n".join(block.code for block in blocks(page) if block.language == "bash")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=sandbox, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# --- python -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", sorted({block.page for block in of("python")}), ids=lambda page: page.name)
def test_the_python_blocks_of_a_page_do_what_they_say(
    page: Path, sandbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sandbox)
    names: dict[str, object] = {}
    said: list[str] = []
    for block in (block for block in of("python") if block.page == page):
        if ">>>" in block.code:
            example = doctest.DocTestParser().get_doctest(block.code, names, str(block), str(page), block.line)
            doctest.DocTestRunner().run(example, out=said.append, clear_globs=False)
            names = example.globs
        else:
            exec(compile(block.code, str(block), "exec"), names)
    assert not said, "".join(said)


# --- files --------------------------------------------------------------------------------------------------------

PLAN = """\
plan: shown
kind: coaching
person: ada
manager: dana
start: 2026-10-20
days: 56
"""
CRITERIA = "criteria:\n  - {id: some, metric: changes_merged, criterion: threshold, at_least: 1}\n"


def completed(text: str) -> tuple[str, str]:
    """The file of the example configuration that a block stands for, and its whole text."""
    shown = yaml.safe_load(text)
    if isinstance(shown, list):
        return "plans/shown.yaml", f"{PLAN}criteria:\n{textwrap.indent(text, '  ')}"
    if "plan" in shown:
        return "plans/shown.yaml", text
    if "people" in shown:
        return "people.yaml", text
    settings = (ROOT / "config" / "pipmetrics.yaml").read_text(encoding="utf-8")
    if {"store", "delivery", "access", "retention"} & set(shown):
        kept = {key: value for key, value in yaml.safe_load(settings).items() if key not in shown}
        return "pipmetrics.yaml", yaml.safe_dump(kept) + text
    more = "" if "criteria" in shown else CRITERIA
    return "plans/shown.yaml", PLAN + more + text


@pytest.mark.parametrize("block", [b for b in of("yaml") if b.page.name != "lint.md"], ids=str)
def test_a_yaml_block_is_a_configuration_that_loads(block: Block, sandbox: Path) -> None:
    name, text = completed(block.code)
    if name == "people.yaml":
        shutil.rmtree(sandbox / "config" / "plans")
    (sandbox / "config" / name).write_text(text, encoding="utf-8")
    try:
        config = load(sandbox / "config")
    except ConfigError as error:
        raise AssertionError(f"{block}\n{error}") from error
    assert name != "plans/shown.yaml" or any(plan.file.endswith("shown.yaml") for plan in config.plans)


def test_the_pages_are_all_here() -> None:
    assert {page.name for page in DOCS.glob("*.md")} >= {
        "index.md", "tutorial.md", "numbers.md", "good-plans.md", "commands.md", "errors.md", "operating.md",
        "privacy.md", "plugins.md", "architecture.md", "signals.md", "lint.md",
    }  # fmt: skip
