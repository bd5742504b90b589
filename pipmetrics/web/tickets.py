"""Tickets: random tokens that stand for something for a while. Only their hashes are kept, one file each.

Files, since the command line makes what the server takes, and since taking away a file succeeds exactly once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipmetrics.errors import StoreError
from pipmetrics.model import Json

KEEP_OUT = "*\n"
"""Content of the folder's .gitignore: configuration folders are repositories."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a token stands for; `seen` is when it was last shown."""

    said: Json
    made: datetime
    seen: datetime


@dataclass(frozen=True, slots=True)
class Tickets:
    """Tickets of one kind in `folder` (made when the first one is). What another `key` has signed is none of ours."""

    folder: Path
    kind: str
    lasts: timedelta
    idle: timedelta | None = None
    key: bytes = b""

    def make(self, said: Json, now: datetime) -> str:
        """Keeps a new ticket and gives its token."""
        token = secrets.token_urlsafe(32)
        body = json.dumps({"said": said, "made": now.isoformat()})
        path = self._path(token)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.folder / ".gitignore").write_text(KEEP_OUT, encoding="ascii")
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(f"{self._mark(path.name, body)}\n{body}")
        except OSError as error:
            raise StoreError(f"cannot keep a ticket: {error.strerror}", where=str(self.folder)) from error
        _touch(path, now)
        return token

    def read(self, token: str, now: datetime) -> Ticket | None:
        """What the token stands for; None when it is unknown, forged, too old or was idle for too long."""
        path = self._path(token)
        try:
            mark, _, body = path.read_text("utf-8").partition("\n")
            seen = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None
        if not hmac.compare_digest(mark, self._mark(path.name, body)):
            return None
        read = json.loads(body)
        ticket = Ticket(read["said"], datetime.fromisoformat(read["made"]), seen)
        late = now - ticket.made >= self.lasts or (self.idle is not None and now - seen >= self.idle)
        if late or now < ticket.made - timedelta(minutes=5):  # a clock that went back makes nothing valid again
            self.drop(token)
            return None
        return ticket

    def show(self, token: str, now: datetime) -> None:
        """Notes that the token was in use."""
        _touch(self._path(token), now)

    def take(self, token: str, now: datetime) -> Ticket | None:
        """As `read`, and the ticket is used up: of all who take it, one gets it."""
        ticket = self.read(token, now)
        return ticket if ticket is not None and self.drop(token) else None

    def drop(self, token: str) -> bool:
        """Whether there was such a ticket; now there is none."""
        try:
            self._path(token).unlink()
        except FileNotFoundError:
            return False
        return True

    def sweep(self, now: datetime) -> None:
        """Removes the files of tickets whose time is over."""
        for path in self.folder.glob(f"{self.kind}-*"):
            try:
                if now.timestamp() - path.stat().st_mtime > self.lasts.total_seconds():
                    path.unlink()
            except FileNotFoundError:  # somebody else was quicker
                continue

    def _path(self, token: str) -> Path:
        return self.folder / f"{self.kind}-{hashlib.sha256(token.encode('utf-8', 'replace')).hexdigest()}"

    def _mark(self, name: str, body: str) -> str:
        return hmac.new(self.key, f"{name}\n{body}".encode(), "sha256").hexdigest()


def _touch(path: Path, now: datetime) -> None:
    try:
        os.utime(path, (now.timestamp(), now.timestamp()))
    except FileNotFoundError:  # signed out meanwhile
        return
