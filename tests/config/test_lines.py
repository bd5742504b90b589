from datetime import date, timedelta

import pytest

from pipmetrics.model import Criterion, ExcludeRule

from .conftest import PLAN, Folder, spot

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def only(folder: Folder, line: str) -> Criterion:
    return folder.line(line).load().plans[0].criteria[0]


def test_defaults_of_a_line(folder):
    line = only(folder, "- {id: a, metric: review_turnaround, criterion: share_within, limit: 24h, target: 90%}")
    assert line == Criterion("a", "review_turnaround", "share_within", parameters={"limit": 24 * HOUR, "target": 0.9})
    assert (line.window, line.minimum, line.weight, line.required) == ("plan", 5, 1.0, False)
    assert (line.clock, line.baseline, line.include) == (None, 90 * DAY, frozenset())


def test_everything_a_line_can_say(folder):
    line = only(
        folder,
        """
        - id: reviews
          expectation: "Complete code reviews within 24 hours"
          metric: review_turnaround
          criterion: share_within
          limit: 2d 4h
          target: 12.5%
          window: last 14 days
          minimum: 8
          weight: 2.5
          required: true
          clock: elapsed
          baseline: 30 days
          include: [own, bot]
          exclude: [{label: "dep*", reason: "Not work."}, {path: "*.lock", reason: "Generated."}]
          guardrail: {metric: review_depth, at_most: 20%, minimum: 3}
        """,
    )
    assert line.parameters == {"limit": 52 * HOUR, "target": 0.125}
    assert (line.window, line.minimum, line.weight, line.required) == (14 * DAY, 8, 2.5, True)
    assert (line.clock, line.baseline, line.include) == ("elapsed", 30 * DAY, frozenset({"own", "bot"}))
    assert line.exclude == (ExcludeRule("label", "dep*", "Not work."), ExcludeRule("path", "*.lock", "Generated."))
    guard = line.guardrail
    assert guard is not None
    assert (guard.id, guard.metric, guard.criterion, guard.minimum) == ("reviews", "review_depth", "threshold", 3)
    assert guard.parameters == {"statistic": "share", "at_most": 0.2}
    assert guard.baseline == 30 * DAY


def test_a_guardrail_may_name_another_rule(folder):
    line = only(
        folder,
        """
        - {id: a, metric: changes_merged, criterion: threshold, at_least: 5,
           guardrail: {metric: post_deploy_bugs, criterion: increase, target: 250%, per: changes_deployed}}
        """,
    )
    assert line.guardrail is not None
    assert line.guardrail.parameters == {"target": 2.5, "per": "changes_deployed"}


def test_a_streak_measures_what_its_inner_criterion_measures(folder):
    inner = "{metric: review_turnaround, criterion: share_within, limit: 24h working, target: 90%}"
    line = only(folder, f"- {{id: a, criterion: streak, weeks: 4, of: {inner}}}")
    of = line.parameters["of"]
    assert (line.metric, of.metric, of.id, of.minimum, of.clock) == (
        "review_turnaround", "review_turnaround", "a", 1, "working",
    )  # fmt: skip
    assert line.parameters["weeks"] == 4


def test_what_is_attested_and_delivered_needs_no_metric(folder):
    folder.line("""
        - {id: a, criterion: attest, by: tech-lead, at_least: 2}
        - {id: b, criterion: deliver, issues: [PAY-12, "acme/api#7"], by: 2026-11-30}
        - {id: c, criterion: deliver, filter: {project: PAY, labels: [q4], types: [Story]}}
        - {id: d, criterion: deliver, filter: {types: Story}}
        """)
    attested, named, filtered, single = folder.load().plans[0].criteria
    assert (attested.metric, attested.parameters) == ("attested", {"by": "tech-lead", "at_least": 2.0})
    assert named.parameters == {"issues": ("PAY-12", "acme/api#7"), "by": date(2026, 11, 30)}
    assert filtered.parameters == {"filter": {"project": "PAY", "labels": ("q4",), "types": ("Story",)}}
    assert single.parameters == {"filter": {"types": "Story"}}


