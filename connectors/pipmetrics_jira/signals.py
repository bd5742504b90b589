"""From an issue to its signals: pure, the same issue and terms always give the same signals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

from pipmetrics.model import Account, Json, Signal
from pipmetrics_jira import links, resolutions, sprints, texts
from pipmetrics_jira.payloads import Entry, Issue, Person, day, entries, moment, person, prose
from pipmetrics_jira.sprints import Sprint
from pipmetrics_jira.statuses import Category, Statuses


@dataclass(frozen=True, slots=True)
class Terms:
    """How the words of one site are read. `codes`: resolution name -> code; `sprint_fields`: ids in lower case."""

    source: str
    url: str
    statuses: Statuses
    codes: Mapping[str, str]
    bots: frozenset[str] = frozenset()
    sprint_fields: frozenset[str] = frozenset()
    sprints: Mapping[str, Sprint] = field(default_factory=dict)


def group(issue: str) -> str:
    """The name under which an issue's signals are replaced: by its id, which a move to another project keeps."""
    return f"issue/{issue}"


def signals(issue: Issue, terms: Terms) -> tuple[Signal, ...]:
    """All signals of a complete issue, by time."""
    found = [
        _opened(issue, terms),
        *_assignments(issue, terms),
        *_moves(issue, terms),
        *_finishes(issue, terms),
        *_due_dates(issue, terms),
        *_links(issue, terms),
    ]
    return tuple(sorted(found, key=lambda signal: (signal.at, signal.key)))


def accounts(issue: Issue, terms: Terms) -> dict[str, Account]:
    """The accounts that an issue shows in full, by id; one with an e-mail address goes before one without."""
    found: dict[str, Account] = {}
    for each in _shown(issue, terms):
        if each.id not in found or each.email:
            found[each.id] = Account(terms.source, each.id, each.login, each.email, each.mark)
    return found


def _shown(issue: Issue, terms: Terms) -> list[Person]:
    people = [_user(issue, name, terms) for name in ("reporter", "creator", "assignee")]
    people += [change.by for change in issue.changes or ()]
    return [each for each in people if each]


def _user(issue: Issue, name: str, terms: Terms) -> Person | None:
    return person(issue.fields.get(name), terms.bots)


def _signal(
    issue: Issue, terms: Terms, kind: str, key: str, at: datetime, who: Person | None, /, **detail: Json
) -> Signal:
    """What somebody did; that Jira names nobody means that the account is gone."""
    return Signal(
        source=terms.source,
        kind=kind,
        subject=f"{terms.source}:{issue.key}",
        key=f"{group(issue.id)}/{key}",
        at=at,
        url=f"{terms.url}/browse/{issue.key}",
        actor=who.id if who else None,
        mark=who.mark if who else "ghost",
        detail=detail,
    )


def _nobody(signal: Signal) -> Signal:
    """For what has no actor at all: that is no deleted account."""
    return replace(signal, actor=None, mark="")


def _opened(issue: Issue, terms: Terms) -> Signal:
    fields = issue.fields
    labels = fields.get("labels")
    detail: dict[str, Json] = {
        "title": str(fields.get("summary") or ""),
        "type": _name(fields.get("issuetype")),
        "labels": [str(label) for label in labels] if isinstance(labels, list) else [],
        "priority": _name(fields.get("priority")),
        "project": issue.project,
        "causes": texts.causes([prose(fields.get("description")), *issue.comments]),
        "sprints": sprints.detail(issue, terms.sprint_fields, terms.sprints),
    }
    if former := former_keys(issue):
        detail["former_keys"] = former
    reporter = _user(issue, "reporter", terms)
    return _signal(issue, terms, "issue_opened", "opened", issue.created, reporter, **detail)


def _name(raw: Json) -> str | None:
    return str(raw["name"]) if isinstance(raw, Mapping) and raw.get("name") else None


def former_keys(issue: Issue) -> list[str]:
    """The keys an issue had in other projects, oldest first: changes that reference them mean this issue."""
    told = (each.item.before_text for each in entries(issue, "key", "issuekey"))
    return list(dict.fromkeys(key for key in told if key and key != issue.key))


# --- assignments --------------------------------------------------------------------------------------------------


def _assignments(issue: Issue, terms: Terms) -> Iterator[Signal]:
    found = list(entries(issue, "assignee"))
    people = _people(issue, terms)
    first = _who(found[0].item.before, people, terms) if found else _user(issue, "assignee", terms)
    if first:
        by = _user(issue, "reporter", terms)
        yield _assigned(issue, terms, "created", issue.created, None, first, by)
    for each in found:
        before, after = (_who(id, people, terms) for id in (each.item.before, each.item.after))
        yield _assigned(issue, terms, each.key, each.change.at, before, after, each.change.by)


