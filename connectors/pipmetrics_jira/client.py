"""One Jira site, asked through the session of the jira client: raw answers, their shape checked, every page our own.

The client builds the session (headers, authentication); its own paging and retries are not used: they stop early or
never, and give None where a server is no Cloud.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipmetrics.errors import SourceError
from pipmetrics.model import Json, Source
from pipmetrics.transport import Wire, mount
from pipmetrics_jira.payloads import moment

if TYPE_CHECKING:
    from jira import JIRA
    from requests import Response

MOVED = (404, 405, 410, 501)
"""What a site answers when it does not offer an endpoint."""
BULK = 1000
"""Issues that one changelog/bulkfetch takes."""
BULK_PAGE = 10_000
PAGE = 100
REPEATS = 20
"""Empty pages in a row after which a list is taken to have no end."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search. `issues` as they came, holes included; `total` on Data Center alone."""

    issues: Sequence[Json]
    token: str | None = None
    total: int | None = None
    schema: Mapping[str, Json] | None = None
    warned: bool = False


class Api:
    """Knows the paths of both kinds of Jira. `cloud` is None until `open` has asked, or `suppose` has said so."""

    def __init__(self, source: Source, wire: Wire) -> None:
        self.source, self.wire = source, wire
        self.base = source.url.rstrip("/")
        self.cloud: bool | None = None
        self._supposed = False
        self.told: datetime | None = None
        """The server's clock by its own word, when it was last asked."""
        self._by_get = False

    @cached_property
    def _client(self) -> JIRA:
        """Asks nothing. Cloud takes an e-mail address and a token; Data Center a token, or a user and password."""
        from jira import JIRA

        source, wire = self.source, self.wire
        token = wire.reveal(source.token) if source.token else None
        user = wire.reveal(source.user) if source.user else None
        basic = (user, token) if user and token else None
        client = JIRA(
            self.base, basic_auth=basic, token_auth=None if basic else token, get_server_info=False, max_retries=0
        )
        mount(client._session, wire)
        return client

    def suppose(self, cloud: bool | None = None) -> None:
        """What the server was at an earlier reading, or what the way it is signed in to says; else it is asked.

        An e-mail address signs in to Cloud, a token alone to Data Center. Supposing spares a request, and the server
        is asked as soon as a search shows that it is otherwise.
        """
        if cloud is None:
            user = self.wire.reveal(self.source.user) if self.source.user else ""
            host = urlsplit(self.base).hostname or ""
            if user and "@" not in user:
                self.open()
                return
            cloud = bool(user) or host.endswith((".atlassian.net", ".atlassian.com"))
        self.cloud, self._supposed = cloud, True

    def open(self) -> Mapping[str, Json]:
        """Asks the server what it is."""
        try:
            about = self.one("/rest/api/2/serverInfo")
        except SourceError as error:
            if error.status not in MOVED:
                raise
            about = self.one("/rest/api/3/serverInfo")
        self.cloud, self._supposed = about.get("deploymentType") == "Cloud", False
        self._client.deploymentType = about.get("deploymentType")
        self.told = moment(about.get("serverTime"))
        return about

    @property
    def api(self) -> str:
        return f"/rest/api/{3 if self.cloud else 2}"

    def server_time(self) -> datetime | None:
        """The server's clock, by what it said of itself and by the date of its latest answer."""
        known = [at for at in (self.told, self.wire.server_date) if at]
        return max(known) if known else None

    # --- one request ---

    def one(self, path: str, **query: str | int) -> Mapping[str, Json]:
        """The object that a path holds; SourceError when it holds something else, or errors."""
        return self._object("GET", path, self._client._session.get(self.base + path, params=query))

    def many(self, path: str, **query: str | int) -> Sequence[Mapping[str, Json]]:
        """The list of objects that a path holds; SourceError when it holds something else, or holes."""
        found = self._client._session.get(self.base + path, params=query).json()
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise SourceError("the answer is no list of objects", where=f"GET {path}")
        return found

    def post(self, path: str, body: Mapping[str, Json]) -> Mapping[str, Json]:
        return self._object("POST", path, self._client._session.post(self.base + path, json=dict(body)))

    def _object(self, method: str, path: str, response: Response) -> Mapping[str, Json]:
        found = response.json()
        if not isinstance(found, dict):
            raise SourceError("the answer is no object", where=f"{method} {path}")
        if found.get("errorMessages") or found.get("errors"):
            raise SourceError("the answer holds errors though its status is a success", where=f"{method} {path}")
        return found

    # --- searches ---

    def search(
        self,
        jql: str,
        fields: Sequence[str],
        *,
        expand: Sequence[str] = (),
        size: int = PAGE,
        start: int = 0,
        token: str | None = None,
    ) -> Found:
        """One page: by token on Cloud, by `start` on Data Center, which may give fewer than `size`."""
        asked: dict[str, Json] = {"jql": jql, "maxResults": size, "fields": list(fields)}
        if expand:
            asked["expand"] = ",".join(expand)
        try:
            return self._search(asked, start, token)
        except SourceError as error:
            if error.status not in MOVED or not self._supposed:
                raise
        self.open()
        return self._search(asked, start, token)

    def _search(self, asked: Mapping[str, Json], start: int, token: str | None) -> Found:
        if self.cloud:
            more = {"nextPageToken": token} if token else {}
            return self._search_cloud("/rest/api/3/search/jql", {**asked, **more})
        path = "/rest/api/2/search"
        return _found(self.one(path, **_flat({**asked, "startAt": start})), path)

    def _search_cloud(self, path: str, asked: Mapping[str, Json]) -> Found:
        if not self._by_get:
            try:
                return _found(self.post(path, asked), path)
            except SourceError as error:
                if error.status not in (404, 405):
                    raise
        found = _found(self.one(path, **_flat(asked)), path)
        self._by_get = True
        return found

    def ids(self, jql: str, *, start: int = 0, token: str | None = None) -> Found:
        """One page of issues without any content: both kinds of Jira give far more of those at once."""
        return self.search(jql, ["id"], size=5000 if self.cloud else 1000, start=start, token=token)

    # --- the rest ---

    def histories(self, ids: Sequence[str]) -> dict[str, list[Json]]:
        """Whole changelogs of up to `BULK` issues of a Cloud site, in as few pages as it gives."""
        path = f"{self.api}/changelog/bulkfetch"
        found: dict[str, list[Json]] = {}
        body: dict[str, Json] = {"issueIdsOrKeys": list(ids), "maxResults": BULK_PAGE}
        seen: set[str] = set()
        while True:
            answer = self.post(path, body)
            logs = answer.get("issueChangeLogs")
            if not isinstance(logs, list):
                raise SourceError("the answer holds no changelogs", where=f"POST {path}")
            for log in logs:
                if isinstance(log, Mapping) and isinstance(log.get("changeHistories"), list):
                    found.setdefault(str(log.get("issueId")), []).extend(log["changeHistories"])
            token = answer.get("nextPageToken")
            if not token:
                return found
            if token in seen:
                raise SourceError("the same page token came twice: the list has no end", where=f"POST {path}")
            seen.add(token)
            body["nextPageToken"] = token

    def paged(self, path: str, name: str) -> list[Json]:
        """All of a list that is paged by startAt and total (changelog, comments of one issue), which only grows."""
        found: list[Json] = []
        while True:
            answer = self.one(path, startAt=len(found), maxResults=PAGE)
            part = answer.get(name)
            if not isinstance(part, list):
                raise SourceError(f"the answer holds no {name}", where=f"GET {path}")
            found += part
            total = answer.get("total")
            if not part or answer.get("isLast") is True or (isinstance(total, int) and len(found) >= total):
                return found


def _flat(asked: Mapping[str, Json]) -> dict[str, str | int]:
    return {name: ",".join(value) if isinstance(value, list) else value for name, value in asked.items()}


def _found(answer: Mapping[str, Json], path: str) -> Found:
    issues = answer.get("issues")
    if not isinstance(issues, list):
        raise SourceError("the answer holds no list of issues", where=path)
    token, total, schema = (answer.get(name) for name in ("nextPageToken", "total", "schema"))
    return Found(
        issues=issues,
        token=str(token) if token else None,
        total=total if isinstance(total, int) else None,
        schema=schema if isinstance(schema, dict) else None,
        warned=bool(answer.get("warningMessages") or answer.get("warnings")),
    )
