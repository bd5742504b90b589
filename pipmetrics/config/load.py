"""Reads a configuration folder into frozen values, or says everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipmetrics.config.configuration import Config
from pipmetrics.config.document import Document, read
from pipmetrics.config.files import PeopleFile, SettingsFile
from pipmetrics.config.fit import fit
from pipmetrics.config.folder import read_folder
from pipmetrics.config.people import people_of
from pipmetrics.config.plans import plan_of
from pipmetrics.config.settings import calendar_of, settings_of
from pipmetrics.errors import ConfigError, Problem
from pipmetrics.model import Plan


def load(folder: str | Path) -> Config:
    """The configuration in `folder`: pipmetrics.yaml, people.yaml and the files under plans/.

    Raises ConfigError with all problems of all files, each with file (as `folder` was given), line and column.
    References to secrets are kept as they are; nothing but the folder's files is read.
    """
    root = Path(folder)
    files = read_folder(root)
    problems = files.problems
    settings_file = people_file = None
    if files.settings is not None:
        settings_file, wrong = fit(files.settings, (), SettingsFile, files.settings.plain())
        problems += wrong
    if files.people is not None:
        people_file, wrong = fit(files.people, (), PeopleFile, files.people.plain())
        problems += wrong
    known_people = _names(files.people, "people")
    settings, wrong = settings_of(files.settings, settings_file, root, known_people)
    problems += wrong
    company = calendar_of(settings_file)
    people, wrong = people_of(files.people, people_file, company, root, _names(files.settings, "sources"))
    problems += wrong
    plans: list[Plan] = []
    for document in files.plans:
        plan, wrong = plan_of(document, people, known_people, company.timezone)
        problems += wrong
        plans += [plan] if plan is not None else []
    documents = {document.file: document for document in files.plans}
    problems += _twice(documents.values())
    if problems or settings is None:
        raise ConfigError(problems)
    return Config(settings, people, tuple(plans), documents)


def parse_plan(content: bytes, config: Config, file: str = "") -> Plan:
    """A plan from bytes that were kept (the locked version of a file that has changed since), among today's people.

    ConfigError, as from `load`, when it is no plan any more; `file` is what problems and the plan call it.
    """
    document, problems = read(file, content)
    plan = None
    if document is not None:
        plan, wrong = plan_of(document, config.people, frozenset(config.people), config.settings.timezone)
        problems += wrong
    if problems or plan is None:
        raise ConfigError(problems)
    return plan


def _names(document: Document | None, key: str) -> frozenset[str] | None:
    """The names listed under a key, whether what stands there is right or not; None when they cannot be known."""
    listed = document.value((key,)) if document is not None else None
    return frozenset(listed) if isinstance(listed, dict) else None


def _twice(documents: Iterable[Document]) -> list[Problem]:
    """Plans that carry the name of another one."""
    seen: dict[str, Document] = {}
    problems = []
    for document in documents:
        name = document.value(("plan",))
        if not isinstance(name, str):
            continue
        first = seen.setdefault(name, document)
        if first is not document:
            line, column = first.at(("plan",))
            problems.append(
                document.problem(("plan",), "another plan has this name", f"It is at {first.file}:{line}:{column}.")
            )
    return problems
