from datetime import date

import pytest

from pipmetrics.config import load, write_starting_config
from pipmetrics.config.lint import lint
from pipmetrics.errors import UsageError


def test_what_is_written_loads_and_is_linted_clean(tmp_path):
    written = write_starting_config(tmp_path / "config")
    assert [str(path.relative_to(tmp_path)) for path in written] == [
        "config/pipmetrics.yaml", "config/people.yaml", "config/plans/ada-coaching.yaml", "config/.gitignore",
    ]  # fmt: skip
    config = load(tmp_path / "config")
    assert [source.connector for source in config.settings.sources.values()] == ["github"]
    assert config.plans[0].draft
    assert lint(config) == ()


def test_all_three_services_and_names_of_ones_own(tmp_path):
    write_starting_config(
        str(tmp_path),
        github="http://127.0.0.1:8080/api/v3",
        repositories=["acme/api", "acme/*"],
        gitlab="https://gitlab.example.com",
        jira="https://jira.example.com",
        projects=["platform/core", "PAY"],
        person="zoe",
        manager="no",
        timezone="Europe/Berlin",
        start=date(2026, 12, 1),
    )
    config = load(tmp_path)
    assert config.settings.timezone == "Europe/Berlin"
    assert config.settings.sources["hub"].repositories == ("acme/api", "acme/*")
    assert config.settings.sources["lab"].projects == ("platform/core",)
    assert config.settings.sources["jira"].projects == ("PAY",)
    assert (config.plans[0].person, config.plans[0].manager, config.plans[0].start) == ("zoe", "no", date(2026, 12, 1))
    assert set(config.people["zoe"].accounts) == {"hub", "lab", "jira"}


@pytest.mark.parametrize(("service", "name"), [("gitlab", "lab"), ("jira", "jira")])
def test_projects_belong_to_the_only_service_that_has_them(tmp_path, service, name):
    write_starting_config(tmp_path, **{service: "https://x.example.com"}, projects=["core", "a/b"])
    assert load(tmp_path).settings.sources[name].projects == ("core", "a/b")


@pytest.mark.parametrize("name", ["null", "true", "12", "Ada.L", "a@b", "yes", "1e3", "é"])
def test_awkward_names_are_written_so_that_they_are_read_back(tmp_path, name):
    write_starting_config(tmp_path, person=name, manager="boss")
    assert load(tmp_path).plans[0].person == name


@pytest.mark.parametrize("existing", ["pipmetrics.yaml", "people.yaml", "plans/ada-coaching.yaml"])
def test_nothing_is_overwritten_and_then_nothing_is_written(tmp_path, existing):
    (tmp_path / existing).parent.mkdir(exist_ok=True)
    (tmp_path / existing).write_text("mine")
    with pytest.raises(UsageError, match="there already") as caught:
        write_starting_config(tmp_path)
    assert caught.value.exit_code == 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / existing]
    assert (tmp_path / existing).read_text() == "mine"


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Berlin"}, {"github": "github.com"}, {"jira": "https://u:p@x"}, {"person": "a b"}, {"manager": ""},
        {"repositories": ["a\nb"]}, {"projects": [""]},
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused_before_anything_is_written(tmp_path, wrong):
    with pytest.raises(UsageError):
        write_starting_config(tmp_path / "config", **wrong)
    assert not (tmp_path / "config").exists()


def test_a_place_that_cannot_be_written_to_says_so(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot write"):
        write_starting_config(tmp_path / "file" / "config")
