"""Numbers in the sentences that people read: percentages, fractions, durations and quantities, in digits or words."""

from __future__ import annotations

import re
from datetime import timedelta

WORDS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905 - easier to read
    )
} | {"a": 1, "an": 1, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
_NUMBER = rf"(\d+(?:\.\d+)?|{'|'.join(sorted(WORDS, key=len, reverse=True))})"
_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_PERCENT = re.compile(rf"\b{_NUMBER}\s*(?:%|percent\b|per cent\b)", re.IGNORECASE)
_FRACTION = re.compile(rf"\b{_NUMBER}\s+(?:out\s+)?of\s+{_NUMBER}\b", re.IGNORECASE)
_DURATION = re.compile(
    rf"\b{_NUMBER}[\s-]+((?:working|business|calendar)[\s-]+)?(minute|hour|day|week)s?\b", re.IGNORECASE
)
_QUANTITY = re.compile(
    r"\d|\b(?:"
    + "|".join(sorted(set(WORDS) - {"a", "an"}))
    + r"|half|halve[sd]?|halving|thirds?|quarters?|double[sd]?|"
    r"doubling|triple[sd]?|once|twice|all|every|each|any|no|none|nothing|never|always|daily|weekly)\b",
    re.IGNORECASE,
)


def has_quantity(sentence: str) -> bool:
    """Whether it says how much, how many or how long."""
    return _QUANTITY.search(sentence) is not None or _DURATION.search(sentence) is not None


def shares(sentence: str) -> set[float]:
    """Percentages and fractions ("four of five"), as 0 to 1, to four places."""
    found = {round(_value(each) / 100, 4) for each in _PERCENT.findall(sentence)}
    for part, whole in _FRACTION.findall(sentence):
        if _value(whole):
            found.add(round(_value(part) / _value(whole), 4))
    return found


def durations(sentence: str) -> set[timedelta]:
    """Durations; working days are left out, for they may be 8 or 24 hours long."""
    return {
        _value(number) * _UNITS[unit.lower()]
        for number, kind, unit in _DURATION.findall(sentence)
        if not (kind and unit.lower() in ("day", "week"))
    }


def _value(text: str) -> float:
    return float(WORDS[text.lower()]) if text.lower() in WORDS else min(float(text), 1e6)
