"""Which projects a configuration means."""

from __future__ import annotations

import pytest

from pipmetrics.demo.gitlab import World
from pipmetrics_gitlab.projects import group_of

from .lab import at, lab

PATHS = ("platform/core", "platform/tools", "platform/deep/er", "platform-two/core", "other/app")


@pytest.mark.parametrize("graphql", [True, False])
@pytest.mark.parametrize(
    ("entries", "found"),
    [
        (["platform/core"], {"platform/core"}),
        (["platform/core", "other/app"], {"platform/core", "other/app"}),
        (["platform"], {"platform/core", "platform/tools", "platform/deep/er"}),
        (["platform/deep"], {"platform/deep/er"}),
        (["platform/*"], {"platform/core", "platform/tools", "platform/deep/er"}),
        (["platform/**"], {"platform/core", "platform/tools", "platform/deep/er"}),
        (["platform/t*"], {"platform/tools"}),
        (["platform/*/er"], {"platform/deep/er"}),
        (["*/core"], {"platform/core", "platform-two/core"}),
        (["platform", "platform/core"], {"platform/core", "platform/tools", "platform/deep/er"}),
    ],
)
def test_projects_groups_and_patterns(
    monkeypatch: pytest.MonkeyPatch, graphql: bool, entries: list[str], found: set[str]
) -> None:
    world = World()
    ada = world.user("ada")
    for path in PATHS:
        world.project(path).merge_request(ada, at(1))
    with lab(world, monkeypatch, graphql=graphql, projects=tuple(entries)) as running:
        kept = running.pull()
        assert set(kept.groups) == {f"lab:{path}!1" for path in found}
        again = running.pull(kept)
        assert set(again.groups) == {f"lab:{path}!1" for path in found}
        assert not kept.gaps


def test_projects_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for path in PATHS:
        world.project(path).merge_request(world.user("ada"), at(1))
    with lab(world, monkeypatch, projects=("platform",), options={"skip": ["*/tools", "platform/deep/*"]}) as running:
        assert set(running.pull().groups) == {"lab:platform/core!1"}


def test_a_name_that_is_neither_project_nor_group_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.project("platform/core").merge_request(world.user("ada"), at(1))
    with lab(world, monkeypatch, projects=("platform/core", "platform/cor", "nowhere")) as running:
        kept = running.pull()
        assert set(kept.gaps) == {"platform/cor", "nowhere"}
        assert all("404" in gap.reason or "no such" in gap.reason for gap in kept.gaps.values())
        assert set(kept.groups) == {"lab:platform/core!1"}


def test_a_group_of_more_projects_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    ada = world.user("ada")
    for number in range(130):
        world.project(f"big/p{number}")
    world.projects[-1].merge_request(ada, at(1))
    with lab(world, monkeypatch, projects=("big",)) as running:
        kept = running.pull()
        assert len(kept.bookmarks["projects"]["projects"]) == 130
        assert running.requests(lambda: running.pull(kept)) == ["POST /api/graphql"] * 2


@pytest.mark.parametrize(("pattern", "group"), [("a/b*", "a"), ("a/b/c-*/d", "a/b"), ("*/core", ""), ("a/**", "a")])
def test_the_group_in_front_of_a_pattern(pattern: str, group: str) -> None:
    assert group_of(pattern) == group
