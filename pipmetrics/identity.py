"""Whose account is it: people.yaml's names resolved to the stable ids that the sources have shown.

A name is a login, an e-mail address or the id itself; all are compared without case. Never by display name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipmetrics.model import CHANGE_KINDS, ISSUE_KINDS

if TYPE_CHECKING:
    from pipmetrics.model import Person, Source
    from pipmetrics.plugin import Metric


def resolve(people: Sequence[Person], accounts: pd.DataFrame) -> pd.DataFrame:
    """Columns source, actor, person: one row for each stable id and each ``@login`` of somebody in people.yaml.

    `accounts` has source, id, login, email, mark, first_seen, last_seen; an id that was renamed has several rows. A
    configured login stands for the id first seen under it, whatever that is called now. When several ids were seen
    under it: for one whose current login is not configured for somebody else, else for the earliest. Logins that only
    the source has shown are known too. `@login` actors are given in lower case; `attach` compares them so.
    """
    configured = _configured(people)
    seen = accounts.astype(dict.fromkeys(("source", "id", "login", "email"), "str")).assign(
        login=accounts["login"].astype("str").str.lower(), email=accounts["email"].astype("str").str.lower()
    )
    ids = _ids(configured, seen)
    named = pd.concat([_direct_mentions(configured), _seen_mentions(ids, seen)])
    rows = pd.concat([ids.rename(columns={"id": "actor"}), named.drop_duplicates(["source", "actor"])])
    return rows[["source", "actor", "person"]].dropna().reset_index(drop=True).astype("str")


def attach(source: pd.Series[Any], actor: pd.Series[Any], identities: pd.DataFrame) -> pd.Series[Any]:
    """The person behind each (source, actor); missing for everybody else. `identities` is what `resolve` gave."""
    sources, known_sources = pd.factorize(source.astype("str"))
    actors, known_actors = pd.factorize(actor.astype("str"))
    folded = pd.Series(known_actors, dtype="str")
    folded = folded.mask(folded.str.startswith("@"), folded.str.lower())
    # One row a source, one column an actor, and a last column for what has no actor.
    found = np.full((max(len(known_sources), 1), len(folded) + 1), None, dtype=object)
    for place, name in enumerate(known_sources):
        there = identities[identities["source"].eq(name)].set_index("actor")["person"]
        found[place, :-1] = folded.map(there).astype(object)
    return pd.Series(found[sources, actors], index=actor.index, dtype="str")


def current(accounts: pd.DataFrame, identities: pd.DataFrame) -> pd.DataFrame:
    """Every account as it is called now, with its person: columns source, id, login, email, mark, person.

    The ``@login`` actors that stand for a person are rows too, so that one look-up serves every actor.
    """
    latest = _latest(accounts)[["source", "id", "login", "email", "mark"]]
    mentions = identities.loc[identities["actor"].str.startswith("@"), ["source", "actor"]]
    mentions = mentions.assign(id=mentions["actor"], login=mentions["actor"].str[1:], email=None, mark="")
    columns = ["source", "id", "login", "email", "mark"]
    rows = pd.concat([latest.astype("str"), mentions[columns].astype("str")], ignore_index=True)
    return rows.assign(person=attach(rows["source"], rows["id"], identities))


def missing(
    person: Person, sources: Mapping[str, Source], connector_kinds: Mapping[str, frozenset[str]], metric: Metric
) -> tuple[str, ...]:
    """The sources that can give the metric's facts and for which people.yaml says nothing of this person.

    `connector_kinds` are the signal kinds by connector. Changes come from whoever gives changes, tickets from whoever
    gives issues alone. A null account is declared to be none, and is not missing.
    """
    return tuple(
        name
        for name, source in sorted(sources.items())
        if _gives(connector_kinds.get(source.connector, frozenset()), metric.needs) and not _declared(person, name)
    )


def _declared(person: Person, source: str) -> bool:
    return source in person.accounts and person.accounts[source] != ()


def _gives(kinds: frozenset[str], needs: str) -> bool:
    changes = bool(kinds & CHANGE_KINDS)
    return changes if needs == "changes" else needs == "tickets" and not changes and bool(kinds & ISSUE_KINDS)


def _configured(people: Sequence[Person]) -> pd.DataFrame:
    """Columns source, name (lower case), person, rank (0 for the newest name)."""
    rows = [
        (source, name.lower(), person.id, rank)
        for person in people
        for source, names in person.accounts.items()
        for rank, name in enumerate(names or ())
    ]
    kinds = {"source": "str", "name": "str", "person": "str", "rank": "int64"}
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


def _ids(configured: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Columns source, id, person: one account a person and source, one person an account.

    A list names one account, so an id that only a former name leads to is a stranger's who took that name over, unless
    no newer name leads anywhere.
    """
    now = _matches(configured, _latest(seen)).sort_values("rank").drop_duplicates(["source", "id"])
    holders = now[["source", "id", "person"]].rename(columns={"person": "holder"})
    found = _matches(configured, seen).merge(holders, on=["source", "id"], how="left")
    found["elsewhere"] = found["holder"].notna() & found["holder"].ne(found["person"])
    found = _oldest_first(found, "elsewhere").drop_duplicates(["source", "name"])
    found = found.sort_values(["elsewhere", "rank"], kind="stable")
    return found.drop_duplicates(["source", "id"]).drop_duplicates(["source", "person"])[["source", "id", "person"]]


def _oldest_first(seen: pd.DataFrame, *before: str) -> pd.DataFrame:
    """By `before`, then by when they were first seen; of those seen together the lower number is the older account."""
    order = [*before, "first_seen", "digits", "id"]
    return seen.assign(digits=seen["id"].str.len()).sort_values(order, kind="stable").drop(columns="digits")


def _matches(configured: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Every (configured name, account row) that may belong together: by login, e-mail address or id."""
    mail = configured[configured["name"].str.contains("@", regex=False)]
    # GitHub allows logins of digits alone: such a name is never another account's number.
    other = configured[~configured["name"].str.fullmatch(r"\d{1,19}")]
    return pd.concat(
        [
            configured.merge(seen.assign(name=seen["login"]), on=["source", "name"]),
            mail.merge(seen.assign(name=seen["email"]), on=["source", "name"]),
            other.merge(seen.assign(name=seen["id"].str.lower()), on=["source", "name"]),
        ],
        ignore_index=True,
    )


def _latest(seen: pd.DataFrame) -> pd.DataFrame:
    newest_last = seen.sort_values(["last_seen", "first_seen", "login"], kind="stable")
    return newest_last.drop_duplicates(["source", "id"], keep="last")


def _direct_mentions(configured: pd.DataFrame) -> pd.DataFrame:
    logins = configured[~configured["name"].str.contains("@", regex=False)]
    return logins.assign(actor="@" + logins["name"])


def _seen_mentions(ids: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """``@login`` of whoever was first seen under a login; nobody's when that is nobody in people.yaml."""
    first = _oldest_first(seen.dropna(subset=["login"])).drop_duplicates(["source", "login"])
    return first.assign(actor="@" + first["login"]).merge(ids, on=["source", "id"], how="left")
