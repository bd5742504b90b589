"""Which projects the configuration means, and in which of them something is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from urllib.parse import quote

from pipmetrics.errors import SourceError
from pipmetrics.model import Gap, Json, Source
from pipmetrics_gitlab import from_graphql, from_rest, queries
from pipmetrics_gitlab.api import PAGE, Api, Holed, Refused, TooComplex, project_path
from pipmetrics_gitlab.deployments import is_production
from pipmetrics_gitlab.graphql_reader import Talk
from pipmetrics_gitlab.reading import instant
from pipmetrics_gitlab.values import Project

TOGETHER = 10
"""Projects surveyed in one question."""
_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest update of each kind in a project; None: there is nothing. A kind that is absent was not told."""

    of: Mapping[str, datetime | None]


@dataclass(slots=True)
class Found:
    """Projects by their path, what is latest in them where that was told, and what could not be found."""

    projects: dict[str, Project] = field(default_factory=dict)
    latest: dict[str, Latest] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)
    """What each plain entry of the configuration turned out to be: project or group."""


def is_pattern(entry: str) -> bool:
    return any(mark in entry for mark in _WILD)


def group_of(pattern: str) -> str:
    """The group that every match lies in: what stands before the first wildcard, up to a slash."""
    parts = pattern.split("/")
    plain = next((number for number, part in enumerate(parts) if is_pattern(part)), len(parts))
    return "/".join(parts[:plain])


def find(api: Api, talk: Talk | None, bookmark: Mapping[str, Json], skip: Sequence[str]) -> Found:
    """The projects of the source. `bookmark` is what `saved` gave; `talk` None: GraphQL is not to be used."""
    found, known = Found(), bookmark.get("projects") or {}
    for entry in api.source.projects:
        held = (bookmark.get("entries") or {}).get(entry)
        if held == "project" and entry in known:
            found.projects[entry] = Project(*known[entry])
            found.entries[entry] = held
            continue
        try:
            _resolve(api, talk, entry, held, found)
        except SourceError as error:
            if error.status not in (403, 404):
                raise
            found.gaps.append(Gap(api.source.name, entry, error.what))
        else:
            _look_for_vanished(api, entry, known, found)
    for path in [path for path in found.projects if any(fnmatchcase(path, pattern) for pattern in skip)]:
        del found.projects[path]
    return found


def saved(found: Found) -> dict[str, Json]:
    known = {one.path: [one.id, one.path, one.url, one.default_branch] for one in found.projects.values()}
    return {"entries": found.entries, "projects": known}


def _resolve(api: Api, talk: Talk | None, entry: str, held: str | None, found: Found) -> None:
    if is_pattern(entry):
        for project in _listed(api, talk, group_of(entry), found):
            if fnmatchcase(project.path, entry):
                found.projects[project.path] = project
        return
    if held != "group":
        try:
            project = from_rest.project(api.object(project_path(entry)))
        except SourceError as error:
            if error.status != 404:
                raise
        else:
            found.projects[project.path], found.entries[entry] = project, "project"
            return
    found.projects |= {project.path: project for project in _listed(api, talk, entry, found)}
    found.entries[entry] = "group"


def _look_for_vanished(api: Api, entry: str, known: Mapping[str, Json], found: Found) -> None:
    """A project that a group does not list any more is asked for: a token that lost sight of it is no empty project."""
    pattern = entry if is_pattern(entry) else f"{entry}/*"
    for path in (path for path in known if path not in found.projects and fnmatchcase(path, pattern)):
        try:
            project = from_rest.project(api.object(project_path(path)))
        except SourceError as error:
            if error.status not in (403, 404):
                raise
            found.gaps.append(Gap(api.source.name, path, f"it was there before: {error.what}"))
        else:
            found.projects.setdefault(project.path, project)


def _listed(api: Api, talk: Talk | None, group: str, found: Found) -> Iterator[Project]:
    """All projects of a group, subgroups included; without a group all that the token is a member of."""
    if group and talk is not None:
        try:
            projects = _by_graphql(talk, group, api.source)
        except (Refused, TooComplex, Holed):
            pass
        else:
            found.latest |= {project.path: latest for project, latest in projects}
            yield from (project for project, _ in projects)
            return
    path = f"/groups/{quote(group, safe='')}/projects" if group else "/projects"
    query = {"include_subgroups": "true"} if group else {"membership": "true"}
    for row in api.all(path, order_by="id", sort="asc", **query):
        yield from_rest.project(row)


def _by_graphql(talk: Talk, group: str, source: Source) -> list[tuple[Project, Latest]]:
    projects: list[tuple[Project, Latest]] = []
    cursor: str | None = None
    while True:
        answer = talk.ask(queries.group(PAGE), {"path": group, "cursor": cursor})
        held = answer.get("group")
        if not held:
            raise SourceError("no such project or group, or not visible to this token", where=group, status=404)
        listed = from_graphql.needed(held, "projects")
        nodes = from_graphql.nodes(listed, dict)
        projects += [(from_graphql.project(node), latest(node, source)) for node in nodes]
        before, cursor = cursor, from_graphql.following(listed)
        if cursor is None:
            return projects
        if cursor == before:
            raise Holed("the list of projects does not end", where=group)


def survey(talk: Talk, paths: Sequence[str], source: Source) -> dict[str, Latest]:
    """What is latest in each project, many in one question; what GraphQL does not tell is left out."""
    found: dict[str, Latest] = {}
    for start in range(0, len(paths), TOGETHER):
        part = paths[start : start + TOGETHER]
        variables = {f"path{number}": path for number, path in enumerate(part)}
        answer = talk.ask(queries.survey(len(part)), variables)
        for number, path in enumerate(part):
            if node := answer.get(f"p{number}"):
                found[path] = latest(node, source)
    return found


def latest(node: Mapping[str, Json], source: Source) -> Latest:
    told: dict[str, datetime | None] = {}
    for kind, name in (("changes", "mergeRequests"), ("issues", "issues")):
        if node.get(name) is not None:
            stamps = from_graphql.nodes(node[name], lambda row: instant(from_graphql.needed(row, "updatedAt")))
            told[kind] = max(stamps, default=None)
    environments = node.get("environments")
    if environments is not None and (environments.get("pageInfo") or {}).get("hasNextPage") is False:
        told["deployments"] = max(_deployed(environments, source), default=None)
    return Latest(told)


def _deployed(environments: Mapping[str, Json], source: Source) -> Iterator[datetime]:
    for node in from_graphql.nodes(environments, dict):
        last = node.get("lastDeployment")
        if last and is_production(str(node.get("name")), source):
            yield instant(from_graphql.needed(last, "updatedAt"))
