"""Only reads leave the house: which requests are reads, decided before they are sent.

Every POST that is let through asks and changes nothing, so it may be repeated after a fault.
"""

from __future__ import annotations

import json
import re

QUESTIONS = re.compile(
    r"/graphql$"
    r"|/rest/api/(2|3|latest)/(search|search/jql|search/approximate-count|changelog/bulkfetch|issue/bulkfetch)$"
    r"|/app/installations/\d+/access_tokens$"
)
"""POST paths that ask: GraphQL, Jira's searches, and a GitHub App's request for its own token."""

_STRINGS_AND_COMMENTS = re.compile(r'"""(?:\\"""|(?!""").)*"""|"(?:[^"\\\n]|\\.)*"|#[^\n\r]*', re.DOTALL)


def is_read(method: str | None, path: str, body: bytes | str | None) -> bool:
    """GET and HEAD, and the POSTs that ask; a GraphQL document only if it holds queries alone."""
    if method in ("GET", "HEAD"):
        return True
    if method != "POST" or not QUESTIONS.search(path):
        return False
    return not path.endswith("/graphql") or _only_queries(body)


def _only_queries(body: bytes | str | None) -> bool:
    try:
        asked = json.loads(body or b"")
    except (ValueError, TypeError):
        return False
    document = asked.get("query") if isinstance(asked, dict) else None
    return isinstance(document, str) and not {"mutation", "subscription"} & _words_outside_braces(document)


def _words_outside_braces(document: str) -> set[str]:
    depth, words = 0, set()
    for part in re.findall(r"[{}()\[\]]|\w+", _STRINGS_AND_COMMENTS.sub(" ", document)):
        if part in "{([":
            depth += 1
        elif part in "})]":
            depth -= 1
        elif depth == 0:
            words.add(part)
    return words
