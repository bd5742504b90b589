"""runs, ledger, verify: what was done and recorded, and the proof of it."""

from __future__ import annotations

import sys

import click

from pipmetrics.cli.options import config_option, format_option, organisation, print_json, print_text


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
@click.option("--plan", help="Only entries about this plan.")
@click.option("--act", help="Only this kind of entry, as evaluation, dispute, sign.")
@click.option("--last", default=50, show_default=True, help="How many, the newest.")
@format_option("text", "json")
def ledger(config: str, plan: str | None, act: str | None, last: int, form: str) -> None:
    """List entries of the ledger: what was recorded, when, by whom, about what.

    \b
    Example:
      pipmetrics ledger --plan ada-2026-q4 --act evaluation
    """
    with organisation(config) as company:
        subjects = None if plan is None else [f"plan:{company.plans(plan)[0].id}"]
        found = company.store.entries(acts=None if act is None else [act], subjects=subjects)[-last:]
    if form == "json":
        keys = ("seq", "actor", "act", "subject", "hash", "payload")
        print_json([{key: getattr(one, key) for key in keys} | {"at": one.at.isoformat()} for one in found])
        return
    lines = [f"{one.seq:>6}  {one.at:%Y-%m-%d %H:%M}  {one.act:<16} {one.subject:<32} {one.actor}" for one in found]
    print_text("\n".join(lines) or "nothing is recorded")


@click.command()
@config_option
@click.option("--last", default=20, show_default=True, help="How many, newest first.")
@format_option("text", "json")
def runs(config: str, last: int, form: str) -> None:
    """List the runs of the nightly job and pulls by hand: when, how they ended, what they cost.

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
