"""Writes a commented configuration to start from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from pipmetrics.config import values
from pipmetrics.config.values import Unfit
from pipmetrics.errors import UsageError

_IGNORED = """\
# The database and its companions hold personal data; the key signs the ledger, links sign people in.
*.db
*.db-*
ledger.key
sign-in/
"""


def write_starting_config(
    folder: str | Path,
    *,
    github: str | None = None,
    repositories: Sequence[str] = (),
    gitlab: str | None = None,
    jira: str | None = None,
    projects: Sequence[str] = (),
    person: str = "ada",
    manager: str = "dana",
    timezone: str = "UTC",
    start: date = date(2027, 1, 11),
) -> tuple[Path, ...]:
    """The files written: pipmetrics.yaml, people.yaml, one draft plan, .gitignore; `load` accepts them as they are.

    `projects` with a slash are GitLab's, others Jira's, unless only one of the two is there. Without any service, a
    GitHub is written as an example. UsageError when a value does not fit or when a file is there already; nothing is
    written then.
    """
    _check_all(timezone, (("--github", github), ("--gitlab", gitlab), ("--jira", jira)), (person, manager))
    for name in (*repositories, *projects):
        _checked("a repository or project", values.line, name)
    root = Path(folder)
    texts = {
        root / "pipmetrics.yaml": _settings(_sources(github, repositories, gitlab, jira, projects), timezone),
        root / "people.yaml": _people(person, manager, _names(github, gitlab, jira)),
        root / "plans" / f"{person}-coaching.yaml": _plan(person, manager, start),
        root / ".gitignore": _IGNORED,
    }
    _write(root, texts)
    return tuple(texts)


def _write(root: Path, texts: Mapping[Path, str]) -> None:
    """All of the files or, when one of them is there already, none."""
    for path in texts:
        if path.exists() or path.is_symlink():
            raise UsageError("this file is there already", where=str(path), mend="Choose another folder, or remove it.")
    try:
        (root / "plans").mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8") as stream:
                stream.write(text)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(error.filename or root)) from error


def _check_all(timezone: str, urls: Sequence[tuple[str, str | None]], people: Sequence[str]) -> None:
    _checked("--timezone", values.zone, timezone)
    for option, url in urls:
        if url is not None:
            _checked(option, values.web_address, url)
    for name in people:
        _checked("a person", values.name, name)


def _checked(where: str, check: Callable[[Any], Any], value: str) -> None:
    try:
        check(value)
    except Unfit as error:
        raise UsageError(error.what, where=where, mend=error.mend) from None


def _names(github: str | None, gitlab: str | None, jira: str | None) -> list[str]:
    given = {"hub": github, "lab": gitlab, "jira": jira}
    return [name for name, url in given.items() if url is not None] or ["hub"]


def _quoted(value: str) -> str:
    """Text in double quotes, which YAML reads as JSON does."""
    return json.dumps(value, ensure_ascii=False)


def _plain(name: str) -> str:
    """A name as YAML reads it back: in quotes when it could be taken for something else."""
    return name if re.fullmatch(r"[a-z][a-z0-9-]*", name) and name not in ("null", "true", "false") else _quoted(name)


def _listed(names: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(name) for name in names) + "]"


def _sources(
    github: str | None, repositories: Sequence[str], gitlab: str | None, jira: str | None, projects: Sequence[str]
) -> str:
    """The section `sources`, one block a service."""
    both = gitlab is not None and jira is not None
    in_gitlab = [name for name in projects if "/" in name or not both]
    in_jira = [name for name in projects if "/" not in name or not both]
    blocks = []
    if github is not None or (gitlab is None and jira is None):
        blocks.append(_github(github or "https://api.github.com", repositories or ["acme/api", "acme/web-*"]))
    if gitlab is not None:
        blocks.append(_gitlab(gitlab, in_gitlab or ["platform/core"]))
    if jira is not None:
        blocks.append(_jira(jira, in_jira or ["PAY"]))
    return "".join(indent(dedent(block), "  ") for block in blocks)


def _github(url: str, repositories: Sequence[str]) -> str:
    return f"""\
        hub:                                     # a name of your choice; people's accounts refer to it
          connector: github
          url: {url}
          token: "${{GITHUB_TOKEN}}"               # read from the environment; never the token itself
          repositories: {_listed(repositories)}
          production: ["production"]             # environments whose deployments count
          bugs: {{labels: ["bug"]}}                # which issues are bugs
        """


def _gitlab(url: str, projects: Sequence[str]) -> str:
    return f"""\
        lab:
          connector: gitlab
          url: {url}
          token: "${{GITLAB_TOKEN}}"
          projects: {_listed(projects)}
          production: ["production"]
          bugs: {{labels: ["bug"]}}
        """


def _jira(url: str, projects: Sequence[str]) -> str:
    return f"""\
        jira:
          connector: jira
          url: {url}
          user: "${{JIRA_USER}}"                   # Cloud: the e-mail address that goes with the token
          token: "${{JIRA_TOKEN}}"
          projects: {_listed(projects)}
          bugs: {{types: ["Bug"]}}
          caused_by: ["is caused by"]            # links from a bug to what caused it
        """


def _settings(sources: str, timezone: str) -> str:
    return (
        dedent(f"""\
        # Where the facts come from, where they are kept, when the jobs run.
        # Completion in an editor: `pipmetrics schema pipmetrics > pipmetrics.schema.json`, and as the first line here
        # yaml-language-server: $schema=pipmetrics.schema.json
        store: sqlite:///pipmetrics.db             # beside this file; or "${{PIPMETRICS_STORE}}" for PostgreSQL
        timezone: {timezone}
        calendar:                                  # public holidays: add country: DE, subdivision: BE
          days: Mon-Fri
          hours: "09:00-17:00"
        sources:
        """)
        + sources
        + dedent("""\
        history: 180 days                          # how far back the first pull goes
        schedule: {nightly: "02:30", digest: "Mon 07:00"}
        # delivery: {urls: ["${SLACK_URL}"], mail_from: pip@example.com, smtp: "${SMTP_URL}"}
        """)
    )


def _people(person: str, manager: str, sources: Sequence[str]) -> str:
    accounts = ", ".join(f"{name}: {_quoted(person)}" for name in sources)
    who, boss = _plain(person), _plain(manager)
    return dedent(f"""\
        # Everybody who has a plan, manages or supports somebody who has, or is a peer in team comparisons.
        people:
          {who}:
            name: {_quoted(person.title())}
            email: {person.replace("@", ".")}@example.com
            manager: {boss}
            team: payments
            # timezone: Europe/London              # when it is not the company's
            accounts: {{{accounts}}}     # their login on each source; null when there is none
            # time_off: [{{from: 2027-02-01, to: 2027-02-05}}]
          {boss}:
            name: {_quoted(manager.title())}
            email: {manager.replace("@", ".")}@example.com
            roles: [manager]
        """)


def _plan(person: str, manager: str, start: date) -> str:
    return dedent(f"""\
        # A coaching plan to begin with: informal, and early. A formal one says `kind: pip` and `preceded_by:` this one.
        plan: {_plain(person + "-coaching")}
        kind: coaching
        draft: true                                # drafts are checked and linted, not evaluated
        person: {_plain(person)}
        manager: {_plain(manager)}
        start: {start}
        days: 42                                   # or end: a date; both ends are included
        check_ins: {{every: week, on: Monday}}
        deficiencies:
          - id: slow-reviews
            text: "Review requests wait for days; the team is blocked."
        criteria:
          - id: reviews-24h
            deficiency: slow-reviews
            expectation: "Answer 8 of 10 review requests within 24 hours"
            metric: review_turnaround              # `pipmetrics metrics` lists them
            criterion: share_within                # `pipmetrics criteria` lists them
            limit: 24h                             # by the clock `workdays`: weekends and holidays do not count
            target: 80%
            guardrail: {{metric: review_depth, at_most: 20%}}
        supports:
          - text: "An hour without meetings for reviews each morning"
            owner: {_plain(manager)}
            due: {start + timedelta(days=7)}
        """)
