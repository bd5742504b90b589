"""run, deliver, serve, link on the command line."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.organisation import TOKENS, cli, cli_json, opened


def test_run_does_the_whole_night_and_tells_it(folder: Path) -> None:
    told = cli_json("run", folder=folder)
    assert told["outcome"] == "done"
    assert [source["source"] for source in told["pulled"]] == ["hub", "lab", "jira"]
    assert told["baselines"] == 5
    assert len(told["recorded"]) >= 2
    assert re.fullmatch(r"\d+:[0-9a-f]{64}", told["ledger"])
    second = cli("run", folder=folder)
    assert "0 evaluations and 0 baselines recorded" in second.stdout
    assert f"ledger head {told['ledger']}" in second.stdout


def test_run_logs_one_json_line_a_step_on_stderr(folder: Path) -> None:
    lines = [json.loads(line) for line in cli("run", folder=folder).stderr.splitlines()]
    steps = [line["step"] for line in lines if "step" in line]
    assert steps == ["check", "pull", "evaluate", "deliver"]
    assert len({line["run"] for line in lines if "step" in line}) == 1
    assert not any(token in json.dumps(lines) for token in TOKENS.values())


def test_run_with_a_missing_token_ends_with_code_1_and_says_which_plans_lack_what(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIPMETRICS_TEST_JIRA")
    told = cli("run", folder=folder, code=1).stdout
    assert "incomplete: jira: the environment variable PIPMETRICS_TEST_JIRA is not set" in told
    assert "incomplete: ada-q4: jira" in told


def test_run_is_refused_while_another_one_goes_on(folder: Path) -> None:
    with opened(folder) as company, company.store.leased(company.now()):
        result = cli("run", folder=folder, code=3)
    assert "another run goes on" in result.stderr
    assert result.stdout == ""


def test_deliver_without_anything_due_and_as_a_rehearsal(folder: Path, tmp_path: Path) -> None:
    assert "0 digests sent" in cli("deliver", folder=folder).stdout
    assert cli_json("deliver", folder=folder) == {"sent": 0, "failed": []}
    (folder / "plans" / "ada-q4.yaml").write_text(
        (folder / "plans" / "ada-q4.yaml").read_text().replace("end: 2025-11-30", "end: 2034-11-30")
    )
    written = cli_json("deliver", "--dry-run", tmp_path / "outbox", folder=folder)["written"]
    assert [re.sub(r"\d{4}-W\d\d", "WEEK", name) for name in written] == [
        "digest-WEEK-mail-ada.eml", "digest-WEEK-mail-dana.eml",
    ]  # fmt: skip


# --- links --------------------------------------------------------------------------------------------------------


def test_a_link_is_made_for_a_person_and_leads_to_the_pages(folder: Path) -> None:
    made = cli("link", "dana", "--base", "http://127.0.0.1:8123/", folder=folder).stdout.strip()
    assert made.startswith("http://127.0.0.1:8123/sign-in/link/")
    assert "Did you mean 'dana'?" in cli("link", "danna", folder=folder, code=2).stderr


def test_links_are_for_their_own_way_to_sign_in(folder: Path) -> None:
    path = folder / "pipmetrics.yaml"
    path.write_text(path.read_text() + "access: {mode: proxy, trusted: [10.0.0.0/8]}\n")
    assert "people sign in elsewhere" in cli("link", "dana", folder=folder, code=2).stderr


# --- serve --------------------------------------------------------------------------------------------------------


@contextmanager
def served(folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", "from pipmetrics.cli import main; main()", "serve", "--config", str(folder), *more]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **TOKENS}
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_serve_gives_the_pages_signs_in_by_link_and_stops_at_sigterm(folder: Path) -> None:
    with served(folder, "--port", "0") as process:
        assert process.stderr is not None
        address = next(found[1] for line in process.stderr if (found := re.search(r"pages at (http://\S+/)", line)))
        link = cli("link", "dana", "--base", address, folder=folder).stdout.strip()
        for path in (f"{address}healthz", link):
            with urllib.request.urlopen(path, timeout=60) as answer:
                assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_serve_without_pages_runs_the_schedule_until_it_is_told_to_stop(folder: Path) -> None:
    with opened(folder) as company:
        number = company.store.begin_run("nightly", company.now())
        assert number
    with served(folder, "--no-pages") as process:
        assert process.stderr is not None
        told = json.loads(next(line for line in process.stderr if "missed" in line))
        assert told["message"].startswith("nightly of ")
        for line in process.stderr:
            if json.loads(line).get("step") == "deliver":
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    with opened(folder) as company:
        assert company.store.runs(["nightly"], limit=1)[0].outcome == "done"


def test_a_port_that_is_taken_is_told(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = cli("serve", "--port", port, folder=folder, code=2)
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
