"""Fits a document to a model, and turns what pydantic says into problems with a place and a mend."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipmetrics.config.document import Document, Path
from pipmetrics.config.values import Unfit, did_you_mean, found, nearly
from pipmetrics.errors import Problem

Model = TypeVar("Model", bound=BaseModel)

_KEY = re.compile(r"[A-Za-z][\w-]{0,39}")
_EXPECTED = {
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_type": "text",
}


def fit(document: Document, path: Path, model: type[Model], raw: Any) -> tuple[Model | None, list[Problem]]:
    """`raw`, which stands at `path`, as the model; None and all that is wrong with it."""
    try:
        return model.model_validate(raw), []
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        return None, [_problem(document, path, model, dict(detail)) for detail in details]


def _problem(document: Document, path: Path, model: type[BaseModel], detail: Mapping[str, Any]) -> Problem:
    inner: Path = tuple(detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    place = (*path, *inner)
    if kind == "missing":
        return document.problem(place[:-1], f"`{inner[-1]}` is missing", key=True)
    if kind == "extra_forbidden":
        return unknown_key(document, place, keys_of(model, inner[:-1]))
    if inner and inner[-1] == "[key]":
        return document.problem(place[:-1], *_said(context), key=True)
    if isinstance(context.get("error"), Unfit):
        return document.problem(place, *_said(context))
    given = document.nearest(place)
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return document.problem(place, f"one of {', '.join(known)} is expected here", nearly(given, known))
    if kind == "too_short":
        return document.problem(place, "this list is empty", key=True)
    if kind in _EXPECTED:
        mend = "Put it in brackets: [...]." if kind == "list_type" and isinstance(given, (str, int, float)) else ""
        return document.problem(place, f"{_EXPECTED[kind]} is expected here, not {found(given)}", mend)
    return document.problem(place, "this value does not fit")


def _said(context: Mapping[str, Any]) -> tuple[str, str]:
    error = context["error"]
    return (error.what, error.mend) if isinstance(error, Unfit) else ("this value does not fit", "")


def unknown_key(document: Document, path: Path, known: Sequence[str]) -> Problem:
    """A key that nobody takes, pointed at; it is named when it looks like a key."""
    key = str(path[-1])
    named = f" `{key}`" if _KEY.fullmatch(key) else ""
    return document.problem(path, f"unknown key{named}", did_you_mean(key, known), key=True)


def keys_of(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    """The keys of the section that stands at `path` inside of a model, as they are written."""
    for step in path:
        field = next((each for name, each in model.model_fields.items() if step in (name, each.alias)), None)
        inner = _section(field.annotation) if field is not None else None
        model = inner or model
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _section(annotation: Any) -> type[BaseModel] | None:
    """The first model inside of an annotation such as `dict[str, Model]` or `Model | None`."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((found for part in typing.get_args(annotation) if (found := _section(part))), None)
