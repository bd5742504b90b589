"""The table of the forms: every act that people do in the pages and through the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from pipmetrics import acts
from pipmetrics.acts import OUTCOMES
from pipmetrics.digest.promises import check_in_strip, support_marks
from pipmetrics.errors import Refused, UsageError
from pipmetrics.model import Dispute
from pipmetrics.web import saying
from pipmetrics.web.forms import Doing, Field, Form
from pipmetrics.web.guard import Visit
from pipmetrics.web.notice import notice_of

Choices = Sequence[tuple[str, str]]
YES_NO = (("yes", "Yes"), ("no", "No"))
UPHELD = (("upheld", "Upheld: leave it out"), ("rejected", "Rejected: it counts"))
OUTCOME_WORDS = {
    "complete": "Complete: the expectations are met",
    "extend": "Extend: go on until a later day",
    "not_complete": "Not complete: the expectations are not met",
    "withdrawn": "Withdrawn: the plan was wrong or is not needed any more",
}


# --- choices ------------------------------------------------------------------------------------------------------


def _criteria(visit: Visit) -> Choices:
    return [(each.id, f"{each.id}: {each.expectation}" if each.expectation else each.id)
            for each in visit.the_plan.criteria]  # fmt: skip


def _attested(visit: Visit) -> Choices:
    plan = visit.the_plan
    roles = acts.roles_of(visit.standing.company.config, plan, visit.actor.id)
    mine = [each for each in plan.criteria if each.criterion == "attest" and str(each.parameters["by"]) in roles]
    return [(each.id, f"{each.id}: {each.expectation}") for each in mine]


def _disputes(visit: Visit) -> Choices:
    return [
        (str(each.entry), f"{each.entry}: {each.about} ({each.criterion}), {each.why}") for each in open_disputes(visit)
    ]


def open_disputes(visit: Visit) -> list[Dispute]:
    """The open contests of the visit's plan."""
    every = visit.standing.acts.disputes
    return [each for each in every if each.plan == visit.the_plan.id and each.state == "open"]


def _promised(visit: Visit) -> Choices:
    return [(str(n), f"{n}: {each.text}") for n, each in enumerate(visit.the_plan.supports, 1)]


def _delivered(visit: Visit) -> Choices:
    plan, given = visit.the_plan, visit.standing.acts.supports
    mine = {each.support for each in given if each.plan == plan.id}
    return [(number, said) for number, said in _promised(visit) if int(number) in mine]


def _check_ins(visit: Visit) -> Choices:
    mine = [each for each in visit.standing.acts.check_ins if each.plan == visit.the_plan.id]
    return [(each.day.isoformat(), f"{each.day}: {'held' if each.held else 'missed'}") for each in mine]


def _outcomes(_visit: Visit) -> Choices:
    return [(each, OUTCOME_WORDS[each]) for each in OUTCOMES]


def _amendments(visit: Visit) -> Choices:
    waiting = [each for each in visit.standing.life(visit.the_plan.id).amendments if each.effective is None]
    return [(str(each.entry), f"{each.entry}: {each.why}") for each in waiting]


def _weeks(visit: Visit) -> Choices:
    """The complete ISO weeks of the plan, the latest first."""
    plan = visit.the_plan
    today = visit.now.astimezone(ZoneInfo(plan.timezone)).date()
    return [(week, week) for week in _weeks_before(plan.start, min(today, plan.end + timedelta(days=7)))]


def _weeks_before(start: date, today: date) -> Iterator[str]:
    monday = today - timedelta(days=today.weekday() + 7)
    while monday + timedelta(days=6) >= start:
        yield "{}-W{:02}".format(*monday.isocalendar()[:2])
        monday -= timedelta(days=7)


# --- what each does -----------------------------------------------------------------------------------------------


def _agrees(doing: Doing) -> bool | None:
    return {"yes": True, "no": False}.get(doing.said("agrees"))


def _acknowledge(doing: Doing) -> object:
    notice = notice_of(doing.config)
    saying.take_notice(doing.store, doing.visit.the_plan, notice.digest, by=doing.by, now=doing.now)
    return _sign_plan(doing)


def _sign_plan(doing: Doing) -> object:
    return acts.sign_plan(doing.store, doing.config, doing.plan, by=doing.by, now=doing.now,
                          agrees=_agrees(doing), why=doing.said())  # fmt: skip


def _comment(doing: Doing) -> object:
    return saying.comment(doing.store, doing.visit.the_plan, by=doing.by, why=doing.said(), now=doing.now)


