"""Ledger entries in words: what happened, who looked, and what a week's verdicts were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipmetrics.digest import words
from pipmetrics.model import Json
from pipmetrics.store import Recorded
from pipmetrics.web.redact import Voice

TITLES: Mapping[str, str] = {
    "evaluation": "Evaluation",
    "baseline": "Baseline frozen",
    "read": "Read",
    "comment": "Comment",
    "dispute": "Data point contested",
    "dispute.answer": "Contest answered",
    "dispute.decide": "Contest decided",
    "attest": "Attestation",
    "blame": "Cause of a bug, a person's word",
    "check_in": "Check-in",
    "check_in.confirm": "Check-in, the person's word",
    "support": "Support delivered",
    "support.confirm": "Support, the person's word",
    "sign": "Signature",
    "notice": "Privacy notice acknowledged",
    "amend": "Amendment proposed",
    "amend.sign": "Amendment signed",
    "recommend": "Recommendation",
    "decide": "Decision",
    "pause": "Paused",
    "resume": "Resumed",
    "erasure.ask": "Erasure asked for",
    "erasure.approve": "Erasure approved",
    "erase": "Erased",
    "export": "Exported",
    "hold": "Legal hold",
    "release": "Legal hold released",
    "night": "Head signed",
}
MINOR = frozenset({"evaluation", "baseline", "check_in", "support", "notice", "attest"})


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as people read it."""

    seq: int
    at: datetime
    title: str
    who: str
    said: str
    act: str
    hash: str
    minor: bool = False

    def to_json(self) -> Json:
        at = self.at.isoformat().replace("+00:00", "Z")
        return {"seq": self.seq, "at": at, "act": self.act, "title": self.title, "who": self.who, "said": self.said,
                "hash": self.hash}  # fmt: skip


def lines(entries: Iterable[Recorded], voice: Voice) -> list[Line]:
    """Entries in words, in their order."""
    return [line(entry, voice) for entry in entries]


def line(entry: Recorded, voice: Voice) -> Line:
    said = "Erased." if entry.payload is None else _said(entry, entry.payload, voice)
    title = TITLES.get(entry.act, entry.act)
    if entry.act == "sign" and entry.payload is not None:
        title = {"plan": "Plan signed", "digest": "Digest signed"}.get(entry.payload["what"], title)
    who = voice.name(entry.actor)
    return Line(entry.seq, entry.at, title, who, said, entry.act, entry.hash, entry.act in MINOR)


def metadata(entry: Recorded) -> Json:
    """What somebody may know who may not read: that there is an entry, when, of which kind, and its hash."""
    return {"seq": entry.seq, "at": entry.at.isoformat().replace("+00:00", "Z"), "act": entry.act, "hash": entry.hash}


def _said(entry: Recorded, payload: Any, voice: Voice) -> str:
    why = voice.text(str(payload.get("why") or ""))
    facts = [*_facts(entry.act, payload, voice), why]
    return " ".join(_sentence(fact) for fact in facts if fact)


def _facts(act: str, payload: Any, voice: Voice) -> Sequence[str]:
    match act:
        case "evaluation":
            plan = payload["result"]["plans"][0]
            told = [f"{each['id']} {words.VERDICTS[each['verdict']].word.lower()}" for each in plan["criteria"]]
            return [f"{words.VERDICTS[plan['verdict']].word}: {', '.join(told)}"]
        case "read":
            return [str(payload["what"])]
        case "dispute":
            return [f"{payload['criterion']}, {voice.text(payload.get('subject', payload['key']))}"]
        case "dispute.answer":
            return [f"Contest {payload['dispute']}"]
        case "dispute.decide":
            return [f"Contest {payload['dispute']} {payload['outcome']}"]
        case "attest":
            return [f"{payload['criterion']}: {payload['value']:g}, as {payload['role']}"]
        case "blame":
            return [f"{voice.text(payload['change'])} caused {voice.text(payload['bug'])}: {_agreed(payload)}"]
        case "check_in":
            return [f"{words.day(date.fromisoformat(payload['day']))}: {'held' if payload['held'] else 'missed'}"]
        case "check_in.confirm":
            return [f"{words.day(date.fromisoformat(payload['day']))}: {_agreed(payload)}"]
        case "support":
            return [f"Support {payload['support']}, on {words.day(date.fromisoformat(payload['on']))}"]
        case "support.confirm":
            return [f"Support {payload['support']}: {_agreed(payload)}"]
        case "sign":
            agrees = {True: "Agrees", False: "Does not agree"}.get(payload["agrees"], "")
            return [f"Week {payload['about']}" if payload["what"] == "digest" else "", agrees]
        case "amend.sign":
            return [f"Amendment {payload['amendment']}"]
        case "recommend" | "decide":
            until = f", until {payload['until']}" if payload.get("until") else ""
            return [f"{payload['outcome'].replace('_', ' ')}{until}"]
        case "baseline":
            return [str(payload["criterion"])]
        case _:
            return []


def _agreed(payload: Any) -> str:
    return "confirmed" if payload["confirmed"] else "denied"


def _sentence(text: str) -> str:
    return text if text[-1:] in ".!?" else f"{text}."


# --- the verdicts of each week ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class History:
    """The last verdict of each calendar week: of the criteria by id, and of the plan ("")."""

    weeks: tuple[str, ...]
    verdicts: Mapping[str, tuple[str | None, ...]]


def history(entries: Iterable[Recorded]) -> History:
    """From recorded evaluations, in their order; corrections are later entries and so count."""
    last: dict[tuple[int, int], Json] = {}
    for entry in entries:
        if entry.act == "evaluation" and entry.payload is not None:
            told = datetime.fromisoformat(entry.payload["as_of"])
            year, week, _ = told.isocalendar()
            last[year, week] = entry.payload["result"]["plans"][0]
    weeks = sorted(last)
    ids = [each["id"] for each in last[weeks[-1]]["criteria"]] if weeks else []
    of = {week: {c["id"]: c["verdict"] for c in last[week]["criteria"]} for week in weeks}
    verdicts = {id: tuple(of[week].get(id) for week in weeks) for id in ids}
    verdicts[""] = tuple(last[week]["verdict"] for week in weeks)
    return History(tuple(f"W{week:02}" for _, week in weeks), verdicts)
