"""Ctrl-C during a pull ends it at once, says how to go on, and the next pull ends as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipmetrics.demo.service import Request, Response
from tests.organisation import TOKENS, Acme, opened
from tests.store.dump import dump

COMMAND = "from pipmetrics.cli import main; main()"


def slowly(_number: int, _request: Request) -> Response | None:
    time.sleep(0.1)
    return None


@pytest.fixture
def fresh(acme: Acme, tmp_path: Path) -> Iterator[Path]:
    """The folder before its first pull; the services take their time."""
    for service in acme.services.values():
        service.fault = slowly
    yield Path(shutil.copytree(acme.pulled, tmp_path / "config", ignore=shutil.ignore_patterns("*.db*")))
    for service in acme.services.values():
        service.fault = None


def pull(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "pull", "--config", str(folder)],
        env={**os.environ, **TOKENS},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def asked(acme: Acme) -> int:
    return sum(len(service.requests) for service in acme.services.values())


@pytest.mark.parametrize("requests", [2, 9, 25])
def test_an_interrupted_pull_goes_on_where_it_stopped(requests: int, acme: Acme, fresh: Path) -> None:
    before, running = asked(acme), pull(fresh)
    while asked(acme) < before + requests:
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    told, errors = running.communicate(timeout=60)
    assert running.returncode == 130, (told, errors)
    assert "Traceback" not in errors
    assert "the next run goes on from there" in errors
    again = pull(fresh)
    told, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    with opened(acme.pulled) as whole, opened(fresh) as mended:
        expected, found = dump(whole.store), dump(mended.store)
    for table in ("signal", "gap", "stale", "ledger"):
        assert found[table] == expected[table]
