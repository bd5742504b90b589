"""The digest in a terminal: 100 columns, glyphs beside words, colour only as a hint."""

from __future__ import annotations

import re
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
from pipmetrics.digest.model import Card, Digest, SupportMark
from pipmetrics.model import Json

WIDTH = 100
STYLES = {"met": "cyan", "on": "blue", "risk": "yellow", "off": "magenta", "nodata": "dim"}
CHECK_INS = {"held": "✓", "missed": "⊘", "unrecorded": "?", "upcoming": "·", "closing": "closing"}
SUPPORTS = {"done": "✓", "due": "·", "overdue": "!", "denied": "!"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def render(digest: Digest, *, colour: bool = False) -> str:
    """The whole digest as text; `colour` adds ANSI styles."""
    out = StringIO()
    console = Console(
        file=out, width=WIDTH, force_terminal=colour, no_color=not colour, highlight=False, emoji=False, markup=False
    )
    for part in _parts(digest):
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def clean(text: str) -> str:
    """Text from elsewhere without control characters, escapes and direction marks."""
    return CONTROL.sub("", text.replace("\n", " "))


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
    yield from _foot()


def _head(digest: Digest) -> RenderableType:
    formal = sum(card.kind == "pip" for card in digest.cards)
    coaching = len(digest.cards) - formal
    plans = [words.count(formal, "formal plan")] + ([words.count(coaching, "coaching plan")] if coaching else [])
    week = int(digest.week.partition("-W")[2])
    title = f"Weekly digest, week {week} · {words.days_between(digest.start, digest.end)} {digest.end.year}"
    lines = Text(f"{title} · {clean(digest.reader)}\n" if digest.reader else f"{title}\n")
    lines.append(f"Figures as of {words.moment(digest.as_of)} UTC · {', '.join(plans)}")
    if digest.ledger:
        lines.append(f" · ledger head {digest.ledger[:16]}…")
    for gap in digest.incomplete:
        lines.append(f"\nIncomplete: {clean(gap)}")
    return Panel(lines, box=box.ROUNDED, width=WIDTH, padding=(0, 1))


def _needs(digest: Digest) -> Iterable[RenderableType]:
    if not digest.needs:
        return
    yield Text("Needs you this week", style="bold")
    for place, need in enumerate(digest.needs, start=1):
        due = words.weekday(need.due) if need.due else "overdue"
        yield Text(f"{place}.".ljust(4) + due.ljust(12) + clean(f"{need.what} ({need.why})"))


def _card(card: Card) -> Iterable[RenderableType]:
    entry = card.evaluation
    yield Text()
    yield Rule(f" {clean(card.name)} ", align="left", style="dim")
    yield _status(card)
    yield Text(card.sentence)
    if entry.get("recommendation"):
        yield Text(f"Recommendation: {words.RECOMMENDATIONS[entry['recommendation']]}. A named person decides.")
    yield from _strip(card)
    yield _criteria(entry)
    yield from _lines("Needed", [f"{c['id']}: {c['needed']}" for c in entry["criteria"] if c.get("needed")])
    yield from _lines("Fairness", card.notes)
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


def _criteria(entry: Json) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, width=WIDTH, padding=(0, 1), collapse_padding=True, show_edge=False)
    table.add_column("Criterion", width=29)
    for title, width in (("Now, 95%, n", 13), ("Target", 9), ("Before", 9), ("Since last week", 11)):
        table.add_column(title, width=width)
    table.add_column("By the end", width=10)
    table.add_column("Weeks", width=8)
    for criterion in entry["criteria"]:
        table.add_row(*criterion_cells(criterion))
        table.add_row()
    return table


def criterion_cells(criterion: Json) -> tuple[Text, ...]:
    """The cells of one criterion: sentence, now, target, before, change, by the end, week by week."""
    unit, direction = criterion["unit"], criterion.get("direction", "at_least")
    now = Text(words.number(criterion["value"], unit), style="bold")
    interval = criterion["interval"]
    if interval:
        now.append(f"\n{words.between(interval[0], interval[1], unit)}", style="not bold")
    now.append(f"\nn {criterion['n']:g}" if criterion["n"] is not None else "", style="not bold")
    baseline = criterion["baseline"] or {"value": None, "n": None}
    before = words.number(baseline["value"], unit) + (f"\nn {baseline['n']:g}" if baseline["n"] is not None else "")
    projection = criterion["projection"]
    end = words.NOTHING
    if projection:
        end = words.number(projection["value"], unit)
        end += (
            f"\n{words.between(projection['interval'][0], projection['interval'][1], unit)}"
            if projection["interval"]
            else ""
        )
    said = _verdict(criterion["verdict"])
    said.append("\n" + "\n".join(wrap(clean(criterion.get("expectation") or criterion["id"]), 29)), style="default")
    return (
        said,
        now,
        Text(words.bound(criterion["target"], unit, direction)),
        Text(before),
        Text(words.change(criterion["change"], unit, direction, noise=False)),
        Text(end),
        Text(_weeks(criterion)),
    )


def _weeks(criterion: Json) -> str:
    values = [week["value"] for week in criterion.get("weeks") or ()]
    known = [value for value in [*values, criterion["target"]] if value is not None]
    if not any(value is not None for value in values):
        return "·" * len(values)
    low, high = (0.0, 1.0) if criterion["unit"] == "share" else (min(0.0, *known), max(known))
    return words.spark(values, low, high)


def _support(mark: SupportMark) -> str:
    when = {
        "done": f"done {words.day(mark.on)}" if mark.on else "done",
        "due": f"due {words.day(mark.due)}",
        "overdue": f"overdue since {words.day(mark.due)}",
        "denied": "recorded as given, denied by the person",
    }[mark.state]
    return f"{SUPPORTS[mark.state]} {mark.text} ({when}, {mark.owner})"


def _lines(title: str, texts: Iterable[str]) -> Iterable[Text]:
    head = title.ljust(12)
    for text in texts:
        for line in wrap(clean(text), WIDTH - 12) or [""]:
            yield Text(head + line)
            head = " " * 12


def _coaching(card: Card) -> Text:
    entry = card.evaluation
    line = Text(f"{clean(card.name)}   ")
    line.append_text(_verdict(entry["verdict"]))
    held = entry["check_ins"]
    line.append(f"   day {entry['day']} of {entry['days']}   check-ins {held['held']} of {held['due']} held")
    return line


def _foot() -> Iterable[RenderableType]:
    yield Text()
    legend = "✓ Met  → On track  ◆ At risk  ■ Off track  ○ Not enough data   ⊘ missed  · upcoming  ! overdue"
    yield Text(legend, style="dim")
    yield Text("By the end: recent pace, likely range (8 in 10). Open a number: pipmetrics explain PLAN CRITERION")
    yield Text("pipmetrics proposes no decision about anyone's job.")
