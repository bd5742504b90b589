from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from pipmetrics.demo.jira import Jira, User
from pipmetrics.demo.service import Request, Response
from pipmetrics.errors import SourceError
from pipmetrics.plugin import Finding
from tests.jira.desk import BOTH, Open, Reader, a_world


def findings(reader: Reader, logins: Sequence[str] = ()) -> list[Finding]:
    return list(reader.connector().check(logins))


def told(reader: Reader, logins: Sequence[str] = (), level: str = "") -> list[str]:
    return [each.what for each in findings(reader, logins) if level in ("", each.level)]


@BOTH
def test_all_is_well(read: Open, cloud: bool) -> None:
    reader = read(a_world(cloud=cloud, zone="Asia/Kolkata"))
    reader.clock.now = time.time()
    found = findings(reader, ["ada@acme.example", "acc-lee" if cloud else "lee"])
    assert [each.level for each in found] == ["ok", "ok", "ok", "note", "ok", "ok", "ok"]
    assert "Asia/Kolkata" in found[3].what
    assert ("Cloud" if cloud else "Data Center") in found[0].what


@BOTH
def test_a_wrong_token_is_named_with_what_that_kind_of_jira_takes(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    jira = Jira(world)

    def app(request: Request) -> Response:
        return Response.of({}, 401) if request.path.endswith("/myself") else jira(request)

    *_, found = findings(read(world, jira=jira, app=app))
    assert (found.level, found.what) == ("error", "jira: the token is not accepted")
    assert ("e-mail address" if cloud else "personal access token") in found.mend


@BOTH
def test_a_server_that_refuses_from_the_start_is_an_error_with_a_mend(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    with pytest.raises(SourceError, match="token") as caught:
        findings(read(world, jira=Jira(world, token="another")))
    assert caught.value.mend


@BOTH
def test_a_clock_that_is_off_is_told(read: Open, cloud: bool) -> None:
    reader = read(a_world(cloud=cloud))
    now = time.time()
    for off, level in ((0, "ok"), (120, "warning"), (-1200, "error")):
        reader.clock.now = now + off
        assert [each.level for each in findings(reader) if "clock" in each.what] == [level]


@BOTH
def test_a_project_that_can_not_be_read_is_an_error(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    world.projects["LAB"].visible = False
    errors = told(read(world, projects=("PAY", "LAB", "NONE")), level="error")
    assert [each for each in errors if "project" in each] == [
        "jira: the project LAB does not exist, or this account may not see it",
        "jira: the project NONE does not exist, or this account may not see it",
    ]


@BOTH
def test_an_account_that_administers_is_too_much(read: Open, cloud: bool) -> None:
    world = a_world(cloud=cloud)
    assert "jira: this account administers Jira" in told(
        read(world, jira=Jira(world, administrator=True)), level="warning"
    )


@BOTH
def test_accounts_that_do_not_exist_are_errors(read: Open, cloud: bool) -> None:
    errors = told(read(a_world(cloud=cloud)), ["nobody", "nobody@acme.example", "ada@acme.example"], "error")
    accounts = [each for each in errors if "account" in each]
    assert accounts == ["jira: there is no account nobody", "jira: there is no account nobody@acme.example"]


def test_a_deactivated_account_is_noted(read: Open) -> None:
    world = a_world()
    world.users["acc-lee"].active = False
    assert "jira: the account acc-lee is deactivated" in told(read(world), ["acc-lee"], "note")


def test_a_hidden_address_is_told_with_the_account_it_may_be(read: Open) -> None:
    world = a_world()
    world.add_user(User("acc-eve", "eve@acme.example"))
    [found] = [each for each in findings(read(world), ["eve@acme.example"]) if "hidden" in each.what]
    assert (found.level, "acc-eve" in found.mend) == ("warning", True)
