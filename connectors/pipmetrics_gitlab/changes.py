"""A merge request as signals. Pure: the same payload gives the same signals, whichever API it came through."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pipmetrics.model import Account, Json, Signal
from pipmetrics_gitlab import notes as grammar
from pipmetrics_gitlab import texts
from pipmetrics_gitlab.accounts import Actor, Directory
from pipmetrics_gitlab.reviews import openers, reviews
from pipmetrics_gitlab.values import Change, Note, Pipeline, Project, User
from pipmetrics_gitlab.writing import Pen, chronological, history, moment

CONCLUSIONS = {"success": "success", "failed": "failure", "canceled": "cancelled", "skipped": "skipped"}
"""GitLab's final statuses of a pipeline; in all others it still runs or waits for somebody."""
_WORST_FIRST = ("failed", "success", "canceled", "skipped")


def signals(change: Change, project: Project, source: str, root: str) -> list[Signal]:
    """All signals of a merge request; `root` is the URL of the instance, which full links begin with."""
    people = directory(change)
    url = change.url or f"{project.url}/-/merge_requests/{change.iid}"
    pen = Pen(source, project, "!", change.iid, change.id, url, people)
    place = texts.Place(source, project.path, root)
    notes = chronological(change.notes)
    return [
        _opened(change, pen, place, notes),
        *_drafts(change, pen, notes),
        *_review_requests(change, pen, notes),
        *reviews(notes, pen),
        *_comments(notes, pen),
        *_commits(change, pen),
        *_checks(change, pen),
        *_states(change, pen, notes),
        *_merged(change, pen, place, notes),
    ]


def directory(change: Change) -> Directory:
    """Everybody whom the payload of a merge request names."""
    writers = (note.author for note in change.notes)
    committers = (commit.author for commit in change.commits)
    by = (one.by for one in change.transitions)
    return Directory([change.author, change.merged_by, *change.reviewers, *change.others, *writers, *committers, *by])


def accounts(change: Change, source: str) -> list[Account]:
    return directory(change).accounts(source)


def _references(change: Change, place: texts.Place) -> dict[str, Json]:
    subjects = [commit.message.partition("\n")[0] for commit in change.commits]
    bodies = [change.description, *(commit.message for commit in change.commits)]
    return {
        "issues": texts.mentioned([change.source_branch, change.title, change.description, *subjects], place),
        "closes": texts.closed(bodies, place),
    }


def _base(change: Change, pen: Pen) -> dict[str, Json]:
    return {
        "base": change.target_branch,
        "default_branch": change.target_branch == pen.project.default_branch,
        "labels": list(change.labels),
    }


def _opened(change: Change, pen: Pen, place: texts.Place, notes: list[Note]) -> Signal:
    return pen(
        "change_opened",
        change.id,
        change.created,
        pen.people.user(change.author),
        {
            "title": change.title,
            "draft": _flips(change, notes)[0],
            "branch": change.source_branch,
            "author_login": change.author.login if change.author else None,
            **_base(change, pen),
            **_references(change, place),
        },
    )


# --- drafts -------------------------------------------------------------------------------------------------------


def _flips(change: Change, notes: list[Note]) -> tuple[bool, list[tuple[Note, bool]]]:
    """(opened as a draft, the notes that turned it into a draft (True) or made it ready (False)).

    A changed title and the note about the draft tell the same turn, so a turn into the state it is in says nothing.
    """
    told = [(note, turn) for note in notes if note.system and (turn := grammar.draft(note.body)) is not None]
    if not told:
        return change.draft, []
    first, turn = told[0]
    state = at_first = turn if first.at <= change.created + timedelta(seconds=1) and turn else not turn
    flips = []
    for note, turn in told:
        if turn != state:
            flips.append((note, turn))
        state = turn
    return at_first, flips


def _drafts(change: Change, pen: Pen, notes: list[Note]) -> Iterator[Signal]:
    opened_as_draft, flips = _flips(change, notes)
    if not opened_as_draft:
        yield pen("change_ready", change.id, change.created, pen.people.user(change.author))
    for note, into_draft in flips:
        kind = "change_drafted" if into_draft else "change_ready"
        yield pen(kind, f"note:{note.id}", note.at, pen.people.user(note.author), url=pen.beside(note))


# --- review requests ----------------------------------------------------------------------------------------------


