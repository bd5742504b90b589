"""The small languages inside of the files: durations, percentages, times, days, windows, references to secrets.

Each function takes what the YAML tree holds and gives the value, or raises Unfit with what is wrong and a likely mend.
No message repeats the text it was given: it may be a secret in the wrong place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pipmetrics.model import CLOCKS, Clock, Secret

LONGEST = timedelta(days=3660)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_UNITS = {
    **dict.fromkeys(("w", "week", "weeks"), timedelta(weeks=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("h", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("s", "sec", "second", "seconds"), timedelta(seconds=1)),
}
_AMOUNT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*([a-z]+)")
_PERCENT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)\s*%")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(r"\w[\w.@+-]{0,99}")
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}|file:[^\s].*")
_ENVIRONMENT = 'Keep it in the environment and write "${NAME}", or in a file and write "file:PATH".'


class Unfit(ValueError):
    """A value that does not fit: what is wrong, and a likely mend."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.what, self.mend = what, mend

    def __reduce__(self) -> tuple[type[Unfit], tuple[str, str]]:
        return type(self), (self.what, self.mend)


def did_you_mean(given: Any, known: Iterable[str]) -> str:
    """`Did you mean ...?`, or the list of what there is; says nothing of `given` itself."""
    names = {name.casefold(): name for name in known}
    near = get_close_matches(given.casefold(), names, 1) if isinstance(given, str) and len(given) <= 100 else []
    if near:
        return f"Did you mean `{names[near[0]]}`?"
    return f"Known: {', '.join(list(names.values())[:30])}{', ...' if len(names) > 30 else ''}." if names else ""


def nearly(given: Any, known: Iterable[str]) -> str:
    """`Did you mean ...?`, or nothing."""
    mend = did_you_mean(given, known)
    return mend if mend.startswith("Did") else ""


def found(value: Any) -> str:
    """What kind of thing a value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a mapping"


def text(value: Any) -> str:
    if not isinstance(value, str):
        mend = "Put it in quotes." if isinstance(value, (bool, int, float)) else ""
        raise Unfit(f"text is expected here, not {found(value)}", mend)
    if not value.strip():
        raise Unfit("this text is empty")
    if any((ord(letter) < 32 and letter not in "\n\t") or ord(letter) == 127 for letter in value):
        raise Unfit("control characters in a text", "Delete them.")
    return value.strip()


def line(value: Any) -> str:
    """Text of one line: what goes into headers, names and titles."""
    inner = text(value)
    if "\n" in inner or len(inner) > 1000:
        raise Unfit("one line of text is expected here, of at most 1000 characters")
    return inner


def name(value: Any) -> str:
    """The name of a plan, person, source or criterion."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Unfit("a name is expected here", "Names are letters, digits, `-`, `_`, `.`, `@` and `+`, without blanks.")
    return value


def duration(value: Any) -> timedelta:
    """`24h`, `2d 4h`, `30 days`, `90m`; never a bare number."""
    span, clock = duration_by(value)
    if clock:
        raise Unfit("a clock has no place in this duration", f"Leave out `{clock}`.")
    return span


def duration_by(value: Any) -> tuple[timedelta, Clock | None]:
    """A duration that may name the clock it is measured by: `24h working`."""
    mend = "Write it as 24h, 2d 4h, 90m or 30 days."
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise Unfit("a bare number is no duration: its unit is missing", mend)
    if not isinstance(value, str) or len(value) > 100:
        raise Unfit(f"a duration is expected here, not {found(value)}", mend)
    words = value.strip().lower()
    clocks = [clock for clock in CLOCKS if re.search(rf"\b{clock}\b", words)]
    for clock in clocks:
        words = re.sub(rf"\b{clock}\b", " ", words)
    if len(clocks) > 1:
        raise Unfit("two clocks in one duration", "Name one of " + ", ".join(CLOCKS) + ".")
    parts = _AMOUNT.findall(words)
    if not parts or _AMOUNT.sub("", words).strip() or any(unit not in _UNITS for _, unit in parts):
        raise Unfit("this is no duration", mend)
    if clocks == ["working"] and any(_UNITS[unit] >= timedelta(days=1) for _, unit in parts):
        raise Unfit("days of the `working` clock may mean 8 or 24 hours", "Write hours: 8h working.")
    span = sum((float(amount) * _UNITS[unit] for amount, unit in parts), timedelta())
    return _within(span), clocks[0] if clocks else None


