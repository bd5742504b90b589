"""Pull requests, deployments and releases as the stand-in serves them, to signals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipmetrics.demo.github import Commit, File, Repository, World

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHANGE = "hub:acme/api#1"
Reading = Callable[..., Any]


def at(hours: float) -> datetime:
    return START + hours * HOUR


@pytest.fixture
def api(world: World) -> Repository:
    return world.repository("acme/api")


def told(signals: list[Any]) -> list[tuple[str, float]]:
    return [(signal.kind, (signal.at - START) / HOUR) for signal in signals]


def test_a_change_from_its_opening_to_its_merge(world: World, api: Repository, reader: Reading) -> None:
    ada, lee = world.account("ada"), world.account("lee")
    work = api.commit(ada, at(-2), "Round PAY-12\n\nFixes: a1b2c3d", authored=at(-5))
    closed = api.issue(lee, at(-9), number=9)
    pull = api.pull(
        ada, at(0), "Round half up (PAY-11)", number=1, body="Closes #9, see acme/web#3", branch="PAY-10-round",
        labels=["money"], files=[File("money.py", 12, 3), File("generated.lock", 100, 0)], commits=[work],
        closes=[closed],
    )  # fmt: skip
    pull.request(lee, at(1), by=ada)
    pull.review(lee, at(3), "APPROVED", comments=2)
    pull.comment(lee, at(4), "nice, PAY-99")
    pull.merge(at(5), by=lee)
    got = reader().pull()
    assert told(got.of(CHANGE)) == [
        ("commits_pushed", -2), ("change_opened", 0), ("change_ready", 0), ("review_requested", 1), ("reviewed", 3),
        ("commented", 4), ("change_merged", 5),
    ]  # fmt: skip
    [opened], [merged] = got.of(CHANGE, "change_opened"), got.of(CHANGE, "change_merged")
    references = ["PAY-10", "PAY-11", "hub:acme/api#9", "hub:acme/web#3", "PAY-12"]
    assert opened.detail == {
        "title": "Round half up (PAY-11)", "labels": ["money"], "draft": False, "base": "main", "default_branch": True,
        "branch": "PAY-10-round", "issues": references, "closes": ["hub:acme/api#9"], "author_login": "ada",
    }  # fmt: skip
    assert merged.detail == {
        "merged_by": str(lee.id), "files": [["money.py", 12, 3], ["generated.lock", 100, 0]], "files_complete": True,
        "sha": pull.merge_sha, "base": "main", "default_branch": True, "issues": references,
        "closes": ["hub:acme/api#9"], "labels": ["money"], "reverts": [],
        "causes": [{"to": "a1b2c3d", "text": "Fixes: a1b2c3d"}],
    }  # fmt: skip
    assert (merged.actor, merged.value, merged.url) == (str(ada.id), 115.0, f"{got.service.url}/acme/api/pull/1")
    [pushed] = got.of(CHANGE, "commits_pushed")
    assert pushed.detail == {"sha": work.sha, "authored": "2026-03-02T04:00:00+00:00", "linked": True}
    [review] = got.of(CHANGE, "reviewed")
    assert (review.actor, review.value) == (str(lee.id), 2.0)
    assert review.detail == {"state": "approved", "comments": 2, "previous": None}
    assert {account.login for account in got.accounts.values()} == {"ada", "lee"}


def test_a_change_on_another_branch_says_so(world: World, api: Repository, reader: Reading) -> None:
    api.pull(world.account("ada"), at(0), base="release").merge(at(1), world.account("lee"))
    [merged] = reader().pull().of(CHANGE, "change_merged")
    assert (merged.detail["base"], merged.detail["default_branch"]) == ("release", False)


@pytest.mark.parametrize("draft", [True, False])
def test_drafts_flip(world: World, api: Repository, reader: Reading, draft: bool) -> None:
    ada = world.account("ada")
    pull = api.pull(ada, at(0), draft=draft)
    if draft:
        pull.ready(at(1), ada)
    pull.back_to_draft(at(2), ada)
    pull.ready(at(3), ada)
    got = reader().pull()
    flips = got.of(CHANGE, "change_ready", "change_drafted")
    ready = ("change_ready", 1.0 if draft else 0.0)
    assert told(flips) == [ready, ("change_drafted", 2.0), ("change_ready", 3.0)]
    assert got.of(CHANGE, "change_opened")[0].detail["draft"] is draft


def test_a_draft_that_was_never_ready_is_not_ready(world: World, api: Repository, reader: Reading) -> None:
    api.pull(world.account("ada"), at(0), draft=True)
    assert told(reader().pull().of(CHANGE)) == [("change_opened", 0)]


def test_closed_reopened_and_merged(world: World, api: Repository, reader: Reading) -> None:
    ada, lee = world.account("ada"), world.account("lee")
    pull = api.pull(ada, at(0))
    pull.close(at(1), lee)
    pull.reopen(at(2), ada)
    pull.merge(at(3), lee)
    got = reader().pull().of(CHANGE, "change_closed", "change_reopened", "change_merged")
    assert told(got) == [("change_closed", 1), ("change_reopened", 2), ("change_merged", 3)]
    assert [signal.actor for signal in got] == [str(lee.id), str(ada.id), str(ada.id)]


def test_closed_without_a_merge(world: World, api: Repository, reader: Reading) -> None:
    api.pull(world.account("ada"), at(0)).close(at(1), world.account("lee"))
    assert told(reader().pull().of(CHANGE, "change_closed", "change_merged")) == [("change_closed", 1)]


def test_a_closing_that_the_timeline_does_not_tell_is_known_from_the_change(
    world: World, api: Repository, reader: Reading
) -> None:
    pull = api.pull(world.account("ada"), at(0))
    pull.close(at(1), world.account("lee"))
    pull.events.clear()
    [closed] = reader().pull().of(CHANGE, "change_closed")
    assert (closed.at, closed.actor, closed.mark) == (at(1), None, "ghost")


def test_requests_of_teams_and_people_and_their_removal(world: World, api: Repository, reader: Reading) -> None:
    ada, lee, team = world.account("ada"), world.account("lee"), world.team("platform")
    pull = api.pull(ada, at(0))
    pull.request(team, at(1), by=ada)
    pull.request(lee, at(2), by=ada)
    pull.unrequest(team, at(2.5), by=ada)
    pull.review(lee, at(3), "CHANGES_REQUESTED")
    pull.request(lee, at(4), by=ada)
    pull.unrequest(lee, at(5), by=lee)
    pull.request(None, at(6), by=None)
    found = reader().pull().of(CHANGE, "review_requested", "review_request_removed")
    assert [
        (each.kind[7:], each.actor, each.mark, each.detail["team"], each.detail["requester"]) for each in found
    ] == [
        ("requested", None, "", "platform", str(ada.id)),
        ("requested", str(lee.id), "", None, str(ada.id)),
        ("request_removed", None, "", "platform", str(ada.id)),
        ("requested", str(lee.id), "", None, str(ada.id)),
        ("request_removed", str(lee.id), "", None, str(lee.id)),
        ("requested", None, "ghost", None, None),
    ]


def test_reviews_pending_dismissed_all_at_once_and_by_the_author(
    world: World, api: Repository, reader: Reading
) -> None:
    ada, lee = world.account("ada"), world.account("lee")
    pull = api.pull(ada, at(0))
    pull.review(lee, None)
    first = pull.review(lee, at(1), "CHANGES_REQUESTED", comments=3)
    pull.dismiss(first, at(2), by=ada)
    for state in ("APPROVED", "COMMENTED"):
        pull.review(lee, at(1), state, comments=1)  # type: ignore[arg-type] # both are states
    pull.review(ada, at(1), "COMMENTED", comments=1)
    found = reader().pull().of(CHANGE, "reviewed")
    assert [(each.detail["state"], each.detail["previous"], each.value) for each in found] == [
        ("dismissed", "changes_requested", 3.0), ("approved", None, 1.0), ("commented", None, 1.0),
        ("commented", None, 1.0),
    ]  # fmt: skip
    assert len({each.key for each in found}) == 4


def test_ghosts_bots_and_placeholders_are_marked(world: World, api: Repository, reader: Reading) -> None:
    bot, imported = world.account("dependabot", "Bot"), world.account("ada-imported", "Mannequin")
    pull = api.pull(bot, at(0))
    pull.review(None, at(1))
    pull.comment(imported, at(2))
    pull.merge(at(3), by=None)
    got = reader().pull()
    found = got.of(CHANGE, "change_opened", "reviewed", "commented", "change_merged")
    assert [(each.actor, each.mark) for each in found] == [
        (str(bot.id), "bot"), (None, "ghost"), (str(imported.id), ""), (str(bot.id), "bot"),
    ]  # fmt: skip
    assert got.of(CHANGE, "change_merged")[0].detail["merged_by"] is None
    assert got.accounts[str(bot.id)].mark == "bot"


def test_commits_of_strangers_count_for_the_author_of_the_change(
    world: World, api: Repository, reader: Reading
) -> None:
    ada = world.account("ada")
    stranger = Commit("f" * 40, "Work", at(1), at(1), None, "who@example.com")
    api.pull(ada, at(0), commits=[stranger])
    [pushed] = reader().pull().of(CHANGE, "commits_pushed")
    assert (pushed.actor, pushed.detail["linked"]) == (str(ada.id), False)


def test_runs_by_head_commit_with_those_that_a_force_push_replaced(
    world: World, api: Repository, reader: Reading
) -> None:
    ada = world.account("ada")
    first, second, third, fourth = (api.commit(ada, at(n), f"work {n}") for n in range(4))
    first.check("FAILURE", at(1.5), "test")
    first.check("SUCCESS", at(1.25), "lint")
    second.check("SUCCESS", at(2.5), "test")
    second.check("SKIPPED", at(2.75), "deploy")
    second.check("CANCELLED", at(2.6), "docs")
    third.check("SUCCESS", at(3.5), "test")
    third.check(None, None, "slow")
    fourth.check("SUCCESS", at(4), "ci/status", kind="status")
    pull = api.pull(ada, at(0), commits=[first])
    pull.force_push(at(1), ada, [second, third, fourth])
    found = reader().pull().of(CHANGE, "checks_completed")
    assert [(each.detail["sha"], each.detail["conclusion"], each.at) for each in found] == [
        (first.sha, "failure", at(1.5)), (second.sha, "success", at(2.75)), (fourth.sha, "success", at(4)),
    ]  # fmt: skip
    assert {each.actor for each in found} == {str(ada.id)}


@pytest.mark.parametrize(
    ("ends", "conclusion"),
    [
        (["CANCELLED"], "cancelled"),
        (["SKIPPED", "NEUTRAL"], "skipped"),
        (["NEUTRAL"], "neutral"),
        (["STALE"], "neutral"),
        (["TIMED_OUT", "SUCCESS"], "failure"),
        (["ACTION_REQUIRED"], "failure"),
        (["STARTUP_FAILURE", "CANCELLED"], "failure"),
    ],
)
def test_a_run_failed_if_anything_in_it_did(
    world: World, api: Repository, reader: Reading, ends: list[str], conclusion: str
) -> None:
    work = api.commit(world.account("ada"), at(0))
    for n, end in enumerate(ends):
        work.check(end, at(1), f"check {n}")
    api.pull(world.account("ada"), at(0), commits=[work])
    [run] = reader().pull().of(CHANGE, "checks_completed")
    assert run.detail["conclusion"] == conclusion


def test_what_a_revert_says_of_itself(world: World, api: Repository, reader: Reading) -> None:
    ada = world.account("ada")
    back = api.commit(ada, at(1), f'Revert "PAY-1 x (#1)"\n\nThis reverts commit {"a" * 40}.')
    pull = api.pull(
        ada, at(1), 'Revert "PAY-1 x"', body="Reverts acme/api#1\n\ncaused by #1", branch="revert-1-x", commits=[back]
    )
    pull.merge(at(2), ada)
    [merged] = reader().pull().of(CHANGE, "change_merged")
    assert merged.detail["reverts"] == [CHANGE, "a" * 40]
    assert merged.detail["issues"] == []
    assert merged.detail["causes"] == [{"to": CHANGE, "text": "caused by #1"}]


def test_a_renamed_login_is_the_same_account(world: World, api: Repository, reader: Reading) -> None:
    ada = world.account("ada.old")
    pull = api.pull(ada, at(0))
    got = reader().pull()
    ada.login = "ada"
    pull.comment(ada, at(1))
    got.pull()
    assert {each.actor for each in got.of(CHANGE)} == {str(ada.id)}
    assert got.accounts[str(ada.id)].login == "ada"


# --- production -----------------------------------------------------------------------------------------------------


def test_deployments_to_production_count_from_their_first_success(
    world: World, api: Repository, reader: Reading
) -> None:
    lee = world.account("lee")
    done = api.deploy("a" * 40, "prod-eu", at(0), lee, minutes=30)
    done.report("INACTIVE", at(5))
    done.report("SUCCESS", at(6))
    api.deploy("b" * 40, "staging", at(1), lee)
    api.deploy("c" * 40, "production", at(2), lee, state="FAILURE")
    api.deploy("d" * 40, "Production", at(3), lee)
    got = reader(production=("production", "prod-*")).pull()
    [signal] = [each for signals in got.groups.values() for each in signals]
    assert (signal.kind, signal.subject, signal.at, signal.actor) == (
        "deployed", f"hub:acme/api@{done.id}", at(0.5), str(lee.id),
    )  # fmt: skip
    assert signal.detail == {"sha": "a" * 40, "environment": "prod-eu", "repository": "hub:acme/api"}
    assert signal.url.endswith("/acme/api/deployments/prod-eu")


def test_a_deployment_that_succeeds_later_is_found_though_nothing_else_moves(
    world: World, api: Repository, reader: Reading
) -> None:
    lee = world.account("lee")
    now = datetime.now(UTC).replace(microsecond=0)
    waiting = api.deploy("a" * 40, "production", now - timedelta(days=5), lee, state=None)
    for n in range(20):
        api.deploy(f"{n:040}", "production", now - timedelta(days=4, minutes=n), lee)
    got = reader().pull()
    assert got.of(f"hub:acme/api@{waiting.id}") == []
    waiting.report("SUCCESS", now - timedelta(hours=1), lee)
    got.pull()
    assert [each.at for each in got.of(f"hub:acme/api@{waiting.id}")] == [now - timedelta(hours=1)]
    assert got.pull().requests == 1, "and is left alone afterwards"


def test_published_releases_are_deployments_where_the_source_says_so(
    world: World, api: Repository, reader: Reading
) -> None:
    lee, sha = world.account("lee"), "a" * 40
    api.land(Commit(sha, "x", at(0), at(0), lee))
    out = api.release("v1", sha, at(1), lee)
    api.release("v2", sha, at(2), lee, draft=True)
    api.release("v3-rc1", sha, at(3), lee, prerelease=True)
    api.release("v0", "b" * 40, at(4), lee)
    assert reader().pull().groups == {}
    got = reader(options={"releases": ("acme/a*",)}).pull()
    [signal] = [each for signals in got.groups.values() for each in signals]
    assert (signal.subject, signal.at, signal.detail["sha"]) == (f"hub:acme/api@release-{out.id}", at(1), sha)


def test_a_draft_release_that_is_published_becomes_a_deployment(world: World, api: Repository, reader: Reading) -> None:
    lee, sha = world.account("lee"), "a" * 40
    api.land(Commit(sha, "x", at(0), at(0), lee))
    draft = api.release("v2", sha, at(2), lee, draft=True)
    got = reader(options={"releases": ("acme/api",)}).pull()
    draft.draft, draft.published = False, at(50)
    assert [each.at for each in got.pull().of(f"hub:acme/api@release-{draft.id}")] == [at(50)]