def _review_requests(change: Change, pen: Pen, notes: list[Note]) -> Iterator[Signal]:
    named: set[Actor] = set()
    open_names: set[str] = set()
    for note in notes:
        requested, removed = grammar.review_requests(note.body) if note.system else ([], [])
        by = pen.people.user(note.author).id
        for kind, logins in (("review_requested", requested), ("review_request_removed", removed)):
            for login in logins:
                actor = pen.people.named(login)
                named.add(actor)
                key, detail = f"note:{note.id}:{login.lower()}", {"requester": by, "team": None}
                yield pen(kind, key, note.at, actor, detail, url=pen.beside(note))
        unknown = {login.lower() for login in requested if (pen.people.named(login).id or "").startswith("@")}
        open_names = (open_names | unknown) - {login.lower() for login in removed}
    yield from _requested_at_first(change, pen, named, renamed=bool(open_names))


def _requested_at_first(change: Change, pen: Pen, named: set[Actor], *, renamed: bool) -> Iterator[Signal]:
    """Reviewers whom no note names were asked when the merge request was opened.

    Not when a name that nobody has now is still requested: then it is that person under a later name.
    """
    for reviewer in () if renamed else change.reviewers:
        actor = pen.people.user(reviewer)
        if actor not in named:
            by = pen.people.user(change.author).id
            key = f"{change.id}:{reviewer.id or reviewer.login}"
            yield pen("review_requested", key, change.created, actor, {"requester": by, "team": None})


# --- comments, commits, checks ------------------------------------------------------------------------------------


def _comments(notes: list[Note], pen: Pen) -> Iterator[Signal]:
    opening = openers(notes)
    for note in notes:
        if not note.system and note.id not in opening:
            author = pen.people.user(note.author)
            yield pen("commented", note.id, note.at, author, {"inline": note.diff}, url=pen.beside(note))


def _commits(change: Change, pen: Pen) -> Iterator[Signal]:
    for commit in change.commits:
        linked = _linked(commit.author)
        yield pen(
            "commits_pushed",
            f"{change.id}:{commit.sha}",
            commit.committed,
            pen.people.user(commit.author if linked else change.author),
            {"sha": commit.sha, "authored": commit.authored.isoformat(), "linked": linked},
            url=f"{pen.project.url}/-/commit/{commit.sha}",
        )


def _linked(author: User | None) -> bool:
    return author is not None and author.id is not None


def _checks(change: Change, pen: Pen) -> Iterator[Signal]:
    """One signal a head commit, once nothing of its pipelines runs any more: failed if anything in them failed."""
    by_head: dict[str, list[Pipeline]] = {}
    for pipeline in change.pipelines:
        by_head.setdefault(pipeline.sha, []).append(pipeline)
    for sha, pipelines in sorted(by_head.items()):
        ends = [pipeline.ended for pipeline in pipelines if pipeline.ended]
        statuses = {pipeline.status for pipeline in pipelines}
        if len(ends) < len(pipelines) or not statuses <= CONCLUSIONS.keys():
            continue
        conclusion = CONCLUSIONS[next(status for status in _WORST_FIRST if status in statuses)]
        author = pen.people.user(change.author)
        key, url = f"{change.id}:{sha}", f"{pen.project.url}/-/pipelines/{max(pipelines, key=_newest).id}"
        detail = {"conclusion": conclusion, "attempt": 1, "sha": sha}
        yield pen("checks_completed", key, max(ends), author, detail, url=url)


def _newest(pipeline: Pipeline) -> tuple[int, str]:
    return len(pipeline.id), pipeline.id


# --- states and the merge -----------------------------------------------------------------------------------------


def _states(change: Change, pen: Pen, notes: list[Note]) -> Iterator[Signal]:
    for one in history(change.transitions, notes, change.closed):
        yield pen(f"change_{one.kind}", f"{change.id}:{moment(one.at)}", one.at, pen.people.user(one.by))


def _merged(change: Change, pen: Pen, place: texts.Place, notes: list[Note]) -> Iterator[Signal]:
    told = (note.at for note in notes if note.system and grammar.state(note.body) == "merged")
    at = change.merged or (next(told, None) if change.state == "merged" else None)
    if at is None:
        return
    shas = [commit.sha for commit in change.commits]
    bodies = [change.description, *(commit.message for commit in change.commits)]
    yield pen(
        "change_merged",
        change.id,
        at,
        pen.people.user(change.author),
        {
            "merged_by": pen.people.user(change.merged_by).id,
            "files": [list(file) for file in change.files],
            "files_complete": change.complete,
            "sha": change.landed or change.head,
            "reverts": texts.reverted(bodies, place, shas),
            "causes": texts.causes(bodies, place),
            **_base(change, pen),
            **_references(change, place),
        },
        value=float(sum(added + deleted for _, added, deleted in change.files)),
    )
