"""What follows from the stored signals of a source: which change reverted which, and what reached production when.

Both functions are pure, apart from the `compare` that is handed in, and start over from all merges and deployments of
the repositories that they are given: late arrivals and removed deployments come out as if they had always been known
or had never been.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Literal, TypeAlias

from pipmetrics.errors import SourceError
from pipmetrics.model import Json, Signal
from pipmetrics.plugin import Comparison

Groups: TypeAlias = dict[str, tuple[Signal, ...]]
Compare: TypeAlias = Callable[[str, str, str], Comparison]

SHA = re.compile(r"[0-9a-f]{7,64}")
KEPT_DIGITS = 12
"""Digits of each commit that a cached answer keeps: enough for 2^24 commits of one repository."""


def repository_of(subject: str) -> str:
    """`SOURCE:owner/name` of a change (`#n`, `!n`) or deployment (`@n`) in it."""
    return re.sub(r"[#!@][^#!@]*$", "", subject)


# --- reverts ------------------------------------------------------------------------------------------------------


def reverts(merged: Sequence[Signal], known: Iterable[str] = ()) -> Groups:
    """`change_reverted` signals, in a group "revert SUBJECT" for each merged change, empty when it reverts nothing.

    A change is named by its reference, or by the commit that merged it in the same repository (7 digits at least, and
    of one merge only). `known`: names of groups made earlier; those without a merge any more come back empty.
    """
    named = {signal.subject.casefold(): signal for signal in merged}
    commits = _commits(merged)
    groups: Groups = dict.fromkeys(known, ())
    for by in merged:
        found: dict[str, Signal] = {}
        for said in by.detail.get("reverts") or ():
            target = named.get(said.casefold()) or _merged_as(said, commits[repository_of(by.subject)])
            if target and target.subject != by.subject and target.at <= by.at:
                found.setdefault(target.subject, _reverted(target, by, said))
        groups[f"revert {by.subject}"] = tuple(found.values())
    return groups


def _commits(merged: Iterable[Signal]) -> dict[str, list[tuple[str, Signal]]]:
    commits: dict[str, list[tuple[str, Signal]]] = defaultdict(list)
    for signal in merged:
        if _sha(signal):
            commits[repository_of(signal.subject)].append((_sha(signal), signal))
    return defaultdict(list, {name: sorted(pairs, key=lambda pair: pair[0]) for name, pairs in commits.items()})


def _merged_as(said: str, commits: Sequence[tuple[str, Signal]]) -> Signal | None:
    """The one change that was merged as this commit; None when there is none, or more than one."""
    prefix = said.casefold()
    if not SHA.fullmatch(prefix):
        return None
    first = bisect_left(commits, prefix, key=lambda pair: pair[0])
    matching = list(takewhile(lambda pair: pair[0].startswith(prefix), commits[first : first + 2]))
    return matching[0][1] if len(matching) == 1 else None


def _reverted(target: Signal, by: Signal, said: str) -> Signal:
    text = f"This reverts commit {said}" if SHA.fullmatch(said.casefold()) else f"Reverts {said.partition(':')[2]}"
    return Signal(
        source=target.source,
        kind="change_reverted",
        subject=target.subject,
        key=f"change_reverted:{target.key}:{by.key}",
        at=by.at,
        url=by.url,
        actor=target.actor,
        mark=target.mark,
        detail={"by": by.subject, "by_url": by.url, "text": text},
    )


# --- deliveries ---------------------------------------------------------------------------------------------------


def deliveries(
    merged: Sequence[Signal],
    deployed: Sequence[Signal],
    compare: Compare,
    cache: MutableMapping[str, Json],
    known: Iterable[str] = (),
) -> Groups:
    """`change_deployed` signals, in a group "delivery SUBJECT" for each merged change, empty while it is not deployed.

    Each change gets its first production deployment that contains its merge commit and is not before its merge.
    `compare(repository, base, head)` is asked once for each pair, with the repository's name as the service knows it
    (no source before it); when it answers 404, what was merged into the default branch since the deployment before
    counts as deployed (method "time"). Any other SourceError goes through, and answers so far stay in `cache`.

    `cache` holds JSON values under "REPOSITORY BASE...HEAD" and is written here: null for 404, else all commits of the
    answer, cut to KEPT_DIGITS, so that merges which come to be known later are found in it. Pairs of these
    repositories that are no longer asked for are dropped. `known` is as for `reverts`.
    """
    groups: Groups = dict.fromkeys([*known, *(f"delivery {signal.subject}" for signal in merged)], ())
    by_repository: dict[str, list[Signal]] = defaultdict(list)
    for signal in deployed:
        by_repository[repository_of(signal.subject)].append(signal)
    changes: dict[str, list[Signal]] = defaultdict(list)
    for signal in merged:
        changes[repository_of(signal.subject)].append(signal)
    for name in changes:
        answers = _Answers(name, compare, cache)
        replay = _Replay(answers, sorted(changes[name], key=_in_time))
        for deployment in sorted(by_repository[name], key=_in_time):
            replay.deploy(deployment)
        answers.forget_others()
        groups |= {f"delivery {made.subject}": (made,) for made in replay.delivered}
    return groups


def _in_time(signal: Signal) -> tuple[datetime, str]:
    return signal.at, signal.key


def _sha(signal: Signal) -> str:
    return str(signal.detail.get("sha") or "").casefold()


@dataclass(frozen=True, slots=True)
class _Answer:
    """A comparison, its commits cut to KEPT_DIGITS."""

    commits: frozenset[str]
    contained: bool


@dataclass(slots=True)
class _Answers:
    """One repository's comparisons, each asked once."""

    repository: str
    compare: Compare
    cache: MutableMapping[str, Json]
    used: set[str] = field(default_factory=set)

    def of(self, base: str, head: str) -> _Answer | None:
        """What `head` adds to `base`; None when the service has lost either."""
        if not base or not head:
            return None
        if base == head:
            return _Answer(frozenset(), contained=True)
        name = f"{self.repository} {base}...{head}"
        self.used.add(name)
        if name not in self.cache:
            self.cache[name] = self.ask(base, head)
        kept = self.cache[name]
        return None if kept is None else _Answer(frozenset(kept["commits"]), kept["contained"])

    def ask(self, base: str, head: str) -> Json:
        try:
            answer = self.compare(self.repository.partition(":")[2], base, head)
        except SourceError as error:
            if error.status != 404:
                raise
            return None
        commits = sorted({sha.casefold()[:KEPT_DIGITS] for sha in answer.shas})
        return {"commits": commits, "contained": answer.contained}

    def forget_others(self) -> None:
        for name in [name for name in self.cache if name.startswith(f"{self.repository} ")]:
            if name not in self.used:
                del self.cache[name]


