"""The REST calls in use: who am I, who is that, which repositories, and what one commit has that another has not."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from pipmetrics.demo.github.nodes import Session, node_id
from pipmetrics.demo.github.pages import stamp
from pipmetrics.demo.github.work import Account, Commit, Pull
from pipmetrics.demo.github.world import Repository
from pipmetrics.demo.service import Request, Response

PAGE, LARGEST_PAGE = 30, 100


def answer(session: Session, request: Request, path: str) -> Response:
    """The answer to a REST request, without the rate headers."""
    for pattern, respond in ROUTES:
        if found := re.fullmatch(pattern, path):
            if request.method not in ("GET", "HEAD"):
                break
            return respond(session, request, *found.groups())
    return _not_found()


def _not_found() -> Response:
    return Response.of({"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}, 404)


def _paged(request: Request, things: Iterable[Any], largest: int = LARGEST_PAGE) -> tuple[list[Any], dict[str, str]]:
    """One page and the Link header that leads on."""
    size = min(largest, max(1, int(request.ask("per_page", str(PAGE)))))
    number, every = max(1, int(request.ask("page", "1"))), list(things)
    last = max(1, -(-len(every) // size))
    links = {}
    if number < last:
        links = {"next": number + 1, "last": last}
    if number > 1:
        links |= {"prev": number - 1, "first": 1}
    given = {name: texts[0] for name, texts in request.query.items()}
    header = ", ".join(
        f'<{request.origin}{request.path}?{urlencode(given | {"page": str(page)})}>; rel="{name}"'
        for name, page in links.items()
    )
    return every[(number - 1) * size : number * size], {"Link": header} if header else {}


def _json(value: Any, headers: dict[str, str]) -> Response:
    plain = Response.of(value)
    return Response(plain.status, plain.body, {**plain.headers, **headers})


def _user(account: Account | None) -> dict[str, Any] | None:
    if account is None:
        return {"login": "ghost", "id": 10137, "type": "User"}
    suffix = "[bot]" if account.kind == "Bot" else ""
    return {"login": account.login + suffix, "id": account.id, "node_id": node_id(account), "type": account.kind}


def _me(session: Session, _request: Request) -> Response:
    return Response.of(_user(session.world.account(session.token.login)))


def _someone(session: Session, _request: Request, login: str) -> Response:
    found = next((each for each in session.world.accounts if each.login.lower() == login.lower()), None)
    return Response.of(_user(found)) if found else _not_found()


def _budget(session: Session, _request: Request) -> Response:
    used, limit = session.token.used, session.token.points
    kinds = {
        kind: {
            "limit": limit,
            "used": used.get(kind, 0),
            "remaining": limit - used.get(kind, 0),
            "reset": int(session.token.reset),
        }
        for kind in ("core", "graphql", "search")
    }
    return Response.of({"resources": kinds, "rate": kinds["core"]})


def _repository_json(repository: Repository) -> dict[str, Any]:
    return {
        "id": repository.id,
        "node_id": node_id(repository),
        "name": repository.name,
        "full_name": repository.full_name,
        "owner": _user(repository.owner),
        "default_branch": repository.default_branch,
        "archived": repository.archived,
        "private": True,
        "permissions": {"pull": True, "push": False, "admin": False},
    }


def _of_owner(session: Session, request: Request, login: str) -> Response:
    owned = [
        each for each in session.world.repositories if each.owner.login.lower() == login.lower() and session.sees(each)
    ]
    page, links = _paged(request, map(_repository_json, owned))
    return _json(page, links)


Seeing = Callable[..., Response]


def _seen(respond: Callable[..., Response]) -> Seeing:
    """With the repository in place of its name; 404 when the token may not see it, 301 when it was renamed."""

    def asked(session: Session, request: Request, owner: str, name: str, *rest: str) -> Response:
        repository = session.find(f"{owner}/{name}")
        if repository is None:
            return _not_found()
        if repository.full_name.lower() != f"{owner}/{name}".lower():
            path = request.path.replace(f"/{owner}/{name}", f"/{repository.full_name}", 1)
            query = urlencode([(key, text) for key, texts in request.query.items() for text in texts])
            return Response(301, b"{}", {"Location": f"{request.origin}{path}" + (f"?{query}" if query else "")})
        return respond(session, request, repository, *rest)

    return asked


@_seen
def _one(_session: Session, _request: Request, repository: Repository) -> Response:
    return Response.of(_repository_json(repository))


def _commit_json(commit: Commit) -> dict[str, Any]:
    dates = {
        "author": {"date": stamp(commit.authored), "email": commit.email},
        "committer": {"date": stamp(commit.committed)},
    }
    return {
        "sha": commit.sha,
        "node_id": node_id(commit),
        "commit": {"message": commit.message, **dates},
        "author": _user(commit.author) if commit.author else None,
        "parents": [{"sha": parent} for parent in commit.parents],
    }


@_seen
def _commits(_session: Session, request: Request, repository: Repository) -> Response:
    head = resolve(repository, request.ask("sha", repository.default_branch))
    if head is None:
        return Response.of({"message": "Git Repository is empty."}, 409) if not repository.heads else _not_found()
    newest = sorted(
        reachable(repository, head).values(), key=lambda commit: (commit.committed, commit.id), reverse=True
    )
    page, links = _paged(request, map(_commit_json, newest))
    return _json(page, links)


@_seen
def _pulls(_session: Session, request: Request, repository: Repository) -> Response:
    state = request.ask("state", "open")
    shown = [pull for pull in repository.pulls if state == "all" or (pull.state == "OPEN") == (state == "open")]
    page, links = _paged(request, (_pull_json(pull) for pull in reversed(shown)))
    return _json(page, links)


def _pull_json(pull: Pull) -> dict[str, Any]:
    return {
        "id": pull.id,
        "node_id": node_id(pull),
        "number": pull.number,
        "title": pull.title,
        "state": "open" if pull.state == "OPEN" else "closed",
        "draft": pull.draft,
        "user": _user(pull.author),
        "created_at": stamp(pull.created),
        "updated_at": stamp(pull.updated),
        "merged_at": stamp(pull.merged) if pull.merged else None,
        "merge_commit_sha": pull.merge_sha,
    }


@_seen
def _compare(_session: Session, request: Request, repository: Repository, base_name: str, head_name: str) -> Response:
    base, head = resolve(repository, base_name), resolve(repository, head_name)
    if base is None or head is None:
        return _not_found()
    of_base, of_head = reachable(repository, base), reachable(repository, head)
    ahead = [commit for sha, commit in of_head.items() if sha not in of_base]
    behind = sum(sha not in of_head for sha in of_base)
    ahead.sort(key=lambda commit: (commit.committed, commit.id))
    page, links = _paged(request, map(_commit_json, ahead), largest=250)
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind", (True, True): "diverged"}
    told = {
        "status": status[bool(ahead), behind > 0],
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "commits": page,
    }
    return _json(told, links)


def resolve(repository: Repository, name: str) -> str | None:
    """The commit that a branch, a tag or a sha (of at least 7 digits) names."""
    if name in repository.heads:
        return repository.heads[name]
    for release in repository.releases:
        if release.tag == name:
            return release.sha
    if re.fullmatch(r"[0-9a-f]{7,40}", name):
        return next((sha for sha in repository.commits if sha.startswith(name)), None)
    return None


def reachable(repository: Repository, head: str) -> dict[str, Commit]:
    """All commits that `head` contains, itself included."""
    found: dict[str, Commit] = {}
    waiting = deque([head])
    while waiting:
        sha = waiting.popleft()
        commit = repository.commits.get(sha)
        if commit is not None and sha not in found:
            found[sha] = commit
            waiting.extend(commit.parents)
    return found


ROUTES: list[tuple[str, Callable[..., Response]]] = [
    (r"/user", _me),
    (r"/users/([^/]+)", _someone),
    (r"/rate_limit", _budget),
    (r"/(?:orgs|users)/([^/]+)/repos", _of_owner),
    (r"/repos/([^/]+)/([^/]+)", _one),
    (r"/repos/([^/]+)/([^/]+)/commits", _commits),
    (r"/repos/([^/]+)/([^/]+)/pulls", _pulls),
    (r"/repos/([^/]+)/([^/]+)/compare/(.+?)\.\.\.(.+)", _compare),
]
