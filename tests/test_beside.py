"""What stands beside a week's evaluation is kept with it and comes back as it was."""

from __future__ import annotations

from pathlib import Path

from pipmetrics import beside
from pipmetrics.beside import Beside, kept, of_week, peers_of
from pipmetrics.records import latest, recorded, scored
from tests.organisation import AS_OF, at, opened


def test_it_comes_back_as_it_was_written() -> None:
    whole = Beside({"reviews": [{"key": "k", "value": 1.5, "note": "é"}]}, ("One figure moved.",), {"reviews": (3, 5)})
    assert Beside.load(whole.dump()) == whole
    assert Beside.load(Beside().dump()) == Beside({}, (), None)
    assert whole.dump() == Beside.load(whole.dump()).dump()


def test_the_recorded_week_has_points_peers_and_nothing_late(lived: Path) -> None:
    with opened(lived, at(20, 0, 3)) as company:
        on_record = recorded(company, company.plans("ada-q4"), AS_OF)["ada-q4"]
        found = kept(company, on_record)
    assert found is not None
    assert set(found.points) == {
        "reviews-24h", "bugs-halved", "merged-fast", "three-good-weeks", "deliverables", "led-release",
    }  # fmt: skip
    assert found.late == ()
    assert found.peers is not None
    assert found.peers["reviews-24h"] == (5, 5)
    assert "bugs-halved" not in found.peers


def test_an_evaluation_of_a_moment_has_nothing_beside_it(lived: Path) -> None:
    with opened(lived, at(20, 0, 3)) as company:
        last = latest(company, "ada-q4")
        assert last is not None
        if last.payload["as_of"] != AS_OF.isoformat():
            assert kept(company, last) is None
        assert peers_of(company, company.plans("ada-q4")[0]) is not None


def test_peers_of_a_plan_that_was_never_recorded_are_tried_on_demand(folder: Path) -> None:
    with opened(folder) as company:
        (plan,) = company.plans("ada-q4")
        assert peers_of(company, plan) is None
        tried = peers_of(company, plan, try_them=True)
    assert tried is not None
    assert tried["reviews-24h"] == (5, 5)


def test_an_edited_plan_is_tried_anew(lived: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(lived, tmp_path / "copy")
    path = tmp_path / "copy" / "plans" / "ben-coaching.yaml"
    path.write_text(path.read_text().replace("at_least: 8", "at_least: 80"))
    with opened(tmp_path / "copy", at(20, 0, 3)) as company:
        (plan,) = company.plans("ben-coaching")
        assert peers_of(company, plan) is None


def test_a_week_without_a_record_before_it_has_nothing_late(folder: Path) -> None:
    with opened(folder) as company:
        plans = company.plans()
        found = of_week(
            company, scored(company, plans, AS_OF), dict.fromkeys([plan.id for plan in plans], at(19, 0, 0))
        )
    assert set(found) == {"ada-q4", "ben-coaching"}
    assert all(each.late == () and each.peers is None for each in found.values())
    assert beside.NAME == "beside"