class _Replay:
    """Goes through a repository's deployments in time order and places each merge at the first that contains it.

    What is first contained in a deployment is in its comparison with any deployment before it, also across rollbacks
    and several environments; so each is compared with the last one that could be compared, to begin with with the
    oldest merge. A deployment is not asked about while every merge before it has its place.
    """

    def __init__(self, answers: _Answers, merged: Sequence[Signal]) -> None:
        self.answers = answers
        self.merged = merged
        self.waiting = {signal.subject: signal for signal in merged}
        self.by_commit: dict[str, list[str]] = defaultdict(list)
        for signal in filter(_sha, merged):
            self.by_commit[_sha(signal)[:KEPT_DIGITS]].append(signal.subject)
        self.oldest = next(filter(None, map(_sha, merged)), "")
        self.base = self.oldest
        self.is_first = True
        self.missed = ""
        """Head of the last comparison that failed."""
        self.early: set[str] = set()
        """Subjects of merges that are contained in `base` and were merged after it (their commit came first)."""
        self.before = datetime.min.replace(tzinfo=UTC)
        """Instant of the deployment before."""
        self.delivered: list[Signal] = []

    def deploy(self, deployment: Signal) -> None:
        longest_waiting = next(iter(self.waiting.values()), None)
        if longest_waiting and longest_waiting.at <= deployment.at:
            answer = self.ask(_sha(deployment))
            if answer is not None:
                self.place_by_ancestry(deployment, answer)
            self.place_by_time(deployment, lost=answer is None)
        self.before = deployment.at

    def ask(self, head: str) -> _Answer | None:
        """Against the last good base; if that one is what was lost, against the head that failed with it."""
        answer = self.answers.of(self.base, head)
        if answer is None and self.missed not in ("", head):
            answer = self.answers.of(self.missed, head)
            if answer is not None:
                self.base, self.is_first, self.early = self.missed, False, set()
        self.missed = head if answer is None else ""
        return answer

    def place_by_ancestry(self, deployment: Signal, answer: _Answer) -> None:
        head = _sha(deployment)
        present = self.waiting_in(answer.commits) | self.kept(head, answer)
        if self.is_first and answer.contained:
            present |= self.waiting_in({self.oldest[:KEPT_DIGITS]})
        self.base, self.is_first = head, False
        self.early = {subject for subject in present if self.waiting[subject].at > deployment.at}
        for subject in sorted(present - self.early):
            self.place(subject, deployment, "ancestry")

    def waiting_in(self, commits: Iterable[str]) -> set[str]:
        return {subject for sha in commits for subject in self.by_commit.get(sha, ()) if subject in self.waiting}

    def kept(self, head: str, answer: _Answer) -> set[str]:
        """The early ones that `head` still contains: all of them unless it goes back behind `base`."""
        if answer.contained or not self.early:
            return self.early
        back = self.answers.of(head, self.base)
        return set() if back is None else self.early - self.waiting_in(back.commits)

    def place_by_time(self, deployment: Signal, *, lost: bool) -> None:
        """What was merged into the default branch since the deployment before, where ancestry can not be known."""
        instants = (self.before, deployment.at)
        first, end = (bisect_right(self.merged, at, key=lambda signal: signal.at) for at in instants)
        for signal in self.merged[first:end]:
            unknown = lost or not _sha(signal)
            if unknown and signal.subject in self.waiting and signal.detail.get("default_branch"):
                self.place(signal.subject, deployment, "time")

    def place(self, subject: str, deployment: Signal, method: Literal["ancestry", "time"]) -> None:
        change = self.waiting.pop(subject)
        detail: Mapping[str, Json] = {
            "sha": deployment.detail.get("sha"),
            "deployment": deployment.subject,
            "environment": deployment.detail.get("environment"),
            "method": method,
        }
        self.delivered.append(
            Signal(
                source=change.source,
                kind="change_deployed",
                subject=change.subject,
                key=f"change_deployed:{change.key}",
                at=deployment.at,
                url=deployment.url,
                actor=change.actor,
                mark=change.mark,
                detail=detail,
            )
        )
