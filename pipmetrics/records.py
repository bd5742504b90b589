"""Evaluations on the record: written with the hashes of all they were made from, found again, and made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import TypeAdapter
from pydantic_core import to_json

import pipmetrics
from pipmetrics.errors import UsageError
from pipmetrics.ledger import fingerprint
from pipmetrics.model import Acts, Gap, Json, MeasureRequest, Person, Plan, Settings
from pipmetrics.recipes import digest, plain
from pipmetrics.store import Evaluated

if TYPE_CHECKING:
    import pandas as pd

    from pipmetrics.acts import Life
    from pipmetrics.api import Organisation
    from pipmetrics.score import Evaluations, Measured
    from pipmetrics.store import Recorded

ENGINE = "engine"
"""The actor of what no person does."""
ABOUT_NOBODY = frozenset({"settings", "gaps"})
"""Kept texts that are about nobody in particular: erasing a person leaves them."""

_PERSON: TypeAdapter[Person] = TypeAdapter(Person)
_SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)
_GAPS: TypeAdapter[tuple[Gap, ...]] = TypeAdapter(tuple[Gap, ...])
_ACTS: TypeAdapter[Acts] = TypeAdapter(Acts)


RowsOf: TypeAlias = "Callable[[MeasureRequest, str], pd.DataFrame]"
"""Gives the rows that one person has in a run of a metric."""


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """Plans scored at one instant, with what that was made from."""

    plans: Sequence[Plan]
    measured: Measured
    evaluations: Evaluations
    revision: int
    through: int


def record(company: Organisation, as_of: datetime, plan: str | None = None) -> tuple[Evaluations, list[int]]:
    """Evaluates, freezes fresh baselines, records what is new; gives the numbers of the new entries."""
    from pipmetrics.acts import record_baselines

    scoring = scored(company, company.plans(plan, as_of), as_of)
    now = company.now()
    record_baselines(company.store, scoring.plans, scoring.evaluations.baselines, by=ENGINE, now=now)
    made = company.store.record_evaluations(to_record(company, scoring), ENGINE, now)
    return scoring.evaluations, [seq for _, seq in made]


def scored(company: Organisation, plans: Sequence[Plan], as_of: datetime) -> Scoring:
    """The evaluation of these plans, and what it was made from: one state of the store, whoever pulls meanwhile."""
    from pipmetrics.score import evaluate

    while True:
        revision, through = company.store.revision(), company.store.head().seq
        measured = company.measured(plans, as_of)
        if company.revision is not None or company.store.revision() == revision:
            break
    return Scoring(
        plans,
        measured,
        evaluate(plans, measured, as_of),
        revision if company.revision is None else company.revision,
        through if company.through is None else company.through,
    )


def to_record(
    company: Organisation, scoring: Scoring, beside: Mapping[str, Mapping[str, str]] | None = None
) -> list[Evaluated]:
    """What of it goes on record: one entry a plan. `beside` are more texts to keep, by plan and name."""
    from pipmetrics.acts import all_lives

    document = scoring.evaluations.to_json()
    lives = all_lives(company.store)
    known = {plan.id: plan for plan in scoring.plans}
    settings, gaps = _text(_SETTINGS, company.config.settings), _text(_GAPS, tuple(scoring.measured.gaps))
    rows_of = _by_person(scoring.measured.frames)
    evaluated = []
    for entry in document["plans"]:
        plan = known[entry["plan"]]
        person = company.config.people[plan.person]
        texts = {"plan": text_of(company, plan, lives.get(plan.id)), "person": _text(_PERSON, person)}
        evaluated.append(
            Evaluated(
                plan=plan.id,
                person=plan.person,
                as_of=scoring.evaluations.as_of,
                version=pipmetrics.__version__,
                plan_hash=plan.digest,
                inputs_hash=inputs_hash(plan, person, scoring, company.config.settings, rows_of),
                result={**document, "plans": [entry]},
                revision=scoring.revision,
                through=scoring.through,
                texts={**texts, "settings": settings, "gaps": gaps, **(beside or {}).get(plan.id, {})},
                shared=ABOUT_NOBODY,
            )
        )
    return evaluated


def _text(adapter: TypeAdapter[Any], value: object) -> str:
    """As JSON that every process writes alike: sets have no order of their own."""
    return to_json(_in_order(adapter.dump_python(value))).decode()


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_in_order(each) for each in value), key=str)
    return [_in_order(each) for each in value] if isinstance(value, list | tuple) else value


def inputs_hash(plan: Plan, person: Person, scoring: Scoring, settings: Settings, rows_of: RowsOf) -> str:
    """One hash of all that the scoring of a plan read: its person's rows, its acts, its person, the settings.

    Whatever other plans were scored with it.
    """
    from pipmetrics.score import requests

    measured, acts = scoring.measured, _of_plan(scoring.measured.acts, plan.id)
    asked = sorted(requests([plan], scoring.evaluations.as_of, acts, measured.metrics), key=digest)
    read = {
        "requests": [plain(request) for request in asked],
        "acts": _ACTS.dump_python(acts, mode="json"),
        "gaps": [str(gap) for gap in measured.gaps],
        "plan": plan.digest,
        "limits": [settings.met_at, settings.at_risk_at],
    }
    rows = [rows_of(request, plan.person) for request in asked]
    return fingerprint(*rows, read, plain(person))


def _by_person(frames: Mapping[MeasureRequest, pd.DataFrame]) -> RowsOf:
    """Cuts one person's rows, without their evidence, out of frames, which stand by person."""
    import numpy as np
    import pandas as pd

    cut: dict[MeasureRequest, tuple[pd.DataFrame, dict[str, slice]]] = {}

    def rows_of(request: MeasureRequest, person: str) -> pd.DataFrame:
        if request not in cut:
            frame = frames[request].drop(columns="evidence")
            codes, names = pd.factorize(frame["person"])
            bounds = np.searchsorted(codes, np.arange(len(names) + 1)).tolist()
            places = {str(name): slice(*bounds[n : n + 2]) for n, name in enumerate(names)}
            cut[request] = frame, places
        frame, places = cut[request]
        return frame.iloc[places.get(person, slice(0, 0))]

    return rows_of


