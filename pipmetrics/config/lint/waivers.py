"""Waivers: in the plan's key `waivers`, or as a comment `# pip: noqa PIP107 reason` on the line or the one above."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipmetrics.config.document import Comment, Document
from pipmetrics.config.files import WaiverSection
from pipmetrics.config.lint.findings import RULES
from pipmetrics.config.values import did_you_mean
from pipmetrics.errors import Problem

UNUSED = "PIP301"
_NOQA = re.compile(r"pip:\s*noqa\b:?\s*(?P<codes>(?:[A-Za-z]+\d+(?:\s*,\s*)?)*)\s*(?P<reason>.*)")


@dataclass(frozen=True, slots=True)
class Placed:
    """A waiver and where it stands; `covers` is the line it is for, None for the whole plan."""

    code: str
    reason: str
    line: int
    column: int
    covers: int | None


def waivers_of(document: Document) -> Iterator[Placed]:
    """All waivers of a plan file that was checked."""
    for place, raw in enumerate(document.value(("waivers",)) or ()):
        line, column = document.at(("waivers", place))
        yield Placed(raw["code"].strip(), raw["reason"].strip(), line, column, None)
    for comment, codes, reason in _noqas(document):
        covers = _below(document.comments, comment) if comment.alone else comment.line
        for code in codes:
            yield Placed(code, reason, comment.line, comment.column, covers)


def waiver_problems(document: Document, listed: Sequence[WaiverSection]) -> list[Problem]:
    """Waivers without a code, of a code that there is not, or without a reason."""
    problems = []
    for place, section in enumerate(listed):
        if section.code not in RULES:
            problems.append(document.problem(("waivers", place, "code"), *_unknown(section.code)))
    for comment, codes, reason in _noqas(document):
        what, mend = "", ""
        unknown = [code for code in codes if code not in RULES]
        if not codes:
            what, mend = "a waiver must name what it waives", "Write # pip: noqa PIP107 and the reason."
        elif unknown:
            what, mend = _unknown(unknown[0])
        elif not reason:
            what, mend = "a waiver needs a reason", "Write it after the code; people read it beside the finding."
        if what:
            problems.append(Problem(document.file, comment.line, comment.column, what, mend))
    return problems


def _unknown(code: str) -> tuple[str, str]:
    return "there is no lint rule of this code", did_you_mean(code.upper(), list(RULES)) if len(code) < 10 else ""


def _noqas(document: Document) -> Iterator[tuple[Comment, list[str], str]]:
    for comment in document.comments:
        match = _NOQA.match(comment.text)
        if match:
            yield comment, re.findall(r"[A-Za-z]+\d+", match["codes"]), match["reason"].strip(" -:")


def _below(comments: Sequence[Comment], comment: Comment) -> int:
    """The line that a comment of its own stands above, other such comments passed over."""
    alone = {each.line for each in comments if each.alone}
    line = comment.line + 1
    while line in alone:
        line += 1
    return line
