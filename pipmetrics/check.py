"""`check`: the configuration with all its problems, the plans linted, and, when asked, every source questioned."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pipmetrics
from pipmetrics import windows
from pipmetrics.api import Organisation, store_file
from pipmetrics.config import Config, Finding, lint, load, report
from pipmetrics.errors import ConfigError, PipmetricsError, Problem, SourceError
from pipmetrics.model import Person, Source
from pipmetrics.plugin import Finding as Answer

if TYPE_CHECKING:
    from pipmetrics.config import Outlook

ACTIVE = timedelta(days=90)
MOST_NAMED = 10
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
            return json.dumps(self.to_json(), ensure_ascii=False, indent=2)
        said = report(form, self.problems, self.findings, pipmetrics.__version__).rstrip("\n")
        return said if form != "text" else "\n".join(self._text(said))

    def to_json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(report("json", self.problems, self.findings, pipmetrics.__version__))
        keys = ("level", "what", "mend")
        answers = [{"source": name} | {key: getattr(answer, key) for key in keys} for name, answer in self.answers]
        return found | {"sources": answers}

    def _text(self, said: str) -> Iterator[str]:
        """What is wrong, what the sources say, and one line that sums up."""
        *told, counts = said.splitlines()
        yield from told
        for name, answer in self.answers:
            yield f"{GLYPHS[answer.level]} {name}: {answer.what}" + (f"\n    {answer.mend}" if answer.mend else "")
        plans = f"{self.plans} plan{'' if self.plans == 1 else 's'}"
        yield counts if self.problems else f"The configuration is valid: {plans}, {counts}."


def check(folder: str | Path, *, online: bool = False, measured: bool = True) -> CheckReport:
    """Check a folder; nothing is asked of a source unless `online`.

    `measured`: also the lint rules that look at what was pulled, where something was.
    """
    try:
        config = load(folder)
    except ConfigError as error:
        return CheckReport(error.problems, (), ())
    with Organisation(config) as company:
        facts, answers = _facts_at_hand(company, online=online) if measured or online else (False, [])
        outlooks = list(_outlooks(company)) if facts and measured else []
        if online:
            answers += [*ask(config), *(strangers(company) if facts else ())]
    return CheckReport((), lint.lint(config, outlooks), tuple(answers), len(config.plans))


def _facts_at_hand(company: Organisation, *, online: bool) -> tuple[bool, list[tuple[str, Answer]]]:
    """Whether anything was pulled yet, and what is wrong with the store. A check makes no store, and without `online`
    it asks no database server."""
    file = store_file(company.config.settings)
    if not online if file is None else not file.exists():
        return False, []
    try:
        return any(company.store.last_complete(name) for name in company.config.settings.sources), []
    except PipmetricsError as error:
        return False, [("store", Answer("error", error.what, error.mend))]


def _outlooks(company: Organisation) -> Iterator[Outlook]:
    """What the facts at hand say of every plan that has not ended."""
    from pipmetrics.backtest import backtest

    for plan in company.config.plans:
        if not windows.closed(plan, company.now()):
            yield from backtest(company, plan.id).outlooks()


def strangers(company: Organisation) -> Iterator[tuple[str, Answer]]:
    """Accounts that were active lately and are nobody's in people.yaml; an equal address is suggested, never applied.

    Sources in which most people are of no concern here would drown the rest: at most ten are named.
    """
    from pipmetrics.identity import current, resolve

    people = list(company.config.people.values())
    accounts = company.store.accounts()
    known = current(accounts, resolve(people, accounts))
    lately = accounts[accounts["last_seen"] >= company.now() - ACTIVE]
    active = set(zip(lately["source"], lately["id"], strict=True))
    by_mail = {person.email.lower(): person.id for person in people if person.email}
    for name in company.config.settings.sources:
        rows = known[(known["source"] == name) & known["person"].isna() & ~known["mark"].isin(["bot", "ghost"])]
        nobody = [row for row in rows.to_dict("records") if (name, row["id"]) in active]
        if nobody:
            named = [_named(row, by_mail) for row in nobody[:MOST_NAMED]]
            more = f" and {len(nobody) - MOST_NAMED} more" if len(nobody) > MOST_NAMED else ""
            what = f"{len(nobody)} active accounts belong to nobody in people.yaml: {', '.join(named)}{more}"
            yield name, Answer("note", what, "Add those of the people who have a plan or are its peers.")


def _named(account: Mapping[Hashable, Any], by_mail: Mapping[str, str]) -> str:
    person = by_mail.get(str(account["email"]).lower()) if isinstance(account["email"], str) else None
    return f"{account['login']} (has the address of {person})" if person else str(account["login"])


def ask(config: Config) -> Iterator[tuple[str, Answer]]:
    """What every source says of its token, permissions, clock and the configured accounts."""
    from pipmetrics.sources import connect

    for name, source in config.settings.sources.items():
        try:
            connector, _ = connect(source, config.settings.folder)
            for answer in connector.check(logins_of(config.people.values(), source)):
                yield name, answer
        except SourceError as error:
            yield name, Answer("error", f"{error.where}: {error.what}" if error.where else error.what, error.mend)


def logins_of(people: Iterable[Person], source: Source) -> list[str]:
    """The present login of everybody who has an account on a source."""
    return [logins[0] for person in people if (logins := person.accounts.get(source.name))]
