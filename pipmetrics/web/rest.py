"""The JSON API: what the pages show and do, for programs. Same guards, same record of reading, same acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI, Query, Response
from pydantic import BaseModel, ConfigDict, create_model
from pydantic import Field as Ask

from pipmetrics.access import CONFIGURATION, LEDGER, PAGE, PORTFOLIO
from pipmetrics.model import Json
from pipmetrics.store import Recorded
from pipmetrics.web import acting, acts, forms, gather, saying, story
from pipmetrics.web.evidence import Filters, evidence_of
from pipmetrics.web.forms import Field, Form
from pipmetrics.web.guard import NotThere, Visit, of, of_person, of_plan, of_team
from pipmetrics.web.notice import notice_of
from pipmetrics.web.pages import Week, week_of
from pipmetrics.web.views import PlanView, summary, view_of, voice_of

Anybody = Annotated[Visit, Depends(of(PAGE, "page.open"))]
OfPlan = Annotated[Visit, Depends(of_plan("plan.see"))]


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    error: str
    mend: str = ""


ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody is signed in."},
    403: {"model": Problem, "description": "The request did not come from our pages, or the act needs a new sign-in."},
    404: {"model": Problem, "description": "There is no such thing, or none in your scope."},
    409: {"model": Problem, "description": "The act is refused."},
    413: {"model": Problem, "description": "The request is too large."},
    422: {"model": Problem, "description": "Something that was sent does not fit."},
    503: {"model": Problem, "description": "The store cannot be read at the moment."},
}


def add(app: FastAPI) -> None:
    for path, call, name in READS:
        app.add_api_route(f"/api{path}", call, methods=["GET"], name=name, response_model=None, responses=ERRORS)
    for form in acts.FORMS:
        _add(app, form)


# --- reading ------------------------------------------------------------------------------------------------------


def me(visit: Anybody) -> Json:
    """Who is signed in, what they may do in general, and the word that their requests must carry."""
    return {
        "person": visit.actor.id,
        "name": visit.people[visit.actor.id].name,
        "roles": sorted(visit.actor.roles),
        "csrf": visit.session.csrf,
        "plans": list(visit.seen()),
        "attests": [id for id, thing in visit.standing.things.items() if visit.may("point.attest", thing)],
    }


def plans(visit: Anybody) -> Json:
    """The plans in sight, in order of the person's family name."""
    chosen = visit.seen()
    visit.reads("list of plans", [visit.standing.plans[id] for id in chosen])
    return [summary(visit, visit.standing.plans[id], sight) for id, sight in chosen.items()]


def plan(visit: OfPlan) -> Json:
    """A plan with its whole life."""
    visit.reads("plan")
    return plan_json(visit, view_of(visit, visit.the_plan, visit.sight))


def plan_json(visit: Visit, view: PlanView) -> Json:
    return {
        **summary(visit, visit.the_plan, visit.sight),
        "waits": view.waits,
        "as_of": view.scored.as_of.isoformat().replace("+00:00", "Z") if view.scored else None,
        "entry": view.scored.seq if view.scored else None,
        "evaluation": view.entry,
        "agreement": _agreement(view),
        "disputes": [_dispute(each) for each in view.disputes()],
        "signatures": [_signature(view, each) for each in view.life.signatures],
        "amendments": [_amendment(view, each) for each in view.life.amendments],
        "decisions": [_decision(view, each) for each in view.life.decisions],
        "edited": view.edited,
        "story": [line.to_json() for line in view.story()],
        "looked": [line.to_json() for line in view.looked()] if visit.may("ledger.read") else [],
        "acts": [form.name for form in acts.offered(visit, "plan")],
    }


def _agreement(view: PlanView) -> Json:
    plan = view.plan
    return {
        "deficiencies": [{"id": each.id, "text": each.text, "evidence": each.evidence} for each in plan.deficiencies],
        "criteria": [{"id": each.id, "expectation": each.expectation, "metric": each.metric,
                      "criterion": each.criterion} for each in plan.criteria],
        "supports": [{"text": each.text, "owner": each.owner, "due": each.due.isoformat()} for each in plan.supports],
        "consequences": plan.consequences,
    }  # fmt: skip


def _dispute(each: Any) -> Json:
    return {"number": each.entry, "criterion": each.criterion, "key": each.key, "by": each.by, "why": each.why,
            "state": each.state, "decided_by": each.decided_by, "answer": each.answer}  # fmt: skip


