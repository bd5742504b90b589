"""The digest as an e-mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from struct import unpack

import pytest
from icalendar import Calendar

from pipmetrics.digest import mail
from pipmetrics.digest.model import Digest
from tests.digest import gallery

ENVELOPE = mail.Envelope(
    "pip@example.com", "dana", "dana@example.com", {"ines": "ines@example.com"}, "https://pip.example.com/digest"
)


def made(shown: Digest | None = None, now: datetime = gallery.AS_OF, *, pictures: bool = True) -> EmailMessage:
    found = mail.message(shown or gallery.digest(), ENVELOPE, now, pictures=pictures)
    assert found is not None
    return found


def html(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def plain(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def large(plans: int) -> Digest:
    """A digest of many plans, as one manager of a large group gets it."""
    first, *_ = gallery.digest().formal().cards
    cards = tuple(replace(first, plan=f"plan-{n}", name=f"Person {n:02}") for n in range(plans))
    return replace(gallery.digest(), cards=cards)


def test_it_has_a_text_an_html_part_a_picture_a_chart_and_an_invitation_a_check_in() -> None:
    kinds = [part.get_content_type() for part in made().walk()]
    assert kinds[:4] == ["multipart/mixed", "multipart/alternative", "text/plain", "multipart/related"]
    assert kinds.count("image/png") == 6
    assert kinds.count("text/calendar") == 2


def test_the_subject_and_the_headers_name_nobody() -> None:
    head = str(made().items())
    assert made()["Subject"] == "Weekly digest, week 47: 3 plans, 13 things need you"
    for name in ("Aguilar", "Okafor", "Lindqvist", "Whitfield", "Ines"):
        assert name not in head


def test_coaching_never_goes_out() -> None:
    message = made()
    for part in (html(message), plain(message), message.as_string()):
        assert "Yuki" not in part
        assert "Brandt" not in part
        assert "oaching, informal" not in part
    assert mail.message(replace(gallery.digest(), cards=gallery.digest().cards[-1:]), ENVELOPE, gallery.AS_OF) is None


def test_pictures_are_real_shown_by_their_id_and_told_in_words() -> None:
    message = made()
    pictures = {
        part["Content-ID"].strip("<>"): part for part in message.walk() if part.get_content_type() == "image/png"
    }
    for name, part in pictures.items():
        assert f'src="cid:{name}"' in html(message)
        content = part.get_content()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        assert unpack(">II", content[16:24]) == (524, 200)
    assert 'alt="Answer 90 % of review requests within 24 working hours: weekly values, now 94%' in html(message)


def test_styles_stand_in_the_tags() -> None:
    body = html(made())
    assert "<style" not in body
    assert "class=" not in body or 'style="' in body
    assert 'style="font-weight: bold' in body or "font-weight: bold" in body


def test_the_same_digest_is_the_same_message_byte_for_byte() -> None:
    assert made().as_bytes() == made().as_bytes()


def test_the_id_stays_the_same_for_a_reader_and_a_week_and_differs_for_others() -> None:
    later = made(now=gallery.AS_OF + timedelta(hours=5))
    assert later["Message-ID"] == made()["Message-ID"]
    other = mail.message(gallery.digest(), replace(ENVELOPE, reader="omar"), gallery.AS_OF)
    next_week = made(replace(gallery.digest(), week="2026-W48"))
    assert other is not None
    assert len({made()["Message-ID"], other["Message-ID"], next_week["Message-ID"]}) == 3
    assert made()["Message-ID"].endswith("@example.com>")


def test_there_is_a_way_to_unsubscribe() -> None:
    assert made()["List-Unsubscribe"] == "<mailto:pip@example.com?subject=unsubscribe>"


@pytest.mark.parametrize("plans", [1, 10, 40])
def test_without_pictures_it_stays_under_100_kb_and_names_every_plan(plans: int) -> None:
    message = made(large(plans), pictures=False)
    assert len(message.as_bytes()) < 100_000
    for n in range(plans):
        assert f"Person {n:02}" in html(message)


def test_the_invitation_keeps_its_id_week_after_week_and_names_nobody_in_its_title() -> None:
    def event(message: EmailMessage) -> Calendar:
        first = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
        assert first.get_param("method") == "REQUEST"
        return Calendar.from_ical(first.get_content())

    once, again = event(made()), event(made(replace(gallery.digest(), week="2026-W48")))
    (one,), (two,) = once.walk("VEVENT"), again.walk("VEVENT")
    assert once["METHOD"] == "REQUEST"
    assert one["UID"] == two["UID"]
    assert str(one["SUMMARY"]) == "Check-in"
    assert one["CLASS"] == "PRIVATE"
    assert one.decoded("DTSTART").isoformat() == "2026-11-26"


def test_each_invitation_goes_to_the_reader_and_the_person() -> None:
    parts = [part.get_content() for part in made().walk() if part.get_content_type() == "text/calendar"]
    assert all("mailto:dana@example.com" in part for part in parts)
    assert sum("mailto:ines@example.com" in part for part in parts) == 1
