"""An issue as signals. Pure: the same payload gives the same signals, whichever API it came through."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from pipmetrics.model import Account, Signal, Source
from pipmetrics_gitlab import notes as grammar
from pipmetrics_gitlab import texts
from pipmetrics_gitlab.accounts import Actor, Directory
from pipmetrics_gitlab.values import Issue, Link, Note, Project, Transition
from pipmetrics_gitlab.writing import SAME, Pen, chronological, history, moment

PHRASES = {"relates_to": "relates to", "blocks": "blocks", "is_blocked_by": "is blocked by"}
"""The types of links of GitLab, as its pages say them."""


def signals(issue: Issue, project: Project, source: Source, root: str) -> list[Signal]:
    """All signals of an issue; `root` is the URL of the instance, which full links begin with."""
    url = issue.url or f"{project.url}/-/issues/{issue.iid}"
    pen = Pen(source.name, project, "#", issue.iid, issue.id, url, directory(issue))
    place = texts.Place(source.name, project.path, root)
    notes = chronological(issue.notes)
    return [
        _opened(issue, pen, place, notes),
        *_assignments(issue, pen, notes),
        *_due_dates(issue, pen, notes),
        *_states(issue, pen, notes),
        *(_linked(link, issue, pen, source) for link in issue.links),
    ]


def directory(issue: Issue) -> Directory:
    """Everybody whom the payload of an issue names."""
    writers = (note.author for note in issue.notes)
    by = (one.by for one in (*issue.transitions, *filter(None, [issue.closed])))
    return Directory([issue.author, *issue.assignees, *issue.others, *writers, *by])


def accounts(issue: Issue, source: str) -> list[Account]:
    return directory(issue).accounts(source)


def is_bug(issue: Issue, source: Source) -> bool:
    """Whether the issue may be a bug of this source: a filter is not read here, so with one every issue may."""
    rule = source.bugs
    types = {kind.lower() for kind in rule.types}
    labels = {label.lower() for label in rule.labels}
    return bool(
        rule.filter or (issue.type or "").lower() in types or labels & {label.lower() for label in issue.labels}
    )


def tells_of_links(issue: Issue) -> bool:
    return any(note.system and grammar.relation(note.body) for note in issue.notes)


def _opened(issue: Issue, pen: Pen, place: texts.Place, notes: list[Note]) -> Signal:
    said = [issue.description, *(note.body for note in notes if not note.system)]
    return pen(
        "issue_opened",
        issue.id,
        issue.created,
        pen.people.user(issue.author),
        {
            "title": issue.title,
            "type": issue.type,
            "labels": list(issue.labels),
            "priority": None,
            "project": pen.project.path,
            "causes": texts.causes(said, place),
            "sprints": [],
        },
    )


# --- assignees ----------------------------------------------------------------------------------------------------


def _assignments(issue: Issue, pen: Pen, notes: list[Note]) -> Iterator[Signal]:
    told = [(note, found) for note in notes if note.system and (found := grammar.assignment(note.body))]
    named = {pen.people.named(login) for _, found in told for login in (*found.added, *found.removed)}
    yield from _assigned_at_first(issue, pen, named)
    held: list[Actor] = []
    for note, found in told:
        added = [pen.people.named(login) for login in found.added]
        removed = list(held) if found.nobody else [pen.people.named(login) for login in found.removed]
        for number, (one, other) in enumerate(zip_longest(added, removed)):
            yield _assigned(pen, f"note:{note.id}:{number}", note, one, other)
        held = [one for one in held if one not in removed] + added


def _assigned(pen: Pen, key: str, note: Note, to: Actor | None, before: Actor | None) -> Signal:
    """One person in place of another; nobody in their place is an actor of None that is no ghost."""
    by, former = pen.people.user(note.author).id, before.id if before else None
    actor = to if to is not None else Actor(None)
    return pen("issue_assigned", key, note.at, actor, {"by": by, "from": former}, url=pen.beside(note))


def _assigned_at_first(issue: Issue, pen: Pen, named: set[Actor]) -> Iterator[Signal]:
    """Assignees whom no note names came with the issue, unless they are an unknown name's later one."""
    if any((one.id or "").startswith("@") for one in named):
        return
    by = pen.people.user(issue.author).id
    for user in issue.assignees:
        actor = pen.people.user(user)
        if actor not in named:
            key = f"{issue.id}:{user.id or user.login}"
            yield pen("issue_assigned", key, issue.created, actor, {"by": by, "from": None})


