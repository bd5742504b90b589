"""Evaluations on the record: written with the hashes of all they were made from, found again, and made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

import pipmetrics
from pipmetrics.errors import UsageError
from pipmetrics.ledger import fingerprint
from pipmetrics.model import Acts, Json, Person, Plan, Settings
from pipmetrics.store import Evaluated

if TYPE_CHECKING:
    from pipmetrics.api import Organisation
    from pipmetrics.score import Evaluations, Measured

ENGINE = "engine"
"""The actor of what no person does."""

_PERSON: TypeAdapter[Person] = TypeAdapter(Person)
_SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)


def record(company: Organisation, as_of: datetime, plan: str | None = None) -> tuple[Evaluations, list[int]]:
    """Evaluates, freezes fresh baselines, records what is new; gives the numbers of the new entries."""
    from pipmetrics.acts import record_baselines

    plans = company.plans(plan, as_of)
    evaluations, evaluated = scored(company, plans, as_of)
    now = company.now()
    record_baselines(company.store, plans, evaluations.baselines, by=ENGINE, now=now)
    return evaluations, [seq for _, seq in company.store.record_evaluations(evaluated, ENGINE, now)]


def scored(company: Organisation, plans: Sequence[Plan], as_of: datetime) -> tuple[Evaluations, list[Evaluated]]:
    """The evaluation of these plans, and what of it goes on record: one entry a plan."""
    from pipmetrics.score import evaluate

    measured = company.measured(plans, as_of)
    evaluations = evaluate(plans, measured, as_of)
    document = evaluations.to_json()
    by_id = {plan.id: plan for plan in plans}
    return evaluations, [
        _evaluated(company, by_id[entry["plan"]], {**document, "plans": [entry]}, measured)
        for entry in document["plans"]
    ]


def _evaluated(company: Organisation, plan: Plan, result: Json, measured: Measured) -> Evaluated:
    person = company.config.people[plan.person]
    return Evaluated(
        plan=plan.id,
        person=plan.person,
        as_of=datetime.fromisoformat(result["as_of"]),
        version=pipmetrics.__version__,
        plan_hash=plan.digest,
        inputs_hash=inputs_hash(plan, person, measured, company.config.settings),
        result=result,
        revision=company.store.revision(),
        through=company.store.head().seq,
        texts={
            "plan": _text_of(company, plan),
            "person": _PERSON.dump_json(person).decode(),
            "settings": _SETTINGS.dump_json(company.config.settings).decode(),
        },
    )


def inputs_hash(plan: Plan, person: Person, measured: Measured, settings: Settings) -> str:
    """One hash of all that the scoring of a plan read: its person's rows, its acts, its person, the settings."""
    frames = sorted(measured.frames.items(), key=lambda item: str(item[0]))
    rows = [frame[frame["person"] == plan.person].drop(columns="evidence") for _, frame in frames]
    asked = [str(request) for request, _ in frames]
    acts = TypeAdapter(Acts).dump_python(_of_plan(measured.acts, plan.id), mode="json")
    gaps = [str(gap) for gap in measured.gaps]
    return fingerprint(
        *rows, {"requests": asked, "acts": acts, "gaps": gaps, "plan": plan.digest, "limits": [
            settings.met_at, settings.at_risk_at]}, _PERSON.dump_python(person, mode="json"),
    )  # fmt: skip


def _of_plan(acts: Acts, plan: str) -> Acts:
    return Acts(
        disputes=tuple(act for act in acts.disputes if act.plan == plan),
        attestations=tuple(act for act in acts.attestations if act.plan == plan),
        check_ins=tuple(act for act in acts.check_ins if act.plan == plan),
        supports=tuple(act for act in acts.supports if act.plan == plan),
        baselines=tuple(act for act in acts.baselines if act.plan == plan),
    )


def _text_of(company: Organisation, plan: Plan) -> str:
    """The plan's text in force: the locked one, or the file."""
    from pipmetrics.acts import life_of

    version = life_of(company.store, plan.id).version()
    if version is not None and version.digest == plan.digest:
        return version.text
    return company.config.documents[plan.file].content.decode()


def recorded(company: Organisation, plans: Sequence[Plan], as_of: datetime) -> Mapping[str, Json]:
    """The last recorded evaluation of each plan as of exactly this instant: its part of SPEC section 10."""
    entries = company.store.entries(acts=("evaluation",), subjects=[f"plan:{plan.id}" for plan in plans])
    found: dict[str, Json] = {}
    for entry in entries:
        payload = entry.payload
        if payload is not None and datetime.fromisoformat(payload["as_of"]) == as_of:
            found[payload["plan"]] = payload["result"]["plans"][0]
    return found


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
    from pipmetrics.config import parse_plan
    from pipmetrics.score import evaluate

    payload = _payload(company, entry)
    texts = company.store.documents(payload["texts"].values())
    if len(texts) < len(set(payload["texts"].values())):
        raise UsageError(f"what entry {entry} was made from has been erased")
    kept = {name: texts[digest] for name, digest in payload["texts"].items()}
    person = _PERSON.validate_json(kept["person"])
    settings = _SETTINGS.validate_json(kept["settings"])
    config = replace(company.config, settings=settings, people={**company.config.people, person.id: person})
    plan = parse_plan(kept["plan"].encode(), config)
    past = replace(company, config=config, revision=payload["revision"], through=payload["through"])
    past.__dict__["store"] = company.store
    as_of = datetime.fromisoformat(payload["as_of"])
    again = evaluate([plan], past.measured([plan], as_of), as_of).to_json()
    differences = tuple(_differences("", payload["result"], again))
    return Replayed(entry, not differences, differences)


def _payload(company: Organisation, entry: int) -> Json:
    found = company.store.entry(entry)
    if found.act != "evaluation" or found.payload is None:
        raise UsageError(f"entry {entry} is no evaluation that is still held", mend="`pipmetrics runs` lists them.")
    return found.payload


def _differences(path: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _differences(f"{path}.{key}" if path else key, before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{place}]", old, new)
    elif before != after:
        yield f"{path}: recorded {before!r}, now {after!r}"
