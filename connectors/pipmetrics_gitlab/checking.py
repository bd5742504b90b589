"""The online check: token, scopes, projects, accounts, clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipmetrics.errors import Deferred, SourceError
from pipmetrics.plugin import Finding
from pipmetrics_gitlab import projects
from pipmetrics_gitlab.api import Api
from pipmetrics_gitlab.graphql_reader import Talk

NEEDED = frozenset({"read_api", "read_user"})
"""The most that this connector has a use for; `read_api` alone is enough."""
SKEW = 300.0
"""Seconds that the server's clock may differ from ours."""


def findings(api: Api, logins: Sequence[str], skip: Sequence[str]) -> Iterator[Finding]:
    """Ends after the first finding when the service cannot be reached or does not accept the token."""
    try:
        yield _user(api)
    except SourceError as error:
        yield Finding("error", error.what, error.mend)
        return
    yield from _scopes(api)
    yield from _clock(api)
    yield from _projects(api, skip)
    for login in logins:
        yield from _account(api, login)


def _user(api: Api) -> Finding:
    found = api.object("/user")
    return Finding("ok", f"the token is accepted, as {found.get('username', 'somebody unnamed')}")


def _scopes(api: Api) -> Iterator[Finding]:
    try:
        found = api.object("/personal_access_tokens/self")
    except SourceError as error:
        if error.status not in (401, 403, 404):
            raise
        yield Finding("note", "what the token may do cannot be seen: it is of another kind, or GitLab older than 15.5")
        return
    scopes = [str(scope) for scope in found.get("scopes") or ()]
    wide = sorted(set(scopes) - NEEDED)
    if wide:
        mend = "Use a token with the scope read_api alone."
        yield Finding("warning", f"the token may do more than reading: {', '.join(wide)}", mend)
    elif "read_api" in scopes:
        yield Finding("ok", "the token can only read")
    if not {"read_api", "api"} & set(scopes):
        held = ", ".join(scopes) or "none"
        yield Finding("error", f"the token may not read projects: its scopes are {held}", "Give it the scope read_api.")
    if found.get("expires_at"):
        yield Finding("note", f"the token expires on {found['expires_at']}")


def _clock(api: Api) -> Iterator[Finding]:
    skew = api.wire.skew
    if abs(skew) > SKEW:
        ahead = "ahead of" if skew > 0 else "behind"
        yield Finding("warning", f"GitLab's clock is {abs(skew):.0f} s {ahead} ours", "Set both by a time server.")
    elif api.now is not None:
        yield Finding("ok", f"the clocks agree to {abs(skew):.0f} s")


def _projects(api: Api, skip: Sequence[str]) -> Iterator[Finding]:
    found = projects.find(api, Talk(api), {}, skip)
    for gap in found.gaps:
        yield Finding("error", f"{gap.part}: {gap.reason}", "Check the name, and that the token may see it.")
    if not found.projects and not found.gaps:
        yield Finding("error", "no project matches the configuration", "Check `projects` of the source.")
    for path in found.projects:
        try:
            api.page(f"/projects/{found.projects[path].id}/merge_requests", per_page=1)
        except SourceError as error:
            if isinstance(error, Deferred):
                raise
            yield Finding("error", f"{path}: {error.what}", error.mend or "Give the token the role Reporter there.")
        else:
            yield Finding("ok", f"{path} is readable")


def _account(api: Api, login: str) -> Iterator[Finding]:
    found = api.page("/users", username=login).rows
    if not any(str(row.get("username", "")).lower() == login.lower() for row in found):
        mend = "Correct the account in people.yaml; a former name is fine after the present one."
        yield Finding("warning", f"no account is called {login!r}", mend)
