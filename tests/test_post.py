"""Digests are addressed to whom they concern, and the ways are opened from the settings."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from pipmetrics import post
from pipmetrics.delivery import Note
from pipmetrics.errors import PipmetricsError, SourceError, UsageError
from tests.organisation import at, opened

MONDAY = date(2025, 11, 17)
BOTH = 'delivery: {mail_from: pip@acme.example, smtp: "${PIPMETRICS_TEST_SMTP}", urls: ["${PIPMETRICS_TEST_CHAT}"]}\n'


@pytest.fixture
def sending(life: Path) -> Path:
    path = life / "pipmetrics.yaml"
    path.write_text(path.read_text() + BOTH + "access: {url: https://pip.acme.example/}\n")
    return life


def test_mails_go_to_who_manages_and_who_is_on_a_formal_plan_and_a_note_to_each_channel(sending: Path) -> None:
    with opened(sending, at(20, 0, 8)) as company:
        made = post.messages(company, MONDAY, company.now())
        assert post.readers(company) == ["dana", "ada"]
    assert [(one.way, one.to.partition("-")[0]) for one in made] == [
        ("mail", "dana"),
        ("mail", "ada"),
        ("chat", "channel"),
    ]
    mail, note = made[0].content, made[2].content
    assert not isinstance(mail, Note)
    assert (mail["From"], mail["To"]) == ("pipmetrics <pip@acme.example>", "dana@acme.example")
    assert "Ada" not in mail["Subject"]
    assert "https://pip.acme.example/?week=2025-W47" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # it has text
    assert isinstance(note, Note)
    assert "Ada" not in note.title + note.body
    assert "PIPMETRICS" not in made[2].key


def test_channels_are_told_names_where_the_settings_say_so(sending: Path) -> None:
    path = sending / "pipmetrics.yaml"
    path.write_text(path.read_text().replace("delivery: {", "delivery: {names: true, "))
    with opened(sending, at(20, 0, 8)) as company:
        note = post.messages(company, MONDAY, company.now())[2].content
    assert isinstance(note, Note)
    assert "Ada Example" in note.body
    assert "Ben" not in note.body


def test_coaching_is_never_written_about(sending: Path) -> None:
    (sending / "plans" / "ada-q4.yaml").unlink()
    with opened(sending, at(40, 0, 8)) as company:
        found = post.messages(company, date(2025, 10, 20), company.now())
        assert "ben" not in post.readers(company)
    assert all("ben" not in one.to for one in found)


def test_the_same_message_is_the_same_to_the_byte(sending: Path) -> None:
    with opened(sending, at(20, 0, 8)) as company:
        first, second = (post.messages(company, MONDAY, company.now())[0].content for _ in range(2))
    assert not isinstance(first, Note)
    assert not isinstance(second, Note)
    assert first.as_bytes() == second.as_bytes()


@pytest.mark.parametrize(
    ("when", "due"),
    [
        (at(20, 0, 6.5), MONDAY - timedelta(days=7)),
        (at(20, 0, 7), MONDAY),
        (at(20, 6, 23), MONDAY),
    ],
)
def test_the_week_that_is_due_is_the_one_before_the_last_time_of_the_schedule(
    sending: Path, when: object, due: date
) -> None:
    with opened(sending, when) as company:  # type: ignore[arg-type]  # an instant
        assert post.due_week(company, company.now()) == due


def test_nothing_is_due_without_a_schedule_or_a_way(life: Path, sending: Path) -> None:
    path = sending / "pipmetrics.yaml"
    text = path.read_text()
    path.write_text(text + "schedule: {digest: off}\n")
    with opened(sending, at(20, 0, 8)) as company:
        assert post.due_week(company, company.now()) is None
        assert post.due_week(company, company.now(), anyway=True) is None
    path.write_text(text.replace(BOTH, ""))
    with opened(sending, at(20, 0, 8)) as company:
        assert post.due_week(company, company.now()) is None
        assert post.due_week(company, company.now(), anyway=True) == MONDAY


def test_ways_need_their_secrets(sending: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPMETRICS_TEST_SMTP", "smtp://mail.acme.example")
    monkeypatch.setenv("PIPMETRICS_TEST_CHAT", "json://127.0.0.1:9/hook")
    with opened(sending) as company:
        assert set(post.ways(company)) == {"mail", "chat"}
        monkeypatch.delenv("PIPMETRICS_TEST_CHAT")
        with pytest.raises(SourceError, match="PIPMETRICS_TEST_CHAT is not set"):
            post.ways(company)
        monkeypatch.setenv("PIPMETRICS_TEST_SMTP", "https://mail.acme.example")
        with pytest.raises(UsageError, match="mail server's URL is none"):
            post.ways(company)


def test_an_envelope_needs_a_sender_and_an_address(life: Path) -> None:
    with opened(life) as company:
        with pytest.raises(PipmetricsError, match="need a sender"):
            post.envelope(company, "dana", "2025-W47")
        assert post.envelope(company, "dana", "2025-W47", anyway=True).to == "dana@acme.example"
        with pytest.raises(UsageError, match="sol has no e-mail address"):
            post.envelope(company, "sol", "2025-W47", anyway=True)
