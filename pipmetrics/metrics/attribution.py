"""Which bug counts against which change: the ladder of rungs, each with what says so.

`link`: a link of a configured type from the bug to an issue that the change references, or to the change itself;
"caused by" and "regression from" in the bug or in a change that closes it; a `Fixes: SHA` trailer there.
`revert`: the revert of a deployed change is itself a bug of that change, unless it closes a bug linked to that change.
`fix`: a person has confirmed that the lines that the bug's fix changed came with that change (pipmetrics/blame.py
suggests it); what nobody has confirmed is nothing here.

Decided where a rule could be read in two ways:

- A change closes a bug of a tracker that knows no changes (Jira) when it is merged and references it; elsewhere when
  the service says that it closes it.
- A number that could be a change or an issue (GitHub) is what the source shows under it; not shown, it is nothing.
- A commit that several changes carry belongs to the one merged first. A bug of a tracker without commits (Jira) names
  commits of any repository.
- A culprit was deployed before the bug, never in the same instant. k counts people by people.yaml, others by account,
  all deleted accounts of a source as one author, bots not at all.
- That a revert closes a linked bug spares it only where links are allowed, because else nothing would count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipmetrics.metrics._frames import detail, first_per, of_kind
from pipmetrics.metrics._issues import in_force
from pipmetrics.metrics.bugs import bugs

if TYPE_CHECKING:
    from pipmetrics.plugin import Facts

KINDS = frozenset(
    {"issue_opened", "issue_linked", "issue_done", "issue_reopened", "change_opened", "change_merged",
     "change_deployed", "change_reverted", "commits_pushed"}
)  # fmt: skip
"""The signals that attribution reads."""

JIRA_SUBJECT = r"^[^:/#!]+:([a-z][a-z0-9_]*-[0-9]+)$"
PAGE = r"(/(?:pull|issues|merge_requests)/[0-9]+)/.*$"
"""The tail of the URL of a change's or issue's inner page."""
SHORTEST = 7
"""Digits that name a commit at least."""
COMMIT = rf"[0-9a-f]{{{SHORTEST},64}}"


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """`pairs` has one row a bug and change: bug, bug_source, bug_key, bug_url, created, reason (its resolution), rung
    ("link" or "revert"), change, author, person, mark, deployed, deployed_key, change_key, and in_production (was the
    change deployed before the bug). `texts` (bug, change, key) are the signals that say so, any number a pair.
    """

    pairs: pd.DataFrame
    texts: pd.DataFrame

    def culprits(self) -> pd.DataFrame:
        """The pairs that count: of several changes only the deployed ones; all of them where none was. `k` is how many
        people wrote them."""
        any_deployed = self.pairs.groupby("bug")["in_production"].transform("any")
        chosen = self.pairs[self.pairs["in_production"] | ~any_deployed].reset_index(drop=True)
        human = chosen["author"].where(chosen["mark"].ne("bot"))
        return chosen.assign(k=human.groupby(chosen["bug"]).transform("nunique"))


def attribute(facts: Facts) -> Attribution:
    """All bugs with the changes that the allowed rungs blame, deployed before them or not."""
    changes, references = _changes(facts.signals), _references(facts.signals)
    found = bugs(facts.signals, facts.sources)
    links = _none("bug", "change", "key")
    if "link" in facts.attribution:
        links = _links(facts.signals, _claims(facts, found, references), references, changes)
    if "fix" in facts.attribution:
        links = pd.concat([links, _confirmed(facts)], ignore_index=True)
    parts = [(_described(facts, found), links)]
    if "revert" in facts.attribution:
        parts.append(_reverts(facts.signals, links, references))
    pairs = [
        texts[["bug", "change"]].drop_duplicates().merge(described, on="bug").merge(changes, on="change")
        for described, texts in parts
    ]
    both = pd.concat(pairs, ignore_index=True)
    both = both.assign(in_production=both["deployed"].lt(both["created"]))
    return Attribution(both, pd.concat([texts for _, texts in parts], ignore_index=True).drop_duplicates())


def _confirmed(facts: Facts) -> pd.DataFrame:
    """bug, change, key: what people have confirmed of what fixes changed; the key names the entry of the ledger."""
    said = [
        (act.bug, act.change, f"ledger:{act.entry}") for act in facts.attestations if act.bug and act.at < facts.as_of
    ]
    return pd.DataFrame(said, columns=["bug", "change", "key"]).astype("str")


def fixes(signals: pd.DataFrame, bug: pd.Series[Any]) -> pd.DataFrame:
    """by, bug: the merged changes that close each of these issues."""
    return _closing(_references(signals), bug)


def carriers(signals: pd.DataFrame, shas: Sequence[str]) -> pd.DataFrame:
    """repository, sha, change: the commits that begin as one of `shas`, each with the change that brought it first."""
    return _commits(signals, pd.Series(list(shas), dtype="str"))


def _none(*columns: str) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype="str") for column in columns})


def _changes(signals: pd.DataFrame) -> pd.DataFrame:
    """change, author (one text a person or account), person, mark, change_key, deployed, deployed_key."""
    seen = of_kind(signals, "change_opened", "change_merged", "change_deployed").drop_duplicates("subject")
    deployed = of_kind(signals, "change_deployed").drop_duplicates("subject").set_index("subject")
    account = seen["source"] + ":" + seen["actor"].fillna("ghost")
    return pd.DataFrame(
        {
            "change": seen["subject"],
            "author": account.where(seen["person"].isna(), "people.yaml:" + seen["person"]),
            "person": seen["person"],
            "mark": seen["mark"],
            "change_key": seen["key"],
            "deployed": deployed["at"].reindex(seen["subject"]).array,
            "deployed_key": deployed["key"].reindex(seen["subject"]).array,
        }
    )


def _described(facts: Facts, found: pd.DataFrame) -> pd.DataFrame:
    """What `pairs` says of the bugs of the `link` rung, and of what was confirmed."""
    reasons = in_force(facts.signals, facts.as_of).set_index("subject")["reason"]
    return pd.DataFrame(
        {
            "bug": found["subject"],
            "bug_source": found["source"],
            "bug_key": found["key"],
            "bug_url": found["url"],
            "created": found["at"],
            "reason": reasons.reindex(found["subject"], fill_value="").array,
            "rung": "link",
        }
    )


# --- references ---------------------------------------------------------------------------------------------------


def _references(signals: pd.DataFrame) -> pd.DataFrame:
    """change, to, closes, merged: what each change names, whether that is said to be closed, and said at the merge."""
    named = of_kind(signals, "change_opened", "change_merged")
    rows = {"change": named["subject"], "merged": named["kind"].eq("change_merged")}
    issues, closes = (pd.DataFrame({**rows, "to": detail(named, name)}) for name in ("issues", "closes"))
    long = pd.concat([issues.assign(closes=False), closes.assign(closes=True)]).explode("to", ignore_index=True)
    long = long[long["to"].notna()]
    to = _replaced(_folded(long["to"].astype("str")), _moved(signals))
    return long.assign(to=to).drop_duplicates().reset_index(drop=True)


def _folded(references: pd.Series[Any]) -> pd.Series[Any]:
    """References as they are compared: in one case, Jira keys without their source, URLs without their tail."""
    codes, distinct = pd.factorize(references)  # a key stands in many changes, and the patterns are slow
    folded = pd.Series(distinct, dtype="str").str.casefold()
    bare = folded.str.replace(JIRA_SUBJECT, r"\1", regex=True)
    address = folded.str.replace(r"[?#].*$", "", regex=True).str.replace(PAGE, r"\1", regex=True).str.rstrip("/")
    unlike = bare.where(~folded.str.contains("://", regex=False), address)
    return pd.Series(unlike.array.take(codes), index=references.index)


def _moved(signals: pd.DataFrame) -> pd.Series[Any]:
    """The present reference of each issue that moved, by its former ones."""
    opened = of_kind(signals, "issue_opened")
    former = detail(opened, "former_keys")
    moved = opened[["subject"]].assign(former=former)[former.notna()].explode("former").dropna()
    names = pd.DataFrame({"now": _folded(moved["subject"]), "former": _folded(moved["former"].astype("str"))})
    unclear = names["former"].duplicated()
    if len(names):  # else nothing has moved, and the keys of all issues need not be read
        unclear |= names["former"].isin(_folded(opened["subject"]))
    return names[~unclear].set_index("former")["now"]


def _resolved(signals: pd.DataFrame, to: pd.Series[Any]) -> pd.Series[Any]:
    """Folded claims, URLs and `owner/name#n` without a source made references where only one can be meant."""
    if not to.str.contains("/", regex=False).any():
        return _replaced(to, _moved(signals))
    seen = of_kind(signals, "change_opened", "change_merged", "issue_opened").drop_duplicates("subject")
    now = _folded(seen["subject"])
    other = pd.concat([_folded(seen["url"]), now.str.replace("^[^:]*:", "", regex=True)])
    names = pd.DataFrame({"other": other.array, "now": [*now, *now]}).drop_duplicates()
    names = names[~names["other"].duplicated(keep=False)]
    return _replaced(_replaced(to, names.set_index("other")["now"]), _moved(signals))


def _replaced(to: pd.Series[Any], names: pd.Series[Any]) -> pd.Series[Any]:
    return to.where(~to.isin(names.index), names.reindex(to).array)


def _closing(references: pd.DataFrame, bug: pd.Series[Any]) -> pd.DataFrame:
    """by, bug: the merged changes that close each bug."""
    asked = pd.DataFrame({"bug": bug, "to": _folded(bug.astype("str"))}).drop_duplicates()
    # Only Jira keys stand without a source, and no service says which change closes a Jira issue.
    closes = references["closes"] | ~references["to"].str.contains(":", regex=False)
    closing = references[references["merged"] & closes].merge(asked, on="to")
    return closing.rename(columns={"change": "by"})[["by", "bug"]].drop_duplicates().reset_index(drop=True)


# --- the rung `revert` --------------------------------------------------------------------------------------------


def _reverts(signals: pd.DataFrame, links: pd.DataFrame, references: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The reverts that are bugs themselves, and what says which changes they reverted."""
    reverted = of_kind(signals, "change_reverted")
    reverted = reverted.assign(by=detail(reverted, "by").astype("str"), by_url=detail(reverted, "by_url").astype("str"))
    spared = _closing(references, links["bug"]).merge(links, on="bug")[["by", "change"]].drop_duplicates()
    both = reverted.merge(spared, left_on=["by", "subject"], right_on=["by", "change"], how="left")
    reverted = reverted[both["change"].isna().to_numpy()]
    first = first_per(reverted, "by")
    described = pd.DataFrame(
        {
            "bug": first["by"],
            "bug_source": first["source"],
            "bug_key": first["key"],
            "bug_url": first["by_url"],
            "created": first["at"],
            "reason": "",
            "rung": "revert",
        }
    )
    return described, pd.DataFrame({"bug": reverted["by"], "change": reverted["subject"], "key": reverted["key"]})


