"""The only user of entry points. A plugin that fails to load is an error with its name in it, never swallowed."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, cast

from pipmetrics.errors import PluginError

if TYPE_CHECKING:
    from pipmetrics.plugin import Connector, CriterionRule, Metric


@cache
def _points(group: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"pipmetrics.{group}"):
        if point.name in found and found[point.name].value != point.value:
            raise PluginError(
                f"two plugins are called {point.name!r} in {group}: {found[point.name].value} and {point.value}",
                mend="Uninstall one of them.",
            )
        found[point.name] = point
    return dict(sorted(found.items()))


def names(group: str) -> tuple[str, ...]:
    """Names of the plugins of a group ("connectors", "metrics", "criteria"), without loading any."""
    return tuple(_points(group))


@cache
def _load(group: str, name: str) -> Any:
    point = _points(group).get(name)
    if point is None:
        raise PluginError(f"no {group} plugin is called {name!r}; there are {', '.join(names(group)) or 'none'}")
    try:
        return point.load()
    except Exception as error:
        raise PluginError(
            f"the plugin {name!r} of {group} ({point.value}) does not load: {type(error).__name__}: {error}",
            mend="Reinstall the package that provides it, or remove it.",
        ) from error


def connector(name: str) -> type[Connector]:
    return cast("type[Connector]", _load("connectors", name))


def metric(name: str) -> Metric:
    return cast("Metric", _load("metrics", name))


def criterion(name: str) -> CriterionRule:
    return cast("CriterionRule", _load("criteria", name))
