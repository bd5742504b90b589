"""GitLab's two APIs through python-gitlab's client, over the source's wire: REST v4 and GraphQL.

Shapes are checked here, where they enter. What GraphQL answers is good when it holds no error at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import gitlab
import requests

from pipmetrics.errors import SourceError
from pipmetrics.model import Json, Source
from pipmetrics.transport import Wire, mount

PAGE = 100
"""The most that GitLab gives at once."""
FEWEST_TRIES = 2
"""Tries for a GraphQL question that a smaller one can replace."""
NO_GRAPHQL = frozenset({200, 400, 403, 404, 405, 406, 410, 413, 414, 415, 422})
"""Statuses by which a server says that it does not serve our GraphQL (200: with something that is no such answer)."""

_UNKNOWN = re.compile(
    r"doesn't exist|cannot query field|unknown argument|doesn't accept argument|unknown type|is not defined|undefined",
    re.IGNORECASE,
)
_TOO_COMPLEX = re.compile(r"complexity", re.IGNORECASE)


class Refused(SourceError):
    """GraphQL is not offered here, or not in the version that we speak: REST has to do."""


class TooComplex(SourceError):
    """The question scores over the limit; `score` and `limit` as far as GitLab says them."""

    def __init__(self, where: str, score: float | None, limit: float | None) -> None:
        super().__init__("the query is too complex", where=where)
        self.score, self.limit = score, limit


class Unknown(Refused):
    """The schema lacks a field or an argument; `message` names it."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"GraphQL does not know a part of the query: {message[:200]}", where=where)
        self.message = message


class Holed(SourceError):
    """A GraphQL answer with errors or without something that it must have: not a success."""


class Listing(NamedTuple):
    """One page of a list and the URL of the next one."""

    rows: list[Json]
    next: str | None


class Api:
    """Asks nothing before the first call. `root` is the URL that the instance's pages begin with; `absent` counts
    for how many items a list below them was not there."""

    def __init__(self, source: Source, wire: Wire) -> None:
        self.source, self.wire = source, wire
        self.absent = Counter[str]()
        self.root = source.url.rstrip("/")
        self._session = mount(requests.Session(), wire)

    @cached_property
    def _token(self) -> str | None:
        return self.wire.reveal(self.source.token) if self.source.token else None

    @cached_property
    def _client(self) -> gitlab.Gitlab:
        """For REST, whose documentation knows tokens as private ones."""
        return gitlab.Gitlab(self.root, private_token=self._token, session=self._session, keep_base_url=True)

    @cached_property
    def _speaker(self) -> gitlab.Gitlab:
        """For GraphQL, whose documentation knows tokens as bearers."""
        return gitlab.Gitlab(self.root, oauth_token=self._token, session=self._session)

    # --- REST -----------------------------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Json:
        """One object or one list."""
        return self._ask(path, query).json()

    def object(self, path: str, **query: Any) -> Mapping[str, Json]:
        found = self.get(path, **query)
        if not isinstance(found, dict):
            raise SourceError("the answer is no object", where=f"GET {path}")
        return found

    def page(self, path: str, **query: Any) -> Listing:
        """One page of a list; `path` may be the `next` of another page."""
        response = self._ask(path, query)
        rows = response.json()
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise SourceError("the answer is no list of objects", where=f"GET {urlsplit(path).path}")
        return Listing(rows, response.links.get("next", {}).get("url") or _following(response))

    def all(self, path: str, **query: Any) -> Iterator[Json]:
        """Every row of a list, by `next` links alone: totals and last pages are not always told."""
        page, seen = self.page(path, per_page=PAGE, **query), {path}
        while True:
            yield from page.rows
            if page.next is None:
                return
            if page.next in seen:
                raise SourceError("the list leads back to a page it has given", where=f"GET {path}")
            seen.add(page.next)
            page = self.page(page.next)

    def _ask(self, path: str, query: Mapping[str, Any]) -> requests.Response:
        named = {name: value for name, value in query.items() if value is not None}
        return self._client.http_request("get", path, query_data=named)

    # --- GraphQL --------------------------------------------------------------------------------------------------

    def graphql(self, document: str, variables: Mapping[str, Json], *, patient: bool = True) -> Mapping[str, Json]:
        """The `data` of an answer without errors. `patient` False: give up early on faults that fewer rows may avoid.

        Refused (or Unknown), TooComplex and Holed say what went wrong in a way that something can be done about.
        """
        where = "POST /api/graphql"
        try:
            with self.wire.at_most(self.wire.policy.tries if patient else FEWEST_TRIES):
                found = self._post({"query": document, "variables": dict(variables)})
        except SourceError as error:
            if error.status in NO_GRAPHQL:
                raise Refused("GraphQL is not offered", where=where, status=error.status) from error
            raise
        if errors := found.get("errors"):
            raise _told(errors if isinstance(errors, list) else [errors], where)
        answer = found.get("data")
        if not isinstance(answer, dict):
            raise Holed("a GraphQL answer without data", where=where)
        return answer

    def _post(self, body: Mapping[str, Json]) -> Mapping[str, Json]:
        answer: Json = self._speaker.http_request("post", f"{self.root}/api/graphql", post_data=dict(body)).json()
        return answer if isinstance(answer, dict) else {}

    # --- the server's clock ---------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime | None:
        """The newest instant that GitLab's clock has shown."""
        return self.wire.server_date


def project_path(path: str, *rest: object) -> str:
    """The REST path of something in a project, whose own path goes in encoded."""
    return "/".join([f"/projects/{quote(path, safe='')}", *(quote(str(part), safe="") for part in rest)])


def _following(response: requests.Response) -> str | None:
    """The next page where a proxy has cut the Link header off and the page's number is all that is told."""
    number = response.headers.get("X-Next-Page", "")
    if response.links or not number.isdigit():
        return None
    asked = urlsplit(response.url)
    parameters = {**parse_qs(asked.query), "page": number}
    return requests.Request("GET", asked._replace(query="").geturl(), params=parameters).prepare().url


def _told(errors: Sequence[Json], where: str) -> SourceError:
    messages = [str(error.get("message", error)) if isinstance(error, dict) else str(error) for error in errors]
    text = "; ".join(messages)
    if _UNKNOWN.search(text):
        return Unknown(where, text)
    if _TOO_COMPLEX.search(text):
        numbers = [float(number) for number in re.findall(r"\d+", text)]
        score, limit = (numbers[0], numbers[1]) if len(numbers) >= 2 else (None, None)
        return TooComplex(where, score, limit)
    return Holed(f"GraphQL answered with errors: {text[:200]}", where=where)
