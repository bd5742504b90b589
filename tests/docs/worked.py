"""Recomputes the worked examples of docs/numbers.md through the real code.

A metric's section has a table of facts (when, what, on, who, more) and a table of the rows that they give. Instants are
UTC; `more` holds a signal's value and details, as `value=120; draft=true`.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from pipmetrics import registry
from pipmetrics.config import load
from pipmetrics.measure import measure
from pipmetrics.model import Acts, Attestation, BugRule, Calendar, Json, MeasureRequest, Person, Plan, Signal, Source
from pipmetrics.plugin import MEASUREMENT_COLUMNS, REASONS, SIGNAL_COLUMNS
from pipmetrics.score import Measured, evaluate, requests
from tests.docs.markdown import FENCE, ROOT, Section, Table

AS_OF = "2026-12-01 00:00"
SOURCES = {
    "hub": Source(
        "hub", "github", "https://api.github.com", bugs=BugRule(labels=frozenset({"bug"})), generated=("*.lock",)
    ),
    "jira": Source("jira", "jira", "https://acme.atlassian.net", bugs=BugRule(types=frozenset({"Bug"}))),
}
PEOPLE = [
    Person(name, name.title(), Calendar("UTC"), accounts=dict.fromkeys(SOURCES, (name,)))
    for name in ("ada", "ben", "lee")
]
DETAILS: Mapping[str, Mapping[str, Any]] = {
    "change_opened": {"draft": False, "labels": [], "issues": []},
    "change_merged": {"default_branch": True, "files_complete": True, "files": [], "labels": [], "issues": []},
    "review_requested": {"requester": None, "team": None},
    "review_request_removed": {"requester": None, "team": None},
    "reviewed": {"state": "commented", "previous": None},
    "commented": {"inline": False},
    "change_deployed": {"environment": "production", "method": "ancestry"},
    "issue_opened": {"title": "", "type": "Story", "labels": [], "priority": None, "causes": [], "sprints": []},
    "issue_assigned": {"by": None, "from": None},
    "issue_linked": {"type": "is caused by", "undated": True},
}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def more_of(text: str) -> dict[str, Any]:
    parts = (part.partition("=") for part in text.replace("`", "").split(";") if part.strip())
    return {name.strip(): yaml.safe_load(value) for name, _, value in parts}


def signal(number: int, row: Mapping[str, str]) -> Signal:
    """One line of a table of facts."""
    more = more_of(row.get("more", ""))
    kind, at = row["what"], instant(row["when"])
    value = more.pop("value", more.get("comments", 0) if kind == "reviewed" else None)
    if kind == "commits_pushed":
        more.setdefault("authored", at.isoformat())
    if kind == "commits_pushed" and not isinstance(more["authored"], str):
        more["authored"] = more["authored"].replace(tzinfo=UTC).isoformat()
    if kind == "issue_done":
        more = {"resolutions": [[at.isoformat(), more.pop("code", "fixed"), "Done"]], **more}
    if kind == "reviewed":
        more.setdefault("comments", 0)
    mark = "bot" if row["who"] == "robot" else ""
    source = row["on"].partition(":")[0]
    return Signal(
        source, kind, row["on"], f"s{number}", at, "https://example.com", row["who"] or None, mark, value,
        {**DETAILS.get(kind, {}), **more},
    )  # fmt: skip


def frame(facts: Table) -> pd.DataFrame:
    rows = [
        [s.source, s.kind, s.subject, s.key, s.at, s.actor, s.mark, s.value, s.url, dict(s.detail)]
        for s in (signal(number, row) for number, row in enumerate(facts, 1))
    ]
    texts = dict.fromkeys(("source", "kind", "subject", "key", "actor", "mark", "url"), "str")
    return pd.DataFrame(rows, columns=list(SIGNAL_COLUMNS)).astype(
        texts | {"at": "datetime64[us, UTC]", "value": "float64", "detail": "object"}
    )


def accounts() -> pd.DataFrame:
    seen = pd.Timestamp("2020-01-01", tz="UTC")
    known = [(source, person.id, person.id, None, "", seen, seen) for person in PEOPLE for source in SOURCES]
    known += [(source, "robot", "robot", None, "bot", seen, seen) for source in SOURCES]
    return pd.DataFrame(known, columns=["source", "id", "login", "email", "mark", "first_seen", "last_seen"])


def attestation(row: Mapping[str, str]) -> Attestation:
    """A line of the table under `attested`: when, who, for, role, value."""
    return Attestation(
        "plan", "line", row["who"], row["role"], float(row["value"]), "", instant(row["when"]), person=row["for"]
    )


def measured(metric: str, section: Section) -> pd.DataFrame:
    """The rows that the facts of a section give."""
    said = re.search(r"As of (\d{4}-\d\d-\d\d \d\d:\d\d)", section.text)
    request = MeasureRequest(
        metric,
        instant(said[1] if said else AS_OF),
        attribution=("link", "revert") if "attribution: [link, revert]" in section.text else ("link",),
        follow_up=timedelta(days=30),
    )
    facts, attested = section.tables[0], []
    if metric == "attested":
        facts, attested = [], [attestation(row) for row in section.tables[0]]
    return measure(request, frame(facts), accounts(), PEOPLE, SOURCES, attested)


def shown(rows: pd.DataFrame, columns: list[str]) -> Table:
    """Rows as a table of the page tells them."""
    names = {"who": "person", "on": "subject"}
    table = []
    for row in rows.to_dict("records"):
        cells = {}
        for column in columns:
            value = row[names.get(column, column)]
            if column in ("start", "end"):
                value = "" if pd.isna(value) else f"{value:%Y-%m-%d %H:%M}"
            elif isinstance(value, float):
                value = "" if pd.isna(value) else f"{value:g}"
            elif isinstance(value, bool):
                value = "yes" if value else "no"
            cells[column] = str(value)
        table.append(cells)
    return table


# --- criteria -----------------------------------------------------------------------------------------------------

SKELETON = """\
plan: worked
kind: coaching
person: ada
manager: dana
timezone: UTC
start: 2026-10-05
end: 2026-11-29
criteria:
"""
FIRST = datetime(2026, 10, 5, tzinfo=UTC)
DAYS = 56
"""The examples' plan runs for eight weeks, from Monday 5 October to Sunday 29 November 2026."""


