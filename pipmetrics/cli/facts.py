"""pull, measurements, metrics, criteria: from the sources to the rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from pipmetrics.cli.options import (
    INSTANT,
    as_of_option,
    config_option,
    format_option,
    organisation,
    print_json,
    print_text,
)
from pipmetrics.model import CLOCKS, Clock


@click.command()
@config_option
@click.option("--source", "sources", multiple=True, metavar="NAME", help="Only this source; may be repeated.")
@click.option("--since", type=INSTANT, help="Read at least back to then. Default: `history` of the configuration.")
@format_option("text", "json")
def pull(config: str, sources: tuple[str, ...], since: datetime | None, form: str) -> None:
    """Pull new facts from the sources into the store; goes on where the last pull stopped.

    \b
    Examples:
      pipmetrics pull
      pipmetrics pull --source hub --since 2026-06-01
    """
    from pipmetrics.cli.progress import pulled_json, pulled_text, pulling

    with organisation(config) as company, pulling() as progress:
        report = company.pull(sources or None, since=since, progress=progress)
    if form == "json":
        print_json([pulled_json(pulled) for pulled in report])
    else:
        print_text(pulled_text(report))
    sys.exit(0 if all(pulled.complete for pulled in report) else 1)


@click.command()
@config_option
@click.option("--metric", required=True, help="Name of a metric; `pipmetrics metrics` lists them.")
@click.option("--person", help="Only this person of people.yaml.")
@click.option("--from", "start", type=INSTANT, help="Only rows of windows from this instant.")
@click.option("--to", "end", type=INSTANT, help="Only rows before this instant.")
@as_of_option
@click.option("--clock", type=click.Choice(CLOCKS), help="Measure durations by this clock. Default: the metric's own.")
@format_option("text", "json", "csv")
def measurements(
    config: str,
    metric: str,
    person: str | None,
    start: datetime | None,
    end: datetime | None,
    as_of: datetime | None,
    clock: Clock | None,
    form: str,
) -> None:
    """Print the measured rows themselves, left-out ones included, with the reason.

    \b
    Example:
      pipmetrics measurements --metric review_turnaround --person ada --from 2026-11-01 --format json
    """
    from pipmetrics.measure import to_csv, to_json

    with organisation(config) as company:
        rows = company.measurements(metric, person, start, end, as_of=as_of, clock=clock)
    if form == "json":
        print_json(to_json(rows))
    else:
        print_text(to_csv(rows) if form == "csv" else _table(to_json(rows)))


@click.command()
@format_option("text", "json")
def metrics(form: str) -> None:
    """List the metrics with their definitions.

    \b
    Example:
      pipmetrics metrics --format json
    """
    from pipmetrics.metrics import definitions

    found = definitions()
    if form == "json":
        keys = ("name", "unit", "title", "definition", "needs", "clock", "window_by", "better")
        print_json([{key: getattr(metric, key) for key in keys} | {"kinds": sorted(metric.kinds)} for metric in found])
        return
    print_text("\n\n".join(f"{m.name} ({m.unit}): {m.title}\n{_indent(m.definition)}" for m in found))


@click.command()
@format_option("text", "json")
def criteria(form: str) -> None:
    """List the criteria with the parameters that a plan gives them.

    \b
    Example:
      pipmetrics criteria
    """
    from dataclasses import asdict

    from pipmetrics import registry

    found = [registry.criterion(name) for name in registry.names("criteria")]
    if form == "json":
        print_json(
            [{"name": c.name, "title": c.title, "parameters": [_plain(asdict(p)) for p in c.parameters]} for c in found]
        )
        return
    print_text(
        "\n\n".join(
            "\n".join(
                [f"{c.name}: {c.title}"]
                + [f"    {p.name} ({p.kind}{', required' if p.required else ''}): {p.help}" for p in c.parameters]
            )
            for c in found
        )
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One row a line in columns, values rounded; CSV and JSON have all of it."""
    from pipmetrics.digest.words import clean, number

    head = ("person", "subject", "start", "end", "value", "state", "reason")
    lines = [head] + [
        (
            *(clean(str(row[name] or "-")) for name in head[:4]),
            number(row["value"], row["unit"] if row["unit"] in ("hours", "share") else ""),
            *(row[name] or "" for name in head[5:]),
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _plain(parameter: dict[str, object]) -> dict[str, object]:
    default = parameter["default"]
    return parameter | {"default": default if isinstance(default, (str, int, float, bool)) else None}


def _indent(text: str) -> str:
    from inspect import cleandoc

    return "\n".join(f"    {line}".rstrip() for line in cleandoc(text).splitlines())
