"""Strange input gives a verdict or an error that helps, never a stack trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipmetrics.demo import github
from pipmetrics.demo.service import serve
from tests.organisation import TOKENS, cli, cli_json, write

DAY0 = datetime(2025, 3, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)

PLAN = """\
plan: ada-q1
kind: pip
person: ada
manager: dana
start: 2025-03-03
days: 42
criteria:
  - id: reviews
    expectation: "Complete code reviews within 24 hours"
    metric: review_turnaround
    criterion: share_within
    limit: 24h
    target: 90%
    clock: elapsed
  - {id: median, expectation: "Half of them in eight hours", metric: review_turnaround, criterion: threshold,
     statistic: median, at_most: 8h, clock: elapsed}
  - {id: bugs, expectation: "Half the bugs", metric: post_deploy_bugs, criterion: reduction, target: 50%,
     per: changes_deployed}
"""
PEOPLE = """\
people:
  ada: {name: Ada Example, manager: dana, timezone: ZONE, accounts: {hub: ada}}
  dana: {name: Dana Example}
"""


@dataclass
class Small:
    """A company with one GitHub: its world may be changed before it is pulled."""

    world: github.World
    path: Path

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.path / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def reviews(self, times: list[datetime], *, hours: float = 2.0) -> None:
        """Requests to Ada at these instants, each answered after so many hours."""
        repository = self.world.repository("acme/api")
        ada, ben = self.world.account("ada"), self.world.account("ben")
        for when in times:
            pull = repository.pull(ben, when, "Change")
            pull.request(ada, when, ben)
            pull.review(ada, when + hours * HOUR, "APPROVED", comments=1)

    def scored(self, when: str = "2025-05-01", code: int = 0) -> Any:
        cli("pull", folder=self.path, code=code)
        (plan,) = cli_json("evaluate", "--as-of", when, folder=self.path, code=code)["plans"]
        for command in (
            ("evaluate", "--as-of", when),
            ("digest", "--week", "2025-W12"),
            ("explain", "ada-q1", "reviews", "--as-of", when),
        ):
            cli(*command, folder=self.path, code=0 if command[0] == "explain" else code)
        return plan


@contextmanager
def small(tmp_path: Path, zone: str = "UTC") -> Iterator[Small]:
    world = github.World()
    world.token(TOKENS["PIPMETRICS_TEST_HUB"], "reader", scopes=None)
    world.repository("acme/api")
    with serve(github.app(world)) as service:
        settings = (
            f"timezone: UTC\nhistory: 3650 days\nsources:\n  hub: {{connector: github, url: {service.url}, "
            'token: "${PIPMETRICS_TEST_HUB}", repositories: [acme/api]}\n'
        )
        files = {"pipmetrics.yaml": settings, "people.yaml": PEOPLE.replace("ZONE", zone), "plans/ada.yaml": PLAN}
        yield Small(world, write(tmp_path / "config", files))


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    monkeypatch.setenv("PIPMETRICS_TEST_HUB", TOKENS["PIPMETRICS_TEST_HUB"])
    with small(tmp_path) as found:
        yield found


def verdicts(plan: Any) -> dict[str, str]:
    return {criterion["id"]: criterion["verdict"] for criterion in plan["criteria"]}


def test_an_empty_repository_has_not_enough_data(company: Small) -> None:
    plan = company.scored()
    assert verdicts(plan) == dict.fromkeys(("reviews", "median", "bugs"), "not_enough_data")
    assert (plan["verdict"], plan["score"], plan["coverage"], plan["recommendation"]) == (
        "not_enough_data", None, 0.0, "undetermined",
    )  # fmt: skip
    assert all(criterion["reason"] for criterion in plan["criteria"])


def test_no_access_to_one_repository_of_three_is_told_and_what_hangs_on_it_is_not_judged(company: Small) -> None:
    company.edit("pipmetrics.yaml", "[acme/api]", "[acme/api, acme/web, acme/secret]")
    company.world.repository("acme/web")
    company.reviews([DAY0 + timedelta(days=n) for n in range(10)])
    told = cli("pull", folder=company.path, code=1).stdout
    assert "incomplete: acme/secret" in told
    assert "failed" not in told
    plan = company.scored(code=1)
    assert plan["incomplete_sources"] == ["hub"]
    assert all("acme/secret" in criterion["reason"] for criterion in plan["criteria"])
    online = cli("check", "--online", folder=company.path, code=1).stdout
    assert "acme/secret" in online


def test_a_person_without_an_account_is_not_scored_and_it_says_where(company: Small) -> None:
    company.edit("people.yaml", ", accounts: {hub: ada}", "")
    company.reviews([DAY0 + timedelta(days=n) for n in range(10)])
    plan = company.scored()
    assert {criterion["reason"] for criterion in plan["criteria"]} == {"identity: no account on hub"}
    assert verdicts(plan)["reviews"] == "not_enough_data"


def test_a_person_declared_to_have_no_account_at_all_is_not_scored(company: Small) -> None:
    company.edit("people.yaml", "{hub: ada}", "{hub: null}")
    assert set(verdicts(company.scored()).values()) == {"not_enough_data"}


def test_an_account_that_nobody_has_ever_seen_has_not_enough_data(company: Small) -> None:
    company.edit("people.yaml", "{hub: ada}", "{hub: typo}")
    company.reviews([DAY0 + timedelta(days=n) for n in range(10)])
    assert set(verdicts(company.scored()).values()) == {"not_enough_data"}
    assert "typo" in cli("check", "--online", folder=company.path, code=1).stdout


def test_a_plan_in_the_future_is_not_listed_yet(company: Small) -> None:
    company.edit("plans/ada.yaml", "start: 2025-03-03", "start: 2035-03-05")
    company.reviews([DAY0])
    cli("pull", folder=company.path)
    assert cli_json("evaluate", folder=company.path)["plans"] == []
    assert cli_json("digest", folder=company.path)["cards"] == []
    assert "had not begun" in cli("explain", "ada-q1", "reviews", folder=company.path, code=2).stderr
    assert "ada-q1" in cli("backtest", "ada-q1", folder=company.path).stdout
    assert "ada-q1" in cli("baseline", "ada-q1", folder=company.path).stdout


def test_a_plan_of_one_day_is_scored(company: Small) -> None:
    company.edit("plans/ada.yaml", "days: 42", "days: 1")
    company.reviews([DAY0 + n * HOUR / 4 for n in range(8)])
    plan = company.scored("2025-03-03T20:00")
    assert (plan["day"], plan["days"]) == (1, 1)
    assert verdicts(plan)["reviews"] == "on_track"
    ended = cli_json("evaluate", folder=company.path)["plans"][0]
    assert verdicts(ended)["reviews"] == "met"
    assert "PIP1" in cli("check", folder=company.path).stdout


def test_at_the_very_start_a_plan_has_only_begun(company: Small) -> None:
    company.reviews([DAY0 - timedelta(days=n) for n in range(1, 20)])
    plan = company.scored("2025-03-03")
    assert plan["day"] == 0
    assert {criterion["reason"] for criterion in plan["criteria"]} == {"the plan has only begun"}


def test_no_reviews_in_the_plan_are_no_zero(company: Small) -> None:
    company.reviews([DAY0 - timedelta(days=n) for n in range(1, 40)])
    plan = company.scored()
    reviews = plan["criteria"][0]
    assert (reviews["verdict"], reviews["value"], reviews["n"]) == ("not_enough_data", None, 0)
    assert reviews["baseline"]["n"] == 39


def test_all_reviews_at_one_instant_are_scored(company: Small) -> None:
    company.reviews([DAY0 + timedelta(days=1)] * 12)
    plan = company.scored()
    reviews, median, _ = plan["criteria"]
    assert (reviews["n"], reviews["value"], reviews["verdict"]) == (12, 1.0, "met")
    assert (median["value"], median["interval"], median["verdict"]) == (2.0, [2.0, 2.0], "met")


@pytest.mark.parametrize(
    ("zone", "clock", "hours"),
    [("Europe/Berlin", "elapsed", 30), ("Europe/Berlin", "workdays", 6), ("UTC", "workdays", 6)],
)
def test_a_change_of_the_clocks_inside_the_window_shifts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, clock: str, hours: float
) -> None:
    """On Sunday, 30 March 2025 Berlin lost an hour: from Saturday 22:00 UTC to Monday 04:00 UTC 30 hours pass, six of
    them on Monday there (4 in UTC)."""
    monkeypatch.setenv("PIPMETRICS_TEST_HUB", TOKENS["PIPMETRICS_TEST_HUB"])
    with small(tmp_path, zone) as company:
        asked = datetime(2025, 3, 29, 22, tzinfo=UTC)
        company.reviews([asked] * 5, hours=30)
        company.scored()
        rows = cli_json("measurements", "--metric", "review_turnaround", "--clock", clock, folder=company.path)
    assert [row["value"] for row in rows] == [hours if zone != "UTC" else 4.0] * 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.edit("pipmetrics.yaml", "${PIPMETRICS_TEST_HUB}", "${NO_SUCH_NAME}"), "NO_SUCH_NAME is not set"),
        (lambda c: c.edit("pipmetrics.yaml", "[acme/api]", "[acme/none]"), "acme/none"),
        (lambda c: c.world.tokens.clear(), "hub"),
    ],
    ids=["no token", "no such repository", "token refused"],
)
def test_a_source_that_cannot_be_read_makes_everything_not_enough_data(
    company: Small, change: Callable[[Small], object], said: str
) -> None:
    change(company)
    assert said in cli("pull", folder=company.path, code=1).stdout
    plan = company.scored(code=1)
    assert plan["incomplete_sources"] == ["hub"]
    assert set(verdicts(plan).values()) == {"not_enough_data"}


def test_evaluating_before_anything_was_pulled_says_what_is_missing(company: Small) -> None:
    (plan,) = cli_json("evaluate", folder=company.path, code=1)["plans"]
    assert plan["incomplete_sources"] == ["hub"]
    assert "was never pulled to its end" in plan["criteria"][0]["reason"]
    assert "pipmetrics-demo" not in cli("digest", folder=company.path, code=1).stdout


@pytest.mark.parametrize("command", ["digest", "portfolio", "runs", "ledger", "verify", "check"])
def test_a_company_without_any_plan_is_no_fault(company: Small, command: str) -> None:
    (company.path / "plans" / "ada.yaml").unlink()
    cli(command, folder=company.path)


def test_hostile_names_and_titles_come_through_as_text(company: Small) -> None:
    evil = "<script>alert(1)</script>\x1b[31m\u202e=cmd|' /C calc'!A0"
    repository = company.world.repository("acme/api")
    ada, ben = company.world.account("ada"), company.world.account("ben")
    for day in range(6):
        when = DAY0 + timedelta(days=day)
        pull = repository.pull(ben, when, evil, labels=[evil])
        pull.request(ada, when, ben)
        pull.review(ada, when + HOUR, "APPROVED")
    company.scored()
    for form in ("text", "html", "md", "csv"):
        out = cli("digest", "--week", "2025-W10", "--format", form, "--evidence", folder=company.path).stdout
        assert "\x1b" not in out
        assert "<script>alert" not in out
    assert "\x1b" not in cli("explain", "ada-q1", "reviews", folder=company.path).stdout
