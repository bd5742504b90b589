"""The three files as people write them: one pydantic model a section, strict and closed.

Values are converted where they stand (`fields`); what needs another file or a plugin's table is checked in `load` and
`lines`. The descriptions end up in the published JSON Schemas and in the reference.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from pipmetrics.config.fields import (
    Count,
    Daily,
    Day,
    Days,
    Executor,
    Hours,
    Line,
    Logins,
    MailAddress,
    MailServer,
    Moment,
    Name,
    Network,
    Number,
    Reference,
    Scope,
    Share,
    StoreUrl,
    Text,
    TextOrReference,
    WebAddress,
    Weekday,
    Weekdays,
    Weekly,
    Weeks,
    Zone,
)


class Section(BaseModel):
    """What all sections are: closed, strict, and silent about what they were given."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


# --- pipmetrics.yaml ----------------------------------------------------------------------------------------------


class CalendarSection(Section):
    """When people work; a person's own calendar overrides the company's, key by key."""

    country: Line | None = Field(default=None, description="Country of the public holidays, as DE.")
    subdivision: Line | None = Field(default=None, description="Its state or province, as BE.")
    days: Weekdays | None = Field(default=None, description="Working days; default Mon-Fri.")
    hours: Hours | None = Field(
        default=None, description="Working hours in the person's time zone; default 09:00-17:00."
    )


class BugsSection(Section):
    """Which issues are bugs: any of the types, any of the labels, or the filter."""

    types: list[Line] = Field(default=[], description="Issue types, as Bug.")
    labels: list[Line] = Field(default=[], description="Labels, as bug.")
    filter: Line = Field(
        default="", description="A filter in the manner of JQL, as: type = Bug AND priority in (High, Highest)."
    )


class SourceSection(Section):
    """One GitHub, GitLab or Jira; a connector may take keys of its own."""

    model_config = ConfigDict(extra="allow")

    connector: Line = Field(description="Which connector reads it: github, gitlab, jira or another plugin's.")
    url: WebAddress = Field(description="Address of the service, http or https, without credentials.")
    token: Reference | None = Field(default=None, description="The token, as ${NAME} or file:PATH.")
    user: TextOrReference | None = Field(default=None, description="The user name that goes with the token (Jira).")
    repositories: list[Line] = Field(default=[], description="Repositories, as acme/api or acme/web-*.")
    projects: list[Line] = Field(default=[], description="Projects, as platform/core (GitLab) or PAY (Jira).")
    production: list[Line] = Field(
        default=["production"], description="Environments that are production, as case-sensitive shell patterns."
    )
    bugs: BugsSection = Field(default=BugsSection(), description="Which issues are bugs; default none.")
    caused_by: list[Line] = Field(
        default=["is caused by"], description="Link descriptions from a bug to what caused it."
    )
    generated: list[Line] = Field(
        default=[], description="Patterns of generated files, left out of the size of changes."
    )


class ScheduleSection(Section):
    """When `serve` does its jobs, in the company's time zone."""

    nightly: Daily = Field(default="02:30", description="Time of the nightly job, or off.")
    digest: Weekly = Field(default="Mon 07:00", description="Day and time of the weekly digest, or off.")


class DeliverySection(Section):
    """Where digests go."""

    urls: list[Reference] = Field(
        default=[], description="Apprise URLs (Slack, Teams, ...), each as ${NAME} or file:PATH."
    )
    mail_from: MailAddress | None = Field(default=None, description="Sender of the e-mails.")
    smtp: MailServer | None = Field(
        default=None, description="Mail server; with credentials only as ${NAME} or file:PATH."
    )
    names: bool = Field(default=False, description="Whether messages to `urls` may name people.")


class AccessSection(Section):
    """How people sign in to the pages."""

    mode: Literal["links", "oidc", "proxy"] = Field(
        default="links",
        description="links: one-time links made on this machine; oidc: OpenID Connect; proxy: a trusted proxy.",
    )
    url: WebAddress | None = Field(default=None, description="Address under which people reach the pages.")
    issuer: WebAddress | None = Field(default=None, description="oidc: the provider.")
    client_id: TextOrReference | None = Field(default=None, description="oidc: the client id.")
    client_secret: Reference | None = Field(
        default=None, description="oidc: the client secret, as ${NAME} or file:PATH."
    )
    header: Line | None = Field(
        default=None, description="proxy: the header that names the person; default X-Forwarded-User."
    )
    trusted: list[Network] = Field(default=[], description="proxy: the addresses or networks it speaks from.")
    subjects: dict[str, Name] = Field(
        default={}, description="Whom the provider's subject, or the proxy's header, stands for: a name of people.yaml."
    )
    session_secret: Reference | None = Field(
        default=None, description="Key that signs sessions, as ${NAME} or file:PATH; default: a new one at each start."
    )


