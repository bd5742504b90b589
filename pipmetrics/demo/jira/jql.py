"""The part of Jira's query language that is documented and in use here; the rest is refused as Jira refuses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from pipmetrics.demo.jira.world import Issue, World

Test: TypeAlias = Callable[[Issue], bool]
Order: TypeAlias = tuple[tuple[str, bool], ...]
"""Field and whether it descends."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<mark><=|>=|!=|[=<>(),])|(?P<word>[^\s=<>!(),"']+))"""
)
_FORMATS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
_NAMES = {
    "project": "project", "key": "key", "issuekey": "key", "id": "key", "issue": "key", "issuetype": "type",
    "type": "type", "status": "status", "statuscategory": "category", "labels": "labels", "sprint": "sprint",
    "updated": "updated", "updateddate": "updated", "created": "created", "createddate": "created",
}  # fmt: skip
_SORTED = {"created": "created", "createddate": "created", "updated": "updated", "updateddate": "updated"} | {
    "key": "key", "issuekey": "key", "id": "key",
}  # fmt: skip
_COMPARED: dict[str, Callable[[datetime, datetime], bool]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
}


class JqlError(ValueError):
    """What Jira answers with status 400."""


@dataclass(frozen=True, slots=True)
class Query:
    test: Test
    order: Order
    bounded: bool


def parse(text: str, world: World) -> Query:
    """A query as a test of issues and an order. JqlError for what Jira does not understand or know."""
    return _Parser(text, world).query()


def sort_key(issue: Issue, field: str, world: World) -> tuple[object, ...]:
    if field == "key":
        project, _, number = issue.key.rpartition("-")
        return project, int(number)
    at = issue.created if field == "created" else world.indexed(issue) or issue.created
    return (at,)


