"""REST v4: the endpoints that a reader of facts has a use for, as the documentation describes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import unquote

from pipmetrics.demo.gitlab import shapes
from pipmetrics.demo.gitlab.pages import Bad, keyset, paged
from pipmetrics.demo.gitlab.work import Issue, MergeRequest
from pipmetrics.demo.gitlab.world import Project, Token, World
from pipmetrics.demo.service import Request, Response


class Missing(Exception):
    """404, with what is not found."""


class Off(Exception):
    """403: the project does without this feature."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request with what its path named."""

    world: World
    token: Token
    request: Request
    parts: tuple[str, ...]

    @property
    def origin(self) -> str:
        return self.request.origin

    def project(self) -> Project:
        found = self.world.find(self.token, self.parts[0])
        if found is None:
            _missing("404 Project Not Found")
        return found

    def feature(self, name: str) -> Project:
        project = self.project()
        if name in project.hidden:
            raise Off
        return project

    def merge_request(self) -> MergeRequest:
        found = [one for one in self.feature("merge_requests").merge_requests if str(one.iid) == self.parts[1]]
        return found[0] if found else _missing()

    def issue(self) -> Issue:
        found = [one for one in self.feature("issues").issues if str(one.iid) == self.parts[1]]
        return found[0] if found else _missing()


def _missing(what: str = "404 Not found") -> NoReturn:
    raise Missing(what)


def answer(world: World, token: Token, request: Request) -> Response:
    """The answer to a request below /api/v4."""
    if request.method != "GET":
        return Response.of({"error": "405 Method Not Allowed"}, 405)
    path = request.path.removeprefix("/api/v4")
    for pattern, handler in ROUTES:
        if found := re.fullmatch(pattern, path):
            parts = tuple(map(unquote, found.groups()))
            return _answered(handler, Call(world, token, request, parts))
    return Response.of({"error": "404 Not Found"}, 404)


def _answered(handler: Callable[[Call], Response], call: Call) -> Response:
    if moved := _redirect(call):
        return moved
    try:
        return handler(call)
    except Missing as missing:
        return Response.of({"message": str(missing)}, 404)
    except Off:
        return Response.of({"message": "403 Forbidden"}, 403)
    except Bad as bad:
        return Response.of({"error": str(bad)}, 400)


def _redirect(call: Call) -> Response | None:
    """A former path of a project leads to its id."""
    request = call.request
    if not call.parts or not request.path.startswith("/api/v4/projects/"):
        return None
    now = call.world.find(call.token, call.parts[0])
    if now is None or call.parts[0] in (now.path, str(now.id)):
        return None
    quoted = request.path.removeprefix("/api/v4/projects/").split("/")[0]
    where = request.path.replace(quoted, str(now.id), 1)
    query = "&".join(f"{name}={value}" for name, values in request.query.items() for value in values)
    return Response(301, b"{}", {"Location": f"{call.origin}{where}{'?' if query else ''}{query}"})


# --- lists of items -----------------------------------------------------------------------------------------------


