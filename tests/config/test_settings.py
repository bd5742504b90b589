"""Keys that only one connector takes; its table says which."""

from datetime import timedelta

import pytest

from pipmetrics import registry
from pipmetrics.model import Secret
from pipmetrics.plugin import Parameter

from .conftest import SETTINGS, spot


class Connector:
    options = (
        Parameter("spans", "mapping", "Spans.", choices=("a", "b")),
        Parameter("pause", "duration", "A pause.", default=timedelta(hours=1)),
        Parameter("level", "choice", "A level.", choices=("low", "high")),
        Parameter("app", "mapping", "An app."),
        Parameter("since", "date", "A date."),
        Parameter("part", "share", "A part."),
        Parameter("names", "list", "Names."),
        Parameter("must", "text", "Write it.", required=True),
    )


@pytest.fixture
def tabled(monkeypatch):
    """All connectors have the table above."""
    monkeypatch.setattr(registry, "connector", lambda name: Connector)


def test_the_github_connector_takes_releases_and_an_app(folder):
    more = 'releases: [acme/app, "acme/lib-*"], app_id: "12", installation_id: 34, private_key: "file:app.pem", '
    folder.settings(SETTINGS.replace("repositories:", more + "repositories:"))
    assert folder.load().settings.sources["hub"].options == {
        "releases": ("acme/app", "acme/lib-*"),
        "app_id": "12",
        "installation_id": 34,
        "private_key": Secret("file:app.pem"),
    }


def test_a_key_of_another_connector_is_unknown(folder):
    text = SETTINGS.replace('user: "${JIRA_USER}"', "releases: [acme/app]")
    assert f"pipmetrics.yaml:{spot(text, 'releases')}: unknown key `releases`" in "".join(
        folder.settings(text).problems()
    )


def test_the_client_of_a_connector_is_loaded_only_for_its_own_keys(folder, monkeypatch):
    def refuse(name):
        raise AssertionError("no key needs it")

    monkeypatch.setattr(registry, "connector", refuse)
    assert folder.problems() == []


def test_options_are_converted_and_defaults_filled_in(folder, tabled):
    more = (
        "must: x, app: {id: 5, key: '${KEY}', scopes: [a, b]}, level: low, since: 2026-01-01, part: 5%, names: [1, a], "
    )
    folder.settings(SETTINGS.replace("repositories:", more + "repositories:"))
    options = folder.load().settings.sources["hub"].options
    assert options["pause"] == timedelta(hours=1)
    assert options["app"] == {"id": 5, "key": Secret("${KEY}"), "scopes": ("a", "b")}
    assert (options["since"].year, options["part"], options["names"]) == (2026, 0.05, (1, "a"))


@pytest.mark.parametrize(
    ("more", "needle", "problem"),
    [
        ("level: middle, ", "middle", "one of low, high is expected here"),
        ("pause: 5, ", "5,", "a bare number is no duration"),
        ("spans: {c: 1}, ", "{c: 1}", "an unknown key in this mapping | Known: a, b."),
        ("spans: 7, ", "7,", "a mapping is expected here, not a number"),
        ("names: abc, ", "abc", "a list is expected here, not text"),
        ("level: low, ", "hub:", "`must` is missing | Write it."),
        ("app: {private_key: hunter2}, ", "hunter2", "a secret stands here in the clear"),
        ("app: {key: hunter2}, ", "hunter2", "a secret stands here in the clear"),
        ("leveling: low, ", "leveling", "unknown key `leveling` | Did you mean `level`?"),
    ],
)
def test_wrong_options(folder, tabled, more, needle, problem):
    text = SETTINGS.replace("repositories:", more + "repositories:")
    found = folder.settings(text).problems()
    assert [line for line in found if line.startswith(f"pipmetrics.yaml:{spot(text, needle)}: {problem}")], found
    assert "hunter2" not in "".join(found)
