"""The detail of each kind of signal as docs/signals.md gives it: which keys there are, and what each one holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from pipmetrics.model import Json


@dataclass(frozen=True, slots=True)
class Shape:
    """What a key holds, in words and as a test. One that may be null may be left out."""

    says: str
    fits: Callable[[Json], bool]
    may_be_null: bool = False

    def or_null(self) -> Shape:
        return replace(self, says=f"{self.says} or null", may_be_null=True)

    def holds(self, value: Json) -> bool:
        return self.may_be_null if value is None else self.fits(value)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_instant(value: Json) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_date(value: Json) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _list_of(fits: Callable[[Json], bool]) -> Callable[[Json], bool]:
    return lambda value: isinstance(value, (list, tuple)) and all(map(fits, value))


def _row(*parts: Callable[[Json], bool]) -> Callable[[Json], bool]:
    """A list with so many entries, each of which fits its part."""

    def fits(value: Json) -> bool:
        listed = isinstance(value, (list, tuple)) and len(value) == len(parts)
        return listed and all(part(each) for part, each in zip(parts, value, strict=True))

    return fits


def _keys(**parts: Callable[[Json], bool]) -> Callable[[Json], bool]:
    """A mapping with exactly these keys, each of which fits its part."""

    def fits(value: Json) -> bool:
        return isinstance(value, Mapping) and set(value) == set(parts) and all(parts[k](v) for k, v in value.items())

    return fits


def _or_null(fits: Callable[[Json], bool]) -> Callable[[Json], bool]:
    return lambda value: value is None or fits(value)


def _one_of(*words: str) -> Shape:
    return Shape(f"one of {', '.join(words)}", lambda value: value in words)


TEXT = Shape("text", _is_text)
FLAG = Shape("true or false", lambda value: isinstance(value, bool))
NUMBER = Shape("a number", _is_number)
TEXTS = Shape("a list of texts", _list_of(_is_text))
INSTANT = Shape("an ISO 8601 instant with its zone", _is_instant)
DATE = Shape("an ISO date", _is_date)
FILES = Shape("a list of [path, added, deleted]", _list_of(_row(_is_text, _or_null(_is_number), _or_null(_is_number))))
CAUSES = Shape(
    "a list of {to, text}, the text at most 200 characters",
    _list_of(_keys(to=_is_text, text=lambda value: isinstance(value, str) and len(value) <= 200)),
)
CATEGORY = _one_of("new", "in_progress", "done")
CODES = ("fixed", "duplicate", "invalid", "cannot_reproduce", "wont_do", "other")
RESOLUTIONS = Shape(
    f"a list of [instant, code, name], codes {', '.join(CODES)}",
    _list_of(_row(_is_instant, lambda code: code in CODES, _or_null(_is_text))),
)
SPRINTS = Shape(
    "a list of {id, name, started, ended, completed, in}",
    _list_of(
        _keys(
            id=lambda value: _is_text(value) or _is_number(value),
            name=_or_null(_is_text),
            started=_or_null(_is_instant),
            ended=_or_null(_is_instant),
            completed=_or_null(_is_instant),
            **{"in": _list_of(_row(_is_instant, _or_null(_is_instant)))},
        )
    ),
)
ACTOR = TEXT.or_null()

DETAILS: Mapping[str, Mapping[str, Shape]] = {
    "change_opened": {
        "title": TEXT, "labels": TEXTS, "draft": FLAG, "base": TEXT.or_null(), "default_branch": FLAG,
        "branch": TEXT.or_null(), "issues": TEXTS, "closes": TEXTS, "author_login": TEXT.or_null(),
    },
    "change_ready": {},
    "change_drafted": {},
    "change_closed": {},
    "change_reopened": {},
    "change_merged": {
        "merged_by": ACTOR, "files": FILES, "files_complete": FLAG, "sha": TEXT.or_null(), "base": TEXT.or_null(),
        "default_branch": FLAG, "issues": TEXTS, "closes": TEXTS, "labels": TEXTS, "reverts": TEXTS, "causes": CAUSES,
    },
    "review_requested": {"requester": ACTOR, "team": TEXT.or_null()},
    "review_request_removed": {"requester": ACTOR, "team": TEXT.or_null()},
    "reviewed": {
        "state": _one_of("approved", "changes_requested", "commented", "dismissed"), "comments": NUMBER,
        "previous": TEXT.or_null(), "dismissed": INSTANT.or_null(),
    },
    "commented": {"inline": FLAG},
    "commits_pushed": {"sha": TEXT, "authored": INSTANT, "linked": FLAG},
    "checks_completed": {
        "conclusion": _one_of("success", "failure", "cancelled", "skipped", "neutral"), "attempt": NUMBER.or_null(),
        "sha": TEXT,
    },
    "deployed": {"sha": TEXT, "environment": TEXT, "repository": TEXT},
    "issue_opened": {
        "title": TEXT, "type": TEXT.or_null(), "labels": TEXTS, "priority": TEXT.or_null(), "project": TEXT,
        "causes": CAUSES, "sprints": SPRINTS.or_null(), "former_keys": TEXTS.or_null(),
    },
    "issue_assigned": {"by": ACTOR, "from": ACTOR},
    "issue_status_changed": {"from": TEXT.or_null(), "to": TEXT, "from_category": CATEGORY, "to_category": CATEGORY},
    "issue_done": {"resolutions": RESOLUTIONS},
    "issue_reopened": {},
    "issue_due_changed": {"from": DATE.or_null(), "to": DATE.or_null()},
    "issue_linked": {"type": TEXT, "to": TEXT, "undated": FLAG.or_null()},
}  # fmt: skip
"""Kinds that connectors give; the two that are derived after a pull are not theirs to give."""


def wrong_in(kind: str, detail: Mapping[str, Any]) -> list[str]:
    """What does not fit the kind's detail, in words; empty when everything does."""
    known = DETAILS[kind]
    wrong = [f"detail has no key {name!r}" for name in detail if name not in known]
    for name, shape in known.items():
        if name not in detail:
            wrong += [] if shape.may_be_null else [f"detail.{name} is missing"]
        elif not shape.holds(detail[name]):
            wrong.append(f"detail.{name} is not {shape.says}")
    return wrong
