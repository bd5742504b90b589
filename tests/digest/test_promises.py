"""The company's side: check-ins and support, and how each stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from pipmetrics.digest.promises import check_in_strip, support_marks
from pipmetrics.model import Acts, CheckIn, SupportGiven
from pipmetrics.score import company
from tests.digest.sample import AS_OF, plan

WEEKLY = plan()


def check_in(day: date, *, held: bool = True, note: str = "") -> CheckIn:
    return CheckIn(WEEKLY.id, day, held, "dana", note, AS_OF)


def states(*acts: CheckIn, as_of: datetime = AS_OF) -> list[str]:
    return [mark.state for mark in check_in_strip(WEEKLY, Acts(check_ins=acts), as_of)]


def test_every_promised_check_in_has_its_place_and_the_last_one_closes() -> None:
    marks = check_in_strip(WEEKLY, Acts(), AS_OF)
    assert [mark.week for mark in marks] == [f"W{week}" for week in range(44, 52)]
    assert [mark.state for mark in marks] == ["unrecorded"] * 4 + ["upcoming"] * 3 + ["closing"]


def test_one_held_on_another_day_of_its_week_counts_for_it() -> None:
    assert states(check_in(date(2026, 10, 28)))[0] == "held"
    assert states(check_in(date(2026, 11, 2)))[:2] == ["unrecorded", "held"]


@pytest.mark.parametrize("days", [(26,), (26, 27), (30,)])
def test_the_strip_and_the_score_count_the_same_check_ins(days: tuple[int, ...]) -> None:
    acts = Acts(check_ins=tuple(check_in(date(2026, 10, day)) for day in days))
    due, held = company.check_ins(WEEKLY, acts, AS_OF)
    marks = check_in_strip(WEEKLY, acts, AS_OF)
    assert sum(mark.state == "held" for mark in marks) == held
    assert sum(mark.state in ("held", "missed", "unrecorded") for mark in marks) == due


def test_a_missed_one_keeps_its_note_unless_it_was_made_up_for_in_its_week() -> None:
    missed = check_in(date(2026, 11, 9), held=False, note="on leave")
    marks = check_in_strip(WEEKLY, Acts(check_ins=(missed,)), AS_OF)
    assert (marks[2].state, marks[2].note) == ("missed", "on leave")
    assert states(missed, check_in(date(2026, 11, 12)))[2] == "held"


def test_a_check_in_is_due_when_its_day_is_over_in_the_plans_zone() -> None:
    auckland = replace(WEEKLY, timezone="Pacific/Auckland")
    over = datetime(2026, 10, 26, 11, tzinfo=UTC)
    assert check_in_strip(auckland, Acts(), over)[0].state == "unrecorded"
    assert check_in_strip(WEEKLY, Acts(), over)[0].state == "upcoming"


def test_a_plan_without_check_ins_has_no_strip() -> None:
    assert check_in_strip(replace(WEEKLY, check_in_weekday=None), Acts(), AS_OF) == ()


def test_support_is_done_due_overdue_or_denied() -> None:
    def marks(*given: SupportGiven, as_of: datetime = AS_OF) -> list[str]:
        return [mark.state for mark in support_marks(WEEKLY, Acts(supports=given), as_of, str.title)]

    one = SupportGiven(WEEKLY.id, 1, "lee", date(2026, 11, 5), AS_OF)
    assert marks(one) == ["done", "overdue"]
    assert marks(replace(one, confirmed=False)) == ["denied", "overdue"]
    assert marks(as_of=datetime(2026, 11, 6, 12, tzinfo=UTC)) == ["due", "due"]


def test_owners_are_called_by_the_name_that_people_know() -> None:
    assert [mark.owner for mark in support_marks(WEEKLY, Acts(), AS_OF, str.title)] == ["Lee", "Dana"]
