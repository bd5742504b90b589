"""The house rules hold: contracts of imports, what the wheel brings, what the files of requirements name."""

from __future__ import annotations

import email
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from pipmetrics.cli import COMMANDS

ROOT = Path(__file__).parents[1]
CODE = ("pipmetrics", "connectors", "criteria")


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


# --- imports ------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code in a folder of its own, where something may be planted."""
    for name in CODE:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter over the packages of that folder, not over those that are installed."""
    paths = ":".join(str(folder / part) for part in ("", "connectors", "criteria"))
    asked = (
        f"import sys; sys.path[:0] = {paths.split(':')!r}\n"
        "from importlinter.cli import lint_imports_command\n"
        "lint_imports_command(['--no-cache'])"
    )
    return subprocess.run([sys.executable, "-c", asked], cwd=folder, capture_output=True, text=True, check=False)


def test_the_contracts_of_imports_hold(copy: Path) -> None:
    done = lint_imports(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [3-9] kept, 0 broken", done.stdout)


@pytest.mark.parametrize(
    ("file", "planted", "contract"),
    [
        (
            "connectors/pipmetrics_github/references.py",
            "from pipmetrics.store import Store",
            "Plugins know the contracts",
        ),
        ("criteria/pipmetrics_criteria/trend.py", "import pipmetrics.config", "Plugins know the contracts"),
        ("connectors/pipmetrics_jira/texts.py", "import pipmetrics_gitlab", "Plugins do not know each other"),
        ("pipmetrics/windows.py", "import pipmetrics_criteria.trend", "The core imports no plugin"),
    ],
)
def test_a_planted_import_breaks_its_contract(copy: Path, file: str, planted: str, contract: str) -> None:
    path = copy / file
    assert path.exists()
    path.write_text(path.read_text() + f"\n{planted}\n")
    done = lint_imports(copy)
    assert done.returncode == 1
    assert re.search(rf"{contract}.* BROKEN", done.stdout), done.stdout


# --- what is shipped ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    asked = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", asked, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return zipfile.ZipFile(folder / done.stdout.split()[-1])


def test_the_wheel_brings_all_packages_and_everything_that_is_no_code(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    tops = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {
        "pipmetrics", "pipmetrics_github", "pipmetrics_gitlab", "pipmetrics_jira", "pipmetrics_criteria",
    }  # fmt: skip
    expected = {"pipmetrics/py.typed"}
    for pattern in ("store/migrations/versions/v*.py", "digest/templates/*", "web/templates/*", "web/static/*"):
        found = {str(path.relative_to(ROOT)) for path in (ROOT / "pipmetrics").glob(pattern) if path.is_file()}
        assert found, pattern
        expected |= found
    assert expected <= names
    assert not any("__pycache__" in name or name.endswith(".db") for name in names)


def test_every_python_file_of_the_tree_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    for top, strip in (("pipmetrics", ""), ("connectors", "connectors/"), ("criteria", "criteria/")):
        files = {str(path.relative_to(ROOT)).removeprefix(strip) for path in (ROOT / top).rglob("*.py")}
        assert files <= set(wheel.namelist())


def test_the_wheel_opens_its_doors(
    wheel: zipfile.ZipFile, project: dict[str, dict[str, dict[str, dict[str, str]]]]
) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    text = wheel.read(name).decode()
    assert "pipmetrics = pipmetrics.cli:main" in text
    for group, points in project["project"]["entry-points"].items():
        assert f"[{group}]" in text
        for point, value in points.items():
            assert f"{point} = {value}" in text


def test_the_wheel_says_what_it_needs(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    told = email.message_from_bytes(wheel.read(name))
    assert told["Requires-Python"] == ">=3.11"
    assert set(told.get_all("Provides-Extra") or ()) == {"all", "blame", "dask", "mail", "pdf", "postgres", "web"}


# --- requirements -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_requirements_are_pinned_and_hashed_and_name_no_host_and_no_path(path: Path) -> None:
    text = path.read_text()
    assert not re.search(
        r"https?:|file:|(^|\s)(-i|--index-url|--extra-index-url|--find-links|-e)\b|^\.{0,2}/", text, re.M
    )
    packages = re.split(r"\n(?=\S)", text.strip())
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+", package), package[:80]
        assert "--hash=sha256:" in package, package[:80]


def test_every_dependency_of_the_project_is_among_the_requirements(
    project: dict[str, dict[str, list[str]]],
) -> None:
    pinned = {named(line) for line in (ROOT / "requirements" / "run.txt").read_text().splitlines() if "==" in line}
    assert {named(dependency) for dependency in project["project"]["dependencies"]} <= pinned


def named(requirement: str) -> str:
    """The name that a requirement begins with, as package indexes compare names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ]", requirement)[0]).lower()


# --- words --------------------------------------------------------------------------------------------------------


def commands_in(text: str) -> set[str]:
    """The commands that a page names: after `pipmetrics`, on a line of a console or in code."""
    return set(re.findall(r"(?:^\$ |`)pipmetrics ([a-z][a-z-]+)", text, re.M))


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_every_command_that_the_pages_name_exists(path: Path) -> None:
    assert commands_in(path.read_text()) <= set(COMMANDS)


def test_the_readme_names_the_commands_that_a_newcomer_needs() -> None:
    named = commands_in((ROOT / "README.md").read_text())
    assert named >= {"init", "check", "run", "digest"}


BANNED = re.compile(r"(^|_)(manager|helper|util|utils|base|impl|data|info)(_|$)")


def test_no_module_is_named_after_nothing() -> None:
    names = [path.stem for top in CODE for path in (ROOT / top).rglob("*.py")]
    assert [name for name in names if BANNED.search(name)] == []


def test_modules_stay_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for top in CODE
        for path in (ROOT / top).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_every_exception_from_the_linters_says_why() -> None:
    bare = []
    for top in CODE:
        for path in (ROOT / top).rglob("*.py"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(r"#\s*(type: ignore(?!\[)|noqa(?!:))", line):
                    bare.append(f"{path.relative_to(ROOT)}:{number}")
    assert bare == []
