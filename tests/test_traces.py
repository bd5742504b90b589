"""What was done beside what was counted is shown with it, in neutral words: in text, in JSON, and of the guardrail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipmetrics.api import Organisation
from pipmetrics.config import load
from pipmetrics.explain import Explanation, Point
from pipmetrics.model import Account, Signal
from pipmetrics.plugin import Page
from tests.metrics.builders import merged, opened, removed, requested, reviewed, signal, turned
from tests.metrics.tickets import assigned, done, due, issue

SETTINGS = """\
store: sqlite:///x.db
timezone: UTC
sources:
  hub: {connector: github, url: "https://hub.example.com", token: "${HUB}", repositories: [acme/api],
        bugs: {labels: [bug]}}
  jira: {connector: jira, url: "https://jira.example.com", user: ada, token: "${JIRA}", projects: [PAY],
         bugs: {types: [Bug]}}
"""
PEOPLE = """\
people:
  ada: {name: Ada Example, manager: dana, accounts: {hub: ada, jira: ada}}
  dana: {name: Dana Example}
"""
PLAN = """\
plan: ada-q4
kind: pip
person: ada
manager: dana
start: 2026-10-05
end: 2026-11-29
criteria:
  - {id: reviews, metric: review_turnaround, criterion: share_within, limit: 24h, target: 90%,
     guardrail: {metric: post_deploy_bugs, statistic: count, at_most: 3}}
  - {id: bugs, metric: post_deploy_bugs, criterion: threshold, statistic: count, at_most: 1}
  - {id: merges, metric: changes_merged, criterion: threshold, statistic: count, at_least: 3}
  - {id: dates, metric: delivered_on_time, criterion: threshold, statistic: share, at_least: 90%}
  - {id: fixes, metric: bug_fix_time, criterion: threshold, statistic: median, at_most: 48h}
"""
ONE, BUG, STORY = "hub:acme/api#1", "jira:PAY-10", "jira:PAY-1"
AS_OF = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def company(tmp_path: Path) -> Iterable[Organisation]:
    (tmp_path / "plans").mkdir()
    for name, text in {"pipmetrics.yaml": SETTINGS, "people.yaml": PEOPLE, "plans/ada.yaml": PLAN}.items():
        (tmp_path / name).write_text(text)
    with Organisation(load(tmp_path), now=lambda: AS_OF) as found:
        known = [Account(source, name, name) for source in ("hub", "jira") for name in ("ada", "ben")]
        for source in ("hub", "jira"):
            found.store.write(source, Page(accounts=[each for each in known if each.source == source]), AS_OF)
            found.store.complete(source, AS_OF)
        yield found


def pull(company: Organisation, *signals: Signal) -> None:
    """What the sources say now of the subjects of these signals, and nothing else of them."""
    groups: dict[str, dict[str, list[Signal]]] = {}
    for each in signals:
        held = groups.setdefault(each.source, {}).setdefault(each.subject, [])
        held.append(replace(each, key=each.key or f"{each.subject}-{len(held)}"))
    for source, told in groups.items():
        company.store.write(source, Page(groups=told), AS_OF)


def opens(company: Organisation, criterion: str) -> Explanation:
    return company.explain("ada-q4", criterion)


def traces(points: Iterable[Point], standing: str = "counted") -> list[list[str]]:
    """The sentences beside each point of a standing."""
    return [[str(trace["text"]) for trace in point.traces] for point in points if point.standing == standing]


def bug(kind: str = "Bug", *, linked: bool = True) -> list[Signal]:
    """A bug of a change of Ada's, as the sources tell of it: of this type, linked or not."""
    change = [
        opened(ONE, "ada", "2026-10-06 09:00", issues=["PAY-1"]),
        merged(ONE, "ada", "2026-10-07 09:00", issues=["PAY-1"]),
        signal("change_deployed", ONE, "ada", "2026-10-07 12:00"),
    ]
    link = [signal("issue_linked", BUG, None, "2026-10-12 09:00", type="is caused by", to=STORY)] if linked else []
    return [*change, issue(BUG, "2026-10-12 09:00", type=kind, labels=["shop"]), *link]


# --- bugs that are none any more ----------------------------------------------------------------------------------


