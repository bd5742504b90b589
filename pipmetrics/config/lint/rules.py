"""The rules, one a function: what a good HR partner would say of a plan as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pipmetrics import registry
from pipmetrics.config import values
from pipmetrics.config.document import Path
from pipmetrics.config.lint import sentences
from pipmetrics.config.lint.findings import Hit, Seen, rule
from pipmetrics.config.values import nearly
from pipmetrics.model import Criterion

SHORTEST, LONGEST = 30, 60
"""Days of a formal plan: time enough to show a change, and not a year under watch."""

DIMENSIONS = {
    "speed": (
        "review_turnaround", "feedback_response", "time_to_merge", "lead_time", "bug_fix_time", "issue_cycle_time",
    ),
    "quality": (
        "unreviewed_merges", "ci_first_pass", "post_deploy_bugs", "change_failure", "bug_reopened", "change_size",
    ),
    "collaboration": ("reviews_given", "review_depth"),
    "delivery": ("changes_merged", "changes_deployed", "delivered_on_time", "sprint_commitment", "deliverables"),
}  # fmt: skip
"""What the built-in metrics are about; any other metric is a dimension of its own."""

_DIMENSION_OF = {metric: dimension for dimension, metrics in DIMENSIONS.items() for metric in metrics}


def _top(seen: Seen, key: str) -> Path:
    """Where to point for a key of the plan: the key, or the plan's name when it is not there."""
    return (key,) if seen.document.value((key,)) is not None else ("plan",)


def _inner(criterion: Criterion) -> Criterion:
    """What is measured in the end: the inner criterion of a streak, else the criterion itself."""
    inner = criterion.parameters.get("of")
    return inner if isinstance(inner, Criterion) else criterion


@rule(
    "PIP101",
    "vague-expectation",
    why="A person can only work towards what they can picture. 'Improve your reviews' can be judged any way one likes; "
    "'answer 9 of 10 review requests within 24 hours' cannot.",
    fix="Write one sentence that says what, how much and by when, with the numbers of the criterion.",
)
def vague_expectation(seen: Seen) -> Iterator[Hit]:
    """An expectation that is missing, or names no number."""
    for place, criterion in enumerate(seen.plan.criteria):
        if not criterion.expectation:
            yield Hit(("criteria", place), f"`{criterion.id}` has no expectation, the sentence that people read")
        elif not sentences.has_quantity(criterion.expectation):
            yield Hit(("criteria", place, "expectation"), f"the expectation of `{criterion.id}` names no number")


@rule(
    "PIP102",
    "not-time-bound",
    why="Under 30 days there is hardly enough work to tell a change from chance, and a plan without an end in sight is "
    "surveillance. 30 to 60 days is what is usual and fair.",
    fix="Choose a start and an end that are 30 to 60 days apart; extend the plan later if that is what it needs.",
)
def not_time_bound(seen: Seen) -> Iterator[Hit]:
    """A formal plan shorter than 30 or longer than 60 days."""
    days = (seen.plan.end - seen.plan.start).days + 1
    if seen.plan.kind == "pip" and not SHORTEST <= days <= LONGEST:
        yield Hit(_top(seen, "days" if seen.document.value(("days",)) else "end"), f"the plan lasts {days} days")


@rule(
    "PIP103",
    "no-weekly-check-ins",
    why="Somebody who hears at the end that they failed was not helped. A weekly meeting is where support is given, "
    "numbers are contested and misunderstandings end.",
    fix="Add `check_ins: {every: week, on: Monday}`, and hold them.",
)
def no_weekly_check_ins(seen: Seen) -> Iterator[Hit]:
    """A plan without check-ins, or a formal one without weekly ones."""
    if seen.plan.check_in_weekday is None:
        yield Hit(("plan",), "the plan has no check-ins")
    elif seen.plan.kind == "pip" and seen.plan.check_in_weeks > 1:
        yield Hit(("check_ins",), f"check-ins are held every {seen.plan.check_in_weeks} weeks only")


@rule(
    "PIP104",
    "no-support",
    why="A plan that asks and gives nothing is paperwork. The final recommendation is never 'not complete' while the "
    "support that was due has not been delivered, so a plan without any has no teeth in either direction.",
    fix="Promise something that helps with the deficiency - pairing, a course, time, tools - with an owner and a date.",
)
def no_support(seen: Seen) -> Iterator[Hit]:
    """A plan in which the company promises nothing."""
    if not seen.plan.supports:
        yield Hit(_top(seen, "supports"), "the company promises no support")


