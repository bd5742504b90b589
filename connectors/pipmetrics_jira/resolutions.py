"""What a resolution means: a code that metrics know, from names that every site may change and translate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipmetrics_jira.payloads import Change, Issue, entries

CODES = ("fixed", "duplicate", "invalid", "cannot_reproduce", "wont_do", "other")

ENGLISH: Mapping[str, tuple[str, ...]] = {
    "fixed": ("fixed", "done", "resolved", "complete", "completed", "implemented", "delivered", "released"),
    "duplicate": ("duplicate", "duplicated"),
    "invalid": (
        "invalid", "not a bug", "not a problem", "not an issue", "works as designed", "as designed", "by design",
        "works as intended", "user error", "incomplete",
    ),
    "cannot_reproduce": (
        "cannot reproduce", "can't reproduce", "can not reproduce", "could not reproduce", "unable to reproduce",
        "not reproducible", "unreproducible", "works for me",
    ),
    "wont_do": (
        "won't do", "wont do", "won't fix", "wont fix", "wontfix", "will not do", "will not fix", "declined",
        "rejected", "abandoned", "obsolete", "cancelled", "canceled", "withdrawn",
    ),
}  # fmt: skip
"""The names Jira has shipped with, and those that sites commonly add."""

SHIPPED: Mapping[str, str] = {
    "1": "fixed", "2": "wont_do", "3": "duplicate", "4": "invalid", "5": "cannot_reproduce",
    "10000": "fixed", "10001": "wont_do", "10002": "duplicate", "10003": "cannot_reproduce",
}  # fmt: skip
"""Ids of the resolutions that Jira installs: the only hint when their names are shown in another language."""


class Held(NamedTuple):
    """The resolution of an issue from an instant on; `id` None: unresolved."""

    change: Change | None
    id: str | None
    name: str


def names(configured: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Lower-case name -> code: those of the configuration first, then Jira's English ones."""
    known = {_plain(name): code for code, listed in ENGLISH.items() for name in listed}
    return known | {_plain(name): code for code, listed in configured.items() for name in listed}


def _plain(name: str) -> str:
    return re.sub(r"\s+", " ", name.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")).strip().casefold()


def code(id: str | None, called: Sequence[str], known: Mapping[str, str]) -> str:
    """The code of a resolution: by any of its names, else by the id Jira ships it with, else `other`."""
    named = next((code for name in called if name and (code := known.get(_plain(name)))), None)
    return named or SHIPPED.get(id or "") or "other"


def history(issue: Issue) -> list[Held]:
    """The resolutions of an issue in order; the first is what it was created with."""
    found = list(entries(issue, "resolution"))
    if found:
        first = found[0].item
        held = [Held(None, first.before, first.before_text or "")]
        return held + [Held(each.change, each.item.after, each.item.after_text or "") for each in found]
    now = issue.fields.get("resolution")
    if isinstance(now, Mapping):
        return [Held(None, str(now.get("id") or ""), str(now.get("name") or ""))]
    return [Held(None, None, "")]
