"""The connector at the engine's door: the contract, comparisons, former names, tokens that stay at home."""

from __future__ import annotations

import logging
import pickle
import traceback
from dataclasses import replace

import pytest

from pipmetrics import registry
from pipmetrics.demo.gitlab import World
from pipmetrics.demo.service import Request, Response, serve
from pipmetrics.errors import SourceError
from pipmetrics.model import SIGNAL_KINDS
from pipmetrics_gitlab import GitlabConnector, rest_reader

from .lab import TOKEN, Kept, at, busy_world, lab

Patch = pytest.MonkeyPatch


def test_the_registry_knows_it() -> None:
    assert registry.connector("gitlab") is GitlabConnector
    assert SIGNAL_KINDS - GitlabConnector.kinds == {"issue_status_changed"}


def test_building_it_asks_nothing(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        assert running.requests(running.connector) == []


def test_every_kind_that_it_gives_comes_from_a_busy_project(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch, projects=("platform",)) as running:
        found = {signal.kind for signal in running.pull().signals.values()}
        assert GitlabConnector.kinds - found == {"change_deployed", "change_reverted"}


def test_only_production_counts_as_deployed(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        (deployed,) = running.pull().of("platform/core@1")
        assert (deployed.detail["environment"], deployed.detail["repository"]) == ("production", "lab:platform/core")
        assert (deployed.at, deployed.detail["sha"]) == (at(15), running.world.projects[0].merge_requests[0].landed)
    with lab(busy_world(), monkeypatch, production=("Prod*",)) as running:
        assert not running.pull().of("platform/core@1")


def test_a_squash_without_a_merge_commit_landed_as_its_squash(monkeypatch: Patch) -> None:
    world = busy_world()
    change = world.projects[0].merge_requests[-1]
    assert change.merge_commit is None
    with lab(world, monkeypatch) as running:
        (merged,) = running.pull().of(f"platform/core!{change.iid}", "change_merged")
        assert merged.detail["sha"] == change.squash_commit
        assert merged.detail["reverts"] == ["lab:platform/core!1", "0123456789abcdef"]
        assert [cause["to"] for cause in merged.detail["causes"]] == ["lab:platform/core!1", "0123456789"]
        assert merged.detail["issues"] == []


def test_a_comparison_tells_what_a_deployment_adds(monkeypatch: Patch) -> None:
    world = World()
    ada, core = world.user("ada"), world.project("platform/core")
    changes = []
    for number in range(3):
        change = core.merge_request(ada, at(number), commits=[core.commit(ada, at(number))])
        change.merge(at(number + 1), by=ada)
        changes.append(change)
    aside = core.commit(ada, at(9), parents=[changes[0].landed])
    with lab(world, monkeypatch) as running:
        connector = running.connector()
        added = connector.compare("lab:platform/core", changes[0].landed, changes[2].landed)
        assert added.contained
        assert {changes[1].landed, changes[2].landed, changes[1].head} <= added.shas
        assert changes[0].landed not in added.shas
        back = connector.compare("platform/core", changes[2].landed, changes[0].landed)
        assert (back.shas, back.contained) == (frozenset(), False)
        assert connector.compare("platform/core", aside.sha, changes[2].landed).contained is False
        same = connector.compare("platform/core", aside.sha, aside.sha)
        assert (same.shas, same.contained) == (frozenset(), True)
        with pytest.raises(SourceError) as told:
            connector.compare("platform/core", "f" * 40, changes[0].landed)
        assert told.value.status == 404


@pytest.mark.parametrize("graphql", [True, False])
def test_a_renamed_account_is_one_account_and_old_notes_keep_the_old_name(monkeypatch: Patch, graphql: bool) -> None:
    world = World()
    ada, lee, core = world.user("ada"), world.user("lee"), world.project("platform/core")
    change = core.merge_request(ada, at(1))
    change.request(lee, at=at(2), by=ada)
    lee.rename("lee.new")
    change.approve(lee, at(3))
    change.request(lee, at=at(4), by=ada)
    with lab(world, monkeypatch, graphql=graphql) as running:
        kept = running.pull()
        assert [one.actor for one in kept.of("platform/core!1", "review_requested")] == ["@lee", str(lee.id)]
        assert [one.actor for one in kept.of("platform/core!1", "reviewed")] == [str(lee.id)]
        assert kept.accounts[str(lee.id)].login == "lee.new"


@pytest.mark.parametrize("graphql", [True, False])
def test_bots_and_deleted_accounts_are_marked(monkeypatch: Patch, graphql: bool) -> None:
    world = World()
    ada, gone, core = world.user("ada"), world.user("gone"), world.project("platform/core")
    robot, token = world.user("renovate", bot=True), world.user("project_44_bot")
    change = core.merge_request(robot, at(1), reviewers=[ada])
    change.comment(gone, at(2))
    change.comment(token, at(3))
    world.delete(gone)
    with lab(world, monkeypatch, graphql=graphql) as running:
        kept = running.pull()
        opened, *comments = kept.of("platform/core!1", "change_opened", "commented")
        assert (opened.actor, opened.mark) == (str(robot.id), "bot")
        assert [(one.actor, one.mark) for one in comments] == [(None, "ghost"), (str(token.id), "bot")]
        assert kept.accounts[str(robot.id)].mark == "bot"


def test_a_token_never_leaves_its_origin(monkeypatch: Patch, caplog: pytest.LogCaptureFixture) -> None:
    """Not by redirects, not by next pages, not by bookmarks, and it is in no log, traceback or pickle."""
    met: list[Request] = []

    def elsewhere(request: Request) -> Response:
        met.append(request)
        return Response.of([])

    caplog.set_level(logging.DEBUG)
    with serve(elsewhere) as foreign, lab(busy_world(), monkeypatch, graphql=False) as running:
        away = {"Link": f'<{foreign.url}/api/v4/projects?page=2>; rel="next"'}
        for fault in (
            Response(302, b"{}", {"Location": f"{foreign.url}/api/v4/user"}),
            Response(200, b"[]", away),
        ):
            running.service.fault = lambda _number, request, fault=fault: None if "/users/" in request.path else fault
            kept = Kept()
            with pytest.raises(SourceError) as told:
                running.pull(kept)
            assert TOKEN not in "".join(traceback.format_exception(told.value))
            assert TOKEN not in str(vars(told.value))
        running.service.fault = None
        walk = {"after": "2026-01-01T00:00:00.000Z", "cursor": f"{foreign.url}/api/v4/x", "seen": None, "start": None}
        kept = Kept(bookmarks={"platform/core/changes": {"walk": walk}})
        with pytest.raises(SourceError, match="another origin"):
            running.pull(kept)
        fine = running.pull()
        assert not met
        assert TOKEN not in str(fine.bookmarks)
        assert TOKEN.encode() not in pickle.dumps(fine)
    assert not [record for record in caplog.records if TOKEN in record.getMessage()]


def test_each_api_is_given_the_token_as_it_documents(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        running.pull()
        spoken = [request.headers for request in running.service.requests if request.path == "/api/graphql"]
        asked = [request.headers for request in running.service.requests if request.path != "/api/graphql"]
        assert spoken
        assert asked
        assert {headers["authorization"] for headers in spoken} == {f"Bearer {TOKEN}"}
        assert {headers["private-token"] for headers in asked} == {TOKEN}


def test_without_the_environment_variable_nothing_is_asked(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        monkeypatch.delenv("LAB_TOKEN")
        with pytest.raises(SourceError, match="LAB_TOKEN"):
            running.pull()
        assert not running.service.count


# --- old and odd servers ------------------------------------------------------------------------------------------


def test_fields_that_an_older_version_does_not_know_are_left_out(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        whole = running.pull()
        old = ("squashOnMerge", "closedAsDuplicateOf", "queryComplexity", "moved", "finishedAt")

        def refuse(_number: int, request: Request) -> Response | None:
            field = next((name for name in old if f" {name} ".encode() in request.body), None)
            message = f"Field '{field}' doesn't exist on type 'MergeRequest'"
            return Response.of({"errors": [{"message": message}]}) if field else None

        running.service.fault = refuse
        kept = Kept()
        spent = running.requests(lambda: running.pull(kept))
        assert kept.signals == whole.signals
        assert "GET /api/v4/projects/platform%2Fcore/merge_requests/1/discussions" not in spent


def test_a_night_without_environments_in_the_schema_still_speaks_graphql(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        kept = running.pull()
        whole = dict(kept.signals)
        message = "Field 'lastDeployment' doesn't exist on type 'Environment'"
        no = Response.of({"errors": [{"message": message}]})
        running.service.fault = lambda _number, request: no if b"lastDeployment" in request.body else None
        running.world.projects[0].merge_requests[0].comment(running.world.users[0], at(90), "Late")
        running.world.projects[0].deploy("e" * 40, "production", at(91), by=running.world.users[0])
        spent = running.requests(lambda: running.pull(kept))
        assert len(kept.signals) == len(whole) + 2
        assert not [request for request in spent if request.endswith("/discussions")]


def test_a_schema_that_lacks_what_is_needed_leads_to_rest(monkeypatch: Patch) -> None:
    with lab(busy_world(), monkeypatch) as running:
        whole = running.pull()
        message = "Field 'mergeRequests' doesn't exist on type 'Project'"
        no = Response.of({"errors": [{"message": message}]})
        running.service.fault = lambda _number, request: no if request.path == "/api/graphql" else None
        assert running.pull().signals == whole.signals


ABSENT = ("/discussions", "/resource_state_events", "/events", "/links", "/diffs", "/users")


@pytest.mark.parametrize("part", ABSENT)
def test_an_old_version_without_an_endpoint_is_no_gap(monkeypatch: Patch, part: str) -> None:
    with lab(busy_world(), monkeypatch, graphql=False) as running:
        missing = Response.of({"error": "404 Not Found"}, 404)
        changes = {"changes": [{"new_path": "a.py", "diff": "@@ -1 +1 @@\n+x\n"}], "overflow": False}

        def old(_number: int, request: Request) -> Response | None:
            if request.path.endswith("/changes"):
                return Response.of(changes)
            return missing if part in request.path else None

        running.service.fault = old
        kept = running.pull()
        assert not kept.gaps
        assert kept.of("platform/core!1", "change_merged", "reviewed")
        assert kept.of("platform/core#1", "issue_done")


def test_a_next_page_is_found_without_the_link_header(monkeypatch: Patch) -> None:
    monkeypatch.setattr(rest_reader, "PAGE", 2)
    world = busy_world()
    from pipmetrics.demo.gitlab import app

    real = app(world, graphql=False)
    with lab(world, monkeypatch, graphql=False) as running:
        whole = running.pull()

        def cut(_number: int, request: Request) -> Response:
            response = real(request)
            headers = {name: text for name, text in response.headers.items() if name != "Link"}
            return replace(response, headers=headers)

        running.service.fault = cut
        assert running.pull().signals == whole.signals
