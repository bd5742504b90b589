"""Evaluations in the ledger, with what is needed to make them again bit for bit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, select

from pipmetrics.ledger.chain import Act
from pipmetrics.model import Json
from pipmetrics.store import entries, rows
from pipmetrics.store.tables import DOCUMENT, EVALUATION
from pipmetrics.store.values import canonical, clean, micros, sha256

ACT = "evaluation"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One plan scored at one instant.

    `inputs_hash` stands for everything that the scoring read (see `ledger.fingerprint`); `result` is the JSON that was
    given out. The rest lets a replay read the same again: the store's `revision`, the last ledger entry whose acts
    were known (`through`), and the `texts` (plan, person, settings) that are kept by hash, once each.
    """

    plan: str
    person: str
    as_of: datetime
    version: str
    plan_hash: str
    inputs_hash: str
    result: Json
    revision: int
    through: int
    texts: Mapping[str, str] = field(default_factory=dict)
    """By name; those named in `shared` are about nobody in particular."""
    shared: frozenset[str] = frozenset({"settings"})

    @property
    def result_hash(self) -> str:
        return sha256(canonical(self.result))


def new(connection: Connection, evaluated: Sequence[Evaluated]) -> list[Evaluated]:
    """Those that the ledger does not hold yet: same plan, instant, plan text, inputs and version count once."""
    held = {tuple(row) for row in rows.select_where(connection, EVALUATION, "plan", {one.plan for one in evaluated})}
    known = {row[1:6] for row in held}
    fresh = {}
    for one in evaluated:
        key = (one.plan, micros(one.as_of), one.version, one.plan_hash, one.inputs_hash)
        if key not in known:
            fresh[key] = one
    return list(fresh.values())


def record(
    connection: Connection, evaluated: Sequence[Evaluated], actor: str, now: datetime
) -> list[tuple[Evaluated, int]]:
    """Appends an entry for each and indexes it; gives the entry numbers."""
    acts = [Act(ACT, f"plan:{one.plan}", actor, _payload(one)) for one in evaluated]
    made = [(one, entry.seq) for one, entry in zip(evaluated, entries.append(connection, acts, now, None), strict=True)]
    for one, _ in made:
        for name, text in one.texts.items():
            owner = "" if name in one.shared else one.person
            put_document(connection, clean(text), owner)
    index = [
        (seq, one.plan, micros(one.as_of), one.version, one.plan_hash, one.inputs_hash, one.result_hash)
        for one, seq in made
    ]
    rows.insert_rows(connection, EVALUATION, index)
    return made


def _payload(one: Evaluated) -> Json:
    return {
        "plan": one.plan,
        "person": one.person,
        "as_of": one.as_of.isoformat(),
        "version": one.version,
        "plan_hash": one.plan_hash,
        "inputs_hash": one.inputs_hash,
        "result_hash": one.result_hash,
        "result": one.result,
        "revision": one.revision,
        "through": one.through,
        "texts": {name: sha256(clean(text)) for name, text in one.texts.items()},
    }


def put_document(connection: Connection, text: str, owner: str) -> str:
    """Keeps a text by its hash; one that is there already stays as it is."""
    digest = sha256(text)
    if connection.execute(select(DOCUMENT.c.hash).where(DOCUMENT.c.hash == digest)).first() is None:
        connection.execute(DOCUMENT.insert().values(hash=digest, owner=owner, body=text))
    return digest


def documents(connection: Connection, hashes: Collection[str]) -> dict[str, str]:
    return {row[0]: row[2] for row in rows.select_where(connection, DOCUMENT, "hash", hashes)}


def forget(connection: Connection, owner: str, seqs: Collection[int]) -> None:
    """Removes a person's texts and the index rows of their evaluations."""
    connection.execute(delete(DOCUMENT).where(DOCUMENT.c.owner == owner))
    for seq in seqs:
        connection.execute(delete(EVALUATION).where(EVALUATION.c.seq == seq))


def at_instant(connection: Connection, plans: Collection[str], as_of: datetime) -> list[int]:
    """The entry of each plan's last evaluation as of exactly this instant."""
    at = micros(as_of)
    last: dict[str, int] = {}
    for row in sorted(rows.select_where(connection, EVALUATION, "plan", plans)):
        if row[2] == at:
            last[row[1]] = row[0]
    return sorted(last.values())


def latest(connection: Connection, plan: str) -> int | None:
    """The entry of a plan's last recorded evaluation."""
    statement = select(EVALUATION.c.seq).where(EVALUATION.c.plan == plan).order_by(EVALUATION.c.seq.desc()).limit(1)
    return connection.execute(statement).scalar()
