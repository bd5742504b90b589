"""The words and numbers of every surface: one way to write a share, a duration, a date, a verdict.

Numbers are rounded to what a sample bears; full figures stand in the JSON. Ranges have an en dash, percentages a
no-break space before the sign where the surface wants one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Unit = str
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class VerdictLook:
    """Word, glyph for text, and the style's class."""

    word: str
    glyph: str
    css: str


VERDICTS: dict[str, VerdictLook] = {
    "met": VerdictLook("Met", "✓", "met"),
    "on_track": VerdictLook("On track", "→", "on"),
    "at_risk": VerdictLook("At risk", "◆", "risk"),
    "inconclusive": VerdictLook("Inconclusive", "◆", "risk"),
    "off_track": VerdictLook("Off track", "■", "off"),
    "not_met": VerdictLook("Not met", "■", "off"),
    "not_enough_data": VerdictLook("Not enough data", "○", "nodata"),
}

RECOMMENDATIONS = {
    "complete": "the expectations are met: complete the plan",
    "extend": "not decided by the facts: extend the plan",
    "not_complete": "the expectations are not met",
    "undetermined": "the facts decide nothing",
}

BREAKS = re.compile("[\\t\\n\\v\\f\\r\\x1c-\\x1e\\x85\\u2028\\u2029]+")
CONTROL = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u061c\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\ud800-\\udfff]"
)
SPARKS = "▁▂▃▄▅▆▇█"


def day(on: date, *, year: bool = False) -> str:
    """26 Nov, or 26 Nov 2026."""
    return f"{on.day} {on:%b}" + (f" {on.year}" if year else "")


def weekday(on: date) -> str:
    """Thu 26 Nov."""
    return f"{on:%a} {day(on)}"


def moment(at: datetime) -> str:
    """Mon 23 Nov 02:10."""
    return f"{at:%a} {day(at.date())} {at:%H:%M}"


def days_between(start: date, end: date) -> str:
    """16–22 Nov, or 28 Sep – 26 Nov."""
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}–{day(end)}"
    return f"{day(start)} – {day(end)}"


def number(value: float | None, unit: Unit, *, digits: int | None = None) -> str:
    """A value in its unit: 94%, 17.5 h, 3.2 d, 0.42, 5."""
    if value is None:
        return NOTHING
    if unit == "share":
        return f"{_plain(value * 100, 0 if digits is None else digits)}%"
    if unit == "hours":
        places = (0 if abs(value) >= 100 or float(value).is_integer() else 1) if digits is None else digits
        hours = _plain(value, places)
        return f"{hours} h"
    if digits is None:
        digits = 0 if float(value).is_integer() else 1 if abs(value) >= 10 else 2
    return _plain(value, digits)


def between(low: float | None, high: float | None, unit: Unit) -> str:
    """80–98%; an open end is said in words."""
    if low is None and high is None:
        return NOTHING
    if low is None:
        return f"up to {number(high, unit)}"
    if high is None:
        return f"{number(low, unit)} and more"
    first, last = number(low, unit), number(high, unit)
    for suffix in ("%", " h"):
        if first.endswith(suffix) and last.endswith(suffix):
            first = first.removesuffix(suffix)
    return f"{first} to {last}" if "-" in first + last else f"{first}–{last}"


def bound(target: float | None, unit: Unit, direction: str) -> str:
    """90%, or ≤72 h where less is better."""
    if target is None:
        return NOTHING
    return ("≤" if direction == "at_most" else "") + number(target, unit)


def change(difference: float | None, unit: Unit, direction: str) -> str:
    """5 points better; "no change" where rounding leaves none."""
    if difference is None:
        return NOTHING
    points = _plain(abs(difference) * 100, 0)
    size = f"{points} {'point' if points == '1' else 'points'}" if unit == "share" else number(abs(difference), unit)
    if float(size.split()[0]) == 0:
        return "no change"
    better = (difference > 0) == (direction != "at_most")
    return f"{size} {'better' if better else 'worse'}"


def in_ten(share: float) -> str:
    """How often a chance comes true, as people say it."""
    if share >= 0.95:
        return "almost always"
    if share <= 0.03:
        return "hardly ever"
    times = round(share * 10) or 1
    return f"about {count(times, 'time')} in 10"


def spark(values: Sequence[float | None], low: float, high: float) -> str:
    """One character a week; "·" where there is no value."""
    span = (high - low) or 1.0
    return "".join(
        "·" if value is None else SPARKS[min(7, max(0, round((value - low) / span * 7)))] for value in values
    )


def count(n: int, one: str, many: str = "") -> str:
    """1 late review, 2 late reviews."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def listing(words: Sequence[str], last: Literal["and", "or"] = "and") -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def instant(text: str) -> datetime:
    """An instant as the JSON writes it; the worth of it is the caller's."""
    return datetime.fromisoformat(text)


def unbroken(text: str) -> str:
    """With no-break blanks, also one before %: for surfaces that break lines."""
    return text.replace(" ", "\u00a0").replace("%", "\u00a0%")


def clean(text: str) -> str:
    """Text from elsewhere on one line, without control characters, escapes, direction marks and lone surrogates."""
    return CONTROL.sub("", BREAKS.sub(" ", text))


def _plain(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.replace("-0", "0", 1) if float(text) == 0 and text.startswith("-") else text
