"""`check` from Python: problems, findings, what the facts say, what the sources say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipmetrics.check import CheckReport, check, logins_of, strangers
from pipmetrics.config import load
from pipmetrics.errors import Problem
from pipmetrics.plugin import Finding as Answer
from tests.organisation import AS_OF, opened


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (CheckReport((), (), ()), 0),
        (CheckReport((), (), (("hub", Answer("warning", "a wide scope")),)), 0),
        (CheckReport((), (), (("hub", Answer("error", "refused")),)), 1),
        (CheckReport((Problem("f", 1, 1, "wrong"),), (), (("hub", Answer("error", "refused")),)), 2),
    ],
)
def test_the_exit_code_goes_by_what_cannot_be_used(report: CheckReport, code: int) -> None:
    assert report.exit_code == code


def test_what_the_sources_say_stands_in_text_and_json() -> None:
    report = CheckReport((), (), (("hub", Answer("error", "refused", "Make a new token.")),), plans=1)
    assert report.render("text") == (
        "■ hub: refused\n    Make a new token.\nThe configuration is valid: 1 plan, no errors, no findings."
    )
    assert json.loads(report.render("json"))["sources"] == [
        {"source": "hub", "level": "error", "what": "refused", "mend": "Make a new token."}
    ]


def test_problems_are_counted_and_nothing_else_is_said() -> None:
    report = CheckReport((Problem("f.yaml", 3, 1, "wrong"),), (), ())
    assert report.render("text") == "f.yaml:3:1: wrong\n1 error, no findings"


def test_facts_sharpen_the_findings_and_are_left_out_on_demand(folder: Path) -> None:
    with_facts, without = (
        {finding.code for finding in check(folder, measured=measured).findings} for measured in (True, False)
    )
    assert without <= with_facts
    assert not any(code.startswith("PIP2") for code in without)


def test_ended_plans_are_not_tried_again(folder: Path) -> None:
    assert not any(finding.code == "PIP203" and finding.plan == "ada-q4" for finding in check(folder).findings)


def test_logins_are_the_newest_ones_of_those_who_have_an_account(folder: Path) -> None:
    path = folder / "people.yaml"
    path.write_text(path.read_text().replace("{hub: cleo-l, lab: cleo,", "{hub: [cleo-new, cleo-l], lab: null,"))
    config = load(folder)
    hub, lab = (config.settings.sources[name] for name in ("hub", "lab"))
    assert logins_of(config.people.values(), hub) == ["ada-l", "ben-l", "cleo-new", "dora-l", "eli-l", "finn-l"]
    assert logins_of(config.people.values(), lab) == ["ada", "ben", "dora", "eli", "finn"]


def test_strangers_are_named_with_the_person_whose_address_they_have(folder: Path) -> None:
    path = folder / "people.yaml"
    path.write_text(path.read_text().replace("jira: ada@acme.example", "jira: null"))
    with opened(folder, AS_OF) as company:
        told = dict(strangers(company))
    assert "has the address of ada" in told["jira"].what
    assert told["jira"].level == "note"
    assert "lab" not in told
