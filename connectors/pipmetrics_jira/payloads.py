"""Jira's answers as checked values: what an issue holds, when, by whom. Nothing here asks the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from pipmetrics.model import Json


class Hole(ValueError):
    """An issue that came without something every issue has; the text names it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who did something: the stable id (accountId on Cloud, user key on Data Center), and how people name them."""

    id: str
    login: str
    email: str | None = None
    mark: Literal["", "bot", "ghost"] = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One field of one change. `name` is the field's id where Jira gives it, else its name; lower case."""

    name: str
    custom: bool
    before: str | None
    before_text: str | None
    after: str | None
    after_text: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of an issue's changelog; `by` is None when Jira no longer says who it was."""

    id: str
    at: datetime
    by: Person | None
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it came. `changes` are sorted by time; `told` is how many there are by Jira's own count.

    `changes` None: the answer held no changelog. `comments` are what came with the issue, `comments_told` all.
    """

    id: str
    key: str
    project: str
    created: datetime
    updated: datetime
    fields: Mapping[str, Json]
    changes: tuple[Change, ...] | None
    told: int | None
    comments: tuple[str, ...] = ()
    comments_told: int = 0
    remote: tuple[Mapping[str, Json], ...] = ()

    @property
    def status(self) -> str:
        return str(self.fields["status"]["id"])


@dataclass(frozen=True, slots=True)
class Entry:
    """A change of one field: the field's item with the change that held it, and the item's place in it."""

    change: Change
    place: int
    item: Item

    @property
    def key(self) -> str:
        return f"{self.change.id}/{self.place}"


def instant(stamp: Json) -> datetime:
    """An aware instant in UTC from ISO 8601 text or a count since 1970 (seconds or milliseconds, Jira has both)."""
    if isinstance(stamp, bool) or not isinstance(stamp, str | int | float):
        raise Hole("an instant")
    try:
        if isinstance(stamp, str):
            read = datetime.fromisoformat(stamp)
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
        return datetime.fromtimestamp(stamp / (1000 if stamp >= 1e11 else 1), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Hole("an instant") from error


def moment(stamp: Json) -> datetime | None:
    """As `instant`, None where there is none."""
    try:
        return instant(stamp)
    except Hole:
        return None


def day(text: Json) -> str | None:
    """The ISO date at the start of a text (a due date comes with and without a time), or None."""
    if not isinstance(text, str):
        return None
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return None


def millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def person(raw: Json, bots: frozenset[str] = frozenset()) -> Person | None:
    """The user of an answer; None when there is none, or the record is one of a deleted user without an id."""
    if not isinstance(raw, Mapping):
        return None
    account, key, name = (_text(raw.get(part)) for part in ("accountId", "key", "name"))
    id = account or key or name
    if not id or id == "unknown":
        return None
    login = account or name or id
    robot = raw.get("accountType") == "app" or bool({id, login} & bots)
    return Person(id, login, _text(raw.get("emailAddress")), "bot" if robot else "")


def _text(value: Json) -> str | None:
    """A text, a number as text; None for nothing and for an empty text."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        return str(value) or None
    return None


def item(raw: Mapping[str, Json]) -> Item:
    """A field's change. Cloud entries of old times hold account ids under names of their own."""
    field_id, name = _text(raw.get("fieldId")), _text(raw.get("field")) or ""
    before = _text(raw.get("tmpFromAccountId")) or _text(raw.get("from"))
    after = _text(raw.get("tmpToAccountId")) or _text(raw.get("to"))
    custom = raw.get("fieldtype") == "custom" or (field_id or "").startswith("customfield_")
    return Item(
        (field_id or name).lower(), custom, before, _text(raw.get("fromString")), after, _text(raw.get("toString"))
    )


def changes(raw: Sequence[Json], bots: frozenset[str] = frozenset()) -> tuple[Change, ...]:
    """Changelog entries, oldest first, each once; Jira promises no order. Hole for an entry without time or items."""
    read: dict[str, Change] = {}
    for entry in raw:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("items"), list):
            raise Hole("an entry of the changelog")
        at = instant(entry.get("created"))
        items = tuple(item(each) for each in entry["items"] if isinstance(each, Mapping))
        id = _text(entry.get("id")) or f"at-{millis(at)}"
        read[id] = Change(id, at, person(entry.get("author"), bots), items)
    return tuple(sorted(read.values(), key=lambda change: (change.at, len(change.id), change.id)))


def issue(raw: Json, bots: frozenset[str] = frozenset()) -> Issue:
    """An issue of a search; Hole when it lacks what every issue has."""
    if not isinstance(raw, Mapping):
        raise Hole("an issue")
    fields = raw.get("fields")
    if not isinstance(fields, Mapping):
        raise Hole("its fields")
    for needed in ("id", "key"):
        if not _text(raw.get(needed)):
            raise Hole(f"its {needed}")
    if not isinstance(fields.get("status"), Mapping) or not _text(fields["status"].get("id")):
        raise Hole("its status")
    created = instant(fields.get("created"))
    log = raw.get("changelog")
    histories = log.get("histories") if isinstance(log, Mapping) else None
    told = log.get("total") if isinstance(log, Mapping) else None
    comments, comments_told = _comments(fields.get("comment"))
    key = str(raw["key"])
    return Issue(
        id=str(raw["id"]),
        key=key,
        project=_project(fields.get("project"), key),
        created=created,
        updated=moment(fields.get("updated")) or created,
        fields=fields,
        changes=changes(histories, bots) if isinstance(histories, list) else None,
        told=told if isinstance(told, int) else None,
        comments=comments,
        comments_told=comments_told,
    )


def _project(raw: Json, key: str) -> str:
    named = raw.get("key") if isinstance(raw, Mapping) else None
    return _text(named) or key.rpartition("-")[0]


def _comments(raw: Json) -> tuple[tuple[str, ...], int]:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("comments"), list):
        return (), 0
    bodies = comment_bodies(raw["comments"])
    total = raw.get("total")
    return bodies, total if isinstance(total, int) else len(bodies)


def comment_bodies(raw: Sequence[Json]) -> tuple[str, ...]:
    return tuple(prose(each.get("body")) for each in raw if isinstance(each, Mapping))


def entries(of: Issue, *names: str, custom: bool = False) -> Iterator[Entry]:
    """The changes of a field, oldest first; `names` in lower case, system fields unless `custom`."""
    for change in of.changes or ():
        for place, each in enumerate(change.items):
            if each.custom is custom and each.name in names:
                yield Entry(change, place, each)


_BLOCKS = frozenset({
    "paragraph", "heading", "listItem", "codeBlock", "blockquote", "panel", "tableCell", "tableHeader", "rule",
    "expand", "nestedExpand", "taskItem", "decisionItem",
})  # fmt: skip


def prose(value: Json) -> str:
    """Plain text of a description or comment: a text as it is, an Atlassian document as the lines of its blocks."""
    if isinstance(value, str):
        return value
    return "".join(_pieces(value))


def _pieces(node: Json) -> Iterator[str]:
    if not isinstance(node, Mapping):
        return
    kind, attributes = node.get("type"), node.get("attrs")
    if kind == "text":
        yield str(node.get("text") or "")
    elif kind == "hardBreak":
        yield "\n"
    elif isinstance(attributes, Mapping) and kind in ("inlineCard", "blockCard", "embedCard", "mention", "emoji"):
        yield str(attributes.get("url") or attributes.get("text") or "")
    content = node.get("content")
    for inner in content if isinstance(content, list) else ():
        yield from _pieces(inner)
    if kind in _BLOCKS:
        yield "\n"
