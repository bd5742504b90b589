"""How measurements are made, as one text: rows that were kept under another recipe are made anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from zoneinfo import TZPATH

import pipmetrics
from pipmetrics import registry
from pipmetrics.model import Json, MeasureRequest, Source
from pipmetrics.plugin import Metric

CODE = ("calendars.py", "identity.py", "kept.py", "measure.py")
"""Of this folder, what makes rows beside the metrics."""


def recipe(request: MeasureRequest, sources: Mapping[str, Source]) -> str:
    """All that rows depend on but signals, people and time."""
    metric = registry.metric(request.metric)
    told = {
        "metric": metric.name,
        "clock": request.clock or metric.clock or "elapsed",
        "attribution": list(request.attribution),
        "follow_up": request.follow_up.total_seconds(),
        "include": sorted(request.include),
        "made": digest([made_by(metric), metric.definition, metric.unit, metric.kinds, _settings(sources)]),
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def digest(value: object) -> str:
    """SHA-256, hexadecimal, of a value made of our own types and plain ones; sets have no order."""
    return hashlib.sha256(json.dumps(plain(value), sort_keys=True).encode()).hexdigest()


def plain(value: object) -> Json:
    """A value made of our own types and plain ones as JSON, the same in every process: sets have no order."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(each) for each in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _settings(sources: Mapping[str, Source]) -> Mapping[str, Source]:
    """The sources without what only opens them."""
    return {name: replace(source, token=None, user=None) for name, source in sources.items()}


def made_by(metric: Metric) -> tuple[str, ...]:
    """What measures: the versions and the code of ours, of the metric's, and of what calendars rest on."""
    return (pipmetrics.__version__, *_versions(), _code(_file_of(metric)))


def _file_of(metric: Metric) -> str:
    made = getattr(metric.measure, "__code__", None)
    return "" if made is None else str(made.co_filename)


@cache
def _versions() -> tuple[str, ...]:
    found = []
    for name in ("holidays", "numpy", "pandas", "tzdata"):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(name)  # the system's own, as for tzdata
    return (*found, _zones())


def _zones() -> str:
    """The version of the system's time zones, as their own list tells it."""
    lists = [Path(folder) / "tzdata.zi" for folder in TZPATH]
    told = (file.read_text("utf-8").partition("\n")[0] for file in lists if file.is_file())
    return next(told, "")


@cache
def _code(more: str) -> str:
    here = Path(__file__).parent
    files = [*sorted((here / "metrics").glob("*.py")), *(here / name for name in CODE), Path(more)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()
