"""Opens the configured sources: a wire and a connector each, built from the settings when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pipmetrics import registry
from pipmetrics.errors import SourceError
from pipmetrics.model import Source
from pipmetrics.pull import Progress, Pulled, pull
from pipmetrics.store import Store, Written
from pipmetrics.transport import Wire

if TYPE_CHECKING:
    from pipmetrics.api import Organisation
    from pipmetrics.plugin import Connector


def connect(source: Source, folder: str) -> tuple[Connector, Wire]:
    """The connector of a source and the wire under it; nothing is asked yet. SourceError when a secret is missing."""
    wire = Wire(source.url, folder=folder)
    return registry.connector(source.connector)(source, wire), wire


def pull_all(
    company: Organisation,
    sources: Mapping[str, Source],
    *,
    since: datetime | None = None,
    progress: Progress | None = None,
    store: Store | None = None,
    run: int | None = None,
) -> list[Pulled]:
    """Pull each source in turn. One that fails is reported, keeps what it had, and the others go on."""
    settings, now = company.config.settings, company.now()
    first = since or now - settings.history
    into = store or company.store
    pulled = []
    for name, source in sources.items():
        try:
            connector, wire = connect(source, settings.folder)
        except SourceError as error:
            into.fail(name, error.what)
            pulled.append(Pulled(name, Written(), 0, 0, 0, 0, error.what))
            continue
        pulled.append(pull(into, source, connector, wire, since=first, now=now, progress=progress, run=run))
    return pulled
