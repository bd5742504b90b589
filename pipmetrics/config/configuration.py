"""A configuration folder, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipmetrics.config.document import Document
from pipmetrics.model import Person, Plan, Settings


@dataclass(frozen=True, slots=True)
class Config:
    """Settings, people by id in the order of their file, plans in the order of their paths.

    `documents` keeps the read files by their path, so that later findings can say where.
    """

    settings: Settings
    people: Mapping[str, Person]
    plans: tuple[Plan, ...]
    documents: Mapping[str, Document] = field(default_factory=dict, compare=False, repr=False)
