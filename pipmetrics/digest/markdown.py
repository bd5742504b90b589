"""The digest as Markdown, for a wiki page or the notes of a meeting: text stays text, whatever it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipmetrics.digest import words
from pipmetrics.digest.model import Card, Digest, Points
from pipmetrics.digest.points import Shown, drawer
from pipmetrics.digest.promises import CheckInMark, SupportMark
from pipmetrics.digest.rows import Row, rows
from pipmetrics.digest.words import clean

MARKS = re.compile(r"([\\`*_\[\]<>|~&$]|:(?=//)|(?<=[wW]{3})\.)")
"""What can begin mark-up within a line: also addresses that readers make links of."""
OPENING = re.compile(r"^(\s*)([#>+=:-]|\d+(?=[.)]))")
"""What can begin a block."""
STATES = {
    "held": "held",
    "missed": "missed",
    "unrecorded": "not recorded",
    "upcoming": "upcoming",
    "closing": "closing review",
}
ROOM = 30
"""Data points shown for a criterion."""


def escape(text: str) -> str:
    """Text from elsewhere so that no mark-up comes of it: every mark is escaped, an @ calls nobody."""
    escaped = MARKS.sub(r"\\\1", clean(text).strip()).replace("@", "@\u2060")
    return OPENING.sub(_opened, escaped)


def _opened(found: re.Match[str]) -> str:
    """The first character escaped; a number's point, not the number."""
    return f"{found[2]}\\" if found[2].isdigit() else f"\\{found[2]}"


def render(digest: Digest, points: Points | None = None) -> str:
    """The whole digest; with `points`, each criterion is followed by its data points."""
    return "\n".join(_lines(digest, points or {})).rstrip() + "\n"


def _lines(digest: Digest, points: Points) -> Iterator[str]:
    yield f"# {digest.title}"
    reader = f" · {escape(digest.reader)}" if digest.reader else ""
    yield f"\n{digest.span}{reader} · figures as of {digest.read}"
    yield from (f"\n> Incomplete: {escape(gap)}" for gap in digest.incomplete)
    if digest.needs:
        yield "\n## Needs you this week\n"
        for place, need in enumerate(digest.needs, start=1):
            due = words.weekday(need.due) if need.due else "overdue"
            yield f"{place}. **{due}**: {escape(need.what)} ({escape(need.why)})"
    for card in digest.cards:
        yield from _card(digest, card, points)
    yield "\n---\n"
    yield "pipmetrics reports what the tools recorded against what was agreed."
    yield "It proposes no decision about anyone's job."
    if digest.ledger:
        yield f"\nLedger head `{digest.ledger}`"


def _card(digest: Digest, card: Card, points: Points) -> Iterator[str]:
    entry = card.evaluation
    kind = "Coaching, informal and private" if card.private else "Formal plan"
    yield f"\n## {escape(card.name)}\n"
    span = f"{words.days_between(card.start, card.end)} {card.end.year}"
    yield f"{_verdict(entry['verdict'])} · {kind} · day {entry['day']} of {entry['days']} · {span}"
    yield f"\n{card.sentence}"
    if entry.get("recommendation"):
        yield f"\nRecommendation: {words.RECOMMENDATIONS[entry['recommendation']]}. A named person decides."
    shown = rows(card)
    yield "\n| Criterion | Verdict | Now | Target | Before the plan | Since last week | By the end | Week by week |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from (_row(row) for row in shown)
    yield from _section("Still to reach", (f"{row.sentence}: {row.needed}" for row in shown if row.needed))
    noted = [f"{row.sentence}: {note}" for row in shown for note in row.notes]
    yield from _section("Read these numbers with care", [*card.late, *card.notes, *noted])
    held = entry["check_ins"]
    said = f"Check-ins: {held['held']} of {held['due']} held"
    yield from _section(said, (_check_in(mark) for mark in card.check_ins))
    yield from _section("Support promised", (_support(mark) for mark in card.supports))
    yield from _section("Open disputes", card.disputes)
    if card.next_check_in:
        yield from _section(f"Next check-in, {words.weekday(card.next_check_in)}", card.agenda or ["no open points"])
    yield from _evidence(digest, card, points)


def _verdict(verdict: str) -> str:
    look = words.VERDICTS[verdict]
    return f"{look.glyph} **{look.word}**"


def _row(row: Row) -> str:
    now = " ".join(part for part in (f"**{escape(row.now)}**", escape(row.range), f"({escape(row.sample)})") if part)
    weeks = " ".join(f"{week.label} {escape(week.value)}" for week in row.weeks) if row.chart else escape(row.undrawn)
    end = escape(f"{row.end}, {row.likely}" if row.likely else row.end)
    change = escape(f"{row.change}, {row.noise}" if row.noise else row.change)
    before = escape(f"{row.before} ({row.before_note})" if row.before_note else row.before)
    target = escape(f"{row.target} ({row.target_note})")
    cells = (escape(row.sentence), _verdict(row.verdict), now, target, before, change, end, weeks)
    return f"| {' | '.join(cells)} |"


def _section(title: str, texts: Iterable[str]) -> Iterator[str]:
    found = [f"- {escape(text)}" for text in texts]
    if found:
        yield f"\n### {title}\n"
        yield from found


def _check_in(mark: CheckInMark) -> str:
    return f"{mark.week}, {words.day(mark.day)}: {STATES[mark.state]}"


def _support(mark: SupportMark) -> str:
    state = {"done": "done", "due": "due", "overdue": "overdue since", "denied": "denied by the person, due"}[
        mark.state
    ]
    on = mark.on if mark.state == "done" and mark.on else mark.due
    return f"{mark.text}, {mark.owner}: {state} {words.day(on)}"


def _evidence(digest: Digest, card: Card, points: Points) -> Iterator[str]:
    for criterion in card.evaluation["criteria"]:
        given = points.get((card.plan, criterion["id"]), ())
        if not given:
            continue
        opened = drawer(card, criterion, given, digest.start, ROOM)
        yield f"\n### Evidence: {escape(criterion.get('expectation') or criterion['id'])}"
        for group in opened.groups:
            yield f"\n{escape(group.title)}\n"
            yield f"| {' | '.join(group.columns)} |"
            yield f"|{'---|' * len(group.columns)}"
            yield from (_point(point) for point in group.points)
        if opened.more:
            yield f"\n{words.count(opened.more, 'more data point')} not shown here."


def _point(point: Shown) -> str:
    subject = escape(point.subject)
    linked = f"[{subject}](<{_address(point.url)}>)" if point.url else subject
    return f"| {linked} | {point.start} | {point.end} | {escape(point.value)} | {escape(point.verdict)} |"


def _address(url: str) -> str:
    """An address that cannot leave its brackets or its cell."""
    unsafe = {" ": "%20", "<": "%3C", ">": "%3E", "|": "%7C", "\\": "%5C", "`": "%60", "*": "%2A", "_": "%5F"}
    return "".join(unsafe.get(character, character) for character in url)
