"""One digest for every surface."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

from pipmetrics.digest.model import Beside, Digest, Occasion, build
from pipmetrics.digest.needs import Need
from pipmetrics.model import Acts
from tests.digest import gallery, sample


def needs(digest: Digest) -> list[str]:
    return [need.what for need in digest.needs]


def test_formal_plans_come_first_and_people_in_order_of_family_name() -> None:
    assert [card.name.split()[-1] for card in gallery.digest().cards] == ["Aguilar", "Lindqvist", "Okafor", "Brandt"]


def test_the_formal_week_holds_nothing_of_coaching() -> None:
    formal = gallery.digest().formal()
    assert not any(card.private for card in formal.cards)
    assert "Yuki" not in json.dumps(formal.to_json())


def test_a_gap_that_only_coaching_has_leaves_with_it() -> None:
    document = gallery.evaluations()
    document["plans"][3]["incomplete_sources"] = ["lab"]
    document["plans"][0]["incomplete_sources"] = ["hub"]
    occasion = Occasion(gallery.MONDAY, gallery.AS_OF, "")
    whole = build(document, gallery.plans(), gallery.people(), Acts(), occasion)
    assert whole.incomplete == ("hub", "lab")
    assert whole.formal().incomplete == ("hub",)


def test_what_is_overdue_comes_first_then_by_day() -> None:
    due = [need.due or date.min for need in gallery.digest().needs]
    assert due == sorted(due)
    assert gallery.digest().needs[0].due is None


def test_open_requests_that_pass_their_limit_within_a_day_wait_for_somebody() -> None:
    assert "payments/api#4005 waits for Ines" in needs(gallery.digest())
    (need,) = [need for need in gallery.digest().needs if need.what == "payments/api#4005 waits for Ines"]
    assert need.why == "5.5 h of 24 h left (reviews-24h)."


def test_disputes_promises_and_check_ins_wait() -> None:
    said = needs(gallery.digest())
    for what in (
        "Mentor: two hours a week (for Ines)",
        "Second mentor session on rollback drills (for Tomás)",
        "Check-in with Ines",
        "Record 2 check-ins with Yuki, 12 Nov to 19 Nov",
    ):
        assert what in said


def test_a_dispute_names_the_subject_of_its_point() -> None:
    card = gallery.digest().cards[0]
    assert card.disputes == ("payments/api#4003 (reviews-24h), filed 23 Nov: asked while leading an incident",)
    assert "Answer Tomás's dispute of payments/api#4003" in needs(gallery.digest())


def test_a_dispute_without_an_answer_becomes_overdue() -> None:
    acts = sample.acts()
    old = replace(acts.disputes[0], at=acts.disputes[0].at - timedelta(days=20))
    acts = Acts(disputes=(old,))
    occasion = Occasion(sample.MONDAY, sample.AS_OF, "")
    digest = build(sample.evaluation(), [sample.plan()], {"ada": sample.person()}, acts, occasion)
    assert Need("Answer Ada's dispute of RR_1", "asked during an incident", None, "ada-2026-q4") in digest.needs


def test_the_agenda_says_what_each_criterion_needs_and_what_is_owed() -> None:
    agenda = sample.digest().cards[0].agenda
    assert agenda == (
        "Complete code reviews within 24 hours: at most 1 late review in the next 12",
        "Support: 1 of 2 promises due are delivered",
        "1 open dispute: decide together if possible",
    )


def test_the_sentence_counts_the_verdicts() -> None:
    ines = next(card for card in gallery.digest().cards if card.person == "ines")
    assert ines.sentence == "One criterion is at risk, one is off track and one is without enough data."


def test_late_data_and_peers_stand_on_the_plan_they_touch() -> None:
    cards = {card.person: card for card in gallery.digest().cards}
    assert cards["ines"].late
    assert not cards["tomas"].late
    assert cards["ines"].terms["reviews-24h"].peers == (3, 12)


def test_the_coaching_that_came_first_is_known() -> None:
    cards = {card.person: card for card in gallery.digest().cards}
    assert cards["tomas"].coaching == (date(2026, 8, 3), date(2026, 10, 30))
    assert cards["ines"].coaching is None


def test_the_same_facts_give_the_same_json() -> None:
    first = json.dumps(gallery.digest().to_json())
    assert first == json.dumps(gallery.digest().to_json())
    assert json.loads(first)["week"] == "2026-W47"


def test_nothing_beside_the_evaluations_is_needed() -> None:
    occasion = Occasion(gallery.MONDAY, gallery.AS_OF, "")
    given = (gallery.evaluations(), gallery.plans(), gallery.people(), Acts(), occasion)
    assert build(*given) == build(*given, Beside())
