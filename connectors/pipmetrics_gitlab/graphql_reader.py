"""Reads a project through GraphQL: a whole page of merge requests with all that belongs to them in one question.

The question shrinks when the server calls it too complex, fails or leaves holes, and grows again when all is well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_gitlab import from_graphql, queries
from pipmetrics_gitlab.api import PAGE, Api, Holed, Refused, TooComplex, Unknown
from pipmetrics_gitlab.queries import More
from pipmetrics_gitlab.reading import stamp
from pipmetrics_gitlab.values import Change, Issue, Project
from pipmetrics_gitlab.windows import Batch

NIGHT = 75
"""Merge requests when the newest of the rest is asked along with them."""
SMALLEST = 5
"""Fewer rows are not tried when the server fails: then it is not for their number."""
HOLES = 3
"""Answers with holes in a row before REST has to do."""
ALONG = 5
"""Rests of lists in one question."""

Item = TypeVar("Item", Change, Issue)
Node = Mapping[str, Json]


class _Kind(NamedTuple):
    connection: str
    make: Callable[[Node], Any]


KINDS = {
    "changes": _Kind("mergeRequests", from_graphql.change),
    "issues": _Kind("issues", from_graphql.issue),
}
MAKE_PART: Mapping[str, Callable[[Node], Any]] = {
    "notes": from_graphql.note,
    "commits": from_graphql.commit,
    "pipelines": from_graphql.pipeline,
}


@dataclass(slots=True)
class Size:
    """Rows asked at a time; `most` is what the limit of complexity allows."""

    now: int = PAGE
    most: int = PAGE

    def halve(self) -> None:
        self.now = max(1, self.now // 2)

    def fit(self, error: TooComplex) -> None:
        """As many rows as the limit leaves room for: the score grows by 1 % a row."""
        room = (1 + self.now / 100) * error.limit / error.score - 1 if error.score and error.limit else 0.0
        self.most = self.now = max(1, min(int(90 * room), self.now // 2 if room <= 0 else self.now - 1))

    def grow(self) -> None:
        self.now = min(self.most, self.now * 2)


@dataclass(slots=True)
class Talk:
    """What has been learnt of a server's GraphQL, shared by the projects of one pull."""

    api: Api
    missing: set[str] = field(default_factory=set)
    sizes: dict[str, Size] = field(default_factory=lambda: {kind: Size() for kind in KINDS})

    def ask(self, document: str, variables: Node, *, patient: bool = True) -> Node:
        """The data of an answer, without the optional fields that this version does not know."""
        while True:
            try:
                return self.api.graphql(queries.without(document, self.missing), variables, patient=patient)
            except Unknown as error:
                named = {name for name in queries.OPTIONAL | queries.INSIDE.keys() if _names(error.message, name)}
                unknown = {queries.INSIDE.get(name, name) for name in named} - self.missing
                if not unknown:
                    raise
                self.missing |= unknown

    def sized(self, kind: str, document: Callable[[int], str], variables: Node) -> Node:
        """Asks for as many rows as go well."""
        size, holes = self.sizes[kind], 0
        while True:
            try:
                answer = self.ask(document(size.now), variables, patient=size.now <= SMALLEST)
            except TooComplex as error:
                if size.now == 1:
                    raise Refused("even one row is too complex", where="POST /api/graphql") from error
                size.fit(error)
            except Holed:
                holes += 1
                if holes == HOLES:
                    raise
                size.halve()
            except SourceError as error:
                if size.now <= SMALLEST or not (error.status == 0 or error.status >= 500 or error.status == 408):
                    raise
                size.halve()
            else:
                size.grow()
                return answer


def _names(message: str, field: str) -> bool:
    return re.search(rf"\b{field}\b", message) is not None


