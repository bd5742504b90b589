"""The HTTP side of the Jira stand-in: its paths, paging, refusals and errors, as documented."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

from pipmetrics.demo.jira.jql import JqlError, Order, Query, parse, sort_key
from pipmetrics.demo.jira.render import Renderer
from pipmetrics.demo.jira.world import Issue, World
from pipmetrics.demo.service import Request, Response
from pipmetrics.model import Json


class Refusal(Exception):
    """An error answer in Jira's form."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = Response.of({"errorMessages": [message], "errors": {}}, status)


NO_ISSUE = "Issue does not exist or you do not have permission to see it."
REMOVED = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."
UNBOUNDED = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."


@dataclass(slots=True)
class Jira:
    """A callable Request -> Response over a World.

    Cloud takes basic authentication of `user` and `token`; Data Center a bearer `token`, or `user` and `password`.
    `context` is the path below which a server lives, as "/jira". `refused` holds endpoints that this site has not.
    """

    world: World
    token: str = "jira-token"  # noqa: S105 - of the stand-in
    user: str = "reader@acme.example"
    password: str = "jira-password"  # noqa: S105 - of the stand-in
    context: str = ""
    refused: set[str] = field(default_factory=set)
    administrator: bool = False
    _tokens: dict[str, tuple[str, list[Any]]] = field(default_factory=dict)

    def __call__(self, request: Request) -> Response:
        try:
            return Response.of(self._answer(request))
        except Refusal as refusal:
            return refusal.response
        except JqlError as error:
            return Refusal(400, str(error)).response

    def _answer(self, request: Request) -> Json:
        path = request.path.removeprefix(self.context)
        match = re.fullmatch(r"/rest/(api|agile)/(2|3|latest|1\.0)/(.+)", path)
        if match is None or (match[2] == "3" and not self.world.cloud) or match[3] in self.refused:
            raise Refusal(404, "null for uri: " + path)
        if not (match[3] == "serverInfo" and "authorization" not in request.headers):
            self._authenticate(request)
        show = Renderer(self.world, request.origin + self.context)
        if match[1] == "agile":
            return self._agile(show, match[3])
        if request.method == "POST":
            return self._post(request, show, match[3])
        if request.method != "GET":
            raise Refusal(405, "Method Not Allowed")
        return self._get(request, show, match[3])

    def _authenticate(self, request: Request) -> None:
        basic = [(self.user, self.token if self.world.cloud else self.password)]
        allowed = [f"Basic {base64.b64encode(f'{user}:{word}'.encode()).decode()}" for user, word in basic]
        if not self.world.cloud:
            allowed.append(f"Bearer {self.token}")
        if request.headers.get("authorization") not in allowed:
            raise Refusal(401, "Client must be authenticated to access this resource.")

    # --- which path is what ---

    def _get(self, request: Request, show: Renderer, path: str) -> Json:
        simple: dict[str, Callable[[Request, Renderer], Json]] = {
            "serverInfo": self._server_info,
            "myself": self._myself,
            "mypermissions": self._permissions,
            "field": lambda _, show: show.field_list(),
            "status": lambda _, show: [show.status(each) for each in self.world.statuses if each.listed],
            "search": self._search,
            "search/jql": self._search_jql,
            "user": self._user,
            "user/search": self._users,
        }
        if path in simple:
            return simple[path](request, show)
        if match := re.fullmatch(r"issue/([^/]+)(?:/(changelog|comment|remotelink))?", path):
            return self._issue(request, show, unquote(match[1]), match[2])
        if match := re.fullmatch(r"project/([^/]+)", path):
            return self._project(match[1])
        raise Refusal(404, "null for uri: " + path)

    def _post(self, request: Request, show: Renderer, path: str) -> Json:
        body = request.json()
        if path == "search/jql" and self.world.cloud:
            expand = str(body.get("expand") or "").split(",")
            return self._enhanced(show, str(body.get("jql") or ""), body.get("fields"), expand, body)
        if path == "search":
            asked = {name: body.get(name) for name in ("startAt", "maxResults")}
            return self._counted(show, str(body.get("jql") or ""), body.get("fields"), body.get("expand") or [], asked)
        if path == "changelog/bulkfetch" and self.world.cloud:
            return self._bulk(show, body)
        if path == "search/approximate-count" and self.world.cloud:
            return {"count": len(self._found(self._parsed(str(body.get("jql") or ""))))}
        raise Refusal(404, "null for uri: " + path)

    def _agile(self, show: Renderer, path: str) -> Json:
        match = re.fullmatch(r"sprint/(\d+)", path)
        sprint = self.world.sprints.get(int(match[1])) if match else None
        if sprint is None:
            raise Refusal(404, "Sprint does not exist.")
        return {name: value for name, value in show.sprint(sprint).items() if name != "boardId"}

    # --- searches ---

    def _parsed(self, text: str) -> Query:
        query = parse(text, self.world)
        if self.world.cloud and not query.bounded:
            raise JqlError(UNBOUNDED)
        return query

    def _found(self, query: Query) -> list[Issue]:
        world = self.world
        found = [each for each in world.seen() if world.indexed(each) and query.test(each)]
        for name, descends in reversed(query.order):
            found.sort(key=partial(sort_key, field=name, world=world), reverse=descends)
        return found

    def _keys(self, issue: Issue, order: Order) -> list[Any]:
        return [sort_key(issue, name, self.world) for name, _ in order]

    def _search(self, request: Request, show: Renderer) -> Json:
        fields, expand = _listed(request.query.get("fields")), _listed(request.query.get("expand"))
        asked = {name: request.ask(name) for name in ("startAt", "maxResults")}
        return self._counted(show, request.ask("jql"), fields, expand, asked)

    def _counted(
        self, show: Renderer, text: str, fields: Sequence[str] | None, expand: Sequence[str], asked: Json
    ) -> Json:
        """Data Center: counted from the start of the list as it is now."""
        if self.world.cloud:
            raise Refusal(410, REMOVED)
        found, fields = self._found(self._parsed(text)), fields or ["*navigable"]
        start, size = int(asked.get("startAt") or 0), min(int(asked.get("maxResults") or 50), self.world.cap or 1000)
        page = [show.issue(each, fields, expand) for each in found[start : start + size]]
        answer: dict[str, Json] = {"startAt": start, "maxResults": size, "total": len(found), "issues": page}
        return answer | self._expanded(show, fields, expand)

    def _search_jql(self, request: Request, show: Renderer) -> Json:
        if not self.world.cloud:
            raise Refusal(404, "null for uri: search/jql")
        asked = {"maxResults": int(request.ask("maxResults", "50")), "nextPageToken": request.ask("nextPageToken")}
        fields = _listed(request.query.get("fields")) or None
        return self._enhanced(show, request.ask("jql"), fields, _listed(request.query.get("expand")), asked)

    def _enhanced(
        self, show: Renderer, text: str, fields: Sequence[str] | None, expand: Sequence[str], asked: Json
    ) -> Json:
        """Cloud: the issues that come after the one where the token was given, wherever that is by now."""
        query, fields = self._parsed(text), list(fields or ["id"])
        found = self._found(query)
        if token := asked.get("nextPageToken"):
            if token not in self._tokens or self._tokens[token][0] != text:
                raise Refusal(400, "The provided next page token is invalid or expired.")
            after = self._tokens[token][1]
            found = [each for each in found if _compared(self._keys(each, query.order), after, query.order) > 0]
        few = set(fields) <= {"id", "key"}
        size = min(int(asked.get("maxResults") or 50), 5000 if few else self.world.cap or 100)
        page = found[:size]
        answer: dict[str, Json] = {"issues": [show.issue(each, fields, expand) for each in page]}
        if len(found) > size:
            answer["nextPageToken"] = self._token(text, self._keys(page[-1], query.order))
        return answer | {"isLast": len(found) <= size} | self._expanded(show, fields, expand)

    def _token(self, text: str, after: list[Any]) -> str:
        token = f"page-{len(self._tokens) + 1}"
        self._tokens[token] = text, after
        return token

    def _expanded(self, show: Renderer, fields: Sequence[str], expand: Sequence[str]) -> dict[str, Json]:
        return {"schema": show.schema(fields)} if "schema" in expand else {}

    # --- issues ---

    def _visible(self, id: str) -> Issue:
        issue = self.world.find(id)
        if issue is None or not (issue.visible and issue.project.visible):
            raise Refusal(404, NO_ISSUE)
        return issue

    def _issue(self, request: Request, show: Renderer, id: str, part: str | None) -> Json:
        issue = self._visible(id)
        start, size = int(request.ask("startAt", "0")), min(int(request.ask("maxResults", "50")), 100)
        if part == "changelog":
            if not self.world.cloud:
                raise Refusal(404, "null for uri: changelog")
            changes = sorted(issue.changes, key=lambda change: (change.at, int(change.id)))
            listed = [show.change(each) for each in changes[start : start + size]]
            last = start + size >= len(changes)
            return {"startAt": start, "maxResults": size, "total": len(changes), "isLast": last, "values": listed}
        if part == "comment":
            listed = [show.comment(each) for each in issue.comments[start : start + size]]
            return {"startAt": start, "maxResults": size, "total": len(issue.comments), "comments": listed}
        if part == "remotelink":
            return [
                {"id": int(number), "relationship": words, "object": {"url": url, "title": url}}
                for number, words, url in issue.pages
            ]
        return show.issue(issue, _listed(request.query.get("fields")) or ["*all"], _listed(request.query.get("expand")))

    def _bulk(self, show: Renderer, body: Json) -> Json:
        """Oldest entries first over all issues asked for; those that are not visible are left out."""
        ids = body.get("issueIdsOrKeys")
        if not isinstance(ids, list) or not 0 < len(ids) <= 1000:
            raise Refusal(400, "issueIdsOrKeys must hold between 1 and 1000 ids or keys.")
        issues = [
            issue for id in ids if (issue := self.world.find(str(id))) and issue.visible and issue.project.visible
        ]
        every = sorted(
            ((change.at, int(issue.id), int(change.id), issue, change) for issue in issues for change in issue.changes),
            key=lambda each: each[:3],
        )
        start, size = int(body.get("nextPageToken") or 0), min(int(body.get("maxResults") or 1000), 10_000)
        logs: dict[str, list[Json]] = {}
        for *_, issue, change in every[start : start + size]:
            logs.setdefault(issue.id, []).append(show.change(change, epoch=True))
        answer: dict[str, Json] = {
            "issueChangeLogs": [{"issueId": id, "changeHistories": listed} for id, listed in logs.items()]
        }
        return answer | ({"nextPageToken": str(start + size)} if start + size < len(every) else {})

    # --- the rest ---

    def _server_info(self, request: Request, show: Renderer) -> Json:
        return {
            "baseUrl": show.base,
            "version": "1001.0.0" if self.world.cloud else "10.3.2",
            "versionNumbers": [1001, 0, 0] if self.world.cloud else [10, 3, 2],
            "deploymentType": "Cloud" if self.world.cloud else "Server",
            "serverTime": show.stamp(self.world.now),
            "serverTitle": "Jira",
        }

    def _myself(self, request: Request, show: Renderer) -> Json:
        return {"displayName": "Reader", "name": "reader", "timeZone": self.world.zone, "active": True}

    def _permissions(self, request: Request, show: Renderer) -> Json:
        if key := request.ask("projectKey"):
            self._project(key)
        granted = {"BROWSE_PROJECTS": True, "ADMINISTER": self.administrator}
        return {"permissions": {name: {"key": name, "havePermission": given} for name, given in granted.items()}}

    def _project(self, key: str) -> Json:
        project = self.world.projects.get(key)
        if project is None or not project.visible:
            raise Refusal(404, f"No project could be found with key '{key}'.")
        return {"id": project.id, "key": project.key, "name": project.name}

    def _user(self, request: Request, show: Renderer) -> Json:
        wanted = request.ask("accountId" if self.world.cloud else "username")
        for user in self.world.users.values():
            if not user.deleted and wanted == (user.id if self.world.cloud else user.login):
                return show.user(user.id)
        raise Refusal(404, "The user does not exist.")

    def _users(self, request: Request, show: Renderer) -> Json:
        """By the address (hidden ones are found too, and shown without), or the start of a name."""
        wanted = request.ask("query" if self.world.cloud else "username").lower()
        found = [
            each
            for each in self.world.users.values()
            if not each.deleted and (wanted == (each.email or "").lower() or each.name.lower().startswith(wanted))
        ]
        return [show.user(each.id) for each in found]


def _listed(values: Sequence[str] | None) -> list[str]:
    return [name for value in values or () for name in value.split(",") if name]


def _compared(one: Sequence[Any], other: Sequence[Any], order: Order) -> int:
    for (_, descends), left, right in zip(order, one, other, strict=True):
        if left != right:
            return -1 if (left < right) != descends else 1
    return 0
