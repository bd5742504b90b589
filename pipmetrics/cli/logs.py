"""Logs on stderr, without secrets whoever writes them: plain lines for people, JSON lines for collectors."""

from __future__ import annotations

import json
import logging
import os
import sys
from copy import copy
from datetime import UTC, datetime

from pipmetrics.transport.secrecy import Redacting, mask

DEBUG = "PIPMETRICS_DEBUG"
"""Set in the environment, faults show where they happened."""


def install(*, as_json: bool = False) -> None:
    """Sends all logs of this process to stderr: ours from INFO on as JSON, else what is wrong from WARNING on.

    Called again, it replaces what it did before; handlers of others stay.
    """
    handler = ToStderr()
    handler.setFormatter(JsonLines() if as_json else Plain("pipmetrics: %(message)s"))
    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each, ToStderr)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("pipmetrics").setLevel(logging.INFO if as_json else logging.WARNING)


class ToStderr(logging.Handler):
    """Writes to what stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")
        sys.stderr.flush()


class Plain(Redacting):
    """One line a message; where a fault happened is shown on demand."""

    def format(self, record: logging.LogRecord) -> str:
        record = copy(record)
        record.exc_text = None  # what another handler made of the fault
        return super().format(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        return super().formatException(ei) if os.environ.get(DEBUG) else ""  # type: ignore[arg-type]  # logging's triple


class JsonLines(Redacting):
    """One JSON object a line: `at`, `level`, `logger`, `message`, and what the record carries as `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(record.getMessage(), self._secrets),
        }
        told.update(getattr(record, "fields", {}))
        if record.exc_info:
            told["fault"] = mask(self.formatException(record.exc_info), self._secrets)
        return json.dumps(told, ensure_ascii=False, default=str)