def test_a_bug_whose_type_was_changed_is_shown_as_gone_with_what_became_of_it(company: Organisation) -> None:
    pull(company, *bug())
    assert traces(opens(company, "bugs").points) == [[]]
    company.record()
    pull(company, *bug("Task"))
    company.record()
    found = opens(company, "bugs")
    assert found.criterion["value"] == 0
    (point,) = [each for each in found.points if each.standing == "gone"]
    assert point.measurement["subject"] == BUG
    assert [trace["text"] for trace in point.traces] == ["type Bug became Task (seen by then)"]
    assert {fact["kind"] for fact in point.facts} >= {"issue_opened", "issue_linked", "change_deployed"}
    assert "Gone: what it was counted from is no longer so at its source (1)" in found.to_text()
    assert "also: 2026-11-23T00:00:00Z  type Bug became Task (seen by then)" in found.to_text()
    (told,) = [each for each in found.to_json()["points"] if each["standing"] == "gone"]
    assert [trace["kind"] for trace in told["traces"]] == ["relabelled"]


def test_a_bug_whose_label_was_taken_away_is_shown_as_gone(company: Organisation) -> None:
    def told(*labels: str) -> list[Signal]:
        subject = "hub:acme/api#7"
        linked = [signal("issue_linked", subject, None, "2026-10-12 09:00", type="is caused by", to=ONE)]
        return [*bug()[:3], issue(subject, "2026-10-12 09:00", labels=list(labels)), *linked]

    pull(company, *told("bug", "shop"))
    assert opens(company, "bugs").criterion["value"] == 1
    pull(company, *told("shop", "wish"))
    found = opens(company, "bugs")
    assert found.criterion["value"] == 0
    assert traces(found.points, "gone") == [["label bug taken away; label wish added (seen by then)"]]


def test_a_bug_that_was_unlinked_is_shown_as_gone(company: Organisation) -> None:
    pull(company, *bug())
    pull(company, *bug(linked=False))
    found = opens(company, "bugs")
    assert found.criterion["value"] == 0
    assert traces(found.points, "gone") == [
        ["issue linked of 2026-10-12T09:00:00Z: no longer at the source (seen by then)"]
    ]


def test_what_the_guardrail_has_lost_is_shown_beside_its_target(company: Organisation) -> None:
    pull(company, *bug())
    pull(company, *bug("Task"))
    found = opens(company, "reviews")
    assert found.guardrail is not None
    assert traces(found.guardrail.points, "gone") == [["type Bug became Task (seen by then)"]]
    after = found.to_text().partition("\nGuardrail post_deploy_bugs")[2]
    assert "type Bug became Task (seen by then)" in after
    assert found.to_json()["guardrail"]["points"][0]["standing"] == "gone"


def test_a_new_title_or_another_label_takes_no_bug_away(company: Organisation) -> None:
    pull(company, *bug())
    again = [replace(each, detail={**each.detail, "title": "Renamed"}) for each in bug()]
    pull(company, *again)
    found = opens(company, "bugs")
    assert traces(found.points, "gone") == []
    assert traces(found.points) == [[]]


# --- dates, closing, asking again, handing on -------------------------------------------------------------------------


def test_moved_due_dates_are_told(company: Organisation) -> None:
    pull(
        company,
        issue(STORY, "2026-10-06 09:00", type="Story"),
        assigned(STORY, "ada", "2026-10-06 09:00"),
        due(STORY, "2026-10-06 09:00", None, "2026-10-20"),
        due(STORY, "2026-10-19 09:00", "2026-10-20", "2026-10-30"),
        due(STORY, "2026-10-29 09:00", "2026-10-30", None),
    )
    found = opens(company, "dates")
    (point,) = [each for each in found.points if each.standing == "counted"]
    assert point.measurement["value"] == 0
    assert [fact["text"] for fact in point.facts if fact["kind"] == "issue_due_changed"] == [
        "due date set to 2026-10-20", "due date moved from 2026-10-20 to 2026-10-30", "due date 2026-10-30 taken away"
    ]  # fmt: skip
    assert "2026-10-19T09:00:00Z  due date moved from 2026-10-20 to 2026-10-30 by zed" in found.to_text()


