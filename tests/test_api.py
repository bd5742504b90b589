"""What can be asked of an organisation from Python."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

import pipmetrics
from pipmetrics.api import Organisation, store_file, utc_now
from pipmetrics.config import load
from pipmetrics.errors import ConfigError, UsageError
from pipmetrics.model import MeasureRequest, Secret
from pipmetrics.plugin import MEASUREMENT_COLUMNS
from tests.organisation import AS_OF, BEGAN, WEEK, at, opened


def test_a_folder_is_opened_and_checked_at_once(folder: Path) -> None:
    with pipmetrics.open(str(folder)) as company:
        assert company.config.plans
        assert company.now() <= utc_now()
    (folder / "people.yaml").unlink()
    with pytest.raises(ConfigError, match=r"people\.yaml: this file is missing"):
        pipmetrics.open(str(folder))


def test_the_store_opens_when_it_is_needed_and_closes_with_the_organisation(folder: Path) -> None:
    for path in folder.glob("pipmetrics.db*"):
        path.unlink()
    with Organisation(load(folder)) as company:
        assert not (folder / "pipmetrics.db").exists()
        assert company.store is company.store
        assert (folder / "pipmetrics.db").exists()


def test_a_relative_store_starts_at_the_folder_wherever_one_stands(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pipmetrics.open("config") as company:
        assert company.store.last_complete("hub") is not None
        assert store_file(company.config.settings) == folder.resolve() / "pipmetrics.db"


def test_the_address_of_the_store_may_be_a_secret(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "pipmetrics.yaml"
    path.write_text(path.read_text().replace("sqlite:///pipmetrics.db", '"${PIPMETRICS_TEST_STORE}"'))
    company = Organisation(load(folder))
    assert company.config.settings.store == Secret("${PIPMETRICS_TEST_STORE}")
    assert store_file(company.config.settings) is None
    with pytest.raises(UsageError, match="PIPMETRICS_TEST_STORE is not set"):
        assert company.store
    monkeypatch.setenv("PIPMETRICS_TEST_STORE", f"sqlite:///{tmp_path}/other.db")
    with company:
        assert company.store.gaps(["hub"])
    assert (tmp_path / "other.db").exists()


# --- rows ---------------------------------------------------------------------------------------------------------


def test_measurements_are_a_frame_that_people_and_instants_narrow(company: Organisation) -> None:
    every = company.measurements("review_turnaround", as_of=AS_OF)
    assert list(every.columns)[: len(MEASUREMENT_COLUMNS)] == list(MEASUREMENT_COLUMNS)
    ada = company.measurements("review_turnaround", "ada", as_of=AS_OF)
    assert set(ada["person"]) == {"ada"}
    assert len(ada) == (every["person"] == "ada").sum()
    planned = company.measurements("review_turnaround", "ada", BEGAN, at(14, 0), as_of=AS_OF)
    assert len(planned) == 2
    assert planned["start"].min() >= BEGAN
    assert list(planned.index) == [0, 1]
    assert len(company.measurements("review_turnaround", "ada", start=at(19, 0), as_of=AS_OF)) == 3


def test_the_clock_of_the_organisation_stands_for_as_of(company: Organisation) -> None:
    company.now = lambda: at(14, 0)
    assert company.measurements("reviews_given", "ada")["start"].max() < at(14, 0)


def test_many_requests_are_measured_over_one_reading(company: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipmetrics.store import Store

    read, reads = Store.signals, []
    monkeypatch.setattr(Store, "signals", lambda self, *a, **k: reads.append(1) or read(self, *a, **k))
    asked = [MeasureRequest("reviews_given", AS_OF), MeasureRequest("changes_merged", AS_OF - timedelta(days=7))]
    found = company.measure(asked)
    assert set(found) == set(asked)
    assert len(reads) == 1
    assert company.measure([]) == {}


def test_a_metric_without_signals_reads_none(company: Organisation) -> None:
    rows = company.measurements("attested", as_of=AS_OF)
    assert rows.empty


# --- plans --------------------------------------------------------------------------------------------------------


def test_plans_are_those_in_force(company: Organisation) -> None:
    assert [plan.id for plan in company.plans()] == ["ada-q4", "ben-coaching", "cleo-next"]
    assert [plan.id for plan in company.plans("ben-coaching")] == ["ben-coaching"]
    with pytest.raises(UsageError) as wrong:
        company.plans("zzz")
    assert wrong.value.mend == "Plans: ada-q4, ben-coaching, cleo-next"


def test_acts_are_those_before_an_instant(life: Path) -> None:
    with opened(life, at(20, 1)) as company:
        assert len(company.acts(at(14, 0)).check_ins) == 1
        assert company.acts(at(19, 4)).disputes == ()
        assert len(company.acts(at(19, 4) + timedelta(seconds=1)).disputes) == 1


def test_evaluating_is_a_function_of_plan_facts_and_instant(company: Organisation) -> None:
    first, again = (json.dumps(company.evaluate(AS_OF).to_json()) for _ in range(2))
    assert first == again
    (alone,) = company.evaluate(AS_OF, "ada-q4").to_json()["plans"]
    assert alone == json.loads(first)["plans"][0]


def test_the_whole_day_in_python(folder: Path) -> None:
    with opened(folder, at(20, 0, 2.5)) as company:
        report = company.run()
        assert report.outcome == "done"
        digest = company.digest(WEEK, "dana")
        assert [card.plan for card in digest.cards] == ["ada-q4", "ben-coaching"]
        assert company.explain("ada-q4", "reviews-24h").criterion["n"] == 15
        _, entries = company.record(AS_OF + timedelta(hours=1))
        assert all(company.replay(entry).same for entry in entries)
