"""The online check of a GitLab source."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipmetrics.demo.gitlab import World
from pipmetrics.plugin import Finding

from .lab import TOKEN, Lab, busy_world, lab

Patch = pytest.MonkeyPatch


def findings(running: Lab, *logins: str) -> list[Finding]:
    return list(running.connector().check(logins))


def said(found: list[Finding], level: str) -> list[str]:
    return [finding.what for finding in found if finding.level == level]


def test_a_source_that_is_well_has_nothing_to_mend(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch, projects=("platform",)) as running:
        found = findings(running, "ada", "Lee")
        assert {finding.level for finding in found} == {"ok"}
        assert "the token can only read" in said(found, "ok")
        assert "platform/tools is readable" in said(found, "ok")


def test_a_wrong_token_ends_the_check(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        running.world.tokens.clear()
        (found,) = findings(running, "ada")
        assert found.level == "error"
        assert "401" in found.what


@pytest.mark.parametrize("scopes", [("api",), ("read_api", "write_repository"), ("read_api", "sudo", "read_user")])
def test_a_token_that_may_do_more_is_warned_of(monkeypatch: Patch, scopes: tuple[str, ...]) -> None:
    world = busy_world()
    world.token(TOKEN, scopes=scopes)
    with lab(world, monkeypatch) as running:
        (warning,) = said(findings(running), "warning")
        assert next(scope for scope in scopes if scope not in ("read_api", "read_user")) in warning


def test_a_token_without_read_api_is_an_error(monkeypatch: Patch) -> None:
    world = busy_world()
    world.token(TOKEN, scopes=("read_user",))
    with lab(world, monkeypatch) as running:
        assert said(findings(running), "error")


def test_an_expiry_is_told(monkeypatch: Patch) -> None:
    world = busy_world()
    world.token(TOKEN).expires = "2027-01-31"
    with lab(world, monkeypatch) as running:
        assert said(findings(running), "note") == ["the token expires on 2027-01-31"]


def test_projects_that_cannot_be_read_and_logins_that_do_not_exist_are_told(monkeypatch: Patch) -> None:
    world = busy_world()
    world.project("platform/wiki").hidden = {"merge_requests"}
    with lab(world, monkeypatch, projects=("platform/core", "platform/gone", "platform/wiki")) as running:
        found = findings(running, "ada", "zoe")
        assert [text.partition(":")[0] for text in said(found, "error")] == ["platform/gone", "platform/wiki"]
        assert said(found, "warning") == ["no account is called 'zoe'"]


def test_a_pattern_that_matches_nothing_is_told(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch, projects=("platform/x-*",)) as running:
        assert said(findings(running), "error") == ["no project matches the configuration"]


def test_a_clock_that_is_off_is_told(monkeypatch: Patch) -> None:
    world = World()
    world.project("platform/core")
    with lab(world, monkeypatch) as running:
        running.clock.now += timedelta(minutes=10).total_seconds()
        (warning,) = said(findings(running), "warning")
        assert "behind ours" in warning
