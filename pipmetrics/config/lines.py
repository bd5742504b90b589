"""The lines of a plan: criteria, guardrails and inner criteria, checked against the tables that the rules declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal, TypeAlias

from pipmetrics import registry
from pipmetrics.config import values
from pipmetrics.config.document import Document, Path
from pipmetrics.config.files import CriterionSection, ExcludeSection, GuardSection
from pipmetrics.config.fit import fit, unknown_key
from pipmetrics.config.values import Unfit, did_you_mean, found
from pipmetrics.errors import Problem
from pipmetrics.model import Clock, Criterion, ExcludeRule, Secret
from pipmetrics.plugin import CriterionRule, Goal, Parameter, Ratio

Written: TypeAlias = Literal["duration", "percentage", "number", ""]
"""How an amount is written, which must fit the unit it is compared with."""

_PARTS = ("repository", "label", "author", "path", "subject")
_WRITTEN_AS = {"duration": "a duration (24h)", "percentage": "a percentage (90%)", "number": "a plain number"}
_OUTER = frozenset(CriterionSection.model_fields)
_GUARD = frozenset(GuardSection.model_fields)
_INNER_MINIMUM = 1


class Lines:
    """Reads the criteria of one plan; what is wrong gathers in `problems`."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def criterion(self, path: Path, raw: Mapping[str, Any]) -> Criterion | None:
        """A line of `criteria`."""
        section, problems = fit(self.document, path, CriterionSection, raw)
        self.problems += problems
        rule = self._rule(path, raw.get("criterion"))
        if rule is None:
            return None
        clean = self._parameters(path, raw, _OUTER, rule)
        guardrail = None
        if section is not None and section.guardrail is not None:
            guardrail = self._guard((*path, "guardrail"), section.guardrail, section.id, "threshold")
            guardrail = replace(guardrail, baseline=section.baseline) if guardrail is not None else None
        if section is None or clean is None:
            return None
        if section.weight <= 0:
            self._wrong((*path, "weight"), "a weight is more than 0", "Leave the criterion out to give it none.")
        inner = clean.parameters.get("of")
        inner_metric = inner.metric if isinstance(inner, Criterion) else ""
        return self._fitting(path, rule, clean, Criterion(
            id=section.id,
            metric=self._metric(path, section.metric) if section.metric else rule.metric or inner_metric,
            criterion=rule.name,
            expectation=section.expectation,
            deficiency=section.deficiency,
            parameters=clean.parameters,
            window=section.window,
            minimum=section.minimum,
            weight=section.weight,
            required=section.required,
            clock=self._clock(path, section.clock, clean.clocks),
            baseline=section.baseline,
            exclude=self._exclude(path, section.exclude),
            include=frozenset(section.include),
            guardrail=guardrail,
        ))  # fmt: skip

    def _guard(self, path: Path, raw: Any, outer: str, default: str | None) -> Criterion | None:
        """A guardrail, or the inner criterion of another one: then it must name its rule, and one sample is enough."""
        if not isinstance(raw, Mapping):
            self._wrong(path, f"a mapping is expected here, not {found(raw)}", "Write {metric: ..., criterion: ...}.")
            return None
        section, problems = fit(self.document, path, GuardSection, raw)
        self.problems += problems
        if default is None and "criterion" not in raw:
            self._wrong(path, "`criterion` is missing", key=True)
            return None
        rule = self._rule(path, raw.get("criterion", default))
        clean = self._parameters(path, raw, _GUARD, rule) if rule is not None else None
        if section is None or rule is None or clean is None:
            return None
        least = section.minimum if "minimum" in raw or default else _INNER_MINIMUM
        return self._fitting(path, rule, clean, Criterion(
            id=outer,
            metric=self._metric(path, section.metric),
            criterion=rule.name,
            parameters=clean.parameters,
            window=section.window,
            minimum=least,
            clock=self._clock(path, section.clock, clean.clocks),
            exclude=self._exclude(path, section.exclude),
            include=frozenset(section.include),
        ))  # fmt: skip

    # --- the rule's own keys ----------------------------------------------------------------------------------------

    def _parameters(
        self, path: Path, raw: Mapping[str, Any], common: frozenset[str], rule: CriterionRule
    ) -> _Clean | None:
        """What the rule's table says about the keys that are not common to all; None when something is wrong."""
        before = len(self.problems)
        table = {parameter.name: parameter for parameter in rule.parameters}
        for key in raw:
            if key not in common and key not in table:
                self.problems.append(unknown_key(self.document, (*path, key), sorted({*common, *table})))
        clean = _Clean({}, {}, {})
        for name, parameter in table.items():
            if name in raw:
                self._parameter((*path, name), raw[name], parameter, clean, str(raw.get("id", "")))
            elif parameter.required:
                self._wrong(path, f"`{name}` is missing", parameter.help, key=True)
            elif parameter.default is not None:
                clean.parameters[name] = parameter.default
        chosen = table.get("statistic")
        if chosen is not None and "share" in chosen.choices and "percentage" in clean.written.values():
            clean.parameters.setdefault("statistic", "share")  # a percentage of anything else is no statistic
        return clean if len(self.problems) == before else None

    def _parameter(self, path: Path, value: Any, parameter: Parameter, clean: _Clean, outer: str) -> None:
        name = parameter.name
        try:
            if parameter.kind == "criterion":
                clean.parameters[name] = self._guard(path, value, outer, None)
            elif parameter.kind == "amount":
                clean.parameters[name], clean.written[name], clean.clocks[name] = amount(value)
            elif parameter.kind == "duration":
                clean.parameters[name], clean.clocks[name] = values.duration_by(value)
            elif parameter.kind == "metric":
                clean.parameters[name] = self._metric(path, values.line(value))
            else:
                clean.parameters[name] = convert(parameter, value)
        except Unfit as error:
            self._wrong(path, error.what, error.mend)

    def _fitting(self, path: Path, rule: CriterionRule, clean: _Clean, criterion: Criterion) -> Criterion | None:
        """The criterion, when its rule says that its parameters fit its metric's unit."""
        if not criterion.metric:
            if self.document.value((*path, "metric")) is None:
                self._wrong(path, "`metric` is missing", key=True)
            return None
        unit = registry.metric(criterion.metric).unit
        chooses = any(parameter.name == "statistic" for parameter in rule.parameters)
        if not chooses and not self._written(path, clean, unit):
            return None
        try:
            goal = rule.goal(criterion, unit)
        except ValueError as error:
            self._wrong(path, str(error))
            return None
        if chooses and not self._written(path, clean, goal.unit):
            return None
        self._bounded(path, rule, criterion, goal)
        return criterion

    def _written(self, path: Path, clean: _Clean, unit: str) -> bool:
        """Whether amounts are written as their unit wants it: `24h`, `90%` or `3`; slopes as what slopes."""
        wanted = {"hours": "duration", "share": "percentage"}.get(unit.removesuffix(" per week"), "number")
        wrong = [name for name, form in clean.written.items() if form != wanted]
        for name in wrong:
            bare = ", not a bare number" if clean.written[name] == "number" else ""
            self._wrong((*path, name), f"{_WRITTEN_AS[wanted]} is expected here{bare}", f"It is compared with {unit}.")
        return not wrong

    def _bounded(self, path: Path, rule: CriterionRule, criterion: Criterion, goal: Goal) -> None:
        """A share is at most 100%, unless it is a growth."""
        if isinstance(goal.form, Ratio) and goal.form.increase:
            return
        for parameter in rule.parameters:
            value = criterion.parameters.get(parameter.name)
            if isinstance(value, float) and value > 1:
                is_share = parameter.kind == "share" or (parameter.kind == "amount" and goal.unit == "share")
                if is_share and not (parameter.kind == "amount" and parameter.name == "limit"):
                    self._wrong((*path, parameter.name), "a share is at most 100%")

    # --- the keys of all --------------------------------------------------------------------------------------------

    def _rule(self, path: Path, name: Any) -> CriterionRule | None:
        if not isinstance(name, str) or name not in registry.names("criteria"):
            if name is not None:
                self._wrong((*path, "criterion"), "unknown criterion", did_you_mean(name, registry.names("criteria")))
            return None
        return registry.criterion(name)

    def _metric(self, path: Path, name: str) -> str:
        """`name` when there is such a metric, else ""; it stands at `path`, or under its key `metric`."""
        if name in registry.names("metrics"):
            return name
        place = path if self.document.value(path) == name else (*path, "metric")
        self._wrong(place, "unknown metric", did_you_mean(name, registry.names("metrics")))
        return ""

    def _clock(self, path: Path, stated: Clock | None, inside: Mapping[str, Clock | None]) -> Clock | None:
        """The clock that the line names, in `clock` or in a duration; two that differ are a contradiction."""
        clock = stated
        for name, each in inside.items():
            if each and clock and each != clock:
                self._wrong((*path, name), f"this names the clock `{each}`, the line elsewhere `{clock}`", "Keep one.")
            clock = clock or each
        if stated == "working" and not any(inside.values()):
            for name in inside:
                text = self.document.value((*path, name))
                try:
                    values.duration_by(f"{text} working")
                except Unfit as error:
                    self._wrong((*path, name), error.what, error.mend)
        return clock

    def _exclude(self, path: Path, sections: Sequence[ExcludeSection]) -> tuple[ExcludeRule, ...]:
        rules = []
        for place, section in enumerate(sections):
            given = [part for part in _PARTS if getattr(section, part) is not None]
            if len(given) != 1:
                self._wrong(
                    (*path, "exclude", place), f"a rule names one of {', '.join(_PARTS)}", "Write one rule each."
                )
                continue
            part: Any = given[0]
            rules.append(ExcludeRule(part, getattr(section, part), section.reason))
        return tuple(rules)

    def _wrong(self, path: Path, what: str, mend: str = "", *, key: bool = False) -> None:
        self.problems.append(self.document.problem(path, what, mend, key=key))


