"""`pipmetrics demo`: a whole organisation on this machine, by the commands that anybody would use."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result

from pipmetrics.config import lint, load
from pipmetrics.demo import folder
from pipmetrics.demo.run import MARK, prepare
from pipmetrics.errors import UsageError
from tests.organisation import cli, cli_json

TODAY = datetime.now(UTC).date()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    into = tmp_path_factory.mktemp("demo") / "pipmetrics-demo"
    return into, cli("demo", "--into", into)


def test_it_ends_with_a_weekly_digest_and_where_everything_lies(demo: tuple[Path, Result]) -> None:
    into, result = demo
    assert "Weekly digest, week " in result.stdout
    for part in ("Ada Lindgren", "Grete Holm", "Coaching, informal", "Needs you this week", "Contested: "):
        assert part in result.stdout
    assert f"{into}/config/pipmetrics.db" in result.stdout
    assert (into / "digest.html").read_text().lower().startswith("<!doctype html>")
    assert not any(name.startswith("PIPMETRICS_DEMO") for name in os.environ)


def test_nothing_failed_on_the_way(demo: tuple[Path, Result]) -> None:
    into, result = demo
    assert "failed" not in result.stderr
    assert "incomplete" not in result.stderr
    runs = cli_json("runs", folder=into / "config")
    assert [(run["kind"], run["outcome"]) for run in runs[:2]] == [("nightly", "done"), ("pull", "done")]


def test_what_it_proposes_to_look_at_works(demo: tuple[Path, Result]) -> None:
    into, result = demo
    proposed = [line.split() for line in result.stdout.splitlines() if line.startswith("  pipmetrics ")]
    assert {words[1] for words in proposed} == {"explain", "backtest", "verify"}
    for words in proposed:
        assert words[-1] == f"{into}/config"
        assert cli(*words[1:]).stdout


def test_every_verdict_rests_on_data(demo: tuple[Path, Result]) -> None:
    into, _ = demo
    plans = cli_json("evaluate", folder=into / "config")["plans"]
    assert {plan["plan"]: plan["kind"] for plan in plans} == {
        "ada-reviews-and-bugs": "pip", "grete-delivery": "pip", "jonas-coaching": "coaching",
    }  # fmt: skip
    for plan in plans:
        assert plan["verdict"] != "not_enough_data"
        assert plan["incomplete_sources"] == []
        assert all(criterion["baseline"] for criterion in plan["criteria"])


def test_the_same_folder_may_be_made_anew_and_no_other(tmp_path: Path) -> None:
    made = prepare(tmp_path / "demo")
    (made / "old").write_text("")
    assert prepare(tmp_path / "demo") == made
    assert not (made / "old").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(UsageError, match="not a folder of the demo"):
        prepare(tmp_path / "mine")
    assert "--into" in cli("demo", "--into", tmp_path / "mine", code=2).stderr
    assert (tmp_path / "demo" / MARK).exists()


def test_the_written_configuration_is_valid_and_passes_the_lint_or_says_why_not(tmp_path: Path) -> None:
    folder.write(tmp_path, dict.fromkeys(("hub", "lab", "jira"), "http://127.0.0.1:1"), TODAY)
    config = load(tmp_path)
    assert len(config.people) == 16
    assert [finding for finding in lint.lint(config) if finding.waived is None] == []
    assert set(folder.TOKENS.values()) == set(config.settings.sources)


def test_time_off_is_written_whole(tmp_path: Path) -> None:
    folder.write(tmp_path, dict.fromkeys(("hub", "lab", "jira"), "http://127.0.0.1:1"), datetime(2026, 11, 24).date())  # noqa: DTZ001 - a day
    spans = load(tmp_path).people["ada"].calendar.time_off
    assert [(span.start.date().isoformat(), (span.end - span.start).days) for span in spans][-1] == ("2026-11-10", 5)
    assert len(spans) == 2
