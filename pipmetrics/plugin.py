"""The three contracts through which everything that can vary comes in: Connector, Metric, Criterion.

Built-in plugins use the same door (entry points `pipmetrics.connectors`, `pipmetrics.metrics`, `pipmetrics.criteria`)
as anybody else's. Plugins import `pipmetrics.model`, `.plugin`, `.errors`,
`.transport` and `.statistics`, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

from pipmetrics.model import Account, Criterion, Gap, Json, Person, Plan, Signal, Source, State

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from pipmetrics.model import Attestation, Clock
    from pipmetrics.transport import Wire

    FloatArray: TypeAlias = npt.NDArray[np.float64]
    IntArray: TypeAlias = npt.NDArray[np.int64]
    ByteArray: TypeAlias = npt.NDArray[np.uint8]
    BoolArray: TypeAlias = npt.NDArray[np.bool_]

ParameterKind: TypeAlias = Literal[
    "duration",
    "share",
    "number",
    "count",
    "amount",
    "text",
    "choice",
    "date",
    "metric",
    "criterion",
    "list",
    "mapping",
]
"""`amount` takes the unit of the metric: a duration for hours, a percentage for shares, a number for the rest."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key that a plugin takes in a file, so that files are checked and schemas published."""

    name: str
    kind: ParameterKind
    help: str
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()


# --- connectors ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """What is committed together: whole groups of signals, the accounts seen, and how far the reading has come.

    `groups[name]` is everything that a fresh look at `name` (usually a subject) gives: it replaces what the store holds
    under that name, and an empty tuple removes it. `bookmarks` are JSON values by name, kept with the rows and given
    back at the next pull. `gaps` say what could not be read; a gap never moves a bookmark past itself.
    """

    groups: Mapping[str, Sequence[Signal]] = field(default_factory=dict)
    accounts: Sequence[Account] = ()
    bookmarks: Mapping[str, Json] = field(default_factory=dict)
    gaps: Sequence[Gap] = ()
    done: int = 0
    """Items read with this page, for the progress bar."""
    total: int | None = None
    """Items expected in all, when the service says so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of an online check: a token, a permission, a clock, an account."""

    level: Literal["ok", "note", "warning", "error"]
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Commits reachable from `head` and not from `base`; `contained`: base itself is reachable from head."""

    shas: frozenset[str]
    contained: bool


class Connector(Protocol):
    """Reads one source. Built as `TheConnector(source, wire)`; asks nothing before `pull`, `check` or `compare`."""

    options: ClassVar[tuple[Parameter, ...]]
    """Keys of `sources.NAME` beyond those every source has."""
    kinds: ClassVar[frozenset[str]]
    """Signal kinds that it can give: decides which metrics need an account on this source."""

    def __init__(self, source: Source, wire: Wire) -> None: ...

    def pull(self, bookmarks: Mapping[str, Json], since: datetime) -> Iterator[Page]:
        """Pages in the order to commit them. The caller commits each page before asking for the next.

        `since`: how far back a first pull goes. Raises SourceError when the source as a whole fails; a part that fails
        (one repository of three) is a Gap of a page, and the rest goes on.
        """
        ...

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        """The commits that a deployment of `head` adds to one of `base`; SourceError 404 when either is gone."""
        ...

    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        """Tokens, scopes, permissions, clock, and whether the configured logins exist."""
        ...


# --- metrics ------------------------------------------------------------------------------------------------------

SIGNAL_COLUMNS = ("source", "kind", "subject", "key", "at", "actor", "mark", "value", "url", "detail")
"""`at` is datetime64[us, UTC]; `detail` holds mappings; the rest as in Signal."""

MEASUREMENT_COLUMNS = (
    "metric", "person", "source", "subject", "key", "start", "end", "value", "unit", "state", "reason", "url",
    "evidence",
)  # fmt: skip
"""SPEC section 5; `start`/`end` are datetime64[us, UTC] (`end` NaT while open), `reason` is "" when counted, `evidence`
is a tuple of signal keys, the first one the fact that started it."""

REASONS: Mapping[str, State] = {
    "": "counted",
    **dict.fromkeys(("unanswered", "unresolved", "follow_up", "running", "not_due"), "pending"),
    **dict.fromkeys(
        ("withdrawn", "own", "bot", "ghost", "before_deployment", "duplicate", "invalid", "cannot_reproduce", "wont_do",
         "not_default_branch", "never_in_progress", "disputed", "rule"),
        "excluded",
    ),
}  # fmt: skip
"""All reasons there are, and the state that each one makes of a row."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What a metric sees: all that was known before `as_of`, and who is who.

    `signals` has SIGNAL_COLUMNS plus `person` (the people.yaml id of the actor, None for everybody else), holds the
    kinds that the metric names and is sorted by (at, key). `hours(person, start, end, clock)` measures spans by each
    person's calendar: arrays of equal length, hours as float64, NaT ends give NaN.
    """

    signals: pd.DataFrame
    as_of: datetime
    people: Sequence[Person]
    sources: Mapping[str, Source]
    hours: Callable[[pd.Series[Any], pd.Series[Any], pd.Series[Any], Clock], pd.Series[Any]]
    clock: Clock = "elapsed"
    attribution: tuple[str, ...] = ("link",)
    follow_up_days: float = 30.0
    include: frozenset[str] = frozenset()
    attestations: Sequence[Attestation] = ()
    accounts: pd.DataFrame | None = None
    """Columns source, id, login, email, mark, person: each account as it is called now, and a row for every ``@login``
    (its id, in lower case) that stands for somebody in people.yaml."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A named definition that turns signals into measurements.

    `measure` is one vectorised function: Facts -> frame with MEASUREMENT_COLUMNS, for all people at once.
    `needs` says which sources must know the person: those that can give "changes", or "tickets".
    `open_ended`: pending and withdrawn items have hours so far, which a criterion with a limit reads again.
    `by_subject` promises that rows may be kept from one night to the next. A person's rows of a subject depend on
    nothing but the signals of that subject, one of which is the person's own act, and beside these on the request, on
    the sources' settings, on the calendar and the accounts of that person, and on who the actors of the signals are.
    Once all these signals are before `as_of`, `as_of` changes nothing but rows that are pending or have no end.
    """

    name: str
    unit: str
    title: str
    definition: str
    kinds: frozenset[str]
    measure: Callable[[Facts], pd.DataFrame]
    needs: Literal["changes", "tickets", ""] = "changes"
    clock: Clock | None = None
    open_ended: bool = False
    window_by: Literal["start", "end"] = "start"
    better: Literal["lower", "higher", ""] = ""
    by_subject: bool = False


