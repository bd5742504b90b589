"""Text from elsewhere through every format: it stays text. No node, formula, escape, header or property comes of it."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections import Counter
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from icalendar import Calendar
from markdown_it import MarkdownIt

from pipmetrics.digest import evidence, html, mail, markdown, pdf, text
from pipmetrics.digest.model import Digest, Occasion, build
from pipmetrics.digest.portfolio import Decision, portfolio
from pipmetrics.model import Acts, CheckIn, Person, Support
from tests.digest import gallery, practice

HOSTILE = (
    "<script>alert(1)</script>", "</title><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)', "' onfocus='alert(1)' autofocus='", "<svg/onload=alert(1)>", "</style><style>*{}",
    "</td></tr></table><iframe src=//x>", "<!--", "]]>", "&lt;script&gt;", "{{ 7 * 7 }}", "{% include 'x' %}",
    "javascript:alert(1)", "<a href='javascript:alert(1)'>x</a>", "<base href=//x>",
    "\u202egnp.exe", "\u2066hidden\u2069", "\u200f\u200e", "\ufeff=1+1",
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\uff1d1+1", "   =1+1", "=HYPERLINK(\"http://x\";\"y\")",
    "=cmd|' /C calc'!A0", "\x1b[2J\x1b[H", "\x1b]0;owned\x07", "\x9b31m", "\x00\x08\x7f",
    "a\r\nBcc: x@example.com", "a\nSubject: owned", "a\r\n\r\n<html>", "a\nEND:VEVENT\nBEGIN:VALARM",
    "| a | b |",
    "[x](http://example.com) ![y](http://example.com/z) <http://example.com> https://example.com www.x.com",
    "# title", "- item", "1. item", "> quote", "```", "`code` **bold** _it_ ~~no~~ $x$ @everyone &copy;", "---",
)  # fmt: skip
BENIGN = "plain"
NOW = gallery.AS_OF


@cache
def digest(said: str) -> Digest:
    """The gallery with a text from elsewhere in every place that holds one."""
    said = f"{said} tail"
    people = {
        name: replace(person, name=f"{said} {person.name}", team=said) for name, person in gallery.people().items()
    }
    plans = [
        replace(
            plan,
            supports=tuple(Support(said, "sol", support.due) for support in plan.supports),
            criteria=tuple(replace(criterion, expectation=said) for criterion in plan.criteria),
        )
        for plan in gallery.plans()
    ]
    document = gallery.evaluations()
    for entry in document["plans"]:
        entry["incomplete_sources"] = [said]
        entry["because"] = [said]
        for criterion in entry["criteria"]:
            criterion.update(expectation=said, needed=said, note=said, reason=said)
            if criterion.get("contested"):
                criterion["contested"]["text"] = said
    acts = gallery.acts()
    acts = Acts(
        check_ins=tuple(replace(act, note=said) if not act.held else act for act in acts.check_ins),
        supports=acts.supports,
        disputes=tuple(replace(act, key=said, why=said) for act in acts.disputes),
    )
    occasion = Occasion(gallery.MONDAY, NOW, said, ledger="9b1e" * 16)
    return build(document, plans, people, acts, occasion)


def points(said: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    hostile = {"subject": f"hub:{said} tail", "key": f"{said} tail", "note": f"{said} tail", "person": f"{said} tail"}
    return {key: [point | hostile for point in given] for key, given in gallery.points(4).items()}


class Nodes(HTMLParser):
    """Tags with the names of their attributes, in order; where links lead; what scripts could run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", ()))


def nodes(page: str) -> Nodes:
    parser = Nodes()
    parser.feed(page)
    parser.close()
    return parser


def assert_same_page(page: str, plain: str) -> None:
    given, expected = nodes(page), nodes(plain)
    assert Counter(given.found) == Counter(expected.found)  # what waits is sorted by its text
    assert all(link.startswith(("https://", "#", "/static/", "cid:")) for link in given.links)
    assert (
        not any(name.startswith("on") or name == "style" for _, names in given.found for name in names)
        or "cid:" in page
    )
    assert not any(ord(character) in range(0x202A, 0x202F) or character in "\x1b\x9b\x00" for character in page)


PLAIN = digest(BENIGN)
PLAIN_PAGE = html.render(PLAIN, points(BENIGN))
PLAIN_PRINT = pdf.page(PLAIN, points(BENIGN))
every = pytest.mark.parametrize("said", HOSTILE, ids=[f"{n:02}" for n in range(len(HOSTILE))])


def test_there_are_forty_of_them() -> None:
    assert len(set(HOSTILE)) >= 40


@every
def test_the_page_has_the_nodes_that_any_text_gives(said: str) -> None:
    assert_same_page(html.render(digest(said), points(said)), PLAIN_PAGE)


@every
def test_the_printed_page_has_the_nodes_that_any_text_gives(said: str) -> None:
    assert_same_page(pdf.page(digest(said), points(said)), PLAIN_PRINT)


