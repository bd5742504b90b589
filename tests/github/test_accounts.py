"""Who is who: ids, marks, ghosts."""

from __future__ import annotations

from typing import Any

import pytest

from pipmetrics.model import Account
from pipmetrics_github.accounts import accounts, actor, distinct, mark

ADA = {"__typename": "User", "login": "ada", "databaseId": 7}


@pytest.mark.parametrize(
    ("who", "id", "marked"),
    [
        (ADA, "7", ""),
        (None, None, "ghost"),
        ({"__typename": "User", "login": "ghost", "databaseId": 10137}, None, "ghost"),
        ({"__typename": "Bot", "login": "dependabot", "databaseId": 3}, "3", "bot"),
        ({"__typename": "User", "login": "renovate[bot]", "databaseId": 4}, "4", "bot"),
        ({"__typename": "Mannequin", "login": "old-ada", "databaseId": 5}, "5", ""),
        ({"__typename": "EnterpriseUserAccount", "login": "eve"}, "@eve", ""),
        ({"__typename": "User", "login": "eve", "databaseId": None}, "@eve", ""),
    ],
)
def test_an_actor_is_its_stable_id(who: Any, id: str | None, marked: str) -> None:
    assert (actor(who), mark(who)) == (id, marked)


def test_accounts_are_found_anywhere_once_and_keep_their_address() -> None:
    raw = [
        {"author": ADA, "mergedBy": None},
        {
            "commits": {
                "nodes": [
                    {"author": {"email": "ada@example.com", "user": ADA}},
                    {"author": {"email": "x@y", "user": None}},
                ]
            }
        },
        {"by": {"__typename": "Bot", "login": "ci", "databaseId": 9}},
    ]
    assert distinct(accounts("hub", raw)) == (
        Account("hub", "7", "ada", "ada@example.com"),
        Account("hub", "9", "ci", None, "bot"),
    )
