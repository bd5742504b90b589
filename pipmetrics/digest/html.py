"""The digest as a page: self-contained with its style, or with the stylesheet that the server gives.

Text from elsewhere is escaped by the template; links lead to http and https alone; nothing runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipmetrics.digest import charts, lifeline, words
from pipmetrics.digest.model import Card, Digest, Points, first_name
from pipmetrics.digest.points import Drawer, drawer
from pipmetrics.digest.rows import rows
from pipmetrics.digest.words import clean, unbroken
from pipmetrics.model import Json

LEGEND = (
    ("met", "At the end: the value meets the target."),
    ("on_track", "While the plan runs: the value meets the target."),
    ("at_risk", "It misses, but its range contains the target and it can still be reached; at the end, inconclusive."),
    ("off_track", "It misses and its range excludes the target, or it can no longer be reached; at the end, not met."),
    ("not_enough_data", "Fewer data points than agreed. No verdict, and never counted against the person."),
)
CHECK_INS = {
    "held": ("held", "held", "Held"),
    "missed": ("missed", "missed", "Missed"),
    "unrecorded": ("missed", "late", "Not recorded"),
    "upcoming": ("upcoming", "up", "Upcoming"),
    "closing": ("upcoming", "up", "Closing"),
}
SUPPORTS = {"done": "held", "due": "up", "overdue": "late", "denied": "late"}
ROOM = 230
"""Data points that a whole page has room for, so that it stays small enough to open at once. Each criterion takes as
much as two, and they share the rest. The evidence file holds all points."""
MOST = 40
DRAWN_FROM = 3
"""Where there is no room for so many of a criterion, they are not drawn either."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a server puts around a page: its menu as (title, address), which entry is this page, where a plan opens
    and where evidence is downloaded (both by the plan's id)."""

    menu: Sequence[tuple[str, str]] = ()
    here: str = "Digest"
    plan_url: Callable[[str], str] | None = None
    evidence_url: Callable[[str], str] | None = None


@cache
def environment() -> Environment:
    loader = PackageLoader("pipmetrics.digest", "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    made.globals["verdicts"] = words.VERDICTS
    made.filters["nb"] = unbroken
    return made


@cache
def style() -> Markup:
    return Markup(_file("style.css"))  # noqa: S704 - our own stylesheet


@cache
def icons() -> Markup:
    return Markup(_file("icons.svg"))  # noqa: S704 - our own drawings


def _file(name: str) -> str:
    return (files("pipmetrics.digest") / "templates" / name).read_text("utf-8")


def page(template: str, *, whole: bool, around: Surroundings, **values: Any) -> str:
    """A template inside the frame that every page shares."""
    frame = {"style": style() if whole else None, "icons": icons(), "menu": around.menu, "here": around.here}
    return environment().get_template(template).render(**frame, **values)


def render(
    digest: Digest, points: Points | None = None, *, whole: bool = True, around: Surroundings | None = None
) -> str:
    """The page; `points` are measurements (SPEC section 5 as JSON) by plan and criterion for the evidence drawers.

    `whole`: with its style inside, to be sent or kept as one file.
    """
    given = around or Surroundings()
    criteria = sum(len(card.evaluation["criteria"]) for card in digest.cards)
    room = min(MOST, max(1, ROOM // max(1, criteria) - 2))
    cards = [_card(digest, card, points or {}, room, given) for card in digest.cards]
    formal = [card for card in cards if not card["private"]]
    return page(
        "digest.html.j2",
        whole=whole,
        around=given,
        digest=digest,
        title=digest.title,
        reader=clean(digest.reader),
        as_of=digest.read,
        formal=formal,
        coaching=[card for card in cards if card["private"]],
        needs=[_need(need.what, need.why, need.due, private=need.private) for need in digest.needs],
        incomplete=[clean(gap) for gap in digest.incomplete],
        legend=LEGEND,
        example=_example(),
    )


def _need(what: str, why: str, due: date | None, *, private: bool) -> Mapping[str, Any]:
    due_text = words.weekday(due) if due else "Overdue"
    return {"what": clean(what), "why": clean(why), "due": due_text, "private": private}


def _card(digest: Digest, card: Card, points: Points, room: int, around: Surroundings) -> Mapping[str, Any]:
    entry = card.evaluation
    name = clean(card.name)
    return {
        "plan": card.plan,
        "name": name,
        "first_name": first_name(name),
        "team": clean(card.team),
        "private": card.private,
        "day": entry["day"],
        "days": entry["days"],
        "bar": round(140 * min(1.0, entry["day"] / entry["days"])),
        "span": f"{words.days_between(card.start, card.end)} {card.end.year}",
        "verdict": entry["verdict"],
        "sentence": card.sentence,
        "recommendation": _recommendation(entry),
        "plan_url": around.plan_url(card.plan) if around.plan_url else "",
        "evidence_url": around.evidence_url(card.plan) if around.evidence_url else "",
        "held": entry["check_ins"],
        "strip": [_check_in(mark.day, mark.week, mark.state, digest) for mark in card.check_ins],
        "rows": _rows(digest, card, points, room),
        "supports": [_support(mark.text, mark.owner, mark.state, mark.due, mark.on) for mark in card.supports],
        "notes": [clean(note) for note in (*card.late, *card.notes)],
        "disputes": [clean(dispute) for dispute in card.disputes],
        "agenda": [clean(item) for item in card.agenda],
        "next_check_in": words.weekday(card.next_check_in) if card.next_check_in else "",
        "life": _life(digest, card),
    }


def _recommendation(entry: Json) -> str:
    recommendation = entry.get("recommendation")
    if not recommendation:
        return ""
    because = "; ".join(map(str, entry.get("because") or ()))
    said = f"Recommendation: {words.RECOMMENDATIONS[recommendation]}"
    return clean(f"{said} ({because}). A named person decides." if because else f"{said}. A named person decides.")


def _check_in(day: date, week: str, state: str, digest: Digest) -> Mapping[str, Any]:
    css, icon, word = CHECK_INS[state]
    now = " now" if digest.start <= day <= digest.end else ""
    return {"css": css + now, "icon": icon, "word": word, "week": week, "day": words.day(day)}


def _rows(digest: Digest, card: Card, points: Points, room: int) -> list[Mapping[str, Any]]:
    shown: list[Mapping[str, Any]] = []
    for row, criterion in zip(rows(card), card.evaluation["criteria"], strict=True):
        given = points.get((card.plan, criterion["id"]), ())
        opened = drawer(card, criterion, given, digest.start, room)
        chart = Markup(charts.weekly(row.chart)) if row.chart else ""  # noqa: S704 - charts escape what they are given
        strip = _strip(opened) if room >= DRAWN_FROM else Markup()
        shown.append({"row": row, "chart": chart, "drawer": opened, "strip": strip})
    return shown


def _strip(opened: Drawer) -> Markup:
    if not opened.strip:
        return Markup()
    drawn = [
        charts.strip(opened.sentence, opened.strip, opened.line, opened.line_label, opened.high, frame)
        for frame in (charts.STRIP, charts.SLIM_STRIP)
    ]
    return Markup("".join(drawn))  # noqa: S704 - charts escape what they are given


def _life(digest: Digest, card: Card) -> Mapping[str, Any]:
    life = lifeline.life_of(card, digest.as_of)
    drawn = lifeline.draw(life) + lifeline.draw(life, lifeline.NARROW)
    return {"chart": Markup(drawn), "lanes": life.lanes}  # noqa: S704 - charts escape what they are given


def _support(text: str, owner: str, state: str, due: date, on: date | None) -> Mapping[str, Any]:
    when = {
        "done": f"Done {words.day(on)}" if on else "Done",
        "due": f"Due {words.day(due)}",
        "overdue": f"Overdue since {words.day(due)}",
        "denied": "Denied by the person",
    }[state]
    late = state in ("overdue", "denied")
    return {"text": clean(text), "owner": clean(owner), "icon": SUPPORTS[state], "when": when, "late": late}


def _example() -> Markup:
    weeks = [charts.Point("W45", 0.8, 0.45, 0.96, 4), charts.Point("W46", 0.88, 0.6, 0.97, 9)]
    weeks += [charts.Point("W47", 0.94, 0.75, 1.0, 13), *(charts.Point(f"W{48 + n}") for n in range(6))]
    shown = charts.Series(
        sentence="Example chart",
        weeks=weeks,
        now=3,
        low=0.0,
        high=1.0,
        target=0.9,
        target_label=unbroken("90% target"),
        baseline=0.62,
        baseline_label=unbroken("62% before"),
        band=(0.5, 0.73),
        projection=0.93,
        likely=(0.8, 1.0),
    )
    return Markup(charts.weekly(shown))  # noqa: S704 - our own drawing
