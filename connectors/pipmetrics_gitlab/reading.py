"""Instants and days as both APIs write them."""

from __future__ import annotations

from datetime import UTC, datetime

from pipmetrics.errors import SourceError
from pipmetrics.model import Json


def instant(text: Json) -> datetime:
    """An aware instant in UTC; without a zone it is UTC, as GitLab stores it."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise SourceError(f"{str(text)[:40]!r} is no instant") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def day(text: Json) -> str | None:
    """An ISO day; GraphQL writes due dates as instants."""
    return str(text)[:10] if text else None


def stamp(at: datetime) -> str:
    """An instant as both APIs read it, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
