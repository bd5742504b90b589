"""The digest in a terminal: 100 columns, glyphs beside words, colour only as a hint."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from textwrap import wrap

from rich import box
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from pipmetrics.digest import words
from pipmetrics.digest.model import Card, Digest
from pipmetrics.digest.promises import SupportMark
from pipmetrics.digest.rows import Row, rows, short_sample
from pipmetrics.digest.words import clean
from pipmetrics.model import Json

WIDTH = 100
STYLES = {"met": "cyan", "on": "blue", "risk": "yellow", "off": "magenta", "nodata": "dim"}
CHECK_INS = {"held": "✓", "missed": "⊘", "unrecorded": "?", "upcoming": "·", "closing": "closing"}
SUPPORTS = {"done": "✓", "due": "·", "overdue": "!", "denied": "!"}


def render(digest: Digest, *, colour: bool = False) -> str:
    """The whole digest as text; `colour` adds ANSI styles."""
    out = StringIO()
    console = Console(
        file=out, width=WIDTH, force_terminal=colour, no_color=not colour, highlight=False, emoji=False, markup=False
    )
    for part in _parts(digest):
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _parts(digest: Digest) -> Iterable[RenderableType]:
    yield _head(digest)
    yield from _needs(digest)
    formal = [card for card in digest.cards if card.kind == "pip"]
    for card in formal:
        yield from _card(card)
    coaching = [card for card in digest.cards if card.kind == "coaching"]
    if coaching:
        yield Text()
        yield Rule("Coaching, informal", align="left", style="dim")
        yield from (_coaching(card) for card in coaching)
    yield from _foot(digest)


def _head(digest: Digest) -> RenderableType:
    formal = sum(card.kind == "pip" for card in digest.cards)
    coaching = len(digest.cards) - formal
    plans = [words.count(formal, "formal plan")] + ([words.count(coaching, "coaching plan")] if coaching else [])
    title = f"{digest.title} · {digest.span}"
    lines = Text(f"{title} · {clean(digest.reader)}\n" if digest.reader else f"{title}\n")
    lines.append(f"Figures as of {digest.read} · {', '.join(plans)}")
    for gap in digest.incomplete:
        lines.append(f"\nIncomplete: {clean(gap)}")
    return Panel(lines, box=box.ROUNDED, width=WIDTH, padding=(0, 1))


def _needs(digest: Digest) -> Iterable[RenderableType]:
    if not digest.needs:
        return
    yield Text("Needs you this week", style="bold")
    for place, need in enumerate(digest.needs, start=1):
        due = words.weekday(need.due) if need.due else "overdue"
        yield from _lines(f"{place}.".ljust(4) + due, [f"{need.what} ({need.why})"], indent=16)


def _card(card: Card) -> Iterable[RenderableType]:
    entry = card.evaluation
    yield Text()
    yield Rule(f" {clean(card.name)} ", align="left", style="dim")
    yield _status(card)
    yield Text(card.sentence)
    if entry.get("recommendation"):
        yield Text(f"Recommendation: {words.RECOMMENDATIONS[entry['recommendation']]}. A named person decides.")
    yield from _strip(card)
    yield _criteria(card)
    shown = rows(card)
    yield from _lines("Needed", [f"{row.id}: {row.needed}" for row in shown if row.needed])
    noted = [f"{row.id}: {note}" for row in shown for note in row.notes]
    yield from _lines("Fairness", [*card.late, *card.notes, *noted])
    yield from _lines("Support", [_support(mark) for mark in card.supports])
    yield from _lines("Disputes", card.disputes or ["none open"])
    if card.next_check_in:
        yield from _lines("Next", [f"check-in {words.weekday(card.next_check_in)}"])


def _verdict(verdict: str) -> Text:
    look = words.VERDICTS[verdict]
    return Text(f"{look.glyph} {look.word}", style=STYLES[look.css])


def _status(card: Card) -> Text:
    entry = card.evaluation
    done = round(20 * min(entry["day"], entry["days"]) / entry["days"])
    line = _verdict(entry["verdict"])
    line.append(f"   day {entry['day']} of {entry['days']} {'━' * done}{'╌' * (20 - done)} ", style="default")
    kind = "formal plan" if card.kind == "pip" else "coaching"
    line.append(f"{words.day(card.start)} – {words.day(card.end)}   {kind}", style="default")
    return line


def _strip(card: Card) -> Iterable[RenderableType]:
    if not card.check_ins:
        return
    held = card.evaluation["check_ins"]
    marks = "  ".join(f"{mark.week} {CHECK_INS[mark.state]}" for mark in card.check_ins)
    yield from _lines("Check-ins", [f"{marks}     {held['held']} of {held['due']} held"])


def _criteria(card: Card) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, width=WIDTH, padding=(0, 1), collapse_padding=True, show_edge=False)
    table.add_column("Criterion", width=27)
    for title, width in (("Now, 95%, n", 13), ("Target", 9), ("Before", 8), ("Since last week", 11)):
        table.add_column(title, width=width)
    table.add_column("By the end", width=10)
    table.add_column("Weeks", width=10, overflow="fold")
    for row, criterion in zip(rows(card), card.evaluation["criteria"], strict=True):
        table.add_row(*_cells(row, criterion))
        table.add_row()
    return table


def _cells(row: Row, criterion: Json) -> tuple[Text, ...]:
    """Sentence, now, target, before, change, by the end, week by week."""
    said = _verdict(row.verdict)
    said.append(f"\n{row.sentence}", style="default")
    judged = row.verdict != "not_enough_data"
    now = Text(row.now, style="bold")
    for part in (row.range, short_sample(criterion) if judged else row.sample):
        now.append(f"\n{part}" if part else "", style="not bold")
    baseline = criterion["baseline"]
    before = row.before + (f"\nn {baseline['n']:g}" if baseline and baseline["n"] is not None else "")
    end = "\n".join(part for part in (row.end, row.likely.removeprefix("likely ")) if part)
    weeks = _weeks(row, criterion) if judged else ""
    return said, now, Text(row.target), Text(before), Text(row.change), Text(end), Text(weeks)


def _weeks(row: Row, criterion: Json) -> str:
    """A character a week, "·" for those without a value and those to come; below it the first and the last week."""
    if row.chart is None:
        return "·" * len(criterion.get("weeks") or ())
    values = [point.value for point in row.chart.weeks]
    labels = f"\n{row.chart.weeks[0].label}–{row.chart.weeks[-1].label}" if len(values) > 1 else ""
    return words.spark(values, row.chart.low, row.chart.high) + labels


def _support(mark: SupportMark) -> str:
    when = {
        "done": f"done {words.day(mark.on)}" if mark.on else "done",
        "due": f"due {words.day(mark.due)}",
        "overdue": f"overdue since {words.day(mark.due)}",
        "denied": "recorded as given, denied by the person",
    }[mark.state]
    return f"{SUPPORTS[mark.state]} {mark.text} ({when}, {mark.owner})"


def _lines(title: str, texts: Iterable[str], indent: int = 12) -> Iterable[Text]:
    head = title.ljust(indent)
    for text in texts:
        for line in wrap(clean(text), WIDTH - indent) or [""]:
            yield Text(head + line)
            head = " " * indent


def _coaching(card: Card) -> Text:
    entry = card.evaluation
    line = Text(f"{clean(card.name)}   ")
    line.append_text(_verdict(entry["verdict"]))
    held = entry["check_ins"]
    line.append(f"   day {entry['day']} of {entry['days']}   check-ins {held['held']} of {held['due']} held")
    return line


def _foot(digest: Digest) -> Iterable[RenderableType]:
    yield Text()
    legend = "✓ Met  → On track  ◆ At risk  ■ Off track  ○ Not enough data   ⊘ missed  · upcoming  ! overdue"
    yield Text(legend, style="dim")
    yield Text("By the end: recent pace, likely range (8 in 10). Open a number: pipmetrics explain PLAN CRITERION")
    yield Text("pipmetrics proposes no decision about anyone's job.")
    if digest.ledger:
        yield Text(f"Ledger head {digest.ledger}", style="dim")
