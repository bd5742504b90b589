"""SPEC 5 and 5.2 for reviews and merges, one change at a time, by reading its signals in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from pipmetrics.model import Person, Signal
from tests.oracle.clocks import hours
from tests.oracle.world import Facts, Row, last, second

ANSWERS = ("reviewed", "commented")
ORDER = {"answer": 0, "request": 1, "removal": 2, "close": 3}
Spans = list[tuple[datetime, datetime]]


class Change:
    """One change as it was known: its author, when it ended, and when it was a draft."""

    def __init__(self, facts: Facts, subject: str, signals: Sequence[Signal]) -> None:
        self.facts, self.subject, self.signals = facts, subject, signals
        self.source = subject.partition(":")[0]
        self.opened, self.merged = last(signals, "change_opened"), last(signals, "change_merged")
        first = self.opened or self.merged
        self.author, self.mark = (first.actor, first.mark) if first else (None, "")
        self.owner = facts.person(self.source, self.author)

    def ended(self) -> datetime | None:
        """The merge, or the close that no reopening undid."""
        closed: datetime | None = None
        for signal in self.signals:
            if signal.kind in ("change_merged", "change_closed") and closed is None:
                closed = signal.at
            elif signal.kind == "change_reopened":
                closed = None
        return closed

    def ready(self, start: datetime, end: datetime) -> Spans:
        """The parts of [start, end) in which it was no draft."""
        draft = bool(self.opened and self.opened.detail["draft"])
        parts, since = [], start
        for signal in self.signals:
            if signal.kind in ("change_ready", "change_drafted"):
                if not draft:
                    parts.append((since, signal.at))
                draft, since = signal.kind == "change_drafted", signal.at
        parts += [] if draft else [(since, end)]
        cut = [(max(low, start), min(high, end)) for low, high in parts]
        return [(low, high) for low, high in cut if low < high]

    def undrafted(self, person: Person, start: datetime, end: datetime, clock: str) -> tuple[datetime, float]:
        """The first instant at which it was no draft, and the clock's hours of all of them."""
        spans = self.ready(start, end)
        value = sum(hours(person.calendar, clock, low, high) for low, high in spans)  # type: ignore[arg-type]
        return (spans[0][0] if spans else start), value

    def left_out(self, actor_mark: str, who: str) -> str:
        """Why an act of this person on it does not count whatever the act was."""
        include = self.facts.asked.include
        if actor_mark:
            return actor_mark
        if self.owner == who and "own" not in include:
            return "own"
        if self.mark == "bot" and "bot" not in include:
            return "bot"
        return ""

    def lines(self) -> float:
        """Lines of the merge that no `generated` pattern hits."""
        assert self.merged is not None
        patterns = self.facts.world.sources[self.source].generated
        made = [f for f in self.merged.detail["files"] if any(fnmatchcase(f[0], p) for p in patterns)]
        return float((self.merged.value or 0.0) - sum(added + deleted for _, added, deleted in made))


def changes(facts: Facts) -> Iterator[Change]:
    for subject, signals in facts.subjects("change_opened", "change_merged"):
        yield Change(facts, subject, signals)


def review_turnaround(facts: Facts) -> Iterator[Row]:
    for change in changes(facts):
        for person in facts.world.people:
            yield from _requests(change, person)


def _requests(change: Change, person: Person) -> Iterator[Row]:
    facts, end = change.facts, change.ended()
    events: list[tuple[datetime, int, datetime, str]] = []
    marks = {"": ""}
    for signal in change.signals:
        if facts.person(change.source, signal.actor) == person.id:
            kind = {"review_requested": "request", "review_request_removed": "removal"}.get(signal.kind)
            kind = "answer" if signal.kind in ANSWERS else kind
            if kind:
                events.append((second(signal.at), ORDER[kind], signal.at, kind))
                marks[person.id] = signal.mark
    if end is not None:
        events.append((second(end), ORDER["close"], end, "close"))
    asked: datetime | None = None
    for _, _, at, kind in sorted(events):
        if kind == "request":
            asked = at if asked is None else asked
        elif asked is not None:
            yield _request(change, person, asked, at, "" if kind == "answer" else "withdrawn", marks.get(person.id, ""))
            asked = None
        if kind == "close":
            return
    if asked is not None:
        yield _request(change, person, asked, None, "unanswered", marks.get(person.id, ""))


def _request(change: Change, person: Person, asked: datetime, end: datetime | None, reason: str, mark: str) -> Row:
    request = change.facts.asked
    until = end if end is not None else request.as_of
    start, value = change.undrafted(person, asked, max(asked, until), request.clock or "workdays")
    reason = change.left_out(mark, person.id) or reason
    return Row(person.id, change.source, change.subject, start, end, value, reason)


def _reviews(facts: Facts) -> Iterator[tuple[Change, Signal, str]]:
    for change in changes(facts):
        for signal in change.signals:
            who = facts.person(change.source, signal.actor)
            if signal.kind == "reviewed" and who is not None:
                yield change, signal, who


def reviews_given(facts: Facts) -> Iterator[Row]:
    seen = set()
    for change, signal, who in _reviews(facts):
        day = signal.at.astimezone(ZoneInfo(facts.people[who].calendar.timezone)).date()
        if (change.subject, who, day) not in seen:
            seen.add((change.subject, who, day))
            reason = change.left_out(signal.mark, who)
            yield Row(who, change.source, change.subject, signal.at, signal.at, 1.0, reason)


