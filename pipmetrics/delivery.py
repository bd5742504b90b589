"""Sends digests: e-mail by SMTP, a note to channels by Apprise; each once, again when it failed, or into files.

What is sent, how, and where it is noted are handed in: `deliver` itself touches neither a network nor a database. A
message is noted after it left. A crash in between sends it once more (at least once, never lost), and the copy has the
same Message-ID. What failed is not noted, so that the next run tries again.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import unquote, urlsplit

from pipmetrics.digest import words
from pipmetrics.digest.model import Digest
from pipmetrics.errors import PipmetricsError, UsageError
from pipmetrics.transport.secrecy import mask

TRIES = 3
PAUSE = 5.0
"""Seconds before the second try; twice as long before the third."""
TIMEOUT = 30.0
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}

Outcome = Literal["sent", "already sent", "failed"]


class DeliveryError(PipmetricsError):
    """A message was not taken. `again`: whether another try could help."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", again: bool = True) -> None:
        super().__init__(what, where=where, mend=mend)
        self.again = again


@dataclass(frozen=True, slots=True)
class Note:
    """What a channel is told: a title and plain text."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to send. `key` says what, for whom, by which way: it is sent once. `to` is an id, never a secret."""

    key: str
    way: Literal["mail", "chat"]
    to: str
    content: EmailMessage | Note


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message; `why` names the failure without any secret."""

    key: str
    to: str
    outcome: Outcome
    why: str = ""


class Sent(Protocol):
    """Where it is noted what was sent: the store."""

    def delivered(self, key: str) -> datetime | None: ...
    def mark_delivered(self, key: str, now: datetime) -> bool: ...


Send = Callable[[Message], None]
"""Hands one message over; DeliveryError when it was not taken."""


def key_of(reader: str, week: str, way: str) -> str:
    """The key of a digest: for whom, of which week, by which way."""
    return f"digest:{week}:{way}:{reader}"


def deliver(
    messages: Sequence[Message],
    ways: Mapping[str, Send],
    sent: Sent,
    now: Callable[[], datetime],
    *,
    wait: Callable[[float], None] = time.sleep,
) -> list[Delivery]:
    """Send each message that was not sent before, by its way; one that fails does not hold up the rest."""
    done = []
    for message in messages:
        if sent.delivered(message.key) is not None:
            done.append(Delivery(message.key, message.to, "already sent"))
            continue
        failure = _try(message, ways[message.way], wait)
        if failure is None:
            sent.mark_delivered(message.key, now())
        outcome: Outcome = "sent" if failure is None else "failed"
        done.append(Delivery(message.key, message.to, outcome, "" if failure is None else mask(str(failure))))
    return done


def _try(message: Message, send: Send, wait: Callable[[float], None]) -> DeliveryError | None:
    """None when it was taken; else the last failure, after as many tries as could help."""
    failure = None
    for attempt in range(TRIES):
        if attempt:
            wait(PAUSE * 2 ** (attempt - 1))
        try:
            send(message)
        except DeliveryError as error:
            failure = error
            if not error.again:
                break
        else:
            return None
    return failure


def into_files(folder: Path) -> Send:
    """A way for a dry run: writes each message into the folder instead of sending it (use with `forgetful`)."""

    def write(message: Message) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        stem = re.sub(r"[^\w.-]+", "-", message.key).strip("-.") or "message"
        if isinstance(message.content, EmailMessage):
            path, content = folder / f"{stem}.eml", message.content.as_bytes()
        else:
            path, content = folder / f"{stem}.txt", f"{message.content.title}\n\n{message.content.body}\n".encode()
        path.write_bytes(content)
        path.chmod(0o600)

    return write


@dataclass(frozen=True, slots=True)
class Forgetful:
    """Notes nothing and remembers nothing: for a dry run, after which everything is still to be sent."""

    def delivered(self, key: str) -> datetime | None:
        return None

    def mark_delivered(self, key: str, now: datetime) -> bool:
        return True


# --- e-mail -------------------------------------------------------------------------------------------------------


def smtp(url: str, *, timeout: float = TIMEOUT) -> Send:
    """A way by a mail server: ``smtp://``, ``smtp+starttls://`` or ``smtps://``, with ``user:password@`` where needed.

    Credentials never leave without encryption: with ``smtp://`` they need a server that offers STARTTLS, or this
    machine itself. UsageError for another URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise UsageError("the mail server's URL is none", mend="Write it as smtp://mail.example.com:587.")

    def send(message: Message) -> None:
        if not isinstance(message.content, EmailMessage):
            raise DeliveryError("a note is no e-mail", where=message.key, again=False)
        host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
        try:
            with _connected(parts.scheme, host, port, timeout) as server:
                if parts.username:
                    _log_in(server, host, unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message.content)
        except ssl.SSLCertVerificationError:
            raise DeliveryError(
                "the mail server's certificate is not trusted",
                where=f"{host}:{port}",
                mend="Name the file of its authority in SSL_CERT_FILE.",
                again=False,
            ) from None
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, f"{host}:{port}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _refused(max(codes, default=550), f"{host}:{port}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(
                f"the mail server does not answer: {type(error).__name__}", where=f"{host}:{port}"
            ) from None

    return send


