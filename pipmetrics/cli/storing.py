"""store: copy, back up, restore and check the database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipmetrics.cli.options import config_option, format_option, now, organisation, print_json, print_text

if TYPE_CHECKING:
    from pipmetrics.store.copying import Copied


@click.group()
def store() -> None:
    """Copy, back up, restore or check the store.

    \b
    Example:
      pipmetrics store backup /backups/pipmetrics-2026-11-23.db
    """


@store.command("copy")
@config_option
@click.argument("target", metavar="URL")
@format_option("text", "json")
def copy_store(config: str, target: str, form: str) -> None:
    """Copy everything into an empty store at URL, as when moving to PostgreSQL; then change `store` in the files.

    A password belongs into the server's own configuration (a service or pass file), not into URL.

    \b
    Example:
      pipmetrics store copy postgresql+psycopg://pipmetrics@db.example.com/pipmetrics
    """
    from pipmetrics.api import key_file
    from pipmetrics.store import Store
    from pipmetrics.store.copying import copy

    with organisation(config) as company:
        into = Store.open(target, now=now(), key=key_file(company.config.settings))
        try:
            copied = copy(company.store, into)
        finally:
            into.close()
    _told("copied", copied, form)


@store.command("backup")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@format_option("text", "json")
def backup_store(config: str, file: Path, form: str) -> None:
    """Write a backup of the store to a new FILE, checked; keep ledger.key and ledger.key.pub elsewhere.

    \b
    Example:
      pipmetrics store backup /backups/pipmetrics-2026-11-23.db
    """
    from pipmetrics.store.copying import backup

    with organisation(config) as company:
        copied = backup(company.store, file, now())
    _told("backed up", copied, form)


@store.command("restore")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@format_option("text", "json")
def restore_store(config: str, file: Path, form: str) -> None:
    """Fill the configured store, which must be empty, from a backup, after checking it.

    \b
    Example:
      pipmetrics store restore /backups/pipmetrics-2026-11-23.db
    """
    from pipmetrics.store.copying import restore

    with organisation(config) as company:
        copied = restore(file, company.store, now())
    _told("restored", copied, form)


@store.command("check")
@config_option
@format_option("text", "json")
def check_store(config: str, form: str) -> None:
    """Check the database and the ledger in it; exit code 3 when something is wrong.

    \b
    Example:
      pipmetrics store check
    """
    from pipmetrics.store.copying import integrity

    with organisation(config) as company:
        problems = integrity(company.store)
    if form == "json":
        print_json({"ok": not problems, "problems": problems})
    else:
        print_text("\n".join(problems) if problems else "the store and its ledger are intact")
    sys.exit(3 if problems else 0)


def _told(done: str, copied: Copied, form: str) -> None:
    if form == "json":
        print_json({"rows": copied.rows, "head": copied.head})
        return
    print_text(f"{done}: {sum(copied.rows.values())} rows in {len(copied.rows)} tables, ledger head {copied.head}")
