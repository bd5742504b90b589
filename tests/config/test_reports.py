import json

import pytest

from pipmetrics.config import report
from pipmetrics.config.lint import RULES, Finding
from pipmetrics.errors import Problem, UsageError

PROBLEM = Problem("plans/a,b:c.yaml", 3, 7, "50% is off", "Write it\nas 60%.")
WHOLE = Problem("config/people.yaml", 0, 0, "this file is missing")
FINDING = Finding("config/plans/ü x.yaml", 1, 1, "PIP104", "no-support", "warning", "a", "no support", "Promise some.")
WAIVED = Finding(
    "config/plans/a.yaml", 2, 1, "PIP107", "no-coaching-before", "warning", "a", "none", "Coach.", "HR knows."
)
NOTE = Finding("config/plans/a.yaml", 9, 1, "PIP301", "unused-waiver", "note", "a", "unused", "Delete it.")
EVERYTHING = ([PROBLEM, WHOLE], [FINDING, WAIVED, NOTE])


def test_text_is_for_people_and_ends_with_a_count():
    assert report("text", *EVERYTHING).splitlines() == [
        "plans/a,b:c.yaml:3:7: 50% is off",
        "  Write it",
        "as 60%.",
        "config/people.yaml: this file is missing",
        "config/plans/ü x.yaml:1:1: PIP104 no-support: no support",
        "  Promise some.",
        "config/plans/a.yaml:9:1: PIP301 unused-waiver: unused",
        "  Delete it.",
        "2 errors, 2 findings (1 waived)",
    ]
    assert report("text") == "no errors, no findings"
    assert report("text", [WHOLE], [FINDING]).endswith("1 error, 1 finding")


def test_json_has_everything():
    document = json.loads(report("json", *EVERYTHING))
    assert [each["line"] for each in document["problems"]] == [3, 0]
    assert [each["waived"] for each in document["findings"]] == [None, "HR knows.", None]


def test_github_annotations_escape_what_would_end_them():
    assert report("github", *EVERYTHING).splitlines() == [
        "::error file=plans/a%2Cb%3Ac.yaml,line=3,col=7,title=Configuration::50%25 is off%0AWrite it%0Aas 60%25.",
        "::error file=config/people.yaml,title=Configuration::this file is missing",
        "::warning file=config/plans/ü x.yaml,line=1,col=1,title=PIP104 no-support::no support%0APromise some.",
        "::notice file=config/plans/a.yaml,line=9,col=1,title=PIP301 unused-waiver::unused%0ADelete it.",
    ]
    assert report("github") == ""


def test_a_carriage_return_cannot_start_a_command_of_its_own():
    text = report("github", [Problem("f", 1, 1, "x\r\n::set-output name=a::b")])
    assert "\n" not in text
    assert "\r" not in text


def test_sarif_has_rules_places_and_suppressions():
    document = json.loads(report("sarif", *EVERYTHING, version="1.2.3"))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("pipmetrics", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == ["config", *RULES]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning", "warning", "note"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert places[0] == {
        "artifactLocation": {"uri": "plans/a%2Cb%3Ac.yaml"},
        "region": {"startLine": 3, "startColumn": 7},
    }
    assert "region" not in places[1]
    assert places[2]["artifactLocation"]["uri"] == "config/plans/%C3%BC%20x.yaml"
    assert [result.get("suppressions") for result in run["results"]] == [
        None, None, None, [{"kind": "inSource", "justification": "HR knows."}], None,
    ]  # fmt: skip


def test_another_format_is_refused():
    with pytest.raises(UsageError, match="there is no format"):
        report("xml")
