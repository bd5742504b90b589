"""Runs the demo: stand-ins on free loopback ports, a configuration folder, the very same nightly job, the digest."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pipmetrics import windows
from pipmetrics.demo import fill_github, fill_gitlab, fill_jira, folder, github, gitlab, jira
from pipmetrics.demo.service import App, Service, serve
from pipmetrics.demo.simulation import History, Simulation
from pipmetrics.errors import UsageError

if TYPE_CHECKING:
    from pipmetrics.api import Organisation
    from pipmetrics.model import Plan

Deed: TypeAlias = Callable[[datetime], object]
MARK = ".pipmetrics-demo"
"""Stands in a folder that the demo made and may make anew."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo organisation: its configuration folder and the three services by source name."""

    config: Path
    services: dict[str, Service]
    history: History


@contextmanager
def running(where: Path, now: datetime) -> Iterator[Demo]:
    """Serve the organisation as of `now` until the block ends; `where` gets the configuration and the store.

    The tokens are made up for this run and handed over through the environment, as a user would.
    """
    history = Simulation(now).run()
    tokens = {source: secrets.token_hex(16) for source in folder.TOKENS.values()}
    hub, lab, board = github.World(), gitlab.World(), jira.World()
    fill_github.fill(hub, history, tokens["hub"])
    fill_gitlab.fill(lab, history, tokens["lab"])
    fill_jira.fill(board, history)
    apps: dict[str, App] = {
        "hub": github.app(hub),
        "lab": gitlab.app(lab),
        "jira": jira.Jira(board, token=tokens["jira"]),
    }
    with ExitStack() as stack:
        services = {name: stack.enter_context(serve(app)) for name, app in apps.items()}
        for variable, source in folder.TOKENS.items():
            os.environ[variable] = tokens[source]
            stack.callback(os.environ.pop, variable, None)
        folder.write(prepare(where), {name: service.url for name, service in services.items()}, now.date())
        yield Demo(where / "config", services, history)


def prepare(where: Path) -> Path:
    """An empty folder for the configuration; what is not the demo's own is never touched."""
    if where.exists() and any(where.iterdir()) and not (where / MARK).exists():
        raise UsageError(f"{where} is not empty, and not a folder of the demo", mend="Name another one with --into.")
    shutil.rmtree(where, ignore_errors=True)
    (where / "config").mkdir(parents=True)
    (where / MARK).write_text("Made by `pipmetrics demo`, which may make it anew.\n", encoding="utf-8")
    return where / "config"


def live(company: Organisation, week_end: datetime) -> None:
    """What people did about the plans before `week_end`, in the order in which they did it.

    Plans were acknowledged when they began, check-ins held (all but one), the first promise of each kept, and a late
    review contested on the last Friday.
    """
    deeds = [deed for plan in company.plans() for deed in _deeds(company, plan)]
    deeds.append((week_end - timedelta(days=3), lambda at: _contest(company, at)))
    for at, deed in sorted(deeds, key=lambda pair: pair[0]):
        if at < week_end:
            deed(at)


def _deeds(company: Organisation, plan: Plan) -> Iterator[tuple[datetime, Deed]]:
    from pipmetrics import acts
    from pipmetrics.score.company import check_in_days

    store, config = company.store, company.config
    start = windows.whole(plan).start
    if plan.kind == "pip":
        for hours, who in ((9, plan.manager), (10, plan.person)):
            yield start + timedelta(hours=hours), partial(_sign, company, plan.id, who)
    for place, day in enumerate(check_in_days(plan)):
        held = not (plan.id == "grete-delivery" and place == 2)
        why = "Went through last week's numbers." if held else "Omar was away, and nobody stood in."
        yield (
            windows.first_instant(day, plan.timezone) + timedelta(hours=11),
            lambda at, day=day, held=held, why=why: acts.check_in(  # type: ignore[misc]  # bound early
                store, config, plan.id, day, held, by=plan.manager, why=why, now=at
            ),
        )
    on = plan.supports[0].due - timedelta(days=2)
    given = windows.first_instant(on, plan.timezone) + timedelta(hours=15)
    yield given, lambda at: acts.support(store, config, plan.id, 1, on, by=plan.manager, why="Done.", now=at)
    yield (
        given + timedelta(hours=1),
        lambda at: acts.confirm_support(store, config, plan.id, 1, True, by=plan.person, why="Yes.", now=at),
    )


def _sign(company: Organisation, plan: str, who: str, at: datetime) -> None:
    from pipmetrics import acts

    acts.sign_plan(company.store, company.config, plan, by=who, now=at)


def _contest(company: Organisation, at: datetime) -> None:
    """Ada contests her latest review that counts as late."""
    from pipmetrics import acts

    plan, criterion = "ada-reviews-and-bugs", "reviews-24h"
    found = company.explain(plan, criterion, as_of=at)
    late = [point.measurement["key"] for point in found.points if point.standing == "late"]
    if late:
        acts.dispute(
            company.store, company.config, plan, criterion, late[-1], by="ada", now=at,
            why="The request came while I was on call for the outage of the payment gateway.",
            subjects={point.measurement["key"]: point.measurement["subject"] for point in found.points},
        )  # fmt: skip
