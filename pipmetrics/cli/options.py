"""Options and output that the commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

F = TypeVar("F", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    "config",
    default="config",
    show_default=True,
    envvar="PIPMETRICS_CONFIG",
    type=click.Path(file_okay=False),
    help="The configuration folder.",
)


def format_option(*formats: str) -> Callable[[F], F]:
    """`--format` with these choices; the first one is the default."""
    return click.option(
        "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="What to print."
    )


class Instant(click.ParamType[datetime]):
    """A date (its midnight UTC), or an ISO 8601 instant; without a zone it is UTC."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant; write 2026-11-23 or 2026-11-23T02:30:00Z", param, ctx)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


class Week(click.ParamType[date]):
    """An ISO week such as 2026-W47; gives its Monday."""

    name = "week"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        year, _, week = value.upper().partition("-W")
        try:
            return date.fromisocalendar(int(year), int(week), 1)
        except ValueError:
            self.fail(f"{value!r} is no ISO week; write 2026-W47", param, ctx)


class Weeks(click.ParamType[tuple[date, ...]]):
    """One ISO week, or the weeks from one to another: 2026-W44..2026-W47; gives their Mondays."""

    name = "weeks"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[date, ...]:
        if isinstance(value, tuple):
            return value
        first, dots, last = value.partition("..")
        start = WEEK.convert(first, param, ctx)
        end = WEEK.convert(last, param, ctx) if dots else start
        if not 0 <= (end - start).days < 7 * MOST_WEEKS:
            self.fail(f"{value!r}: from one week to a later one, {MOST_WEEKS} at most", param, ctx)
        return tuple(start + timedelta(days=days) for days in range(0, (end - start).days + 1, 7))


MOST_WEEKS = 60
INSTANT = Instant()
WEEK = Week()
WEEKS = Weeks()
as_of_option = click.option(
    "--as-of",
    type=INSTANT,
    help="Score what was known before this instant, as 2026-11-23 or 2026-11-23T02:30Z. Default: now.",
)


def now() -> datetime:
    """The clock, read in one place; whole seconds, UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def organisation(config: str) -> Organisation:
    import pipmetrics

    return pipmetrics.open(config)


def print_json(value: Any) -> None:
    """One JSON document on stdout, UTF-8 whatever the terminal thinks."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.flush()


def print_text(text: str | bytes) -> None:
    """Text ends with a line break; bytes are printed as they are."""
    made = text if isinstance(text, bytes) else text.encode() + (b"" if text.endswith("\n") else b"\n")
    sys.stdout.buffer.write(made)
    sys.stdout.flush()