def plan_of(yaml_lines: str, folder: Path) -> Plan:
    """A plan with the criteria of a YAML block, read as any plan is, among the people of the example configuration."""
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("plans"))
    (folder / "plans").mkdir()
    (folder / "plans" / "worked.yaml").write_text(SKELETON + yaml_lines, encoding="utf-8")
    (plan,) = load(folder).plans
    return plan


def items_of(table: Table) -> dict[str, list[dict[str, Any]]]:
    """The measurements that a table tells, by metric: each line stands for `how many` rows, spread evenly over `when`
    (before, plan, week N); `open` ones have not come to an end."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in table:
        count, start, length = int(line.get("how many", "1")), *span_of(line["when"])
        for place in range(count):
            at = start + length * ((place + 0.5) / count)
            end = pd.NaT if line.get("state") == "open" else at + timedelta(hours=1)
            reason = "unanswered" if line.get("state") == "open" else line.get("reason", "")
            more = more_of(line.get("more", ""))
            found.setdefault(line["metric"], []).append(
                {"start": at, "end": end, "value": float(line["value"]), "reason": reason, "person": "ada", **more}
            )
    return found


def span_of(when: str) -> tuple[datetime, timedelta]:
    """Where the rows of a line lie; `before` is the 90 days of the baseline."""
    if when == "before":
        return FIRST - timedelta(days=90), timedelta(days=90)
    if when == "plan":
        return FIRST, timedelta(days=DAYS)
    _, _, number = when.partition("week ")
    return FIRST + timedelta(days=7 * (int(number) - 1)), timedelta(days=7)


def frame_of(metric: str, items: list[dict[str, Any]]) -> pd.DataFrame:
    """Measurements as `measure` gives them."""
    unit = registry.metric(metric).unit
    usual = {"metric": metric, "source": "hub", "unit": unit, "url": "", "evidence": ()}
    rows = [
        {**usual, "subject": f"hub:acme/api#{n}", "state": REASONS[item["reason"]], "key": f"{metric}-{n}", **item}
        for n, item in enumerate(items)
    ]
    extra = [column for column in (items[0] if items else {}) if column not in MEASUREMENT_COLUMNS]
    made = pd.DataFrame(rows, columns=[*MEASUREMENT_COLUMNS, *extra])
    for column in ("start", "end"):
        made[column] = pd.to_datetime(made[column], utc=True).astype("datetime64[us, UTC]")
    texts = ("metric", "person", "source", "subject", "key", "unit", "state", "reason", "url")
    return made.astype(dict.fromkeys(texts, "str") | {"value": "float64"})


def scored(plan: Plan, items: Mapping[str, list[dict[str, Any]]], as_of: datetime) -> Json:
    """The plan's part of the evaluation."""
    return evaluated(plan, items, as_of)["plans"][0]


def evaluated(plan: Plan, items: Mapping[str, list[dict[str, Any]]], as_of: datetime) -> Json:
    """What `evaluate --format json` would print."""
    metrics = {name: registry.metric(name) for name in registry.names("metrics")}
    frames = {
        request: frame_of(
            request.metric, [each for each in items.get(request.metric, ()) if each["start"] < request.as_of]
        )
        for request in requests([plan], as_of, Acts(), metrics)
    }
    ada = replace(PEOPLE[0], calendar=Calendar("UTC"))
    known = Measured(people={"ada": ada}, metrics=metrics, frames=frames)
    return evaluate([plan], known, as_of).to_json()


def results(section: Section, folder: Path) -> list[tuple[dict[str, str], dict[str, str]]]:
    """What a criterion's section says of its results, and what comes out: as many lines as its last table has."""
    (code,) = (block["code"] for block in FENCE.finditer(section.text) if block["language"] == "yaml")
    plan = plan_of(textwrap.indent(code, "  "), folder)
    *given, wanted = section.tables
    items = items_of([line for table in given for line in table])
    pairs = []
    for line in wanted:
        entry = scored(plan, items, FIRST + timedelta(days=int(line.get("after day", DAYS))))
        pairs.append((line, told(entry, line)))
    return pairs


def told(entry: Json, line: Mapping[str, str]) -> dict[str, str]:
    """The cells that a line of results asks for; numbers are rounded to three digits after the point."""
    criterion = entry["criteria"][0]
    cells = {}
    for name in line:
        if name == "after day":
            cells[name] = line[name]
        elif name == "interval":
            low, high = criterion["interval"] or (None, None)
            cells[name] = "" if criterion["interval"] is None else f"{number(low)} to {number(high)}"
        elif name == "projection":
            ahead = criterion["projection"]
            low, high = (ahead or {}).get("interval") or (None, None)
            cells[name] = f"{number(ahead['value'])} ({number(low)} to {number(high)})" if ahead else "null"
        elif name == "baseline":
            cells[name] = number(criterion["baseline"]["value"])
        elif name.startswith("plan "):
            cells[name] = number(entry[name.removeprefix("plan ")])
        else:
            cells[name] = number(criterion[name])
    return cells


def number(value: Any) -> str:
    if value is None:
        return "null"
    return f"{round(value, 3):g}" if isinstance(value, float | int) else str(value)
