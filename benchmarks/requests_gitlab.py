"""Requests that GitLab is asked: a first pull of 1,000 merge requests, and a night on which 20 of them changed.

    python benchmarks/requests_gitlab.py

Counted at the stand-in, everything included. Each merge request has 2 reviews, 3 review-request events, 5 commits and 3
comments and was merged; they are spread over 150 days. The counts of other tools are from their code, for the same
model. The last rows are ours alone: an instance without GraphQL (100 merge requests), and 100 projects of which none
changed.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pipmetrics.demo.gitlab import World, app
from pipmetrics.demo.service import serve
from pipmetrics.model import Json, Secret, Source
from pipmetrics.transport import Wire
from pipmetrics_gitlab import GitlabConnector

CHANGES, CHANGED, DAYS = 1000, 20, 150
START = datetime(2026, 6, 1, 8, tzinfo=UTC)
LATER = START + timedelta(days=DAYS + 3)
SECRET = "PIPMETRICS_BENCHMARK_GITLAB"
OTHERS = (("perceval", 13_010, 261), ("DevLake", 2_010, 41), ("python-gitlab, by hand", 3_010, 61))


class Count(NamedTuple):
    """Requests of a first pull and of the night after."""

    what: str
    first: int
    night: int


def model(count: int, projects: int = 1) -> World:
    """Merge requests as described above, in turns over the projects."""
    world = World()
    people = [world.user(f"dev{number}") for number in range(50)]
    for number in range(projects):
        world.project(f"platform/part{number}" if number else "platform/core")
    for number in range(count):
        project = world.projects[number % projects]
        at = START + timedelta(days=DAYS) * number / count
        author, one, other = (people[(number + step) % 50] for step in (0, 7, 19))
        commits = [project.commit(author, at - timedelta(hours=5 - part), f"Part {part}") for part in range(5)]
        change = project.merge_request(author, at, f"Change {number}", commits=commits)
        change.request(one, other, at=at, by=author)
        change.withdraw(other, at=at + timedelta(minutes=5), by=author)
        change.request(other, at=at + timedelta(minutes=9), by=author)
        change.discuss(one, at + timedelta(hours=1))
        change.approve(other, at + timedelta(hours=2))
        for part in range(3):
            change.comment(author, at + timedelta(hours=3, minutes=part))
        change.merge(at + timedelta(hours=4), by=other)
    return world


def counted(what: str, world: World, changed: int, *, graphql: bool = True, projects: str = "platform/core") -> Count:
    """What two pulls cost, `changed` merge requests being commented between them."""
    os.environ[SECRET] = "read-only"
    world.token("read-only")
    with serve(app(world, graphql=graphql)) as service:
        source = Source("lab", "gitlab", service.url, token=Secret(f"${{{SECRET}}}"), projects=(projects,))
        marks: dict[str, Json] = {}
        pull(source, marks)
        first = service.count
        held = world.projects[0].merge_requests
        for number in range(changed):
            held[number * len(held) // changed].comment(world.users[0], LATER + timedelta(minutes=number))
        pull(source, marks)
        return Count(what, first, service.count - first)


def pull(source: Source, marks: dict[str, Json]) -> None:
    connector: Any = GitlabConnector(source, Wire(source.url))
    for page in connector.pull(dict(marks), START - timedelta(days=30)):
        assert not page.gaps
        marks.update(page.bookmarks)


def main() -> None:
    """Prints the table."""
    ours = counted("pipmetrics", model(CHANGES), CHANGED)
    rest = counted("pipmetrics, 100 by REST", model(100), CHANGED, graphql=False)
    quiet = counted("pipmetrics, 100 quiet projects", model(200, projects=100), 0, projects="platform")
    print(f"{'':32}{'first pull':>12}{'night':>8}")
    for row in (ours, *(Count(*other) for other in OTHERS), rest, quiet):
        print(f"{row.what:32}{row.first:>12,}{row.night:>8,}")


if __name__ == "__main__":
    main()
