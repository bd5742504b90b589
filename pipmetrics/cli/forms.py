"""The digest in each of its forms."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipmetrics.errors import UsageError

if TYPE_CHECKING:
    from pipmetrics.api import Organisation
    from pipmetrics.digest.model import Points
    from pipmetrics.weekly import Week

FORMATS = ("text", "json", "html", "md", "csv", "pdf", "eml")
SEVERAL = {"text", "json", "md", "csv"}
"""Forms that take more than one week."""


def rendered(company: Organisation, weeks: Sequence[Week], form: str, reader: str | None, *, evidence: bool) -> Any:
    """The digests in a form: a JSON value, text or bytes. UsageError when the form does not go with what was asked."""
    if len(weeks) > 1 and form not in SEVERAL:
        raise UsageError(f"--format {form} takes one week", mend=f"Several go with {', '.join(sorted(SEVERAL))}.")
    if form == "json":
        told = [week.digest.to_json() for week in weeks]
        return told[0] if len(told) == 1 else told
    if form == "csv":
        return _csv(weeks)
    if form == "text":
        from pipmetrics.digest import text

        return "\n".join(text.render(week.digest, colour=sys.stdout.isatty()) for week in weeks)
    if form == "md":
        from pipmetrics.digest import markdown

        return "\n".join(markdown.render(week.digest, week.points if evidence else None) for week in weeks)
    return _one(company, weeks[0], form, reader, evidence=evidence)


def _one(company: Organisation, week: Week, form: str, reader: str | None, *, evidence: bool) -> str | bytes:
    if form == "html":
        from pipmetrics.digest import html

        return html.render(week.digest, week.points)
    if sys.stdout.isatty():
        raise UsageError(f"--format {form} is no text for a terminal", mend=f"Send it into a file: > digest.{form}")
    if form == "pdf":
        from pipmetrics.digest import pdf

        return pdf.render(week.digest, week.points if evidence else None)
    return _mail(company, week, reader)


def _mail(company: Organisation, week: Week, reader: str | None) -> bytes:
    from pipmetrics.digest import mail
    from pipmetrics.post import envelope

    if reader is None:
        raise UsageError("an e-mail needs a reader", mend="Give --manager or --person.")
    made = mail.message(week.digest, envelope(company, reader, week.digest.week, anyway=True), company.now())
    if made is None:
        raise UsageError("there is no formal plan to write about", mend="Coaching never goes out by e-mail.")
    return made.as_bytes()


def _csv(weeks: Sequence[Week]) -> str:
    """The data points behind all of them, each once, under one header."""
    from pipmetrics.digest import evidence

    rows: dict[str, None] = {}
    for week in weeks:
        points: Mapping[tuple[str, str], Any] | Points = week.points
        rows |= dict.fromkeys(evidence.render(week.digest, points).splitlines(keepends=True))
    return "".join(rows)
