"""Every error says what is wrong, where, and what to do about it.

`where` is a position a person can open: ``file:line:column`` for what they wrote, the source and the path of the
request for what a service answered. No error carries a header, a query string, a body or a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PipmetricsError(Exception):
    """Root of the tree; `exit_code` is what the command line ends with."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.mend = what, where, mend

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  {self.mend}" if self.mend else text

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.__dict__.copy())


def _rebuild(kind: type[PipmetricsError], state: dict[str, object]) -> PipmetricsError:
    error = kind.__new__(kind)
    Exception.__init__(error, state["what"])
    error.__dict__.update(state)
    return error


class UsageError(PipmetricsError):
    """A command was asked for something that does not exist or does not fit."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in one place of one file; lines and columns count from 1, 0 means the whole file."""

    file: str
    line: int
    column: int
    what: str
    mend: str = ""

    def __str__(self) -> str:
        where = self.file if not self.line else f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.what}" + (f"\n  {self.mend}" if self.mend else "")


class ConfigError(PipmetricsError):
    """All problems of all files at once."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class PluginError(PipmetricsError):
    """A plugin is missing, fails to load, or breaks its contract."""

    exit_code = 2


class SourceError(PipmetricsError):
    """A service did not give a good answer; `status` is the HTTP status, 0 when there was none."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", status: int = 0) -> None:
        super().__init__(what, where=where, mend=mend)
        self.status = status


class Deferred(SourceError):
    """The service asks for a longer wait than a run is worth; `seconds` says how long."""

    def __init__(self, what: str, *, where: str = "", seconds: float = 0.0) -> None:
        super().__init__(what, where=where, mend="The next run goes on where this one stopped.", status=429)
        self.seconds = seconds


class StoreError(PipmetricsError):
    """The database cannot be read or written as it should."""


class Refused(PipmetricsError):
    """Another run holds the lease, the ledger is broken, or the act is not this person's to make."""

    exit_code = 3
