"""blame: what the fixes of bugs changed, as suggestions that a named person confirms or denies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipmetrics.cli.acts import by_option, why_option
from pipmetrics.cli.options import (
    as_of_option,
    config_option,
    format_option,
    now,
    organisation,
    print_json,
    print_text,
)
from pipmetrics.errors import UsageError

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

F = TypeVar("F", bound=Callable[..., Any])


def repository_option(command: F) -> F:
    """`--repository`: where the local clones are."""
    return click.option(
        "--repository",
        "repositories",
        metavar="SOURCE:OWNER/NAME=FOLDER",
        multiple=True,
        required=True,
        help="A local clone of a repository; may be repeated.",
    )(command)


@click.group()
def blame() -> None:
    """Suggest which changes of a person caused bugs, by the lines that the fixes changed; confirm or deny it.

    A suggestion never counts by itself: only once somebody has confirmed it, and for plans whose `attribution` names
    `fix`. It reads local clones, and needs the extra `blame`.

    \b
    Example:
      pipmetrics blame suggest ada-2026-q4 --repository hub:acme/api=../api
    """


@blame.command()
@config_option
@click.argument("plan")
@repository_option
@as_of_option
@format_option("text", "json")
def suggest(config: str, plan: str, repositories: tuple[str, ...], as_of: datetime | None, form: str) -> None:
    """List, for each bug of a plan's windows, the person's changes whose lines its fix changed.

    \b
    Example:
      pipmetrics blame suggest ada-2026-q4 --repository hub:acme/api=../api
    """
    from pipmetrics.blame import suggest as look

    with organisation(config) as company:
        found = look(company, plan, _clones(company, repositories), as_of or now())
    print_json(found.to_json()) if form == "json" else print_text(found.to_text())


@blame.command()
@config_option
@click.argument("plan")
@click.argument("bug")
@click.argument("change")
@repository_option
@click.option("--deny", is_flag=True, help="Say that it was not so.")
@why_option
@by_option
def confirm(
    config: str, plan: str, bug: str, change: str, repositories: tuple[str, ...], deny: bool, why: str, by: str
) -> None:
    """Confirm that CHANGE caused BUG, as `blame suggest` lists them, or deny it; it is recorded with its evidence.

    \b
    Example:
      pipmetrics blame confirm ada-q4 jira:PAY-10 hub:acme/api#1 --repository hub:acme/api=../api --why "Read it."
    """
    from pipmetrics.blame import confirm as record

    with organisation(config) as company:
        clones = _clones(company, repositories)
        entry = record(company, plan, bug, change, clones, confirmed=not deny, by=by, why=why, now=now())
    print_text(f"recorded as entry {entry} of the ledger")


def _clones(company: Organisation, repositories: tuple[str, ...]) -> dict[str, str]:
    clones = {}
    for each in repositories:
        name, equals, folder = each.partition("=")
        source, colon, repository = name.partition(":")
        if not (equals and colon and repository and folder):
            raise UsageError(f"{each!r} names no clone", mend="Write SOURCE:OWNER/NAME=FOLDER, as hub:acme/api=../api.")
        if source not in company.config.settings.sources:
            known = ", ".join(company.config.settings.sources)
            raise UsageError(f"there is no source {source!r}", mend=f"Sources: {known}.")
        clones[name] = folder
    return clones