def _signature(view: PlanView, each: Any) -> Json:
    return {"by": view.voice.name(each.by), "side": each.side, "what": each.what, "about": each.about,
            "agrees": each.agrees, "comment": view.voice.text(each.comment), "entry": each.entry}  # fmt: skip


def _amendment(view: PlanView, each: Any) -> Json:
    signed = {side: view.voice.name(by) for side, by in each.signed.items()}
    return {"number": each.entry, "by": view.voice.name(each.by), "why": view.voice.text(each.why),
            "difference": view.voice.text(each.difference), "signed": signed,
            "effective": each.effective.isoformat() if each.effective else None}  # fmt: skip


def _decision(view: PlanView, each: Any) -> Json:
    return {"outcome": each.outcome, "by": view.voice.name(each.by), "why": view.voice.text(each.why),
            "until": each.until.isoformat() if each.until else None, "recommendation": each.recommendation,
            "overrides": each.overrides, "entry": each.entry}  # fmt: skip


def criterion(
    visit: OfPlan, criterion: str, standing: Annotated[str, Query(max_length=40)] = "",
    text: Annotated[str, Query(max_length=200)] = "", week: Week = "",
) -> Json:  # fmt: skip
    """The evidence of one criterion: every data point, with the facts that it was counted from."""
    filters = Filters(standing, text, week_of(visit, week) if week else None)
    found = evidence_of(visit, visit.the_plan, criterion, filters)
    if found is None:
        raise NotThere
    visit.reads(f"{saying.EVIDENCE}{criterion}")
    return found.to_json() | ({"plan": visit.the_plan.id})


def plan_ledger(visit: Annotated[Visit, Depends(of_plan("ledger.read"))]) -> Json:
    """Every entry of a plan, who looked included."""
    visit.reads("ledger of the plan")
    return _told(visit, visit.store.entries(subjects=(f"plan:{visit.the_plan.id}",)))


def person_ledger(visit: Annotated[Visit, Depends(of_person("ledger.read_own"))]) -> Json:
    """The entries about a person that are about no plan: exports, holds, erasures."""
    return _told(visit, visit.store.entries(subjects=(f"person:{visit.the_person.id}",)))


def ledger(
    visit: Annotated[Visit, Depends(of(LEDGER, "ledger.audit"))],
    before: Annotated[int | None, Query(ge=1, le=10**15)] = None,
) -> Json:
    """A hundred entries before a number, newest first; for who administers, their metadata alone."""
    entries, more = gather.ledger(visit, before)
    told = [story.metadata(each) for each in entries] if visit.sight == "redacted" else _told(visit, entries)
    return {"head": str(visit.store.head()), "entries": told, "before": more}


def _told(visit: Visit, entries: list[Recorded]) -> list[Json]:
    return [line.to_json() for line in story.lines(entries, voice_of(visit, True))]


def digest(visit: Anybody, week: Week = "") -> Json:
    """The weekly digest of the plans that the reader may see whole."""
    chosen = [visit.standing.plans[id] for id, sight in visit.seen().items() if sight is True]
    monday = week_of(visit, week)
    visit.reads(f"digest of {monday:%G-W%V}", chosen)
    return gather.week(visit, chosen, monday).digest.to_json()


def portfolio(visit: Annotated[Visit, Depends(of(PORTFOLIO, "portfolio.see"))]) -> Json:
    """How the practice goes."""
    return gather.portfolio(visit).to_json()


def people(visit: Annotated[Visit, Depends(of(CONFIGURATION, "configuration.see"))]) -> Json:
    """Identities and offices; no plan, no number, no secret."""
    config = visit.standing.company.config
    return {
        "people": [
            {"person": each.id, "name": each.name, "manager": each.manager, "team": each.team, "unit": each.unit,
             "roles": sorted(each.roles),
             "accounts": {name: list(logins or ()) for name, logins in each.accounts.items()}}
            for each in config.people.values()
        ],
        "sources": [{"source": each.name, "connector": each.connector, "url": each.url}
                    for each in config.settings.sources.values()],
        "fault": visit.office.fault,
    }  # fmt: skip


