"""run, serve, runs, verify, store: the job, its schedule, its record."""

from __future__ import annotations

import sys

import click

from pipmetrics.cli.options import config_option, format_option, organisation, print_json, print_text


@click.command()
@config_option
@format_option("text", "json")
def run(config: str, form: str) -> None:
    """Run the nightly job once: check, pull, evaluate, record, deliver what is due.

    For cron, systemd timers and Kubernetes; two runs on one store never overlap (the second one is refused, exit 3).

    \b
    Example:
      pipmetrics run
    """
    from pipmetrics.cli.progress import pulled_json, pulled_text, pulling

    with organisation(config) as company, pulling() as progress:
        report = company.run(progress=progress)
        head = str(company.store.head())
    if form == "json":
        print_json(
            {
                "run": report.run,
                "outcome": report.outcome,
                "checked": list(report.checked),
                "pulled": [pulled_json(pulled) for pulled in report.pulled],
                "recorded": [seq for _, seq in report.recorded],
                "baselines": report.baselines,
                "delivered": report.delivered.sent,
                "incomplete": list(report.incomplete),
                "ledger": head,
            }
        )
    else:
        counted = f"{len(report.recorded)} evaluations and {report.baselines} baselines recorded"
        lines = [f"run {report.run}: {report.outcome}", *report.checked, pulled_text(report.pulled), counted]
        lines += [f"incomplete: {missing}" for missing in report.incomplete]
        print_text("\n".join([*lines, f"ledger head {head}"]))
    sys.exit(report.exit_code)


@click.command()
@config_option
@click.option("--anchor", metavar="SEQ:HASH", help="A head that somebody noted down, as every digest prints it.")
@format_option("text", "json")
def verify(config: str, anchor: str | None, form: str) -> None:
    """Prove the ledger intact, or say from which entry on it is not; an anchor also shows a cut tail.

    \b
    Example:
      pipmetrics verify --anchor 41:9b1e0c...
    """
    from dataclasses import asdict

    from pipmetrics.ledger import anchor as read_anchor
    from pipmetrics.ledger import verify as verify_ledger

    with organisation(config) as company:
        found = verify_ledger(company.store, read_anchor(anchor) if anchor else None)
    if form == "json":
        print_json(asdict(found) | {"head": str(found.head)})
    else:
        print_text(str(found))
    sys.exit(0 if found.ok else 3)


@click.command()
@config_option
@click.option("--last", default=20, show_default=True, help="How many, newest first.")
@format_option("text", "json")
def runs(config: str, last: int, form: str) -> None:
    """List the runs of the nightly job: when, how they ended, what they cost.

    \b
    Example:
      pipmetrics runs --last 7
    """
    with organisation(config) as company:
        found = company.store.runs(limit=last)
    if form == "json":
        keys = ("id", "kind", "outcome", "counts", "requests", "retried", "sources")
        print_json(
            [
                {key: getattr(each, key) for key in keys}
                | {"started": each.started.isoformat(), "ended": each.ended.isoformat() if each.ended else None}
                for each in found
            ]
        )
        return
    for each in found:
        took = f"{(each.ended - each.started).total_seconds():.0f} s" if each.ended else "not ended"
        counts = ", ".join(f"{name} {count}" for name, count in each.counts.items() if count)
        print_text(f"{each.id:>5}  {each.started:%Y-%m-%d %H:%M}  {each.kind:<8} {each.outcome:<10} {took:<9} {counts}")
