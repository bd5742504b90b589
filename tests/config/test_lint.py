import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipmetrics.config import Outlook, explain, load
from pipmetrics.config.lint import RULES, lint
from pipmetrics.config.lint.measured import reduction_power
from pipmetrics.config.lint.sentences import durations, has_quantity, shares
from pipmetrics.errors import UsageError

from .conftest import PLAN, Folder

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/lint.md").read_text(encoding="utf-8")
SECTIONS = {match[1]: match[0] for match in re.finditer(r"^## (PIP\d+).*?(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL)}
BASE = "ada-2026-q4.yaml"


def findings(folder: Folder, outlooks: tuple[Outlook, ...] = ()) -> list[str]:
    """What is found in the plan, without what is waived: "line:column CODE"."""
    return [f"{each.line}:{each.column} {each.code}" for each in lint(folder.load(), outlooks) if each.waived is None]


def codes(folder: Folder) -> set[str]:
    return {each.split()[1] for each in findings(folder)}


def example(tmp_path: Path, fragment: str) -> set[str]:
    """The codes found when a fragment of the documentation replaces keys of the example plan."""
    yaml = YAML()
    (tmp_path / "plans").mkdir()
    for name in ("pipmetrics.yaml", "people.yaml", "chen.ics", "plans/ada-coaching-2026-q3.yaml"):
        (tmp_path / name).write_bytes((ROOT / "config" / name).read_bytes())
    plan = yaml.load(ROOT / "config/plans" / BASE)
    for name in re.findall(r"^# without (\w+)$", fragment, re.MULTILINE):
        plan.pop(name, None)
    measured = re.findall(r"^# measured: (\{.*?\})", fragment, re.MULTILINE)
    outlooks = [Outlook(plan=plan["plan"], **YAML(typ="safe").load(each)) for each in measured]
    changes = yaml.load(fragment) or {}
    if "days" in changes:
        del plan["end"]
    plan.update(changes)
    with (tmp_path / "plans" / BASE).open("w") as stream:
        yaml.dump(plan, stream)
    return {finding.code for finding in lint(load(tmp_path), outlooks) if finding.plan == plan["plan"]}


def test_every_rule_is_documented_in_its_own_words():
    assert list(SECTIONS) == list(RULES)
    for code, rule in RULES.items():
        text = " ".join(SECTIONS[code].split())
        assert text.startswith(f"## {code} {rule.name} ")
        assert all(part in text for part in (rule.title, rule.why, rule.fix)), code


@pytest.mark.parametrize("code", RULES)
def test_the_documented_example_triggers_its_rule(tmp_path, code):
    bad, _ = re.findall(r"```yaml\n(.*?)```", SECTIONS[code], re.DOTALL)
    assert code in example(tmp_path, bad)


@pytest.mark.parametrize("code", RULES)
def test_the_documented_remedy_triggers_nothing(tmp_path, code):
    _, good = re.findall(r"```yaml\n(.*?)```", SECTIONS[code], re.DOTALL)
    assert example(tmp_path, good) == set()


def test_every_rule_can_be_explained():
    for code, rule in RULES.items():
        text = explain(code.lower())
        assert text.startswith(f"{code} {rule.name}: {rule.title}")
        assert rule.why in text
        assert rule.fix in text
    with pytest.raises(UsageError, match="there is no lint rule"):
        explain("PIP999")


def test_findings_point_at_what_they_are_about(folder):
    folder.plan(
        PLAN.replace("days: 60", "days: 20")
        + """\
    expectation: "Be quicker"
check_ins: {every: 2 weeks}
supports: [{text: Course, owner: danna, due: 2027-01-01}]
deficiencies: [{id: slow, text: Slow.}]
preceded_by: nothing
"""
    )
    assert findings(folder) == [
        "1:1 PIP110", "6:1 PIP102", "7:1 PIP109", "8:5 PIP106", "8:5 PIP108", "13:5 PIP101", "14:1 PIP103",
        "15:27 PIP114", "15:41 PIP113", "16:16 PIP105", "17:1 PIP111",
    ]  # fmt: skip


def test_a_near_owner_is_suggested(folder):
    folder.plan(PLAN + "supports: [{text: Course, owner: danna, due: 2026-11-01}]\n")
    (finding,) = [each for each in lint(folder.load()) if each.code == "PIP114"]
    assert finding.mend == "Did you mean `dana`?"


def test_coaching_needs_neither_consequences_nor_coaching_nor_sixty_days(folder):
    folder.plan(PLAN.replace("kind: pip", "kind: coaching").replace("days: 60", "days: 120"))
    assert codes(folder) == {"PIP101", "PIP103", "PIP104", "PIP106", "PIP108"}
    folder.plan(PLAN.replace("kind: pip", "kind: coaching") + "check_ins: {every: 2 weeks}\n")
    assert "PIP103" not in codes(folder)


@pytest.mark.parametrize(("days", "found"), [(29, True), (30, False), (60, False), (61, True)])
def test_a_formal_plan_lasts_30_to_60_days_both_included(folder, days, found):
    folder.plan(PLAN.replace("days: 60", f"days: {days}"))
    assert ("PIP102" in codes(folder)) is found


def test_a_guardrail_on_the_very_metric_guards_nothing(folder):
    folder.plan(PLAN + "    guardrail: {metric: review_turnaround, at_most: 90h}\n")
    assert "PIP108" in codes(folder)


def test_quality_and_volume_targets_need_no_guardrail(folder):
    folder.line("- {id: a, metric: reviews_given, criterion: threshold, statistic: count, at_least: 5}")
    assert "PIP108" not in codes(folder)


def test_a_longer_time_is_no_speed_target(folder):
    folder.line("- {id: a, metric: time_to_merge, criterion: threshold, statistic: median, at_least: 2h}")
    assert "PIP108" not in codes(folder)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("metric: time_to_merge, criterion: threshold, statistic: mean, at_most: 72h", True),
        ("metric: time_to_merge, criterion: threshold, statistic: mean, at_least: 2h", True),
        (
            "criterion: streak, weeks: 2, of: {metric: lead_time, criterion: threshold, statistic: mean, at_most: 9h}",
            True,
        ),
        ("metric: time_to_merge, criterion: threshold, statistic: p90, at_most: 72h", False),
        ("metric: change_size, criterion: threshold, statistic: mean, at_most: 200", False),
        ("metric: lead_time, criterion: trend, direction: down, statistic: mean", False),
    ],
)
def test_targets_on_means_of_durations_are_found(folder, line, found):
    folder.line(f"- {{id: a, {line}}}")
    assert ("PIP115" in codes(folder)) is bool(found)