def _instant(call: Call, name: str) -> datetime | None:
    text = call.request.ask(name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Bad(f"{name} is invalid") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _choice(call: Call, name: str, usual: str, *known: str) -> str:
    said = call.request.ask(name, usual)
    if said not in (usual, *known):
        raise Bad(f"{name} does not have a valid value")
    return said


def _filtered(call: Call, items: Iterable[Any], orders: tuple[str, ...]) -> list[Any]:
    """By state, numbers and updates, in the order asked for."""
    after, before = _instant(call, "updated_after"), _instant(call, "updated_before")
    order = _choice(call, "order_by", orders[0], *orders[1:])
    descending = _choice(call, "sort", "desc", "asc") == "desc"
    iids = call.request.query.get("iids[]")
    found = [
        item
        for item in items
        if (iids is None or str(item.iid) in iids)
        and (after is None or item.updated >= after)
        and (before is None or item.updated <= before)
    ]
    keys: dict[str, Callable[[Any], Any]] = {
        "updated_at": lambda item: (item.updated, item.id),
        "created_at": lambda item: (item.created, item.id),
        "id": lambda item: item.id,
    }
    return sorted(found, key=keys[order], reverse=descending)


def _items(call: Call, items: Iterable[Any], states: tuple[str, ...]) -> list[Any]:
    state = _choice(call, "state", "all", *states)
    _choice(call, "scope", "all", "created_by_me", "assigned_to_me")
    found = _filtered(call, items, ("created_at", "updated_at"))
    return [item for item in found if state in ("all", item.state)]


def merge_requests(call: Call) -> Response:
    found = _items(call, call.feature("merge_requests").merge_requests, ("opened", "closed", "locked", "merged"))
    return paged(call.request, [shapes.merge_request(one, call.origin) for one in found])


def issues(call: Call) -> Response:
    found = _items(call, call.feature("issues").issues, ("opened", "closed"))
    return paged(call.request, [shapes.issue(one, call.origin) for one in found])


def deployments(call: Call) -> Response:
    status = _choice(call, "status", "", "created", "running", "success", "failed", "canceled", "blocked")
    environment = call.request.ask("environment")
    if call.request.ask("updated_after") and call.request.ask("order_by") != "updated_at":
        raise Bad("`updated_at` filter and `updated_at` sorting must be paired")
    found = _filtered(call, call.feature("deployments").deployments, ("id", "created_at", "updated_at"))
    kept = [one for one in found if status in ("", one.status) and environment in ("", one.environment)]
    return paged(call.request, [shapes.deployment(one, call.origin) for one in kept])


def events(call: Call) -> Response:
    """Closings, reopenings and merges; `after` is a day and leaves that day out."""
    project, action = call.project(), call.request.ask("action")
    after = call.request.ask("after")
    if after and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", after):
        raise Bad("after is invalid")
    rows = [shapes.event(one, item, call.origin) for item in project.items() for one in item.events]
    kept = [row for row in rows if action in ("", row["action_name"]) and (not after or row["created_at"][:10] > after)]
    return paged(call.request, sorted(kept, key=lambda row: str(row["created_at"]), reverse=True))


# --- one item and what belongs to it ------------------------------------------------------------------------------


def discussions(item: MergeRequest | Issue, call: Call) -> Response:
    threads: dict[str, list[Any]] = {}
    for note in sorted(item.notes, key=lambda note: (note.at, note.id)):
        threads.setdefault(note.thread, []).append(note)
    return paged(call.request, [shapes.discussion(thread, notes, call.origin) for thread, notes in threads.items()])


def notes(item: MergeRequest | Issue, call: Call) -> Response:
    ordered = sorted(item.notes, key=lambda note: (note.at, note.id), reverse=True)
    return paged(call.request, [shapes.note(one, call.origin) for one in ordered])


def states(item: MergeRequest | Issue, call: Call) -> Response:
    return paged(call.request, [shapes.state_event(one, call.origin) for one in item.events])


def commits(call: Call) -> Response:
    item = call.merge_request()
    newest_first = reversed(item.commits)
    return paged(call.request, [shapes.commit(one, call.origin, item.project.path) for one in newest_first])


def pipelines(call: Call) -> Response:
    item = call.merge_request()
    newest_first = reversed(item.pipelines)
    return paged(call.request, [shapes.pipeline(one, item.project, call.origin) for one in newest_first])


def pipeline(call: Call) -> Response:
    project = call.project()
    known = (one for item in project.merge_requests for one in item.pipelines)
    found = next((one for one in known if str(one.id) == call.parts[1]), None)
    if found is None:
        _missing()
    return Response.of(shapes.pipeline(found, project, call.origin, whole=True))


def diffs(call: Call) -> Response:
    return paged(call.request, [shapes.diff(one) for one in call.merge_request().files])


def compare(call: Call) -> Response:
    """Commits behind `to` that are not behind `from`, oldest first."""
    project, start, end = call.project(), call.request.ask("from"), call.request.ask("to")
    if not start or not end:
        raise Bad("from is missing, to is missing")
    if start not in project.commits or end not in project.commits:
        _missing()
    added = project.reachable(end) - project.reachable(start)
    ordered = sorted((project.commits[sha] for sha in added), key=lambda one: one.committed)
    rows = [shapes.commit(one, call.origin, project.path) for one in ordered]
    last = rows[-1] if rows else None
    same = start == end
    return Response.of(
        {"commit": last, "commits": rows, "diffs": [], "compare_timeout": False, "compare_same_ref": same}
    )


# --- projects and users -------------------------------------------------------------------------------------------


def projects(call: Call) -> Response:
    rows = [shapes.project(one, call.origin) for one in call.world.visible(call.token)]
    return keyset(call.request, rows) if call.request.ask("pagination") == "keyset" else paged(call.request, rows)


def group_projects(call: Call) -> Response:
    found = call.world.group(call.token, call.parts[0])
    if found is None:
        _missing("404 Group Not Found")
    deep = _choice(call, "include_subgroups", "false", "true") == "true"
    kept = [one for one in found if deep or one.path.rpartition("/")[0] == call.parts[0]]
    return paged(call.request, [shapes.project(one, call.origin) for one in sorted(kept, key=lambda one: one.id)])


def users(call: Call) -> Response:
    name, text = call.request.ask("username").lower(), call.request.ask("search").lower()

    def hit(one: Any) -> bool:
        if name:
            return bool(one.username.lower() == name)
        email = bool(one.public) and one.email.lower() == text
        return not text or email or ("@" not in text and text in f"{one.username} {one.name}".lower())

    return paged(call.request, [shapes.user(one, call.origin) for one in call.world.users if hit(one)])


def one_user(call: Call) -> Response:
    everybody = [*call.world.users, call.world.ghost]
    found = next((one for one in everybody if str(one.id) == call.parts[0]), None)
    if found is None:
        _missing("404 User Not Found")
    return Response.of(shapes.whole_user(found, call.origin))


_PROJECT = r"/projects/([^/]+)"
_CHANGE, _ISSUE = rf"{_PROJECT}/merge_requests/(\d+)", rf"{_PROJECT}/issues/(\d+)"

ROUTES: tuple[tuple[str, Callable[[Call], Response]], ...] = (
    (r"/user", lambda call: Response.of(shapes.whole_user(call.token.user, call.origin))),
    (r"/personal_access_tokens/self", lambda call: Response.of(shapes.token(call.token))),
    (r"/users", users),
    (r"/users/(\d+)", one_user),
    (r"/projects", projects),
    (r"/groups/([^/]+)/projects", group_projects),
    (_PROJECT, lambda call: Response.of(shapes.project(call.project(), call.origin))),
    (rf"{_PROJECT}/merge_requests", merge_requests),
    (rf"{_PROJECT}/issues", issues),
    (rf"{_PROJECT}/deployments", deployments),
    (rf"{_PROJECT}/events", events),
    (rf"{_PROJECT}/pipelines/(\d+)", pipeline),
    (rf"{_PROJECT}/repository/compare", compare),
    (_CHANGE, lambda call: Response.of(shapes.merge_request(call.merge_request(), call.origin))),
    (rf"{_CHANGE}/discussions", lambda call: discussions(call.merge_request(), call)),
    (rf"{_CHANGE}/notes", lambda call: notes(call.merge_request(), call)),
    (rf"{_CHANGE}/resource_state_events", lambda call: states(call.merge_request(), call)),
    (rf"{_CHANGE}/commits", commits),
    (rf"{_CHANGE}/pipelines", pipelines),
    (rf"{_CHANGE}/diffs", diffs),
    (_ISSUE, lambda call: Response.of(shapes.issue(call.issue(), call.origin))),
    (rf"{_ISSUE}/discussions", lambda call: discussions(call.issue(), call)),
    (rf"{_ISSUE}/notes", lambda call: notes(call.issue(), call)),
    (rf"{_ISSUE}/resource_state_events", lambda call: states(call.issue(), call)),
    (
        rf"{_ISSUE}/links",
        lambda call: paged(call.request, [shapes.link(one, call.origin) for one in call.issue().links]),
    ),
)
