"""What an administrator is told before the first pull."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pipmetrics.demo.github import World
from pipmetrics.model import Secret

Reading = Callable[..., Any]


def findings(got: Any, *logins: str) -> list[tuple[str, str]]:
    return [(each.level, each.what.removeprefix("hub: ")) for each in got.connector().check(logins)]


def test_all_is_well(world: World, reader: Reading) -> None:
    world.tokens["secret-of-the-hub"].scopes = None
    world.account("ada")
    world.repository("acme/api")
    assert findings(reader(), "Ada") == [
        ("ok", "the token is accepted, it belongs to reader"), ("ok", "1 repository can be read"),
    ]  # fmt: skip


def test_wide_scopes_are_a_warning(world: World, reader: Reading) -> None:
    world.tokens["secret-of-the-hub"].scopes = "repo, admin:org, read:org, user:email"
    world.repository("acme/api")
    assert ("warning", "the token may do more than read: admin:org, repo") in findings(reader())


@pytest.mark.parametrize("scopes", ["read:org", ""])
def test_narrow_scopes_are_none(world: World, reader: Reading, scopes: str) -> None:
    world.tokens["secret-of-the-hub"].scopes = scopes
    world.repository("acme/api")
    assert {level for level, _ in findings(reader())} == {"ok"}


def test_a_token_that_is_not_accepted_ends_it(world: World, reader: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_TOKEN", "expired")
    assert findings(reader(), "ada") == [("error", "the service does not accept the token (401)")]


def test_a_token_that_is_not_there_names_the_variable(world: World, reader: Reading) -> None:
    [(level, what)] = findings(reader(token=Secret("${NO_SUCH_TOKEN}")))
    assert (level, what) == ("error", "the environment variable NO_SUCH_TOKEN is not set")


def test_each_repository_that_cannot_be_read_and_each_account_that_is_not_there(world: World, reader: Reading) -> None:
    world.repository("acme/api")
    ada = world.account("ada")
    told = findings(reader("acme/api", "acme/secret"), "ada", "nobody", *(f"x{n}" for n in range(60)))
    assert ("ok", "1 repository can be read") in told
    assert any(level == "error" and what.startswith("acme/secret: ") for level, what in told)
    assert ("error", "there is no account nobody") in told
    assert sum(what.startswith("there is no account") for _, what in told) == 61
    assert not any(ada.login in what for _, what in told)


@pytest.mark.parametrize(("ahead", "told"), [(400, "behind"), (-400, "ahead of"), (200, "")])
def test_a_clock_that_is_off(world: World, reader: Reading, ahead: int, told: str) -> None:
    world.repository("acme/api")
    got = reader()
    got.clock.now += ahead
    clocks = [what for level, what in findings(got) if "clock" in what]
    assert len(clocks) == bool(told)
    assert all(told in what for what in clocks)


def test_nothing_is_asked_before_the_first_question(world: World, reader: Reading) -> None:
    got = reader(token=Secret("${NO_SUCH_TOKEN}"))
    connector = got.connector()
    connector.check(["ada"])
    connector.pull({}, datetime(2026, 3, 2, tzinfo=UTC))
    assert got.service.count == 0
