"""What is known of a site while it is read: its statuses, sprints and sprint fields, kept from night to night."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipmetrics.errors import SourceError
from pipmetrics.model import Json, Source
from pipmetrics_jira import resolutions, sprints
from pipmetrics_jira.client import MOVED, Api, Found
from pipmetrics_jira.payloads import Issue, entries
from pipmetrics_jira.signals import Terms
from pipmetrics_jira.sprints import Sprint
from pipmetrics_jira.statuses import Statuses

FIELDS = (
    "summary", "description", "issuetype", "status", "priority", "labels", "project", "reporter", "creator",
    "assignee", "created", "updated", "duedate", "resolution", "resolutiondate", "issuelinks", "comment",
)  # fmt: skip
EVERY = "*navigable"
KEPT = 500
"""Closed sprints that are remembered, the latest ones."""


class Site:
    """Learns from each answer, and asks only for what no answer has shown."""

    def __init__(self, source: Source, api: Api, kept: Mapping[str, Json]) -> None:
        self.source, self._api = source, api
        self.statuses = Statuses(kept.get("statuses"))
        self.remote_links = source.options.get("remote_links") in (True, "on", "true", "yes")
        self.bots = frozenset(map(str, source.options.get("bots") or ()))
        self._codes = resolutions.names(source.options.get("resolutions") or {})
        fields = kept.get("sprint_fields")
        self._sprint_fields: frozenset[str] | None = frozenset(fields) if fields else None
        self._asked_fields = fields is not None
        self.sprints: dict[str, Sprint] = _sprints(kept.get("closed"))
        self._before: dict[str, Sprint] = _sprints(kept.get("open"))
        """Sprints that were not over when this site was last read, as they were then."""
        self._left: dict[str, set[str]] = {id: set(issues) for id, issues in (kept.get("left") or {}).items()}
        """Open sprints, and the issues that were taken out of them."""
        self._fresh: set[str] = set()

    def kept(self) -> dict[str, Json]:
        """For the bookmarks: what spares requests at the next reading."""
        known = self._before | self.sprints
        closed = sorted((each for each in known.values() if each.closed), key=lambda each: (len(each.id), each.id))
        waiting = {id: each for id, each in known.items() if not each.closed}
        return {
            "cloud": self._api.cloud,
            "statuses": self.statuses.kept(),
            "sprint_fields": sorted(self._sprint_fields or ()),
            "closed": [each.kept() for each in closed[-KEPT:]],
            "open": [each.kept() for _, each in sorted(waiting.items())],
            "left": {id: sorted(issues) for id, issues in sorted(self._left.items()) if id in waiting},
        }

    # --- which fields to ask for ---

    @property
    def fields(self) -> list[str]:
        """Every field while it is not known which of them hold sprints, from then on those that are read."""
        return [*FIELDS, *([EVERY] if self._sprint_fields is None else sorted(self._sprint_fields))]

    @property
    def expand(self) -> list[str]:
        return ["changelog", "schema"] if self._sprint_fields is None else ["changelog"]

    def must_ask_again(self, found: Found) -> bool:
        """Learns the sprint fields from a page; true when the page came without one that there is."""
        if self._sprint_fields is not None or not found.issues:
            return False
        if found.schema:
            self._sprint_fields = _of_type(found.schema.items())
        elif shown := _shown(found):
            self._sprint_fields = shown
        else:
            self._sprint_fields = self._listed_fields()
            return bool(self._sprint_fields) and not _holds(found, self._sprint_fields)
        return False

    def _listed_fields(self) -> frozenset[str]:
        """Once per site: a server that tells no types with its pages tells them in the list of its fields."""
        if self._asked_fields:
            return frozenset()
        self._asked_fields = True
        return _of_type((str(each.get("id")), each.get("schema")) for each in self._list("field"))

    def _list(self, name: str) -> Sequence[Mapping[str, Json]]:
        """One of the site's lists. All of them have something in them: without it, issues would be read wrong."""
        path = f"{self._api.api}/{name}"
        if found := self._api.many(path):
            return found
        raise SourceError("the answer is an empty list", where=f"GET {path}")

    # --- what issues show ---

    def learn(self, issue: Issue) -> None:
        self.statuses.learn(issue.fields.get("status"))
        now = {each.id: each for each in sprints.current(issue, self._fields)}
        for id, each in now.items():
            self.sprints[id] = sprints.newer(each, self.sprints.get(id))
            self._fresh.add(id)
        for id in sprints.mentioned(issue, self._fields):
            if id in now:
                self._left.get(id, set()).discard(issue.id)
            else:
                self._left.setdefault(id, set()).add(issue.id)

    @property
    def _fields(self) -> frozenset[str]:
        return self._sprint_fields or frozenset()

    @property
    def terms(self) -> Terms:
        return Terms(
            self.source.name, self._api.base, self.statuses, self._codes, self.bots, self._fields, self.sprints
        )

    def strange_statuses(self, issue: Issue) -> set[str]:
        """Ids of an issue's statuses whose category nothing has shown yet."""
        named = {id for each in entries(issue, "status") for id in (each.item.before, each.item.after) if id}
        return self.statuses.unknown(named | {issue.status})

    def strange_sprints(self, issue: Issue) -> set[str]:
        """Ids of sprints that an issue was in and that no issue's field has shown yet."""
        return {id for id in sprints.mentioned(issue, self._fields) if id not in self.sprints}

    # --- what has to be asked for ---

    def ask_statuses(self, issues: Sequence[Issue]) -> None:
        """Jira's list of statuses, once; those it does not hold are remembered as gone."""
        strange = {id for issue in issues for id in self.strange_statuses(issue)}
        if not strange:
            return
        if not self.statuses.listed:
            self.statuses.learn_list(self._list("status"))
        names = {id: name for issue in issues for id, name in _status_names(issue)}
        self.statuses.give_up(self.statuses.unknown(strange), names)

    def ask_sprints(self, issues: Sequence[Issue]) -> None:
        """Sprints that all their issues have left since; one that is gone keeps the name that the history has."""
        for issue in issues:
            for id, name in sprints.mentioned(issue, self._fields).items():
                if id not in self.sprints:
                    self.sprints[id] = self._ask_sprint(id) or Sprint(id, name, "closed")
                    self._fresh.add(id)

    def _ask_sprint(self, id: str) -> Sprint | None:
        try:
            return sprints.sprint(self._api.one(f"/rest/agile/1.0/sprint/{id}"))
        except SourceError as error:
            if error.status not in (400, 403, *MOVED):
                raise
            return None

    def awaited(self) -> dict[str, list[str]]:
        """Sprints that started or ended, or should have, since the last reading, each with the issues taken out of it.

        Neither start nor end of a sprint changes its issues, so that no search by their update shows it.
        """
        now = self._api.server_time()
        changed = {id for id, each in self._before.items() if self.sprints.get(id, each) != each}
        late = {id for id, each in self._before.items() if now and id not in self._fresh and each.due(now)}
        return {id: sorted(self._left.get(id, ())) for id in sorted(changed | late)}

    def settle(self, id: str) -> None:
        """Asks for an awaited sprint that none of its issues has shown; one that is gone is awaited no longer."""
        if id in self._fresh:
            return
        if found := self._ask_sprint(id):
            self.sprints[id] = found
        else:
            self._before.pop(id, None)


