"""Changes with documentation are told from those without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pipmetrics_docs_with_change import METRIC, touches_docs

from pipmetrics.model import Calendar, Person, Signal, Source
from pipmetrics.plugin import Facts
from pipmetrics.testing import check_metric, facts_of

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = [Person(name, name.title(), Calendar("UTC"), accounts={"hub": (name,)}) for name in ("ada", "bob")]
SOURCES = {"hub": Source("hub", "github", "https://api.github.com")}


def merged(number: int, actor: str, *paths: str, **more: Any) -> Signal:
    detail = {"default_branch": True, "files": [[path, 3, 1] for path in paths], "files_complete": True, **more}
    return Signal(
        source="hub",
        kind="change_merged",
        subject=f"hub:acme/api#{number}",
        key=f"merged:{number}",
        at=START + timedelta(days=number),
        url=f"https://github.com/acme/api/pull/{number}",
        actor=actor,
        mark="bot" if actor == "robot" else "",
        detail=detail,
    )


def facts(*signals: Signal) -> Facts:
    return facts_of(signals, PEOPLE, SOURCES, as_of=START + timedelta(days=60))


def test_it_keeps_the_contract() -> None:
    rows = check_metric(
        METRIC, facts(merged(1, "ada", "a.py"), merged(2, "bob", "docs/a.txt"), merged(3, "ada", "b.md"))
    )
    assert list(zip(rows["person"], rows["value"], strict=True)) == [("ada", 0.0), ("ada", 1.0), ("bob", 1.0)]


def test_only_known_changes_on_a_default_branch_have_a_row() -> None:
    side, cut = merged(1, "ada", "a.md", default_branch=False), merged(2, "ada", "a.md", files_complete=False)
    assert METRIC.measure(facts(side, cut, merged(3, "robot", "a.md"))).empty


@pytest.mark.parametrize("path", ["docs/a.py", "web/doc/x.txt", "README.md", "guide.RST", "a/b.adoc"])
def test_documentation_is_known_by_its_folder_or_its_ending(path: str) -> None:
    assert touches_docs([[path, 1, 0]])


@pytest.mark.parametrize("path", ["src/a.py", "docserver/a.py", "md", "a.md.py"])
def test_other_files_are_none(path: str) -> None:
    assert not touches_docs([[path, 1, 0]])