# --- the rung `link` ----------------------------------------------------------------------------------------------


def _claims(facts: Facts, found: pd.DataFrame, references: pd.DataFrame) -> pd.DataFrame:
    """bug, key, to, repository: what each signal calls the cause of a bug; commits are those of the repository."""
    closing = _closing(references, found["subject"])
    fixes = of_kind(facts.signals, "change_merged").merge(closing, left_on="subject", right_on="by")
    said = [_linked(facts, found), _said_in(found, found["subject"]), _said_in(fixes, fixes["bug"])]
    claims = pd.concat(said, ignore_index=True)
    claims = claims[claims["to"].notna()].reset_index(drop=True)
    return claims.assign(to=_resolved(facts.signals, _folded(claims["to"].astype("str"))))


def _linked(facts: Facts, found: pd.DataFrame) -> pd.DataFrame:
    """What the bugs' own links of a configured type lead to."""
    links = of_kind(facts.signals, "issue_linked")
    links = links[links["subject"].isin(found["subject"])].reset_index(drop=True)
    said = links["source"] + ":" + detail(links, "type").astype("str").str.strip().str.casefold()
    allowed = [
        f"{name}:{said.strip().casefold()}" for name, source in facts.sources.items() for said in source.caused_by
    ]
    causes = links[said.isin(allowed)]
    return pd.DataFrame({"bug": causes["subject"], "key": causes["key"], "to": detail(causes, "to"), "repository": ""})


