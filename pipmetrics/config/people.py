"""people.yaml, checked across people and against the sources, as Person values."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path as FilePath

from pipmetrics.config import time_off
from pipmetrics.config.document import Document, Path
from pipmetrics.config.files import AwayFileSection, PeopleFile, PersonSection
from pipmetrics.config.settings import country_problems, merged
from pipmetrics.config.values import Unfit, did_you_mean
from pipmetrics.errors import Problem
from pipmetrics.model import Calendar, Person, Window

ROLES = ("manager", "hr", "admin", "auditor")
"""Roles that decide what one may see; others serve attestations."""


def people_of(
    document: Document | None,
    file: PeopleFile | None,
    company: Calendar,
    folder: FilePath,
    sources: Collection[str] | None,
) -> tuple[dict[str, Person], list[Problem]]:
    """People by id, and what is wrong beyond single values; `sources` None: it is not known what there is."""
    if document is None or file is None:
        return {}, []
    people: dict[str, Person] = {}
    problems = _shared_accounts(document, file)
    for id, section in file.people.items():
        path: Path = ("people", id)
        calendar = merged(company, section.timezone, section.calendar)
        problems += country_problems(document, (*path, "calendar"), section.calendar, calendar)
        problems += _references(document, path, id, section, file, sources)
        away, wrong = _time_off(document, path, section, calendar.timezone, folder)
        problems += wrong
        people[id] = Person(
            id=id,
            name=section.name,
            calendar=Calendar(
                calendar.timezone, calendar.days, calendar.opens, calendar.closes,
                calendar.country, calendar.subdivision, away,
            ),
            email=section.email,
            manager=section.manager,
            team=section.team,
            unit=section.unit,
            roles=frozenset(section.roles),
            accounts=dict(section.accounts),
        )  # fmt: skip
    return people, problems


def _references(
    document: Document, path: Path, id: str, section: PersonSection, file: PeopleFile, sources: Collection[str] | None
) -> list[Problem]:
    """Managers, sources and roles that there must be."""
    problems = []
    if section.manager is not None and section.manager not in file.people:
        mend = did_you_mean(section.manager, list(file.people))
        problems.append(document.problem((*path, "manager"), "there is no such person", mend))
    if section.manager == id:
        problems.append(document.problem((*path, "manager"), "nobody manages themselves"))
    for source in section.accounts:
        if sources is not None and source not in sources:
            mend = did_you_mean(source, sorted(sources))
            problems.append(document.problem((*path, "accounts", source), "there is no such source", mend, key=True))
    for place, role in enumerate(section.roles):
        near = get_close_matches(role.lower(), ROLES, 1, 0.8)
        if role not in ROLES and near:
            what = "this is nearly a known role, and would give none of its rights"
            problems.append(document.problem((*path, "roles", place), what, f"Did you mean `{near[0]}`?"))
    return problems


def _shared_accounts(document: Document, file: PeopleFile) -> list[Problem]:
    """Accounts that are listed twice on one source; services do not tell upper from lower case."""
    seen: dict[tuple[str, str], Path] = {}
    problems = []
    for id, section in file.people.items():
        for source, logins in section.accounts.items():
            for place, login in enumerate(logins or ()):
                path: Path = ("people", id, "accounts", source, place)
                first = seen.setdefault((source, login.casefold()), path)
                if first != path:
                    line, column = document.at(first)
                    owner = "this person" if first[1] == id else f"`{first[1]}`"
                    what = f"this account is listed twice: {owner} has it too"
                    problems.append(
                        document.problem(path, what, f"The first one is at {document.file}:{line}:{column}.")
                    )
    return problems


def _time_off(
    document: Document, path: Path, section: PersonSection, zone: str, folder: FilePath
) -> tuple[tuple[Window, ...], list[Problem]]:
    place: Path = (*path, "time_off")
    if isinstance(section.time_off, AwayFileSection):
        try:
            return time_off.from_calendar(folder / section.time_off.ics, zone), []
        except Unfit as error:
            return (), [document.problem((*place, "ics"), error.what, error.mend)]
    windows, problems = [], []
    for number, away in enumerate(section.time_off):
        try:
            windows.append(time_off.span(away.first, away.last, zone))
        except Unfit as error:
            problems.append(document.problem((*place, number), error.what, error.mend))
    return tuple(sorted(windows, key=lambda window: window.start)), problems