def _assigned(
    issue: Issue,
    terms: Terms,
    key: str,
    at: datetime,
    before: Person | None,
    after: Person | None,
    by: Person | None,
) -> Signal:
    """The actor is the new assignee, nobody when it was taken away."""
    detail = {"by": by.id if by else None, "from": before.id if before else None}
    made = _signal(issue, terms, "issue_assigned", f"assigned/{key}", at, after, **detail)
    return made if after else _nobody(made)


def _people(issue: Issue, terms: Terms) -> dict[str, Person]:
    """Everybody an issue shows, by id and by login: old entries name a user by either."""
    known = _shown(issue, terms)
    return {each.login: each for each in known} | {each.id: each for each in known}


def _who(id: str | None, people: Mapping[str, Person], terms: Terms) -> Person | None:
    if not id:
        return None
    return people.get(id) or Person(id, id, None, "bot" if id in terms.bots else "")


# --- statuses and resolutions -------------------------------------------------------------------------------------


def _moves(issue: Issue, terms: Terms) -> Iterator[Signal]:
    for each in entries(issue, "status"):
        before, after = _categories(each, terms)
        at, by, item = each.change.at, each.change.by, each.item
        names = {"from": item.before_text, "to": item.after_text}
        detail = names | {"from_category": before, "to_category": after}
        yield _signal(issue, terms, "issue_status_changed", f"status/{each.key}", at, by, **detail)
        if before == "done" != after:
            yield _signal(issue, terms, "issue_reopened", f"reopened/{each.key}", at, by)


def _categories(each: Entry, terms: Terms) -> tuple[Category, Category]:
    item = each.item
    before = terms.statuses.category(item.before, item.before_text)
    return before, terms.statuses.category(item.after, item.after_text)


def _finishes(issue: Issue, terms: Terms) -> Iterator[Signal]:
    """`issue_done` for every entry into a done status, an issue created in one (imports are) included."""
    moves = [(each, *_categories(each, terms)) for each in entries(issue, "status")]
    reopenings = [each.change.at for each, before, after in moves if before == "done" != after]
    found = [(f"done/{each.key}", each.change.at, each.change.by) for each, a, b in moves if a != "done" == b]
    if (moves[0][1] if moves else _present(issue, terms)) == "done":
        at = issue.created if moves else moment(issue.fields.get("resolutiondate")) or issue.created
        found.insert(0, ("done/created", at, _user(issue, "reporter", terms)))
    for key, at, by in found:
        until = min((again for again in reopenings if again >= at), default=None)
        yield _signal(issue, terms, "issue_done", key, at, by, resolutions=_resolutions(issue, terms, at, until))


def _present(issue: Issue, terms: Terms) -> Category:
    raw = issue.fields["status"]
    return terms.statuses.category(issue.status, str(raw.get("name") or ""))


def _resolutions(issue: Issue, terms: Terms, at: datetime, until: datetime | None) -> list[list[str]]:
    """[instant, code, name] of those in force from `at` to the reopening; unresolved is `other` without a name."""
    timeline = [(held.change.at if held.change else issue.created, held) for held in resolutions.history(issue)]
    listed = []
    for (start, held), following in [*pairwise(timeline), (timeline[-1], None)]:
        over = following is not None and following[0] <= at
        if over or (until is not None and start >= until):
            continue
        code = resolutions.code(held.id, (held.name, _shown_name(issue, held.id)), terms.codes)
        listed.append([_iso(max(start, at)), code, held.name])
    return listed


def _shown_name(issue: Issue, id: str | None) -> str:
    """What the present resolution is called now, if it is this one: the history keeps the name of its time."""
    now = issue.fields.get("resolution")
    if isinstance(now, Mapping) and id is not None and str(now.get("id")) == id:
        return str(now.get("name") or "")
    return ""


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


# --- due dates and links ------------------------------------------------------------------------------------------


def _due_dates(issue: Issue, terms: Terms) -> Iterator[Signal]:
    found = list(entries(issue, "duedate"))
    dates = [
        (_due(each.item.before, each.item.before_text), _due(each.item.after, each.item.after_text)) for each in found
    ]
    first = dates[0][0] if found else day(issue.fields.get("duedate"))
    if first:
        by = _user(issue, "reporter", terms)
        yield _signal(
            issue, terms, "issue_due_changed", "due/created", issue.created, by, **{"from": None, "to": first}
        )
    for each, (before, after) in zip(found, dates, strict=True):
        at, by, ends = each.change.at, each.change.by, {"from": before, "to": after}
        yield _signal(issue, terms, "issue_due_changed", f"due/{each.key}", at, by, **ends)


def _due(value: str | None, text: str | None) -> str | None:
    return day(value) or day(text)


def _links(issue: Issue, terms: Terms) -> Iterator[Signal]:
    for link in links.links(issue):
        made, detail = link.change, {"type": link.phrase, "to": link.to, "undated": link.change is None}
        at, by = (made.at, made.by) if made else (issue.created, None)
        linked = _signal(issue, terms, "issue_linked", f"linked/{link.id}", at, by, **detail)
        yield linked if made else _nobody(linked)
