"""evaluate, digest, explain, portfolio: from the rows to what people read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime

import click

from pipmetrics.cli.forms import FORMATS, rendered
from pipmetrics.cli.options import (
    WEEK,
    WEEKS,
    as_of_option,
    config_option,
    format_option,
    organisation,
    print_json,
    print_text,
)


@click.command()
@config_option
@click.option("--plan", help="Only this plan.")
@as_of_option
@click.option("--record", is_flag=True, help="Write the evaluations to the ledger.")
@click.option("--replay", type=int, metavar="ENTRY", help="Make a recorded evaluation again and compare, bit for bit.")
@format_option("text", "json")
def evaluate(
    config: str, plan: str | None, as_of: datetime | None, record: bool, replay: int | None, form: str
) -> None:
    """Score every plan that has begun, and print value, interval, verdict and what is still needed.

    \b
    Examples:
      pipmetrics evaluate
      pipmetrics evaluate --plan ada-2026-q4 --as-of 2026-11-23 --format json
      pipmetrics evaluate --replay 17
    """
    from pipmetrics.digest.verdicts import render

    with organisation(config) as company:
        if replay is not None:
            made = company.replay(replay)
            print_json(made.to_json()) if form == "json" else print_text(made.to_text())
            sys.exit(0 if made.same else 3)
        evaluations, entries = company.record(as_of, plan) if record else (company.evaluate(as_of, plan), [])
    if record:
        said = f"recorded as {_entries(entries)}" if entries else "all of this is on record already"
        click.echo(said, err=True)
    document = evaluations.to_json()
    if form == "json":
        print_json(document)
    else:
        print_text(render(document))
    sys.exit(1 if any(entry["incomplete_sources"] for entry in document["plans"]) else 0)


def _entries(seqs: Sequence[int]) -> str:
    return f"{'entry' if len(seqs) == 1 else 'entries'} {', '.join(map(str, seqs))} of the ledger"


@click.command()
@config_option
@click.option("--manager", help="Only the plans of the people this person manages.")
@click.option("--person", help="Only the plans of this person.")
@click.option("--plan", help="Only this plan.")
@click.option(
    "--week", "weeks", type=WEEKS, help="An ISO week, as 2026-W47, or several: 2026-W44..2026-W47. Default: the last."
)
@click.option("--evidence", is_flag=True, help="Add every data point (Markdown and PDF; pages have them always).")
@format_option(*FORMATS)
def digest(
    config: str,
    manager: str | None,
    person: str | None,
    plan: str | None,
    weeks: tuple[date, ...] | None,
    evidence: bool,
    form: str,
) -> None:
    """Print the weekly progress digest.

    \b
    Examples:
      pipmetrics digest --manager dana
      pipmetrics digest --week 2026-W47 --format html > digest.html
      pipmetrics digest --week 2026-W44..2026-W47 --format md --evidence
      pipmetrics digest --manager dana --format eml > digest.eml
    """
    with organisation(config) as company:
        found = [company.week(week, manager, person=person, plan=plan) for week in weeks or (None,)]
        printed = rendered(company, found, form, manager or person, evidence=evidence)
    print_json(printed) if form == "json" else print_text(printed)
    gaps = [gap for each in found for card in each.digest.cards for gap in card.evaluation["incomplete_sources"]]
    sys.exit(1 if gaps else 0)


@click.command()
@config_option
@as_of_option
@click.option("--named", is_flag=True, help="Also tell which plans they are: for those who may know.")
@format_option("text", "json", "html")
def portfolio(config: str, as_of: datetime | None, named: bool, form: str) -> None:
    """Report how the practice goes: plans, outcomes, coaching before, support and check-ins delivered, maturity.

    What fewer than five people are behind is not told.

    \b
    Examples:
      pipmetrics portfolio
      pipmetrics portfolio --format html > portfolio.html
    """
    with organisation(config) as company:
        found = company.portfolio(as_of, named=named)
    if form == "json":
        print_json(found.to_json())
    else:
        print_text(found.to_html() if form == "html" else found.to_text())


@click.command()
@config_option
@click.argument("plan")
@click.argument("criterion")
@click.option("--week", type=WEEK, help="Only what this ISO week brought, as 2026-W47.")
@as_of_option
@format_option("text", "json")
def explain(config: str, plan: str, criterion: str, week: date | None, as_of: datetime | None, form: str) -> None:
    """Open a number down to every measurement and every fact it was counted from, left-out ones included.

    \b
    Example:
      pipmetrics explain ada-2026-q4 reviews-24h --week 2026-W47
    """
    with organisation(config) as company:
        found = company.explain(plan, criterion, week, as_of=as_of)
    if form == "json":
        print_json(found.to_json())
    else:
        print_text(found.to_text())
