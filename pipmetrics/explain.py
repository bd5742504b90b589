"""A number opened down to every measurement and every fact it was counted from, those left out included, with why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pipmetrics import windows
from pipmetrics.digest import words
from pipmetrics.errors import UsageError
from pipmetrics.measure import in_window, to_json
from pipmetrics.model import Json, Plan, Window
from pipmetrics.plugin import Share

if TYPE_CHECKING:
    import pandas as pd

    from pipmetrics.api import Organisation
    from pipmetrics.score.lines import Line
    from pipmetrics.score.shelf import Shelf

Standing = Literal["counted", "late", "pending", "left out", "exposure"]
TITLES: tuple[tuple[Standing, str], ...] = (
    ("counted", "Counted"),
    ("late", "Counted as over the limit"),
    ("pending", "Pending: not decided yet"),
    ("left out", "Left out"),
    ("exposure", "Exposure: what the count is divided by"),
)


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement (SPEC section 5), how it stands for this criterion, and the signals it was counted from."""

    standing: Standing
    measurement: Mapping[str, Json]
    note: str
    facts: tuple[Mapping[str, Json], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The criterion as `evaluate` gives it, the window looked at, and all its points."""

    plan: str
    criterion: Mapping[str, Json]
    window: Window
    points: tuple[Point, ...]

    def to_json(self) -> Json:
        from pipmetrics.score.record import window

        points = [asdict(point) for point in self.points]
        return {"plan": self.plan, "criterion": self.criterion, "window": window(self.window), "points": points}

    def to_text(self) -> str:
        return "\n".join(_text(self))


def explain(company: Organisation, plan: str, criterion: str, week: date | None, as_of: datetime) -> Explanation:
    """Open one criterion of one plan as of an instant; `week` (any day of it) narrows the points to one ISO week.

    UsageError when there is no such plan or criterion, or the plan has not begun.
    """
    from pipmetrics.score import evaluate
    from pipmetrics.score.lines import lines_of
    from pipmetrics.score.shelf import Shelf

    (found,) = company.plans(plan)
    _known(found, criterion, as_of)
    measured = company.measured([found], as_of)
    scored = evaluate([found], measured, as_of).to_json()["plans"][0]
    entry = next(each for each in scored["criteria"] if each["id"] == criterion)
    lines = lines_of([found], as_of, measured.acts, measured.metrics)
    line = next(each for each in lines if each.outer.id == criterion and each.part == "criterion")
    line = lines[line.inner] if line.inner >= 0 else line
    window = _window(line.moments.main, found, week)
    shelf = Shelf(measured.frames, measured.attributes, measured.acts, [found.person])
    points = list(_points(company, line, shelf, window, measured.metrics))
    return Explanation(plan, entry, window, tuple(points))


def _known(plan: Plan, criterion: str, as_of: datetime) -> None:
    names = [each.id for each in plan.criteria]
    if criterion not in names:
        raise UsageError(f"the plan {plan.id!r} has no criterion {criterion!r}", mend=f"It has {', '.join(names)}.")
    start = windows.whole(plan).start
    if plan.draft or start > as_of:
        raise UsageError(
            f"the plan {plan.id!r} had not begun at {as_of.isoformat()}",
            mend=f"It begins {start.isoformat()}; give a later --as-of.",
        )


def _window(main: Window, plan: Plan, week: date | None) -> Window:
    if week is None:
        return main
    monday = week - timedelta(days=week.weekday())
    first = windows.first_instant(monday, plan.timezone)
    last = windows.first_instant(monday + timedelta(days=7), plan.timezone)
    return Window(max(main.start, first), max(max(main.start, first), min(main.end, last)))


def _points(
    company: Organisation, line: Line, shelf: Shelf, window: Window, metrics: Mapping[str, Any]
) -> Iterator[Point]:
    rows = in_window(shelf.rows(line, line.moments.as_of), line.metric, window.start, window.end)
    limit = line.goal.form.limit if isinstance(line.goal.form, Share) else None
    standings = [_standing(row, limit) for row in to_json(rows)]
    yield from _with_facts(company, rows, standings)
    request = line.exposure_request(line.moments.as_of)
    if request is not None:
        exposure = in_window(
            shelf.of_person(request, line.plan.person), metrics[request.metric], window.start, window.end
        )
        counted = exposure[exposure["state"] == "counted"]
        yield from _with_facts(company, counted, ["exposure"] * len(counted))


def _standing(row: Mapping[str, Json], limit: float | None) -> Standing:
    over = limit is not None and row["value"] is not None and row["value"] > limit
    if row["state"] == "counted":
        return "late" if over else "counted"
    if over and row["reason"] in ("unanswered", "unresolved", "withdrawn"):
        return "late"
    return "pending" if row["state"] == "pending" else "left out"


def _with_facts(company: Organisation, rows: pd.DataFrame, standings: Sequence[Standing]) -> Iterator[Point]:
    sources = list(company.config.settings.sources)
    keys = {(source, key) for evidence in rows["evidence"] for key in evidence for source in sources}
    signals = company.store.signal_rows(keys)
    known = {(row["source"], row["key"]): row for row in _facts(signals, company.store.accounts())}
    notes = rows["note"] if "note" in rows else [""] * len(rows)
    for row, evidence, note, standing in zip(to_json(rows), rows["evidence"], notes, standings, strict=True):
        own = [known[place] for key in evidence for source in sources if (place := (source, key)) in known]
        yield Point(standing, row, str(note) if isinstance(note, str) else "", tuple(own))


def _facts(signals: pd.DataFrame, accounts: pd.DataFrame) -> Iterator[dict[str, Json]]:
    """Signals as JSON, each with the login that its actor goes by today."""
    columns = ("source", "kind", "subject", "key", "actor", "mark", "url", "detail")
    logins = dict(zip(zip(accounts["source"], accounts["id"], strict=True), accounts["login"], strict=True))
    shown = signals.astype(object).where(signals.notna(), None)
    for row in shown.to_dict("records"):
        at = row["at"].isoformat().replace("+00:00", "Z")
        login = logins.get((row["source"], row["actor"]), row["actor"])
        yield {"at": at, "login": login, **{str(name): row[name] for name in columns}, "value": row["value"]}


def _text(found: Explanation) -> Iterator[str]:
    entry, unit = found.criterion, str(found.criterion["unit"])
    verdict = words.VERDICTS[entry["verdict"]]
    yield f"{found.plan} · {entry['id']}: {entry['expectation']}"
    interval = entry["interval"]
    said = f"{words.number(entry['value'], unit)}"
    said += f", 95% range {words.between(interval[0], interval[1], unit)}" if interval else ""
    target = words.bound(entry["target"], unit, entry["direction"])
    yield f"{verdict.glyph} {verdict.word}: {said}, n {entry['n'] or 0:g}, target {target}"
    yield from (f"  {entry[key]}" for key in ("reason", "note", "needed") if entry.get(key))
    yield f"  window {found.window.start:%Y-%m-%d %H:%M} to {found.window.end:%Y-%m-%d %H:%M} UTC, by {entry['metric']}"
    for standing, title in TITLES:
        points = [point for point in found.points if point.standing == standing]
        if points:
            yield f"\n{title} ({len(points)})"
            for point in points:
                yield from _point(point)


def _point(point: Point) -> Iterator[str]:
    from pipmetrics.digest.text import clean

    row = point.measurement
    why = f"  [{row['reason']}{': ' + point.note if point.note else ''}]" if row["reason"] else ""
    value = words.number(row["value"], row["unit"]) if row["unit"] in ("hours", "share") else f"{row['value']:g}"
    yield clean(f"  {row['subject']}  {row['start']} -> {row['end'] or 'open'}  {value}{why}")
    for fact in point.facts:
        who = fact["login"] or "nobody any more"
        yield clean(f"      {fact['at']}  {fact['kind']:<22} by {who}  {fact['url']}")
