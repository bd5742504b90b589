from __future__ import annotations

import pytest

from pipmetrics_jira.resolutions import CODES, ENGLISH, code, names


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Fixed", "fixed"),
        ("Done", "fixed"),
        ("Duplicate", "duplicate"),
        ("Won't Do", "wont_do"),
        ("Won\u2019t Fix", "wont_do"),
        ("CANNOT  REPRODUCE", "cannot_reproduce"),
        ("Works as designed", "invalid"),
        ("Deferred", "other"),
        ("", "other"),
    ],
)
def test_english_names_mean_what_they_say(name: str, meaning: str) -> None:
    assert code("77001", [name], names({})) == meaning


@pytest.mark.parametrize(
    ("id", "meaning"), [("10000", "fixed"), ("10001", "wont_do"), ("10002", "duplicate"), ("5", "cannot_reproduce")]
)
def test_what_jira_ships_is_known_by_its_id_when_the_name_is_translated(id: str, meaning: str) -> None:
    assert code(id, ["\u91cd\u590d"], names({})) == meaning


def test_a_name_goes_before_an_id() -> None:
    assert code("10002", ["Fixed"], names({})) == "fixed"
    assert code("10000", ["\u5b8c\u6210", "Duplicate"], names({})) == "duplicate"


def test_the_configuration_goes_before_the_english_names() -> None:
    known = names({"duplicate": ("Doppelt",), "wont_do": ["Done"]})
    assert code(None, ["doppelt"], known) == "duplicate"
    assert code("10000", ["Done"], known) == "wont_do"
    assert code(None, ["Fixed"], known) == "fixed"


def test_every_code_is_one_that_metrics_know() -> None:
    assert set(ENGLISH) < set(CODES)