def _said_in(signals: pd.DataFrame, bug: pd.Series[Any]) -> pd.DataFrame:
    """What the texts of these signals call the cause of the bug beside each."""
    causes = [[cause.get("to") for cause in said or ()] for said in detail(signals, "causes")]
    rows = {"bug": bug, "key": signals["key"], "to": causes, "repository": _repository(signals["subject"])}
    return pd.DataFrame(rows).explode("to", ignore_index=True)


def _repository(subjects: pd.Series[Any]) -> pd.Series[Any]:
    """`source:owner/name`, in one case; "" for an issue that is in no repository."""
    return subjects.astype("str").str.casefold().str.extract(r"^([^#!]+)[#!]", expand=False).fillna("")


def _source(references: pd.Series[Any]) -> pd.Series[Any]:
    found: pd.Series[Any] = references.str.extract("^([^:]*):", expand=False)
    return found


def _links(
    signals: pd.DataFrame, claims: pd.DataFrame, references: pd.DataFrame, changes: pd.DataFrame
) -> pd.DataFrame:
    """bug, change, key: the changes that each claim means."""
    is_commit = claims["to"].str.fullmatch(COMMIT).astype(bool)
    named = _of_references(signals, claims[~is_commit], references, changes)
    both = pd.concat([named, _of_commits(signals, claims[is_commit])], ignore_index=True)
    return both[["bug", "change", "key"]].drop_duplicates().reset_index(drop=True)


