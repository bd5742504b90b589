"""The digest as a page: self-contained with its style, or with the stylesheet that the server gives.

Text from elsewhere is escaped by the template; links lead to http and https alone; nothing runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipmetrics.digest import charts, words
from pipmetrics.digest.model import Card, Digest
from pipmetrics.digest.text import clean
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


@cache
def environment() -> Environment:
    loader = PackageLoader("pipmetrics.digest", "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    made.globals["verdicts"] = words.VERDICTS
    return made


@cache
def style() -> Markup:
    return Markup(_file("style.css"))  # noqa: S704 - our own stylesheet


@cache
def icons() -> Markup:
    return Markup(_file("icons.svg"))  # noqa: S704 - our own drawings


def _file(name: str) -> str:
    from importlib.resources import files

    return (files("pipmetrics.digest") / "templates" / name).read_text("utf-8")


def render(
    digest: Digest, points: Mapping[tuple[str, str], Sequence[Json]] | None = None, *, whole: bool = True
) -> str:
    """The page; `points` are measurements (SPEC section 5 as JSON) by plan and criterion for the evidence drawers.

    `whole`: with its style inside, to be sent or kept as one file.
    """
    cards = [(card, _card(card, points or {})) for card in digest.cards]
    return (
        environment()
        .get_template("digest.html.j2")
        .render(
            digest=digest,
            title=f"Weekly digest, week {int(digest.week.partition('-W')[2])}",
            span=f"{words.days_between(digest.start, digest.end)} {digest.end.year}",
            as_of=f"{words.moment(digest.as_of)} UTC",
            style=style() if whole else None,
            icons=icons(),
            formal=[view for card, view in cards if card.kind == "pip"],
            coaching=[view for card, view in cards if card.kind == "coaching"],
            needs=[_need(need.what, need.why, need.due) for need in digest.needs],
            legend=LEGEND,
            example=_example(),
        )
    )


def _need(what: str, why: str, due: date | None) -> Mapping[str, str]:
    return {"what": clean(what), "why": clean(why), "due": words.weekday(due) if due else "Overdue"}


def _card(card: Card, points: Mapping[tuple[str, str], Sequence[Json]]) -> Mapping[str, Any]:
    entry = card.evaluation
    recommendation = entry.get("recommendation")
    said = f"Recommendation: {words.RECOMMENDATIONS[recommendation]}. A named person decides." if recommendation else ""
    return {
        "plan": card.plan,
        "name": clean(card.name),
        "first_name": clean(card.name.split()[0]),
        "team": clean(card.team),
        "coaching": card.kind == "coaching",
        "day": entry["day"],
        "days": entry["days"],
        "bar": round(140 * min(1.0, entry["day"] / entry["days"])),
        "span": f"{words.day(card.start)} – {words.day(card.end, year=True)}",
        "verdict": entry["verdict"],
        "sentence": card.sentence,
        "recommendation": said,
        "held": entry["check_ins"],
        "strip": [
            {"css": css, "icon": icon, "word": word, "week": mark.week, "day": words.day(mark.day)}
            for mark in card.check_ins
            for css, icon, word in (CHECK_INS[mark.state],)
        ],
        "rows": [row(card, criterion, points.get((card.plan, criterion["id"]), ())) for criterion in entry["criteria"]],
        "supports": [_support(mark.text, mark.owner, mark.state, mark.due, mark.on) for mark in card.supports],
        "notes": [clean(note) for note in card.notes],
        "disputes": [clean(dispute) for dispute in card.disputes],
        "agenda": [clean(item) for item in card.agenda],
        "next_check_in": words.weekday(card.next_check_in) if card.next_check_in else "",
    }


def _support(text: str, owner: str, state: str, due: date, on: date | None) -> Mapping[str, Any]:
    when = {
        "done": f"Done {words.day(on)}" if on else "Done",
        "due": f"Due {words.day(due)}",
        "overdue": f"Overdue since {words.day(due)}",
        "denied": "Denied by the person",
    }[state]
    late = state in ("overdue", "denied")
    return {"text": clean(text), "owner": clean(owner), "icon": SUPPORTS[state], "when": when, "late": late}


def row(card: Card, criterion: Json, points: Sequence[Json] = ()) -> Mapping[str, Any]:
    """What the row of one criterion shows, as texts."""
    unit, direction = criterion["unit"], criterion.get("direction", "at_least")
    baseline, projection = criterion["baseline"], criterion["projection"]
    interval = criterion["interval"]
    left = criterion["excluded"]
    counted = f"{criterion['counted']} counted" + (f", {left} left out" if left else "")
    counted += f", {criterion['pending']} pending" if criterion["pending"] else ""
    notes = [criterion[key] for key in ("reason", "note", "needed") if criterion.get(key)]
    return {
        "plan": card.plan,
        "id": criterion["id"],
        "verdict": criterion["verdict"],
        "sentence": clean(criterion.get("expectation") or criterion["id"]),
        "now": _nbsp(words.number(criterion["value"], unit)),
        "range": _nbsp(words.between(interval[0], interval[1], unit)) if interval else "",
        "sample": f"n {criterion['n']:g}" if criterion["n"] is not None else "",
        "target": _nbsp(words.bound(criterion["target"], unit, direction)),
        "over": "",
        "before": _nbsp(words.number(baseline["value"], unit)) if baseline else words.NOTHING,
        "before_sample": f"n {baseline['n']:g}" if baseline and baseline["n"] is not None else "",
        "change": _nbsp(words.change(criterion["change"], unit, direction, noise=False)),
        "noise": "within weekly noise" if within_noise(criterion) else "",
        "end": _nbsp(words.number(projection["value"], unit)) if projection else "No projection",
        "likely": _likely(projection, unit),
        "chart": Markup(charts.weekly(series(card, criterion))),  # noqa: S704 - charts escape what they are given
        "notes": [clean(str(note)) for note in notes],
        "counted": counted,
        "open": False,
        "weeks": _weeks(card, criterion),
        "points": [_point(point) for point in points],
    }


def within_noise(criterion: Json) -> bool:
    """Whether last week's value lies inside this week's range: then the difference says nothing."""
    interval, change, value = criterion["interval"], criterion["change"], criterion["value"]
    if not interval or change is None or value is None or change == 0:
        return False
    before = value - change
    return (interval[0] is None or before >= interval[0]) and (interval[1] is None or before <= interval[1])


def _likely(projection: Json, unit: str) -> str:
    if not projection or not projection["interval"]:
        return ""
    low, high = projection["interval"]
    return "likely " + _nbsp(words.between(low, high, unit))


def _weeks(card: Card, criterion: Json) -> Sequence[Mapping[str, str]]:
    unit = criterion["unit"]
    return [
        {
            "label": week_label(card, place),
            "value": _nbsp(words.number(week["value"], unit)),
            "range": _nbsp(words.between(week["interval"][0], week["interval"][1], unit))
            if week.get("interval")
            else words.NOTHING,
            "n": f"{week['n']:g}" if week.get("n") is not None else "",
        }
        for place, week in enumerate(criterion.get("weeks") or ())
    ]


def _point(point: Json) -> Mapping[str, Any]:
    url = point["url"] if str(point["url"]).startswith(("http://", "https://")) else ""
    state = "Yes" if point["state"] == "counted" else f"No: {point['reason']}".replace("_", " ")
    return {
        "subject": clean(point["subject"].partition(":")[2]),
        "url": url,
        "start": (point["start"] or "")[:16].replace("T", " "),
        "end": (point["end"] or "")[:16].replace("T", " "),
        "value": _nbsp(words.number(point["value"], point["unit"])),
        "state": state,
        "out": point["state"] != "counted",
    }


def week_label(card: Card, place: int) -> str:
    """W45: the ISO week in which the plan's week begins (counted from 0)."""
    return f"W{(card.start + timedelta(days=7 * place)).isocalendar().week:02}"


