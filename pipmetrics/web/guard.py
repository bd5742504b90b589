"""The door of every route: who is it, what do they ask for, may they. No route goes without; see `unguarded`.

Outside of one's scope the answer is 404, as if the thing did not exist. A route's action stands in its dependency, so
that it cannot be named and then not be asked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import FastAPI, Path, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from pipmetrics.access import TABLE, Actor, Answer, Thing, can, person_thing, team_thing
from pipmetrics.model import Json, Person, Plan
from pipmetrics.web.office import Office, Standing
from pipmetrics.web.sessions import Session, Sessions

if TYPE_CHECKING:
    from pipmetrics.store import Store

PUBLIC = "public"
"""The action of routes that everybody may call: sign-in, health, style sheets."""
COOKIE = "pipmetrics"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
Enter = TypeVar("Enter", bound=Callable[..., object])
NAME = Path(max_length=200, pattern=r"^\w[\w.@+-]*$")


class NotSignedIn(Exception):
    """Nobody is signed in; a page leads to the sign-in, the API says 401."""


class NotProved(Exception):
    """The act needs somebody who has just shown who they are."""


class NotFromHere(Exception):
    """A form that did not come from our own pages."""


class NotThere(HTTPException):
    """No such thing, or none in the scope of whoever asks: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__(404, "There is no such page.")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request that was let in. `sight` is True, or "redacted"."""

    office: Office
    standing: Standing
    actor: Actor
    session: Session
    thing: Thing
    sight: Answer
    plan: Plan | None = None
    person: Person | None = None

    @property
    def the_plan(self) -> Plan:
        assert self.plan is not None, "the route is not about a plan"
        return self.plan

    @property
    def the_person(self) -> Person:
        assert self.person is not None, "the route is not about a person"
        return self.person

    @property
    def now(self) -> datetime:
        return self.standing.company.now()

    @property
    def store(self) -> Store:
        return self.standing.company.store

    @property
    def people(self) -> Mapping[str, Person]:
        return self.standing.company.config.people

    def may(self, action: str, thing: Thing | None = None) -> Answer:
        return can(self.actor, action, thing or self.thing)

    def seen(self, action: str = "plan.see") -> dict[str, Answer]:
        """Plans on which the actor may do this, and how; in order of the person's family name."""
        found = {id: self.may(action, thing) for id, thing in self.standing.things.items()}
        order = sorted((id for id, answer in found.items() if answer), key=self._order)
        return {id: found[id] for id in order}

    def _order(self, plan: str) -> tuple[str, str, str]:
        name = self.people[self.standing.plans[plan].person].name
        return name.split()[-1] if name.split() else "", name, plan

    def reads(self, what: str, plans: Sequence[Plan] | None = None) -> None:
        """Logs that the actor reads plans (default: the one of the route)."""
        self.office.read(self.actor, [self.the_plan] if plans is None else plans, what)


# --- dependencies -------------------------------------------------------------------------------------------------


def public() -> Callable[[], None]:
    """For routes that need nobody."""

    def enter() -> None:
        return None

    return _named(enter, PUBLIC)


def of(thing: Thing, action: str) -> Callable[[Request], Visit]:
    """For routes about what is nobody's in particular: a page, the portfolio, the configuration, the ledger."""

    def enter(request: Request) -> Visit:
        return _enter(request, action, lambda _standing: {"thing": thing})

    return _named(enter, action)


def of_plan(action: str) -> Callable[[Request, str], Visit]:
    """For routes about the plan in their path."""

    def enter(request: Request, plan: Annotated[str, NAME]) -> Visit:
        return _enter(request, action, lambda standing: _plan(standing, plan))

    return _named(enter, action)


def of_person(action: str) -> Callable[[Request, str], Visit]:
    """For routes about the person in their path."""

    def enter(request: Request, person: Annotated[str, NAME]) -> Visit:
        return _enter(request, action, lambda standing: _person(standing, person))

    return _named(enter, action)


def of_team(action: str) -> Callable[[Request, str], Visit]:
    """For routes about the team in their path."""

    def enter(request: Request, team: Annotated[str, Path(max_length=200)]) -> Visit:
        return _enter(request, action, lambda standing: {"thing": team_thing(team, standing.company.config.people)})

    return _named(enter, action)


