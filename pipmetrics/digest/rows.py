"""One criterion in words and numbers, the same on every surface: value, range, sample, target, before, change, end.

Texts have plain blanks; a surface that wants no-break ones puts them in (`words.unbroken`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pipmetrics.digest import charts, words
from pipmetrics.digest.model import Card
from pipmetrics.digest.terms import Terms
from pipmetrics.digest.words import clean
from pipmetrics.model import Json

RATIOS = ("reduction", "increase")
"""Criteria whose value compares a rate with the baseline's: the rate itself has no unit, and "as before" is 0."""


@dataclass(frozen=True, slots=True)
class WeekCell:
    label: str
    value: str
    range: str
    n: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """What people read of one criterion. `chart` is None below the agreed sample; `undrawn` then says why."""

    plan: str
    id: str
    verdict: str
    sentence: str
    now: str
    range: str
    sample: str
    target: str
    target_note: str
    before: str
    before_note: str
    change: str
    noise: str
    end: str
    likely: str
    needed: str
    notes: tuple[str, ...]
    how: tuple[str, ...]
    counted: str
    weeks: tuple[WeekCell, ...]
    chart: charts.Series | None
    undrawn: str


def rows(card: Card) -> list[Row]:
    """The rows of all criteria, as in the plan."""
    return [row(card, criterion) for criterion in card.evaluation["criteria"]]


def row(card: Card, criterion: Json) -> Row:
    """What the row of one criterion shows."""
    terms = card.terms.get(criterion["id"], Terms())
    unit, direction = criterion["unit"], criterion.get("direction", "at_least")
    judged = criterion["verdict"] != "not_enough_data"
    projection = criterion["projection"] if judged else None
    now, reach, sample = _now(criterion, terms, judged=judged)
    before, before_note = _before(criterion, terms)
    chart = series(card, criterion, terms) if judged else None
    drawn = chart is not None and any(point.value is not None for point in chart.weeks)
    return Row(
        plan=card.plan,
        id=criterion["id"],
        verdict=criterion["verdict"],
        sentence=clean(criterion.get("expectation") or criterion["id"]),
        now=now,
        range=reach,
        sample=sample,
        target=words.bound(criterion["target"], unit, direction),
        target_note=_target_note(terms),
        before=before,
        before_note=before_note,
        change=words.change(criterion["change"], unit, direction) if judged else words.NOTHING,
        noise="within weekly noise" if judged and within_noise(criterion) else "",
        end=words.number(projection["value"], unit) if projection else "No projection",
        likely=_likely(projection, unit),
        needed=clean(str(criterion["needed"])) if criterion.get("needed") else "",
        notes=_notes(criterion, terms),
        how=_how(criterion, terms),
        counted=_counted(criterion),
        weeks=_weeks(card, criterion, terms),
        chart=chart if drawn else None,
        undrawn="" if drawn else _undrawn(criterion, terms, judged=judged),
    )


def _now(criterion: Json, terms: Terms, *, judged: bool) -> tuple[str, str, str]:
    """Value, range and sample; below the agreed sample the count alone."""
    n, unit, interval = criterion["n"], criterion["unit"], criterion["interval"]
    if not judged:
        short = n is not None and n < terms.minimum
        return _so_far(n, terms), "", f"too few: {terms.minimum} are needed" if short else ""
    said = words.between(interval[0], interval[1], unit) if interval else ""
    return _value(criterion), said, _sample(criterion, terms)


def _value(criterion: Json) -> str:
    """The value; of a comparison with the baseline in words: 50% less."""
    value, unit = criterion["value"], criterion["unit"]
    if criterion["criterion"] not in RATIOS or value is None:
        return words.number(value, unit)
    less = (value >= 0) == (criterion["criterion"] == "reduction")
    return f"{words.number(abs(value), unit)} {'less' if less else 'more'}"


def _so_far(n: float | None, terms: Terms) -> str:
    return words.NOTHING if n is None else f"{_count(n)} {terms.nouns[0] if n == 1 else terms.nouns[1]}"


