"""evaluate, digest, explain, portfolio on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipmetrics.digest.model import Digest
from tests.organisation import AS_OF, WEEK, Acme, cli, cli_json, opened

THEN = ("--as-of", "2025-11-24")

PLAN_KEYS = {
    "plan": str, "person": str, "kind": str, "window": dict, "day": int, "days": int, "verdict": str, "score": float,
    "coverage": float, "criteria": list, "incomplete_sources": list, "supports": dict, "check_ins": dict,
}  # fmt: skip
CRITERION_KEYS = {
    "id", "metric", "criterion", "window", "value", "unit", "n", "interval", "target", "baseline", "verdict",
    "progress", "needed", "projection", "change", "chance", "counted", "excluded", "pending",
}  # fmt: skip
VERDICTS = {"met", "on_track", "at_risk", "off_track", "inconclusive", "not_met", "not_enough_data"}


@pytest.fixture(scope="module")
def document(acme: Acme) -> Any:
    return cli_json("evaluate", *THEN, folder=acme.pulled)


def test_evaluate_prints_the_document_of_the_contract(document: Any) -> None:
    assert (document["as_of"], set(document)) == ("2025-11-24T00:00:00Z", {"as_of", "version", "plans"})
    assert [plan["plan"] for plan in document["plans"]] == ["ada-q4", "ben-coaching"]
    for plan in document["plans"]:
        for key, kind in PLAN_KEYS.items():
            assert isinstance(plan[key], kind), key
        assert plan["recommendation"] is None
        assert plan["verdict"] in VERDICTS
        assert set(plan["supports"]) == {"due", "delivered"}
        assert set(plan["check_ins"]) == {"due", "held"}
        for criterion in plan["criteria"]:
            assert set(criterion) >= CRITERION_KEYS
            assert criterion["verdict"] in VERDICTS
            assert set(criterion["window"]) == {"start", "end"}
            assert criterion["interval"] is None or len(criterion["interval"]) == 2


def test_its_numbers_are_those_of_the_story(document: Any, acme: Acme) -> None:
    ada = document["plans"][0]
    assert ada["window"] == {"start": "2025-10-06T00:00:00Z", "end": "2025-12-01T00:00:00Z"}
    assert (ada["day"], ada["days"], ada["supports"], ada["check_ins"]) == (
        49, 56, {"due": 2, "delivered": 0}, {"due": 7, "held": 0},
    )  # fmt: skip
    reviews, bugs, merged, streak, deliverables, attested = ada["criteria"]
    assert (reviews["value"], reviews["n"], reviews["target"], reviews["unit"]) == (13 / 15, 15, 0.9, "share")
    assert reviews["baseline"]["n"] == 25
    assert reviews["baseline"]["value"] == 14 / 25
    assert reviews["change"] == pytest.approx(13 / 15 - 11 / 13)
    assert (reviews["counted"], reviews["excluded"], reviews["pending"]) == (15, 3, 1)
    assert bugs["value"] == pytest.approx(1 - (1 / 14) / (7 / 26))
    assert (bugs["n"], bugs["counted"], bugs["baseline"]["n"]) == (14, 1, 26)
    assert (merged["value"], merged["n"], merged["target"]) == (8.0, 15, 24)
    assert (streak["value"], streak["target"], streak["verdict"]) == (2.0, 3, "off_track")
    assert (deliverables["value"], deliverables["n"]) == (1.0, 2)
    assert attested["verdict"] == "not_enough_data"
    assert ada["coverage"] == pytest.approx(6 / 7)
    assert ada["score"] == pytest.approx((0 * 2 + 1 + 1 + 0 + 0.5) / 6)


def test_evaluate_as_text_says_the_same(folder: Path) -> None:
    text = cli("evaluate", *THEN, folder=folder).stdout
    assert "ada-q4" in text
    assert "reviews-24h" in text


def test_evaluate_takes_one_plan_and_knows_the_others(folder: Path) -> None:
    assert [plan["plan"] for plan in cli_json("evaluate", "--plan", "ben-coaching", folder=folder)["plans"]] == [
        "ben-coaching"
    ]
    assert "Did you mean 'ada-q4'?" in cli("evaluate", "--plan", "ada-q3", folder=folder, code=2).stderr
    assert cli_json("evaluate", "--as-of", "2025-01-01", folder=folder)["plans"] == []


def test_the_same_instant_gives_the_same_bytes(folder: Path) -> None:
    first = cli("evaluate", *THEN, "--format", "json", folder=folder).stdout
    cli("pull", folder=folder)
    assert cli("evaluate", *THEN, "--format", "json", folder=folder).stdout == first


def test_record_writes_to_the_ledger_and_replay_makes_it_again(folder: Path) -> None:
    result = cli("evaluate", *THEN, "--record", folder=folder)
    assert "recorded as entries 6, 7 of the ledger" in result.stderr
    assert "all of this is on record already" in cli("evaluate", *THEN, "--record", folder=folder).stderr
    assert "equal to the byte" in cli("evaluate", "--replay", 6, folder=folder).stdout
    assert cli_json("evaluate", "--replay", 7, folder=folder)["same"]
    assert "entry 1 is no evaluation" in cli("evaluate", "--replay", 1, folder=folder, code=2).stderr


def test_a_replay_that_differs_is_refused(folder: Path) -> None:
    cli("evaluate", *THEN, "--record", folder=folder)
    with opened(folder) as company, company.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM signal WHERE kind = 'reviewed'")
    assert not cli_json("evaluate", "--replay", 6, folder=folder, code=3)["same"]


def test_incomplete_sources_end_with_code_1(folder: Path) -> None:
    with opened(folder) as company:
        company.store.fail("jira", "it does not answer")
    document = cli_json("evaluate", folder=folder, code=1)
    assert document["plans"][0]["incomplete_sources"] == ["jira"]


# --- digest -------------------------------------------------------------------------------------------------------


def test_the_digest_is_told_as_text(life: Path) -> None:
    text = cli("digest", "--manager", "dana", "--week", WEEK, folder=life).stdout
    assert "Weekly digest, week 47 · 17–23 Nov 2025 · Dana Example" in text
    assert "Ada Example" in text
    assert "13 of 15" in text
    assert "Ben Example" in text
    assert "terminat" not in text.lower()


def test_the_digest_as_json_holds_the_evaluations(life: Path) -> None:
    found = cli_json("digest", "--week", WEEK, folder=life)
    assert (found["week"], found["as_of"]) == (WEEK, "2025-11-24T00:00:00Z")
    assert [card["plan"] for card in found["cards"]] == ["ada-q4", "ben-coaching"]
    assert found["cards"][0]["evaluation"]["criteria"][0]["value"] == 13 / 15
    assert set(found) == set(Digest.__slots__)


def test_the_digest_as_a_page_is_one_file_with_its_points(life: Path, acme: Acme) -> None:
    page = cli("digest", "--week", WEEK, "--format", "html", folder=life).stdout
    assert page.lower().startswith("<!doctype html>")
    assert "<script" not in page
    assert f'href="{acme.services["hub"].url}/acme/api/pull/' in page


def test_the_digest_in_its_other_forms(life: Path) -> None:
    asked = ("digest", "--week", WEEK, "--manager", "dana")
    plain, opened_up = (cli(*asked, "--format", "md", *more, folder=life).stdout for more in ((), ("--evidence",)))
    assert plain.startswith("# Weekly digest, week 47")
    assert len(opened_up) > len(plain)
    table = cli(*asked, "--format", "csv", folder=life).stdout.splitlines()
    assert table[0].startswith("plan,criterion,standing,metric")
    assert sum("reviews-24h,late" in line for line in table) == 2
    mail = cli(*asked, "--format", "eml", folder=life).stdout
    assert "To: dana@acme.example" in mail
    assert cli(*asked, "--format", "pdf", folder=life).stdout_bytes.startswith(b"%PDF-")


def test_several_weeks_come_one_after_the_other(life: Path) -> None:
    weeks = cli_json("digest", "--person", "ada", "--week", "2025-W46..2025-W47", folder=life)
    assert [found["week"] for found in weeks] == ["2025-W46", "2025-W47"]
    asked = ("digest", "--person", "ada", "--week", "2025-W46..2025-W47")
    assert cli(*asked, folder=life).stdout.count("Weekly digest, week") == 2
    table = cli(*asked, "--format", "csv", folder=life).stdout.splitlines()
    assert len(set(table)) == len(table)
    assert "takes one week" in cli(*asked, "--format", "html", folder=life, code=2).stderr


def test_an_e_mail_needs_a_reader_and_a_formal_plan(life: Path) -> None:
    asked = ("digest", "--week", WEEK, "--format", "eml")
    assert "needs a reader" in cli(*asked, folder=life, code=2).stderr
    assert "no formal plan" in cli(*asked, "--person", "ben", folder=life, code=2).stderr


def test_a_digest_of_a_week_with_an_incomplete_source_says_so_and_ends_with_code_1(folder: Path) -> None:
    with opened(folder, AS_OF) as company:
        with company.store.writing("test") as connection:
            connection.exec_driver_sql("DELETE FROM pulled WHERE source = 'jira'")  # as if it had never been read
        company.store.fail("jira", "it does not answer")
    result = cli("digest", "--week", WEEK, folder=folder, code=1)
    assert "Incomplete: jira" in result.stdout


def test_nobody_is_told_with_the_likely_name(folder: Path) -> None:
    assert "Did you mean 'dana'?" in cli("digest", "--manager", "danna", folder=folder, code=2).stderr


# --- explain, portfolio -------------------------------------------------------------------------------------------


def test_explain_opens_a_number_in_both_forms(folder: Path) -> None:
    asked = ("explain", "ada-q4", "reviews-24h", *THEN)
    text = cli(*asked, folder=folder).stdout
    assert "Counted (13)" in text
    assert "Counted as over the limit (2)" in text
    assert "Pending: not decided yet (1)" in text
    assert "Left out (3)" in text
    assert "[rule: Servers are moved by another team.]" in text
    assert "Before the plan: 56%" in text
    assert "Guardrail review_depth" in text
    found = cli_json(*asked, folder=folder)
    assert len(found["points"]) == 19
    assert all(point["facts"] for point in found["points"])
    assert found["baseline"]["window"]["end"] == "2025-10-06T00:00:00Z"
    assert len(cli_json(*asked, "--week", WEEK, folder=folder)["points"]) == 3


def test_explain_tells_what_does_not_exist(folder: Path) -> None:
    assert "no criterion 'speed'" in cli("explain", "ada-q4", "speed", folder=folder, code=2).stderr
    assert (
        "had not begun"
        in cli("explain", "ada-q4", "reviews-24h", "--as-of", "2025-01-01", folder=folder, code=2).stderr
    )


def test_the_portfolio_in_its_forms(life: Path) -> None:
    assert "Maturity of the practice" in cli("portfolio", folder=life).stdout
    assert cli_json("portfolio", folder=life)["active"] is None
    assert [plan["plan"] for plan in cli_json("portfolio", "--named", *THEN, folder=life)["plans"]] == ["ada-q4"]
    assert "<html" in cli("portfolio", "--format", "html", folder=life).stdout
