"""pull, measurements, metrics, criteria on the command line."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from pathlib import Path

import pytest

from pipmetrics import registry, sources
from pipmetrics.demo.service import Response
from pipmetrics.measure import FIELDS
from pipmetrics.transport import Wire
from tests.organisation import AS_OF, Acme, cli, cli_json, opened


def test_pull_says_what_came_what_it_cost_and_what_is_left(folder: Path) -> None:
    result = cli("pull", folder=folder)
    lines = {line.partition(":")[0]: line for line in result.stdout.splitlines()}
    assert set(lines) == {"hub", "lab", "jira"}
    assert "0 facts new, 0 changed, 0 gone" in lines["hub"]
    assert "requests" in lines["hub"]
    assert "budget left: " in lines["hub"]


def test_pull_as_json_and_of_one_source(folder: Path) -> None:
    (told,) = cli_json("pull", "--source", "lab", folder=folder)
    assert (told["source"], told["complete"], told["error"], told["added"]) == ("lab", True, None, 0)
    assert told["requests"] >= 1


def test_an_unknown_source_is_told_with_the_likely_one(folder: Path) -> None:
    assert "Did you mean 'hub'?" in cli("pull", "--source", "hubb", folder=folder, code=2).stderr


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (Response(200, b"<html><body>Welcome</body></html>", {"Content-Type": "text/html"}), "hub"),
        (Response.of({"message": "Bad credentials"}, 401), "hub"),
        (Response.of({"data": None, "errors": [{"message": "x"}]}), "hub"),
    ],
    ids=["html", "unauthorised", "holes"],
)
def test_a_source_that_does_not_answer_as_it_should_fails_and_the_others_go_on(
    acme: Acme, folder: Path, response: Response, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "Wire", partial(Wire, sleep=lambda _: None))
    acme.services["hub"].fault = lambda _number, _request: response
    try:
        told = {each["source"]: each for each in cli_json("pull", folder=folder, code=1)}
    finally:
        acme.services["hub"].fault = None
    assert told[said]["error"]
    assert not told[said]["complete"]
    assert told["lab"]["complete"]
    assert told["jira"]["complete"]


def test_a_source_that_is_not_there_fails_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "Wire", partial(Wire, sleep=lambda _: None))
    path = folder / "pipmetrics.yaml"
    text = path.read_text()
    address = text.partition("connector: gitlab, url: ")[2].partition(",")[0]
    path.write_text(text.replace(address, "http://127.0.0.1:9"))
    result = cli("pull", "--source", "lab", folder=folder, code=1)
    assert "failed: " in result.stdout
    assert "the service cannot be reached" in result.stdout


def test_a_missing_token_is_told_by_its_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPMETRICS_TEST_HUB")
    assert "PIPMETRICS_TEST_HUB is not set" in cli("pull", "--source", "hub", folder=folder, code=1).stdout


def test_a_pull_is_refused_while_another_run_goes_on(folder: Path) -> None:
    with opened(folder) as company, company.store.leased(AS_OF):
        assert "another run goes on" in cli("pull", folder=folder, code=3).stderr


# --- measurements -------------------------------------------------------------------------------------------------

REVIEWS = (
    "measurements", "--metric", "review_turnaround", "--person", "ada", "--from", "2025-10-06", "--to", "2025-11-24",
    "--as-of", "2025-11-24",
)  # fmt: skip


def test_measurements_are_the_rows_of_the_contract_as_json(folder: Path, acme: Acme) -> None:
    rows = cli_json(*REVIEWS, "--clock", "elapsed", folder=folder)
    assert all(set(row) == set(FIELDS) for row in rows)
    by_state = {state: [row for row in rows if row["state"] == state] for state in ("counted", "excluded", "pending")}
    assert len(by_state["counted"]) == acme.story.in_time + 2
    assert {row["reason"] for row in by_state["excluded"]} == {"withdrawn", "bot"}
    assert [row["reason"] for row in by_state["pending"]] == ["unanswered"] * 2
    assert all(row["end"] is None and row["value"] > 0 for row in by_state["pending"])
    assert {row["reason"] for row in by_state["counted"]} == {None}
    late = max(by_state["counted"], key=lambda row: row["value"])
    assert late == {
        "metric": "review_turnaround", "person": "ada", "source": "hub", "subject": late["subject"], "key": late["key"],
        "start": "2025-10-20T10:00:00Z", "end": "2025-10-22T02:00:00Z", "value": 40.0, "unit": "hours",
        "state": "counted", "reason": None, "url": late["url"],
    }  # fmt: skip
    assert late["subject"].startswith("hub:acme/api#")
    assert late["url"].startswith(acme.services["hub"].url)


def test_the_three_forms_hold_the_same_rows(folder: Path) -> None:
    as_json = cli_json(*REVIEWS, folder=folder)
    as_csv = list(csv.DictReader(io.StringIO(cli(*REVIEWS, "--format", "csv", folder=folder).stdout)))
    as_text = cli(*REVIEWS, folder=folder).stdout.splitlines()
    assert [row["key"] for row in as_csv] == [row["key"] for row in as_json]
    assert [float(row["value"]) for row in as_csv] == [row["value"] for row in as_json]
    assert as_text[0].split() == ["person", "subject", "start", "end", "value", "state", "reason"]
    assert [line.split()[1] for line in as_text[1:]] == [row["subject"] for row in as_json]


def test_the_clock_decides_about_the_hours(folder: Path) -> None:
    hours = {}
    for clock in ("elapsed", "workdays", "working"):
        rows = cli_json(*REVIEWS, "--clock", clock, folder=folder)
        hours[clock] = max(row["value"] for row in rows if row["state"] == "counted")
    assert hours == {"elapsed": 40.0, "workdays": 40.0, "working": 15.0}


def test_without_limits_everybody_and_all_time_are_there(folder: Path) -> None:
    rows = cli_json("measurements", "--metric", "reviews_given", folder=folder)
    assert {row["person"] for row in rows} == {"ada", "ben", "cleo", "dora", "eli", "finn"}
    assert cli_json("measurements", "--metric", "reviews_given", "--as-of", "2025-01-01", folder=folder) == []


def test_nobody_and_no_such_metric_are_told(folder: Path) -> None:
    result = cli("measurements", "--metric", "review_turnarond", folder=folder, code=2)
    assert "Did you mean 'review_turnaround'?" in result.stderr
    result = cli("measurements", "--metric", "reviews_given", "--person", "zoe", folder=folder, code=2)
    assert "there is no person 'zoe' in people.yaml" in result.stderr


# --- what is available --------------------------------------------------------------------------------------------


def test_metrics_and_criteria_are_listed_with_their_definitions() -> None:
    metrics, criteria = cli_json("metrics"), cli_json("criteria")
    assert {each["name"] for each in metrics} == set(registry.names("metrics"))
    assert [each["name"] for each in criteria] == list(registry.names("criteria"))
    assert all(each["definition"] for each in metrics)
    text = cli("metrics").stdout + cli("criteria").stdout
    assert "review_turnaround (hours)" in text
    assert "target (share, required)" in text
    assert json.dumps(metrics)
