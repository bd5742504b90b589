"""baseline and backtest: is a plan fair, before anybody is held to it."""

from __future__ import annotations

import click

from pipmetrics.cli.options import config_option, format_option, organisation, print_json, print_text


@click.command()
@config_option
@click.argument("plan")
@format_option("text", "json")
def baseline(config: str, plan: str, form: str) -> None:
    """Assess the state before a plan: what each metric was, how sure that is, how the team compares without names.

    \b
    Example:
      pipmetrics baseline ada-2026-q4
    """
    from pipmetrics.assess import assess

    with organisation(config) as company:
        found = assess(company, plan)
    print_json(found.to_json()) if form == "json" else print_text(found.to_text())


@click.command()
@config_option
@click.argument("plan")
@format_option("text", "json")
def backtest(config: str, plan: str, form: str) -> None:
    """Try a plan's targets on unnamed peers and on the person's past, and say how likely its verdict would be luck.

    \b
    Example:
      pipmetrics backtest ada-2026-q4
    """
    from pipmetrics.backtest import backtest as try_targets

    with organisation(config) as company:
        found = try_targets(company, plan)
    print_json(found.to_json()) if form == "json" else print_text(found.to_text())
