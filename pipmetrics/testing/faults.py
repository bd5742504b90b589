"""What a check found wrong, gathered so that an author sees all of it at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST = 5
"""Faults of one rule that are told; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule: its short name, and what broke it."""

    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


class ContractBroken(AssertionError):
    """A plugin breaks its contract; `faults` holds everything that was found."""

    def __init__(self, plugin: str, faults: Iterable[Fault]) -> None:
        self.plugin, self.faults = plugin, tuple(faults)
        super().__init__("\n".join([f"{plugin} breaks its contract", *_told(self.faults)]))

    @property
    def rules(self) -> frozenset[str]:
        """The names of the rules that were broken."""
        return frozenset(fault.rule for fault in self.faults)


@dataclass(slots=True)
class Findings:
    """Gathers faults, each once."""

    plugin: str
    faults: dict[Fault, None] = field(default_factory=dict)

    def add(self, rule: str, what: str) -> None:
        self.faults.setdefault(Fault(rule, what))

    def unless(self, good: bool, rule: str, what: str) -> None:
        if not good:
            self.add(rule, what)

    def close(self) -> None:
        """Raises ContractBroken when there are any."""
        if self.faults:
            raise ContractBroken(self.plugin, self.faults)


def _told(faults: tuple[Fault, ...]) -> list[str]:
    lines = []
    for rule in dict.fromkeys(fault.rule for fault in faults):
        of = [str(fault) for fault in faults if fault.rule == rule]
        lines += of[:MOST] + ([f"{rule}: and {len(of) - MOST} more"] if len(of) > MOST else [])
    return lines


def told(error: BaseException) -> str:
    """An error as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