@rule(
    "PIP105",
    "deficiency-without-criterion",
    why="What is held against somebody must be something they can be seen to have mended.",
    fix="Add a criterion with `deficiency:` and this id, or take the deficiency out.",
)
def deficiency_without_criterion(seen: Seen) -> Iterator[Hit]:
    """A deficiency that no criterion answers."""
    answered = {criterion.deficiency for criterion in seen.plan.criteria}
    for place, deficiency in enumerate(seen.plan.deficiencies):
        if deficiency.id not in answered:
            yield Hit(("deficiencies", place), f"no criterion answers the deficiency `{deficiency.id}`")


@rule(
    "PIP106",
    "criterion-without-deficiency",
    why="A target that answers no stated deficiency is a trap: nobody said that anything was wrong there.",
    fix="Name the deficiency that the criterion answers, or take the criterion out.",
)
def criterion_without_deficiency(seen: Seen) -> Iterator[Hit]:
    """A criterion that answers no deficiency."""
    for place, criterion in enumerate(seen.plan.criteria):
        if criterion.deficiency is None:
            yield Hit(("criteria", place), f"`{criterion.id}` answers no deficiency")


@rule(
    "PIP107",
    "no-coaching-before",
    why="Most people improve when somebody tells them early and helps. A formal plan as the first step looks like "
    "paperwork for an end that was already decided, to courts as well.",
    fix="Run a coaching plan first and name it in `preceded_by`; or waive this with the reason why there was none.",
)
def no_coaching_before(seen: Seen) -> Iterator[Hit]:
    """A formal plan that no coaching plan came before."""
    if seen.plan.kind == "pip" and not seen.plan.preceded_by:
        yield Hit(("plan",), "no coaching came before this formal plan")


@rule(
    "PIP108",
    "speed-without-guardrail",
    why="Whoever is measured by the clock alone gets fast and careless: reviews are waved through, changes merged "
    "untested. A guardrail watches what would suffer.",
    fix="Add a guardrail on another metric, as `guardrail: {metric: review_depth, at_most: 20%}`.",
)
def speed_without_guardrail(seen: Seen) -> Iterator[Hit]:
    """A speed target that nothing guards."""
    for place, criterion in enumerate(seen.plan.criteria):
        measured = _inner(criterion)
        if not _wants_speed(measured):
            continue
        if criterion.guardrail is None:
            yield Hit(("criteria", place), f"`{criterion.id}` asks for speed and has no guardrail")
        elif criterion.guardrail.metric == measured.metric:
            where: Path = ("criteria", place, "guardrail")
            yield Hit(where, f"the guardrail of `{criterion.id}` watches the very metric it should guard")


def _wants_speed(criterion: Criterion) -> bool:
    if criterion.criterion == "increase" or "at_least" in criterion.parameters:
        return False
    if criterion.parameters.get("direction") in ("up", "rising", "increasing"):
        return False
    return registry.metric(criterion.metric).unit == "hours"


@rule(
    "PIP109",
    "one-dimension",
    why="Work has more than one side, and what is measured on one side only is bought on the others.",
    fix="Add a criterion, or a guardrail, of another kind: quality beside speed, collaboration beside delivery.",
)
def one_dimension(seen: Seen) -> Iterator[Hit]:
    """A formal plan whose criteria and guardrails all watch the same side of the work."""
    watched = [each for criterion in seen.plan.criteria for each in (_inner(criterion), criterion.guardrail) if each]
    dimensions = {_DIMENSION_OF.get(each.metric, each.metric) for each in watched}
    if seen.plan.kind == "pip" and len(dimensions) == 1:
        yield Hit(("criteria",), f"all criteria are about one dimension: {dimensions.pop()}")


@rule(
    "PIP110",
    "no-consequences",
    why="A person must know what is at stake, and that people decide it - not a score.",
    fix="Add `consequences:` with what follows if the expectations are not met, and who decides.",
)
def no_consequences(seen: Seen) -> Iterator[Hit]:
    """A formal plan that does not say what follows."""
    if seen.plan.kind == "pip" and not seen.plan.consequences:
        yield Hit(("plan",), "the plan does not say what follows if the expectations are not met")


