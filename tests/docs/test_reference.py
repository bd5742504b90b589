"""The generated pages are as the code would make them now, and leave nothing out."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

from pipmetrics.cli import COMMANDS, main
from pipmetrics.config import schemas
from tests.docs.markdown import DOCS, tables


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES: dict[Path, str] = generator().pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_generated_page_is_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path], "run: python docs/generate.py"


def commands(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command, **command.context_settings)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found += commands(below, f"{path} {name}")
    return found


def test_every_command_and_every_option_is_on_the_page() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    parts = {part.partition("\n")[0].lstrip("# "): part for part in re.split(r"^(?=##+ )", text, flags=re.M)}
    every = commands(main, "pipmetrics")[1:]
    assert {path for path, _ in every} >= {f"pipmetrics {name}" for name in COMMANDS}
    for path, command in every:
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert all(f"`{name}`" in parts[path] for name in (*option.opts, *option.secondary_opts)), path


def keys(schema: Any) -> set[str]:
    """Every key that a schema knows, wherever it stands."""
    if isinstance(schema, list):
        return set().union(*map(keys, schema), set())
    if not isinstance(schema, dict):
        return set()
    named = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
    return named.union(*map(keys, schema.values()), set())


@pytest.mark.parametrize(("name", "page"), [("pipmetrics", "settings"), ("people", "people"), ("plan", "plan")])
def test_every_key_of_the_files_is_on_its_page(name: str, page: str) -> None:
    text = (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8")
    told = {row["key"] for table in tables(text) for row in table if "key" in row}
    missing = keys(schemas()[name]) - told
    assert not missing


@pytest.mark.parametrize("page", ["commands.md", "reference/settings.md", "reference/people.md", "reference/plan.md"])
def test_every_row_of_the_reference_says_what_it_means(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    rows = [row for table in tables(text) for row in table if "meaning" in row]
    assert rows
    silent = [
        row.get("key") or row.get("option")
        for row in rows
        if not re.sub(r"(Default|Also read).*", "", row["meaning"]).strip()
    ]
    assert silent == []
