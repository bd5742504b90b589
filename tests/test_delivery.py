"""Sending digests: once each, again when it failed, at least once when the machine dies in between."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from pipmetrics import delivery
from pipmetrics.delivery import DeliveryError, Forgetful, Message, Note, deliver, into_files, key_of, note_of, smtp
from pipmetrics.digest import mail
from pipmetrics.errors import UsageError
from pipmetrics.transport.secrecy import hide
from tests.digest import gallery

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
ENVELOPE = mail.Envelope("pip@example.com", "dana", "dana@example.com", {})


@dataclass(slots=True)
class Book:
    """What was sent, as the store notes it."""

    known: dict[str, datetime] = field(default_factory=dict)

    def delivered(self, key: str) -> datetime | None:
        return self.known.get(key)

    def mark_delivered(self, key: str, now: datetime) -> bool:
        return self.known.setdefault(key, now) is now


@dataclass
class Mailbox:
    """A mail server's handler: keeps what it is given; refuses with `answers` first."""

    answers: list[str] = field(default_factory=list)
    got: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answers:
            return self.answers.pop(0)
        read = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        self.got.append(read)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(box: Mailbox) -> Iterator[str]:
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}"
    controller.stop()


def letter(*, pictures: bool = True) -> Message:
    made = mail.message(gallery.digest(), ENVELOPE, NOW, pictures=pictures)
    assert made is not None
    return Message(key_of("dana", "2026-W47", "mail"), "mail", "dana", made)


def now() -> datetime:
    return NOW


def test_a_mail_arrives_with_its_parts(server: str, box: Mailbox) -> None:
    (done,) = deliver([letter()], {"mail": smtp(server)}, Book(), now)
    assert done.outcome == "sent"
    (got,) = box.got
    kinds = [part.get_content_type() for part in got.walk()]
    assert {"text/plain", "text/html", "image/png", "text/calendar"} <= set(kinds)
    assert got["To"] == "dana@example.com"
    assert "Tomás Aguilar" in got.get_body(("html",)).get_content()  # type: ignore[union-attr]


def test_sending_twice_sends_once(server: str, box: Mailbox) -> None:
    book = Book()
    first = deliver([letter(pictures=False)], {"mail": smtp(server)}, book, now)
    second = deliver([letter(pictures=False)], {"mail": smtp(server)}, book, now)
    assert [each.outcome for each in (*first, *second)] == ["sent", "already sent"]
    assert len(box.got) == 1
    assert book.known == {"digest:2026-W47:mail:dana": NOW}


def test_a_crash_before_it_is_noted_sends_once_more_with_the_same_id(server: str, box: Mailbox) -> None:
    class Dying(Book):
        def mark_delivered(self, key: str, now: datetime) -> bool:
            raise KeyboardInterrupt

    book = Dying()
    with pytest.raises(KeyboardInterrupt):
        deliver([letter(pictures=False)], {"mail": smtp(server)}, book, now)
    deliver([letter(pictures=False)], {"mail": smtp(server)}, Book(), now)
    one, two = box.got
    assert one["Message-ID"] == two["Message-ID"]
    assert "same Message-ID is the same message" in one.get_body(("html",)).get_content()  # type: ignore[union-attr]


def test_what_is_refused_for_now_is_tried_again_after_longer_and_longer_waits(server: str, box: Mailbox) -> None:
    box.answers = ["451 later", "421 later still"]
    waits: list[float] = []
    (done,) = deliver([letter(pictures=False)], {"mail": smtp(server)}, Book(), now, wait=waits.append)
    assert done.outcome == "sent"
    assert waits == [5.0, 10.0]
    assert len(box.got) == 1


def test_what_is_refused_for_good_is_not_tried_again_and_not_noted(server: str, box: Mailbox) -> None:
    box.answers = ["550 dana@example.com is unknown here", "550 again"]
    book = Book()
    waits: list[float] = []
    (done,) = deliver([letter(pictures=False)], {"mail": smtp(server)}, book, now, wait=waits.append)
    assert done.outcome == "failed"
    assert "refused with 550" in done.why
    assert waits == []
    assert book.known == {}
    (again,) = deliver([letter(pictures=False)], {"mail": smtp(server)}, book, now, wait=waits.append)
    assert again.outcome == "failed"
    (last,) = deliver([letter(pictures=False)], {"mail": smtp(server)}, book, now)
    assert last.outcome == "sent"


def test_one_that_fails_does_not_hold_up_the_rest() -> None:
    def send(message: Message) -> None:
        if message.to == "a":
            raise DeliveryError("no", again=False)

    notes = [Message(name, "chat", name, Note("t", "b")) for name in ("a", "b")]
    done = deliver(notes, {"chat": send}, Book(), now)
    assert [each.outcome for each in done] == ["failed", "sent"]


def test_no_answer_is_said_without_the_secret() -> None:
    port = free_port()
    hide("s3cretpassword")
    waits: list[float] = []
    way = smtp(f"smtp://pip:s3cretpassword@127.0.0.1:{port}", timeout=1)
    (done,) = deliver([letter(pictures=False)], {"mail": way}, Book(), now, wait=waits.append)
    assert done.outcome == "failed"
    assert f"127.0.0.1:{port}" in done.why
    assert "s3cret" not in done.why
    assert len(waits) == 2


