"""What fixes changed is suggested out of a local clone, and counts once a person has confirmed it, where it may."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipmetrics import acts, blame
from pipmetrics.api import Organisation
from pipmetrics.blame import Suggestions
from pipmetrics.config import load
from pipmetrics.errors import Refused, UsageError
from pipmetrics.model import Account, Signal
from pipmetrics.plugin import Page
from tests.metrics.builders import merged, opened, pushed, signal
from tests.metrics.tickets import issue
from tests.organisation import cli, cli_json

SETTINGS = """\
store: sqlite:///x.db
timezone: UTC
sources:
  hub: {connector: github, url: "https://hub.example.com", token: "${HUB}", repositories: [acme/api],
        bugs: {labels: [bug]}}
"""
PEOPLE = """\
people:
  ada: {name: Ada Example, manager: dana, accounts: {hub: ada}}
  ben: {name: Ben Example, manager: dana, accounts: {hub: ben}}
  dana: {name: Dana Example}
"""
PLAN = """\
plan: ada-q4
kind: pip
person: ada
manager: dana
start: 2026-10-05
end: 2026-11-29
attribution: [link, fix]
criteria:
  - {id: bugs, metric: post_deploy_bugs, criterion: threshold, statistic: count, at_most: 0}
  - {id: failures, metric: change_failure, criterion: threshold, statistic: share, at_most: 10%}
"""
ADAS, BENS, FIX, BUG, OTHER = (f"hub:acme/api#{n}" for n in (1, 2, 9, 5, 6))
AS_OF = datetime(2026, 11, 23, tzinfo=UTC)


class Clone:
    """A small repository with the history that the signals tell of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        named = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *named, *words], cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            (self.path / f"{name}.py").write_text(text)
        self.git("add", ".")
        self.git("commit", "-q", "-m", "Work")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "api")


@pytest.fixture
def folder(tmp_path: Path, clone: Clone) -> Path:
    """Ben writes two files, Ada changes two lines and adds one, and the bug's fix changes some of hers and of his."""
    bens = clone.commit(pay="total = 0\nrate = 1\n\nround = 2\n", other="x = 1\n")
    adas = clone.commit(pay="total = 0\nrate = 7\n\nround = 3\nfee = 4\n")
    clone.git("checkout", "-q", "-b", "fix")
    fixes = [clone.commit(pay="total = 0\nrate = 8\n\nround = 5\nfee = 4\n", other="x = 2\n")]
    fixes.append(clone.commit(pay="total = 0\nrate = 9\n\nround = 5\nfee = 4\n"))
    clone.git("checkout", "-q", "main")
    clone.git("merge", "-q", "--no-ff", "-m", "Merge", "fix")
    config = tmp_path / "config"
    (config / "plans").mkdir(parents=True)
    for name, text in {"pipmetrics.yaml": SETTINGS, "people.yaml": PEOPLE, "plans/ada.yaml": PLAN}.items():
        (config / name).write_text(text)
    with opened_company(config) as company:
        company.store.write("hub", Page(accounts=[Account("hub", name, name) for name in ("ada", "ben")]), AS_OF)
        company.store.complete("hub", AS_OF)
        pull(
            company,
            *change(BENS, "ben", "01", bens),
            *change(ADAS, "ada", "06", adas),
            issue(BUG, "2026-10-12 09:00", labels=["bug"]),
            issue(OTHER, "2026-10-13 09:00", labels=["bug"]),
            *change(FIX, "ben", "14", clone.git("rev-parse", "HEAD"), *fixes, closes=[BUG]),
        )
    return config


def change(subject: str, author: str, day: str, sha: str, *pushes: str, **more: object) -> list[Signal]:
    """Opened, merged and deployed on a day of October."""
    return [
        opened(subject, author, f"2026-10-{day} 09:00"),
        *(pushed(subject, author, f"2026-10-{day} 09:00", sha=each) for each in pushes),
        merged(subject, author, f"2026-10-{day} 10:00", sha=sha, **more),
        signal("change_deployed", subject, author, f"2026-10-{day} 12:00"),
    ]


def pull(company: Organisation, *signals: Signal) -> None:
    groups: dict[str, list[Signal]] = {}
    for each in signals:
        held = groups.setdefault(each.subject, [])
        held.append(replace(each, key=f"{each.subject}-{len(held)}"))
    company.store.write("hub", Page(groups=groups), AS_OF)


def opened_company(folder: Path) -> Organisation:
    return Organisation(load(folder), now=lambda: AS_OF)


@pytest.fixture
def company(folder: Path) -> Iterator[Organisation]:
    with opened_company(folder) as found:
        yield found


def suggested(company: Organisation, clone: Clone) -> Suggestions:
    return blame.suggest(company, "ada-q4", {"hub:acme/api": str(clone.path)}, AS_OF)


def test_a_fix_suggests_the_change_of_the_person_whose_lines_it_changed(company: Organisation, clone: Clone) -> None:
    found = suggested(company, clone)
    (one,) = found.found
    assert (one.bug, one.fix, one.change, one.state) == (BUG, FIX, ADAS, "open")
    assert one.deployed == datetime(2026, 10, 6, 12, tzinfo=UTC)
    (lines,) = one.lines
    assert (lines.path, lines.lines) == ("pay.py", (2, 4))
    assert {lines.commit, lines.fix} < set(clone.git("log", "--format=%H", "--all").split())
    assert (found.counts, found.unread, found.missing) == (True, (), ())
    assert "pay.py: 2, 4, of " in found.to_text()
    assert found.to_json()["found"][0]["created"] == "2026-10-12T09:00:00Z"


