"""Lints plans as a good HR partner would; waivers need a reason, and those that waive nothing are noted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipmetrics.config.configuration import Config
from pipmetrics.config.document import Document
from pipmetrics.config.lint import measured, rules
from pipmetrics.config.lint.findings import RULES, Finding, Hit, Outlook, Rule, Seen, rule
from pipmetrics.config.lint.waivers import UNUSED, Placed, waivers_of
from pipmetrics.config.values import did_you_mean
from pipmetrics.errors import UsageError
from pipmetrics.model import Plan

__all__ = ["RULES", "Finding", "Outlook", "Rule", "explain", "lint", "measured", "rules"]

_MENDS = "Delete it; a waiver that waives nothing hides the next finding."


@rule(
    UNUSED,
    "unused-waiver",
    why="A waiver outlives what it was for, and then hides the next finding of its kind.",
    fix=_MENDS,
)
def unused_waiver(seen: Seen) -> Iterator[Hit]:  # noqa: ARG001 - `lint` knows which waivers were used
    """A waiver that waives nothing."""
    yield from ()


def lint(config: Config, outlooks: Sequence[Outlook] = ()) -> tuple[Finding, ...]:
    """What the rules say of every plan, in the order of files and lines; waived findings are there, marked.

    Rules that need measurements look at the criteria that `outlooks` speaks of.
    """
    findings = [finding for plan in config.plans for finding in _of_plan(config, plan, outlooks)]
    return tuple(sorted(findings, key=lambda each: (each.file, each.line, each.column, each.code)))


def explain(code: str) -> str:
    """What a rule is about, why it matters, what to do, how to waive it. UsageError when there is no such rule."""
    found = RULES.get(code.upper())
    if found is None:
        raise UsageError(f"there is no lint rule {code!r}", mend=did_you_mean(code.upper(), list(RULES)))
    waiving = "" if code.upper() == UNUSED else (
        f"\n\nTo accept it, with a reason that people will read, either in the plan\n"
        f'  waivers: [{{code: {found.code}, reason: "..."}}]\n'
        f"or in a comment on its line or the one above\n"
        f"  # pip: noqa {found.code} the reason"
    )  # fmt: skip
    return f"{found.code} {found.name}: {found.title}\n\n{found.why}\n\n{found.fix}{waiving}"


def _of_plan(config: Config, plan: Plan, outlooks: Sequence[Outlook]) -> Iterator[Finding]:
    document = config.documents[plan.file]
    known = {outlook.criterion: outlook for outlook in outlooks if outlook.plan == plan.id}
    seen = Seen(plan, document, config, known)
    waivers = list(waivers_of(document))
    used: set[Placed] = set()
    for each in RULES.values():
        for hit in each.find(seen):
            line, column = document.at(hit.path, key=True)
            waiver = next((waiver for waiver in waivers if _covers(waiver, each.code, line)), None)
            used |= {waiver} if waiver else set()
            mend, reason = hit.mend or each.fix, waiver.reason if waiver else None
            yield Finding(plan.file, line, column, each.code, each.name, "warning", plan.id, hit.what, mend, reason)
    yield from (_unused(document, plan, waiver) for waiver in waivers if waiver not in used and _judged(waiver, known))


def _covers(waiver: Placed, code: str, line: int) -> bool:
    return waiver.code == code and waiver.covers in (None, line)


def _judged(waiver: Placed, known: object) -> bool:
    """Whether the rule that is waived had anything to look at."""
    return bool(known) or not RULES[waiver.code].measured


def _unused(document: Document, plan: Plan, waiver: Placed) -> Finding:
    name, what = RULES[UNUSED].name, f"this waiver of {waiver.code} waives nothing"
    return Finding(document.file, waiver.line, waiver.column, UNUSED, name, "note", plan.id, what, _MENDS)
