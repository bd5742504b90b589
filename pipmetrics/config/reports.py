"""Problems and findings as text, JSON, GitHub annotations and SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from pipmetrics.config.lint import RULES, Finding
from pipmetrics.errors import Problem, UsageError

FORMATS = ("text", "json", "github", "sarif")
CONFIG = "config"
"""The rule id of problems, which have no lint code."""


def report(form: str, problems: Sequence[Problem] = (), findings: Sequence[Finding] = (), version: str = "") -> str:
    """One document in one of FORMATS; waived findings stand in JSON and SARIF, and are counted in text."""
    forms: dict[str, Callable[[], str]] = {
        "text": lambda: _text(problems, findings),
        "json": lambda: _json(problems, findings),
        "github": lambda: _github(problems, findings),
        "sarif": lambda: _sarif(problems, findings, version),
    }
    if form not in forms:
        raise UsageError(f"there is no format {form!r}", mend=f"There are {', '.join(FORMATS)}.")
    return forms[form]()


# --- text and JSON ------------------------------------------------------------------------------------------------


def _text(problems: Sequence[Problem], findings: Sequence[Finding]) -> str:
    live = [finding for finding in findings if finding.waived is None]
    lines = [str(problem) for problem in problems]
    lines += [
        str(Problem(each.file, each.line, each.column, f"{each.code} {each.name}: {each.what}", each.mend))
        for each in live
    ]
    counts = [_count(len(problems), "error"), _count(len(live), "finding")]
    waived = len(findings) - len(live)
    lines.append(", ".join(counts) + (f" ({waived} waived)" if waived else ""))
    return "\n".join(lines)


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _json(problems: Sequence[Problem], findings: Sequence[Finding]) -> str:
    document = {
        "problems": [asdict(problem) for problem in problems],
        "findings": [asdict(finding) for finding in findings],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


# --- GitHub -------------------------------------------------------------------------------------------------------


def _github(problems: Sequence[Problem], findings: Sequence[Finding]) -> str:
    """Workflow commands that annotate the files of a pull request; waived findings stay silent."""
    lines = [_annotation("error", problem, "Configuration") for problem in problems]
    for each in findings:
        if each.waived is None:
            level = "warning" if each.level == "warning" else "notice"
            lines.append(_annotation(level, each, f"{each.code} {each.name}"))
    return "\n".join(lines)


def _annotation(level: str, at: Problem | Finding, title: str) -> str:
    place = f",line={at.line},col={at.column}" if at.line else ""
    message = _message(at.what + (f"\n{at.mend}" if at.mend else ""))
    return f"::{level} file={_property(at.file)}{place},title={_property(title)}::{message}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Properties are escaped as messages are, and colons and commas as well."""
    return _message(text).replace(":", "%3A").replace(",", "%2C")


# --- SARIF --------------------------------------------------------------------------------------------------------


def _sarif(problems: Sequence[Problem], findings: Sequence[Finding], version: str) -> str:
    rules: list[dict[str, Any]] = [
        {"id": CONFIG, "name": "configuration", "shortDescription": {"text": "A configuration file that is wrong."}}
    ]
    rules += [
        {
            "id": each.code,
            "name": each.name,
            "shortDescription": {"text": each.title},
            "fullDescription": {"text": each.why},
            "help": {"text": each.fix},
        }
        for each in RULES.values()
    ]
    places = {each["id"]: place for place, each in enumerate(rules)}
    results = [_result(problem, CONFIG, places[CONFIG], "error") for problem in problems]
    for finding in findings:
        result = _result(finding, finding.code, places[finding.code], finding.level)
        if finding.waived is not None:
            result["suppressions"] = [{"kind": "inSource", "justification": finding.waived}]
        results.append(result)
    driver = {"name": "pipmetrics", "rules": rules, **({"version": version} if version else {})}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=2)


def _result(at: Problem | Finding, id: str, place: int, level: str) -> dict[str, Any]:
    where: dict[str, Any] = {"artifactLocation": {"uri": quote(at.file.replace("\\", "/"), safe="/")}}
    if at.line:
        where["region"] = {"startLine": at.line, "startColumn": at.column}
    return {
        "ruleId": id,
        "ruleIndex": place,
        "level": level,
        "message": {"text": at.what + (f" {at.mend}" if at.mend else "")},
        "locations": [{"physicalLocation": where}],
    }
