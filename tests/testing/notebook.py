"""A very small service of changes and reviews, and a connector of it that keeps its contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import requests

from pipmetrics.demo.service import App, Request, Response
from pipmetrics.errors import SourceError
from pipmetrics.model import Account, Gap, Json, Signal, Source
from pipmetrics.plugin import Comparison, Finding, Page, Parameter
from pipmetrics.transport import Wire, mount

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOKEN = "canary-of-the-notebook"
PEOPLE = {"ada": 1, "lee": 2}
SIZE = 2


def app(many: int = 7) -> App:
    """`many` changes, two to a page; /people/LOGIN knows ada and lee."""

    def answer(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response.of({"message": "who are you"}, 401)
        if request.path.startswith("/people/"):
            known = request.path.removeprefix("/people/") in PEOPLE
            return Response.of({} if known else {"message": "nobody"}, 200 if known else 404)
        if request.path != "/changes":
            return Response.of({"message": "nothing there"}, 404)
        after = int(request.ask("after", "0"))
        return Response.of([{"n": n, "by": "ada", "to": "lee"} for n in range(after + 1, min(after + SIZE, many) + 1)])

    return answer


class Notebook:
    """Reads changes by number; its bookmark is the last one read."""

    options: ClassVar[tuple[Parameter, ...]] = (Parameter("shelf", "text", "Which shelf."),)
    kinds: ClassVar[frozenset[str]] = frozenset({"change_opened", "reviewed"})

    def __init__(self, source: Source, wire: Wire) -> None:
        self.source, self.wire = source, wire

    def get(self, path: str, **query: Any) -> Json:
        session = mount(requests.Session(), self.wire)
        token = self.wire.reveal(self.source.token) if self.source.token else ""
        headers = {"Authorization": f"Bearer {token}"}
        return session.get(f"{self.source.url}{path}", params=query, headers=headers).json()

    def pull(self, bookmarks: Mapping[str, Json], since: datetime) -> Iterator[Page]:
        after = bookmarks.get("after") or 0
        while changes := self.get("/changes", after=after):
            after = changes[-1]["n"]
            yield self.page(changes, after)

    def page(self, changes: Sequence[Json], after: int) -> Page:
        accounts = [Account(self.source.name, str(number), login) for login, number in PEOPLE.items()]
        groups = {self.subject(change): self.signals(change) for change in changes}
        return Page(groups, accounts, {"after": after}, done=len(changes))

    def subject(self, change: Json) -> str:
        return f"{self.source.name}:acme/notes#{change['n']}"

    def signals(self, change: Json) -> list[Signal]:
        opened = {
            "title": "A note", "labels": [], "draft": False, "base": "main", "default_branch": True, "branch": "topic",
            "issues": [], "closes": [], "author_login": change["by"],
        }  # fmt: skip
        given = {"state": "approved", "comments": 0, "previous": None}
        return [self.signal("change_opened", change, "by", 0, opened), self.signal("reviewed", change, "to", 2, given)]

    def signal(self, kind: str, change: Json, who: str, hours: int, detail: Mapping[str, Json]) -> Signal:
        subject, number = self.subject(change), change["n"]
        at = START + timedelta(days=number, hours=hours)
        actor, url = str(PEOPLE[change[who]]), f"{self.source.url}/changes/{number}"
        return Signal(self.source.name, kind, subject, f"{kind}:{number}", at, url, actor, detail=detail)

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        raise SourceError("a notebook holds no commits", where=repository)

    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        self.get("/changes")
        yield Finding("ok", "the notebook answers")
        for login in logins:
            try:
                self.get(f"/people/{login}")
            except SourceError as error:
                if error.status != 404:
                    raise
                yield Finding("warning", f"there is no {login}")

    def gap(self, error: SourceError) -> Page:
        return Page(gaps=[Gap(self.source.name, "acme/notes", str(error))])
