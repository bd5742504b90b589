"""The few queries that are asked, in Jira's query language.

Instants are epoch milliseconds: every other form is read in the time zone of the account. Lower bounds only, and an
order that no update changes, so that a list that moves while it is read loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

ORDER = " ORDER BY created ASC, key ASC"


def quoted(text: str) -> str:
    """A JQL string, whatever `text` holds."""
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return '"' + re.sub(r"[\x00-\x1f\x7f]+", " ", escaped) + '"'


def _within(projects: Sequence[str]) -> list[str]:
    """No clause at all for an empty name, which stands for every project that the account sees."""
    named = [quoted(project) for project in projects if project]
    return [f"project in ({', '.join(named)})"] if named else []


def updated_since(projects: Sequence[str], since: int, created: int | None = None) -> str:
    """Issues of the projects updated at `since` or later, in the order of their creation from `created` on."""
    clauses = [*_within(projects), f"updated >= {since}"]
    if created is not None:
        clauses.append(f"created >= {created}")
    return " AND ".join(clauses) + ORDER


def in_sprint(projects: Sequence[str], sprint: str, created: int | None = None) -> str:
    """Issues of the projects that are or were in a sprint."""
    clauses = [*_within(projects), f"sprint = {sprint}"]
    if created is not None:
        clauses.append(f"created >= {created}")
    return " AND ".join(clauses) + ORDER


def any_of(project: str) -> str:
    """Whether a project gives anything at all. Cloud refuses a query without any bound."""
    return (" AND ".join(_within([project])) or "created >= 0") + ORDER


def any_since(lasts: Sequence[tuple[str, int]]) -> str:
    """The newest known issues of several projects in one question: (project, its latest update)."""
    return " OR ".join(f"(project = {quoted(project)} AND updated >= {last})" for project, last in lasts)
