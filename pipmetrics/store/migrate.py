"""Brings the tables up to date, and says whether they are what `tables.py` declares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect

from pipmetrics.errors import StoreError
from pipmetrics.store.tables import METADATA

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0003"
"""The last migration. Kept here so that opening an up-to-date store need not import Alembic."""

MIGRATIONS = Path(__file__).parent / "migrations"


def version(connection: Connection) -> str | None:
    """The migration that the store is at; None for a database without our tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def upgrade(connection: Connection) -> None:
    """Runs what is missing. StoreError for a store that a newer version of ours has written."""
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if (at := version(connection)) is not None and at not in known:
        raise StoreError(
            f"the store is at version {at}, this pipmetrics knows versions up to {NEWEST}",
            mend="Use the version of pipmetrics that wrote it, or a newer one.",
        )
    command.upgrade(config, "head")


def differences(connection: Connection) -> list[Any]:
    """How the tables differ from the declared ones; empty when they do not."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
