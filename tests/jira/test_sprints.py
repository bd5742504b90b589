from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics_jira import payloads, sprints
from pipmetrics_jira.sprints import Sprint, sprint

FIELDS = frozenset({"customfield_10020"})
CREATED = datetime(2026, 9, 1, 8, tzinfo=UTC)


def issue(now: list[int], *moves: tuple[int, str, str]) -> payloads.Issue:
    """An issue now in some sprints, with moves: (day, from, to)."""
    histories = [
        {
            "id": str(number),
            "created": (CREATED + timedelta(days=day)).isoformat(),
            "items": [{"field": "Sprint", "fieldtype": "custom", "from": before, "to": after}],
        }
        for number, (day, before, after) in enumerate(moves)
    ]
    return payloads.issue(
        {
            "id": "1",
            "key": "PAY-1",
            "fields": {
                "status": {"id": "1"},
                "created": CREATED.isoformat(),
                "customfield_10020": [{"id": id, "name": f"S{id}", "state": "active"} for id in now],
            },
            "changelog": {"total": len(histories), "histories": histories},
        }
    )


def days(found: dict[str, list[list[datetime | None]]]) -> dict[str, list[list[int | None]]]:
    return {id: [[at and (at - CREATED).days for at in span] for span in spans] for id, spans in found.items()}


@pytest.mark.parametrize(
    ("now", "moves", "held"),
    [
        ([7], [], {"7": [[0, None]]}),
        ([7], [(1, "", "7")], {"7": [[1, None]]}),
        ([], [(3, "7", "")], {"7": [[0, 3]]}),
        ([7, 8], [(1, "", "7"), (9, "7", "7, 8")], {"7": [[1, None]], "8": [[9, None]]}),
        ([8], [(2, "7", "8")], {"7": [[0, 2]], "8": [[2, None]]}),
        ([7], [(2, "7", ""), (4, "", "7")], {"7": [[0, 2], [4, None]]}),
        ([9], [(1, "", "7")], {"7": [[1, None]], "9": [[0, None]]}),
        ([], [], {}),
    ],
)
def test_an_issue_was_in_a_sprint_when_the_fields_history_says_so(now: Any, moves: Any, held: Any) -> None:
    assert days(sprints.spans(issue(now, *moves), FIELDS)) == held


def test_a_sprint_that_has_not_begun_has_no_actual_start() -> None:
    future = sprint({"id": 1, "name": "S", "state": "future", "startDate": "2026-09-07T07:00:00.000Z"})
    assert future is not None
    assert (future.started, future.begins) == (None, datetime(2026, 9, 7, 7, tzinfo=UTC))


def test_the_moment_of_starting_goes_before_the_planned_one() -> None:
    told = {"id": 1, "state": "active", "startDate": "2026-09-07T07:00:00Z", "activatedDate": "2026-09-07T09:30:00Z"}
    active = sprint(told)
    assert active is not None
    assert active.started == datetime(2026, 9, 7, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("raw", [None, 7, {}, "Sprint 7", "Sprint@1[rapidViewId=1]", {"name": "x"}])
def test_what_is_no_sprint_is_none(raw: Any) -> None:
    assert sprint(raw) is None


def test_a_sprint_is_the_same_after_it_was_kept() -> None:
    at = datetime(2026, 9, 7, 7, 0, 0, 123000, tzinfo=UTC)
    for state in ("future", "active", "closed"):
        told = {"id": 1, "name": "S", "state": state, "startDate": at.isoformat(), "endDate": at.isoformat()}
        made = sprint(told | ({"completeDate": at.isoformat()} if state == "closed" else {}))
        assert made is not None
        assert sprint(made.kept()) == made


def test_a_sprint_is_due_when_it_should_have_started_or_ended() -> None:
    planned = datetime(2026, 9, 7, tzinfo=UTC)
    before, after = planned - timedelta(days=1), planned + timedelta(days=1)
    waiting, running = Sprint("1", "S", "future", begins=planned), Sprint("1", "S", "active", ends=planned)
    assert [each.due(at) for each in (waiting, running) for at in (before, after)] == [False, True, False, True]
    assert not Sprint("1", "S", "closed", ends=planned).due(after)
    assert not Sprint("1", "S", "future").due(after)


def test_only_values_that_can_be_nothing_else_are_taken_for_sprints() -> None:
    assert sprints.looks_like_sprints([{"id": 1, "name": "S", "state": "active", "boardId": 2}])
    assert sprints.looks_like_sprints(["com.atlassian.greenhopper.service.sprint.Sprint@1[id=1,name=S]"])
    for other in ([], None, ["label"], [{"id": "1", "value": "A"}], "text", [{"id": 1, "state": "open"}]):
        assert not sprints.looks_like_sprints(other)
