"""Ledger entries -> what people have done, as frozen values. Pure; an erased entry says nothing any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from pipmetrics.model import Acts, Attestation, Baseline, CheckIn, Dispute, SupportGiven, Window
from pipmetrics.store import Recorded

KINDS = frozenset({
    "dispute", "dispute.answer", "dispute.decide", "attest", "blame", "check_in", "support", "support.confirm",
    "baseline",
})  # fmt: skip
"""Entries that `fold` reads."""


def plan_of(entry: Recorded) -> str:
    """The plan that an entry is about."""
    return entry.subject.removeprefix("plan:")


def known(entries: Iterable[Recorded], until: datetime | None) -> Iterable[Recorded]:
    """Those before `until` that still say something."""
    return (entry for entry in entries if entry.payload is not None and (until is None or entry.at < until))


def fold(entries: Iterable[Recorded], until: datetime | None = None) -> Acts:
    """All acts before `until` (None: all), each in the order of its entry.

    Of check-ins of the same day the last record counts, of baselines of the same criterion the first. That a change
    caused a bug is an attestation while it is confirmed.
    """
    folded = _Folded()
    for entry in known(entries, until):
        if entry.act in _STEPS:
            _STEPS[entry.act](folded, entry)
    return Acts(
        disputes=tuple(folded.disputes.values()),
        attestations=(*folded.attestations, *(each for each in folded.blamed.values() if each.value)),
        check_ins=tuple(folded.check_ins.values()),
        supports=tuple(folded.supports.values()),
        baselines=tuple(folded.baselines),
    )


def blamed(entries: Iterable[Recorded]) -> tuple[Attestation, ...]:
    """The last word on each bug and change that a fix suggested: value 1 where it was confirmed, 0 where denied."""
    folded = _Folded()
    for entry in known(entries, None):
        folded.blame(entry)
    return tuple(folded.blamed.values())


class _Folded:
    def __init__(self) -> None:
        self.disputes: dict[int, Dispute] = {}
        self.attestations: list[Attestation] = []
        self.blamed: dict[tuple[str, str, str], Attestation] = {}
        self.check_ins: dict[tuple[str, date], CheckIn] = {}
        self.supports: dict[tuple[str, int], SupportGiven] = {}
        self.baselines: list[Baseline] = []

    def dispute(self, entry: Recorded) -> None:
        said = entry.payload
        self.disputes[entry.seq] = Dispute(
            plan_of(entry), said["criterion"], said["key"], entry.actor, said["why"], entry.at,
            entry=entry.seq, subject=said.get("subject", ""),
        )  # fmt: skip

    def answer(self, entry: Recorded) -> None:
        self._change(entry, answer=entry.payload["why"])

    def settle(self, entry: Recorded) -> None:
        said = entry.payload
        self._change(entry, state=said["outcome"], decided_by=entry.actor, answer=said["why"])

    def _change(self, entry: Recorded, **values: Any) -> None:
        dispute = self.disputes.get(entry.payload["dispute"])
        if dispute is not None:  # else it was erased
            self.disputes[dispute.entry] = replace(dispute, **values)

    def attest(self, entry: Recorded) -> None:
        said = entry.payload
        self.attestations.append(
            Attestation(
                plan=plan_of(entry),
                criterion=said["criterion"],
                by=entry.actor,
                role=said["role"],
                value=said["value"],
                why=said["why"],
                at=entry.at,
                entry=entry.seq,
                person=said["person"],
            )
        )

    def blame(self, entry: Recorded) -> None:
        """Of what is said of one bug and change the last word counts."""
        said, plan = entry.payload, plan_of(entry)
        self.blamed[plan, said["bug"], said["change"]] = Attestation(
            plan=plan,
            criterion="",
            by=entry.actor,
            role="",
            value=float(said["confirmed"]),
            why=said["why"],
            at=entry.at,
            entry=entry.seq,
            person=said["person"],
            bug=said["bug"],
            change=said["change"],
            evidence=tuple(said["evidence"]),
        )

    def check_in(self, entry: Recorded) -> None:
        said = entry.payload
        day = date.fromisoformat(said["day"])
        self.check_ins[plan_of(entry), day] = CheckIn(
            plan_of(entry), day, said["held"], entry.actor, said["why"], entry.at, entry.seq
        )

    def support(self, entry: Recorded) -> None:
        said = entry.payload
        self.supports[plan_of(entry), said["support"]] = SupportGiven(
            plan_of(entry), said["support"], entry.actor, date.fromisoformat(said["on"]), entry.at, entry=entry.seq
        )

    def confirm(self, entry: Recorded) -> None:
        place = plan_of(entry), entry.payload["support"]
        given = self.supports.get(place)
        if given is not None:
            self.supports[place] = replace(given, confirmed=entry.payload["confirmed"])

    def baseline(self, entry: Recorded) -> None:
        said = entry.payload
        start, end = map(datetime.fromisoformat, said["window"])
        self.baselines.append(
            Baseline(plan_of(entry), said["criterion"], Window(start, end), said["measured"], entry.at, entry.seq)
        )


_STEPS: Mapping[str, Callable[[_Folded, Recorded], None]] = {
    "dispute": _Folded.dispute,
    "dispute.answer": _Folded.answer,
    "dispute.decide": _Folded.settle,
    "attest": _Folded.attest,
    "blame": _Folded.blame,
    "check_in": _Folded.check_in,
    "support": _Folded.support,
    "support.confirm": _Folded.confirm,
    "baseline": _Folded.baseline,
}
