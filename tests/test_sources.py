"""Sources are opened from the settings; one that fails does not stop the others."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from pipmetrics import sources
from pipmetrics.pull import Stop
from pipmetrics.sources import connect, pull_all
from pipmetrics_github import GithubConnector
from tests.organisation import AS_OF, Acme, opened
from tests.store.dump import dump


def test_a_source_is_connected_and_asks_nothing(folder: Path) -> None:
    with opened(folder) as company:
        connector, wire = connect(company.config.settings.sources["hub"], str(folder))
    assert isinstance(connector, GithubConnector)
    assert wire.sent == 0


def test_a_source_whose_secret_is_missing_leaves_a_gap_and_the_others_are_pulled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIPMETRICS_TEST_HUB")
    with opened(folder) as company:
        pulled = {one.source: one for one in pull_all(company, company.config.settings.sources)}
        (gap,) = company.store.gaps()
    assert pulled["hub"].error.endswith("the environment variable PIPMETRICS_TEST_HUB is not set")
    assert pulled["lab"].complete
    assert pulled["jira"].complete
    assert (gap.source, gap.part, gap.since) == ("hub", "", AS_OF)


def test_with_an_executor_sources_are_pulled_side_by_side_and_give_the_same(acme: Acme, tmp_path: Path) -> None:
    """Each waits at its first commit until all three are there."""
    found = {}
    for way in ("in turn", "side by side"):
        shutil.copytree(acme.pulled, tmp_path / way)
        for file in (tmp_path / way).glob("pipmetrics.db*"):
            file.unlink()
        with opened(tmp_path / way) as company, ThreadPoolExecutor(1) as executor:
            together, met = threading.Barrier(3, timeout=60), set[str]()

            def wait(source: str, *_: object, met: set[str] = met, together: threading.Barrier = together) -> None:
                if source not in met:
                    met.add(source)
                    together.wait()

            company.executor = executor if way == "side by side" else None
            done = company.pull(progress=wait if way == "side by side" else None)
            found[way] = {name: rows for name, rows in dump(company.store).items() if name != "bookmark"}
        assert [(one.source, one.complete) for one in done] == [("hub", True), ("lab", True), ("jira", True)]
    assert found["side by side"] == found["in turn"]


def test_when_one_of_them_is_stopped_the_others_end_after_their_next_commit(acme: Acme, tmp_path: Path) -> None:
    shutil.copytree(acme.pulled, tmp_path / "config")
    for file in (tmp_path / "config").glob("pipmetrics.db*"):
        file.unlink()

    def stop(source: str, *_: object) -> None:
        if source == "jira":
            raise Stop

    with opened(tmp_path / "config") as company, ThreadPoolExecutor(1) as executor:
        company.executor = executor
        with pytest.raises(Stop):
            company.pull(progress=stop)
        assert company.store.runs(limit=1)[0].outcome == "stopped"
        company.executor = None
        company.pull()
        with opened(acme.pulled) as other:
            facts = ("signal", "account")
            assert [dump(company.store)[name] for name in facts] == [dump(other.store)[name] for name in facts]


def test_a_first_pull_goes_back_as_far_as_the_settings_say_or_as_one_asks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(sources, "pull", lambda *_, since, **__: asked.append(since))
    with opened(folder) as company:
        chosen = {"hub": company.config.settings.sources["hub"]}
        pull_all(company, chosen)
        pull_all(company, chosen, since=AS_OF - timedelta(days=3))
    assert asked == [AS_OF - timedelta(days=3650), AS_OF - timedelta(days=3)]
