"""The human acts: each is recorded in the ledger with who, when and why, and says the number of its entry."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

import click

from pipmetrics.cli.options import config_option, now, organisation, print_text
from pipmetrics.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def by_option(command: F) -> F:
    """`--by`: who acts, a person of people.yaml."""
    return click.option(
        "--by",
        envvar="PIPMETRICS_BY",
        default=getpass.getuser,
        show_default="the user of this machine",
        help="Who acts.",
    )(command)


def why_option(command: F) -> F:
    return click.option("--why", required=True, help="The reason, or the note; it is recorded and read.")(command)


def _day(value: datetime | None) -> date:
    return value.date() if value else now().date()


def _recorded(entry: int) -> None:
    print_text(f"recorded as entry {entry} of the ledger")


@click.group()
def dispute() -> None:
    """Contest a data point, answer a contest, or decide it; until then the point counts and both values show.

    \b
    Example:
      pipmetrics dispute file ada-2026-q4 reviews-24h RRE_17 --by ada --why "Asked while I led an incident."
    """


@dispute.command("file")
@config_option
@click.argument("plan")
@click.argument("criterion")
@click.argument("key")
@why_option
@by_option
def dispute_file(config: str, plan: str, criterion: str, key: str, why: str, by: str) -> None:
    """Contest the measurement KEY of a criterion; `pipmetrics explain --format json` shows the keys.

    \b
    Example:
      pipmetrics dispute file ada-2026-q4 reviews-24h RRE_17 --by ada --why "Asked while I led an incident."
    """
    from pipmetrics import acts

    with organisation(config) as company:
        found = company.explain(plan, criterion)
        points = (*found.points, *(found.baseline.points if found.baseline else ()))
        every = [point.measurement for point in points if point.standing != "exposure"]
        entry = acts.dispute(
            company.store, company.config, plan, criterion, key, by=by, why=why, now=now(),
            subjects={one["key"]: one["subject"] for one in every},
        )  # fmt: skip
    _recorded(entry)


@dispute.command("answer")
@config_option
@click.argument("number", type=int)
@why_option
@by_option
def dispute_answer(config: str, number: int, why: str, by: str) -> None:
    """Answer dispute NUMBER; it stays open until it is decided.

    \b
    Example:
      pipmetrics dispute answer 41 --by dana --why "The incident log says so too."
    """
    from pipmetrics import acts

    with organisation(config) as company:
        _recorded(acts.answer_dispute(company.store, company.config, number, by=by, why=why, now=now()))


@dispute.command("decide")
@config_option
@click.argument("number", type=int)
@click.argument("outcome", type=click.Choice(["upheld", "rejected"]))
@why_option
@by_option
def dispute_decide(config: str, number: int, outcome: str, why: str, by: str) -> None:
    """Decide dispute NUMBER: upheld leaves the point out, rejected lets it count.

    \b
    Example:
      pipmetrics dispute decide 41 upheld --by petra --why "On call; others covered reviews that day."
    """
    from pipmetrics import acts

    with organisation(config) as company:
        _recorded(acts.decide_dispute(company.store, company.config, number, outcome, by=by, why=why, now=now()))


@click.command()
@config_option
@click.argument("plan")
@click.argument("criterion")
@click.argument("value", type=float)
@click.option("--role", required=True, help="The role in which you attest; people.yaml must give it to you.")
@why_option
@by_option
def attest(config: str, plan: str, criterion: str, value: float, role: str, why: str, by: str) -> None:
    """Attest what no tool measures.

    \b
    Example:
      pipmetrics attest lee-2026-q4 led-releases 1 --role mentor --by sol --why "Led release 42 alone."
    """
    from pipmetrics import acts

    with organisation(config) as company:
        entry = acts.attest(company.store, company.config, plan, criterion, value, role=role, by=by, why=why, now=now())
    _recorded(entry)


@click.command("check-in")
@config_option
@click.argument("plan")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The day of the check-in. Default: today.")
@click.option("--held/--missed", default=True, show_default=True, help="Whether it took place.")
@why_option
@by_option
def check_in(config: str, plan: str, day: datetime | None, held: bool, why: str, by: str) -> None:
    """Record a check-in as held or missed, with a note.

    \b
    Example:
      pipmetrics check-in ada-2026-q4 --day 2026-11-16 --by dana --why "Talked through the two late reviews."
    """
    from pipmetrics import acts

    with organisation(config) as company:
        _recorded(acts.check_in(company.store, company.config, plan, _day(day), held, by=by, why=why, now=now()))


@click.command()
@config_option
@click.argument("plan")
@click.argument("place", type=int)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day it was delivered. Default: today.")
@click.option("--confirm/--deny", default=None, help="The person on the plan says whether it really came.")
@why_option
@by_option
def support(config: str, plan: str, place: int, on: datetime | None, confirm: bool | None, why: str, by: str) -> None:
    """Record promised support number PLACE of a plan as delivered; the person on the plan confirms or denies it.

    \b
    Examples:
      pipmetrics support ada-2026-q4 1 --on 2026-11-05 --by dana --why "Three sessions so far."
      pipmetrics support ada-2026-q4 1 --confirm --by ada --why "Yes, three sessions."
    """
    from pipmetrics import acts

    with organisation(config) as company:
        store, known = company.store, company.config
        if confirm is None:
            entry = acts.support(store, known, plan, place, _day(on), by=by, why=why, now=now())
        else:
            entry = acts.confirm_support(store, known, plan, place, confirm, by=by, why=why, now=now())
    _recorded(entry)


@click.command()
@config_option
@click.argument("plan")
@click.option("--week", help="Sign the digest of this ISO week, as 2026-W47. Default: acknowledge the plan itself.")
@click.option("--agree/--disagree", default=None, help="Say whether you agree; signing alone says nothing of that.")
@click.option("--why", default="", help="A remark that is recorded with the signature.")
@by_option
def sign(config: str, plan: str, week: str | None, agree: bool | None, why: str, by: str) -> None:
    """Sign a weekly digest, or acknowledge a plan: its text is locked from then on.

    \b
    Examples:
      pipmetrics sign ada-2026-q4 --by ada
      pipmetrics sign ada-2026-q4 --week 2026-W47 --by dana
    """
    from pipmetrics import acts

    with organisation(config) as company:
        store, known = company.store, company.config
        if week is None:
            entry = acts.sign_plan(store, known, plan, by=by, now=now(), agrees=agree, why=why)
        else:
            head = str(store.head())
            entry = acts.sign_digest(store, known, plan, week, head, by=by, now=now(), agrees=agree, why=why)
    _recorded(entry)


@click.command()
@config_option
@click.argument("plan")
@click.option("--sign", "number", type=int, help="Sign this proposed amendment for your side.")
@click.option("--propose", is_flag=True, help="Propose the file as it is now in place of the locked text.")
@click.option("--why", default="", help="Why; compulsory for a proposal.")
@by_option
def amend(config: str, plan: str, number: int | None, propose: bool, why: str, by: str) -> None:
    """Show how a plan's file differs from its locked text; propose that as an amendment, or sign one.

    \b
    Examples:
      pipmetrics amend ada-2026-q4
      pipmetrics amend ada-2026-q4 --propose --by dana --why "Six weeks were too short for the course."
      pipmetrics amend ada-2026-q4 --sign 41 --by ada
    """
    from pipmetrics import acts

    with organisation(config) as company:
        store, known = company.store, company.config
        if number is not None:
            _recorded(acts.sign_amendment(store, known, plan, number, by=by, now=now(), why=why))
        elif propose:
            _recorded(acts.propose_amendment(store, known, plan, by=by, why=why, now=now()))
        else:
            (found,) = company.plans(plan)
            waiting = acts.edited(known, store).get(found.id)
            print_text(waiting.difference if waiting else f"the file of {plan} is what is scored; nothing to amend")


@click.command()
@config_option
@click.argument("plan")
@click.option("--resume", is_flag=True, help="Go on with a paused plan.")
@why_option
@by_option
def pause(config: str, plan: str, resume: bool, why: str, by: str) -> None:
    """Note that a plan pauses, or goes on again; its dates change by an extension or an amendment alone.

    \b
    Examples:
      pipmetrics pause ada-2026-q4 --by dana --why "Long illness; HR agrees."
      pipmetrics pause ada-2026-q4 --resume --by dana --why "Ada is back."
    """
    from pipmetrics import acts

    with organisation(config) as company:
        _recorded(acts.pause(company.store, company.config, plan, by=by, why=why, now=now(), resume=resume))


@click.command()
@config_option
@click.argument("plan")
@click.argument("outcome", metavar="complete|extend|not_complete|withdrawn")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The new last day, for an extension.")
@why_option
@by_option
def decide(config: str, plan: str, outcome: str, until: datetime | None, why: str, by: str) -> None:
    """Record the decision of a named person on a plan; the recommendation is recorded beside it and binds nobody.

    \b
    Example:
      pipmetrics decide ada-2026-q4 complete --by dana --why "All expectations were met for three weeks."
    """
    from pipmetrics import acts

    with organisation(config) as company:
        scored = company.evaluate(plan=plan).to_json()["plans"]
        if not scored:
            raise UsageError(f"the plan {plan!r} has not begun", mend="Withdraw its file instead.")
        entry = acts.decide(
            company.store, company.config, plan, outcome, by=by, why=why, now=now(),
            until=until.date() if until else None, recommendation=scored[0]["recommendation"],
        )  # fmt: skip
    _recorded(entry)