class GraphqlReader:
    """Batches of merge requests and issues of one project. SourceError 404 when it is not there, 403 when a list is
    hidden; Refused and Holed when REST has to do."""

    def __init__(self, talk: Talk, project: Project) -> None:
        self.talk, self.project = talk, project
        self._asked: dict[tuple[str, datetime, str | None], Node] = {}

    def night(self, after: datetime, cursor: str | None) -> Node | None:
        """The project with its changed merge requests, which are kept for `changes`, and the newest of all else.

        None where the question does not go well; the parts are asked one by one then.
        """
        document = queries.lists("changes", NIGHT, and_latest=True)
        try:
            answer = self.talk.ask(document, self._variables(after, cursor), patient=False)
        except (TooComplex, Holed, Unknown):
            return None
        except SourceError as error:
            if isinstance(error, Refused) or not (error.status == 0 or error.status >= 500):
                raise
            return None
        found = self._project(answer)
        self._asked["changes", after, cursor] = found
        return found

    def changes(self, after: datetime, cursor: str | None) -> Batch[Change]:
        return self._batch("changes", after, cursor)

    def issues(self, after: datetime, cursor: str | None) -> Batch[Issue]:
        return self._batch("issues", after, cursor)

    def _batch(self, kind: str, after: datetime, cursor: str | None, tries: int = HOLES) -> Batch[Any]:
        """An answer that turns out to have holes is asked for again, with fewer rows, then given up."""
        try:
            return self._complete(kind, self._rows(kind, after, cursor))
        except Holed:
            if tries == 1:
                raise
            self.talk.sizes[kind].halve()
            return self._batch(kind, after, cursor, tries - 1)

    def _rows(self, kind: str, after: datetime, cursor: str | None) -> Node:
        found = self._asked.pop((kind, after, cursor), None)
        if found is None:
            variables = self._variables(after, cursor)
            found = self._project(self.talk.sized(kind, lambda rows: queries.lists(kind, rows), variables))
        return found

    def _variables(self, after: datetime, cursor: str | None) -> dict[str, Json]:
        return {"path": self.project.path, "after": stamp(after), "cursor": cursor}

    def _project(self, answer: Node) -> Node:
        found = answer.get("project")
        if not found:
            raise SourceError("no such project, or not visible to this token", where=self.project.path, status=404)
        told = from_graphql.project(found)
        url = told.url or self.project.url or f"{self.talk.api.root}/{told.path}"
        branch = told.default_branch or self.project.default_branch
        self.project = Project(told.id, told.path, url, branch)
        return found  # type: ignore[no-any-return] # JSON

    def _complete(self, kind: str, found: Node) -> Batch[Any]:
        """The rows as values, with the rests of their lists."""
        connection, make = KINDS[kind]
        listed = found.get(connection)
        if listed is None:
            raise SourceError(f"{kind} are hidden from this token, or off", where=self.project.path, status=403)
        rows = listed.get("nodes") or []
        items = {item.iid: item for item in from_graphql.nodes(listed, make)}
        pending = [more for row in rows for more in from_graphql.unread(kind, row)]
        while pending:
            asked, pending = pending[:ALONG], pending[ALONG:]
            for more, extra in zip(asked, self._rests(asked), strict=True):
                items[more.iid] = _extended(items[more.iid], more, extra)
                pending += [more._replace(after=cursor) for cursor in [from_graphql.following(extra)] if cursor]
        return Batch(list(items.values()), from_graphql.following(listed))

    def _rests(self, asked: Sequence[More]) -> list[Node]:
        variables = {"path": self.project.path} | {f"after{number}": more.after for number, more in enumerate(asked)}
        try:
            found = self._project_part(self.talk.ask(queries.rest(asked), variables))
        except TooComplex as error:
            if len(asked) == 1:
                raise Refused("the rest of one list is too complex", where="POST /api/graphql") from error
            return [rest for one in asked for rest in self._rests([one])]
        parts = [found.get(f"m{number}") or {} for number in range(len(asked))]
        return [from_graphql.needed(part, more.part) for part, more in zip(parts, asked, strict=True)]

    def _project_part(self, answer: Node) -> Node:
        found = answer.get("project")
        if not found:
            raise Holed("a GraphQL answer without the project", where="POST /api/graphql")
        return found  # type: ignore[no-any-return] # JSON


def _extended(item: Item, more: More, connection: Node) -> Item:
    extra: tuple[Any, ...] = from_graphql.nodes(connection, MAKE_PART[more.part])
    changed: dict[str, Any] = {more.part: (*getattr(item, more.part), *extra)}
    return replace(item, **changed)