@pytest.mark.parametrize(
    ("line", "parameters"),
    [
        ("metric: time_to_merge, criterion: threshold, statistic: median, at_most: 72h", {"at_most": 72 * HOUR}),
        ("metric: time_to_merge, criterion: threshold, statistic: p90, at_most: 3d", {"at_most": 3 * DAY}),
        ("metric: ci_first_pass, criterion: threshold, statistic: share, at_least: 80%", {"at_least": 0.8}),
        ("metric: change_size, criterion: threshold, statistic: median, at_most: 200", {"at_most": 200.0}),
        ("metric: post_deploy_bugs, criterion: threshold, statistic: count, at_most: 2", {"at_most": 2.0}),
        (
            "metric: post_deploy_bugs, criterion: threshold, statistic: rate, per: changes_deployed, at_most: 0.1",
            {"at_most": 0.1, "per": "changes_deployed"},
        ),
    ],
)
def test_amounts_are_written_in_the_unit_of_their_statistic(folder, line, parameters):
    found = only(folder, f"- {{id: a, {line}}}")
    assert {key: value for key, value in found.parameters.items() if key != "statistic"} == parameters


def test_a_percentage_means_a_share_when_no_statistic_is_named(folder):
    line = only(folder, "- {id: a, metric: ci_first_pass, criterion: threshold, at_least: 80%}")
    assert line.parameters == {"at_least": 0.8, "statistic": "share"}


def test_a_slope_is_written_as_what_it_is_a_slope_of(folder):
    line = only(folder, "- {id: a, metric: time_to_merge, criterion: trend, direction: down, minimum_slope: 2h}")
    assert line.parameters["minimum_slope"] == 2 * HOUR


@pytest.mark.parametrize(
    ("written", "clock", "limit"),
    [("24h working", "", 24), ("24h", "working", 24), ("24h working", "working", 24), ("2 days workdays", "", 48)],
)
def test_a_clock_stands_in_the_duration_or_beside_it(folder, written, clock, limit):
    more = f", clock: {clock}" if clock else ""
    line = only(
        folder, f"- {{id: a, metric: review_turnaround, criterion: share_within, limit: {written}, target: 90%{more}}}"
    )
    assert line.clock == (clock or written.split()[-1])
    assert line.parameters["limit"] == limit * HOUR


GOOD = "metric: review_turnaround, criterion: share_within, limit: 24h, target: 90%"