def series(card: Card, criterion: Json) -> charts.Series:
    """What the chart of one criterion shows; the scale is fixed by target, baseline and the weeks' values."""
    unit, target = criterion["unit"], criterion["target"]
    weeks = criterion.get("weeks") or ()
    total = max(len(weeks), -(-((card.end - card.start).days + 1) // 7))
    points = [_week_point(card, place, week) for place, week in enumerate(weeks)]
    points += [charts.Point(week_label(card, place)) for place in range(len(points), total)]
    baseline, projection = criterion["baseline"], criterion["projection"]
    known = [point.value for point in points] + [target, baseline["value"] if baseline else None]
    values = [value for value in known if value is not None]
    low, high = (0.0, 1.0) if unit == "share" else (min([0.0, *values]), max([0.0, *values]) * 1.15 or 1.0)
    name = criterion.get("expectation") or criterion["id"]
    now, aim = words.number(criterion["value"], unit), words.number(target, unit)
    before = words.number(baseline["value"], unit) if baseline else words.NOTHING
    return charts.Series(
        sentence=clean(f"{name}: weekly values, now {now}, target {aim}, before the plan {before}"),
        weeks=points,
        now=len(weeks),
        low=low,
        high=high,
        target=target,
        target_label=f"{_nbsp(aim)} target",
        baseline=baseline["value"] if baseline else None,
        baseline_label=f"{_nbsp(before)} before",
        band=tuple(baseline["interval"]) if baseline and baseline.get("interval") else None,
        projection=projection["value"] if projection else None,
        likely=tuple(projection["interval"]) if projection and projection["interval"] else None,
    )


def _week_point(card: Card, place: int, week: Json) -> charts.Point:
    low, high = week.get("interval") or (week["value"], week["value"])
    return charts.Point(week_label(card, place), week["value"], low, high, week.get("n") or 0.0)


def _example() -> Markup:
    weeks = [charts.Point("W45", 0.8, 0.45, 0.96, 4), charts.Point("W46", 0.88, 0.6, 0.97, 9)]
    weeks += [charts.Point("W47", 0.94, 0.75, 1.0, 13), *(charts.Point(f"W{48 + n}") for n in range(6))]
    shown = charts.Series(
        "Example chart",
        weeks,
        3,
        0.0,
        1.0,
        0.9,
        "90\u00a0% target",
        0.62,
        "62\u00a0% before",
        (0.5, 0.73),
        0.93,
        (0.8, 1.0),
    )
    return Markup(charts.weekly(shown))  # noqa: S704 - our own drawing


def _nbsp(text: str) -> str:
    """A no-break space before %, and inside "17 h"."""
    return text.replace(" ", "\u00a0").replace("%", "\u00a0%")