# --- due dates ----------------------------------------------------------------------------------------------------


def _due_dates(issue: Issue, pen: Pen, notes: list[Note]) -> Iterator[Signal]:
    held: str | None = None
    told = [(note, day) for note in notes if note.system for about, day in [grammar.due(note.body)] if about]
    if issue.due and not told:
        author = pen.people.user(issue.author)
        yield pen("issue_due_changed", issue.id, issue.created, author, {"from": None, "to": issue.due})
    for note, day in told:
        actor = pen.people.user(note.author)
        key = f"note:{note.id}"
        yield pen("issue_due_changed", key, note.at, actor, {"from": held, "to": day}, url=pen.beside(note))
        held = day


# --- states -------------------------------------------------------------------------------------------------------


def _states(issue: Issue, pen: Pen, notes: list[Note]) -> Iterator[Signal]:
    told = history(issue.transitions, notes, issue.closed)
    for number, one in enumerate(told):
        key, actor = f"{issue.id}:{moment(one.at)}", pen.people.user(one.by)
        if one.kind == "reopened":
            yield pen("issue_reopened", key, one.at, actor)
        else:
            until = next((later for later in told[number + 1 :] if later.kind == "reopened"), None)
            resolutions = _resolutions(issue, notes, one, until, _begun(told[:number], issue))
            yield pen("issue_done", key, one.at, actor, {"resolutions": resolutions})


def _begun(before: list[Transition], issue: Issue) -> Transition:
    """Since when the issue was open that is closed now."""
    reopened = (one for one in reversed(before) if one.kind == "reopened")
    return next(reopened, Transition("reopened", issue.created, issue.author))


def _resolutions(
    issue: Issue, notes: list[Note], closing: Transition, until: Transition | None, begun: Transition
) -> list[list[str]]:
    """[instant, code, name] in force from this closing to the next reopening.

    Marking as a duplicate closes, so the mark may stand a moment before or after the closing, or be made later.
    """
    at_close, later = ("fixed", "Closed"), []
    for note in notes:
        code = _code(note) if note.system else None
        if code is None or note.at < begun.at or (until is not None and note.at >= until.at):
            continue
        if note.at <= closing.at + SAME:
            at_close = code
        else:
            later.append([note.at.isoformat(), *code])
    if until is None and not later and at_close[0] == "fixed":
        at_close = _told_by_the_issue(issue) or at_close
    return [[closing.at.isoformat(), *at_close], *later]


def _code(note: Note) -> tuple[str, str] | None:
    if grammar.duplicate(note.body):
        return "duplicate", "Duplicate"
    return ("other", "Moved") if grammar.moved(note.body) else None


def _told_by_the_issue(issue: Issue) -> tuple[str, str] | None:
    if issue.duplicate:
        return "duplicate", "Duplicate"
    return ("other", "Moved") if issue.moved else None


# --- links --------------------------------------------------------------------------------------------------------


def _linked(link: Link, issue: Issue, pen: Pen, source: Source) -> Signal:
    return pen(
        "issue_linked",
        f"{issue.id}:{link.id}",
        link.at or issue.created,
        Actor(None),
        {
            "type": phrase(link.kind, source),
            "to": f"{source.name}:{link.project}#{link.iid}",
            "undated": link.at is None,
        },
    )


def phrase(kind: str, source: Source) -> str:
    """The type of a link in the words that the source's `caused_by` uses, else in those of GitLab's pages."""
    words = kind.replace("_", " ").lower()
    wanted = (said for said in source.caused_by if said.replace("_", " ").strip().lower() == words)
    return next(wanted, PHRASES.get(kind, words))
