"""The routes of the forms: ask, show what will be recorded, record it, show the entry. One set for each act."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, cast

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pipmetrics.errors import PipmetricsError, Refused, UsageError
from pipmetrics.model import Json
from pipmetrics.web import acts, forms, look, story
from pipmetrics.web.forms import Form
from pipmetrics.web.guard import NotProved, NotThere, Visit, of_person, of_plan
from pipmetrics.web.notice import notice_of
from pipmetrics.web.views import voice_of

Guarded = Callable[..., Visit]


def add(app: FastAPI) -> None:
    """Routes ``/plans/{plan}/acts/NAME`` and ``/people/{person}/acts/NAME`` of every form, under the form's action."""
    for form in acts.FORMS:
        _add(app, form)


def path_of(form: Form) -> str:
    return f"/{'plans/{plan}' if form.of == 'plan' else 'people/{person}'}/acts/{form.name}"


def guard_of(form: Form) -> Guarded:
    return cast(Guarded, of_plan(form.action) if form.of == "plan" else of_person(form.action))


def _add(app: FastAPI, form: Form) -> None:
    guard = guard_of(form)

    def ask(request: Request, visit: Visit = Depends(guard)) -> Response:  # noqa: B008 - FastAPI's way
        proved(form, visit)
        return _asked(form, visit, request.query_params, None)

    def take(request: Request, visit: Visit = Depends(guard)) -> Response:  # noqa: B008 - FastAPI's way
        proved(form, visit)
        return _take(form, visit, request.state.form)

    def recorded(seq: int, visit: Visit = Depends(guard)) -> Response:  # noqa: B008 - FastAPI's way
        return _recorded(form, visit, seq)

    path = path_of(form)
    routes = ((path, ask, "GET"), (path, take, "POST"), (f"{path}/recorded/{{seq}}", recorded, "GET"))
    for where, call, method in routes:
        app.add_api_route(where, call, methods=[method], include_in_schema=False, response_class=HTMLResponse)


def proved(form: Form, visit: Visit) -> None:
    """Signing, deciding and erasing need somebody who has just shown who they are."""
    if form.fresh and not visit.session.is_fresh(visit.now):
        raise NotProved


def _asked(form: Form, visit: Visit, values: Mapping[str, Any], problem: PipmetricsError | None) -> Response:
    status = 200 if problem is None else 409 if isinstance(problem, Refused) else 422
    return look.show(
        "act.html.j2", visit, title=form.title, status=status, form=form, values=values, problem=problem,
        back=_back(form, visit), about=_about(form, visit),
        notice=notice_of(visit.standing.company.config) if form.name == "acknowledge" else None,
        difference=_difference(form, visit),
    )  # fmt: skip


def _take(form: Form, visit: Visit, sent: Mapping[str, str]) -> Response:
    try:
        values = forms.read(form, visit, sent)
        would = forms.rehearse(form, visit, values)
        seen = forms.fingerprint(would)
        if sent.get("seen") != seen:
            shown = [(act, forms.shown(act.payload)) for act in would]
            return look.show("confirm.html.j2", visit, title=form.title, form=form, sent=_kept(sent), shown=shown,
                             seen=seen, back=_back(form, visit), about=_about(form, visit), titles=story.TITLES,
                             now=visit.now)  # fmt: skip
        given, made = forms.perform(form, visit, values)
    except (UsageError, Refused) as problem:
        return _asked(form, visit, sent, problem)
    if isinstance(given, dict):
        return download(visit, given)
    return RedirectResponse(f"{_here(form, visit)}/recorded/{made[-1].seq}", 303)


def _kept(sent: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in sent.items() if name not in ("csrf", "seen", "again")}


def _recorded(form: Form, visit: Visit, seq: int) -> Response:
    """The entry after the act, for whoever made it."""
    subject = f"plan:{visit.the_plan.id}" if form.of == "plan" else f"person:{visit.the_person.id}"
    mine = visit.store.entries(subjects=(subject,), actors=(visit.actor.id,), through=seq) if seq > 0 else []
    if not mine or mine[-1].seq != seq:
        raise NotThere
    line = story.line(mine[-1], voice_of(visit, True))
    said = forms.shown(mine[-1].payload) if mine[-1].payload is not None else []
    return look.show("recorded.html.j2", visit, title=form.title, line=line, said=said, back=_back(form, visit),
                     subject=subject, form=form)  # fmt: skip


def download(visit: Visit, made: Mapping[str, bytes]) -> Response:
    """Files as one archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, content in made.items():
            folder.writestr(name, content)
    name = f"pipmetrics-{visit.now:%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(archive.getvalue(), media_type="application/zip", headers=headers)


def _here(form: Form, visit: Visit) -> str:
    return path_of(form).format(
        plan=visit.plan.id if visit.plan else "", person=visit.person.id if visit.person else ""
    )


def _back(form: Form, visit: Visit) -> str:
    if form.of == "person":
        return f"/people/{visit.the_person.id if visit.may('ledger.read_own') else visit.actor.id}"
    return f"/plans/{visit.the_plan.id}" if visit.may("plan.see") else f"/people/{visit.actor.id}"


def _about(form: Form, visit: Visit) -> str:
    return visit.people[visit.the_plan.person if form.of == "plan" else visit.the_person.id].name


def _difference(form: Form, visit: Visit) -> str:
    """What an amendment changes: of the file for a proposal, of the open amendments for a signature."""
    if form.name == "propose":
        found = edited_of(visit)
        return found or "The file of the plan is the text that was signed."
    if form.name in ("approve", "sign-amendment"):
        waiting = [each for each in visit.standing.life(visit.the_plan.id).amendments if each.effective is None]
        return "\n\n".join(f"Amendment {each.entry}\n{each.difference}" for each in waiting)
    return ""


def edited_of(visit: Visit) -> str:
    from pipmetrics.acts import edited

    found: Json = edited(visit.standing.company.config, visit.store).get(visit.the_plan.id)
    return found.difference if found is not None else ""