def _contest(doing: Doing) -> object:
    visit, criterion = doing.visit, doing.said("criterion")
    if criterion not in {each.id for each in visit.the_plan.criteria}:
        raise UsageError(f"the plan has no criterion {criterion!r}")
    scored = visit.office.scored(visit.standing, visit.the_plan)
    if scored is None:
        raise UsageError("the plan has not begun: there is nothing to contest yet")
    found = visit.office.explanation(visit.standing, visit.the_plan, criterion, None, scored.as_of)
    every = [point.measurement for point in found.points if point.standing != "exposure"]
    subjects = {str(each["key"]): str(each["subject"]) for each in every}
    return acts.dispute(doing.store, doing.config, doing.plan, criterion, doing.said("key"), by=doing.by,
                        why=doing.said(), now=doing.now, subjects=subjects)  # fmt: skip


def _number(doing: Doing, name: str) -> int:
    return int(doing.said(name))


def _answer(doing: Doing) -> object:
    return acts.answer_dispute(doing.store, doing.config, _number(doing, "contest"), by=doing.by, why=doing.said(),
                               now=doing.now)  # fmt: skip


def _decide_contest(doing: Doing) -> object:
    return acts.decide_dispute(doing.store, doing.config, _number(doing, "contest"), doing.said("outcome"),
                               by=doing.by, why=doing.said(), now=doing.now)  # fmt: skip


def _attest(doing: Doing) -> object:
    criterion = next(each for each in doing.visit.the_plan.criteria if each.id == doing.said("criterion"))
    return acts.attest(doing.store, doing.config, doing.plan, criterion.id, doing.values["value"],
                       role=str(criterion.parameters["by"]), by=doing.by, why=doing.said(), now=doing.now)  # fmt: skip


def _support(doing: Doing) -> object:
    return acts.support(doing.store, doing.config, doing.plan, _number(doing, "support"), doing.values["on"],
                        by=doing.by, why=doing.said(), now=doing.now)  # fmt: skip


def _confirm_support(doing: Doing) -> object:
    return acts.confirm_support(doing.store, doing.config, doing.plan, _number(doing, "support"),
                                doing.said("received") == "yes", by=doing.by, why=doing.said(),
                                now=doing.now)  # fmt: skip


def _check_in(doing: Doing) -> object:
    return acts.check_in(doing.store, doing.config, doing.plan, doing.values["day"], doing.said("held") == "yes",
                         by=doing.by, why=doing.said(), now=doing.now)  # fmt: skip


def _confirm_check_in(doing: Doing) -> object:
    recorded = {date.fromisoformat(day) for day, _ in _check_ins(doing.visit)}
    return saying.confirm_check_in(doing.store, doing.visit.the_plan, date.fromisoformat(doing.said("day")),
                                   doing.said("right") == "yes", by=doing.by, why=doing.said(), now=doing.now,
                                   recorded=recorded)  # fmt: skip


def _propose(doing: Doing) -> object:
    return acts.propose_amendment(doing.store, doing.config, doing.plan, by=doing.by, why=doing.said(), now=doing.now)


def _sign_amendment(doing: Doing) -> object:
    return acts.sign_amendment(doing.store, doing.config, doing.plan, _number(doing, "amendment"), by=doing.by,
                               now=doing.now, why=doing.said())  # fmt: skip


def _sign_digest(doing: Doing) -> object:
    return acts.sign_digest(doing.store, doing.config, doing.plan, doing.said("week"), str(doing.store.head()),
                            by=doing.by, now=doing.now, agrees=_agrees(doing), why=doing.said())  # fmt: skip


def _recommend(doing: Doing) -> object:
    _acknowledged(doing)
    return saying.recommend(doing.store, doing.visit.the_plan, doing.said("outcome"), by=doing.by, why=doing.said(),
                            now=doing.now)  # fmt: skip


def _decide(doing: Doing) -> object:
    """The reasons are one for each criterion; the evidence of each must have been opened by whoever decides."""
    visit, outcome = doing.visit, doing.said("outcome")
    if outcome != "withdrawn":
        _acknowledged(doing)
        saying.must_have_opened(doing.store, visit.the_plan, doing.by)
    scored = visit.office.scored(visit.standing, visit.the_plan)
    reasons = [f"{criterion}: {said}" for criterion, said in doing.values["reasons"].items()]
    return acts.decide(doing.store, doing.config, doing.plan, outcome, by=doing.by, now=doing.now,
                       why="\n".join([doing.said(), *reasons]), until=doing.values["until"],
                       recommendation=scored.entry["recommendation"] if scored else None)  # fmt: skip


