"""Opens the configured sources: a wire and a connector each, built from the settings when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING

from pipmetrics import registry
from pipmetrics.errors import SourceError
from pipmetrics.model import Source
from pipmetrics.pull import Progress, Pulled, Stop, pull
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
    """Pull each source: in turn, or side by side where the work is done by an executor. One that fails is reported,
    keeps what it had, and the others go on.

    Side by side means threads of this process: waiting for answers takes no processor, and the store keeps its one
    writer, whose transactions queue.
    """
    settings, now = company.config.settings, company.now()
    first = since or now - settings.history
    into = store or company.store

    def one(source: Source, progress: Progress | None = progress) -> Pulled:
        try:
            connector, wire = connect(source, settings.folder)
        except SourceError as error:
            into.fail(source.name, error.what)
            return Pulled(source.name, Written(), 0, 0, 0, 0, error.what)
        return pull(into, source, connector, wire, since=first, now=now, progress=progress, run=run)

    if (company.executor is None and not settings.executor) or len(sources) < 2:
        return [one(source) for source in sources.values()]
    return _side_by_side(one, list(sources.values()), progress)


def _side_by_side(
    one: Callable[[Source, Progress], Pulled], sources: Sequence[Source], progress: Progress | None
) -> list[Pulled]:
    """In the order of the sources. When one raises, the others end after their next commit."""
    ending = Event()

    def told(source: str, done: int, total: int | None) -> None:
        if ending.is_set():
            raise Stop
        if progress is not None:
            progress(source, done, total)

    with ThreadPoolExecutor(len(sources), thread_name_prefix="pull") as threads:
        pulling = [threads.submit(one, source, told) for source in sources]
        try:
            return [future.result() for future in pulling]
        except BaseException:
            ending.set()
            raise