def _of_plan(acts: Acts, plan: str) -> Acts:
    return Acts(
        disputes=tuple(act for act in acts.disputes if act.plan == plan),
        attestations=tuple(act for act in acts.attestations if act.plan == plan),
        check_ins=tuple(act for act in acts.check_ins if act.plan == plan),
        supports=tuple(act for act in acts.supports if act.plan == plan),
        baselines=tuple(act for act in acts.baselines if act.plan == plan),
    )


def text_of(company: Organisation, plan: Plan, life: Life | None) -> str:
    """The plan's text in force: the locked one, or the file."""
    locked = next((one for one in (life.versions if life else ()) if one.digest == plan.digest), None)
    return locked.text if locked is not None else company.config.documents[plan.file].content.decode()


# --- found again --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A recorded evaluation of one plan: its entry, and its part of SPEC section 10. `anchor` is SEQ:HASH."""

    seq: int
    anchor: str
    entry: Json
    payload: Json

    @classmethod
    def of(cls, recorded: Recorded) -> OnRecord:
        return cls(
            recorded.seq,
            f"{recorded.seq}:{recorded.hash}",
            recorded.payload["result"]["plans"][0],
            recorded.payload,
        )


def recorded(company: Organisation, plans: Sequence[Plan], as_of: datetime) -> Mapping[str, OnRecord]:
    """The last recorded evaluation of each plan as of exactly this instant, by plan; erased ones are not there."""
    found = company.store.evaluations_at([plan.id for plan in plans], as_of)
    return {one.payload["plan"]: OnRecord.of(one) for one in found if one.payload is not None}


def latest(company: Organisation, plan: str) -> OnRecord | None:
    """The last recorded evaluation of a plan, whatever its instant."""
    found = company.store.latest_evaluation(plan)
    return None if found is None or found.payload is None else OnRecord.of(found)


