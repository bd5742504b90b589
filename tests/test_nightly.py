"""The night as it is composed: what is pulled, scored, recorded and delivered, and what happens when it runs again."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipmetrics import acts, nightly
from pipmetrics.demo.service import Response
from pipmetrics.errors import Refused
from pipmetrics.ledger import verify
from pipmetrics.records import latest
from pipmetrics.runner import RunReport
from tests.organisation import AS_OF, OVER, TOKENS, Acme, at, opened
from tests.store.dump import dump

NIGHT = at(20, 0, 2.5)


def facts(tables: Mapping[str, Any]) -> dict[str, Any]:
    """All but how far the reading has come and when, which each run notes."""
    return {name: rows for name, rows in tables.items() if name not in ("pulled", "bookmark")}


def test_a_second_run_over_unchanged_sources_writes_nothing_and_evaluates_to_the_same_byte(folder: Path) -> None:
    with opened(folder, NIGHT) as company:
        first = company.run()
        kept, scored = dump(company.store), json.dumps(company.evaluate(AS_OF).to_json())
    with opened(folder, NIGHT + timedelta(minutes=9)) as company:
        second = company.run()
        assert facts(dump(company.store)) == facts(kept)
        assert json.dumps(company.evaluate(AS_OF).to_json()) == scored
    assert [one.written.added for one in first.pulled] == [0, 0, 0]
    assert len(first.recorded) == 4
    assert [bool(one.written) for one in second.pulled] == [False] * 3
    assert (second.recorded, second.baselines, second.outcome) == ((), 0, "done")


def test_a_night_records_the_weeks_end_and_the_moment_once(folder: Path) -> None:
    with opened(folder, NIGHT) as company:
        report = company.run()
        entries = {(one.plan, one.as_of) for one, _ in report.recorded}
        assert {("ada-q4", AS_OF), ("ben-coaching", AS_OF)} <= entries
        assert report.baselines == 5
        assert verify(company.store).unsigned == 0
        assert "beside" in latest_week(company)
    with opened(folder, NIGHT + timedelta(days=1)) as company:
        report = company.run()
    assert {one.as_of for one, _ in report.recorded} == {NIGHT + timedelta(days=1)}


def latest_week(company: Any) -> Mapping[str, str]:
    found = company.store.evaluations_at(["ada-q4"], AS_OF)
    return found[0].payload["texts"]


def test_an_ended_plan_is_recorded_until_it_says_nothing_new_and_no_more_once_it_is_decided(life: Path) -> None:
    with opened(life, OVER + timedelta(days=9)) as company:
        assert "ada-q4" in {one.plan for one, _ in company.run().recorded}
    with opened(life, OVER + timedelta(days=10)) as company:
        assert company.run().recorded == ()
        (dispute,) = company.acts(company.now()).disputes
        store, config = company.store, company.config
        acts.decide_dispute(store, config, dispute.entry, "upheld", by="petra", why="Yes.", now=company.now())
    with opened(life, OVER + timedelta(days=11)) as company:
        assert {one.plan for one, _ in company.run().recorded} == {"ada-q4"}
        acts.decide(company.store, company.config, "ada-q4", "complete", by="dana", why="Done.", now=company.now())
    with opened(life, OVER + timedelta(days=12)) as company:
        acts.sign_plan(company.store, company.config, "ben-coaching", by="ben", now=company.now())
        assert [plan.id for plan in nightly.active(company, company.now())] == ["ben-coaching", "cleo-next"]
        assert "ada-q4" not in {one.plan for one, _ in company.run().recorded}


def test_a_source_that_fails_makes_its_plans_say_so_and_the_others_go_on(acme: Acme, folder: Path) -> None:
    service = acme.services["jira"]
    service.fault = lambda _number, _request: Response.of({"errorMessages": ["no"]}, 401)
    try:
        with opened(folder, NIGHT) as company:
            report = company.run()
            plans = {plan["plan"]: plan for plan in company.evaluate(NIGHT).to_json()["plans"]}
    finally:
        service.fault = None
    assert (report.outcome, report.exit_code) == ("incomplete", 1)
    assert [one.complete for one in report.pulled] == [True, True, False]
    assert any(line.startswith("jira: ") for line in report.incomplete)
    assert "ada-q4: jira" in report.incomplete
    ada = {each["id"]: each for each in plans["ada-q4"]["criteria"]}
    assert plans["ada-q4"]["incomplete_sources"] == ["jira"]
    assert ada["bugs-halved"]["verdict"] == "not_enough_data"
    assert ada["bugs-halved"]["reason"].startswith("source incomplete: jira since ")
    assert ada["reviews-24h"]["verdict"] == "off_track"
    assert plans["ben-coaching"]["incomplete_sources"] == []
    with opened(folder, NIGHT + timedelta(hours=1)) as company:
        assert company.run().outcome == "done"
        assert company.evaluate(NIGHT).to_json()["plans"][0]["incomplete_sources"] == []


def test_a_missing_token_fails_its_source_with_a_mend(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPMETRICS_TEST_LAB")
    with opened(folder, NIGHT) as company:
        report = company.run()
    assert report.incomplete[0] == "lab: the environment variable PIPMETRICS_TEST_LAB is not set"
    assert report.exit_code == 1


def test_two_nights_at_once_are_refused_and_a_pull_by_hand_too(folder: Path) -> None:
    with opened(folder, NIGHT) as company, company.store.leased(NIGHT), opened(folder, NIGHT) as other:
        with pytest.raises(Refused, match="another run goes on"):
            other.run()
        with pytest.raises(Refused, match="another run goes on"):
            other.pull()


def test_a_slot_that_was_answered_is_not_run_again(folder: Path) -> None:
    with opened(folder, NIGHT) as company:
        company.run()
        assert nightly.run(company, slot=NIGHT - timedelta(minutes=1)).outcome == "skipped"


def test_each_step_logs_a_line_with_the_number_of_the_run(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pipmetrics"), opened(folder, NIGHT) as company:
        report = company.run()
    told = [record.fields for record in caplog.records if hasattr(record, "fields")]
    assert [each["step"] for each in told] == ["check", "pull", "evaluate", "deliver"]
    assert {each["run"] for each in told} == {report.run}
    assert told[1]["hub"] == "complete"
    assert told[2]["evaluations"] == 4
    assert all(each["seconds"] >= 0 for each in told)


def test_the_lint_findings_of_the_night_leave_out_what_is_waived(folder: Path) -> None:
    with opened(folder, NIGHT) as company:
        said = nightly.checked(company)
        assert any("PIP107" in line for line in said)
    path = folder / "plans" / "ada-q4.yaml"
    path.write_text(path.read_text() + 'waivers:\n  - {code: PIP107, reason: "Agreed with HR."}\n')
    with opened(folder, NIGHT) as company:
        assert not any("PIP107" in line and "ada" in line for line in nightly.checked(company))


def test_a_pull_by_hand_is_a_run_of_its_own(folder: Path) -> None:
    with opened(folder, NIGHT) as company:
        company.pull(["jira"])
        (run,) = company.store.runs(["pull"], limit=1)
    assert (run.outcome, set(run.sources)) == ("done", {"jira"})


def test_reading_further_back_brings_what_an_earlier_pull_left_out(acme: Acme, tmp_path: Path) -> None:
    from tests.organisation import PEOPLE, settings, write

    urls = {name: service.url for name, service in acme.services.items()}
    folder = write(tmp_path / "config", {"pipmetrics.yaml": settings(urls), "people.yaml": PEOPLE})
    with opened(folder, NIGHT) as company:
        company.pull(since=at(12, 0))
        short = {name: len(company.store.signals(sources=[name])) for name in urls}
        company.pull(since=at(0, -7))
        longer = {name: len(company.store.signals(sources=[name])) for name in urls}
    with opened(acme.pulled) as whole:
        assert longer == {name: len(whole.store.signals(sources=[name])) for name in urls}
    assert all(short[name] < longer[name] for name in urls)


# --- the schedule -------------------------------------------------------------------------------------------------


def test_the_schedule_runs_the_night_and_the_digest_over_the_files_as_they_are_then(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, int]] = []
    monkeypatch.setattr(
        nightly, "run", lambda company, *, slot, pause: ran.append(("night", len(company.config.plans)))
    )
    monkeypatch.setattr(nightly, "send", lambda company, *, slot: ran.append(("digest", len(company.config.plans))))
    with opened(folder, NIGHT) as company:
        schedule = nightly.schedule_of(company, threading.Event())
        assert [(job.kind, job.times.at.isoformat("minutes")) for job in schedule.jobs] == [
            ("nightly", "02:30"), ("digest", "07:00"),
        ]  # fmt: skip
        (folder / "plans" / "cleo-next.yaml").unlink()
        for job in schedule.jobs:
            job.work(NIGHT)
        assert nightly.schedule_of(company, threading.Event(), jobs=False).jobs == ()
    assert ran == [("night", 2), ("digest", 2)]


# --- delivery -----------------------------------------------------------------------------------------------------


@pytest.fixture
def mailing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with a mail server in its settings."""
    path = folder / "pipmetrics.yaml"
    path.write_text(path.read_text() + 'delivery: {mail_from: pip@acme.example, smtp: "${PIPMETRICS_TEST_SMTP}"}\n')
    monkeypatch.setenv("PIPMETRICS_TEST_SMTP", "smtp://127.0.0.1:9")
    return folder


