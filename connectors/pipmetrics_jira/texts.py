"""What a description or comment says caused the issue. The texts themselves are dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST = 200

_REFERENCE = r"https?://[^\s<>|\"'\])]+|[\w.-]+(?:/[\w.-]+)*[#!]\d+|[A-Z][A-Z0-9_]+-\d+(?!\w)"
_CAUSE = re.compile(rf"\b(?:caused\s+by|regression\s+from)\b[\s:*_{{\[(]*(?P<to>{_REFERENCE})", re.IGNORECASE)
_FIXES = re.compile(r"^\s*Fixes:\s*(?P<to>[0-9a-f]{7,64})\s*$", re.IGNORECASE)


def causes(texts: Iterable[str]) -> list[dict[str, str]]:
    """`{to, text}` for each "caused by" / "regression from" and each `Fixes: sha`, each reference once.

    `to` is a Jira key, `path#n`, `path!n` or a URL as it was written, or a sha. A bare `#n` names nothing in Jira.
    """
    found: dict[str, str] = {}
    for text in texts:
        for line in text.splitlines():
            for to in _named(line):
                found.setdefault(to, line.strip()[:LONGEST])
    return [{"to": to, "text": text} for to, text in found.items()]


def _named(line: str) -> Iterator[str]:
    for match in _CAUSE.finditer(line):
        to = match["to"].rstrip(".,;:")
        yield to.upper() if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+-\d+", to) else to
    if trailer := _FIXES.match(line):
        yield trailer["to"]
