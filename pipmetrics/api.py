"""What can be asked of a configured organisation, from Python and from the command line alike.

import pipmetrics
with pipmetrics.open("config") as company:
    company.pull()
    company.evaluate().to_json()
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipmetrics import registry
from pipmetrics.config import Config, load
from pipmetrics.errors import SourceError, UsageError
from pipmetrics.model import Acts, Clock, Gap, MeasureRequest, Plan, Settings

if TYPE_CHECKING:
    import pandas as pd

    from pipmetrics.digest.model import Digest
    from pipmetrics.digest.portfolio import Portfolio
    from pipmetrics.explain import Explanation
    from pipmetrics.pull import Progress, Pulled
    from pipmetrics.records import Replayed
    from pipmetrics.runner import RunReport
    from pipmetrics.score import Evaluations, Measured
    from pipmetrics.store import Store
    from pipmetrics.weekly import Week


def utc_now() -> datetime:
    """The clock of whoever asks without naming an instant: whole seconds, UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def open_organisation(folder: str, *, executor: Executor | None = None) -> Organisation:
    """Read and check the folder (ConfigError with everything that is wrong); the store opens when it is needed.

    `executor`: does the night's work instead of what the settings name.
    """
    return Organisation(load(folder), executor=executor)


@dataclass(eq=False)
class Organisation:
    """A checked configuration and its store. `now` is the clock; every method that takes an instant defaults to it."""

    config: Config
    now: Callable[[], datetime] = utc_now
    revision: int | None = None
    """Read facts as the store held them at this revision, None: today's."""
    through: int | None = None
    """Read acts up to this entry of the ledger, None: all."""
    gaps: tuple[Gap, ...] | None = None
    """What the sources could not give, None: as the store says today."""
    executor: Executor | None = None
    """Does the night's work in shards (see `shards`), None: what the settings name."""
    _opened: ExitStack = field(default_factory=ExitStack, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @cached_property
    def store(self) -> Store:
        from pipmetrics.store import Store
        from pipmetrics.transport import reveal

        settings = self.config.settings
        try:
            url = settings.store if isinstance(settings.store, str) else reveal(settings.store, settings.folder)
        except SourceError as error:
            raise UsageError(error.what, where="store", mend=error.mend) from error
        store = Store.open(_from_folder(url, settings.folder), now=self.now(), key=key_file(settings))
        self._opened.callback(store.close)
        return store

    # --- pull -----------------------------------------------------------------------------------------------------

    def pull(
        self,
        sources: Collection[str] | None = None,
        *,
        since: datetime | None = None,
        progress: Progress | None = None,
    ) -> list[Pulled]:
        """Pull what is new from every source, or from those named. A source that fails is reported; the rest go on.

        `since`: read at least back to then. Refused while another run goes on.
        """
        from pipmetrics.nightly import pull

        known = self.config.settings.sources
        for name in sources or ():
            if name not in known:
                raise UsageError(f"there is no source {name!r}", mend=_near(name, known, "Sources"))
        return pull(self, [name for name in known if not sources or name in sources], since, progress)

    # --- measure --------------------------------------------------------------------------------------------------

    def measurements(
        self,
        metric: str,
        person: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        as_of: datetime | None = None,
        clock: Clock | None = None,
    ) -> pd.DataFrame:
        """The metric's rows (plugin.MEASUREMENT_COLUMNS) of everybody or one person, left-out ones included.

        `start` and `end` bound the rows by what decides their window.
        """
        from pipmetrics.measure import in_window

        if metric not in registry.names("metrics"):
            raise UsageError(f"there is no metric {metric!r}", mend=_near(metric, registry.names("metrics"), "Metrics"))
        if person is not None and person not in self.config.people:
            mend = _near(person, self.config.people, "People")
            raise UsageError(f"there is no person {person!r} in people.yaml", mend=mend)
        request = MeasureRequest(metric, as_of or self.now(), clock=clock)
        rows = self.measure([request], self.acts(request.as_of))[request]
        if start is not None or end is not None:
            rows = in_window(rows, registry.metric(metric), start or _EVER, end or _NEVER)
        return rows if person is None else rows[rows["person"] == person].reset_index(drop=True)

    def measure(
        self, requests: Iterable[MeasureRequest], acts: Acts | None = None
    ) -> dict[MeasureRequest, pd.DataFrame]:
        """Run each request over all people; signals are read once, up to the latest instant asked for."""
        from pipmetrics.measure import measure_all, no_signals

        asked = sorted(requests, key=lambda request: (request.metric, request.as_of, str(request)))
        if not asked:
            return {}
        kinds = {kind for request in asked for kind in registry.metric(request.metric).kinds}
        until = max(request.as_of for request in asked)
        signals = self.store.signals(kinds, until=until, revision=self.revision) if kinds else no_signals()
        accounts, people = self.store.accounts(revision=self.revision), list(self.config.people.values())
        attestations = (acts or Acts()).attestations
        sources = self.config.settings.sources
        return measure_all(asked, signals, accounts, people, sources, attestations)

    # --- score ----------------------------------------------------------------------------------------------------

    def plans(self, plan: str | None = None, as_of: datetime | None = None) -> tuple[Plan, ...]:
        """The plans in force at an instant: an acknowledged one is its locked version until an amendment is signed."""
        from pipmetrics.acts import plans_in_force

        plans = plans_in_force(self.config, self.store, as_of)
        if plan is None:
            return plans
        found = tuple(each for each in plans if each.id == plan)
        if not found:
            raise UsageError(f"there is no plan {plan!r}", mend=_near(plan, [one.id for one in plans], "Plans"))
        return found

    def acts(self, as_of: datetime) -> Acts:
        """The human acts known before an instant."""
        from pipmetrics.acts.fold import KINDS, fold

        return fold(self.store.entries(acts=KINDS, until=as_of, through=self.through), as_of)

    def evaluate(self, as_of: datetime | None = None, plan: str | None = None) -> Evaluations:
        """Score every plan that had begun before `as_of`; nothing is recorded."""
        from pipmetrics.score import evaluate

        at = as_of or self.now()
        plans = self.plans(plan, at)
        return evaluate(plans, self.measured(plans, at), at)

    def record(self, as_of: datetime | None = None, plan: str | None = None) -> tuple[Evaluations, list[int]]:
        """Evaluate and write it to the ledger, with the baselines to freeze; gives the numbers of the new entries."""
        from pipmetrics.records import record

        return record(self, as_of or self.now(), plan)

    def replay(self, entry: int) -> Replayed:
        """Make a recorded evaluation again, and compare bit for bit."""
        from pipmetrics.records import replay

        return replay(self, entry)

    def measured(self, plans: Sequence[Plan], as_of: datetime, *, evidence: bool = False) -> Measured:
        """All that the evaluation of these plans is made from (score.Measured): of the runs that it reads, the rows of
        those who read them. Without `evidence` that column holds nothing."""
        from pipmetrics import kept
        from pipmetrics.score import Measured, reach_of
        from pipmetrics.score.lines import readings

        settings, acts = self.config.settings, self.acts(as_of)
        metrics = {name: registry.metric(name) for name in registry.names("metrics")}
        kinds = {name: registry.connector(source.connector).kinds for name, source in settings.sources.items()}
        asked = readings(plans, as_of, acts, metrics)
        frames = kept.frames(self, asked, acts, evidence=evidence)
        return Measured(
            people=self.config.people,
            metrics=metrics,
            frames=frames,
            attributes=kept.attributes_of(self, asked, frames, as_of, every=evidence),
            acts=acts,
            gaps=self.store.gaps(list(settings.sources)) if self.gaps is None else self.gaps,
            reach={name: reach_of(metric, settings.sources, kinds) for name, metric in metrics.items()},
            met_at=settings.met_at,
            at_risk_at=settings.at_risk_at,
        )

    def explain(
        self, plan: str, criterion: str, week: date | None = None, *, as_of: datetime | None = None
    ) -> Explanation:
        """A number, opened down to every measurement and the signals it was counted from."""
        from pipmetrics.explain import explain

        return explain(self, plan, criterion, week, as_of or self.now())

    # --- read -----------------------------------------------------------------------------------------------------

    def digest(
        self,
        week: date | str | None = None,
        manager: str | None = None,
        *,
        person: str | None = None,
        plan: str | None = None,
    ) -> Digest:
        """The weekly progress digest of a manager's people (everybody's without one); the last complete week."""
        return self.week(week, manager, person=person, plan=plan).digest

    def week(
        self,
        week: date | str | None = None,
        manager: str | None = None,
        *,
        person: str | None = None,
        plan: str | None = None,
    ) -> Week:
        """The digest with the data points of its criteria, for pages and files that show them."""
        from pipmetrics.weekly import weekly

        return weekly(self, week, manager=manager, person=person, plan=plan)

    def portfolio(self, as_of: datetime | None = None, *, named: bool = False) -> Portfolio:
        """How the practice goes: counts over all formal plans; `named` also tells which plans they are."""
        from pipmetrics.practice import portfolio

        return portfolio(self, as_of or self.now(), named=named)

    # --- run ------------------------------------------------------------------------------------------------------

    def run(self, *, progress: Progress | None = None) -> RunReport:
        """The nightly job once: check, pull, evaluate, record, deliver what is due. Refused while another one runs."""
        from pipmetrics.nightly import run

        return run(self, progress=progress)


def _near(name: str, known: Collection[str], title: str) -> str:
    near = get_close_matches(name, known, 1)
    return f"Did you mean {near[0]!r}?" if near else f"{title}: {', '.join(known) or 'none'}"


def key_file(settings: Settings) -> Path:
    """Where the key that signs the ledger lies."""
    return Path(settings.folder) / settings.signing_key


def store_file(settings: Settings) -> Path | None:
    """The file of a store that is one; None for a database server, or an address that is a secret."""
    url = _from_folder(settings.store, settings.folder) if isinstance(settings.store, str) else ""
    return Path(url.partition(":///")[2]) if url.startswith("sqlite") else None


def _from_folder(url: str, folder: str) -> str:
    """A relative SQLite path starts at the configuration folder."""
    head, slashes, path = url.partition(":///")
    if not head.startswith("sqlite") or not slashes or path.startswith("/") or path in ("", ":memory:"):
        return url
    return f"{head}:///{(Path(folder) / path).resolve()}"


_EVER = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
