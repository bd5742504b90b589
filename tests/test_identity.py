"""Who an account belongs to, through renames, reused names and names alone."""

from __future__ import annotations

import pandas as pd
import pytest

from pipmetrics.identity import attach, current, missing, resolve
from pipmetrics.model import CHANGE_KINDS, ISSUE_KINDS, Calendar, Person, Source
from pipmetrics.plugin import Metric

COLUMNS = ["source", "id", "login", "email", "mark", "first_seen", "last_seen"]
UTC = Calendar("UTC")


def someone(name: str, **accounts: tuple[str, ...] | None) -> Person:
    return Person(name, name.title(), UTC, accounts=accounts)


def seen(*rows: tuple[str, str, str, int, int], email: str | None = None) -> pd.DataFrame:
    """(source, id, login, first day, last day) of January 2026."""
    days = [[pd.Timestamp(2026, 1, day, tz="UTC") for day in row[3:]] for row in rows]
    return pd.DataFrame(
        [[*row[:3], email, "", *span] for row, span in zip(rows, days, strict=True)], columns=COLUMNS
    ).astype({"email": "str"})


def who(people: list[Person], accounts: pd.DataFrame) -> dict[tuple[str, str], str]:
    found = resolve(people, accounts)
    return {(row.source, row.actor): row.person for row in found.itertuples()}


def test_a_login_is_compared_without_case_and_known_by_its_id_and_its_name() -> None:
    known = who([someone("ada", hub=("Ada-L",))], seen(("hub", "7", "ada-l", 1, 1)))
    assert known == {("hub", "7"): "ada", ("hub", "@ada-l"): "ada"}


def test_a_renamed_account_is_followed_by_its_id() -> None:
    accounts = seen(("hub", "7", "ada-l", 1, 3), ("hub", "7", "lovelace", 4, 9))
    assert who([someone("ada", hub=("ada-l",))], accounts)["hub", "7"] == "ada"
    assert who([someone("ada", hub=("lovelace",))], accounts)["hub", "7"] == "ada"


def test_every_name_that_an_account_ever_had_stands_for_its_person() -> None:
    accounts = seen(("lab", "7", "ada.old", 1, 3), ("lab", "7", "ada", 4, 9))
    assert who([someone("ada", lab=("ada",))], accounts)["lab", "@ada.old"] == "ada"


def test_a_former_name_that_the_source_never_showed_still_stands_for_its_person() -> None:
    assert who([someone("ada", lab=("ada", "ada.old"))], seen(("lab", "7", "ada", 4, 9)))["lab", "@ada.old"] == "ada"


def test_a_name_taken_over_by_a_colleague_is_the_colleagues_and_the_account_stays_its_owners() -> None:
    accounts = seen(("hub", "7", "ada", 1, 3), ("hub", "7", "ada-l", 4, 9), ("hub", "8", "ada", 5, 9))
    known = who([someone("ada", hub=("ada-l",)), someone("bob", hub=("ada",))], accounts)
    assert (known["hub", "7"], known["hub", "8"], known["hub", "@ada"]) == ("ada", "bob", "bob")


def test_a_name_taken_over_by_a_stranger_stays_with_whoever_had_it_first() -> None:
    accounts = seen(("hub", "8", "ada", 5, 9), ("hub", "7", "ada", 1, 3), ("hub", "7", "ada-l", 4, 9))
    known = who([someone("ada", hub=("ada",))], accounts)
    assert known["hub", "7"] == "ada"
    assert ("hub", "8") not in known


def test_of_accounts_first_seen_together_the_lower_number_is_the_older_one() -> None:
    known = who([someone("ada", hub=("ada",))], seen(("hub", "10", "ada", 1, 2), ("hub", "9", "ada", 1, 1)))
    assert ("hub", "9") in known
    assert ("hub", "10") not in known


def test_a_stranger_who_took_a_former_name_is_not_the_person() -> None:
    accounts = seen(("lab", "7", "ada", 1, 9), ("lab", "8", "ada.old", 2, 9))
    known = who([someone("ada", lab=("ada", "ada.old"))], accounts)
    assert known["lab", "7"] == "ada"
    assert ("lab", "8") not in known


def test_an_account_renamed_to_a_name_configured_for_somebody_else_is_theirs_alone() -> None:
    accounts = seen(("hub", "7", "x", 1, 3), ("hub", "7", "y", 4, 9))
    known = who([someone("ada", hub=("x",)), someone("bob", hub=("y",))], accounts)
    assert known["hub", "7"] == "bob"


