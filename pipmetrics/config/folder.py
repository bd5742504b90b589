"""Finds and reads the files of a configuration folder; nothing else opens them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipmetrics.config.document import MAX_BYTES, Document, read
from pipmetrics.errors import Problem

ENDINGS = (".yaml", ".yml")
MAX_PEOPLE_BYTES = 8 * 1024 * 1024
"""People are many in one file: five thousand of them take about 1.5 MB."""


@dataclass(slots=True)
class Files:
    """What was read: the documents, and what was wrong."""

    settings: Document | None = None
    people: Document | None = None
    plans: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_folder(folder: Path) -> Files:
    """Every file of a folder, named as the folder was."""
    files = Files()
    if not folder.is_dir():
        what = "this is not a folder" if folder.exists() else "there is no such folder"
        files.problems.append(Problem(str(folder), 0, 0, what, "`pipmetrics init` writes a configuration."))
        return files
    files.settings = _required(files, folder, "pipmetrics", MAX_BYTES)
    files.people = _required(files, folder, "people", MAX_PEOPLE_BYTES)
    for path in _plan_paths(files, folder / "plans"):
        content = _content(files, path, MAX_BYTES)
        document = _document(files, path, content, MAX_BYTES) if content is not None else None
        if document is not None:
            files.plans.append(document)
    return files


def _required(files: Files, folder: Path, name: str, limit: int) -> Document | None:
    paths = [path for ending in ENDINGS if (path := folder / f"{name}{ending}").exists() or path.is_symlink()]
    if len(paths) > 1:
        files.problems.append(Problem(str(paths[1]), 0, 0, f"{paths[0].name} is there too", "Keep one of them."))
    if not paths:
        missing = Problem(str(folder / f"{name}.yaml"), 0, 0, "this file is missing", "`pipmetrics init` writes one.")
        files.problems.append(missing)
        return None
    content = _content(files, paths[0], limit)
    return None if content is None else _document(files, paths[0], content, limit)


def _plan_paths(files: Files, folder: Path) -> Iterator[Path]:
    """Every YAML file under `plans`, also in folders of it; what begins with a dot is an editor's."""
    if not folder.exists():
        return
    if not folder.is_dir():
        files.problems.append(Problem(str(folder), 0, 0, "`plans` must be a folder of plan files"))
        return
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in folders if name.endswith(ENDINGS))
        yield from (Path(place, name) for name in sorted(names) if name.endswith(ENDINGS) and name[0] != ".")


def _content(files: Files, path: Path, limit: int) -> bytes | None:
    """The bytes of a regular file, one more than the limit at most."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            what = "this is a folder, not a file" if path.is_dir() else "this is not a regular file"
            files.problems.append(Problem(str(path), 0, 0, what))
            return None
        with path.open("rb") as stream:
            return stream.read(limit + 1)
    except OSError as error:
        what = f"this file cannot be read: {error.strerror or type(error).__name__}"
        files.problems.append(Problem(str(path), 0, 0, what))
        return None


def _document(files: Files, path: Path, content: bytes, limit: int) -> Document | None:
    document, problems = read(str(path), content, limit)
    files.problems += problems
    return document
