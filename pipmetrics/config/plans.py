"""A plan file, checked against people and against itself, as a Plan."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from pipmetrics.config.document import Document, Path
from pipmetrics.config.files import PlanFile
from pipmetrics.config.fit import fit
from pipmetrics.config.lines import Lines
from pipmetrics.config.lint.waivers import waiver_problems
from pipmetrics.config.values import LONGEST, did_you_mean
from pipmetrics.errors import Problem
from pipmetrics.model import Criterion, Deficiency, Person, Plan, Support, Waiver


def plan_of(
    document: Document, people: Mapping[str, Person], names: Collection[str] | None, timezone: str
) -> tuple[Plan | None, list[Problem]]:
    """The plan, and all that is wrong with it; `names` are the people there are, None when nobody knows."""
    file, problems = fit(document, (), PlanFile, document.plain())
    criteria, wrong = _criteria(document)
    problems += wrong
    if file is None:
        return None, problems
    end, wrong = _end(document, file)
    person = people.get(file.person)
    manager = file.manager or (person.manager if person is not None else None)
    problems += wrong + _references(document, file, names) + waiver_problems(document, file.waivers)
    if manager is None and person is not None:
        problems.append(document.problem((), "`manager` is missing", "people.yaml names no manager of this person."))
    if manager is None or end is None:
        return None, problems
    return Plan(
        id=file.plan,
        kind=file.kind,
        person=file.person,
        manager=manager,
        start=file.start,
        end=end,
        timezone=file.timezone or (person.calendar.timezone if person is not None else timezone),
        criteria=tuple(criteria),
        supports=tuple(Support(each.text, each.owner, each.due) for each in file.supports),
        deficiencies=tuple(Deficiency(each.id, each.text, tuple(each.evidence)) for each in file.deficiencies),
        check_in_weekday=file.check_ins.on if file.check_ins is not None else None,
        check_in_weeks=file.check_ins.every if file.check_ins is not None else 1,
        preceded_by=file.preceded_by,
        consequences=file.consequences,
        attribution=tuple(dict.fromkeys(file.attribution)),
        follow_up=file.follow_up,
        draft=file.draft,
        waivers=tuple(Waiver(each.code, each.reason) for each in file.waivers),
        file=document.file,
        digest=hashlib.sha256(document.content).hexdigest(),
    ), problems


def _criteria(document: Document) -> tuple[list[Criterion], list[Problem]]:
    """The lines of the plan, read even when other parts of the file are wrong."""
    listed = document.value(("criteria",))
    lines = Lines(document)
    read = [
        lines.criterion(("criteria", place), raw)
        for place, raw in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(raw, dict)
    ]
    problems = lines.problems + _same_ids(document, "criteria", listed)
    return [line for line in read if line is not None], problems


def _end(document: Document, file: PlanFile) -> tuple[date | None, list[Problem]]:
    """The last day, from `end` or from `days`: one of them must be there."""
    if file.end is not None and file.days is not None:
        return None, [document.problem(("days",), "`end` and `days` say the same twice", "Keep one of them.", key=True)]
    if file.days is not None:
        if not 1 <= file.days <= LONGEST.days:
            return None, [document.problem(("days",), f"a plan lasts from 1 to {LONGEST.days} days")]
        return file.start + timedelta(days=file.days - 1), []
    if file.end is None:
        return None, [document.problem((), "neither `end` nor `days` is there", "Add one of them.")]
    if file.end < file.start:
        return None, [
            document.problem(("end",), "the plan ends before it starts", "`start` and `end` are both included.")
        ]
    if file.end - file.start > LONGEST:
        return None, [document.problem(("end",), f"a plan lasts from 1 to {LONGEST.days} days")]
    return file.end, []


def _references(document: Document, file: PlanFile, names: Collection[str] | None) -> list[Problem]:
    """People and deficiencies that there must be."""
    problems = []
    for key, name in (("person", file.person), ("manager", file.manager)):
        if name is not None and names is not None and name not in names:
            problems.append(document.problem((key,), "there is no such person", did_you_mean(name, sorted(names))))
    if file.manager == file.person:
        problems.append(document.problem(("manager",), "nobody manages their own plan"))
    if file.preceded_by == file.plan:
        problems.append(document.problem(("preceded_by",), "a plan cannot come before itself"))
    known = [each.id for each in file.deficiencies]
    for place, raw in enumerate(file.criteria):
        named = raw.get("deficiency")
        if isinstance(named, str) and named not in known:
            where: Path = ("criteria", place, "deficiency")
            problems.append(document.problem(where, "the plan has no such deficiency", did_you_mean(named, known)))
    problems += _same_ids(document, "deficiencies", document.value(("deficiencies",)))
    return problems


def _same_ids(document: Document, key: str, listed: object) -> list[Problem]:
    """Items of a list that carry the id of another one."""
    seen: dict[str, int] = {}
    problems = []
    items: Sequence[object] = listed if isinstance(listed, list) else []
    for place, item in enumerate(items):
        id = item.get("id") if isinstance(item, dict) else None
        if isinstance(id, str) and seen.setdefault(id, place) != place:
            line, column = document.at((key, seen[id], "id"))
            mend = f"The first one is at {document.file}:{line}:{column}."
            problems.append(document.problem((key, place, "id"), "this id stands here twice", mend))
    return problems
