"""`evaluate` in a terminal: every plan with its criteria, each number with its range, sample and what it would take."""

from __future__ import annotations

from collections.abc import Iterator

from pipmetrics.digest import words
from pipmetrics.digest.words import clean
from pipmetrics.model import Json


def render(document: Json) -> str:
    """The document of SPEC section 10 as text."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Json) -> Iterator[str]:
    yield f"Evaluated as of {document['as_of']}"
    if not document["plans"]:
        yield "No plan had begun by then."
    for plan in document["plans"]:
        look = words.VERDICTS[plan["verdict"]]
        yield f"\n{look.glyph} {plan['plan']}: {look.word}, day {plan['day']} of {plan['days']}"
        score = "none" if plan["score"] is None else f"{plan['score']:.2f}"
        yield f"  score {score}, {plan['coverage']:.0%} of the weight judged"
        if plan["recommendation"]:
            because = f" ({'; '.join(plan['because'])})" if plan["because"] else ""
            yield f"  recommendation: {plan['recommendation']}{because}; a named person decides"
        yield from (f"  incomplete: {clean(gap)}" for gap in plan["incomplete_sources"])
        for criterion in plan["criteria"]:
            yield from _criterion(criterion)
        supports, held = plan["supports"], plan["check_ins"]
        delivered = f"{supports['delivered']} of {supports['due']} supports due delivered"
        yield f"  {delivered}, {held['held']} of {held['due']} check-ins held"


def _criterion(criterion: Json) -> Iterator[str]:
    unit, look = criterion["unit"], words.VERDICTS[criterion["verdict"]]
    yield f"  {look.glyph} {criterion['id']}: {look.word}"
    said = words.number(criterion["value"], unit)
    if criterion["interval"]:
        said += f" ({words.between(criterion['interval'][0], criterion['interval'][1], unit)})"
    said += f", n {criterion['n']:g}" if criterion["n"] is not None else ""
    said += f", target {words.bound(criterion['target'], unit, criterion['direction'])}"
    if criterion["baseline"]:
        said += f", before {words.number(criterion['baseline']['value'], unit)}"
    yield f"      {said}"
    yield f"      {criterion['counted']} counted, {criterion['excluded']} left out, {criterion['pending']} pending"
    yield from (f"      {clean(str(criterion[key]))}" for key in ("reason", "note", "needed") if criterion[key])
    if criterion["contested"]:
        yield f"      {clean(criterion['contested']['text'])}"