def _sample(criterion: Json, terms: Terms) -> str:
    n = criterion["n"]
    if n is None:
        return ""
    if terms.per or criterion["criterion"] in RATIOS:
        return f"n {_count(n)} {terms.per or 'working days'}"
    good = _good(criterion)
    things = f"{_count(n)} {terms.nouns[0] if n == 1 else terms.nouns[1]}"
    return f"{good} of {things}" if good is not None else f"n {things}"


def _good(criterion: Json) -> int | None:
    """How many of a share's sample, where it counts whole things."""
    value, n = criterion["value"], criterion["n"]
    if criterion["unit"] != "share" or criterion["criterion"] in RATIOS or value is None or n is None:
        return None
    good = value * n
    return round(good) if abs(good - round(good)) < 1e-6 * max(1.0, n) else None


def short_sample(criterion: Json) -> str:
    """The sample where there is little room: 15 of 18, or n 18."""
    good, n = _good(criterion), criterion["n"]
    return "" if n is None else f"n {_count(n)}" if good is None else f"{good} of {_count(n)}"


def _count(n: float) -> str:
    return f"{n:g}" if float(n).is_integer() else f"{n:.1f}"


def _target_note(terms: Terms) -> str:
    if terms.limit is None:
        return terms.window
    unit = "hours" if terms.clock else ""
    return f"within {words.number(terms.limit, unit)}, {terms.window}"


def _before(criterion: Json, terms: Terms) -> tuple[str, str]:
    baseline = criterion["baseline"]
    if not baseline or baseline["value"] is None:
        return words.NOTHING, "not measured" if not baseline else ""
    unit = "" if criterion["criterion"] in RATIOS else criterion["unit"]
    n = baseline["n"]
    per = f"per {_one(terms.per)}" if criterion["criterion"] in RATIOS and terms.per else ""
    sample = f"n {_count(n)}" if n is not None else ""
    parts = (per, _days(baseline.get("window")), sample)
    return words.number(baseline["value"], unit), ", ".join(part for part in parts if part)


def _one(things: str) -> str:
    """One of them: "changes deployed" -> "change deployed"."""
    first, *rest = things.split(" ")
    return " ".join([first.removesuffix("s"), *rest])


def _days(window: Json) -> str:
    if not window or not window.get("start") or not window.get("end"):
        return ""
    span = words.instant(window["end"]) - words.instant(window["start"])
    return words.count(round(span / timedelta(days=1)), "day")


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
    return "likely " + words.between(projection["interval"][0], projection["interval"][1], unit)


def _notes(criterion: Json, terms: Terms) -> tuple[str, ...]:
    notes = [clean(str(criterion[key])) for key in ("reason", "note") if criterion.get(key)]
    contested = criterion.get("contested")
    if contested:
        notes.append(f"Contested: {clean(str(contested['text']))}")
    if terms.peers is not None:
        met, of = terms.peers
        notes.append(f"{met} of {of} peers would meet this target.")
    return tuple(note[:1].upper() + note[1:] for note in notes)


def _how(criterion: Json, terms: Terms) -> tuple[str, ...]:
    """How it is counted, and how far the change since the baseline could be luck."""
    said = [terms.clock] if terms.clock else []
    if criterion.get("chance") is not None and criterion["verdict"] != "not_enough_data":
        often = words.in_ten(criterion["chance"])
        said.append(f"Had nothing changed since before the plan, a value at least this good would come up {often}.")
    if criterion["criterion"] == "trend":
        said.append("The range of a slope is not exact.")
    return tuple(said)


def _counted(criterion: Json) -> str:
    said = f"{criterion['counted']} counted"
    said += f", {criterion['excluded']} left out" if criterion["excluded"] else ""
    return said + (f", {criterion['pending']} pending" if criterion["pending"] else "")


def _undrawn(criterion: Json, terms: Terms, *, judged: bool) -> str:
    n = criterion["n"]
    if judged:
        return "There are no weekly values to draw."
    if n is None or n >= terms.minimum:
        return "No chart is drawn without a verdict."
    return f"{_count(n)} of {terms.minimum} needed. No chart is drawn from so few."


