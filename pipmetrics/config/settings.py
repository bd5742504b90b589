"""pipmetrics.yaml, checked across its keys and against the connectors' tables, as Settings."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path as FilePath
from typing import Any

from pipmetrics import registry
from pipmetrics.config import values
from pipmetrics.config.document import Document, Path
from pipmetrics.config.files import AccessSection, BugsSection, CalendarSection, SettingsFile, SourceSection
from pipmetrics.config.fit import unknown_key
from pipmetrics.config.lines import convert
from pipmetrics.config.values import Unfit, did_you_mean, nearly
from pipmetrics.errors import Problem
from pipmetrics.model import BugRule, Calendar, Retention, Settings, Source

_SECRET_KEY = re.compile(r"(?i)token|secret|passw|private|credential|(^|_)key$")


def calendar_of(file: SettingsFile | None) -> Calendar:
    """The company's calendar; the defaults when the settings could not be read."""
    return merged(Calendar("UTC"), file.timezone, file.calendar) if file is not None else Calendar("UTC")


def merged(company: Calendar, timezone: str | None, own: CalendarSection) -> Calendar:
    """The company's calendar with the keys of `own` over it; another country has other subdivisions."""
    opens, closes = own.hours or (company.opens, company.closes)
    elsewhere = own.country is not None and own.country != company.country
    return Calendar(
        timezone=timezone or company.timezone,
        days=own.days or company.days,
        opens=opens,
        closes=closes,
        country=own.country or company.country,
        subdivision=own.subdivision or (None if elsewhere else company.subdivision),
    )


def country_problems(document: Document, path: Path, own: CalendarSection, calendar: Calendar) -> list[Problem]:
    """What the `holidays` package says of the country and subdivision that a calendar names."""
    if own.country is None and own.subdivision is None:
        return []
    if calendar.country is None:
        return [document.problem((*path, "subdivision"), "a subdivision without a country", "Add `country`.")]
    from holidays import country_holidays
    from holidays.registry import EntityLoader

    countries = set(EntityLoader.get_country_codes())
    if calendar.country not in countries:
        mend = nearly(calendar.country, sorted(countries)) or "Write it as DE."
        return [document.problem((*path, "country"), "no public holidays are known for this country", mend)]
    try:
        country_holidays(calendar.country, subdiv=calendar.subdivision)
    except NotImplementedError:
        known = country_holidays(calendar.country).subdivisions
        what = "no public holidays are known for this part of the country"
        return [document.problem((*path, "subdivision"), what, did_you_mean(calendar.subdivision, known))]
    return []


def settings_of(
    document: Document | None, file: SettingsFile | None, folder: FilePath, people: Collection[str] | None
) -> tuple[Settings | None, list[Problem]]:
    """The settings, and what is wrong with them beyond single values."""
    if document is None or file is None:
        return None, []
    company = calendar_of(file)
    problems = country_problems(document, ("calendar",), file.calendar, company)
    sources = {}
    for name, section in file.sources.items():
        sources[name], wrong = _source(document, name, section)
        problems += wrong
    problems += _access(document, file.access, people)
    if file.scoring.at_risk_at >= file.scoring.met_at:
        problems.append(document.problem(("scoring", "at_risk_at"), "`at_risk_at` must be less than `met_at`"))
    problems += _retention(document, file)
    if (file.executor or "").startswith("dask://") and isinstance(file.store, str) and file.store.startswith("sqlite"):
        what, mend = "the workers of a Dask cluster cannot reach an SQLite file", "Use PostgreSQL, or `local`."
        problems.append(document.problem(("executor",), what, mend))
    return Settings(
        folder=str(folder),
        store=file.store,
        timezone=file.timezone,
        calendar=company,
        sources=sources,
        history=file.history,
        schedule={key: at for key, at in file.schedule.model_dump().items() if at != "off"},
        delivery=_given(file.delivery),
        access=_given(file.access),
        executor=file.executor or "",
        met_at=file.scoring.met_at,
        at_risk_at=file.scoring.at_risk_at,
        retention=Retention(file.retention.facts, file.retention.evaluations, file.retention.plans),
        signing_key=file.signing_key,
    ), problems