def _sprints(kept: Json) -> dict[str, Sprint]:
    read = (sprints.sprint(raw) for raw in kept or ())
    return {each.id: each for each in read if each}


def _of_type(fields: Iterable[tuple[str, Json]]) -> frozenset[str]:
    return frozenset(
        id
        for id, schema in fields
        if isinstance(schema, Mapping) and str(schema.get("custom") or "").endswith(sprints.FIELD_TYPE)
    )


def _held(found: Found) -> Iterable[Mapping[str, Json]]:
    return (
        raw["fields"] for raw in found.issues if isinstance(raw, Mapping) and isinstance(raw.get("fields"), Mapping)
    )


def _shown(found: Found) -> frozenset[str]:
    """Custom fields whose values can only be sprints."""
    held = (each for fields in _held(found) for each in fields.items())
    return frozenset(
        name for name, value in held if name.startswith("customfield_") and sprints.looks_like_sprints(value)
    )


def _holds(found: Found, names: frozenset[str]) -> bool:
    return any(names & set(fields) for fields in _held(found))


def _status_names(issue: Issue) -> list[tuple[str, str]]:
    named = [(each.item.before, each.item.before_text) for each in entries(issue, "status")]
    named += [(each.item.after, each.item.after_text) for each in entries(issue, "status")]
    return [(id, name) for id, name in named if id and name]
