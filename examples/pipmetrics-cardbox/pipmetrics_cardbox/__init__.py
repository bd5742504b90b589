"""Reads cards from Cardbox, an in-house tracker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

import requests

from pipmetrics.errors import Deferred, SourceError
from pipmetrics.model import ISSUE_KINDS, Gap, Json, Source
from pipmetrics.plugin import Comparison, Finding, Page, Parameter
from pipmetrics.transport import Wire, mount
from pipmetrics_cardbox.signals import accounts_of, groups_of

__all__ = ["CardboxConnector"]


class CardboxConnector:
    """One Cardbox. Its boards are the `projects` of the source; everything on a board is read."""

    options: ClassVar[tuple[Parameter, ...]] = (
        Parameter("page_size", "count", "Cards of one request; default 50.", default=50),
    )
    kinds: ClassVar[frozenset[str]] = ISSUE_KINDS - {"issue_linked"}

    def __init__(self, source: Source, wire: Wire) -> None:
        self._source, self._wire = source, wire

    def pull(self, bookmarks: Mapping[str, Json], since: datetime) -> Iterator[Page]:
        """Each board from its last revision on. A board that cannot be read is a gap, and the others go on."""
        for board in self._source.projects:
            try:
                yield from self._board(board, int(bookmarks.get(board) or 0), since)
            except Deferred:
                raise
            except SourceError as error:
                if error.status == 401:
                    raise
                yield Page(gaps=[Gap(self._source.name, board, str(error))])

    def _board(self, board: str, revision: int, since: datetime) -> Iterator[Page]:
        """A board lists what has changed after a revision, in the order of revisions: no card can slip through."""
        known = revision > 0
        while True:
            found = self._get(f"/boards/{quote(board)}/cards", after=revision, limit=self._source.options["page_size"])
            cards = found["cards"]
            if not cards:
                return
            revision = cards[-1]["revision"]
            groups = groups_of(self._source.name, board, cards, since, removing=known)
            known = known or bool(groups)
            yield Page(
                groups=groups,
                accounts=accounts_of(self._source.name, cards),
                bookmarks={board: revision},
                done=len(cards),
                total=found["total"],
            )

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        raise SourceError("Cardbox holds no commits to compare", where=repository, mend="Ask the source of the change.")

    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        """The token, what it may do, the boards, and whether everybody exists."""
        me = self._get("/me")
        yield Finding("ok", f"the token is {me['name']}'s")
        if "write" in me["scopes"]:
            yield Finding("warning", "the token may write", "Make one that may only read.")
        for board in self._source.projects:
            yield self._known("error", f"/boards/{quote(board)}", f"board {board}", "Check the name and the token.")
        for login in logins:
            yield self._known("warning", f"/people/{quote(login)}", f"{login}", "Check the account in people.yaml.")

    def _known(self, level: str, path: str, what: str, mend: str) -> Finding:
        try:
            self._get(path)
        except SourceError as error:
            if error.status != 404:
                raise
            return Finding("error" if level == "error" else "warning", f"there is no {what}", mend)
        return Finding("ok", f"{what} is there")

    def _get(self, path: str, **query: Json) -> Json:
        """A good answer; the wire repeats, waits, and raises SourceError when there is none."""
        session = mount(requests.Session(), self._wire)
        headers = {"Authorization": f"Token {self._wire.reveal(self._source.token)}"} if self._source.token else {}
        return session.get(f"{self._source.url}/api{path}", params=query, headers=headers).json()
