"""What was done to a subject that could have moved a number, beside what was counted: facts in neutral words.

Nothing here judges. A date is moved, a change is split, a label goes for good reasons far more often than for bad ones;
who reads a number should see it either way.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from pipmetrics import identity, registry
from pipmetrics.measure import measure_all
from pipmetrics.model import Json, MeasureRequest

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

Fact: TypeAlias = dict[str, Json]
"""A signal as JSON, with the `login` that its actor goes by, and what it says in a few words as `text`."""

ALWAYS = frozenset({
    "change_closed", "change_reopened", "change_drafted", "change_reverted", "issue_reopened", "issue_due_changed",
    "issue_linked",
})  # fmt: skip
WORDED = frozenset({"issue_due_changed", "issue_assigned", "issue_linked", "change_reverted"})
"""Kinds of which the name alone says too little."""
ASKED = frozenset({"review_requested", "review_request_removed"})
"""Told where they are about the person whose number it is."""
LABELLED = frozenset({"issue_opened", "change_opened", "change_merged"})
ANSWERS = frozenset({"reviewed", "commented"})
TOLD = ALWAYS | ASKED | LABELLED | {"issue_assigned"}
MADE = frozenset({"relabelled", "gone", "split", "confirmed"})
"""Kinds of traces that no signal has."""
TAKEN_BACK = LABELLED | ASKED | ANSWERS | {"issue_linked"}
"""Told of when the source changes them or has them no more."""

SPLIT_AT_LEAST, SPLIT_LINES, SPLIT_WITHIN = 3, 50, timedelta(hours=24)
"""Small changes, merged one soon after the other, that stand for one piece of work."""
_PART = re.compile(r"[-_/.]*(?:part|pt|step)?[-_.]*(?<!\d)\d{1,2}$", re.IGNORECASE)
_KEY = re.compile(r"([a-z][a-z0-9_]*-\d+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What the sources have said and say no more: signals by time, the first version of a fact first, each with the
    instant `noticed` by which it had gone."""

    signals: pd.DataFrame


def past_of(company: Organisation, plan: str, as_of: datetime) -> Past:
    """What was known before `as_of` and was changed or taken back since; the plan's recorded evaluations tell when."""
    former = company.store.former(TAKEN_BACK, until=as_of)
    if company.revision is not None:
        former = former[former["ended"].le(company.revision)]
    former = former.reset_index(drop=True)
    recorded = company.store.entries(acts=("evaluation",), subjects=(f"plan:{plan}",), until=as_of)
    seen = sorted((one.payload["revision"], one.at) for one in recorded if one.payload is not None)
    noticed = [next((at for revision, at in seen if revision >= ended), as_of) for ended in former["ended"]]
    return Past(former.assign(noticed=noticed))


def facts_of(signals: pd.DataFrame, logins: Mapping[tuple[str, str], str]) -> Iterator[Fact]:
    """Signals as JSON, each with the login that its actor goes by today, and in words."""
    columns = ("source", "kind", "subject", "key", "actor", "mark", "url", "detail")
    shown = signals.astype(object).where(signals.notna(), None)
    for row in shown.to_dict("records"):
        told = {str(name): row[name] for name in columns}
        told |= {"at": iso(row["at"]), "login": logins.get((row["source"], row["actor"]), row["actor"])}
        yield {**told, "value": row["value"], "text": said(told, logins)}


def logins_of(accounts: pd.DataFrame) -> Mapping[tuple[str, str], str]:
    """What each (source, account id) is called now."""
    return dict(zip(zip(accounts["source"], accounts["id"], strict=True), accounts["login"], strict=True))


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def traces_of(
    company: Organisation, subjects: Collection[str], person: str, as_of: datetime, past: Past | None
) -> dict[str, list[Fact]]:
    """By subject, what was done to it before `as_of` that could move a number of this person, in the order of time."""
    if not subjects:
        return {}
    accounts = company.store.accounts(revision=company.revision)
    logins, people = logins_of(accounts), identity.resolve(list(company.config.people.values()), accounts)
    told = company.store.signals(TOLD | TAKEN_BACK, until=as_of, subjects=subjects, revision=company.revision)
    told = told.assign(person=identity.attach(told["source"], told["actor"], people))
    former = told.head(0) if past is None else past.signals[past.signals["subject"].isin(list(subjects))]
    former = former.assign(person=identity.attach(former["source"], former["actor"], people))
    parts = (
        _plain(told, person, logins),
        _rewritten(told, former, person, logins),
        _split(told, person, logins),
        _confirmed(company, subjects, as_of),
    )
    found: dict[str, list[Fact]] = {}
    for trace in (trace for part in parts for trace in part):
        found.setdefault(trace["subject"], []).append(trace)
    return {subject: sorted(traces, key=lambda trace: str(trace["at"])) for subject, traces in found.items()}


