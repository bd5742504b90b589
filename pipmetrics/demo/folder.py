"""Writes the demo organisation's configuration folder: the same three kinds of files that a company would write."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from textwrap import dedent

from pipmetrics.demo.people import ADMIN, ENGINEERS, HR, MANAGERS, Engineer
from pipmetrics.demo.simulation import PLAN_AGE, away

TOKENS = {"PIPMETRICS_DEMO_GITHUB": "hub", "PIPMETRICS_DEMO_GITLAB": "lab", "PIPMETRICS_DEMO_JIRA": "jira"}
"""Environment variables that the written configuration names, and the source that each one opens."""


def write(folder: Path, urls: dict[str, str], today: date) -> None:
    """Write pipmetrics.yaml, people.yaml and three plans; `urls` by source name, plans relative to `today`."""
    (folder / "plans").mkdir(parents=True, exist_ok=True)
    (folder / "pipmetrics.yaml").write_text(_settings(urls), encoding="utf-8")
    (folder / "people.yaml").write_text(_people(today), encoding="utf-8")
    began = today - timedelta(days=PLAN_AGE)
    for name, text in {
        "ada-reviews-and-bugs": _ada(began),
        "grete-delivery": _grete(began - timedelta(days=3)),
        "jonas-coaching": _jonas(began + timedelta(days=7)),
    }.items():
        (folder / "plans" / f"{name}.yaml").write_text(text, encoding="utf-8")


def _settings(urls: dict[str, str]) -> str:
    return dedent(f"""\
        # The demo organisation: two teams, one GitHub, one GitLab, one Jira, all of them on this machine.
        store: sqlite:///pipmetrics.db
        timezone: Europe/Berlin
        calendar: {{country: DE, subdivision: BE, days: Mon-Fri, hours: "09:00-17:30"}}
        sources:
          hub:
            connector: github
            url: {urls["hub"]}
            token: "${{PIPMETRICS_DEMO_GITHUB}}"
            repositories: [acme/api, "acme/web-*"]
            production: [production]
          lab:
            connector: gitlab
            url: {urls["lab"]}
            token: "${{PIPMETRICS_DEMO_GITLAB}}"
            projects: [platform/core]
            production: [production]
          jira:
            connector: jira
            url: {urls["jira"]}
            user: reader@acme.example
            token: "${{PIPMETRICS_DEMO_JIRA}}"
            projects: [PAY]
            bugs: {{types: [Bug]}}
            caused_by: ["is caused by"]
        history: 150 days
        schedule: {{nightly: "02:30", digest: "Mon 07:00"}}
        """)


def _people(today: date) -> str:
    lines = ["people:"]
    for person in ENGINEERS:
        manager = MANAGERS[person.team][0]
        spans = ", ".join(f"{{from: {first}, to: {last}}}" for first, last in _spans(person, today))
        lines += [
            f"  {person.id}:",
            f"    name: {person.name}",
            f"    email: {person.id}@acme.example",
            f"    manager: {manager}",
            f"    team: {person.team}",
            f"    timezone: {person.timezone}",
            f"    accounts: {{hub: {person.login}, lab: {person.id}, jira: {person.id}@acme.example}}",
        ]
        if spans:
            lines.append(f"    time_off: [{spans}]")
    for id, name in MANAGERS.values():
        lines.append(f"  {id}: {{name: {name}, email: {id}@acme.example, roles: [manager]}}")
    for (id, name), role in ((HR, "hr"), (ADMIN, "admin")):
        lines.append(f"  {id}: {{name: {name}, email: {id}@acme.example, roles: [{role}]}}")
    return "\n".join(lines) + "\n"


def _spans(person: Engineer, today: date) -> list[tuple[date, date]]:
    """The stretches of days off, first and last day each."""
    spans: list[tuple[date, date]] = []
    for day in (today - timedelta(days=n) for n in range(150, -30, -1)):
        if away(person, day):
            follows = bool(spans) and spans[-1][1] == day - timedelta(days=1)
            spans[-1:] = [(spans[-1][0], day)] if follows else [*spans[-1:], (day, day)]
    return spans


def _ada(began: date) -> str:
    return dedent(f"""\
        # The plan that everybody writes, made measurable.
        plan: ada-reviews-and-bugs
        kind: pip
        person: ada
        manager: dana
        start: {began}
        days: 60
        check_ins: {{every: week, on: Monday}}
        deficiencies:
          - {{id: slow-reviews, text: "Review requests wait for days; the team is blocked."}}
          - {{id: escaped-bugs, text: "Defects reach production that tests should have caught."}}
        criteria:
          - id: reviews-24h
            deficiency: slow-reviews
            expectation: "Complete code reviews within 24 hours"
            metric: review_turnaround
            criterion: share_within
            limit: 24h
            target: 90%
            minimum: 8
            weight: 2
            guardrail: {{metric: review_depth, at_most: 20%}}
          - id: bugs-halved
            deficiency: escaped-bugs
            expectation: "Reduce post-deployment bugs by 50%"
            metric: post_deploy_bugs
            criterion: reduction
            target: 50%
            baseline: 90 days
            per: changes_deployed
        supports:
          - {{text: "Pairing with Chiara on test design, weekly", owner: dana, due: {began + timedelta(days=14)}}}
          - {{text: "Two mornings a week without meetings", owner: dana, due: {began + timedelta(days=7)}}}
          - {{text: "Course: testing in production", owner: dana, due: {began + timedelta(days=45)}}}
        consequences: "If the expectations are not met, employment may end; the decision is made by Dana and HR."
        waivers:
          - {{code: PIP107, reason: "The demo organisation began its coaching records after this plan."}}
        """)


def _grete(began: date) -> str:
    return dedent(f"""\
        plan: grete-delivery
        kind: pip
        person: grete
        manager: omar
        start: {began}
        days: 45
        check_ins: {{every: week, on: Tuesday}}
        preceded_by: grete-coaching
        waivers:
          - {{code: PIP111, reason: "The coaching was recorded before the company used these files."}}
        deficiencies:
          - {{id: broken-builds, text: "Changes are opened before their checks pass; reviewers wait for fixes."}}
          - {{id: slow-merges, text: "Changes stay open for days after they are ready."}}
        criteria:
          - id: checks-first-time
            deficiency: broken-builds
            expectation: "Four of five changes pass their checks at the first run"
            metric: ci_first_pass
            criterion: threshold
            statistic: share
            at_least: 80%
          - id: merged-in-three-days
            deficiency: slow-merges
            expectation: "Half of the changes are merged within three days of being ready"
            metric: time_to_merge
            criterion: threshold
            statistic: median
            at_most: 72h
            guardrail: {{metric: unreviewed_merges, at_most: 10%}}
        supports:
          - {{text: "A local copy of the checks, set up with Kalina", owner: omar, due: {began + timedelta(days=10)}}}
          - {{text: "Review rota: at most four requests a day", owner: omar, due: {began + timedelta(days=20)}}}
        consequences: "If the expectations are not met, employment may end; the decision is made by Omar and HR."
        """)


def _jonas(began: date) -> str:
    return dedent(f"""\
        plan: jonas-coaching
        kind: coaching
        person: jonas
        manager: omar
        start: {began}
        days: 42
        check_ins: {{every: week, on: Wednesday}}
        deficiencies:
          - {{id: quiet-reviews, text: "Reviews come late in the day, when the author has gone home."}}
        criteria:
          - id: answers-in-a-day
            deficiency: quiet-reviews
            expectation: "Answer three of four review requests within one working day"
            metric: review_turnaround
            criterion: share_within
            limit: 8h
            clock: working
            target: 75%
            guardrail: {{metric: review_depth, at_most: 20%}}
        supports:
          - {{text: "An hour for reviews each morning", owner: omar, due: {began + timedelta(days=7)}}}
        """)
