"""The connector's contract: the built-in ones keep it, and each way to break it is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any, ClassVar

import pytest

from pipmetrics.demo import github, gitlab, jira
from pipmetrics.demo.service import App, serve
from pipmetrics.errors import SourceError
from pipmetrics.model import Account, BugRule, Json, Secret, Signal, Source
from pipmetrics.plugin import Comparison, Connector, Finding, Page, Parameter
from pipmetrics.testing import ContractBroken, check_connector
from pipmetrics.testing.connectors import spread
from pipmetrics_github import GithubConnector
from pipmetrics_gitlab import GitlabConnector
from pipmetrics_jira import JiraConnector
from tests.gitlab.lab import busy_world
from tests.jira.desk import a_world, filled
from tests.testing.notebook import START, TOKEN, Notebook, app

SINCE = START - timedelta(days=30)
BUGS = BugRule(labels=frozenset({"bug"}), types=frozenset({"Bug"}))


def checked(kind: type[Connector], service: App = app(), **more: Any) -> frozenset[str]:  # noqa: B008 - stateless
    """The rules that a connector of the notebook breaks."""
    with serve(service) as running:
        source = Source("notes", "notebook", running.url, token=Secret("${NOTES_TOKEN}"))
        try:
            check_connector(kind, source, since=SINCE, logins=["ada", "lee"], **more)
        except ContractBroken as broken:
            return broken.rules
    return frozenset()


@pytest.fixture(autouse=True)
def _tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOTES_TOKEN", "HUB_TOKEN", "LAB_TOKEN", "JIRA_TOKEN"):
        monkeypatch.setenv(name, TOKEN)


# --- connectors that keep it --------------------------------------------------------------------------------------


def hub() -> App:
    world = github.World()
    world.token(TOKEN)
    ada, lee = world.account("ada"), world.account("lee")
    api, hour = world.repository("acme/api"), timedelta(hours=1)
    for number in range(4):
        at = START + timedelta(days=number)
        commit = api.commit(ada, at - hour, f"Part {number}")
        commit.check("SUCCESS", at + hour)
        files = [github.File("docs/money.md", 3, 0)]
        pull = api.pull(ada, at, f"Round {number}", files=files, commits=[commit], labels=["money"], draft=number == 2)
        if number == 2:
            pull.ready(at + hour, ada)
        pull.request(lee, at + hour, by=ada)
        pull.review(lee, at + 3 * hour, "CHANGES_REQUESTED" if number else "APPROVED", comments=number)
        if number == 3:
            pull.close(at + 5 * hour, ada)
            continue
        pull.merge(at + 5 * hour, by=lee)
        api.deploy(pull.merge_sha, "production", at + 6 * hour, by=lee)
    api.issue(lee, START, "Wrong sum", labels=["bug"], body="caused by #1")
    world.repository("acme/web").pull(lee, START, "Elsewhere")
    return github.app(world)


def lab(**instance: bool) -> App:
    world = busy_world()
    world.token(TOKEN)
    return gitlab.app(world, **instance)


def desk(*, cloud: bool) -> App:
    world = filled(a_world(cloud=cloud), 55)
    return jira.Jira(world, user="reader@acme.example", token=TOKEN)


@pytest.mark.parametrize(
    ("kind", "service", "settings", "logins"),
    [
        (GithubConnector, hub, {"repositories": ("acme/api", "acme/web")}, ["ada", "lee"]),
        (GitlabConnector, lab, {"projects": ("platform/core", "platform/tools")}, ["ada", "lee"]),
        (GitlabConnector, lambda: lab(graphql=False), {"projects": ("platform/core",)}, ["ada", "lee"]),
        (JiraConnector, lambda: desk(cloud=True), {"projects": ("PAY",), "user": "reader@acme.example"}, ["acc-ada"]),
        (JiraConnector, lambda: desk(cloud=False), {"projects": ("PAY",)}, ["ada"]),
    ],
    ids=["github", "gitlab", "gitlab without graphql", "jira cloud", "jira data center"],
)
def test_the_built_in_connectors_keep_the_contract(
    kind: type[Connector], service: Callable[[], App], settings: Mapping[str, Any], logins: list[str]
) -> None:
    with serve(service()) as running:
        source = Source("tool", kind.__name__, running.url, token=Secret("${HUB_TOKEN}"), bugs=BUGS, **settings)
        check_connector(kind, source, since=SINCE, logins=logins, cuts=5)


def test_a_connector_that_keeps_the_contract_passes() -> None:
    assert checked(Notebook) == frozenset()


# --- connectors that break it -------------------------------------------------------------------------------------


class SkipsAhead(Notebook):
    """Its bookmark is past what it has given."""

    def page(self, changes: Sequence[Json], after: int) -> Page:
        return replace(super().page(changes, after), bookmarks={"after": after + 1})


class ForgetsTheLastPage(Notebook):
    """It notes that it is done before it is."""

    def pull(self, bookmarks: Mapping[str, Json], since: datetime) -> Iterator[Page]:
        if not bookmarks.get("done"):
            yield Page(bookmarks={"done": True})
            yield from super().pull(bookmarks, since)


class Swallows(Notebook):
    """A failed request is an empty answer to it."""

    def get(self, path: str, **query: Any) -> Json:
        try:
            return super().get(path, **query)
        except SourceError:
            return []


class RaisesItsOwn(Notebook):
    def get(self, path: str, **query: Any) -> Json:
        try:
            return super().get(path, **query)
        except SourceError as error:
            raise LookupError("no answer") from error


class CountsKeys(Notebook):
    """The same fact gets another key every time."""

    numbers: ClassVar[Iterator[int]] = count()

    def signal(self, *args: Any, **more: Any) -> Signal:
        return replace(super().signal(*args, **more), key=f"k{next(self.numbers)}")


class SharesKeys(Notebook):
    def signal(self, *args: Any, **more: Any) -> Signal:
        made = super().signal(*args, **more)
        return replace(made, key=made.kind)


class OneGroup(Notebook):
    """Everything goes into one group, page after page."""

    def page(self, changes: Sequence[Json], after: int) -> Page:
        page = super().page(changes, after)
        return replace(page, groups={"acme/notes": [each for group in page.groups.values() for each in group]})


class LocalTime(Notebook):
    def signal(self, *args: Any, **more: Any) -> Signal:
        made = super().signal(*args, **more)
        return replace(made, at=made.at.astimezone(timezone(timedelta(hours=2))))


class NoZone(Notebook):
    def signal(self, *args: Any, **more: Any) -> Signal:
        made = super().signal(*args, **more)
        return replace(made, at=made.at.replace(tzinfo=None))


class WithDetail(Notebook):
    changed: ClassVar[Mapping[str, Json]] = {}

    def signal(self, kind: str, change: Json, who: str, hours: int, detail: Mapping[str, Json]) -> Signal:
        return super().signal(kind, change, who, hours, {**detail, **self.changed})


class UnknownDetail(WithDetail):
    changed: ClassVar[Mapping[str, Json]] = {"mood": "good"}


class WrongDetail(WithDetail):
    changed: ClassVar[Mapping[str, Json]] = {"labels": "money"}


class MissingDetail(Notebook):
    def signal(self, kind: str, change: Json, who: str, hours: int, detail: Mapping[str, Json]) -> Signal:
        left = {name: value for name, value in detail.items() if name != "draft"}
        return super().signal(kind, change, who, hours, left)


class Undeclared(Notebook):
    kinds: ClassVar[frozenset[str]] = frozenset({"change_opened"})


class Derives(Notebook):
    kinds: ClassVar[frozenset[str]] = frozenset({"change_opened", "reviewed", "change_deployed"})

    def signals(self, change: Json) -> list[Signal]:
        return [*super().signals(change), self.signal("change_deployed", change, "by", 3, {})]


class Invents(Notebook):
    kinds: ClassVar[frozenset[str]] = frozenset({"change_opened", "reviewed", "coffee_fetched"})


class Leaks(Notebook):
    def signal(self, *args: Any, **more: Any) -> Signal:
        made = super().signal(*args, **more)
        return replace(made, url=f"{made.url}?token={TOKEN}")


class LeaksInErrors(Notebook):
    def get(self, path: str, **query: Any) -> Json:
        try:
            return super().get(path, **query)
        except SourceError as error:
            raise SourceError(f"{error.what} with {TOKEN}", status=error.status) from error


class Nameless(Notebook):
    def page(self, changes: Sequence[Json], after: int) -> Page:
        return replace(super().page(changes, after), accounts=[])


class OtherAccounts(Notebook):
    def page(self, changes: Sequence[Json], after: int) -> Page:
        return replace(super().page(changes, after), accounts=[Account("hub", "1", "ada"), Account("hub", "2", "lee")])


class OddBookmark(Notebook):
    def page(self, changes: Sequence[Json], after: int) -> Page:
        return replace(super().page(changes, after), bookmarks={"after": after, "at": START})


class Eager(Notebook):
    def __init__(self, source: Source, wire: Any) -> None:
        super().__init__(source, wire)
        self.get("/changes")


class TakesTheToken(Notebook):
    options: ClassVar[tuple[Parameter, ...]] = (Parameter("token", "text", "Another one."),)


class BelievesEverybody(Notebook):
    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        self.get("/changes")
        yield Finding("ok", "everything is fine")


class DoubtsEverybody(Notebook):
    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        yield from super().check(logins)
        yield from (Finding("warning", f"there is no {login}") for login in logins)


class FineWithoutToken(Notebook):
    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        with suppress(SourceError):
            yield from super().check(logins)


class Guesses(Notebook):
    def compare(self, repository: str, base: str, head: str) -> Comparison:
        return Comparison(frozenset(), contained=True)


class OtherSource(Notebook):
    def subject(self, change: Json) -> str:
        return f"acme/notes#{change['n']}"


class Listed(Notebook):
    """Not pages, but what would be in them."""

    def pull(self, bookmarks: Mapping[str, Json], since: datetime) -> Iterator[Any]:
        yield from (dict(page.groups) for page in super().pull(bookmarks, since))


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (SkipsAhead, "resumable"), (ForgetsTheLastPage, "resumable"), (Swallows, "gaps"), (RaisesItsOwn, "errors"),
        (CountsKeys, "keys"), (SharesKeys, "keys"), (OneGroup, "groups"), (LocalTime, "instants"),
        (NoZone, "pull"), (UnknownDetail, "detail"), (WrongDetail, "detail"), (MissingDetail, "detail"),
        (Undeclared, "kinds"), (Derives, "kinds"), (Invents, "kinds"), (Leaks, "secrets"), (LeaksInErrors, "secrets"),
        (Nameless, "accounts"), (OtherAccounts, "accounts"), (OddBookmark, "bookmarks"), (Eager, "quiet start"),
        (TakesTheToken, "options"), (BelievesEverybody, "check"), (DoubtsEverybody, "check"),
        (FineWithoutToken, "check"), (Guesses, "compare"), (OtherSource, "signals"), (Listed, "pull"),
    ],
)  # fmt: skip
def test_each_way_to_break_it_is_found(kind: type[Connector], rule: str) -> None:
    assert rule in checked(kind, cuts=4)


def test_a_service_without_work_proves_nothing() -> None:
    assert checked(Notebook, app(0)) == {"pull"}


def test_everything_that_is_wrong_is_told_at_once_and_once() -> None:
    with serve(app()) as running:
        source = Source("notes", "notebook", running.url, token=Secret("${NOTES_TOKEN}"))
        with pytest.raises(ContractBroken) as broken:
            check_connector(UnknownDetail, source, since=SINCE, logins=["ada"], cuts=3)
    lines = str(broken.value).splitlines()
    assert lines[0] == "UnknownDetail breaks its contract"
    assert lines[1] == "detail: change_opened change_opened:1: detail has no key 'mood'"
    assert lines[-1] == "detail: and 9 more"


@pytest.mark.parametrize(
    ("count", "most", "numbers"), [(0, 3, []), (2, 3, [1, 2]), (10, 3, [1, 5, 10]), (100, 5, [1, 26, 51, 75, 100])]
)
def test_numbers_are_spread_with_both_ends(count: int, most: int, numbers: list[int]) -> None:
    assert spread(count, most) == numbers