# --- as they happened ---------------------------------------------------------------------------------------------


def _plain(told: pd.DataFrame, person: str, logins: Mapping[tuple[str, str], str]) -> Iterator[Fact]:
    """Facts that stand for themselves."""
    assigned = told[told["kind"].eq("issue_assigned")]
    again = set(assigned.loc[assigned["subject"].duplicated(keep=False), "key"])
    about = told["kind"].isin(ALWAYS) | told["key"].isin(again) | told["kind"].isin(ASKED) & told["person"].eq(person)
    yield from facts_of(told[about], logins)


def said(fact: Mapping[str, Json], logins: Mapping[tuple[str, str], str]) -> str:
    """One fact in a few words."""
    detail = fact["detail"] or {}
    plain = {
        "change_closed": "closed without a merge",
        "change_reopened": "reopened",
        "change_drafted": "turned back into a draft",
        "change_reverted": f"reverted by {detail.get('by')}",
        "issue_reopened": "reopened",
        "issue_linked": f"linked: {detail.get('type')} {detail.get('to')}",
        "review_requested": "the review was requested",
        "review_request_removed": "the request was taken back",
    }
    kind = str(fact["kind"])
    if kind == "issue_due_changed":
        return _moved("due date", detail.get("from"), detail.get("to"))
    if kind == "issue_assigned":
        before = logins.get((str(fact["source"]), str(detail.get("from"))), detail.get("from"))
        return _moved("assignee", before, fact["login"])
    return plain.get(kind, kind.replace("_", " "))


def _moved(what: str, before: Json, after: Json) -> str:
    if before is None:
        return f"{what} set to {after}"
    return f"{what} {before} taken away" if after is None else f"{what} moved from {before} to {after}"


# --- rewritten ----------------------------------------------------------------------------------------------------


def _rewritten(
    told: pd.DataFrame, former: pd.DataFrame, person: str, logins: Mapping[tuple[str, str], str]
) -> Iterator[Fact]:
    """Labels and types that are not what they were when they were first read, and facts that are there no more."""
    former = former[former["kind"].isin(LABELLED | {"issue_linked"}) | former["person"].eq(person)]
    held = {(fact["source"], fact["key"]): fact for fact in facts_of(told[told["key"].isin(former["key"])], logins)}
    versions: dict[tuple[str, str], list[Fact]] = {}
    for fact, noticed in zip(facts_of(former, logins), former["noticed"], strict=True):
        versions.setdefault((fact["source"], fact["key"]), []).append({**fact, "noticed": iso(noticed)})
    for place, known in versions.items():
        for before, after in pairwise([*known, held.get(place)]):
            assert before is not None, "only the last one may be missing"
            text = _gone_by(before) if after is None else changed(before["detail"], after["detail"])
            if text:
                kind = "gone" if after is None else "relabelled"
                fact = {name: value for name, value in before.items() if name != "noticed"}
                yield {**fact, "kind": kind, "at": before["noticed"], "login": None, "actor": None, "text": text}


def _gone_by(fact: Fact) -> str:
    return f"{str(fact['kind']).replace('_', ' ')} of {fact['at']}: no longer at the source (seen by then)"


def changed(before: Mapping[str, Json], after: Mapping[str, Json]) -> str:
    """How labels and type of two versions differ, "" when they do not."""
    parts = []
    kinds = before.get("type"), after.get("type")
    if kinds[0] != kinds[1]:
        parts.append(f"type {kinds[0] or 'none'} became {kinds[1] or 'none'}")
    old, new = (list(detail.get("labels") or ()) for detail in (before, after))
    gone, came = sorted(set(old) - set(new)), sorted(set(new) - set(old))
    parts += [f"label {', '.join(gone)} taken away"] if gone else []
    parts += [f"label {', '.join(came)} added"] if came else []
    return "; ".join(parts) and f"{'; '.join(parts)} (seen by then)"


# --- split --------------------------------------------------------------------------------------------------------


def _split(told: pd.DataFrame, person: str, logins: Mapping[tuple[str, str], str]) -> Iterator[Fact]:
    """Small changes of the person for one issue, or on branches of one name, merged one soon after the other."""
    small = told["kind"].eq("change_merged") & told["person"].eq(person) & told["value"].le(SPLIT_LINES)
    opened = told[told["kind"].eq("change_opened")].drop_duplicates("subject").set_index("subject")["detail"]
    shared: dict[str, list[Fact]] = {}
    for fact in facts_of(told[small], logins):
        for name in _belongs_to(fact, opened.get(fact["subject"], {})):
            shared.setdefault(name, []).append(fact)
    told_of: set[str] = set()
    for name, run in ((name, run) for name, changes in sorted(shared.items()) for run in _runs(changes)):
        subjects = [str(fact["subject"]) for fact in run]
        sizes = [float(fact["value"]) for fact in run]
        text = f"one of {len(run)} changes for {name}, each merged within a day of the one before; "
        text += f"{min(sizes):g} to {max(sizes):g} lines"
        for fact in run:
            if fact["subject"] not in told_of:
                yield {**fact, "kind": "split", "text": text, "detail": {"changes": subjects}}
        told_of.update(subjects)