def _of_references(
    signals: pd.DataFrame, claims: pd.DataFrame, references: pd.DataFrame, changes: pd.DataFrame
) -> pd.DataFrame:
    """The changes that are named themselves, and those that reference an issue that is named."""
    named = changes[["change"]].assign(to=changes["change"].str.casefold())
    direct = claims.merge(named, on="to")
    issues = claims[~claims["to"].isin(named["to"])]
    known = _folded(of_kind(signals, "issue_opened")["subject"])
    sharing = _source(named.loc[named["to"].str.contains("#", regex=False), "to"])
    unclear = issues["to"].str.contains("#", regex=False) & _source(issues["to"]).isin(sharing)
    issues = issues[~unclear | issues["to"].isin(known)]
    mentions = references[["change", "to"]].drop_duplicates()
    return pd.concat([direct, issues.merge(mentions, on="to")], ignore_index=True)


def _of_commits(signals: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """The changes whose commit or merge commit begins as claimed, where only one commit does."""
    if claims.empty:
        return _none("bug", "change", "key")
    commits = _commits(signals, claims["to"])
    # The same commits once under their repository and once under none, in the order of their text.
    anywhere = commits.drop_duplicates("sha").assign(repository="")
    commits = pd.concat([commits, anywhere], ignore_index=True)
    names = (commits["repository"] + " " + commits["sha"]).to_numpy(dtype=object)
    order = np.argsort(names, kind="stable")
    wanted = (claims["repository"] + " " + claims["to"]).to_numpy(dtype=object)
    first = np.searchsorted(names[order], wanted, "left")
    beyond = np.searchsorted(names[order], wanted + "g", "left")  # after every hexadecimal digit
    only = beyond - first == 1
    change = commits["change"].to_numpy(dtype=object)[order][first[only]]
    matched: pd.DataFrame = claims[only]
    return matched.assign(change=pd.array(change, dtype="str"))


def _commits(signals: pd.DataFrame, asked: pd.Series[Any]) -> pd.DataFrame:
    """repository, sha, change: the commits that begin as one of those asked for, each once a repository, with the
    change that was merged with it first."""
    merged = of_kind(signals, "change_merged").drop_duplicates("subject").set_index("subject")["at"]
    named = of_kind(signals, "change_merged", "commits_pushed")
    beginnings = {sha[:SHORTEST] for sha in asked}
    shas = [str(sha or "").casefold() for sha in detail(named, "sha")]
    named = named.assign(sha=pd.array(shas, dtype="str"))[[sha[:SHORTEST] in beginnings for sha in shas]]
    rows = pd.DataFrame(
        {
            "repository": _repository(named["subject"]),
            "sha": named["sha"],
            "change": named["subject"],
            "merged": merged.reindex(named["subject"]).array,
        }
    )
    ordered = rows.sort_values(["merged", "change"], kind="stable")
    once: pd.DataFrame = ordered.drop_duplicates(["repository", "sha"], ignore_index=True)
    return once
