"""The pages that are read. Each names its action; each reading of a plan is recorded before the page is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pipmetrics.access import CONFIGURATION, LEDGER, PAGE, PORTFOLIO
from pipmetrics.digest import evidence as evidence_csv
from pipmetrics.digest import html, lifeline
from pipmetrics.digest.rows import rows
from pipmetrics.errors import UsageError
from pipmetrics.explain import TITLES
from pipmetrics.web import acts, gather, look, saying, story
from pipmetrics.web.evidence import Filters, evidence_of
from pipmetrics.web.guard import NotThere, Visit, of, of_person, of_plan
from pipmetrics.web.notice import notice_of
from pipmetrics.web.views import PlanView, summary, view_of, voice_of
from pipmetrics.weekly import monday_of

Week = Annotated[str, Query(pattern=r"^(\d{4}-W\d{2})?$")]
Anybody = Annotated[Visit, Depends(of(PAGE, "page.open"))]
OfPlan = Annotated[Visit, Depends(of_plan("plan.see"))]


def start(visit: Anybody) -> Response:
    """Leads to the digest of whoever has plans to read, and to their own page otherwise."""
    return RedirectResponse("/digest" if visit.seen() else f"/people/{visit.actor.id}", 303)


def digest(visit: Anybody, week: Week = "") -> Response:
    """The weekly digest of the plans that the actor may read whole; the last complete week by default."""
    chosen = [visit.standing.plans[id] for id, sight in visit.seen().items() if sight is True]
    monday = week_of(visit, week)
    visit.reads(f"digest of {monday:%G-W%V}", chosen)
    told = gather.week(visit, chosen, monday)
    around = look.around(visit, "Digest", monday)
    return HTMLResponse(html.render(told.digest, told.points, whole=False, around=around))


def week_of(visit: Visit, week: str) -> date:
    try:
        return monday_of(week or None, visit.standing.company)
    except UsageError:
        raise NotThere from None


def plans(visit: Anybody) -> Response:
    seen = visit.seen()
    told = [summary(visit, visit.standing.plans[id], sight) for id, sight in seen.items()]
    visit.reads("list of plans", [visit.standing.plans[id] for id in seen])
    return look.show("plans.html.j2", visit, title="Plans", here="Plans", plans=told)


def plan_page(visit: OfPlan) -> Response:
    """The whole life of a plan."""
    visit.reads("plan")
    view = view_of(visit, visit.the_plan, visit.sight)
    return look.show("plan.html.j2", visit, title=f"{_title(view)}", here="Plans", **_parts(visit, view))


def evidence_file(visit: OfPlan, week: Week = "") -> Response:
    """All data points of a week's digest of the plan as CSV; not for who may see no names."""
    if visit.sight is not True:
        raise NotThere
    monday = week_of(visit, week)
    visit.reads(f"evidence file of {monday:%G-W%V}")
    told = gather.week(visit, [visit.the_plan], monday)
    name = quote(f"{visit.the_plan.id}-{monday:%G-W%V}.csv")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(evidence_csv.render(told.digest, told.points), media_type="text/csv", headers=headers)


def _title(view: PlanView) -> str:
    return f"The plan of {view.voice.name(view.plan.person)}"


def _parts(visit: Visit, view: PlanView) -> dict[str, Any]:
    card = view.card
    life = lifeline.life_of(card, view.scored.as_of) if card is not None and view.scored is not None else None
    return {
        "view": view,
        "card": card,
        "rows": rows(card) if card is not None else (),
        "life": life,
        "draw": lifeline.draw,
        "frames": (lifeline.WIDE, lifeline.NARROW),
        "check_in_looks": html.CHECK_INS,
        "support_looks": html.SUPPORTS,
        "forms": acts.offered(visit, "plan"),
        "history": view.history(),
    }


def evidence(visit: OfPlan, criterion: str, standing: str = "", text: str = "", week: Week = "") -> Response:
    """The evidence of one criterion, with filters."""
    filters = Filters(standing[:40], text[:200], week_of(visit, week) if week else None)
    found = evidence_of(visit, visit.the_plan, criterion, filters)
    if found is None:
        raise NotThere
    visit.reads(f"{saying.EVIDENCE}{criterion}")
    view = view_of(visit, visit.the_plan, visit.sight)
    row = next((each for each in rows(view.card) if each.id == criterion), None) if view.card is not None else None
    return look.show(
        "evidence.html.j2", visit, title=f"Evidence: {found.criterion['expectation'] or criterion}", here="Plans",
        found=found, filters=filters, week=week, row=row, titles=TITLES, view=view,
        contests=visit.may("point.contest") is True,
    )  # fmt: skip


