"""Addresses the weekly digests: which week is due, who reads it, by which way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pipmetrics.delivery import Message, Send, channel_id, chat, key_of, note_of, smtp
from pipmetrics.digest import mail
from pipmetrics.digest.mail import Envelope
from pipmetrics.errors import PipmetricsError, UsageError
from pipmetrics.model import Secret, Settings
from pipmetrics.schedule import Times
from pipmetrics.transport import reveal
from pipmetrics.weekly import weekly

if TYPE_CHECKING:
    from pipmetrics.api import Organisation


NOBODY = "pipmetrics@localhost.localdomain"
"""The sender of a rehearsal where none is configured."""


def due_week(company: Organisation, now: datetime, *, anyway: bool = False) -> date | None:
    """The Monday of the week whose digest is due: the one before the last time of the schedule; None: none is.

    `anyway`: also where nothing is configured to be delivered, for a rehearsal.
    """
    settings = company.config.settings
    ways = settings.delivery.get("urls") or settings.delivery.get("smtp") or anyway
    if "digest" not in settings.schedule or not ways:
        return None
    times = Times.of(settings.schedule["digest"], settings.timezone)
    local = times.before(now).astimezone(times.zone).date()
    return local - timedelta(days=local.weekday() + 7)


def messages(company: Organisation, monday: date, now: datetime, *, anyway: bool = False) -> Sequence[Message]:
    """One message a reader and way: e-mails to managers and to the people on plans, a note to each channel."""
    mails = (
        _mails(company, monday, now, anyway=anyway) if anyway or company.config.settings.delivery.get("smtp") else ()
    )
    return [*mails, *_notes(company, monday)]


def ways(company: Organisation) -> Mapping[str, Send]:
    """How each kind of message leaves; secrets are read here. SourceError when one of them is missing."""
    settings = company.config.settings
    found: dict[str, Send] = {}
    if server := settings.delivery.get("smtp"):
        found["mail"] = smtp(reveal(server, settings.folder))
    if urls := settings.delivery.get("urls"):
        found["chat"] = chat({channel_id(_named(url)): reveal(url, settings.folder) for url in urls})
    return found


def readers(company: Organisation) -> list[str]:
    """Who gets a digest by e-mail: everybody on a formal plan and who manages one, each once."""
    plans = [plan for plan in company.plans() if plan.kind == "pip" and not plan.draft]
    people = company.config.people
    found = [name for plan in plans for name in (plan.manager, people[plan.person].manager, plan.person) if name]
    return [name for name in dict.fromkeys(found) if name in people and people[name].email]


def _mails(company: Organisation, monday: date, now: datetime, *, anyway: bool) -> Iterator[Message]:
    week = "{}-W{:02}".format(*monday.isocalendar()[:2])
    for reader in readers(company):
        digest = weekly(company, monday, reader=reader).digest
        made = mail.message(digest, envelope(company, reader, week, anyway=anyway), now)
        if made is not None:
            yield Message(key_of(reader, week, "mail"), "mail", reader, made)


def envelope(company: Organisation, reader: str, week: str, *, anyway: bool = False) -> Envelope:
    """From whom and to whom a digest goes. PipmetricsError without a sender, unless `anyway`; UsageError for a reader
    without an address."""
    settings, people = company.config.settings, company.config.people
    sender = settings.delivery.get("mail_from") or (NOBODY if anyway else None)
    if not sender:
        raise PipmetricsError("e-mails need a sender", where="delivery", mend="Add mail_from to pipmetrics.yaml.")
    addresses = {person.id: person.email for person in people.values() if person.email}
    if reader not in addresses:
        raise UsageError(f"{reader} has no e-mail address", where="people.yaml", mend="Add `email`.")
    return Envelope(sender, reader, addresses[reader], addresses, _page(settings, week))


def _notes(company: Organisation, monday: date) -> Iterator[Message]:
    settings = company.config.settings
    urls = settings.delivery.get("urls") or ()
    if not urls:
        return
    week = "{}-W{:02}".format(*monday.isocalendar()[:2])
    digest = weekly(company, monday).digest
    note = note_of(digest, names=bool(settings.delivery.get("names")), page=_page(settings, week))
    if note is None:
        return
    for url in urls:
        to = channel_id(_named(url))
        yield Message(key_of(to, week, "chat"), "chat", to, note)


def _page(settings: Settings, week: str) -> str:
    """Where the digest can be opened; empty where the pages have no address of their own."""
    url = str(settings.access.get("url") or "").rstrip("/")
    return f"{url}/?week={week}" if url else ""


def _named(url: Secret | str) -> str:
    return url.reference if isinstance(url, Secret) else url
