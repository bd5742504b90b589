"""The digest as an e-mail: text, HTML in tables with its style in every tag, charts as pictures, an invitation.

Coaching never goes out by e-mail. The subject names nobody. The same digest for the same reader is the same message,
byte for byte, with the same Message-ID: who gets it twice can tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

from pipmetrics.digest import charts, invitation, text, words
from pipmetrics.digest.html import environment
from pipmetrics.digest.model import Card, Digest
from pipmetrics.digest.pictures import png
from pipmetrics.digest.promises import SupportMark
from pipmetrics.digest.rows import Row, rows
from pipmetrics.digest.words import clean, unbroken
from pipmetrics.errors import UsageError

LIMIT = 96_000
"""Bytes of the message without its pictures. Plans that do not fit are told in one line; the page has them."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom, to whom (an id that never changes, and an address), and the addresses of all people by their id.

    `page` is where the digest can be opened, empty where there are no pages.
    """

    sender: str
    reader: str
    to: str
    addresses: Mapping[str, str]
    page: str = ""


def message(digest: Digest, envelope: Envelope, now: datetime, *, pictures: bool = True) -> EmailMessage | None:
    """The message, or None when there is no formal plan to write about.

    UsageError when css-inline or resvg-py (the extra `mail`) are missing.
    """
    formal = digest.formal()
    if not formal.cards:
        return None
    fitting = len(formal.cards)
    made = _made(formal, envelope, now, fitting)
    while fitting and _size(made) > LIMIT:
        fitting -= 1
        made = _made(formal, envelope, now, fitting)
    if pictures:
        _add_pictures(made, formal.cards[:fitting])
    _bound(made, made["Message-ID"])
    return made


def _made(digest: Digest, envelope: Envelope, now: datetime, fitting: int) -> EmailMessage:
    """The message with its two bodies; `fitting` plans are told in full."""
    made = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    made["From"] = Address("pipmetrics", addr_spec=envelope.sender)
    made["To"] = Address(addr_spec=envelope.to)
    made["Subject"] = subject(digest)
    made["Date"] = format_datetime(now)
    made["Message-ID"] = message_id(digest.week, envelope.reader, envelope.sender)
    made["List-Unsubscribe"] = f"<mailto:{envelope.sender}?subject=unsubscribe>"
    made["Auto-Submitted"] = "auto-generated"
    brief = replace(digest, cards=digest.cards[:fitting]) if fitting < len(digest.cards) else digest
    page = f"\nOpen the digest: {envelope.page}\n" if envelope.page else ""
    made.set_content(text.render(brief) + page)
    made.add_alternative(_html(digest, envelope, fitting), subtype="html")
    for place, invited in enumerate(_invitations(digest, envelope), start=1):
        made.add_attachment(invited, subtype="calendar", filename=f"check-in-{place}.ics", params={"method": "REQUEST"})
    return made


def _size(made: EmailMessage) -> int:
    return len(made.as_bytes())


def _add_pictures(made: EmailMessage, cards: Sequence[Card]) -> None:
    html = made.get_body(("html",))
    if html is None:
        raise ValueError("a digest's message has an HTML body")
    for card in cards:
        for row in rows(card):
            if row.chart:
                name = _cid(row)
                html.add_related(png(charts.weekly(row.chart)), "image", "png", cid=f"<{name}>", disposition="inline")


def _cid(row: Row) -> str:
    """The id of a criterion's picture within the message."""
    return f"{sha256(f'{row.plan}|{row.id}'.encode()).hexdigest()[:16]}@pipmetrics"


def subject(digest: Digest) -> str:
    """Week, number of plans, number of things that wait: no name, nothing that others read over a shoulder."""
    plans = words.count(len(digest.cards), "plan")
    waits = len(digest.needs)
    wait = f"{words.count(waits, 'thing')} {'needs' if waits == 1 else 'need'} you" if waits else "nothing needs you"
    return f"{digest.title}: {plans}, {wait}"


