"""The practice report is made from evaluations, acts, decisions and what was found about peers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pipmetrics import acts
from tests.organisation import AS_OF, OVER, at, opened


def test_two_plans_are_too_few_to_tell_anything(lived: Path) -> None:
    with opened(lived, at(20, 0, 3)) as company:
        told = company.portfolio().to_json()
    assert (told["active"], told["ended"], told["days_to_first_check_in"]) == (None, None, None)
    assert told["maturity"]["level"] == "too few to say"
    assert "plans" not in told


def test_who_may_know_sees_which_plans_they_are(lived: Path) -> None:
    with opened(lived, at(20, 0, 3)) as company:
        found = company.portfolio(named=True)
    assert [line["plan"] for line in found.to_json()["plans"]] == ["ada-q4"]
    assert "Ada Example" in found.to_html()


def test_six_people_make_a_practice(folder: Path) -> None:
    text = (folder / "plans" / "ada-q4.yaml").read_text()
    for name in ("ben", "cleo", "dora", "eli", "finn"):
        own = text.replace("plan: ada-q4", f"plan: {name}-q4").replace("person: ada", f"person: {name}")
        (folder / "plans" / f"{name}-q4.yaml").write_text(own)
    with opened(folder, AS_OF) as company:
        told = company.portfolio().to_json()
    assert told["active"] == 6
    facts = {fact["id"]: fact for fact in told["facts"]}
    assert (facts["coached"]["good"], facts["coached"]["of"]) == (0, 6)
    assert (facts["supports"]["good"], facts["supports"]["of"]) == (0, 12)


def test_decisions_and_the_past_count(life: Path) -> None:
    when = OVER + timedelta(days=2)
    with opened(life, when) as company:
        store, config = company.store, company.config
        (dispute,) = company.acts(when).disputes
        acts.decide_dispute(store, config, dispute.entry, "rejected", by="petra", why="Others covered.", now=when)
        acts.decide(store, config, "ada-q4", "complete", by="dana", why="Well done.", now=when, recommendation="extend")
    with opened(life, when + timedelta(hours=1)) as company:
        after = company.portfolio(named=True)
        before = company.portfolio(AS_OF, named=True)
    assert [line.plan for line in before.lines] == ["ada-q4"]
    assert after.lines == ()
