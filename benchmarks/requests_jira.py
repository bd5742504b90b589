"""Requests that Jira is asked: a first pull of 1,000 issues, and a night on which 20 of them changed.

    python benchmarks/requests_jira.py

Counted at the stand-in. One issue in twenty has a history longer than a search of Cloud shows, and no issue is in the
status that it was created with any more. The counts of other tools are from their code, for the same model.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pipmetrics.demo.jira import Jira, Sprint, User, World
from pipmetrics.demo.service import Service, serve
from pipmetrics.model import Secret, Source
from pipmetrics.transport import Wire
from pipmetrics_jira import JiraConnector

ISSUES, CHANGED, DAYS = 1000, 20, 150
START = datetime(2026, 6, 1, 8, tzinfo=UTC)
SECRET = "PIPMETRICS_BENCHMARK_JIRA"
OTHERS = (("perceval", 1011, 22), ("DevLake, defaults", 1068, 79), ("DevLake, issues alone (cut histories)", 10, 1))


class Count(NamedTuple):
    """Requests of one kind of site; `transitions` given of those that there are."""

    site: str
    first: int
    night: int
    given: int
    transitions: int


def model(*, cloud: bool, cap: int | None) -> World:
    """1,000 issues over 150 days, all of them worked on, and sprints of two weeks."""
    world = World(cloud=cloud, cap=cap, now=START + timedelta(days=DAYS + 1))
    for id in ("ada", "lee", "dana"):
        world.add_user(User(id, id.title(), email=f"{id}@acme.example"))
    world.add_project("PAY", "Payments")
    for number in range(DAYS // 14 + 1):
        begins = START + timedelta(days=14 * number)
        over = begins + timedelta(days=14) < world.now
        state: Any = "closed" if over else "active"
        ends = begins + timedelta(days=14)
        world.add_sprint(
            Sprint(number + 1, f"Sprint {number + 1}", state, begins, ends, begins, ends if over else None)
        )
    for number in range(ISSUES):
        at = START + timedelta(days=DAYS) * number / ISSUES
        issue = world.create("PAY", at, type="Bug" if number % 5 == 0 else "Story", reporter="dana")
        world.assign(issue, "ada" if number % 2 else "lee", at + timedelta(minutes=5), "dana")
        world.set_sprints(issue, [world.sprints[number * DAYS // ISSUES // 14 + 1]], at + timedelta(minutes=6), "dana")
        world.move(issue, "In Progress", at + timedelta(minutes=30), "ada")
        world.move(issue, "In Review", at + timedelta(minutes=40), "ada")
        if number % 3:
            world.move(issue, "Done", at + timedelta(minutes=50), "lee", resolution="Done")
        for step in range(45 if number % 20 == 0 else 0):
            world.move(issue, ("Open", "In Progress")[step % 2], at + timedelta(minutes=51 + step), "lee")
    return world


def pull(service: Service, cloud: bool, bookmarks: dict[str, Any]) -> int:
    """One pull; the transitions that it gave."""
    os.environ.setdefault(SECRET, "jira-token")
    user = "reader@acme.example" if cloud else None
    source = Source("jira", "jira", service.url, token=Secret(f"${{{SECRET}}}"), user=user, projects=("PAY",))
    groups: dict[str, Any] = {}
    for page in JiraConnector(source, Wire(service.url)).pull(bookmarks, START - timedelta(days=1)):
        bookmarks.update(page.bookmarks)
        groups.update(page.groups)
    return sum(signal.kind == "issue_status_changed" for signals in groups.values() for signal in signals)


def count(site: str, *, cloud: bool, cap: int | None = None) -> Count:
    world, bookmarks = model(cloud=cloud, cap=cap), dict[str, Any]()
    every = sum(item.field == "status" for issue in world.issues for change in issue.changes for item in change.items)
    with serve(Jira(world)) as service:
        given, first = pull(service, cloud, bookmarks), service.count
        for number in range(CHANGED):
            world.touch(world.issues[number * 37], world.now + timedelta(minutes=number), "ada")
        world.now += timedelta(days=1)
        pull(service, cloud, bookmarks)
        return Count(site, first, service.count - first, given, every)


def counts() -> list[Count]:
    return [
        count("Jira Cloud", cloud=True),
        count("Jira Data Center, 1,000 a page allowed", cloud=False),
        count("Jira Data Center, 100 a page allowed", cloud=False, cap=100),
    ]


def main() -> None:
    print(f"{'':40}{'first pull':>12}{'night':>8}   transitions")
    for each in counts():
        print(f"{each.site:40}{each.first:>12}{each.night:>8}   {each.given} of {each.transitions}")
    for tool, first, night in OTHERS:
        print(f"{tool:40}{first:>12,}{night:>8}")


if __name__ == "__main__":
    main()