def _named(enter: Enter, action: str) -> Enter:
    if action not in TABLE and action != PUBLIC:
        raise RuntimeError(f"{action!r} is no action of the table in pipmetrics.access")
    enter.action = action  # type: ignore[attr-defined]  # read by `actions_of`
    return enter


def _plan(standing: Standing, id: str) -> dict[str, Any]:
    plan = standing.plans.get(id)
    return {} if plan is None else {"thing": standing.things[id], "plan": plan}


def _person(standing: Standing, id: str) -> dict[str, Any]:
    person = standing.company.config.people.get(id)
    return {} if person is None else {"thing": person_thing(person), "person": person}


def _enter(request: Request, action: str, find: Callable[[Standing], dict[str, Any]]) -> Visit:
    office: Office = request.app.state.office
    standing = office.standing()
    session = who(request, standing)
    actor = standing.actor(session.person) if session is not None else None
    if session is None or actor is None:
        raise NotSignedIn
    if request.method not in SAFE and not is_ours(request, session):
        raise NotFromHere
    found = find(standing)
    sight = can(actor, action, found["thing"]) if found else False
    if not sight:
        raise NotThere
    return Visit(office, standing, actor, session, sight=sight, **found)


# --- who it is ----------------------------------------------------------------------------------------------------


def who(request: Request, standing: Standing) -> Session | None:
    """The session of a request. Behind a proxy each request is vouched for; a session then only carries the forms."""
    sessions: Sessions = request.app.state.sessions
    now = standing.company.now()
    session = sessions.find(request.cookies.get(COOKIE), now)
    if request.app.state.access.get("mode") != "proxy":
        return session
    person = vouched(request.app.state.access, _peer(request), request.headers.getlist(_header(request)))
    if person is None or person not in standing.company.config.people:
        return None
    if session is None or session.person != person:
        session = sessions.begin(person, now, now)
        request.state.new_session = session
    return Session(session.token, person, session.began, now)


def vouched(access: Mapping[str, Json], peer: str | None, values: Sequence[str]) -> str | None:
    """Whom a trusted proxy names: only from a listed address, in exactly one header.

    With `subjects` only those they list are let in, without them the header holds a name of people.yaml.
    """
    if peer is None or len(values) != 1 or not _is_listed(peer, access.get("trusted") or ()):
        return None
    subjects: Mapping[str, str] = access.get("subjects") or {}
    return subjects.get(values[0]) if subjects else values[0]


def _is_listed(peer: str, networks: Iterable[str]) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:  # a socket, or a name: no address that could be listed
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(network) for network in networks)


def _peer(request: Request) -> str | None:
    return request.client.host if request.client is not None else None


def _header(request: Request) -> str:
    return str(request.app.state.access.get("header") or "X-Forwarded-User")


def is_ours(request: Request, session: Session) -> bool:
    """Whether a request that changes something carries the session's word (see `app.read_form`)."""
    import hmac

    return hmac.compare_digest(str(getattr(request.state, "csrf", "")), session.csrf)


# --- no route without an action -----------------------------------------------------------------------------------


def actions_of(app: FastAPI) -> dict[str, str]:
    """``METHOD /path`` -> action, of every route. RuntimeError names those without one, or with several."""
    found, wrong = {}, []
    for route in app.routes:
        path = getattr(route, "path", repr(route))
        named = sorted(_actions(route.dependant)) if isinstance(route, APIRoute) else []
        for method in sorted(getattr(route, "methods", None) or ["*"]):
            if len(named) == 1:
                found[f"{method} {path}"] = named[0]
            else:
                wrong.append(f"{method} {path}: {', '.join(named) or 'no action'}")
    if wrong:
        raise RuntimeError(f"every route must name the one action that it stands for: {'; '.join(wrong)}")
    return found


def _actions(dependant: Dependant) -> set[str]:
    own = getattr(dependant.call, "action", None)
    return ({own} if own else set()).union(*(_actions(each) for each in dependant.dependencies))