@contextmanager
def _connected(scheme: str, host: str, port: int, timeout: float) -> Iterator[smtplib.SMTP]:
    """A session; what goes wrong while saying goodbye is not a message that was not taken."""
    server = _opened(scheme, host, port, timeout)
    try:
        yield server
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
    finally:
        server.close()


def _opened(scheme: str, host: str, port: int, timeout: float) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=timeout)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif scheme == "smtp+starttls":
            raise DeliveryError(
                "the mail server offers no STARTTLS",
                where=f"{host}:{port}",
                mend="Use smtps://, or another port.",
                again=False,
            )
    except BaseException:
        server.close()
        raise
    return server


def _log_in(server: smtplib.SMTP, host: str, user: str, password: str) -> None:
    encrypted = isinstance(server.sock, ssl.SSLSocket)
    if not encrypted and host not in ("localhost", "127.0.0.1", "::1"):
        raise DeliveryError(
            "the mail server offers no encryption, so no password is sent to it",
            where=host,
            mend="Use smtps:// or a server with STARTTLS.",
            again=False,
        )
    server.login(user, password)


def _refused(code: int, where: str) -> DeliveryError:
    """A refusal for good (5xx) or for now (4xx); the server's own words may hold addresses, so they stay out."""
    mends = {535: "Check user and password.", 530: "The server wants a user and a password.", 550: "Check the address."}
    return DeliveryError(
        f"the mail server refused with {code}", where=where, mend=mends.get(code, ""), again=not 500 <= code < 600
    )


# --- channels -----------------------------------------------------------------------------------------------------


def chat(urls: Mapping[str, str]) -> Send:
    """A way by Apprise: Slack, Teams and the like. `urls` are the secret addresses by the id that messages name."""

    def send(message: Message) -> None:
        if not isinstance(message.content, Note):
            raise DeliveryError("an e-mail is no note", where=message.key, again=False)
        try:
            import apprise
        except ImportError:
            raise DeliveryError(
                "notes to channels need Apprise, which is not installed",
                mend="Run: pip install 'pipmetrics[mail]'",
                again=False,
            ) from None
        channel = apprise.Apprise()
        if not channel.add(urls[message.to]):
            raise DeliveryError(
                "Apprise does not know this kind of address", where=message.to, mend="See delivery.urls.", again=False
            )
        if not channel.notify(body=message.content.body, title=message.content.title, body_format="text"):
            raise DeliveryError("the channel did not take the note", where=message.to)

    return send


def channel_id(reference: str) -> str:
    """The id of a channel: of its reference (``${SLACK_URL}``), so that it tells nothing of the address."""
    return f"channel-{sha256(reference.encode()).hexdigest()[:12]}"


def note_of(digest: Digest, *, names: bool = False, page: str = "") -> Note | None:
    """What a channel is told of a week: counts; with `names`, each formal plan in a line. None without formal plans.

    Coaching is never told.
    """
    formal = digest.formal()
    if not formal.cards:
        return None
    waits = words.count(len(formal.needs), "thing") if formal.needs else "nothing"
    lines = [f"{words.count(len(formal.cards), 'formal plan')}, {waits} to do for the company's side."]
    if names:
        lines += [_line(words.clean(card.name), card.evaluation) for card in formal.cards]
    lines += [f"Open the digest: {page}"] if page else []
    return Note(formal.title, "\n".join(lines))


def _line(name: str, entry: Mapping[str, object]) -> str:
    return f"{name}: {words.VERDICTS[str(entry['verdict'])].word}, day {entry['day']} of {entry['days']}"
