"""What Jira shows of its issues, users and the rest, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pipmetrics.demo.jira.world import Change, Comment, Issue, Sprint, Status, World
from pipmetrics.model import Json

CATEGORIES: dict[str, dict[str, Json]] = {
    "new": {"id": 2, "key": "new", "name": "To Do", "colorName": "blue-gray"},
    "indeterminate": {"id": 4, "key": "indeterminate", "name": "In Progress", "colorName": "yellow"},
    "done": {"id": 3, "key": "done", "name": "Done", "colorName": "green"},
}
SPRINT_TYPE = "com.pyxis.greenhopper.jira:gh-sprint"
RANK_FIELD = "customfield_10019"


class Renderer:
    """Shows things of one world at one address."""

    def __init__(self, world: World, base: str) -> None:
        self.world, self.base = world, base
        self.api = f"{base}/rest/api/{3 if world.cloud else 2}"

    def stamp(self, at: datetime) -> str:
        """Milliseconds, and an offset without a colon."""
        local = at.astimezone(ZoneInfo(self.world.server_zone))
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"

    def user(self, id: str | None) -> Json:
        """None for nobody, and for a user that was deleted."""
        user = self.world.users.get(id or "")
        if user is None or user.deleted:
            return None
        shown: dict[str, Json] = {"displayName": user.name, "active": user.active, "timeZone": self.world.zone}
        if self.world.cloud:
            shown |= {"accountId": user.id, "accountType": user.kind}
            shown["self"] = f"{self.api}/user?accountId={user.id}"
        else:
            shown |= {"name": user.login, "key": user.id, "self": f"{self.api}/user?username={user.login}"}
        return shown | ({"emailAddress": user.email} if user.email else {})

    def status(self, status: Status) -> Json:
        return {
            "self": f"{self.api}/status/{status.id}",
            "id": status.id,
            "name": status.name,
            "description": "",
            "statusCategory": CATEGORIES[status.category],
        }

    def text(self, text: str) -> Json:
        """A document on Cloud, wiki text on Data Center; nothing for no text."""
        if not text:
            return None
        if not self.world.cloud:
            return text
        lines = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in text.split("\n")]
        return {"type": "doc", "version": 1, "content": lines}

    # --- fields ---

    def fields(self, issue: Issue, asked: Sequence[str]) -> dict[str, Json]:
        """The fields asked for: by id, `*all`, `*navigable` (all but comments), less those with a dash before."""
        shown: set[str] = set()
        for name in asked:
            if name in ("*all", "*navigable"):
                shown |= set(self._makers()) - ({"comment"} if name == "*navigable" else set())
            elif not name.startswith("-"):
                shown.add(name)
        shown -= {name[1:] for name in asked if name.startswith("-")}
        return {name: make(issue) for name, make in self._makers().items() if name in shown}

    def _makers(self) -> dict[str, Callable[[Issue], Json]]:
        return {
            "summary": lambda issue: issue.summary,
            "description": lambda issue: self.text(issue.description),
            "issuetype": lambda issue: {"id": "1", "name": issue.type, "subtask": False},
            "project": lambda issue: {
                "id": issue.project.id, "key": issue.project.key, "name": issue.project.name,
            },
            "status": lambda issue: self.status(issue.status),
            "priority": lambda issue: {"id": "3", "name": issue.priority} if issue.priority else None,
            "labels": lambda issue: list(issue.labels),
            "reporter": lambda issue: self.user(issue.reporter),
            "creator": lambda issue: self.user(issue.reporter),
            "assignee": lambda issue: self.user(issue.assignee),
            "created": lambda issue: self.stamp(issue.created),
            "updated": lambda issue: self.stamp(issue.updated),
            "duedate": lambda issue: issue.due.isoformat() if issue.due else None,
            "resolution": self._resolution,
            "resolutiondate": lambda issue: self.stamp(issue.resolved) if issue.resolved else None,
            "issuelinks": self._links,
            "comment": self._comments,
            self.world.sprint_field: self._sprints,
            RANK_FIELD: lambda issue: f"0|i{issue.id}:",
        }  # fmt: skip

    def schema(self, asked: Sequence[str]) -> dict[str, Json]:
        some = Issue(
            "0", "X-0", next(iter(self.world.projects.values())), "", "", self.world.now, self.world.statuses[0]
        )
        some.touched.append(self.world.now)
        return {name: self.field_type(name) for name in self.fields(some, asked)}

    def field_type(self, name: str) -> Json:
        if name == self.world.sprint_field:
            return {"type": "array", "items": "json", "custom": SPRINT_TYPE, "customId": int(name.split("_")[1])}
        if name == RANK_FIELD:
            return {"type": "any", "custom": "com.pyxis.greenhopper.jira:gh-lexo-rank", "customId": 10019}
        return {"type": "string", "system": name}

    def field_list(self) -> list[Json]:
        names = {self.world.sprint_field: "Sprint", RANK_FIELD: "Rank"}
        return [
            {"id": name, "key": name, "name": names.get(name, name.title()), "custom": name in names,
             "schema": self.field_type(name)}
            for name in self._makers()
        ]  # fmt: skip

    def _resolution(self, issue: Issue) -> Json:
        held = issue.resolution
        return {"self": f"{self.api}/resolution/{held.id}", "id": held.id, "name": held.name} if held else None

    def _links(self, issue: Issue) -> Json:
        shown: list[Json] = []
        for link in self.world.links:
            ends = (("outwardIssue", link.source, link.target), ("inwardIssue", link.target, link.source))
            for end, here, there in ends:
                if here is issue and there.visible and there.project.visible:
                    kind = link.type
                    about = {"id": kind.id, "name": kind.name, "inward": kind.inward, "outward": kind.outward}
                    other = {"id": there.id, "key": there.key, "fields": {"summary": there.summary}}
                    shown.append({"id": link.id, "type": about, end: other})
        return shown

    def comment(self, comment: Comment) -> Json:
        return {
            "id": comment.id,
            "author": self.user(comment.by),
            "body": self.text(comment.text),
            "created": self.stamp(comment.at),
            "updated": self.stamp(comment.at),
        }

    def _comments(self, issue: Issue) -> Json:
        """A search of Cloud shows twenty comments of an issue."""
        shown = issue.comments[:20] if self.world.cloud else issue.comments
        listed = [self.comment(each) for each in shown]
        return {"comments": listed, "startAt": 0, "maxResults": len(listed), "total": len(issue.comments)}

    # --- sprints ---

    def _sprints(self, issue: Issue) -> Json:
        if not issue.sprints:
            return None
        return [self._sprint_text(each) if self.world.sprint_texts else self.sprint(each) for each in issue.sprints]

    def sprint(self, sprint: Sprint) -> dict[str, Json]:
        dates = {"startDate": sprint.start, "endDate": sprint.end, "completeDate": sprint.complete}
        dates["activatedDate"] = sprint.activated
        shown = {name: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}" for name, at in dates.items() if at}
        return {
            "id": sprint.id,
            "name": sprint.name,
            "state": sprint.state,
            "boardId": sprint.board,
            "goal": "",
        } | shown

    def _sprint_text(self, sprint: Sprint) -> str:
        shown = {name: str(value) for name, value in self.sprint(sprint).items()}
        names = ("startDate", "endDate", "completeDate", "activatedDate")
        dates = ",".join(f"{name}={shown.get(name, '<null>')}" for name in names)
        return (
            f"com.atlassian.greenhopper.service.sprint.Sprint@1f2e[id={sprint.id},rapidViewId={sprint.board},"
            f"state={sprint.state.upper()},name={sprint.name},{dates},sequence={sprint.id},goal=]"
        )

    # --- changelogs ---

    def change(self, change: Change, *, epoch: bool = False) -> dict[str, Json]:
        author = self.user(change.by)
        at: Json = round(change.at.timestamp() * 1000) if epoch else self.stamp(change.at)
        items = []
        for each in change.items:
            shown: dict[str, Json] = {"field": each.field, "fieldtype": "custom" if each.custom else "jira"}
            if each.field_id and self.world.cloud:
                shown["fieldId"] = each.field_id
            shown |= {"from": each.before, "fromString": each.before_text}
            items.append(shown | {"to": each.after, "toString": each.after_text})
        return {"id": change.id} | ({"author": author} if author else {}) | {"created": at, "items": items}

    def changelog(self, issue: Issue) -> Json:
        """Cloud: the latest entries, newest first, and `total` is what is shown. Data Center: all, oldest first."""
        changes = sorted(issue.changes, key=lambda change: (change.at, int(change.id)))
        if self.world.cloud:
            changes = changes[::-1][: self.world.embedded]
        listed = [self.change(each) for each in changes]
        return {"startAt": 0, "maxResults": len(listed), "total": len(listed), "histories": listed}

    def issue(self, issue: Issue, asked: Sequence[str], expand: Sequence[str]) -> dict[str, Json]:
        if list(asked) == ["id"] and self.world.cloud:
            return {"id": issue.id}
        shown = {"expand": "changelog", "id": issue.id, "key": issue.key, "self": f"{self.api}/issue/{issue.id}"}
        more: dict[str, Json] = {"fields": self.fields(issue, asked)}
        if "changelog" in expand:
            more["changelog"] = self.changelog(issue)
        return shown | more
