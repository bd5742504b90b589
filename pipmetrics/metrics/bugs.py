"""Which issues are bugs: the rule of their source, by type, by label, or by a small filter in the manner of JQL.

The filter is parsed without pandas, so that the configuration can check it:

    type = Bug AND priority in (High, Highest) AND NOT labels = flaky
    project = PAY and (title ~ "crash" or labels in ("data loss", outage))

Fields: type, labels, priority, project, title. Operators: `=`, `!=`, `in (...)`, `not in (...)`, `~` (contains), `!~`,
`is empty`, `is not empty`; AND, OR, NOT and parentheses, NOT binding closest and OR loosest. Case never matters.
Unlike JQL, `!=`, `not in` and `!~` are the plain opposites of `=`, `in` and `~`: an issue without a priority is not
`priority = High`, so it is `priority != High`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias

from pipmetrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pipmetrics.model import BugRule, Source

FIELDS = ("type", "labels", "priority", "project", "title")
OTHER_NAMES = {"issuetype": "type", "label": "labels", "summary": "title"}
DEEPEST = 50
"""Nesting beyond this is a mistake, and would otherwise end in a RecursionError."""

TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
            |(?P<open_quote>["'])
            |(?P<mark>!=|!~|<=|>=|&&|\|\||[=~(),<>!&|])
            |(?P<word>[^\s"'=~(),<>!&|]+))""",
    re.VERBOSE,
)


class FilterError(UsageError):
    """A filter that can not be read; `column` counts from 1 within its text."""

    def __init__(self, what: str, column: int, mend: str) -> None:
        super().__init__(what, where=f"column {column}", mend=mend)
        self.column = column


# --- the tree -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `values` are folded to one case."""

    field: str
    how: Literal["is one of", "contains", "is empty"]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Both:
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Either:
    left: Node
    right: Node


Node: TypeAlias = Condition | Not | Both | Either


# --- reading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Token:
    kind: Literal["quoted", "mark", "word", "end"]
    text: str
    column: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.casefold() in words


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    while position < len(text.rstrip()):
        match = TOKEN.match(text, position)
        assert match is not None, "every character begins a token"
        kind: Any = match.lastgroup
        column = match.start(kind) + 1
        if kind == "open_quote":
            raise FilterError("a quote is opened and never closed", column, "Close it, or take it away.")
        word = match[kind]
        found.append(Token(kind, re.sub(r"\\(.)", r"\1", word[1:-1]) if kind == "quoted" else word, column))
        position = match.end()
    return [*found, Token("end", "", len(text.rstrip()) + 1)]


