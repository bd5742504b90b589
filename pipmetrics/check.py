"""`check`: the configuration with all its problems, the plans linted, and, when asked, every source questioned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pipmetrics
from pipmetrics.config import Config, Finding, lint, load, report
from pipmetrics.errors import ConfigError, Problem, SourceError
from pipmetrics.model import Person, Source
from pipmetrics.plugin import Finding as Answer

if TYPE_CHECKING:
    from pipmetrics.config import Outlook

GLYPHS = {"ok": "✓", "note": "·", "warning": "◆", "error": "■"}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found. `answers` are those of the sources, by name, empty unless they were asked."""

    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]
    answers: tuple[tuple[str, Answer], ...]
    plans: int = 0

    @property
    def exit_code(self) -> int:
        """2 for a configuration that cannot be used, 1 when a source cannot, else 0: lint findings advise."""
        if self.problems:
            return 2
        return 1 if any(answer.level == "error" for _, answer in self.answers) else 0

    def render(self, form: str) -> str:
        """As text, JSON, GitHub annotations or SARIF."""
        if form == "json":
            import json

            return json.dumps(self.to_json(), ensure_ascii=False, indent=2)
        said = report(form, self.problems, self.findings, pipmetrics.__version__).rstrip("\n")
        return said if form != "text" else "\n".join([*([said] if said else []), *self._text()])

    def to_json(self) -> dict[str, object]:
        import json

        found: dict[str, object] = json.loads(report("json", self.problems, self.findings, pipmetrics.__version__))
        keys = ("level", "what", "mend")
        answers = [{"source": name} | {key: getattr(answer, key) for key in keys} for name, answer in self.answers]
        return found | {"sources": answers}

    def _text(self) -> Iterator[str]:
        for name, answer in self.answers:
            yield f"{GLYPHS[answer.level]} {name}: {answer.what}" + (f"\n    {answer.mend}" if answer.mend else "")
        if not self.problems:
            open_ = sum(1 for finding in self.findings if not finding.waived)
            yield f"The configuration is valid: {self.plans} plans, {open_} lint findings."


def check(folder: str | Path, *, online: bool = False, outlooks: Sequence[Outlook] = ()) -> CheckReport:
    """Check a folder; nothing is asked of a source unless `online`."""
    try:
        config = load(folder)
    except ConfigError as error:
        return CheckReport(error.problems, (), ())
    answers = tuple(ask(config)) if online else ()
    return CheckReport((), lint.lint(config, outlooks), answers, len(config.plans))


def ask(config: Config) -> Iterator[tuple[str, Answer]]:
    """What every source says of its token, permissions, clock and the configured accounts."""
    from pipmetrics.sources import connect

    for name, source in config.settings.sources.items():
        try:
            connector, _ = connect(source, config.settings.folder)
            for answer in connector.check(logins_of(config.people.values(), source)):
                yield name, answer
        except SourceError as error:
            yield name, Answer("error", error.what, error.mend)


def logins_of(people: Iterable[Person], source: Source) -> list[str]:
    """The present login of everybody who has an account on a source."""
    return [logins[0] for person in people if (logins := person.accounts.get(source.name))]
