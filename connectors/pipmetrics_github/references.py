"""What texts refer to: issues mentioned, what is reverted, what is named as a cause. Pure functions.

GitHub's own notation: `#4`, `GH-4`, `owner/name#4`, and full URLs; keys of Jira such as `PAY-12`. What stands in the
quoted title of a revert is somebody else's text, what stands in an HTML comment is the template's: both refer to
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipmetrics.model import Json

LONGEST = 200
"""Characters of a line that are kept as evidence."""

_NAME = r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+"
_SHORT = re.compile(rf"(?<![\w/&#-])(?:(?P<path>{_NAME})?#|GH-)(?P<n>[1-9]\d*)(?![\w-])", re.IGNORECASE)
_JIRA = re.compile(r"(?<![A-Za-z0-9-])(?!GH-)([A-Z][A-Z0-9_]+-[1-9]\d*)(?![A-Za-z0-9])")
_QUOTED_REVERT = re.compile(r"\bRevert\s+\".*\"", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_REVERTS = re.compile(r"\breverts:?[ \t]+(?:pull request[ \t]+)?(?P<what>\S+)", re.IGNORECASE)
_REVERTED_COMMIT = re.compile(r"\bthis reverts commit[ \t]+([0-9a-f]{7,40})\b", re.IGNORECASE)
_FIXES = re.compile(r"^[ \t]*Fixes:[ \t]*([0-9a-f]{7,40})[ \t]*$", re.IGNORECASE)
_CAUSE = re.compile(r"\b(?:caused by|regression from):?[ \t]+(?P<what>\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: it decides what the short forms mean. `url` is the repository's page."""

    source: str
    repository: str
    default_branch: str
    url: str

    def subject(self, number: object, repository: str | None = None) -> str:
        """The full subject of a change or an issue."""
        return f"{self.source}:{repository or self.repository}#{number}"

    def pointed(self, text: str) -> Iterator[tuple[int, str]]:
        """(position, subject) of every issue or pull request of this service that the text points to."""
        at = urlsplit(self.url)
        spelled_out = re.compile(
            rf"{re.escape(f'{at.scheme}://{at.netloc}')}/(?P<path>{_NAME})/(?:issues|pull)/(?P<n>[1-9]\d*)"
        )
        for found in spelled_out.finditer(text):
            yield found.start(), self.subject(found["n"], found["path"])
        for found in _SHORT.finditer(re.sub(r"https?://\S+", lambda url: " " * len(url[0]), text)):
            yield found.start(), self.subject(found["n"], found["path"])

    def mentioned(self, text: str) -> Iterator[tuple[int, str]]:
        """Those, and the Jira keys."""
        yield from self.pointed(text)
        yield from ((found.start(), found[1]) for found in _JIRA.finditer(text))


def _own(text: str) -> str:
    """The text without the quoted titles of what it reverts and without comments."""
    return _QUOTED_REVERT.sub("Revert", _COMMENT.sub("", text))


def mentioned(texts: Iterable[str], place: Place) -> list[str]:
    """Issues that the texts mention, each once, in their order; a revert does not mention what it reverts."""
    found: dict[str, None] = {}
    for text in texts:
        plain = _REVERTS.sub("", _own(text))
        found |= dict.fromkeys(subject for _, subject in sorted(place.mentioned(plain)))
    return list(found)


def reverted(texts: Iterable[str], place: Place, own: Iterable[str] = ()) -> list[str]:
    """Changes (subjects) and commits (shas as written) that the texts say they revert.

    `own` are the commits of the change itself: taking back what one has just added reverts nothing.
    """
    mine, found = tuple(own), dict[str, None]()
    for text in map(_own, texts):
        for match in _REVERTS.finditer(text):
            found |= dict.fromkeys(subject for _, subject in place.pointed(match["what"]))
        shas = (match[1] for match in _REVERTED_COMMIT.finditer(text))
        found |= dict.fromkeys(sha for sha in shas if not any(each.startswith(sha.lower()) for each in mine))
    return list(found)


def causes(texts: Iterable[str], place: Place) -> list[Json]:
    """What the texts name as the cause: ``{"to": reference or sha, "text": the line}``, each target once."""
    found: dict[str, str] = {}
    for line in (line for text in texts for line in _COMMENT.sub("", text).splitlines()):
        said = line.strip()[:LONGEST]
        if trailer := _FIXES.match(line):
            found.setdefault(trailer[1], said)
        for match in _CAUSE.finditer(line):
            for _, subject in place.pointed(match["what"]):
                found.setdefault(subject, said)
    return [{"to": to, "text": text} for to, text in found.items()]