def _within(span: timedelta) -> timedelta:
    if not timedelta() < span <= LONGEST:
        raise Unfit(f"a duration must be longer than nothing and at most {LONGEST.days} days")
    return span


def whole_days(value: Any) -> timedelta:
    span = duration(value)
    if span % timedelta(days=1):
        raise Unfit("whole days are expected here", "Write it as 90 days.")
    return span


def percentage(value: Any) -> float:
    """`90%` as 0.9, without an upper limit; never a bare number."""
    mend = "Write it with its sign: 90%."
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise Unfit("a bare number is no percentage", mend)
    match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise Unfit(f"a percentage is expected here{'' if isinstance(value, str) else ', not ' + found(value)}", mend)
    # Through the repr of a decimal, so that 12.5% is 0.125 and 90% is 0.9 to the last bit.
    whole, _, rest = match[1].partition(".")
    return float(f"{whole}{rest}e-{2 + len(rest)}")


def share(value: Any) -> float:
    """A percentage from 0% to 100%."""
    part = percentage(value)
    if part > 1:
        raise Unfit("a share is at most 100%")
    return part


def number(value: Any) -> float:
    if isinstance(value, str) and value.strip().endswith("%"):
        raise Unfit("a plain number is expected here, not a percentage")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unfit(f"a number is expected here, not {found(value)}")
    if not math.isfinite(value):
        raise Unfit("a number is expected here, and this is none")
    return float(value)


def count(value: Any) -> int:
    whole = number(value)
    if whole != int(whole) or whole < 0 or isinstance(value, float):
        raise Unfit("a whole number is expected here, not negative")
    return int(whole)


def day(value: Any) -> date:
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value.strip()):
            raise ValueError
        given = date.fromisoformat(value.strip())
    except ValueError:
        raise Unfit("a date is expected here", "Write it as 2026-10-20.") from None
    if not 1990 <= given.year <= 2200:
        raise Unfit("a date between 1990 and 2200 is expected here")
    return given


def moment(value: Any) -> date | datetime:
    """A date, or a date with a time: `2026-11-12`, `2026-11-12 13:00`, with or without a zone."""
    if isinstance(value, str) and len(value.strip()) > 10:
        try:
            given = datetime.fromisoformat(value.strip().replace(" ", "T", 1))
        except ValueError:
            raise Unfit("a date or a date with a time is expected here", "Write it as 2026-11-12 13:00.") from None
        day(given.date().isoformat())
        return given
    return day(value)


def clock_time(value: Any) -> time:
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise Unfit("a time of day is expected here", 'Write it as "07:00", in quotes.')
    return time(int(match[1]), int(match[2]))


def weekday(value: Any) -> int:
    """0 for Monday; full names and their first letters (at least three)."""
    if isinstance(value, str) and len(value.strip()) >= 3:
        for place, known in enumerate(DAYS):
            if known.lower().startswith(value.strip().lower()):
                return place
    raise Unfit("a day of the week is expected here", "Write it as Mon or Monday.")


def weekdays(value: Any) -> frozenset[int]:
    """`Mon-Fri`, `Sun-Thu`, `Mon, Wed, Fri` or a list of these."""
    parts = value if isinstance(value, list) else value.split(",") if isinstance(value, str) else []
    days: set[int] = set()
    for part in parts:
        first, dash, last = part.partition("-") if isinstance(part, str) else (part, "", "")
        begin = weekday(first)
        end = weekday(last) if dash else begin
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    if not days:
        raise Unfit("days of the week are expected here", "Write them as Mon-Fri.")
    return frozenset(days)


def hours(value: Any) -> tuple[time, time]:
    """`09:00-17:00`: when the working day opens and closes."""
    mend = 'Write it as "09:00-17:00", in quotes.'
    first, dash, last = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash:
        raise Unfit("working hours are expected here", mend)
    opens, closes = clock_time(first), clock_time(last)
    if opens >= closes:
        raise Unfit("working hours must end after they begin, on the same day", mend)
    return opens, closes


