"""SPEC 5.1 and 5.2 for bugs, issues and sprints, one issue at a time, by reading its signals in order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from pipmetrics.model import Person, Signal
from tests.oracle.changes import Change, changes
from tests.oracle.clocks import hours, midnight
from tests.oracle.world import Facts, Row, in_force, last, second

OUT = ("duplicate", "invalid", "cannot_reproduce", "wont_do")


def issues(facts: Facts) -> Iterator[tuple[str, list[Signal]]]:
    return facts.subjects("issue_opened")


def is_bug(facts: Facts, signals: Sequence[Signal]) -> bool:
    """By the source's rule: any of its types or any of its labels."""
    opened = last(signals, "issue_opened")
    assert opened is not None
    rule = facts.world.sources[opened.source].bugs
    return opened.detail["type"] in rule.types or bool(set(opened.detail["labels"]) & rule.labels)


def resolution(facts: Facts, signals: Sequence[Signal]) -> str:
    """The code of the resolution in force at `as_of`, "" for none."""
    done = in_force(signals)
    codes = [
        code
        for at, code, _ in (done.detail["resolutions"] if done else ())
        if datetime.fromisoformat(at) < facts.asked.as_of
    ]
    return codes[-1] if codes else ""


# --- what a bug is linked to --------------------------------------------------------------------------------------


