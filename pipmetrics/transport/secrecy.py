"""Secrets are read where they are needed, and never shown: not in messages, logs, tracebacks or pickles."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from pipmetrics.errors import SourceError
from pipmetrics.model import Secret

SHORTEST = 4
"""Shorter texts are not masked: they would garble every line and protect nothing."""

_revealed: set[str] = set()
"""All that `reveal` has ever given out in this process: what was never read cannot be printed."""

_SHAPES = (
    re.compile(r"(?i)(?<=authorization: )[^\r\n]+"),
    re.compile(r"(?i)(?<=authorization': ')[^']+"),
    re.compile(r"(?i)(?<=private-token: )[^\r\n]+"),
    re.compile(r"(?i)(?<=private-token': ')[^']+"),
    re.compile(r"(?i)(?<=token=)[^&\s\"']+"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
"""Where a credential stands by its form alone: headers, query strings, user:password in a URL."""


def reveal(secret: Secret | str, folder: str | Path = ".") -> str:
    """The value of a reference: ``${NAME}`` from the environment, ``file:PATH`` from a file (relative to `folder`).

    A plain text (a user name) is given back as it is. Blanks around the value are cut. SourceError names the variable
    or the file when there is nothing there; it never holds the value.
    """
    if isinstance(secret, str):
        return secret
    reference = secret.reference
    if name := re.fullmatch(r"\$\{(\w+)\}", reference):
        value = _from_environment(name[1])
    elif reference.startswith("file:"):
        value = _from_file(Path(folder, reference.removeprefix("file:")))
    else:
        raise SourceError("a secret is neither ${NAME} nor file:PATH", mend="Write a reference, not the secret itself.")
    hide(value)
    return value


def hide(value: str) -> None:
    """From now on `value` is masked wherever the wire or a log writes: for secrets that a service hands out."""
    _revealed.add(value)


def _from_environment(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise SourceError(f"the environment variable {name} is not set", mend=f"Set {name}, then run again.")
    return value


def _from_file(path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        mend = "Check the path and who may read it."
        raise SourceError(f"the secret file {path} cannot be read: {reason}", mend=mend) from None
    if not value:
        raise SourceError(f"the secret file {path} is empty", mend="Put the secret into it.")
    return value


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without any of the secrets, written plainly or quoted for a URL, and without what looks like one."""
    for part in sorted(_parts({*_revealed, *secrets}), key=len, reverse=True):
        text = text.replace(part, "***")
    for shape in _SHAPES:
        text = shape.sub("***", text)
    return text


def _parts(secrets: Iterable[str]) -> set[str]:
    """What to look for: each secret, its quoted form, and the lines of a long one (a key, escaped in a log)."""
    lines = {
        line.strip() for secret in secrets for line in (secret, *secret.splitlines()) if not line.startswith("-----")
    }
    return {form for line in lines if len(line) >= SHORTEST for form in (line, quote(line, safe=""))}


class Redacting(logging.Formatter):
    """For every log handler: masks messages, arguments and tracebacks alike.

    It knows every secret that `reveal` gave out, and those it is handed.
    """

    def __init__(self, format: str | None = None, *, secrets: Iterable[str] = ()) -> None:
        super().__init__(format)
        self._secrets = frozenset(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record), self._secrets)
