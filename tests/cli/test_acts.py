"""The human acts on the command line: each is recorded, and changes what is scored as the contract says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipmetrics.ledger import verify
from tests.organisation import cli, cli_json, opened

TARGET, EASIER = "target: 90%\n    minimum: 8", "target: 80%\n    minimum: 8"


def entry_of(result: Any) -> int:
    found = re.search(r"recorded as entry (\d+)", result.stdout)
    assert found
    return int(found[1])


def ada(folder: Path) -> Any:
    """As of the next minute: what was done in this very second counts from the next one on."""
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds")
    return cli_json("evaluate", "--plan", "ada-q4", "--as-of", soon, folder=folder)["plans"][0]


def reviews(folder: Path) -> Any:
    return ada(folder)["criteria"][0]


def late(folder: Path) -> str:
    points = cli_json("explain", "ada-q4", "reviews-24h", folder=folder)["points"]
    return next(p["measurement"]["key"] for p in points if p["standing"] == "late" and p["measurement"]["value"] == 40)


def test_a_dispute_shows_both_values_until_it_is_upheld_and_leaves_the_point_out(folder: Path) -> None:
    before = reviews(folder)
    key = late(folder)
    number = entry_of(
        cli(
            "dispute", "file", "ada-q4", "reviews-24h", key, "--by", "ada", "--why", "I led an incident.", folder=folder
        )
    )
    contested = reviews(folder)
    assert (contested["value"], contested["n"]) == (before["value"], before["n"])
    hits = round(before["value"] * before["n"])
    assert (
        contested["contested"]["text"]
        == f"{hits} of {before['n']}; {hits} of {before['n'] - 1} without the contested one"
    )
    assert ada(folder)["verdict"] not in ("met", "not_met")
    cli("dispute", "answer", number, "--by", "dana", "--why", "The log agrees.", folder=folder)
    assert reviews(folder)["contested"] is not None
    cli("dispute", "decide", number, "upheld", "--by", "petra", "--why", "Incidents come first.", folder=folder)
    decided = reviews(folder)
    assert (decided["contested"], decided["n"]) == (None, before["n"] - 1)
    assert decided["excluded"] == before["excluded"] + 1


def test_a_rejected_dispute_counts_and_who_filed_it_cannot_decide(folder: Path) -> None:
    before = reviews(folder)
    key = late(folder)
    filed = cli("dispute", "file", "ada-q4", "reviews-24h", key, "--by", "ada", "--why", "No.", folder=folder)
    number = entry_of(filed)
    refused = cli("dispute", "decide", number, "upheld", "--by", "ada", "--why", "Yes.", folder=folder, code=3)
    assert "decided by somebody else" in refused.stderr
    cli("dispute", "decide", number, "rejected", "--by", "petra", "--why", "Others covered.", folder=folder)
    assert (reviews(folder)["value"], reviews(folder)["n"]) == (before["value"], before["n"])
    again = cli("dispute", "decide", number, "upheld", "--by", "petra", "--why", "x", folder=folder, code=2)
    assert "was rejected by petra" in again.stderr


def test_a_point_of_the_baseline_may_be_contested_and_one_that_is_none_may_not(folder: Path) -> None:
    found = cli_json("explain", "ada-q4", "reviews-24h", folder=folder)
    key = next(p["measurement"]["key"] for p in found["baseline"]["points"] if p["standing"] == "late")
    cli("dispute", "file", "ada-q4", "reviews-24h", key, "--by", "ada", "--why", "On leave.", folder=folder)
    wrong = cli(
        "dispute", "file", "ada-q4", "reviews-24h", "nothing", "--by", "ada", "--why", "x", folder=folder, code=2
    )
    assert "has no measurement 'nothing'" in wrong.stderr


def test_check_ins_and_support_count_and_an_attestation_after_the_end_comes_too_late(folder: Path) -> None:
    cli("attest", "ada-q4", "led-release", 1, "--role", "mentor", "--by", "sol", "--why", "Led 4.2.", folder=folder)
    cli("check-in", "ada-q4", "--day", "2025-10-06", "--by", "dana", "--why", "Went through it.", folder=folder)
    cli("check-in", "ada-q4", "--day", "2025-10-13", "--missed", "--by", "dana", "--why", "Was away.", folder=folder)
    cli("support", "ada-q4", 1, "--on", "2025-10-17", "--by", "dana", "--why", "Three sessions.", folder=folder)
    cli("support", "ada-q4", 2, "--on", "2025-11-10", "--by", "dana", "--why", "Booked.", folder=folder)
    cli("support", "ada-q4", 2, "--deny", "--by", "ada", "--why", "It was cancelled.", folder=folder)
    found = ada(folder)
    assert found["criteria"][5]["verdict"] == "not_enough_data"  # it came after the plan's end
    rows = cli_json("measurements", "--metric", "attested", folder=folder)
    assert [(row["key"].partition(" ")[0] != "", row["value"]) for row in rows] == [(True, 1.0)]
    assert found["check_ins"] == {"due": 8, "held": 1}
    assert found["supports"] == {"due": 2, "delivered": 1}
    wrong = cli(
        "attest", "ada-q4", "led-release", 1, "--role", "mentor", "--by", "dana", "--why", "x", folder=folder, code=2
    )
    assert "does not have the role 'mentor'" in wrong.stderr


def test_the_signed_text_is_scored_until_an_amendment_is_signed_by_both(folder: Path) -> None:
    cli("sign", "ada-q4", "--by", "dana", folder=folder)
    cli("sign", "ada-q4", "--by", "ada", "--disagree", "--why", "Steep.", folder=folder)
    path = folder / "plans" / "ada-q4.yaml"
    path.write_text(path.read_text().replace(TARGET, EASIER))
    assert reviews(folder)["target"] == 0.9
    shown = cli("amend", "ada-q4", folder=folder).stdout
    assert "-    target: 90%" in shown
    assert "+    target: 80%" in shown
    proposed = cli("amend", "ada-q4", "--propose", "--by", "dana", "--why", "Peers miss it too.", folder=folder)
    number = entry_of(proposed)
    assert reviews(folder)["target"] == 0.9
    cli("amend", "ada-q4", "--sign", number, "--by", "ada", folder=folder)
    assert reviews(folder)["target"] == 0.9
    cli("amend", "ada-q4", "--sign", number, "--by", "dana", folder=folder)
    assert reviews(folder)["target"] == 0.8
    assert "nothing to amend" in cli("amend", "ada-q4", folder=folder).stdout
    twice = cli("sign", "ada-q4", "--by", "ada", folder=folder, code=2)
    assert "acknowledged already" in twice.stderr


def test_a_plan_whose_file_was_deleted_after_signing_is_still_scored(folder: Path) -> None:
    cli("sign", "ada-q4", "--by", "ada", folder=folder)
    (folder / "plans" / "ada-q4.yaml").unlink()
    assert ada(folder)["plan"] == "ada-q4"


def test_a_digest_is_signed_with_the_head_it_showed(life: Path) -> None:
    cli("sign", "ada-q4", "--week", "2025-W47", "--by", "ada", "--agree", folder=life)
    (entry,) = cli_json("ledger", "--act", "sign", "--last", 1, folder=life)
    assert (entry["actor"], entry["payload"]["about"], entry["payload"]["agrees"]) == ("ada", "2025-W47", True)
    assert re.fullmatch(r"\d+:[0-9a-f]{64}", entry["payload"]["head"])
    assert "no ISO week" in cli("sign", "ada-q4", "--week", "47", "--by", "ada", folder=life, code=2).stderr


def test_pausing_and_going_on_are_noted(folder: Path) -> None:
    cli("pause", "ada-q4", "--by", "dana", "--why", "Long illness.", folder=folder)
    assert "paused already" in cli("pause", "ada-q4", "--by", "dana", "--why", "x", folder=folder, code=2).stderr
    cli("pause", "ada-q4", "--resume", "--by", "dana", "--why", "Ada is back.", folder=folder)
    refused = cli("pause", "ada-q4", "--by", "ada", "--why", "x", folder=folder, code=3)
    assert "not paused by the person on it" in refused.stderr


def test_a_decision_is_recorded_beside_the_recommendation_and_waits_for_open_disputes(folder: Path) -> None:
    key = late(folder)
    number = entry_of(
        cli("dispute", "file", "ada-q4", "reviews-24h", key, "--by", "ada", "--why", "No.", folder=folder)
    )
    waits = cli("decide", "ada-q4", "complete", "--by", "dana", "--why", "Done.", folder=folder, code=3)
    assert f"open disputes: {number}" in waits.stderr
    cli("dispute", "decide", number, "rejected", "--by", "petra", "--why", "Others covered.", folder=folder)
    until = date.today() + timedelta(days=30)  # noqa: DTZ011 - the command reads the same clock
    cli("decide", "ada-q4", "extend", "--until", until, "--by", "dana", "--why", "Nearly there.", folder=folder)
    assert ada(folder)["days"] > 56
    (entry,) = cli_json("ledger", "--act", "decide", folder=folder)
    assert entry["payload"]["recommendation"] in ("extend", "undetermined")
    assert "terminat" not in str(entry["payload"]).lower()
    with opened(folder) as company:
        assert verify(company.store).ok


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("sign", "ada-q5", "--by", "ada"), 2, "Did you mean 'ada-q4'?"),
        (("sign", "ada-q4", "--by", "eve"), 2, "people.yaml knows nobody called 'eve'"),
        (("sign", "ada-q4", "--by", "finn"), 3, "finn has no part in plan ada-q4"),
        (("check-in", "ada-q4", "--by", "dana", "--why", " "), 2, "an act needs its reason"),
        (("check-in", "ada-q4", "--day", "2099-01-01", "--by", "dana", "--why", "x"), 2, "lies ahead"),
        (("support", "ada-q4", "9", "--by", "dana", "--why", "x"), 2, "promises no support 9"),
        (("support", "ada-q4", "1", "--confirm", "--by", "dana", "--why", "x"), 3, "only ada can say"),
        (("decide", "ada-q4", "fired", "--by", "dana", "--why", "x"), 2, "a plan is not decided as 'fired'"),
        (("decide", "cleo-next", "complete", "--by", "dana", "--why", "x"), 2, "has not begun"),
        (("dispute", "answer", "99", "--by", "dana", "--why", "x"), 2, "there is no dispute 99"),
        (("amend", "ada-q4", "--propose", "--by", "dana", "--why", "x"), 2, "not acknowledged yet"),
    ],
)
def test_what_cannot_be_done_is_told_and_recorded_nowhere(
    folder: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    assert said in cli(*arguments, folder=folder, code=code).stderr
    assert cli_json("ledger", folder=folder) == []
