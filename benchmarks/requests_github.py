"""Counts what reading GitHub takes, in requests and points, at the stand-in: `python benchmarks/requests_github.py`.

The model is that of other tools' counts: each merged change has 2 reviews, 3 review-request events, 5 commits and 3
comments. Everything is counted, the survey included.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pipmetrics.demo.github import File, World, app
from pipmetrics.demo.service import Service, serve
from pipmetrics.model import Json, Secret, Source
from pipmetrics.transport import Wire
from pipmetrics_github import GithubConnector

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SINCE = START - timedelta(days=30)
HOUR = timedelta(hours=1)
TOKEN = "counted"


def changes(world: World, repository: str, count: int) -> None:
    """So many merged changes, one every four hours."""
    api, people = world.repository(repository), [world.account(f"person{n}") for n in range(50)]
    for n in range(count):
        author, first, second = (people[(n + k) % 50] for k in range(3))
        at = START + 4 * n * HOUR
        work = [api.commit(author, at - k * HOUR, f"Work {k}") for k in range(5)]
        work[0].check("SUCCESS", at + HOUR)
        pull = api.pull(author, at, f"Change {n}", files=[File("a.py", 5, 2), File("b.py", 1, 0)], commits=work)
        pull.request(first, at, by=author)
        pull.request(second, at, by=author)
        pull.unrequest(second, at + HOUR, by=author)
        pull.review(first, at + HOUR, "CHANGES_REQUESTED", comments=2)
        pull.review(first, at + 2 * HOUR)
        for _ in range(3):
            pull.comment(second, at + HOUR)
        pull.merge(at + 3 * HOUR, by=first)


@dataclass
class Night:
    """One reader of a world, night after night."""

    world: World
    service: Service
    repositories: tuple[str, ...]
    bookmarks: dict[str, Json] = field(default_factory=dict)

    def pull(self) -> tuple[int, int, int, float]:
        """Groups, requests, points and seconds of one pull."""
        source = Source(
            "hub", "github", self.service.url, token=Secret("${BENCHMARK_TOKEN}"), repositories=self.repositories
        )
        token, before, began, groups = self.world.tokens[TOKEN], self.service.count, time.perf_counter(), 0
        token.used = {}
        for page in GithubConnector(source, Wire(self.service.url)).pull(self.bookmarks, SINCE):
            groups += len(page.groups)
            self.bookmarks |= page.bookmarks
            assert not page.gaps, page.gaps
        return groups, self.service.count - before, sum(token.used.values()), time.perf_counter() - began


def touch(world: World, repositories: int, each: int) -> None:
    """A night's work: so many changed changes in the first repositories."""
    latest = max(pull.updated for repository in world.repositories for pull in repository.pulls)
    for repository in world.repositories[:repositories]:
        for pull in repository.pulls[:each]:
            pull.comment(pull.author, latest + HOUR)


def rows() -> list[tuple[str, int, int, int, float]]:
    """(what, groups, requests, points, seconds) of each scenario."""
    os.environ["BENCHMARK_TOKEN"] = TOKEN
    found: list[tuple[str, int, int, int, float]] = []

    def note(what: str, pull: Callable[[], tuple[int, int, int, float]]) -> None:
        found.append((what, *pull()))

    large = World()
    large.token(TOKEN)
    changes(large, "acme/api", 1000)
    with serve(app(large)) as service:
        night = Night(large, service, ("acme/api",))
        note("first pull of 1,000 merged changes", night.pull)
        note("a night without changes", night.pull)
        touch(large, 1, 20)
        note("a night with 20 changed", night.pull)
    many = World()
    many.token(TOKEN).points = 10**6
    for n in range(300):
        changes(many, f"acme/service-{n}", 2)
    with serve(app(many)) as service:
        night = Night(many, service, ("acme/service-*",))
        note("first pull of 300 small repositories", night.pull)
        note("a night over 300 quiet repositories", night.pull)
        touch(many, 20, 1)
        note("a night with 20 of 300 active", night.pull)
    return found


def main() -> None:
    print(f"{'':44}{'groups':>8}{'requests':>10}{'points':>8}{'seconds':>9}")
    for what, groups, requests, points, seconds in rows():
        print(f"{what:44}{groups:8}{requests:10}{points:8}{seconds:9.1f}")


if __name__ == "__main__":
    main()
