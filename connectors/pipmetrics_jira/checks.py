"""What can be found out about a Jira source before anything is read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pipmetrics.errors import SourceError
from pipmetrics.model import Json, Source
from pipmetrics.plugin import Finding
from pipmetrics_jira.client import MOVED, Api

SKEW = 60.0
"""Seconds that clocks may differ without a word; five times that is an error."""


def findings(source: Source, api: Api, logins: Sequence[str]) -> Iterator[Finding]:
    """Server, token, clock, zone, projects, accounts. SourceError when the server can not be reached at all."""
    about = api.open()
    kind = "Cloud" if api.cloud else "Data Center"
    yield Finding("ok", f"{source.name}: {about.get('serverTitle') or 'Jira'} {about.get('version') or ''} ({kind})")
    yield from _clock(source, api)
    try:
        me = api.one(f"{api.api}/myself")
    except SourceError as error:
        if error.status not in (401, 403):
            raise
        yield Finding("error", f"{source.name}: the token is not accepted", _token_mend(api))
        return
    yield Finding(
        "ok", f"{source.name}: the token is that of {me.get('displayName') or me.get('name') or 'an account'}"
    )
    zone = me.get("timeZone") or "not told"
    yield Finding("note", f"{source.name}: the account's time zone is {zone}; no query depends on it")
    yield from _permissions(source, api)
    for login in logins:
        yield from _account(source, api, login)


def _token_mend(api: Api) -> str:
    if api.cloud:
        return "Cloud takes the e-mail address of the account as `user` and an API token of it as `token`."
    return "Data Center takes a personal access token as `token` without `user`, or a user name with a password."


def _clock(source: Source, api: Api) -> Iterator[Finding]:
    skew = abs(api.wire.skew)
    if skew > SKEW:
        yield Finding(
            "error" if skew > 5 * SKEW else "warning",
            f"{source.name}: its clock and the one here differ by {skew:.0f} s",
            "Set both by NTP: as_of is taken from the clock here.",
        )
    else:
        yield Finding("ok", f"{source.name}: its clock and the one here agree")


def _permissions(source: Source, api: Api) -> Iterator[Finding]:
    for project in source.projects:
        granted = _granted(api, project)
        if granted is None or granted.get("BROWSE_PROJECTS") is False:
            yield Finding(
                "error",
                f"{source.name}: the project {project} does not exist, or this account may not see it",
                "Give the account the permission Browse Projects there, or correct `projects`.",
            )
        else:
            yield Finding("ok", f"{source.name}: {project} can be read")
    if (_granted(api, None) or {}).get("ADMINISTER"):
        yield Finding(
            "warning",
            f"{source.name}: this account administers Jira",
            "Use an account that may only read: nothing is ever written.",
        )


def _granted(api: Api, project: str | None) -> Mapping[str, bool] | None:
    """Permission -> granted; None when there is no such project to this account."""
    asked = {"permissions": "BROWSE_PROJECTS,ADMINISTER"} | ({"projectKey": project} if project else {})
    try:
        listed = api.one(f"{api.api}/mypermissions", **asked).get("permissions")
    except SourceError as error:
        if error.status not in (400, 403, *MOVED):
            raise
        return None
    if not isinstance(listed, Mapping):
        return {}
    return {name: bool(each.get("havePermission")) for name, each in listed.items() if isinstance(each, Mapping)}


def _account(source: Source, api: Api, login: str) -> Iterator[Finding]:
    """Whether a configured account exists: by e-mail address, accountId, or on Data Center user name."""
    found = _by_mail(api, login) if "@" in login else _by_name(api, login)
    if not found:
        yield Finding(
            "error", f"{source.name}: there is no account {login}", "Correct `accounts` of the person in people.yaml."
        )
    elif "@" in login and not any(_same(each.get("emailAddress"), login) for each in found):
        id = str(found[0].get("accountId") or found[0].get("name") or "")
        yield Finding(
            "warning" if len(found) == 1 else "error",
            f"{source.name}: the e-mail address {login} is hidden by its account's privacy settings",
            f"Write the account itself into people.yaml{f', probably {id}' if len(found) == 1 else ''}.",
        )
    else:
        gone = all(each.get("active") is False for each in found)
        state = "is deactivated" if gone else "exists"
        yield Finding("note" if gone else "ok", f"{source.name}: the account {login} {state}")


def _by_mail(api: Api, mail: str) -> list[Mapping[str, Json]]:
    asked = {"query": mail} if api.cloud else {"username": mail}
    found = _asked(lambda: list(api.many(f"{api.api}/user/search", **asked)))
    return [each for each in found if _same(each.get("emailAddress") or mail, mail)]


def _by_name(api: Api, login: str) -> list[Mapping[str, Json]]:
    asked = {"accountId": login} if api.cloud else {"username": login}
    return _asked(lambda: [api.one(f"{api.api}/user", **asked)])


def _asked(question: Callable[[], list[Mapping[str, Json]]]) -> list[Mapping[str, Json]]:
    """The answer; nothing where the account is unknown."""
    try:
        return question()
    except SourceError as error:
        if error.status not in (400, 403, 404):
            raise
        return []


def _same(one: Json, other: str) -> bool:
    return isinstance(one, str) and one.casefold() == other.casefold()
