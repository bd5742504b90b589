"""The digest as PDF, for the meeting and for signatures: A4, one plan a page, coaching left out.

WeasyPrint (the extra `pdf`) draws it; it needs Pango and HarfBuzz of the system. Nothing is fetched while drawing.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NoReturn

from markupsafe import Markup

from pipmetrics.digest import charts, lifeline, words
from pipmetrics.digest.html import environment
from pipmetrics.digest.model import Card, Digest, Points, first_name
from pipmetrics.digest.pictures import standalone
from pipmetrics.digest.points import drawer
from pipmetrics.digest.rows import rows
from pipmetrics.digest.words import clean
from pipmetrics.errors import UsageError

LIBRARIES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
ROOM = 25
"""Data points printed for a criterion."""
SIGNERS = ("For the person", "For the manager", "For HR")


def render(digest: Digest, points: Points | None = None) -> bytes:
    """The formal plans as PDF bytes. UsageError says what to install when something is missing."""
    return bytes(drawn(digest, points).write_pdf(pdf_variant="pdf/ua-1"))


def drawn(digest: Digest, points: Points | None = None) -> Any:
    """The formal plans laid out in pages (a WeasyPrint document)."""
    html = _drawer()
    return html(string=page(digest.formal(), points or {}), url_fetcher=fetch_nothing).render()


def _drawer() -> Any:
    try:
        from weasyprint import HTML  # type: ignore[import-untyped]  # it has no types
    except ImportError:
        raise UsageError(
            "PDF needs WeasyPrint, which is not installed", mend="Run: pip install 'pipmetrics[pdf]'"
        ) from None
    except OSError as error:
        missing = str(error).partition(":")[0].split()[-1].strip("'\"")
        raise UsageError(
            f"PDF needs a library of the system that cannot be loaded: {missing}",
            mend=f"On Debian: apt-get install -y {LIBRARIES}",
        ) from None
    return HTML


def fetch_nothing(url: str, *_: object, **__: object) -> NoReturn:
    raise ValueError(f"the digest fetches nothing, and was asked for {url.partition(':')[0]}")


def page(digest: Digest, points: Points) -> str:
    """What is drawn, as HTML of its own: simpler than the page, since a printer folds nothing."""
    return (
        environment()
        .get_template("print.html.j2")
        .render(
            digest=digest,
            reader=clean(digest.reader),
            as_of=digest.read,
            needs=[(words.weekday(need.due) if need.due else "Overdue", clean(need.what)) for need in digest.needs],
            incomplete=[clean(gap) for gap in digest.incomplete],
            cards=[_card(digest, card, points) for card in digest.cards],
            signers=SIGNERS,
            legend=words.VERDICTS,
        )
    )


def _card(digest: Digest, card: Card, points: Points) -> dict[str, Any]:
    entry = card.evaluation
    shown = []
    for row, criterion in zip(rows(card), entry["criteria"], strict=True):
        given = points.get((card.plan, criterion["id"]), ())
        shown.append(
            {
                "row": row,
                "chart": _picture(charts.weekly(row.chart)) if row.chart else "",
                "drawer": drawer(card, criterion, given, digest.start, ROOM),
            }
        )
    states = {"held": "held", "missed": "missed", "unrecorded": "not recorded", "closing": "closing"}
    return {
        "name": clean(card.name),
        "first_name": first_name(clean(card.name)),
        "card": card,
        "team": clean(card.team),
        "entry": entry,
        "span": f"{words.days_between(card.start, card.end)} {card.end.year}",
        "said": words.RECOMMENDATIONS.get(entry.get("recommendation") or "", ""),
        "check_ins": [f"{mark.week} {states.get(mark.state, 'to come')}" for mark in card.check_ins],
        "rows": shown,
        "life": _picture(lifeline.draw(lifeline.life_of(card, digest.as_of))),
        "notes": [clean(note) for note in (*card.late, *card.notes)],
        "disputes": [clean(dispute) for dispute in card.disputes],
        "agenda": [clean(item) for item in card.agenda],
        "supports": [
            (clean(mark.text), clean(mark.owner), _when(mark.state, mark.due, mark.on)) for mark in card.supports
        ],
        "next": words.weekday(card.next_check_in) if card.next_check_in else "",
    }


def _when(state: str, due: date, on: date | None) -> str:
    if state == "done":
        return f"done {words.day(on or due)}"
    said = {"due": "due", "overdue": "overdue since", "denied": "denied by the person, due"}[state]
    return f"{said} {words.day(due)}"


def _picture(svg: str) -> Markup:
    return Markup(standalone(svg))  # noqa: S704 - charts escape what they are given