class Links:
    """From what texts and links name to the changes that are meant."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.changes = {change.subject: change for change in changes(facts)}
        self.moved = {
            (subject.partition(":")[0], key): subject
            for subject, signals in issues(facts)
            for key in last(signals, "issue_opened").detail.get("former_keys", ())  # type: ignore[union-attr]
        }

    def linked(self, bug: str, signals: Sequence[Signal]) -> dict[str, Change]:
        """All changes that the `link` rung names for this bug."""
        source = self.facts.world.sources[bug.partition(":")[0]]
        phrases = {phrase.casefold() for phrase in source.caused_by}
        found: dict[str, Change] = {}
        for signal in signals:
            if signal.kind == "issue_linked" and signal.detail["type"].casefold() in phrases:
                found |= self.named(signal.detail["to"], bug)
            if signal.kind == "issue_opened":
                for cause in signal.detail["causes"]:
                    found |= self.named(cause["to"], bug)
        for change in self.closing(bug):
            for cause in change.merged.detail["causes"]:  # type: ignore[union-attr]
                found |= self.named(cause["to"], change.subject)
        return found

    def closing(self, issue: str) -> list[Change]:
        """Merged changes that the service says close this issue; of a Jira issue, which no service can say it of, all
        that reference it."""
        said = "issues" if self.facts.world.sources[issue.partition(":")[0]].connector == "jira" else "closes"
        return [
            change
            for change in self.changes.values()
            if change.merged and any(self.same(ref, issue) for ref in change.merged.detail[said])
        ]

    def named(self, to: str, where: str) -> dict[str, Change]:
        """The change that is named, or that has this commit in the repository of `where`, or the changes that
        reference the named issue."""
        if to in self.changes:
            return {to: self.changes[to]}
        by_url = {s: c for s, c in self.changes.items() if c.opened is not None and c.opened.url == to}
        if by_url:
            return by_url
        if len(to) >= 7 and set(to) <= set("0123456789abcdef"):
            return {s: c for s, c in self.changes.items() if _repository(s) == _repository(where) and self._has(c, to)}
        source = self.facts.world.sources.get(to.partition(":")[0])
        if source is not None and source.connector == "github" and to not in self.facts.by_subject:
            return {}  # a number of which the service has shown neither a change nor an issue
        return {s: c for s, c in self.changes.items() if any(self.same(ref, to) for ref in self.references(c))}

    def references(self, change: Change) -> set[str]:
        parts = [signal.detail for signal in (change.opened, change.merged) if signal is not None]
        return {ref for detail in parts for ref in (*detail["issues"], *detail["closes"])}

    def same(self, one: str, other: str) -> bool:
        """Two ways to write one issue: bare Jira keys, full subjects, keys from before it moved."""
        return self._canonical(one) == self._canonical(other)

    def _canonical(self, ref: str) -> str:
        for (source, old), subject in self.moved.items():
            if ref in (old, f"{source}:{old}"):
                ref = subject
        source, colon, key = ref.partition(":")
        known = self.facts.world.sources.get(source) if colon else None
        return key if known is not None and known.connector == "jira" else ref

    @staticmethod
    def _has(change: Change, sha: str) -> bool:
        commits = [s.detail["sha"] for s in change.signals if s.kind in ("commits_pushed", "change_merged")]
        return any(commit and commit.startswith(sha) for commit in commits)


def _repository(subject: str) -> str:
    return subject.partition("#")[0].partition("!")[0]


def deployed_at(change: Change) -> datetime | None:
    found = [signal.at for signal in change.signals if signal.kind == "change_deployed"]
    return min(found) if found else None


# --- bugs ---------------------------------------------------------------------------------------------------------


def post_deploy_bugs(facts: Facts) -> Iterator[Row]:
    links = Links(facts)
    if "link" in facts.asked.attribution:
        for bug, signals in issues(facts):
            if is_bug(facts, signals):
                yield from _bug(facts, bug, signals, links.linked(bug, signals))
    if "revert" in facts.asked.attribution:
        yield from _reverts(facts, links)


def _bug(facts: Facts, bug: str, signals: Sequence[Signal], linked: dict[str, Change]) -> Iterator[Row]:
    created = last(signals, "issue_opened").at  # type: ignore[union-attr]
    culprits = [change for change in linked.values() if (at := deployed_at(change)) is not None and at < created]
    code = resolution(facts, signals)
    reason = "before_deployment" if not culprits else code if code in OUT else ""
    blamed = culprits or list(linked.values())
    # SPEC does not say whom deleted accounts were: all of one source are counted as one author.
    humans = {
        facts.who(change.source, change.author) or f"{change.source}/ghost" for change in blamed if change.mark != "bot"
    }
    for owner in sorted({change.owner for change in blamed if change.owner is not None}):
        mark = next(change.mark for change in blamed if change.owner == owner)
        yield Row(owner, bug.partition(":")[0], bug, created, created, 1 / max(1, len(humans)), mark or reason)


def _reverts(facts: Facts, links: Links) -> Iterator[Row]:
    told = [
        (change, bug, signals)
        for bug, signals in issues(facts)
        if is_bug(facts, signals) and "link" in facts.asked.attribution
        for change in links.linked(bug, signals)
    ]
    for change in links.changes.values():
        at = deployed_at(change)
        for signal in change.signals:
            if signal.kind != "change_reverted" or change.owner is None:
                continue
            by, reason = signal.detail["by"], "" if at is not None and at < signal.at else "before_deployment"
            if not any(linked == change.subject and _closes(links, by, bug) for linked, bug, _ in told):
                yield Row(change.owner, change.source, by, signal.at, signal.at, 1.0, change.mark or reason)


def _closes(links: Links, change: str, bug: str) -> bool:
    return any(closing.subject == change for closing in links.closing(bug))


def change_failure(facts: Facts) -> Iterator[Row]:
    links, failures = Links(facts), {}
    for bug, signals in issues(facts):
        if is_bug(facts, signals) and "link" in facts.asked.attribution and resolution(facts, signals) not in OUT:
            created = last(signals, "issue_opened").at  # type: ignore[union-attr]
            for subject in links.linked(bug, signals):
                failures.setdefault(subject, []).append(created)
    for change in links.changes.values():
        at = deployed_at(change)
        if at is None or change.owner is None or not change.merged or not change.merged.detail["default_branch"]:
            continue
        reverted = [signal.at for signal in change.signals if signal.kind == "change_reverted"]
        failed = any(at < t <= at + facts.asked.follow_up for t in [*reverted, *failures.get(change.subject, [])])
        reason = "" if at + facts.asked.follow_up < facts.asked.as_of else "follow_up"
        end = None if reason else at + facts.asked.follow_up
        yield Row(change.owner, change.source, change.subject, at, end, float(failed), change.mark or reason)


def bug_reopened(facts: Facts) -> Iterator[Row]:
    for bug, signals in issues(facts):
        for signal in signals if is_bug(facts, signals) else ():
            person = facts.person(signal.source, signal.actor)
            if signal.kind == "issue_done" and person is not None:
                until = signal.at + facts.asked.follow_up
                again = any(s.kind == "issue_reopened" and signal.at <= s.at < until for s in signals)
                reason = "" if until <= facts.asked.as_of else "follow_up"
                end, code = None if reason else until, resolution(facts, signals)
                reason = signal.mark or (code if code in OUT else reason)
                yield Row(person, signal.source, bug, signal.at, end, float(again), reason)


def bug_fix_time(facts: Facts) -> Iterator[Row]:
    for bug, signals in issues(facts):
        for person in facts.world.people if is_bug(facts, signals) else ():
            done = in_force(signals)
            for since, until, mark in _assigned(facts, signals, person):
                if done is None or second(since) < second(done.at):
                    yield _fix(facts, bug, person, since, until, done, mark)


def _fix(
    facts: Facts, bug: str, person: Person, since: datetime, until: datetime | None, done: Signal | None, mark: str
) -> Row:
    if done is not None and (until is None or second(until) >= second(done.at)):
        end, reason = done.at, ""
    else:
        end, reason = until, "unresolved" if until is None else "withdrawn"
    value = hours(person.calendar, facts.asked.clock or "elapsed", since, end or facts.asked.as_of)
    code = resolution(facts, facts.by_subject[bug])
    return Row(person.id, bug.partition(":")[0], bug, since, end, value, mark or (code if code in OUT else reason))


def _assigned(
    facts: Facts, signals: Sequence[Signal], person: Person
) -> Iterator[tuple[datetime, datetime | None, str]]:
    """The spans in which somebody is an assignee: given, and taken away again or not."""
    since: datetime | None = None
    mark = ""
    for signal in signals:
        if signal.kind != "issue_assigned":
            continue
        if facts.person(signal.source, signal.actor) == person.id:
            since, mark = (signal.at if since is None else since), signal.mark
        elif facts.person(signal.source, signal.detail["from"]) == person.id and since is not None:
            yield since, signal.at, mark
            since = None
    if since is not None:
        yield since, None, mark


def _assignee(
    facts: Facts, signals: Sequence[Signal], person: Person, at: datetime, *, closing: bool = False
) -> str | None:
    """The mark of the person's account when they were an assignee at an instant, None when they were not. `closing`:
    whom the closing itself took it from, giving it to nobody, had it."""
    cleared = {s.at for s in signals if closing and s.kind == "issue_assigned" and s.actor is None}
    for since, until, mark in _assigned(facts, signals, person):
        if since <= at and (until is None or at < until or (at == until and at in cleared)):
            return mark
    return None


# --- issues -------------------------------------------------------------------------------------------------------


def issue_cycle_time(facts: Facts) -> Iterator[Row]:
    for issue, signals in issues(facts):
        moves, done = [signal for signal in signals if signal.kind == "issue_status_changed"], in_force(signals)
        if not moves or done is None:
            continue
        entries = [move.at for move in moves if move.detail["to_category"] == "in_progress"]
        if moves[0].detail["from_category"] == "in_progress":
            entries.insert(0, last(signals, "issue_opened").at)  # type: ignore[union-attr]
        for person in facts.world.people:
            mark = _assignee(facts, signals, person, done.at, closing=True)
            if mark is None:
                continue
            source, start = issue.partition(":")[0], entries[0] if entries else done.at
            value = hours(person.calendar, facts.asked.clock or "elapsed", start, done.at) if entries else math.nan
            reason = mark or ("" if entries else "never_in_progress")
            yield Row(person.id, source, issue, start, done.at, value, reason)


def delivered_on_time(facts: Facts) -> Iterator[Row]:
    for issue, signals in issues(facts):
        for person in facts.world.people:
            found = _commitment(facts, signals, person)
            if found is None:
                continue
            due, agreed = found
            mark = _assignee(facts, signals, person, agreed)
            if mark is not None:
                done = any(s.kind == "issue_done" for s in _state(signals, due))
                reason = "" if due <= facts.asked.as_of or done else "not_due"
                yield Row(person.id, issue.partition(":")[0], issue, due, due, float(done), mark or reason)


def _commitment(facts: Facts, signals: Sequence[Signal], person: Person) -> tuple[datetime, datetime] | None:
    """The end of the due day that counts, and the instant five calendar days before it."""
    zone = person.calendar.timezone
    dates = [signal for signal in signals if signal.kind == "issue_due_changed"]
    for place, signal in enumerate(dates):
        if signal.detail["to"] is None:
            continue
        day = date.fromisoformat(signal.detail["to"])
        due, agreed = midnight(day + timedelta(days=1), zone), midnight(day - timedelta(days=4), zone)
        moved = dates[place + 1].at if place + 1 < len(dates) else None
        if signal.at < agreed and (moved is None or moved >= agreed) and agreed <= facts.asked.as_of:
            return due, agreed
    return None


def _state(signals: Sequence[Signal], at: datetime, *, at_it: bool = False) -> list[Signal]:
    """The last closing or reopening before an instant (or at it), if any."""
    turns = [s for s in signals if s.kind in ("issue_done", "issue_reopened")]
    return [s for s in turns if s.at < at or (at_it and s.at == at)][-1:]


def sprint_commitment(facts: Facts) -> Iterator[Row]:
    for issue, signals in issues(facts):
        opened = last(signals, "issue_opened")
        assert opened is not None
        for sprint in opened.detail["sprints"]:
            started, completed = _instant(sprint["started"]), _instant(sprint["completed"])
            if started is None or started >= facts.asked.as_of or not _is_in(sprint["in"], started):
                continue
            if any(s.kind == "issue_done" for s in _state(signals, started, at_it=True)):
                continue
            over = completed is not None and completed < facts.asked.as_of
            until = completed if over and completed is not None else facts.asked.as_of
            done = any(s.kind == "issue_done" for s in _state(signals, until, at_it=True))
            for person in facts.world.people:
                mark = _assignee(facts, signals, person, started)
                if mark is not None:
                    source, end, reason = (
                        issue.partition(":")[0],
                        completed if over else None,
                        "" if over else "running",
                    )
                    yield Row(person.id, source, issue, started, end, float(done), mark or reason)


def _is_in(spans: Sequence[Sequence[str | None]], at: datetime) -> bool:
    return any(_instant(a) <= at and (b is None or at < _instant(b)) for a, b in spans)  # type: ignore[operator]


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
