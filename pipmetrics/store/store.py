"""The store as the other rooms see it. Every method is one transaction; every instant is handed in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from pipmetrics.errors import StoreError
from pipmetrics.ledger.chain import Act, Entry, Head
from pipmetrics.ledger.keys import KeyFile
from pipmetrics.model import Account, Gap, Json, Person, Signal
from pipmetrics.plugin import Page
from pipmetrics.store import accounts, evaluations, lease, measurements, migrate, personal, progress, rows, signals
from pipmetrics.store import entries as ledger_rows
from pipmetrics.store.engine import compact, make_engine, parse, reading, writing
from pipmetrics.store.entries import Recorded, Snapshot
from pipmetrics.store.evaluations import Evaluated
from pipmetrics.store.measurements import Actor, Held, Kept, Known, Pair, Renewal, Row
from pipmetrics.store.progress import DERIVED, Run
from pipmetrics.store.signals import Choice, Written

if TYPE_CHECKING:
    import pandas as pd

LEASE_NAME = "run"


@dataclass(frozen=True, slots=True)
class Store:
    """An opened store. `key` signs the ledger's checkpoints; reading and unsigned acts do without."""

    engine: Engine
    key: KeyFile | None = None
    holder: str | None = None
    """Set while this store holds the lease of a run: each transaction then makes sure that it still does."""

    @classmethod
    def open(cls, url: str, *, now: datetime, key: Path | str | None = None) -> Store:
        """Opens ``sqlite:///path`` or ``postgresql+psycopg://...`` and brings its tables up to date.

        A migration leaves a run record of kind "migrate" at `now`. UsageError for an address that is none, StoreError
        for a store that cannot be opened or was written by a newer version.
        """
        store = cls(make_engine(parse(url)), None if key is None else KeyFile(Path(key)))
        try:
            with reading(store.engine) as connection:
                newest = migrate.version(connection) == migrate.NEWEST
            if not newest:
                store._migrate(now)
        except BaseException:
            store.close()
            raise
        return store

    def _migrate(self, now: datetime) -> None:
        with writing(self.engine, "migrate") as connection:
            if migrate.version(connection) == migrate.NEWEST:  # somebody else was quicker
                return
            migrate.upgrade(connection)
            run = progress.begin_run(connection, "migrate", "", now)
            progress.end_run(connection, Run(run, "migrate", now, now, "done"))

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def writing(self, name: str, *, durable: bool = False) -> Iterator[Connection]:
        with writing(self.engine, name, durable=durable) as connection:
            if self.holder is not None:
                lease.still_held(connection, LEASE_NAME, self.holder)
            yield connection

    # --- pulling --------------------------------------------------------------------------------------------------

    def bookmarks(self, source: str) -> dict[str, Json]:
        """How far the reading of a source has come, as its connector left it."""
        with reading(self.engine) as connection:
            return progress.bookmarks(connection, source)

    def write(self, source: str, page: Page, now: datetime, run: int | None = None) -> Written:
        """Commits a page as a whole: groups replaced, accounts, bookmarks, gaps, and the run's record.

        Only what differs is written, so that a page that says nothing new changes nothing.
        """
        with self.writing("page") as connection:
            written = _write_page(connection, source, page, now)
            progress.put_bookmarks(connection, source, page.bookmarks)
            if run is not None:
                progress.add_to_run(connection, run, source, written)
        return written

    def write_derived(
        self, source: str, repository: str, page: Page, now: datetime, run: int | None = None, *, whole: bool = True
    ) -> Written:
        """Commits what was derived of a repository; `whole` says that it is no longer stale. Bookmarks keep a cache."""
        with self.writing("derived") as connection:
            written = _write_page(connection, source, page, now, derived=True)
            progress.put_bookmarks(connection, source + DERIVED, page.bookmarks)
            if whole:
                progress.drop_stale(connection, source, repository)
            if run is not None:
                progress.add_to_run(connection, run, source, written)
        return written

    def merges_and_deployments(self, source: str, repository: str) -> tuple[list[Signal], list[Signal]]:
        """All `change_merged` and all `deployed` signals of ``SOURCE:owner/name``."""
        with reading(self.engine) as connection:
            merged, deployed = (
                signals.facts(connection, Choice((kind,), sources=(source,), repositories=(repository,)))
                for kind in ("change_merged", "deployed")
            )
        return merged, deployed

    def group_names(self, source: str, prefix: str, repository: str) -> list[str]:
        """Names of the held groups ``PREFIX SUBJECT`` of a repository's changes."""
        with reading(self.engine) as connection:
            return signals.groups_of(connection, source, prefix, repository)

    def holds_besides(self, source: str, groups: Collection[str]) -> bool:
        """Whether the source has signals of its own in other groups than these."""
        with reading(self.engine) as connection:
            return signals.holds_besides(connection, source, groups)

    def derived_bookmarks(self, source: str) -> dict[str, Json]:
        with reading(self.engine) as connection:
            return progress.bookmarks(connection, source + DERIVED)

    def stale(self, source: str) -> list[str]:
        """Repositories whose derived signals must be made again."""
        with reading(self.engine) as connection:
            return progress.stale(connection, source)

    def complete(self, source: str, started: datetime, still_open: Collection[str] = ()) -> None:
        """A pull that began at `started` came to its end: gaps that it did not report again are closed."""
        with self.writing("complete") as connection:
            progress.close_gaps(connection, source, still_open)
            progress.put_complete(connection, source, started)

    def fail(self, source: str, reason: str, part: str = "") -> None:
        """A source (or a part) could not be read: incomplete since its last complete pull."""
        with self.writing("fail") as connection:
            progress.put_gaps(connection, source, [Gap(source, part, reason)])

    def last_complete(self, source: str) -> datetime | None:
        """When the last complete pull of a source began; None: there was none."""
        with reading(self.engine) as connection:
            return progress.last_complete(connection, source)

    def gaps(self, sources: Collection[str] | None = None) -> list[Gap]:
        """What is incomplete. With `sources`, those of them that were never pulled are gaps too."""
        with reading(self.engine) as connection:
            found = [gap for gap in progress.gaps(connection) if sources is None or gap.source in sources]
            failed = {gap.source for gap in found if not gap.part}
            unread = [
                source
                for source in sorted(set(sources or ()) - failed)
                if progress.last_complete(connection, source) is None
            ]
        found.extend(Gap(source, "", "was never pulled to its end") for source in unread)
        return found

    # --- signals and accounts -------------------------------------------------------------------------------------

    def signals(
        self,
        kinds: Collection[str] | None = None,
        *,
        until: datetime | None = None,
        since: datetime | None = None,
        sources: Collection[str] | None = None,
        subjects: Collection[str] | None = None,
        repositories: Collection[str] | None = None,
        involving: Collection[tuple[str, str]] | None = None,
        revision: int | None = None,
        by: Collection[Actor] | None = None,
    ) -> pd.DataFrame:
        """Signals with SIGNAL_COLUMNS, sorted by (at, key): `since` <= at < `until`, None for no limit.

        `repositories` are ``SOURCE:owner/name``. `involving` are (source, actor) pairs and give all signals of the
        subjects on which one of them did something; `by` leaves out, of what else is asked for, subjects on which none
        of them did. `revision` gives them as the store was then.
        """
        choice = Choice(kinds, until, since, sources, subjects, repositories, involving, None, revision, by)
        with reading(self.engine) as connection:
            return signals.frame(connection, choice)

    def signal_rows(self, keys: Collection[tuple[str, str]], *, revision: int | None = None) -> pd.DataFrame:
        """The signals with these (source, key) pairs, for evidence."""
        with reading(self.engine) as connection:
            return signals.frame(connection, Choice(keys=keys, revision=revision))

    def former(self, kinds: Collection[str] | None = None, *, until: datetime | None = None) -> pd.DataFrame:
        """What the sources said of facts before `until` and say no more: SIGNAL_COLUMNS and `ended`, the revision that
        replaced or withdrew it; by (at, key), the versions of one signal in their order."""
        with reading(self.engine) as connection:
            return signals.former(connection, Choice(kinds, until))

    def accounts(self, *, revision: int | None = None) -> pd.DataFrame:
        """Columns source, id, login, email, mark, first_seen, last_seen; an id's last row has its current login."""
        with reading(self.engine) as connection:
            return accounts.frame(connection, revision)

    def known_accounts(self, source: str, logins: Collection[str]) -> list[Account]:
        """Accounts of a source that were ever seen with one of these logins, ids or e-mail addresses."""
        with reading(self.engine) as connection:
            return accounts.known(connection, source, logins)

    def revision(self) -> int:
        """A number that grows whenever signals or accounts change; `signals(revision=n)` reads them as they were."""
        with reading(self.engine) as connection:
            return rows.revision(connection)

    # --- measurements that are kept ----------------------------------------------------------------------------------

    def spelled(self, actors: Collection[Actor]) -> set[Actor]:
        """(source, actor) pairs in every way in which signals write them: an ``@login`` in any case."""
        with reading(self.engine) as connection:
            return signals.spelled(connection, actors)

    def kept(self, asked: Mapping[str, Collection[str]], known: Known, kinds: Collection[str], since: datetime) -> Kept:
        """Kept measurements of people by recipe, and of which subjects they are not right (measurements.read)."""
        with reading(self.engine) as connection:
            return measurements.read(connection, asked, known, kinds, since)

    def held(self) -> Held | None:
        """What the kept measurements were made from; None when none are kept."""
        with reading(self.engine) as connection:
            return measurements.held(connection)

    def unsettled(self, held: Held, known: Known, kinds: Collection[str]) -> set[str]:
        """The subjects of which the kept measurements are not right any more."""
        with reading(self.engine) as connection:
            return measurements.unsettled(connection, held, known, kinds)

    def renew(self, renewal: Renewal) -> None:
        """Brings the kept measurements up to date; nothing is written when the signals have changed meanwhile."""
        with self.writing("measure") as connection:
            if rows.revision(connection) == renewal.revision:
                measurements.renew(connection, renewal)

    def keep(self, revision: int, at: datetime, known: Known, found: Mapping[Pair, Sequence[Row]]) -> bool:
        """Keeps the measurements of more people; False, and nothing written, when what is kept is of another state."""
        with self.writing("measure") as connection:
            if rows.revision(connection) != revision:
                return False
            state = measurements.held(connection)
            if state is None:
                measurements.put_state(connection, revision, at, known.identities)
            elif (state.revision, state.identities) != (revision, known.identities):
                return False
            measurements.add(connection, found, known.calendars)
        return True

    # --- runs -----------------------------------------------------------------------------------------------------

    @contextmanager
    def leased(self, now: datetime) -> Iterator[Store]:
        """The store with the lease of a run on it; Refused while another run holds it."""
        with lease.held(self.engine, LEASE_NAME, now) as holder:
            yield replace(self, holder=holder)

    def begin_run(self, kind: str, now: datetime, slot: str = "") -> int:
        with self.writing("begin") as connection:
            return progress.begin_run(connection, kind, slot, now)

    def end_run(self, run: Run) -> None:
        with self.writing("end") as connection:
            progress.end_run(connection, run)

    def runs(self, kinds: Sequence[str] | None = None, limit: int | None = None) -> list[Run]:
        """Run records, newest first."""
        with reading(self.engine) as connection:
            return progress.runs(connection, kinds, limit)

    def delivered(self, key: str) -> datetime | None:
        """When the thing with this key was sent; None: not yet."""
        with reading(self.engine) as connection:
            return progress.delivered(connection, key)

    def mark_delivered(self, key: str, now: datetime) -> bool:
        """Notes that it was sent; False when that had been noted before."""
        with self.writing("deliver") as connection:
            return progress.put_delivered(connection, key, now)

    # --- the ledger -----------------------------------------------------------------------------------------------

    def append(self, acts: Sequence[Act], now: datetime) -> list[Entry]:
        """Appends to the ledger, in order and in one transaction; acts that are signed make a checkpoint."""
        with self.writing("act", durable=True) as connection:
            return ledger_rows.append(connection, acts, now, self.key)

    def record_evaluations(
        self, evaluated: Sequence[Evaluated], actor: str, now: datetime
    ) -> list[tuple[Evaluated, int]]:
        """Records those that the ledger does not hold yet, and gives them with the numbers of their entries."""
        with self.writing("record", durable=True) as connection:
            return evaluations.record(connection, evaluations.new(connection, evaluated), actor, now)

    def latest_evaluation(self, plan: str) -> Recorded | None:
        """The last recorded evaluation of a plan."""
        with reading(self.engine) as connection:
            seq = evaluations.latest(connection, plan)
            return None if seq is None else ledger_rows.by_seq(connection, [seq])[0]

    def evaluations_at(self, plans: Collection[str], as_of: datetime) -> list[Recorded]:
        """The last recorded evaluation of each plan as of exactly this instant."""
        with reading(self.engine) as connection:
            return ledger_rows.by_seq(connection, evaluations.at_instant(connection, plans, as_of))

    def documents(self, hashes: Collection[str]) -> dict[str, str]:
        """Texts that evaluations were made from, by their SHA-256."""
        with reading(self.engine) as connection:
            return evaluations.documents(connection, hashes)

    def sign_head(self, act: Act, now: datetime) -> Entry | None:
        """Appends a signed act if anything was recorded since the last checkpoint; else nothing, and None."""
        with self.writing("night", durable=True) as connection:
            if ledger_rows.head(connection).seq == ledger_rows.last_signed(connection):
                return None
            return ledger_rows.append(connection, [act], now, self.key)[0]

    # --- one person -----------------------------------------------------------------------------------------------

    def export_person(self, person: Person, by: str, now: datetime) -> dict[str, bytes]:
        """Everything held about a person as files (JSON and CSV), by name; the ledger notes who took it."""
        with self.writing("export", durable=True) as connection:
            made = personal.files(person, personal.held(connection, person))
            payload = {"person": person.id, "files": sorted(made)}
            ledger_rows.append(connection, [Act("export", f"person:{person.id}", by, payload)], now, self.key)
        return made

    def erase_person(self, person: Person, by: str, why: str, now: datetime) -> list[int]:
        """Erases what is held about a person, records it, and gives the entries whose payloads are now empty.

        `why` stays in the ledger. Refused while the person is under a legal hold.
        """
        with self.writing("erase", durable=True) as connection:
            emptied = personal.erase(connection, person, by, why, now, self.key)
        compact(self.engine)
        return emptied

    def head(self) -> Head:
        with reading(self.engine) as connection:
            return ledger_rows.head(connection)

    def record(self) -> Snapshot:
        """The whole ledger at one moment, for `ledger.verify`."""
        keys = self.key.public() if self.key else {}
        with reading(self.engine) as connection:
            return ledger_rows.snapshot(connection, keys)

    def entries(
        self,
        *,
        acts: Collection[str] | None = None,
        subjects: Collection[str] | None = None,
        actors: Collection[str] | None = None,
        until: datetime | None = None,
        through: int | None = None,
    ) -> list[Recorded]:
        """Entries with what they say, in sequence: those before `until`, and no later than entry `through`."""
        with reading(self.engine) as connection:
            return ledger_rows.recorded(
                connection, acts=acts, subjects=subjects, actors=actors, until=until, through=through
            )

    def entry(self, seq: int) -> Recorded:
        with reading(self.engine) as connection:
            found = ledger_rows.by_seq(connection, [seq])
        if not found:
            raise StoreError(f"the ledger has no entry {seq}")
        return found[0]


def _write_page(connection: Connection, source: str, page: Page, now: datetime, *, derived: bool = False) -> Written:
    forgotten = accounts.erased(connection, source)
    scrub = (lambda signal: accounts.scrub(signal, forgotten)) if forgotten else None
    found = signals.difference(connection, source, page.groups, scrub)
    seen = accounts.difference(connection, source, page.accounts, now)
    if found.written or seen["new"]:
        revision = rows.next_revision(connection)
        signals.write(connection, source, found, revision)
        accounts.write(connection, source, seen, revision)
    if not derived:
        progress.put_stale(connection, source, found.stale())
    progress.put_gaps(connection, source, page.gaps)
    return found.written
