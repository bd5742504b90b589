"""Logs hold one line a message and no secret, whoever writes them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from pipmetrics.cli import logs
from pipmetrics.transport.secrecy import hide


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    root, ours = logging.getLogger(), logging.getLogger("pipmetrics")
    before = root.handlers[:], root.level, ours.level
    hide("canary-4711")
    yield logging.getLogger("pipmetrics.test")
    root.handlers[:], level, own = before
    root.setLevel(level)
    ours.setLevel(own)


def test_json_lines_carry_fields_and_faults_without_secrets(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.install(as_json=True)
    log.info("pull %s", "done", extra={"fields": {"run": 7, "step": "pull"}})
    try:
        raise ValueError("the token canary-4711 was refused")
    except ValueError:
        log.exception("failed with canary-4711")
    logging.getLogger("elsewhere").info("not ours, not told")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["message"], first["run"], first["step"], first["level"]) == ("pull done", 7, "pull", "info")
    assert first["at"].endswith("+00:00")
    assert second["message"] == "failed with ***"
    assert "ValueError: the token *** was refused" in second["fault"]


def test_plain_lines_tell_warnings_and_show_where_on_demand(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.install()
    log.info("not told")
    try:
        raise ValueError("canary-4711")
    except ValueError:
        log.exception("the connector of %s has a fault", "hub")
        assert capsys.readouterr().err.strip() == "pipmetrics: the connector of hub has a fault"
        monkeypatch.setenv(logs.DEBUG, "1")
        log.exception("again")
    told = capsys.readouterr().err
    assert "ValueError: ***" in told
    assert "canary" not in told


def test_installing_again_replaces_and_leaves_the_handlers_of_others(log: logging.Logger) -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)
    for as_json in (False, True, False):
        logs.install(as_json=as_json)
    handlers = logging.getLogger().handlers
    assert sum(isinstance(handler, logs.ToStderr) for handler in handlers) == 1
    assert other in handlers
