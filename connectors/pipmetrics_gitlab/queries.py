"""The GraphQL documents. Field names are those of GitLab's GraphQL reference; each document asks what it costs.

GitLab scores a query: 1 a field (2 if it reads the repository, 5 for `mergedAt` and for labels, assignees and
reviewers), and a list with a resolver costs (1 + its fields) x (1 + 0.01 x rows asked); 250 is the limit. The
merge requests below score 238 at 100 rows, issues 116, a night's question 221 at 75.

What stands in OPTIONAL is left out where a version does not know it; the rest is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

NOTES, PIPELINES, REST = 40, 20, 100
"""Rows of the lists inside a row; what is more is asked for apart, REST rows at a time."""

OPTIONAL = frozenset(
    {"bot", "publicEmail", "squashOnMerge", "finishedAt", "queryComplexity"}
    | {"closedAsDuplicateOf", "moved", "repository", "environments"}
)
"""Fields that may be missing: then their values are the defaults, or come from elsewhere."""
INSIDE = {"rootRef": "repository", "lastDeployment": "environments"}
"""Fields without which the optional ones around them are of no use."""

_PAGE = "pageInfo { hasNextPage endCursor }"
_AUTHOR = "author { id username bot publicEmail }"
_WRITER = "author { id username bot }"
_NOTE = f"id body system createdAt {_WRITER}"
_COMMIT = "sha authoredDate committedDate message author { id username }"
_COMMITS = f"commits%s {{ {_PAGE} nodes {{ {_COMMIT} }} }}"
_PIPELINES = f"pipelines(first: %d%s) {{ {_PAGE} nodes {{ id sha status finishedAt updatedAt }} }}"
_CHANGE_NOTES = f"notes(first: %d%s) {{ {_PAGE} nodes {{ {_NOTE} discussion {{ id }} position {{ filePath }} }} }}"
_ISSUE_NOTES = f"notes(first: %d%s) {{ {_PAGE} nodes {{ {_NOTE} }} }}"

CHANGE = f"""
id iid title description state draft createdAt updatedAt mergedAt sourceBranch targetBranch
mergeCommitSha diffHeadSha squashOnMerge webUrl
{_AUTHOR} mergeUser {{ id username }}
labels {{ nodes {{ title }} }}
reviewers {{ nodes {{ id username }} }} assignees {{ nodes {{ id username }} }} approvedBy {{ nodes {{ id username }} }}
{_CHANGE_NOTES % (NOTES, "")}
{_COMMITS % ""}
diffStats {{ path additions deletions }}
{_PIPELINES % (PIPELINES, "")}
"""

ISSUE = f"""
id iid title description state createdAt updatedAt closedAt dueDate type webUrl moved
{_AUTHOR} assignees {{ nodes {{ id username }} }} labels {{ nodes {{ title }} }}
closedAsDuplicateOf {{ iid }}
{_ISSUE_NOTES % (NOTES, "")}
"""

_PROJECT = "id fullPath webUrl repository { rootRef }"
_LATEST_REST = """
issues(first: 1, sort: UPDATED_DESC) { nodes { updatedAt } }
environments(first: 20) { pageInfo { hasNextPage } nodes { name lastDeployment(status: SUCCESS) { updatedAt } } }
"""
_LATEST = f"mergeRequests(first: 1, sort: UPDATED_DESC) {{ nodes {{ updatedAt }} }} {_LATEST_REST}"


class More(NamedTuple):
    """The rest of a list inside a row: of which item, which list, from where on."""

    kind: str
    iid: int
    part: str
    after: str


def lists(kind: str, rows: int, *, and_latest: bool = False) -> str:
    """One project's merge requests ("changes") or issues by the instant of their update.

    `and_latest`: and what is newest of its issues and deployments, so that a night need not ask for what is not there.
    """
    name, fields = {"changes": ("mergeRequests", CHANGE), "issues": ("issues", ISSUE)}[kind]
    arguments = f"first: {rows}, after: $cursor, updatedAfter: $after, sort: UPDATED_ASC"
    return _squeezed(
        f"query($path: ID!, $after: Time, $cursor: String) {{ queryComplexity {{ score limit }}"
        f" project(fullPath: $path) {{ {_PROJECT} {name}({arguments}) {{ {_PAGE} nodes {{ {fields} }} }}"
        f" {_LATEST_REST if and_latest else ''} }} }}"
    )


def rest(parts: Iterable[More]) -> str:
    """The rests of several lists of one project in one question, as m0, m1, ..."""
    asked, given = [], []
    for number, part in enumerate(parts):
        field = "mergeRequest" if part.kind == "changes" else "issue"
        after = f", after: $after{number}"
        connection = {
            "notes": (_CHANGE_NOTES if part.kind == "changes" else _ISSUE_NOTES) % (REST, after),
            "commits": _COMMITS % f"(first: {REST}{after})",
            "pipelines": _PIPELINES % (REST, after),
        }[part.part]
        given.append(f"$after{number}: String")
        asked.append(f'm{number}: {field}(iid: "{part.iid}") {{ {connection} }}')
    return _squeezed(f"query($path: ID!, {', '.join(given)}) {{ project(fullPath: $path) {{ {' '.join(asked)} }} }}")


def survey(count: int) -> str:
    """The latest merge request, issue and deployments of several projects, as p0, p1, ..."""
    given = ", ".join(f"$path{number}: ID!" for number in range(count))
    asked = " ".join(
        f"p{number}: project(fullPath: $path{number}) {{ {_PROJECT} {_LATEST} }}" for number in range(count)
    )
    return _squeezed(f"query({given}) {{ {asked} }}")


GROUP = f"""
query($path: ID!, $cursor: String) {{
  group(fullPath: $path) {{
    projects(includeSubgroups: true, first: %d, after: $cursor) {{
      {_PAGE} nodes {{ {_PROJECT} {_LATEST} }}
    }}
  }}
}}
"""
"""A group's projects, subgroups included, with what is latest in each; takes the number of rows."""


def group(rows: int) -> str:
    return _squeezed(GROUP % rows)


def without(document: str, fields: Iterable[str]) -> str:
    """The document without these fields, their arguments and what is selected in them."""
    for field in fields:
        document = re.sub(rf"\b{field}\b(?: ?\([^)]*\))*", f"\0{field}", document)
        while (start := document.find("\0")) >= 0:
            end = start + len(field) + 1
            document = document[:start] + document[_after_selection(document, end) :]
    return document


def _after_selection(document: str, at: int) -> int:
    """Where what follows a field begins: behind its braces, if it has any."""
    found = re.compile(r"\s*\{").match(document, at)
    if not found:
        return at
    depth, place = 1, found.end()
    while depth:
        depth += {"{": 1, "}": -1}.get(document[place], 0)
        place += 1
    return place


def _squeezed(document: str) -> str:
    """GitLab refuses documents over 10,000 characters: blanks are not worth any of them."""
    return " ".join(document.split())
