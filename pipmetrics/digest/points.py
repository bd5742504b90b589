"""The data points of one criterion as a drawer shows them: this week first, then the late ones, then those left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pipmetrics.digest import charts, words
from pipmetrics.digest.model import Card
from pipmetrics.digest.terms import Terms
from pipmetrics.digest.words import clean
from pipmetrics.model import Json

COLUMNS = {
    "review_turnaround": ("Review request", "Asked", "First answer"),
    "feedback_response": ("Change", "Review", "Response"),
    "time_to_merge": ("Change", "Ready", "Merged"),
    "lead_time": ("Change", "First commit", "In production"),
    "bug_fix_time": ("Bug", "Assigned", "Resolved"),
    "issue_cycle_time": ("Issue", "In progress", "Done"),
}
REASONS = {
    "withdrawn": "Withdrawn, merged or closed before an answer was due",
    "unanswered": "Not answered yet",
    "unresolved": "Not resolved yet",
    "follow_up": "Its follow-up has not ended",
    "running": "Still running",
    "not_due": "Not due yet",
    "own": "Their own",
    "bot": "By a bot",
    "ghost": "The account was deleted",
    "before_deployment": "Came before the deployment",
    "duplicate": "A duplicate",
    "invalid": "Invalid",
    "cannot_reproduce": "Cannot be reproduced",
    "wont_do": "Won't be done",
    "not_default_branch": "Not on the default branch",
    "never_in_progress": "Was never in progress",
    "disputed": "Left out after a dispute",
    "rule": "A rule of the plan",
}
MARKS = 6
"""How many times as many points a picture holds as the list below it."""
LATE = ("unanswered", "unresolved", "withdrawn")


def standing(point: Json, limit: float | None) -> str:
    """How a point counts: counted, late, pending, left out; what `explain` said of it goes first."""
    if point.get("standing"):
        return str(point["standing"])
    over = limit is not None and point["value"] is not None and point["value"] > limit
    if over and (point["state"] == "counted" or point["reason"] in LATE):
        return "late"
    return {"counted": "counted", "pending": "pending"}.get(point["state"], "left out")


@dataclass(frozen=True, slots=True)
class Shown:
    """One point in words. `verdict` is the last cell: in time or not, counted or why not."""

    subject: str
    url: str
    start: str
    end: str
    value: str
    verdict: str
    out: bool


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    columns: tuple[str, ...]
    points: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Drawer:
    """The groups that fit, how many points they leave out, and the picture of all of them (None: nothing timed)."""

    groups: tuple[Group, ...]
    more: int
    strip: tuple[charts.Mark, ...]
    line: float | None
    line_label: str
    high: float
    sentence: str


def drawer(card: Card, criterion: Json, points: Sequence[Json], monday: date, room: int) -> Drawer:
    """What the drawer of a criterion shows of its points, at most `room` of them."""
    terms = card.terms.get(criterion["id"], Terms())
    limit = terms.limit
    unit = points[0]["unit"] if points else ""
    head = (*COLUMNS.get(criterion["metric"], ("Data point", "Start", "End")), "Hours" if unit == "hours" else "Value")
    groups, shown = [], 0
    for title, chosen in _sorted_in(card, points, terms, monday):
        kept = chosen[: max(0, room - shown)]
        shown += len(kept)
        if kept:
            said = f"{title} ({len(chosen)})" if len(kept) == len(chosen) else f"{title} ({len(kept)} of {len(chosen)})"
            last = "Why" if title in ("Pending", "Left out") else "In time" if limit else "Counted"
            groups.append(Group(said, (*head, last), tuple(_shown(card, point, limit) for point in kept)))
    line, label = _line(criterion, limit)
    marks, high = _marks(criterion, points, limit, line)
    said = f"{words.count(len(marks), 'data point')} over the plan"
    if len(marks) > MARKS * room:
        marks = marks[-MARKS * room :]
        said = f"The newest {len(marks)} of {said}"
    return Drawer(tuple(groups), len(points) - shown, marks, line, label, high, said)


def _sorted_in(card: Card, points: Sequence[Json], terms: Terms, monday: date) -> Sequence[tuple[str, Sequence[Json]]]:
    boxes: dict[str, list[Json]] = {"week": [], "late": [], "pending": [], "out": [], "exposure": [], "earlier": []}
    for point in sorted(points, key=lambda point: (point["start"] or point["end"] or "", point["key"])):
        stands = standing(point, terms.limit)
        if stands in ("counted", "late") and _in_week(card, point, monday):
            boxes["week"].append(point)
        elif stands == "left out":
            boxes["out"].append(point)
        else:
            boxes[stands if stands in boxes else "earlier"].append(point)
    over = f"Over {words.number(terms.limit, 'hours' if terms.clock else '')}, earlier weeks" if terms.limit else "Late"
    titles = ("This week", over, "Pending", "Left out", "Exposure", "Earlier weeks")
    return list(zip(titles, boxes.values(), strict=True))


def _in_week(card: Card, point: Json, monday: date) -> bool:
    at = _local(card, point["start"] or point["end"])
    return at is not None and monday <= at.date() < monday + timedelta(days=7)


def _local(card: Card, text: str | None) -> datetime | None:
    return words.instant(text).astimezone(ZoneInfo(card.timezone)) if text else None


def _shown(card: Card, point: Json, limit: float | None) -> Shown:
    start, end = _local(card, point["start"]), _local(card, point["end"])
    stands = standing(point, limit)
    out = stands in ("pending", "left out")
    return Shown(
        subject=subject(point),
        url=safe_url(point["url"]),
        start=words.moment(start) if start else words.NOTHING,
        end=words.moment(end) if end else words.NOTHING,
        value=_value(point),
        verdict=_why(point) if out else _counts(stands, limit),
        out=out,
    )


def _value(point: Json) -> str:
    """Hours with one digit each, so that a column lines up; the rest as everywhere."""
    if point["unit"] == "hours" and point["value"] is not None:
        return words.number(point["value"], "hours", digits=1).removesuffix(" h")
    if point["unit"] == "share" and point["value"] in (0, 1):
        return "Yes" if point["value"] else "No"
    return words.number(point["value"], point["unit"])


def _counts(stands: str, limit: float | None) -> str:
    if limit is None or stands == "exposure":
        return "Yes"
    return "No" if stands == "late" else "Yes"


def _why(point: Json) -> str:
    reason = point["reason"] or ""
    why = REASONS.get(reason, clean(reason) or "Left out")
    note = clean(str(point.get("note") or ""))
    return f"{why}: {note}" if note else why


def subject(point: Mapping[str, Json]) -> str:
    """The subject without its source: acme/api#12."""
    whole = clean(str(point["subject"]))
    return whole.partition(":")[2] or whole


