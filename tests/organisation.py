"""One small organisation for the end-to-end tests: its story, the stand-ins that tell it, and its configuration.

The story is fixed, so that tests know every number: 21 weeks from Monday 7 July 2025, all instants in UTC. Ada's formal
plan runs from 6 October to 30 November 2025; the tests look at it as of Monday 24 November, after week 47.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipmetrics import acts
from pipmetrics.api import Organisation
from pipmetrics.cli import main
from pipmetrics.config import load
from pipmetrics.demo import github, gitlab, jira
from pipmetrics.demo.github import File
from pipmetrics.demo.service import Service, serve
from pipmetrics.runner import RunReport

FIRST = datetime(2025, 7, 7, tzinfo=UTC)
BEGAN = datetime(2025, 10, 6, tzinfo=UTC)
AS_OF = datetime(2025, 11, 24, tzinfo=UTC)
OVER = datetime(2025, 12, 1, tzinfo=UTC)
WEEK = "2025-W47"
PLAN_WEEK, WEEKS = 13, 21
"""The week of the story in which the plan begins, and how many weeks there are."""
TOKENS = {
    "PIPMETRICS_TEST_HUB": "hub-token-1234",
    "PIPMETRICS_TEST_LAB": "lab-token-1234",
    "PIPMETRICS_TEST_JIRA": "jira-1234",
}
HOUR = timedelta(hours=1)


def at(week: int, day: int, hour: float = 10.0) -> datetime:
    """An instant of the story; day 0 is Monday."""
    return FIRST + timedelta(weeks=week, days=day, hours=hour)


# --- the story ----------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """The three services as they stand at the end, and what the tests want to know of them."""

    hub: github.World = field(default_factory=github.World)
    lab: gitlab.World = field(default_factory=gitlab.World)
    jira: jira.World = field(default_factory=jira.World)
    in_time: int = 0
    late: int = 0


def tell() -> Story:
    story = Story()
    _tell_github(story)
    _tell_gitlab(story)
    _tell_jira(story)
    return story


def _tell_github(story: Story) -> None:
    hub = story.hub
    hub.token(TOKENS["PIPMETRICS_TEST_HUB"], "reader", scopes=None)
    who = {
        name: hub.account(f"{name}-l", email=f"{name}@acme.example")
        for name in ("ada", "ben", "cleo", "dora", "eli", "finn")
    }
    api, web = hub.repository("acme/api"), hub.repository("acme/web")
    hub.repository("acme/empty")
    for week in range(WEEKS):
        planned = week >= PLAN_WEEK
        asked = api.pull(who["ben"], at(week, 0), f"Ben's change {week}", branch=f"ben/{week}")
        _ask(
            asked,
            who["ada"],
            at(week, 0),
            40 if week == 15 else 5 if planned else 30 if week % 2 == 0 else 6,
            who["ben"],
        )
        other = web.pull(who["cleo"], at(week, 1), f"Cleo's change {week}", branch=f"cleo/{week}")
        _ask(other, who["ada"], at(week, 1), 4 if planned else 28 if week % 3 == 0 else 4, who["cleo"])
        for day, reviewer, hours in ((2, "ben", 6), (3, "dora", 24)):
            _own_change(api, who, week, day, reviewer, hours)
        api.deploy(api.pulls[-1].merge_sha or "", "production", at(week, 4, 11), who["eli"], minutes=4)
        for author, others in (("eli", ("ben", "cleo", "dora", "finn")), ("finn", ("eli",))):
            change = web.pull(who[author], at(week, 4, 9), f"{author}'s change {week}", branch=f"{author}/{week}")
            for reviewer in others:
                _ask(change, who[reviewer], at(week, 4, 9), 5, who[author])
            change.merge(at(week, 4, 15), who[author])
    _tell_oddities(story, who)


def _ask(pull: Any, reviewer: Any, when: datetime, hours: float, by: Any) -> None:
    pull.request(reviewer, when, by)
    pull.review(reviewer, when + hours * HOUR, "APPROVED", comments=1)


def _own_change(api: Any, who: Mapping[str, Any], week: int, day: int, reviewer: str, hours: float) -> None:
    """A change of Ada's, reviewed after three hours, and merged `hours` after it was opened."""
    opened = at(week, day)
    commit = api.commit(who["ada"], opened - HOUR, f"Work {week}.{day}")
    commit.check("FAILURE" if week % 4 == 0 and day == 2 else "SUCCESS", opened + HOUR / 2)
    change = api.pull(
        who["ada"], opened, f"Ada's change {week}.{day}", body=f"Part of PAY-{story_number(week, day)}.",
        branch=f"ada/{week}-{day}", files=[File("src/pay.py", 30, 10)], commits=[commit],
    )  # fmt: skip
    change.request(who[reviewer], opened, who["ada"])
    change.review(who[reviewer], opened + 3 * HOUR, "APPROVED", comments=2)
    change.merge(opened + hours * HOUR, who["ada"])