def test_a_password_is_sent_to_this_machine_alone_without_encryption(box: Mailbox) -> None:
    seen: list[LoginPassword] = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        seen.append(data)
        return AuthResult(success=data.password == b"right/pass", handled=False)

    controller = Controller(box, hostname="127.0.0.1", port=free_port(), authenticator=check, auth_require_tls=False)
    controller.start()
    try:
        good = smtp(f"smtp://pip:right%2Fpass@127.0.0.1:{controller.port}")
        bad = smtp(f"smtp://pip:wrong@127.0.0.1:{controller.port}")
        assert deliver([letter(pictures=False)], {"mail": good}, Book(), now)[0].outcome == "sent"
        (done,) = deliver([letter(pictures=False)], {"mail": bad}, Book(), now, wait=lambda _: None)
        assert done.outcome == "failed"
        assert "Check user and password" in done.why
    finally:
        controller.stop()
    assert len(box.got) == 1


def test_a_password_does_not_leave_without_encryption(
    server: str, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(server.rpartition(":")[2])
    real = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda address, *rest, **more: real(("127.0.0.1", port), *rest, **more)
    )
    (done,) = deliver([letter(pictures=False)], {"mail": smtp("smtp://pip:secret@mail.example.com")}, Book(), now)
    assert done.outcome == "failed"
    assert "no password is sent" in done.why
    (done,) = deliver([letter(pictures=False)], {"mail": smtp("smtp+starttls://mail.example.com")}, Book(), now)
    assert "offers no STARTTLS" in done.why
    assert box.got == []


@pytest.mark.parametrize("url", ["http://mail", "mail.example.com", "smtp://", ""])
def test_another_url_is_refused_with_its_mend(url: str) -> None:
    with pytest.raises(UsageError, match=r"smtp://mail\.example\.com:587"):
        smtp(url)


def test_a_rehearsal_writes_files_for_their_owner_alone_and_notes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    note = Message("digest:2026-W47:chat:../../x", "chat", "c", Note("Title", "Body"))
    ways = dict.fromkeys(("mail", "chat"), into_files(folder))
    for _ in range(2):
        done = deliver([letter(pictures=False), note], ways, Forgetful(), now)
        assert [each.outcome for each in done] == ["sent", "sent"]
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["digest-2026-W47-chat-..-..-x.txt", "digest-2026-W47-mail-dana.eml"]
    assert (folder / names[0]).read_text() == "Title\n\nBody\n"
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    read = message_from_bytes((folder / names[1]).read_bytes(), policy=policy.default)
    assert read["Subject"].startswith("Weekly digest")


# --- channels -----------------------------------------------------------------------------------------------------


def test_a_channel_is_told_counts_and_no_name_unless_configured() -> None:
    note = note_of(gallery.digest(), page="https://pip.example.com")
    assert note is not None
    assert note.title == "Weekly digest, week 47"
    assert note.body.splitlines()[0].startswith("3 formal plans, 13 things to do")
    assert "Open the digest: https://pip.example.com" in note.body
    for name in ("Aguilar", "Okafor", "Ines", "risk", "track"):
        assert name not in note.title + note.body
    named = note_of(gallery.digest(), names=True)
    assert named is not None
    assert "Ines Okafor: At risk, day 35 of 60" in named.body


@pytest.mark.parametrize("names", [False, True])
def test_a_channel_never_hears_of_coaching(names: bool) -> None:
    note = note_of(gallery.digest(), names=names)
    assert note is not None
    assert "Yuki" not in note.body
    assert "coaching" not in note.body


class Apprise:
    """Stands in for the library: takes addresses that begin with json://, and notes what it is asked to say."""

    said: list[dict[str, str]] = []  # noqa: RUF012 - shared on purpose, one a test process
    takes = True

    def add(self, url: str) -> bool:
        return url.startswith("json://")

    def notify(self, **said: str) -> bool:
        self.said.append(said)
        return self.takes


def test_a_note_goes_by_apprise_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import apprise

    monkeypatch.setattr(apprise, "Apprise", Apprise)
    monkeypatch.setattr(Apprise, "said", [])
    channel = delivery.channel_id("${SLACK_URL}")
    message = Message(key_of(channel, "2026-W47", "chat"), "chat", channel, Note("Title", "Body"))
    book = Book()
    for _ in range(2):
        deliver([message], {"chat": delivery.chat({channel: "json://secret-token@host"})}, book, now)
    assert Apprise.said == [{"body": "Body", "title": "Title", "body_format": "text"}]
    assert "secret" not in str(book.known)


@pytest.mark.parametrize(
    ("url", "takes", "why"), [("what://x", True, "does not know"), ("json://x", False, "did not take")]
)
def test_a_channel_that_fails_is_said_by_its_id(
    monkeypatch: pytest.MonkeyPatch, url: str, takes: bool, why: str
) -> None:
    import apprise

    monkeypatch.setattr(apprise, "Apprise", Apprise)
    monkeypatch.setattr(Apprise, "takes", takes)
    message = Message("k", "chat", "channel-1", Note("Title", "Body"))
    (done,) = deliver([message], {"chat": delivery.chat({"channel-1": url})}, Book(), now, wait=lambda _: None)
    assert done.outcome == "failed"
    assert why in done.why
    assert "channel-1" in done.why


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # the library's own, gone with Python 3.13
def test_the_real_library_takes_the_addresses_of_slack_and_teams() -> None:
    import apprise

    channel = apprise.Apprise()
    assert channel.add("slack://TokenA123/TokenB1234/abcdefghijklmnopqrstuvwx/#pip")
    assert not channel.add("what://x")