def _acknowledged(doing: Doing) -> None:
    if not doing.visit.standing.life(doing.plan).versions:
        raise Refused(
            f"plan {doing.plan} was never acknowledged, nor the privacy notice with it",
            mend="The person acknowledges it first; until then it may be withdrawn.",
        )


def _export(doing: Doing) -> object:
    return doing.store.export_person(doing.visit.the_person, doing.by, doing.now)


def _ask_erasure(doing: Doing) -> object:
    return saying.ask_erasure(doing.store, doing.visit.the_person, by=doing.by, why=doing.said(), now=doing.now)


def _approve_erasure(doing: Doing) -> object:
    return saying.approve_erasure(doing.store, doing.visit.the_person, by=doing.by, why=doing.said(), now=doing.now)


def _erase(doing: Doing) -> object:
    saying.erase(doing.store, doing.visit.the_person, by=doing.by, why=doing.said(), now=doing.now)
    return None


# --- when each is offered -----------------------------------------------------------------------------------------


def _any(choices: Callable[[Visit], Choices]) -> Callable[[Visit], bool]:
    return lambda visit: bool(choices(visit))


def _unsigned(visit: Visit) -> bool:
    return not visit.standing.life(visit.the_plan.id).versions and not visit.the_plan.draft


def _signed(visit: Visit) -> bool:
    life = visit.standing.life(visit.the_plan.id)
    return bool(life.versions) and life.decided is None


def _undecided(visit: Visit) -> bool:
    return visit.standing.life(visit.the_plan.id).decided is None


def _due(visit: Visit) -> bool:
    marks = support_marks(visit.the_plan, visit.standing.acts, visit.now, str)
    return any(mark.state != "done" for mark in marks)


def _meets(visit: Visit) -> bool:
    return bool(check_in_strip(visit.the_plan, visit.standing.acts, visit.now))


# --- the table ----------------------------------------------------------------------------------------------------

WHY = Field("why", "Why")
REMARK = Field("why", "Remark", required=False)
AGREES = Field("agrees", "Do you agree?", "choice", "Signing says that you have read it, nothing more.", False,
               lambda _visit: YES_NO)  # fmt: skip
CONTEST = Field("contest", "Contest", "choice", choices=_disputes)
OUTCOME = Field("outcome", "Outcome", "choice", choices=_outcomes)
AMENDMENT = Field("amendment", "Amendment", "choice", choices=_amendments)
WEEK = Field("week", "Week", "choice", choices=_weeks)