def test_closed_and_reopened_changes_drafts_and_requests_made_again_are_told(company: Organisation) -> None:
    pull(
        company,
        opened(ONE, "ben", "2026-10-12 08:00"),
        requested(ONE, "ada", "2026-10-12 09:00"),
        turned("drafted", ONE, "ben", "2026-10-12 10:00"),
        turned("ready", ONE, "ben", "2026-10-12 11:00"),
        requested(ONE, "ada", "2026-10-12 12:00"),
        requested(ONE, "cyd", "2026-10-12 12:00"),
        turned("closed", ONE, "ben", "2026-10-12 13:00"),
        turned("reopened", ONE, "ben", "2026-10-12 14:00"),
        reviewed(ONE, "ada", "2026-10-12 15:00"),
        requested(ONE, "ada", "2026-10-13 09:00"),
        removed(ONE, "ada", "2026-10-13 10:00"),
    )
    found = opens(company, "reviews")
    assert traces(found.points) == [
        ["the review was requested", "closed without a merge", "reopened",
         "the review was requested", "the request was taken back"],
    ]  # fmt: skip
    told = found.to_json()["points"][0]["traces"]
    assert {trace["login"] for trace in told} == {"ada", "ben"}
    assert all({"at", "kind", "text", "url", "login"} <= set(trace) for trace in told)


def test_a_bug_that_was_handed_on_and_back_says_so(company: Organisation) -> None:
    pull(
        company,
        issue(BUG, "2026-10-12 09:00", type="Bug"),
        assigned(BUG, "ada", "2026-10-12 09:00"),
        assigned(BUG, "ben", "2026-10-13 09:00", "ada"),
        assigned(BUG, "ada", "2026-10-14 09:00", "ben"),
        done(BUG, "ada", "2026-10-14 10:00"),
    )
    found = opens(company, "fixes")
    assert traces(found.points) == [["assignee set to ada", "assignee moved from ada to ben"]]
    assert traces(found.points, "left out") == [["assignee moved from ben to ada"]]


# --- split changes ------------------------------------------------------------------------------------------------


def split(numbers: Iterable[int], *, lines: float = 12, hours: int = 2, **more: Any) -> list[Signal]:
    """Changes of Ada's, merged so many hours one after the other."""
    found: list[Signal] = []
    for place, number in enumerate(numbers):
        subject, at = f"hub:acme/api#{number}", datetime(2026, 10, 12, 9 + hours * place % 12, tzinfo=UTC)
        at = at.replace(day=12 + hours * place // 12)
        texts = {name: value(place) if callable(value) else value for name, value in more.items()}
        found.append(opened(subject, "ada", "2026-10-12 08:00", **texts))
        found.append(merged(subject, "ada", f"{at:%Y-%m-%d %H:%M}", value=lines + place, **texts))
    return found


def test_small_changes_for_one_issue_merged_one_after_the_other_are_told(company: Organisation) -> None:
    pull(company, *split((1, 2, 3, 4), issues=["PAY-1"]))
    told = "one of 4 changes for PAY-1, each merged within a day of the one before; 12 to 15 lines"
    found = opens(company, "merges")
    assert traces(found.points) == [[told]] * 4
    assert found.points[0].traces[0]["detail"] == {"changes": [f"hub:acme/api#{n}" for n in (1, 2, 3, 4)]}
    assert f"also: 2026-10-12T09:00:00Z  {told}  by ada" in found.to_text()


def test_branches_that_differ_in_the_number_of_their_part_belong_together(company: Organisation) -> None:
    pull(company, *split((1, 2, 3), branch=lambda n: f"ada/cart-part-{n + 1}"))
    told = "one of 3 changes for the branch ada/cart of hub:acme/api, each merged within a day of the one before; "
    assert traces(opens(company, "merges").points) == [[f"{told}12 to 14 lines"]] * 3


@pytest.mark.parametrize(
    "more",
    [
        {"numbers": (1, 2), "issues": ["PAY-1"]},
        {"numbers": (1, 2, 3), "issues": ["PAY-1"], "lines": 51},
        {"numbers": (1, 2, 3), "issues": ["PAY-1"], "hours": 36},
        {"numbers": (1, 2, 3), "issues": lambda n: [f"PAY-{n}"]},
        {"numbers": (1, 2, 3), "issues": lambda n: [f"PAY-{n}"], "branch": lambda n: f"feature/pay-{n}"},
        {"numbers": (1, 2, 3), "branch": lambda n: f"fix-{n + 100}"},
    ],
    ids=["two", "large", "days apart", "issues of their own", "branches named by issues", "numbers of issues"],
)
def test_what_is_usual_is_no_split(company: Organisation, more: dict[str, Any]) -> None:
    pull(company, *split(**more))
    assert traces(opens(company, "merges").points) == [[]] * len(more["numbers"])
