"""Who is meant: users of a payload and names in texts, as actors of signals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from pipmetrics.model import Account
from pipmetrics_gitlab.values import User

GHOST = "ghost"
"""GitLab hands what a deleted account did over to a user of this name."""

_TOKEN_BOT = re.compile(r"(?:project|group)_\d+_bot(?:_?\w+)?")
"""Users behind the access tokens of projects and groups."""


class Actor(NamedTuple):
    """`id` and `mark` as signals carry them."""

    id: str | None
    mark: Literal["", "bot", "ghost"] = ""


NOBODY = Actor(None, "ghost")


def mark(user: User) -> Literal["", "bot", "ghost"]:
    if user.login.lower() == GHOST:
        return "ghost"
    return "bot" if user.bot or _TOKEN_BOT.fullmatch(user.login) else ""


class Directory:
    """The users that one payload names; a name is only ever matched with a login of now."""

    def __init__(self, users: Iterable[User | None]) -> None:
        self._known: dict[str, User] = {}
        for user in users:
            if user is not None and user.login:
                held = self._known.get(user.login.lower(), user)
                merged = User(held.id or user.id, user.login, held.bot or user.bot, held.email or user.email)
                self._known[user.login.lower()] = merged

    def user(self, user: User | None) -> Actor:
        if user is None:
            return NOBODY
        known = self._known.get(user.login.lower(), user)
        marked = mark(known)
        return NOBODY if marked == "ghost" else Actor(known.id or f"@{known.login}", marked)

    def named(self, login: str) -> Actor:
        """The actor of an @name: its stable id if it is a login of now, else the name as it was written."""
        return self.user(self._known.get(login.lower(), User(None, login)))

    def accounts(self, source: str) -> list[Account]:
        return [
            Account(source, user.id, user.login, user.email, mark(user)) for user in self._known.values() if user.id
        ]
