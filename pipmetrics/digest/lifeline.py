"""The life of a plan in one picture: coaching, the time before, the plan's weeks, check-ins, support; and today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from pipmetrics.digest import charts, words
from pipmetrics.digest.model import Card

LANE = 34.0
TOP = 24.0
LETTER = 6.6
"""Width of a letter at the chart's size, on the wide side: labels that would not fit are left to the list."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From a day to a day, both included, in one lane; `label` stands in it where there is room."""

    start: date
    end: date
    css: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """One day of a lane; `css` is "", "open" (to come) or "out" (missed, overdue)."""

    on: date
    css: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    title: str
    stretches: tuple[Stretch, ...] = ()
    spots: tuple[Spot, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    sentence: str
    lanes: tuple[Lane, ...]
    today: date
    first: date
    last: date


WIDE = charts.Frame(1080.0, 0.0, 118.0, 1064.0, TOP, 0.0, "ch wide only-wide")
NARROW = charts.Frame(360.0, 0.0, 84.0, 354.0, TOP, 0.0, "ch slim only-narrow")


def life_of(card: Card, as_of: datetime) -> Life:
    """The lanes that a plan has anything in; today is the last day that had begun before `as_of`."""
    today = _local(card, as_of - timedelta(seconds=1))
    lanes = [lane for lane in _lanes(card) if lane.stretches or lane.spots]
    days = [day for lane in lanes for stretch in lane.stretches for day in (stretch.start, stretch.end)]
    days += [spot.on for lane in lanes for spot in lane.spots]
    first, last = min([card.start, *days]), max([card.end, *days])
    said = words.listing([lane.title.lower() for lane in lanes])
    sentence = f"Life of the plan from {words.day(first, year=True)} to {words.day(last, year=True)}: {said}"
    return Life(sentence, tuple(lanes), today, first, last)


def _lanes(card: Card) -> Iterator[Lane]:
    if card.coaching:
        start, end = card.coaching
        span = words.days_between(start, end)
        yield Lane("Coaching", (Stretch(start, end, "coach", span),), said=span)
    yield _before(card)
    weeks = range(0, (card.end - card.start).days + 1, 7)
    stretches = [_week(card, days) for days in weeks]
    yield Lane("Plan, weekly", tuple(stretches), said=f"{words.days_between(card.start, card.end)} {card.end.year}")
    marks = {"held": "", "missed": "out", "unrecorded": "out"}
    held = card.evaluation["check_ins"]
    yield Lane(
        "Check-ins",
        spots=tuple(Spot(mark.day, marks.get(mark.state, "open")) for mark in card.check_ins),
        said=f"{held['held']} of {held['due']} held",
    )
    states = {"done": "", "due": "open"}
    given = card.evaluation["supports"]
    yield Lane(
        "Support",
        spots=tuple(Spot(mark.on or mark.due, states.get(mark.state, "out")) for mark in card.supports),
        said=f"{given['delivered']} of {given['due']} due delivered",
    )


def _week(card: Card, days: int) -> Stretch:
    start = card.start + timedelta(days=days)
    return Stretch(start, min(start + timedelta(days=6), card.end), "plan")


def _before(card: Card) -> Lane:
    """The longest baseline of the criteria."""
    spans = []
    for criterion in card.evaluation["criteria"]:
        window = (criterion["baseline"] or {}).get("window") or {}
        if window.get("start") and window.get("end"):
            opens, closes = words.instant(window["start"]), words.instant(window["end"])
            spans.append((_local(card, opens), _local(card, closes - timedelta(seconds=1))))
    if not spans:
        return Lane("Baseline")
    start, end = min(spans)[0], max(end for _, end in spans)
    said = words.days_between(start, end)
    return Lane("Baseline", (Stretch(start, end, "", f"{said}, frozen {words.day(card.start)}"),), said=said)


def _local(card: Card, at: datetime) -> date:
    return at.astimezone(ZoneInfo(card.timezone)).date()


def draw(life: Life, frame: charts.Frame = WIDE) -> str:
    """The picture, as high as it has lanes."""
    bottom = TOP + LANE * len(life.lanes)
    sized = charts.Frame(frame.width, bottom + 4, frame.left, frame.right, frame.top, bottom, frame.css)
    parts = [charts.head(sized, life.sentence), *_months(life, sized), *_today(life, sized)]
    for place, lane in enumerate(life.lanes):
        parts += _lane(life, sized, lane, TOP + LANE * place)
    return "".join([*parts, "</svg>"])


def _x(life: Life, frame: charts.Frame, on: date) -> float:
    days = max(1, (life.last - life.first).days + 1)
    return frame.left + (on - life.first).days / days * (frame.right - frame.left)


def _months(life: Life, frame: charts.Frame) -> Iterator[str]:
    free = frame.left
    today = _x(life, frame, life.today)
    month = life.first.replace(day=1)
    while month <= life.last:
        on, month = max(month, life.first), (month + timedelta(days=32)).replace(day=1)
        x = _x(life, frame, on)
        clear = abs(x + 3 - today) > 50 or not life.first <= life.today <= life.last
        if x >= free and x + 24 <= frame.right and clear:
            free = x + 34
            yield f'<text x="{x + 3:.1f}" y="14">{on:%b}</text>'
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{frame.bottom:g}"/>'


def _today(life: Life, frame: charts.Frame) -> Iterator[str]:
    if life.first <= life.today <= life.last:
        x = _x(life, frame, life.today)
        yield f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="18" y2="{frame.bottom:g}"/>'
        label = min(x, frame.right - 18)
        yield f'<text class="t-strong" x="{label:.1f}" y="14" text-anchor="middle">today</text>'


def _lane(life: Life, frame: charts.Frame, lane: Lane, top: float) -> Iterator[str]:
    yield f'<text class="t-strong" x="0" y="{top + 21:g}">{escape(lane.title)}</text>'
    if top > TOP:
        yield charts.line("grid", 0, frame.right, top)
    if len(lane.stretches) > 1:
        yield _weeks(life, frame, lane, top)
        return
    for stretch in lane.stretches:
        left, right = _x(life, frame, stretch.start), _x(life, frame, stretch.end + timedelta(days=1))
        css = f"seg {stretch.css}".strip()
        yield f'<rect class="{css}" x="{left:.1f}" y="{top + 8:g}" width="{right - left:.1f}" height="18" rx="3"/>'
        if stretch.label and len(stretch.label) * LETTER + 12 <= right - left:
            yield f'<text x="{left + 7:.1f}" y="{top + 21:g}">{escape(stretch.label)}</text>'
    for spot in lane.spots:
        x = (_x(life, frame, spot.on) + _x(life, frame, spot.on + timedelta(days=1))) / 2
        yield from _spot(spot, x, top + 17)


def _weeks(life: Life, frame: charts.Frame, lane: Lane, top: float) -> str:
    """Many stretches as one path: a page holds many plans of many weeks."""
    boxes = []
    for stretch in lane.stretches:
        left, right = _x(life, frame, stretch.start), _x(life, frame, stretch.end + timedelta(days=1))
        boxes.append(f"M{left:.1f} {top + 8:g}h{right - left:.1f}v18h{left - right:.1f}z")
    return f'<path class="seg {lane.stretches[0].css}" d="{"".join(boxes)}"/>'


def _spot(spot: Spot, x: float, y: float) -> Sequence[str]:
    if spot.css == "out":
        cross = f"M{x - 3.1:.1f} {y + 3.1:.1f}l6.2-6.2"
        return (
            f'<circle class="dot miss" cx="{x:.1f}" cy="{y:g}" r="4.4"/>',
            f'<path class="miss" d="{cross}"/>',
        )
    css = f"dot {spot.css}".strip()
    return (f'<circle class="{css}" cx="{x:.1f}" cy="{y:g}" r="4.6"/>',)
