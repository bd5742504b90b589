"""Which commits one point in the history has and another has not, by REST, page by page."""

from __future__ import annotations

from urllib.parse import quote

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics.plugin import Comparison
from pipmetrics_github.api import Hub

PAGE = 250
"""Commits a page; a service that gives fewer is asked for more pages."""


def compare(hub: Hub, repository: str, base: str, head: str) -> Comparison:
    """All commits of head that base has not; SourceError when the service does not give them all."""
    name = repository.rpartition(":")[2]
    path = f"/repos/{quote(name)}/compare/{quote(base, safe='')}...{quote(head, safe='')}"
    shas: dict[str, None] = {}
    number, total, contained = 1, None, False
    while total is None or len(shas) < total:
        answer = hub.get(path, per_page=PAGE, page=number)
        page = _shas(answer, path)
        if total is None:
            total, contained = int(answer["total_commits"]), not answer.get("behind_by")
        before = len(shas)
        shas |= dict.fromkeys(page)
        if len(shas) == before and len(shas) < total:
            raise SourceError(f"the comparison ended after {len(shas)} of {total} commits", where=f"GET {path}")
        number += 1
    return Comparison(frozenset(shas), contained)


def _shas(answer: Json, path: str) -> list[str]:
    commits = answer.get("commits") if isinstance(answer, dict) else None
    if not isinstance(commits, list) or not isinstance(answer.get("total_commits"), int):
        raise SourceError("the answer is no comparison", where=f"GET {path}")
    return [commit["sha"] for commit in commits if isinstance(commit, dict) and commit.get("sha")]