@every
def test_the_terminal_gets_no_escape_and_no_direction(said: str) -> None:
    shown = text.render(digest(said))
    assert [character for character in shown if unicodedata.category(character) in ("Cc", "Cf", "Cs")] == [
        "\n" for line in shown.splitlines()
    ]
    assert max(map(len, shown.splitlines())) <= text.WIDTH


@every
def test_markdown_has_the_blocks_and_marks_that_any_text_gives(said: str) -> None:
    def tokens(page: str) -> Counter[tuple[str, str]]:
        parsed = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(page)
        flat = [each for token in parsed for each in (token, *(token.children or ()))]
        return Counter((token.type, token.tag) for token in flat if token.type not in ("text", "text_special"))

    page = markdown.render(digest(said), points(said))
    assert tokens(page) == tokens(markdown.render(PLAIN, points(BENIGN)))
    assert "@everyone" not in page


@every
def test_a_spreadsheet_runs_nothing(said: str) -> None:
    rows = list(csv.reader(io.StringIO(evidence.render(digest(said), points(said)))))
    assert {len(row) for row in rows} == {len(evidence.COLUMNS)}
    assert len(rows) == len(evidence.render(PLAIN, points(BENIGN)).splitlines())
    for row in rows:
        for cell in row:
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\ufeff", " ")
            assert not set(cell) & set("\x1b\x00\r\n\x9b\u202e")


@every
def test_mail_gets_no_header_no_part_and_no_node(said: str) -> None:
    made, plain = mailed(digest(said)), mailed(PLAIN)
    assert made.keys() == plain.keys()
    assert "Bcc" not in made
    assert [part.get_content_type() for part in made.walk()] == [part.get_content_type() for part in plain.walk()]
    assert_same_page(body(made), body(plain))
    assert made["Subject"] == plain["Subject"]
    for part in made.walk():
        if part.get_content_type() == "text/calendar":
            (event,) = Calendar.from_ical(part.get_content()).walk("VEVENT")
            assert sorted(event.keys()) == sorted(
                ["UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "CLASS", "TRANSP", "SEQUENCE",
                 "ORGANIZER", "ATTENDEE"]
            )  # fmt: skip
            assert event.subcomponents == []


def mailed(shown: Digest) -> EmailMessage:
    envelope = mail.Envelope("pip@example.com", "dana", "dana@example.com", {})
    made = mail.message(shown, envelope, NOW, pictures=False)
    assert made is not None
    read = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def body(made: EmailMessage) -> str:
    found = made.get_body(("html",))
    assert found is not None
    return str(found.get_content())


@every
def test_json_gives_the_text_back_as_it_was(said: str) -> None:
    document = json.loads(json.dumps(digest(said).to_json()))
    assert document["cards"][0]["evaluation"]["criteria"][0]["note"] == f"{said} tail"


@every
def test_the_portfolio_has_the_nodes_that_any_text_gives(said: str) -> None:
    def page(said: str) -> str:
        people = {name: replace(person, name=f"{said} {person.name}") for name, person in practice.people().items()}
        people["dana"] = Person("dana", f"{said} x", people["dana"].calendar)
        decided = [
            Decision(each.plan, f"{said} x {each.outcome}", each.at, each.followed) for each in practice.decisions()
        ]
        found = portfolio(practice.evaluations(), practice.plans(), people, practice.acts(), decided, named=True)
        return found.to_html(reader=said)

    assert_same_page(page(said), page(BENIGN))


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", " javascript:x", "//x", "\x01javascript:x"]
)
def test_links_lead_to_http_and_https_alone(url: str) -> None:
    given = {key: [point | {"url": url} for point in some] for key, some in gallery.points(4).items()}
    assert all(link.startswith(("#", "https://")) for link in nodes(html.render(gallery.digest(), given)).links)
    assert "](<" not in markdown.render(gallery.digest(), given)


@pytest.mark.parametrize("url", ["https://x/)>|`[a](b)", 'https://x/"><script>', "https://x/ y\n|z"])
def test_an_address_cannot_leave_its_place(url: str) -> None:
    given = {key: [point | {"url": url} for point in some] for key, some in gallery.points(4).items()}
    plain = {key: [point | {"url": "https://x/"} for point in some] for key, some in gallery.points(4).items()}
    shown = gallery.digest()
    assert nodes(html.render(shown, given)).found == nodes(html.render(shown, plain)).found
    links = [line for line in markdown.render(shown, given).splitlines() if "](<" in line]
    assert links
    for line in links:
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(f"|a|b|c|d|e|\n|-|-|-|-|-|\n{line}")
        opened = [each for token in tokens for each in (token.children or ()) if each.type == "link_open"]
        assert len(opened) == 1
        assert sum(token.type == "td_open" for token in tokens) == 5


def test_a_check_in_note_is_cleaned_too() -> None:
    acts = Acts(check_ins=(CheckIn("aguilar-2026-q4", gallery.date(2026, 11, 12), False, "dana", "\x1b[2Jgone", NOW),))
    occasion = Occasion(gallery.MONDAY, NOW, "")
    assert "\x1b" not in text.render(build(gallery.evaluations(), gallery.plans(), gallery.people(), acts, occasion))