@pytest.mark.parametrize(
    ("line", "needle", "problem"),
    [
        (GOOD.replace("24h", "24"), "24,", "a duration (24h) is expected here, not a bare number"),
        (GOOD.replace("24h", "24%"), "24%", "a duration (24h) is expected here"),
        (GOOD.replace("24h", "24:00"), "24:00", "this is no duration"),
        (GOOD.replace("24h", "'24h'").replace("90%", "90"), "90", "a bare number is no percentage"),
        (GOOD.replace("90%", "0.9"), "0.9", "a bare number is no percentage"),
        (GOOD.replace("90%", "'90'"), "'90'", "a percentage is expected here"),
        (GOOD.replace("90%", "101%"), "101%", "a share is at most 100%"),
        (
            GOOD.replace("turnaround", "turnarund"),
            "review_turnarund",
            "unknown metric | Did you mean `review_turnaround`?",
        ),
        (
            GOOD.replace("share_within", "share_withn"),
            "share_withn",
            "unknown criterion | Did you mean `share_within`?",
        ),
        (GOOD.replace("metric: review_turnaround, ", ""), "{id: a", "`metric` is missing"),
        (GOOD.replace("criterion: share_within, ", ""), "{id: a", "`criterion` is missing"),
        (GOOD.replace(", target: 90%", ""), "{id: a", "`target` is missing"),
        (GOOD + ", tarket: 5", "tarket", "unknown key `tarket` | Did you mean `target`?"),
        (GOOD + ", per: changes_merged", "per:", "unknown key `per`"),
        (GOOD + ", baseline: 90", "90}", "a bare number is no duration"),
        (GOOD + ", baseline: 36h", "36h", "whole days are expected here"),
        (GOOD + ", window: month", "month", "a window is `plan`, `week` or `last N days`"),
        (GOOD + ", minimum: 2.5", "2.5", "a whole number is expected here"),
        (GOOD + ", minimum: -1", "-1}", "a whole number is expected here"),
        (GOOD + ", weight: 0", "0}", "a weight is more than 0"),
        (GOOD + ", weight: .inf", ".inf", "a number is expected here"),
        (GOOD + ", weight: .nan", ".nan", "a number is expected here"),
        (GOOD + ", weight: 50%", "50%", "a plain number is expected here, not a percentage"),
        (GOOD + ", required: yes", "yes", "true or false is expected here, not text"),
        (GOOD + ", clock: daily", "daily", "one of elapsed, workdays, working is expected here"),
        (GOOD.replace("24h", "24h working") + ", clock: elapsed", "24h", "this names the clock `working`"),
        (GOOD.replace("24h", "2 days") + ", clock: working", "2 days", "days of the `working` clock"),
        (GOOD + ", deficiency: slow", "slow", "the plan has no such deficiency"),
        (GOOD + ", include: [ghost]", "ghost", "one of own, bot is expected here"),
        (GOOD + ", exclude: [{label: x}]", "{label", "`reason` is missing"),
        (GOOD + ", exclude: [{reason: x}]", "{reason", "a rule names one of repository, label, author, path, subject"),
        (GOOD + ", exclude: [{label: a, path: b, reason: x}]", "{label", "a rule names one of"),
        (GOOD + ", exclude: [{labl: a, reason: x}]", "labl", "unknown key `labl` | Did you mean `label`?"),
        (GOOD + ", guardrail: review_depth", "review_depth", "a mapping is expected here, not text"),
        (GOOD + ", guardrail: {at_most: 20%}", "guardrail", "`metric` is missing"),
        (GOOD + ", guardrail: {metric: review_deep, at_most: 20%}", "review_deep", "unknown metric"),
        (GOOD + ", guardrail: {metric: review_depth, at_most: 20}", "20}", "a percentage (90%) is expected here"),
        (GOOD + ", guardrail: {metric: review_depth}", "{metric: review_depth}", "a threshold takes one of"),
        (GOOD + ", guardrail: {metric: review_depth, at_most: 120%}", "120%", "a share is at most 100%"),
        (GOOD + ", guardrail: {metric: review_depth, at_most: 2%, guardrail: {}}", "guardrail: {}", "unknown key"),
        (GOOD + ", guardrail: {metric: review_depth, at_most: 2%, weight: 5}", "weight", "unknown key `weight`"),
        ("metric: changes_merged, criterion: threshold, at_most: 5h", "5h", "a plain number is expected here"),
        ("metric: changes_merged, criterion: threshold, at_most: many", "many", "this is no duration"),
        ("metric: changes_merged, criterion: threshold, statistic: modus, at_most: 5", "modus", "one of median"),
        ("metric: post_deploy_bugs, criterion: reduction, target: 150%", "150%", "a share is at most 100%"),
        ("metric: post_deploy_bugs, criterion: reduction, target: 50%, per: changes", "changes}", "unknown metric"),
        ("metric: post_deploy_bugs, criterion: reduction, target: 50%, per: 5", "5}", "text is expected here"),
        ("criterion: streak, weeks: 4", "{id: a", "`of` is missing"),
        ("criterion: streak, weeks: four, of: {" + GOOD + "}", "four", "a number is expected here, not text"),
        ("criterion: streak, weeks: 4, of: share_within", "share_within", "a mapping is expected here, not text"),
        ("criterion: streak, weeks: 4, of: {metric: lead_time}", "of:", "`criterion` is missing"),
        ("criterion: streak, weeks: 4, of: {criterion: threshold, at_most: 5}", "of:", "`metric` is missing"),
        ("criterion: deliver, issues: [A-1], by: soon", "soon", "a date is expected here"),
        ("criterion: deliver, issues: A-1", "A-1", "a list is expected here, not text"),
        ("criterion: deliver, issues: [A-1], filter: {project: A}", "{id: a", "deliver takes one of issues and filter"),
        ("criterion: deliver, filter: PAY", "PAY", "a mapping is expected here, not text"),
        ("criterion: deliver, filter: {kinds: Story}", "{kinds", "an unknown key in this mapping"),
        ("criterion: deliver, filter: {types: []}", "{id: a", "`types` of the filter is a text or a list of texts"),
        ("criterion: attest, by: tech-lead, at_least: 80%", "80%", "a plain number is expected here, not a percentage"),
        ("criterion: trend, metric: lead_time, direction: sideways", "sideways", "one of down, up"),
    ],
)
def test_wrong_lines(folder, line, needle, problem):
    written = f"- {{id: a, {line}}}"
    folder.line(written)
    place = spot(f"{PLAN[: PLAN.index('criteria:')]}criteria:\n  {written}\n", needle)
    found = folder.problems()
    assert [each for each in found if each.startswith(f"plans/plan.yaml:{place}: {problem}")], (place, found)


def test_two_lines_of_one_id_name_each_other(folder):
    folder.line(f"- {{id: a, {GOOD}}}\n- {{id: a, {GOOD}}}")
    assert folder.problems() == [
        "plans/plan.yaml:9:10: this id stands here twice | The first one is at plans/plan.yaml:8:10."
    ]


def test_all_problems_of_a_line_are_shown_at_once(folder):
    folder.line(f"- {{id: 'a b', {GOOD.replace('24h', '24').replace('90%', '90')}, weight: x, foo: 1}}")
    assert len(folder.problems()) == 4