class ScoringSection(Section):
    """Where the verdicts of whole plans begin."""

    met_at: Share = Field(default=0.8, description="Score from which a plan is met or on track; default 80%.")
    at_risk_at: Share = Field(default=0.5, description="Score from which it is inconclusive or at risk; default 50%.")


class RetentionSection(Section):
    """How long data is kept. The nightly job removes what is older, on record; never under a legal hold."""

    facts: Days | None = Field(
        default=None,
        description="Changes and issues, after the last thing that happened to them, as 400 days; at least `history`.",
    )
    evaluations: Days | None = Field(
        default=None, description="A plan's recorded evaluations, after it has ended and was decided, as 365 days."
    )
    plans: Days | None = Field(
        default=None, description="All else on record about a plan, after it has ended and was decided, as 1095 days."
    )


class SettingsFile(Section):
    """pipmetrics.yaml: where the facts come from, where they are kept, when the jobs run."""

    store: StoreUrl = Field(
        default="sqlite:///pipmetrics.db", description="The database; relative paths start at this folder."
    )
    timezone: Zone = Field(default="UTC", description="The company's time zone.")
    calendar: CalendarSection = Field(
        default=CalendarSection(), description="The company's working days, hours and holidays."
    )
    sources: dict[Name, SourceSection] = Field(description="The services that are read, by a name of your choice.")
    history: Days = Field(
        default=timedelta(days=180), description="How far back the first pull goes; default 180 days."
    )
    schedule: ScheduleSection = Field(default=ScheduleSection(), description="When the jobs of `serve` run.")
    delivery: DeliverySection | None = Field(default=None, description="Where digests go.")
    access: AccessSection | None = Field(default=None, description="How people sign in to the pages.")
    scoring: ScoringSection = Field(default=ScoringSection(), description="From which score a plan is met, or at risk.")
    executor: Executor | None = Field(
        default=None,
        description="Where nights are evaluated: local (processes of this machine) or dask://HOST:PORT (an existing "
        "Dask cluster; needs PostgreSQL); default: in the process itself.",
    )
    retention: RetentionSection = Field(
        default=RetentionSection(), description="How long data is kept; default: until somebody erases it."
    )
    signing_key: Line = Field(
        default="ledger.key",
        description="File of the key that signs the ledger, made at first use; relative paths start at this folder.",
    )


# --- people.yaml --------------------------------------------------------------------------------------------------


class AwaySection(Section):
    """Time off: whole days, both included, or the span between two moments."""

    first: Moment = Field(alias="from", description="First day, or the moment it begins.")
    last: Moment | None = Field(
        default=None, alias="to", description="Last day, or the moment it ends; default: the first day."
    )
    reason: Line | None = Field(default=None, description="Read and forgotten: reasons are never stored.")


class AwayFileSection(Section):
    """Time off kept in an iCalendar file."""

    ics: Line = Field(description="Path of the iCalendar file, from this folder.")


def _path_as_section(value: Any) -> Any:
    return {"ics": value} if isinstance(value, str) else value


def _away_form(value: Any) -> str:
    return "list" if isinstance(value, list) else "file"


TimeOff: TypeAlias = Annotated[
    Annotated[list[AwaySection], Tag("list")] | Annotated[AwayFileSection, Tag("file")],
    Discriminator(_away_form),
    BeforeValidator(_path_as_section, json_schema_input_type=str | list[AwaySection] | AwayFileSection),
]


class PersonSection(Section):
    """A person: who they are, whom they report to, when they work, their accounts."""

    name: Line = Field(description="The name that people read.")
    email: MailAddress | None = Field(default=None, description="Where their digest goes.")
    manager: Name | None = Field(default=None, description="Their manager: a name of this file.")
    team: Line | None = Field(default=None, description="Their team, for comparisons without names.")
    unit: Line | None = Field(default=None, description="Their unit: whose HR may see their plans.")
    roles: list[Name] = Field(
        default=[], description="manager, hr, admin, auditor, or roles of your own for attestations."
    )
    timezone: Zone | None = Field(default=None, description="Their time zone; default: the company's.")
    calendar: CalendarSection = Field(
        default=CalendarSection(), description="What differs from the company's calendar."
    )
    accounts: dict[str, Logins] = Field(
        default={}, description="Their account on each source; a list adds former names, null says there is none."
    )
    time_off: TimeOff = Field(default=[], description="A list of {from, to}, or the path of an iCalendar file.")


class PeopleFile(Section):
    """people.yaml: everybody who has a plan, manages or supports somebody who has, or measures as a peer."""

    people: dict[Name, PersonSection] = Field(description="People by a short name of your choice.")


# --- plans/*.yaml -------------------------------------------------------------------------------------------------


class CheckInsSection(Section):
    """How often the two meet."""

    every: Weeks = Field(default=1, description="`week` or `2 weeks`.")
    on: Weekday = Field(default=0, description="Day of the week; default Monday.")


class DeficiencySection(Section):
    """What has to change, and where it showed."""

    id: Name = Field(description="A short name; criteria answer it.")
    text: Text = Field(description="The deficiency in a sentence.")
    evidence: list[Line] = Field(default=[], description="Links or references to where it showed.")


