"""The questions, put together from one table of lists, so that what overflows can be asked for by the same words.

Only fields of GitHub's public schema. Every list is bounded, every object that has lists has its id beside them, and
every list tells whether it has more (`pageInfo`). Pull requests carry the weight: with pages of 100, a page names some
200,000 nodes of the 500,000 that the service allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MORE = 100
"""Nodes asked for at once where a list did not fit."""

WHO = """
fragment Who on Actor {
  __typename login
  ... on User { databaseId }
  ... on Bot { databaseId }
  ... on Mannequin { databaseId }
  ... on Organization { databaseId }
}"""

_REFERENCED = "number repository { nameWithOwner }"
_OTHER_END = f"... on Issue {{ {_REFERENCED} }} ... on PullRequest {{ {_REFERENCED} }}"


def _entries(**kinds: str) -> str:
    return " ".join(f"... on {kind} {{ id createdAt actor {{ ...Who }} {more} }}" for kind, more in kinds.items())


@dataclass(frozen=True, slots=True)
class List:
    """A list inside an object: its name in answers, the field and its arguments, how many at first, of what."""

    owner: str
    name: str
    field: str
    first: int
    nodes: str
    arguments: str = ""

    def text(self, first: int | None = None, after: str = "") -> str:
        """The selection; `after` is a GraphQL literal or variable."""
        alias = "" if self.name == self.field else f"{self.name}: "
        bounds = f"first: {first or self.first}" + (f", after: {after}" if after else "")
        more = f", {self.arguments}" if self.arguments else ""
        return (
            f"{alias}{self.field}({bounds}{more}) {{ nodes {{ {self.nodes} }} pageInfo {{ hasNextPage endCursor }} }}"
        )


CONTEXTS = List(
    "StatusCheckRollup",
    "contexts",
    "contexts",
    20,
    "__typename ... on CheckRun { status conclusion completedAt } ... on StatusContext { state createdAt }",
)
COMMIT = (
    "__typename id oid url message committedDate authoredDate author { email user { ...Who } } "
    f"statusCheckRollup {{ __typename id {CONTEXTS.text()} }}"
)
LISTS = [
    CONTEXTS,
    List("PullRequest", "commits", "commits", 20, f"commit {{ {COMMIT} }}"),
    List(
        "PullRequest",
        "reviews",
        "reviews",
        20,
        "id state submittedAt url author { ...Who } comments(first: 1) { totalCount }",
    ),
    List("PullRequest", "comments", "comments", 30, "id createdAt url author { ...Who }"),
    List("PullRequest", "files", "files", 50, "path additions deletions"),
    List("PullRequest", "labels", "labels", 20, "name"),
    List("PullRequest", "closingIssuesReferences", "closingIssuesReferences", 10, _REFERENCED),
    List(
        "PullRequest",
        "timelineItems",
        "timelineItems",
        40,
        "__typename "
        + _entries(
            ReviewRequestedEvent="requestedReviewer { __typename ... on Actor { ...Who } ... on Team { slug } }",
            ReviewRequestRemovedEvent="requestedReviewer { __typename ... on Actor { ...Who } ... on Team { slug } }",
            ReadyForReviewEvent="",
            ConvertToDraftEvent="",
            ClosedEvent="",
            ReopenedEvent="",
            ReviewDismissedEvent="previousReviewState review { id }",
        ),
        "itemTypes: [REVIEW_REQUESTED_EVENT, REVIEW_REQUEST_REMOVED_EVENT, READY_FOR_REVIEW_EVENT, "
        "CONVERT_TO_DRAFT_EVENT, CLOSED_EVENT, REOPENED_EVENT, REVIEW_DISMISSED_EVENT]",
    ),
    List(
        "PullRequest",
        "forcedPushes",
        "timelineItems",
        5,
        f"__typename ... on HeadRefForcePushedEvent {{ id beforeCommit {{ {COMMIT} }} }}",
        "itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]",
    ),
    List("Issue", "labels", "labels", 20, "name"),
    List("Issue", "assignees", "assignees", 10, "...Who"),
    List("Issue", "comments", "comments", 20, "id body"),
    List(
        "Issue",
        "timelineItems",
        "timelineItems",
        40,
        "__typename "
        + _entries(
            AssignedEvent="assignee { __typename ... on Actor { ...Who } }",
            UnassignedEvent="assignee { __typename ... on Actor { ...Who } }",
            ClosedEvent="stateReason",
            ReopenedEvent="",
            ConnectedEvent=f"source {{ {_OTHER_END} }}",
            DisconnectedEvent=f"source {{ {_OTHER_END} }}",
            CrossReferencedEvent=f"willCloseTarget source {{ {_OTHER_END} }}",
            MarkedAsDuplicateEvent=f"canonical {{ {_OTHER_END} }}",
        ),
        "itemTypes: [ASSIGNED_EVENT, UNASSIGNED_EVENT, CLOSED_EVENT, REOPENED_EVENT, CONNECTED_EVENT, "
        "DISCONNECTED_EVENT, CROSS_REFERENCED_EVENT, MARKED_AS_DUPLICATE_EVENT]",
    ),
    List("Deployment", "statuses", "statuses", 20, "state createdAt"),
]
LIST = {(each.owner, each.name): each for each in LISTS}


def _lists(owner: str) -> str:
    return " ".join(each.text() for each in LISTS if each.owner == owner)


PULL = f"""
__typename id number title body url createdAt updatedAt closedAt mergedAt isDraft baseRefName headRefName
additions deletions changedFiles author {{ ...Who }} mergedBy {{ ...Who }} mergeCommit {{ oid }}
{_lists("PullRequest")}"""
ISSUE = f"""
__typename id number title body url createdAt updatedAt closedAt stateReason(enableDuplicate: true)
author {{ ...Who }} {_lists("Issue")}"""
TYPED_ISSUE = f"{ISSUE} issueType {{ name }}"
DEPLOYMENT = f"""
__typename id databaseId commitOid environment state createdAt creator {{ ...Who }} {_lists("Deployment")}"""
RELEASE = """
__typename id databaseId tagName url isDraft isPrerelease createdAt publishedAt tagCommit { oid } author { ...Who }"""


def query(body: str, **variables: str) -> str:
    """A whole document: the declared variables (name to type), the body, and the fragment that all share."""
    declared = ", ".join(f"${name}: {kind}" for name, kind in variables.items())
    shared = WHO if "...Who" in body else ""
    return f"query{f'({declared})' if declared else ''} {{ {body} }}{shared}"


def repository(name: str, body: str, alias: str = "repository") -> str:
    """The repository of that full name, former names followed."""
    owner, _, short = name.partition("/")
    return f"{alias}: repository(owner: {quoted(owner)}, name: {quoted(short)}, followRenames: true) {{ {body} }}"


def quoted(text: str) -> str:
    """A GraphQL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if letter >= " " else " " for letter in escaped) + '"'


