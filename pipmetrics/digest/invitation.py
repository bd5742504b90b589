"""The calendar invitation for a check-in: one event a file, with an id that stays the same week after week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256

from icalendar import Calendar, Event, vCalAddress

from pipmetrics.digest.words import clean


def render(plan: str, day: date, agenda: Sequence[str], people: Sequence[str], sender: str, as_of: datetime) -> str:
    """The invitation to the check-in of a plan on a day, as an iCalendar request for whole-day events.

    `people` are e-mail addresses. Other people may see the calendar: the title names nobody, and the event is private.
    """
    event = Event()
    event.add("uid", uid(plan, day, sender))
    event.add("dtstamp", as_of)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", "Check-in")
    event.add("description", "\n".join(f"- {clean(item)}" for item in agenda))
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")
    event.add("sequence", 0)
    event.add("organizer", vCalAddress(f"mailto:{sender}"))
    for address in people:
        event.add("attendee", vCalAddress(f"mailto:{address}"))
    calendar = Calendar()
    calendar.add("prodid", "-//pipmetrics//check-ins//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "REQUEST")
    calendar.add_component(event)
    return str(calendar.to_ical().decode())


def uid(plan: str, day: date, sender: str) -> str:
    """The same for the same check-in of the same plan, and telling neither."""
    return f"check-in-{sha256(f'{plan}|{day}'.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}"