def test_a_suggestion_never_counts_by_itself(company: Organisation, clone: Clone) -> None:
    assert suggested(company, clone).found
    bugs = company.explain("ada-q4", "bugs")
    assert (bugs.criterion["value"], bugs.criterion["verdict"]) == (0, "on_track")


def confirm(company: Organisation, clone: Clone, *, confirmed: bool = True, by: str = "dana", bug: str = BUG) -> int:
    clones = {"hub:acme/api": str(clone.path)}
    return blame.confirm(
        company, "ada-q4", bug, ADAS, clones, confirmed=confirmed, by=by, why="Read it together.", now=AS_OF
    )


def test_what_a_named_person_has_confirmed_counts_with_who_and_which_lines(company: Organisation, clone: Clone) -> None:
    entry = confirm(company, clone)
    company.now = lambda: AS_OF.replace(day=24)
    found = company.explain("ada-q4", "bugs")
    assert found.criterion["value"] == 1
    (point,) = found.points
    assert (point.measurement["subject"], point.measurement["value"]) == (BUG, 1.0)
    (trace,) = [each for each in point.traces if each["kind"] == "confirmed"]
    assert (trace["login"], trace["key"], trace["detail"]["why"]) == ("dana", f"ledger:{entry}", "Read it together.")
    assert "caused by hub:acme/api#1, as the lines say that its fix changed (pay.py: 2, 4, of " in found.to_text()
    assert {fact["kind"] for fact in point.facts} >= {"issue_opened", "change_deployed"}
    (again,) = suggested(company, clone).found
    assert (again.state, again.by) == ("confirmed", "dana")
    failed = company.measure(_requests(company), company.acts(company.now()))
    (rows,) = failed.values()
    assert rows.loc[rows["subject"].eq(ADAS), "value"].tolist() == [1.0]


def _requests(company: Organisation) -> list[object]:
    from pipmetrics.model import MeasureRequest

    return [MeasureRequest("change_failure", company.now(), attribution=("link", "fix"))]


def test_it_counts_only_for_plans_whose_attribution_names_it(folder: Path, clone: Clone) -> None:
    path = folder / "plans" / "ada.yaml"
    path.write_text(path.read_text().replace("attribution: [link, fix]\n", ""))
    with opened_company(folder) as company:
        assert "does not name `fix`" in suggested(company, clone).to_text()
        confirm(company, clone)
        company.now = lambda: AS_OF.replace(day=24)
        assert company.explain("ada-q4", "bugs").criterion["value"] == 0


def test_what_is_denied_later_counts_no_more(company: Organisation, clone: Clone) -> None:
    confirm(company, clone)
    company.now = lambda: AS_OF.replace(day=24)
    clones = {"hub:acme/api": str(clone.path)}
    blame.confirm(company, "ada-q4", BUG, ADAS, clones, confirmed=False, by="ada", why="No.", now=company.now())
    company.now = lambda: AS_OF.replace(day=25)
    assert company.explain("ada-q4", "bugs").criterion["value"] == 0
    assert blame.suggest(company, "ada-q4", clones, company.now()).found[0].state == "denied"


def test_only_what_is_suggested_can_be_confirmed_and_only_by_those_with_a_part_in_it(
    company: Organisation, clone: Clone
) -> None:
    with pytest.raises(UsageError, match="no fix of hub:acme/api#6 is known") as wrong:
        confirm(company, clone, bug=OTHER)
    assert f"{BUG} {ADAS}" in wrong.value.mend
    with pytest.raises(Refused, match="ben has no part in plan"):
        confirm(company, clone, by="ben")
    store, config = company.store, company.config
    with pytest.raises(UsageError, match="nothing says that"):
        acts.blame(store, config, "ada-q4", BUG, ADAS, confirmed=True, evidence=(), by="dana", why="x", now=AS_OF)


def test_what_could_not_be_read_is_said(company: Organisation, clone: Clone, tmp_path: Path) -> None:
    assert blame.suggest(company, "ada-q4", {}, AS_OF).unread == ("hub:acme/api",)
    with pytest.raises(UsageError, match="holds no git repository"):
        blame.suggest(company, "ada-q4", {"hub:acme/api": str(tmp_path / "nowhere")}, AS_OF)
    other = Clone(tmp_path / "other")
    other.commit(pay="something else\n")
    found = blame.suggest(company, "ada-q4", {"hub:acme/api": str(other.path)}, AS_OF)
    assert found.found == ()
    assert len(found.missing) == 3
    assert "not in the clone: hub:acme/api " in found.to_text()


def test_without_the_extra_it_says_what_to_install(
    company: Organisation, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blame, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match="PyDriller") as wrong:
        suggested(company, clone)
    assert wrong.value.mend == "pip install 'pipmetrics[blame]'"


def test_from_the_command_line(folder: Path, clone: Clone) -> None:
    here = ("--repository", f"hub:acme/api={clone.path}")
    told = cli_json("blame", "suggest", "ada-q4", *here, folder=folder)
    assert [(each["bug"], each["change"], each["state"]) for each in told["found"]] == [(BUG, ADAS, "open")]
    said = ("--by", "dana", "--why", "Read it together.")
    assert "recorded as entry" in cli("blame", "confirm", "ada-q4", BUG, ADAS, *here, *said, folder=folder).stdout
    assert "  confirmed by dana" in cli("blame", "suggest", "ada-q4", *here, folder=folder).stdout
    for wrong in ("hub:acme/api", "acme/api=x", "git:acme/api=x"):
        assert cli("blame", "suggest", "ada-q4", "--repository", wrong, folder=folder, code=2).stderr