def _belongs_to(fact: Fact, opened: Mapping[str, Json]) -> Iterator[str]:
    """The issues that a change references, and its branch without the number of a part at its end."""
    detail = fact["detail"] or {}
    issues = sorted({*(detail.get("issues") or ()), *(opened.get("issues") or ())})
    yield from issues
    branch = str(opened.get("branch") or "")
    key = _KEY.search(branch)
    stem = _PART.sub("", branch)
    if stem not in ("", branch) and not (key and any(issue.casefold().endswith(key[1].casefold()) for issue in issues)):
        yield f"the branch {stem} of {re.split('[#!]', str(fact['subject']))[0]}"


def _runs(changes: Sequence[Fact]) -> Iterator[Sequence[Fact]]:
    """Those merged soon after the one before, where there are enough of them."""
    run: list[Fact] = []
    for fact in sorted(changes, key=_instant):
        if run and _instant(fact) - _instant(run[-1]) > SPLIT_WITHIN:
            yield from [run] if len(run) >= SPLIT_AT_LEAST else []
            run = []
        run.append(fact)
    yield from [run] if len(run) >= SPLIT_AT_LEAST else []


def _instant(fact: Fact) -> datetime:
    return datetime.fromisoformat(str(fact["at"]))


# --- confirmed ----------------------------------------------------------------------------------------------------


def _confirmed(company: Organisation, subjects: Collection[str], as_of: datetime) -> Iterator[Fact]:
    """What a person has confirmed of what the fix of a bug changed."""
    for act in company.acts(as_of).attestations:
        if act.bug in subjects:
            text = (
                f"caused by {act.change}, as the lines say that its fix changed ({'; '.join(act.evidence)}); confirmed"
            )
            yield {
                "at": iso(act.at), "login": act.by, "source": act.bug.partition(":")[0], "kind": "confirmed",
                "subject": act.bug, "key": f"ledger:{act.entry}", "actor": None, "mark": "", "url": "", "value": None,
                "detail": {"change": act.change, "evidence": list(act.evidence), "why": act.why}, "text": text,
            }  # fmt: skip


# --- gone ---------------------------------------------------------------------------------------------------------


def gone(
    company: Organisation, request: MeasureRequest, person: str, past: Past, present: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `request` would still give of this person if the sources said what they said first, of subjects that are
    not `present` any more: a bug that lost its label, a request that was deleted. And the signals it was made from:
    those of the subjects that changed, and of all that the person took part in, not the whole store."""
    store, revision, kinds = company.store, company.revision, registry.metric(request.metric).kinds
    first = past.signals[past.signals["kind"].isin(kinds) & ~past.signals["subject"].isin(list(present))]
    first = first.drop_duplicates(["source", "key"])
    now = store.signal_rows(set(zip(first["source"], first["key"], strict=True)), revision=revision)
    told = _tells(first, now)
    if told.empty:
        return pd.DataFrame({"subject": pd.Series(dtype="str")}), now
    accounts, people = store.accounts(revision=revision), list(company.config.people.values())
    known = identity.resolve(people, accounts)
    own = known[known["person"].eq(person)]
    near = (
        store.signals(kinds, until=request.as_of, subjects=set(told["subject"]), revision=revision),
        store.signals(
            kinds,
            until=request.as_of,
            involving=list(zip(own["source"], own["actor"], strict=True)),
            revision=revision,
        ),
    )
    signals = pd.concat([told[near[0].columns], *near], ignore_index=True).drop_duplicates(["source", "key"])
    rows = measure_all([request], signals, accounts, people, company.config.settings.sources)[request]
    went = rows["person"].eq(person) & rows["state"].ne("excluded") & ~rows["subject"].isin(list(present))
    return rows[went].reset_index(drop=True), signals


def _tells(first: pd.DataFrame, signals: pd.DataFrame) -> pd.DataFrame:
    """First versions that differ from what is said now in more than their wording."""
    now = dict(zip(zip(signals["source"], signals["key"], strict=True), signals["detail"], strict=True))
    differs = [
        (source, key) not in now or bool(changed(detail, now[source, key]))
        for source, key, detail in zip(first["source"], first["key"], first["detail"], strict=True)
    ]
    return first[differs]
