"""The weekly digest: which plans, as of when, and past weeks as they were recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipmetrics import acts
from pipmetrics.api import Organisation
from pipmetrics.digest import html, text
from pipmetrics.errors import UsageError
from pipmetrics.ledger import anchor, verify
from pipmetrics.store import Run, Store
from pipmetrics.weekly import Week, monday_of, week_end
from tests.organisation import AS_OF, BEGAN, OVER, WEEK, Acme, at, opened

MONDAY = date(2025, 11, 17)


@pytest.fixture(scope="module")
def fresh(acme: Acme) -> Week:
    """Week 47, evaluated when it is asked for: nothing is on record."""
    with opened(acme.pulled, AS_OF + timedelta(hours=2)) as company:
        return company.week(WEEK)


@pytest.fixture(scope="module")
def past(lived: Path) -> Week:
    """Week 47 as it is on record."""
    with opened(lived, at(20, 0, 3)) as company:
        return company.week(WEEK)


def test_the_digest_holds_every_plan_of_the_week_with_its_own_evaluation(fresh: Week) -> None:
    assert [card.plan for card in fresh.digest.cards] == ["ada-q4", "ben-coaching"]
    ada = fresh.digest.cards[0]
    assert (ada.evaluation["day"], ada.evaluation["days"]) == (49, 56)
    assert [each["id"] for each in ada.evaluation["criteria"]][:2] == ["reviews-24h", "bugs-halved"]
    assert (fresh.digest.week, fresh.digest.start, fresh.digest.end) == (WEEK, MONDAY, date(2025, 11, 23))
    assert fresh.digest.as_of == AS_OF


def test_the_points_of_the_digest_are_those_that_explain_opens(fresh: Week, acme: Acme) -> None:
    with opened(acme.pulled) as company:
        found = company.explain("ada-q4", "reviews-24h")
    points = fresh.points["ada-q4", "reviews-24h"]
    assert [point["key"] for point in points] == [point.measurement["key"] for point in found.points]
    assert [point["standing"] for point in points] == [point.standing for point in found.points]
    assert {point["standing"] for point in fresh.points["ada-q4", "bugs-halved"]} == {"counted", "exposure"}


def test_what_runs_out_today_needs_the_reader(fresh: Week) -> None:
    assert any("acme/api#" in need.what and "waits for Ada" in need.what for need in fresh.digest.needs)


@pytest.mark.parametrize(
    ("whose", "plans"),
    [
        ({"manager": "dana"}, ["ada-q4", "ben-coaching"]),
        ({"person": "ada"}, ["ada-q4"]),
        ({"plan": "ben-coaching"}, ["ben-coaching"]),
        ({"manager": "sol"}, []),
        ({"manager": "dana", "person": "ben"}, ["ben-coaching"]),
    ],
)
def test_a_digest_is_for_a_manager_a_person_or_a_plan(lived: Path, whose: Mapping[str, str], plans: list[str]) -> None:
    with opened(lived, at(20, 0, 3)) as company:
        digest = company.digest(WEEK, **whose)  # type: ignore[arg-type]  # by name
    assert [card.plan for card in digest.cards] == plans
    assert digest.reader == {"dana": "Dana Example", "ada": "Ada Example", "sol": "Sol Example"}.get(
        next(iter(whose.values())), ""
    ) or whose == {"manager": "dana", "person": "ben"}


def test_nobody_and_no_such_week_are_told(company: Organisation) -> None:
    with pytest.raises(UsageError, match="no person 'dane'") as wrong:
        company.digest(WEEK, "dane")
    assert wrong.value.mend == "Did you mean 'dana'?"
    for week in ("2025-W54", "last week", "2025-11-17"):
        with pytest.raises(UsageError, match="no ISO week"):
            company.digest(week)


def test_without_a_week_it_is_the_last_complete_one_in_the_companys_zone(company: Organisation) -> None:
    assert monday_of(None, company) == MONDAY
    company.now = lambda: AS_OF - timedelta(seconds=1)
    assert monday_of(None, company) == MONDAY - timedelta(days=7)
    assert monday_of(date(2025, 11, 20), company) == MONDAY


def test_a_week_ends_in_each_plans_zone_and_never_after_now() -> None:
    assert week_end(MONDAY, "UTC", OVER) == AS_OF
    assert week_end(MONDAY, "Europe/Berlin", OVER) == AS_OF - timedelta(hours=1)
    assert week_end(MONDAY, "UTC", AS_OF - timedelta(days=2)) == AS_OF - timedelta(days=2)


def test_the_week_under_way_is_told_as_of_now(folder: Path) -> None:
    with opened(folder, at(19, 2, 12)) as company:
        digest = company.digest(WEEK, person="ada")
    assert digest.as_of == at(19, 2, 12)
    assert digest.cards[0].evaluation["day"] == 45


# --- on record ----------------------------------------------------------------------------------------------------


def test_a_week_on_record_is_shown_as_it_was_recorded_and_says_the_same_as_when_it_was_fresh(
    past: Week, fresh: Week
) -> None:
    ada, before = past.digest.cards[0].evaluation, fresh.digest.cards[0].evaluation
    assert ada["criteria"][0]["value"] == before["criteria"][0]["value"]
    assert ada["criteria"][0]["contested"]["text"] == "13 of 15; 13 of 14 without the contested one"
    assert past.points["ada-q4", "reviews-24h"] == json.loads(json.dumps(fresh.points["ada-q4", "reviews-24h"]))


def test_its_anchor_verifies_against_the_ledger(past: Week, lived: Path) -> None:
    with opened(lived, at(20, 0, 3)) as company:
        found = verify(company.store, anchor(past.digest.ledger))
    assert found.ok
    assert past.digest.ledger in text.render(past.digest)


def test_last_weeks_digest_is_the_same_to_the_byte_after_more_nights_edits_and_late_data(
    past: Week, life: Path
) -> None:
    shown = html.render(past.digest, past.points), text.render(past.digest)
    plan = life / "plans" / "ben-coaching.yaml"
    plan.write_text(plan.read_text().replace("At least eight reviews", "At least ninety reviews"))
    with opened(life, at(20, 2, 2.5)) as company:
        company.run()
        drop_a_late_review(company)
        later = company.week(WEEK)
    assert (html.render(later.digest, later.points), text.render(later.digest)) == shown


def test_where_late_data_changed_a_figure_the_next_digest_says_which_and_why(life: Path) -> None:
    with opened(life, at(20, 0, 4)) as company:
        drop_a_late_review(company)
    with opened(life, at(21, 0, 2.5)) as company:
        company.run()
        next_week = company.week("2025-W48", person="ada")
    (card,) = next_week.digest.cards
    said = [note for note in card.late if note.startswith("Complete code reviews")]
    assert len(said) == 1
    assert "was 87% and would be 93% now" in said[0]
    assert "1 data point is gone at the source" in said[0]


def drop_a_late_review(company: Organisation) -> None:
    """As when somebody deletes the change whose review came late: its next pull would leave nothing of it."""
    from pipmetrics.plugin import Page

    subject = next(
        str(point.measurement["subject"])
        for point in company.explain("ada-q4", "reviews-24h", as_of=AS_OF).points
        if point.standing == "late" and point.measurement["reason"] is None
    )
    company.store.write("hub", Page(groups={subject: ()}), company.now())


def test_peers_are_tried_once_and_told_in_every_week_after(lived: Path, past: Week) -> None:
    terms = past.digest.cards[0].terms
    assert terms["reviews-24h"].peers == (5, 5)
    with opened(lived, at(20, 0, 3)) as company:
        first = company.digest("2025-W46", person="ada")
    assert first.cards[0].terms["reviews-24h"].peers == (5, 5)


def test_an_amended_plan_is_shown_in_old_weeks_as_it_was_signed_then(life: Path) -> None:
    path = life / "plans" / "ada-q4.yaml"
    path.write_text(path.read_text().replace("target: 90%\n    minimum: 8", "target: 80%\n    minimum: 8"))
    with opened(life, lambda: at(20, 1)) as company:
        store, config = company.store, company.config
        entry = acts.propose_amendment(store, config, "ada-q4", by="dana", why="Too steep.", now=at(20, 1))
        acts.sign_amendment(store, config, "ada-q4", entry, by="ada", now=at(20, 1, 11))
        acts.sign_amendment(store, config, "ada-q4", entry, by="dana", now=at(20, 1, 12))
    with opened(life, at(21, 0, 2.5)) as company:
        assert company.digest(WEEK, person="ada").cards[0].evaluation["criteria"][0]["target"] == 0.9
        assert company.digest("2025-W48", person="ada").cards[0].evaluation["criteria"][0]["target"] == 0.8


def test_an_ended_formal_plan_stays_until_it_is_decided_and_coaching_goes(life: Path) -> None:
    with opened(life, at(24, 0, 3)) as company:
        assert [card.plan for card in company.digest("2025-W50").cards] == ["ada-q4"]
        assert company.digest("2025-W30").cards == ()
        (dispute,) = company.acts(company.now()).disputes
        store, config = company.store, company.config
        acts.decide_dispute(
            store, config, dispute.entry, "rejected", by="petra", why="Others covered.", now=at(24, 0, 4)
        )
        acts.decide(store, config, "ada-q4", "extend", by="dana", why="Nearly there.", now=at(24, 0, 4),
                    until=date(2026, 1, 11), recommendation="extend")  # fmt: skip
        acts.decide(store, config, "ada-q4", "withdrawn", by="dana", why="Ada moved on.", now=at(24, 0, 5))
    with opened(life, at(25, 0, 3)) as company:
        assert [card.plan for card in company.digest("2025-W51").cards] == ["ada-q4"]
        assert company.digest("2026-W04").cards == ()


def test_a_recorded_week_is_shown_though_what_it_was_made_from_was_erased(life: Path) -> None:
    with opened(life, at(20, 1)) as company:
        ben = company.config.people["ben"]
        company.store.erase_person(ben, "petra", "Ben asked for it.", at(20, 1))
        cards = company.digest(WEEK).cards
    assert [card.plan for card in cards] == ["ada-q4", "ben-coaching"]
    assert cards[1].evaluation["criteria"][0]["value"] == 0


# --- nights -------------------------------------------------------------------------------------------------------


def note_run(store: Store, when: object, outcome: str) -> None:
    number = store.begin_run("nightly", when)  # type: ignore[arg-type]  # an instant
    store.end_run(Run(number, "nightly", when, when, outcome))  # type: ignore[arg-type]  # an instant


def test_missed_and_partial_nights_of_the_week_are_told(folder: Path) -> None:
    with opened(folder, at(20, 0, 3)) as company:
        for day in (-3, 0, 1, 3, 4, 5, 6):
            note_run(company.store, at(19, day, 2.6), "incomplete" if day == 4 else "done")
        found = company.digest(WEEK, person="ada")
    assert found.incomplete == (
        "no nightly run came to its end on 19 Nov",
        "the nightly run of 21 Nov was incomplete",
    )


def test_nights_before_the_first_run_are_nobodys_fault(past: Week) -> None:
    assert not any("20 Oct" in gap for gap in past.digest.incomplete)


def test_a_company_without_plans_has_an_empty_digest(folder: Path) -> None:
    for path in (folder / "plans").iterdir():
        path.unlink()
    with opened(folder) as company:
        digest = company.digest(WEEK)
    assert (digest.cards, digest.needs, digest.as_of) == ((), (), AS_OF)
    assert "Weekly digest" in text.render(digest)


def test_the_week_in_which_a_plan_begins_is_its_first(folder: Path) -> None:
    with opened(folder, OVER) as company:
        assert company.digest("2025-W40", person="ada").cards == ()
        (card,) = company.digest("2025-W41", person="ada").cards
    assert card.start == BEGAN.date()
    assert card.evaluation["day"] == 7
