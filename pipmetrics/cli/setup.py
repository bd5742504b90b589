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
@click.option("--timezone", default="UTC", show_default=True, help="The company's time zone, as Europe/Berlin.")
def init(
    config: str,
    github: str | None,
    repositories: tuple[str, ...],
    gitlab: str | None,
    jira: str | None,
    projects: tuple[str, ...],
    timezone: str,
) -> None:
    """Write a commented configuration to start from; nothing that exists is overwritten.

    \b
    Example:
      pipmetrics init --github https://api.github.com --repository acme/api --timezone Europe/Berlin
    """
    from pipmetrics.config import write_starting_config

    written = write_starting_config(
        Path(config),
        github=github,
        repositories=repositories,
        gitlab=gitlab,
        jira=jira,
        projects=projects,
        timezone=timezone,
    )
    print_text("\n".join([*(f"wrote {path}" for path in written), f"Next: pipmetrics check --config {config}"]))


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
