"""Attestations as measurements."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipmetrics.model import Attestation
from tests.metrics.builders import instant, measured, rows

GIVEN = Attestation(
    "ada-q4", "mentoring", "lee", "mentor", 2.5, "two sessions", instant("2026-03-02 10:00"), person="ada"
)


def found(*attestations: Attestation, **more: Any) -> Any:
    return measured("attested", [], attestations=attestations, **more)


def test_each_attestation_is_a_row_with_the_value_given_for_the_person_of_the_plan() -> None:
    (row,) = found(GIVEN).to_dict("records")
    assert (row["person"], row["value"], row["state"], row["unit"]) == ("ada", 2.5, "counted", "attested")
    assert (row["plan"], row["criterion"], row["role"]) == ("ada-q4", "mentoring", "mentor")
    assert str(row["start"]) == str(row["end"]) == "2026-03-02 10:00:00+00:00"
    assert row["evidence"] == (row["key"],)


def test_two_of_one_instant_by_two_people_are_two_rows() -> None:
    assert len(set(rows(found(GIVEN, replace(GIVEN, by="dana"), replace(GIVEN, criterion="other")), "key"))) == 3


def test_only_what_was_attested_before_as_of_counts() -> None:
    assert len(found(GIVEN, as_of="2026-03-02 10:00")) == 0
    assert len(found(GIVEN, as_of="2026-03-02 10:01")) == 1


def test_those_of_unknown_plans_or_strangers_have_no_row() -> None:
    assert len(found(replace(GIVEN, person=""), replace(GIVEN, person="zed"))) == 0