def portfolio(visit: Annotated[Visit, Depends(of(PORTFOLIO, "portfolio.see"))]) -> Response:
    """How the practice goes."""
    reader = visit.people[visit.actor.id].name
    around = look.around(visit, "Portfolio")
    return HTMLResponse(gather.portfolio(visit).to_html(reader=reader, whole=False, around=around))


def people(visit: Annotated[Visit, Depends(of(CONFIGURATION, "configuration.see"))]) -> Response:
    """Identities and offices for whoever configures: no plan, no number, no secret."""
    config = visit.standing.company.config
    accounts = visit.store.accounts()
    known = set(zip(accounts["source"], accounts["login"].str.casefold(), strict=True))
    return look.show("people.html.j2", visit, title="People and identities", here="People",
                     people=list(config.people.values()), sources=config.settings.sources, known=known,
                     fault=visit.office.fault, gaps=visit.store.gaps(list(config.settings.sources)))  # fmt: skip


def person_page(visit: Annotated[Visit, Depends(of_person("ledger.read_own"))]) -> Response:
    """Somebody's own page: their plans, what they may do about their data, who looked."""
    person = visit.the_person
    own = [plan for id, plan in visit.standing.plans.items() if plan.person == person.id and visit.may(
        "plan.see", visit.standing.things[id]) is True]  # fmt: skip
    attests = [plan for id, plan in visit.standing.plans.items() if person.id == visit.actor.id
               and visit.may("point.attest", visit.standing.things[id])]  # fmt: skip
    subjects = [f"plan:{plan.id}" for plan in own]
    looked = story.lines(reversed(visit.store.entries(acts=("read", "export"), subjects=[
        *subjects, f"person:{person.id}"])), voice_of(visit, True))  # fmt: skip
    mine = story.lines(reversed(visit.store.entries(subjects=(f"person:{person.id}",))), voice_of(visit, True))
    return look.show("person.html.j2", visit, title=person.name, here="You" if person.id == visit.actor.id else "",
                     person=person, plans=own, attests=attests, looked=looked, mine=mine,
                     forms=acts.offered(visit, "person"))  # fmt: skip


def ledger(visit: Annotated[Visit, Depends(of(LEDGER, "ledger.audit"))], before: int | None = None) -> Response:
    """All entries, newest first; for who administers, that there are entries and of which kind, and no more."""
    entries, more = gather.ledger(visit, before)
    shown = [story.metadata(entry) for entry in entries] if visit.sight == "redacted" else [
        line.to_json() for line in story.lines(entries, voice_of(visit, True))]  # fmt: skip
    return look.show("ledger.html.j2", visit, title="Ledger", here="Ledger", lines=shown, head=str(visit.store.head()),
                     more=more, plan=None, whole=visit.sight is True)  # fmt: skip


def plan_ledger(visit: Annotated[Visit, Depends(of_plan("ledger.read"))]) -> Response:
    """Every entry of a plan, and who looked."""
    visit.reads("ledger of the plan")
    entries = visit.store.entries(subjects=(f"plan:{visit.the_plan.id}",))
    shown = [line.to_json() for line in story.lines(reversed(entries), voice_of(visit, True))]
    return look.show("ledger.html.j2", visit, title=f"Ledger of {visit.the_plan.id}", here="Plans", lines=shown,
                     head=str(visit.store.head()), more=None, plan=visit.the_plan, whole=True)  # fmt: skip


def privacy(visit: Anybody) -> Response:
    """The notice, made from the configuration."""
    notice = notice_of(visit.standing.company.config)
    return look.show("privacy.html.j2", visit, title="Privacy notice", here="Privacy", notice=notice)


PAGES: tuple[tuple[str, Callable[..., Response]], ...] = (
    ("/", start),
    ("/digest", digest),
    ("/plans", plans),
    ("/plans/{plan}", plan_page),
    ("/plans/{plan}/evidence.csv", evidence_file),
    ("/plans/{plan}/criteria/{criterion}", evidence),
    ("/portfolio", portfolio),
    ("/people", people),
    ("/people/{person}", person_page),
    ("/ledger", ledger),
    ("/plans/{plan}/ledger", plan_ledger),
    ("/privacy", privacy),
)


def add(app: FastAPI) -> None:
    for path, call in PAGES:
        app.add_api_route(path, call, methods=["GET"], include_in_schema=False, response_class=HTMLResponse)
