"""One pull: projects, and in each what is new of merge requests, issues and deployments, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pipmetrics.errors import Deferred, SourceError
from pipmetrics.model import Gap, Json
from pipmetrics.plugin import Page
from pipmetrics_gitlab import from_rest, projects
from pipmetrics_gitlab.api import Api, project_path
from pipmetrics_gitlab.graphql_reader import Talk
from pipmetrics_gitlab.people import People
from pipmetrics_gitlab.project_reading import KINDS, Pull, Reading
from pipmetrics_gitlab.reading import instant
from pipmetrics_gitlab.values import Project
from pipmetrics_gitlab.windows import OVERLAP, reaches

LISTING = "projects"
"""The bookmark of what the configuration turned out to mean."""


def pages(api: Api, bookmarks: Mapping[str, Json], since: datetime, skip: Sequence[str]) -> Iterator[Page]:
    """All pages of a pull. A project that fails is a gap; what concerns the whole instance is raised."""
    held = {name: value for name, value in bookmarks.items() if reaches(value, since)}
    pull = Pull(api, held, since, Talk(api), People(api))
    found = projects.find(api, pull.talk, bookmarks.get(LISTING) or {}, skip)
    failures: list[SourceError] = []
    yield _listing(pull, found)
    latest = {**found.latest, **_surveyed(pull, [path for path in found.projects if path not in found.latest])}
    for path, project in found.projects.items():
        try:
            yield from _project(pull, project, latest.get(path))
        except SourceError as error:
            if isinstance(error, Deferred) or error.status == 401:
                raise
            failures.append(error)
            yield Page(gaps=[pull.gap(path, error)], bookmarks={f"{path}/gap": True})
    if failures and len(failures) == len(found.projects) and failures[-1].status not in (403, 404):
        raise failures[-1]


def _listing(pull: Pull, found: projects.Found) -> Page:
    """What the configuration means, with the gaps of entries that mean nothing (any more), and those closed again."""
    broken = [gap.part for gap in found.gaps]
    before = pull.bookmarks.get(LISTING) or {}
    mended = [part for part in before.get("gaps") or () if part not in broken]
    gaps = [*found.gaps, *(Gap(pull.source.name, part, "") for part in mended)]
    known = projects.saved(found)
    known["projects"] = {**(before.get("projects") or {}), **known["projects"]} if broken else known["projects"]
    return Page(gaps=gaps, bookmarks={LISTING: {**known, "gaps": broken}})


def _surveyed(pull: Pull, paths: Sequence[str]) -> Mapping[str, projects.Latest]:
    """What is latest in projects that have been read before; a single one is read straight away."""
    known = [path for path in paths if all(pull.bookmark(path, kind).get("until") for kind in KINDS)]
    if len(known) < 2 or pull.talk is None:
        return {}
    try:
        return projects.survey(pull.talk, known, pull.source)
    except SourceError as error:
        if isinstance(error, Deferred) or error.status == 401:
            raise
        return {}


def _is_quiet(bookmark: Mapping[str, Json], newest: datetime | None) -> bool:
    """Nothing is newer than what was read, and what was read was 48 hours old already: no straggler can have come."""
    if bookmark.get("walk") or not bookmark.get("start"):
        return False
    until = instant(bookmark["until"])
    return (newest is None or newest <= until) and instant(bookmark["start"]) - until >= OVERLAP


def _project(pull: Pull, project: Project, latest: projects.Latest | None) -> Iterator[Page]:
    """One project, under its new path if it has moved."""
    try:
        yield from _read(pull, project, latest)
    except SourceError as error:
        moved = _moved(pull, project) if error.status == 404 else None
        if moved is None:
            raise
        yield from _read(pull, moved, None)
    if pull.bookmarks.get(f"{project.path}/gap"):
        yield Page(gaps=[Gap(pull.source.name, project.path, "")], bookmarks={f"{project.path}/gap": None})


def _moved(pull: Pull, project: Project) -> Project | None:
    """REST redirects from a former path where GraphQL finds nothing."""
    found = from_rest.project(pull.api.object(project_path(project.path)))
    return found if found.path != project.path else None


def _read(pull: Pull, project: Project, latest: projects.Latest | None) -> Iterator[Page]:
    reading = Reading(pull, project)
    told = (latest or reading.latest() or projects.Latest({})).of
    for kind in KINDS:
        bookmark = pull.bookmark(project.path, kind)
        if kind not in told or not _has_nothing_new(pull, bookmark, told[kind]):
            yield from reading.pages(kind)
        elif not bookmark:
            yield reading.nothing(kind)


def _has_nothing_new(pull: Pull, bookmark: Mapping[str, Json], newest: datetime | None) -> bool:
    if bookmark:
        return _is_quiet(bookmark, newest)
    return newest is None or newest < pull.since