def story_number(week: int, day: int) -> int:
    """The number of the ticket of Ada's change: after the two deliverables, two a week."""
    return 3 + 2 * week + (day - 2)


def _tell_oddities(story: Story, who: Mapping[str, Any]) -> None:
    """What is left out, waits, or is late without an answer; all of it inside the plan."""
    api = story.hub.repository("acme/api")
    withdrawn = api.pull(who["ben"], at(14, 3), "Withdrawn request", branch="odd/1")
    withdrawn.request(who["ada"], at(14, 3), who["ben"])
    withdrawn.unrequest(who["ada"], at(14, 3, 12), who["ben"])
    bot = api.pull(story.hub.account("renovate", "Bot"), at(16, 3), "Update dependency", branch="odd/2")
    _ask(bot, who["ada"], at(16, 3), 2, None)
    infra = api.pull(who["ben"], at(17, 3), "Move servers", branch="odd/3", labels=["infra"])
    _ask(infra, who["ada"], at(17, 3), 3, who["ben"])
    infra.close(at(17, 4), who["ben"])
    infra.reopen(at(17, 4, 12), who["ben"])
    unanswered = api.pull(who["cleo"], at(18, 3), "Nobody answers", branch="odd/4")
    unanswered.request(who["ada"], at(18, 3), who["cleo"])
    waiting = api.pull(who["cleo"], at(19, 6, 22), "Just asked", branch="odd/5")
    waiting.request(who["ada"], at(19, 6, 22), who["cleo"])
    story.in_time, story.late = 2 * (20 - PLAN_WEEK) - 1, 2


def _tell_gitlab(story: Story) -> None:
    lab = story.lab
    lab.token(TOKENS["PIPMETRICS_TEST_LAB"])
    ada, ben = (lab.user(name, email=f"{name}@acme.example") for name in ("ada", "ben"))
    for name in ("cleo", "dora", "eli", "finn"):
        lab.user(name)
    core = lab.project("platform/core")
    for week in range(0, WEEKS, 5):
        opened = at(week, 2, 12)
        commit = core.commit(ada, opened - HOUR, f"Core {week}")
        change = core.merge_request(ada, opened, f"Core change {week}", branch=f"core/{week}", commits=[commit])
        change.request(ben, at=opened, by=ada)
        change.approve(ben, opened + 2 * HOUR)
        change.merge(opened + 8 * HOUR, ada)


def _tell_jira(story: Story) -> None:
    world = story.jira
    world.now = at(WEEKS, 0)
    world.add_project("PAY", "Payments")
    for name in ("ada", "ben", "petra"):
        world.add_user(jira.User(f"712020:{name}", name.title(), email=f"{name}@acme.example"))
    done, left = (
        world.create("PAY", at(PLAN_WEEK, 0), summary=text, assignee="712020:ada") for text in ("Export", "Import")
    )
    world.move(done, "In Progress", at(14, 0), "712020:ada")
    world.move(done, "Done", at(18, 0), "712020:ada", resolution="Done")
    world.set_due(left, date(2025, 11, 28), at(18, 1), "712020:ada")
    stories = []
    for week in range(WEEKS):
        for day in (2, 3):
            ticket = world.create("PAY", at(week, day, 8), type="Story", assignee="712020:ada", reporter="712020:petra")
            assert ticket.key == f"PAY-{story_number(week, day)}"
            stories.append((week, day, ticket))
    for week, day, ticket in stories:
        if day == 2 and (week == 15 if week >= PLAN_WEEK else week % 2 == 0):
            found = at(week, 5)
            bug = world.create("PAY", found, type="Bug", summary=f"Totals of {week} are wrong", reporter="712020:petra")
            world.link(bug, "is caused by", ticket, found, "712020:petra")


# --- its configuration --------------------------------------------------------------------------------------------

PEOPLE = """\
people:
  ada:
    {name: Ada Example, email: ada@acme.example, manager: dana, team: core,
     accounts: {hub: ada-l, lab: ada, jira: ada@acme.example}}
  ben:
    {name: Ben Example, email: ben@acme.example, manager: dana, team: core,
     accounts: {hub: ben-l, lab: ben, jira: null}}
  cleo: {name: Cleo Example, manager: dana, team: core, accounts: {hub: cleo-l, lab: cleo, jira: null}}
  dora: {name: Dora Example, manager: dana, team: core, accounts: {hub: dora-l, lab: dora, jira: null}}
  eli:
    {name: Eli Example, manager: dana, team: core, timezone: Europe/Berlin,
     accounts: {hub: eli-l, lab: eli, jira: null}}
  finn: {name: Finn Example, manager: dana, team: core, accounts: {hub: finn-l, lab: finn, jira: null}}
  dana: {name: Dana Example, email: dana@acme.example, roles: [manager]}
  sol: {name: Sol Example, roles: [mentor]}
  petra: {name: Petra Example, email: petra@acme.example, roles: [hr]}
"""

