"""What REST tells of accounts only when asked: whether one is a bot, whose an e-mail address is. Asked once each."""

from __future__ import annotations

from collections.abc import Iterable

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_gitlab import from_rest
from pipmetrics_gitlab.api import Api
from pipmetrics_gitlab.values import User

HIDDEN = frozenset({403, 404})
"""Answers by which GitLab keeps an account to itself; it then is what the list said."""


class People:
    """Remembers for the time of one pull."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, User | None] = {}
        self._by_email: dict[str, User | None] = {}

    def details(self, users: Iterable[User | None]) -> tuple[User, ...]:
        """The users again, with what their own pages say."""
        ids = dict.fromkeys(user.id for user in users if user is not None and user.id)
        return tuple(found for id in ids if (found := self._detail(id)) is not None)

    def _detail(self, id: str) -> User | None:
        if id not in self._known:
            rows = self._unless_hidden(f"/users/{id}")
            self._known[id] = from_rest.user(rows[0]) if rows else None
        return self._known[id]

    def by_email(self, email: str | None) -> User | None:
        """The account whose public address this is; None if there is none, or more than one."""
        if not email:
            return None
        if email not in self._by_email:
            found = self._unless_hidden("/users", search=email)
            self._by_email[email] = from_rest.user(found[0]) if len(found) == 1 else None
        return self._by_email[email]

    def _unless_hidden(self, path: str, **query: str) -> list[Json]:
        try:
            found = self._api.get(path, **query)
        except SourceError as error:
            if error.status not in HIDDEN:
                raise
            return []
        return found if isinstance(found, list) else [found]
