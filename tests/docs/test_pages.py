"""Nothing is left out of the pages, and nothing is on them that belongs elsewhere."""

from __future__ import annotations

import configparser
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import pipmetrics
from pipmetrics.config.lint.findings import RULES
from pipmetrics.errors import PipmetricsError
from tests.docs.markdown import DOCS, ROOT, pages, sections

UNITS = DOCS / "units"


def configured() -> dict[str, object]:
    """mkdocs.yml, whose own tags mean nothing here."""
    found: dict[str, object] = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return found


def listed(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [name for part in parts for name in listed(part)]  # type: ignore[union-attr]  # lists and mappings alone


def test_every_page_is_in_the_navigation() -> None:
    assert sorted(listed(configured()["nav"])) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    html = (tmp_path / "site" / "plugins.html").read_text(encoding="utf-8")
    assert "--8&lt;--" not in html
    outside = set(
        re.findall(
            r'(?:src|href)="(https?://[^"/]+)', "".join(p.read_text() for p in (tmp_path / "site").glob("*.html"))
        )
    )
    assert not {host for host in outside if "fonts" in host or "cdn" in host}, "pages load nothing from elsewhere"


def modules() -> None:
    """Import everything, so that every class is known; packages of extras that are not installed are part of dev."""
    for found in pkgutil.walk_packages(pipmetrics.__path__, "pipmetrics."):
        if ".migrations" not in found.name:
            importlib.import_module(found.name)


def descendants(kind: type[PipmetricsError]) -> set[type[PipmetricsError]]:
    return {kind}.union(*(descendants(each) for each in kind.__subclasses__()))


def test_every_error_class_is_documented_with_its_exit_code() -> None:
    modules()
    known = {
        kind.__name__: str(kind.exit_code)
        for kind in descendants(PipmetricsError)
        if kind.__module__.startswith("pipmetrics.")
    }
    told = {row["class"]: row["exit code"] for row in sections(DOCS / "errors.md")["Classes"].tables[0]}
    assert told == known


def test_the_messages_that_the_page_explains_are_the_codes_own() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pipmetrics").rglob("*.py"))
    said = [row["it says"] for row in sections(DOCS / "operating.md")["When something is wrong"].tables[0]]
    assert said
    assert [message for message in said if message not in code] == []


def test_every_lint_code_is_documented() -> None:
    titles = {title.partition(" ")[0] for title in sections(DOCS / "lint.md")}
    assert set(RULES) <= titles


def test_every_room_is_described() -> None:
    rooms = {
        path.stem for path in (ROOT / "pipmetrics").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    told = {
        name
        for row in sections(DOCS / "architecture.md")["Rooms"].tables[0]
        for name in re.findall(r"\w+", row["room"])
    }
    assert told == {room for room in rooms if not room.startswith("_")}


def test_every_rule_of_the_connectors_contract_is_explained() -> None:
    code = (ROOT / "pipmetrics" / "testing" / "connectors.py").read_text(encoding="utf-8")
    rules = set(re.findall(r'(?:add\(|unless\([^"]*?,\s*)\s*"([a-z ]+)",', code))
    told = {
        name
        for row in sections(DOCS / "plugins.md")["Contract tests"].tables[1]
        for name in re.findall(r"[a-z ]+[a-z]", row["rule"])
    }
    assert rules
    assert rules <= {name.strip() for name in told}


FOREIGN = re.compile(r"/work/|/root/|pypi\.|python[h]osted|TODO|FIXME|lorem ipsum", re.IGNORECASE)


@pytest.mark.parametrize("page", [*pages(), *sorted(UNITS.iterdir()), ROOT / "mkdocs.yml"], ids=lambda page: page.name)
def test_a_page_names_no_machine_and_no_index(page: Path) -> None:
    assert FOREIGN.findall(page.read_text(encoding="utf-8")) == []


# --- units --------------------------------------------------------------------------------------------------------


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A copy of the units with a program that is there: systemd complains of one that is not."""
    for unit in UNITS.iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/pipmetrics/bin/pipmetrics", str(tmp_path / "pipmetrics"))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    program = tmp_path / "pipmetrics"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    return tmp_path


def read_unit(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names have their case
    parser.read_string(path.read_text(encoding="utf-8"))
    return {name: dict(parser[name]) for name in parser.sections()}


@pytest.mark.parametrize("name", ["pipmetrics.service", "pipmetrics-run.timer", "pipmetrics-backup.timer"])
def test_the_units_are_what_systemd_wants(name: str, units: Path) -> None:
    """By systemd itself, where there is one."""
    unit = read_unit(units / name)
    assert unit["Unit"]["Description"]
    service = unit if name.endswith(".service") else read_unit(units / name.replace(".timer", ".service"))
    assert str(units / "pipmetrics") in service["Service"]["ExecStart"]
    assert service["Service"]["NoNewPrivileges"] == "true"
    if name.endswith(".timer"):
        assert (unit["Timer"]["Persistent"], unit["Install"]["WantedBy"]) == ("true", "timers.target")
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "verify", str(units / name)], capture_output=True, text=True)
        complaints = [line for line in done.stderr.splitlines() if "pipmetrics" in line]
        assert (done.returncode, complaints) == (0, []), done.stderr


def test_the_cron_jobs_manifest_runs_one_job_at_a_time_without_rights() -> None:
    job = yaml.safe_load((UNITS / "cronjob.yaml").read_text(encoding="utf-8"))
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (job["apiVersion"], job["kind"], job["spec"]["concurrencyPolicy"]) == ("batch/v1", "CronJob", "Forbid")
    assert container["args"][:2] == ["pipmetrics", "run"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
