"""Reads the documentation's pages: their headings, tables and code blocks, each with where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>[\w-]*).*?\n(?P<code>.*?)^(?P=indent)(?P=fence)$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A fenced code block: its language, its text, and the file and line where it begins."""

    page: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


Table = list[dict[str, str]]


@dataclass
class Section:
    """What stands below one heading, up to the next one."""

    title: str
    text: str
    tables: list[Table] = field(default_factory=list)


def pages() -> list[Path]:
    """Every page of the documentation, the README among them."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def blocks(*paths: Path) -> list[Block]:
    found = []
    for path in paths or pages():
        text = path.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            indent = len(match["indent"])
            code = "".join(each[indent:] for each in match["code"].splitlines(keepends=True))
            found.append(Block(path, line, match["language"], code))
    return found


def sections(path: Path) -> dict[str, Section]:
    """The sections of a page by their titles; a title that comes twice is a mistake."""
    found: dict[str, Section] = {}
    text = FENCE.sub(lambda match: re.sub(r"^#", "\u0000", match[0], flags=re.M), path.read_text(encoding="utf-8"))
    for part in re.split(r"^(?=#+ )", text, flags=re.M):
        title, _, body = part.partition("\n")
        title = title.lstrip("# ").strip().replace("`", "")
        assert title not in found, f"{path.name}: {title} comes twice"
        body = body.replace("\u0000", "#")
        found[title] = Section(title, body, list(tables(body)))
    return found


def tables(text: str) -> Iterator[Table]:
    """The tables of a text: one mapping a row, by the names in the head; backquotes around cells are taken off."""
    lines = FENCE.sub("", text).splitlines()
    rows: list[list[str]] = []
    for line in [*lines, ""]:
        if line.lstrip().startswith("|"):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            rows.append([cell.replace("\\|", "|").strip().strip("`") for cell in cells])
        elif rows:
            head, _, *body = rows
            yield [dict(zip(head, row, strict=True)) for row in body]
            rows = []
