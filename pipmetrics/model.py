"""The values that the rooms pass to each other: frozen, slotted, standard library only.

Every datetime is aware. Every span is half-open, [start, end).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Any
"""What `json.loads` gives; the shape is checked where it enters."""

Clock: TypeAlias = Literal["elapsed", "workdays", "working"]
CLOCKS: tuple[Clock, ...] = ("elapsed", "workdays", "working")

State: TypeAlias = Literal["counted", "excluded", "pending"]
Verdict: TypeAlias = Literal["met", "on_track", "at_risk", "off_track", "inconclusive", "not_met", "not_enough_data"]
Recommendation: TypeAlias = Literal["complete", "extend", "not_complete", "undetermined"]

CHANGE_KINDS = frozenset({
    "change_opened", "change_ready", "change_drafted", "change_closed", "change_reopened", "change_merged",
    "review_requested", "review_request_removed", "reviewed", "commented", "commits_pushed",
    "checks_completed", "change_deployed", "change_reverted",
})  # fmt: skip
ISSUE_KINDS = frozenset({
    "issue_opened", "issue_assigned", "issue_status_changed", "issue_done", "issue_reopened",
    "issue_due_changed", "issue_linked",
})  # fmt: skip
SIGNAL_KINDS = CHANGE_KINDS | ISSUE_KINDS | {"deployed"}
"""The closed vocabulary; docs/signals.md gives the detail of each kind."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a source, by its stable id; seen again under another login, it is the same account."""

    source: str
    id: str
    login: str
    email: str | None = None
    mark: Literal["", "bot", "ghost"] = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """One immutable fact: who did what to which subject, when. `(source, key)` is unique.

    `actor` is the stable account id, or ``@login`` where the service names a login alone, or None when the service
    no longer says who it was (then `mark` is "ghost").
    """

    source: str
    kind: str
    subject: str
    key: str
    at: datetime
    url: str
    actor: str | None = None
    mark: Literal["", "bot", "ghost"] = ""
    value: float | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in SIGNAL_KINDS:
            raise ValueError(f"{self.kind!r} is no kind of signal")
        if self.at.tzinfo is None:
            raise ValueError(f"{self.key}: a signal needs an aware instant, not {self.at}")


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of instants."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a person works: their time zone, days (0 = Monday), hours, public holidays and time off."""

    timezone: str
    days: frozenset[int] = frozenset(range(5))
    opens: time = time(9)
    closes: time = time(17)
    country: str | None = None
    subdivision: str | None = None
    time_off: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of people.yaml. `accounts[source]` lists logins, newest first; None: declared to have no account."""

    id: str
    name: str
    calendar: Calendar
    email: str | None = None
    manager: str | None = None
    team: str | None = None
    unit: str | None = None
    roles: frozenset[str] = frozenset()
    accounts: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Secret:
    """A reference to a secret, ``${NAME}`` or ``file:PATH``; the value is read when it is needed, and never shown."""

    reference: str

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class BugRule:
    """Which issues are bugs: any of the types, any of the labels, or the filter. All empty: no issue is."""

    types: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One configured GitHub, GitLab or Jira instance; `options` holds what only its connector knows."""

    name: str
    connector: str
    url: str
    token: Secret | None = None
    user: str | Secret | None = None
    repositories: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    production: tuple[str, ...] = ("production",)
    bugs: BugRule = BugRule()
    caused_by: tuple[str, ...] = ("is caused by",)
    generated: tuple[str, ...] = ()
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long data is kept, None: until somebody erases it.

    `facts`: changes and issues, after the last thing that happened to them; `evaluations` and `plans`: the recorded
    evaluations of a plan, and everything else on record about it, after it has ended and was decided.
    """

    facts: timedelta | None = None
    evaluations: timedelta | None = None
    plans: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """pipmetrics.yaml, checked. Relative paths start at `folder`."""

    folder: str
    store: str | Secret
    timezone: str
    calendar: Calendar
    sources: Mapping[str, Source]
    history: timedelta = timedelta(days=180)
    schedule: Mapping[str, str] = field(default_factory=dict)
    delivery: Mapping[str, Json] = field(default_factory=dict)
    access: Mapping[str, Json] = field(default_factory=dict)
    executor: str = ""
    """"local", "dask://HOST:PORT", or "" for this process."""
    met_at: float = 0.8
    at_risk_at: float = 0.5
    retention: Retention = Retention()
    signing_key: str = "ledger.key"


@dataclass(frozen=True, slots=True)
class ExcludeRule:
    """Leaves out what matches `pattern` (fnmatch) in `part`, for a reason that people read."""

    part: Literal["repository", "label", "author", "path", "subject"]
    pattern: str
    reason: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of a plan. `parameters` are checked and converted: shares 0-1, durations as timedelta, the rest as is.

    `window` is "plan", "week", or the timedelta of "last n days". Also used for guardrails and for the inner criterion
    of a streak (then `id` is that of the outer one).
    """

    id: str
    metric: str
    criterion: str
    expectation: str = ""
    deficiency: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    window: Literal["plan", "week"] | timedelta = "plan"
    minimum: int = 5
    weight: float = 1.0
    required: bool = False
    clock: Clock | None = None
    baseline: timedelta = timedelta(days=90)
    exclude: tuple[ExcludeRule, ...] = ()
    include: frozenset[str] = frozenset()
    guardrail: Criterion | None = None