FORMS: tuple[Form, ...] = (
    Form("acknowledge", "plan.acknowledge", "Acknowledge the plan",
         "Your signature locks the text of the plan; later changes need both sides. You need not agree.",
         "Acknowledge", _acknowledge,
         (Field("notice", "I have read the privacy notice", "tick"), AGREES, REMARK),
         fresh=True, offered=_unsigned),
    Form("sign", "plan.sign", "Sign the plan", "Signs the plan's text as it is now, for the company.", "Sign",
         _sign_plan, (REMARK,), fresh=True, offered=_unsigned),
    Form("countersign", "plan.countersign", "Countersign the plan", "Signs the plan's text as it is now, for HR.",
         "Countersign", _sign_plan, (REMARK,), fresh=True, offered=_unsigned),
    Form("comment", "plan.comment", "Comment", "A remark that everybody on the plan reads.", "Comment", _comment,
         (Field("why", "Comment"),)),
    Form("contest", "point.contest", "Contest a data point",
         "The point stays counted until the contest is decided; both values are shown, and there is no final verdict "
         "meanwhile.", "Contest", _contest,
         (Field("criterion", "Criterion", "choice", choices=_criteria),
          Field("key", "Data point", "given", "Its key, as the evidence page shows it."), WHY)),
    Form("answer", "point.answer", "Answer a contest", "Your answer stands beside the contest; it stays open.",
         "Answer", _answer, (CONTEST, Field("why", "Answer")), offered=_any(_disputes)),
    Form("decide-contest", "point.decide", "Decide a contest",
         "Upheld: the point is left out from now on. Rejected: it counts.", "Decide", _decide_contest,
         (CONTEST, Field("outcome", "Outcome", "choice", choices=lambda _visit: UPHELD), WHY),
         fresh=True, offered=_any(_disputes)),
    Form("attest", "point.attest", "Attest", "For what no tool measures: what you have seen yourself.", "Attest",
         _attest, (Field("criterion", "Criterion", "choice", choices=_attested),
                   Field("value", "Value", "number"), WHY), offered=_any(_attested)),
    Form("support", "support.record", "Record support", "Says that something that was promised was delivered.",
         "Record", _support, (Field("support", "Support", "choice", choices=_promised), Field("on", "On", "day"),
                              Field("why", "What was done")), offered=_due),
    Form("confirm-support", "support.confirm", "Confirm or deny support",
         "Your word on whether a support that was recorded really came.", "Record", _confirm_support,
         (Field("support", "Support", "choice", choices=_delivered),
          Field("received", "Did it come?", "choice", choices=lambda _visit: YES_NO), WHY), offered=_any(_delivered)),
    Form("check-in", "check_in.record", "Record a check-in", "Held or missed, and what was said.", "Record", _check_in,
         (Field("day", "Day", "day"), Field("held", "Was it held?", "choice", choices=lambda _visit: YES_NO),
          Field("why", "Note")), offered=_meets),
    Form("confirm-check-in", "check_in.confirm", "Confirm or deny a check-in",
         "Your word on whether a check-in went as it was recorded.", "Record", _confirm_check_in,
         (Field("day", "Check-in", "choice", choices=_check_ins),
          Field("right", "Is the record right?", "choice", choices=lambda _visit: YES_NO), WHY),
         offered=_any(_check_ins)),
    Form("propose", "target.propose", "Propose an amendment",
         "Proposes the plan's file as it is now in place of the locked text. It takes effect when the person and HR "
         "have signed it; until then the locked text is scored.", "Propose", _propose, (WHY,), offered=_signed),
    Form("approve", "target.approve", "Approve an amendment", "Signs a proposed amendment for the company.",
         "Approve", _sign_amendment, (AMENDMENT, REMARK), fresh=True, offered=_any(_amendments)),
    Form("sign-amendment", "amendment.sign", "Sign an amendment",
         "Signs a proposed amendment for your side. Without your signature the locked text stays.", "Sign",
         _sign_amendment, (AMENDMENT, REMARK), fresh=True, offered=_any(_amendments)),
    Form("sign-digest", "digest.sign", "Sign a digest", "Says that you have read the digest of a week.", "Sign",
         _sign_digest, (WEEK, AGREES, REMARK), fresh=True, offered=_any(_weeks)),
    Form("countersign-digest", "digest.countersign", "Countersign a digest",
         "Says for HR that you have read the digest of a week.", "Countersign", _sign_digest, (WEEK, REMARK),
         fresh=True, offered=_any(_weeks)),
    Form("recommend", "outcome.propose", "Recommend an outcome", "What you propose to HR; HR decides.", "Recommend",
         _recommend, (OUTCOME, WHY), offered=_signed),
    Form("decide", "outcome.decide", "Decide the outcome",
         "You decide, not the engine; departing from its recommendation costs nothing and is counted. The evidence of "
         "every criterion must have been opened by you.", "Decide", _decide,
         (OUTCOME, Field("until", "New last day", "day", "Only for an extension.", False),
          Field("reasons", "Your reason", "reasons"), Field("why", "Altogether")), fresh=True, offered=_undecided),
    Form("export", "person.export", "Download what is held", "Everything held about the person, as JSON and CSV.",
         "Download", _export, of="person"),
    Form("ask-erasure", "erasure.ask", "Ask for erasure",
         "Asks that everything held about you be erased. HR approves it; a legal hold goes first.", "Ask",
         _ask_erasure, (WHY,), of="person"),
    Form("approve-erasure", "erasure.approve", "Approve an erasure", "Agrees to what the person asked for.", "Approve",
         _approve_erasure, (WHY,), fresh=True, of="person",
         offered=lambda visit: saying.erasure_of(visit.store, visit.the_person.id).asked),
    Form("erase", "erasure.carry_out", "Carry out an erasure",
         "Empties what is held about the person. The chain of the ledger stays, what it said does not.", "Erase",
         _erase, (WHY,), fresh=True, of="person",
         offered=lambda visit: saying.erasure_of(visit.store, visit.the_person.id).approved),
)  # fmt: skip

BY_NAME: Mapping[str, Form] = {form.name: form for form in FORMS}


def offered(visit: Visit, of: str) -> list[Form]:
    """What the actor can do here, now."""
    return [form for form in FORMS if form.of == of and visit.may(form.action) is True and form.offered(visit)]
