from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipmetrics.errors import StoreError
from pipmetrics.web.tickets import Tickets

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def tickets(tmp_path: Path) -> Tickets:
    return Tickets(tmp_path / "kept", "link", 15 * MINUTE)


def test_a_ticket_stands_for_what_was_said(tickets: Tickets) -> None:
    token = tickets.make({"person": "ada"}, NOW)
    found = tickets.read(token, NOW + MINUTE)
    assert found is not None
    assert (found.said, found.made) == ({"person": "ada"}, NOW)


def test_a_ticket_is_taken_once(tickets: Tickets) -> None:
    token = tickets.make("x", NOW)
    assert tickets.take(token, NOW) is not None
    assert tickets.take(token, NOW) is None


def test_of_many_who_take_a_ticket_at_once_one_gets_it(tickets: Tickets) -> None:
    for _ in range(20):
        token = tickets.make("x", NOW)
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda _, token=token: tickets.take(token, NOW), range(8)))
        assert sum(ticket is not None for ticket in taken) == 1


def test_a_ticket_ends_when_its_time_is_over(tickets: Tickets) -> None:
    token = tickets.make("x", NOW)
    assert tickets.read(token, NOW + 15 * MINUTE) is None
    assert tickets.read(token, NOW) is None


def test_a_ticket_that_was_idle_for_too_long_ends_and_one_in_use_does_not(tmp_path: Path) -> None:
    tickets = Tickets(tmp_path, "session", 60 * MINUTE, 5 * MINUTE)
    token = tickets.make("x", NOW)
    tickets.show(token, NOW + 4 * MINUTE)
    assert tickets.read(token, NOW + 8 * MINUTE) is not None
    assert tickets.read(token, NOW + 9 * MINUTE) is None


def test_a_ticket_from_the_future_is_none(tickets: Tickets) -> None:
    assert tickets.read(tickets.make("x", NOW + 10 * MINUTE), NOW) is None


def test_only_the_hash_of_a_token_is_kept_where_only_its_owner_reads(tickets: Tickets) -> None:
    token = tickets.make({"person": "ada"}, NOW)
    files = [path for path in tickets.folder.iterdir() if path.name != ".gitignore"]
    assert all(token not in path.name and token not in path.read_text() for path in files)
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600]
    assert stat.S_IMODE(tickets.folder.stat().st_mode) == 0o700
    assert (tickets.folder / ".gitignore").read_text() == "*\n"


def test_a_ticket_of_another_key_or_that_was_changed_is_none(tmp_path: Path) -> None:
    one, other = (Tickets(tmp_path, "session", 60 * MINUTE, key=key) for key in (b"one", b"other"))
    token = one.make({"person": "ada"}, NOW)
    assert other.read(token, NOW) is None
    (path,) = tmp_path.glob("session-*")
    path.write_text(path.read_text().replace("ada", "eve"))
    assert one.read(token, NOW) is None


def test_a_ticket_of_one_kind_is_none_of_another(tmp_path: Path) -> None:
    token = Tickets(tmp_path, "link", 60 * MINUTE).make("x", NOW)
    assert Tickets(tmp_path, "session", 60 * MINUTE).read(token, NOW) is None


def test_old_files_are_swept_away(tickets: Tickets) -> None:
    tickets.make("x", NOW)
    young = tickets.make("y", NOW + 10 * MINUTE)
    tickets.sweep(NOW + 16 * MINUTE)
    assert len(list(tickets.folder.glob("link-*"))) == 1
    assert tickets.read(young, NOW + 16 * MINUTE) is not None


@pytest.mark.parametrize("token", ["", "../../etc/passwd", "\ud800", "x" * 10_000, "\0"])
def test_any_text_may_be_tried_as_a_token(tickets: Tickets, token: str) -> None:
    assert tickets.read(token, NOW) is None


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot keep a ticket"):
        Tickets(tmp_path / "file" / "kept", "link", MINUTE).make("x", NOW)