class _Reader:
    """Recursive descent over the tokens: either := both (OR both)*; both := one (AND one)*."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.next
        self.at += token.kind != "end"
        return token

    def took(self, *texts: str) -> bool:
        found = (self.next.kind == "mark" and self.next.text in texts) or self.next.is_word(*texts)
        self.at += found
        return found

    def fail(self, expected: str, mend: str) -> NoReturn:
        token = self.next
        got = "the end" if token.kind == "end" else repr(token.text)
        raise FilterError(f"expected {expected}, found {got}", token.column, mend)

    def whole(self) -> Node:
        node = self.either()
        if self.next.is_word("order"):
            self.fail("the end", "A filter has no order: take ORDER BY away.")
        if self.next.kind != "end":
            self.fail("AND, OR or the end", "Join two conditions by AND or OR; quote a value of several words.")
        return node

    def either(self) -> Node:
        node = self.both()
        while self.took("or"):
            node = Either(node, self.both())
        return node

    def both(self) -> Node:
        node = self.one()
        while self.took("and"):
            node = Both(node, self.one())
        return node

    def one(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(f"at most {DEEPEST} levels", "Write it flatter.")
        node = self.negated() if self.took("not") else self.group() if self.took("(") else self.comparison()
        self.depth -= 1
        return node

    def negated(self) -> Node:
        return Not(self.one())

    def group(self) -> Node:
        node = self.either()
        if not self.took(")"):
            self.fail("')'", "Close the parenthesis.")
        return node

    def comparison(self) -> Node:
        name = self.field()
        if self.took("="):
            return Condition(name, "is one of", (self.value(),))
        if self.took("!="):
            return Not(Condition(name, "is one of", (self.value(),)))
        if self.took("~"):
            return Condition(name, "contains", (self.value().strip("*"),))
        if self.took("!~"):
            return Not(Condition(name, "contains", (self.value().strip("*"),)))
        return self.word_comparison(name)

    def word_comparison(self, name: str) -> Node:
        if self.took("is"):
            return self.emptiness(name)
        if self.took("in"):
            return Condition(name, "is one of", self.values())
        if self.took("not") and self.took("in"):
            return Not(Condition(name, "is one of", self.values()))
        return self.fail(
            "an operator", "Operators are =, !=, in (...), not in (...), ~, !~, is empty and is not empty."
        )

    def field(self) -> str:
        word = self.next.text.casefold() if self.next.kind == "word" else ""
        name = OTHER_NAMES.get(word, word)
        if name not in FIELDS:
            close = get_close_matches(word, FIELDS, 1)
            mend = f"Did you mean {close[0]}? " if close else ""
            self.fail("a field", f"{mend}Fields are {', '.join(FIELDS)}.")
        self.take()
        return name

    def value(self) -> str:
        if self.next.kind not in ("word", "quoted") or (self.next.kind == "word" and self.next.is_word("and", "or")):
            self.fail("a value", 'Write a word, or several in quotes: type = "Production bug".')
        return self.take().text.casefold()

    def values(self) -> tuple[str, ...]:
        if not self.took("("):
            self.fail("'('", "A list stands in parentheses: labels in (bug, regression).")
        found = [self.value()]
        while self.took(","):
            found.append(self.value())
        if not self.took(")"):
            self.fail("',' or ')'", "Part the values by commas and close the list; quote a value of several words.")
        return tuple(found)

    def emptiness(self, name: str) -> Node:
        negated = self.took("not")
        if not self.took("empty", "null"):
            self.fail("EMPTY", "`is` asks for emptiness alone: priority is empty; use = to compare with a value.")
        empty = Condition(name, "is empty")
        return Not(empty) if negated else empty


@cache
def parse_filter(text: str) -> Node:
    """The tree of a filter. Raises FilterError, which names the column, what was expected and the mend."""
    return _Reader(text).whole()


# --- applying -----------------------------------------------------------------------------------------------------


def fields(opened: pd.DataFrame) -> pd.DataFrame:
    """What rules compare, of `issue_opened` signals: FIELDS, all folded to one case; labels as lists."""
    details = opened["detail"]
    found = opened[[]].copy()
    for name in FIELDS:
        if name == "labels":
            found[name] = [[label.casefold() for label in detail.get(name) or ()] for detail in details]
        else:
            found[name] = [str(detail.get(name) or "").casefold() for detail in details]
    return found


def holds(node: Node, issues: pd.DataFrame) -> pd.Series[bool]:
    """For each row of `fields`: does it match the tree?"""
    match node:
        case Not(part):
            return ~holds(part, issues)
        case Both(left, right):
            return holds(left, issues) & holds(right, issues)
        case Either(left, right):
            return holds(left, issues) | holds(right, issues)
        case Condition(name, how, values):
            return _has(issues[name], how, values)


def _has(column: pd.Series[Any], how: str, values: tuple[str, ...]) -> pd.Series[bool]:
    # One row a label; an issue without labels is one row that is missing.
    single = (column.explode() if column.name == "labels" else column.where(column.ne(""))).astype("str")
    if how == "is one of":
        matching = single.isin(values)
    elif how == "contains":
        matching = single.str.contains(values[0], regex=False, na=False)
    else:
        matching = single.isna()
    result: pd.Series[bool] = matching.astype(bool).groupby(level=0).any().reindex(column.index, fill_value=False)
    return result


def matches(rule: BugRule, issues: pd.DataFrame) -> pd.Series[bool]:
    """For each row of `fields`: is it a bug by this rule (any type, any label, or the filter)?"""
    found = _has(issues["type"], "is one of", tuple(map(str.casefold, rule.types)))
    found |= _has(issues["labels"], "is one of", tuple(map(str.casefold, rule.labels)))
    return found | holds(parse_filter(rule.filter), issues) if rule.filter.strip() else found


def bugs(signals: pd.DataFrame, sources: Mapping[str, Source]) -> pd.DataFrame:
    """The `issue_opened` signals, one an issue, of the issues that their source's rule calls bugs."""
    opened = signals[signals["kind"].eq("issue_opened")].drop_duplicates("subject").reset_index(drop=True)
    issues = fields(opened)
    kept: list[int] = []
    for name, source in sources.items():
        here = issues[opened["source"].eq(name)]
        kept += here.index[matches(source.bugs, here)].tolist()
    return opened.loc[sorted(kept)].reset_index(drop=True)
