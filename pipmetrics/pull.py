"""Step one: every stream of a source since its bookmark, into the store, page by page.

A page is committed before the next is asked for, with its bookmarks, its gaps and the run's record, so that a kill at
any instant loses nothing and doubles nothing. What other signals follow from is derived after the pages, for the
repositories that they touched.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from pipmetrics.derive import deliveries, reverts
from pipmetrics.errors import PipmetricsError, Refused, SourceError, StoreError
from pipmetrics.model import Source
from pipmetrics.plugin import Connector, Page
from pipmetrics.store import Store, Written
from pipmetrics.store.engine import checkpoint

if TYPE_CHECKING:
    from pipmetrics.transport import Budget

__all__ = ["Progress", "Pulled", "checkpoint", "pull"]

BY_HAND = 3
"""Fewer groups than these may all have been deleted; losing everything beyond that is a failure, not a fact."""

_log = logging.getLogger(__name__)


class Progress(Protocol):
    """Told after each commit: items done so far, and expected in all when the service says so.

    An exception that it raises ends the pull there; what was committed stays, and the next pull goes on.
    """

    def __call__(self, source: str, done: int, total: int | None) -> None: ...


class Counter(Protocol):
    """What is read of the wire for the report."""

    @property
    def sent(self) -> int: ...
    @property
    def retried(self) -> int: ...
    @property
    def budget(self) -> Mapping[str, Budget]: ...


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one source gave. `error` is "" unless the source as a whole failed; `gaps` names the parts that did.

    `budget` holds by kind what the service says is left, and of how much.
    """

    source: str
    written: Written
    pages: int
    done: int
    requests: int
    retried: int
    error: str = ""
    gaps: tuple[str, ...] = ()
    budget: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.error and not self.gaps


def pull(
    store: Store,
    source: Source,
    connector: Connector,
    wire: Counter,
    *,
    since: datetime,
    now: datetime,
    progress: Progress | None = None,
    run: int | None = None,
) -> Pulled:
    """Pulls one source. `since`: how far back a first pull goes; `run`: the run record to count in.

    A source that fails as a whole leaves a gap with part "" since its last complete pull, and a part that fails one
    of its own; neither raises. StoreError and whatever `progress` raises go through.
    """
    tally = _Tally(store, source.name, now, run, progress)
    sent, retried = wire.sent, wire.retried
    error = tally.read(connector, since)
    if error:
        store.fail(source.name, error)
    tally.derive(connector)
    if not error:
        store.complete(source.name, now, tally.gaps)
    budget = {kind: (left.remaining, left.limit) for kind, left in wire.budget.items()}
    return Pulled(
        source.name,
        tally.written,
        tally.pages,
        tally.done,
        wire.sent - sent,
        wire.retried - retried,
        error,
        tuple(sorted(tally.gaps)),
        budget,
    )


class Stop(Exception):
    """Raised by a progress callback to end a run after a commit, as when the service is asked to stop."""


def _reason(failure: Exception, source: str) -> str:
    if isinstance(failure, PipmetricsError):
        return f"{failure.where}: {failure.what}" if failure.where else failure.what
    _log.error("the connector of %s has a fault", source, exc_info=failure)
    return f"the connector has a fault: {type(failure).__name__}: {failure}"


@dataclass(slots=True)
class _Tally:
    """Commits pages and counts them."""

    store: Store
    source: str
    now: datetime
    run: int | None
    progress: Progress | None
    written: Written = Written()  # noqa: RUF009 - frozen
    pages: int = 0
    done: int = 0
    gaps: set[str] = field(default_factory=set)
    vanished: set[str] = field(default_factory=set)

    def read(self, connector: Connector, since: datetime) -> str:
        """Commits page after page; gives why the source failed, or ""."""
        try:
            for page in connector.pull(self.store.bookmarks(self.source), since):
                self.commit(page)
        except (StoreError, Refused, Stop):
            raise
        except Exception as failure:  # noqa: BLE001 - one source's fault must not stop the others
            return _reason(failure, self.source)
        return ""

    def commit(self, page: Page) -> None:
        self.vanished |= {name for name, signals in page.groups.items() if not signals}
        self.refuse_to_lose_everything(page)
        self.written += self.store.write(self.source, page, self.now, self.run)
        for gap in page.gaps:
            (self.gaps.add if gap.reason else self.gaps.discard)(gap.part)
        self.pages += 1
        self.done += page.done
        if self.progress:
            self.progress(self.source, self.done, page.total)

    def refuse_to_lose_everything(self, page: Page) -> None:
        """Empty where there was data yesterday is a failure, not a zero."""
        kept = any(page.groups.values())
        if kept or len(self.vanished) < BY_HAND or not any(not signals for signals in page.groups.values()):
            return
        if not self.store.holds_besides(self.source, self.vanished):
            raise SourceError(
                "everything that was read before is gone at once",
                where=self.source,
                mend="Check what its token may see; nothing of it was removed here.",
            )

    def derive(self, connector: Connector) -> None:
        for repository in self.store.stale(self.source):
            try:
                for page, whole in _derived(self.store, self.source, repository, connector):
                    self.written += self.store.write_derived(
                        self.source, repository, page, self.now, self.run, whole=whole
                    )
            except SourceError as failure:
                part = repository.partition(":")[2]
                reason = f"its deployments could not be compared: {_reason(failure, self.source)}"
                self.store.fail(self.source, reason, part)
                self.gaps.add(part)


def _derived(store: Store, source: str, repository: str, connector: Connector) -> Iterator[tuple[Page, bool]]:
    """The page of derived signals and whether it is all; raises what `compare` raised after the part that is known."""
    merged, deployed = store.merges_and_deployments(source, repository)
    groups = reverts(merged, store.group_names(source, "revert", repository))
    cache = dict(store.derived_bookmarks(source).get(repository) or {})
    try:
        known = store.group_names(source, "delivery", repository)
        groups |= deliveries(merged, deployed, connector.compare, cache, known)
    except SourceError:
        yield Page(groups=groups, bookmarks={repository: cache}), False
        raise
    yield Page(groups=groups, bookmarks={repository: cache}), True