def window(value: Any) -> Any:
    """`plan`, `week`, or the timedelta of `last 14 days`."""
    if value in ("plan", "week"):
        return value
    if isinstance(value, str) and value.strip().startswith("last "):
        return whole_days(value.strip().removeprefix("last "))
    raise Unfit("a window is `plan`, `week` or `last N days`", "Write it as `last 14 days`.")


def every(value: Any) -> int:
    """`week` or `2 weeks`, in weeks."""
    match = re.fullmatch(r"(?:([1-9]|1[0-9]) )?weeks?", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise Unfit("check-ins are held every `week` or `N weeks`", "Write it as `week`.")
    return int(match[1] or 1)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(value: Any) -> str:
    if not isinstance(value, str) or value not in _zones():
        raise Unfit("unknown time zone", nearly(value, sorted(_zones())) or "Write it as Europe/Berlin.")
    return value


def reference(value: Any) -> Secret:
    """``${NAME}`` or ``file:PATH``; a literal secret is refused, and not repeated."""
    if isinstance(value, str) and _REFERENCE.fullmatch(value.strip()):
        return Secret(value.strip())
    if isinstance(value, str) and "${" in value:
        raise Unfit("a reference must be the whole value", 'Put all of it into one variable and write "${NAME}".')
    raise Unfit("a secret stands here in the clear", f"Revoke it if it was real. {_ENVIRONMENT}")


def is_reference(value: Any) -> bool:
    return isinstance(value, str) and _REFERENCE.fullmatch(value.strip()) is not None


def text_or_reference(value: Any) -> str | Secret:
    return reference(value) if isinstance(value, str) and (is_reference(value) or "${" in value) else line(value)


def has_credentials(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.password or ("@" in parts.netloc and not parts.hostname)) or _query_secret(parts.query)
    except ValueError:
        return "@" in url


def _query_secret(query: str) -> bool:
    return re.search(r"(?i)(^|[&;])[^=&;]*(token|secret|passw|pwd|key)[^=&;]*=", query) is not None


def web_address(value: Any) -> str:
    """An http or https URL without user, password, query and fragment; no slash at its end."""
    given = line(value)
    mend = "Write it as https://git.example.com."
    try:
        parts = urlsplit(given)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        raise Unfit("this is no URL", mend) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\\]", given):
        raise Unfit("an http:// or https:// URL is expected here", mend)
    if "@" in parts.netloc:
        raise Unfit("a URL with credentials", "Leave them out of the URL; `token` and `user` take references.")
    if parts.query or parts.fragment:
        raise Unfit("a URL without `?` and `#` is expected here", mend)
    return given.rstrip("/")


def store_url(value: Any) -> str | Secret:
    """`sqlite:///PATH`, `postgresql+psycopg://...` without a password, or a reference to the whole URL."""
    if is_reference(value):
        return reference(value)
    given = line(value)
    if has_credentials(given):
        raise Unfit("a password stands here in the clear", 'Put the whole URL into one variable and write "${NAME}".')
    if "${" in given:
        return reference(given)
    if re.match(r"sqlite:///\S|postgresql(\+psycopg)?://\S", given) is None:
        raise Unfit("the store is an SQLite or a PostgreSQL database", "Write it as sqlite:///pipmetrics.db.")
    return given


def mail_server(value: Any) -> str | Secret:
    """`smtp://host:port` or `smtps://...` without credentials, or a reference to the whole URL."""
    if is_reference(value):
        return reference(value)
    given = line(value)
    if "@" in given or has_credentials(given):
        raise Unfit("credentials stand here in the clear", 'Put the whole URL into one variable and write "${NAME}".')
    if "${" in given:
        return reference(given)
    if re.fullmatch(r"(smtp|smtps|smtp\+starttls)://[\w.:\[\]-]+/?", given) is None:
        raise Unfit("a mail server is expected here", "Write it as smtp://mail.example.com:587.")
    return given


def mail_address(value: Any) -> str:
    given = line(value)
    if re.fullmatch(r"[^\s@<>\",;]+@[^\s@<>\",;]+", given) is None:
        raise Unfit("an e-mail address is expected here", "Write it as ada@example.com.")
    return given


def executor(value: Any) -> str:
    given = line(value)
    if re.fullmatch(r"local|dask://[\w.\[\]:-]+", given) is None:
        raise Unfit("the executor is `local` or a Dask scheduler", "Write it as local, or as dask://scheduler:8786.")
    return given
