"""The night removes what the settings' periods say is over, and never what a plan still needs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pipmetrics import nightly, retention
from pipmetrics.ledger import verify
from tests.organisation import BEGAN, OVER, opened

DAY = timedelta(days=1)


def keep(folder: Path, periods: str) -> None:
    path = folder / "pipmetrics.yaml"
    path.write_text(path.read_text().replace("history: 3650 days", "history: 10 days") + f"retention: {periods}\n")


def expired(folder: Path, now: object) -> list[str]:
    with opened(folder, now) as company, company.store.leased(now) as store:  # type: ignore[arg-type]  # an instant
        return retention.expire(company, store, now)  # type: ignore[arg-type]  # an instant


def test_nothing_expires_without_a_period(life: Path) -> None:
    assert expired(life, OVER + 3650 * DAY) == []


def test_evaluations_and_then_the_record_of_an_ended_plan_go_and_it_is_evaluated_no_more(life: Path) -> None:
    keep(life, "{evaluations: 100 days, plans: 200 days}")
    assert expired(life, OVER + 90 * DAY) == []
    now = OVER + 101 * DAY
    told = expired(life, now)
    assert [line.partition(" ")[2] for line in told] == [
        "evaluations about ada-q4 were kept for 100 days", "evaluations about ben-coaching were kept for 100 days",
    ]  # fmt: skip
    with opened(life, now) as company:
        assert [plan.id for plan in nightly.active(company, now)] == ["cleo-next"]
        assert nightly.evaluate(company, now).evaluated == []
        assert len(company.acts(now).check_ins) == 6
    assert expired(life, OVER + 201 * DAY)[0].endswith("entries about ada-q4 were kept for 200 days")
    with opened(life, now) as company:
        assert company.acts(now).check_ins == ()
        assert {entry.act for entry in company.store.entries() if entry.payload} <= {"erase", "night"}
        assert verify(company.store).ok


def test_facts_that_a_plan_is_still_evaluated_with_stay(life: Path) -> None:
    """Ada's baseline begins 90 days before her plan; nothing after that goes, whatever the period says."""
    keep(life, "{facts: 10 days}")
    with opened(life, OVER + DAY) as company:
        before = company.evaluate(OVER).to_json()
        first = company.store.signals()["at"].min()
    told = expired(life, OVER + DAY)
    with opened(life, OVER + DAY) as company:
        left = company.store.signals()
        assert company.evaluate(OVER).to_json() == before
        assert (left.groupby("subject")["at"].max() >= BEGAN - 104 * DAY).all()
    assert bool(told) is bool(first < BEGAN - 104 * DAY)
