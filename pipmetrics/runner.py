"""The nightly job: check, pull, evaluate, record, deliver what is due; one at a time, and safe to kill.

The steps are handed in. Each commits what it did, so that a run which ends early, for whatever reason, is completed by
the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from pipmetrics import acts
from pipmetrics.errors import PipmetricsError
from pipmetrics.ledger import Act
from pipmetrics.model import Baseline, Plan
from pipmetrics.pull import Pulled, Stop
from pipmetrics.store import Evaluated, Run, Store
from pipmetrics.store.engine import size

__all__ = ["Delivered", "RunReport", "Scored", "Steps", "Stop", "run"]

Outcome: TypeAlias = Literal["done", "incomplete", "skipped", "failed", "stopped"]
KIND = "nightly"
BY = "scheduler"
"""The actor of what a run records."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scored:
    """What an evaluation gives to be recorded, and what is wrong with it."""

    plans: Sequence[Plan] = ()
    evaluated: Sequence[Evaluated] = ()
    baselines: Sequence[Baseline] = ()
    incomplete: Sequence[str] = ()
    shards: int = 0
    """Handed out to the workers of an executor."""
    fell_back: Sequence[str] = ()
    """Why shards were evaluated in the process itself after all; nothing is missing for that."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many messages went out, and why others did not."""

    sent: int = 0
    failed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Steps:
    """The work of a night. Each gets the store with the run's lease on it and the instant of the run.

    `check` gives what people should know, and raises what makes a run impossible; `pull` also gets the number of the
    run record, `expire` removes what is kept no longer and says what that was. A step left out does nothing.
    """

    check: Callable[[Store, datetime], Sequence[str]] = lambda _store, _now: ()
    pull: Callable[[Store, datetime, int], Sequence[Pulled]] = lambda _store, _now, _run: ()
    evaluate: Callable[[Store, datetime], Scored] = lambda _store, _now: Scored()
    deliver: Callable[[Store, datetime], Delivered] = lambda _store, _now: Delivered()
    expire: Callable[[Store, datetime], Sequence[str]] = lambda _store, _now: ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did. `skipped`: another run had answered the same slot already."""

    run: int
    started: datetime
    ended: datetime
    outcome: Outcome
    checked: tuple[str, ...] = ()
    pulled: tuple[Pulled, ...] = ()
    recorded: tuple[tuple[Evaluated, int], ...] = ()
    baselines: int = 0
    delivered: Delivered = Delivered()
    incomplete: tuple[str, ...] = ()
    """In words, everything that is missing from this night."""
    expired: tuple[str, ...] = ()
    """In words, what was kept no longer."""
    fell_back: tuple[str, ...] = ()
    """Why plans were evaluated in this process and not where the settings say."""

    @property
    def exit_code(self) -> int:
        return 0 if self.outcome in ("done", "skipped") else 1


@dataclass(slots=True)
class _Night:
    """A run under way, for its record and report."""

    store: Store
    steps: Steps
    number: int
    started: datetime
    checked: Sequence[str] = ()
    pulled: Sequence[Pulled] = ()
    expired: Sequence[str] = ()
    scored: Scored = field(default_factory=Scored)
    recorded: Sequence[tuple[Evaluated, int]] = ()
    baselines: int = 0
    delivered: Delivered = field(default_factory=Delivered)

    def work(self) -> None:
        self.checked = self.steps.check(self.store, self.started)
        self.pulled = self.steps.pull(self.store, self.started, self.number)
        self.expired = self.steps.expire(self.store, self.started)
        self.scored = self.steps.evaluate(self.store, self.started)
        self.record()
        self.delivered = self.steps.deliver(self.store, self.started)

    def record(self) -> None:
        scored, now = self.scored, self.started
        self.baselines = acts.record_baselines(self.store, scored.plans, scored.baselines, by=BY, now=now)
        self.recorded = self.store.record_evaluations(scored.evaluated, BY, now)
        self.store.sign_head(Act("night", "store", BY, {"run": self.number}), now)

    def incomplete(self) -> tuple[str, ...]:
        sources = (f"{one.source}: {one.error or ', '.join(one.gaps)}" for one in self.pulled if not one.complete)
        return (*sources, *self.scored.incomplete, *(f"not delivered: {why}" for why in self.delivered.failed))

    def counts(self) -> dict[str, int]:
        shards, back, expired = self.scored.shards, len(self.scored.fell_back), len(self.expired)
        return {
            "added": sum(one.written.added for one in self.pulled),
            "changed": sum(one.written.changed for one in self.pulled),
            "removed": sum(one.written.removed for one in self.pulled),
            "evaluated": len(self.scored.evaluated),
            "recorded": len(self.recorded),
            "baselines": self.baselines,
            "delivered": self.delivered.sent,
            "not_delivered": len(self.delivered.failed),
            **({"expired": expired} if expired else {}),
            **({"shards": shards, "fell_back": back} if (shards or back) else {}),
        }

    def sources(self) -> Mapping[str, Mapping[str, object]]:
        return {
            one.source: {
                "requests": one.requests,
                "retried": one.retried,
                "error": one.error,
                "gaps": list(one.gaps),
                "budget": {kind: list(left) for kind, left in one.budget.items()},
            }
            for one in self.pulled
        }

    def end(self, kind: str, outcome: Outcome, now: datetime) -> None:
        self.store.end_run(
            Run(
                id=self.number,
                kind=kind,
                started=self.started,
                ended=now,
                outcome=outcome,
                counts={**self.counts(), "bytes": size(self.store.engine)},
                requests=sum(one.requests for one in self.pulled),
                retried=sum(one.retried for one in self.pulled),
                sources=self.sources(),
            )
        )


def run(
    store: Store, steps: Steps, *, clock: Callable[[], datetime], kind: str = KIND, slot: datetime | None = None
) -> RunReport:
    """Runs the steps once. Refused while another run holds the lease.

    `slot`: the scheduled instant that this run answers to; when a run that began since then came to its end, there is
    nothing left to do. A step that fails ends the run as "failed" and its error goes on; Stop and KeyboardInterrupt
    end it as "stopped".
    """
    started = clock()
    with store.leased(started) as held:
        if slot is not None and (before := answered(held, kind, slot, started)) is not None:
            return RunReport(before.id, before.started, before.ended or started, "skipped")
        number = held.begin_run(kind, started, slot.isoformat() if slot else "")
        night = _Night(held, steps, number, started)
        try:
            night.work()
        except (Stop, KeyboardInterrupt):
            night.end(kind, "stopped", clock())
            raise
        except Exception as error:
            _log.error("run %s failed: %s", number, error if isinstance(error, PipmetricsError) else repr(error))
            night.end(kind, "failed", clock())
            raise
        missing, ended = night.incomplete(), clock()
        outcome: Outcome = "incomplete" if missing else "done"
        night.end(kind, outcome, ended)
    return RunReport(
        number, started, ended, outcome, tuple(night.checked), tuple(night.pulled), tuple(night.recorded),
        night.baselines, night.delivered, missing,
        tuple(night.expired), tuple(night.scored.fell_back),
    )  # fmt: skip


def answered(store: Store, kind: str, slot: datetime, now: datetime) -> Run | None:
    """The run that answers to a slot: it began then or later and came to its end, complete or not.

    Runs of the future do not count: a clock that once was ahead must not silence the nights until then.
    """
    ended = (one for one in store.runs([kind], limit=50) if one.outcome in ("done", "incomplete"))
    return next((one for one in ended if slot <= one.started <= now), None)
