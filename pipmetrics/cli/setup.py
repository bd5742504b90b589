"""init, check, schema: getting the files right."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipmetrics.cli.options import config_option, format_option, print_json, print_text


@click.command()
@config_option
@click.option("--github", metavar="URL", help="API address of a GitHub, as https://api.github.com.")
@click.option(
    "--repository", "repositories", multiple=True, metavar="OWNER/NAME", help="A repository; may be repeated."
)
@click.option("--gitlab", metavar="URL", help="Address of a GitLab, as https://gitlab.com.")
@click.option("--jira", metavar="URL", help="Address of a Jira, as https://acme.atlassian.net.")
@click.option("--project", "projects", multiple=True, metavar="NAME", help="A GitLab or Jira project; may be repeated.")
@click.option("--person", default="ada", show_default=True, help="Who the first plan is for, by an id of your choice.")
@click.option("--manager", default="dana", show_default=True, help="Who manages them.")
@click.option("--timezone", default="UTC", show_default=True, help="The company's time zone, as Europe/Berlin.")
@click.option(
    "--ask/--no-ask", default=None, help="Ask for what no option gives. Default: on a terminal, without options."
)
def init(
    config: str,
    github: str | None,
    repositories: tuple[str, ...],
    gitlab: str | None,
    jira: str | None,
    projects: tuple[str, ...],
    person: str,
    manager: str,
    timezone: str,
    ask: bool | None,
) -> None:
    """Write a commented configuration to start from; nothing that exists is overwritten.

    \b
    Examples:
      pipmetrics init                       asks
      pipmetrics init --github https://api.github.com --repository acme/api --timezone Europe/Berlin
    """
    from pipmetrics.config import write_starting_config

    given = {"github": github, "repositories": repositories, "gitlab": gitlab, "jira": jira, "projects": projects}
    if ask or (ask is None and sys.stdin.isatty() and not any(given.values())):
        given = {name: value or _asked(name) for name, value in given.items()}
        person, manager = click.prompt("Who is the first plan for", person), click.prompt("Who manages them", manager)
        timezone = click.prompt("The company's time zone", timezone)
    written = write_starting_config(Path(config), **given, person=person, manager=manager, timezone=timezone)  # type: ignore[arg-type]  # by name
    print_text("\n".join([*(f"wrote {path}" for path in written), f"Next: pipmetrics check --config {config}"]))


QUESTIONS = {
    "github": "GitHub's API address, as https://api.github.com (nothing for none)",
    "repositories": "Its repositories, as acme/api acme/web-*",
    "gitlab": "GitLab's address, as https://gitlab.com (nothing for none)",
    "jira": "Jira's address, as https://acme.atlassian.net (nothing for none)",
    "projects": "Projects of GitLab and Jira, as platform/core PAY",
}


def _asked(name: str) -> str | tuple[str, ...] | None:
    """The answer to a question; names are given apart by blanks."""
    said: str = click.prompt(QUESTIONS[name], default="", show_default=False)
    return tuple(said.split()) if name in ("repositories", "projects") else said.strip() or None


@click.command()
@config_option
@click.option("--online", is_flag=True, help="Also ask every source: token, permissions, accounts, clock.")
@click.option("--facts/--no-facts", default=True, show_default=True, help="Rules that look at what was pulled.")
@click.option("--explain", "code", metavar="CODE", help="Explain one lint rule, as PIP104, and stop.")
@format_option("text", "json", "github", "sarif")
def check(config: str, online: bool, facts: bool, code: str | None, form: str) -> None:
    """Check the configuration, lint the plans and, with --online, ask every source.

    \b
    Examples:
      pipmetrics check
      pipmetrics check --online
      pipmetrics check --explain PIP104
      pipmetrics check --format github      annotations for a pull request
    """
    from pipmetrics.config import lint

    if code:
        print_text(lint.explain(code))
        return
    from pipmetrics.check import check as run_check

    report = run_check(config, online=online, measured=facts)
    print_text(report.render(form))
    sys.exit(report.exit_code)


@click.command()
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """Print the JSON Schemas of the three files, or of one: pipmetrics, people, plan.

    \b
    Example:
      pipmetrics schema plan > plan.schema.json
    """
    from pipmetrics.config import schemas
    from pipmetrics.errors import UsageError

    known = schemas()
    if name and name not in known:
        raise UsageError(f"there is no schema {name!r}", mend=f"There are {', '.join(known)}.")
    print_json(known[name] if name else known)