@rule(
    "PIP111",
    "coaching-not-found",
    why="The coaching that came first is part of the evidence that a plan is fair; a name that leads nowhere is none.",
    fix="Keep the coaching plan's file in the same folder; its person must be the same and its start earlier.",
)
def coaching_not_found(seen: Seen) -> Iterator[Hit]:
    """A `preceded_by` that names no earlier coaching plan of the same person."""
    plan = seen.plan
    if not plan.preceded_by:
        return
    first = next((other for other in seen.config.plans if other.id == plan.preceded_by), None)
    where: Path = ("preceded_by",)
    if first is None:
        fitting = [other.id for other in seen.config.plans if other.person == plan.person and other.kind == "coaching"]
        yield Hit(where, "there is no plan of this name", nearly(plan.preceded_by, fitting))
    elif first.person != plan.person:
        yield Hit(where, "that plan is somebody else's")
    elif first.kind != "coaching":
        yield Hit(where, "that plan was no coaching plan")
    elif first.start >= plan.start:
        yield Hit(where, "that plan did not start before this one")


@rule(
    "PIP112",
    "sentence-says-otherwise",
    why="The person signs the sentence and is scored by the criterion. Where they differ, one of them is wrong, and a "
    "dispute about it is lost.",
    fix="Make the sentence and the criterion say the same numbers.",
)
def sentence_says_otherwise(seen: Seen) -> Iterator[Hit]:
    """An expectation whose percentages or durations are not the criterion's."""
    for place, criterion in enumerate(seen.plan.criteria):
        where: Path = ("criteria", place, "expectation")
        shares, spans = _stated(seen.document.value(("criteria", place)))
        said_shares, said_spans = sentences.shares(criterion.expectation), sentences.durations(criterion.expectation)
        if said_shares and shares and not said_shares & shares:
            yield Hit(where, f"the sentence of `{criterion.id}` says another percentage than the criterion")
        if said_spans and spans and not said_spans & spans:
            yield Hit(where, f"the sentence of `{criterion.id}` says another duration than the criterion")


def _stated(raw: Any) -> tuple[set[float], set[timedelta]]:
    """The percentages and durations that a criterion's own keys hold, its baseline and window left out."""
    shares, spans = set(), set()
    for key, value in raw.items():
        if key == "of" and isinstance(value, dict):
            inner = _stated(value)
            shares |= inner[0]
            spans |= inner[1]
        elif key in ("baseline", "window", "expectation", "id", "deficiency") or not isinstance(value, str):
            continue
        elif value.strip().endswith("%"):
            shares.add(round(values.percentage(value), 4))
        else:
            try:
                spans.add(values.duration_by(value)[0])
            except values.Unfit:
                continue
    return shares, spans


@rule(
    "PIP113",
    "support-outside-plan",
    why="Help that comes after the plan has ended cannot have helped, and what was due before it began is not part of "
    "the bargain.",
    fix="Choose a date between the plan's start and its end, early enough to matter.",
)
def support_outside_plan(seen: Seen) -> Iterator[Hit]:
    """A support that is due before the plan starts or after it ends."""
    for place, support in enumerate(seen.plan.supports):
        if not seen.plan.start <= support.due <= seen.plan.end:
            yield Hit(("supports", place, "due"), f"this support is due on {support.due}, outside of the plan")


@rule(
    "PIP114",
    "support-owner-unknown",
    why="Every digest asks the owner whether the support was given. Nobody can ask a name that stands nowhere.",
    fix="Name somebody of people.yaml, or add them there.",
)
def support_owner_unknown(seen: Seen) -> Iterator[Hit]:
    """A support whose owner is not in people.yaml."""
    for place, support in enumerate(seen.plan.supports):
        if support.owner not in seen.config.people:
            where: Path = ("supports", place, "owner")
            mend = nearly(support.owner, seen.config.people)
            yield Hit(where, "the owner of this support is not in people.yaml", mend)


@rule(
    "PIP115",
    "mean-of-durations",
    why="Most durations are short and a few are very long: one of these moves a mean by itself, whatever the person "
    "did with the rest. Its interval (Student's t) is too narrow for such numbers as well: at ten samples, one in ten "
    "of those who truly reach a floor would be judged not to.",
    fix="Ask for a median or a p75 or p90, or for a share within a limit: they hold for any numbers at any sample "
    "size.",
)
def mean_of_durations(seen: Seen) -> Iterator[Hit]:
    """A target on the mean of durations."""
    for place, criterion in enumerate(seen.plan.criteria):
        measured = _inner(criterion)
        mean = measured.criterion == "threshold" and measured.parameters.get("statistic") == "mean"
        if mean and registry.metric(measured.metric).unit == "hours":
            yield Hit(("criteria", place), f"`{criterion.id}` asks for a mean of durations")