ADA = """\
plan: ada-q4
kind: pip
person: ada
manager: dana
start: 2025-10-06
end: 2025-11-30
check_ins: {every: week, on: Monday}
deficiencies:
  - {id: slow-reviews, text: "Review requests wait for days; the team is blocked."}
  - {id: escaped-bugs, text: "Defects reach production that tests should have caught."}
criteria:
  - id: reviews-24h
    deficiency: slow-reviews
    expectation: "Complete code reviews within 24 hours"
    metric: review_turnaround
    criterion: share_within
    limit: 24h
    target: 90%
    minimum: 8
    weight: 2
    clock: elapsed
    guardrail: {metric: review_depth, at_most: 20%}
    exclude: [{label: infra, reason: "Servers are moved by another team."}]
  - id: bugs-halved
    deficiency: escaped-bugs
    expectation: "Reduce post-deployment bugs by 50%"
    metric: post_deploy_bugs
    criterion: reduction
    target: 50%
    baseline: 90 days
    per: changes_deployed
  - id: merged-fast
    deficiency: slow-reviews
    expectation: "Half of the changes are merged within a day"
    metric: time_to_merge
    criterion: threshold
    statistic: median
    at_most: 24h
  - id: three-good-weeks
    deficiency: slow-reviews
    expectation: "Three weeks in a row with nine of ten reviews in time"
    criterion: streak
    of: {metric: review_turnaround, criterion: share_within, limit: 24h, target: 90%, clock: elapsed}
    weeks: 3
  - id: deliverables
    deficiency: escaped-bugs
    expectation: "Export and import are done by 28 November"
    criterion: deliver
    issues: [PAY-1, PAY-2]
    by: 2025-11-28
  - id: led-release
    deficiency: escaped-bugs
    expectation: "Leads one release, attested by the mentor"
    criterion: attest
    by: mentor
    at_least: 1
supports:
  - {text: "Pairing with Sol on test design", owner: sol, due: 2025-10-20}
  - {text: "Course: testing in production", owner: dana, due: 2025-11-10}
consequences: "If the expectations are not met, employment may end; the decision is made by Dana and HR."
"""

BEN = """\
plan: ben-coaching
kind: coaching
person: ben
manager: dana
start: 2025-10-13
days: 45
check_ins: {every: week, on: Tuesday}
deficiencies:
  - {id: few-reviews, text: "Ben reviews little."}
criteria:
  - id: weekly-reviews
    deficiency: few-reviews
    expectation: "At least eight reviews in six weeks"
    metric: reviews_given
    criterion: threshold
    statistic: count
    at_least: 8
supports:
  - {text: "An hour for reviews each morning", owner: dana, due: 2025-10-20}
"""

CLEO = """\
plan: cleo-next
kind: coaching
draft: true
person: cleo
manager: dana
start: 2031-01-06
days: 42
criteria:
  - {id: answers, expectation: "Answers three of four requests in a day", metric: review_turnaround,
     criterion: share_within, limit: 24h, target: 75%}
"""


def settings(urls: Mapping[str, str], *, more: str = "") -> str:
    return dedent(f"""\
        store: sqlite:///pipmetrics.db
        timezone: UTC
        sources:
          hub:
            {{connector: github, url: {urls["hub"]}, token: "${{PIPMETRICS_TEST_HUB}}", repositories: ["acme/*"],
             production: [production]}}
          lab:
            {{connector: gitlab, url: {urls["lab"]}, token: "${{PIPMETRICS_TEST_LAB}}", projects: [platform/core]}}
          jira:
            {{connector: jira, url: {urls["jira"]}, user: reader@acme.example, token: "${{PIPMETRICS_TEST_JIRA}}",
             projects: [PAY], bugs: {{types: [Bug]}}, caused_by: ["is caused by"]}}
        history: 3650 days
        """) + more  # fmt: skip


