"""Cardbox is read completely, again and again, whatever comes between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pipmetrics_cardbox import CardboxConnector
from stand_in import Box, app

from pipmetrics.demo.service import serve
from pipmetrics.errors import SourceError
from pipmetrics.model import BugRule, Secret, Signal, Source
from pipmetrics.testing import check_connector
from pipmetrics.transport import Wire

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SINCE = START - timedelta(days=30)


def full_box() -> Box:
    box = Box("cardbox-canary")
    ada, lee, robot = box.person("ada"), box.person("lee"), box.person("sweeper", robot=True)
    for number in range(5):
        at = START + number * 24 * HOUR
        card = box.card("payments", lee, at, f"Round half up {number}", type="bug" if number % 2 else "task")
        card.give(ada, at + HOUR, by=lee)
        card.date("2026-03-20", at + HOUR, by=lee)
        card.lay("desk", at + 2 * HOUR, by=ada)
        card.lay("shelf", at + 30 * HOUR, by=ada, outcome="duplicate" if number == 3 else "fixed")
    card.lay("desk", at + 40 * HOUR, by=lee)
    card.give(None, at + 41 * HOUR, by=robot)
    box.card("billing", None, START, "Left by somebody who is gone")
    return box


@pytest.fixture
def box() -> Box:
    return full_box()


@pytest.fixture
def source(box: Box, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    monkeypatch.setenv("CARDBOX_TOKEN", box.token)
    with serve(app(box)) as service:
        yield Source(
            "cards",
            "cardbox",
            service.url,
            token=Secret("${CARDBOX_TOKEN}"),
            projects=("payments", "billing"),
            bugs=BugRule(types=frozenset({"bug"})),
            options={"page_size": 2},
        )


def read(source: Source, bookmarks: dict[str, Any] | None = None) -> dict[str, Signal]:
    pages = list(CardboxConnector(source, Wire(source.url)).pull(bookmarks or {}, SINCE))
    return {signal.key: signal for page in pages for group in page.groups.values() for signal in group}


def test_it_keeps_the_contract(source: Source) -> None:
    check_connector(CardboxConnector, source, since=SINCE, logins=["ada", "lee"])


def test_a_card_tells_its_life(source: Source) -> None:
    found = [signal for signal in read(source).values() if signal.subject == "cards:PAY-4"]
    assert [signal.kind for signal in sorted(found, key=lambda signal: signal.at)] == [
        "issue_opened",
        "issue_assigned",
        "issue_due_changed",
        "issue_status_changed",
        "issue_status_changed",
        "issue_done",
    ]
    done = found[-1]
    assert done.detail["resolutions"] == [[done.at.isoformat(), "duplicate", "duplicate"]]
    assert done.actor == "p1"


def test_what_was_given_to_nobody_has_no_actor_and_what_a_gone_person_did_is_a_ghosts(source: Source) -> None:
    signals = read(source).values()
    assert [(signal.actor, signal.mark) for signal in signals if signal.subject == "cards:BIL-6"] == [(None, "ghost")]
    taken = [signal for signal in signals if signal.kind == "issue_assigned" and signal.actor is None]
    assert [(signal.mark, signal.detail["by"], signal.detail["from"]) for signal in taken] == [("", "p3", "p1")]


def test_a_deleted_card_goes_when_its_board_is_read_again(box: Box, source: Source) -> None:
    pages = list(CardboxConnector(source, Wire(source.url)).pull({}, SINCE))
    bookmarks = {name: mark for page in pages for name, mark in page.bookmarks.items()}
    box.cards[0].delete()
    (page,) = CardboxConnector(source, Wire(source.url)).pull(bookmarks, SINCE)
    assert dict(page.groups) == {"cards:PAY-1": ()}


def test_cards_that_rest_and_those_deleted_before_anybody_looked_are_left_out(box: Box, source: Source) -> None:
    box.card("payments", None, START - timedelta(days=400), "Old")
    box.cards[0].delete()
    subjects = {signal.subject for signal in read(source).values()}
    assert subjects == {*(f"cards:PAY-{number}" for number in (2, 3, 4, 5)), "cards:BIL-6"}


def test_a_card_that_is_deleted_while_its_board_is_read_goes_again(box: Box, source: Source) -> None:
    pages = CardboxConnector(source, Wire(source.url)).pull({}, SINCE)
    assert "cards:PAY-1" in next(pages).groups
    box.cards[0].delete()
    assert [page.groups["cards:PAY-1"] for page in pages if "cards:PAY-1" in page.groups] == [()]


def test_a_board_that_cannot_be_seen_is_a_gap_and_the_other_one_is_read(box: Box, source: Source) -> None:
    box.hidden.add("payments")
    pages = list(CardboxConnector(source, Wire(source.url)).pull({}, SINCE))
    assert [gap.part for page in pages for gap in page.gaps] == ["payments"]
    assert {name for page in pages for name in page.groups} == {"cards:BIL-6"}


def test_a_token_that_may_write_is_too_much(box: Box, source: Source) -> None:
    box.scopes = ("read", "write")
    found = list(CardboxConnector(source, Wire(source.url)).check(["ada"]))
    assert [finding.what for finding in found if finding.level == "warning"] == ["the token may write"]


def test_there_are_no_commits_to_compare(source: Source) -> None:
    with pytest.raises(SourceError, match="no commits"):
        CardboxConnector(source, Wire(source.url)).compare("payments", "a", "b")