def outgoing(monkeypatch: pytest.MonkeyPatch, fails: bool = False) -> list[Any]:
    from pipmetrics import post
    from pipmetrics.delivery import DeliveryError, Message

    sent: list[Any] = []

    def send(message: Message) -> None:
        if fails:
            raise DeliveryError("the mail server does not answer", where="127.0.0.1:9", again=False)
        sent.append(message)

    monkeypatch.setattr(post, "ways", lambda _company: {"mail": send, "chat": send})
    return sent


def deliver(folder: Path, when: Any) -> RunReport:
    with opened(folder, when) as company:
        return nightly.send(company)


def test_the_digest_of_the_week_is_sent_once_to_each_reader(mailing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = outgoing(monkeypatch)
    report = deliver(mailing, at(20, 0, 7))
    assert report.delivered.sent == 2
    assert sorted(str(one.content["To"]) for one in sent) == ["ada@acme.example", "dana@acme.example"]
    assert {one.key for one in sent} == {"digest:2025-W47:mail:ada", "digest:2025-W47:mail:dana"}
    assert deliver(mailing, at(20, 0, 8)).delivered.sent == 0
    assert deliver(mailing, at(20, 6, 8)).delivered.sent == 0
    assert deliver(mailing, at(21, 0, 8)).delivered.sent == 2
    assert len(sent) == 4


def test_before_its_time_the_digest_of_the_week_before_is_the_one_that_is_due(
    mailing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = outgoing(monkeypatch)
    deliver(mailing, at(20, 0, 6.9))
    assert {one.key.split(":")[1] for one in sent} == {"2025-W46"}


def test_what_could_not_be_sent_makes_the_night_incomplete_and_is_tried_again(
    mailing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outgoing(monkeypatch, fails=True)
    report = deliver(mailing, at(20, 0, 7))
    assert (report.outcome, report.delivered.sent) == ("incomplete", 0)
    assert report.incomplete[0].startswith("not delivered: dana: 127.0.0.1:9: the mail server does not answer")
    sent = outgoing(monkeypatch)
    assert deliver(mailing, at(20, 0, 9)).delivered.sent == len(sent) == 2


def test_a_missing_secret_is_told_and_ends_nothing_else(mailing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPMETRICS_TEST_SMTP")
    report = deliver(mailing, at(20, 0, 7))
    assert report.outcome == "incomplete"
    assert "PIPMETRICS_TEST_SMTP is not set" in report.incomplete[0]


def test_a_rehearsal_writes_files_and_notes_nothing(mailing: Path, tmp_path: Path) -> None:
    with opened(mailing, at(20, 0, 7)) as company:
        names = nightly.rehearse(company, tmp_path / "outbox")
        assert company.store.delivered("digest:2025-W47:mail:ada") is None
    assert names == ["digest-2025-W47-mail-ada.eml", "digest-2025-W47-mail-dana.eml"]
    content = (tmp_path / "outbox" / names[0]).read_bytes()
    assert b"To: ada@acme.example" in content
    assert not any(token.encode() in content for token in TOKENS.values())


def test_where_nothing_is_configured_nothing_is_due_but_a_rehearsal_shows_it(folder: Path, tmp_path: Path) -> None:
    assert deliver(folder, at(20, 0, 7)).delivered.sent == 0
    with opened(folder, at(20, 0, 7)) as company:
        assert len(nightly.rehearse(company, tmp_path / "outbox")) == 2
        assert latest(company, "ada-q4") is None