@dataclass(frozen=True, slots=True)
class Support:
    """Something that the company promised to do for the person."""

    text: str
    owner: str
    due: date


@dataclass(frozen=True, slots=True)
class Deficiency:
    id: str
    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiver:
    """A lint finding that the plan accepts, and why."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One person's improvement plan as its file declares it; `start` and `end` are local days, both inclusive."""

    id: str
    kind: Literal["pip", "coaching"]
    person: str
    manager: str
    start: date
    end: date
    timezone: str
    criteria: tuple[Criterion, ...]
    supports: tuple[Support, ...] = ()
    deficiencies: tuple[Deficiency, ...] = ()
    check_in_weekday: int | None = None
    check_in_weeks: int = 1
    preceded_by: str | None = None
    consequences: str = ""
    attribution: tuple[str, ...] = ("link",)
    follow_up: timedelta = timedelta(days=30)
    draft: bool = False
    waivers: tuple[Waiver, ...] = ()
    file: str = ""
    digest: str = ""
    """SHA-256 of the file's content, hexadecimal."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A contested data point: measurement `key` of a criterion. Open until decided; upheld leaves the point out."""

    plan: str
    criterion: str
    key: str
    by: str
    why: str
    at: datetime
    state: Literal["open", "upheld", "rejected"] = "open"
    decided_by: str | None = None
    answer: str = ""
    entry: int = 0
    subject: str = ""

    @property
    def about(self) -> str:
        """What is contested, in the words that people know it by."""
        return self.subject.partition(":")[2] or self.subject or self.key


@dataclass(frozen=True, slots=True)
class Attestation:
    """What no tool measures, attested by a named person in a role. `person`: whose plan it is, where that is known.

    With a `bug` it attests that `change` caused it, as the lines say that its fix changed; `evidence` says which.
    """

    plan: str
    criterion: str
    by: str
    role: str
    value: float
    why: str
    at: datetime
    entry: int = 0
    person: str = ""
    bug: str = ""
    change: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A check-in of the plan on a day: held, or missed (`held` False) and by whom."""

    plan: str
    day: date
    held: bool
    by: str
    note: str
    at: datetime
    entry: int = 0


@dataclass(frozen=True, slots=True)
class SupportGiven:
    """A promised support (its place in the plan, from 1) recorded as delivered; what the person says of it."""

    plan: str
    support: int
    by: str
    on: date
    at: datetime
    confirmed: bool | None = None
    entry: int = 0


@dataclass(frozen=True, slots=True)
class Baseline:
    """The frozen state before the plan, per criterion, as recorded in the ledger; `measured` is what a criterion needs
    to compare with it (plain JSON: values, censoring, exposure)."""

    plan: str
    criterion: str
    window: Window
    measured: Mapping[str, Json]
    at: datetime
    entry: int = 0


@dataclass(frozen=True, slots=True)
class Acts:
    """All human acts known before an instant, folded from the ledger."""

    disputes: tuple[Dispute, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    check_ins: tuple[CheckIn, ...] = ()
    supports: tuple[SupportGiven, ...] = ()
    baselines: tuple[Baseline, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """What a source could not give: since when its facts are incomplete, where, and why."""

    source: str
    part: str
    reason: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """One run of a metric over all people: what is known before `as_of`, by which clock and options."""

    metric: str
    as_of: datetime
    clock: Clock | None = None
    attribution: tuple[str, ...] = ("link",)
    follow_up: timedelta = timedelta(days=30)
    include: frozenset[str] = frozenset()
