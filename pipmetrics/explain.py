"""A number opened down to every measurement and every fact it was counted from, those left out included, with why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from pipmetrics import traces, windows
from pipmetrics.digest import words
from pipmetrics.errors import UsageError
from pipmetrics.measure import in_window, to_json
from pipmetrics.model import Baseline, Json, MeasureRequest, Plan, Window
from pipmetrics.plugin import COUNTED, OPEN, PENDING, WITHDRAWN, Own, Share

if TYPE_CHECKING:
    import pandas as pd

    from pipmetrics.api import Organisation
    from pipmetrics.score import Measured
    from pipmetrics.score.lines import Line
    from pipmetrics.score.shelf import Shelf

Standing: TypeAlias = Literal["counted", "late", "pending", "left out", "gone", "exposure"]
TITLES: tuple[tuple[Standing, str], ...] = (
    ("counted", "Counted"),
    ("late", "Counted as over the limit"),
    ("pending", "Pending: not decided yet"),
    ("left out", "Left out"),
    ("gone", "Gone: what it was counted from is no longer so at its source"),
    ("exposure", "Exposure: what the count is divided by"),
)


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement (SPEC section 5), how it stands for this criterion, the signals it was counted from, and what
    else was done to its subject that could have changed it (traces.Fact)."""

    standing: Standing
    measurement: Mapping[str, Json]
    note: str
    facts: tuple[Mapping[str, Json], ...]
    traces: tuple[Mapping[str, Json], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What a number beside the value was counted from, in its own window."""

    window: Window
    points: tuple[Point, ...]

    def to_json(self) -> Json:
        from pipmetrics.score.record import window

        return {"window": window(self.window), "points": [asdict(point) for point in self.points]}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The criterion as `evaluate` gives it, the window looked at, and all its points.

    `baseline`: those that the frozen state before the plan was counted from; `guardrail`: those of what must not get
    worse. None where the criterion has none.
    """

    plan: str
    criterion: Mapping[str, Json]
    window: Window
    points: tuple[Point, ...]
    baseline: Part | None = None
    guardrail: Part | None = None

    def to_json(self) -> Json:
        return {
            "plan": self.plan,
            "criterion": self.criterion,
            **Part(self.window, self.points).to_json(),
            "baseline": self.baseline.to_json() if self.baseline else None,
            "guardrail": self.guardrail.to_json() if self.guardrail else None,
        }

    def to_text(self) -> str:
        return "\n".join(_text(self))


def explain(company: Organisation, plan: str, criterion: str, week: date | None, as_of: datetime) -> Explanation:
    """Open one criterion of one plan as of an instant; `week` (any day of it) narrows the points to one ISO week.

    UsageError when there is no such plan or criterion, or the plan has not begun.
    """
    from pipmetrics.score import evaluate

    (found,) = company.plans(plan, as_of)
    _known(found, criterion, as_of)
    measured = company.measured([found], as_of, evidence=True)
    evaluations = evaluate([found], measured, as_of)
    entry = next(each for each in evaluations.to_json()["plans"][0]["criteria"] if each["id"] == criterion)
    fresh = {each.criterion: each for each in evaluations.baselines}
    opened = replace(_opened(company, found, measured, as_of), past=traces.past_of(company, plan, as_of))
    lines = opened.of(criterion)
    window = _window(lines["criterion"].moments.main, found, week)
    return Explanation(
        plan,
        entry,
        window,
        tuple(opened.points(lines["criterion"], window)),
        opened.baseline(lines["criterion"], fresh) if entry["baseline"] and week is None else None,
        opened.guardrail(lines["guardrail"], window) if "guardrail" in lines else None,
    )


def rows_of(company: Organisation, plan: Plan, measured: Measured, as_of: datetime) -> Mapping[str, Sequence[Json]]:
    """The points of every criterion of a plan by its id, without their facts: measurements with `standing`, `note`."""
    opened = _opened(company, plan, measured, as_of)
    found = {}
    for criterion in plan.criteria:
        line = opened.of(criterion.id)["criterion"]
        found[criterion.id] = [
            {**row, "standing": standing, "note": note}
            for rows, standings in opened.chosen(line, line.moments.main)
            for row, standing, note in zip(to_json(rows), standings, _notes(rows), strict=True)
        ]
    return found


def _known(plan: Plan, criterion: str, as_of: datetime) -> None:
    names = [each.id for each in plan.criteria]
    if criterion not in names:
        raise UsageError(f"the plan {plan.id!r} has no criterion {criterion!r}", mend=f"It has {', '.join(names)}.")
    start = windows.whole(plan).start
    if plan.draft:
        raise UsageError(f"the plan {plan.id!r} is a draft", mend="Its targets can be tried: pipmetrics backtest.")
    if start > as_of:
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


# --- from lines to points -----------------------------------------------------------------------------------------

Rows: TypeAlias = "tuple[pd.DataFrame, Sequence[Standing]]"


def _opened(company: Organisation, plan: Plan, measured: Measured, as_of: datetime) -> _Opened:
    from pipmetrics.score.lines import lines_of
    from pipmetrics.score.shelf import Shelf

    shelf = Shelf(measured.frames, measured.attributes, measured.acts, [plan.person])
    lines = lines_of([plan], as_of, measured.acts, measured.metrics)
    return _Opened(company, measured, shelf, tuple(lines), as_of)


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """One plan's lines with the rows that they read."""

    company: Organisation
    measured: Measured
    shelf: Shelf
    lines: tuple[Line, ...]
    as_of: datetime
    past: traces.Past | None = None

    def of(self, criterion: str) -> Mapping[str, Line]:
        """The lines of a criterion by their part; one with an inner criterion reads the rows of that."""
        own: dict[str, Line] = {line.part: line for line in self.lines if line.outer.id == criterion}
        inner = own["criterion"].inner
        return own | {"criterion": self.lines[inner]} if inner >= 0 else own

    def points(self, line: Line, window: Window) -> Iterator[Point]:
        for rows, standings in self.chosen(line, window):
            yield from self.with_facts(rows, standings)
        yield from self.gone(line, window)

    def gone(self, line: Line, window: Window) -> Iterator[Point]:
        """What was there when it was first read, and would be now: no longer a bug, no longer asked for."""
        request, person = line.request(self.as_of), line.plan.person
        if isinstance(line.goal.form, Own) or self.past is None:
            return
        present = set(self.shelf.of_person(request, person)["subject"])
        rows, signals = traces.gone(self.company, request, person, self.past, present)
        if len(rows):
            rows = _inside(rows, line, window)
            yield from self.with_facts(rows, ["gone"] * len(rows), signals)

    def chosen(self, line: Line, window: Window) -> Iterator[Rows]:
        """The rows of a window with how each stands, then those of its exposure."""
        rows = _inside(self.flagged(line, line.moments.as_of), line, window)
        yield rows, [_standing(row, _limit(line)) for row in to_json(rows)]
        request = line.exposure_request(line.moments.as_of)
        if request is not None:
            yield self.exposure(request, line, window)

    def flagged(self, line: Line, as_of: datetime) -> pd.DataFrame:
        from pipmetrics.score.shelf import flagged_rows

        rows = self.shelf.rows(line, as_of)
        return flagged_rows(rows) if isinstance(line.goal.form, Share) and _limit(line) is None else rows

    def exposure(self, request: MeasureRequest, line: Line, window: Window) -> Rows:
        """Exposure belongs to a window as its own metric says."""
        rows = self.shelf.of_person(request, line.plan.person)
        rows = in_window(rows, self.measured.metrics[request.metric], window.start, window.end)
        counted = rows[rows["state"] == "counted"].reset_index(drop=True)
        return counted, ["exposure"] * len(counted)

    def guardrail(self, line: Line, window: Window) -> Part:
        return Part(window, tuple(self.points(line, window)))

    def baseline(self, line: Line, fresh: Mapping[str, Baseline]) -> Part:
        """The frozen rows (or those to be frozen), each opened as far as the sources still know it; those gone since
        are told by the record."""
        known = self.at_start(line)
        frozen = fresh[line.frozen_as] if line.frozen_as in fresh else self.frozen(line)
        rows = known.flagged(line, windows.whole(line.plan).start)
        rows = _inside(rows, line, frozen.window)
        kept = dict(zip(frozen.measured["keys"], range(len(frozen.measured["keys"])), strict=True))
        rows = rows[rows["key"].isin(list(kept))].reset_index(drop=True)
        upheld = {
            act.key
            for act in self.measured.acts.disputes
            if act.state == "upheld" and (act.plan, act.criterion) == (line.plan.id, line.outer.id)
        }
        standings = [_frozen_standing(frozen, kept[key], _limit(line), out=key in upheld) for key in rows["key"]]
        points = list(known.with_facts(rows, standings))
        points += _gone(frozen, set(kept) - set(rows["key"]), line)
        request = line.exposure_request(windows.whole(line.plan).start)
        if request is not None:
            points += known.with_facts(*known.exposure(request, line, frozen.window))
        return Part(frozen.window, tuple(points))

    def at_start(self, line: Line) -> _Opened:
        """The same with the rows as they were known when the plan began."""
        start = windows.whole(line.plan).start
        asked = {line.request(start), line.exposure_request(start)} - {None, *self.measured.frames}
        if not asked:
            return self
        frames = self.company.measure([each for each in asked if each], self.measured.acts)
        measured = replace(self.measured, frames={**self.measured.frames, **frames})
        return replace(_opened(self.company, line.plan, measured, self.as_of), past=self.past)

    def frozen(self, line: Line) -> Baseline:
        from pipmetrics.score.lines import recorded

        return recorded(self.measured.acts)[line.plan.id, line.frozen_as]

    def with_facts(
        self, rows: pd.DataFrame, standings: Sequence[Standing], signals: pd.DataFrame | None = None
    ) -> Iterator[Point]:
        """Each row with its evidence (out of `signals`, None: as the store has it), and with what else was done to its
        subject."""
        store, revision = self.company.store, self.company.revision
        sources = list(self.company.config.settings.sources)
        keys = {(source, key) for evidence in rows["evidence"] for key in evidence for source in sources}
        found = store.signal_rows(keys, revision=revision) if signals is None else _of_keys(signals, keys)
        logins = traces.logins_of(store.accounts(revision=revision))
        facts = {(row["source"], row["key"]): row for row in traces.facts_of(found, logins)}
        person = self.lines[0].plan.person
        told = traces.traces_of(self.company, set(rows["subject"]), person, self.as_of, self.past)
        every = zip(to_json(rows), rows["evidence"], _notes(rows), standings, strict=True)
        for row, evidence, note, standing in every:
            places = [place for key in evidence for source in sources if (place := (source, key)) in facts]
            more = [
                each
                for each in told.get(row["subject"], ())
                if each["kind"] in traces.MADE or (each["source"], each["key"]) not in places
            ]
            yield Point(standing, row, note, tuple(facts[place] for place in places), tuple(more))


def _of_keys(signals: pd.DataFrame, keys: Iterable[tuple[str, str]]) -> pd.DataFrame:
    wanted = set(keys)
    return signals[[place in wanted for place in zip(signals["source"], signals["key"], strict=True)]]


def _inside(rows: pd.DataFrame, line: Line, window: Window) -> pd.DataFrame:
    return in_window(rows, line.metric, window.start, window.end)


def _limit(line: Line) -> float | None:
    return line.goal.form.limit if isinstance(line.goal.form, Share) else None


def _notes(rows: pd.DataFrame) -> Sequence[str]:
    notes = rows["note"] if "note" in rows else [""] * len(rows)
    return [note if isinstance(note, str) else "" for note in notes]


def _standing(row: Mapping[str, Json], limit: float | None) -> Standing:
    over = limit is not None and row["value"] is not None and row["value"] > limit
    if row["state"] == "counted":
        return "late" if over else "counted"
    if over and row["reason"] in ("unanswered", "unresolved", "withdrawn"):
        return "late"
    return "pending" if row["state"] == "pending" else "left out"


def _frozen_standing(baseline: Baseline, place: int, limit: float | None, *, out: bool) -> Standing:
    kind, value = baseline.measured["kinds"][place], baseline.measured["values"][place]
    over = limit is not None and value is not None and value > limit
    if out:
        return "left out"
    if over and kind in (COUNTED, OPEN, WITHDRAWN):
        return "late"
    return "counted" if kind == COUNTED else "pending" if kind in (OPEN, PENDING) else "left out"


def _gone(baseline: Baseline, keys: Iterable[str], line: Line) -> Iterator[Point]:
    """Rows of the record that the sources no longer have."""
    measured = baseline.measured
    for place, key in enumerate(measured["keys"]):
        if key in keys:
            row = {
                "metric": line.criterion.metric, "person": line.plan.person,
                "source": str(measured["subjects"][place]).partition(":")[0], "subject": measured["subjects"][place],
                "key": key, "start": None, "end": None, "value": measured["values"][place], "unit": line.metric.unit,
                "state": "counted" if measured["kinds"][place] == COUNTED else "excluded", "reason": None, "url": "",
            }  # fmt: skip
            standing = _frozen_standing(baseline, place, _limit(line), out=False)
            yield Point(standing, row, "frozen when the plan began; its source no longer has it", ())


# --- as text ------------------------------------------------------------------------------------------------------


def _text(found: Explanation) -> Iterator[str]:
    entry, unit = found.criterion, str(found.criterion["unit"])
    verdict = words.VERDICTS[entry["verdict"]]
    yield f"{found.plan} · {entry['id']}: {entry['expectation']}"
    target = words.bound(entry["target"], unit, entry["direction"])
    yield f"{verdict.glyph} {verdict.word}: {_said(entry, unit)}, target {target}"
    yield from (f"  {entry[key]}" for key in ("reason", "note", "needed") if entry.get(key))
    if entry.get("contested"):
        yield f"  contested: {entry['contested']['text']}"
    yield f"  window {_span(found.window)}, by {entry['metric']}"
    yield from _sections(found.points)
    if found.baseline:
        rate = entry["criterion"] in ("reduction", "increase")
        yield f"\nBefore the plan: {_said(entry['baseline'], '' if rate else unit)}, {_span(found.baseline.window)}"
        yield from _sections(found.baseline.points)
    if found.guardrail:
        guard = entry["guardrail"]
        yield f"\nGuardrail {guard['metric']}: {_said(guard, guard['unit'])}"
        yield from _sections(found.guardrail.points)


def _said(entry: Mapping[str, Json], unit: str) -> str:
    interval = entry["interval"]
    said = words.number(entry["value"], unit)
    said += f", 95% range {words.between(interval[0], interval[1], unit)}" if interval else ""
    return f"{said}, n {entry['n'] or 0:g}"


def _span(window: Window) -> str:
    return f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC"


def _sections(points: Sequence[Point]) -> Iterator[str]:
    for standing, title in TITLES:
        chosen = [point for point in points if point.standing == standing]
        if chosen:
            yield f"\n{title} ({len(chosen)})"
            yield from (line for point in chosen for line in _point(point))
    if not points:
        yield "\nNothing was measured in this time."


def _point(point: Point) -> Iterator[str]:
    row = point.measurement
    reason = ": ".join(part for part in (row["reason"], point.note) if part)
    why = f"  [{reason}]" if reason else ""
    value = words.number(row["value"], row["unit"] if row["unit"] in ("hours", "share") else "")
    yield words.clean(f"  {row['subject']}  {row['start'] or '?'} -> {row['end'] or 'open'}  {value}{why}")
    if point.measurement["url"] and not point.facts:
        yield words.clean(f"      {row['url']}")
    for fact in point.facts:
        who = fact["login"] or "nobody any more"
        what = fact["text"] if fact["kind"] in traces.WORDED else fact["kind"]
        yield words.clean(f"      {fact['at']}  {what:<22} by {who}  {fact['url']}")
    for fact in point.traces:
        by = f"  by {fact['login']}" if fact["login"] else ""
        yield words.clean(f"      also: {fact['at']}  {fact['text']}{by}  {fact['url']}")