# --- week by week -------------------------------------------------------------------------------------------------


def week_label(card: Card, place: int) -> str:
    """W45: the ISO week that holds most of the plan's week (counted from 0)."""
    return f"W{(card.start + timedelta(days=7 * place + 3)).isocalendar().week:02}"


def _place(week: Mapping[str, Json], order: int) -> int:
    """The place of a week in the plan, from 0: recorded as "week" from 1."""
    return int(week["week"]) - 1 if week.get("week") else order


def _weeks(card: Card, criterion: Json, terms: Terms) -> tuple[WeekCell, ...]:
    unit = terms.weekly or criterion["unit"]
    cells = []
    for order, week in enumerate(criterion.get("weeks") or ()):
        interval = week.get("interval")
        reach = words.between(interval[0], interval[1], unit) if interval else words.NOTHING
        n = _count(week["n"]) if week.get("n") is not None else ""
        label = week_label(card, _place(week, order))
        cells.append(WeekCell(label, words.number(week["value"], unit), reach, n, week.get("met")))
    return tuple(cells)


def series(card: Card, criterion: Json, terms: Terms) -> charts.Series:
    """What the chart of one criterion shows. The scale depends on target and baseline alone: it is fixed for good."""
    unit, target, baseline = criterion["unit"], criterion["target"], criterion["baseline"]
    if terms.weekly:
        target = baseline = None
    total = -(-((card.end - card.start).days + 1) // 7)
    points = [charts.Point(week_label(card, place)) for place in range(total)]
    for order, week in enumerate(criterion.get("weeks") or ()):
        place = _place(week, order)
        if 0 <= place < total:
            low, high = week.get("interval") or (week["value"], week["value"])
            points[place] = charts.Point(week_label(card, place), week["value"], low, high, week.get("n") or 0.0)
    before, shown = (0.0, "as before") if criterion["criterion"] in RATIOS and baseline else _state(baseline, unit)
    low, high = _scale(criterion, terms, target, before, points)
    aim = words.bound(target, unit, criterion.get("direction", "at_least"))
    projection = criterion["projection"] if not terms.weekly else None
    return charts.Series(
        sentence=_sentence(criterion, unit),
        weeks=points,
        now=min(total, max(1, -(-card.evaluation["day"] // 7))),
        low=low,
        high=high,
        target=target,
        target_label=f"{words.unbroken(aim)} target" if target is not None else "",
        baseline=before,
        baseline_label=words.unbroken(shown),
        band=tuple(baseline["interval"]) if before and baseline.get("interval") else None,
        projection=projection["value"] if projection else None,
        likely=tuple(projection["interval"]) if projection and projection["interval"] else None,
    )


def _state(baseline: Json, unit: str) -> tuple[float | None, str]:
    if not baseline or baseline["value"] is None:
        return None, ""
    return baseline["value"], f"{words.number(baseline['value'], unit)} before"


def _scale(
    criterion: Json, terms: Terms, target: float | None, before: float | None, points: list[charts.Point]
) -> tuple[float, float]:
    if (terms.weekly or criterion["unit"]) == "share":
        return (-1.0, 1.0) if criterion["criterion"] in RATIOS else (0.0, 1.0)
    fixed = [value for value in (target, before) if value is not None]
    if any(fixed):
        return min(0.0, *fixed) * 1.6, max(0.0, *fixed) * 1.6 or 1.0
    values = [point.value for point in points if point.value is not None]
    return min([0.0, *values]), max([0.0, *values]) * 1.15 or 1.0


def _sentence(criterion: Json, unit: str) -> str:
    name = criterion.get("expectation") or criterion["id"]
    now, aim = words.number(criterion["value"], unit), words.number(criterion["target"], unit)
    baseline = criterion["baseline"]
    before = (
        words.number(baseline["value"], "" if criterion["criterion"] in RATIOS else unit) if baseline else "unknown"
    )
    return clean(f"{name}: weekly values, now {now}, target {aim}, before the plan {before}")