def texts_of(company: Organisation, kept: OnRecord) -> Mapping[str, str]:
    """The texts that a recorded evaluation was made from, by name; those that were erased are not there."""
    hashes: Mapping[str, str] = kept.payload["texts"]
    known = company.store.documents(set(hashes.values()))
    return {name: known[digest] for name, digest in hashes.items() if digest in known}


MOVES_WITH_TIME = frozenset({"window", "projection", "progress", "change", "chance", "weeks", "needed", "away"})
"""Figures of a result that move while nothing happens."""


def says_the_same(first: Json, second: Json) -> bool:
    """Whether two results of a plan (its parts of SPEC section 10) differ in nothing but what moves with time."""
    return bool(_lasting(first) == _lasting(second))


def _lasting(entry: Json) -> Json:
    kept = {key: value for key, value in entry.items() if key not in MOVES_WITH_TIME | {"criteria", "day"}}
    criteria = [
        {key: value for key, value in criterion.items() if key not in MOVES_WITH_TIME}
        for criterion in entry["criteria"]
    ]
    return {**kept, "criteria": criteria}


# --- made again ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recorded evaluation made again: `same`, or where the two differ."""

    entry: int
    same: bool
    differences: tuple[str, ...]

    def to_json(self) -> Json:
        return {"entry": self.entry, "same": self.same, "differences": list(self.differences)}

    def to_text(self) -> str:
        if self.same:
            return f"entry {self.entry}: made again, equal to the byte"
        return "\n".join([f"entry {self.entry}: differs", *(f"  {line}" for line in self.differences)])


def replay(company: Organisation, entry: int) -> Replayed:
    """Make a recorded evaluation again from the plan, person and settings that were kept, and the facts of that time.

    UsageError when the entry is no evaluation, or its texts were erased.
    """
    from pipmetrics.score import evaluate

    found = company.store.entry(entry)
    if found.act != "evaluation" or found.payload is None:
        raise UsageError(f"entry {entry} is no evaluation that is still held", mend="`pipmetrics ledger` lists them.")
    plan, past = as_it_was(company, OnRecord.of(found))
    as_of = datetime.fromisoformat(found.payload["as_of"])
    again = evaluate([plan], past.measured([plan], as_of), as_of).to_json()
    differences = tuple(_differences("", found.payload["result"], again))
    return Replayed(entry, not differences, differences)


def as_it_was(company: Organisation, kept: OnRecord) -> tuple[Plan, Organisation]:
    """The plan as it was scored, and the organisation as it was then: its person, settings, facts, acts and gaps.

    UsageError when the texts were erased.
    """
    texts = texts_of(company, kept)
    if not {"plan", "person", "settings"} <= set(texts):
        raise UsageError(f"what entry {kept.seq} was made from has been erased")
    person = _PERSON.validate_json(texts["person"])
    settings = replace(_SETTINGS.validate_json(texts["settings"]), folder=company.config.settings.folder)
    past = replace(
        company,
        config=replace(company.config, settings=settings, people={**company.config.people, person.id: person}),
        revision=kept.payload["revision"],
        through=kept.payload["through"],
        gaps=_GAPS.validate_json(texts["gaps"]) if "gaps" in texts else None,
    )
    past.__dict__["store"] = company.store
    return parse_kept(texts["plan"], past, kept), past


def parse_kept(text: str, company: Organisation, kept: OnRecord) -> Plan:
    """The plan of a recorded text, with the end that an extension had moved it to."""
    from pipmetrics.acts import life_of
    from pipmetrics.config import parse_plan

    plan = parse_plan(text.encode(), company.config, f"{kept.payload['plan']} (entry {kept.seq})")
    life = life_of(company.store, plan.id)
    until = life.extended_until(datetime.fromisoformat(kept.payload["as_of"]))
    return plan if until is None or until <= plan.end else replace(plan, end=until)


def _differences(path: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _differences(f"{path}.{key}" if path else key, before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{place}]", old, new)
    elif before != after:
        yield f"{path}: recorded {before!r}, now {after!r}"
