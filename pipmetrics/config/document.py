"""One YAML 1.2 file as a tree that remembers where everything stands.

Only the parser of ruamel.yaml is used: scalars are read by the core schema alone, so that `no`, `off`, `22:30` and
`2026-10-20` stay text, tags create nothing, and every key and value keeps its line and column (from 1). Limits on size,
depth and aliases hold before anything is built. No message repeats what the file says: it may be a secret.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, MarkedYAMLWarning, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from pipmetrics.errors import Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_ALIASES = 50
MAX_DIGITS = 15

Path: TypeAlias = tuple[str | int, ...]
Spot: TypeAlias = tuple[int, int]
"""Line and column, both from 1."""

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_COMMENT = re.compile(r"(?:^|(?<=\s))#")
# The prefixes that the services give their own tokens, so that one pasted anywhere is noticed.
_TOKEN = re.compile(
    r"gh[pousr]_\w{16}|github_pat_\w{16}|glpat-[\w-]{16}|gl(?:rt|cbt|ptt|soat|dt)-[\w-]{16}|ATATT3\w{16}|ATCTT3\w{16}"
    r"|xox[abeprs]-\w{8}|hooks\.slack\.com/services/T\w|-----BEGIN [A-Z ]*PRIVATE KEY|eyJ[\w-]{16,}\.eyJ[\w-]{16,}"
)


@dataclass(slots=True, eq=False)
class Node:
    """A value of the file: `items` holds (key, where the key stands, value) of a mapping, `values` those of a list."""

    spot: Spot
    value: str | int | float | bool | None = None
    items: list[tuple[str, Spot, Node]] | None = None
    values: list[Node] | None = None
    size: int = 1
    depth: int = 1

    def child(self, step: str | int) -> tuple[Spot, Node] | None:
        """The value under a key or a place in the list, and where to point for it."""
        if self.items is not None:
            return next(((spot, node) for key, spot, node in self.items if key == step), None)
        if self.values is not None and isinstance(step, int) and 0 <= step < len(self.values):
            return self.values[step].spot, self.values[step]
        return None

    def plain(self) -> Any:
        """Dicts, lists and scalars alone."""
        if self.items is not None:
            return {key: node.plain() for key, _, node in self.items}
        if self.values is not None:
            return [node.plain() for node in self.values]
        return self.value


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of the file; `alone` when nothing else stands on its line."""

    line: int
    column: int
    text: str
    alone: bool


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A file that was read: its tree, its comments, and its bytes, which a plan is locked by."""

    file: str
    root: Node
    comments: tuple[Comment, ...] = ()
    content: bytes = b""

    def plain(self) -> Any:
        return self.root.plain()

    def at(self, path: Sequence[str | int], *, key: bool = False) -> Spot:
        """Where the value at `path` stands, or its key; a step that does not exist is skipped."""
        spot, node = self._walk(path)
        return spot if key else node.spot

    def value(self, path: Sequence[str | int]) -> Any:
        """The plain value at `path`; None when there is none."""
        node: Node | None = self.root
        for step in path:
            found = node.child(step) if node is not None else None
            node = found[1] if found is not None else None
        return node.plain() if node is not None else None

    def nearest(self, path: Sequence[str | int]) -> Any:
        """The plain value at `path`, whose steps that do not exist are skipped."""
        return self._walk(path)[1].plain()

    def _walk(self, path: Sequence[str | int]) -> tuple[Spot, Node]:
        spot, node = self.root.spot, self.root
        for step in path:
            spot, node = node.child(step) or (spot, node)
        return spot, node

    def problem(self, path: Sequence[str | int], what: str, mend: str = "", *, key: bool = False) -> Problem:
        line, column = self.at(path, key=key)
        return Problem(self.file, line, column, what, mend)


class _Stop(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, spot: Spot, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.spot, self.what, self.mend = spot, what, mend


def read(file: str, content: bytes, limit: int = MAX_BYTES) -> tuple[Document | None, list[Problem]]:
    """The document in `content`, and all that is wrong with it as YAML; None when it cannot be read to its end.

    `limit` is the largest size in bytes; a file may unfold to a quarter as many values.
    """
    if len(content) > limit:
        return None, [Problem(file, 0, 0, f"the file is larger than {limit // 1024} KB")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [_not_utf8(file, content, error.start)]
    builder = _Builder(file, limit // 4)
    try:
        root = builder.build(text)
    except _Stop as stop:
        return None, [*builder.problems, Problem(file, *stop.spot, stop.what, stop.mend)]
    return Document(file, root, tuple(_comments(text, builder.spans)), content), builder.problems


def _not_utf8(file: str, content: bytes, offset: int) -> Problem:
    mend = "Save it as UTF-8."
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Problem(file, 1, 1, "the file is UTF-16, not UTF-8", mend)
    line = content.count(b"\n", 0, offset) + 1
    column = len(content[content.rfind(b"\n", 0, offset) + 1 : offset].decode("utf-8", "replace")) + 1
    return Problem(file, line, column, "the file is not UTF-8 text", mend)


@dataclass(slots=True, eq=False)
class _Builder:
    """Turns parser events into nodes; depth, aliases and size are counted as they come."""

    file: str
    most: int
    problems: list[Problem] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    anchors: dict[str, Node | None] = field(default_factory=dict)
    aliases: int = 0

    def build(self, text: str) -> Node:
        if not text.strip():
            raise _Stop((0, 0), "the file is empty", "`pipmetrics init` writes a configuration to start from.")
        events = iter(self._events(text))
        root: Node | None = None
        for event in events:
            if isinstance(event, (ScalarEvent, SequenceStartEvent, MappingStartEvent, AliasEvent)):
                if root is not None:
                    raise _Stop(_spot(event), "the file holds more than one YAML document", "Use one file for each.")
                root = self._node(event, events, 1)
        if root is None:
            raise _Stop((0, 0), "the file holds nothing but comments")
        if root.items is None:
            raise _Stop(root.spot, "the file must be a mapping: `key: value` lines")
        return root

    def _events(self, text: str) -> Iterator[Event]:
        """The parser's events; whatever it refuses ends the reading, with the place and without the text."""
        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except (MarkedYAMLError, MarkedYAMLWarning) as error:
            mark = error.problem_mark or error.context_mark
            spot = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            raise _Stop(spot, *_syntax(str(error.problem or ""))) from None
        except ReaderError as error:
            before = text[: error.position]
            spot = (before.count("\n") + 1, error.position - before.rfind("\n"))
            raise _Stop(spot, "a control character stands here", "Delete it.") from None
        except (YAMLError, ValueError, OverflowError):
            # chr() refuses escapes such as "\\UFFFFFFFF", and the scanner lets that through.
            raise _Stop((0, 0), "the file is not YAML", "An escape in double quotes may be wrong.") from None

    def _node(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _Stop(_spot(event), f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        if getattr(event, "ctag", None) is not None or getattr(event, "tag", None) is not None:
            raise _Stop(_spot(event), "YAML tags (`!...`) are not used here", "Remove the tag; put text in quotes.")
        anchor = event.anchor if isinstance(event, NodeEvent) else None
        if anchor:
            self.anchors[anchor] = None
        if isinstance(event, ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, SequenceStartEvent):
            node = self._list(event, events, depth)
        else:
            node = self._mapping(event, events, depth)
        if node.size > self.most:
            raise _Stop(node.spot, f"the file unfolds to more than {self.most} values")
        if anchor:
            self.anchors[anchor] = node
        return node

    def _alias(self, event: AliasEvent, depth: int) -> Node:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise _Stop(_spot(event), f"more than {MAX_ALIASES} aliases (`*name`)")
        node = self.anchors.get(event.anchor)
        if node is None:
            raise _Stop(_spot(event), "this alias (`*name`) stands for no anchor (`&name`) that ended before it")
        if depth + node.depth > MAX_DEPTH:
            raise _Stop(_spot(event), f"nested more than {MAX_DEPTH} levels deep")
        return node

    def _list(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        node = Node(_spot(event), values=[])
        assert node.values is not None
        for inner in events:
            if isinstance(inner, SequenceEndEvent):
                break
            child = self._node(inner, events, depth + 1)
            node.values.append(child)
            _grow(node, child)
        return node

    def _mapping(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        node = Node(_spot(event), items=[])
        assert node.items is not None
        seen: dict[str, Spot] = {}
        for inner in events:
            if isinstance(inner, MappingEndEvent):
                break
            key = self._key(inner, events, depth)
            value = next(events)
            child = self._node(value, events, depth + 1)
            if isinstance(value, ScalarEvent) and value.style is None and not value.value:
                child.spot = _spot(inner)  # nothing stands somewhere after the key, often on the next line
            _grow(node, child)
            if key in seen:
                line, column = seen[key]
                self._wrong(inner, "this key stands here twice", f"The first one is at {self.file}:{line}:{column}.")
                continue
            seen[key] = _spot(inner)
            node.items.append((key, seen[key], child))
        return node

    def _key(self, event: Event, events: Iterator[Event], depth: int) -> str:
        """Keys are text whatever they look like."""
        self._node(event, events, depth + 1)
        if not isinstance(event, ScalarEvent):
            raise _Stop(_spot(event), "a key must be plain text")
        if event.value == "<<":
            raise _Stop(_spot(event), "merge keys (`<<`) are not YAML 1.2", "Write the keys out.")
        if not event.value.strip():
            self._wrong(event, "this key is empty")
        return "" if _TOKEN.search(event.value) else str(event.value)

    def _scalar(self, event: ScalarEvent) -> Node:
        self.spans.append((event.start_mark.index, event.end_mark.index))
        text = str(event.value)
        if _TOKEN.search(text):
            self._wrong(event, "this looks like a secret", 'Keep it in the environment and write "${NAME}" here.')
            return Node(_spot(event), "")
        if _SURROGATE.search(text):
            self._wrong(event, "an escape in this text stands for no character")
            return Node(_spot(event), "")
        if event.style is not None:
            return Node(_spot(event), text)
        try:
            return Node(_spot(event), _resolve(text))
        except OverflowError:
            self._wrong(event, "this number is too large", "Text of digits alone goes in quotes.")
            return Node(_spot(event), 0)

    def _wrong(self, event: Event, what: str, mend: str = "") -> None:
        self.problems.append(Problem(self.file, *_spot(event), what, mend))


def _grow(node: Node, child: Node) -> None:
    node.size += child.size
    node.depth = max(node.depth, child.depth + 1)


def _spot(event: Event) -> Spot:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _resolve(text: str) -> str | int | float | bool | None:
    """A plain scalar by the core schema of YAML 1.2 (chapter 10.3.2 of its specification)."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if _WHOLE.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise OverflowError
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NO_NUMBER.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return text


def _syntax(problem: str) -> tuple[str, str]:
    """The parser's complaint in words that help, without a quotation from the file."""
    known = (
        ("'\\t'", "a tab stands here", "YAML is indented with spaces."),
        ("could not find expected ':'", "a `:` is missing after a key here", ""),
        ("mapping values are not allowed", "a second `:` on one line", 'Put text that contains ": " in quotes.'),
        ("cannot start any token", "this character cannot begin a value", "Put the text in quotes."),
        ("expected <block end>", "the indentation does not fit the lines above", ""),
        ("expected ',' or", "a `,` or the closing bracket is missing here", ""),
        ("unexpected end of stream", "a quotation mark is never closed", ""),
        ("unknown escape character", "unknown escape in double quotes", "Use single quotes for text with backslashes."),
        ("sequence entries are not allowed", "a list item (`- `) cannot stand here", ""),
        ("node content", "a value is missing here", ""),
    )
    for part, what, mend in known:
        if part in problem:
            return what, mend
    return "the file is not YAML from here on", ""


def _comments(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Comment]:
    """Comments, told from `#` inside of scalars by the spans of these."""
    starts = [start for start, _ in spans]
    offset = 0
    for number, line in enumerate(_LINES.findall(text), 1):
        for found in _COMMENT.finditer(line.rstrip("\r\n")):
            place = offset + found.start()
            before = bisect_right(starts, place) - 1
            if before < 0 or place >= spans[before][1]:
                text_of_it = line[found.start() :].strip().lstrip("# ")
                yield Comment(number, found.start() + 1, text_of_it, not line[: found.start()].strip())
                break
        offset += len(line)
