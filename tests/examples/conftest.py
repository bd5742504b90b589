"""The three example packages, installed as anybody would install them."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PACKAGES = ("pipmetrics-cardbox", "pipmetrics-docs-with-change", "pipmetrics-no-worse-than")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that sees this one's packages and has the three examples beside them.

    Nothing is fetched: pip builds each package from its folder with what is here.
    """
    folder = tmp_path_factory.mktemp("examples")
    venv.create(folder, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    ours = sysconfig.get_path("purelib")
    (site / "of_the_project.pth").write_text(f"import site; site.addsitedir({ours!r})\n", encoding="utf-8")
    python = folder / "bin" / "python"
    for package in PACKAGES:
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
             "--no-cache-dir", "--disable-pip-version-check", str(EXAMPLES / package)],
            check=True,
            cwd=folder,
        )  # fmt: skip
    return folder / "bin"


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Callable[..., str]:
    """run("metrics", "--format", "json") gives the standard output of that command, in an empty folder."""

    def command(*arguments: str, **environment: str) -> str:
        done = subprocess.run(
            [installed / "python", "-c", "from pipmetrics.cli import main; main()", *arguments],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    return command
