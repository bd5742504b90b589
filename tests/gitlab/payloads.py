"""The payloads of the tests, and what the tests say of them in short."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipmetrics.model import BugRule, Signal, Source
from pipmetrics_gitlab.values import Project

FOLDER = Path(__file__).parents[1] / "payloads" / "gitlab"
ROOT = "https://gitlab.example.com"
CORE = Project("5", "platform/core", f"{ROOT}/platform/core", "main")
SOURCE = Source("lab", "gitlab", ROOT, bugs=BugRule(labels=frozenset({"bug"})))


def payload(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def told(signals: Iterable[Signal], *kinds: str) -> list[tuple[Any, ...]]:
    """(kind, actor, day and time) in order of time."""
    ordered = sorted(signals, key=lambda one: (one.at, one.key))
    return [(one.kind, one.actor, f"{one.at:%d %H:%M}") for one in ordered if one.kind in kinds]


def only(signals: Iterable[Signal], kind: str) -> Signal:
    (found,) = (one for one in signals if one.kind == kind)
    return found
