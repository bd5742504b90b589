"""Every worked example of docs/numbers.md is what the code makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipmetrics import registry
from pipmetrics.plugin import REASONS
from tests.docs.markdown import DOCS, sections
from tests.docs.worked import measured, results, shown

PAGE = sections(DOCS / "numbers.md")
WORKED = [title for title, section in PAGE.items() if "```yaml" in section.text]


def between(first: str, last: str) -> list[str]:
    titles = list(PAGE)
    return titles[titles.index(first) + 1 : titles.index(last)]


def test_every_metric_and_every_criterion_has_a_section_and_nothing_else_has() -> None:
    assert set(between("Metrics", "Criteria")) == set(registry.names("metrics"))
    criteria = [title for title in between("Criteria", "Verdicts") if "," not in title]
    assert set(criteria) == set(registry.names("criteria"))


@pytest.mark.parametrize("metric", registry.names("metrics"))
def test_a_metrics_example_gives_the_rows_that_the_page_shows(metric: str) -> None:
    section = PAGE[metric]
    wanted = section.tables[1]
    assert wanted
    assert shown(measured(metric, section), list(wanted[0])) == wanted


def test_every_criterion_is_worked() -> None:
    assert set(registry.names("criteria")) <= set(WORKED)


@pytest.mark.parametrize("title", WORKED)
def test_a_criterions_example_scores_as_the_page_shows(title: str, tmp_path: Path) -> None:
    for wanted, found in results(PAGE[title], tmp_path / "config"):
        assert found == wanted


def test_every_reason_is_explained_with_its_state() -> None:
    told = {row["reason"]: row["state"] for row in PAGE["Words that all metrics share"].tables[0]}
    assert told == {reason: state for reason, state in REASONS.items() if reason}


def test_the_clocks_count_what_the_page_says() -> None:
    import pandas as pd

    from pipmetrics.measure import hours_of
    from pipmetrics.model import CLOCKS
    from tests.docs.worked import PEOPLE

    hours, ada = hours_of(PEOPLE), pd.Series(["ada"])
    start, end = (pd.Series([pd.Timestamp(at, tz="UTC")]) for at in ("2026-11-13 17:00", "2026-11-16 10:00"))
    told = {row["clock"]: float(row["hours"]) for row in PAGE["Words that all metrics share"].tables[1]}
    # The day ends at 17:00, so by working hours nothing of Friday is left.
    assert told == {clock: hours(ada, start, end, clock).iloc[0] for clock in CLOCKS}