class _Parser:
    def __init__(self, text: str, world: World) -> None:
        self.world, self.text = world, text
        self.tokens = list(_tokens(text))
        self.place = 0

    # --- the grammar ---

    def query(self) -> Query:
        bounded = bool(self.tokens) and not self._at("order")
        test = self._either() if bounded else _any
        order = self._order()
        if self.place < len(self.tokens):
            raise JqlError(f"Error in the JQL Query: Expecting either 'OR' or 'AND' but got '{self._next()}'.")
        return Query(test, order, bounded)

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return lambda issue: any(test(issue) for test in tests)

    def _both(self) -> Test:
        tests = [self._term()]
        while self._take("and"):
            tests.append(self._term())
        return lambda issue: all(test(issue) for test in tests)

    def _term(self) -> Test:
        if self._take("not"):
            test = self._term()
            return lambda issue: not test(issue)
        if self._take("("):
            test = self._either()
            self._expect(")")
            return test
        return self._clause()

    def _clause(self) -> Test:
        name = self._next()
        field = _NAMES.get(_plain(name).lower())
        if field is None:
            raise JqlError(f"Field '{_plain(name)}' does not exist or you do not have permission to view it.")
        operator = self._next().lower()
        if operator == "not":
            self._expect("in")
            return self._none_of(field, self._list())
        if operator == "in":
            return self._one_of(field, self._list())
        if field in ("updated", "created") and operator in _COMPARED:
            return self._dated(field, operator, _plain(self._next()))
        if operator in ("=", "!="):
            values = [_plain(self._next())]
            return self._one_of(field, values) if operator == "=" else self._none_of(field, values)
        raise JqlError(f"The operator '{operator}' is not supported by the '{_plain(name)}' field.")

    def _order(self) -> Order:
        if not self._take("order"):
            return (("created", True),)
        self._expect("by")
        fields = [self._sorted()]
        while self._take(","):
            fields.append(self._sorted())
        if self.world.cloud and len(fields) > 7:
            raise JqlError("JQL can be ordered by at most 7 fields.")
        return tuple(fields)

    def _sorted(self) -> tuple[str, bool]:
        name = _plain(self._next())
        if name.lower() not in _SORTED:
            raise JqlError(f"Not able to sort using field '{name}'.")
        descends = self._take("desc")
        if not descends:
            self._take("asc")
        return _SORTED[name.lower()], descends

    # --- the fields ---

    def _none_of(self, field: str, values: list[str]) -> Test:
        test = self._one_of(field, values)
        return lambda issue: not test(issue)

    def _one_of(self, field: str, values: list[str]) -> Test:
        if field in ("updated", "created"):
            tests = [self._dated(field, "=", value) for value in values]
            return lambda issue: any(test(issue) for test in tests)
        wanted = {self._known(field, value) for value in values}
        return lambda issue: bool(wanted & set(_values(issue, field)))

    def _known(self, field: str, value: str) -> str:
        """The value in the form in which issues have it; what the site does not know is an error."""
        world, low = self.world, value.lower()
        if field == "project":
            for each in world.projects.values():
                if each.visible and low in (each.key.lower(), each.name.lower(), each.id):
                    return each.id
            raise JqlError(f"The value '{value}' does not exist for the field 'project'.")
        if field == "key":
            found = world.find(value)
            if found is None or not (found.visible and found.project.visible):
                raise JqlError(f"An issue with key '{value}' does not exist for field 'key'.")
            return found.id
        if field == "sprint" and not (value.isdecimal() and int(value) in world.sprints):
            raise JqlError(f"Sprint with name '{value}' does not exist or you do not have permission to view it.")
        if field == "status" and not any(low in (each.name.lower(), each.id) for each in world.statuses):
            raise JqlError(f"The value '{value}' does not exist for the field 'status'.")
        return low

    def _dated(self, field: str, operator: str, value: str) -> Test:
        bound, compare, world = self._date(field, value), _COMPARED[operator], self.world
        fine = _same if world.cloud else _whole

        def test(issue: Issue) -> bool:
            at = issue.created if field == "created" else world.indexed(issue) or issue.created
            return compare(fine(at), fine(bound))

        return test

    def _date(self, field: str, value: str) -> datetime:
        """Epoch milliseconds, a period before or after now, or a date in the time zone of the account."""
        if re.fullmatch(r"-?\d+", value):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value))
        if re.fullmatch(r"[+-]?(\d+[wdhm]\s*)+", value):
            parts = {_UNITS[unit]: int(many) for many, unit in re.findall(r"(\d+)([wdhm])", value)}
            span = timedelta(**parts)
            return self.world.now - span if value.startswith("-") else self.world.now + span
        for form in _FORMATS:
            try:
                local = datetime.strptime(value, form).replace(tzinfo=ZoneInfo(self.world.zone))
            except ValueError:
                continue
            return local.astimezone(UTC)
        raise JqlError(
            f"Date value '{value}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
            "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
        )

    # --- tokens ---

    def _list(self) -> list[str]:
        self._expect("(")
        values = [_plain(self._next())]
        while self._take(","):
            values.append(_plain(self._next()))
        self._expect(")")
        return values

    def _at(self, word: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place].lower() == word

    def _take(self, word: str) -> bool:
        found = self._at(word)
        self.place += found
        return found

    def _next(self) -> str:
        if self.place >= len(self.tokens):
            raise JqlError("Error in the JQL Query: The query ended unexpectedly.")
        self.place += 1
        return self.tokens[self.place - 1]

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise JqlError(f"Error in the JQL Query: Expecting '{word}' but got '{self._next()}'.")


def _tokens(text: str) -> Iterable[str]:
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise JqlError(f"Error in the JQL Query: the character at {place + 1} is not expected.")
        yield match[match.lastgroup or 0]
        place = match.end()


def _plain(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token[:1] in "\"'" else token


def _any(_: Issue) -> bool:
    return True


def _same(at: datetime) -> datetime:
    return at


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _values(issue: Issue, field: str) -> Iterable[str]:
    if field == "project":
        return [issue.project.id]
    if field == "key":
        return [issue.id]
    if field == "type":
        return [issue.type.lower()]
    if field == "status":
        return [issue.status.name.lower(), issue.status.id]
    if field == "category":
        return [{"new": "to do", "indeterminate": "in progress", "done": "done"}[issue.status.category]]
    if field == "labels":
        return [label.lower() for label in issue.labels]
    return [str(each.id) for each in issue.sprints]
