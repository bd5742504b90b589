"""One pull: which projects from when on, page by page, with bookmarks that any page may be the last of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pipmetrics.errors import SourceError
from pipmetrics.model import Account, Gap, Json, Source
from pipmetrics.plugin import Page
from pipmetrics_jira import bookmarks, jql, listing, payloads
from pipmetrics_jira.bookmarks import OVERLAP, SITE, WALK, Walk
from pipmetrics_jira.census import FEW, Census, names
from pipmetrics_jira.client import Api, Found
from pipmetrics_jira.completing import Completing
from pipmetrics_jira.payloads import Hole, Issue, millis
from pipmetrics_jira.signals import accounts, group, signals
from pipmetrics_jira.site import Site

CHAPTER = 10
"""Pages after which the issues that lack something are made whole, in one go, and the place moves past them."""
TOGETHER = 40
"""Projects that one query names."""
ELSEWHERE = "?"
"""Stands for a project whose key is not the one in the configuration: keys can be changed."""
HIDDEN = "it gave issues before and gives none any more: deleted, archived, or no longer visible to this account"
UNKNOWN = "it does not exist, or this account may not see it"


@dataclass(slots=True)
class _Reading:
    """A walk in the middle: issues that wait to be made whole, and what has been given already."""

    walk: Walk
    place: int | None
    orderly: bool = True
    waiting: dict[str, Issue] = field(default_factory=dict)
    given: dict[str, datetime] = field(default_factory=dict)
    total: int | None = None

    def move(self, found: Found) -> None:
        """The place up to which everything was read, as long as the pages come in order."""
        place = listing.position(found.issues, self.place)
        self.orderly = self.orderly and (place is not None or not found.issues)
        self.place = place if self.orderly else self.walk.created
        self.total = self.total or found.total

    def commit(self) -> None:
        """All up to the place has been given."""
        self.walk = replace(self.walk, created=self.place)


class Pull:
    """One reading of a site. `pages` is the only way in."""

    def __init__(self, source: Source, api: Api, kept: Mapping[str, Json], since: datetime) -> None:
        self._source, self._api, self._kept, self._since = source, api, kept, millis(since)
        told = kept.get(SITE)
        self._site = Site(source, api, told if isinstance(told, Mapping) else {})
        self._cloud = told.get("cloud") if isinstance(told, Mapping) else None
        self._completing = Completing(api, self._site)
        self._projects = tuple(dict.fromkeys(source.projects)) or ("",)
        self._marks = {each: bookmarks.mark(kept.get(bookmarks.mark_name(each))) for each in self._projects}
        self._census = Census(api, kept)
        self._accounts: dict[str, Account] = {}
        self._hidden: set[str] = set()

    def pages(self) -> Iterator[Page]:
        """Everything that changed; after a walk that an earlier pull had begun, also what changed behind it."""
        self._api.suppose(self._cloud)
        begun = bookmarks.walk(self._kept.get(WALK))
        if begun and set(begun.projects) <= set(self._projects):
            yield from self._read(begun)
        for walk in self._plan():
            yield from self._read(walk)
        yield from self._moved_sprints()
        yield from self._counted()
        yield Page(bookmarks={SITE: self._site.kept()})

    def _plan(self) -> list[Walk]:
        """Projects whose readings begin at the same moment are read together."""
        together: dict[int, list[str]] = {}
        for project in self._projects:
            if project not in self._hidden:
                together.setdefault(bookmarks.lower(self._marks[project], self._since), []).append(project)
        return _together(together)

    # --- one walk ---

    def _read(self, walk: Walk) -> Iterator[Page]:
        """A walk; when the query is refused, the projects that are to blame are named and the others read."""
        try:
            yield from self._walk(_Reading(walk, walk.created))
        except SourceError as error:
            if error.status != 400:
                raise
            refused = [each for each in walk.projects if self._gives(each) is None]
            if not refused:
                raise
            yield Page(gaps=[self._hide(each) for each in refused])
            left = tuple(each for each in walk.projects if each not in refused)
            if left:
                yield from self._read(replace(walk, projects=left))

    def _walk(self, reading: _Reading) -> Iterator[Page]:
        projects, lower = reading.walk.projects, reading.walk.lower
        listed = listing.pages(
            self._api, self._site, lambda created: jql.updated_since(projects, lower, created), reading.walk.created
        )
        for number, found in enumerate(listed, 1):
            yield self._page_of(reading, found)
            if number % CHAPTER == 0 and reading.waiting:
                yield self._chapter(reading)
        yield self._end(reading)

    def _page_of(self, reading: _Reading, found: Found) -> Page:
        if reading.walk.started is None and (clock := self._api.server_time()):
            reading.walk = replace(reading.walk, started=millis(clock))
        issues, gaps, held = self._issues(found, reading.walk)
        reading.walk = bookmarks.noted(reading.walk, self._newest(issues, reading.walk), held)
        reading.move(found)
        ready = [issue for issue in issues if self._is_ready(issue, reading)]
        if not reading.waiting:
            reading.commit()
        return self._page(ready, {WALK: reading.walk.kept()}, gaps, reading.total)

    def _is_ready(self, issue: Issue, reading: _Reading) -> bool:
        """Whether to give the issue now; the same state of it is given once, and a later state replaces one waiting."""
        if reading.given.get(issue.id) == issue.updated:
            return False
        reading.given[issue.id] = issue.updated
        reading.waiting.pop(issue.id, None)
        if self._completing.wants(issue):
            reading.waiting[issue.id] = issue
            return False
        return True

    def _chapter(self, reading: _Reading) -> Page:
        """Makes the waiting issues whole and moves the place past them."""
        whole, gaps, held = self._whole(reading.waiting.values())
        reading.waiting.clear()
        reading.walk = bookmarks.noted(reading.walk, {}, held)
        reading.commit()
        return self._page(whole, {WALK: reading.walk.kept(), SITE: self._site.kept()}, gaps, reading.total)

    def _end(self, reading: _Reading) -> Page:
        """The last page of a walk: only now do the marks of its projects move."""
        whole, gaps, held = self._whole(reading.waiting.values())
        walk = bookmarks.noted(reading.walk, {}, held)
        silent = self._silent(walk)
        gaps += [self._hide(project) for project in silent]
        moved = {}
        for project in walk.projects:
            mark = bookmarks.finished(walk, self._marks[project], project)
            if mark and project not in silent:
                self._marks[project] = mark
                moved[bookmarks.mark_name(project)] = mark.kept()
        return self._page(whole, {**moved, WALK: {}, SITE: self._site.kept()}, gaps, reading.total)

    # --- issues ---

    def _issues(self, found: Found, walk: Walk) -> tuple[list[Issue], list[Gap], int | None]:
        """The issues of a page, what came broken, and the update past which no mark may go then."""
        issues, gaps, held = [], [], []
        for raw in found.issues:
            try:
                issue = payloads.issue(raw, self._site.bots)
            except Hole as hole:
                gaps.append(self._gap(_called(raw, self._source.name), f"it came without {hole}"))
                held.append(_update(raw) or walk.lower + OVERLAP)
            else:
                self._site.learn(issue)
                issues.append(issue)
        if found.warned:
            gaps.append(self._gap(self._source.name, "the service answered with a warning: the answer may lack issues"))
            held.append(walk.lower + OVERLAP)
        return issues, gaps, min(held, default=None)

    def _whole(self, waiting: Iterable[Issue]) -> tuple[list[Issue], list[Gap], int | None]:
        self._completing.lost.clear()
        whole = self._completing.whole(list(waiting))
        lost = self._completing.lost.values()
        gaps = [self._gap(f"{self._source.name}:{issue.key}", reason, issue.updated) for issue, reason in lost]
        return whole, gaps, min((millis(issue.updated) for issue, _ in lost), default=None)

    def _newest(self, issues: Sequence[Issue], walk: Walk) -> dict[str, int]:
        """The newest update of each project among these issues, by the name it has in the configuration."""
        found: dict[str, int] = {}
        for issue in issues:
            raw = issue.fields.get("project")
            called = {"", issue.project.casefold()} | (names(raw) if isinstance(raw, Mapping) else set())
            project = next((each for each in walk.projects if each.casefold() in called), ELSEWHERE)
            found[project] = max(millis(issue.updated), found.get(project, 0))
        return found

    def _page(
        self, issues: Sequence[Issue], marks: Mapping[str, Json], gaps: Sequence[Gap] = (), total: int | None = None
    ) -> Page:
        terms = self._site.terms
        return Page(
            groups={group(issue.id): signals(issue, terms) for issue in issues},
            accounts=self._met(issues),
            bookmarks={**marks, **self._census.add(issue.id for issue in issues)},
            gaps=gaps,
            done=len(issues),
            total=total,
        )

    def _met(self, issues: Iterable[Issue]) -> list[Account]:
        """Accounts not given yet in this pull; an e-mail address once seen is kept where others hide it."""
        met = []
        for account in (each for issue in issues for each in accounts(issue, self._site.terms).values()):
            known = self._accounts.get(account.id)
            full = replace(account, email=account.email or known.email) if known else account
            if full != known:
                self._accounts[account.id] = full
                met.append(full)
        return met

    # --- what is not there ---

    def _gives(self, project: str) -> bool | None:
        """Whether a project gives any issue; None when Jira knows no such project, or hides it."""
        try:
            return bool(self._api.search(jql.any_of(project), ["project"], size=1).issues)
        except SourceError as error:
            if error.status != 400:
                raise
            return None

    def _silent(self, walk: Walk) -> list[str]:
        """Projects that gave issues at an earlier pull and give none at all now."""
        met = walk.seen or {}
        quiet = {each: mark for each in walk.projects if (mark := self._marks[each]) and each not in met}
        if not met and not any(self._marks.values()):
            self._check_token()
        still = {each: mark.last for each, mark in quiet.items() if each and mark.last < walk.lower}
        alive = self._alive(still) if len(still) > 1 else set()
        return [each for each in quiet if each not in alive and not self._gives(each)]

    def _alive(self, lasts: Mapping[str, int]) -> set[str]:
        """Those of many quiet projects that still show their newest issue, by one question."""
        try:
            found = self._api.search(jql.any_since(list(lasts.items())), ["project"])
        except SourceError as error:
            if error.status != 400:
                raise
            return set()
        fields = (raw.get("fields") for raw in found.issues if isinstance(raw, Mapping))
        shown = [names(each["project"]) for each in fields if isinstance(each, Mapping) and each.get("project")]
        return {each for each in lasts if any(each.casefold() in called for called in shown)}

    def _check_token(self) -> None:
        """A token that has expired may read as nobody, who sees nothing."""
        try:
            self._api.one(f"{self._api.api}/myself")
        except SourceError as error:
            if error.status in (401, 403):
                raise

    def _hide(self, project: str) -> Gap:
        self._hidden.add(project)
        mark = self._marks[project]
        since = datetime.fromtimestamp(mark.since / 1000, UTC) if mark else None
        return self._gap(project or self._source.name, HIDDEN if mark else UNKNOWN, since)

    def _gap(self, part: str, reason: str, since: datetime | None = None) -> Gap:
        return Gap(self._source.name, part, reason, since)

    def _counted(self) -> Iterator[Page]:
        """What is gone goes, what was never given comes. Not while a project as a whole is out of sight."""
        read = {each: mark for each, mark in self._marks.items() if mark}
        if self._hidden or not read:
            return
        first = min(mark.first for mark in read.values())
        yield from self._census.pages(self._source.name, list(read), first)
        if len(self._census.strangers) > FEW:
            for walk in _together({first: list(read)}):
                yield from self._read(walk)
        elif self._census.strangers:
            yield self._completed(self._alone(sorted(self._census.strangers)))

    # --- sprints that started or ended ---

    def _moved_sprints(self) -> Iterator[Page]:
        """Their issues again: they hold what is known of the sprint, and did not change themselves."""
        projects = [each for each in self._projects if each not in self._hidden]
        for id, left in self._site.awaited().items():
            try:
                issues, gaps = self._in_sprint(projects, id)
            except SourceError as error:
                if error.status != 400:
                    raise
                issues, gaps = [], []
            issues += self._alone(left)
            self._site.settle(id)
            yield self._completed(issues, gaps)

    def _completed(self, issues: Sequence[Issue], gaps: Sequence[Gap] = ()) -> Page:
        """A page of issues from outside of a walk."""
        ready = [issue for issue in issues if not self._completing.wants(issue)]
        whole, more, _ = self._whole(issue for issue in issues if self._completing.wants(issue))
        return self._page([*ready, *whole], {SITE: self._site.kept()}, [*gaps, *more])

    def _in_sprint(self, projects: Sequence[str], id: str) -> tuple[list[Issue], list[Gap]]:
        read: list[Issue] = []
        broken: list[Gap] = []
        for found in listing.pages(self._api, self._site, lambda created: jql.in_sprint(projects, id, created)):
            issues, gaps, _ = self._issues(found, Walk(tuple(projects), 0))
            read += issues
            broken += gaps
        return read, broken

    def _alone(self, ids: Sequence[str]) -> list[Issue]:
        """Issues by id; those that are gone are left out."""
        found = []
        for id in ids:
            try:
                raw = self._api.one(
                    f"{self._api.api}/issue/{id}", fields=",".join(self._site.fields), expand="changelog"
                )
                issue = payloads.issue(raw, self._site.bots)
            except SourceError as error:
                if error.status != 404:
                    raise
            except Hole:
                continue
            else:
                self._site.learn(issue)
                found.append(issue)
        return found


def _together(projects: Mapping[int, Sequence[str]]) -> list[Walk]:
    """Walks of the projects by where they begin, not too many in one question."""
    return [
        Walk(tuple(named[start : start + TOGETHER]), lower)
        for lower, named in sorted(projects.items())
        for start in range(0, len(named), TOGETHER)
    ]


def _called(raw: Json, source: str) -> str:
    """What a broken issue is called: by its key or id where it has one, else by its source."""
    if isinstance(raw, Mapping) and (raw.get("key") or raw.get("id")):
        return f"{source}:{raw.get('key') or raw.get('id')}"
    return source


def _update(raw: Json) -> int | None:
    fields = raw.get("fields") if isinstance(raw, Mapping) else None
    at = payloads.moment(fields.get("updated")) if isinstance(fields, Mapping) else None
    return millis(at) if at else None
