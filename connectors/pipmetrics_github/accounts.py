"""Who is who: raw actors to stable ids, marks and accounts. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pipmetrics.model import Account, Json

GHOST_ID = 10137
"""The account that stands for all deleted ones, where the service names it instead of nobody."""
ACTORS = frozenset({"User", "Bot", "Mannequin", "Organization", "EnterpriseUserAccount"})

Mark = Literal["", "bot", "ghost"]


def actor(who: Json) -> str | None:
    """The stable id as text, ``@login`` where there is only a login, None for nobody and for ghosts."""
    if mark(who) == "ghost":
        return None
    number = who.get("databaseId")
    return f"@{who['login']}" if number is None else str(number)


def mark(who: Json) -> Mark:
    """`ghost` for a deleted account, `bot` for one that belongs to an app."""
    if not who or not who.get("login") or who.get("databaseId") == GHOST_ID:
        return "ghost"
    return "bot" if who.get("__typename") == "Bot" or who["login"].endswith("[bot]") else ""


def accounts(source: str, raw: Json) -> Iterator[Account]:
    """Every account named anywhere in an answer, the address of its commits with it; some more than once."""
    if isinstance(raw, list):
        for each in raw:
            yield from accounts(source, each)
    elif isinstance(raw, dict):
        if raw.get("__typename") in ACTORS and mark(raw) != "ghost":
            yield _account(source, raw, None)
        elif raw.get("email") and mark(raw.get("user")) == "":
            yield _account(source, raw["user"], raw["email"])
        for each in raw.values():
            yield from accounts(source, each)


def _account(source: str, who: Json, email: str | None) -> Account:
    return Account(source, actor(who) or "", who["login"], email, mark(who))


def distinct(found: Iterator[Account]) -> tuple[Account, ...]:
    """Each account once; one that came with an address keeps it."""
    known: dict[str, Account] = {}
    for account in found:
        before = known.get(account.id)
        if before is None or (account.email and not before.email):
            known[account.id] = account
    return tuple(known.values())