def team(
    visit: Annotated[Visit, Depends(of_team("team.see"))], team: str, metric: Annotated[str, Query(max_length=100)]
) -> Json:
    """Figures of a team of at least five people, all of them together, over the last 90 days."""
    return gather.team_figures(visit, team, metric)


def notice(visit: Anybody) -> Json:
    """The privacy notice, and the hash by which it is acknowledged."""
    made = notice_of(visit.standing.company.config)
    return made.to_json() | {"digest": made.digest}


READS: tuple[tuple[str, Callable[..., Json], str], ...] = (
    ("/me", me, "me"),
    ("/plans", plans, "plans"),
    ("/plans/{plan}", plan, "plan"),
    ("/plans/{plan}/criteria/{criterion}", criterion, "evidence"),
    ("/plans/{plan}/ledger", plan_ledger, "ledger of a plan"),
    ("/people/{person}/ledger", person_ledger, "ledger of a person"),
    ("/ledger", ledger, "ledger"),
    ("/digest", digest, "digest"),
    ("/portfolio", portfolio, "portfolio"),
    ("/people", people, "people"),
    ("/teams/{team}", team, "team"),
    ("/notice", notice, "notice"),
)


# --- acting -------------------------------------------------------------------------------------------------------


class Body(BaseModel):
    """What an act takes; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")


class Would(BaseModel):
    """What would be recorded."""

    act: str
    subject: str
    actor: str
    payload: dict[str, Any]


class Preview(BaseModel):
    would_record: list[Would]


class Entry(BaseModel):
    """One entry of the ledger as it was recorded."""

    seq: int
    at: str
    act: str
    subject: str
    actor: str
    hash: str
    payload: dict[str, Any] | None


class Done(BaseModel):
    recorded: list[Entry]


def _model(form: Form) -> type[Body]:
    fields: dict[str, Any] = {each.name: _typed(each) for each in form.fields}
    name = "".join(part.capitalize() for part in form.name.split("-"))
    return cast(type[Body], create_model(name, __base__=Body, **fields))


def _typed(each: Field) -> tuple[Any, Any]:
    kinds: dict[str, Any] = {
        "words": Annotated[str, Ask(max_length=forms.LONGEST)],
        "given": Annotated[str, Ask(max_length=forms.LONGEST)],
        "choice": Annotated[str, Ask(max_length=200)],
        "day": date,
        "number": Annotated[float, Ask(allow_inf_nan=False)],
        "tick": bool,
        "reasons": dict[str, Annotated[str, Ask(max_length=forms.LONGEST)]],
    }
    kind, said = kinds[each.kind], f"{each.label}. {each.hint}".strip()
    return (kind, Ask(description=said)) if each.required else (kind | None, Ask(default=None, description=said))


def _add(app: FastAPI, form: Form) -> None:
    model, guard = _model(form), acting.guard_of(form)

    def act(body: Any, response: Response, visit: Any = Depends(guard), preview: bool = False) -> Any:  # noqa: B008 - FastAPI's way
        acting.proved(form, visit)
        values = forms.read(form, visit, body.model_dump(exclude_none=True))
        if preview:
            response.status_code = 200
            return {"would_record": [_would(each) for each in forms.rehearse(form, visit, values)]}
        given, entries = forms.perform(form, visit, values)
        if isinstance(given, dict):
            return acting.download(visit, given)
        return {"recorded": [_entry(each) for each in entries]}

    act.__annotations__["body"] = model
    exports = form.name == "export"
    told: dict[str, Any] = {"model": Preview, "description": "What would be recorded."}
    if exports:
        told |= {"content": {"application/zip": {}}, "description": "The archive, or what would be recorded."}
    app.add_api_route(
        f"/api{acting.path_of(form)}", act, methods=["POST"], status_code=200 if exports else 201, name=form.name,
        summary=form.title, description=form.does, responses=ERRORS | {200: told},
        response_model=None if exports else Done | Preview,
    )  # fmt: skip


def _would(act: Any) -> Json:
    return {"act": act.act, "subject": act.subject, "actor": act.actor, "payload": act.payload}


def _entry(entry: Recorded) -> Json:
    at = entry.at.isoformat().replace("+00:00", "Z")
    return {"seq": entry.seq, "at": at, "act": entry.act, "subject": entry.subject, "actor": entry.actor,
            "hash": entry.hash, "payload": entry.payload}  # fmt: skip
