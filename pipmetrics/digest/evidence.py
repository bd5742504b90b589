"""The evidence of a digest as CSV: every data point of every criterion, one a line, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import StringIO

from pipmetrics.digest.model import Digest, Points
from pipmetrics.digest.points import standing
from pipmetrics.digest.terms import Terms
from pipmetrics.digest.words import clean
from pipmetrics.model import Json

COLUMNS = (
    "plan", "criterion", "standing", "metric", "person", "source", "subject", "key", "start", "end", "value", "unit",
    "state", "reason", "url",
)  # fmt: skip
FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet read a cell as a formula, also in full width."""
LEADING = re.compile("^[\\s\\x00-\\x20\\x7f-\\xa0\\xad\\u200b-\\u200f\\u2028-\\u202f\\u2060-\\u206f\\ufeff]+")
"""Blanks and invisible characters that could hide one from a glance, and not from a spreadsheet."""


def safe(text: str) -> str:
    """A text cell that no spreadsheet runs: one that begins like a formula, or with blanks or invisible characters,
    gets a leading apostrophe. https://owasp.org/www-community/attacks/CSV_Injection"""
    begins = LEADING.sub("", text)
    risky = begins != text or begins.startswith(FORMULA)
    return f"'{clean(text)}" if text and risky else clean(text)


def cell(value: Json) -> Json:
    """Numbers stay numbers; nothing is an empty cell; the rest is text."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return safe(str(value))


def render(digest: Digest, points: Points) -> str:
    """All points of the digest's plans, left-out ones included, as CSV with a header line."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(value) for value in row] for row in _rows(digest, points))
    return out.getvalue()


def _rows(digest: Digest, points: Points) -> Iterator[list[Json]]:
    for card in digest.cards:
        for criterion in card.evaluation["criteria"]:
            limit = card.terms.get(criterion["id"], Terms()).limit
            given = points.get((card.plan, criterion["id"]), ())
            for point in sorted(given, key=lambda point: (point["start"] or point["end"] or "", point["key"])):
                head = [card.plan, criterion["id"], standing(point, limit)]
                yield head + [point.get(name) for name in COLUMNS[3:]]