def safe_url(url: object) -> str:
    """An address to follow, http and https alone; else nothing."""
    text = clean(str(url or ""))
    return text if text.startswith(("http://", "https://")) else ""


def _line(criterion: Json, limit: float | None) -> tuple[float | None, str]:
    """What single points are held against: the limit, or the target where that is in their own unit."""
    line, name = (limit, "limit") if limit is not None else (criterion["target"], "target")
    if line is None or (limit is None and criterion["unit"] != "hours"):
        return None, ""
    return line, words.unbroken(f"{words.number(line, 'hours')} {name}")


def _marks(
    criterion: Json, points: Sequence[Json], limit: float | None, line: float | None
) -> tuple[tuple[charts.Mark, ...], float]:
    """The picture of timed points; the scale reaches twice the line, so that it does not move with a single one."""
    timed = [p for p in points if p["unit"] == "hours" and p["value"] is not None and (p["start"] or p["end"])]
    window = criterion["window"]
    if not timed or not window.get("start"):
        return (), 1.0
    start, end = words.instant(window["start"]), words.instant(window["end"])
    span = (end - start) / timedelta(seconds=1) or 1.0
    marks = []
    for point in sorted(timed, key=lambda point: (point["start"] or point["end"], point["key"])):
        at = words.instant(point["start"] or point["end"])
        counted = standing(point, limit) in ("counted", "late")
        marks.append(charts.Mark((at - start) / timedelta(seconds=1) / span, point["value"], counted))
    high = 2.0 * line if line else max(mark.value for mark in marks) * 1.1 or 1.0
    return tuple(marks), high