def write(folder: Path, texts: Mapping[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@contextmanager
def serving(hub: github.World, lab: gitlab.World, board: jira.World) -> Iterator[dict[str, Service]]:
    """The three services, with their tokens in the environment."""
    apps: dict[str, Any] = {
        "hub": github.app(hub),
        "lab": gitlab.app(lab),
        "jira": jira.Jira(board, token=TOKENS["PIPMETRICS_TEST_JIRA"]),
    }
    with ExitStack() as stack:
        for name, value in TOKENS.items():
            os.environ[name] = value
            stack.callback(os.environ.pop, name, None)
        yield {name: stack.enter_context(serve(app)) for name, app in apps.items()}


# --- fixtures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Acme:
    """The organisation, served; `pulled` is its folder after one pull: look, and change copies alone."""

    story: Story
    services: Mapping[str, Service]
    pulled: Path


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    story = tell()
    with serving(story.hub, story.lab, story.jira) as services:
        urls = {name: service.url for name, service in services.items()}
        folder = write(
            tmp_path_factory.mktemp("acme") / "config",
            {
                "pipmetrics.yaml": settings(urls),
                "people.yaml": PEOPLE,
                "plans/ada-q4.yaml": ADA,
                "plans/ben-coaching.yaml": BEN,
                "plans/cleo-next.yaml": CLEO,
            },
        )
        with opened(folder) as company:
            pulled = company.pull()
        assert [(one.source, one.error, one.gaps) for one in pulled] == [(name, "", ()) for name in urls]
        yield Acme(story, services, folder)


@pytest.fixture
def folder(acme: Acme, tmp_path: Path) -> Path:
    """A copy of the pulled organisation's folder."""
    shutil.copytree(acme.pulled, tmp_path / "config")
    return tmp_path / "config"


@contextmanager
def opened(folder: Path, now: datetime | Callable[[], datetime] = AS_OF) -> Iterator[Organisation]:
    """The organisation of a folder with a clock that stands still."""
    clock = now if callable(now) else lambda: now
    with Organisation(load(folder), now=clock) as company:
        yield company


@pytest.fixture
def company(folder: Path) -> Iterator[Organisation]:
    """A copy of the pulled organisation as of the Monday after week 47."""
    with opened(folder) as found:
        yield found


def cli(*arguments: object, folder: Path | None = None, code: int = 0, stdin: str | None = None) -> Result:
    """Runs a command in this process; no fault of ours may come up, and the exit code is the expected one."""
    given = [str(argument) for argument in arguments]
    if folder is not None:
        given += ["--config", str(folder)]
    result = CliRunner().invoke(main, given, input=stdin)
    assert "a fault of ours" not in result.stderr, result.stderr
    assert "Traceback" not in result.output, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, (result.exit_code, result.stdout[-2000:], result.stderr[-2000:])
    return result


def cli_json(*arguments: object, folder: Path | None = None, code: int = 0) -> Any:
    """What a command prints as JSON."""
    return json.loads(cli(*arguments, "--format", "json", folder=folder, code=code).stdout)


# --- a life -------------------------------------------------------------------------------------------------------


def live(folder: Path) -> None:
    """What people did about Ada's plan, and two Monday nights: those after week 46 and after week 47."""
    clock = [BEGAN + 9 * HOUR]
    with opened(folder, lambda: clock[0]) as company:
        store, config = company.store, company.config

        def done(when: datetime, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
            clock[0] = when
            return act(store, config, "ada-q4", *arguments, now=when, **named)

        done(BEGAN + 9 * HOUR, acts.sign_plan, by="dana")
        done(BEGAN + 10 * HOUR, acts.sign_plan, by="ada")
        for week in range(6):
            day = date(2025, 10, 6) + timedelta(weeks=week)
            held = week != 3
            done(BEGAN + timedelta(weeks=week, hours=11), acts.check_in, day, held, by="dana", why="Went through it.")
        done(at(14, 4), acts.support, 1, date(2025, 10, 17), by="dana", why="Three sessions.")
        done(at(14, 4, 12), acts.confirm_support, 1, True, by="ada", why="Yes.")
        night(company, clock, at(19, 0, 2.5))
        late = late_keys(company, at(19, 3))
        done(
            at(19, 4),
            acts.dispute,
            "reviews-24h",
            late[0],
            by="ada",
            why="I led an incident that day.",
            subjects=dict.fromkeys(late, "hub:acme/api#1"),
        )
        night(company, clock, at(20, 0, 2.5))


def night(company: Organisation, clock: list[datetime], when: datetime) -> RunReport:
    clock[0] = when
    return company.run()


def late_keys(company: Organisation, when: datetime) -> list[str]:
    """Keys of Ada's reviews that count as late: the one of week 15 first, then the one without an answer."""
    found = company.explain("ada-q4", "reviews-24h", as_of=when)
    return [point.measurement["key"] for point in found.points if point.standing == "late"]


@pytest.fixture(scope="session")
def lived(acme: Acme, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after `live`: look, and change copies alone."""
    path = tmp_path_factory.mktemp("lived") / "config"
    shutil.copytree(acme.pulled, path)
    live(path)
    return path


@pytest.fixture
def life(lived: Path, tmp_path: Path) -> Path:
    """A copy of the folder after `live`."""
    shutil.copytree(lived, tmp_path / "life")
    return tmp_path / "life"