def test_a_mean_of_durations_can_be_accepted_with_a_reason(folder):
    folder.line("""
        # pip: noqa PIP115 HR asked for the number of the yearly report
        - {id: a, metric: time_to_merge, criterion: threshold, statistic: mean, at_most: 72h}
        """)
    (finding,) = [each for each in lint(folder.load()) if each.code == "PIP115"]
    assert finding.waived == "HR asked for the number of the yearly report"


def test_coaching_of_somebody_else_does_not_count(folder):
    folder.plan(PLAN + "preceded_by: ben-coaching\n")
    coaching = PLAN.replace("ada-q4", "ben-coaching").replace("person: ada", "person: ben")
    folder.plan(coaching.replace("pip", "coaching").replace("2026", "2025"), name="before")
    assert "PIP111" in codes(folder)
    folder.plan(coaching.replace("person: ben", "person: ada").replace("2026", "2025"), name="before")
    assert "PIP111" in codes(folder), "a formal plan is no coaching"
    folder.plan(coaching.replace("person: ben", "person: ada").replace("pip", "coaching"), name="before")
    assert "PIP111" in codes(folder), "it began on the same day"
    mended = coaching.replace("person: ben", "person: ada").replace("pip", "coaching").replace("2026", "2025")
    folder.plan(mended, name="before")
    assert "PIP111" not in {each.code for each in lint(folder.load()) if each.plan == "ada-q4"}


# --- waivers ------------------------------------------------------------------------------------------------------


def test_a_waiver_of_the_plan_marks_its_findings_and_keeps_the_reason(folder):
    folder.plan(PLAN + 'waivers: [{code: PIP107, reason: "HR agreed."}]\n')
    (finding,) = [each for each in lint(folder.load()) if each.code == "PIP107"]
    assert finding.waived == "HR agreed."
    assert "PIP107" not in codes(folder)


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        ("  - id: reviews", "  - id: reviews  # pip: noqa PIP106 agreed in June"),
        ("  - id: reviews", "  # pip: noqa PIP106 agreed in June\n  - id: reviews"),
        ("  - id: reviews", "  # pip: noqa PIP106: agreed in June\n  # and more\n  - id: reviews"),
        ("  - id: reviews", "  - id: reviews  # pip: noqa PIP106, PIP108 - agreed in June"),
    ],
)
def test_a_comment_waives_the_findings_of_its_line(folder, line, comment):
    folder.plan(PLAN.replace(line, comment))
    (finding,) = [each for each in lint(folder.load()) if each.code == "PIP106"]
    assert finding.waived == "agreed in June"


def test_a_comment_waives_nothing_elsewhere(folder):
    folder.plan(PLAN + "    minimum: 8  # pip: noqa PIP106 not here\n")
    found = lint(folder.load())
    assert [each.waived for each in found if each.code == "PIP106"] == [None]
    assert [(each.level, each.line) for each in found if each.code == "PIP301"] == [("note", 13)]


