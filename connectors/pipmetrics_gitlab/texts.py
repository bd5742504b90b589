"""What texts refer to: issues mentioned and closed, what is reverted, what is named as a cause. Pure functions.

GitLab's own notation: `#4`, `!4`, `other#4`, `group/project#4`, `group/project!4`, and full URLs; keys of Jira such as
`PAY-12`. What stands in the quoted title of a revert is somebody else's text and refers to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST = 200
"""Characters of a line that are kept as evidence."""

_NAME = r"[A-Za-z0-9_][\w.-]*"
_PATH = rf"(?P<path>{_NAME}(?:/{_NAME})*)?"
_QUOTED_REVERT = re.compile(r"\bRevert\s+\".*\"")
_SHORT = re.compile(rf"(?<![\w/&#!.-]){_PATH}(?P<mark>[#!])(?P<n>[1-9]\d*)(?![\w])")
_JIRA = re.compile(r"(?<![A-Za-z0-9-])([A-Z][A-Z0-9_]+-[1-9]\d*)(?![A-Za-z0-9])")
_CLOSING = re.compile(
    r"\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?)\b:?[ \t]+"
    r"(?P<list>(?:(?:issues?[ \t]+)?[^\s,]*(?:[#/]|[A-Z]-)\d+(?![\w/])"
    r"(?:[ \t]*,?[ \t]*and[ \t]+|[ \t]*,[ \t]*|[ \t]*))+)",
    re.IGNORECASE,
)
_REVERTS_CHANGE = re.compile(
    r"\breverts[ \t]+(?:merge request[ \t]+)?(?P<what>\S*(?:[!#]|/merge_requests/)\d+)", re.IGNORECASE
)
_REVERTS_COMMIT = re.compile(r"\breverts commit\s+([0-9a-f]{7,64})\b", re.IGNORECASE)
_FIXES = re.compile(r"^\s*Fixes:\s+([0-9a-f]{7,64})(?:\s+\(\".*\"\))?\s*$", re.IGNORECASE)
_CAUSE = re.compile(
    r"\b(?:caused by|regression from)\b:?\s+(?P<what>\S*(?:[#!]|/(?:issues|work_items|merge_requests)/)\d+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: it decides what the short forms mean. `url` is the root of the GitLab instance."""

    source: str
    project: str
    url: str

    def subject(self, path: str | None, mark: str, number: str) -> str:
        """The full subject; a name without a group is a neighbour of this project."""
        if path and "/" not in path and "/" in self.project:
            path = f"{self.project.rpartition('/')[0]}/{path}"
        return f"{self.source}:{path or self.project}{mark}{int(number)}"

    def pointed(self, text: str, *, marks: str) -> Iterator[tuple[int, str]]:
        """(position, subject) of every reference of these marks, in no order; `#` takes Jira keys too."""
        spelled_out = re.compile(
            rf"{re.escape(self.url)}/(?P<path>{_NAME}(?:/{_NAME})+?)(?:/-)?/"
            r"(?P<what>issues|work_items|merge_requests)/(?P<n>[1-9]\d*)"
        )
        for found in spelled_out.finditer(text):
            mark = "!" if found["what"] == "merge_requests" else "#"
            if mark in marks:
                yield found.start(), self.subject(found["path"], mark, found["n"])
        text = re.sub(r"https?://\S+", _blank_but_keys, text)
        for found in _SHORT.finditer(text):
            if found["mark"] in marks:
                yield found.start(), self.subject(found["path"], found["mark"], found["n"])
        if "#" in marks:
            yield from ((found.start(), found[1]) for found in _JIRA.finditer(text))


def _blank_but_keys(url: re.Match[str]) -> str:
    """A URL's fragments are no short references, but a link to a Jira issue names its key."""
    text = url[0]
    keys = {place: found[1] for found in _JIRA.finditer(text) for place in range(*found.span())}
    return "".join(text[place] if place in keys else " " for place in range(len(text)))


def _own(text: str) -> str:
    """The text without the quoted titles of what it reverts."""
    return _QUOTED_REVERT.sub("Revert", text)


def _in_order(found: Iterable[tuple[int, str]]) -> list[str]:
    return list(dict.fromkeys(subject for _, subject in sorted(found)))


def mentioned(texts: Iterable[str], place: Place) -> list[str]:
    """Issues that the texts mention, each once, in their order."""
    return list(dict.fromkeys(one for text in texts for one in _in_order(place.pointed(_own(text), marks="#"))))


def closed(texts: Iterable[str], place: Place) -> list[str]:
    """Issues that merging closes, by GitLab's default closing pattern."""
    lists = (found["list"] for text in texts for found in _CLOSING.finditer(_own(text)))
    return list(dict.fromkeys(one for text in lists for one in _in_order(place.pointed(text, marks="#"))))


def reverted(texts: Iterable[str], place: Place, own: Iterable[str] = ()) -> list[str]:
    """Merge requests (subjects) and commits (shas as written) that the texts say they revert.

    `own` are the commits of the change itself: taking back what one has just added reverts nothing.
    """
    mine, found = tuple(own), dict[str, None]()
    for text in texts:
        for match in _REVERTS_CHANGE.finditer(text):
            what = re.sub(r"#(\d+)$", r"!\1", match["what"])
            found |= dict.fromkeys(_in_order(place.pointed(what, marks="!")))
        shas = (match[1].lower() for match in _REVERTS_COMMIT.finditer(text))
        found |= dict.fromkeys(sha for sha in shas if not any(commit.startswith(sha) for commit in mine))
    return list(found)


def causes(texts: Iterable[str], place: Place) -> list[dict[str, str]]:
    """What the texts name as the cause: ``{"to": reference or sha, "text": the line}``, each target once."""
    found: dict[str, str] = {}
    for line in (line for text in texts for line in text.splitlines()):
        if trailer := _FIXES.match(line):
            found.setdefault(trailer[1].lower(), line.strip()[:LONGEST])
        for match in _CAUSE.finditer(line):
            for subject in _in_order(place.pointed(match["what"], marks="#!")):
                found.setdefault(subject, line.strip()[:LONGEST])
    return [{"to": to, "text": text} for to, text in found.items()]