def review_depth(facts: Facts) -> Iterator[Row]:
    for change, signal, who in _reviews(facts):
        asked = "changes_requested" in (signal.detail["state"], signal.detail["previous"])
        value = float(signal.detail["comments"]) + asked
        reason = change.left_out(signal.mark, who)
        yield Row(who, change.source, change.subject, signal.at, signal.at, value, reason)


def feedback_response(facts: Facts) -> Iterator[Row]:
    for change in changes(facts):
        if change.owner is None:
            continue
        end = change.ended()
        for review in change.signals:
            asked = review.kind == "reviewed" and "changes_requested" in (
                review.detail["state"], review.detail["previous"],
            )  # fmt: skip
            if asked and (end is None or second(review.at) <= second(end)):
                yield _feedback(change, review, end)


def _feedback(change: Change, review: Signal, end: datetime | None) -> Row:
    facts, owner = change.facts, change.facts.people[change.owner or ""]
    reviewer = facts.who(change.source, review.actor)
    answers = [s.at for s in change.signals if second(s.at) > second(review.at) and _responds(change, s, reviewer)]
    answers = [at for at in answers if end is None or second(at) <= second(end)]
    until, reason = (answers[0], "") if answers else (end, "unanswered" if end is None else "withdrawn")
    value = hours(owner.calendar, facts.asked.clock or "workdays", review.at, until or facts.asked.as_of)
    if change.mark:
        reason = change.mark
    elif reviewer is not None and reviewer == owner.id and "own" not in facts.asked.include:
        reason = "own"
    elif review.mark == "bot" and "bot" not in facts.asked.include:
        reason = "bot"
    return Row(owner.id, change.source, change.subject, review.at, until, value, reason)


def _responds(change: Change, signal: Signal, reviewer: str | None) -> bool:
    facts = change.facts
    if signal.kind in ("commits_pushed", "commented", "reviewed"):
        return facts.person(change.source, signal.actor) == change.owner
    return (
        signal.kind == "review_requested"
        and reviewer is not None
        and facts.who(change.source, signal.actor) == reviewer
        and facts.person(change.source, signal.detail["requester"]) == change.owner
    )


def _merges(facts: Facts) -> Iterator[tuple[Change, Signal, Person]]:
    """Merges of people's changes into the default branch."""
    for change in changes(facts):
        if change.merged is not None and change.owner is not None and change.merged.detail["default_branch"]:
            yield change, change.merged, facts.people[change.owner]


def time_to_merge(facts: Facts) -> Iterator[Row]:
    for change, merged, person in _merges(facts):
        opened = change.opened.at if change.opened else merged.at
        start, value = change.undrafted(person, opened, merged.at, facts.asked.clock or "elapsed")
        yield Row(person.id, change.source, change.subject, start, merged.at, value, change.mark)


def _counted_merges(facts: Facts, value: Callable[[Change], float]) -> Iterator[Row]:
    for change, merged, person in _merges(facts):
        yield Row(person.id, change.source, change.subject, merged.at, merged.at, value(change), change.mark)


def changes_merged(facts: Facts) -> Iterator[Row]:
    return _counted_merges(facts, lambda change: 1.0)


def change_size(facts: Facts) -> Iterator[Row]:
    return _counted_merges(facts, Change.lines)


def unreviewed_merges(facts: Facts) -> Iterator[Row]:
    return _counted_merges(facts, lambda change: float(not _is_reviewed(change)))


def _is_reviewed(change: Change) -> bool:
    merged, author = change.merged, change.facts.who(change.source, change.author)
    return any(
        signal.kind == "reviewed"
        and signal.mark != "bot"
        and (change.facts.who(change.source, signal.actor) or "ghost") != author
        and merged is not None
        and second(signal.at) <= second(merged.at)
        for signal in change.signals
    )


def ci_first_pass(facts: Facts) -> Iterator[Row]:
    for change in changes(facts):
        runs: dict[str, list[Signal]] = {}
        for signal in change.signals:
            if signal.kind == "checks_completed" and signal.detail["conclusion"] in ("success", "failure"):
                runs.setdefault(signal.detail["sha"], []).append(signal)
        if runs and change.owner is not None:
            first = min(runs.values(), key=lambda run: max(part.at for part in run))
            at = max(part.at for part in first)
            passed = all(part.detail["conclusion"] == "success" for part in first)
            yield Row(change.owner, change.source, change.subject, at, at, float(passed), change.mark)


def _deployments(facts: Facts) -> Iterator[tuple[Change, Signal, str]]:
    for change in changes(facts):
        deployed = [signal for signal in change.signals if signal.kind == "change_deployed"]
        if deployed and change.owner is not None and change.merged and change.merged.detail["default_branch"]:
            yield change, deployed[0], change.owner


def changes_deployed(facts: Facts) -> Iterator[Row]:
    for change, deployed, owner in _deployments(facts):
        yield Row(owner, change.source, change.subject, deployed.at, deployed.at, 1.0, change.mark)


def lead_time(facts: Facts) -> Iterator[Row]:
    for change, deployed, owner in _deployments(facts):
        commits = [
            datetime.fromisoformat(signal.detail["authored"])
            for signal in change.signals
            if signal.kind == "commits_pushed"
        ]
        if commits:
            start, calendar = min(commits), facts.people[owner].calendar
            value = hours(calendar, facts.asked.clock or "elapsed", start, deployed.at)
            yield Row(owner, change.source, change.subject, start, deployed.at, value, change.mark)


def follow_up_over(facts: Facts, at: datetime, span: timedelta) -> bool:
    return at + span <= facts.asked.as_of
