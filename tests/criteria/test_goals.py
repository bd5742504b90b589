"""What each criterion strives for: form, target, side, unit and minimum; and what does not fit its metric."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipmetrics import registry
from pipmetrics.model import Criterion
from pipmetrics.plugin import CriterionRule, Form, Goal, Mean, Own, Quantile, Ratio, Share, Total

HOURS = timedelta(hours=24)


def goal(rule: str, metric: str, unit: str, *, minimum: int = 5, **parameters: Any) -> Goal:
    return registry.criterion(rule).goal(Criterion("c", metric, rule, parameters=parameters, minimum=minimum), unit)


def test_every_rule_is_installed_and_says_what_it_takes() -> None:
    for name in registry.names("criteria"):
        rule = registry.criterion(name)
        assert isinstance(rule, CriterionRule)
        assert rule.name == name
        assert rule.title
        assert all(parameter.help.endswith((".", ":")) for parameter in rule.parameters)


@pytest.mark.parametrize(
    ("unit", "limit", "hours"), [("hours", HOURS, 24.0), ("lines", 400.0, 400.0), ("hours", timedelta(minutes=90), 1.5)]
)
def test_a_limit_is_in_the_metrics_unit(unit: str, limit: object, hours: float) -> None:
    assert goal("share_within", "m", unit, limit=limit, target=0.9) == Goal(Share(hours), 0.9, True, "share", 5)


@pytest.mark.parametrize(("unit", "limit"), [("hours", 24.0), ("lines", HOURS)])
def test_a_limit_in_another_unit_does_not_fit(unit: str, limit: object) -> None:
    with pytest.raises(ValueError, match="a limit on m is a"):
        goal("share_within", "m", unit, limit=limit, target=0.9)


@pytest.mark.parametrize(
    ("statistic", "unit", "bound", "form", "of", "minimum"),
    [
        ("median", "hours", HOURS, Quantile(0.5), "hours", 5),
        ("p75", "hours", HOURS, Quantile(0.75), "hours", 5),
        ("p90", "lines", 24.0, Quantile(0.9), "lines", 5),
        ("mean", "lines", 24.0, Mean(), "lines", 10),
        ("total", "lines", 24.0, Total(things=False), "lines", 0),
        ("total", "bugs", 24.0, Total(), "bugs", 0),
        ("count", "hours", 24.0, Total(rows=True), "count", 0),
        ("share", "share", 24.0, Share(), "share", 5),
    ],
)
def test_statistics_of_a_threshold(statistic: str, unit: str, bound: object, form: Form, of: str, minimum: int) -> None:
    assert goal("threshold", "m", unit, statistic=statistic, at_most=bound) == Goal(form, 24.0, False, of, minimum)


@pytest.mark.parametrize(
    ("metric", "unit", "parameters", "form"),
    [
        ("time_to_merge", "hours", {}, Quantile(0.5)),
        ("change_size", "lines", {}, Quantile(0.5)),
        ("ci_first_pass", "share", {}, Share()),
        ("review_depth", "comments", {}, Share()),
        ("post_deploy_bugs", "bugs", {}, Total(rows=True)),
        ("post_deploy_bugs", "bugs", {"per": "changes_deployed"}, Total(per="changes_deployed")),
    ],
)
def test_the_statistic_that_is_not_named_goes_by_the_metric(
    metric: str, unit: str, parameters: dict[str, str], form: Form
) -> None:
    assert goal("threshold", metric, unit, at_most=1.0, **parameters).form == form


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "takes one of at_most and at_least"),
        ({"at_most": 1.0, "at_least": 1.0}, "takes one of at_most and at_least"),
        ({"at_most": 1.0, "statistic": "rate"}, "needs an exposure"),
        ({"at_most": 1.0, "statistic": "median", "per": "changes_deployed"}, "no other statistic takes one"),
        ({"at_most": 1.0, "statistic": "share"}, "has no share"),
    ],
)
def test_thresholds_that_do_not_fit(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        goal("threshold", "post_deploy_bugs", "bugs", **parameters)


@pytest.mark.parametrize(("rule", "grows"), [("reduction", False), ("increase", True)])
def test_ratios(rule: str, grows: bool) -> None:
    found = goal(rule, "post_deploy_bugs", "bugs", target=0.5, per="changes_deployed")
    assert found == Goal(Ratio("changes_deployed", grows), 0.5, True, "share", 5)
    assert goal(rule, "time_to_merge", "hours", target=0.5).form == Ratio(None, grows, things=False)


def test_a_streak_hands_on_its_inner_criterion() -> None:
    inner = Criterion("c", "m", "share_within")
    found = goal("streak", "m", "hours", of=inner, weeks=4)
    assert (found.target, found.at_least, found.unit) == (4.0, True, "weeks")
    assert isinstance(found.form, Own)
    assert found.form.weekly == inner


@pytest.mark.parametrize(
    ("direction", "target", "up"), [("down", -2.0, False), ("up", 2.0, True), ("falling", -2.0, False)]
)
def test_a_trend_has_the_sign_of_its_direction(direction: str, target: float, up: bool) -> None:
    found = goal("trend", "m", "hours", direction=direction, minimum_slope=timedelta(hours=2))
    assert (found.target, found.at_least, found.unit, found.minimum) == (target, up, "hours per week", 5)
    assert isinstance(found.form, Own)
    assert found.form.weekly is not None
    assert found.form.weekly.parameters["statistic"] == "median"


@pytest.mark.parametrize("parameters", [{}, {"issues": ("PAY-1",), "filter": {"project": "PAY"}}])
def test_deliverables_are_named_or_filtered(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="takes one of issues and filter"):
        goal("deliver", "deliverables", "issues", **parameters)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, "a filter needs at least one of project, labels, types"),
        ({"types": ()}, "`types` of the filter is a text or a list of texts"),
        ({"project": "PAY", "labels": ("q4", 1.5)}, "`labels` of the filter is"),
        ({"types": " "}, "`types` of the filter is"),
    ],
)
def test_a_filter_of_deliverables_holds_texts(wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        goal("deliver", "deliverables", "issues", filter=wanted)


def test_what_is_read_when_the_plan_names_no_metric() -> None:
    assert registry.criterion("deliver").metric == "deliverables"
    assert registry.criterion("attest").metric == "attested"