class _Clean:
    """Converted parameters, how the amounts among them are written, and the clocks that durations name."""

    __slots__ = ("clocks", "parameters", "written")

    def __init__(
        self, parameters: dict[str, Any], written: dict[str, Written], clocks: dict[str, Clock | None]
    ) -> None:
        self.parameters, self.written, self.clocks = parameters, written, clocks


def amount(value: Any) -> tuple[timedelta | float, Written, Clock | None]:
    """A duration, a percentage or a plain number, by how it is written."""
    if isinstance(value, str) and value.strip().endswith("%"):
        return values.percentage(value), "percentage", None
    if isinstance(value, str):
        try:
            span, clock = values.duration_by(value)
        except Unfit as error:
            raise Unfit(error.what, "Write a duration as 24h, a percentage as 90%, else a plain number.") from None
        return span, "duration", clock
    return values.number(value), "number", None


def convert(parameter: Parameter, value: Any) -> Any:
    """A parameter of a rule or an option of a connector; references to secrets become Secret."""
    if values.is_reference(value):
        return values.reference(value)
    if parameter.kind == "choice":
        if value not in parameter.choices:
            raise Unfit(
                f"one of {', '.join(parameter.choices)} is expected here", did_you_mean(value, parameter.choices)
            )
        return value
    if parameter.kind == "list":
        if not isinstance(value, list):
            raise Unfit(f"a list is expected here, not {found(value)}", "Put it in brackets: [...].")
        return tuple(_inner(each) for each in value)
    if parameter.kind == "mapping":
        return _mapping(parameter, value)
    simple: dict[str, Any] = {
        "duration": values.duration,
        "share": values.percentage,
        "number": values.number,
        "count": values.count,
        "date": values.day,
        "text": values.line,
    }
    return simple[parameter.kind](value)


def _mapping(parameter: Parameter, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unfit(f"a mapping is expected here, not {found(value)}", parameter.help)
    for key in value:
        if parameter.choices and key not in parameter.choices:
            raise Unfit("an unknown key in this mapping", did_you_mean(key, parameter.choices))
    return {key: _inner(each) for key, each in value.items()}


def _inner(value: Any) -> str | int | float | bool | date | tuple[Any, ...] | Secret:
    """What may stand inside of a list or a mapping: plain values, and lists of them."""
    if isinstance(value, list):
        return tuple(_inner(each) for each in value)
    if isinstance(value, (bool, int, float)):
        return value
    return values.text_or_reference(value)
