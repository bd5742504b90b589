"""Whoever follows the tutorial word for word on a clean environment reaches a digest, over a stand-in for GitHub.

Two things are replaced in its text before it is followed: GitHub's address by the stand-in's, and the dates, which
suppose a certain day, by those of today.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipmetrics.demo import fill_github
from pipmetrics.demo.github import World, app
from pipmetrics.demo.service import Service, serve
from pipmetrics.demo.simulation import Simulation
from tests.docs.markdown import DOCS, ROOT, blocks

SUPPOSED = date(2026, 11, 24)
TOKEN = "github_pat_of_your_own"


@pytest.fixture(scope="module")
def github() -> Iterator[Service]:
    """The demo organisation's GitHub as it stands now."""
    world = World()
    fill_github.fill(world, Simulation(datetime.now(UTC).replace(microsecond=0)).run(), TOKEN)
    with serve(app(world)) as service:
        yield service


@dataclass
class Reader:
    """Follows the page in one shell, in a copy of the project."""

    folder: Path
    environment: dict[str, str]

    def type(self, commands: str) -> str:
        """What the commands print; they must succeed. The shell's variables live on to the next ones."""
        state = self.folder / "shell-state"
        script = f"set -e\n[ -e {state} ] && . {state}\n{commands}\n{{ export -p; }} > {state}\n"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{commands}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def write(self, text: str) -> None:
        """A file whose name stands in its first line."""
        name = text.partition("\n")[0].removeprefix("# ")
        (self.folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """A copy of the project without its environment. Packages it needs are those of this environment: nothing is
    fetched, and the project itself is installed anew."""
    for name in ("pipmetrics", "connectors", "criteria", "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_FORCE_REINSTALL": "1",
        "PIP_QUIET": "2",
    }
    return Reader(tmp_path, environment)


def moved(text: str, today: date) -> str:
    """The dates moved by whole weeks, from the day that the page supposes to today."""
    weeks = (today - SUPPOSED) // timedelta(weeks=1)

    def later(match: re.Match[str]) -> str:
        return (date.fromisoformat(match[0]) + timedelta(weeks=weeks)).isoformat()

    return re.sub(r"\b\d{4}-\d\d-\d\d\b", later, text)


def test_following_the_tutorial_leads_to_a_digest(github: Service, reader: Reader) -> None:
    printed = ""
    for block in blocks(DOCS / "tutorial.md"):
        text = moved(block.code, datetime.now(UTC).date()).replace("https://api.github.com", github.url)
        if block.language == "bash":
            printed = reader.type(text)
        elif block.language == "yaml":
            reader.write(text)
        elif not text.startswith("pipmetrics "):
            pattern = re.sub(r"([\[\]*?])", r"[\1]", text.strip()).replace("...", "*")
            assert fnmatch.fnmatchcase(printed.strip(), f"{pattern}*"), f"{block}\n{printed}"
    assert "<html" in (reader.folder / "digest.html").read_text(encoding="utf-8").lower()
    installed = reader.type("python -P -c 'import pipmetrics; print(pipmetrics.__file__)'")
    assert installed.startswith(str(reader.folder / ".venv"))


def test_the_tutorial_names_only_things_that_the_token_needs_to_read() -> None:
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    assert "read only" in text
    assert "write" not in text.partition("## 3.")[2].partition("## 4.")[0].replace("Write", "")
