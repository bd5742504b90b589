"""run, deliver, serve, link on the command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipmetrics.ledger import verify
from tests.organisation import TOKENS, Acme, cli, cli_json, opened

DOCS = Path(__file__).parents[2] / "docs"


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


def process_of(*arguments: object, **more: object) -> subprocess.Popen[str]:
    """The command in a process of its own, whose environment holds the tokens and nothing else of ours."""
    command = [sys.executable, "-c", "from pipmetrics.cli import main; main()", *map(str, arguments)]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "HOME")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **{"env": {**kept, **TOKENS}, **pipes, **more})  # type: ignore[call-overload, no-any-return]


def test_sigterm_ends_a_run_after_a_commit_and_the_next_one_goes_on(acme: Acme, folder: Path) -> None:
    """The signal comes while the last source answers its first question."""
    process, asked = process_of("run", "--config", folder), list[str]()

    def terminate(_number: int, request: object) -> None:
        if not asked:
            asked.append(repr(request))
            process.send_signal(signal.SIGTERM)

    service = acme.services["jira"]
    service.fault = terminate
    try:
        _, told = process.communicate(timeout=120)
    finally:
        service.fault = None
    assert (process.returncode, len(asked)) == (143, 1)
    assert "stopped after a commit" in told
    with opened(folder) as company:
        assert company.store.runs(["nightly"], 1)[0].outcome == "stopped"
        assert verify(company.store).ok
    assert cli_json("run", folder=folder)["outcome"] == "done"


def evaluations(folder: Path) -> list[tuple[str, object]]:
    """What is on record of each plan, without the instant of the run, which differs."""
    with opened(folder) as company:
        entries = company.store.entries(acts=["evaluation"])
        assert company.store.runs(["nightly"], 1)[0].outcome == "done"
    return [(entry.subject, steady(entry.payload["result"]["plans"][0])) for entry in entries]


def steady(plan: dict[str, object]) -> object:
    criteria: list[dict[str, object]] = plan["criteria"]  # type: ignore[assignment]  # as the contract has it
    return (
        plan["verdict"],
        plan["score"],
        [(each["id"], each["value"], each["n"], each["interval"]) for each in criteria],
    )


def test_cron_systemd_and_serve_do_the_same(folder: Path, tmp_path: Path) -> None:
    """The line of crontab, the unit's ExecStart, and the schedule, each over a copy of one organisation."""
    ways = {way: Path(shutil.copytree(folder, tmp_path / way / "config")) for way in ("cron", "systemd", "serve")}
    program = tmp_path / "bin" / "pipmetrics"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom pipmetrics.cli import main\nmain()\n")
    program.chmod(0o755)
    bare = {"PATH": "/usr/bin:/bin", "HOME": "/", **{k: v for k, v in os.environ.items() if k == "PYTHONPATH"}}

    secrets = tmp_path / "secrets.env"
    secrets.write_text("".join(f"export {name}={value}\n" for name, value in TOKENS.items()))
    text = (DOCS / "operating.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("30 2 * * *")).partition("* * *  ")[2]
    for was, now in {
        "/etc/pipmetrics/secrets.env": secrets,
        "/opt/pipmetrics/bin/pipmetrics": program,
        "/var/lib/pipmetrics/config": ways["cron"],
        "/var/log/pipmetrics.log": tmp_path / "log",
    }.items():
        line = line.replace(was, str(now))
    done = subprocess.run(["/bin/sh", "-c", line], cwd="/", env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (tmp_path / "log").read_text()

    unit = (DOCS / "units" / "pipmetrics-run.service").read_text()
    start = re.search(r"^ExecStart=(.*)$", unit, flags=re.M)
    assert start
    command = start[1].replace("/opt/pipmetrics/bin/pipmetrics", str(program)).split()
    told = {**bare, **TOKENS, "PIPMETRICS_CONFIG": str(ways["systemd"])}
    done = subprocess.run(command, cwd=tmp_path, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    with opened(ways["serve"]) as company:
        company.store.begin_run("nightly", company.now())  # a night that was missed is caught up with at once
    with process_of("serve", "--no-pages", "--config", ways["serve"]) as process:
        for text in process.stderr or ():
            if json.loads(text).get("step") == "deliver":
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    found = {way: evaluations(path) for way, path in ways.items()}
    assert found["cron"]
    assert found["cron"] == found["systemd"] == found["serve"]


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
