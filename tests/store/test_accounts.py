from __future__ import annotations

from datetime import timedelta

import pandas as pd

from pipmetrics.model import Account
from pipmetrics.store import Store
from tests.conftest import NOW
from tests.store.facts import page

LATER = NOW + timedelta(days=1)


def logins(store: Store) -> list[tuple[str, str]]:
    frame = store.accounts()
    return list(zip(frame["id"], frame["login"], strict=True))


def test_an_account_keeps_its_former_logins_and_the_last_row_is_the_current_one(store: Store) -> None:
    for day, login in enumerate(["ada", "ada-l", "ada"]):
        store.write("hub", page(accounts=[Account("hub", "7", login)]), NOW + timedelta(days=day))
    assert logins(store) == [("7", "ada-l"), ("7", "ada")]
    last = store.accounts().iloc[-1]
    assert (last["first_seen"], last["last_seen"]) == (NOW, NOW + timedelta(days=2))


def test_an_account_seen_again_unchanged_writes_nothing(store: Store) -> None:
    seen = page(accounts=[Account("hub", "7", "ada", "ada@example.com")])
    store.write("hub", seen, NOW)
    before, frame = store.revision(), store.accounts()
    store.write("hub", seen, LATER)
    assert store.revision() == before
    pd.testing.assert_frame_equal(store.accounts(), frame)


def test_an_email_that_the_service_hides_today_stays_known(store: Store) -> None:
    store.write("jira", page(accounts=[Account("jira", "7", "ada", "ada@example.com")]), NOW)
    store.write("jira", page(accounts=[Account("jira", "7", "ada", None)]), LATER)
    assert store.accounts()["email"].tolist() == ["ada@example.com"]


def test_accounts_are_found_by_any_login_id_or_email(store: Store) -> None:
    seen = [Account("hub", "7", "ada", "Ada@example.com"), Account("hub", "8", "bob")]
    store.write("hub", page(accounts=seen), NOW)
    assert store.known_accounts("hub", ["ADA"]) == seen[:1]
    assert store.known_accounts("hub", ["8", "ada@example.com"]) == seen
    assert store.known_accounts("lab", ["ada"]) == []


def test_a_former_revision_gives_the_accounts_of_then(store: Store) -> None:
    store.write("hub", page(accounts=[Account("hub", "7", "ada")]), NOW)
    then, before = store.revision(), store.accounts()
    store.write("hub", page(accounts=[Account("hub", "7", "ada", mark="bot"), Account("hub", "8", "bob")]), LATER)
    pd.testing.assert_frame_equal(store.accounts(revision=then), before)
    assert store.accounts()["mark"].tolist() == ["bot", ""]