# --- criteria -----------------------------------------------------------------------------------------------------

COUNTED, OPEN, WITHDRAWN, EXCLUDED, PENDING = range(5)
"""What a row is to a criterion. OPEN (unanswered, unresolved) and WITHDRAWN rows carry the hours so far, which a limit
reads again; EXCLUDED rows stay out and PENDING ones wait, whatever the criterion."""

MEASURED_UNITS = frozenset({"hours", "lines", "comments"})
"""Units of what is measured rather than counted: their sums have no interval."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the rows: those with value <= `limit` (open and withdrawn ones beyond it are misses), or, without a
    limit, the values themselves, which are then 0 to 1. Clopper-Pearson."""

    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Quantile:
    """The smallest t with F(t) >= `q`, open rows right-censored (Kaplan-Meier). Order statistics."""

    q: float


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of the counted values. Student's t on at least 10 samples."""


@dataclass(frozen=True, slots=True)
class Total:
    """The number of counted rows (`rows`) or the sum of their values, divided by the exposure `per` when there is one
    (the name of a metric). Garwood; `things`: the values are 1, or shares of 1, of things that happen."""

    rows: bool = False
    per: str | None = None
    things: bool = True


@dataclass(frozen=True, slots=True)
class Ratio:
    """The rate against the baseline's: the reduction 1 - r, or with `increase` r - 1. The exposure is the metric `per`,
    else the person's working days. Exact conditional binomial."""

    per: str | None = None
    increase: bool = False
    things: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Weeks:
    """Scores of an inner criterion in complete plan weeks: those of cell i are offsets[i]:offsets[i + 1], in order."""

    offsets: IntArray
    value: FloatArray
    met: BoolArray
    enough: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Many cells at once, a cell being one criterion in one window; the rows of cell i are offsets[i]:offsets[i + 1].

    `weeks` belongs to forms with an inner criterion; `weeks_left` are the complete plan weeks that still come, `closed`
    says whether the plan has ended.
    """

    criteria: Sequence[Criterion]
    plans: Sequence[Plan]
    offsets: IntArray
    values: FloatArray
    kinds: ByteArray
    closed: BoolArray
    weeks_left: IntArray
    weeks: Weeks | None = None

    def __len__(self) -> int:
        return len(self.criteria)

    def sum(self, rows: FloatArray | BoolArray) -> FloatArray:
        """Adds up, cell by cell, one number a row; cells without rows give 0."""
        from pipmetrics.statistics import cell_sums  # scipy, which `pipmetrics --help` does not need

        return cell_sums(rows, self.offsets)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What a form of one's own gives, one entry a cell; NaN is no number, infinity is unbounded.

    `meets`: None compares value and target. `reachable`: can the target still be reached while the plan runs.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    n: FloatArray
    enough: BoolArray
    reachable: BoolArray
    meets: BoolArray | None = None
    target: FloatArray | None = None
    needed: Sequence[str | None] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """A form that the plugin scores itself: one function over all its cells.

    `weekly` is an inner criterion to be scored in every complete plan week of the window; `choose` picks (and may
    rewrite) the rows of one criterion from the metric's frame of all people as known at an instant; without it they are
    the person's.
    """

    score: Callable[[Cells], Scores]
    weekly: Criterion | None = None
    choose: Callable[[Plan, Criterion, pd.DataFrame, datetime], pd.DataFrame] | None = None


Form: TypeAlias = Share | Quantile | Mean | Total | Ratio | Own


@dataclass(frozen=True, slots=True)
class Goal:
    """What a criterion strives for: a form of statistic, its target, on which side, in which unit.

    `minimum`: samples (exposure, for forms that have one) under which there is no verdict.
    """

    form: Form
    target: float
    at_least: bool
    unit: str
    minimum: float


@dataclass(frozen=True, slots=True)
class CriterionRule:
    """A scoring rule that plans name under `criterion:`.

    `goal(criterion, unit)` turns a criterion on a metric of that unit into its Goal; ValueError when they do not fit
    (its text is shown beside the place in the file). `metric` is read when the plan names none.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    goal: Callable[[Criterion, str], Goal]
    metric: str = ""