def test_a_name_that_an_outsider_had_before_stands_for_nobody() -> None:
    accounts = seen(("hub", "3", "al", 1, 2), ("hub", "7", "al", 3, 4), ("hub", "7", "ada", 5, 9))
    assert ("hub", "@al") not in who([someone("ada", hub=("ada",))], accounts)


@pytest.mark.parametrize("name", ["Ada@Example.com", "5B10ac8d82e05b22cc7d4ef5", "alovelace"])
def test_jira_people_are_known_by_address_id_or_user_name(name: str) -> None:
    accounts = seen(("jira", "5b10ac8d82e05b22cc7d4ef5", "alovelace", 1, 1), email="ada@example.com")
    assert who([someone("ada", jira=(name,))], accounts)["jira", "5b10ac8d82e05b22cc7d4ef5"] == "ada"


def test_a_login_of_digits_is_not_the_account_of_that_number() -> None:
    assert ("hub", "42") not in who([someone("ada", hub=("42",))], seen(("hub", "42", "bob", 1, 1)))


def test_sources_do_not_share_names_and_a_declared_absence_gives_nobody() -> None:
    accounts = seen(("hub", "7", "ada", 1, 1), ("lab", "7", "ada", 1, 1))
    assert who([someone("ada", hub=("ada",), lab=None)], accounts) == {("hub", "7"): "ada", ("hub", "@ada"): "ada"}


def test_nothing_seen_and_nobody_configured_give_no_identities() -> None:
    assert who([], seen(("hub", "7", "ada", 1, 1))) == {}
    assert who([someone("ada", hub=("ada",))], seen()) == {("hub", "@ada"): "ada"}


def test_the_order_in_which_accounts_stand_does_not_matter() -> None:
    accounts = seen(("hub", "7", "ada", 1, 3), ("hub", "7", "ada-l", 4, 9), ("hub", "8", "ada", 5, 9))
    people = [someone("ada", hub=("ada-l",)), someone("bob", hub=("ada",))]
    assert who(people, accounts.iloc[::-1].reset_index(drop=True)) == who(people[::-1], accounts)


def test_actors_get_their_person_whatever_the_case_of_the_mention() -> None:
    identities = resolve([someone("ada", hub=("ada",))], seen(("hub", "7", "ada", 1, 1)))
    source, actor = (
        pd.Series(["hub"] * 4, dtype="str"),
        pd.Series(["7", "@ADA", "8", None], dtype="str", index=[5, 3, 2, 9]),
    )
    found = attach(source, actor, identities)
    assert found.index.tolist() == [5, 3, 2, 9]
    assert found.fillna("-").tolist() == ["ada", "ada", "-", "-"]


def test_current_accounts_hold_todays_login_and_the_mentions() -> None:
    accounts = seen(("hub", "7", "ada", 1, 3), ("hub", "7", "ada-l", 4, 9), ("hub", "8", "eve", 1, 1))
    found = current(accounts, resolve([someone("ada", hub=("ada",))], accounts)).set_index("id")
    assert found.loc["7", "login"] == "ada-l"
    assert found["person"].fillna("-").to_dict() == {"7": "ada", "8": "-", "@ada": "ada", "@ada-l": "ada"}


def metric(needs: str) -> Metric:
    return Metric("m", "", "", "", frozenset(), lambda facts: pd.DataFrame(), needs=needs)  # type: ignore[arg-type]  # all three


def test_missing_accounts_are_those_on_sources_that_can_give_the_facts() -> None:
    sources = {
        name: Source(name, kind, "https://x") for name, kind in [("hub", "github"), ("lab", "gitlab"), ("jira", "jira")]
    }
    kinds = {"github": CHANGE_KINDS | ISSUE_KINDS, "gitlab": CHANGE_KINDS, "jira": ISSUE_KINDS}
    partly = someone("ada", hub=("ada",))
    assert missing(partly, sources, kinds, metric("changes")) == ("lab",)
    assert missing(partly, sources, kinds, metric("tickets")) == ("jira",)
    assert missing(partly, sources, kinds, metric("")) == ()
    assert missing(someone("ada", hub=("ada",), lab=None), sources, kinds, metric("changes")) == ()
    assert missing(someone("ada", hub=(), lab=None), sources, kinds, metric("changes")) == ("hub",)
