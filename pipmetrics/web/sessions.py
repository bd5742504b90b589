"""Who is at the other end: sessions kept on the server, and the one-time links that begin one.

A session ends after 30 minutes without a request, after 12 hours, and at once when somebody signs out: the cookie is a
token that stands for nothing any more.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipmetrics.model import Json, Secret, Settings
from pipmetrics.web.tickets import Tickets

FOLDER = "sign-in"
IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=12)
FRESH = timedelta(minutes=10)
"""For how long after authentication somebody may sign, decide and erase."""
LINK_LASTS = timedelta(minutes=15)
NOTE_USE_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in. `proved` is when they last showed who they are; None: nobody says."""

    token: str
    person: str
    began: datetime
    proved: datetime | None

    @property
    def csrf(self) -> str:
        """The word that each form carries; from another site it cannot be known."""
        return hashlib.sha256(f"csrf {self.token}".encode()).hexdigest()

    def is_fresh(self, now: datetime) -> bool:
        return self.proved is not None and now - self.proved < FRESH


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of one server; with a key of its own, those of another start are none of it."""

    tickets: Tickets

    def begin(self, person: str, now: datetime, proved: datetime | None) -> Session:
        self.tickets.sweep(now)
        token = self.tickets.make({"person": person, "proved": proved and proved.isoformat()}, now)
        return Session(token, person, now, proved)

    def find(self, token: str | None, now: datetime) -> Session | None:
        ticket = self.tickets.read(token, now) if token else None
        if token is None or ticket is None:
            return None
        if now - ticket.seen >= NOTE_USE_AFTER:
            self.tickets.show(token, now)
        proved = ticket.said["proved"]
        return Session(token, ticket.said["person"], ticket.made, proved and datetime.fromisoformat(proved))

    def end(self, session: Session) -> None:
        self.tickets.drop(session.token)


def sessions_of(settings: Settings) -> Sessions:
    """Sessions beside the configuration, under the configured key or a new one."""
    key = session_key(settings.access, settings.folder)
    return Sessions(Tickets(Path(settings.folder) / FOLDER, "session", ABSOLUTE, IDLE, key))


def session_key(access: Mapping[str, Json], folder: str) -> bytes:
    secret = access.get("session_secret")
    if not isinstance(secret, Secret):
        return secrets.token_bytes(32)
    from pipmetrics.transport import reveal

    return hashlib.sha256(reveal(secret, folder).encode()).digest()


def links(settings: Settings) -> Tickets:
    """One-time links; whoever may write the configuration's folder may make one."""
    return Tickets(Path(settings.folder) / FOLDER, "link", LINK_LASTS)


def make_link(settings: Settings, person: str, now: datetime) -> str:
    """The path of a link that signs `person` in, once, within 15 minutes. Only its hash is kept."""
    kept = links(settings)
    kept.sweep(now)
    return f"/sign-in/link/{kept.make({'person': person}, now)}"
