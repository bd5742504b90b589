"""The kinds of values that the sections of the files hold: how each is read, and how its schema says it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import PlainValidator, WithJsonSchema

from pipmetrics.config import values
from pipmetrics.config.values import Unfit
from pipmetrics.model import Secret

DURATION = {"type": "string", "pattern": r"^\s*\d[\d.]*\s*[a-zA-Z]+", "examples": ["24h", "2d 4h", "90m", "30 days"]}
CLOCKED = {**DURATION, "examples": ["24h", "24h working", "2 days", "90m elapsed"]}
PERCENTAGE = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$", "examples": ["90%", "12.5%"]}
DATE = {"type": "string", "format": "date"}
TEXT = {"type": "string", "minLength": 1}
NAME = {"type": "string", "pattern": r"^\w[\w.@+-]*$"}
REFERENCE = {"type": "string", "pattern": r"^(\$\{\w+\}|file:\S.*)$", "examples": ["${NAME}", "file:PATH"]}

Text: TypeAlias = Annotated[str, PlainValidator(values.text), WithJsonSchema(TEXT)]
Line: TypeAlias = Annotated[str, PlainValidator(values.line), WithJsonSchema(TEXT)]
Name: TypeAlias = Annotated[str, PlainValidator(values.name), WithJsonSchema(NAME)]
Day: TypeAlias = Annotated[date, PlainValidator(values.day), WithJsonSchema(DATE)]
Moment: TypeAlias = Annotated[
    date | datetime,
    PlainValidator(values.moment),
    WithJsonSchema({"type": "string", "examples": ["2026-11-12", "2026-11-12 13:00"]}),
]
Span: TypeAlias = Annotated[timedelta, PlainValidator(values.duration), WithJsonSchema(DURATION)]
Days: TypeAlias = Annotated[timedelta, PlainValidator(values.whole_days), WithJsonSchema(DURATION)]
Share: TypeAlias = Annotated[float, PlainValidator(values.share), WithJsonSchema(PERCENTAGE)]
Count: TypeAlias = Annotated[int, PlainValidator(values.count), WithJsonSchema({"type": "integer", "minimum": 0})]
Number: TypeAlias = Annotated[float, PlainValidator(values.number), WithJsonSchema({"type": "number"})]
Zone: TypeAlias = Annotated[
    str, PlainValidator(values.zone), WithJsonSchema({"type": "string", "examples": ["Europe/Berlin"]})
]
Reference: TypeAlias = Annotated[Secret, PlainValidator(values.reference), WithJsonSchema(REFERENCE)]
TextOrReference: TypeAlias = Annotated[str | Secret, PlainValidator(values.text_or_reference), WithJsonSchema(TEXT)]
WebAddress: TypeAlias = Annotated[
    str, PlainValidator(values.web_address), WithJsonSchema({"type": "string", "pattern": "^https?://"})
]
MailAddress: TypeAlias = Annotated[
    str, PlainValidator(values.mail_address), WithJsonSchema({"type": "string", "format": "email"})
]
Weekdays: TypeAlias = Annotated[
    frozenset[int],
    PlainValidator(values.weekdays),
    WithJsonSchema({"type": ["string", "array"], "examples": ["Mon-Fri"]}),
]
Hours: TypeAlias = Annotated[
    tuple[time, time],
    PlainValidator(values.hours),
    WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d\s*-\s*\d\d:\d\d$", "examples": ["09:00-17:00"]}),
]
Weekday: TypeAlias = Annotated[
    int, PlainValidator(values.weekday), WithJsonSchema({"type": "string", "examples": list(values.DAYS)})
]
Weeks: TypeAlias = Annotated[
    int, PlainValidator(values.every), WithJsonSchema({"type": "string", "examples": ["week", "2 weeks"]})
]
Scope: TypeAlias = Annotated[
    Any, PlainValidator(values.window), WithJsonSchema({"type": "string", "examples": ["plan", "week", "last 14 days"]})
]


def _daily(value: Any) -> str:
    return "off" if value == "off" else f"{values.clock_time(value):%H:%M}"


def _weekly(value: Any) -> str:
    if value == "off":
        return "off"
    day, _, at = value.strip().partition(" ") if isinstance(value, str) else ("", "", "")
    try:
        return f"{values.DAYS[values.weekday(day)][:3]} {values.clock_time(at):%H:%M}"
    except Unfit:
        raise Unfit("a day and a time are expected here", 'Write it as "Mon 07:00", in quotes, or off.') from None


def _network(value: Any) -> str:
    from ipaddress import ip_network

    try:
        return str(ip_network(values.line(value)))
    except ValueError:
        raise Unfit("an address or a network is expected here", "Write it as 10.1.2.3 or 10.1.0.0/16.") from None


def _logins(value: Any) -> tuple[str, ...] | None:
    """One login, a list with the former names of the same account after it, or none."""
    if value is None:
        return None
    given = value if isinstance(value, list) else [value]
    if not given:
        raise Unfit("an account needs at least one name", "Write null when there is no account.")
    if any(not isinstance(login, str) for login in given):
        raise Unfit("an account is a name, a list of names, or null", "Put names made of digits in quotes.")
    return tuple(values.line(login).removeprefix("@") for login in given)


Daily: TypeAlias = Annotated[
    str, PlainValidator(_daily), WithJsonSchema({"type": "string", "examples": ["02:30", "off"]})
]
Weekly: TypeAlias = Annotated[
    str, PlainValidator(_weekly), WithJsonSchema({"type": "string", "examples": ["Mon 07:00", "off"]})
]
Network: TypeAlias = Annotated[
    str, PlainValidator(_network), WithJsonSchema({"type": "string", "examples": ["10.1.2.3", "10.1.0.0/16"]})
]
Logins: TypeAlias = Annotated[
    tuple[str, ...] | None,
    PlainValidator(_logins),
    WithJsonSchema({"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}, {"type": "null"}]}),
]
StoreUrl: TypeAlias = Annotated[
    str | Secret,
    PlainValidator(values.store_url),
    WithJsonSchema({"type": "string", "examples": ["sqlite:///pipmetrics.db", "${PIPMETRICS_STORE}"]}),
]
MailServer: TypeAlias = Annotated[
    str | Secret,
    PlainValidator(values.mail_server),
    WithJsonSchema({"type": "string", "examples": ["smtp://mail.example.com:587", "${SMTP_URL}"]}),
]
Executor: TypeAlias = Annotated[
    str,
    PlainValidator(values.executor),
    WithJsonSchema({"type": "string", "examples": ["local", "dask://scheduler:8786"]}),
]
