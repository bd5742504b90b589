"""Options and output that the commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipmetrics.errors import UsageError

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


INSTANT = Instant()
WEEK = Week()
as_of_option = click.option(
    "--as-of",
    type=INSTANT,
    help="Score what was known before this instant, as 2026-11-23 or 2026-11-23T02:30Z. Default: now.",
)


def now() -> datetime:
    """The clock, read in one place; whole seconds, UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def last_week(at: datetime, zone: str) -> date:
    """The Monday of the last complete ISO week before `at` in a zone."""
    from zoneinfo import ZoneInfo

    today = at.astimezone(ZoneInfo(zone)).date()
    return today - timedelta(days=today.weekday() + 7)


def organisation(config: str) -> Organisation:
    import pipmetrics

    return pipmetrics.open(config)


def print_json(value: Any) -> None:
    """One JSON document on stdout, UTF-8 whatever the terminal thinks."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.flush()


def print_text(text: str) -> None:
    sys.stdout.buffer.write(text.encode() + (b"" if text.endswith("\n") else b"\n"))
    sys.stdout.flush()


def find_plan(known: Any, name: str) -> str:
    """`name` if it is a known plan; UsageError that says what there is."""
    from difflib import get_close_matches

    names = [plan.id for plan in known]
    if name not in names:
        near = get_close_matches(name, names, 1)
        raise UsageError(
            f"there is no plan {name!r}",
            mend=f"Did you mean {near[0]!r}?" if near else f"Plans: {', '.join(names) or 'none'}",
        )
    return name
