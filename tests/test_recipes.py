"""A recipe is another one when anything differs that rows depend on, and the same whatever else does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipmetrics import recipes, registry
from pipmetrics.model import BugRule, Calendar, MeasureRequest, Secret, Source, Window
from pipmetrics.recipes import digest, made_by, recipe

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HUB = Source("hub", "github", "https://git.example.com", bugs=BugRule(labels=frozenset({"bug", "defect", "crash"})))
ASKED = MeasureRequest("review_turnaround", NOON, include=frozenset({"own", "bot"}))


def made(request: MeasureRequest = ASKED, **source: Any) -> str:
    return recipe(request, {"hub": replace(HUB, **source)})


def test_time_and_what_opens_a_source_make_no_other_recipe() -> None:
    assert made(replace(ASKED, as_of=NOON + timedelta(days=1))) == made()
    assert made(token=Secret("${TOKEN}"), user="ada") == made()
    assert made(replace(ASKED, clock="workdays")) == made()  # the metric's own
    assert json.loads(made())["include"] == ["bot", "own"]
    assert "TOKEN" not in made(token=Secret("${TOKEN}"))


@pytest.mark.parametrize(
    "other",
    [
        made(replace(ASKED, clock="elapsed")),
        made(replace(ASKED, include=frozenset())),
        made(replace(ASKED, attribution=("link", "revert"))),
        made(replace(ASKED, follow_up=timedelta(days=7))),
        made(replace(ASKED, metric="reviews_given")),
        made(generated=("gen/*",)),
        made(bugs=BugRule()),
    ],
)
def test_options_and_settings_make_another(other: str) -> None:
    assert other != made()


def test_other_code_or_another_version_makes_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    metric = registry.metric("review_turnaround")
    before = made_by(metric)
    assert any(one.startswith("holidays ") for one in before)
    file = tmp_path / "plugin.py"
    file.write_text("one")
    first = recipes._code(str(file))
    recipes._code.cache_clear()
    file.write_text("another")
    assert recipes._code(str(file)) != first
    monkeypatch.setattr("pipmetrics.__version__", "99")
    assert made_by(metric) != before


def test_a_digest_knows_no_order_of_sets_and_every_field() -> None:
    calendar = Calendar("Europe/Berlin", days=frozenset(range(5)), country="DE")
    assert digest(calendar) == digest(replace(calendar, days=frozenset(reversed(range(5)))))
    off = (Window(NOON, NOON + timedelta(days=1)),)
    others = [replace(calendar, time_off=off), replace(calendar, timezone="UTC"), replace(calendar, country=None)]
    assert len({digest(each) for each in (calendar, *others)}) == 4