def message_id(week: str, reader: str, sender: str) -> str:
    """Stable for a reader and a week."""
    token = sha256(f"{reader}|{week}".encode()).hexdigest()[:32]
    return f"<digest-{week.lower()}-{token}@{sender.rpartition('@')[2]}>"


def _bound(made: EmailMessage, seed: str) -> None:
    """Fixed boundaries, so that the message is the same whenever it is made."""
    for place, part in enumerate(made.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{sha256(f'{seed}{place}'.encode()).hexdigest()[:40]}")


def _invitations(digest: Digest, envelope: Envelope) -> list[str]:
    made = []
    for card in digest.cards:
        if card.next_check_in is not None:
            asked = [envelope.to, *(envelope.addresses[who] for who in (card.person,) if who in envelope.addresses)]
            people = list(dict.fromkeys(asked))
            made.append(
                invitation.render(card.plan, card.next_check_in, card.agenda, people, envelope.sender, digest.as_of)
            )
    return made


def _html(digest: Digest, envelope: Envelope, fitting: int) -> str:
    page = (
        environment()
        .get_template("mail.html.j2")
        .render(
            digest=digest,
            reader=clean(digest.reader),
            subject=subject(digest),
            page=envelope.page,
            needs=[(words.weekday(need.due) if need.due else "Overdue", clean(need.what)) for need in digest.needs],
            incomplete=[clean(gap) for gap in digest.incomplete],
            cards=[_card(card, full=place < fitting) for place, card in enumerate(digest.cards)],
            as_of=digest.read,
        )
    )
    return _inlined(page)


def _inlined(page: str) -> str:
    try:
        from css_inline import CSSInliner
    except ImportError:
        raise UsageError(
            "e-mail needs css-inline, which is not installed", mend="Run: pip install 'pipmetrics[mail]'"
        ) from None
    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False, keep_style_tags=False).inline(page)


def _card(card: Card, *, full: bool) -> Mapping[str, Any]:
    entry = card.evaluation
    held = entry["check_ins"]
    said = f"Check-ins: {held['held']} of {held['due']} held."
    missed = words.listing([mark.week for mark in card.check_ins if mark.state == "missed"])
    said += f" {missed} missed." if missed else ""
    said += f" Next: {words.weekday(card.next_check_in)}." if card.next_check_in else ""
    recommendation = words.RECOMMENDATIONS.get(entry.get("recommendation") or "", "")
    return {
        "full": full,
        "name": clean(card.name),
        "verdict": entry["verdict"],
        "line": f"Formal plan · day {entry['day']} of {entry['days']} · {words.days_between(card.start, card.end)}",
        "sentence": card.sentence
        + (f" Recommendation: {recommendation}. A named person decides." if recommendation else ""),
        "check_ins": said,
        "rows": [_row(row) for row in rows(card)] if full else [],
        "supports": [_support(mark) for mark in card.supports],
        "disputes": [clean(dispute) for dispute in card.disputes],
        "notes": [clean(note) for note in (*card.late, *card.notes)],
        "agenda": [clean(item) for item in card.agenda],
    }


def _row(row: Row) -> Mapping[str, Any]:
    known = [f"{week.label} {unbroken(week.value)}" for week in row.weeks if week.value != words.NOTHING]
    change = "" if row.change == words.NOTHING else f"Since last week: {unbroken(row.change)}"
    change += f", {row.noise}" if row.noise else ""
    return {
        "row": row,
        "cid": _cid(row) if row.chart else "",
        "alt": row.chart.sentence if row.chart else "",
        "weekly": " · ".join(known) if row.chart else row.undrawn,
        "change": f"{change}." if change else "",
        "cells": (
            ("Now", row.now, (row.range, row.sample)),
            ("Target", row.target, (row.target_note,)),
            ("Before", row.before, (row.before_note,)),
            ("By the end", row.end, (row.likely,)),
        ),
    }


def _support(mark: SupportMark) -> str:
    state = {"done": "done", "due": "due", "overdue": "overdue since", "denied": "denied by the person, due"}[
        mark.state
    ]
    on = mark.on if mark.state == "done" and mark.on else mark.due
    return clean(f"{mark.text} ({mark.owner}, {state} {words.day(on)})")