REPOSITORY = "repository(owner: $owner, name: $name, followRenames: true)"
IDENTITY = "id nameWithOwner url defaultBranchRef { name }"

NEWEST = {
    "pulls": """
pulls: pullRequests(first: 10, orderBy: {field: UPDATED_AT, direction: DESC}) {
  totalCount
  nodes {
    id updatedAt
    reviews(first: 1) { totalCount }
    comments(first: 1) { totalCount }
    commits(last: 1) { totalCount nodes { commit { oid statusCheckRollup { state } } } }
  }
}""",
    "issues": """
issues(first: 10, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { id updatedAt } }
youngest: issues(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { number } }""",
    "deployments": """
deployments(first: 10, orderBy: {field: CREATED_AT, direction: DESC}ENVIRONMENTS) { totalCount nodes { id state } }""",
    "releases": """
releases(first: 10, orderBy: {field: CREATED_AT, direction: DESC}) {
  totalCount nodes { id isDraft isPrerelease publishedAt }
}""",
}
"""What is newest in each stream: equal to last night's, and the stream is quiet."""


def survey(wanted: Mapping[str, Iterable[str]], environments: str) -> str:
    """What is newest in many repositories (full name to its streams), one alias (r0, r1, ...) each."""
    parts = (
        repository(name, IDENTITY + "".join(NEWEST[stream] for stream in streams), f"r{n}")
        for n, (name, streams) in enumerate(wanted.items())
    )
    types = 'issueTypes: __type(name: "IssueType") { name }'
    return query(" ".join([*parts, types]).replace("ENVIRONMENTS", environments))


def continuations(missing: Iterable[tuple[str, str, str]]) -> str:
    """More of many lists at once: (owner's type, list, ...) each, with variables i0, c0, i1, c1, ..."""
    body, variables = [], dict[str, str]()
    for n, (owner, name, _) in enumerate(missing):
        variables |= {f"i{n}": "ID!", f"c{n}": "String"}
        more = LIST[owner, name].text(MORE, f"$c{n}")
        body.append(f"m{n}: node(id: $i{n}) {{ ... on {owner} {{ {more} }} }}")
    return query(" ".join(body), **variables)


def nodes(pieces: Mapping[str, str]) -> str:
    """Objects by their ids ($ids), whatever they are: `pieces` gives the selection for each type."""
    body = " ".join(f"... on {kind} {{ {selection} }}" for kind, selection in pieces.items())
    return f" nodes(ids: $ids) {{ __typename {body} }}"


def numbers(name: str, cursor: str | None) -> str:
    """The numbers of all issues there are, a hundred at a time."""
    after = f", after: {quoted(cursor)}" if cursor else ""
    page = "nodes { number } pageInfo { hasNextPage endCursor }"
    return query(repository(name, f"issues(first: {MORE}{after}) {{ {page} }}"))


def owned(login: str, cursor: str | None) -> str:
    """The repositories of an organisation or a user, a hundred at a time."""
    after = f", after: {quoted(cursor)}" if cursor else ""
    page = "nodes { nameWithOwner } pageInfo { hasNextPage endCursor }"
    repositories = f"repositories(first: {MORE}{after}, ownerAffiliations: [OWNER]) {{ {page} }}"
    return query(f"repositoryOwner(login: {quoted(login)}) {{ {repositories} }}")
