"""Stand-ins to read from, and recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pipmetrics.demo.jira import Jira, World
from pipmetrics.demo.service import serve
from pipmetrics.model import BugRule, Secret, Source
from tests.jira.desk import Open, Reader

PAYLOADS = Path(__file__).parent.parent / "payloads" / "jira"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Starts a stand-in over a world, and gives a reader of it."""
    monkeypatch.setenv("JIRA_TOKEN", "jira-token")
    monkeypatch.setenv("JIRA_PASSWORD", "jira-password")
    with ExitStack() as running:

        def start(world: World, *, ask: bool = False, jira: Jira | None = None, app: Any = None, **more: Any) -> Reader:
            """`ask`: the way of signing in leaves open which kind of Jira it is."""
            jira = jira or Jira(world, user="reader" if ask else "reader@acme.example")
            service = running.enter_context(serve(app or jira))
            user = more.pop("user", jira.user if world.cloud or ask else None)
            secret = "${JIRA_PASSWORD}" if ask and not world.cloud else "${JIRA_TOKEN}"
            named: dict[str, Any] = {"projects": ("PAY",), "bugs": BugRule(types=frozenset({"Bug"}))} | more
            source = Source("jira", "jira", service.url, token=Secret(secret), user=user, **named)
            return Reader(world, jira, service, source)

        yield start


@pytest.fixture
def payload() -> Callable[[str], Any]:
    return lambda name: json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
