"""The example configuration at the root of the repository loads, and its plans pass the lint or say why not."""

from pathlib import Path

from pipmetrics.config import load
from pipmetrics.config.lint import lint
from pipmetrics.model import Secret

FOLDER = Path(__file__).parents[1] / "config"


def test_the_example_configuration_loads():
    config = load(FOLDER)
    assert set(config.settings.sources) == {"hub", "lab", "jira"}
    assert {plan.id: plan.kind for plan in config.plans} == {
        "ada-2026-q4": "pip",
        "ada-coaching-2026-q3": "coaching",
        "ben-reviews-2026-q4": "coaching",
        "chen-delivery-2026-q4": "pip",
    }
    assert config.people["chen"].calendar.time_off
    assert config.settings.sources["hub"].token == Secret("${GITHUB_TOKEN}")


def test_the_example_plans_pass_the_lint_or_carry_waivers_with_reasons():
    findings = lint(load(FOLDER))
    assert [finding for finding in findings if finding.waived is None] == []
    assert [(finding.plan, finding.code) for finding in findings] == [("chen-delivery-2026-q4", "PIP107")]


def test_every_file_names_its_schema_for_editors():
    for path in FOLDER.rglob("*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (path.parent / first.split("=", 1)[1]).is_file(), path