def _retention(document: Document, file: SettingsFile) -> list[Problem]:
    """Periods that would take away what is still needed."""
    kept, found = file.retention, []
    if kept.facts is not None and kept.facts < file.history:
        what = "facts must be kept at least as long as `history` reads back"
        mend = "Otherwise they would be read again; lower `history` too."
        found.append(document.problem(("retention", "facts"), what, mend))
    if kept.plans is not None and kept.evaluations is not None and kept.plans < kept.evaluations:
        what = "evaluations cannot be kept longer than the record of their plan"
        found.append(document.problem(("retention", "evaluations"), what, "Raise `plans`, or lower `evaluations`."))
    return found


def _given(section: Any) -> dict[str, Any]:
    """A section as a mapping of what it says, defaults included; empty when it is not there."""
    if section is None:
        return {}
    return {name: value for name in type(section).model_fields if (value := getattr(section, name)) is not None}


def _source(document: Document, name: str, section: SourceSection) -> tuple[Source, list[Problem]]:
    path: Path = ("sources", name)
    problems = []
    if not re.fullmatch(r"[\w.-]+", name):
        problems.append(document.problem(path, "a source is named by letters, digits, `-`, `_` and `.`", key=True))
    options: Mapping[str, Any] = {}
    if section.connector not in registry.names("connectors"):
        mend = did_you_mean(section.connector, registry.names("connectors"))
        problems.append(document.problem((*path, "connector"), "unknown connector", mend))
    elif section.model_extra:
        options, wrong = _options(document, path, section)
        problems += wrong
    problems += _filter(document, path, section.bugs)
    return Source(
        name=name,
        connector=section.connector,
        url=section.url,
        token=section.token,
        user=section.user,
        repositories=tuple(section.repositories),
        projects=tuple(section.projects),
        production=tuple(section.production),
        bugs=BugRule(frozenset(section.bugs.types), frozenset(section.bugs.labels), section.bugs.filter),
        caused_by=tuple(section.caused_by),
        generated=tuple(section.generated),
        options=options,
    ), problems


def _filter(document: Document, path: Path, bugs: BugsSection) -> list[Problem]:
    if not bugs.filter:
        return []
    from pipmetrics.metrics.bugs import FilterError, parse_filter

    try:
        parse_filter(bugs.filter)
    except FilterError as error:
        what = f"{error.what} (at character {error.column} of the filter)"
        return [document.problem((*path, "bugs", "filter"), what, error.mend)]
    return []


def _options(document: Document, path: Path, section: SourceSection) -> tuple[dict[str, Any], list[Problem]]:
    """The keys that only this connector takes; its class, and so its client, is loaded for them alone."""
    table = {parameter.name: parameter for parameter in registry.connector(section.connector).options}
    options: dict[str, Any] = {name: each.default for name, each in table.items() if each.default is not None}
    problems = []
    for key, raw in (section.model_extra or {}).items():
        place = (*path, key)
        if key not in table:
            problems.append(unknown_key(document, place, [*SourceSection.model_fields, *table]))
            continue
        problems += _literal_secrets(document, place, raw)
        try:
            options[key] = convert(table[key], raw)
        except Unfit as error:
            problems.append(document.problem(place, error.what, error.mend))
    for key, each in table.items():
        if each.required and key not in options:
            problems.append(document.problem(path, f"`{key}` is missing", each.help, key=True))
    return options, problems


def _literal_secrets(document: Document, path: Path, raw: Any) -> list[Problem]:
    """Keys that are named like secrets and hold text that is no reference."""
    if isinstance(raw, dict):
        return [problem for key, each in raw.items() for problem in _literal_secrets(document, (*path, key), each)]
    if not isinstance(raw, str) or not _SECRET_KEY.search(str(path[-1])) or values.is_reference(raw):
        return []
    try:
        values.reference(raw)
    except Unfit as error:
        return [document.problem(path, error.what, error.mend)]
    return []


def _access(document: Document, access: AccessSection | None, people: Collection[str] | None) -> list[Problem]:
    """What each way to sign in needs, and whether subjects are people."""
    if access is None:
        return []
    needed = {"oidc": ("issuer", "client_id"), "proxy": ("trusted",), "links": ()}[access.mode]
    problems = [
        document.problem(("access",), f"`{key}` is missing", f"Sign-in by {access.mode} needs it.", key=True)
        for key in needed
        if not getattr(access, key)
    ]
    for subject, person in access.subjects.items():
        if people is not None and person not in people:
            place = ("access", "subjects", subject)
            problems.append(document.problem(place, "there is no such person", did_you_mean(person, sorted(people))))
    return problems