class SupportSection(Section):
    """What the company promises to do."""

    text: Text = Field(description="What is promised.")
    owner: Line = Field(description="Who sees to it.")
    due: Day = Field(description="By when.")


class WaiverSection(Section):
    """A lint finding that the plan accepts."""

    code: Line = Field(description="The finding's code, as PIP107.")
    reason: Text = Field(description="Why it is accepted.")


class ExcludeSection(Section):
    """A rule that leaves measurements out: one part with a pattern, and the reason."""

    repository: Line | None = Field(default=None, description="Pattern of the repository or project, as acme/legacy-*.")
    label: Line | None = Field(default=None, description="Pattern of a label.")
    author: Line | None = Field(default=None, description="Pattern of the login of the change's author.")
    path: Line | None = Field(default=None, description="Pattern of a changed file.")
    subject: Line | None = Field(default=None, description="Pattern of the subject, as hub:acme/api#12.")
    reason: Text = Field(description="Why; people read it beside what was left out.")


class GuardSection(Section):
    """Keys of a guardrail: a criterion that must not get worse."""

    model_config = ConfigDict(extra="allow")

    metric: Line = Field(description="The metric that is watched.")
    criterion: Line = Field(default="threshold", description="The rule it is watched by.")
    window: Scope = Field(default="plan", description="`plan` to date, `week`, or `last 14 days`.")
    minimum: Count = Field(default=5, description="Fewest samples that decide anything.")
    clock: Literal["elapsed", "workdays", "working"] | None = Field(
        default=None, description="The clock of its durations."
    )
    exclude: list[ExcludeSection] = Field(default=[], description="What is left out, and why.")
    include: list[Literal["own", "bot"]] = Field(
        default=[], description="What counts although it is left out by default."
    )


class CriterionSection(Section):
    """One line of a plan; the rule that `criterion` names takes keys of its own."""

    model_config = ConfigDict(extra="allow")

    id: Name = Field(description="A short name.")
    expectation: Text = Field(default="", description="The sentence that people read.")
    deficiency: Name | None = Field(default=None, description="The deficiency it answers.")
    metric: Line | None = Field(default=None, description="What is measured.")
    criterion: Line = Field(description="The rule that scores it.")
    window: Scope = Field(default="plan", description="`plan` to date, `week`, or `last 14 days`.")
    minimum: Count = Field(default=5, description="Fewest samples that decide anything; default 5.")
    weight: Number = Field(default=1.0, description="Its weight in the plan's score; default 1.")
    required: bool = Field(default=False, description="Whether the plan fails when it does.")
    clock: Literal["elapsed", "workdays", "working"] | None = Field(
        default=None, description="The clock of its durations."
    )
    baseline: Days = Field(
        default=timedelta(days=90), description="Days before the start that it is compared with; default 90 days."
    )
    exclude: list[ExcludeSection] = Field(default=[], description="What is left out, and why.")
    include: list[Literal["own", "bot"]] = Field(
        default=[], description="What counts although it is left out by default."
    )
    guardrail: dict[str, Any] | None = Field(default=None, description="Another criterion that must not get worse.")


class PlanFile(Section):
    """plans/*.yaml: one person's improvement plan."""

    plan: Name = Field(description="The plan's name, one of its own.")
    kind: Literal["pip", "coaching"] = Field(description="pip: formal; coaching: informal, earlier.")
    person: Name = Field(description="Whose plan it is: a name of people.yaml.")
    manager: Name | None = Field(default=None, description="Who manages it; default: the person's manager.")
    start: Day = Field(description="First day.")
    end: Day | None = Field(default=None, description="Last day, included; or give `days`.")
    days: Count | None = Field(default=None, description="Length in days, instead of `end`.")
    timezone: Zone | None = Field(default=None, description="Time zone of its days; default: the person's.")
    draft: bool = Field(default=False, description="Drafts are checked, not evaluated.")
    check_ins: CheckInsSection | None = Field(default=None, description="How often the two meet.")
    preceded_by: Name | None = Field(default=None, description="The coaching plan that came first.")
    deficiencies: list[DeficiencySection] = Field(default=[], description="What has to change.")
    criteria: list[dict[str, Any]] = Field(description="What is measured, and what is enough.", min_length=1)
    supports: list[SupportSection] = Field(default=[], description="What the company promises to do.")
    consequences: Text = Field(default="", description="What follows if the expectations are not met, and who decides.")
    attribution: list[Literal["link", "revert", "fix"]] = Field(
        default=["link"],
        description="How bugs are attributed to changes: by link, also by revert, also by what a fix changed once a "
        "person has confirmed it.",
        min_length=1,
    )
    follow_up: Days = Field(
        default=timedelta(days=30), description="How long a change is watched for failures; default 30 days."
    )
    waivers: list[WaiverSection] = Field(default=[], description="Lint findings that are accepted, and why.")