def test_the_same_words_inside_of_a_text_waive_nothing(folder):
    folder.plan(PLAN.replace("plan: ada-q4\n", "plan: ada-q4\nconsequences: '# pip: noqa PIP107 no'\n"))
    assert {"PIP107"} <= codes(folder)
    assert "PIP301" not in codes(folder)


def test_waivers_of_unmeasured_rules_are_not_called_unused(folder):
    folder.plan(PLAN + 'waivers: [{code: PIP203, reason: "A new team."}]\n')
    assert "PIP301" not in codes(folder)
    measured = (Outlook("ada-q4", "reviews", peers=10, met=9),)
    assert "PIP301" in {each.code for each in lint(folder.load(), measured)}


# --- measured -----------------------------------------------------------------------------------------------------


def test_what_was_not_measured_is_not_judged(folder):
    assert not any(each.code.startswith("PIP2") for each in lint(folder.load(), (Outlook("ada-q4", "reviews"),)))
    assert not any(
        each.code.startswith("PIP2") for each in lint(folder.load(), (Outlook("other", "reviews", 0, power=0),))
    )


def test_fewer_than_five_peers_are_not_spoken_of(folder):
    assert "PIP203" not in {each.code for each in lint(folder.load(), (Outlook("ada-q4", "reviews", peers=4, met=0),))}
    assert "PIP203" in {each.code for each in lint(folder.load(), (Outlook("ada-q4", "reviews", peers=5, met=2),))}


def test_four_bugs_to_two_can_not_be_told_from_chance():
    assert reduction_power(4, 90, 60, 0.5) == 0.0


def test_even_none_after_four_is_within_chance_and_none_after_six_is_not():
    # With equal exposures the chance of 0 of n is 0.5 ** n: 0.0625 for 4, 0.015625 for 6.
    assert reduction_power(4, 90, 90, 1.0) == 0.0
    assert reduction_power(6, 90, 90, 1.0) == 1.0


def test_the_power_of_a_reduction_agrees_with_counting_by_hand():
    # 20 events before, 10 expected after, equal exposures: told apart up to 8, for P(Bin(28, 1/2) <= 8) = 0.0178 and
    # P(Bin(29, 1/2) <= 9) = 0.0307; and P(Poisson(10) <= 8) = 0.332820.
    assert reduction_power(20, 50, 50, 0.5) == pytest.approx(0.332820, abs=1e-6)


def test_power_agrees_with_simulation():
    import numpy as np
    from scipy import stats

    random = np.random.default_rng(1)
    later = random.poisson(60 / 100 * 80 * 0.6, 40_000)
    told = stats.binom.cdf(later, 60 + later, 80 / 180) <= 0.025
    assert reduction_power(60, 100, 80, 0.4) == pytest.approx(told.mean(), abs=0.01)


def test_power_of_an_empty_baseline_is_none_and_nonsense_is_refused():
    assert reduction_power(0, 90, 90, 0.5) == 0.0
    for wrong in ((-1, 1, 1, 0.5), (1, 0, 1, 0.5), (1, 1, 0, 0.5), (1, 1, 1, 1.5)):
        with pytest.raises(ValueError, match="not negative"):
            reduction_power(*wrong)


# --- sentences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("Complete code reviews within 24 hours", True), ("Halve the bugs", True), ("Every change has a test", True),
        ("No escaped bug", True), ("Answer within a working day", True), ("Be more responsive", False),
        ("Communicate better with the team", False), ("Do not fall behind", False), ("Twice a week", True),
    ],
)  # fmt: skip
def test_quantities_in_sentences(sentence, found):
    assert has_quantity(sentence) is found


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("Reduce bugs by 50%", {0.5}), ("fifty percent", {0.5}), ("12.5 % of them", {0.125}),
        ("9 of 10 requests", {0.9}),
        ("three out of four", {0.75}), ("four of five, or 80 per cent", {0.8}), ("2 of 0", set()), ("all", set()),
    ],
)  # fmt: skip
def test_shares_in_sentences(sentence, found):
    assert shares(sentence) == found


@pytest.mark.parametrize(
    ("sentence", "hours"),
    [
        ("within 24 hours", {24}), ("a day", {24}), ("two days, at most 90 minutes", {48, 1.5}), ("today", set()),
        ("16 working hours", {16}), ("a 24-hour limit", {24}),
        ("four weeks in a row", {672}),
        ("within one working day", set()),
    ],
)  # fmt: skip
def test_durations_in_sentences(sentence, hours):
    assert {each.total_seconds() / 3600 for each in durations(sentence)} == hours


def test_findings_are_plain_values(folder):
    for finding in lint(folder.load()):
        json.dumps({field.name: getattr(finding, field.name) for field in fields(finding)})
