"""JSON Schemas of the three files, from the models and from the tables that installed plugins declare.

Editors use them through a first line such as `# yaml-language-server: $schema=schemas/plan.schema.json`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from pydantic import BaseModel

from pipmetrics import registry
from pipmetrics.config.fields import CLOCKED, DATE, PERCENTAGE, TEXT
from pipmetrics.config.files import (
    CriterionSection,
    GuardSection,
    PeopleFile,
    PlanFile,
    SettingsFile,
)
from pipmetrics.plugin import Parameter

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, Schema]:
    """The schemas by name: pipmetrics, people, plan. PluginError when an installed plugin does not load."""
    return {
        "pipmetrics": _published("pipmetrics.yaml", _settings()),
        "people": _published("people.yaml", _model(PeopleFile)),
        "plan": _published("plans/*.yaml", _plan()),
    }


def _published(title: str, schema: Schema) -> Schema:
    return {"$schema": DIALECT, "title": title, **{key: value for key, value in schema.items() if key != "title"}}


def _settings() -> Schema:
    schema = _model(SettingsFile)
    names = registry.names("connectors")
    source = schema["$defs"].pop("SourceSection")
    variants = {name: _closed(source, registry.connector(name).options, "connector", name) for name in names}
    schema["$defs"] |= {f"source_{name}": variant for name, variant in variants.items()}
    schema["properties"]["sources"]["additionalProperties"] = _chosen(source, "connector", "source", names)
    return schema


def _plan() -> Schema:
    schema = _model(PlanFile)
    line, guard = _model(CriterionSection), _model(GuardSection)
    schema["$defs"] |= line.pop("$defs", {}) | guard.pop("$defs", {})
    names = registry.names("criteria")
    metrics = {"enum": list(registry.names("metrics"))}
    for part in (line, guard):
        part["properties"]["metric"] = {**metrics, "description": part["properties"]["metric"]["description"]}
    line["properties"]["guardrail"] = {
        "$ref": "#/$defs/guardrail",
        "description": line["properties"]["guardrail"]["description"],
    }
    for name in names:
        table = registry.criterion(name).parameters
        schema["$defs"][f"criterion_{name}"] = _closed(line, table, "criterion", name)
        schema["$defs"][f"guard_{name}"] = _closed(guard, table, "criterion", name)
    inner = {**guard, "required": [*guard["required"], "criterion"]}
    schema["$defs"]["guardrail"] = _chosen(guard, "criterion", "guard", names)
    schema["$defs"]["inner_criterion"] = _chosen(inner, "criterion", "guard", names)
    schema["properties"]["criteria"]["items"] = _chosen(line, "criterion", "criterion", names)
    return schema


def _chosen(section: Schema, key: str, prefix: str, names: Iterable[str]) -> Schema:
    """A section whose keys depend on what `key` names; without the key, its default decides."""
    default = section["properties"][key].get("default")
    return {
        "type": "object",
        "required": section.get("required", []),
        "properties": {key: {"enum": list(names), "description": section["properties"][key]["description"]}},
        "allOf": [
            {
                "if": {"properties": {key: {"const": name}}, **({} if name == default else {"required": [key]})},
                "then": {"$ref": f"#/$defs/{prefix}_{name}"},
            }
            for name in names
        ],
    }


def _closed(section: Schema, table: Iterable[Parameter], key: str, name: str) -> Schema:
    """A section with the keys of one plugin's table added, and no others."""
    parameters = list(table)
    own = {parameter.name: _parameter(parameter) for parameter in parameters}
    required = [parameter.name for parameter in parameters if parameter.required]
    return {
        **section,
        "properties": {**section["properties"], **own, key: {"const": name}},
        "required": [*section.get("required", []), *required],
        "additionalProperties": False,
    }


def _parameter(parameter: Parameter) -> Schema:
    kinds: dict[str, Schema] = {
        "duration": CLOCKED,
        "share": PERCENTAGE,
        "number": {"type": "number"},
        "count": {"type": "integer", "minimum": 0},
        "amount": {"type": ["string", "number"]},
        "text": TEXT,
        "choice": {"enum": list(parameter.choices)},
        "date": DATE,
        "metric": {"enum": list(registry.names("metrics"))},
        "criterion": {"$ref": "#/$defs/inner_criterion"},
        "list": {"type": "array"},
        "mapping": {"type": "object"},
    }
    if parameter.kind == "mapping" and parameter.choices:
        names = {"propertyNames": {"enum": list(parameter.choices)}}
        return {"type": "object", **names, "description": parameter.help}
    return {**kinds[parameter.kind], "description": parameter.help}


def _model(model: type[BaseModel]) -> Schema:
    schema = model.model_json_schema()
    _tidy(schema)
    return schema


def _tidy(node: Any) -> None:
    """Titles that only repeat a key go, and defaults that nobody would write so; any key is a name."""
    if isinstance(node, list):
        for each in node:
            _tidy(each)
    if not isinstance(node, dict):
        return
    if "patternProperties" in node:
        node["additionalProperties"] = next(iter(node.pop("patternProperties").values()))
    for name, each in node.items():
        if name == "properties":
            for field in each.values():
                field.pop("title", None)
                if "default" in field and not _written(field):
                    del field["default"]
        _tidy(each)
    if node.get("type") == "object":
        node.pop("title", None)


def _written(field: Schema) -> bool:
    """Whether a default is what somebody would write: 5, true, "local"; not P90D, null or []."""
    default, kind = field["default"], field.get("type")
    if kind == "string":
        return isinstance(default, str) and bool(default) and not default.startswith("P")
    return kind in ("integer", "number", "boolean") and isinstance(default, (bool, int, float))
