"""The grammar of GitLab's system notes: what an automatic note says happened. Pure functions of its text.

Wordings of old versions are understood too: capitals, "Work In Progress", "Status changed to closed".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

_LOGIN = re.compile(r"@([A-Za-z0-9_](?:[\w.-]*[\w-])?)")
_REVIEW = re.compile(
    r"(re-?requested review from|requested review from|removed review requests? for)\s+", re.IGNORECASE
)
_ASSIGN = re.compile(r"(unassigned|(?:re)?assigned to)\s+", re.IGNORECASE)
_DRAFT = re.compile(r"marked (?:this|the) merge request as (?:a )?\**(draft|ready)\**", re.IGNORECASE)
_WIP = re.compile(r"(un)?marked (?:this merge request )?as a \**work in progress\**", re.IGNORECASE)
_TITLE = re.compile(r"changed title from \*\*(.*)\*\* to \*\*(.*)\*\*\s*\Z", re.IGNORECASE | re.DOTALL)
_DRAFT_TITLE = re.compile(r"\s*(?:\[(?:draft|wip)\]|\(draft\)|draft:|draft - |wip:|wip )", re.IGNORECASE)
_STATE = re.compile(r"(?:status changed to )?(closed|reopened|merged)(?:\s+(?:via|by|with)\b.*)?\s*\Z", re.IGNORECASE)
_DUE = re.compile(r"changed due date to ([A-Za-z]+ \d{1,2}, \d{4}|\d{4}-\d{2}-\d{2})|(removed due date)", re.IGNORECASE)
_DUPLICATE = re.compile(r"marked this (?:\w+ )?as a duplicate of ", re.IGNORECASE)
_MOVED = re.compile(r"moved to \S+#\d+|promoted to epic", re.IGNORECASE)
_RELATION = re.compile(
    r"(?:marked this (?:\w+ )?as (?:related to|blocking|blocked by)|added .* as (?:linked|related|blocking)"
    r"|removed the relation with|linked)\b",
    re.IGNORECASE,
)

Review = Literal["approved", "unapproved", "changes_requested"]


def logins(text: str) -> list[str]:
    """The names that a note addresses, without the @."""
    return list(dict.fromkeys(_LOGIN.findall(text)))


def _parts(pattern: re.Pattern[str], body: str) -> list[tuple[str, list[str]]]:
    """Each verb of a note with the names that follow it up to the next verb; nothing if it begins otherwise."""
    if not pattern.match(body):
        return []
    verbs = list(pattern.finditer(body))
    ends = [verb.start() for verb in verbs[1:]] + [len(body)]
    return [(verb[1].lower(), logins(body[verb.end() : end])) for verb, end in zip(verbs, ends, strict=True)]


def review_requests(body: str) -> tuple[list[str], list[str]]:
    """(requested, removed) reviewers of a note; one note can do both, for several people each."""
    requested: list[str] = []
    removed: list[str] = []
    for verb, names in _parts(_REVIEW, body):
        (removed if verb.startswith("removed") else requested).extend(names)
    return requested, removed


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who was assigned and who was taken off by one note; `nobody`: all assignees went."""

    added: list[str]
    removed: list[str]
    nobody: bool = False


def assignment(body: str) -> Assignment | None:
    if re.match(r"removed (?:all )?assignees?\b", body, re.IGNORECASE):
        return Assignment([], [], nobody=True)
    added: list[str] = []
    removed: list[str] = []
    for verb, names in _parts(_ASSIGN, body):
        (removed if verb == "unassigned" else added).extend(names)
    return Assignment(added, removed) if added or removed else None


def draft(body: str) -> bool | None:
    """Whether the note made a draft of the merge request (True) or made it ready (False)."""
    if found := _DRAFT.match(body):
        return found[1].lower() == "draft"
    if found := _WIP.match(body):
        return found[1] is None
    if found := _TITLE.match(body):
        before, after = (bool(_DRAFT_TITLE.match(_unmarked(title))) for title in found.groups())
        return after if before != after else None
    return None


def _unmarked(title: str) -> str:
    """A title without the marks of what was deleted and added in it."""
    return re.sub(r"\{[-+]|[-+]\}", "", title)


def review(body: str) -> Review | None:
    text = body.strip().lower()
    if text.startswith("approved this merge request"):
        return "approved"
    if text.startswith(("unapproved this merge request", "revoked approval")):
        return "unapproved"
    return "changes_requested" if text.startswith("requested changes") else None


def approvals_reset(body: str) -> list[str]:
    """Whose approvals a push took back."""
    return logins(body) if body.strip().lower().startswith("reset approvals from") else []


def state(body: str) -> Literal["closed", "reopened", "merged"] | None:
    found = _STATE.match(body.strip())
    said = found[1].lower() if found else ""
    return said if said in ("closed", "reopened", "merged") else None  # type: ignore[return-value] # just compared


def due(body: str) -> tuple[bool, str | None]:
    """(whether the note is about the due date, the new date in ISO form or None)."""
    found = _DUE.search(body)
    if not found:
        return False, None
    return True, _day(found[1]) if found[1] else None


def _day(text: str) -> str | None:
    """ "September 20, 2018" or an ISO date; GitLab writes its notes in English whatever the reader's language."""
    for form in ("%B %d, %Y", "%b %d, %Y", "%Y-%m-%d"):
        try:
            day: date = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
        return day.isoformat()
    return None


def duplicate(body: str) -> bool:
    return bool(_DUPLICATE.match(body))


def moved(body: str) -> bool:
    return bool(_MOVED.match(body))


def relation(body: str) -> bool:
    """Whether the note tells of a link between issues, made or removed."""
    return bool(_RELATION.match(body))
