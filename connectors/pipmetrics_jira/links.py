"""Links of an issue as seen from it: phrase, other end, and the change that made them where the history holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipmetrics.model import Json
from pipmetrics_jira.payloads import Change, Issue, entries


@dataclass(frozen=True, slots=True)
class Link:
    """`to` is the other issue's key or, of a remote link, a URL; `change` None: the history does not tell when."""

    id: str
    phrase: str
    to: str
    change: Change | None = None


def links(issue: Issue) -> list[Link]:
    """The links an issue has now, each once; those removed since are in none of Jira's lists."""
    return [*_to_issues(issue), *_to_pages(issue)]


def _to_issues(issue: Issue) -> Iterator[Link]:
    listed = issue.fields.get("issuelinks")
    for raw in listed if isinstance(listed, list) else ():
        kind = raw.get("type") if isinstance(raw, Mapping) else None
        if not isinstance(kind, Mapping):
            continue
        for end, direction in (("inwardIssue", "inward"), ("outwardIssue", "outward")):
            other = raw.get(end)
            if isinstance(other, Mapping) and other.get("key"):
                phrase, to = str(kind.get(direction) or ""), str(other["key"])
                yield Link(str(raw.get("id") or f"{direction}-{to}"), phrase, to, _made(issue, phrase, to))


def _made(issue: Issue, phrase: str, to: str) -> Change | None:
    """The latest entry that added a link to this key; one that also has the phrase goes before one that has not."""
    added = [each for each in entries(issue, "link", "issuelinks") if each.item.after == to]
    named = [each for each in added if phrase and phrase.casefold() in (each.item.after_text or "").casefold()]
    return (named or added)[-1].change if added else None


def _to_pages(issue: Issue) -> Iterator[Link]:
    for raw in issue.remote:
        target = raw.get("object")
        if isinstance(target, Mapping) and target.get("url"):
            phrase = str(raw.get("relationship") or "links to")
            yield Link(f"remote-{raw.get('id')}", phrase, str(target["url"]), _added(issue, raw))


def _added(issue: Issue, raw: Mapping[str, Json]) -> Change | None:
    """An entry that first names the remote link's id; updates of it come later."""
    id = str(raw.get("id"))
    return next((each.change for each in entries(issue, "remoteissuelink") if each.item.after == id), None)
