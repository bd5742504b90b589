"""How the pages look: our templates over those of the digest, and what stands around every page."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipmetrics.digest import charts, html, words
from pipmetrics.digest.html import Surroundings
from pipmetrics.digest.points import REASONS, safe_url
from pipmetrics.web.guard import Visit

PAGES = (
    ("Digest", "/digest", "plan.see"),
    ("Plans", "/plans", "plan.see"),
    ("Portfolio", "/portfolio", "portfolio.see"),
    ("People", "/people", "configuration.see"),
    ("Ledger", "/ledger", "ledger.audit"),
    ("Privacy", "/privacy", "page.open"),
)


@cache
def environment() -> Environment:
    ours, digests = PackageLoader("pipmetrics.web", "templates"), PackageLoader("pipmetrics.digest", "templates")
    made = Environment(
        loader=ChoiceLoader([ours, digests]), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.globals |= {"verdicts": words.VERDICTS, "reasons": REASONS}
    made.filters |= {
        "nb": words.unbroken,
        "clean": words.clean,
        "day": lambda on: words.day(on, year=True),
        "moment": lambda at: f"{words.moment(at)} UTC",
        "url": safe_url,
        "number": words.number,
        "safe_svg": lambda drawn: Markup(drawn),  # noqa: S704 - a picture of lifeline, which escapes what it is given
        "wide": lambda series: Markup(charts.weekly(series, charts.LARGE) + charts.weekly(series, charts.NARROW)),  # noqa: S704 - charts escape what they are given
    }
    return made


@cache
def style() -> str:
    """One sheet: the digest's, then what only the pages need."""
    return f"{html.style()}\n{(files('pipmetrics.web') / 'static' / 'pages.css').read_text('utf-8')}"


def menu(visit: Visit) -> list[tuple[str, str]]:
    """The pages that the actor may open, and their own."""
    from pipmetrics.access import CONFIGURATION, LEDGER, PAGE, PORTFOLIO

    things = {"portfolio.see": PORTFOLIO, "configuration.see": CONFIGURATION, "ledger.audit": LEDGER, "page.open": PAGE}
    seen = visit.seen()
    shown = [
        (title, address)
        for title, address, action in PAGES
        if (action == "plan.see" and seen) or (action in things and visit.may(action, things[action]))
    ]
    return [*shown, ("You", f"/people/{visit.actor.id}")]


def around(visit: Visit, here: str, monday: date | None = None) -> Surroundings:
    """`monday`: of the week whose evidence can be downloaded."""
    return Surroundings(
        menu(visit), here, plan_url=lambda plan: f"/plans/{plan}",
        evidence_url=(lambda plan: f"/plans/{plan}/evidence.csv?week={monday:%G-W%V}") if monday else None,
    )  # fmt: skip


def show(template: str, visit: Visit, *, title: str, here: str = "", status: int = 200, **values: Any) -> HTMLResponse:
    """A page for somebody who is signed in."""
    text = environment().get_template(template).render(
        style=None, icons=html.icons(), menu=menu(visit), here=here, title=title,
        reader=visit.people[visit.actor.id].name, csrf=visit.session.csrf, visit=visit, **values,
    )  # fmt: skip
    return HTMLResponse(text, status)


def plain(template: str, *, title: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page for anybody."""
    text = (
        environment()
        .get_template(template)
        .render(style=None, icons=html.icons(), menu=(), here="", title=title, reader="", **values)
    )
    return HTMLResponse(text, status)
